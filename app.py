"""The web page: a melody in, a band out. Here its widgets are connected to what they do.

page.panels has the widgets; page.melodies, page.taking and page.views handle their events; page.api
has the calls for programs.
"""

import os
from typing import Any, NamedTuple

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # the page calls no other host

import spaces  # noqa: F401, I001  before torch: on ZeroGPU it has to be first
import gradio as gr
from gradio.events import Dependency

from page import (
    calls,
    editing,
    files,
    finishing,
    journal,
    keeping,
    line_ups,
    listing,
    look,
    melodies,
    models,
    opening,
    panels,
    serving,
    taking,
    views,
)
from page.limits import LIMITS

TO_ADDRESS = """(address) => {
    const [query, fragment] = address.split("#");
    const choices = new URLSearchParams(query);
    const theme = new URLSearchParams(location.search).get("__theme");
    if (theme) choices.set("__theme", theme);
    const path = choices.size ? "?" + choices : location.pathname;
    history.replaceState(null, "", fragment ? path + "#" + fragment : path);
}"""
FRAGMENT = "(kept, fragment, draft) => [kept, location.hash, draft]"
READING = "(given) => { if (given) window.accompStage?.reading(); return [given]; }"
READ = "() => window.accompStage?.reading(false)"
NOT_MADE = "() => window.accompDownloads?.idle()"
PLAYER = "document.querySelector('#song .player')?.player"
OFFERED = f"(text) => {{ {PLAYER}?.chordPanel.offer(JSON.parse(text)); return [text]; }}"
DESK_IDLE = f"() => {PLAYER}?.desk.idle()"
IDLE = "() => window.accompStage?.idle()"
EventOptions = dict[str, Any]


class Page(NamedTuple):
    """All widgets of the page."""

    state: panels.Hidden
    shown: panels.Shown
    melody: panels.MelodyPanel
    band: panels.BandPanel
    take: panels.TakePanel
    private: EventOptions  # of events that programs can't start
    busy: EventOptions  # of events that take long, so that only some visitors are served at a time


def build() -> Page:
    """Add all widgets, from the top of the page to its end."""
    state = panels.hidden()
    panels.header()
    shown = panels.shown()
    with gr.Column(elem_id="inputs"):
        melody = panels.melody(state, shown.player)
        band = panels.band()
    take = panels.take(state, shown, band.form.seed)
    # Buttons say themselves that they are at work (page/stage/stage.js). Gradio's sign of progress
    # would veil the melody and the song, which stay.
    # "multiple": no press is lost; page.visits puts those of one visitor in order.
    private: EventOptions = {
        "api_visibility": "private",
        "show_progress": "hidden",
        "trigger_mode": "multiple",
        "concurrency_limit": LIMITS.quick,
        "concurrency_id": "quick",
    }
    busy = private | {"concurrency_limit": LIMITS.at_once, "concurrency_id": serving.MUSIC}
    return Page(state, shown, melody, band, take, private, busy)


def connect(page: Page, demo: gr.Blocks) -> None:
    """Connect all events. Those of one widget come one after another, in this order."""
    connect_sound(page)
    connect_melody(page)
    connect_opening(page, demo)
    connect_new_melodies(page)
    connect_takes(page)
    connect_list(page)
    connect_editing(page)
    connect_rest(page, demo)
    connect_calls(page)


def connect_sound(page: Page) -> None:
    """Connect the events that make sound. It is given up when another take is shown."""
    state, take = page.state, page.take
    later = page.private
    state.understanding.change(
        views.play_melody, [state.source, state.settings], page.shown.player, **later
    )
    state.beside.change(
        views.near,
        [state.takes, state.beside, take.near.other, take.instrument, take.what],
        [*take.near],
        **page.private,
    )
    known = [state.source, state.settings, state.takes]
    player = page.shown.player
    player.download(views.render_shown, [player, *known], player, **later)
    connect_finish(page)
    state.showing.change(views.finish, [state.takes, state.showing], [*take.finished], **later)


def connect_finish(page: Page) -> None:
    """Connect what changes a take's tempo, key and sounds in the player."""
    state, take, player = page.state, page.take, page.shown.player
    known = [state.takes, state.number, state.source, state.settings]
    shown = [state.settings, *take.view]
    for each in (
        player.release(finishing.set_pace, known, shown, **page.private),
        player.submit(finishing.set_sound, known, shown, **page.private),
    ):
        each.then(
            listing.listed,
            [state.takes, state.number, state.seen, state.gone],
            [*take.listed],
            **page.private,
        )


def connect_melody(page: Page) -> None:
    """Connect what opens and corrects melodies."""
    state, melody, view = page.state, page.melody, page.melody.view
    known = [state.source, state.settings]
    shown = [*view]
    reads: EventOptions = page.busy | {"js": READING}
    opened = melody.file.change(melodies.open_file, melody.file, shown, **reads)
    # So that there is a place to drop the next one: in the browser, at once, or a file that is
    # dropped meanwhile would be cleared away.
    for after in (opened.success, opened.failure):
        after(None, None, melody.file, js="() => null", **page.private)
    for each in (
        opened,
        view.example.input(melodies.open_example, view.example, shown, **reads),
        melody.recorder.input(melodies.open_recorded, melody.recorder, shown, **reads),
    ):
        _after(each, READ)
    view.key.input(melodies.correct_key, [*known, view.key], shown, **page.private)
    view.meter.input(melodies.correct_meter, [*known, view.meter], shown, **page.private)
    view.tempo.submit(melodies.correct_tempo, [*known, view.tempo], shown, **page.private)
    view.track.input(melodies.correct_track, [*known, view.track], shown, **page.private)
    view.ways.input(melodies.count_as, [*known, view.ways], shown, **page.private)
    view.tidy.input(melodies.tidy_up, [*known, view.tidy], shown, **page.private)
    melody.half.click(melodies.scale_tempo(0.5), known, shown, **page.private)
    melody.double.click(melodies.scale_tempo(2.0), known, shown, **page.private)
    melody.earlier.click(melodies.move_bar_lines(-1), known, shown, **page.private)
    melody.later.click(melodies.move_bar_lines(1), known, shown, **page.private)


def connect_opening(page: Page, demo: gr.Blocks) -> None:
    """Connect settings files, the page's address, and what the browser kept."""
    band, state = page.band, page.state
    shown = [*page.melody.view, *band.form, *page.take.view, state.ordered]
    band.settings_file.upload(
        opening.open_file, [state.source, state.takes, band.settings_file], shown, **page.busy
    )
    # Not one of the places for music: who opens the page does not wait for them.
    known = [state.kept, state.fragment, state.draft]
    first = demo.load(opening.open_page, known, shown, js=FRAGMENT, **page.private)
    quiet = {**page.private, "show_progress": "hidden"}
    first.then(opening.catch_up, None, [*page.melody.view], **quiet)
    state.ordered.change(taking.generate, _to_make(page), [*page.take.view], **page.busy)


def connect_new_melodies(page: Page) -> None:
    """Connect what continues melodies, or makes new ones."""
    state, form, melody = page.state, page.band.form, page.melody
    inventing = page.band.inventing
    shown = [form.chords, *melody.view]
    melody.lengthen.click(
        melodies.lengthen,
        [state.source, state.settings, form.genre, melody.bars, form.chords],
        shown,
        **page.busy,
    )
    melody.view.shorten.click(melodies.shorten, [state.source, state.settings], shown, **page.busy)
    invented = melody.invent.click(
        melodies.invent_random,
        [form.genre, inventing.bars, inventing.variation],
        [inventing.seed, *shown],
        **page.busy,
    )
    _after(invented, IDLE)
    inventing.invent.click(
        melodies.invent_with_seed,
        [form.genre, inventing.bars, inventing.seed, inventing.variation],
        shown,
        **page.busy,
    )


def connect_takes(page: Page) -> None:
    """Connect what makes takes."""
    band, take, takes = page.band, page.take, page.state.takes
    number, shown, to_make = page.state.number, [*take.view], _to_make(page)
    latest: EventOptions = page.busy | {"trigger_mode": "always_last"}
    made = [
        band.generate.click(taking.generate, to_make, shown, **page.busy),
        band.another.click(taking.another, to_make, shown, **page.busy),
        band.three.click(taking.three, to_make, shown, **page.busy),
        take.remake.click(
            taking.remake, [number, take.view.player, take.what, *to_make], shown, **page.busy
        ),
    ]
    for each in made:
        _after(each, IDLE)
    take.near.amount.release(
        taking.blend, [takes, number, take.near.other, take.near.amount], shown, **latest
    )
    gr.on(
        [slider.release for slider in take.sliders],
        taking.explore,
        [takes, number, take.instrument, *take.sliders],
        shown,
        **latest,
    )
    lined_up = take.line_up.click(
        line_ups.change_players,
        [takes, number, take.near.line_up],
        [band.form.instruments, *shown],
        **page.busy,
    )
    _after(lined_up, IDLE)
    take.reset.click(taking.reset_moves, [takes, number], shown, **page.busy)


def connect_list(page: Page) -> None:
    """Connect the list of takes: what is pressed in it, and what changes it."""
    state, take, rows = page.state, page.take, page.shown.list
    takes, number, view = state.takes, state.number, [*page.take.view]
    quick = page.private
    known = [takes, number, state.source, state.settings]
    rows.select(listing.choose, takes, view, **quick)
    rows.undo(listing.undo, [takes, state.seen], [state.seen, *view], **quick)
    rows.retry(listing.redo, [takes, state.seen], [state.seen, *view], **quick)
    rows.apply(listing.bring_back, [takes, state.gone], [state.gone, *view], **quick)
    changed = [
        state.showing.change(listing.notice, known, page.shown.notice, **quick),
        state.understanding.change(listing.notice, known, page.shown.notice, **quick),
        rows.edit(listing.rename, takes, takes, **quick),
        rows.like(listing.star, takes, takes, **quick),
        rows.delete(listing.delete, known, [state.gone, *view], **quick),
    ]
    for each in (changed[0], *changed[2:]):
        each.then(listing.listed, [takes, number, state.seen, state.gone], [*take.listed], **quick)


def connect_editing(page: Page) -> None:
    """Connect what is edited on the roll, and the melody that goes with what is seen again."""
    state, form, player = page.state, page.band.form, page.shown.player
    takes, number, view = state.takes, state.number, [*page.take.view]
    melody, known = [*page.melody.view], [state.source, state.settings]
    quick = page.private
    player.edit(editing.edit_melody, [takes, number, *known], [*melody, *view], **quick).success(
        editing.kept_melody, [takes, *known], state.draft, **quick
    )
    player.expand(editing.offer, [takes, number], state.offered, **quick)
    state.offered.change(None, state.offered, None, js=OFFERED, **quick)
    shown = [form.chords, *view]
    for made in (
        player.apply(editing.change_chords, [takes, number], shown, **page.busy),
        player.retry(editing.renew, [takes, number], shown, **page.busy),
        player.tick(editing.refill, [takes, number], shown, **page.busy),
    ):
        _after(made, DESK_IDLE)
    state.showing.change(editing.follow, [takes, number, *known], melody, **quick)


def connect_rest(page: Page, demo: gr.Blocks) -> None:
    """Connect what is left; what folds away does so in the browser alone."""
    state, band, take, form = page.state, page.band, page.take, page.band.form
    number, sliders = state.number, take.sliders
    take.instrument.input(
        views.amounts, [state.takes, number, take.instrument], sliders, **page.private
    )
    band.suggest.click(
        melodies.suggest_genre, [state.source, state.settings], form.genre, **page.private
    )
    band.random_seed.click(melodies.random_seed, None, form.seed, **page.private)
    band.stop.click(views.stop, state.takes, page.shown.status, **page.private)
    downloads = page.shown.downloads
    downloads.expand(keeping.offer, [state.takes, number], downloads, **page.private)
    made = downloads.select(keeping.make, [state.takes, number], downloads, **page.busy)
    made.failure(None, None, None, js=NOT_MADE, api_visibility="private")
    state.query.change(None, state.query, None, js=TO_ADDRESS, **page.private)
    gr.on(
        [demo.load, form.genre.change],
        models.served,
        form.genre,
        band.served,
        api_name="show_served",
        api_visibility="private",
        concurrency_limit=None,
    )


def connect_calls(page: Page) -> None:
    """Add and connect the calls for programs."""
    names = ("concurrency_limit", "concurrency_id")
    limits = {name: page.busy[name] for name in names}
    calls.connect(models.GENRES, panels.first_genre(), limits)


def _after(event: Dependency, script: str) -> None:
    """Run a script when an event has ended, also where it was refused, which `then` leaves out."""
    for end in (event.success, event.failure):
        end(None, None, None, js=script, api_visibility="private")


def _to_make(page: Page) -> list[Any]:
    """Return the inputs of what makes takes: see page.taking.generate."""
    state, band = page.state, page.band
    return [state.source, state.settings, state.takes, band.own_style, *band.form]


files.own_folder()  # before Gradio looks where uploads go
kept = (LIMITS.kept_seconds, LIMITS.kept_seconds)
with gr.Blocks(title="accomp", delete_cache=kept) as demo:
    connect(build(), demo)
journal.keep(demo)

if __name__ == "__main__":
    files.keep_all()  # not where app is imported: the process is another program's
    serving.serve(demo, **look.LOOK)
