import pytest

from accomp import tonality
from accomp.score import Note


def melody(*pitches, last=2.0):
    return [Note(p, i, last if i == len(pitches) - 1 else 1.0, 80) for i, p in enumerate(pitches)]


SAINTS = melody(62, 66, 67, 69, 62, 66, 67, 69, 62, 66, 67, 69, 66, 62, 66, 64, 66, 64, 62)  # D major
MINOR = melody(69, 72, 71, 69, 68, 71, 64, 69, 72, 76, 74, 72, 71, 69)  # A minor


@pytest.mark.parametrize("by", range(-13, 14))
def test_key_and_shift_move_with_the_melody(by):
    for notes, tonic, minor in ((SAINTS, 2, False), (MINOR, 9, True)):
        moved = [note._replace(pitch=note.pitch + by) for note in notes]
        assert tonality.estimate_key(moved) == ((tonic + by) % 12, minor)
        assert tonality.shift_of(moved) == tonality.shift_of(notes) + by


@pytest.mark.parametrize("by", range(12))
def test_ambiguous_melodies_move_too(by):
    for pitches in ([60], [60, 66], [60, 64, 68], list(range(60, 72))):
        notes = melody(*pitches, last=1.0)
        moved = [note._replace(pitch=note.pitch + by) for note in notes]
        assert tonality.shift_of(moved) == tonality.shift_of(notes) + by


def test_normal_form_is_c_major_in_one_octave():
    shift = tonality.shift_of(SAINTS)
    assert shift % 12 == 2
    pitches = sorted(note.pitch - shift for note in SAINTS)
    assert tonality.MEDIAN_PITCH <= pitches[9] < tonality.MEDIAN_PITCH + 12
    assert tonality.shift_of(MINOR) % 12 == 0


def test_fold_moves_by_octaves_only():
    assert tonality.fold([10, 60, 127, 24, 23], 24, 60).tolist() == [34, 60, 55, 24, 35]
