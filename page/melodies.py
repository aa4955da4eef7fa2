"""Handlers of the page's events about melodies and settings: opened, corrected, invented."""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from accomp.listen.source import Corrections, Source, corrected, load_source
from accomp.listen.transcribe import Click
from accomp.project.choices import MelodyRecipe
from accomp.project.settings import Settings
from accomp.suggest import suggest
from page import inventing, models, playing_in, studio, views, visits
from page.messages import NO_MELODY, errors_shown, refuse, tell, warn
from page.recorder import RECORDING_FILE, PlayedMelody, read_recording
from page.views import MelodyView
from page.words import say

ROOT = Path(__file__).parents[1]
EXAMPLES = {path.stem: str(path) for path in sorted((ROOT / "examples").glob("*.mid"))}
FIRST_EXAMPLE = "ode_to_joy"  # which is open at first
RANDOM_SEEDS = 1000  # seeds that are drawn are below it, so that people can read them out


def random_seed() -> int:
    """Draw a seed."""
    return random.randrange(RANDOM_SEEDS)


# A melody that is opened


# What empties a widget opens nothing, and does not count as a newer melody: see page.visits.


def open_file(paths: list[str] | str | None) -> MelodyView:
    """Open a MIDI file or a recording, also an example; a cleared box changes nothing."""
    path, *others = [paths] if isinstance(paths, str) else paths or [""]
    if not path:
        return views.unchanged(MelodyView)
    if others:
        warn("One melody at a time: {name} is opened, the others are not.", name=Path(path).name)
    name = Path(path).stem
    is_example = name in EXAMPLES and Path(EXAMPLES[name]).read_bytes() == Path(path).read_bytes()
    return _opened(path, Settings(melody=name if is_example else ""))


def open_example(name: str | None) -> MelodyView:
    """Open an example by its name."""
    if name not in EXAMPLES:
        return views.unchanged(MelodyView)
    return _opened(EXAMPLES[name], Settings(melody=name))


@visits.opens
def open_recorded(value: dict | None) -> MelodyView:
    """Open what was sung, freely or to the page's click, or played on a keyboard."""
    try:
        recording = read_recording(value)
    except ValueError as error:
        raise refuse(str(error)) from error
    if isinstance(recording, PlayedMelody):
        with errors_shown():
            source = visits.current().watched(lambda: playing_in.played_source(recording))
            return views.opened(source, Settings())
    is_free = isinstance(recording, str)
    path = recording if is_free else recording.path
    click = None if is_free else Click(recording.tempo, recording.first, recording.meter)
    named = studio.named_recording(path)
    if Path(path).name == RECORDING_FILE:
        # Gradio forgets such files; other names are not the recorder's to remove.
        Path(path).unlink()
    return _opened(named, Settings(), click)


@visits.opens
def _opened(path: str, settings: Settings, click: Click | None = None) -> MelodyView:
    with errors_shown():
        source = visits.current().watched(lambda: load_source(path, click, anyway=True))
        return views.opened(source, settings)


# Corrections


def correct_key(source: Source | None, settings: Settings, key: str) -> MelodyView:
    """Set the key."""
    return _corrected(source, settings, lambda _: {"key": key})


def correct_meter(source: Source | None, settings: Settings, meter: str) -> MelodyView:
    """Set the metre, such as "3/4"."""
    numerator, denominator = meter.split("/")
    meter_pair = (int(numerator), int(denominator))
    return _corrected(source, settings, lambda _: {"meter": meter_pair})


def correct_tempo(source: Source | None, settings: Settings, tempo: float) -> MelodyView:
    """Set the beats per minute."""
    return _corrected(source, settings, lambda _: {"tempo": tempo})


def correct_track(source: Source | None, settings: Settings, track: int) -> MelodyView:
    """Set the melody's track."""
    return _corrected(source, settings, lambda _: {"track": track})


def scale_tempo(factor: float) -> Callable[[Source | None, Settings], MelodyView]:
    """Return a handler that counts twice or half as many beats. A typed tempo goes with them."""

    def scaled(now: Corrections) -> dict[str, Any]:
        return {"pace": now.pace * factor, "tempo": now.tempo and now.tempo * factor}

    def handle(source: Source | None, settings: Settings) -> MelodyView:
        return _corrected(source, settings, scaled)

    return handle


def move_bar_lines(beats: int) -> Callable[[Source | None, Settings], MelodyView]:
    """Return a handler that moves the bar lines later, or earlier where `beats` is negative."""

    def handle(source: Source | None, settings: Settings) -> MelodyView:
        return _corrected(source, settings, lambda now: {"later": now.later + beats})

    return handle


def count_as(source: Source | None, settings: Settings, number: int | None) -> MelodyView:
    """Count a recording in one of the ways that views.understood shows."""

    def chosen(now: Corrections) -> dict[str, Any]:
        countings = source.countings(now) if source else []
        if number is None or not 0 <= number < len(countings):
            raise refuse("There is no such way of counting it.")
        counted = corrected(now, countings[number])
        names = ("tempo", "pace", "meter", "downbeat", "later")
        return {name: getattr(counted, name) for name in names}

    return _corrected(source, settings, chosen)


def tidy_up(source: Source | None, settings: Settings, tidy: bool) -> MelodyView:
    """Leave short doubtful notes of a recording out, or keep them."""
    return _corrected(source, settings, lambda _: {"keep_doubtful": not tidy})


def _corrected(
    source: Source | None, settings: Settings, change: Callable[[Corrections], dict[str, Any]]
) -> MelodyView:
    """Correct the melody that is open: one press goes on from the one before."""
    visit, pressed = visits.current(), time.monotonic()
    with visit.correcting():
        source, settings = visit.melody(pressed, source, settings)
        if source is None:
            raise refuse(visits.missing(NO_MELODY))
        with errors_shown():
            changes = change(settings.corrections)
            if {"tempo", "pace"} & changes.keys():  # it is the tempo to be heard, too
                settings = settings.changed(finish=replace(settings.finish, tempo=None))
            view = views.understood(source, settings.corrected(**changes))
    return view._replace(source=gr.skip())


def suggest_genre(source: Source | None, settings: Settings) -> str:
    """Return the genre that fits the melody best, of those that are served."""
    if source is None:
        raise refuse(visits.missing(NO_MELODY))
    melody = source.melody(settings.corrections)
    likely = suggest(melody.score, melody.track, models.GENRES)
    if not likely:
        served = ", ".join(models.GENRES)
        raise refuse("No suggestion: nothing is known of the genres {served}.", served=served)
    best = say(" or ").join(name.capitalize() for name, _ in likely[:2])
    tell("{best} would fit; the others are worth a try, too.", best=best)
    return likely[0][0]


def melody_of(settings: Settings, source: Source | None = None) -> Source | None:
    """Return the melody of settings: an example, an invented one, or the one that is open.

    Raises:
        gr.Error or MusicError: The melody can't be made.
    """
    if settings.melody in EXAMPLES:
        source = load_source(EXAMPLES[settings.melody])
    recipes = [*filter(None, [settings.invented]), *settings.continued]
    if settings.invented or source:
        for recipe in recipes:
            models.check_genre(recipe.genre)
    return inventing.made_again(models.invent_melody, models.lengthen_melody, settings, source)


# Melodies that are made here. What is in the box of chords was for another melody, so that it is
# emptied: the first value is the box's.


@visits.opens
def invent_with_seed(genre: str, bars: float, seed: float | None, variation: float) -> tuple:
    """Invent a melody with its own chords.

    Args:
        genre: Whose models invent it.
        bars: Its length.
        seed: Another one gives another melody.
        variation: From 0 (predictable) to 1.5 (unusual).

    Returns:
        The chords that are typed, and the MelodyView.
    """
    models.check_genre(genre)
    with errors_shown():
        recipe = MelodyRecipe(genre, int(bars), int(seed or 0), float(variation))
        settings = Settings(invented=recipe, genre=genre)
        source = inventing.invented_source(models.invent_melody, recipe)
        return "", *views.opened(source, settings)


@visits.opens
def invent_random(genre: str, bars: float, variation: float) -> tuple:
    """Invent a melody with a random seed, which is returned first."""
    seed = random_seed()
    return seed, *invent_with_seed(genre, bars, seed, variation)


def lengthen(
    source: Source | None, settings: Settings, genre: str, bars: float, chords: str | None
) -> tuple:
    """Continue the melody that is open.

    Chords that were typed become the melody's own, and those of the new bars follow them.

    Args:
        source: The melody.
        settings: Its settings.
        genre: Whose models continue it.
        bars: How many are added.
        chords: As they were typed.

    Returns:
        The chords that are typed, and the MelodyView.
    """
    visit, pressed = visits.current(), time.monotonic()
    with visit.correcting(), errors_shown():
        source, settings = visit.melody(pressed, source, settings)
        if source is None:
            raise refuse(visits.missing(NO_MELODY))
        models.check_genre(genre)
        typed = (chords or "").strip()
        recipe = MelodyRecipe(genre, int(bars), random_seed(), chords=typed)
        longer = inventing.lengthen(models.lengthen_melody, source, settings, recipe)
        if typed:
            tell("Your chords are now the melody's own; those of the new bars follow them.")
        return "", *views.opened(*longer)


def shorten(source: Source | None, settings: Settings) -> tuple:
    """Remove the bars that were added last; the chords that were typed for the melody return."""
    visit, pressed = visits.current(), time.monotonic()
    with visit.correcting(), errors_shown():
        source, settings = visit.melody(pressed, source, settings)
        before = inventing.shorten(source, settings)
        return settings.continued[-1].chords or gr.skip(), *views.opened(*before)
