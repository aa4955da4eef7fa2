"""Handlers of the list of takes: choose, name, star and delete them, go back and forth."""

import gradio as gr

from accomp.listen.source import Source
from accomp.project.settings import Settings
from accomp.project.takes import LONGEST_NAME
from page import asked, reworking, studio, views, visits
from page.messages import NO_TAKE, plain, refuse
from page.naming import title
from page.seen import Seen
from page.studio import Take
from page.views import ListView, TakeView
from page.words import say


def listed(takes: list[Take], number: int | None, seen: Seen, gone: Take | None) -> ListView:
    """List the takes, and keep them in the browser.

    Args:
        takes: All takes.
        number: The one that is shown.
        seen: What was looked at before.
        gone: The take that was deleted last.
    """
    numbers = [each.number for each in takes]
    seen = seen.among(numbers)
    shown = studio.find(takes, number)
    if shown:
        seen = seen.then(shown.number, shown.settings.finish)
    visible = [each for each in takes if each is shown or not each.is_step]
    rows = [
        {
            "number": each.number,
            "title": each.label,
            "detail": each.detail,
            "starred": each.starred,
        }
        for each in visible
    ]
    value = {
        "takes": rows,
        "shown": number,
        "earlier": seen.has_earlier,
        "later": seen.has_later,
        "gone": gone.label if gone else "",
    }
    kept = {
        "takes": [each.packed for each in visible],
        "shown": next((i for i, each in enumerate(visible) if each is shown), None),
    }
    return ListView(seen, gone, value, kept, shown.address if shown else "")


def choose(takes: list[Take], event: gr.EventData) -> TakeView:
    """Show the take that was pressed."""
    return views.choose(takes, asked.whole(event, "number"))


def undo(takes: list[Take], seen: Seen) -> tuple:
    """Show what was seen before: what was seen, then the TakeView."""
    return _stepped(takes, seen, -1)


def redo(takes: list[Take], seen: Seen) -> tuple:
    """Show what was seen before the last undo: what was seen, then the TakeView."""
    return _stepped(takes, seen, 1)


def rename(takes: list[Take], event: gr.EventData) -> list[Take]:
    """Give a take the name that was typed; an empty one changes nothing."""
    take = studio.find(takes, asked.whole(event, "number"))
    name = " ".join(str(getattr(event, "title", "")).split())[:LONGEST_NAME]
    if take and name:
        take.title = name
    return takes


def star(takes: list[Take], event: gr.EventData) -> list[Take]:
    """Star a take, or take the star away."""
    take = studio.find(takes, asked.whole(event, "number"))
    if take:
        take.starred = not take.starred
    return takes


def delete(
    takes: list[Take],
    number: int | None,
    source: Source | None,
    settings: Settings,
    event: gr.EventData,
) -> tuple:
    """Delete a take; where it was shown, the one beside it is, and after the last one the melody.

    Args:
        takes: All takes.
        number: The one that is shown.
        source: The melody that is open.
        settings: Its settings.
        event: Holds the number of the take.

    Returns:
        The take that is gone, and the TakeView.
    """
    gone = asked.take_of(takes, asked.whole(event, "number"))
    left = [each for each in takes if each is not gone]
    if gone.number != number:
        return gone, *views.unchanged(TakeView)._replace(takes=left)
    beside = [each for each in left if not each.is_step] or left
    if beside:
        before = sum(each.number < gone.number for each in beside)
        return gone, *views.shown(beside[min(before, len(beside) - 1)], left)
    view = views.unchanged(TakeView)._replace(takes=[], number=None, files=None)
    if source is not None:
        view = view._replace(
            player=studio.melody_view(source.melody(settings.corrections), settings.finish)
        )
    return gone, *view


def bring_back(takes: list[Take], gone: Take | None) -> tuple:
    """Bring back the take that was deleted last: nothing is gone then, and the TakeView."""
    if gone is None:
        raise refuse(visits.missing(NO_TAKE))
    takes = sorted([*takes, gone], key=lambda take: take.number)
    return None, *views.shown(gone, reworking.kept(takes, gone))


def notice(takes: list[Take], number: int | None, source: Source | None, settings: Settings) -> str:
    """Say where the take that is shown is not of the melody that is open; else nothing.

    Args:
        takes: All takes.
        number: The one that is shown.
        source: The melody that is open.
        settings: Its settings.
    """
    take = studio.find(takes, number)
    if take is None or source is None:
        return ""
    melody = source.melody(settings.corrections)
    if studio.lead_notes(melody) == studio.lead_notes(take.melody):
        return ""
    return say(
        "The take {take} is of another melody. To hear a band with {melody}, press *Play it with "
        "a band*.",
        take=plain(take.label),
        melody=plain(title(melody.name)),
    )


def _stepped(takes: list[Take], seen: Seen, step: int) -> tuple:
    seen = seen.among([each.number for each in takes]).moved(step)
    take = studio.find(takes, seen.number)
    if take is None:
        return seen, *views.unchanged(TakeView)
    take.give_out(seen.finish)
    return seen, *views.shown(take, takes)
