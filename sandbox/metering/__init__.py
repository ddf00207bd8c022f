"""What meters counted, what was rejected later, and how many dimensions there may be."""
