"""Scores on the models' grid: piano rolls of five parts, and chord plans."""
