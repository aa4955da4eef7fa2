"""Handlers of the player's events that change how a take is given out: tempo, key, sounds."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from accomp.band.finish import Finish
from accomp.listen.source import Source
from accomp.project.settings import Settings
from accomp.roll.grid import STRINGS, TRACK_NAMES
from page import asked, studio, views, visits
from page.messages import errors_shown
from page.studio import Take
from page.views import TakeView

_one_at_a_time = threading.Lock()


def set_pace(
    takes: list[Take],
    number: int | None,
    source: Source | None,
    settings: Settings,
    event: gr.EventData,
) -> tuple:
    """Give the song that the player shows the tempo and key that were chosen there.

    Args:
        takes: All takes.
        number: The one that is shown last.
        source: The melody that is open.
        settings: Its settings.
        event: Holds the `id` of the player's song, `tempo` (None for its own) and `transpose`.

    Returns:
        The melody's settings, which later takes go by, and the TakeView.
    """

    def change(finish: Finish) -> Finish:
        return replace(
            finish, tempo=asked.number(event, "tempo"), transpose=asked.number(event, "transpose")
        )

    return _given_out(takes, number, source, settings, event, change)


def set_sound(
    takes: list[Take],
    number: int | None,
    source: Source | None,
    settings: Settings,
    event: gr.EventData,
) -> tuple:
    """Give a part of the song that the player shows another sound.

    Args:
        takes: All takes.
        number: The one that is shown last.
        source: The melody that is open.
        settings: Its settings.
        event: Holds the `id` of the player's song, the `track` and its `program`.

    Returns:
        The melody's settings, which later takes go by, and the TakeView.
    """

    def change(finish: Finish) -> Finish:
        chosen = {str(getattr(event, "track", "")): asked.number(event, "program")}
        return replace(finish, programs={**finish.programs, **chosen})

    return _given_out(takes, number, source, settings, event, change)


def as_shown(settings: Settings, takes: list[Take], source: Source | None) -> Settings:
    """Return settings for a new take, in the tempo, key and sounds of the one that is shown.

    A band of another genre has its own sounds; the lead keeps the one that was chosen. A second
    guitar does not get that of the strings, nor they its.

    Args:
        settings: Of the new take.
        takes: All takes.
        source: The new take's melody.
    """
    shown = next((each for each in takes if each.is_shown), None)
    if shown is None or source is None:
        return settings
    melody = source.melody(settings.corrections)
    if studio.lead_notes(melody) != studio.lead_notes(shown.melody):
        return settings
    finish, was = shown.settings.finish, shown.settings
    programs = dict(finish.programs)
    if settings.genre != was.genre:
        programs = {part: each for part, each in programs.items() if part == studio.LEAD}
    if settings.second_guitar != was.second_guitar:
        programs.pop(TRACK_NAMES[STRINGS], None)
    finish = replace(finish, programs=programs)
    return settings.changed(finish=finish)


def _given_out(
    takes: list[Take],
    number: int | None,
    source: Source | None,
    settings: Settings,
    event: Any,
    change: Callable[[Finish], Finish],
) -> tuple:
    take = studio.find(takes, number)
    with errors_shown():
        # Two changes in a row: the second one comes from a player that does not know the first yet.
        if take and take.is_in_player(getattr(event, "id", None)):
            with _one_at_a_time:  # or one of two changes would be lost
                take.give_out(change(take.settings.finish))
            return gr.skip(), *views.refreshed(take, takes)
        settings = settings.changed(finish=change(settings.finish))
    view = views.unchanged(TakeView)
    if source is not None:
        visits.current().note_melody(source, settings)
        melody = source.melody(settings.corrections)
        view = view._replace(player=studio.melody_view(melody, settings.finish))
    return settings, *view
