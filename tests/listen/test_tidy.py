"""Very short notes that may not have been sung are left out, unless they are wanted."""

from accomp.listen.beat_grid import SungNote
from accomp.listen.source import Corrections, Source
from accomp.listen.tidy import is_doubtful, without_doubtful


def tune(*confidences, length=0.1):
    return [
        SungNote(60 + index, 0.5 * index, 0.5 * index + length, 80, confidence=sure)
        for index, sure in enumerate(confidences)
    ]


def test_short_doubtful_notes_are_left_out():
    notes = tune(0.9, 0.2, 0.7)
    assert [is_doubtful(note) for note in notes] == [False, True, False]
    assert without_doubtful(notes) == [notes[0], notes[2]]
    long = tune(0.9, 0.2, 0.7, length=0.4)
    assert without_doubtful(long) == long


def test_of_doubtful_notes_alone_none_is_left_out():
    assert without_doubtful(tune(0.1, 0.3)) == tune(0.1, 0.3)


def test_a_recording_keeps_them_where_they_are_wanted():
    source = Source("hum", notes=tune(0.9, 0.9, 0.1, 0.9, 0.9))
    assert [note.pitch for note in source.melody().score.tracks[0].notes] == [60, 61, 63, 64]
    everything = source.melody(Corrections(keep_doubtful=True))
    assert len(everything.score.tracks[0].notes) == len(everything.transcription.notes) == 5
