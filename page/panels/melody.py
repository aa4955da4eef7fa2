"""Where a melody comes from, and how it is understood."""

from typing import NamedTuple

import gradio as gr

from accomp.listen.accepted import MELODY_ENDINGS
from accomp.project.choices import MELODY_BARS
from page.melodies import EXAMPLES, FIRST_EXAMPLE
from page.naming import title
from page.panels.hidden import Hidden
from page.player import Player
from page.recorder import Recorder
from page.views import KEYS, METERS, MelodyView
from page.words import WORDS as t

Buttons = tuple[gr.Button, gr.Button, gr.Button, gr.Button]


class MelodyPanel(NamedTuple):
    """Where a melody comes from, how it is understood, what corrects it and makes it longer."""

    view: MelodyView
    file: gr.File
    recorder: Recorder
    record: gr.Button
    invent: gr.Button
    change: gr.Button
    correct: gr.Button
    half: gr.Button
    double: gr.Button
    earlier: gr.Button
    later: gr.Button
    bars: gr.Dropdown
    lengthen: gr.Button


def melody(state: Hidden, player: Player) -> MelodyPanel:
    """Add the melody's part of the page; `player` shows it."""
    with gr.Row(elem_id="melody-head"):
        gr.Markdown(t("## Your melody"), elem_classes="head")
        facts = gr.Markdown(elem_id="facts")
        correct = gr.Button(t("Correct or lengthen it"), elem_id="correct", size="sm")
        change = gr.Button(t("Change melody"), elem_id="melody", size="sm")
    ways = gr.Radio([], label=t("Counted as"), visible=False, elem_id="ways")
    with gr.Column(elem_id="correct-part", elem_classes="part"):
        key, meter, tempo, track, buttons = _corrections()
        tidy = gr.Checkbox(True, label=t("Leave out very short doubtful notes"), visible=False)
        bars, lengthen, shorten = _lengthening()
    with gr.Column(elem_id="melody-part"):
        with gr.Row(elem_id="sources"):
            file = gr.File(
                label=t("Drop a MIDI file or a recording, or choose one"),
                file_types=list(MELODY_ENDINGS),
                file_count="multiple",  # who drops two is told that it takes one
                type="filepath",
                height=64,
                elem_id="melody-file",
            )
            record = gr.Button(t("Record"), elem_id="record")
            invent = gr.Button(t("Invent one"), elem_id="invent")
        with gr.Column(elem_id="record-part", elem_classes="part"):
            recorder = Recorder(elem_id="recorder")
        examples = gr.Radio(
            [(title(name), name) for name in EXAMPLES],
            value=FIRST_EXAMPLE,
            label=t("Or one of these"),
            elem_id="examples",
            elem_classes="cards",
        )
    view = MelodyView(
        source=state.source,
        settings=state.settings,
        example=examples,
        facts=facts,
        player=player,
        key=key,
        meter=meter,
        tempo=tempo,
        track=track,
        ways=ways,
        tidy=tidy,
        shorten=shorten,
        understanding=state.understanding,
    )
    return MelodyPanel(
        view,
        file,
        recorder,
        record,
        invent,
        change,
        correct,
        *buttons,
        bars,
        lengthen,
    )


def _corrections() -> tuple[gr.Dropdown, gr.Dropdown, gr.Number, gr.Dropdown, Buttons]:
    """Add what corrects the melody: the key, the metre, the tempo, the track, four buttons."""
    with gr.Row(elem_classes="fields"):
        key = gr.Dropdown(KEYS, label=t("Key"), min_width=120)
        meter = gr.Dropdown(METERS, label=t("Metre"), min_width=80)
        tempo = gr.Number(label=t("Beats per minute"), min_width=90)
        track = gr.Dropdown([], label=t("Melody track"), visible=False, min_width=140)
    with gr.Row(elem_classes="buttons"):
        half, double, earlier, later = (
            gr.Button(t(text), size="sm", min_width=90)
            for text in (
                "Half tempo",
                "Double tempo",
                "Bar lines a beat earlier",
                "Bar lines a beat later",
            )
        )
    return key, meter, tempo, track, (half, double, earlier, later)


def _lengthening() -> tuple[gr.Dropdown, gr.Button, gr.Button]:
    """Add what makes the melody longer and shorter."""
    with gr.Row(elem_classes="fields"):
        bars = gr.Dropdown(
            [(f"{count} bars", count) for count in MELODY_BARS[:3]],
            value=8,
            label=t("Make it longer by"),
            min_width=120,
        )
        lengthen = gr.Button(t("Continue the melody"), size="sm", min_width=120)
        shorten = gr.Button(t("Remove the last addition"), size="sm", min_width=120, visible=False)
    return bars, lengthen, shorten
