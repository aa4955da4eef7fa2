from accomp.music.score import Note, Track
from accomp.roll.grid import BASS, GUITAR, STRINGS
from accomp.roll.players import (
    Player,
    PlayerSettings,
    section,
    share_out,
    spans,
    taking_turns,
    voices,
)


def track(program: int, *chords: tuple[int, ...], length: float = 1.0, start: float = 0) -> Track:
    """Return a track that plays chords one after another, 16 times over."""
    notes = [
        Note(pitch, start + length * (turn * len(chords) + i), length, 80)
        for turn in range(16)
        for i, chord in enumerate(chords)
        for pitch in chord
    ]
    return Track("", program, False, notes)


def pitches(notes: list[Note]) -> set[int]:
    return {note.pitch for note in notes}


STRINGS_CHORDS = track(48, (60, 64, 67), length=4.0)
BRASS_STABS = track(61, (62, 65), length=0.5)
PIANO = track(0, (40, 60, 64, 67), length=2.0)
STRUMMED, LEAD = track(25, (55, 59, 62), length=2.0), track(30, (70,), (72,), length=1.0)
BASS_LINE = track(33, (36,), (43,), length=1.0)


def test_voices_counts_what_sounds_together_while_anything_does():
    assert voices(track(0, (60, 64)).notes) == 2.0
    apart = [Note(60, 0.0, 1.0, 80), Note(64, 0.5, 1.0, 80), Note(67, 8.0, 1.0, 80)]
    assert voices(apart) == 3.0 / 2.5
    assert voices([Note(60, 0.0, 0.0, 80)]) == 1.0  # files have notes of no length


def test_spans_are_those_in_which_notes_sound():
    assert spans([Note(60, 3.0, 1.0, 80), Note(60, 11.0, 2.0, 80)]) == {0, 2, 3}


def test_strings_are_held_by_those_who_hold():
    found = share_out([BRASS_STABS, STRINGS_CHORDS])
    assert pitches(found.notes[STRINGS]) == {60, 64, 67} and found.programs[STRINGS] == 48
    assert pitches(found.others) == {62, 65}  # what brass stabs still counts for the chords
    assert not share_out([BRASS_STABS]).notes[STRINGS]
    assert share_out([track(61, (62, 65), length=2.0)]).notes[STRINGS]  # brass that holds chords


def test_strings_that_double_the_bass_play_no_strings_part():
    low = track(48, (36,), (43,), length=1.0)
    found = share_out([BASS_LINE, low])
    assert not found.notes[STRINGS] and pitches(found.notes[BASS]) == {36, 43}


def test_a_section_takes_in_those_who_fit():
    players = [Player.of(each) for each in (STRINGS_CHORDS, track(40, (72,), length=4.0))]
    full = Player.of(track(52, (55, 58, 62, 65), length=4.0))
    assert pitches(section(players, 4.0)) == {60, 64, 67, 72}
    assert pitches(section([*players, full], 4.0)) == {60, 64, 67, 72}
    assert pitches(section([players[0], players[0]], 4.0)) == {60, 64, 67}  # doubled is not more


def test_the_guitar_is_one_player_who_comps_rather_than_leads():
    found = share_out([LEAD, STRUMMED, PIANO])
    assert pitches(found.notes[GUITAR]) == {55, 59, 62} and found.programs[GUITAR] == 25
    assert {70, 72, 60} <= pitches(found.others)


def test_another_guitar_plays_where_the_first_rests():
    late = track(25, (50, 57), length=2.0, start=64.0)
    first = Player.of(STRUMMED)  # 32 beats
    assert taking_turns([first, Player.of(late)]) == STRUMMED.notes + late.notes
    assert taking_turns([first, first]) == STRUMMED.notes


def test_a_piano_comps_as_a_guitar_can_where_there_is_none():
    found = share_out([PIANO])
    assert pitches(found.notes[GUITAR]) == {60, 64, 67}  # without the left hand
    assert found.programs[GUITAR] == 0
    wide = share_out([track(0, (50, 55, 60, 64, 67, 71, 76), length=2.0)])
    assert pitches(wide.notes[GUITAR]) == {60, 64, 67, 71, 76}
    few = Track("", 25, False, STRUMMED.notes[:3])
    assert share_out([few, PIANO]).programs[GUITAR] == 0
    assert share_out([few, PIANO], PlayerSettings(least_guitar=0.05)).programs[GUITAR] == 25


def test_another_low_line_plays_the_bass_where_there_is_none():
    tuba = track(58, (38,), (45,))
    assert pitches(share_out([tuba, STRUMMED]).notes[BASS]) == {38, 45}
    assert pitches(share_out([tuba, BASS_LINE]).notes[BASS]) == {36, 43}
    assert not share_out([PIANO]).notes[BASS]
