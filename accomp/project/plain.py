"""Dataclasses as JSON holds them: only what differs from the defaults, and back."""

from collections.abc import Collection, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, TypeVar

from accomp.checks import shown
from accomp.errors import MusicError

Kind = TypeVar("Kind")


def to_plain(value: Any, always: Collection[str] = ()) -> Any:
    """Return a value for JSON: of a dataclass, the fields that differ from their defaults.

    Args:
        value: A dataclass, a tuple, or what JSON knows.
        always: Fields that are written in any case.
    """
    if isinstance(value, tuple):
        return [to_plain(each) for each in value]
    if not is_dataclass(value):
        return value
    return {
        each.name: to_plain(getattr(value, each.name))
        for each in fields(value)
        if each.name in always or getattr(value, each.name) != _default(each)
    }


def from_plain(kind: type[Kind], found: Any, what: str) -> Kind:
    """Make a dataclass of its fields by name; the opposite of `to_plain`.

    Args:
        kind: The dataclass.
        found: What was read.
        what: What messages call it.

    Raises:
        MusicError: It is not a mapping, a name is unknown, or one is missing.
    """
    if not isinstance(found, Mapping):
        raise MusicError(f"{what} is {shown(found)!r}; accepted: names and values")
    known = fields(kind)  # type: ignore[arg-type]  a dataclass, which type[Kind] can't say
    names = [each.name for each in known]
    if unknown := sorted(map(str, found.keys() - set(names))):
        raise MusicError(f"{what} has {shown(unknown[0])!r}; accepted: {', '.join(names)}")
    needed = [each.name for each in known if _default(each) is MISSING]
    if set(needed) - found.keys():
        has = shown(", ".join(found)) or "nothing"
        raise MusicError(f"{what} has {has}; needed: {', '.join(needed)}")
    return kind(**found)


def _default(one: Field) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()
