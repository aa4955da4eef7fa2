"""A song as a small file: its melody, chords, takes and every choice that made them."""
