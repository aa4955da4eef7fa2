"""Name chords by their tones: the block chords of a lead sheet, and what a band plays.

Block chords have the sheet's very tones, so that the full symbol can be read from them, but for
those that share their tones (C6 and Am7): all are readings. What a band plays is recognised by
templates, since it has passing notes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from accomp.music.chord_qualities import QUALITIES
from accomp.music.chord_symbols import ChordSymbol
from train.metrics.chord_places import Readings

# Qualities in which tones are read, the likelier ones first.
READ = (
    "",
    "m",
    "7",
    "m7",
    "maj7",
    "6",
    "m7b5",
    "m6",
    "dim7",
    "dim",
    "aug",
    "7sus4",
    "sus4",
    "sus2",
    "aug7",
    "7b5",
    "m(maj7)",
    "9",
    "m9",
    "maj9",
    "7b9",
    "add9",
    "69",
    "5",
)
HEARD = ("", "m", "7", "m7", "maj7", "m7b5", "dim", "aug", "sus4", "7sus4")


@dataclass(frozen=True)
class NamingSettings:
    """How a band's chords are recognised. Chosen on our bands with given chords.

    Attributes:
        bass: Weight of the share of the bass's time on the root.
        rarer: What a quality's likeness must have more than that of a major or minor triad, by
            quality; 0 for those not named.
    """

    bass: float = 0.05
    rarer: float = 0.08


def readings(tones: Iterable[int]) -> Readings:
    """Return all chords that have exactly these pitch classes, the likelier ones first."""
    wanted = {tone % 12 for tone in tones}
    return tuple(
        ChordSymbol(root, quality)
        for quality in READ
        for root in sorted(wanted)
        if ChordSymbol(root, quality).tones == wanted
    )


def heard(
    harmony: np.ndarray, bass: np.ndarray, settings: NamingSettings = NamingSettings()
) -> list[ChordSymbol | None]:
    """Recognise the chords of a band.

    The best chord's template is the nearest to the chroma by cosine, with more for a root that the
    bass plays.

    Args:
        harmony: [U, 12] how long each pitch class sounds, of all pitched tracks but the melody.
        bass: [U, 12] the same of the bass alone.
        settings: Weights.

    Returns:
        [U] chords; None where nothing sounds.
    """
    names = [ChordSymbol(root, quality) for quality in HEARD for root in range(12)]
    templates = np.zeros((len(names), 12))
    for row, name in zip(templates, names):
        row[list(name.tones)] = 1 / np.sqrt(len(name.tones))
    length = np.linalg.norm(harmony, axis=1, keepdims=True)
    fit = harmony / np.where(length == 0, 1, length) @ templates.T
    time = bass.sum(1, keepdims=True)
    fit += settings.bass * (bass / np.where(time == 0, 1, time))[:, [name.root for name in names]]
    fit -= settings.rarer * np.array(
        [len(QUALITIES[n.quality]) > 3 or n.quality not in ("", "m") for n in names]
    )
    best = fit.argmax(1)
    return [names[i] if row.any() else None for i, row in zip(best, harmony)]
