"""Compare what the page plays live with its files: `python -m benchmarks.likeness`.

For each genre the band of an example is rendered as the files are (FluidSynth, mastered), and as
the player's scripts render it, by node. `--spessasynth FOLDER` names a folder of the npm package
spessasynth_core, the other synthesizer that was weighed; it plays the whole soundfont.
"""

import argparse
import json
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from accomp import Accompanist, genres, read_midi, write_midi
from accomp.music.loudness import HOP
from accomp.music.score import Score
from accomp.sound.meter import loudness
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.render import render
from accomp.sound.soundfont import find_soundfont
from page.player import live, view_of

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(__file__).parent / "live"
THIRDS = 1000 * 2.0 ** (np.arange(-13, 13) / 3)  # Hz: third-octave bands from 50 Hz to 16 kHz
QUIET = -50  # dB of the loudest; hops below are rests


Play = Callable[[Score, Path, int], tuple[np.ndarray, dict]]


class Likeness(NamedTuple):
    """How a sound differs from another one, both at the same loudness.

    Attributes:
        lufs: Loudness beside the other's.
        spectrum: Mean difference of third-octave bands, in dB.
        course: Mean difference of the level in each HOP, in dB.
        start: Seconds until it can render.
        speed: Seconds of music in a second.
    """

    lufs: float
    spectrum: float
    course: float
    start: float
    speed: float


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.likeness",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--spessasynth", type=Path, help="folder of spessasynth_core")
    options = parser.parse_args()
    examples = sorted((ROOT / "examples").glob("*.mid"))
    found: dict[str, list[Likeness]] = {}
    row("song", "synthesizer", "LU beside", "dB by third", "dB by hop", "start", "x speed")
    for melody, genre in zip(examples, genres()):
        song = Accompanist.from_pretrained(genre).accompany(read_midi(melody))
        file = render(song)
        ways: dict[str, Play] = {"live": play_live}
        if options.spessasynth:
            ways["spessasynth"] = partial(play_spessasynth, package=options.spessasynth)
        for name, play in ways.items():
            result = compare(song, file, play)
            found.setdefault(name, []).append(result)
            row(f"{melody.stem}, {genre}", name, *(f"{value:.2f}" for value in result))
    for name, results in found.items():
        row("mean", name, *(f"{value:.2f}" for value in np.mean(results, axis=0)))


def row(*cells: object) -> None:
    """Print a line of the table."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def compare(song: Score, file: np.ndarray, play: Play) -> Likeness:
    """Return how what `play` makes of a song is like its file, [samples, 2]."""
    with TemporaryDirectory() as folder:
        sound, times = play(song, Path(folder), len(file))
    sound = sound[: len(file)]
    apart = loudness(sound, SAMPLE_RATE) - loudness(file, SAMPLE_RATE)
    sound = sound * np.float32(10 ** (-apart / 20))
    spectrum = np.abs(bands(sound) - bands(file)).mean()
    one, other = hops(sound), hops(file)
    plays = other > QUIET + other.max()
    course = np.abs(one - other)[plays].mean()
    return Likeness(apart, spectrum, course, times["start"], times["speed"])


def play_live(song: Score, folder: Path, samples: int) -> tuple[np.ndarray, dict]:
    """Render a song by the player's scripts: [samples, 2], and what they say of their times."""
    view, places = view_of(song), live.places()
    for track in view["tracks"]:
        live.make_sound(live.key_of(track["is_drum"], track["program"]))
    view |= {"folder": places["sounds"], "settings": places["settings"]}
    (folder / "view.json").write_text(json.dumps(view))
    return run("live.mjs", folder / "view.json", folder / "sound", samples)


def play_spessasynth(
    song: Score, folder: Path, samples: int, package: Path
) -> tuple[np.ndarray, dict]:
    """Render a song by SpessaSynth: see `play_live`."""
    write_midi(song, folder / "song.mid")
    files = (package.resolve(), find_soundfont(), folder / "song.mid", folder / "sound")
    return run("spessasynth.mjs", *files, samples)


def run(script: str, *words: object) -> tuple[np.ndarray, dict]:
    """Run a script that writes samples to the file it is told last but one."""
    command = ["node", str(SCRIPTS / script), *map(str, words)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    sound = np.fromfile(str(words[-2]), dtype=np.float32).reshape(-1, 2)
    return sound, json.loads(said.splitlines()[-1])


def bands(sound: np.ndarray) -> np.ndarray:
    """Return the level of each third-octave band, in dB."""
    power = (np.abs(np.fft.rfft(sound, axis=0)) ** 2).sum(1)
    place = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    half = 2 ** (1 / 6)
    inside = [(place >= middle / half) & (place < middle * half) for middle in THIRDS]
    return np.array([10 * np.log10(power[each].sum() + 1e-9) for each in inside])


def hops(sound: np.ndarray) -> np.ndarray:
    """Return the level of each HOP, in dB."""
    size = round(HOP * SAMPLE_RATE)
    whole = sound[: len(sound) // size * size] ** 2
    return 10 * np.log10(whole.sum(1).reshape(-1, size).mean(1) + 1e-9)


if __name__ == "__main__":
    main()
