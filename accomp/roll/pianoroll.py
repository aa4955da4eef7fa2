"""Piano rolls: a Score on the grid, and back; a roll cut into blocks, and back.

Letters: S steps, B blocks, P pitches (128). Planes are (onset, sustain): sustain is 1 wherever a note sounds, its first
step included; onset is 1 on the first step only, so that a note struck again is not lost in a held one.
"""

from dataclasses import dataclass

import numpy as np

from accomp.music.score import Note, Score, Track
from accomp.roll.grid import BLOCK_STEPS, PITCHES, PLANES, TRACKS, Grid


@dataclass
class PianoRoll:
    """planes: [tracks, 2, S, P] uint8 in the order of TRACKS; grid: where the S steps lie in beats."""

    planes: np.ndarray
    grid: Grid

    def __post_init__(self):
        expected = (len(TRACKS), len(PLANES), self.grid.steps, PITCHES)
        assert self.planes.shape == expected, f"{self.planes.shape} is not {expected}"


def from_score(score: Score, grid: Grid) -> PianoRoll:
    """The five tracks of `score` (in the order of TRACKS) on `grid`, each note on its nearest step."""
    assert len(score.tracks) == len(TRACKS), (
        f"a roll has {len(TRACKS)} tracks, the score {len(score.tracks)}"
    )
    return PianoRoll(
        np.stack([to_planes(on_grid(track.notes, grid), grid.steps) for track in score.tracks]),
        grid,
    )


def to_score(roll: PianoRoll, velocity: int = 80) -> Score:
    """The notes of a roll, in the time of its grid, all with one velocity. Notes on steps of no width are left out."""
    tracks = []
    for spec, planes in zip(TRACKS, roll.planes):
        notes = in_beats(from_planes(planes), roll.grid, velocity)
        tracks.append(Track(spec.name, spec.program, spec.name == "drums", notes))
    return Score(tracks)


def on_grid(notes: list[Note], grid: Grid) -> np.ndarray:
    """[notes, 3] int: pitch, first step, end step (exclusive; at least one step long) of the notes that lie on `grid`."""
    if not notes:
        return np.zeros((0, 3), int)
    pitch, onset, duration, _ = np.array(notes, float).T
    start = grid.nearest_step(onset)
    end = np.maximum(grid.nearest_step(onset + duration), start + 1)
    inside = (start < grid.steps) & (onset + duration >= grid.beats[0]) & (onset < grid.beats[-1])
    return np.stack([pitch.astype(int), start, end], axis=1)[inside]


def in_beats(notes: np.ndarray, grid: Grid, velocity: int = 80) -> list[Note]:
    """Opposite of `on_grid`: [notes, 3] steps to Notes in beats; what begins on a step of no width is left out."""
    kept = notes[grid.present[notes[:, 1]]] if len(notes) else notes
    beats = grid.beats
    return [Note(int(p), float(beats[s]), float(beats[e] - beats[s]), velocity) for p, s, e in kept]


def to_planes(notes: np.ndarray, steps: int) -> np.ndarray:
    """[notes, 3] (pitch, start, end) in steps to [2, steps, P] uint8."""
    planes = np.zeros((len(PLANES), steps, PITCHES), np.uint8)
    for pitch, start, end in notes:
        planes[0, start, pitch] = 1
        planes[1, start:end, pitch] = 1
    return planes


def from_planes(planes: np.ndarray) -> np.ndarray:
    """Opposite of `to_planes`: [2, S, P] to [notes, 3], by onset and pitch. A sounding step without onset before it counts
    as struck where it begins; a note ends where its sustain does or where its pitch is struck again.
    """
    onset, sounding = planes[0].astype(bool), planes[1].astype(bool)
    sounding = sounding | onset
    before = np.zeros_like(sounding)
    before[1:] = sounding[:-1]
    struck = onset | (sounding & ~before)
    # A note ends before the next step that is silent or struck again; look it up by scanning backwards once.
    steps = len(struck)
    stops = np.full((steps + 1, PITCHES), steps)
    for step in range(steps - 1, -1, -1):
        stops[step] = np.where(struck[step] | ~sounding[step], step, stops[step + 1])
    start, pitch = np.nonzero(struck)
    return np.stack([pitch, start, stops[start + 1, pitch]], axis=1)


def to_blocks(planes: np.ndarray) -> np.ndarray:
    """[..., 2, S, P] to [..., B, 2, 32, P]."""
    *lead, depth, steps, pitches = planes.shape
    blocks = planes.reshape(*lead, depth, steps // BLOCK_STEPS, BLOCK_STEPS, pitches)
    return np.moveaxis(blocks, -4, -3)


def from_blocks(blocks: np.ndarray) -> np.ndarray:
    """Opposite of `to_blocks`: [..., B, 2, 32, P] to [..., 2, S, P]."""
    *lead, count, depth, _, pitches = blocks.shape
    return np.moveaxis(blocks, -4, -3).reshape(*lead, depth, count * BLOCK_STEPS, pitches)
