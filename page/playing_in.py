"""A melody that was played on a keyboard: its notes on the beats of the click. No widgets."""

from accomp.listen.beat_grid import SungNote
from accomp.listen.quantise import QuantiseSettings
from accomp.listen.source import Source, load_source
from accomp.listen.transcribe import Click, grid_of, on_beats
from accomp.music.melody_track import skyline
from accomp.music.score import Note, Score, Tempo, TimeSignature
from page.inventing import write_melody
from page.recorder import PlayedMelody

NAME = "my_melody"  # as recordings are called
# Of the notes off the pulse, those that are expected on its thirds where a pulse has three eighths;
# in other metres it is as for recordings.
THIRDS = 0.9
SHORTEST = 0.03  # seconds of a note: one that was only touched


def played_score(played: PlayedMelody) -> Score:
    """Return the top line of what was played, on the places of the click's beats.

    They are found as those of a recording to a click are (accomp.listen.quantise).

    Raises:
        MusicError: It can't be a melody.
    """
    meter = TimeSignature(0.0, *played.meter)
    beats = played.tempo * meter.pulse / 60  # quarters a second
    notes = [
        Note(pitch, onset * beats, max(end - onset, SHORTEST) * beats, velocity)
        for pitch, onset, end, velocity in played.notes
    ]
    line = [
        SungNote(note.pitch, note.onset / beats, note.end / beats, note.velocity)
        for note in skyline(notes)
    ]
    grid = grid_of(line, click=Click(played.tempo, 0.0, played.meter))
    places = QuantiseSettings(first_share=THIRDS) if meter.is_compound else QuantiseSettings()
    score = on_beats(line, grid, places).score
    # The click's tempo is known; that of the grid is its mean between rounded times.
    score.tempos = [Tempo(0.0, round(60e6 / (played.tempo * meter.pulse)))]
    return score


def played_source(played: PlayedMelody) -> Source:
    """Return what was played as if a file of it had been opened. Raises MusicError."""
    return load_source(write_melody(played_score(played), NAME))
