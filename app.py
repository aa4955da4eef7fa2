"""The web page: a melody in, a band out. The screen only: what it shows is made in the packages page and accomp."""

import os
import random
import sys
from pathlib import Path
from uuid import uuid4

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # the page calls no other host

import spaces  # noqa: E402, I001  before torch: on ZeroGPU it has to be first
import gradio as gr  # noqa: E402

from accomp import Accompanist, ModelError, MusicError, Score, genres  # noqa: E402
from accomp.hub import Shelf  # noqa: E402
from accomp.intake import Material, bring, understand  # noqa: E402
from accomp.melody import melody_name  # noqa: E402
from accomp.opening import INTROS  # noqa: E402
from accomp.rendering import AudioUnavailable  # noqa: E402
from accomp.suggestion import suggest  # noqa: E402
from accomp.tonality import NAMES  # noqa: E402
from accomp.transcription import Click  # noqa: E402
from page import studio  # noqa: E402
from page.files import KEPT_SECONDS  # noqa: E402
from page.genres import describe  # noqa: E402
from page.player import Player  # noqa: E402
from page.recorder import TAKE_FILE, ClickRecorder, take_of  # noqa: E402
from page.settings import BAND, LONGEST_TEXT, SEEDS, Settings  # noqa: E402
from page.studio import Take  # noqa: E402
from page.words import WORDS  # noqa: E402

EXAMPLES = {path.stem: str(path) for path in sorted((Path(__file__).parent / "examples").glob("*.mid"))}
SOUNDS = [".wav", ".mp3", ".ogg", ".opus", ".webm", ".m4a", ".flac", ".aiff"]
KEYS = [f"{name} {mode}" for mode in ("major", "minor") for name in NAMES]
METERS = ["2/4", "3/4", "4/4", "6/8", "12/8"]
EVERYTHING = "all that is not locked"
MIXES = "**You** and **Piano** can be muted one by one: the band with your recording, with a piano playing the melody, or alone."
FIRST = "Bring a melody first: a MIDI file, a recording, or one of the examples."
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


@spaces.GPU(duration=15)
def play(genre: str, score: Score, **settings) -> Score:
    """What needs the models, and so the GPU where a Space lends one for each call; elsewhere it is a plain call."""
    try:
        return models.get(genre).accompany(score, **settings)
    except MusicError as error:
        raise gr.Error(str(error)) from error  # no other error's words come back from a process of ZeroGPU


def check_genre(genre: str) -> None:
    """Loads its models, outside of the GPU's time. Raises gr.Error."""
    if genre not in GENRES:
        raise gr.Error(f"Genre {genre!r} is unknown; available: {', '.join(GENRES)}.")
    try:
        models.get(genre)
    except ModelError as error:
        raise gr.Error(str(error)) from error


def served(genre: str) -> str:
    """What to expect of a genre, and which models it is played with: the Hub's repository and its revision, or the embedded."""
    check_genre(genre)
    source = models.get(genre).source
    return f"{describe(genre)} Models: `{source}`{'' if source.commit else ', embedded'}"


# The melody


def open_file(path: str | None):
    """A MIDI file that was chosen, dropped or clicked, or sound that was recorded or uploaded; cleared, it changes nothing."""
    if not path:
        return [gr.skip()] * len(MELODY_VIEWS)
    name = Path(path).stem
    is_example = name in EXAMPLES and Path(EXAMPLES[name]).read_bytes() == Path(path).read_bytes()
    return opened(path, Settings(melody=name if is_example else ""))


def open_recorded(path: str | None):
    """What was recorded in the page."""
    return opened(studio.named_recording(path), Settings()) if path else [gr.skip()] * len(MELODY_VIEWS)


def open_click(value: dict | None):
    """A recording that was made to the page's click."""
    try:
        take = take_of(value)
    except ValueError as error:
        raise gr.Error(str(error)) from error
    path = studio.named_recording(take.path)
    if Path(take.path).name == TAKE_FILE:  # Gradio forgets such files; other names are not the recorder's to remove
        os.unlink(take.path)
    return opened(path, Settings(), Click(take.tempo, take.first, take.meter))


def opened(path: str, settings: Settings, click: Click | None = None):
    try:
        material = bring(path, click)
        for notice in material.notices:
            gr.Warning(notice)
        return [material, *understood(material, settings)]
    except MusicError as error:
        raise gr.Error(str(error)) from error


def understood(material: Material, settings: Settings):
    """What the page shows of a melody: settings, facts in words, roll, and the values of the widgets that correct them."""
    melody = understand(material, settings.corrections)
    tracks = [
        (melody_name(melody.score, i), i) for i, track in enumerate(melody.score.tracks) if track.notes and not track.is_drum
    ]
    meter = "/".join(map(str, melody.score.meters[0][1:]))
    heard = f" {len(material.notes)} notes were heard. {MIXES}" if material.notes else ""
    return [
        settings,
        gr.Column(visible=True),
        f"**{studio.titles([material.name])[0]}**: {melody}.{heard}",
        studio.view_alone(melody),
        gr.Dropdown(KEYS, value=str(melody.key)),
        gr.Dropdown(list(dict.fromkeys([*METERS, meter])), value=meter),
        round(melody.tempo, 1),
        gr.Dropdown(tracks, value=melody.track, visible=len(tracks) > 1),
        mark(),
    ]


def mark(number: int = 0) -> str:
    """A text that never was: as the value of a hidden box it says that something is shown anew, be it the same as before."""
    return f"{number} {uuid4().hex}"


def hear(material: Material | None, settings: Settings):
    """The melody as it is understood gets its sound."""
    if material is None:
        return
    melody = understand(material, settings.corrections)
    for stems in studio.hear_alone(melody):
        yield gr.skip() if stems is None else studio.view_alone(melody, stems)


def correct(material: Material | None, settings: Settings, **changes):
    if material is None:
        raise gr.Error(FIRST)
    try:
        return understood(material, settings.corrected(**changes))
    except MusicError as error:
        raise gr.Error(str(error)) from error


def correct_meter(material: Material | None, settings: Settings, meter: str):
    numerator, denominator = meter.split("/")
    return correct(material, settings, meter=(int(numerator), int(denominator)))


def correct_pace(material: Material | None, settings: Settings, factor: float):
    """Twice or half as many beats. A tempo that was typed goes with them."""
    tempo, pace = settings.corrections.tempo, settings.corrections.pace
    return correct(material, settings, pace=pace * factor, tempo=tempo and tempo * factor)


def suggested(material: Material | None, settings: Settings):
    """The genre that fits the melody best, of those that are there."""
    if material is None:
        raise gr.Error(FIRST)
    melody = understand(material, settings.corrections)
    likely = suggest(melody.score, melody.track, GENRES)
    if not likely:
        raise gr.Error(f"No suggestion: nothing is known of the genres {', '.join(GENRES)}.")
    gr.Info(" or ".join(name.capitalize() for name, _ in likely[:2]) + " would fit; the others are worth a try, too.")
    return likely[0][0]


# Takes


def chosen(settings: Settings, genre, seed, variation, chords, intro, instruments) -> Settings:
    """The widgets' values with what is known of the melody. Raises gr.Error."""
    try:
        return settings.changed(
            genre=genre, seed=int(seed or 0), variation=float(variation or 0), chords=chords or "", intro=intro,
            instruments=tuple(instruments),
        )  # fmt: skip
    except MusicError as error:
        raise gr.Error(str(error)) from error


def generate(material, settings, takes, *choices):
    """A new take."""
    return generated(material, chosen(settings, *choices), takes)


def again(material, settings, takes, number, choice, what, *choices):
    """As the take that is shown, with the next seed; what is locked, and what lies outside of the selected bars, stays."""
    base = studio.find(takes, number)
    keep = choice["locked"] if what == EVERYTHING else [name for name in BAND if name != what]
    settings = chosen(settings, *choices)
    if base is None:
        raise gr.Error("Make a take first; then parts of it can be made anew.")
    settings = settings.changed(seed=(studio.last_seed(takes) + 1) % (SEEDS + 1))
    return generated(material, settings, takes, base, keep, choice["bars"])


def three(material, settings, takes, *choices):
    """Three takes with seeds one after another, the first of which is shown."""
    settings = chosen(settings, *choices)
    for seed in range(settings.seed, settings.seed + 3):
        takes = [*takes, made(material, settings.changed(seed=seed % (SEEDS + 1)), takes)][-studio.MOST_TAKES :]
    return shown(takes[-3], takes)


def generated(material, settings: Settings, takes: list[Take], base: Take | None = None, keep=(), bars=None):
    take = made(material, settings, takes, base, keep, bars)
    return shown(take, [*takes, take][-studio.MOST_TAKES :])


def made(material, settings: Settings, takes: list[Take], base: Take | None = None, keep=(), bars=None) -> Take:
    if material is None:
        raise gr.Error(FIRST)
    check_genre(settings.genre)
    try:
        take = studio.make(play, material, settings, takes, base, keep, bars)
    except (ModelError, MusicError) as error:
        raise gr.Error(str(error)) from error
    told = take.melody.score.notices if take.melody.sung else []  # with the melody's facts
    for notice in take.song.notices:
        if notice not in told:
            gr.Info(notice)
    return take


def shown(take: Take, takes: list[Take]):
    """What the page shows of a take, as far as it is there."""
    number = gr.Radio([(each.label, each.number) for each in takes], value=take.number, visible=True)
    query = "" if take.is_retake else take.settings.to_address()
    return [gr.Column(visible=True), takes, number, take.chords, query, take.settings.seed, mark(take.number), *finished(take)]


def finished(take: Take):
    """What changes when a take gets its picture and sound."""
    return [take.view(), [str(file) for file in take.files], "" if take.sounds is not None else "Making the sound…"]


def finish(takes: list[Take], showing: str):
    """The take that is shown gets its picture and sound. Until they are there, the page hears of it every moment, so that it can
    be stopped."""
    take = studio.find(takes, int(showing.split()[0]))
    if take is None:
        return
    is_heard = False
    for message in studio.finish(take):
        if message:
            gr.Warning(message)
        # It can be played before its files are all there.
        yield [gr.skip()] * len(FINISHED_VIEWS) if is_heard or not take.sounds else finished(take)
        is_heard = bool(take.sounds)
    yield finished(take)


def choose(takes, number):
    take = studio.find(takes, number)
    return shown(take, takes) if take else [gr.skip()] * len(TAKE_VIEWS)


def undo(takes, number):
    """The take before the one that is shown."""
    earlier = [take.number for take in takes if take.number < (number or 0)]
    if not earlier:
        raise gr.Error("There is no earlier take.")
    return choose(takes, max(earlier))


def lossless(takes, number):
    """WAV files and the stems of the take that is shown, beside its other files."""
    take = studio.find(takes, number)
    if take is None:
        raise gr.Error("Make a take first.")
    try:
        studio.write_sounds(take)
    except MusicError as error:
        raise gr.Error(str(error)) from error
    return [str(file) for file in take.files]


# Settings


def widgets_of(settings: Settings):
    genre = settings.genre if settings.genre in GENRES else gr.skip()
    return [genre, settings.seed, settings.variation, settings.chords, settings.intro, list(settings.instruments)]


def from_address(request: gr.Request):
    """The choices in the page's address, and the example that it names."""
    try:
        settings = Settings.from_query(dict(request.query_params))
    except MusicError as error:
        gr.Warning(f"The page's address was not understood: {error}")
        settings = Settings()
    if not request.query_params or settings.melody not in EXAMPLES:
        return [*[gr.skip()] * len(MELODY_VIEWS), *widgets_of(settings)]
    return [*opened(EXAMPLES[settings.melody], settings), *widgets_of(settings)]


def from_file(material, path: str):
    """A settings file: its choices, and its corrections of the melody that is there or that it names."""
    try:
        with open(path, "rb") as file:
            settings = Settings.from_json(file.read(LONGEST_TEXT * 4))
        if settings.melody in EXAMPLES:
            views = opened(EXAMPLES[settings.melody], settings)
        else:
            views = [gr.skip(), *understood(material, settings)] if material else [gr.skip()] * len(MELODY_VIEWS)
    except MusicError as error:
        raise gr.Error(str(error)) from error
    return [*views, *widgets_of(settings)]


def surprise():
    """Some melody, genre and seed."""
    settings = Settings(random.choice(list(EXAMPLES)), random.choice(GENRES), random.randrange(1000))
    return [*opened(EXAMPLES[settings.melody], settings), *widgets_of(settings)]


# For programs


def accompany(
    melody: str | None, genre: str, seed: float = 0, chords: str = "", intro: str = "none"
) -> tuple[str | None, str, str, str]:
    """A band for a melody, MIDI or recorded: paths of the sound (none without FluidSynth), the picture and the MIDI file, and the
    chords.

    Args:
        melody: a MIDI file, or a recording of one voice (wav, mp3, ogg, opus, webm, m4a, flac, aiff).
        genre: one of those that the page offers.
        seed: another one gives other music.
        chords: such as "| C  Am | F  G7 |"; planned where empty.
        intro: none, count-in (a bar of clicks) or bars (two bars of the band).
    """
    if not melody:
        raise gr.Error(FIRST)
    try:
        settings = Settings().changed(genre=genre, seed=int(seed or 0), chords=chords or "", intro=intro)
        take = made(bring(melody), settings, [])
    except MusicError as error:
        raise gr.Error(str(error)) from error
    try:
        sound = str(studio.write_whole(take))
    except AudioUnavailable as error:
        gr.Warning(str(error))
        sound = None
    return sound, str(studio.draw(take)), str(take.files[0]), take.chords


t = WORDS
with gr.Blocks(title="accomp", delete_cache=(KEPT_SECONDS, KEPT_SECONDS)) as demo:
    material, settings = gr.State(), gr.State(Settings())
    takes, query = gr.State([]), gr.Textbox(visible=False)
    understanding, showing = gr.Textbox(visible=False), gr.Textbox(visible=False)
    gr.Markdown("# accomp: give a melody a band")
    gr.Markdown(t("Sing, play or drop a melody, pick a genre: drums, bass, guitar and strings join in."))
    with gr.Row():
        with gr.Column():
            with gr.Tab(t("A file")):
                melody_file = gr.File(
                    label=t("Melody: MIDI, or sound"), file_types=[".mid", ".midi", ".kar", *SOUNDS], type="filepath", height=140
                )
            with gr.Tab(t("Record")):
                microphone = gr.Audio(
                    sources=["microphone"], type="filepath",
                    label=t("Sing, hum, whistle or play one voice, from 1 second to 10 minutes"),
                )  # fmt: skip
            with gr.Tab(t("Record with a click")):
                recorder = ClickRecorder(container=True, padding=True, elem_id="recorder")
            gr.Examples(list(EXAMPLES.values()), melody_file, label=t("Melodies to try"), example_labels=studio.titles(EXAMPLES))
            surprise_button = gr.Button(t("No melody at hand? Try one for me"))
        with gr.Column():
            genre_choice = gr.Dropdown(GENRES, value=next((g for g in ("pop", *GENRES) if g in GENRES), None), label="Genre")
            served_view = gr.Markdown(elem_id="served")
            suggest_button = gr.Button(t("Suggest a genre"), size="sm")
            with gr.Row(equal_height=True):
                seed_choice = gr.Number(
                    0, label=t("Seed"), info=t("Another seed gives other music."), precision=0, minimum=0, maximum=SEEDS, scale=4
                )
                dice = gr.Button(t("Dice"), size="sm", min_width=60, scale=1)
            instruments_choice = gr.CheckboxGroup(list(BAND), value=list(BAND), label=t("Who plays beside the piano"))
            with gr.Accordion(t("More"), open=False):
                intro_choice = gr.Dropdown(list(INTROS), value="none", label=t("Introduction"))
                variation_choice = gr.Slider(
                    0, 1, 0, step=0.05, label=t("Variation"), info=t("Towards 1 the playing gets freer, and rough.")
                )
                chords_choice = gr.Textbox(
                    "",
                    label=t("Chords"),
                    info=t("Empty: planned. Or yours, or the planned ones edited: | C  Am | F  G7 |"),
                    lines=2,
                )
                settings_file = gr.UploadButton(t("Open a settings file"), file_types=[".json"], size="sm")
            button = gr.Button(t("Accompany"), variant="primary")
            with gr.Row():
                three_button, cancel = gr.Button(t("Three takes"), size="sm"), gr.Button(t("Stop"), size="sm")
    with gr.Column(visible=False) as melody_panel:
        facts = gr.Markdown(elem_id="facts")
        melody_player = Player(elem_id="melody")
        with gr.Accordion(t("Is something wrong with it?"), open=False), gr.Row():
            key_choice = gr.Dropdown(KEYS, label=t("Key"), min_width=120)
            meter_choice = gr.Dropdown(METERS, label=t("Metre"), min_width=80)
            tempo_choice = gr.Number(label=t("Beats a minute"), min_width=90)
            half, double = (gr.Button(t(text), size="sm", min_width=90) for text in ("Half tempo", "Double tempo"))
            earlier, later = (gr.Button(t(f"Bar lines a beat {way}"), size="sm", min_width=90) for way in ("earlier", "later"))
            track_choice = gr.Dropdown([], label=t("Melody track"), visible=False)
    status = gr.Markdown(elem_id="status", min_height=48)  # room for a sign of progress
    with gr.Column(visible=False) as take_panel:
        player = Player(elem_id="song")
        take_choice = gr.Radio([], label=t("Takes"), elem_id="takes")
        with gr.Row(equal_height=True):
            what_choice = gr.Dropdown(
                [EVERYTHING, *BAND], value=EVERYTHING, label=t("Make anew"), info=t("In the selected bars, or all.")
            )
            again_button, undo_button = gr.Button(t("Another take of it")), gr.Button(t("Undo"))
        files_view = gr.Files(label=t("Downloads"), elem_id="downloads")
        lossless_button = gr.Button(t("Prepare WAV and stems"), size="sm")
        chords_view = gr.Textbox(
            label=t("Chords that were played"), lines=4, buttons=["copy"],
            placeholder=t("Chords that were played"),  # for screen readers: beside a button the label is not heard
        )  # fmt: skip

    MELODY_VIEWS = [material, settings, melody_panel, facts, melody_player, key_choice, meter_choice, tempo_choice, track_choice,
                    understanding]  # fmt: skip
    FINISHED_VIEWS = [player, files_view, status]
    TAKE_VIEWS = [take_panel, takes, take_choice, chords_view, query, seed_choice, showing, *FINISHED_VIEWS]
    CHOICES = [genre_choice, seed_choice, variation_choice, chords_choice, intro_choice, instruments_choice]
    # Progress and errors are shown in a line of their own: they would veil the melody and the song, which stay.
    private = {"api_visibility": "private", "show_progress_on": status}
    busy = private | {"concurrency_limit": AT_ONCE, "concurrency_id": "music"}

    # Sound comes by events of its own: who wants something else meanwhile does not wait for it, and it is given up first (the
    # events of a trigger come one after another, in this order).
    later_on = busy | {"show_progress": "hidden", "show_progress_on": None}
    hearing = understanding.change(hear, [material, settings], melody_player, **later_on)
    finishing = showing.change(finish, [takes, showing], FINISHED_VIEWS, **later_on)
    of_melodies = [
        melody_file.change, microphone.input, recorder.input, settings_file.upload, key_choice.input, meter_choice.input,
        tempo_choice.submit, track_choice.input, half.click, double.click, earlier.click, later.click,
    ]  # fmt: skip
    of_takes = [button.click, three_button.click, again_button.click, undo_button.click, take_choice.input]
    gr.on([*of_melodies, surprise_button.click], None, None, None, cancels=hearing, **private)
    gr.on([*of_takes, surprise_button.click], None, None, None, cancels=finishing, **private)

    corrected = {"inputs": [material, settings], "outputs": MELODY_VIEWS[1:]} | private
    melody_file.change(open_file, melody_file, MELODY_VIEWS, **busy)
    microphone.input(open_recorded, microphone, MELODY_VIEWS, **busy)
    recorder.input(open_click, recorder, MELODY_VIEWS, **busy)
    key_choice.input(lambda m, s, key: correct(m, s, key=key), [material, settings, key_choice], MELODY_VIEWS[1:], **private)
    meter_choice.input(correct_meter, [material, settings, meter_choice], MELODY_VIEWS[1:], **private)
    tempo_choice.submit(
        lambda m, s, bpm: correct(m, s, tempo=bpm), [material, settings, tempo_choice], MELODY_VIEWS[1:], **private
    )
    track_choice.input(
        lambda m, s, track: correct(m, s, track=track), [material, settings, track_choice], MELODY_VIEWS[1:], **private
    )
    half.click(lambda m, s: correct_pace(m, s, 0.5), **corrected)
    double.click(lambda m, s: correct_pace(m, s, 2.0), **corrected)
    earlier.click(lambda m, s: correct(m, s, later=s.corrections.later - 1), **corrected)
    later.click(lambda m, s: correct(m, s, later=s.corrections.later + 1), **corrected)
    settings_file.upload(from_file, [material, settings_file], [*MELODY_VIEWS, *CHOICES], **busy)
    demo.load(from_address, None, [*MELODY_VIEWS, *CHOICES], **private)
    trying = surprise_button.click(surprise, None, [*MELODY_VIEWS, *CHOICES], **busy)
    makes = [
        button.click(generate, [material, settings, takes, *CHOICES], TAKE_VIEWS, **busy),
        three_button.click(three, [material, settings, takes, *CHOICES], TAKE_VIEWS, **busy),
        again_button.click(
            again, [material, settings, takes, take_choice, player, what_choice, *CHOICES], TAKE_VIEWS, **busy
        ),
        undo_button.click(undo, [takes, take_choice], TAKE_VIEWS, **busy),
        take_choice.input(choose, [takes, take_choice], TAKE_VIEWS, **busy),
        trying.success(generate, [material, settings, takes, *CHOICES], TAKE_VIEWS, **busy),
    ]  # fmt: skip
    suggest_button.click(suggested, [material, settings], genre_choice, **private)
    dice.click(lambda: random.randrange(1000), None, seed_choice, **private)
    cancel.click(lambda: "Stopped.", None, status, cancels=[trying, *makes, finishing], **private)
    lossless_button.click(lossless, [takes, take_choice], files_view, **busy)
    query.change(None, query, None, js=TO_ADDRESS, **private)
    gr.on([demo.load, genre_choice.change], served, genre_choice, served_view, api_name="served", concurrency_limit=None)

    with gr.Row(visible=False):  # the call for programs
        call = [
            gr.File(label="melody", type="filepath"),
            gr.Dropdown(GENRES, value=genre_choice.value, label="genre", allow_custom_value=True),
            gr.Number(0, label="seed", precision=0),
            gr.Textbox("", label="chords"),
            gr.Dropdown(list(INTROS), value="none", label="intro", allow_custom_value=True),
        ]
        answers = [gr.Audio(label="sound", type="filepath"), gr.Image(label="picture", type="filepath"), gr.File(label="MIDI"),
                   gr.Textbox(label="chords that were played")]  # fmt: skip
        gr.Button().click(accompany, call, answers, api_name="accompany", concurrency_limit=AT_ONCE, concurrency_id="music")

if __name__ == "__main__":
    demo.launch(max_file_size=MOST_BYTES, i18n=WORDS)
