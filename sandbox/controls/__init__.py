"""What stands under `/_sandbox`: the knobs, and who reads their fields."""
