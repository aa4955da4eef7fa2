"""Teach the transcription where notes begin: `python -m train transcription --corpus CORPUS --run RUN [--export FOLDER]`.

The melodies of the corpus's songs are sung, hummed, whistled and played by models of voices and by FluidSynth (train.data.voices),
in many manners and rooms; the network (accomp.listen.note_net) learns their onsets and how long they sound. The corpus may be any; its
`train` songs are learned from, its `val` songs validate.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from accomp.listen.frames import frames_of
from accomp.listen.note_net import FRAME, NotesNet, NotesNetConfig
from accomp.models.files import save_network
from accomp.roll import pianoroll
from accomp.roll.grid import MELODY
from accomp.sound.soundfont import find_soundfont
from train.data import voices
from train.data.corpus import Corpus
from train.data.voices import Manner
from train.fit.loop import FitSettings, FunctionTask, fit
from train.fit.run_files import write_json
from train.fit.settings import training_parser

BARS = 10  # of each melody
CLIPS_PER_MELODY = 4
MELODIES = {"train": 240, "val": 24}
KINDS = ("instrument", "sung", "instrument", "hum", "instrument", "whistled", "instrument", "sung")
CENTRES = {
    "instrument": (50, 55, 60, 64, 69, 74, 79),
    "whistled": (74, 79, 84, 88),
    "sung": (45, 50, 55, 60, 65),
    "hum": (45, 50, 55, 60),
}
# General MIDI programs that hold one voice, keys and plucked strings among them. Those that the evaluation plays are left to it.
PROGRAMS = (
    1,
    4,
    11,
    21,
    22,
    25,
    26,
    27,
    41,
    42,
    52,
    54,
    56,
    57,
    60,
    65,
    66,
    68,
    69,
    71,
    72,
    74,
    75,
    77,
    79,
    80,
)
SPREAD = 0.012  # seconds, standard deviation of the bump that marks an onset
PIECE = 800  # frames of a training example
ONSETS_WEIGH = (
    4.0  # how much more than its absence an onset's frame counts, since few frames are one
)
FIT = FitSettings(
    epochs=12, batch_size=16, learning_rate=3e-3, weight_decay=1e-3, sample_every=1000
)


def main(arguments: list[str] | None = None) -> None:
    options = training_parser("transcription", __doc__)
    options.add_argument("--export", type=Path, help="folder for the network (default: RUN/model)")
    options = options.parse_args(arguments)
    corpus = Corpus.load(options.corpus)
    clips = {
        split: make_clips(corpus, split, count, options.seed) for split, count in MELODIES.items()
    }
    torch.manual_seed(options.seed)
    model = NotesNet(NotesNetConfig())
    train(model, clips, options)
    folder = options.export or options.run / "model"
    save_network(folder, model)


def melody_lines(
    corpus: Corpus, split: str, count: int, seed: int
) -> list[list[tuple[int, float, float]]]:
    """Up to `count` melodies of a split's songs, of BARS bars from where they begin: (pitch, onset, duration) in beats."""
    songs = np.random.default_rng(seed).permutation(corpus.choose(split))
    lines = []
    for song in songs:
        entry = corpus.songs[song]
        planes = pianoroll.from_blocks(
            corpus.blocks(MELODY, slice(entry["first"], entry["first"] + entry["blocks"])).numpy()
        )
        rows = pianoroll.from_planes(planes)
        if not len(rows):
            continue
        rows = rows[np.argsort(rows[:, 1])]
        first = rows[0, 1] // 16 * 16
        rows = rows[(rows[:, 1] < first + 16 * BARS)]
        if len(rows) >= 16 and len(lines) < count:
            lines.append(
                [
                    (int(pitch), (onset - first) / 4, (stop - onset) / 4)
                    for pitch, onset, stop in rows
                ]
            )
    return lines


def make_clips(
    corpus: Corpus, split: str, count: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each clip, what is heard [T, C] float16 and what is to be said [2, T] float16."""
    rng = np.random.default_rng([seed, len(split)])
    lines = melody_lines(corpus, split, count, seed)
    clips = []
    for number in tqdm(range(len(lines) * CLIPS_PER_MELODY), desc=f"{split} clips", unit="clip"):
        sound, notes = random_clip(
            lines[number // CLIPS_PER_MELODY], KINDS[number % len(KINDS)], rng
        )
        frames = frames_of(sound)
        clips.append(
            (
                frames.inputs.astype(np.float16),
                targets(notes, len(frames.inputs)).astype(np.float16),
            )
        )
    return clips


def random_clip(line: list[tuple[int, float, float]], kind: str, rng: np.random.Generator):
    """A recording of a melody in a random manner and room, and the performed notes."""
    middle = np.median([pitch for pitch, _, _ in line])
    shift = 12 * round((rng.choice(CENTRES[kind]) - middle) / 12) + int(rng.integers(-5, 6))
    line = [(pitch + shift, onset, duration) for pitch, onset, duration in line]
    notes, _, _ = voices.perform(
        line, rng, rng.uniform(70, 140), rng.uniform(0.01, 0.06), rng.uniform(0.004, 0.02)
    )
    start = rng.uniform(-0.5, 0.5)
    manner = Manner((start, start + rng.uniform(-0.2, 0.2)), rng.choice([0, rng.uniform(0, 0.8)]))
    if kind == "instrument":
        sound = voices.instrument(notes, int(rng.choice(PROGRAMS)), manner, find_soundfont())
    else:
        sound = voices.voice(notes, manner, rng, kind)
    snr, reverb = rng.choice([None, 40, 30, 20, 12]), rng.choice([0, 0.1, 0.3, 0.5])
    return voices.record(sound, rng, snr, reverb, rng.random() < 0.25), notes


def targets(notes: voices.Performed, count: int) -> np.ndarray:
    """[2, T]: bumps at onsets, and whether a note sounds."""
    times = np.arange(count) * FRAME
    onsets, sounding = np.zeros(count), np.zeros(count)
    for _, onset, offset, _ in notes:
        onsets = np.maximum(onsets, np.exp(-0.5 * ((times - onset) / SPREAD) ** 2))
        sounding[(times >= onset) & (times < offset)] = 1
    return np.stack([onsets, sounding])


def train(model: NotesNet, clips: dict[str, list], options) -> None:
    mels = model.config.mels

    def batches(generator: torch.Generator, size: int):
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        pieces = [
            (clip, at)
            for clip in clips["train"]
            for at in range(0, max(len(clip[0]) - PIECE // 2, 1), PIECE)
        ]
        order = rng.permutation(len(pieces))
        for at in range(0, len(order), size):
            chosen = [
                _piece(
                    *pieces[index][0], pieces[index][1] + int(rng.integers(-200, 200)), rng, mels
                )
                for index in order[at : at + size]
            ]
            yield (
                torch.from_numpy(np.stack([frames for frames, _ in chosen])),
                torch.from_numpy(np.stack([wanted for _, wanted in chosen])),
            )

    def losses(progress: float, batch):
        return {"loss": loss_of(model(batch[0]), batch[1])}

    @torch.no_grad()
    def validate() -> dict[str, float]:
        found = []
        for frames, wanted in clips["val"]:
            heard = model(torch.from_numpy(frames.T[None].astype(np.float32)))
            found.append(float(loss_of(heard, torch.from_numpy(wanted[None].astype(np.float32)))))
        return {"loss": float(np.mean(found))}

    settings = FitSettings(**{**vars(FIT), "seed": options.seed})
    history = fit(
        options.run / "transcription",
        FunctionTask(model, losses, batches, validate),
        settings,
        options.max_steps,
    )
    write_json(
        options.run / "transcription" / "figures.json",
        {"seed": options.seed, "clips": len(clips["train"]), "val": history[-1]["val/loss"]},
    )


def loss_of(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    weight = torch.tensor(ONSETS_WEIGH, device=logits.device)
    onsets = F.binary_cross_entropy_with_logits(logits[:, 0], wanted[:, 0], pos_weight=weight)
    return onsets + 0.5 * F.binary_cross_entropy_with_logits(logits[:, 1], wanted[:, 1])


def _piece(frames: np.ndarray, wanted: np.ndarray, at: int, rng: np.random.Generator, mels: int):
    """PIECE frames from `at` on, [C, PIECE] and [2, PIECE], in a slightly other colour."""
    at = int(np.clip(at, 0, max(len(frames) - PIECE, 0)))
    frames, wanted = (
        frames[at : at + PIECE].astype(np.float32),
        wanted[:, at : at + PIECE].astype(np.float32),
    )
    missing = PIECE - len(frames)
    frames, wanted = np.pad(frames, ((0, missing), (0, 0))), np.pad(wanted, ((0, 0), (0, missing)))
    frames[:, :mels] += rng.normal(0, 0.15) + rng.normal(0, 0.1) * np.linspace(-1, 1, mels)
    return np.ascontiguousarray(frames.T), wanted


if __name__ == "__main__":
    main()
