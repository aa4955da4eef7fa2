"""Every choice that changes the music of a song, as a small file and as the page's address."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from accomp.band.finish import Finish
from accomp.band.options import Options
from accomp.checks import check_names, read_number, read_whole, shown
from accomp.errors import MusicError
from accomp.listen.source import Corrections, SourceMelody
from accomp.music.chord_text import chord_text
from accomp.project.choices import (
    BAND,
    MOST_ADDITIONS,
    SEED,
    VARIATION,
    Blend,
    MelodyRecipe,
    Styles,
    check_kind,
    check_moves,
    check_styles,
)
from accomp.project.plain import from_plain, to_plain

NO_FILE = "this is not a settings file; accepted: a file that this page wrote (.json)"
# In an address these are written as in a file; the others are plain text.
NESTED = ("invented", "continued", "styles", "blend", "explore", "finish")
SWITCHES = ("form", "feel", "second_guitar")  # in an address: True or False
KEPT = ("accomp", "take", "takes", "shown")  # in a file, what is no choice (accomp.project.file)
TEXTS = ("melody", "genre", "chords", "intro")
NUMBERS = ("seed", "variation", "colour", "style_factor")
CORRECTED_NUMBERS = ("tempo", "pace", "downbeat", "later", "track")


@dataclass(frozen=True)
class Settings:
    """All choices for a melody and its band. Checked when they are made.

    Attributes:
        melody: An example's name, else empty: a visitor's own file is not in the settings, nor is
            a style's.
        genre: Whose models play.
        seed: Another seed gives other music.
        variation: How freely the band plays, from 0 to 1.
        chords: As they were typed; empty where they are planned.
        intro: As in Options.
        instruments: Who plays beside the piano.
        corrections: Of the melody as it is in the end.
        invented: How the melody was invented, if it was.
        continued: How the melody was made longer, the earliest first.
        styles: Built-in ones with weights.
        style_factor: How much the styles count, from 0 to 1.
        colour: Of planned chords, from 0 (plain) to 1 (colourful).
        blend: Another band that this one is blended with.
        explore: How far instruments move, as in Sketch.explored.
        form: As in Options.
        feel: As in Options.
        finish: In which tempo, key and sounds it is given out.
        second_guitar: As in Options.
    """

    melody: str = ""
    genre: str = "pop"
    seed: int = 0
    variation: float = 0.0
    chords: str = ""
    intro: Literal["none", "count-in", "bars"] = "none"
    instruments: tuple[str, ...] = BAND
    corrections: Corrections = Corrections()
    invented: MelodyRecipe | None = None
    continued: tuple[MelodyRecipe, ...] = ()
    styles: Styles = ()
    style_factor: float = Options.style_factor
    colour: float = Options.colour
    blend: Blend | None = None
    explore: dict[str, dict[str, float]] = field(default_factory=dict)
    form: bool = True
    feel: bool = True
    finish: Finish = Finish()
    second_guitar: bool = False

    def __post_init__(self):
        check_kind("melody", self.melody, str, "the name of an example")
        check_kind("genre", self.genre, str, "a genre's name")
        check_kind("chords", self.chords, str, "text")
        check_kind("instruments", self.instruments, tuple, ", ".join(BAND))
        check_names(self.instruments, "instrument", BAND)
        SEED.check(self.seed)
        VARIATION.check(self.variation)
        check_styles(self.styles)
        check_moves(self.explore)
        check_kind("finish", self.finish, Finish, "transpose, tempo and programs")
        check_kind("corrections", self.corrections, Corrections, "corrections by name")
        self.corrections.check()
        for name in SWITCHES:
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise MusicError(f"the settings' {name} is {shown(value)}; accepted: true or false")
        self._options()
        if self.invented and self.melody:
            raise MusicError(
                f"the settings name a melody, {shown(self.melody)!r}, and an invented one; "
                "accepted: one of them"
            )
        if len(self.continued) > MOST_ADDITIONS:
            raise MusicError(
                f"the melody was continued {len(self.continued)} times; "
                f"accepted: up to {MOST_ADDITIONS}"
            )

    def options(self, melody: SourceMelody, own_style: Path | None = None) -> Options:
        """Return the options of the band for a melody.

        Args:
            melody: The melody, as these settings' corrections understand it.
            own_style: A song of the visitor's as the style, in place of built-in ones.

        Raises:
            MusicError: The chords can't be read, or there is no such file.
        """
        return replace(
            self._options(),
            key=melody.key,
            melody_track=self.corrections.track,
            chords=self._chords_for(melody),
            styles=own_style or self.styles,
        )

    def _options(self) -> Options:
        """Return the options that need no melody. Raises MusicError where one is out of range."""
        return Options(
            seed=self.seed,
            variation=self.variation,
            colour=self.colour,
            intro=self.intro,
            instruments=self.instruments,
            styles=self.styles,
            style_factor=self.style_factor,
            form=self.form,
            feel=self.feel,
            second_guitar=self.second_guitar,
        )

    def _chords_for(self, melody: SourceMelody) -> str:
        """Return the visitor's chords, else those that the melody was made with, else "planned".

        As text, which leaves out a pickup and moves with an introduction.
        """
        own = ""
        if self.invented or self.continued or melody.gives_chords:
            own = chord_text(melody.score, melody.score.tracks[melody.track])
        return self.chords.strip() or own or "planned"

    def changed(self, **changes) -> "Settings":
        """Return the settings with other choices. Raises MusicError."""
        return replace(self, **changes)

    def corrected(self, **changes) -> "Settings":
        """Return the settings with other corrections of the melody. Raises MusicError."""
        return replace(self, corrections=replace(self.corrections, **changes))

    def to_json(self) -> str:
        """Write all that differs from the defaults, and the genre and the seed in any case."""
        return json.dumps(to_plain(self, always=("genre", "seed")), indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Settings":
        """Read the choices in the text of a file; takes in it are for accomp.project.file.

        Raises:
            MusicError: It is not a settings file, or holds what is not accepted.
        """
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise MusicError(NO_FILE) from error
        if not isinstance(found, dict):
            raise MusicError(NO_FILE)
        return settings_of(found)

    def to_query(self) -> dict[str, str]:
        """Return what `to_json` writes as parameters of an address.

        Corrections are parameters by their own names.
        """
        chosen = to_plain(self, always=("genre", "seed"))
        chosen |= chosen.pop("corrections", {})
        return {
            name: json.dumps(value, separators=(",", ":")) if name in NESTED else _text(value)
            for name, value in chosen.items()
        }

    def to_address(self) -> str:
        """Return the settings as the part of an address after its question mark."""
        return urlencode(self.to_query())

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Settings":
        """Read the parameters of an address. Unknown ones are ignored: others may have added them.

        Raises:
            MusicError: A value is not accepted.
        """
        found: dict[str, Any] = {}
        corrections: dict[str, Any] = {}
        for name, text in query.items():
            if name in TEXTS:
                found[name] = text
            elif name == "instruments":
                found[name] = [each for each in text.split(",") if each]
            elif name in NESTED:
                found[name] = _nested(name, text)
            elif name in NUMBERS:
                found[name] = read_number(text, f"{name} in the page's address")
            elif name in CORRECTED_NUMBERS:
                corrections[name] = read_number(text, f"{name} in the page's address")
            elif name == "meter":
                what = "the meter in the page's address"
                parts = text.split("/")
                corrections[name] = [read_whole(part, what, "such as 3/4") for part in parts]
            elif name == "key":
                corrections[name] = text
            elif name in SWITCHES or name == "keep_doubtful":
                (found if name in SWITCHES else corrections)[name] = text == "True"
        return _read(found | {"corrections": corrections})


def settings_of(found: Mapping[str, Any]) -> Settings:
    """Return the choices among what a file holds, as JSON was read. Raises MusicError."""
    return _read({name: value for name, value in found.items() if name not in KEPT})


def _read(found: dict[str, Any]) -> Settings:
    """Make settings of what JSON holds. Raises MusicError."""
    values = dict(found)
    if "corrections" in found:
        values["corrections"] = _read_corrections(found["corrections"])
    if "invented" in found:
        values["invented"] = _read_recipe(found["invented"], "the settings' invented melody")
    if "continued" in found:
        added = found["continued"]
        if not isinstance(added, list):
            raise MusicError(f"the settings' continued is {shown(added)!r}; accepted: a list")
        what = "an addition of the settings' continued"
        values["continued"] = tuple(_read_recipe(each, what) for each in added)
    if "blend" in found:
        values["blend"] = from_plain(Blend, found["blend"], "the settings' blend")
    if "finish" in found:
        values["finish"] = from_plain(Finish, found["finish"], "the settings' finish")
    if "instruments" in found:
        values["instruments"] = _tuple(found["instruments"])
    if "styles" in found:
        pairs = _tuple(found["styles"])
        values["styles"] = tuple(map(_tuple, pairs)) if isinstance(pairs, tuple) else pairs
    return from_plain(Settings, values, "the settings file")


def _read_recipe(found: Any, what: str) -> MelodyRecipe:
    if isinstance(found, Mapping) and "corrections" in found:
        found = {**found, "corrections": _read_corrections(found["corrections"])}
    return from_plain(MelodyRecipe, found, what)


def _read_corrections(found: Any) -> Corrections:
    if isinstance(found, Mapping) and "meter" in found:
        found = {**found, "meter": _tuple(found["meter"])}
    return from_plain(Corrections, found, "the settings' corrections")


def _tuple(value: Any) -> Any:
    """Return a list as a tuple; anything else, which is refused later, as it is."""
    return tuple(value) if isinstance(value, list) else value


def _nested(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MusicError(
            f"{name} in the page's address is {shown(text)!r}; accepted: as in a settings file"
        ) from error


def _text(value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    is_meter = value and all(type(each) is int for each in value)
    return ("/" if is_meter else ",").join(map(str, value))
