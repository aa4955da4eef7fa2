"""Train the network that finds bars: `python -m train bars --corpus CORPUS --run RUN`.

It learns from the melodies of the corpora's `train` songs, one corpus as often as another, and from
songs in 4/4 that are bent to 3/4, 6/8 and swing, since few songs are in three. Each is cut as
recordings are, gets the errors of singers and of transcription, and is laid on its own pulses and
on wrong ones: the network is to tell which pulses, meter and bar lines are right.

--also adds other corpora; --export says where the network goes.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from accomp.listen.bar_net import READINGS, BarsNet, BarsNetConfig, bar_scores, lay_out
from accomp.listen.bars import BARS_CONFIG, BARS_WEIGHTS
from accomp.listen.beat_grid import PulseSettings
from accomp.models.files import save_network
from accomp.roll.grid import BAR_STEPS, BLOCK_STEPS, MELODY, STEPS_PER_BEAT
from train.data.corpus import Corpus
from train.fit.loop import FitSettings, FunctionTask, fit
from train.fit.run_files import write_json
from train.fit.settings import training_parser

# How pulses are counted wrongly: half as many, twice as many, as many with three parts for four or
# four for three, and quarters for dotted ones or the other way round.
HALF, DOUBLE, OTHER, DOTTED = "half", "double", "other", "dotted"


@dataclass(frozen=True)
class ErrorSettings:
    """The errors of singers and of transcription that a melody gets; shares are of its notes."""

    pace: tuple[float, float] = (0.35, 0.9)  # seconds a pulse, the shortest and the longest
    held: float = 0.82  # shortest share of its length that a note sounds
    jitter: tuple[float, float] = (0.005, 0.03)  # seconds, standard deviation of onsets
    late: float = 0.05  # share of notes that come late
    late_by: tuple[float, float] = (0.03, 0.07)  # seconds
    octave: float = 0.01  # share an octave too low, and as many too high
    lost: float = 0.06  # share that are not transcribed
    split: float = 0.05  # share that are taken for two
    split_from: float = 0.16  # seconds of a note that may be split
    split_at: tuple[float, float] = (0.25, 0.8)  # share of it after which the second begins
    shortest: float = 0.03  # pulses of a note


@dataclass(frozen=True)
class ExampleSettings:
    """How examples are made of songs."""

    # Pulses of an example; those of a batch are about as long as each other, so that it has little
    # padding.
    lengths: tuple[float, float] = (10.0, 44.0)
    least: int = 10  # notes of an example
    least_song: int = 16  # notes of a song
    kept: float = 0.66  # share of songs in 4/4 that stay so
    triple: float = 0.14  # share of them that become 3/4
    compound: float = 0.14  # share that become 6/8; the others swing
    beginning: float = 0.25  # share of examples that begin with the song
    phrase: float = 0.45  # share that begin with a note after a rest; others begin anywhere
    rest: float = 0.75  # pulses
    # Where pulses are found, now and then between the true ones: places and shares, by the parts of
    # a pulse.
    between_fourths: tuple[tuple[float, float], ...] = (
        (0.0, 0.84),
        (0.5, 0.11),
        (0.25, 0.025),
        (0.75, 0.025),
    )
    between_thirds: tuple[tuple[float, float], ...] = (
        (0.0, 0.94),
        (1 / 3, 0.03),
        (2 / 3, 0.03),
    )
    wrong: tuple[tuple[str, float], ...] = (  # shares of the ways to count wrongly
        (HALF, 0.25),
        (DOUBLE, 0.15),
        (OTHER, 0.25),
        (DOTTED, 0.35),
    )
    errors: ErrorSettings = ErrorSettings()

    def between(self, parts: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the places where pulses are found, and their shares. parts: of a pulse."""
        places, shares = zip(*(self.between_fourths if parts == 4 else self.between_thirds))
        return places, shares


@dataclass(frozen=True)
class BarsTraining:
    """How the network is trained."""

    fit: FitSettings = FitSettings(
        epochs=18, batch_size=32, learning_rate=3e-3, weight_decay=1e-2, sample_every=1000
    )
    epoch: int = 128  # batches
    validation: int = 12  # batches
    pulses_weigh: float = 0.5  # of telling right pulses from wrong ones, beside telling bars
    examples: ExampleSettings = ExampleSettings()


class Line(NamedTuple):
    """A melody whose bars begin at whole multiples of its reading's pulses.

    Attributes:
        reading: Index of READINGS.
        pitch: [n] MIDI pitches.
        onset: [n] pulses.
        duration: [n] pulses.
    """

    reading: int
    pitch: np.ndarray
    onset: np.ndarray
    duration: np.ndarray


class Example(NamedTuple):
    """What the network is given, and the right answer.

    Attributes:
        layouts: Steps [channels, T] and parts of the right pulses, and perhaps of wrong ones.
        answer: Which of all places of all READINGS the first step of the right ones has.
    """

    layouts: list[tuple[np.ndarray, int]]
    answer: int


Batch = tuple[Tensor, Tensor, Tensor]  # steps [N, channels, T], parts [N] and answers [size]
Lines = list[list[Line]]  # by corpus


def main(arguments: list[str] | None = None, settings: BarsTraining = BarsTraining()) -> None:
    """Train the network and write it with its figures."""
    parser = training_parser("bars", __doc__)
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="other corpora")
    parser.add_argument("--export", type=Path, help="folder for the network (default: RUN/model)")
    options = parser.parse_args(arguments)
    settings = replace(settings, fit=replace(settings.fit, seed=options.seed))
    corpora = [Corpus.load(folder) for folder in (options.corpus, *options.also)]
    least = settings.examples.least_song
    lines = {
        split: [found for corpus in corpora if (found := read_lines(corpus, split, least))]
        for split in ("train", "val")
    }
    for split, found in lines.items():
        if not found:
            raise SystemExit(f"the corpora hold no {split} song with a melody of {least} notes")
    torch.manual_seed(options.seed)
    model = BarsNet(BarsNetConfig())
    train(model, lines, options, settings)
    save_network(options.export or options.run / "model", model, BARS_CONFIG, BARS_WEIGHTS)
    figures = {"seed": options.seed, "data": [corpus.described() for corpus in corpora]}
    figures |= validate(model, lines["val"], settings)
    write_json(options.run / "bars" / "figures.json", figures)


# Songs


def read_lines(corpus: Corpus, split: str, least: int = ExampleSettings.least_song) -> list[Line]:
    """Read the melodies of a split's songs whose bars the network knows.

    Those are bars of four beats, of three, or of dotted ones. On the models' grid
    (accomp.roll.grid.Grid) a song in three leaves the last quarter of the bars empty, and one in
    compound meter has no even beats.

    Args:
        corpus: Of songs.
        split: "train", "val" or "test".
        least: Notes of a melody.
    """
    lines = []
    for song in corpus.choose(split):
        notes = corpus.notes_of(song)
        notes = notes[notes["track"] == MELODY]
        notes = notes[np.unique(notes["step"], return_index=True)[1]]  # one at a time
        if len(notes) < least:
            continue
        line = _line_of(notes, corpus.songs[song].get("even", 1.0) < 0.5)
        if line:
            lines.append(line)
    return lines


def _line_of(notes: np.ndarray, compound: bool) -> Line | None:
    """Return a song's melody; None for 9/8, 6/4 and other meters.

    notes: a corpus's, one at a time; compound: whether the song has no even beats.
    """
    step, duration = notes["step"].astype(int), notes["duration"].astype(int)
    three = not (step % BAR_STEPS >= 3 * STEPS_PER_BEAT).any()
    fills_blocks = (step % BLOCK_STEPS >= BLOCK_STEPS - 2 * STEPS_PER_BEAT).any()
    if (three and compound) or not (three or fills_blocks):
        return None
    pulses = 3 if three else 4
    parts = (0, 1 / 3, 2 / 3, 5 / 6) if compound else (0, 1 / 4, 2 / 4, 3 / 4)
    in_bar = np.array([pulse + part for pulse in range(4) for part in parts]).clip(max=pulses)
    onset, end = (
        at // BAR_STEPS * pulses + in_bar[at % BAR_STEPS] for at in (step, step + duration)
    )
    reading = next(
        index
        for index, reading in enumerate(READINGS)
        if (reading.parts == 3, reading.pulses == 3) == (compound, three)
    )
    return tidy(Line(reading, notes["pitch"].astype(int), onset, end - onset))


def tidy(line: Line) -> Line:
    """Return the notes in order, one at a time."""
    _, first = np.unique(np.round(line.onset, 4), return_index=True)
    pitch, onset, duration = line.pitch[first], line.onset[first], line.duration[first]
    following = np.append(np.diff(onset), 4.0)
    duration = np.clip(duration, np.minimum(following, 0.2), following)
    return Line(line.reading, pitch, onset, duration)


# Examples


def bend(line: Line, rng: np.random.Generator, settings: ExampleSettings) -> Line:
    """Return a song in 4/4 as it is, or in another meter."""
    chance = rng.random()
    if line.reading != 0 or chance < settings.kept:
        return line
    if chance < settings.kept + settings.triple:
        return to_three(line, rng)
    swings = chance >= settings.kept + settings.triple + settings.compound
    # Where the fourths of a pulse go: thirds, or halves of the last one.
    maps = [(0, 2, 2, 2)] if swings else [(0, 1, 2, 2), (0, 2, 2, 2), (0, 1, 1, 2)]
    pulse, fourth = np.divmod(np.rint(4 * line.onset).astype(int), 4)
    onset = pulse + np.array(maps[rng.integers(len(maps))])[fourth] / 3
    return tidy(Line(3 if swings else 2, line.pitch, onset, np.maximum(line.duration, 1 / 3)))


def to_three(line: Line, rng: np.random.Generator) -> Line:
    """Turn 4/4 into 3/4.

    Each bar loses one of its last three beats, or each half bar has one beat twice as long.
    """
    way = int(rng.integers(5))
    if way < 3:
        bar, beat = np.divmod(line.onset, 4)
        kept = (beat < way + 1) | (beat >= way + 2)
        onset = 3 * bar + beat - (beat >= way + 2)
        return tidy(Line(1, line.pitch[kept], onset[kept], line.duration[kept]))
    knots = (0, 2, 3) if way == 3 else (0, 1, 3)

    def bent(beats: np.ndarray) -> np.ndarray:
        half, beat = np.divmod(beats, 2)
        return 3 * half + np.interp(beat, (0, 1, 2), knots)

    onset, end = bent(line.onset), bent(line.onset + line.duration)
    return tidy(Line(1, line.pitch, onset, end - onset))


def cut(line: Line, pulses: float, rng: np.random.Generator, settings: ExampleSettings) -> Line:
    """Cut out about so many pulses of a melody.

    They are from its beginning, that of a phrase, or anywhere.

    Args:
        line: The melody.
        pulses: How long the part is.
        rng: Chooses where it begins.
        settings: How likely each beginning is.
    """
    chance, count = rng.random(), len(line.pitch)
    first = 0
    if chance >= settings.beginning + settings.phrase:
        first = int(rng.integers(count))
    elif chance >= settings.beginning:
        rests = line.onset[1:] - (line.onset + line.duration)[:-1] >= settings.rest
        first = int(rng.choice(np.flatnonzero(np.append(True, rests))))
    first = min(first, max(count - settings.least, 0))
    last = int(np.searchsorted(line.onset, line.onset[first] + pulses))
    last = max(last, first + settings.least)
    return Line(line.reading, *(values[first:last] for values in line[1:]))


def sing(
    line: Line, rng: np.random.Generator, settings: ErrorSettings = ErrorSettings()
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pitch, onset and end [n] in pulses as they would be transcribed.

    Notes are unsteady; some are late, lost, split or an octave off.
    """
    count, pace = len(line.pitch), 1 / rng.uniform(*settings.pace)  # pulses in a second
    end = line.onset + line.duration * rng.uniform(settings.held, 1, count)
    onset = line.onset + rng.normal(0, rng.uniform(*settings.jitter), count) * pace
    late = rng.random(count) < settings.late
    onset = onset + late * rng.uniform(*settings.late_by, count) * pace
    octaves = [settings.octave, 1 - 2 * settings.octave, settings.octave]
    pitch = line.pitch + 12 * rng.choice([-1, 0, 1], count, p=octaves)
    kept = rng.random(count) > settings.lost
    kept[0] = True
    notes = np.stack([pitch, onset, end], 1)[kept]
    long = notes[:, 2] - notes[:, 1] > settings.split_from * pace
    second = notes[(rng.random(len(notes)) < settings.split) & long]
    shares = rng.uniform(*settings.split_at, len(second))
    second[:, 1] += (second[:, 2] - second[:, 1]) * shares
    second[:, 0] += rng.integers(-2, 3, len(second))
    notes = np.concatenate([notes, second])
    pitch, onset, end = notes[np.argsort(notes[:, 1], kind="stable")].T
    onset = np.maximum.accumulate(onset + 1e-4 * np.arange(len(onset)))
    end = np.minimum(end, np.append(onset[1:], np.inf))
    return pitch.astype(int), onset, np.maximum(end, onset + settings.shortest)


def make_example(
    line: Line,
    pulses: float,
    wrong: bool,
    rng: np.random.Generator,
    settings: ExampleSettings = ExampleSettings(),
) -> Example:
    """Make an example of a song.

    Args:
        line: The song's melody.
        pulses: About how long the example is.
        wrong: Whether there are wrong pulses beside the right ones.
        rng: Decides on all else.
        settings: How often what is decided.
    """
    line = cut(bend(line, rng, settings), pulses, rng, settings)
    reading = READINGS[line.reading]
    pitch, onset, end = sing(line, rng, settings.errors)
    places, shares = settings.between(reading.parts)
    between = rng.choice(places, p=shares)
    first = np.floor(onset[0] - between + PulseSettings.early) + between
    onset, end = onset - first, end - first
    layouts = [(lay_out(pitch, onset, end, reading.parts), reading.parts)]
    if wrong:
        factor, parts, offset = wrong_pulses(reading.parts, rng, settings)
        steps = lay_out(pitch, onset * factor + offset, end * factor + offset, parts)
        layouts.append((steps, parts))
    before = sum(other.places for other in READINGS[: line.reading])
    return Example(layouts, before + round(first * reading.parts) % reading.places)


def wrong_pulses(
    parts: int, rng: np.random.Generator, settings: ExampleSettings = ExampleSettings()
) -> tuple[float, int, float]:
    """Return how pulses are counted wrongly.

    That is how many are counted for one, into how many parts they fall, and where between them the
    first one lies.
    """
    kinds, shares = zip(*settings.wrong)
    kind = rng.choice(kinds, p=shares)
    if kind == HALF:
        return 0.5, parts, rng.choice([0, 0.5])
    if kind == DOUBLE:
        return 2.0, 4, 0.0
    if kind == OTHER:
        return 1.0, 7 - parts, 0.0
    return (1.5, 4, 0.0) if parts == 3 else (2 / 3, 3, rng.choice([0, 1 / 3, 2 / 3]))


def batch_of(
    corpora: Lines,
    size: int,
    wrong: bool,
    rng: np.random.Generator,
    settings: ExampleSettings = ExampleSettings(),
) -> Batch:
    """Make a batch of examples.

    Args:
        corpora: Melodies.
        size: Number of examples.
        wrong: Whether each has wrong pulses, too: they follow its right ones, and N is twice
            `size`.
        rng: Decides on songs and all else.
        settings: How examples are made.
    """
    pulses = rng.uniform(*settings.lengths)
    examples = []
    for _ in range(size):
        lines = corpora[rng.integers(len(corpora))]
        line = lines[rng.integers(len(lines))]
        examples.append(make_example(line, pulses, wrong, rng, settings))
    layouts = [layout for example in examples for layout in example.layouts]
    longest = max(steps.shape[1] for steps, _ in layouts)
    padded = [np.pad(steps, ((0, 0), (0, longest - steps.shape[1]))) for steps, _ in layouts]
    parts = torch.tensor([parts for _, parts in layouts])
    answers = torch.tensor([example.answer for example in examples])
    return torch.from_numpy(np.stack(padded)), parts, answers


# Training


def scores_of(model: BarsNet, steps: Tensor, parts: Tensor) -> Tensor:
    """Return log likelihoods but for a constant: [N, all places of READINGS].

    They are -inf where the pulses have other parts.
    """
    scores = [bar_scores(logits) for logits in model(steps)]
    fits = [(parts == reading.parts)[:, None] for reading in READINGS]
    return torch.cat([each.masked_fill(~fit, -torch.inf) for each, fit in zip(scores, fits)], 1)


def loss_of(
    model: BarsNet, batch: Batch, pulses_weigh: float = BarsTraining.pulses_weigh
) -> Tensor:
    """Return the loss of a batch: of bars and, where there are wrong pulses, of pulses."""
    steps, parts, answers = batch
    scores = scores_of(model, steps, parts)
    each = len(steps) // len(answers)
    loss = F.cross_entropy(scores[::each], answers)
    if each == 1:
        return loss
    return loss + pulses_weigh * F.cross_entropy(scores.reshape(len(answers), -1), answers)


def train(
    model: BarsNet,
    lines: dict[str, Lines],
    options: argparse.Namespace,
    settings: BarsTraining = BarsTraining(),
) -> None:
    """Train the network in OPTIONS.run / "bars".

    Args:
        model: The network, which is changed.
        lines: Melodies of the splits train and val.
        options: Of the command line.
        settings: How it is trained.
    """

    def batches(generator: torch.Generator, size: int) -> Iterator[Batch]:
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        for number in range(settings.epoch):
            yield batch_of(lines["train"], size, number % 2 == 0, rng, settings.examples)

    def losses(_: float, batch: Batch) -> dict[str, Tensor]:
        return {"loss": loss_of(model, batch, settings.pulses_weigh)}

    def figures() -> dict[str, float]:
        return validate(model, lines["val"], settings)

    task = FunctionTask(model, losses, batches, figures)
    fit(options.run / "bars", task, settings.fit, options.max_steps)


@torch.no_grad()
def validate(model: BarsNet, corpora: Lines, settings: BarsTraining) -> dict[str, float]:
    """Measure the network on examples of validation songs, always the same.

    Returns:
        Loss, and the shares with the right meter, and with the right bars.
    """
    rng = np.random.default_rng([settings.fit.seed, 1])
    device = next(model.parameters()).device
    starts = torch.tensor(np.cumsum([reading.places for reading in READINGS]), device=device)
    losses, meters, bars = [], [], []
    for _ in range(settings.validation):
        batch = batch_of(corpora, settings.fit.batch_size, False, rng, settings.examples)
        steps, parts, answers = (each.to(device) for each in batch)
        scores = scores_of(model, steps, parts)
        found = scores.argmax(1)
        losses.append(float(F.cross_entropy(scores, answers)))
        bars.append(float((found == answers).float().mean()))
        meter, right = (torch.bucketize(places, starts, right=True) for places in (found, answers))
        meters.append(float((meter == right).float().mean()))
    return {
        "loss": float(np.mean(losses)),
        "meter": float(np.mean(meters)),
        "bars": float(np.mean(bars)),
    }


if __name__ == "__main__":
    main()
