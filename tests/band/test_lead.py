"""The lead knows where its melody changes the key."""

import numpy as np

from accomp.band.intro import make_room
from accomp.band.lead import Lead
from accomp.music.keys import Key
from accomp.music.score import Note, Score, Track
from tests.music.test_key_sections import song


def modulating() -> Score:
    return Score([Track("melody", notes=song(0, 0, 2, 2)[0])])


def test_a_melody_that_modulates_has_moved_and_level_parts():
    lead = Lead.of(modulating())
    assert [section.key.tonic for section in lead.sections] == [0, 2]
    above = lead.moved - lead.moved[0]
    at = int(np.flatnonzero(above)[0])
    assert abs(lead.grid.half_bar_beats[at] - 64) <= 4
    assert above[:at].tolist() == [0] * at and set(above[at:].tolist()) == {2}
    assert lead.moved[0] == {0: 0, 2: -2}[lead.key.tonic]
    level = [note.pitch + int(lead.moved[0]) for note in lead.level_line]
    original = [note.pitch for note in song(0, 0, 0, 0)[0]]
    assert sum(a != b for a, b in zip(level, original)) <= 6  # those of the bar of the change


def test_sections_move_with_an_introduction():
    score = modulating()
    lead = Lead.of(score)
    _, later = make_room(score, lead, "bars")
    assert [b.onset - a.onset for a, b in zip(lead.sections, later.sections)] == [8.0, 8.0]
    assert later.moved[-1] - later.moved[0] == 2


def test_a_given_key_is_taken_as_it_is():
    lead = Lead.of(modulating(), key="D major")
    assert lead.key == Key(2, False) and not lead.moved.any() and lead.level_line == lead.line


def test_a_band_ends_where_the_chord_changes_though_the_last_note_is_short():
    def ending(*lengths: float) -> tuple[int, int]:
        onsets = np.cumsum([0.0, *lengths[:-1]])
        notes = [Note(67, float(at), length, 80) for at, length in zip(onsets, lengths)]
        lead = Lead.of(Score([Track("melody", notes=notes)]))
        return lead.final_step, lead.final_end

    assert ending(4.0, 4.0, 4.0) == (32, 48)
    assert ending(4.0, 4.0, 0.75) == (32, 36)  # it rings for a beat
    assert ending(4.0, 3.5, 0.5) == (24, 32)  # off the half bar: before the last note
    assert ending(4.0, 3.95, 0.05) == (24, 32)  # nearest to the step on which the song ends
