"""Every choice of the page that changes the music, as a small file and as the page's address."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlencode

from accomp.errors import MusicError
from accomp.grid import ACCOMPANIMENT, TRACK_NAMES
from accomp.intake import Corrections
from accomp.opening import INTROS

BAND = tuple(TRACK_NAMES[track] for track in ACCOMPANIMENT)
SEEDS = 2**31 - 1  # the largest: more digits than anyone reads out
LONGEST_TEXT = 20_000  # characters of chords


@dataclass(frozen=True)
class Settings:
    """melody: an example's name, else empty: a visitor's own file is not in the settings."""

    melody: str = ""
    genre: str = "pop"
    seed: int = 0
    variation: float = 0.0
    chords: str = ""
    intro: str = "none"
    instruments: tuple[str, ...] = BAND
    corrections: Corrections = field(default_factory=Corrections)

    def to_json(self) -> str:
        """All that differs from what is usual, and the genre and the seed in any case."""
        usual = Settings()
        chosen = {k: v for k, v in asdict(self).items() if k in ("genre", "seed") or getattr(self, k) != getattr(usual, k)}
        if "corrections" in chosen:
            chosen["corrections"] = {k: v for k, v in chosen["corrections"].items() if v != getattr(usual.corrections, k)}
        return json.dumps(chosen, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Settings":
        """Raises MusicError where it is no settings file or holds what is not accepted."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise MusicError("this is no settings file; accepted: one that this page wrote (.json)") from error
        if not isinstance(found, dict):
            raise MusicError("this is no settings file; accepted: one that this page wrote (.json)")
        corrections = found.pop("corrections", {})
        if not isinstance(corrections, dict):
            raise MusicError(f"the settings' corrections are {corrections!r}; accepted: names and values")
        if isinstance(corrections.get("meter"), list):
            corrections["meter"] = tuple(corrections["meter"])
        if isinstance(found.get("instruments"), list):
            found["instruments"] = tuple(found["instruments"])
        for given, kind in ((found, cls), (corrections, Corrections)):
            unknown = given.keys() - {each.name for each in fields(kind)}
            if unknown:
                raise MusicError(f"the settings hold {sorted(unknown)[0]!r}; accepted: {', '.join(f.name for f in fields(kind))}")
        return _checked(cls(**found, corrections=Corrections(**corrections)))

    def to_query(self) -> dict[str, str]:
        """The same as parameters of an address; corrections by their own names."""
        chosen = json.loads(self.to_json())
        chosen |= chosen.pop("corrections", {})
        return {name: _text(value) for name, value in chosen.items()}

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
            elif name in ("seed", "variation"):
                found[name] = _number(name, text)
            elif name in ("tempo", "pace", "downbeat", "later", "track"):
                corrections[name] = _number(name, text)
            elif name == "meter":
                corrections[name] = [int(part) if part.isdecimal() else part for part in text.split("/")]
            elif name == "key":
                corrections[name] = text
        return cls.from_json(json.dumps(found | {"corrections": corrections}))

    def changed(self, **changes) -> "Settings":
        """Raises MusicError."""
        return _checked(replace(self, **changes))

    def corrected(self, **changes) -> "Settings":
        """With other corrections of the melody. Raises MusicError."""
        return _checked(replace(self, corrections=replace(self.corrections, **changes)))


def _checked(settings: Settings) -> Settings:
    """Raises MusicError. What the music is made of is checked where it is made; here what would not get so far."""
    made = settings.corrections
    for name, value, kind, accepted in (
        ("melody", settings.melody, str, "the name of an example"),
        ("genre", settings.genre, str, "a genre's name"),
        ("chords", settings.chords, str, "text"),
        ("variation", settings.variation, int | float, "0 to 1"),
        ("seed", settings.seed, int, f"0 to {SEEDS}"),
        ("later", made.later, int, "a number of beats"),
        ("track", made.track, int | None, "a track's number"),
        ("downbeat", made.downbeat, int | float | None, "seconds"),
        ("key", made.key, str | None, "such as A minor"),
        ("tempo", made.tempo, int | float | None, "beats a minute"),
        ("pace", made.pace, int | float, "0.25, 0.5, 1, 2 or 4"),
        ("meter", made.meter, tuple | None, "such as 3/4"),
        ("instruments", settings.instruments, tuple, ", ".join(BAND)),
    ):
        if isinstance(value, bool) or not isinstance(value, kind) or isinstance(value, str) and len(value) > LONGEST_TEXT:
            raise MusicError(f"the settings' {name} is {str(value)[:40]!r}; accepted: {accepted}")
    if not 0 <= settings.seed <= SEEDS or not 0 <= settings.variation <= 1:
        raise MusicError(f"seed {settings.seed}, variation {settings.variation:g}; accepted: 0 to {SEEDS}, and 0 to 1")
    if settings.intro not in INTROS:
        raise MusicError(f"introduction {settings.intro!r}; accepted: {', '.join(INTROS)}")
    if not all(name in BAND for name in settings.instruments):
        raise MusicError(f"instruments {', '.join(map(str, settings.instruments))}; accepted: {', '.join(BAND)}")
    if made.meter and (len(made.meter) != 2 or not all(type(part) is int for part in made.meter)):
        raise MusicError(f"meter {made.meter}; accepted: such as 3/4")
    return settings


def _number(name: str, text: str) -> float | int:
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError as error:
        raise MusicError(f"{name} in the page's address is {text!r}; accepted: a number") from error


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "/".join(map(str, value)) if all(type(each) is int for each in value) and value else ",".join(map(str, value))
    return str(value)
