"""Reduce a song to its five parts as the models see them, and keep how each note was played."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from accomp.music.score import Note, Score
from accomp.roll import parts, pianoroll
from accomp.roll.grid import DRUMS, STEPS_PER_BEAT, TRACKS, Grid
from accomp.roll.parts import normal_pitches
from train.data.corpus import NOTE
from train.data.part_figures import figures_of


@dataclass
class Parts:
    """A song of S steps and H half bars.

    Attributes:
        planes: [5, 2, S, 128] uint8, in the melody's normal key and register.
        plan: [H] the chords that the song plays.
        notes: [n] NOTE: what the planes hold, with how it was played.
        programs: General MIDI programs by track.
        even: Share of the song's beats whose four steps are sixteenths; those of compound meters
            are not.
        meters: [blocks] int, of METERS.
        figures: What the parts and the tracks of their instruments play (train.data.part_figures).
    """

    planes: np.ndarray
    plan: np.ndarray
    notes: np.ndarray
    programs: dict[int, int]
    even: float
    meters: np.ndarray
    figures: dict[tuple[str, str], Counter[str]]


def played_parts(score: Score, chord_markers: bool = False) -> Parts:
    """Reduce a score as `accomp.roll.parts.normal_parts` does, and keep how its notes were played.

    chord_markers: take the chords from the score's markers.
    """
    normal = parts.normal_parts(score, chord_markers)
    grid = normal.grid
    notes = np.concatenate(
        [
            _played_notes(normal.notes[track], track, normal.shift, grid)
            for track in range(len(TRACKS))
        ]
    )
    widths = np.diff(grid.beats).reshape(-1, STEPS_PER_BEAT)
    even = np.isclose(widths, 1 / STEPS_PER_BEAT).all(1).sum()
    share = float(even / max((widths > 0).any(1).sum(), 1))
    figures = figures_of(score, normal.notes, grid)
    return Parts(normal.planes, normal.plan, notes, normal.programs, share, grid.meters, figures)


def _played_notes(notes: list[Note], track: int, shift: int, grid: Grid) -> np.ndarray:
    """Return a track's notes by step and pitch, [n] NOTE; of a pitch struck twice the louder."""
    # The number of each note goes through the grid in the place of its pitch, and tells which of
    # them lie on it.
    index, step, end = pianoroll.on_grid([(i, *note[1:]) for i, note in enumerate(notes)], grid).T
    pitch, onset, _, velocity = np.array(notes, float).reshape(-1, 4)[index].T
    table = np.zeros(len(index), NOTE)
    table["track"], table["step"], table["velocity"] = track, step, velocity
    pitch = normal_pitches(pitch.astype(int), track, shift)
    table["pitch"] = np.maximum(pitch, 0)
    longest = np.iinfo(NOTE["duration"]).max
    table["duration"] = 1 if track == DRUMS else np.minimum(end - step, longest)
    table["offset"] = (onset - grid.beats[step]) * STEPS_PER_BEAT
    table = table[pitch >= 0]
    table = table[np.lexsort((-table["velocity"].astype(int), table["pitch"], table["step"]))]
    again = (np.diff(table["step"].astype(int)) == 0) & (np.diff(table["pitch"].astype(int)) == 0)
    return table[np.append(True, ~again)[: len(table)]]
