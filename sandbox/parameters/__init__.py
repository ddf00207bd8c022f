"""What a caller may send and expand, by stripe-python's own definitions."""
