"""How fast recordings become songs: `python -m benchmarks.recordings [--seconds 30 180 600]`, printed as tables.

Tunes of examples/ are sung by train.data.voices one after another, and written as wav, mp3 and Ogg Opus. Time is seconds of work per
second of sound, memory the most that a fresh process holds.
"""

import argparse
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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

ROOT = Path(__file__).parent.parent
BPM, REST = 100, 4.0  # beats between two tunes
FORMATS = {"wav": {}, "mp3": {}, "opus": {"format": "OGG", "subtype": "OPUS"}}
STAGES = (
    "reading",
    "pitch and notes",
    "beats and places",
    "accompaniment",
    "sound of the band",
    "mix with the recording",
    "all",
)
MEMORY_OF = {  # code of a process that has read a recording; `song` and `start` are from a file
    "reading and transcription": "source_of(recording).melody()",
    "reading and the mix": "mix_with_recording(play_band(song), recording, start)",
    "all in one process": "heard = source_of(recording).melody().sung; song = Accompanist.from_pretrained('pop').accompany(heard.score); "
    "mix_with_recording(play_band(song), recording, heard.start)",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=float, nargs="+", default=[30, 180, 595], help="of the recordings"
    )
    parser.add_argument("--genre", default="pop")
    options = parser.parse_args()
    model = Accompanist.from_pretrained(options.genre)
    print("| seconds per second | " + " | ".join(STAGES) + " |\n|---" + "|---" * len(STAGES) + "|")
    with tempfile.TemporaryDirectory() as folder:
        for seconds in options.seconds:
            for path in recordings(Path(folder), seconds):
                taken, length = times(path, model)
                print(
                    f"| {length:.0f} s, {path.suffix[1:]} | "
                    + " | ".join(f"{each / length:.4f}" for each in taken)
                    + " |",
                    flush=True,
                )
        print(
            "\n| most memory, MB | "
            + " | ".join(MEMORY_OF)
            + " |\n|---"
            + "|---" * len(MEMORY_OF)
            + "|"
        )
        for path in (Path(folder) / f"{max(options.seconds):g}.{name}" for name in FORMATS):
            figures = [f"{memory(path, work):.0f}" for work in MEMORY_OF.values()]
            print(
                f"| {max(options.seconds):g} s, {path.suffix[1:]} | " + " | ".join(figures) + " |",
                flush=True,
            )


def recordings(folder: Path, seconds: float) -> list[Path]:
    """The same singing as a file of each of FORMATS."""
    sound = singing(seconds)
    paths = [folder / f"{seconds:g}.{name}" for name in FORMATS]
    for path, settings in zip(paths, FORMATS.values()):
        with soundfile.SoundFile(path, "w", LISTEN_RATE, 1, **settings) as file:
            for at in range(0, len(sound), LISTEN_RATE):  # libsndfile's Opus takes no more at once
                file.write(sound[at : at + LISTEN_RATE])
    return paths


def singing(seconds: float) -> np.ndarray:
    """The examples' melodies, over and over, by one singer in a room."""
    line, at = [], 0.0
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
    sound = voices.record(
        voices.voice(notes, voices.Manner((0.1, 0.2), 0.3), rng), rng, snr=35, reverb=0.2
    )
    return np.resize(np.pad(sound, (0, LISTEN_RATE)), round(seconds * LISTEN_RATE)) * 0.8


def times(path: Path, model: Accompanist) -> tuple[list[float], float]:
    """Seconds that each of STAGES takes, all models loaded, and those of the recording."""
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
    """MB that a process holds at most which reads a recording and does `work`: Linux's high-water mark. (ru_maxrss would be at
    least that of the process which started it.)
    """
    code = (
        "import pickle, sys\n"
        "from accomp import Accompanist\n"
        "from accomp.sound.overdub import mix_with_recording, play_band\n"
        "from accomp.sound.audio_file import read_recording\n"
        "from accomp.listen.source import source_of\n"
        "recording, (song, start) = read_recording(sys.argv[1]), pickle.load(open(sys.argv[2], 'rb'))\n"
        f"{work}\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    command = [sys.executable, "-c", code, path, path.with_suffix(".song")]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return int(output.split()[-1]) / 1e3


if __name__ == "__main__":
    main()
