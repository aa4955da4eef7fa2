"""Train the network of bars on pulses as they are found: `python -m train bars_found ...`.

`--corpus CORPUS [--also CORPUS ...] [--sheets FILE ...] --run RUN [--start FOLDER]`: melodies are
performed with drifting tempo and the errors of singers and of transcription, pulses are searched in
them as in a recording (accomp.listen.beats), and the network that `train bars` made is to tell
which of all pulses, meters and bar lines are right. So it learns from the search's own errors. The
weights of accomp.listen.bars.BarSettings are learned with it, and printed.

RUN gets the network, its figures and the weights. --start: the network to begin with (default: the
one in use). --sheets: lead sheets (train.data.lead_sheets).
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from accomp.listen.bar_net import READINGS, BarsNet, bar_scores, lay_out
from accomp.listen.bars import (
    BARS_CONFIG,
    BARS_WEIGHTS,
    FEATURES,
    FOLDER,
    Pulses,
    features_of,
    load_bars_network,
    positions,
)
from accomp.listen.beat_grid import SungNote, checked_notes, interpolate
from accomp.listen.beats import find_pulses
from accomp.models.files import save_network
from train.command_line import command_parser
from train.data.corpus import Corpus
from train.data.lead_sheets import read_lead_sheets
from train.fit.bars import ErrorSettings, ExampleSettings, Line, bend, cut, read_lines
from train.fit.loop import FitSettings, Task, fit
from train.fit.run_files import write_json
from train.fit.sheet_lines import lines_of


@dataclass(frozen=True)
class PerformanceSettings:
    """How melodies are performed."""

    pace: tuple[float, float] = (0.4, 0.85)  # seconds a pulse
    drift: tuple[float, float] = (0.005, 0.05)  # share by which the tempo strays
    jitter: tuple[float, float] = (0.005, 0.03)  # seconds, standard deviation of onsets
    held: float = 0.7  # shortest share of its length that a note sounds
    lost: tuple[float, ...] = (0.01, 0.03, 0.06, 0.1)  # shares of notes that are not transcribed
    split: tuple[float, ...] = (0.0, 0.03, 0.08)  # shares that are taken for two
    errors: ErrorSettings = ErrorSettings()
    # Most recordings begin with a phrase.
    examples: ExampleSettings = ExampleSettings(
        lengths=(12.0, 56.0), kept=0.8, triple=0.08, compound=0.08, beginning=0.4, phrase=0.45
    )


@dataclass(frozen=True)
class FoundTraining:
    """How the network is trained."""

    count: int = 4400  # performances
    validation: int = 600
    fit: FitSettings = FitSettings(epochs=5, batch_size=16, learning_rate=1.5e-3, weight_decay=2e-2)
    faster: float = 7.0  # how many times the learning rate the weights have
    bar_line: float = 0.07  # seconds within which a bar line is right
    most_bars: float = 0.8  # F-measure of bar lines from which all are right
    cropped: float = 0.5  # share of examples of which a part is taken
    part: float = 0.55  # shortest such part
    least: int = 12  # notes of it
    dropped: tuple[float, ...] = (0.0, 0.02, 0.05)  # shares of notes that are dropped
    weights: dict[str, float] = field(default_factory=lambda: dict.fromkeys(FEATURES, 0.0))
    performance: PerformanceSettings = PerformanceSettings()


class Performance(NamedTuple):
    """Notes as transcribed, with the pulses that are found in them and which bars are right.

    Attributes:
        pitch: [n] MIDI pitches.
        onset: [n] seconds.
        offset: [n] seconds.
        pulses: As found.
        right: For each of `pulses` [places of its READINGS] whether bars begin there.
    """

    pitch: np.ndarray
    onset: np.ndarray
    offset: np.ndarray
    pulses: list[Pulses]
    right: list[np.ndarray]


class Example(NamedTuple):
    """What the network is given of a performance, and the right answers.

    Attributes:
        layouts: Steps [channels, T] and parts of all pulses.
        features: [ways, FEATURES].
        right: [ways].
    """

    layouts: list[tuple[np.ndarray, int]]
    features: np.ndarray
    right: np.ndarray


def main(arguments: Sequence[str] | None = None, settings: FoundTraining = FoundTraining()) -> None:
    """Train the network and write it with its figures."""
    options = _options(arguments)
    fit_settings = replace(settings.fit, epochs=options.epochs, seed=options.seed)
    settings = replace(settings, count=options.count, fit=fit_settings)
    made = {
        split: perform_all(read_all(options, split), count, options.seed + number, settings)
        for number, (split, count) in enumerate(
            (("train", settings.count), ("val", settings.validation))
        )
    }
    model = Ranking(load_bars_network(options.start))
    fit(options.run / "bars", RankingTask(model, made, settings), settings.fit)
    save_network(options.run / "model", model.network.eval(), BARS_CONFIG, BARS_WEIGHTS)
    figures = validate(model, made["val"]) | {"weights": model.weights_by_name()}
    write_json(options.run / "figures.json", figures)
    print(figures)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser("bars_found", __doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="corpus")
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="other corpora")
    parser.add_argument("--sheets", type=Path, nargs="*", default=[], help="lead sheets")
    parser.add_argument("--start", type=Path, default=FOLDER, help="folder of a network")
    parser.add_argument("--run", type=Path, required=True, help="folder for the results")
    parser.add_argument("--count", type=int, default=FoundTraining.count, help="performances")
    parser.add_argument("--epochs", type=int, default=FoundTraining.fit.epochs)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def read_all(options: argparse.Namespace, split: str) -> list[list[Line]]:
    """Read the melodies of a split, a list for each corpus and file of lead sheets."""
    least = ExampleSettings.least_song
    corpora = [read_lines(Corpus.load(each), split, least) for each in _corpora(options)]
    sheets = [lines_of(read_lead_sheets([path]), split, least) for path in options.sheets]
    return [lines for lines in (*corpora, *sheets) if lines]


def _corpora(options: argparse.Namespace) -> list[Path]:
    return [options.corpus, *options.also]


# Performances


def perform_all(
    lines: list[list[Line]], count: int, seed: int, settings: FoundTraining
) -> list[Performance]:
    """Perform melodies, each list's as often as its melodies' square root says."""
    rng = np.random.default_rng(seed)
    shares = np.sqrt([len(each) for each in lines])
    found: list[Performance] = []
    with tqdm(total=count, desc="performances") as bar:
        while len(found) < count:
            chosen = lines[rng.choice(len(lines), p=shares / shares.sum())]
            one = performance_of(chosen[rng.integers(len(chosen))], rng, settings)
            if one and any(right.any() for right in one.right):
                found.append(one)
                bar.update()
    return found


def performance_of(
    line: Line, rng: np.random.Generator, settings: FoundTraining = FoundTraining()
) -> Performance | None:
    """Perform a part of a melody and find its pulses; None where it has hardly a bar."""
    examples = settings.performance.examples
    pulses = float(np.exp(rng.uniform(*np.log(examples.lengths))))
    line = cut(bend(line, rng, examples), pulses, rng, examples)
    pitch, onset, offset, seconds = perform(line, rng, settings.performance)
    bar = READINGS[line.reading].pulses
    first = np.floor(line.onset[0] / bar) * bar
    true = seconds(np.arange(first, line.onset[-1] + bar, bar))
    near = settings.bar_line
    true = true[(true >= onset[0] - near) & (true <= onset[-1] + near)]
    if len(true) < 2:
        return None
    notes = [SungNote(*each, 80) for each in zip(pitch.tolist(), onset.tolist(), offset.tolist())]
    found = find_pulses(checked_notes(notes))
    right = [_right(each, line.reading, true, settings) for each in found]
    return Performance(pitch, onset, offset, found, right)


def perform(
    line: Line, rng: np.random.Generator, settings: PerformanceSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Perform a melody as it would be transcribed.

    Returns:
        Pitch, onset and offset [n] in seconds, and a function from pulses to seconds.
    """
    count, errors = len(line.pitch), settings.errors
    pulses = np.arange(line.onset[0] - 2, line.onset[-1] + line.duration[-1] + 2, 0.25)
    walk = np.cumsum(rng.normal(size=len(pulses)))
    walk -= np.linspace(walk[0], walk[-1], len(walk))
    walk *= rng.uniform(*settings.drift) / max(np.abs(walk).max(), 1e-9)
    times = np.cumsum(np.append(0, rng.uniform(*settings.pace) * (1 + walk[:-1]) * 0.25))

    def seconds(at: np.ndarray) -> np.ndarray:
        return interpolate(np.asarray(at, float), pulses, times)

    onset = seconds(line.onset) + rng.normal(0, rng.uniform(*settings.jitter), count)
    onset += (rng.random(count) < errors.late) * rng.uniform(*errors.late_by, count)
    offset = seconds(line.onset + line.duration * rng.uniform(settings.held, 1, count))
    octaves = [errors.octave, 1 - 2 * errors.octave, errors.octave]
    pitch = line.pitch + 12 * rng.choice([-1, 0, 1], count, p=octaves)
    kept = rng.random(count) > rng.choice(settings.lost)
    kept[0] = True
    notes = np.stack([pitch, onset, offset], 1)[kept]
    may_split = notes[:, 2] - notes[:, 1] > errors.split_from
    second = notes[(rng.random(len(notes)) < rng.choice(settings.split)) & may_split]
    shares = rng.uniform(*errors.split_at, len(second))
    second[:, 1] += (second[:, 2] - second[:, 1]) * shares
    second[:, 0] += rng.integers(-2, 3, len(second))
    notes = np.concatenate([notes, second])
    return *_in_order(*notes[np.argsort(notes[:, 1], kind="stable")].T), seconds


def _in_order(
    pitch: np.ndarray, onset: np.ndarray, offset: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return notes one after another, none without length."""
    onset = np.maximum.accumulate(onset) + 1e-4 * np.arange(len(onset))
    offset = np.minimum(offset, np.append(onset[1:], np.inf))
    return pitch.astype(int), onset, np.maximum(offset, onset + 0.03)


def _right(pulses: Pulses, reading: int, true: np.ndarray, settings: FoundTraining) -> np.ndarray:
    """Return [places of the pulses' READINGS] whether bars that begin there are right.

    true: [bars] seconds of bar lines.
    """
    low, high = 1.5 * true[0] - 0.5 * true[1], 1.5 * true[-1] - 0.5 * true[-2]
    index, found = np.arange(len(pulses.times)), []
    for each in READINGS:
        if each.parts != pulses.parts:
            continue
        for place in range(each.places):
            bars = np.arange(-2 * each.pulses, len(index) + 2 * each.pulses, each.pulses)
            lines = interpolate(bars - place / each.parts, index, pulses.times)
            lines = lines[(lines > low) & (lines < high)]
            met = np.abs(lines[:, None] - true).min(0, initial=np.inf) < settings.bar_line
            share = 2 * met.sum() / (len(lines) + len(true))
            found.append(share >= settings.most_bars and each.meter == READINGS[reading].meter)
    return np.array(found)


# Training


def example_of(one: Performance, network: BarsNet) -> Example:
    """Lay a performance out on all of its pulses."""
    layouts, features = [], []
    for pulses in one.pulses:
        onset, offset = positions(pulses, one.onset), positions(pulses, one.offset)
        layouts.append(
            (lay_out(one.pitch, onset, offset, pulses.parts, network.config), pulses.parts)
        )
        features.append(features_of(pulses, onset))
    return Example(layouts, np.concatenate(features), np.concatenate(one.right))


def varied(one: Performance, rng: np.random.Generator, settings: FoundTraining) -> Performance:
    """Return a performance without some of its notes; its pulses stay."""
    count = len(one.pitch)
    kept = rng.random(count) > rng.choice(settings.dropped)
    if rng.random() < settings.cropped and count > settings.least:
        length = max(int(rng.uniform(settings.part, 1) * count), settings.least)
        start = int(rng.integers(count - length + 1)) if rng.random() < 0.4 else 0
        kept[:start] = kept[start + length :] = False
    if kept.sum() < settings.least:
        return one
    return one._replace(pitch=one.pitch[kept], onset=one.onset[kept], offset=one.offset[kept])


class Ranking(nn.Module):
    """The network with the weights of what is added to its scores."""

    def __init__(self, network: BarsNet, settings: FoundTraining = FoundTraining()):
        super().__init__()
        self.network = network.requires_grad_(True)
        self.share = nn.Parameter(torch.tensor(0.6))
        self.weights = nn.Parameter(torch.tensor([settings.weights[name] for name in FEATURES]))

    def forward(self, examples: list[Example]) -> list[Tensor]:
        """Return for each example the log likelihoods [ways], but for a constant."""
        layouts = [layout for example in examples for layout in example.layouts]
        longest = max(steps.shape[1] for steps, _ in layouts)
        padded = [np.pad(steps, ((0, 0), (0, longest - steps.shape[1]))) for steps, _ in layouts]
        scores = [bar_scores(each) for each in self.network(torch.from_numpy(np.stack(padded)))]
        ways = iter(
            torch.cat(
                [each[row] for each, reading in zip(scores, READINGS) if reading.parts == parts]
            )
            for row, (_, parts) in enumerate(layouts)
        )
        return [
            self.share * torch.cat([next(ways) for _ in example.layouts])
            + torch.from_numpy(example.features) @ self.weights
            for example in examples
        ]

    def weights_by_name(self) -> dict[str, float]:
        """Return the weights as BarSettings calls them."""
        names = ("network", *FEATURES)
        values = [float(self.share.detach()), *self.weights.detach().tolist()]
        return {name: round(value, 2) for name, value in zip(names, values)}


def loss_of(likely: list[Tensor], examples: list[Example]) -> Tensor:
    """Return the mean surprise at the right ways of counting."""
    losses = [
        torch.logsumexp(each, 0) - torch.logsumexp(each[torch.from_numpy(example.right)], 0)
        for each, example in zip(likely, examples)
    ]
    return torch.stack(losses).mean()


class RankingTask(Task):
    """A Ranking and the performances that it learns from."""

    model: Ranking

    def __init__(self, model: Ranking, made: dict[str, list[Performance]], settings: FoundTraining):
        """Keep what is trained on what; `made` has the splits train and val."""
        super().__init__(model)
        # Performances of a batch are about as long as one another: little padding.
        self.made = sorted(made["train"], key=lambda one: one.onset[-1] - one.onset[0])
        self.validation, self.settings = made["val"], settings

    def batches(self, generator: torch.Generator, size: int) -> Iterator[Tensor]:
        """Give numbers of performances, batch by batch in random order."""
        numbers = torch.arange(len(self.made)).split(size)
        for index in torch.randperm(len(numbers), generator=generator):
            yield numbers[index]

    def losses(self, progress: float, batch: Tensor) -> dict[str, Tensor]:
        """Return the surprise at the right ways of counting, of performances that lose notes."""
        rng = np.random.default_rng(int(torch.randint(2**31, ())))
        examples = [
            example_of(varied(self.made[number], rng, self.settings), self.model.network)
            for number in batch.tolist()
        ]
        return {"loss": loss_of(self.model(examples), examples)}

    def validate(self) -> dict[str, float]:
        """Return the figures of `validate`."""
        return validate(self.model, self.validation)

    def optimizer(self, settings: FitSettings) -> torch.optim.Optimizer:
        """Return what descends the loss: the few weights learn faster than the network."""
        groups = [
            {"params": self.model.network.parameters(), "faster": 1.0},
            {"params": [self.model.share, self.model.weights], "faster": self.settings.faster},
        ]
        return torch.optim.AdamW(groups, settings.learning_rate, weight_decay=settings.weight_decay)


@torch.no_grad()
def validate(model: Ranking, made: list[Performance], batch: int = 16) -> dict[str, float]:
    """Return the mean loss, and the share of performances whose bars are right."""
    losses, hits = [], []
    for start in range(0, len(made), batch):
        examples = [example_of(one, model.network) for one in made[start : start + batch]]
        likely = model(examples)
        losses.append(float(loss_of(likely, examples)))
        hits += [bool(example.right[int(each.argmax())]) for each, example in zip(likely, examples)]
    return {"loss": float(np.mean(losses)), "bars": float(np.mean(hits))}


if __name__ == "__main__":
    main()
