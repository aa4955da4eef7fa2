"""Teach the network that finds bars: `python -m train bars --corpus CORPUS [--also CORPUS ...] --run RUN [--export FOLDER]`.

It learns from the melodies of the corpora's `train` songs, one corpus as often as another, and from songs in 4/4 that are bent to
3/4, 6/8 and swing, since few songs are in three. Each is cut as recordings are, gets the errors of singers and of transcription,
and is laid on its own pulses and on wrong ones: which pulses, meter and bar lines are right is to be told.
"""

from collections.abc import Iterator
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

FIT = FitSettings(
    epochs=18, batch_size=32, learning_rate=3e-3, weight_decay=1e-2, sample_every=1000
)
EPOCH = 128  # batches
VALIDATION = 12  # batches
LENGTHS = (
    10.0,
    44.0,
)  # pulses of an example; those of a batch are about as long as each other, so that it has little padding
LEAST = 10  # notes of an example; a song has LEAST_SONG
LEAST_SONG = 16
KEPT, TRIPLE, COMPOUND = (
    0.66,
    0.14,
    0.14,
)  # shares of songs in 4/4 that stay so, and that are bent; the others swing
BEGINNING, PHRASE = (
    0.25,
    0.45,
)  # shares of examples that begin with the song, and with a note after a rest; others anywhere
REST = 0.75  # pulses
BETWEEN = {
    4: ((0.0, 0.5, 0.25, 0.75), (0.84, 0.11, 0.025, 0.025)),
    3: ((0.0, 1 / 3, 2 / 3), (0.94, 0.03, 0.03)),
}
# How pulses are counted wrongly, as factors of their number: half, double, and quarters for dotted ones or the other way round.
HALF, DOUBLE, OTHER, DOTTED = "half", "double", "other", "dotted"
WRONG = {
    HALF: 0.25,
    DOUBLE: 0.15,
    OTHER: 0.25,
    DOTTED: 0.35,
}  # OTHER: as many, but three parts for four or four for three
PULSES_WEIGH = 0.5  # of telling right pulses from wrong ones, beside telling bars


class Line(NamedTuple):
    """A melody: pitch, onset and duration [n] in pulses, of which bars begin at whole multiples of reading.pulses."""

    reading: int  # of READINGS
    pitch: np.ndarray
    onset: np.ndarray
    duration: np.ndarray


class Example(NamedTuple):
    """layouts: steps [channels, T] and parts of the right pulses, and perhaps of wrong ones; answer: which of all places of all
    READINGS the first step of the right ones has.
    """

    layouts: list[tuple[np.ndarray, int]]
    answer: int


def main(arguments: list[str] | None = None) -> None:
    options = training_parser("bars", __doc__)
    options.add_argument("--also", type=Path, nargs="*", default=[], help="other corpora")
    options.add_argument("--export", type=Path, help="folder for the network (default: RUN/model)")
    options = options.parse_args(arguments)
    corpora = [Corpus.load(folder) for folder in (options.corpus, *options.also)]
    lines = {
        split: [found for corpus in corpora if (found := read_lines(corpus, split))]
        for split in ("train", "val")
    }
    for split, found in lines.items():
        if not found:
            raise SystemExit(
                f"the corpora hold no {split} song with a melody of {LEAST_SONG} notes"
            )
    torch.manual_seed(options.seed)
    model = BarsNet(BarsNetConfig())
    train(model, lines, options)
    folder = options.export or options.run / "model"
    save_network(folder, model, BARS_CONFIG, BARS_WEIGHTS)
    figures = {"seed": options.seed, "data": [corpus.described() for corpus in corpora]}
    write_json(
        options.run / "bars" / "figures.json", figures | validate(model, lines, options.seed)
    )


def read_lines(corpus: Corpus, split: str) -> list[Line]:
    """The melodies of a split's songs whose bars are of four beats, of three, or of dotted ones (accomp.grid.Grid): a song in
    three leaves the last quarter of the model's bars empty, and one in compound meter has no even beats.
    """
    lines = []
    for song in corpus.choose(split):
        notes = corpus.notes_of(song)
        notes = notes[notes["track"] == MELODY]
        notes = notes[np.unique(notes["step"], return_index=True)[1]]  # one at a time
        if len(notes) < LEAST_SONG:
            continue
        step, duration = notes["step"].astype(int), notes["duration"].astype(int)
        compound = corpus.songs[song].get("even", 1.0) < 0.5
        three = not (step % BAR_STEPS >= 3 * STEPS_PER_BEAT).any()
        if (three and compound) or not (
            three or (step % BLOCK_STEPS >= BLOCK_STEPS - 2 * STEPS_PER_BEAT).any()
        ):
            continue  # 9/8, 6/4 and other meters
        pulses = 3 if three else 4
        parts = (0, 1 / 3, 2 / 3, 5 / 6) if compound else (0, 1 / 4, 2 / 4, 3 / 4)
        in_bar = np.array([pulse + part for pulse in range(4) for part in parts]).clip(max=pulses)
        onset, end = (
            at // BAR_STEPS * pulses + in_bar[at % BAR_STEPS] for at in (step, step + duration)
        )
        reading = READINGS.index(
            next(r for r in READINGS if (r.parts == 3, r.pulses == 3) == (compound, three))
        )
        lines.append(tidy(Line(reading, notes["pitch"].astype(int), onset, end - onset)))
    return lines


def tidy(line: Line) -> Line:
    """In order, one note at a time."""
    _, first = np.unique(np.round(line.onset, 4), return_index=True)
    pitch, onset, duration = line.pitch[first], line.onset[first], line.duration[first]
    following = np.append(np.diff(onset), 4.0)
    return Line(
        line.reading, pitch, onset, np.clip(duration, np.minimum(following, 0.2), following)
    )


def bend(line: Line, rng: np.random.Generator) -> Line:
    """A song in 4/4 as it is, or in another meter."""
    chance = rng.random()
    if line.reading != 0 or chance < KEPT:
        return line
    if chance < KEPT + TRIPLE:
        return to_three(line, rng)
    swings = chance >= KEPT + TRIPLE + COMPOUND
    # Where the fourths of a pulse go: thirds, or halves of the last one.
    maps = [(0, 2, 2, 2)] if swings else [(0, 1, 2, 2), (0, 2, 2, 2), (0, 1, 1, 2)]
    pulse, fourth = np.divmod(np.rint(4 * line.onset).astype(int), 4)
    onset = pulse + np.array(maps[rng.integers(len(maps))])[fourth] / 3
    return tidy(Line(3 if swings else 2, line.pitch, onset, np.maximum(line.duration, 1 / 3)))


def to_three(line: Line, rng: np.random.Generator) -> Line:
    """4/4 to 3/4: without one of the last three beats of each bar, or each half bar with one beat twice as long."""
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

    return tidy(
        Line(1, line.pitch, bent(line.onset), bent(line.onset + line.duration) - bent(line.onset))
    )


def cut(line: Line, pulses: float, rng: np.random.Generator) -> Line:
    """About so many pulses of a melody, from its beginning, that of a phrase, or anywhere."""
    chance, count = rng.random(), len(line.pitch)
    first = 0
    if chance >= BEGINNING + PHRASE:
        first = int(rng.integers(count))
    elif chance >= BEGINNING:
        rests = line.onset[1:] - (line.onset + line.duration)[:-1] >= REST
        first = int(rng.choice(np.flatnonzero(np.append(True, rests))))
    first = min(first, max(count - LEAST, 0))
    last = max(int(np.searchsorted(line.onset, line.onset[first] + pulses)), first + LEAST)
    return Line(line.reading, *(values[first:last] for values in line[1:]))


def sing(line: Line, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pitch, onset and end [n] in pulses, as they are transcribed: unsteady, some late, lost, split or an octave off."""
    count, pace = len(line.pitch), 1 / rng.uniform(0.35, 0.9)  # pulses in a second
    end = line.onset + line.duration * rng.uniform(0.82, 1, count)
    onset = line.onset + rng.normal(0, rng.uniform(0.005, 0.03), count) * pace
    onset = onset + (rng.random(count) < 0.05) * rng.uniform(0.03, 0.07, count) * pace
    pitch = line.pitch + 12 * rng.choice([-1, 0, 1], count, p=[0.01, 0.98, 0.01])
    kept = rng.random(count) > 0.06
    kept[0] = True
    notes = np.stack([pitch, onset, end], 1)[kept]
    split = (rng.random(len(notes)) < 0.05) & (notes[:, 2] - notes[:, 1] > 0.16 * pace)
    second = notes[split]
    second[:, 1] += (second[:, 2] - second[:, 1]) * rng.uniform(0.25, 0.8, len(second))
    second[:, 0] += rng.integers(-2, 3, len(second))
    notes = np.concatenate([notes, second])
    pitch, onset, end = notes[np.argsort(notes[:, 1], kind="stable")].T
    onset = np.maximum.accumulate(onset + 1e-4 * np.arange(len(onset)))
    end = np.maximum(np.minimum(end, np.append(onset[1:], np.inf)), onset + 0.03)
    return pitch.astype(int), onset, end


def make_example(line: Line, pulses: float, wrong: bool, rng: np.random.Generator) -> Example:
    """wrong: whether with wrong pulses beside the right ones."""
    line = cut(bend(line, rng), pulses, rng)
    reading = READINGS[line.reading]
    pitch, onset, end = sing(line, rng)
    places, shares = BETWEEN[reading.parts]
    between = rng.choice(
        places, p=shares
    )  # where pulses are found: between the true ones, now and then
    first = np.floor(onset[0] - between + PulseSettings.early) + between
    layouts = [(lay_out(pitch, onset - first, end - first, reading.parts), reading.parts)]
    if wrong:
        factor, parts, offset = wrong_pulses(reading.parts, rng)
        layouts.append(
            (
                lay_out(
                    pitch, (onset - first) * factor + offset, (end - first) * factor + offset, parts
                ),
                parts,
            )
        )
    before = sum(other.places for other in READINGS[: line.reading])
    return Example(layouts, before + round(first * reading.parts) % reading.places)


def wrong_pulses(parts: int, rng: np.random.Generator) -> tuple[float, int, float]:
    """How many pulses are counted for one, into how many parts they fall, and where between them the first one lies."""
    kind = rng.choice(list(WRONG), p=list(WRONG.values()))
    if kind == HALF:
        return 0.5, parts, rng.choice([0, 0.5])
    if kind == DOUBLE:
        return 2.0, 4, 0.0
    if kind == OTHER:
        return 1.0, 7 - parts, 0.0
    return (1.5, 4, 0.0) if parts == 3 else (2 / 3, 3, rng.choice([0, 1 / 3, 2 / 3]))


def batch_of(
    corpora: list[list[Line]], size: int, wrong: bool, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Steps [N, channels, T], parts [N] and answers [size]; N is twice `size` with wrong pulses, that follow the right ones."""
    pulses = rng.uniform(*LENGTHS)
    examples = []
    for _ in range(size):
        lines = corpora[rng.integers(len(corpora))]
        examples.append(make_example(lines[rng.integers(len(lines))], pulses, wrong, rng))
    layouts = [layout for example in examples for layout in example.layouts]
    longest = max(steps.shape[1] for steps, _ in layouts)
    padded = [np.pad(steps, ((0, 0), (0, longest - steps.shape[1]))) for steps, _ in layouts]
    answers = torch.tensor([example.answer for example in examples])
    return (
        torch.from_numpy(np.stack(padded)),
        torch.tensor([parts for _, parts in layouts]),
        answers,
    )


def scores_of(model: BarsNet, steps: Tensor, parts: Tensor) -> Tensor:
    """[N, all places of READINGS] log likelihoods but for a constant, -inf where the pulses have other parts."""
    scores = [bar_scores(logits) for logits in model(steps)]
    fits = [(parts == reading.parts)[:, None] for reading in READINGS]
    return torch.cat([each.masked_fill(~fit, -torch.inf) for each, fit in zip(scores, fits)], 1)


def loss_of(model: BarsNet, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    steps, parts, answers = batch
    scores = scores_of(model, steps, parts)
    each = len(steps) // len(answers)
    loss = F.cross_entropy(scores[::each], answers)
    return (
        loss
        if each == 1
        else loss + PULSES_WEIGH * F.cross_entropy(scores.reshape(len(answers), -1), answers)
    )


def train(model: BarsNet, lines: dict[str, list[list[Line]]], options) -> None:
    def batches(generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        for number in range(EPOCH):
            yield batch_of(lines["train"], size, number % 2 == 0, rng)

    settings = FitSettings(**{**vars(FIT), "seed": options.seed})
    fit(
        options.run / "bars",
        FunctionTask(
            model,
            lambda progress, batch: {"loss": loss_of(model, batch)},
            batches,
            lambda: validate(model, lines, options.seed),
        ),
        settings,
        options.max_steps,
    )


@torch.no_grad()
def validate(model: BarsNet, lines: dict[str, list[list[Line]]], seed: int) -> dict[str, float]:
    """On examples of validation songs, always the same: loss, and shares with the right meter, and with the right bars."""
    rng = np.random.default_rng([seed, 1])
    device = next(model.parameters()).device
    starts = torch.tensor(np.cumsum([reading.places for reading in READINGS]), device=device)
    losses, meters, bars = [], [], []
    for _ in range(VALIDATION):
        steps, parts, answers = (
            each.to(device) for each in batch_of(lines["val"], FIT.batch_size, False, rng)
        )
        scores = scores_of(model, steps, parts)
        found = scores.argmax(1)
        losses.append(float(F.cross_entropy(scores, answers)))
        bars.append(float((found == answers).float().mean()))
        same = torch.bucketize(found, starts, right=True) == torch.bucketize(
            answers, starts, right=True
        )
        meters.append(float(same.float().mean()))
    return {
        "loss": float(np.mean(losses)),
        "meter": float(np.mean(meters)),
        "bars": float(np.mean(bars)),
    }


if __name__ == "__main__":
    main()
