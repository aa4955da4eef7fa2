"""What MusicXML calls the qualities of chords: a kind, and degrees that are added or altered."""

from typing import NamedTuple


class Degree(NamedTuple):
    """A degree of a chord that its kind does not say.

    Attributes:
        number: 9 for a ninth.
        alter: Semitones beside the degree of a dominant chord: -1 for a flat ninth.
        type: "add" or "alter".
    """

    number: int
    alter: int
    type: str


class ChordKind(NamedTuple):
    """A chord's quality in MusicXML.

    Attributes:
        name: The text of the element `kind`.
        degrees: What differs from it.
    """

    name: str
    degrees: tuple[Degree, ...] = ()


def _kind(name: str, **degrees: int) -> ChordKind:
    """Return a kind; degrees are named such as add9 or alter5."""
    found = []
    for what, alter in degrees.items():
        kind = "alter" if what.startswith("alter") else "add"
        found.append(Degree(int(what.removeprefix(kind)), alter, kind))
    return ChordKind(name, tuple(sorted(found)))


# By quality (accomp.music.chord_qualities).
KINDS = {
    "": _kind("major"),
    "m": _kind("minor"),
    "5": _kind("power"),
    "dim": _kind("diminished"),
    "aug": _kind("augmented"),
    "sus4": _kind("suspended-fourth"),
    "sus2": _kind("suspended-second"),
    "6": _kind("major-sixth"),
    "m6": _kind("minor-sixth"),
    "69": _kind("major-sixth", add9=0),
    "add9": _kind("major", add9=0),
    "madd9": _kind("minor", add9=0),
    "7": _kind("dominant"),
    "maj7": _kind("major-seventh"),
    "m7": _kind("minor-seventh"),
    "m(maj7)": _kind("major-minor"),
    "7sus4": _kind("suspended-fourth", add7=0),
    "dim7": _kind("diminished-seventh"),
    "m7b5": _kind("half-diminished"),
    "aug7": _kind("augmented-seventh"),
    "7b5": _kind("dominant", alter5=-1),
    "7b9": _kind("dominant", add9=-1),
    "7#9": _kind("dominant", add9=1),
    "9": _kind("dominant-ninth"),
    "maj9": _kind("major-ninth"),
    "m9": _kind("minor-ninth"),
    "9sus4": _kind("suspended-fourth", add7=0, add9=0),
    "11": _kind("dominant-11th"),
    "m11": _kind("minor-11th"),
    "13": _kind("dominant-13th"),
    "maj13": _kind("major-13th"),
    "m13": _kind("minor-13th"),
    "m69": _kind("minor-sixth", add9=0),
    "m(maj9)": _kind("major-minor", add9=0),
    "add11": _kind("major", add11=0),
    "7#11": _kind("dominant", add11=1),
    "9#11": _kind("dominant-ninth", add11=1),
    "maj7#11": _kind("major-seventh", add11=1),
    "7b13": _kind("dominant", add13=-1),
    "13b9": _kind("dominant-13th", alter9=-1),
    "13sus4": _kind("suspended-fourth", add7=0, add9=0, add13=0),
    "7b9sus4": _kind("suspended-fourth", add7=0, add9=-1),
    "maj7#5": _kind("major-seventh", alter5=1),
    "maj7b5": _kind("major-seventh", alter5=-1),
    "aug9": _kind("augmented-seventh", add9=0),
    "7b5b9": _kind("dominant", alter5=-1, add9=-1),
    "7#5b9": _kind("augmented-seventh", add9=-1),
    "7#5#9": _kind("augmented-seventh", add9=1),
}
QUALITY_OF = {kind: quality for quality, kind in KINDS.items()}
