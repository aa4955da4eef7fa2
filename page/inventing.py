"""Melodies that are made here: invented from nothing, or going on where what was brought ends. No widgets."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from accomp.errors import MusicError
from accomp.listen.source import Corrections, Source, SourceMelody, load_source
from accomp.music.chord_text import chord_text
from accomp.music.midi import write_midi
from accomp.music.score import Score
from page.choices import MOST_MADE, Making
from page.files import new_folder
from page.settings import Settings

Invent = Callable[[Making], Score]
GoOn = Callable[
    [Making, Score, int, str | None], Score
]  # of a score, its melody's index and, where it was said, its key


@dataclass
class Longer(Source):
    """A melody that goes on. before: the one that it was; added: all bars that were added to what was brought."""

    before: Source | None = None
    added: int = 0


def invented(invent: Invent, making: Making) -> Source:
    """Raises MusicError."""
    return _brought(invent(making), f"invented_{making.genre}_{making.seed}")


def continued(go_on: GoOn, material: Source, making: Making) -> Longer:
    """The melody, as `making.corrections` say it is understood, and what comes after it; of a recording, its notes alone. Raises
    MusicError.
    """
    melody = material.melody(making.corrections)
    score = go_on(making, melody.score, melody.track, making.corrections.key)
    added = making.bars + (material.added if isinstance(material, Longer) else 0)
    whole = _brought(score, f"{original(material).name}_and_{added}_more_bars")
    return Longer(whole.name, whole.score, before=material, added=added)


def longer(
    go_on: GoOn, material: Source, settings: Settings, making: Making
) -> tuple[Longer, Settings]:
    """The melody that is open goes on, and the settings that say so. What was corrected so far is then part of the melody, but
    for its key. Raises MusicError.
    """
    if len(settings.continued) >= MOST_MADE:
        raise MusicError(f"the melody went on {MOST_MADE} times already; accepted: up to that")
    making = replace(making, corrections=settings.corrections)
    after = Corrections(key=settings.corrections.key)
    settings = settings.changed(continued=(*settings.continued, making), corrections=after)
    return continued(go_on, material, making), settings


def shorter(material: Source | None, settings: Settings) -> tuple[Source, Settings]:
    """The opposite of `longer`. Raises MusicError."""
    if not isinstance(material, Longer) or material.before is None or not settings.continued:
        raise MusicError("nothing was added to this melody")
    *earlier, last = settings.continued
    return material.before, settings.changed(continued=tuple(earlier), corrections=last.corrections)


def made_again(
    invent: Invent, go_on: GoOn, settings: Settings, base: Source | None
) -> Source | None:
    """The melody that settings say was made here. base: what was brought, for settings that don't hold the beginning; the outcome
    is None where that is needed and missing. Raises MusicError.
    """
    material = invented(invent, settings.invented) if settings.invented else original(base)
    for making in settings.continued if material else ():
        material = continued(go_on, material, making)
    return material


def original(material: Source | None) -> Source | None:
    """What was brought, without what was added."""
    while isinstance(material, Longer):
        material = material.before
    return material


def chords_of(melody: SourceMelody, settings: Settings) -> str:
    """What the band shall play: the visitor's chords, or those that the melody was made with, else "planned".
    As text, which an introduction does not shift.
    """
    own = chord_text(melody.score, melody.score.tracks[melody.track]) if settings.own_chords else ""
    return settings.chords.strip() or own or "planned"


def told(material: Source, settings: Settings) -> str:
    """What to say of a melody that was made here."""
    if settings.continued:
        last = settings.continued[-1]
        lost = getattr(original(material), "recording", None)
        without = (
            " Your recording is not played under it: what was added has nobody's voice."
            if lost
            else ""
        )
        return (
            f" The last {last.bars} bars were added here ({last.genre}, seed {last.seed}).{without}"
        )
    if settings.invented:
        made = settings.invented
        return f" Invented here ({made.genre}, seed {made.seed}, variation {made.variation:g}), with chords of its own."
    return ""


def file_of(material: Source) -> Path:
    """A MIDI file of its melody."""
    path = new_folder() / f"{material.name}.mid"
    write_midi(material.score, path)
    return path


def _brought(score: Score, name: str) -> Source:
    """As a file that was opened."""
    return load_source(file_of(Source(name, score)))
