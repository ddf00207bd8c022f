"""The command `meterpost-sandbox`: `serve`, and every knob from a terminal."""
