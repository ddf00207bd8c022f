"""Measurements: commands of their own, with ratios taken side by side in one run; no test asserts a time."""
