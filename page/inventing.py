"""Melodies that the page makes: invented, or continued from one that was opened. No widgets."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from accomp.errors import MusicError
from accomp.listen.source import Corrections, Source, load_source
from accomp.music.midi import write_midi
from accomp.music.score import Score
from accomp.project.choices import MOST_ADDITIONS, MelodyRecipe
from accomp.project.settings import Settings
from page.files import new_folder
from page.words import say, say_number


class Invent(Protocol):
    """Invent a melody; page.models.invent_melody does."""

    def __call__(self, recipe: MelodyRecipe, /) -> Score: ...  # noqa: D102


class Continue(Protocol):
    """Continue a melody; page.models.lengthen_melody does."""

    def __call__(  # noqa: D102
        self, recipe: MelodyRecipe, score: Score, track: int, key: str | None, /
    ) -> Score: ...


@dataclass
class ContinuedSource(Source):
    """A melody that was made longer.

    Attributes:
        before: The melody as it was.
        added: All bars that were added to what was opened first.
    """

    before: Source | None = None
    added: int = 0


def invented_source(invent: Invent, recipe: MelodyRecipe) -> Source:
    """Invent a melody, as if a file of it had been opened. Raises MusicError."""
    return _as_file(invent(recipe), f"invented_{recipe.genre}_{recipe.seed}")


def continued_source(go_on: Continue, source: Source, recipe: MelodyRecipe) -> ContinuedSource:
    """Continue a melody, as `recipe.corrections` understand it.

    Of a recording only the notes are left.

    Raises:
        MusicError: The melody can't be continued so.
    """
    melody = source.melody(recipe.corrections)
    score = go_on(recipe, melody.score, melody.track, recipe.corrections.key)
    added = recipe.bars + (source.added if isinstance(source, ContinuedSource) else 0)
    whole = _as_file(score, f"{opened_source(source).name}_and_{added}_more_bars")
    return ContinuedSource(whole.name, whole.score, before=source, added=added)


def lengthen(
    go_on: Continue, source: Source, settings: Settings, recipe: MelodyRecipe
) -> tuple[ContinuedSource, Settings]:
    """Continue the melody that is open.

    What was corrected so far is then part of the melody, except its key.

    Args:
        go_on: Makes the melody.
        source: The melody.
        settings: Its settings.
        recipe: How it is continued; its corrections are those of the settings.

    Returns:
        The longer melody and its settings.

    Raises:
        MusicError: It was continued too often, or can't be continued so.
    """
    if len(settings.continued) >= MOST_ADDITIONS:
        raise MusicError(
            f"the melody was continued {MOST_ADDITIONS} times; accepted: up to {MOST_ADDITIONS}"
        )
    recipe = replace(recipe, corrections=settings.corrections)
    after = Corrections(key=settings.corrections.key)
    settings = settings.changed(continued=(*settings.continued, recipe), corrections=after)
    return continued_source(go_on, source, recipe), settings


def shorten(source: Source | None, settings: Settings) -> tuple[Source, Settings]:
    """Remove what was added last; the opposite of `lengthen`. Raises MusicError."""
    before = source.before if isinstance(source, ContinuedSource) else None
    if before is None or not settings.continued:
        raise MusicError("no bars were added to this melody")
    *earlier, last = settings.continued
    return before, settings.changed(continued=tuple(earlier), corrections=last.corrections)


def made_again(
    invent: Invent, go_on: Continue, settings: Settings, base: Source | None
) -> Source | None:
    """Make the melody again that settings describe.

    Args:
        invent: Invents a melody.
        go_on: Continues one.
        settings: How the melody was made.
        base: What was opened, for settings of a melody that was not invented.

    Returns:
        The melody; None where `base` is needed and missing.

    Raises:
        MusicError: It can't be made.
    """
    if settings.invented:
        source = invented_source(invent, settings.invented)
    elif base:
        source = opened_source(base)
    else:
        return None
    for recipe in settings.continued:
        source = continued_source(go_on, source, recipe)
    return source


def opened_source(source: Source) -> Source:
    """Return what was opened, without what was added."""
    while isinstance(source, ContinuedSource) and source.before:
        source = source.before
    return source


def origin(source: Source, settings: Settings) -> str:
    """Say in a sentence how a melody was made here; empty where it was opened."""
    if settings.continued:
        last = settings.continued[-1]
        told = say(
            " The last {bars} bars were added here ({genre}, seed {seed}).",
            bars=last.bars,
            genre=last.genre,
            seed=last.seed,
        )
        if opened_source(source).recording:
            told += say(" Your recording is not played with it: it does not hold the added bars.")
        return told
    if settings.invented:
        made = settings.invented
        return say(
            " Invented here ({genre}, seed {seed}, variation {variation}), with its own chords.",
            genre=made.genre,
            seed=made.seed,
            variation=say_number(made.variation),
        )
    return ""


def write_melody(score: Score, name: str) -> Path:
    """Write a melody to a MIDI file of a name."""
    path = new_folder() / f"{name}.mid"
    write_midi(score, path)
    return path


def _as_file(score: Score, name: str) -> Source:
    """Return a score as a file that was opened."""
    return load_source(write_melody(score, name))
