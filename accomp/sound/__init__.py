"""Sound: scores played, recordings read, and both mixed."""
