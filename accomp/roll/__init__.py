"""Scores on the models' grid: piano rolls of five parts, and the chord of each half bar."""
