"""One module per command. What is heavy is imported inside, so that `--help` answers at once."""
