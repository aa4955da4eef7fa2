"""From a take to others near it: on the way to another take, or with an instrument moved. No widgets."""

from dataclasses import replace

from accomp.errors import MusicError
from page.choices import BAND, DIRECTIONS, Blend
from page.settings import Settings
from page.studio import Take

WHOLE = "a take of the whole song (by Accompany, Three takes, or from a settings file), none that was made anew in parts"


def between(take: Take, other: Take | None, amount: float) -> Settings:
    """Of a take between two, `amount` of the way from `take` (0) to the other one (1). A take that is between two itself is seen
    from its first one. Raises MusicError.
    """
    if other is None:
        raise MusicError(
            "choose the other take first; accepted: takes of one melody, with the same settings but genre and seed"
        )
    if take.is_retake or other.is_retake:
        raise MusicError(f"a take between two needs two whole ones; accepted: {WHOLE}")
    first = take.settings.changed(blend=None)
    if other.settings.blend:
        raise MusicError(f"take {other.number} is between two itself; accepted: one of those two")
    differs = "neither genre nor seed" if _same_band(take, other) else _difference(take, other)
    if differs:
        raise MusicError(
            f"takes {take.number} and {other.number} differ in {differs}; accepted: other genres and seeds"
        )
    amount = round(float(amount), 2)
    if not amount:
        return first
    return first.changed(blend=Blend(other.settings.genre, other.settings.seed, amount))


def others(takes: list[Take], take: Take) -> list[Take]:
    """The takes that `between` takes beside this one."""
    if take.is_retake:
        return []
    whole = [each for each in takes if not each.is_retake and not each.settings.blend]
    return [each for each in whole if not _same_band(take, each) and not _difference(take, each)]


def moved(take: Take, instrument: str, amounts: tuple[float, ...]) -> Settings:
    """Of a take as this one, its instrument elsewhere, by DIRECTIONS; where there was another move of it, it is replaced. Raises
    MusicError.
    """
    if take.is_retake:
        raise MusicError(f"an instrument's ways need a whole take; accepted: {WHOLE}")
    if instrument not in take.settings.instruments:
        raise MusicError(
            f"{instrument} does not play in this take; playing: {', '.join(take.settings.instruments) or 'nobody'}"
        )
    asked = dict(zip(DIRECTIONS, amounts))
    move = {
        direction: round(float(asked[direction]), 2)
        for direction in ways_of(instrument)
        if asked[direction]
    }
    moves = {name: move if name == instrument else take.settings.explore.get(name) for name in BAND}
    return take.settings.changed(explore={name: each for name, each in moves.items() if each})


def ways_of(instrument: str) -> list[str]:
    """The directions in which an instrument can move; drums have no pitches."""
    return [
        direction for direction in DIRECTIONS if instrument != "drums" or direction != "variety"
    ]


def amounts_of(take: Take, instrument: str) -> list[float]:
    """How far an instrument has moved, by DIRECTIONS."""
    return [
        take.settings.explore.get(instrument, {}).get(direction, 0.0) for direction in DIRECTIONS
    ]


def _same_band(take: Take, other: Take) -> bool:
    """Whether they are of one genre and seed."""
    return (take.settings.genre, take.settings.seed) == (other.settings.genre, other.settings.seed)


def _difference(take: Take, other: Take) -> str:
    """What of two takes differs beside genre and seed, in a word; empty where nothing does."""
    if (
        take.melody.score.tracks[take.melody.track].notes
        != other.melody.score.tracks[other.melody.track].notes
    ):
        return "melody"
    if take.melody.key != other.melody.key or take.melody.score.meters != other.melody.score.meters:
        return "key or metre"
    if take.style != other.style:
        return "style"
    a, b = (replace(each.settings, genre="", seed=0, blend=None) for each in (take, other))
    if not (take.style or a.styles or b.styles):  # how much of a style counts where there is one
        b = replace(b, style_factor=a.style_factor)
    names = (name for name in vars(a) if getattr(a, name) != getattr(b, name))
    return next((name.replace("_", " ") for name in names), "")
