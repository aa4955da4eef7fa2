"""Keys and registers: transpose every melody to C major or A minor and to one octave.

All decisions look at pitches relative to each other only: a transposed melody gets the same
decisions.
"""

import re
from typing import NamedTuple

import numpy as np

from accomp.checks import check_text, shown
from accomp.errors import MusicError
from accomp.music.key_evidence import key_scores
from accomp.music.score import Note

# Krumhansl & Kessler 1982, probe-tone ratings (Krumhansl 1990, Cognitive Foundations of Musical
# Pitch, p. 30).
MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
MEDIAN_PITCH = 61  # in normal form, the median pitch of a melody lies in the octave from here
NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}  # pitch classes


class Key(NamedTuple):
    """A key.

    Attributes:
        tonic: Pitch class, 0 = C.
        is_minor: Whether it is minor.
    """

    tonic: int
    is_minor: bool

    def __str__(self) -> str:
        name = (MINOR_NAMES if self.is_minor else NAMES)[self.tonic]
        return f"{name} {'minor' if self.is_minor else 'major'}"


KEY_NAMES = "such as C major, F# minor, Bb, Am"


def relative_major(key: Key) -> int:
    """Return the tonic of a major key, or of a minor key's relative major."""
    return (key.tonic + 3 * key.is_minor) % 12


def parse_key(text: str) -> Key:
    """Read a key's name: "C major", "F# minor", "Bb", "am".

    Raises:
        MusicError: The text is not a key's name.
    """
    check_text(text, "the key", KEY_NAMES)
    found = re.fullmatch(r"\s*([A-Ga-g])([#♯b♭]?)\s*(major|minor|maj|min|m|M|)\s*", text)
    if not found:
        raise MusicError(f"{shown(text)!r} is not a key; accepted: {KEY_NAMES}")
    letter, accidental, mode = found.groups()
    sharp, flat = accidental in ("#", "♯"), accidental in ("b", "♭")
    return Key((LETTERS[letter.upper()] + sharp - flat) % 12, mode in ("minor", "min", "m"))


def estimate_key(notes: list[Note]) -> Key:
    """Return the likeliest key of a melody by what it does on each degree (`key_scores`).

    Args:
        notes: At least one.
    """
    return likeliest_key(notes, np.zeros(24))


def likeliest_key(notes: list[Note], prior: np.ndarray) -> Key:
    """Return the likeliest key of a melody of which something else is known.

    Args:
        notes: At least one.
        prior: [24] log probability of each key before its notes are seen: tonic, plus 12 for minor.
    """
    last = max(notes, key=lambda note: (note.onset, -note.pitch)).pitch
    scores = np.round(key_scores(notes) + prior, 6)
    # Rounding and the distance from the last note decide ties alike in every transposition.
    best = max(range(24), key=lambda key: (scores[key], -((last - key) % 12), key < 12))
    return Key(best % 12, best >= 12)


def profile_key(notes: list[Note]) -> Key:
    """Estimate the key by correlation with key profiles (Krumhansl & Schmuckler).

    Networks that learned from keys so estimated take them as input; `estimate_key` is right more
    often. The histogram is the time for which each pitch class sounds.

    Args:
        notes: At least one.
    """
    histogram = np.zeros(12)
    for note in notes:
        # Very long notes count like two bars, zero-length ones a little: neither decides alone.
        histogram[note.pitch % 12] += min(max(note.duration, 0.05), 8.0)
    last = max(notes, key=lambda note: (note.onset, -note.pitch)).pitch
    candidates = []
    for tonic in range(12):
        rotated = np.roll(histogram, -tonic)
        for is_minor, profile in ((False, MAJOR), (True, MINOR)):
            fit = np.corrcoef(rotated, profile)[0, 1] if rotated.std() > 0 else 0.0
            # Rounding and the distance from the last note decide ties alike in every transposition.
            candidates.append(
                (round(float(fit), 9), -((last - tonic) % 12), not is_minor, Key(tonic, is_minor))
            )
    return max(candidates)[-1]


def shift_of(notes: list[Note], key: Key | None = None) -> int:
    """Return the semitones by which a melody lies above its normal form.

    In normal form (pitch - shift) it is in C major or A minor, and its median pitch lies in the
    octave from MEDIAN_PITCH.

    Args:
        notes: At least one.
        key: By default estimated.
    """
    key = key or estimate_key(notes)
    tonic = key.tonic - (9 if key.is_minor else 0)
    pitches = sorted(note.pitch for note in notes)
    median = pitches[(len(pitches) - 1) // 2]
    return median - MEDIAN_PITCH - (median - MEDIAN_PITCH - tonic) % 12


def fold(pitch: int | np.ndarray, low: int, high: int) -> np.ndarray:
    """Move pitches by octaves into low to high."""
    pitch = np.asarray(pitch)
    below, above = np.maximum(low - pitch, 0), np.maximum(pitch - high, 0)
    return pitch + 12 * -(-below // 12) - 12 * -(-above // 12)
