"""Choices of a project that are more than one value, and what is accepted of them.

The ranges of a band are in accomp.band.options, and Settings checks them there. Where a project
accepts less, because the page opens it, the reason stands beside the range.
"""

from dataclasses import dataclass
from types import UnionType
from typing import Any

from accomp.band.sketch import AMOUNT
from accomp.band.style_library import built_in
from accomp.checks import Range, check_text, shown
from accomp.errors import MusicError
from accomp.invention.invent import VARIATION as USUAL_MELODY_VARIATION
from accomp.listen.source import Corrections
from accomp.roll.grid import ACCOMPANIMENT, TRACK_NAMES

BAND = tuple(TRACK_NAMES[track] for track in ACCOMPANIMENT)
DIRECTIONS: tuple[str, ...] = ("density", "variety", "character")  # of accomp.models.harmony_nn
# Larger seeds have more digits than anyone reads out.
SEED = Range("seed", 0, 2**31 - 1, "0 to 2^31 - 1", whole=True)
VARIATION = Range("variation", 0, 1)  # towards 1 the playing gets rough already
MELODY_VARIATION = Range("variation of the melody", 0, 1.5)  # towards 1.5 it wanders already
MOVE = Range("move", -2, 2)  # standard deviations: as far as nearly all real playing lies
STYLE_WEIGHT = Range("weight of the style", 1e-6, 100, "above 0, up to 100")  # part of a share
MELODY_BARS = (4, 8, 16, 32)  # lengths of an invented melody, and of what is added to one
MOST_ADDITIONS = 8  # times that a melody is continued: an address holds them all
MOST_STYLES = 2  # as many as the page has boxes
LONGEST_TEXT = 20_000  # characters of chords


@dataclass(frozen=True)
class MelodyRecipe:
    """How a melody was invented, or continued. Checked when it is made.

    Attributes:
        genre: Whose models invent.
        bars: Length of what is invented, one of MELODY_BARS.
        seed: Another one gives another melody.
        variation: From 0 (predictable) to 1.5 (unusual).
        chords: Of the melody before it was continued, as they were typed.
        corrections: Of the melody before it was continued.
    """

    genre: str
    bars: int = 16
    seed: int = 0
    variation: float = USUAL_MELODY_VARIATION
    chords: str = ""
    corrections: Corrections = Corrections()

    def __post_init__(self):
        check_kind("genre", self.genre, str, "a genre's name")
        check_kind("chords", self.chords, str, "text")
        if type(self.bars) is not int or self.bars not in MELODY_BARS:
            lengths = ", ".join(map(str, MELODY_BARS))
            raise MusicError(f"the melody has {shown(self.bars)} bars; accepted: {lengths}")
        SEED.check(self.seed, "seed of the melody")
        MELODY_VARIATION.check(self.variation)
        self.corrections.check()


@dataclass(frozen=True)
class Blend:
    """Another band that a take is blended with. Checked when it is made.

    Attributes:
        genre: The other band's genre.
        seed: The other band's seed.
        amount: From 0 (the take alone) to 1 (the other band alone).
    """

    genre: str
    seed: int
    amount: float

    def __post_init__(self):
        check_kind("genre", self.genre, str, "a genre's name")
        SEED.check(self.seed, "seed of the blend")
        AMOUNT.check(self.amount, "amount of the blend")


Styles = tuple[tuple[str, float], ...]  # names of built-in styles with weights


def weighted(first: str, second: str, share: float) -> Styles:
    """Return styles with weights from two names and the second's share, 0 to 1.

    Either name may be empty.
    """
    if not (first and second) or first == second:
        return ((first or second, 1.0),) if first or second else ()
    weights = ((first, 1 - share), (second, share))
    return tuple((name, round(weight, 2)) for name, weight in weights if weight)


def shares(styles: Styles) -> tuple[str, str, float]:
    """Return two names and the second's share; the opposite of `weighted`."""
    (first, one), (second, two) = [*styles, ("", 0.0), ("", 0.0)][:2]
    return first, second, round(two / (one + two), 2) if second else 0.5


def check_kind(name: str, value: object, kind: type | UnionType, accepted: str) -> None:
    """Check that a setting's value is of a kind, and text no longer than it may be.

    Args:
        name: Of the setting, for the message.
        value: What was read.
        kind: The accepted types; a bool is no number.
        accepted: What is accepted, in words.

    Raises:
        MusicError: It is not.
    """
    if not isinstance(value, kind) or isinstance(value, bool):
        raise MusicError(f"the settings' {name} is {shown(value)!r}; accepted: {accepted}")
    if isinstance(value, str):
        check_text(value, f"the settings' {name}", accepted, LONGEST_TEXT)


def check_styles(styles: object) -> None:
    """Raise MusicError unless styles are up to two names of built-in ones with weights.

    No name is taken for a path, so that no file of the server can be read by it.
    """
    pairs: Any = styles if isinstance(styles, tuple) else (None,)
    if len(pairs) > MOST_STYLES or not all(
        isinstance(pair, tuple) and len(pair) == 2 for pair in pairs
    ):
        raise MusicError(
            f"the settings' styles are {shown(styles)}; "
            "accepted: up to two built-in styles with weights"
        )
    for name, weight in pairs:
        check_kind("style", name, str, "a built-in style's name")
        if name not in built_in():
            raise MusicError(f"style {shown(name)!r} is unknown; accepted: {', '.join(built_in())}")
        STYLE_WEIGHT.check(weight, f"weight of {name}")


def check_moves(moves: object) -> None:
    """Raise MusicError unless moves are amounts by instrument and direction."""
    by_name: Any = moves if isinstance(moves, dict) else {"": None}
    if not all(isinstance(move, dict) for move in by_name.values()):
        raise MusicError(
            f"the settings' explore is {shown(moves)}; accepted: instruments and how far each moves"
        )
    for name, move in by_name.items():
        if name not in BAND:
            raise MusicError(f"instrument {shown(name)!r} moves; accepted: {', '.join(BAND)}")
        for direction, amount in move.items():
            if direction not in DIRECTIONS:
                raise MusicError(
                    f"{name} moves in {shown(direction)!r}; accepted: {', '.join(DIRECTIONS)}"
                )
            MOVE.check(amount, f"{direction} of {name}")
