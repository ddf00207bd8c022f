"""Books of what crossed the wire, kept apart from everything that the sandbox believes."""
