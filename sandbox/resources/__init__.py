"""Stripe's resources, a file each: the object, its endpoints and its shape on the wire."""
