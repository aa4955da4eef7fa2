"""The networks, their settings, and the files in which they are kept."""
