"""Measures of an accompaniment that need no listener, by the definitions of the papers cited.

Letters: S steps (sixteenths, a multiple of 32), H half bars, B blocks of two bars, P pitches (128),
N bars or blocks. A track is its planes [2, S, P] (onset, sustain), a band five of them
[5, 2, S, P] in the order of grid.TRACKS. A measure without an answer, such as the consonance of
silence, is nan.
"""

from train.metrics.form import Ending, EndingSettings, ends_together, structure
from train.metrics.harmony import (
    CONSONANCE,
    PITCHED,
    best_triads,
    chord_match,
    consonance,
    consonance_lift,
    tonal_distance,
    used_pitch_classes,
    voice_movement,
)
from train.metrics.rhythm import (
    Blocks,
    by_block,
    drum_pattern,
    empty_bars,
    groove_similarity,
    neighbour_similarity,
    qualified_notes,
    velocity_std,
)
from train.metrics.songs import Drift, confidence_interval, drift

__all__ = [
    "CONSONANCE",
    "PITCHED",
    "Blocks",
    "Drift",
    "Ending",
    "EndingSettings",
    "best_triads",
    "by_block",
    "chord_match",
    "confidence_interval",
    "consonance",
    "consonance_lift",
    "drift",
    "drum_pattern",
    "empty_bars",
    "ends_together",
    "groove_similarity",
    "neighbour_similarity",
    "qualified_notes",
    "structure",
    "tonal_distance",
    "used_pitch_classes",
    "velocity_std",
    "voice_movement",
]
