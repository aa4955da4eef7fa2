"""Frames become the notes that cost least."""

import numpy as np

from accomp.listen.segment import Segment, cheapest_notes


def cut(pitch, sings, begins=(), price=5.0):
    begin = np.full(len(pitch), price)
    begin[list(begins)] = 0.5
    cost = np.where(sings, -1.0, 1.0)
    return cheapest_notes(np.array(pitch, float), np.where(sings, 1.0, 0.0), cost, begin)


def test_a_pitch_that_is_held_becomes_a_note_and_silence_none():
    sings = np.zeros(60, bool)
    sings[10:40] = True
    assert cut([62.0] * 60, sings) == [Segment(10, 40, 62.0)]
    assert cut([62.0] * 60, np.zeros(60, bool)) == []


def test_another_pitch_begins_a_note_but_a_wavering_one_does_not():
    sings = np.ones(60, bool)
    found = cut([60.0] * 30 + [62.0] * 30, sings)
    assert [note[:2] for note in found] == [(0, 30), (30, 60)]
    wavering = 60 + 0.3 * np.sin(np.arange(60))
    assert len(cut(wavering, sings)) == 1


def test_one_pitch_becomes_two_notes_where_one_seems_to_begin():
    # The second onset pays when leaving out the frame before it, where nobody sings, does.
    sings = np.ones(60, bool)
    sings[29] = False
    assert len(cut([60.0] * 60, sings)) == 1
    assert [note.begin for note in cut([60.0] * 60, sings, begins=[30])] == [0, 30]


def test_the_end_of_one_note_is_not_after_the_beginning_of_the_next():
    rng = np.random.default_rng(0)
    found = cut(60 + rng.integers(0, 12, 400), rng.random(400) < 0.8, price=1.0)
    assert found and all(a.end <= b.begin for a, b in zip(found, found[1:]))
