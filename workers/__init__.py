"""The verbs: one file a step, each started by one line of the Procfile."""
