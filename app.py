"""The web page: a melody in, a band out. Here its widgets are connected to what they do.

page.panels has the widgets; page.melodies, page.taking and page.views handle their events; page.api
has the calls for programs.
"""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # the page calls no other host

import spaces  # noqa: F401, I001  before torch: on ZeroGPU it has to be first
import gradio as gr
from gradio.events import Dependency

from page import api, journal, melodies, models, panels, taking, views
from page.limits import LIMITS
from page.words import WORDS as t
from page.words import head, say

TO_ADDRESS = """(query) => {
    const choices = new URLSearchParams(query);
    const theme = new URLSearchParams(location.search).get("__theme");
    if (theme) choices.set("__theme", theme);
    history.replaceState(null, "", choices.size ? "?" + choices : location.pathname);
}"""
EventOptions = dict[str, Any]


class Page(NamedTuple):
    """All widgets of the page."""

    state: panels.Hidden
    input: panels.MelodyInput
    band: panels.BandPanel
    melody: panels.MelodyPanel
    status: gr.Markdown
    take: panels.TakePanel
    private: EventOptions  # of events that programs can't start
    busy: EventOptions  # of events that take long, so that only some visitors are served at a time


def build() -> Page:
    """Add all widgets, from the top of the page to its end."""
    state = panels.hidden()
    gr.Markdown("# accomp: give a melody a band")
    gr.Markdown(
        t("Sing, play or drop a melody, pick a genre: drums, bass, guitar and strings join in.")
    )
    with gr.Row():
        with gr.Column():
            melody_input = panels.melody_input()
        with gr.Column():
            band = panels.band()
    melody = panels.melody(state)
    status = gr.Markdown(elem_id="status", min_height=48)  # room for a sign of progress
    take = panels.take(state, status, band.form.seed)
    # Progress and errors are shown in a line of their own: they would veil the melody and the song,
    # which stay.
    private: EventOptions = {"api_visibility": "private", "show_progress_on": status}
    busy = private | {"concurrency_limit": LIMITS.at_once, "concurrency_id": "music"}
    return Page(state, melody_input, band, melody, status, take, private, busy)


def connect(page: Page, demo: gr.Blocks) -> None:
    """Connect all events. Those of one widget come one after another, in this order."""
    finishing = connect_sound(page)
    connect_melody(page)
    connect_settings(page, demo)
    makes = [*connect_new_melodies(page), *connect_takes(page)]
    connect_rest(page, demo, [*makes, finishing])
    connect_calls(page)


def connect_sound(page: Page) -> Dependency:
    """Connect the events that make sound.

    Another event does not wait for it: the sound is given up first.
    """
    state, take = page.state, page.take
    # "multiple": what is new does not wait until the browser knows that the old one has been given
    # up; now and then it would not come at all.
    later: EventOptions = page.busy | {
        "show_progress": "hidden",
        "show_progress_on": None,
        "trigger_mode": "multiple",
    }
    playing = state.understanding.change(
        views.play_melody, [state.source, state.settings], page.melody.view.player, **later
    )
    state.beside.change(
        views.near,
        [state.takes, state.beside, take.near.other, take.instrument],
        [*take.near],
        show_progress="hidden",
        **page.private,
    )
    finishing = state.showing.change(
        views.finish, [state.takes, state.showing], [*take.finished], **later
    )
    new = [
        page.input.random_example.click,
        page.input.invent_random.click,
        page.input.inventing.invent.click,
    ]
    gr.on([*_of_melodies(page), *new], None, cancels=playing, **page.private)
    gr.on([*_of_takes(page), *new], None, cancels=finishing, **page.private)
    return finishing


def _of_melodies(page: Page) -> list[Any]:
    """Return the triggers that change the melody."""
    melody, view = page.melody, page.melody.view
    return [
        page.input.file.change,
        page.input.microphone.input,
        page.input.recorder.input,
        page.band.settings_file.upload,
        view.key.input,
        view.meter.input,
        view.tempo.submit,
        view.track.input,
        melody.half.click,
        melody.double.click,
        melody.earlier.click,
        melody.later.click,
        melody.lengthen.click,
        view.shorten.click,
    ]


def _of_takes(page: Page) -> list[Any]:
    """Return the triggers that show another take."""
    band, take = page.band, page.take
    return [
        band.generate.click,
        band.three.click,
        take.remake.click,
        take.undo.click,
        take.view.number.input,
        take.near.amount.release,
        *(slider.release for slider in take.sliders),
        take.reset.click,
    ]


def connect_melody(page: Page) -> None:
    """Connect what opens and corrects melodies."""
    state, melody, view = page.state, page.melody, page.melody.view
    known = [state.source, state.settings]
    shown = [*view]
    page.input.file.change(melodies.open_file, page.input.file, shown, **page.busy)
    page.input.microphone.input(melodies.open_recorded, page.input.microphone, shown, **page.busy)
    page.input.recorder.input(melodies.open_click, page.input.recorder, shown, **page.busy)
    view.key.input(melodies.correct_key, [*known, view.key], shown, **page.private)
    view.meter.input(melodies.correct_meter, [*known, view.meter], shown, **page.private)
    view.tempo.submit(melodies.correct_tempo, [*known, view.tempo], shown, **page.private)
    view.track.input(melodies.correct_track, [*known, view.track], shown, **page.private)
    melody.half.click(melodies.scale_tempo(0.5), known, shown, **page.private)
    melody.double.click(melodies.scale_tempo(2.0), known, shown, **page.private)
    melody.earlier.click(melodies.move_bar_lines(-1), known, shown, **page.private)
    melody.later.click(melodies.move_bar_lines(1), known, shown, **page.private)


def connect_settings(page: Page, demo: gr.Blocks) -> None:
    """Connect settings files and the page's address."""
    band = page.band
    shown = [*page.melody.view, *band.form]
    band.settings_file.upload(
        melodies.from_file, [page.state.source, band.settings_file], shown, **page.busy
    )
    # Not one of the places for music: who opens the page does not wait for them.
    limit: EventOptions = {"concurrency_limit": LIMITS.at_once}
    demo.load(melodies.from_address, None, shown, **page.private, **limit)


def connect_new_melodies(page: Page) -> list[Dependency]:
    """Connect what continues melodies, or makes new ones with a band at once."""
    state, form, melody, inventing = page.state, page.band.form, page.melody, page.input.inventing
    shown = [form.chords, *melody.view]
    melody.lengthen.click(
        melodies.lengthen,
        [state.source, state.settings, form.genre, melody.bars, form.chords],
        shown,
        **page.busy,
    )
    melody.view.shorten.click(melodies.shorten, [state.source, state.settings], shown, **page.busy)
    new = [
        page.input.random_example.click(
            melodies.random_example, None, [*melody.view, *form], **page.busy
        ),
        page.input.invent_random.click(
            melodies.invent_random,
            [form.genre, inventing.bars, inventing.variation],
            [inventing.seed, *shown],
            **page.busy,
        ),
        inventing.invent.click(
            melodies.invent_with_seed,
            [form.genre, inventing.bars, inventing.seed, inventing.variation],
            shown,
            **page.busy,
        ),
    ]
    to_make, takes = _to_make(page), [*page.take.view]
    made = [each.success(taking.generate, to_make, takes, **page.busy) for each in new]
    return [*new, *made]


def connect_takes(page: Page) -> list[Dependency]:
    """Connect what makes and shows takes."""
    band, take, takes = page.band, page.take, page.state.takes
    number, shown, to_make = take.view.number, [*take.view], _to_make(page)
    latest: EventOptions = page.busy | {"trigger_mode": "always_last"}
    return [
        band.generate.click(taking.generate, to_make, shown, **page.busy),
        band.three.click(taking.three, to_make, shown, **page.busy),
        take.remake.click(
            taking.remake, [number, take.view.player, take.what, *to_make], shown, **page.busy
        ),
        take.undo.click(views.undo, [takes, number], shown, **page.busy),
        number.input(views.choose, [takes, number], shown, **page.busy),
        take.near.amount.release(
            taking.blend, [takes, number, take.near.other, take.near.amount], shown, **latest
        ),
        gr.on(
            [slider.release for slider in take.sliders],
            taking.explore,
            [takes, number, take.instrument, *take.sliders],
            shown,
            **latest,
        ),
        take.reset.click(taking.reset_moves, [takes, number], shown, **page.busy),
    ]


def connect_rest(page: Page, demo: gr.Blocks, makes: Sequence[Dependency]) -> None:
    """Connect what is left.

    Args:
        page: All widgets.
        demo: The page.
        makes: The events that the button Stop stops.
    """
    state, band, take, form = page.state, page.band, page.take, page.band.form
    number, sliders = take.view.number, take.sliders
    take.instrument.input(
        views.amounts, [state.takes, number, take.instrument], sliders, **page.private
    )
    band.suggest.click(
        melodies.suggest_genre, [state.source, state.settings], form.genre, **page.private
    )
    band.random_seed.click(melodies.random_seed, None, form.seed, **page.private)
    band.stop.click(lambda: say("Stopped."), None, page.status, cancels=[*makes], **page.private)
    take.lossless.click(views.write_lossless, [state.takes, number], take.view.files, **page.busy)
    state.query.change(None, state.query, None, js=TO_ADDRESS, **page.private)
    gr.on(
        [demo.load, form.genre.change],
        models.served,
        form.genre,
        band.served,
        api_name="served",
        concurrency_limit=None,
    )


def connect_calls(page: Page) -> None:
    """Add and connect the calls for programs."""
    calls = panels.calls()
    names = ("concurrency_limit", "concurrency_id")
    limits: EventOptions = {name: page.busy[name] for name in names}
    calls.accompany.click(
        api.accompany, calls.melody_and_choices, calls.song, api_name="accompany", **limits
    )
    calls.invent.click(api.invent, calls.choices, calls.melody, api_name="invent", **limits)


def _to_make(page: Page) -> list[Any]:
    """Return the inputs of what makes takes: see page.taking.generate."""
    state, band = page.state, page.band
    return [state.source, state.settings, state.takes, band.own_style, *band.form]


kept = (LIMITS.kept_seconds, LIMITS.kept_seconds)
with gr.Blocks(title="accomp", delete_cache=kept) as demo:
    connect(build(), demo)
journal.keep(demo)

if __name__ == "__main__":
    demo.launch(max_file_size=LIMITS.upload, i18n=t, head=head())
