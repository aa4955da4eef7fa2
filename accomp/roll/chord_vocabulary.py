"""The chords that a plan is made of: twelve roots, sixteen qualities and any bass.

A class is an int: 12 * quality + root. What people write beyond these qualities is read as the
nearest of them, by its tones.
"""

import numpy as np

from accomp.music.chord_qualities import QUALITIES
from accomp.music.chord_symbols import ChordSymbol

# Names of accomp.music.chord_qualities. They are the chords of lead sheets: the others together
# are less than three in a hundred.
PLANNED = (
    *("", "6", "maj7", "7", "9", "7b9", "aug", "aug7"),
    *("m", "m6", "m7", "m7b5", "dim", "dim7", "sus4", "7sus4"),
)
CLASS_COUNT = 12 * len(PLANNED)
DOMINANTS = tuple(PLANNED.index(name) for name in ("7", "9", "7b9", "aug7", "7sus4"))
ALTERED = tuple(PLANNED.index(name) for name in ("7b9", "aug7"))  # of the dominants
# [C, 12] bool: basses, in semitones above the root, that deny a class: the third that it has not.
DENYING = np.array(
    [
        [
            {3: 4, 4: 3}.get(bass) in QUALITIES[name] and bass not in QUALITIES[name]
            for bass in range(12)
        ]
        for name in PLANNED
        for _ in range(12)
    ]
)


def class_of(symbol: ChordSymbol) -> int:
    """Return the class of a chord symbol."""
    return 12 * PLANNED.index(nearest_quality(QUALITIES[symbol.quality])) + symbol.root


def symbol_of(chord: int, bass: int = 0) -> ChordSymbol:
    """Return the symbol of a class; `bass` is in semitones above the root."""
    root = int(chord) % 12
    return ChordSymbol(
        root, PLANNED[int(chord) // 12], None if bass % 12 == 0 else (root + int(bass)) % 12
    )


def bass_interval(symbol: ChordSymbol) -> int:
    """Return how many semitones a chord's bass lies above its root, 0 to 11."""
    return 0 if symbol.bass is None else (symbol.bass - symbol.root) % 12


def nearest_quality(tones: tuple[int, ...]) -> str:
    """Return the planned quality that is nearest to a chord's tones.

    Args:
        tones: Semitones above the root, in any order.
    """
    found = set(tones)
    if 4 in found:
        return _major(found)
    if 3 in found:
        return _minor(found)
    if 5 in found:
        return "7sus4" if 10 in found else "sus4"
    return "7" if 10 in found else ""


def _major(tones: set[int]) -> str:
    raised = 8 in tones and 7 not in tones
    if 10 in tones:
        altered = {1, 3} & tones
        return "aug7" if raised else "7b9" if altered else "9" if 2 in tones else "7"
    if raised:
        return "aug"
    return "maj7" if 11 in tones else "6" if 9 in tones else ""


def _minor(tones: set[int]) -> str:
    if 6 in tones and 7 not in tones:
        return "m7b5" if 10 in tones else "dim7" if 9 in tones else "dim"
    return "m7" if 10 in tones else "m6" if 9 in tones and 11 not in tones else "m"


# [CLASS_COUNT] the triad of accomp.roll.chord_plan of each class, and [CLASS_COUNT, 12] its tones.
CLASS_TRIADS = np.array([symbol_of(chord).triad for chord in range(CLASS_COUNT)])
CLASS_TONES = np.zeros((CLASS_COUNT, 12), np.float32)
for _chord in range(CLASS_COUNT):
    CLASS_TONES[_chord, list(symbol_of(_chord).tones)] = 1


def transpose_classes(classes: np.ndarray, semitones: int) -> np.ndarray:
    """Move classes by `semitones`; negative ones, which stand for no chord, stay."""
    moved = classes // 12 * 12 + (classes + semitones) % 12
    return np.where(classes < 0, classes, moved)
