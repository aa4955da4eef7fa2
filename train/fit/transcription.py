"""Train the network that finds notes: `python -m train transcription --corpus CORPUS --run RUN`.

The melodies of the corpus's songs, and exercises made by chance, are sung by a model of untrained
singers (train.data.singers), hummed, whistled and played by FluidSynth (train.data.voices), in many
manners and rooms and through many phones (train.data.phones); the network (accomp.listen.note_net)
learns their onsets and how long they sound. The corpus may be any; its `train` songs are learned
from, its `val` songs validate. Clips are kept in RUN/clips: what was stopped goes on, and the same
command with --only-clips I N makes every Nth of them, from the Ith on, side by side.

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
from train.data import phones, singers, voices
from train.data.corpus import Corpus
from train.data.voices import Line, Manner, Performed
from train.fit.loop import FitSettings, FunctionTask, fit
from train.fit.run_files import write_json
from train.fit.settings import training_parser

# The kinds of voices that clips have in turns.
KINDS = (
    *("man", "instrument", "woman", "plain", "child", "whistled", "man", "instrument", "woman"),
    *("instrument", "bass", "man", "instrument", "woman", "child", "instrument", "woman"),
)
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
        default_factory=lambda: {"train": 250, "val": 12}
    )
    clips: int = 4  # of each melody
    bars: int = 6  # of each melody
    least: int = 8  # notes of a melody
    most: int = 16  # notes of one
    exercises: float = 0.4  # share of clips that are exercises instead
    centres: Mapping[str, tuple[int, int]] = field(  # pitches around which each kind performs
        default_factory=lambda: {
            "instrument": (48, 80),
            "whistled": (74, 92),
            "plain": (45, 66),
            "bass": (40, 48),
            "man": (46, 60),
            "woman": (55, 72),
            "child": (60, 76),
        }
    )
    # The length of the vocal tract: all resonances are so much higher.
    tracts: Mapping[str, float] = field(
        default_factory=lambda: {"bass": 0.95, "man": 1.0, "woman": 1.16, "child": 1.35}
    )
    tempi: tuple[float, float] = (55, 140)
    sustained: tuple[float, float] = (0.6, 1.0)  # share of their time that a singer's notes sound
    plain_recorded: float = 0.3  # share of clips that no phone is made for
    spread: float = 0.015  # seconds, standard deviation of the bump that marks an onset


@dataclass(frozen=True)
class NotesTraining:
    """How the network is trained."""

    fit: FitSettings = FitSettings(
        epochs=16, batch_size=12, learning_rate=3e-3, weight_decay=1e-3, sample_every=1000
    )
    piece: int = 800  # frames of a training example
    shifted: int = 200  # frames by which a piece begins earlier or later, at most
    onsets_weigh: float = 4.0  # of an onset's frame beside one without, since few frames are one
    sounding_weighs: float = 0.5  # of whether notes sound, beside onsets
    # In the inputs' units, of which one is four natural logarithms of energy:
    louder: float = 0.2  # standard deviation of a piece's level
    coloured: float = 0.45  # and, at most, of how much more there is of some of its bands
    knots: tuple[int, int] = (3, 10)  # so many parts of the bands are coloured
    floors: tuple[float, float] = (-3.0, -0.8)  # of noise in every second piece
    sloped: float = 0.3  # standard deviation of that noise's colour
    hidden: float = 0.3  # share of pieces of which some bands are hidden
    hidden_bands: tuple[int, int] = (2, 14)
    hidden_level: tuple[float, float] = (-1.5, 0.3)  # mean and deviation of what is there instead
    unpitched: float = 0.15  # share of pieces of which some of what the tracker says is hidden
    # How often an epoch has the clips of a kind; pieces of them differ.
    repeats: Mapping[str, int] = field(default_factory=lambda: {"instrument": 3})
    clips: ClipSettings = ClipSettings()


def main(arguments: list[str] | None = None, settings: NotesTraining = NotesTraining()) -> None:
    """Make clips, train the network on them and write it."""
    parser = training_parser("transcription", __doc__)
    parser.add_argument("--export", type=Path, help="folder for the network (default: RUN/model)")
    parser.add_argument(
        "--only-clips", nargs=2, type=int, metavar=("I", "N"), help="make every Nth clip, and stop"
    )
    options = parser.parse_args(arguments)
    settings = replace(settings, fit=replace(settings.fit, seed=options.seed))
    corpus = Corpus.load(options.corpus)
    turn = options.only_clips or (0, 1)
    clips = {
        split: make_clips(corpus, split, options, settings.clips, turn)
        for split in settings.clips.melodies
    }
    if options.only_clips:
        return
    clips["train"] = [
        clip
        for number, clip in enumerate(clips["train"])
        for _ in range(settings.repeats.get(KINDS[number % len(KINDS)], 1))
    ]
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
        rows = rows[rows[:, 1] < first + BAR_STEPS * settings.bars][: settings.most]
        if len(rows) >= settings.least and len(lines) < count:
            lines.append(
                [
                    (int(pitch), (onset - first) / STEPS_PER_BEAT, (stop - onset) / STEPS_PER_BEAT)
                    for pitch, onset, stop in rows
                ]
            )
    return lines


def exercise(rng: np.random.Generator, notes: int = ClipSettings.most) -> Line:
    """Make up a melody in a major key that goes by steps more than by leaps, with rests."""
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    degree, beat, line = 7 + int(rng.integers(0, 5)), 0.0, []
    lengths, chances = [0.5, 1.0, 1.5, 2.0, 4.0], rng.dirichlet([3, 5, 1, 3, 0.7])
    for _ in range(notes):
        length = float(rng.choice(lengths, p=chances))
        line.append((48 + 12 * (degree // 7) + int(scale[degree % 7]), beat, length))
        degree += int(
            rng.choice([-4, -2, -1, 0, 1, 2, 4], p=[0.05, 0.1, 0.27, 0.16, 0.27, 0.1, 0.05])
        )
        degree = int(np.clip(degree, 3, 17))
        beat += length + (float(rng.choice([0.5, 1, 2])) if rng.random() < 0.12 else 0)
    return line


def make_clips(
    corpus: Corpus,
    split: str,
    options: argparse.Namespace,
    settings: ClipSettings,
    turn: tuple[int, int] = (0, 1),
) -> list[Clip]:
    """Record melodies of a split, or read what was recorded before.

    Args:
        corpus: Of songs.
        split: Whose songs are recorded.
        options: Of the command line: the seed decides which songs, and how; clips lie in the run.
        settings: How many.
        turn: The first that is made, and how many further the next one is.

    Returns:
        The network's inputs and targets of each recording.
    """
    lines = melody_lines(corpus, split, settings.melodies[split], options.seed, settings)
    folder = options.run / "clips"
    folder.mkdir(parents=True, exist_ok=True)
    clips = []
    for number in tqdm(range(turn[0], len(lines) * settings.clips, turn[1]), desc=f"{split} clips"):
        path = folder / f"{split}{number}.npz"
        if not path.is_file():
            rng = np.random.default_rng([options.seed, len(split), number])
            own = rng.random() < settings.exercises
            line = exercise(rng) if own else lines[number // settings.clips]
            sound, notes = random_clip(line, KINDS[number % len(KINDS)], rng, settings)
            inputs = frames_of(sound).inputs
            wanted = targets(notes, len(inputs), settings.spread)
            # Written aside, so that what is there is whole.
            aside = path.with_suffix(".part.npz")
            np.savez(aside, inputs=inputs.astype(np.float16), wanted=wanted.astype(np.float16))
            aside.replace(path)
        with np.load(path) as read:
            clips.append((read["inputs"], read["wanted"]))
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
    shift = round(rng.uniform(*settings.centres[kind]) - middle)
    line = [(pitch + shift, onset, duration) for pitch, onset, duration in line]
    notes, _, _ = voices.perform(
        line, rng, rng.uniform(*settings.tempi), rng.uniform(0.01, 0.06), rng.uniform(0.004, 0.02)
    )
    if kind in settings.tracts:
        singer = singers.random_singer(rng, settings.tracts[kind])
        share = rng.uniform(*settings.sustained)
        notes = [(p, on, on + (off - on) * share, loud) for p, on, off, loud in notes]
        sound, notes = singers.sing(notes, singer, rng)
    else:
        sound = _plainly(notes, kind, rng)
    if rng.random() < settings.plain_recorded:
        snr = (None, 40, 30, 20, 12)[rng.integers(5)]
        reverb = rng.choice([0, 0.1, 0.3, 0.5])
        return voices.record(sound, rng, snr, reverb, rng.random() < 0.25), notes
    return phones.by_chance(sound, rng), notes


def _plainly(notes: Performed, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Perform notes by an instrument or a plain voice."""
    start = rng.uniform(-0.5, 0.5)
    manner = Manner((start, start + rng.uniform(-0.2, 0.2)), rng.choice([0, rng.uniform(0, 0.8)]))
    if kind == "instrument":
        return voices.instrument(notes, int(rng.choice(PROGRAMS)), manner, find_soundfont())
    if kind == "plain":
        kind = str(rng.choice(["sung", "hum"]))
    return voices.voice(notes, manner, rng, kind)


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
    inputs[:, :mels] = _coloured(inputs[:, :mels], rng, settings)
    if rng.random() < settings.unpitched:
        inputs[:, mels:] *= rng.random(inputs.shape[1] - mels) < 0.5
    return np.ascontiguousarray(inputs.T), wanted


def _coloured(mel: np.ndarray, rng: np.random.Generator, settings: NotesTraining) -> np.ndarray:
    """Return log mel energies [T, mels] as another microphone and another room would give them."""
    count = mel.shape[1]
    along = np.linspace(0, 1, count)
    knots = int(rng.integers(*settings.knots))
    heights = rng.normal(0, settings.coloured * rng.random(), knots)
    mel = mel + rng.normal(0, settings.louder) + np.interp(along, np.linspace(0, 1, knots), heights)
    if rng.random() < 0.5:
        slope = np.interp(along, [0, 0.5, 1], rng.normal(0, settings.sloped, 3))
        floor = rng.uniform(*settings.floors) + slope + rng.normal(0, 0.1, mel.shape)
        mel = np.logaddexp(4 * mel, 4 * floor) / 4
    if rng.random() < settings.hidden:
        first = int(rng.integers(0, count))
        mel[:, first : first + int(rng.integers(*settings.hidden_bands))] = rng.normal(
            *settings.hidden_level
        )
    return mel


if __name__ == "__main__":
    main()
