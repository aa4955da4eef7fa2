"""What a band does in each measure, in 160 numbers, for the song VAE.

Letters: B blocks, M measures (two a block).
Of each of the five tracks in a measure: whether it plays, on which of 16 steps it strikes, which
pitch classes sound (in the normal key; of drums, which pieces are struck), how densely it strikes,
how high it is and how loud. The first 145 are bits, the last 15 numbers about 0.
"""

import numpy as np

from accomp.models.note_features import drum_kind
from accomp.roll.grid import BAR_STEPS, DRUMS, MELODY, PITCHES, TRACKS

TRACK_COUNT = len(TRACKS)
PLAYERS = tuple(track for track in range(TRACK_COUNT) if track != MELODY)
KIND_COUNT = 12  # pitch classes, or pieces of the drum kit
BITS = TRACK_COUNT * (1 + BAR_STEPS + KIND_COUNT)
NUMBERS = ("density", "register", "loudness")
SIZE = BITS + len(NUMBERS) * TRACK_COUNT
LOUDNESS_UNIT = 6.0  # velocity
REGISTER_UNIT = 12.0  # semitones
MOST = 3.0  # numbers farther from 0 count as this
# [128, KIND_COUNT] which piece of the kit each percussion key is, and which class each pitch.
_PIECES = np.eye(KIND_COUNT, dtype=np.uint8)[drum_kind(np.arange(PITCHES))]
_CLASSES = np.eye(KIND_COUNT, dtype=np.uint8)[np.arange(PITCHES) % KIND_COUNT]


def describe_band(blocks: np.ndarray, velocity: np.ndarray | None = None) -> np.ndarray:
    """Describe the measures of a band.

    Args:
        blocks: [5, B, 2, 32, 128].
        velocity: [5, M] mean of the notes struck, NaN where there are none; without it nothing is
            louder than anything else.

    Returns:
        [M, SIZE] float32.
    """
    measures = np.moveaxis(blocks, 2, 1).reshape(TRACK_COUNT, 2, -1, BAR_STEPS, PITCHES)
    struck, sounding = measures[:, 0], measures[:, 1]
    plays = np.any(sounding, axis=(2, 3))
    tables = [_PIECES if track == DRUMS else _CLASSES for track in range(TRACK_COUNT)]
    rolls = [struck[track] if track == DRUMS else sounding[track] for track in range(TRACK_COUNT)]
    kinds = np.stack([roll.any(1) @ table > 0 for roll, table in zip(rolls, tables)])
    notes = struck.sum((2, 3), dtype=np.float32)
    height = (struck.sum(2, dtype=np.float32) @ np.arange(PITCHES)) / np.maximum(notes, 1)
    register = _about_mean(height, notes) / REGISTER_UNIT
    register[DRUMS] = 0
    loud = (
        np.zeros_like(notes)
        if velocity is None
        else _about_mean(np.nan_to_num(velocity), ~np.isnan(velocity)) / LOUDNESS_UNIT
    )
    numbers = np.clip([np.log2(1 + notes) / 2 - 1, register, loud], -MOST, MOST)
    return pack(
        np.concatenate([plays[..., None], struck.any(3), kinds], 2), np.moveaxis(numbers, 0, 2)
    )


def describe_melody(blocks: np.ndarray) -> np.ndarray:
    """Describe the measures of a melody alone.

    Args:
        blocks: [B, 2, 32, 128] in the normal key.

    Returns:
        [M, SIZE] float32, of which only the columns LEAD mean something.
    """
    band = np.zeros((TRACK_COUNT, *blocks.shape), np.uint8)
    band[MELODY] = blocks
    return describe_band(band)


def pack(bits: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Join bits [5, M, 29] and numbers [5, M, 3] to measures [M, SIZE]."""
    parts = [np.moveaxis(part, 0, -2).reshape(bits.shape[1], -1) for part in (bits, numbers)]
    return np.concatenate(parts, 1).astype(np.float32)


def unpack(measures: np.ndarray) -> dict[str, np.ndarray]:
    """Take measures [..., SIZE] apart.

    Returns:
        "plays" [..., 5], "rhythm" [..., 5, 16], "kinds" [..., 5, 12], and NUMBERS [..., 5] each;
        density in notes a measure.
    """
    bits = measures[..., :BITS].reshape(*measures.shape[:-1], TRACK_COUNT, -1)
    numbers = measures[..., BITS:].reshape(*measures.shape[:-1], TRACK_COUNT, -1)
    found = {
        "plays": bits[..., 0],
        "rhythm": bits[..., 1 : 1 + BAR_STEPS],
        "kinds": bits[..., 1 + BAR_STEPS :],
    }
    found |= {name: numbers[..., i] for i, name in enumerate(NUMBERS)}
    return found | {"density": np.maximum(2 ** (2 * (found["density"] + 1)) - 1, 0)}


def columns(track: int) -> np.ndarray:
    """Tell which of a measure's numbers are about a track, [SIZE] bool."""
    bits, numbers = (
        np.zeros((TRACK_COUNT, BITS // TRACK_COUNT), bool),
        np.zeros((TRACK_COUNT, len(NUMBERS)), bool),
    )
    bits[track] = numbers[track] = True
    return np.concatenate([bits.ravel(), numbers.ravel()])


# The numbers that blocks of the melody tell of a measure: all of its own but how loud it is.
LEAD = np.flatnonzero(columns(MELODY))[:-1].tolist()


def _about_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return values [5, M] minus each row's weighted mean; 0 where the weight is 0."""
    weights = weights.astype(np.float32)
    mean = (values * weights).sum(1, keepdims=True) / np.maximum(weights.sum(1, keepdims=True), 1)
    return ((values - mean) * (weights > 0)).astype(np.float32)
