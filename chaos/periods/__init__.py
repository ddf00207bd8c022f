"""Three billing periods to the last second: every unit is on the invoice of its period, or in an alarm."""
