"""Check the values of settings that come from a stranger's file, each by its type and its range."""

from collections.abc import Mapping
from dataclasses import fields
from math import isfinite
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from accomp.errors import ModelError

MOST_ENTRIES = 1000  # of a list or a table
LONGEST_TEXT = 1000  # letters
WIDEST = 4096  # of a layer: a network is built before its weights show what it should be
_ANY = (-1e6, 1e6)
T = TypeVar("T")

Ranges = Mapping[str, tuple[float, float]]


def build(kind: type[T], values: Any, ranges: Ranges) -> T:
    """Make a dataclass of settings from values that were read from a file.

    Args:
        kind: The dataclass. Fields that hold other dataclasses are taken as they are.
        values: By name.
        ranges: The least and the most of numbers, by name of the field, also of those in tables.

    Raises:
        ModelError: A name is unknown, or a value is of another type or out of its range.
    """
    name = kind.__name__
    if not isinstance(values, dict):
        raise ModelError(f"{name} is {_shown(values)}; accepted: a table")
    known = {entry.name for entry in fields(kind)}  # pyright: ignore[reportArgumentType]
    if unknown := set(values) - known:
        names = ", ".join(sorted(str(each)[:50] for each in unknown)[:10])
        raise ModelError(f"{name} has no setting {names}")
    hints = get_type_hints(kind)
    for field, value in values.items():
        _check(f"{name}.{field}", hints[field], value, ranges.get(field, _ANY))
    return kind(**values)


def _check(place: str, hint: Any, value: Any, limits: tuple[float, float]) -> None:
    """Check one value. Raises ModelError."""
    origin, inside = get_origin(hint), get_args(hint)
    if hint is bool:
        if not isinstance(value, bool):
            raise _wrong(place, value, "true or false")
    elif hint is str:
        if not isinstance(value, str) or len(value) > LONGEST_TEXT:
            raise _wrong(place, value, f"a text of up to {LONGEST_TEXT} letters")
    elif hint in (int, float):
        _check_number(place, hint, value, limits)
    elif origin in (list, dict):
        if not isinstance(value, origin) or len(value) > MOST_ENTRIES:
            kind = "list" if origin is list else "table"
            raise _wrong(place, value, f"a {kind} of up to {MOST_ENTRIES}")
        _check_inside(place, inside, value, limits)


def _check_inside(place: str, hints: Any, value: Any, limits: tuple[float, float]) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            _check(f"the names of {place}", hints[0], key, _ANY)
            _check(f"{place}[{_shown(key)}]", hints[1], each, limits)
    else:
        for each in value:
            _check(place, hints[0], each, limits)


def _check_number(place: str, hint: type, value: Any, limits: tuple[float, float]) -> None:
    accepted = (int,) if hint is int else (int, float)
    least, most = limits
    is_number = isinstance(value, accepted) and not isinstance(value, bool)
    # The order counts: huge whole numbers are no floats.
    if not (is_number and least <= value <= most and isfinite(value)):
        kind = "a whole number" if hint is int else "a number"
        raise _wrong(place, value, f"{kind} from {least:g} to {most:g}")


def _wrong(place: str, value: Any, accepted: str) -> ModelError:
    return ModelError(f"{place} is {_shown(value)}; accepted: {accepted}")


def _shown(value: Any) -> str:
    if isinstance(value, int) and abs(value) > 10**50:
        return "a huge number"
    if isinstance(value, (dict, list)):
        return f"a {'table' if isinstance(value, dict) else 'list'} of {len(value)}"
    return repr(value)[:80]
