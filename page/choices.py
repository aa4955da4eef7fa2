"""The choices of the page that are more than one value, and what is accepted of each choice."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from accomp.band.options import INTROS
from accomp.band.style_library import built_in
from accomp.errors import MusicError
from accomp.invention.invent import VARIATION
from accomp.listen.source import Corrections
from accomp.roll.grid import ACCOMPANIMENT, TRACK_NAMES

if TYPE_CHECKING:
    from page.settings import Settings

BAND = tuple(TRACK_NAMES[track] for track in ACCOMPANIMENT)
SEEDS = 2**31 - 1  # the largest: more digits than anyone reads out
LONGEST_TEXT = 20_000  # characters of chords
DIRECTIONS = ("density", "variety", "character")  # of accomp.harmony.HarmonyNN.directions
FARTHEST = 2.0  # that the page lets an instrument move
LENGTHS = (4, 8, 16, 32)  # bars that a melody is made of, or goes on for
FREEST = 1.5  # variation of a melody that is made
MOST_MADE = 8  # times that a melody goes on
Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Making:
    """How a melody, or how it goes on, was made here. genre: whose models did; corrections and chords: of the melody before it
    went on, the chords as they were typed.
    """

    genre: str
    bars: int = 16
    seed: int = 0
    variation: float = VARIATION
    corrections: Corrections = field(default_factory=Corrections)
    chords: str = ""


@dataclass(frozen=True)
class Blend:
    """What a take is on the way to, and how far, 0 to 1: another genre and seed."""

    genre: str
    seed: int
    amount: float


def weighted(first: str, second: str, share: float) -> tuple[tuple[str, float], ...]:
    """Styles with weights, from two names, either of which may be empty, and the second's share, 0 to 1."""
    if not (first and second) or first == second:
        return ((first or second, 1.0),) if first or second else ()
    return tuple(
        (name, round(weight, 2)) for name, weight in ((first, 1 - share), (second, share)) if weight
    )


def shares(styles: tuple[tuple[str, float], ...]) -> tuple[str, str, float]:
    """The opposite of `weighted`."""
    (first, one), (second, two) = [*styles, ("", 0.0), ("", 0.0)][:2]
    return first, second, round(two / (one + two), 2) if second else 0.5


def shortened(choice: Any) -> dict[str, Any]:
    """A Making, Blend or Corrections without what is usual."""
    usual = {each.name: each.default for each in fields(choice)}
    found = {
        name: value
        for name, value in asdict(choice).items()
        if value != usual[name] and name != "corrections"
    }
    if isinstance(choice, Making) and choice.corrections != Corrections():
        found["corrections"] = shortened(choice.corrections)
    return found


def read(kind: type[Choice], found: Any, what: str) -> Choice:
    """The opposite of `shortened`. Raises MusicError."""
    if not isinstance(found, Mapping):
        raise MusicError(
            f"the settings' {what} are {str(found)[:40]!r}; accepted: names and values"
        )
    names = [each.name for each in fields(kind)]
    if unknown := sorted(map(str, found.keys() - set(names))):
        raise MusicError(f"the settings hold {unknown[0]!r}; accepted: {', '.join(names)}")
    values = dict(found)
    if isinstance(values.get("meter"), list):
        values["meter"] = tuple(values["meter"])
    if "corrections" in values:
        values["corrections"] = read(Corrections, values["corrections"], "corrections")
    try:
        return kind(**values)
    except TypeError as error:
        needed = [each.name for each in fields(kind)][: 1 if kind is Making else 3]
        raise MusicError(
            f"the settings' {what} hold {', '.join(found) or 'nothing'}; needed: {', '.join(needed)}"
        ) from error


def checked(settings: "Settings") -> "Settings":
    """Raises MusicError. What the music is made of is checked where it is made; here what would not get so far."""
    _expect(
        ("melody", settings.melody, str, "the name of an example"),
        ("genre", settings.genre, str, "a genre's name"),
        ("chords", settings.chords, str, "text"),
        ("variation", settings.variation, int | float, "0 to 1"),
        ("seed", settings.seed, int, f"0 to {SEEDS}"),
        ("instruments", settings.instruments, tuple, ", ".join(BAND)),
        ("style_factor", settings.style_factor, int | float, "0 to 1"),
    )
    if not 0 <= settings.seed <= SEEDS or not 0 <= settings.variation <= 1:
        raise MusicError(
            f"seed {settings.seed}, variation {settings.variation:g}; accepted: 0 to {SEEDS}, and 0 to 1"
        )
    if settings.intro not in INTROS:
        raise MusicError(f"introduction {settings.intro!r}; accepted: {', '.join(INTROS)}")
    if not all(name in BAND for name in settings.instruments):
        raise MusicError(
            f"instruments {', '.join(map(str, settings.instruments))}; accepted: {', '.join(BAND)}"
        )
    _check_corrections(settings.corrections)
    if settings.invented and settings.melody:
        raise MusicError(
            f"the settings name a melody, {settings.melody[:40]!r}, and an invented one; accepted: one of them"
        )
    if len(settings.continued) > MOST_MADE:
        raise MusicError(
            f"the melody went on {len(settings.continued)} times; accepted: up to {MOST_MADE}"
        )
    for making in (*filter(None, [settings.invented]), *settings.continued):
        _check_making(making)
    _check_styles(settings.styles, settings.style_factor)
    if settings.blend:
        _check_blend(settings.blend)
    _check_moves(settings.explore)
    return settings


def _expect(*expected: tuple[str, Any, Any, str]) -> None:
    """Raises MusicError where a value is not of its kind."""
    for name, value, kind, accepted in expected:
        if (
            isinstance(value, bool)
            or not isinstance(value, kind)
            or isinstance(value, str)
            and len(value) > LONGEST_TEXT
        ):
            raise MusicError(f"the settings' {name} is {str(value)[:40]!r}; accepted: {accepted}")


def _check_corrections(made: Corrections) -> None:
    _expect(
        ("later", made.later, int, "a number of beats"),
        ("track", made.track, int | None, "a track's number"),
        ("downbeat", made.downbeat, int | float | None, "seconds"),
        ("key", made.key, str | None, "such as A minor"),
        ("tempo", made.tempo, int | float | None, "beats a minute"),
        ("pace", made.pace, int | float, "0.25, 0.5, 1, 2 or 4"),
        ("meter", made.meter, tuple | None, "such as 3/4"),
    )
    if made.meter and (len(made.meter) != 2 or not all(type(part) is int for part in made.meter)):
        raise MusicError(f"meter {made.meter}; accepted: such as 3/4")


def _check_making(making: Making) -> None:
    _expect(
        ("genre", making.genre, str, "a genre's name"),
        ("bars", making.bars, int, ", ".join(map(str, LENGTHS))),
        ("seed", making.seed, int, f"0 to {SEEDS}"),
        ("variation", making.variation, int | float, f"0 to {FREEST:g}"),
        ("chords", making.chords, str, "text"),
    )
    if (
        making.bars not in LENGTHS
        or not 0 <= making.seed <= SEEDS
        or not 0 <= making.variation <= FREEST
    ):
        raise MusicError(
            f"a melody of {making.bars} bars, seed {making.seed}, variation {making.variation:g}; accepted: "
            f"{', '.join(map(str, LENGTHS))} bars, 0 to {SEEDS}, and 0 to {FREEST:g}"
        )
    _check_corrections(making.corrections)


def _check_styles(styles: tuple[tuple[str, float], ...], factor: float) -> None:
    pairs = isinstance(styles, tuple) and all(
        isinstance(pair, tuple) and len(pair) == 2 for pair in styles
    )
    if not pairs or len(styles) > 2:
        raise MusicError(
            f"the settings' styles are {str(styles)[:60]}; accepted: up to two names with weights"
        )
    for name, weight in styles:
        _expect(
            ("style", name, str, "a built-in style's name"),
            ("style's weight", weight, int | float, "above 0, up to 100"),
        )
        if name not in built_in():  # whatever it is, no path of this machine is read
            raise MusicError(f"style {name[:40]!r} is unknown; accepted: {', '.join(built_in())}")
        if not 0 < weight <= 100:
            raise MusicError(f"the weight of {name} is {weight:g}; accepted: above 0, up to 100")
    if not 0 <= factor <= 1:
        raise MusicError(f"style factor {factor:g}; accepted: 0 (not at all) to 1 (throughout)")


def _check_blend(blend: Blend) -> None:
    _expect(
        ("genre", blend.genre, str, "a genre's name"),
        ("seed", blend.seed, int, f"0 to {SEEDS}"),
        ("amount", blend.amount, int | float, "0 to 1"),
    )
    if not 0 <= blend.seed <= SEEDS or not 0 <= blend.amount <= 1:
        raise MusicError(
            f"between takes: seed {blend.seed}, amount {blend.amount:g}; accepted: 0 to {SEEDS}, and 0 to 1"
        )


def _check_moves(moves: dict[str, dict[str, float]]) -> None:
    if not isinstance(moves, dict) or not all(isinstance(move, dict) for move in moves.values()):
        raise MusicError(
            f"the settings' explore is {str(moves)[:60]}; accepted: instruments and how far each moves"
        )
    for name, move in moves.items():
        if name not in BAND:
            raise MusicError(f"instrument {str(name)[:40]!r} moves; accepted: {', '.join(BAND)}")
        for direction, amount in move.items():
            if direction not in DIRECTIONS:
                raise MusicError(
                    f"{name} moves in {str(direction)[:40]!r}; accepted: {', '.join(DIRECTIONS)}"
                )
            _expect((direction, amount, int | float, f"{-FARTHEST:g} to {FARTHEST:g}"))
            if not -FARTHEST <= amount <= FARTHEST:
                raise MusicError(
                    f"{direction} of {name} is {amount:g}; accepted: {-FARTHEST:g} to {FARTHEST:g}"
                )
