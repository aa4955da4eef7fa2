import pretty_midi

from accomp.music.instruments import program_name
from accomp.music.percussion import (
    BASS_DRUM,
    CRASH,
    KINDS,
    SIDE_STICK,
    drum_keys,
    drum_label,
    keys_of,
)


def letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def test_programs_are_those_of_general_midi():
    for program in range(128):
        other = pretty_midi.program_to_instrument_name(program)
        assert letters(program_name(program)) == letters(other)


def test_drum_keys_are_those_of_general_midi():
    names = {key: pretty_midi.note_number_to_drum_name(key) for key in range(128)}
    assert {key: drum.name for key, drum in drum_keys().items()} == {
        key: name for key, name in names.items() if name
    }


def test_kinds_of_drum_keys():
    assert keys_of("kick") == (35, BASS_DRUM)
    assert SIDE_STICK in keys_of("snare") and CRASH in keys_of("crash", "ride")
    assert {drum.kind for drum in drum_keys().values()} == {*KINDS, "other"}
    assert keys_of(*KINDS, "other") == tuple(range(35, 82))


def test_labels():
    assert drum_label(BASS_DRUM) == "bass drum" and drum_label(61) == "low bongo"
    assert drum_label(20) == "key 20"
