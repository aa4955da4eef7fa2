"""Handlers of the page's events that open it: an address, what the browser kept, settings files."""

from typing import Any, NamedTuple

import gradio as gr

from accomp.errors import MusicError
from accomp.listen.source import Source, load_source
from accomp.project.file import Project, read_project
from accomp.project.settings import Settings
from page import melodies, reworking, studio, views, visits
from page.forms import BandForm
from page.limits import LIMITS
from page.messages import Refusal, errors_shown, warn
from page.studio import Take
from page.views import MelodyView, TakeView

TAKE = "#take="  # before a packed take in an address


class Opened(NamedTuple):
    """What the page shows at first: a MelodyView, a BandForm, a TakeView, and an order."""

    melody: MelodyView
    form: BandForm
    take: TakeView
    make: Any  # hidden: its change makes the take that an address describes


def open_page(kept: Any, fragment: str | None, draft: Any, request: gr.Request) -> tuple:
    """Open the page: with the take that its address describes, else with those of the last visit.

    On a slow connection a visitor may open a melody before this is called, or while it works: that
    melody stays, and only the takes of the last visit are added.

    Args:
        kept: What the browser kept, as `views.listed` gave it.
        fragment: The address from its # on, which holds a packed take.
        draft: What it kept of an edited melody without a take, as `editing.kept_melody` gave it.
        request: Holds the rest of the address.

    Returns:
        The values of Opened, one after another.
    """
    visits.greet()
    visit = visits.current()
    takes, number = _takes_kept(kept)
    try:
        with visit.correcting():
            if not visit.has_melody:
                opened = _flat(_at_first(takes, number, fragment, draft, request))
                visit.note_first()
                return opened
    except visits.Superseded:
        pass
    shelf = views.unchanged(TakeView)
    if takes:
        shelf = shelf._replace(takes=takes, showing=views.token())
    return _flat(Opened(views.unchanged(MelodyView), BandForm.unchanged(), shelf, gr.skip()))


def catch_up() -> MelodyView:
    """Show a melody again that was opened while the page's own was on its way to the browser.

    Gradio makes the many values of `open_page` ready one by one, which takes tenths of a second.
    Those of a file that is opened meanwhile overtake them, and the page's own would cover them.
    """
    visit = visits.current()
    with visit.correcting():
        later = visit.after_first()
        return views.understood(*later) if later else views.unchanged(MelodyView)


def _at_first(
    takes: list[Take], number: int | None, fragment: str | None, draft: Any, request: gr.Request
) -> Opened:
    """Return what the page opens with, where the visitor has not opened anything by now.

    Args:
        takes: Those of the last visit.
        number: The one of them that was shown.
        fragment: As for `open_page`.
        draft: Likewise.
        request: Likewise.
    """
    try:
        opened = _of_address(dict(request.query_params), fragment or "", takes)
    except (MusicError, gr.Error) as error:
        reason = error.words if isinstance(error, Refusal) else getattr(error, "message", error)
        warn("The link was not understood: {reason}", reason=reason)
        opened = None
    return opened or _as_left(takes, number, draft)


@visits.opens
def open_file(source: Source | None, takes: list[Take], path: str) -> tuple:
    """Open a project or settings file: the takes that it holds, or its choices for the melody.

    Its corrections are of the melody that it names, or that is open.

    Args:
        source: The melody that is open.
        takes: All takes.
        path: The file.

    Returns:
        The values of Opened, one after another.
    """
    with errors_shown():
        project = read_project(path)
        if project.letters:
            return _flat(_with_project(project, takes))
        found = melodies.melody_of(project.settings, source)
        view = views.opened(found, project.settings) if found else views.unchanged(MelodyView)
    return _flat(Opened(view, _form(project.settings), views.unchanged(TakeView), gr.skip()))


def _takes_kept(kept: Any) -> tuple[list[Take], int | None]:
    """Return the takes that the browser kept, and the number of the one that was shown.

    What can't be read, because another version of the page wrote it, is left out.
    """
    stored = kept.get("takes") if isinstance(kept, dict) else None
    takes: list[Take] = []
    for letters in (stored if isinstance(stored, list) else [])[-LIMITS.takes :]:
        try:
            takes.append(studio.unpacked(str(letters), len(takes) + 1))
        except MusicError:
            continue
    if not takes:
        return [], None
    place = kept.get("shown")
    last = place if isinstance(place, int) and 0 <= place < len(takes) else -1
    return takes, takes[last].number


def _of_address(query: dict[str, str], fragment: str, takes: list[Take]) -> Opened | None:
    """Return what an address describes; None where it describes nothing.

    Raises:
        gr.Error or MusicError: It can't be made.
    """
    if fragment.startswith(TAKE):
        return _with_packed(fragment.removeprefix(TAKE), takes)
    settings = Settings.from_query(query)
    source = melodies.melody_of(settings)
    if source is None:
        return None if settings == Settings() else _first(settings)
    view, known = views.opened(source, settings), _known(settings, takes)
    if known:
        return Opened(view, _form(settings), views.shown(known, takes), gr.skip())
    shelf = views.unchanged(TakeView)._replace(takes=takes)
    return Opened(view, _form(settings), shelf, views.token())


def _as_left(takes: list[Take], number: int | None, draft: Any) -> Opened:
    """Return what the last visit left; at a first one an example is open."""
    take = studio.find(takes, number)
    if take is None:
        return _drafted(draft) or _first(Settings())
    source, settings = _melody_of(take)
    view = views.opened(source, settings)
    return Opened(view, BandForm.of(take.settings), views.shown(take, takes), gr.skip())


def _drafted(draft: Any) -> Opened | None:
    """Return the edited melody that the browser kept; None where it can't be read."""
    if not isinstance(draft, str) or not draft:
        return None
    try:
        view = views.opened(*studio.source_of(studio.unpacked(draft, 1)))
    except MusicError:
        return None
    return Opened(view, BandForm.unchanged(), views.unchanged(TakeView), gr.skip())


def _first(settings: Settings) -> Opened:
    """Return a first visit: an example is open, so that one click gives a band."""
    name = melodies.FIRST_EXAMPLE
    view = views.opened(load_source(melodies.EXAMPLES[name]), Settings(melody=name))
    form = BandForm.unchanged() if settings == Settings() else _form(settings)
    return Opened(view, form, views.unchanged(TakeView), gr.skip())


def _with_project(project: Project, takes: list[Take]) -> Opened:
    """Return the takes of a project among the others, and show the one that it shows."""
    letters = list(project.letters)
    last = letters.pop(project.shown)
    opened: Opened | None = None
    for each in [*letters[-LIMITS.takes + 1 :], last]:
        opened = _with_packed(each, takes)
        takes = opened.take.takes
    assert opened
    return opened


def _with_packed(letters: str, takes: list[Take]) -> Opened:
    """Return a packed take among the others; one that is there already comes once."""
    number = takes[-1].number + 1 if takes else 1
    take = studio.unpacked(letters, number)
    finish = take.settings.finish
    same = (each for each in takes if each.song == take.song and each.settings.finish == finish)
    known = next(same, None)
    if known is None:
        takes = reworking.kept([*takes, take], take)
    source, settings = _melody_of(known or take)
    view = views.opened(source, settings)
    return Opened(view, BandForm.of(take.settings), views.shown(known or take, takes), gr.skip())


def _known(settings: Settings, takes: list[Take]) -> Take | None:
    """Return the take that was made with these settings."""
    return next((each for each in takes if each.settings == settings and each.has_settings), None)


def _melody_of(take: Take) -> tuple[Source, Settings]:
    """Return the melody of a take, as its settings make it or as it was kept with it."""
    if take.is_remade_by_settings and (source := melodies.melody_of(take.settings)):
        return source, take.settings
    return studio.source_of(take)


def _form(settings: Settings) -> BandForm:
    return BandForm.of(settings)


def _flat(opened: Opened) -> tuple:
    return *opened.melody, *opened.form, *opened.take, opened.make
