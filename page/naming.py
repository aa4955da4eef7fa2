"""Names of takes that tell them apart: the melody, the genre, and what differs."""

from collections.abc import Collection, Sequence

from accomp.band.finish import Finish
from accomp.music.instruments import program_name
from accomp.project.choices import BAND
from accomp.project.settings import Settings
from accomp.project.takes import LONGEST_NAME
from accomp.roll.grid import STRINGS, TRACK_NAMES
from accomp.roll.sounding_names import SECOND_GUITAR
from page.player.offered import OFFERED
from page.words import say

EDITED = "_edited"  # at the end of the name of a melody whose notes were edited
MOVED = {  # of an instrument: less, more
    "density": ("sparser {instrument}", "busier {instrument}"),
    "variety": ("{instrument} with fewer pitches", "{instrument} with more pitches"),
    "character": ("{instrument} otherwise", "{instrument} otherwise"),
}
CALLED = {TRACK_NAMES[STRINGS]: SECOND_GUITAR}  # of parts, where a second guitar plays
INTROS = {"count-in": "with count-in", "bars": "with introduction"}


def named(
    melody: str, settings: Settings, others: Collection[str], differs: Sequence[str] = ()
) -> str:
    """Return the name of a take: its melody, its genre, what is special; unlike the others' names.

    Args:
        melody: The melody's name.
        settings: How the take was made.
        others: Names of the other takes.
        differs: What else is special, in words.
    """
    special = ", ".join([*differs, *_special(settings)])
    base = f"{title(melody)} · {settings.genre.capitalize()}"
    name = f"{base}: {special}" if special else base
    if len(name) > LONGEST_NAME - 5:
        name = f"{name[: LONGEST_NAME - 6]}…"
    numbered = (f"{name}, {number}" for number in range(2, len(others) + 3))
    return next(each for each in (name, *numbered) if each not in others)


def remade(
    keep: Collection[str],
    playing: Collection[str],
    bars: tuple[int, int] | None,
    second_guitar: bool = False,
) -> str:
    """Say which part of a take was made anew, such as: bars 3–4 anew, drums kept.

    Args:
        keep: Instruments that stayed.
        playing: All that play.
        bars: The first and the last bar, as the picture numbers them; None for all.
        second_guitar: Whether the strings are one.
    """
    kept = [name for name in BAND if name in keep and name in playing]
    changed = [name for name in playing if name not in kept]
    if second_guitar:
        kept, changed = ([CALLED.get(name, name) for name in each] for each in (kept, changed))
    parts = []
    if bars and bars[0] == bars[1]:
        parts.append(say("bar {number} anew", number=bars[0]))
    elif bars:
        parts.append(say("bars {first}–{last} anew", first=bars[0], last=bars[1]))
    if kept and len(changed) == 1:
        parts.append(say("only {instrument} anew", instrument=say(changed[0])))
    elif kept:
        parts.append(say("{instruments} kept", instruments=_listed(kept)))
    return ", ".join(parts)


def finishes(finish: Finish) -> list[str]:
    """Say in which tempo, key and sounds a take is given out, where they are not its own."""
    found = []
    if finish.transpose:
        found.append(say("{steps} semitones", steps=f"{finish.transpose:+d}".replace("-", "−")))
    if finish.tempo:
        found.append(say("{tempo} beats a minute", tempo=f"{finish.tempo:g}"))
    named = (
        say(OFFERED.get(part, {}).get(program) or program_name(program))
        for part, program in finish.programs.items()
    )
    return [*found, *named]


def title(name: str) -> str:
    """Return the title of a file that is named with underscores."""
    if name.endswith(EDITED):
        return say("{melody} edited", melody=title(name.removesuffix(EDITED)))
    return name.replace("_", " ").capitalize()


def _special(settings: Settings) -> list[str]:
    """Say what is unusual about settings."""
    found = []
    if blend := settings.blend:
        share, genre = f"{100 * blend.amount:.0f}", blend.genre.capitalize()
        found.append(say("{share} % towards {genre}", share=share, genre=genre))
    for instrument, move in settings.explore.items():
        found += [
            say(MOVED[way][amount > 0], instrument=say(instrument)) for way, amount in move.items()
        ]
    if settings.styles:
        names = _listed([name.replace("_", " ") for name, _ in settings.styles])
        found.append(say("like {style}", style=names))
    if settings.chords:
        found.append(say("your chords"))
    elif settings.colour != Settings.colour:
        found.append(
            say("plainer chords" if settings.colour < Settings.colour else "richer chords")
        )
    if settings.intro in INTROS:
        found.append(say(INTROS[settings.intro]))
    if settings.second_guitar and TRACK_NAMES[STRINGS] in settings.instruments:
        found.append(say("with a second guitar"))
    if missing := [name for name in BAND if name not in settings.instruments]:
        found.append(say("without {instruments}", instruments=_listed(missing)))
    return found


def _listed(words: Sequence[str]) -> str:
    """Return words as one phrase: a, b and c."""
    *first, last = map(say, words)
    return f"{', '.join(first)}{say(' and ')}{last}" if first else last
