"""What the feel network takes as input of each note of a track.

Notes are [n, 3] int arrays of pitch, first step and end step. The constants scale the inputs: the
weights that ship were trained with them.
"""

import numpy as np

from accomp.models.swing import MelodyTiming
from accomp.music.percussion import KINDS, keys_of
from accomp.roll.grid import BAR_STEPS, DRUMS, TRACKS

PHRASE_BARS = 8
LONG = 32  # steps; longer notes and gaps are like this one
NEAR = BAR_STEPS / 2  # steps; standard deviation of the window of the melody's local loudness
LOUDNESS_UNIT = 16.0  # velocity
FEATURES = BAR_STEPS + PHRASE_BARS + len(TRACKS) + len(KINDS) + 1 + 9


def note_features(notes: np.ndarray, track: int, melody: MelodyTiming) -> np.ndarray:
    """Describe the notes of a track for the feel network.

    Args:
        notes: [n, 3], sorted by step and pitch, at least one.
        track: Index in TRACKS.
        melody: On the same grid.

    Returns:
        [n, FEATURES] float32: place in the bar and in the phrase, instrument, kind of drum, and
        numbers (register, notes struck together, lowest, highest, gaps before and after, length,
        loudness of the melody around, whether the melody strikes too).
    """
    pitch, step, end = notes.T
    steps, strike, together = np.unique(step, return_inverse=True, return_counts=True)
    gap = np.diff(steps, prepend=steps[0] - LONG, append=steps[-1] + LONG)
    lowest, highest = np.append(True, np.diff(strike) > 0), np.append(np.diff(strike) > 0, True)
    kinds = np.zeros((len(notes), len(KINDS) + 1))
    if track == DRUMS:
        kinds[np.arange(len(notes)), drum_kind(pitch)] = 1
    register = np.zeros(len(notes)) if track == DRUMS else (pitch - np.median(pitch)) / 12
    columns = [
        np.clip(register, -2, 2),
        np.log2(together[strike]) / 2,
        lowest,
        highest,
        _length(gap[:-1])[strike],
        _length(gap[1:])[strike],
        _length(end - step),
        local_loudness(melody, steps)[strike],
        np.isin(steps, melody.step)[strike],
    ]
    places = (
        np.eye(BAR_STEPS)[step % BAR_STEPS],
        np.eye(PHRASE_BARS)[step // BAR_STEPS % PHRASE_BARS],
    )
    instrument = np.eye(len(TRACKS))[np.full(len(notes), track)]
    return np.concatenate([*places, instrument, kinds, np.stack(columns, 1)], 1).astype(np.float32)


def with_genre(rows: np.ndarray, genre: int, genres: int) -> np.ndarray:
    """Append a genre, one-hot, to features [n, FEATURES]; none if it is `genres`."""
    one_hot = np.zeros((len(rows), genres), np.float32)
    one_hot[:, genre : genre + 1] = 1
    return np.concatenate([rows, one_hot], 1)


def drum_kind(pitches: np.ndarray) -> np.ndarray:
    """Return the index in KINDS of percussion keys [n]; len(KINDS) for others."""
    by_pitch = np.full(128, len(KINDS))
    for index, kind in enumerate(KINDS):
        by_pitch[list(keys_of(kind))] = index
    return by_pitch[pitches]


def local_loudness(melody: MelodyTiming, steps: np.ndarray) -> np.ndarray:
    """Return how much louder than on average the melody is around steps.

    That is the mean velocity of the notes in a Gaussian window, and 0 where the melody has long
    been silent.

    Args:
        melody: On the same grid.
        steps: [n] rising.

    Returns:
        [n] in LOUDNESS_UNIT.
    """
    if not len(melody.step):
        return np.zeros(len(steps))
    first = min(int(steps[0]), int(melody.step.min()))
    length = max(int(steps[-1]), int(melody.step.max())) - first + 1
    louder = np.bincount(melody.step - first, melody.velocity - melody.velocity.mean(), length)
    count = np.bincount(melody.step - first, minlength=length).astype(float)
    reach = int(3 * NEAR)
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / NEAR) ** 2)
    louder, count = (np.convolve(part, window)[reach : reach + length] for part in (louder, count))
    # A single far note says little.
    return np.clip(louder / (count + 0.5) / LOUDNESS_UNIT, -2, 2)[steps - first]


def _length(steps: np.ndarray) -> np.ndarray:
    return np.log2(1 + np.minimum(steps, LONG)) / np.log2(1 + LONG)
