"""Measure how fast accomp is: `python -m benchmarks.speed [--midi FOLDER] [--blocks CORPUS]`.

Prints a table. --midi is a folder of songs, to time `train prepare`; --blocks is a prepared corpus,
to time the training of a VAE.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from accomp import Accompanist, Note, Score, Track, write_midi

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "ode_to_joy.mid"


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--genre", default="pop", help="that plays (default: pop)")
    parser.add_argument("--midi", type=Path, help="folder of songs to prepare")
    parser.add_argument("--labels", type=Path, help="CSV file with the songs' genres")
    parser.add_argument("--blocks", type=Path, help="prepared corpus to train on")
    options = parser.parse_args()
    row("", "", "figure", "aim")
    row("processor cores", "", f"{os.cpu_count()}", "2")
    generation(options.genre)
    whole_process(options.genre)
    sound(options.genre)
    app_memory()
    if options.midi:
        preparation(options.midi, options.labels)
    if options.blocks:
        training(options.blocks)


def row(what: str, detail: str, figure: str, aim: str = "") -> None:
    """Print a line of the table."""
    print(f"| {what:<34} | {detail:<34} | {figure:>16} | {aim:>10} |", flush=True)


def tune(bars: int) -> Score:
    """Make a melody that never repeats a block, so that nothing is copied."""
    random = np.random.default_rng(0)
    pitches = np.clip(np.cumsum(random.integers(-3, 4, bars * 6)) % 24 + 60, 40, 90)
    lengths = np.tile([1.0, 0.5, 0.5, 1.0, 0.5, 0.5], bars)
    onsets = np.cumsum(lengths) - lengths
    notes = [Note(int(p), float(o), float(n), 80) for p, o, n in zip(pitches, onsets, lengths)]
    return Score([Track("tune", notes=notes)])


def best(function: Callable[[], object], times: int = 3) -> float:
    """Time a function in seconds: the least of several calls."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        taken.append(time.perf_counter() - start)
    return min(taken)


def generation(genre: str) -> None:
    """Time from a melody to a MIDI file, with the models loaded."""
    start = time.perf_counter()
    accompanist = Accompanist.from_pretrained(genre)
    row("load a genre", "", f"{time.perf_counter() - start:.2f} s")
    accompanist.accompany(tune(4))

    def write(score: Score, folder: str) -> None:
        write_midi(accompanist.accompany(score), Path(folder) / "song.mid")

    with tempfile.TemporaryDirectory() as folder:
        for bars, aim in ((16, ""), (64, "0.3 s"), (250, ""), (1000, "linear")):
            seconds = best(partial(write, tune(bars), folder))
            row(
                "melody to MIDI file, models loaded",
                f"{bars} bars ({1000 * seconds / bars:.1f} ms a bar)",
                f"{seconds:.2f} s",
                aim,
            )


def whole_process(genre: str) -> None:
    """Time from the start of the command line's process to its MIDI file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / EXAMPLE.stem / "accompaniment.mid"
        command = [sys.executable, "-m", "accomp", EXAMPLE, "--genre", genre]
        command += ["--out", folder, "--no-audio"]
        for run in ("first run", "again"):
            file.unlink(missing_ok=True)
            start = time.perf_counter()
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
            while not file.exists() and process.poll() is None:
                time.sleep(0.01)
            seconds = time.perf_counter() - start
            process.wait()
            row("process start to MIDI file", f"16 bars, {run}", f"{seconds:.2f} s", "5 s")


def sound(genre: str) -> None:
    """Time picture and sound of a song."""
    from accomp.plot import save_plot
    from accomp.sound.render import render
    from accomp.sound.soundfont import find_soundfont

    score = tune(90)  # three minutes at 120 beats a minute
    song = Accompanist.from_pretrained(genre).accompany(score)
    with tempfile.TemporaryDirectory() as folder:
        row(
            "picture",
            "90 bars",
            f"{best(lambda: save_plot(song, Path(folder) / 'roll.png')):.2f} s",
        )
    row(
        "sound",
        f"3 minutes, {find_soundfont().name}",
        f"{best(lambda: render(song), 2):.1f} s",
        "6 s",
    )


def app_memory() -> None:
    """Measure the peak memory of a process that has played every genre as the page does."""
    code = (
        "import app\n"
        "from page import api, melodies, models\n"
        "song = melodies.EXAMPLES['ode_to_joy']\n"
        "for genre in models.GENRES: api.accompany(song, genre)\n"
        # Not ru_maxrss, which a process takes over from the one that began it.
        "lines = open('/proc/self/status').read().splitlines()\n"
        "print(next(line.split()[1] for line in lines if line.startswith('VmHWM')))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    row(
        "peak memory of the page",
        "every genre played once",
        f"{float(output.split()[-1]) / 1e3:.0f} MB",
        "1000 MB",
    )


def preparation(midi: Path, labels: Path | None) -> None:
    """Time the preparation of a folder of songs."""
    from train.data import prepare

    with tempfile.TemporaryDirectory() as folder:
        arguments = [str(midi), "--out", folder, *(["--labels", str(labels)] if labels else [])]
        start = time.perf_counter()
        prepare.main(arguments)
        songs = len(prepare.list_songs(midi, labels))
        row(
            "prepare",
            f"{songs} songs",
            f"{time.perf_counter() - start:.0f} s",
            "60 s" if songs == 1671 else "",
        )


def training(corpus_folder: Path) -> None:
    """Time reading and learning of a VAE, over 30 batches of 256 blocks."""
    import yaml

    from accomp.models.vae import InstrumentVAE
    from accomp.roll.grid import GUITAR
    from train.data.corpus import Corpus
    from train.fit.settings import CONFIGS, vae_configs

    corpus = Corpus.load(corpus_folder)
    model = InstrumentVAE(
        vae_configs(yaml.safe_load((CONFIGS / "accomp.yaml").read_text()))["guitar"]
    ).train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    index = np.flatnonzero(corpus.active(GUITAR))[: 256 * 30]
    read = learn = 0.0
    for at in range(0, len(index), 256):
        start = time.perf_counter()
        planes, plan = (
            corpus.blocks(GUITAR, index[at : at + 256]),
            corpus.plan[index[at : at + 256]],
        )
        read += time.perf_counter() - start
        start = time.perf_counter()
        model.loss(planes, plan, 0.1).total.backward()
        optimizer.step()
        optimizer.zero_grad()
        learn += time.perf_counter() - start
    detail = f"{torch.get_num_threads()} threads, {100 * read / (read + learn):.0f} % of it reading"
    row("train a VAE (guitar)", detail, f"{len(index) / (read + learn):,.0f} blocks/s")


if __name__ == "__main__":
    main()
