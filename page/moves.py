"""Settings of takes near another one: blended with a second take, or with an instrument moved."""

from collections.abc import Sequence
from dataclasses import fields, replace

from accomp.band.finish import Finish
from accomp.errors import MusicError
from accomp.project.choices import BAND, DIRECTIONS, Blend
from accomp.project.settings import Settings
from page.studio import Take

WHOLE_TAKE = "takes of the whole song, not ones that were remade in part"


def blended(take: Take, other: Take | None, amount: float) -> Settings:
    """Return the settings of a take between two.

    Args:
        take: The first take. If it is a blend itself, its own first take counts.
        other: The second take.
        amount: From 0 (the first) to 1 (the second).

    Raises:
        MusicError: The takes differ in more than genre and seed, or can't be blended.
    """
    if other is None:
        raise MusicError(
            "choose the other take first; accepted: takes of the same melody and settings, "
            "with another genre or seed"
        )
    if take.is_retake or other.is_retake:
        raise MusicError(f"a part of one of the takes was remade; accepted: {WHOLE_TAKE}")
    first = take.settings.changed(blend=None)
    if other.settings.blend:
        raise MusicError(f"{other.label} is a blend itself; accepted: one of its two takes")
    differs = "neither genre nor seed" if _same_band(take, other) else _difference(take, other)
    if differs:
        raise MusicError(
            f"{take.label} and {other.label} differ in {differs}; accepted: another genre or seed"
        )
    amount = round(float(amount), 2)
    if not amount:
        return first
    return first.changed(blend=Blend(other.settings.genre, other.settings.seed, amount))


def partners(takes: list[Take], take: Take) -> list[Take]:
    """Return the takes that `blended` accepts beside this one."""
    if take.is_retake:
        return []
    whole = [each for each in takes if not each.is_retake and not each.settings.blend]
    return [each for each in whole if not _same_band(take, each) and not _difference(take, each)]


def moved(take: Take, instrument: str, amounts: Sequence[float]) -> Settings:
    """Return the settings of a take with an instrument moved; its earlier move is replaced.

    Args:
        take: The take.
        instrument: Who moves.
        amounts: How far, by DIRECTIONS.

    Raises:
        MusicError: The instrument doesn't play, or a part of the take was remade.
    """
    if take.is_retake:
        raise MusicError(f"a part of this take was remade; accepted: {WHOLE_TAKE}")
    if instrument not in take.settings.instruments:
        playing = ", ".join(take.settings.instruments) or "nobody"
        raise MusicError(f"{instrument} does not play in this take; playing: {playing}")
    asked = dict(zip(DIRECTIONS, amounts))
    move = {
        direction: round(float(asked[direction]), 2)
        for direction in directions_of(instrument)
        if asked[direction]
    }
    moves = {name: move if name == instrument else take.settings.explore.get(name) for name in BAND}
    return take.settings.changed(explore={name: each for name, each in moves.items() if each})


def directions_of(instrument: str) -> list[str]:
    """Return the directions in which an instrument can move; drums have no pitches to vary."""
    return [each for each in DIRECTIONS if instrument != "drums" or each != "variety"]


def amounts_of(take: Take, instrument: str) -> list[float]:
    """Return how far an instrument has moved, by DIRECTIONS."""
    move = take.settings.explore.get(instrument, {})
    return [move.get(direction, 0.0) for direction in DIRECTIONS]


def _same_band(take: Take, other: Take) -> bool:
    """Tell whether two takes are of one genre and seed."""
    return (take.settings.genre, take.settings.seed) == (other.settings.genre, other.settings.seed)


def _difference(take: Take, other: Take) -> str:
    """Name what differs beside genre and seed; empty where nothing does."""
    own, others = take.melody, other.melody
    if own.score.tracks[own.track].notes != others.score.tracks[others.track].notes:
        return "melody"
    if own.key != others.key or own.score.meters != others.score.meters:
        return "key or metre"
    if take.style != other.style:
        return "style"
    a, b = (
        replace(each.settings, genre="", seed=0, blend=None, finish=Finish())
        for each in (take, other)
    )
    if not (take.style or a.styles or b.styles):  # a style's factor counts where there is a style
        b = replace(b, style_factor=a.style_factor)
    names = [each.name for each in fields(a)]
    return next((n.replace("_", " ") for n in names if getattr(a, n) != getattr(b, n)), "")
