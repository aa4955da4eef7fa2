"""What a band does in each measure, in 160 numbers: the measures of accomp.models.song_vae.

Letters: B blocks, M measures (two a block). Of each of the five tracks in a measure: whether it plays, on which of 16 steps it
strikes, which pitch classes sound (in the normal key; of drums, which pieces are struck), how densely it strikes, how high it
is and how loud. The first 145 are bits, the last 15 numbers about 0.
"""

import numpy as np

from accomp.models.note_features import drum_kind
from accomp.roll.grid import BAR_STEPS, DRUMS, MELODY, PITCHES, TRACKS

COUNT = len(TRACKS)
PLAYERS = tuple(track for track in range(COUNT) if track != MELODY)
KINDS = 12  # pitch classes, or pieces of the kit
BITS = COUNT * (1 + BAR_STEPS + KINDS)
NUMBERS = ("density", "register", "loudness")
SIZE = BITS + len(NUMBERS) * COUNT
LOUDNESS_UNIT = 6.0  # velocity
REGISTER_UNIT = 12.0  # semitones
MOST = 3.0  # numbers farther from 0 count as this
# Which piece each key of a kit is: [128, KINDS].
_PIECES = np.eye(KINDS, dtype=np.uint8)[drum_kind(np.arange(PITCHES))]
_CLASSES = np.eye(KINDS, dtype=np.uint8)[np.arange(PITCHES) % KINDS]


def describe_band(blocks: np.ndarray, velocity: np.ndarray | None = None) -> np.ndarray:
    """[M, SIZE] float32 of a band's blocks [5, B, 2, 32, 128]; velocity: [5, M] mean of the notes struck, nan where there are
    none; without it nothing is louder than anything else.
    """
    measures = np.moveaxis(blocks, 2, 1).reshape(COUNT, 2, -1, BAR_STEPS, PITCHES)
    struck, sounding = measures[:, 0], measures[:, 1]
    plays = sounding.any((2, 3))
    kinds = np.stack(
        [
            (struck if t == DRUMS else sounding)[t].any(1) @ (_PIECES if t == DRUMS else _CLASSES)
            > 0
            for t in range(COUNT)
        ]
    )
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
    """[M, SIZE] float32 of which only LEAD means something, of melody blocks [B, 2, 32, 128] in the normal key."""
    band = np.zeros((COUNT, *blocks.shape), np.uint8)
    band[MELODY] = blocks
    return describe_band(band)


def pack(bits: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """[M, SIZE] of bits [5, M, 29] and numbers [5, M, 3]."""
    parts = [np.moveaxis(part, 0, -2).reshape(bits.shape[1], -1) for part in (bits, numbers)]
    return np.concatenate(parts, 1).astype(np.float32)


def unpack(measures: np.ndarray) -> dict[str, np.ndarray]:
    """Of measures [..., SIZE]: `plays` [..., 5], `rhythm` [..., 5, 16], `kinds` [..., 5, 12], and NUMBERS [..., 5] each; density
    in notes a measure.
    """
    bits = measures[..., :BITS].reshape(*measures.shape[:-1], COUNT, -1)
    numbers = measures[..., BITS:].reshape(*measures.shape[:-1], COUNT, -1)
    found = {
        "plays": bits[..., 0],
        "rhythm": bits[..., 1 : 1 + BAR_STEPS],
        "kinds": bits[..., 1 + BAR_STEPS :],
    }
    found |= {name: numbers[..., i] for i, name in enumerate(NUMBERS)}
    return found | {"density": np.maximum(2 ** (2 * (found["density"] + 1)) - 1, 0)}


def columns(track: int) -> np.ndarray:
    """[SIZE] bool: which of a measure's numbers are about a track."""
    bits, numbers = np.zeros((COUNT, BITS // COUNT), bool), np.zeros((COUNT, len(NUMBERS)), bool)
    bits[track] = numbers[track] = True
    return np.concatenate([bits.ravel(), numbers.ravel()])


# What blocks of the melody tell of a measure; how loud it is they don't.
LEAD = np.flatnonzero(columns(MELODY))[:-1].tolist()


def _about_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Values [5, M] minus each row's weighted mean; 0 where the weight is."""
    weights = weights.astype(np.float32)
    mean = (values * weights).sum(1, keepdims=True) / np.maximum(weights.sum(1, keepdims=True), 1)
    return ((values - mean) * (weights > 0)).astype(np.float32)
