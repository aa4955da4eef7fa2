"""The web page: a melody in, a band out. The screen only: what it shows is made in the packages page and accomp."""

import os
import random
import sys
from collections.abc import Mapping
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # the page calls no other host

import spaces  # noqa: I001  before torch: on ZeroGPU it has to be first
import gradio as gr

from accomp import Accompanist, ModelError, MusicError, Score, genres
from accomp.invention import invent as invention
from accomp.music.chord_text import chord_text
from accomp.models.shelf import Shelf
from accomp.listen.source import Source, load_source
from accomp.models.melody_nn import shipped_melody_nn
from accomp.band.options import INTROS, Options, Redo
from accomp.errors import AudioUnavailable
from accomp.band.style_library import parse_styles
from accomp.suggest import suggest
from accomp.listen.transcribe import Click
from page import inventing, panels, studio, views
from page.choices import BAND, LONGEST_TEXT, SEEDS, Making, shares
from page.files import KEPT_SECONDS
from page.genres import describe
from page.player import Player
from page.recorder import RECORDING_FILE, ClickRecorder, read_click_recording
from page.settings import Settings
from page.taking import EVERYTHING, FIRST, Taking
from page.words import WORDS

EXAMPLES = {
    path.stem: str(path) for path in sorted((Path(__file__).parent / "examples").glob("*.mid"))
}
SOUNDS = [".wav", ".mp3", ".ogg", ".opus", ".webm", ".m4a", ".flac", ".aiff"]
MOST_BYTES = "500mb"  # of an upload: ten minutes of studio sound
AT_ONCE = 4  # visitors who are given music at a time; one who waits for a genre to be loaded takes one of these places
TO_ADDRESS = """(query) => {
    const choices = new URLSearchParams(query), theme = new URLSearchParams(location.search).get("__theme");
    if (theme) choices.set("__theme", theme);
    history.replaceState(null, "", choices.size ? "?" + choices : location.pathname);
}"""

GENRES = genres()
models = Shelf(Accompanist.from_pretrained)  # each genre is loaded once, when it is first asked for
if spaces.config.Config.zero_gpu:
    # There the GPU's process is a copy of this one, made for each call: what it would load would be lost with it.
    for name in list(GENRES):
        try:
            models.get(name)
        except ModelError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            GENRES.remove(name)
    try:
        shipped_melody_nn()
    except MusicError as error:
        print(f"no melodies are invented: {error}", file=sys.stderr)


# What needs the models, and so the GPU where a Space lends one for each call; elsewhere these are plain calls. No other error's
# words than gr.Error's come back from a process of ZeroGPU.


@spaces.GPU(duration=15)
def play(
    genre: str,
    score: Score,
    options: Options,
    redo: Redo | None = None,
    blend: tuple[str, int, float] | None = None,
    explore: Mapping[str, Mapping[str, float]] | None = None,
) -> Score:
    """Give a melody a band.

    Args:
        genre: whose models play.
        score: the melody.
        options: how the band is made.
        redo: an earlier result of which only a part is made anew.
        blend: genre, seed and amount of another band to go towards.
        explore: how far instruments move, as in Sketch.explored.

    Raises:
        gr.Error: a MusicError's words.
    """
    try:
        model = models.get(genre)
        sketch = model.sketch(score, options, redo=redo)
        if blend:
            other = models.get(blend[0]).sketch(score, options, redo=redo, seed=blend[1])
            sketch = sketch.blended(other, blend[2])
        return model.perform(sketch.explored(explore or {}))
    except MusicError as error:
        raise gr.Error(str(error)) from error


@spaces.GPU(duration=15)
def sing(making: Making) -> Score:
    """A melody that nobody brought."""
    try:
        return invention.invent(
            models.get(making.genre), making.bars, making.seed, making.variation
        )
    except MusicError as error:
        raise gr.Error(str(error)) from error


@spaces.GPU(duration=15)
def sing_on(making: Making, score: Score, track: int, key: str | None) -> Score:
    """A melody and what comes after it."""
    try:
        model = models.get(making.genre)
        return invention.continue_melody(
            model,
            score,
            making.bars,
            making.seed,
            making.variation,
            melody_track=track,
            key=key,
            chords=making.chords or "planned",
        )
    except MusicError as error:
        raise gr.Error(str(error)) from error


def check_genre(genre: str) -> None:
    """Loads its models, outside of the GPU's time. Raises gr.Error."""
    if genre not in GENRES:
        raise gr.Error(f"Genre {genre!r} is unknown; available: {', '.join(GENRES)}.")
    try:
        models.get(genre)
    except ModelError as error:
        raise gr.Error(str(error)) from error


taking = Taking(play, check_genre)


def served(genre: str) -> str:
    """What to expect of a genre, and which models it is played with: the Hub's repository and its revision, or the embedded."""
    check_genre(genre)
    source = models.get(genre).source
    return f"{describe(genre)} Models: `{source}`{'' if source.commit else ', embedded'}"


# The melody


def open_file(path: str | None):
    """A MIDI file that was chosen, dropped or clicked, or sound that was recorded or uploaded; cleared, it changes nothing."""
    if not path:
        return [gr.skip()] * views.OF_MELODY
    name = Path(path).stem
    is_example = name in EXAMPLES and Path(EXAMPLES[name]).read_bytes() == Path(path).read_bytes()
    return opened(path, Settings(melody=name if is_example else ""))


def open_recorded(path: str | None):
    """What was recorded in the page."""
    return (
        opened(studio.named_recording(path), Settings()) if path else [gr.skip()] * views.OF_MELODY
    )


def open_click(value: dict | None):
    """A recording that was made to the page's click."""
    try:
        recording = read_click_recording(value)
    except ValueError as error:
        raise gr.Error(str(error)) from error
    path = studio.named_recording(recording.path)
    if Path(recording.path).name == RECORDING_FILE:
        # Gradio forgets such files; other names are not the recorder's to remove.
        Path(recording.path).unlink()
    click = Click(recording.tempo, recording.first, recording.meter)
    return opened(path, Settings(), click)


def opened(path: str, settings: Settings, click: Click | None = None):
    try:
        return views.opened(load_source(path, click), settings)
    except MusicError as error:
        raise gr.Error(str(error)) from error


def correct(material: Source | None, settings: Settings, **changes):
    if material is None:
        raise gr.Error(FIRST)
    try:
        return views.understood(material, settings.corrected(**changes))
    except MusicError as error:
        raise gr.Error(str(error)) from error


def correct_meter(material: Source | None, settings: Settings, meter: str):
    numerator, denominator = meter.split("/")
    return correct(material, settings, meter=(int(numerator), int(denominator)))


def correct_pace(material: Source | None, settings: Settings, factor: float):
    """Twice or half as many beats. A tempo that was typed goes with them."""
    tempo, pace = settings.corrections.tempo, settings.corrections.pace
    return correct(material, settings, pace=pace * factor, tempo=tempo and tempo * factor)


def suggested(material: Source | None, settings: Settings):
    """The genre that fits the melody best, of those that are there."""
    if material is None:
        raise gr.Error(FIRST)
    melody = material.melody(settings.corrections)
    likely = suggest(melody.score, melody.track, GENRES)
    if not likely:
        raise gr.Error(f"No suggestion: nothing is known of the genres {', '.join(GENRES)}.")
    gr.Info(
        " or ".join(name.capitalize() for name, _ in likely[:2])
        + " would fit; the others are worth a try, too."
    )
    return likely[0][0]


# Settings


def widgets_of(settings: Settings):
    genre = settings.genre if settings.genre in GENRES else gr.skip()
    if settings.blend or settings.explore:
        gr.Info(
            "These settings are of a take near another one: it is made again with their genre and seed."
        )
    return [
        genre,
        settings.seed,
        settings.variation,
        settings.chords,
        settings.intro,
        list(settings.instruments),
        *shares(settings.styles),
        settings.style_factor,
    ]


def melody_of(settings: Settings, material: Source | None = None) -> Source | None:
    """The melody that settings are about: an example, one that was made here, or the one that is open; None where there is none.
    Raises gr.Error or MusicError.
    """
    makings = [*filter(None, [settings.invented]), *settings.continued]
    if settings.melody in EXAMPLES:
        material = load_source(EXAMPLES[settings.melody])
    if settings.invented or material:
        for making in makings:
            check_genre(making.genre)
    return inventing.made_again(sing, sing_on, settings, material)


def from_address(request: gr.Request):
    """The choices in the page's address, and the melody that it names."""
    try:
        settings = Settings.from_query(dict(request.query_params))
        material = melody_of(settings)
    except (MusicError, gr.Error) as error:
        gr.Warning(f"The page's address was not understood: {getattr(error, 'message', error)}")
        settings, material = Settings(), None
    chosen = widgets_of(settings)
    if settings == Settings():  # what a visitor has chosen before this came stays
        chosen = [gr.skip()] * len(chosen)
    return [
        *(views.opened(material, settings) if material else [gr.skip()] * views.OF_MELODY),
        *chosen,
    ]


def from_file(material, path: str):
    """A settings file: its choices, and its corrections of the melody that is there or that it names."""
    try:
        with open(path, "rb") as file:
            settings = Settings.from_json(file.read(LONGEST_TEXT * 4))
        material = melody_of(settings, material)
        found = views.opened(material, settings) if material else [gr.skip()] * views.OF_MELODY
    except MusicError as error:
        raise gr.Error(str(error)) from error
    return [*found, *widgets_of(settings)]


def surprise():
    """Some melody, genre and seed."""
    settings = Settings(
        random.choice(list(EXAMPLES)), random.choice(GENRES), random.randrange(1000)
    )
    return [*opened(EXAMPLES[settings.melody], settings), *widgets_of(settings)]


def surprise_me(genre, bars, variation):
    """Some melody of a genre that nobody knew, and the seed that it can be had by again."""
    seed = random.randrange(1000)
    return [seed, *invented(genre, bars, seed, variation)]


def invented(genre, bars, seed, variation):
    """A melody out of nothing, which brings its own chords: what the box of chords holds was for another one."""
    check_genre(genre)
    try:
        making = Making(genre, int(bars), int(seed or 0), float(variation))
        settings = Settings().changed(invented=making, genre=genre)
        return ["", *views.opened(inventing.invented(sing, making), settings)]
    except MusicError as error:
        raise gr.Error(str(error)) from error


def go_on(material, settings: Settings, genre, bars, chords):
    """The melody that is open becomes longer. Chords that were typed become its own, and those of the new bars follow them."""
    if material is None:
        raise gr.Error(FIRST)
    check_genre(genre)
    try:
        making = Making(genre, int(bars), random.randrange(1000), chords=(chords or "").strip())
        longer = inventing.longer(sing_on, material, settings, making)
        if making.chords:
            gr.Info("Your chords are now the melody's own; those of the new bars follow them.")
        return ["", *views.opened(*longer)]
    except MusicError as error:
        raise gr.Error(str(error)) from error


def go_back(material, settings: Settings):
    """The melody that is open as it was before it became longer, and the chords that were typed for it."""
    try:
        before = inventing.shorter(material, settings)
        return [settings.continued[-1].chords or gr.skip(), *views.opened(*before)]
    except MusicError as error:
        raise gr.Error(str(error)) from error


# For programs


def accompany(
    melody: str | None,
    genre: str,
    seed: float = 0,
    chords: str = "",
    intro: str = "none",
    style: str = "",
    style_factor: float = 0.5,
) -> tuple[str | None, str, str, str]:
    """A band for a melody, MIDI or recorded: paths of the sound (none without FluidSynth), the picture and the MIDI file, and the
    chords.

    Args:
        melody: a MIDI file, or a recording of one voice (wav, mp3, ogg, opus, webm, m4a, flac, aiff).
        genre: one of those that the page offers.
        seed: another one gives other music.
        chords: such as "| C  Am | F  G7 |"; planned where empty.
        intro: none, count-in (a bar of clicks) or bars (two bars of the band).
        style: a built-in style that the band is drawn to, such as bossa_nova, or two with weights: bossa_nova 2 + samba.
        style_factor: how much, from 0 (not at all) to 1 (its patterns throughout).
    """
    if not melody:
        raise gr.Error(FIRST)
    try:
        settings = Settings().changed(
            genre=genre,
            seed=int(seed or 0),
            chords=chords or "",
            intro=intro,
            styles=tuple(parse_styles(style)) if style else (),
            style_factor=style_factor,
        )
        take = taking.made(load_source(melody), settings, [])
    except MusicError as error:
        raise gr.Error(str(error)) from error
    try:
        sound = str(studio.write_whole(take))
    except AudioUnavailable as error:
        gr.Warning(str(error))
        sound = None
    return sound, str(studio.draw(take)), str(take.files[0]), take.chords


def invent(
    genre: str, bars: float = 16, seed: float = 0, variation: float = invention.VARIATION
) -> tuple[str, str]:
    """A melody out of nothing, as a genre has them: the path of its MIDI file, and its chords as text, both of which can be given
    to accompany.

    Args:
        genre: one of those that the page offers.
        bars: 4, 8, 16 or 32.
        seed: another one gives another melody.
        variation: from 0 (keeps to what is usual) to 1.5 (wanders).
    """
    check_genre(genre)
    try:
        bars, variation = (
            16 if bars is None else int(bars),
            invention.VARIATION if variation is None else float(variation),
        )
        making = Making(genre, bars, int(seed or 0), variation)
        Settings().changed(invented=making)
        melody = inventing.invented(sing, making)
    except MusicError as error:
        raise gr.Error(str(error)) from error
    return str(inventing.file_of(melody)), chord_text(melody.score, melody.score.tracks[0])


t = WORDS
with gr.Blocks(title="accomp", delete_cache=(KEPT_SECONDS, KEPT_SECONDS)) as demo:
    material, settings = gr.State(), gr.State(Settings())
    takes, query = gr.State([]), gr.Textbox(visible=False)
    understanding, showing, beside = (gr.Textbox(visible=False) for _ in range(3))
    gr.Markdown("# accomp: give a melody a band")
    gr.Markdown(
        t("Sing, play or drop a melody, pick a genre: drums, bass, guitar and strings join in.")
    )
    with gr.Row():
        with gr.Column():
            with gr.Tab(t("A file")):
                melody_file = gr.File(
                    label=t("Melody: MIDI, or sound"),
                    file_types=[".mid", ".midi", ".kar", *SOUNDS],
                    type="filepath",
                    height=140,
                )
            with gr.Tab(t("Record")):
                microphone = gr.Audio(
                    sources=["microphone"],
                    type="filepath",
                    label=t("Sing, hum, whistle or play one voice, from 1 second to 10 minutes"),
                )
            with gr.Tab(t("Record with a click")):
                recorder = ClickRecorder(container=True, padding=True, elem_id="recorder")
            gr.Examples(
                list(EXAMPLES.values()),
                melody_file,
                label=t("Melodies to try"),
                example_labels=studio.titles(EXAMPLES),
            )
            with gr.Row():
                surprise_button = gr.Button(t("No melody at hand? Try one for me"), min_width=160)
                invent_button = gr.Button(t("Surprise me: invent one"), min_width=160)
            inventor = panels.inventing()
        with gr.Column():
            genre_choice = gr.Dropdown(
                GENRES,
                value=next((g for g in ("pop", *GENRES) if g in GENRES), None),
                label="Genre",
            )
            served_view = gr.Markdown(elem_id="served")
            suggest_button = gr.Button(t("Suggest a genre"), size="sm")
            with gr.Row(equal_height=True):
                seed_choice = gr.Number(
                    0,
                    label=t("Seed"),
                    info=t("Another seed gives other music."),
                    precision=0,
                    minimum=0,
                    maximum=SEEDS,
                    scale=4,
                )
                dice = gr.Button(t("Dice"), size="sm", min_width=60, scale=1)
            instruments_choice = gr.CheckboxGroup(
                list(BAND), value=list(BAND), label=t("Who plays beside the piano")
            )
            with gr.Accordion(t("More"), open=False):
                intro_choice = gr.Dropdown(list(INTROS), value="none", label=t("Introduction"))
                variation_choice = gr.Slider(
                    0,
                    1,
                    0,
                    step=0.05,
                    label=t("Variation"),
                    info=t("Towards 1 the playing gets freer, and rough."),
                )
                chords_choice = gr.Textbox(
                    "",
                    label=t("Chords"),
                    info=t(
                        "Empty: planned. Or yours, or the planned ones edited: | C  Am | F  G7 |"
                    ),
                    lines=2,
                )
                settings_file = gr.UploadButton(
                    t("Open a settings file"), file_types=[".json"], size="sm"
                )
            style = panels.styles()
            button = gr.Button(t("Accompany"), variant="primary")
            with gr.Row():
                three_button, cancel = (
                    gr.Button(t("Three takes"), size="sm"),
                    gr.Button(t("Stop"), size="sm"),
                )
    with gr.Column(visible=False) as melody_panel:
        facts = gr.Markdown(elem_id="facts")
        melody_player = Player(elem_id="melody")
        with gr.Accordion(t("Is something wrong with it?"), open=False), gr.Row():
            key_choice = gr.Dropdown(views.KEYS, label=t("Key"), min_width=120)
            meter_choice = gr.Dropdown(views.METERS, label=t("Metre"), min_width=80)
            tempo_choice = gr.Number(label=t("Beats a minute"), min_width=90)
            half, double = (
                gr.Button(t(text), size="sm", min_width=90)
                for text in ("Half tempo", "Double tempo")
            )
            earlier, later = (
                gr.Button(t(f"Bar lines a beat {way}"), size="sm", min_width=90)
                for way in ("earlier", "later")
            )
            track_choice = gr.Dropdown([], label=t("Melody track"), visible=False)
        going = panels.going_on()
    status = gr.Markdown(elem_id="status", min_height=48)  # room for a sign of progress
    with gr.Column(visible=False) as take_panel:
        player = Player(elem_id="song")
        take_choice = gr.Radio([], label=t("Takes"), elem_id="takes")
        with gr.Row(equal_height=True):
            what_choice = gr.Dropdown(
                [EVERYTHING, *BAND],
                value=EVERYTHING,
                label=t("Make anew"),
                info=t("In the selected bars, or all."),
            )
            again_button, undo_button = gr.Button(t("Another take of it")), gr.Button(t("Undo"))
        way, explorer = panels.between(), panels.exploring()
        files_view = gr.Files(label=t("Downloads"), elem_id="downloads")
        lossless_button = gr.Button(t("Prepare WAV and stems"), size="sm")
        chords_view = gr.Textbox(
            label=t("Chords that were played"),
            lines=4,
            buttons=["copy"],
            placeholder=t(
                "Chords that were played"
            ),  # for screen readers: beside a button the label is not heard
        )

    MELODY_VIEWS = [
        material,
        settings,
        melody_panel,
        facts,
        melody_player,
        key_choice,
        meter_choice,
        tempo_choice,
        track_choice,
        going.back,
        understanding,
    ]
    FINISHED_VIEWS = [player, files_view, status]
    TAKE_VIEWS = [
        take_panel,
        takes,
        take_choice,
        chords_view,
        query,
        seed_choice,
        showing,
        beside,
        *FINISHED_VIEWS,
    ]
    CHOICES = [
        genre_choice,
        seed_choice,
        variation_choice,
        chords_choice,
        intro_choice,
        instruments_choice,
        *style[:4],
    ]
    TO_MAKE = [material, settings, takes, style.own, *CHOICES]
    # Progress and errors are shown in a line of their own: they would veil the melody and the song, which stay.
    private = {"api_visibility": "private", "show_progress_on": status}
    busy = private | {"concurrency_limit": AT_ONCE, "concurrency_id": "music"}

    # Sound comes by events of its own: who wants something else meanwhile does not wait for it, and it is given up first (the
    # events of a trigger come one after another, in this order). "multiple": what is new does not wait until the browser knows
    # that the old one has been given up; now and then it would not come at all.
    later_on = busy | {
        "show_progress": "hidden",
        "show_progress_on": None,
        "trigger_mode": "multiple",
    }
    hearing = understanding.change(views.hear, [material, settings], melody_player, **later_on)
    nearby = [way.panel, way.other, way.amount, *explorer.sliders]
    beside.change(
        views.near,
        [takes, beside, way.other, explorer.instrument],
        nearby,
        show_progress="hidden",
        **private,
    )
    finishing = showing.change(views.finish, [takes, showing], FINISHED_VIEWS, **later_on)
    of_melodies = [
        melody_file.change,
        microphone.input,
        recorder.input,
        settings_file.upload,
        key_choice.input,
        meter_choice.input,
        tempo_choice.submit,
        track_choice.input,
        half.click,
        double.click,
        earlier.click,
        later.click,
        going.on.click,
        going.back.click,
    ]
    moved = [slider.release for slider in explorer.sliders]
    near_by = [way.amount.release, *moved, explorer.back.click]
    of_takes = [
        button.click,
        three_button.click,
        again_button.click,
        undo_button.click,
        take_choice.input,
        *near_by,
    ]
    of_both = [surprise_button.click, invent_button.click, inventor.button.click]
    gr.on([*of_melodies, *of_both], None, None, None, cancels=hearing, **private)
    gr.on([*of_takes, *of_both], None, None, None, cancels=finishing, **private)

    corrected = {"inputs": [material, settings], "outputs": MELODY_VIEWS[1:]} | private
    melody_file.change(open_file, melody_file, MELODY_VIEWS, **busy)
    microphone.input(open_recorded, microphone, MELODY_VIEWS, **busy)
    recorder.input(open_click, recorder, MELODY_VIEWS, **busy)
    key_choice.input(
        lambda m, s, key: correct(m, s, key=key),
        [material, settings, key_choice],
        MELODY_VIEWS[1:],
        **private,
    )
    meter_choice.input(
        correct_meter, [material, settings, meter_choice], MELODY_VIEWS[1:], **private
    )
    tempo_choice.submit(
        lambda m, s, bpm: correct(m, s, tempo=bpm),
        [material, settings, tempo_choice],
        MELODY_VIEWS[1:],
        **private,
    )
    track_choice.input(
        lambda m, s, track: correct(m, s, track=track),
        [material, settings, track_choice],
        MELODY_VIEWS[1:],
        **private,
    )
    half.click(lambda m, s: correct_pace(m, s, 0.5), **corrected)
    double.click(lambda m, s: correct_pace(m, s, 2.0), **corrected)
    earlier.click(lambda m, s: correct(m, s, later=s.corrections.later - 1), **corrected)
    later.click(lambda m, s: correct(m, s, later=s.corrections.later + 1), **corrected)
    settings_file.upload(from_file, [material, settings_file], [*MELODY_VIEWS, *CHOICES], **busy)
    demo.load(from_address, None, [*MELODY_VIEWS, *CHOICES], **private, concurrency_limit=AT_ONCE)
    going.on.click(
        go_on,
        [material, settings, genre_choice, going.bars, chords_choice],
        [chords_choice, *MELODY_VIEWS],
        **busy,
    )
    going.back.click(go_back, [material, settings], [chords_choice, *MELODY_VIEWS], **busy)
    asked = [inventor.seed, inventor.variation]
    tries = [
        surprise_button.click(surprise, None, [*MELODY_VIEWS, *CHOICES], **busy),
        invent_button.click(
            surprise_me,
            [genre_choice, inventor.bars, inventor.variation],
            [inventor.seed, chords_choice, *MELODY_VIEWS],
            **busy,
        ),
        inventor.button.click(
            invented, [genre_choice, inventor.bars, *asked], [chords_choice, *MELODY_VIEWS], **busy
        ),
    ]
    latest = busy | {"trigger_mode": "always_last"}
    makes = [
        button.click(taking.generate, TO_MAKE, TAKE_VIEWS, **busy),
        three_button.click(taking.three, TO_MAKE, TAKE_VIEWS, **busy),
        again_button.click(
            taking.again,
            [*TO_MAKE[:3], take_choice, player, what_choice, *TO_MAKE[3:]],
            TAKE_VIEWS,
            **busy,
        ),
        undo_button.click(views.undo, [takes, take_choice], TAKE_VIEWS, **busy),
        take_choice.input(views.choose, [takes, take_choice], TAKE_VIEWS, **busy),
        *(trying.success(taking.generate, TO_MAKE, TAKE_VIEWS, **busy) for trying in tries),
        way.amount.release(
            taking.go_between, [takes, take_choice, way.other, way.amount], TAKE_VIEWS, **latest
        ),
        gr.on(
            moved,
            taking.explore,
            [takes, take_choice, explorer.instrument, *explorer.sliders],
            TAKE_VIEWS,
            **latest,
        ),
        explorer.back.click(taking.move_back, [takes, take_choice], TAKE_VIEWS, **busy),
    ]
    explorer.instrument.input(
        views.amounts, [takes, take_choice, explorer.instrument], explorer.sliders, **private
    )
    suggest_button.click(suggested, [material, settings], genre_choice, **private)
    dice.click(lambda: random.randrange(1000), None, seed_choice, **private)
    cancel.click(lambda: "Stopped.", None, status, cancels=[*tries, *makes, finishing], **private)
    lossless_button.click(views.lossless, [takes, take_choice], files_view, **busy)
    query.change(None, query, None, js=TO_ADDRESS, **private)
    gr.on(
        [demo.load, genre_choice.change],
        served,
        genre_choice,
        served_view,
        api_name="served",
        concurrency_limit=None,
    )

    with gr.Row(visible=False):  # the calls for programs
        call = [
            gr.File(label="melody", type="filepath"),
            gr.Dropdown(GENRES, value=genre_choice.value, label="genre", allow_custom_value=True),
            gr.Number(0, label="seed", precision=0),
            gr.Textbox("", label="chords"),
            gr.Dropdown(list(INTROS), value="none", label="intro", allow_custom_value=True),
            gr.Textbox("", label="style"),
            gr.Number(0.5, label="style_factor"),
        ]
        answers = [
            gr.Audio(label="sound", type="filepath"),
            gr.Image(label="picture", type="filepath"),
            gr.File(label="MIDI"),
            gr.Textbox(label="chords that were played"),
        ]
        wishes = [
            gr.Dropdown(GENRES, value=genre_choice.value, label="genre", allow_custom_value=True),
            *(
                gr.Number(value, label=label)
                for label, value in (("bars", 16), ("seed", 0), ("variation", invention.VARIATION))
            ),
        ]
        found = [gr.File(label="MIDI"), gr.Textbox(label="chords")]
        at_once = {"concurrency_limit": AT_ONCE, "concurrency_id": "music"}
        gr.Button().click(accompany, call, answers, api_name="accompany", **at_once)
        gr.Button().click(invent, wishes, found, api_name="invent", **at_once)

if __name__ == "__main__":
    demo.launch(max_file_size=MOST_BYTES, i18n=WORDS)
