"""The sounds of syllables: vowels and consonants as a model of the vocal tract makes them.

Frequencies are those of an adult man; a singer scales them (train.data.singers). Lengths are in
seconds, and those of consonants end where the vowel begins, which is what people mark as a sung
note's onset. The figures are rounded from textbooks of phonetics (Stevens, Acoustic Phonetics,
1998; Ladefoged & Johnson, A Course in Phonetics, chapter 8) and are varied by chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Frequencies of three resonances in Hz.
VOWELS: dict[str, tuple[float, float, float]] = {
    "a": (760, 1250, 2550),
    "ae": (680, 1650, 2450),
    "e": (480, 1850, 2500),
    "i": (290, 2200, 2950),
    "o": (480, 850, 2500),
    "u": (320, 800, 2350),
    "er": (480, 1350, 1750),
    "uh": (580, 1200, 2450),
}
UPPER = (3400.0, 4300.0)  # resonances that are about the same in all vowels


@dataclass(frozen=True)
class Phone:
    """A part of a consonant.

    Attributes:
        seconds: The shortest and the longest.
        voice: Amplitude of the vocal folds, beside a vowel's.
        resonances: In Hz, as in VOWELS; None for those of the vowel that follows.
        breath: Amplitude of noise through the resonances.
        hiss: Amplitude of noise of its own.
        centre: Hz of that noise.
        width: Hz to each side of it.
        muffled: Whether only the lowest partials are heard, through a closed mouth.
        dip: Semitones by which the pitch is lower, as behind a narrow passage.
    """

    seconds: tuple[float, float]
    voice: float = 0.0
    resonances: tuple[float, float, float] | None = None
    breath: float = 0.0
    hiss: float = 0.0
    centre: float = 4000.0
    width: float = 1500.0
    muffled: bool = False
    dip: float = 0.0


def _stop(centre: float, width: float, breath: tuple[float, float]) -> tuple[Phone, ...]:
    """Return an unvoiced stop: closed, a burst, and breath of such a length until the vowel."""
    return (
        Phone((0.03, 0.09)),
        Phone((0.005, 0.015), hiss=0.5, centre=centre, width=width),
        Phone(breath, breath=0.25),
    )


def _voiced_stop(centre: float, width: float, resonances: tuple) -> tuple[Phone, ...]:
    return (
        Phone((0.025, 0.08), voice=0.25, resonances=(220, 1000, 2200), muffled=True, dip=0.7),
        Phone((0.004, 0.012), voice=0.3, resonances=resonances, hiss=0.3, centre=centre),
    )


def _nasal(second: float) -> tuple[Phone, ...]:
    return (Phone((0.04, 0.13), voice=0.45, resonances=(270, second, 2300), muffled=True, dip=0.1),)


def _hiss(centre: float, width: float, loud: float) -> tuple[Phone, ...]:
    return (Phone((0.06, 0.18), hiss=loud, centre=centre, width=width),)


CONSONANTS: dict[str, tuple[Phone, ...]] = {
    "": (),
    "glottal": (Phone((0.02, 0.06)),),
    "p": _stop(900, 800, (0.005, 0.05)),
    "t": _stop(4500, 1500, (0.008, 0.06)),
    "k": _stop(2000, 800, (0.015, 0.07)),
    "b": _voiced_stop(800, 700, (300, 900, 2200)),
    "d": _voiced_stop(4000, 1500, (300, 1700, 2600)),
    "g": _voiced_stop(1900, 800, (300, 1900, 2200)),
    "m": _nasal(1000),
    "n": _nasal(1500),
    "l": (Phone((0.04, 0.11), voice=0.6, resonances=(340, 1150, 2600), dip=0.1),),
    "r": (Phone((0.04, 0.11), voice=0.6, resonances=(330, 1200, 1600), dip=0.2),),
    "tap": (Phone((0.015, 0.035), voice=0.35, resonances=(300, 1500, 2500), dip=0.3),),
    "y": (Phone((0.04, 0.16), voice=0.75, resonances=(280, 2200, 2900), dip=0.1),),
    "w": (Phone((0.04, 0.16), voice=0.7, resonances=(300, 650, 2200), dip=0.1),),
    "s": _hiss(5800, 1500, 0.35),
    "sh": _hiss(3500, 1200, 0.35),
    "f": _hiss(5000, 4000, 0.1),
    "h": (Phone((0.04, 0.12), breath=0.3),),
    "v": (Phone((0.04, 0.1), 0.35, (280, 1100, 2200), hiss=0.06, width=4000, dip=0.4),),
    "z": (Phone((0.05, 0.12), 0.3, (260, 1600, 2500), hiss=0.2, centre=5800, dip=0.5),),
    "ch": (Phone((0.03, 0.08)), Phone((0.04, 0.1), hiss=0.4, centre=3500, width=1300)),
    "ts": (Phone((0.03, 0.08)), Phone((0.04, 0.1), hiss=0.35, centre=5800, width=1400)),
    "j": (
        Phone((0.025, 0.06), voice=0.25, resonances=(220, 1500, 2300), muffled=True, dip=0.7),
        Phone((0.03, 0.07), voice=0.2, hiss=0.25, centre=3500, dip=0.4),
    ),
}
CLUSTERS = (
    *(("t", "r"), ("s", "t"), ("p", "l"), ("s", "w"), ("g", "r"), ("b", "l")),
    *((first, "y") for first in ("k", "g", "n", "h", "b", "p", "m", "r", "f", "d")),
    *((first, "w") for first in ("k", "g", "d")),
)
# At the end of a syllable, within its note where they are voiced.
CODAS: dict[str, tuple[Phone, ...]] = {
    "n": _nasal(1500),
    "m": _nasal(1000),
    "l": CONSONANTS["l"],
    "s": _hiss(5800, 1500, 0.25),
    "t": (Phone((0.04, 0.08)), Phone((0.005, 0.03), hiss=0.15, centre=4500)),
}
SOLFEGE = (("d", "o"), ("r", "e"), ("m", "i"), ("f", "a"), ("s", "o"), ("l", "a"), ("t", "i"))
# What people sing who sing one syllable for all notes.
SAME = (
    *(("l", "a"), ("d", "a"), ("n", "a"), ("t", "a"), ("d", "u"), ("t", "u"), ("b", "a")),
    *(("y", "a"), ("", "a"), ("", "u"), ("glottal", "a"), ("h", "a"), ("m", "a"), ("p", "a")),
    *(("tap", "a"), ("l", "u"), ("d", "i"), ("n", "o"), ("g", "a"), ("w", "o"), ("m", "m")),
    *(("h", "m"), ("glottal", "m"), ("n", "u"), ("r", "a")),
)


@dataclass
class Syllable:
    """A syllable as it is sung.

    Attributes:
        before: Parts before the vowel, with the seconds of each.
        vowel: Resonances in Hz.
        after: Parts at the end, with the seconds of each.
        muffled: Whether it is hummed, with closed lips.
    """

    before: list[tuple[Phone, float]]
    vowel: tuple[float, float, float]
    after: list[tuple[Phone, float]]
    muffled: bool = False


def sung_syllable(
    consonants: Sequence[str], vowel: str, coda: str, rng: np.random.Generator, slow: float = 1.0
) -> Syllable:
    """Say how a syllable is sung this time.

    Args:
        consonants: Keys of CONSONANTS, one after the other.
        vowel: Key of VOWELS, or "m" for closed lips.
        coda: Key of CODAS, or nothing.
        rng: Decides on lengths and on how clear it is.
        slow: Factor of all lengths.
    """
    before = [
        (phone, slow * rng.uniform(*phone.seconds))
        for name in consonants
        for phone in CONSONANTS[name]
    ]
    after = [(phone, slow * rng.uniform(*phone.seconds)) for phone in CODAS.get(coda, ())]
    resonances = (270.0, 1000.0, 2300.0) if vowel == "m" else VOWELS[vowel]
    nearby = np.array(resonances) * rng.uniform(0.9, 1.1, 3)
    formed = (float(nearby[0]), float(nearby[1]), float(nearby[2]))
    return Syllable(before, formed, after, vowel == "m")


def words(count: int, rng: np.random.Generator) -> list[tuple[tuple[str, ...], str, str]]:
    """Choose the syllables of a song: consonants, vowel and coda of each of `count`.

    People sing one syllable throughout, the names of the notes, or words.
    """
    way = rng.random()
    names, vowels, codas = list(CONSONANTS), list(VOWELS), list(CODAS)
    if way < 0.25:
        few = [SAME[index] for index in rng.integers(len(SAME), size=rng.integers(1, 3))]
        return [((one[0],), one[1], "") for one in (few[i % len(few)] for i in range(count))]
    if way < 0.4:
        onsets = [(name,) for name in names] + list(CLUSTERS)
        return [(onsets[rng.integers(len(onsets))], vowels[rng.integers(len(vowels))], "")] * count
    if way < 0.6:
        return [
            ((one[0],), one[1], "l" if one[0] == "s" and rng.random() < 0.6 else "")
            for one in (SOLFEGE[index] for index in rng.integers(len(SOLFEGE), size=count))
        ]
    chosen = []
    for _ in range(count):
        consonants: tuple[str, ...] = (names[rng.integers(len(names))],)
        if rng.random() < 0.2:
            consonants = CLUSTERS[rng.integers(len(CLUSTERS))]
        coda = codas[rng.integers(len(codas))] if rng.random() < 0.25 else ""
        chosen.append((consonants, vowels[rng.integers(len(vowels))], coda))
    return chosen
