"""Piano rolls: notes on a grid, planes, blocks of planes, and back.

    Note in beats --on_grid--> notes in steps --to_planes--> planes --to_blocks--> blocks
    Note in beats <--in_beats- notes in steps <-from_planes- planes <-from_blocks- blocks

Letters: S steps, B blocks, P pitches (128). Notes in steps are [notes, 3] int: pitch, first step,
end step (exclusive). Planes are (onset, sustain): sustain is 1 wherever a note sounds, its first
step included; onset is 1 on the first step only, so that a note struck again is not lost in a held
one.
"""

import numpy as np

from accomp.music.score import Note
from accomp.roll.grid import BLOCK_STEPS, PITCHES, PLANES, Grid


def on_grid(notes: list[Note], grid: Grid) -> np.ndarray:
    """Round notes to the nearest steps; those outside of the grid are left out.

    Returns:
        [notes, 3] int notes in steps, each at least one step long.
    """
    if not notes:
        return np.zeros((0, 3), int)
    pitch, onset, duration, _ = np.array(notes, float).T
    start = grid.nearest_step(onset)
    end = np.maximum(grid.nearest_step(onset + duration), start + 1)
    inside = (start < grid.steps) & (onset + duration >= grid.beats[0]) & (onset < grid.beats[-1])
    return np.stack([pitch.astype(int), start, end], axis=1)[inside]


def in_beats(notes: np.ndarray, grid: Grid, velocity: int = 80) -> list[Note]:
    """Return notes in steps as Notes in beats, the opposite of `on_grid`.

    Notes that begin on a step of no width are left out.

    Args:
        notes: [notes, 3] int notes in steps.
        grid: Where the steps lie.
        velocity: Of all notes.
    """
    kept = notes[grid.present[notes[:, 1]]] if len(notes) else notes
    beats = grid.beats
    return [Note(int(p), float(beats[s]), float(beats[e] - beats[s]), velocity) for p, s, e in kept]


def to_planes(notes: np.ndarray, steps: int) -> np.ndarray:
    """Draw [notes, 3] notes in steps into planes [2, steps, P] uint8."""
    planes = np.zeros((len(PLANES), steps, PITCHES), np.uint8)
    for pitch, start, end in notes:
        planes[0, start, pitch] = 1
        planes[1, start:end, pitch] = 1
    return planes


def from_planes(planes: np.ndarray) -> np.ndarray:
    """Read the notes of planes, the opposite of `to_planes`.

    A sounding step without an onset before it counts as struck where it begins. A note ends where
    its sustain does or where its pitch is struck again.

    Args:
        planes: [2, S, P].

    Returns:
        [notes, 3] int notes in steps, by onset and pitch.
    """
    onset, sounding = planes[0].astype(bool), planes[1].astype(bool)
    sounding = sounding | onset
    before = np.zeros_like(sounding)
    before[1:] = sounding[:-1]
    struck = onset | (sounding & ~before)
    # A note ends before the next step that is silent or struck again: one scan backwards finds it.
    steps = len(struck)
    stops = np.full((steps + 1, PITCHES), steps)
    for step in range(steps - 1, -1, -1):
        stops[step] = np.where(struck[step] | ~sounding[step], step, stops[step + 1])
    start, pitch = np.nonzero(struck)
    return np.stack([pitch, start, stops[start + 1, pitch]], axis=1)


def to_blocks(planes: np.ndarray) -> np.ndarray:
    """Cut planes [..., 2, S, P] into blocks [..., B, 2, 32, P]."""
    *lead, depth, steps, pitches = planes.shape
    blocks = planes.reshape(*lead, depth, steps // BLOCK_STEPS, BLOCK_STEPS, pitches)
    return np.moveaxis(blocks, -4, -3)


def from_blocks(blocks: np.ndarray) -> np.ndarray:
    """Join blocks [..., B, 2, 32, P] to planes [..., 2, S, P]."""
    *lead, count, depth, _, pitches = blocks.shape
    return np.moveaxis(blocks, -4, -3).reshape(*lead, depth, count * BLOCK_STEPS, pitches)
