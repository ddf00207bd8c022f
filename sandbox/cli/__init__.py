"""The command `meterpost-sandbox`, but for `serve`: every knob from a terminal."""
