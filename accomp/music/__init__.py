"""Scores, MIDI files and the theory of melodies, keys and chords."""
