"""Train the network that finds notes: `python -m train transcription --corpus CORPUS --run RUN`.

The melodies of the corpus's songs are sung, hummed, whistled and played by models of voices and by
FluidSynth (train.data.voices), in many manners and rooms; the network (accomp.listen.note_net)
learns their onsets and how long they sound. The corpus may be any; its `train` songs are learned
from, its `val` songs validate.

--export says where the network goes.
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from accomp.listen.frames import frames_of
from accomp.listen.note_net import FRAME, NotesNet, NotesNetConfig
from accomp.models.files import save_network
from accomp.roll import pianoroll
from accomp.roll.grid import BAR_STEPS, MELODY, STEPS_PER_BEAT
from accomp.sound.soundfont import find_soundfont
from train.data import voices
from train.data.corpus import Corpus
from train.data.voices import Line, Manner, Performed
from train.fit.loop import FitSettings, FunctionTask, fit
from train.fit.run_files import write_json
from train.fit.settings import training_parser

# The kinds of voices that clips have in turns.
KINDS = ("instrument", "sung", "instrument", "hum", "instrument", "whistled", "instrument", "sung")
# General MIDI programs that hold one voice, keys and plucked strings among them. Those that the
# evaluation plays are left to it.
PROGRAMS = (
    *(1, 4, 11, 21, 22, 25, 26, 27, 41, 42, 52, 54, 56),
    *(57, 60, 65, 66, 68, 69, 71, 72, 74, 75, 77, 79, 80),
)
Clip = tuple[np.ndarray, np.ndarray]  # inputs [T, C] and targets [2, T], float16


@dataclass(frozen=True)
class ClipSettings:
    """Which melodies are recorded, and how."""

    melodies: Mapping[str, int] = field(  # number by split
        default_factory=lambda: {"train": 240, "val": 24}
    )
    clips: int = 4  # of each melody
    bars: int = 10  # of each melody
    least: int = 16  # notes of a melody
    centres: Mapping[str, tuple[int, ...]] = field(  # pitches around which each kind performs
        default_factory=lambda: {
            "instrument": (50, 55, 60, 64, 69, 74, 79),
            "whistled": (74, 79, 84, 88),
            "sung": (45, 50, 55, 60, 65),
            "hum": (45, 50, 55, 60),
        }
    )
    spread: float = 0.012  # seconds, standard deviation of the bump that marks an onset


@dataclass(frozen=True)
class NotesTraining:
    """How the network is trained."""

    fit: FitSettings = FitSettings(
        epochs=12, batch_size=16, learning_rate=3e-3, weight_decay=1e-3, sample_every=1000
    )
    piece: int = 800  # frames of a training example
    shifted: int = 200  # frames by which a piece begins earlier or later, at most
    onsets_weigh: float = 4.0  # of an onset's frame beside one without, since few frames are one
    sounding_weighs: float = 0.5  # of whether notes sound, beside onsets
    louder: float = 0.15  # standard deviation of a piece's level, in the inputs' units
    brighter: float = 0.1  # and of how much more it rises over the mel bands
    clips: ClipSettings = ClipSettings()


def main(arguments: list[str] | None = None, settings: NotesTraining = NotesTraining()) -> None:
    """Make clips, train the network on them and write it."""
    parser = training_parser("transcription", __doc__)
    parser.add_argument("--export", type=Path, help="folder for the network (default: RUN/model)")
    options = parser.parse_args(arguments)
    settings = replace(settings, fit=replace(settings.fit, seed=options.seed))
    corpus = Corpus.load(options.corpus)
    clips = {
        split: make_clips(corpus, split, options.seed, settings.clips)
        for split in settings.clips.melodies
    }
    torch.manual_seed(options.seed)
    model = NotesNet(NotesNetConfig())
    train(model, clips, options, settings)
    save_network(options.export or options.run / "model", model)


# Clips


def melody_lines(
    corpus: Corpus, split: str, count: int, seed: int, settings: ClipSettings = ClipSettings()
) -> list[Line]:
    """Read melodies from where they begin.

    Args:
        corpus: Of songs.
        split: Whose songs are read.
        count: How many melodies there are at most.
        seed: Decides which.
        settings: How long they are.
    """
    songs = np.random.default_rng(seed).permutation(corpus.choose(split))
    lines: list[Line] = []
    for song in songs:
        entry = corpus.songs[song]
        blocks = corpus.blocks(MELODY, slice(entry["first"], entry["first"] + entry["blocks"]))
        rows = pianoroll.from_planes(pianoroll.from_blocks(blocks.numpy()))
        if not len(rows):
            continue
        rows = rows[np.argsort(rows[:, 1])]
        first = rows[0, 1] // BAR_STEPS * BAR_STEPS
        rows = rows[rows[:, 1] < first + BAR_STEPS * settings.bars]
        if len(rows) >= settings.least and len(lines) < count:
            lines.append(
                [
                    (int(pitch), (onset - first) / STEPS_PER_BEAT, (stop - onset) / STEPS_PER_BEAT)
                    for pitch, onset, stop in rows
                ]
            )
    return lines


def make_clips(corpus: Corpus, split: str, seed: int, settings: ClipSettings) -> list[Clip]:
    """Record melodies of a split.

    Args:
        corpus: Of songs.
        split: Whose songs are recorded.
        seed: Decides which, and how.
        settings: How many.

    Returns:
        The network's inputs and targets of each recording.
    """
    rng = np.random.default_rng([seed, len(split)])
    lines = melody_lines(corpus, split, settings.melodies[split], seed, settings)
    clips = []
    numbers = tqdm(range(len(lines) * settings.clips), desc=f"{split} clips", unit="clip")
    for number in numbers:
        line, kind = lines[number // settings.clips], KINDS[number % len(KINDS)]
        sound, notes = random_clip(line, kind, rng, settings)
        inputs = frames_of(sound).inputs
        wanted = targets(notes, len(inputs), settings.spread)
        clips.append((inputs.astype(np.float16), wanted.astype(np.float16)))
    return clips


def random_clip(
    line: Line, kind: str, rng: np.random.Generator, settings: ClipSettings = ClipSettings()
) -> tuple[np.ndarray, Performed]:
    """Record a melody in a random manner and room.

    Args:
        line: The melody.
        kind: One of KINDS.
        rng: Decides on all else.
        settings: How high it is.

    Returns:
        A mono sound at LISTEN_RATE, and the performed notes.
    """
    middle = np.median([pitch for pitch, _, _ in line])
    shift = 12 * round((rng.choice(settings.centres[kind]) - middle) / 12) + int(
        rng.integers(-5, 6)
    )
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


def targets(notes: Performed, count: int, spread: float = ClipSettings.spread) -> np.ndarray:
    """Return [2, T] bumps at onsets, and whether a note sounds. count: of frames."""
    times = np.arange(count) * FRAME
    onsets, sounding = np.zeros(count), np.zeros(count)
    for _, onset, offset, _ in notes:
        onsets = np.maximum(onsets, np.exp(-0.5 * ((times - onset) / spread) ** 2))
        sounding[(times >= onset) & (times < offset)] = 1
    return np.stack([onsets, sounding])


# Training


def train(
    model: NotesNet,
    clips: dict[str, list[Clip]],
    options: argparse.Namespace,
    settings: NotesTraining = NotesTraining(),
) -> None:
    """Train the network in OPTIONS.run / "transcription".

    Args:
        model: The network, which is changed.
        clips: Of the splits train and val.
        options: Of the command line.
        settings: How it is trained.
    """

    def batches(generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        return _batches(clips["train"], size, rng, model.config.mels, settings)

    def losses(_: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        return {"loss": loss_of(model(batch[0]), batch[1], settings)}

    @torch.no_grad()
    def validate() -> dict[str, float]:
        found = []
        for inputs, wanted in clips["val"]:
            logits = model(torch.from_numpy(inputs.T[None].astype(np.float32)))
            answer = torch.from_numpy(wanted[None].astype(np.float32))
            found.append(float(loss_of(logits, answer, settings)))
        return {"loss": float(np.mean(found))}

    folder = options.run / "transcription"
    task = FunctionTask(model, losses, batches, validate)
    history = fit(folder, task, settings.fit, options.max_steps)
    figures = {"seed": options.seed, "clips": len(clips["train"])}
    write_json(folder / "figures.json", figures | {"val": history[-1]["val/loss"]})


def _batches(
    clips: list[Clip], size: int, rng: np.random.Generator, mels: int, settings: NotesTraining
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all pieces of clips in a random order, `size` at a time: [N, C, T] and [N, 2, T]."""
    length, shifted = settings.piece, settings.shifted
    pieces = [
        (clip, at) for clip in clips for at in range(0, max(len(clip[0]) - length // 2, 1), length)
    ]
    order = rng.permutation(len(pieces))
    for begin in range(0, len(order), size):
        chosen = []
        for clip, at in (pieces[index] for index in order[begin : begin + size]):
            at += int(rng.integers(-shifted, shifted))
            chosen.append(_piece(clip, at, rng, mels, settings))
        inputs, wanted = zip(*chosen)
        yield torch.from_numpy(np.stack(inputs)), torch.from_numpy(np.stack(wanted))


def loss_of(logits: Tensor, wanted: Tensor, settings: NotesTraining = NotesTraining()) -> Tensor:
    """Return the loss of logits [N, 2, T] against targets of the same shape."""
    weight = torch.tensor(settings.onsets_weigh, device=logits.device)
    onsets = F.binary_cross_entropy_with_logits(logits[:, 0], wanted[:, 0], pos_weight=weight)
    sounding = F.binary_cross_entropy_with_logits(logits[:, 1], wanted[:, 1])
    return onsets + settings.sounding_weighs * sounding


def _piece(
    clip: Clip, at: int, rng: np.random.Generator, mels: int, settings: NotesTraining
) -> Clip:
    """Cut a clip from frame `at` on, in a slightly other colour: [C, piece] and [2, piece]."""
    length = settings.piece
    inputs, wanted = clip
    at = int(np.clip(at, 0, max(len(inputs) - length, 0)))
    inputs = inputs[at : at + length].astype(np.float32)
    wanted = wanted[:, at : at + length].astype(np.float32)
    missing = length - len(inputs)
    inputs, wanted = np.pad(inputs, ((0, missing), (0, 0))), np.pad(wanted, ((0, 0), (0, missing)))
    slope = np.linspace(-1, 1, mels)
    inputs[:, :mels] += rng.normal(0, settings.louder) + rng.normal(0, settings.brighter) * slope
    return np.ascontiguousarray(inputs.T), wanted


if __name__ == "__main__":
    main()
