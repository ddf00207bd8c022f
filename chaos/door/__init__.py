"""The door under strangers: requests of every kind, and what they leave behind."""
