"""Measure speed, memory and loudness of what users get; each prints a table."""
