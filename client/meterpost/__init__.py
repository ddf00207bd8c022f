"""Report what customers used, from application code."""
