"""Measure how fast recordings become songs: `python -m benchmarks.recordings`.

Tunes of examples/ are sung by train.data.voices one after another, and written as wav, mp3 and Ogg
Opus. Tables are printed: time is seconds of work per second of sound, memory the most that a fresh
process holds. --seconds says how long the recordings are.
"""

import argparse
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from accomp import Accompanist
from accomp.listen.beats import find_beats
from accomp.listen.notes import transcribe_notes
from accomp.listen.transcribe import on_beats
from accomp.music.melody_track import choose_melody, skyline
from accomp.music.midi import read_midi
from accomp.sound.audio_file import read_recording
from accomp.sound.overdub import mix_with_recording, play_band
from accomp.sound.rates import LISTEN_RATE
from train.data import voices
from train.data.voices import Line

ROOT = Path(__file__).parent.parent
BPM, REST = 100, 4.0  # of the tunes; beats between two of them
FORMATS: dict[str, dict[str, Any]] = {
    "wav": {},
    "mp3": {},
    "opus": {"format": "OGG", "subtype": "OPUS"},
}
STAGES = (
    "reading",
    "pitch and notes",
    "beats and places",
    "accompaniment",
    "sound of the band",
    "mix with the recording",
    "all",
)
# Code of a process that has read a recording; `song` and `start` are from a file.
MEMORY_OF = {
    "reading and transcription": "source_of(recording).melody()",
    "reading and the mix": "mix_with_recording(play_band(song), recording, start)",
    "all in one process": "sung = source_of(recording).melody().transcription; "
    "song = Accompanist.from_pretrained('pop').accompany(sung.score); "
    "mix_with_recording(play_band(song), recording, sung.start)",
}
MEMORY = """
import pickle, sys
from pathlib import Path
from accomp import Accompanist
from accomp.listen.source import source_of
from accomp.sound.audio_file import read_recording
from accomp.sound.overdub import mix_with_recording, play_band
recording = read_recording(sys.argv[1])
song, start = pickle.loads(Path(sys.argv[2]).read_bytes())
{work}
lines = Path('/proc/self/status').read_text().splitlines()
print(next(line.split()[1] for line in lines if line.startswith('VmHWM')))
"""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=float, nargs="+", default=[30, 180, 595], help="of the recordings"
    )
    parser.add_argument("--genre", default="pop", help="whose band plays (default: pop)")
    options = parser.parse_args()
    model = Accompanist.from_pretrained(options.genre)
    _print_header("seconds per second", STAGES)
    with tempfile.TemporaryDirectory() as folder:
        for seconds in options.seconds:
            for path in recordings(Path(folder), seconds):
                taken, length = times(path, model)
                figures = [f"{each / length:.4f}" for each in taken]
                _print_row(f"{length:.0f} s, {path.suffix[1:]}", figures)
        print()
        _print_header("most memory, MB", MEMORY_OF)
        longest = max(options.seconds)
        for path in (Path(folder) / f"{longest:g}.{name}" for name in FORMATS):
            figures = [f"{memory(path, work):.0f}" for work in MEMORY_OF.values()]
            _print_row(f"{longest:g} s, {path.suffix[1:]}", figures)


def _print_header(title: str, columns: tuple[str, ...] | dict[str, str]) -> None:
    print(f"| {title} | {' | '.join(columns)} |\n|---{'|---' * len(columns)}|")


def _print_row(title: str, figures: list[str]) -> None:
    print(f"| {title} | {' | '.join(figures)} |", flush=True)


def recordings(folder: Path, seconds: float) -> list[Path]:
    """Write the same singing as a file of each of FORMATS."""
    sound = singing(seconds)
    paths = [folder / f"{seconds:g}.{name}" for name in FORMATS]
    for path, settings in zip(paths, FORMATS.values()):
        with soundfile.SoundFile(path, "w", LISTEN_RATE, 1, **settings) as file:
            for at in range(0, len(sound), LISTEN_RATE):  # libsndfile's Opus takes no more at once
                file.write(sound[at : at + LISTEN_RATE])
    return paths


def singing(seconds: float) -> np.ndarray:
    """Return the examples' melodies, over and over, by one singer in a room."""
    line: Line = []
    at = 0.0
    scores = [read_midi(path) for path in sorted((ROOT / "examples").glob("*.mid"))]
    while at < seconds * BPM / 60:
        for score in scores:
            notes = skyline(score.tracks[choose_melody(score)].notes)
            line += [
                (note.pitch - 12, at + note.onset - notes[0].onset, note.duration) for note in notes
            ]
            at = np.ceil(line[-1][1] + line[-1][2]) + REST
    line = [note for note in line if note[1] < (seconds - 2) * BPM / 60]
    rng = np.random.default_rng(0)
    notes, _, _ = voices.perform(line, rng, BPM, 0.03, 0.01)
    sung = voices.voice(notes, voices.Manner((0.1, 0.2), 0.3), rng)
    sound = np.pad(voices.record(sung, rng, snr=35, reverb=0.2), (0, LISTEN_RATE))
    return np.resize(sound, round(seconds * LISTEN_RATE)) * 0.8


def times(path: Path, model: Accompanist) -> tuple[list[float], float]:
    """Return seconds that each of STAGES takes, all models loaded, and those of the recording."""
    transcribe_notes(singing(5))
    moments = [time.perf_counter()]
    recording = read_recording(path)
    moments.append(time.perf_counter())
    notes, _ = transcribe_notes(recording.mono)
    moments.append(time.perf_counter())
    written = on_beats(notes, find_beats(notes))
    moments.append(time.perf_counter())
    song = model.accompany(written.score)
    moments.append(time.perf_counter())
    band = play_band(song)
    moments.append(time.perf_counter())
    mix_with_recording(band, recording, written.start)
    moments.append(time.perf_counter())
    path.with_suffix(".song").write_bytes(pickle.dumps((song, written.start)))
    return [*np.diff(moments).tolist(), moments[-1] - moments[0]], recording.seconds


def memory(path: Path, work: str) -> float:
    """Return the most MB that a process holds which reads a recording and does `work`.

    It is Linux's high-water mark. (ru_maxrss would be at least that of the process which started
    it.)
    """
    code = MEMORY.format(work=work)
    command = [sys.executable, "-c", code, path, path.with_suffix(".song")]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return int(output.split()[-1]) / 1e3


if __name__ == "__main__":
    main()
