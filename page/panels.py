"""Groups of the page's widgets: each function puts them where it is called and gives those that app.py connects."""

from typing import NamedTuple

import gradio as gr

from accomp.band.style_library import built_in
from accomp.invention.invent import VARIATION
from page.choices import BAND, FARTHEST, FREEST, LENGTHS, SEEDS
from page.words import WORDS as t


class Inventing(NamedTuple):
    bars: gr.Radio
    variation: gr.Slider
    seed: gr.Number
    button: gr.Button


class Going(NamedTuple):
    bars: gr.Dropdown
    on: gr.Button
    back: gr.Button


class Styles(NamedTuple):
    first: gr.Dropdown
    second: gr.Dropdown
    share: gr.Slider
    factor: gr.Slider
    own: gr.File


class Between(NamedTuple):
    panel: gr.Accordion
    other: gr.Dropdown
    amount: gr.Slider


class Exploring(NamedTuple):
    instrument: gr.Dropdown
    sliders: list[gr.Slider]
    back: gr.Button


def inventing() -> Inventing:
    with gr.Accordion(t("How a melody is invented"), open=False):
        bars = gr.Radio(list(LENGTHS[1:]), value=16, label=t("Length in bars"))
        variation = gr.Slider(
            0,
            FREEST,
            VARIATION,
            step=0.05,
            label=t("Freedom of the melody"),
            info=t("0 keeps to what is usual; 1.5 wanders."),
        )
        with gr.Row(equal_height=True):
            seed = gr.Number(
                0,
                label=t("The melody's seed"),
                precision=0,
                minimum=0,
                maximum=SEEDS,
                min_width=120,
            )
            button = gr.Button(t("Invent this one"), size="sm", min_width=120)
    return Inventing(bars, variation, seed, button)


def going_on() -> Going:
    with gr.Row(equal_height=True):
        bars = gr.Dropdown(
            [(f"{count} bars", count) for count in LENGTHS[:3]],
            value=8,
            label=t("Make it longer by"),
            min_width=120,
        )
        on = gr.Button(t("Go on"), size="sm", min_width=120)
        back = gr.Button(t("Without what was added"), size="sm", min_width=120, visible=False)
    return Going(bars, on, back)


def styles() -> Styles:
    named = [
        (f"{name.replace('_', ' ')} ({about['genre']})", name) for name, about in built_in().items()
    ]
    named.sort(key=lambda pair: (built_in()[pair[1]]["genre"], pair[0]))
    with gr.Accordion(t("In the style of"), open=False):
        with gr.Row():
            first, second = (
                gr.Dropdown([("–", ""), *named], value="", label=t(text), min_width=140)
                for text in ("Style", "And another style")
            )
        share = gr.Slider(0, 1, 0.5, step=0.05, label=t("Share of the other style"))
        factor = gr.Slider(
            0,
            1,
            0.5,
            step=0.05,
            label=t("How much of it"),
            info=t("0: the band as it is. 1: as in that song."),
        )
        own = gr.File(
            label=t("Or as in your own song: MIDI with a band"),
            file_types=[".mid", ".midi", ".kar"],
            type="filepath",
            height=140,
            elem_id="own-style",
        )
    return Styles(first, second, share, factor, own)


def between() -> Between:
    with gr.Accordion(t("Between two takes"), open=False, visible=False) as panel:
        other = gr.Dropdown([], label=t("From the take that is shown to"))
        amount = gr.Slider(
            0, 1, 0, step=0.05, label=t("How far"), info=t("Let go of it, and it is played.")
        )
    return Between(panel, other, amount)


def exploring() -> Exploring:
    with gr.Accordion(t("Explore an instrument"), open=False):
        instrument = gr.Dropdown(list(BAND), value="guitar", label=t("Who changes"))
        with gr.Row():
            sliders = [
                gr.Slider(-FARTHEST, FARTHEST, 0, step=0.25, label=t(text), min_width=160)
                for text in (
                    "Sparser to busier",
                    "Plainer to richer in pitches",
                    "Another character",
                )
            ]
        back = gr.Button(t("Everybody back to the middle"), size="sm")
    return Exploring(instrument, sliders, back)
