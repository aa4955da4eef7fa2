from accomp.music.score import Note, Score, Track
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS
from accomp.roll.parts import normal_parts, split_parts


def track(program: int, pitch: int, count: int, name: str = "", is_drum: bool = False) -> Track:
    notes = [Note(pitch, float(beat), 1.0, 80) for beat in range(count)]
    return Track(name, program, is_drum, notes)


def song() -> Score:
    return Score(
        [
            track(73, 72, 32, "melody"),
            track(0, 36, 32, is_drum=True),
            track(0, 60, 32),  # a piano's comping
            track(27, 55, 20),
            track(34, 40, 32),
            track(48, 67, 16),
            track(61, 62, 12),  # brass
            track(125, 50, 8),  # a helicopter
        ]
    )


def pitches(notes: list[Note]) -> set[int]:
    return {note.pitch for note in notes}


def test_players_play_the_five_parts():
    parts = split_parts(song())
    found = {part: pitches(notes) for part, notes in parts.notes.items()}
    assert found == {MELODY: {72}, DRUMS: {36}, GUITAR: {55}, BASS: {40}, STRINGS: {67}}
    assert pitches(parts.others) == {62, 60}  # brass, and the comping that has no part
    assert parts.programs == {GUITAR: 27, BASS: 34, STRINGS: 48}


def test_parts_come_in_the_normal_key_and_register():
    normal = normal_parts(song())
    assert normal.planes.shape == (5, 2, normal.grid.steps, 128)
    assert len(normal.plan) == normal.grid.steps // 8
    # A melody on one note is on the tonic or the fifth of its key; C is the normal key's tonic.
    assert normal.planes[MELODY, 1].any(0).nonzero()[0].tolist() in ([72], [67])
