"""From a recording of one voice, or a MIDI file, to a melody."""
