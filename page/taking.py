"""Handlers of the page's events that make takes: new, remade in part, or near another one."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from accomp.listen.source import Source
from accomp.project.choices import BAND, SEED
from accomp.project.settings import Settings
from page import asked, finishing, models, moves, reworking, studio, views, visits
from page.forms import BandForm
from page.messages import NO_MELODY, NOBODY, errors_shown, refuse, tell
from page.studio import Remake, Take
from page.views import EVERYTHING, TakeView


def generate(
    source: Source | None, settings: Settings, takes: list[Take], own_style: str | None, *form: Any
) -> TakeView:
    """Make a take. The latest one is shown again where it was made of the same.

    Args:
        source: The melody.
        settings: Its settings.
        takes: The earlier takes.
        own_style: File of the visitor's own style.
        *form: The values of a BandForm.
    """

    def work(source: Source | None, settings: Settings, takes: list[Take]) -> TakeView:
        settings = finishing.as_shown(
            BandForm(*form).applied_to(settings, own_style), takes, source
        )
        if source and takes and _is_of(takes[-1], source, settings, own_style):
            return views.shown(takes[-1], takes)
        return added(make(source, settings, takes, own_style), takes)

    return visits.current().made_for(source, settings, takes, work)


def another(
    source: Source | None, settings: Settings, takes: list[Take], own_style: str | None, *form: Any
) -> TakeView:
    """Make a take as `generate` does, with a seed that was not heard yet."""
    choices = BandForm(*form)
    seed = next_seed(takes) if takes else choices.seed
    return generate(source, settings, takes, own_style, *choices._replace(seed=seed))


def three(
    source: Source | None, settings: Settings, takes: list[Take], own_style: str | None, *form: Any
) -> TakeView:
    """Make three takes with seeds one after another, and show the first.

    Args:
        source: The melody.
        settings: Its settings.
        takes: The earlier takes.
        own_style: File of the visitor's own style.
        *form: The values of a BandForm.
    """

    def work(source: Source | None, settings: Settings, takes: list[Take]) -> TakeView:
        settings = BandForm(*form).applied_to(settings, own_style).changed(blend=None, explore={})
        settings = finishing.as_shown(settings, takes, source)
        made: list[Take] = []
        for number in range(3):
            seed = _wrapped(settings.seed + number)
            known = [*takes, *made]
            made.append(make(source, settings.changed(seed=seed), known, own_style))
        for take in made:
            visits.current().note_take(take)
        return views.shown(made[0], reworking.kept([*takes, *made], made[0]), play=True)

    return visits.current().made_for(source, settings, takes, work)


def remake(
    number: int | None,
    selection: dict[str, Any],
    what: str,
    source: Source | None,
    settings: Settings,
    takes: list[Take],
    own_style: str | None,
    *form: Any,
) -> TakeView:
    """Remake a part of the take that is shown, as the form says, with the next seed.

    What is locked and what lies outside of the selected bars stays.

    Args:
        number: The take that is shown.
        selection: The player's locked tracks and selected bars.
        what: EVERYTHING, or the one instrument that is remade.
        source: The melody.
        settings: Its settings.
        takes: The earlier takes.
        own_style: File of the visitor's own style.
        *form: The values of a BandForm.
    """
    with asked.at_work_on(takes, number) as (takes, base):
        settings = BandForm(*form).applied_to(settings, own_style)
        seed = next_seed(takes)
        finish = base.settings.finish
        settings = settings.changed(seed=seed, blend=None, explore={}, finish=finish)
        others = [name for name in BAND if name != what]
        keep = selection["locked"] if what == EVERYTHING else others
        part = Remake(base, keep, selection["bars"])
        return added(make(source, settings, takes, own_style, part), takes)


def blend(takes: list[Take], number: int | None, other: int | None, amount: float) -> TakeView:
    """Make a blend of two takes.

    Args:
        takes: All takes.
        number: The take that is shown.
        other: The other take.
        amount: From 0 (the take that is shown) to 1 (the other).
    """
    other_take = studio.find(takes, other)
    return _made_near(takes, number, lambda take: moves.blended(take, other_take, amount))


def explore(takes: list[Take], number: int | None, instrument: str, *amounts: float) -> TakeView:
    """Make the take that is shown with an instrument moved by `amounts` in DIRECTIONS."""
    return _made_near(takes, number, lambda take: moves.moved(take, instrument, amounts))


def reset_moves(takes: list[Take], number: int | None) -> TakeView:
    """Make the take that is shown with no instrument moved."""
    return _made_near(takes, number, lambda take: take.settings.changed(explore={}))


def make(
    source: Source | None,
    settings: Settings,
    takes: list[Take],
    own_style: str | None = None,
    part: Remake | None = None,
) -> Take:
    """Make a take.

    Args:
        source: The melody.
        settings: All choices.
        takes: The earlier takes.
        own_style: File of the visitor's own style.
        part: Which part of an earlier take is remade.

    Raises:
        gr.Error: There is no melody, or the words of a MusicError.
    """
    if source is None:
        raise refuse(visits.missing(NO_MELODY))
    if not settings.instruments:
        raise refuse(NOBODY)
    style = Path(own_style) if own_style else None

    def work() -> Take:
        melody = source.melody(settings.corrections)
        return studio.make(models.play, melody, settings, takes, part, style)

    return played(settings, work)


def _made_near(
    takes: list[Take], number: int | None, change: Callable[[Take], Settings]
) -> TakeView:
    """Make a take for the melody of the one that is shown, whatever melody is open by now.

    Where `change` changes nothing that one is shown.
    """
    with asked.at_work_on(takes, number) as (takes, take):
        with errors_shown():
            settings = change(take)
        if settings == take.settings:
            return views.unchanged(TakeView)

        def work() -> Take:
            return studio.make(models.play, take.melody, settings, takes, style=take.style)

        return added(played(settings, work), takes)


def played(settings: Settings, work: Callable[[], Take], told: Collection[str] = ()) -> Take:
    """Return what `work` makes; the models are loaded before. Errors and notices are shown.

    Args:
        settings: Name the genres.
        work: Makes it.
        told: Notices that were shown before.
    """
    for genre in [settings.genre, *([settings.blend.genre] if settings.blend else [])]:
        models.check_genre(genre)
    with errors_shown():
        take = visits.current().watched(work)
    sung = take.melody.transcription is not None  # then they are shown with the melody
    known = [*told, *(take.melody.score.notices if sung else [])]
    for notice in take.song.notices:
        if notice not in known:
            tell(notice)
    return take


def added(take: Take, takes: list[Take]) -> TakeView:
    """Show a new take; the oldest are dropped."""
    visits.current().note_take(take)
    return views.shown(take, reworking.kept([*takes, take], take), play=True)


def _is_of(take: Take, source: Source, settings: Settings, own_style: str | None) -> bool:
    """Tell whether a take was made of the same melody and choices."""
    if take.is_retake or take.settings != settings or take.style != (own_style and Path(own_style)):
        return False
    with errors_shown():
        melody = source.melody(settings.corrections)
    of = take.melody
    return (of.name, of.track, of.score) == (melody.name, melody.track, melody.score)


def next_seed(takes: list[Take]) -> int:
    """Return a seed that was not heard yet."""
    return _wrapped(studio.last_seed(takes) + 1)


def _wrapped(seed: int) -> int:
    """Return a seed that the page accepts: after the last one comes 0."""
    return seed % (int(SEED.high) + 1)
