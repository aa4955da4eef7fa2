import pytest

from accomp.errors import MusicError
from accomp.music import keys
from accomp.music.score import Note


def melody(*pitches, last=2.0):
    return [Note(p, i, last if i == len(pitches) - 1 else 1.0, 80) for i, p in enumerate(pitches)]


SAINTS = melody(
    62, 66, 67, 69, 62, 66, 67, 69, 62, 66, 67, 69, 66, 62, 66, 64, 66, 64, 62
)  # D major
MINOR = melody(69, 72, 71, 69, 68, 71, 64, 69, 72, 76, 74, 72, 71, 69)  # A minor


@pytest.mark.parametrize("by", range(-13, 14))
def test_key_and_shift_move_with_the_melody(by):
    for notes, tonic, minor in ((SAINTS, 2, False), (MINOR, 9, True)):
        moved = [note._replace(pitch=note.pitch + by) for note in notes]
        assert keys.estimate_key(moved) == ((tonic + by) % 12, minor)
        assert keys.shift_of(moved) == keys.shift_of(notes) + by


@pytest.mark.parametrize("by", range(12))
def test_ambiguous_melodies_move_too(by):
    for pitches in ([60], [60, 66], [60, 64, 68], list(range(60, 72))):
        notes = melody(*pitches, last=1.0)
        moved = [note._replace(pitch=note.pitch + by) for note in notes]
        assert keys.shift_of(moved) == keys.shift_of(notes) + by


def test_normal_form_is_c_major_in_one_octave():
    shift = keys.shift_of(SAINTS)
    assert shift % 12 == 2
    pitches = sorted(note.pitch - shift for note in SAINTS)
    assert keys.MEDIAN_PITCH <= pitches[9] < keys.MEDIAN_PITCH + 12
    assert keys.shift_of(MINOR) % 12 == 0


def test_fold_moves_by_octaves_only():
    assert keys.fold([10, 60, 127, 24, 23], 24, 60).tolist() == [34, 60, 55, 24, 35]


@pytest.mark.parametrize(
    "text, key",
    [("C major", (0, False)), ("Am", (9, True)), ("F# minor", (6, True)), ("bb", (10, False))],
)
def test_keys_have_names(text, key):
    assert keys.parse_key(text) == key == keys.parse_key(str(keys.Key(*key)))


def test_what_is_no_key_is_refused():
    for text in ("H minor", "C dorian", ""):
        with pytest.raises(MusicError, match="is not a key; accepted"):
            keys.parse_key(text)


def test_a_melody_in_a_key_that_was_asked_for_lies_in_its_normal_form():
    assert keys.shift_of(SAINTS, keys.parse_key("G major")) % 12 == 7
    assert keys.shift_of(SAINTS, keys.parse_key("E minor")) % 12 == 7
