"""The command `meterpost`: a file a command. Answers go to stdout, words to stderr, and exit codes mean something."""
