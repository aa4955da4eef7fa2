"""How well recordings are heard: `python -m train.evaluate --transcription --corpus CORPUS [--bench BENCH] --out FOLDER`.

The melodies of the bench and of a corpus's test songs (none of which the network or the settings were trained or tuned on) are
sung, whistled and played with drifting tempo, vibrato and detuning, in rooms with noise (train.voices); what each transcriber
hears is compared with what was played.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mir_eval
import numpy as np
from tqdm import tqdm

from accomp import rendering
from accomp.errors import MusicError
from accomp.melody import skyline
from accomp.notes_net import RATE
from accomp.transcription import SungNote, transcribe_notes
from train import voices
from train.corpus import Corpus
from train.loop import write_json
from train.stage import Task, bench_tasks
from train.transcription import melody_lines
from train.voices import Manner

# General MIDI programs, which the network was not trained on, and the pitch around which each plays; None: by train.voices.
SOUNDS = {"voice": (53, 62), "whistle": (None, 81), "flute": (73, 74), "guitar": (24, 60), "violin": (40, 70), "piano": (0, 66),
          "sung": (None, 58), "hum": (None, 55)}  # fmt: skip
STEADY = ("guitar", "piano")  # neither detuned nor with vibrato
LEVELS = {  # how a recording sounds: noise in dB below it, reverberation in seconds, over a phone
    "clean": {},
    "room": {"snr": 40, "reverb": 0.35},
    "noise 20 dB": {"snr": 20, "reverb": 0.15},
    "noise 10 dB": {"snr": 10, "reverb": 0.15},
    "phone": {"snr": 25, "reverb": 0.1, "phone": True},
}
FIGURES = {"f1": "F1, all", "precision": "precision", "recall": "recall", "f1_offsets": "F1 with offsets",
           "octaves": "share of notes octaves off"}  # fmt: skip
BEATS = 40  # of each melody
ONSET, PITCH = 0.05, 50.0  # seconds and cents within which a note is right (mir_eval's own)


@dataclass
class Clip:
    """A recording of a melody. line: (pitch, onset, duration) in beats, a beat's seconds at `beats`; notes: as performed."""

    name: str
    sound: str
    level: str
    audio: np.ndarray
    notes: voices.Performed
    line: list[tuple[int, float, float]]
    beats: np.ndarray
    seconds: np.ndarray
    bpm: float


def lines_of(corpus: Corpus, split: str, count: int, bench: Path | None) -> list[tuple[str, list[tuple[int, float, float]]]]:
    """Melodies with their names: of a corpus's songs, and all of the bench."""
    found = [(f"song {i}", line) for i, line in enumerate(melody_lines(corpus, split, count, seed=0))]
    return found + [(task.name, _line_of(task)) for task in (bench_tasks(bench) if bench else [])]


def _line_of(task: Task) -> list[tuple[int, float, float]]:
    """The first BEATS beats of a lead sheet's melody from the bar where it begins, on sixteenths."""
    notes = skyline(task.score.tracks[task.melody_track].notes)
    first = notes[0].onset // 4 * 4
    rows = {round((note.onset - first) * 4): note for note in notes if note.onset < first + BEATS}
    steps = sorted(rows)
    ends = [*steps[1:], steps[-1] + 16]
    return [
        (rows[step].pitch, step / 4, min(max(round(rows[step].duration * 4), 1), end - step) / 4)
        for step, end in zip(steps, ends)
    ]


def clips_of(lines: list[tuple[str, list]], seed: int = 0):
    """Each melody by each of SOUNDS, the levels taken in turns."""
    rng = np.random.default_rng(seed)
    for number, (name, line) in enumerate(lines):
        for index, (sound, (program, centre)) in enumerate(SOUNDS.items()):
            level = list(LEVELS)[(number + index) % len(LEVELS)]
            shift = 12 * round((centre - np.median([pitch for pitch, _, _ in line])) / 12)
            moved = [(pitch + shift, onset, duration) for pitch, onset, duration in line]
            bpm = rng.uniform(75, 140)
            notes, beats, seconds = voices.perform(moved, rng, bpm, rng.uniform(0.01, 0.05), rng.uniform(0.004, 0.018))
            start = rng.uniform(-0.3, 0.3)
            manner = Manner() if sound in STEADY else Manner((start, start + rng.uniform(-0.15, 0.15)), rng.uniform(0, 0.6))
            if program is None:
                played = voices.voice(notes, manner, rng, {"whistle": "whistled"}.get(sound, sound))
            else:
                played = voices.instrument(notes, program, manner, rendering.find_soundfont())
            audio = voices.record(played, rng, **LEVELS[level])
            yield Clip(name, sound, level, audio, notes, moved, beats, seconds, bpm)


def compare(true: voices.Performed, heard: list[SungNote]) -> dict[str, float]:
    """F1 of notes by onset and pitch, with offsets too, and the share of true notes that are heard octaves off."""
    if not heard:
        return {"f1": 0.0, "precision": 0.0, "recall": 0.0, "f1_offsets": 0.0, "octaves": 0.0}
    spans, tones = _intervals([(onset, offset) for _, onset, offset, _ in true]), _hertz([pitch for pitch, *_ in true])
    found, sounds = _intervals([(note.onset, note.offset) for note in heard]), _hertz([note.pitch for note in heard])
    settings = {"onset_tolerance": ONSET, "pitch_tolerance": PITCH}
    score = mir_eval.transcription.precision_recall_f1_overlap
    precision, recall, f1, _ = score(spans, tones, found, sounds, offset_ratio=None, **settings)
    matched = mir_eval.transcription.match_note_onsets(spans, found, onset_tolerance=ONSET)
    apart = [heard[j].pitch - true[i][0] for i, j in matched]
    octaves = sum(interval != 0 and interval % 12 == 0 for interval in apart) / len(true)
    with_offsets = score(spans, tones, found, sounds, **settings)[2]
    return {"f1": f1, "precision": precision, "recall": recall, "f1_offsets": with_offsets, "octaves": octaves}


def _intervals(pairs: list[tuple[float, float]]) -> np.ndarray:
    spans = np.array(pairs, float)
    spans[:, 1] = np.maximum(spans[:, 1], spans[:, 0] + 0.02)
    return spans


def _hertz(pitches: list[int]) -> np.ndarray:
    return 440 * 2 ** ((np.array(pitches, float) - 69) / 12)


def ours(audio: np.ndarray) -> list[SungNote]:
    try:
        return transcribe_notes(audio)
    except MusicError:
        return []


def swift_f0_alone(audio: np.ndarray) -> list[SungNote]:
    """The tracker's own segmentation into notes."""
    from swift_f0 import SwiftF0, segment_notes

    notes = segment_notes(SwiftF0(threads=1).detect(audio, RATE))
    return [SungNote(round(69 + 12 * np.log2(note.pitch_hz / 440)), note.start, note.end, 80) for note in notes]


TRANSCRIBERS: dict[str, Callable[[np.ndarray], list[SungNote]]] = {"accomp": ours, "swift-f0": swift_f0_alone}


def run(options) -> None:
    """Measure on the options' corpus and bench, write OUT/transcription.json and print the table."""
    lines = lines_of(Corpus.load(options.corpus), options.split, options.limit or 20, options.bench)
    rows = evaluate(lines, TRANSCRIBERS)
    options.out.mkdir(parents=True, exist_ok=True)
    write_json(options.out / "transcription.json", rows)
    print(f"{len(lines)} melodies, {len(lines) * len(SOUNDS)} recordings\n\n{table(rows)}")


def table(rows: list[dict]) -> str:
    """A Markdown table of F1 by sound and level, and of the other figures over all, a column for each transcriber."""
    names = list(dict.fromkeys(row["by"] for row in rows))
    parts = [
        (f"F1, {value}", "f1", key, value) for key in ("sound", "level") for value in dict.fromkeys(row[key] for row in rows)
    ]
    parts += [(title, figure, None, None) for figure, title in FIGURES.items()]
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for title, figure, key, value in parts:
        chosen = [[row[figure] for row in rows if row["by"] == name and (key is None or row[key] == value)] for name in names]
        lines.append(f"| {title} | " + " | ".join(f"{np.mean(found):.3f}" for found in chosen) + " |")
    return "\n".join(lines)


def evaluate(lines: list, transcribers: dict[str, Callable]) -> list[dict]:
    """A row for each clip and transcriber."""
    rows = []
    for clip in tqdm(clips_of(lines), total=len(lines) * len(SOUNDS), desc="recordings", unit="clip"):
        for name, hear in transcribers.items():
            rows.append(
                {"by": name, "name": clip.name, "sound": clip.sound, "level": clip.level, **compare(clip.notes, hear(clip.audio))}
            )
    return rows
