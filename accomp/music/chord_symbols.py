"""Chord symbols such as "F#m7" or "C/E": read them, spell them, list their tones."""

import re
from typing import NamedTuple

from accomp.errors import MusicError
from accomp.music.chord_qualities import ALIASES, QUALITIES
from accomp.music.keys import LETTERS
from accomp.music.spelling import Spelling, spelled_chord

NOTE_NAME = r"[A-G](?:bb|##|b|#)?"
DIMINISHED = 6  # semitones of the fifth
EXAMPLES = "C, F#m7, Bbmaj7, G7sus4, Bdim, C/E"


class ChordSymbol(NamedTuple):
    """A chord.

    Attributes:
        root: Pitch class, 0 = C.
        quality: A key of QUALITIES.
        bass: Pitch class; None where it is the root.
    """

    root: int
    quality: str
    bass: int | None = None

    @property
    def triad(self) -> int:
        """The nearest triad of accomp.roll.chord_plan: 0 to 11 major, 12 to 23 minor."""
        tones = QUALITIES[self.quality]
        return self.root + (12 if 3 in tones and 4 not in tones else 0)

    @property
    def tones(self) -> set[int]:
        """Its pitch classes."""
        return {(self.root + interval) % 12 for interval in QUALITIES[self.quality]}

    def transposed(self, semitones: int) -> "ChordSymbol":
        """Return the chord `semitones` higher."""
        bass = None if self.bass is None else (self.bass + semitones) % 12
        return ChordSymbol((self.root + semitones) % 12, self.quality, bass)

    def spellings(self, fifths: int) -> list[Spelling]:
        """Spell root and bass in a key; without a bass of its own, the root alone.

        fifths: of the key's signature, -7 to 7.
        """
        is_diminished = self.quality.startswith("dim") and DIMINISHED in QUALITIES[self.quality]
        return spelled_chord(self.root, self.bass, is_diminished, fifths)

    def spelled(self, fifths: int) -> str:
        """Write the symbol as it is spelled in a key: A/C# where D major has A/Db.

        fifths: of the key's signature, -7 to 7.
        """
        root, *bass = map(str, self.spellings(fifths))
        return "/".join([root + self.quality, *bass])

    def __str__(self) -> str:
        return self.spelled(0)


def triad_symbol(chord: int, quality: str | None = None) -> ChordSymbol:
    """Return the symbol of a chord of a plan.

    Args:
        chord: 0 to 23, as in accomp.roll.chord_plan.
        quality: By default the plain major or minor triad.
    """
    if quality is None:
        quality = "m" if chord >= 12 else ""
    return ChordSymbol(int(chord) % 12, quality)


def parse_symbol(text: str) -> ChordSymbol:
    """Read a chord symbol in any usual spelling.

    Raises:
        MusicError: The text is not a chord symbol.
    """
    match = re.fullmatch(rf"({NOTE_NAME})(.*?)(?:/({NOTE_NAME}))?", ascii_signs(text.strip()))
    quality = _quality(match[2]) if match else None
    if match is None or quality is None:
        raise MusicError(f"chord {text!r} is not known; accepted: symbols such as {EXAMPLES}")
    root, bass = _pitch_class(match[1]), _pitch_class(match[3]) if match[3] else None
    return ChordSymbol(root, quality, None if bass == root else bass)


def is_symbol(text: str) -> bool:
    """Tell whether `parse_symbol` reads a text."""
    try:
        parse_symbol(text)
    except MusicError:
        return False
    return True


def ascii_signs(text: str) -> str:
    """Replace typographic accidentals, dashes and bar lines by ASCII."""
    for fancy, plain in (("♭", "b"), ("♯", "#"), ("−", "-"), ("–", "-"), ("—", "-"), ("‖", "||")):
        text = text.replace(fancy, plain)
    return text


def _quality(text: str) -> str | None:
    """Return the key of QUALITIES of a spelling; None where there is none."""
    text = text.replace("Δ", "^").replace("△", "^")
    text = "maj7" if text == "^" else text
    text = re.sub(r"^(?:(?i:minor|min|mi)|-)", "m", text)
    text = re.sub(r"(?i:major|maj)|ma(?!dd)|M|j|\^", "maj", text)  # "madd9" is minor
    text = re.sub(r"(?<=.)([-+])(?=5|9|11|13)", lambda sign: "b" if sign[0] == "-" else "#", text)
    text = "#5" if text == "+5" else text
    for name in (text, text.replace("(", "").replace(")", "")):
        if name in QUALITIES:
            return name
        if name in ALIASES:
            return ALIASES[name]
    return None


def _pitch_class(name: str) -> int:
    return (LETTERS[name[0]] + name.count("#") - name.count("b")) % 12
