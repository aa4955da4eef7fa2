"""The page's widgets, in groups: each function puts a group where it is called and returns it."""

from typing import Any, NamedTuple

import gradio as gr

from accomp.band.options import INTROS, STYLE_FACTOR
from accomp.band.style_library import built_in
from accomp.invention.invent import VARIATION as USUAL_MELODY_VARIATION
from accomp.music.midi_chunks import MIDI_ENDINGS
from accomp.sound.accepted import SOUND_ENDINGS
from page import studio
from page.api import INVENTED_BARS
from page.choices import BAND, MELODY_BARS, MELODY_VARIATION, MOVE, SEED, VARIATION
from page.forms import BandForm
from page.melodies import EXAMPLES
from page.models import GENRES
from page.player import Player
from page.recorder import ClickRecorder, MicrophoneHint
from page.settings import Settings
from page.taking import EVERYTHING
from page.views import KEYS, METERS, FinishedView, MelodyView, NearView, TakeView
from page.words import WORDS as t

FIRST_GENRE = "pop"  # that is chosen at first, if it is served


class Hidden(NamedTuple):
    """What the page keeps for each visitor, and boxes whose changes start events."""

    source: gr.State
    settings: gr.State
    takes: gr.State
    query: gr.Textbox
    understanding: gr.Textbox
    showing: gr.Textbox
    beside: gr.Textbox


class Inventing(NamedTuple):
    """How a melody is invented."""

    bars: gr.Radio
    variation: gr.Slider
    seed: gr.Number
    invent: gr.Button


class MelodyInput(NamedTuple):
    """Where a melody comes from."""

    file: gr.File
    microphone: gr.Audio
    recorder: ClickRecorder
    random_example: gr.Button
    invent_random: gr.Button
    inventing: Inventing


class BandPanel(NamedTuple):
    """How the band is made."""

    form: BandForm
    own_style: gr.File
    served: gr.Markdown
    suggest: gr.Button
    random_seed: gr.Button
    settings_file: gr.UploadButton
    generate: gr.Button
    three: gr.Button
    stop: gr.Button


class MelodyPanel(NamedTuple):
    """The melody as it is understood, with what corrects it and makes it longer."""

    view: MelodyView
    half: gr.Button
    double: gr.Button
    earlier: gr.Button
    later: gr.Button
    bars: gr.Dropdown
    lengthen: gr.Button


class TakePanel(NamedTuple):
    """The take that is shown, and what makes others of it."""

    view: TakeView
    finished: FinishedView
    near: NearView
    what: gr.Dropdown
    remake: gr.Button
    undo: gr.Button
    instrument: gr.Dropdown
    sliders: list[gr.Slider]
    reset: gr.Button
    lossless: gr.Button


class Calls(NamedTuple):
    """The calls for programs: invisible buttons, with their inputs and outputs."""

    accompany: gr.Button
    melody_and_choices: list[Any]
    song: list[Any]
    invent: gr.Button
    choices: list[Any]
    melody: list[Any]


def hidden() -> Hidden:
    """Add the state and the invisible boxes."""
    return Hidden(
        gr.State(),
        gr.State(Settings()),
        gr.State([]),
        *(gr.Textbox(visible=False) for _ in range(4)),
    )


def melody_input() -> MelodyInput:
    """Add the tabs for files and recordings, the examples, and what invents melodies."""
    with gr.Tab(t("A file")):
        file = gr.File(
            label=t("Melody: a MIDI file or a recording"),
            file_types=[*MIDI_ENDINGS, *SOUND_ENDINGS],
            type="filepath",
            height=140,
        )
    with gr.Tab(t("Record")):
        microphone = gr.Audio(
            sources=["microphone"],
            type="filepath",
            label=t("Sing, hum, whistle or play one voice, from 1 second to 10 minutes"),
        )
        MicrophoneHint()
    with gr.Tab(t("Record with a click")):
        recorder = ClickRecorder(container=True, padding=True, elem_id="recorder")
    gr.Examples(
        list(EXAMPLES.values()),
        file,
        label=t("Example melodies"),
        example_labels=studio.titles(EXAMPLES),
    )
    with gr.Row():
        random_example = gr.Button(t("Try a random example"), min_width=160)
        invent_random = gr.Button(t("Invent a melody"), min_width=160)
    return MelodyInput(file, microphone, recorder, random_example, invent_random, _inventing())


def _inventing() -> Inventing:
    with gr.Accordion(t("Settings of invented melodies"), open=False):
        bars = gr.Radio(list(MELODY_BARS[1:]), value=INVENTED_BARS, label=t("Length in bars"))
        variation = gr.Slider(
            MELODY_VARIATION.low,
            MELODY_VARIATION.high,
            USUAL_MELODY_VARIATION,
            step=0.05,
            label=t("Melody variation"),
            info=t("0: predictable. 1.5: unusual."),
        )
        with gr.Row(equal_height=True):
            seed = gr.Number(
                0,
                label=t("Melody seed"),
                precision=0,
                minimum=SEED.low,
                maximum=SEED.high,
                min_width=120,
            )
            invent = gr.Button(t("Invent with this seed"), size="sm", min_width=120)
    return Inventing(bars, variation, seed, invent)


def band() -> BandPanel:
    """Add the choices for the band, and the buttons that make it."""
    genre = gr.Dropdown(GENRES, value=first_genre(), label="Genre")
    served = gr.Markdown(elem_id="served")
    suggest = gr.Button(t("Suggest a genre"), size="sm")
    with gr.Row(equal_height=True):
        seed = gr.Number(
            0,
            label=t("Seed"),
            info=t("Another seed gives different music."),
            precision=0,
            minimum=SEED.low,
            maximum=SEED.high,
            scale=4,
        )
        random_seed = gr.Button(t("Random"), size="sm", min_width=60, scale=1)
    instruments = gr.CheckboxGroup(
        list(BAND), value=list(BAND), label=t("Instruments besides the piano")
    )
    with gr.Accordion(t("More settings"), open=False):
        intro = gr.Dropdown(list(INTROS), value="none", label=t("Introduction"))
        variation = gr.Slider(
            VARIATION.low,
            VARIATION.high,
            0,
            step=0.05,
            label=t("Variation"),
            info=t("Higher: the playing is freer, and rougher."),
        )
        chords = gr.Textbox(
            "",
            label=t("Chords"),
            info=t("Leave empty to have them planned, or type your own: | C  Am | F  G7 |"),
            lines=2,
        )
        settings_file = gr.UploadButton(
            t("Open a settings file"),  # type: ignore[arg-type]  Gradio translates it, too
            file_types=[".json"],
            size="sm",
        )
    styles, own_style = _styles()
    generate = gr.Button(t("Accompany"), variant="primary")
    with gr.Row():
        three = gr.Button(t("Three takes"), size="sm")
        stop = gr.Button(t("Stop"), size="sm")
    form = BandForm(genre, seed, variation, chords, intro, instruments, *styles)
    return BandPanel(
        form, own_style, served, suggest, random_seed, settings_file, generate, three, stop
    )


def _styles() -> tuple[list[Any], gr.File]:
    """Add the choices of styles: those of BandForm in its order, and the visitor's own."""
    genres = {name: about["genre"] for name, about in built_in().items()}
    named = [(f"{name.replace('_', ' ')} ({genre})", name) for name, genre in genres.items()]
    named.sort(key=lambda pair: (genres[pair[1]], pair[0]))
    with gr.Accordion(t("In the style of"), open=False):
        with gr.Row():
            first, second = (
                gr.Dropdown([("–", ""), *named], value="", label=t(text), min_width=140)
                for text in ("Style", "Second style")
            )
        share = gr.Slider(0, 1, 0.5, step=0.05, label=t("Share of the second style"))
        factor = gr.Slider(
            STYLE_FACTOR.low,
            STYLE_FACTOR.high,
            Settings.style_factor,
            step=0.05,
            label=t("Strength of the style"),
            info=t("0: no style. 1: the patterns of that song throughout."),
        )
        own = gr.File(
            label=t("Or your own song as the style: MIDI with a band"),
            file_types=list(MIDI_ENDINGS),
            type="filepath",
            height=140,
            elem_id="own-style",
        )
    return [first, second, share, factor], own


def melody(state: Hidden) -> MelodyPanel:
    """Add the melody that is open, with what corrects it and makes it longer."""
    with gr.Column(visible=False) as panel:
        facts = gr.Markdown(elem_id="facts")
        player = Player(elem_id="melody")
        with gr.Accordion(t("Correct key, metre or tempo"), open=False), gr.Row():
            key = gr.Dropdown(KEYS, label=t("Key"), min_width=120)
            meter = gr.Dropdown(METERS, label=t("Metre"), min_width=80)
            tempo = gr.Number(label=t("Beats per minute"), min_width=90)
            half, double, earlier, later = (
                gr.Button(t(text), size="sm", min_width=90)
                for text in (
                    "Half tempo",
                    "Double tempo",
                    "Bar lines a beat earlier",
                    "Bar lines a beat later",
                )
            )
            track = gr.Dropdown([], label=t("Melody track"), visible=False)
        with gr.Row(equal_height=True):
            bars = gr.Dropdown(
                [(f"{count} bars", count) for count in MELODY_BARS[:3]],
                value=8,
                label=t("Make it longer by"),
                min_width=120,
            )
            lengthen = gr.Button(t("Continue the melody"), size="sm", min_width=120)
            shorten = gr.Button(
                t("Remove the last addition"), size="sm", min_width=120, visible=False
            )
    view = MelodyView(
        source=state.source,
        settings=state.settings,
        panel=panel,
        facts=facts,
        player=player,
        key=key,
        meter=meter,
        tempo=tempo,
        track=track,
        shorten=shorten,
        understanding=state.understanding,
    )
    return MelodyPanel(view, half, double, earlier, later, bars, lengthen)


def take(state: Hidden, status: gr.Markdown, seed: gr.Number) -> TakePanel:
    """Add the take that is shown, and what makes others of it.

    Args:
        state: What the page keeps.
        status: The line for progress and errors.
        seed: Of the band; a take that is shown sets it.
    """
    with gr.Column(visible=False) as panel:
        player = Player(elem_id="song")
        number = gr.Radio([], label=t("Takes"), elem_id="takes")
        with gr.Row(equal_height=True):
            what = gr.Dropdown(
                [EVERYTHING, *BAND],
                value=EVERYTHING,
                label=t("What to remake"),
                info=t("In the selected bars; in all bars if none are selected."),
            )
            remake, undo = gr.Button(t("Remake")), gr.Button(t("Undo"))
        blend_panel, other, amount = _blending()
        instrument, sliders, reset = _exploring()
        files = gr.Files(label=t("Downloads"), elem_id="downloads")
        lossless = gr.Button(t("Prepare WAV and stems"), size="sm")
        chords = gr.Textbox(
            label=t("Chords that were played"),
            lines=4,
            buttons=["copy"],
            # For screen readers: beside a button they do not read the label.
            placeholder=t("Chords that were played"),
        )
    finished = FinishedView(player, files, status)
    view = TakeView(
        panel,
        state.takes,
        number,
        chords,
        state.query,
        seed,
        state.showing,
        state.beside,
        *finished,
    )
    near = NearView(blend_panel, other, amount, *sliders)
    return TakePanel(view, finished, near, what, remake, undo, instrument, sliders, reset, lossless)


def _blending() -> tuple[gr.Accordion, gr.Dropdown, gr.Slider]:
    """Add what blends two takes."""
    with gr.Accordion(t("Blend two takes"), open=False, visible=False) as panel:
        other = gr.Dropdown([], label=t("Blend the take that is shown with"))
        amount = gr.Slider(
            0,
            1,
            0,
            step=0.05,
            label=t("Amount of the other take"),
            info=t("Release the slider to play."),
        )
    return panel, other, amount


def _exploring() -> tuple[gr.Dropdown, list[gr.Slider], gr.Button]:
    """Add what moves an instrument: the instrument, a slider by DIRECTIONS, and the way back."""
    with gr.Accordion(t("Explore an instrument"), open=False):
        instrument = gr.Dropdown(list(BAND), value="guitar", label=t("Instrument"))
        with gr.Row():
            sliders = [
                gr.Slider(MOVE.low, MOVE.high, 0, step=0.25, label=t(text), min_width=160)
                for text in ("Sparser to busier", "Fewer to more pitches", "Another character")
            ]
        reset = gr.Button(t("Reset all instruments"), size="sm")
    return instrument, sliders, reset


def calls() -> Calls:
    """Add the calls for programs, whose labels are the names of their arguments."""
    with gr.Row(visible=False):
        melody_and_choices = [
            gr.File(label="melody", type="filepath"),
            _called_genre(),
            gr.Number(0, label="seed", precision=0),
            gr.Textbox("", label="chords"),
            gr.Dropdown(list(INTROS), value="none", label="intro", allow_custom_value=True),
            gr.Textbox("", label="style"),
            gr.Number(Settings.style_factor, label="style_factor"),
        ]
        song = [
            gr.Audio(label="sound", type="filepath"),
            gr.Image(label="picture", type="filepath"),
            gr.File(label="MIDI"),
            gr.Textbox(label="chords that were played"),
        ]
        choices = [
            _called_genre(),
            gr.Number(INVENTED_BARS, label="bars"),
            gr.Number(0, label="seed"),
            gr.Number(USUAL_MELODY_VARIATION, label="variation"),
        ]
        melody = [gr.File(label="MIDI"), gr.Textbox(label="chords")]
        accompany, invent = gr.Button(), gr.Button()
    return Calls(accompany, melody_and_choices, song, invent, choices, melody)


def first_genre() -> str | None:
    """Return the genre that is chosen at first; None where no genre is served."""
    return next((genre for genre in (FIRST_GENRE, *GENRES) if genre in GENRES), None)


def _called_genre() -> gr.Dropdown:
    return gr.Dropdown(GENRES, value=first_genre(), label="genre", allow_custom_value=True)
