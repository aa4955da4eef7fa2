"""Every choice of the page that changes the music, as a small file and as the page's address."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlencode

from accomp.errors import MusicError
from accomp.listen.source import Corrections
from page.choices import BAND, Blend, Making, checked, read, shortened

NO_FILE = "this is no settings file; accepted: one that this page wrote (.json)"
NESTED = (
    "invented",
    "continued",
    "styles",
    "blend",
    "explore",
)  # in an address they are written as in a file


@dataclass(frozen=True)
class Settings:
    """melody: an example's name, else empty: a visitor's own file is not in the settings, nor is a style's; invented: the melody
    that was made here; continued: how it, or the other one, was made longer, the earliest first; corrections: of the outcome;
    styles: built-in ones with weights; explore: as in accomp.sketch.Sketch.explored.
    """

    melody: str = ""
    genre: str = "pop"
    seed: int = 0
    variation: float = 0.0
    chords: str = ""
    intro: str = "none"
    instruments: tuple[str, ...] = BAND
    corrections: Corrections = field(default_factory=Corrections)
    invented: Making | None = None
    continued: tuple[Making, ...] = ()
    styles: tuple[tuple[str, float], ...] = ()
    style_factor: float = 0.5
    blend: Blend | None = None
    explore: dict[str, dict[str, float]] = field(default_factory=dict)

    def to_json(self) -> str:
        """All that differs from what is usual, and the genre and the seed in any case."""
        usual = Settings()
        chosen = {
            name: _plain(value)
            for name in (each.name for each in fields(self))
            if (value := getattr(self, name)) != getattr(usual, name) or name in ("genre", "seed")
        }
        return json.dumps(chosen, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Settings":
        """Raises MusicError where it is no settings file or holds what is not accepted."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise MusicError(NO_FILE) from error
        if not isinstance(found, dict):
            raise MusicError(NO_FILE)
        if isinstance(found.get("instruments"), list):
            found["instruments"] = tuple(found["instruments"])
        if isinstance(found.get("styles"), list):
            found["styles"] = tuple(
                tuple(pair) if isinstance(pair, list) else pair for pair in found["styles"]
            )
        for name, kind in (("corrections", Corrections), ("invented", Making), ("blend", Blend)):
            if name in found:
                found[name] = read(kind, found[name], name)
        if "continued" in found:
            if not isinstance(found["continued"], list):
                raise MusicError(
                    f"the settings' continued is {str(found['continued'])[:40]!r}; accepted: a list"
                )
            found["continued"] = tuple(
                read(Making, each, "continued") for each in found["continued"]
            )
        if unknown := found.keys() - {each.name for each in fields(cls)}:
            raise MusicError(
                f"the settings hold {sorted(unknown)[0]!r}; accepted: {', '.join(f.name for f in fields(cls))}"
            )
        return checked(cls(**found))

    def to_query(self) -> dict[str, str]:
        """The same as parameters of an address; corrections by their own names."""
        chosen = json.loads(self.to_json())
        chosen |= chosen.pop("corrections", {})
        return {
            name: json.dumps(value, separators=(",", ":")) if name in NESTED else _text(value)
            for name, value in chosen.items()
        }

    def to_address(self) -> str:
        return urlencode(self.to_query())

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Settings":
        """Of parameters that are not known nothing is said: others may have put them there. Raises MusicError."""
        found: dict[str, Any] = {}
        corrections: dict[str, Any] = {}
        for name, text in query.items():
            if name in ("melody", "genre", "chords", "intro"):
                found[name] = text
            elif name == "instruments":
                found[name] = [each for each in text.split(",") if each]
            elif name in NESTED:
                found[name] = _nested(name, text)
            elif name in ("seed", "variation", "style_factor"):
                found[name] = _number(name, text)
            elif name in ("tempo", "pace", "downbeat", "later", "track"):
                corrections[name] = _number(name, text)
            elif name == "meter":
                corrections[name] = [
                    int(part) if part.isdecimal() else part for part in text.split("/")
                ]
            elif name == "key":
                corrections[name] = text
        return cls.from_json(json.dumps(found | {"corrections": corrections}))

    def changed(self, **changes) -> "Settings":
        """Raises MusicError."""
        return checked(replace(self, **changes))

    def corrected(self, **changes) -> "Settings":
        """With other corrections of the melody. Raises MusicError."""
        return checked(replace(self, corrections=replace(self.corrections, **changes)))

    @property
    def own_chords(self) -> bool:
        """Whether the melody was made with chords, which its band plays."""
        return bool(self.invented or self.continued)


def _plain(value: Any) -> Any:
    """A choice as JSON holds it, without what is usual."""
    if isinstance(value, (Corrections, Making, Blend)):
        return shortened(value)
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _nested(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MusicError(
            f"{name} in the page's address is {text[:40]!r}; accepted: as in a settings file"
        ) from error


def _number(name: str, text: str) -> float | int:
    try:
        return int(text) if text.lstrip("-").isdecimal() else float(text)
    except ValueError as error:
        raise MusicError(f"{name} in the page's address is {text!r}; accepted: a number") from error


def _text(value: Any) -> str:
    if isinstance(value, list):
        return (
            "/".join(map(str, value))
            if all(type(each) is int for each in value) and value
            else ",".join(map(str, value))
        )
    return str(value)
