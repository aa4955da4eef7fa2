import numpy as np
import pypianoroll
from hypothesis import given, settings
from hypothesis import strategies as st

from accomp.music.score import Note, Score, TimeSignature
from accomp.roll import pianoroll
from accomp.roll.grid import Grid

LOPSIDED = np.array([[60, 0, 3], [60, 3, 4], [67, 2, 11], [61, 9, 32], [36, 31, 64]])


def test_planes_keep_a_note_struck_again():
    planes = pianoroll.to_planes(LOPSIDED, 64)
    assert planes[0].sum() == 5 and planes[1, :, 60].sum() == 4
    assert sorted(map(tuple, pianoroll.from_planes(planes))) == sorted(map(tuple, LOPSIDED))


@given(
    st.lists(st.tuples(st.integers(0, 127), st.integers(0, 60), st.integers(1, 30)), max_size=40)
)
@settings(max_examples=60, deadline=None)
def test_planes_and_notes_undo_each_other(raw):
    # One note at a time for each pitch, as on an instrument.
    notes, free = [], {}
    for pitch, start, length in sorted(raw, key=lambda r: r[1]):
        if start >= free.get(pitch, 0):
            free[pitch] = min(start + length, 64)
            notes.append((pitch, start, free[pitch]))
    planes = pianoroll.to_planes(np.array(notes, int).reshape(-1, 3), 64)
    assert sorted(map(tuple, pianoroll.from_planes(planes))) == sorted(notes)


def test_a_sustain_without_onset_is_struck_where_it_begins():
    planes = np.zeros((2, 32, 128), np.uint8)
    planes[1, 5:9, 50] = 1
    assert pianoroll.from_planes(planes).tolist() == [[50, 5, 9]]


def test_blocks_undo_each_other_and_keep_order():
    planes = pianoroll.to_planes(LOPSIDED, 64)
    blocks = pianoroll.to_blocks(planes)
    assert (
        blocks.shape == (2, 2, 32, 128) and blocks[1, 1, 0, 36] == 1 and blocks[0, 0, 31, 36] == 1
    )
    assert (pianoroll.from_blocks(blocks) == planes).all()
    five = np.stack([planes] * 5)
    assert (pianoroll.from_blocks(pianoroll.to_blocks(five)) == five).all()


def grid_of(steps: int) -> Grid:
    return Grid.of(Score(), 0, steps / 4)


def notes_of(rows) -> list[Note]:
    return [Note(pitch, start / 4, (end - start) / 4, 80) for pitch, start, end in rows]


def test_notes_planes_and_blocks_undo_each_other():
    notes, grid = notes_of(LOPSIDED), grid_of(64)
    rows = pianoroll.on_grid(notes, grid)
    assert rows.tolist() == LOPSIDED.tolist()
    planes = pianoroll.from_blocks(pianoroll.to_blocks(pianoroll.to_planes(rows, grid.steps)))
    back = pianoroll.in_beats(pianoroll.from_planes(planes), grid)
    assert sorted(back) == sorted(notes)


def test_rounding_is_to_the_nearest_step():
    grid = grid_of(32)
    rows = pianoroll.on_grid([Note(60, 0.99, 0.2, 80), Note(62, 2.13, 0.01, 80)], grid)
    assert rows.tolist() == [[60, 4, 5], [62, 9, 10]]
    planes = pianoroll.to_planes(rows, grid.steps)
    assert pianoroll.from_planes(planes).tolist() == rows.tolist()


def test_notes_outside_of_the_grid_are_left_out():
    score = Score()
    grid = Grid.of(score, 8, 12)
    inside = Note(60, 8.0, 1.0, 80)
    assert pianoroll.on_grid(
        [Note(60, 6.0, 1.0, 80), inside, Note(60, 99.0, 1.0, 80)], grid
    ).tolist() == [[60, 0, 4]]
    assert pianoroll.on_grid([], grid).shape == (0, 3)


def test_notes_on_missing_steps_are_left_out():
    grid = Grid.of(Score(meters=[TimeSignature(0, 3, 4)]), 0, 6)
    notes = pianoroll.in_beats(np.array([[60, 10, 16], [62, 13, 16], [64, 12, 20]]), grid)
    assert [(n.pitch, n.onset, n.duration) for n in notes] == [(60, 2.5, 0.5)]


def test_sustain_plane_agrees_with_pypianoroll(tmp_path):
    grid = grid_of(64)
    planes = pianoroll.to_planes(pianoroll.on_grid(notes_of(LOPSIDED), grid), grid.steps)
    track = pypianoroll.BinaryTrack(pianoroll=planes[1].astype(bool))
    multitrack = pypianoroll.Multitrack(resolution=4, tracks=[track])
    multitrack.save(tmp_path / "roll.npz")
    again = pypianoroll.load(tmp_path / "roll.npz").tracks[0].pianoroll
    assert (again == planes[1].astype(bool)).all() and again.sum() == 4 + 9 + 23 + 33
