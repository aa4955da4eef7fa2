"""The web page: a melody and a genre in, a band out. The screen only; the music is made in accomp."""

import os
import tempfile
from functools import cache
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # the page calls no other host

import gradio as gr  # noqa: E402

from accomp import Accompanist, MusicError, genres, read_midi, write_midi  # noqa: E402
from accomp.plotting import save_plot  # noqa: E402
from accomp.rendering import AudioUnavailable, render, write_audio  # noqa: E402

EXAMPLES = sorted(str(path) for path in (Path(__file__).parent / "examples").glob("*.mid"))
KEPT_SECONDS = 3600

load = cache(Accompanist.from_pretrained)  # each genre is loaded once, when it is first asked for


def accompany(melody: str | None, genre: str, seed: float = 0) -> tuple[str | None, str, str]:
    """A band for a MIDI melody: paths of the sound (none without FluidSynth), the picture and the MIDI file."""
    if not melody:
        raise gr.Error("Choose a MIDI file first: .mid or .midi, with a melody in it.")
    if genre not in genres():
        raise gr.Error(f"Genre {genre!r} is unknown; available: {', '.join(genres())}.")
    try:
        song = load(genre).accompany(read_midi(melody), seed=int(seed or 0))
    except MusicError as error:
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
        return None, str(picture), str(midi)
    return str(sound), str(picture), str(midi)


with gr.Blocks(title="accomp", delete_cache=(KEPT_SECONDS, KEPT_SECONDS)) as demo:
    gr.Markdown(
        "# accomp: give a melody a band\nUpload a melody as MIDI and hear it with drums, bass, guitar and strings."
    )
    with gr.Row():
        melody_file = gr.File(label="Melody (MIDI)", file_types=[".mid", ".midi", ".kar"], type="filepath")
        with gr.Column():
            genre_choice = gr.Dropdown(genres(), value="pop" if "pop" in genres() else None, label="Genre")
            seed_choice = gr.Number(0, label="Seed", info="Another seed gives other music.", precision=0, minimum=0)
            button = gr.Button("Accompany", variant="primary")
    gr.Examples(EXAMPLES, melody_file, label="Melodies to try")
    sound_player = gr.Audio(label="Sound", type="filepath")
    picture_view = gr.Image(label="Piano roll", type="filepath")
    midi_download = gr.File(label="MIDI")
    button.click(
        accompany, [melody_file, genre_choice, seed_choice], [sound_player, picture_view, midi_download], api_name="accompany"
    )

if __name__ == "__main__":
    demo.launch()
