"""Billing by the clock: which charges fall due when (`cycle`), and the invoices that they become (`invoicing`)."""
