"""The command `meterpost`."""
