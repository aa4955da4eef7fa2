"""How the band is made."""

from typing import Any, NamedTuple

import gradio as gr

from accomp.band.options import COLOUR, INTROS, STYLE_FACTOR
from accomp.band.style_library import built_in
from accomp.invention.invent import VARIATION as USUAL_MELODY_VARIATION
from accomp.music.midi_chunks import MIDI_ENDINGS
from accomp.project.choices import BAND, MELODY_BARS, MELODY_VARIATION, SEED, VARIATION
from accomp.project.settings import Settings
from accomp.roll.sounding_names import SECOND_GUITAR
from page.api import INVENTED_BARS
from page.forms import BandForm
from page.models import GENRES
from page.words import WORDS as t
from page.words import choices

FIRST_GENRE = "pop"  # that is chosen at first, if it is served


class Inventing(NamedTuple):
    """How a melody is invented."""

    bars: gr.Radio
    variation: gr.Slider
    seed: gr.Number
    invent: gr.Button


class BandPanel(NamedTuple):
    """How the band is made."""

    form: BandForm
    own_style: gr.File
    served: gr.Markdown
    suggest: gr.Button
    random_seed: gr.Button
    settings_file: gr.UploadButton
    generate: gr.Button
    another: gr.Button
    three: gr.Button
    stop: gr.Button
    tune: gr.Button
    inventing: Inventing


def band() -> BandPanel:
    """Add the genres, the buttons that make bands, and all that can be tuned."""
    with gr.Row(elem_id="genre-head"):
        gr.Markdown(t("## Genre"), elem_classes="head")
        served = gr.Markdown(elem_id="served")
    genre = gr.Radio(
        [(name.capitalize(), name) for name in GENRES],
        value=first_genre(),
        label=t("Genre"),
        elem_id="genres",
        elem_classes="cards",
    )
    with gr.Row(elem_id="make"):
        generate = gr.Button(
            t("Play it with a band"), variant="primary", size="lg", elem_id="generate"
        )
        another = gr.Button(t("Another take"), elem_id="another")
        three = gr.Button(t("Three at once"), elem_id="three")
        stop = gr.Button(t("Stop"), elem_id="stop")
        tune = gr.Button(t("Tune it"), elem_id="tune")
    with gr.Column(elem_id="tune-part", elem_classes="part"):
        seed, random_seed, intro, variation = _playing()
        instruments, chords, colour = _who_plays_what()
        styles, own_style = _styles()
        inventing = _inventing()
        with gr.Row(elem_classes="buttons"):
            suggest = gr.Button(t("Suggest a genre"), size="sm")
            settings_file = gr.UploadButton(
                t("Open a settings file"),  # type: ignore[arg-type]  Gradio translates it, too
                file_types=[".json"],
                size="sm",
            )
    form = BandForm(genre, seed, variation, chords, colour, intro, instruments, *styles)
    return BandPanel(
        form,
        own_style,
        served,
        suggest,
        random_seed,
        settings_file,
        generate,
        another,
        three,
        stop,
        tune,
        inventing,
    )


def _playing() -> tuple[gr.Number, gr.Button, gr.Dropdown, gr.Slider]:
    """Add seed and its button, introduction and variation."""
    with gr.Row(elem_classes="fields"):
        seed = gr.Number(
            0,
            label=t("Seed"),
            info=t("Another seed gives different music."),
            precision=0,
            minimum=SEED.low,
            maximum=SEED.high,
            min_width=140,
        )
        random_seed = gr.Button(t("Random"), size="sm", min_width=60, scale=0)
        intro = gr.Dropdown(list(INTROS), value="none", label=t("Introduction"), min_width=140)
        variation = gr.Slider(
            VARIATION.low,
            VARIATION.high,
            0,
            step=0.05,
            label=t("Variation"),
            info=t("Higher: the playing is freer, and rougher."),
            min_width=200,
        )
    return seed, random_seed, intro, variation


def _who_plays_what() -> tuple[gr.CheckboxGroup, gr.Textbox, gr.Slider]:
    """Add instruments, chords and the colour of planned ones."""
    with gr.Row(elem_classes="fields"):
        instruments = gr.CheckboxGroup(
            choices([*BAND, SECOND_GUITAR]),
            value=list(BAND),
            label=t("Instruments besides the piano"),
            info=t("A second guitar takes the place of the strings."),
            min_width=260,
        )
        chords = gr.Textbox(
            "",
            label=t("Chords"),
            info=t("Leave empty to have them planned, or type your own: | C  Am | F  G7 |"),
            lines=2,
            min_width=260,
        )
        colour = gr.Slider(
            COLOUR.low,
            COLOUR.high,
            Settings.colour,
            step=0.05,
            label=t("Colour of planned chords"),
            info=t("0: plain. 1: as colourful as songs of the genre get."),
            min_width=200,
        )
    return instruments, chords, colour


def _styles() -> tuple[list[Any], gr.File]:
    """Add the choices of styles: those of BandForm in its order, and the visitor's own."""
    genres = {name: about["genre"] for name, about in built_in().items()}
    named = [(f"{name.replace('_', ' ')} ({genre})", name) for name, genre in genres.items()]
    named.sort(key=lambda pair: (genres[pair[1]], pair[0]))
    with gr.Accordion(t("In the style of"), open=False):
        with gr.Row(elem_classes="fields"):
            first, second = (
                gr.Dropdown([("–", ""), *named], value="", label=t(text), min_width=140)
                for text in ("Style", "Second style")
            )
        with gr.Row(elem_classes="fields"):
            share = gr.Slider(
                0, 1, 0.5, step=0.05, label=t("Share of the second style"), min_width=200
            )
            factor = gr.Slider(
                STYLE_FACTOR.low,
                STYLE_FACTOR.high,
                Settings.style_factor,
                step=0.05,
                label=t("Strength of the style"),
                info=t("0: no style. 1: the patterns of that song throughout."),
                min_width=200,
            )
        own = gr.File(
            label=t("Or your own song as the style: MIDI with a band"),
            file_types=list(MIDI_ENDINGS),
            type="filepath",
            height=96,
            elem_id="own-style",
        )
    return [first, second, share, factor], own


def _inventing() -> Inventing:
    """Add how melodies are invented."""
    with gr.Accordion(t("Settings of invented melodies"), open=False):
        with gr.Row(elem_classes="fields"):
            bars = gr.Radio(list(MELODY_BARS[1:]), value=INVENTED_BARS, label=t("Length in bars"))
            variation = gr.Slider(
                MELODY_VARIATION.low,
                MELODY_VARIATION.high,
                USUAL_MELODY_VARIATION,
                step=0.05,
                label=t("Melody variation"),
                info=t("0: predictable. 1.5: unusual."),
                min_width=200,
            )
            seed = gr.Number(
                0,
                label=t("Melody seed"),
                precision=0,
                minimum=SEED.low,
                maximum=SEED.high,
                min_width=120,
            )
        invent = gr.Button(t("Invent with this seed"), size="sm", elem_classes="small")
    return Inventing(bars, variation, seed, invent)


def first_genre() -> str | None:
    """Return the genre that is chosen at first; None where no genre is served."""
    return next((genre for genre in (FIRST_GENRE, *GENRES) if genre in GENRES), None)
