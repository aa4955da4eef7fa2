"""The player, the takes, and what makes others of the take that is shown."""

from typing import NamedTuple

import gradio as gr

from accomp.project.choices import BAND, MOVE
from page.downloads import Downloads
from page.panels.hidden import Hidden
from page.player import Player
from page.stage import TakeList
from page.views import EVERYTHING, FinishedView, ListView, NearView, TakeView
from page.words import WORDS as t
from page.words import choices


class Shown(NamedTuple):
    """What stands on top: the player, what is to be said of it, and the takes."""

    player: Player
    notice: gr.Markdown
    status: gr.Markdown
    list: TakeList
    downloads: Downloads


class TakePanel(NamedTuple):
    """The take that is shown, and what makes others of it."""

    view: TakeView
    finished: FinishedView
    near: NearView
    listed: ListView
    what: gr.Dropdown
    remake: gr.Button
    instrument: gr.Dropdown
    sliders: list[gr.Slider]
    reset: gr.Button
    line_up: gr.Button


def header() -> None:
    """Add the page's name and what it does."""
    with gr.Row(elem_id="top"):
        gr.Markdown("# accomp", elem_id="name")
        gr.Markdown(t("Give your melody a band."), elem_id="claim")


def shown() -> Shown:
    """Add what stands on top: the player, messages about it, the takes and their files."""
    with gr.Column(elem_id="stage"):
        player = Player(elem_id="song")
        notice = gr.Markdown(elem_id="notice")
        status = gr.Markdown(elem_id="status")
        with gr.Row(elem_id="kept"):
            takes = TakeList(elem_id="takes")
            downloads = Downloads(elem_id="downloads")
    return Shown(player, notice, status, takes, downloads)


def take(state: Hidden, on_top: Shown, seed: gr.Number) -> TakePanel:
    """Add what makes others of the take that is shown, and its chords.

    Args:
        state: What the page keeps.
        on_top: The player and the takes.
        seed: Of the band; a take that is shown sets it.
    """
    with gr.Column(elem_id="more"), gr.Tabs():
        with gr.Tab(t("Change")):
            gr.Markdown(
                t(
                    "Lock what you like in the player, select bars by dragging over their numbers, "
                    "and have the rest made anew."
                ),
                elem_classes="help",
            )
            with gr.Row(elem_classes="fields"):
                what = gr.Dropdown(
                    choices([EVERYTHING, *BAND]),
                    value=EVERYTHING,
                    label=t("What to remake"),
                    info=t("In the selected bars; in all bars if none are selected."),
                )
                remake = gr.Button(t("Remake"), elem_id="remake", elem_classes="small")
            with gr.Row(elem_classes="fields"):
                line_up = gr.Dropdown(
                    [],
                    label=t("Line-up"),
                    info=t("As songs of the genre have it. Who stays plays the same."),
                )
                line_up_button = gr.Button(t("Play it so"), elem_id="line-up", elem_classes="small")
        with gr.Tab(t("Explore")):
            instrument, sliders, reset = _exploring()
        with gr.Tab(t("Blend"), visible=False) as blend_panel:
            other, amount = _blending()
        with gr.Tab(t("Chords")):
            chords = gr.Textbox(
                label=t("Chords that were played"),
                lines=4,
                buttons=["copy"],
                # For screen readers: beside a button they do not read the label.
                placeholder=t("Chords that were played"),
            )
    finished = FinishedView(on_top.player, on_top.downloads, on_top.status)
    view = TakeView(
        state.takes,
        state.number,
        chords,
        seed,
        state.showing,
        state.beside,
        *finished,
    )
    near = NearView(
        blend_panel, other, amount, *sliders, remade=what, moved=instrument, line_up=line_up
    )
    listed = ListView(state.seen, state.gone, on_top.list, state.kept, state.query)
    return TakePanel(
        view, finished, near, listed, what, remake, instrument, sliders, reset, line_up_button
    )


def _blending() -> tuple[gr.Dropdown, gr.Slider]:
    """Add what blends two takes."""
    with gr.Row(elem_classes="fields"):
        other = gr.Dropdown([], label=t("Blend the take that is shown with"), min_width=200)
        amount = gr.Slider(
            0,
            1,
            0,
            step=0.05,
            label=t("Amount of the other take"),
            info=t("Release the slider to play."),
            min_width=200,
        )
    return other, amount


def _exploring() -> tuple[gr.Dropdown, list[gr.Slider], gr.Button]:
    """Add what moves an instrument: the instrument, a slider by DIRECTIONS, and the way back."""
    with gr.Row(elem_classes="fields"):
        instrument = gr.Dropdown(
            choices(BAND), value="guitar", label=t("Instrument"), min_width=120
        )
        sliders = [
            gr.Slider(MOVE.low, MOVE.high, 0, step=0.25, label=t(text), min_width=160)
            for text in ("Sparser to busier", "Fewer to more pitches", "Another character")
        ]
        reset = gr.Button(t("Reset all instruments"), size="sm", min_width=120)
    return instrument, sliders, reset
