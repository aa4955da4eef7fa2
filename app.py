"""The web page: a melody and a genre in, a band out. The screen only; the music is made in accomp."""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # the page calls no other host

import spaces  # noqa: E402, I001  before torch: on ZeroGPU it has to be first
import gradio as gr  # noqa: E402

from accomp import Accompanist, ModelError, MusicError, Score, genres, read_midi, write_midi  # noqa: E402
from accomp.chord_text import to_text  # noqa: E402
from accomp.grid import MELODY  # noqa: E402
from accomp.hub import Shelf  # noqa: E402
from accomp.opening import INTROS  # noqa: E402
from accomp.plotting import save_plot  # noqa: E402
from accomp.rendering import AudioUnavailable, render, write_audio  # noqa: E402

EXAMPLES = sorted(str(path) for path in (Path(__file__).parent / "examples").glob("*.mid"))
KEPT_SECONDS = 3600

GENRES = genres()
models = Shelf(Accompanist.from_pretrained)  # each genre is loaded once, when it is first asked for
AT_ONCE = 4  # visitors who are given music at a time; one who waits for a genre to be loaded takes one of these places
if spaces.config.Config.zero_gpu:
    # There the GPU's process is a copy of this one, made for each call: what it would load would be lost with it.
    for name in list(GENRES):
        try:
            models.get(name)
        except ModelError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            GENRES.remove(name)


@spaces.GPU(duration=15)
def play(genre: str, score: Score, seed: int, chords: str | None, intro: str) -> Score:
    """What needs the models, and so the GPU where a Space lends one for each call; elsewhere it is a plain call."""
    try:
        return models.get(genre).accompany(score, seed=seed, chords=chords, intro=intro)
    except MusicError as error:
        raise gr.Error(str(error)) from error  # no other error's words come back from a process of ZeroGPU


def served(genre: str) -> str:
    """Which models a genre is played with: the Hub's repository and its revision, or the embedded ones."""
    try:
        source = models.get(genre).source
    except ModelError as error:
        raise gr.Error(str(error)) from error
    return f"Models: `{source}`" if source.commit else f"Models: `{source}`, embedded"


def accompany(melody: str | None, genre: str, seed: float = 0, chords: str = "",
              intro: str = "none") -> tuple[str | None, str, str, str]:  # fmt: skip
    """A band for a MIDI melody: paths of the sound (none without FluidSynth), the picture and the MIDI file, and the chords.

    chords: text such as "| C  Am | F  G7 |"; planned where empty. intro: none, count-in or bars.
    """
    if not melody:
        raise gr.Error("Choose a MIDI file first: .mid or .midi, with a melody in it.")
    if genre not in GENRES:
        raise gr.Error(f"Genre {genre!r} is unknown; available: {', '.join(GENRES)}.")
    try:
        models.get(genre)
        song = play(genre, read_midi(melody), int(seed or 0), chords.strip() or None, intro)
    except (ModelError, MusicError) as error:
        raise gr.Error(str(error)) from error
    for notice in song.notices:
        gr.Info(notice)
    folder = Path(tempfile.mkdtemp(prefix="accomp-", dir=os.environ.get("GRADIO_TEMP_DIR")))
    name = f"{Path(melody).stem}_{genre}_{int(seed or 0)}"
    midi, picture, sound = (folder / f"{name}.{ending}" for ending in ("mid", "png", "wav"))
    write_midi(song, midi)
    save_plot(song, picture)
    try:
        write_audio(render(song), sound)
    except AudioUnavailable as error:
        gr.Warning(str(error))
        sound = None
    text = to_text(song, song.tracks[MELODY]) if song.chords else ""
    return str(sound) if sound else None, str(picture), str(midi), text


with gr.Blocks(title="accomp", delete_cache=(KEPT_SECONDS, KEPT_SECONDS)) as demo:
    gr.Markdown("# accomp: give a melody a band\nUpload a melody as MIDI and hear it with drums, bass, guitar and strings.")
    with gr.Row():
        melody_file = gr.File(label="Melody (MIDI)", file_types=[".mid", ".midi", ".kar"], type="filepath")
        with gr.Column():
            genre_choice = gr.Dropdown(GENRES, value=next((g for g in ("pop", *GENRES) if g in GENRES), None), label="Genre")
            served_view = gr.Markdown()
            seed_choice = gr.Number(0, label="Seed", info="Another seed gives other music.", precision=0, minimum=0)
            chords_choice = gr.Textbox(
                "", label="Chords", info="Empty: planned. Or yours, or the planned ones edited: | C  Am | F  G7 |", lines=2
            )
            intro_choice = gr.Dropdown(list(INTROS), value="none", label="Introduction")
            button = gr.Button("Accompany", variant="primary")
    gr.Examples(EXAMPLES, melody_file, label="Melodies to try")
    sound_player = gr.Audio(label="Sound", type="filepath")
    picture_view = gr.Image(label="Piano roll", type="filepath")
    midi_download = gr.File(label="MIDI")
    chords_view = gr.Textbox(label="Chords that were played", lines=4, buttons=["copy"])
    button.click(
        accompany,
        [melody_file, genre_choice, seed_choice, chords_choice, intro_choice],
        [sound_player, picture_view, midi_download, chords_view],
        api_name="accompany",
        concurrency_limit=AT_ONCE,
    )
    gr.on([demo.load, genre_choice.change], served, genre_choice, served_view, api_name="served", concurrency_limit=None)

if __name__ == "__main__":
    demo.launch()
