"""Measure invented melodies, by their noise: `python -m train melody_figures ...`.

    python -m train melody_figures --corpus CORPUS [CORPUS ...] --out FOLDER

Melodies of 16 bars are invented for each genre, and test songs' first eight bars are continued by
eight, with each of several variations (amounts of noise) and seeds. Quality: how far their measures
(train.eval.melody_measures) lie from those of real test melodies, in standard deviations of these.
Diversity: how unlike the melodies of different seeds are that continue one start, and those of one
seed that continue different starts. --inventor names another MelodyNN, such as the published one
(`python -m train melody --published`).
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from accomp.band.accompanist import Accompanist
from accomp.invention.compose import ComposeSettings, MelodyStreams, MelodyTask, compose
from accomp.invention.invent import draw_tempo, melody_nn_of
from accomp.invention.plan import Past
from accomp.models import hub
from accomp.models.melody_nn import FOLDER, MelodyNN
from accomp.models.plan_search import PlanRequest, PlanSearch
from accomp.music.score import Score
from accomp.roll import pianoroll
from accomp.roll.chord_vocabulary import CLASS_TRIADS
from accomp.roll.grid import BLOCK_HALF_BARS, BLOCK_STEPS, MELODY, STEPS_PER_BEAT, Grid
from accomp.roll.melody_units import MelodyUnits
from train.data.corpus import Corpus
from train.eval.melody_measures import (
    PlannedMelody,
    bar_patterns,
    describe,
    distance,
    distance_by_movement,
    mean_of,
    stretches,
)
from train.fit.run_files import write_json
from train.rivals.variety import continuation_variety, variety

MINOR_TRIADS = [21, 14, 16, 4]  # A minor, D minor, E minor and E major, in the normal key


@dataclass(frozen=True)
class FigureSettings:
    """Which melodies are invented and compared."""

    blocks: int = 8  # of an invented melody, and of the real ones
    given: int = 4  # blocks of a start that is continued
    added: int = 4  # blocks that follow it
    seeds: int = 36  # melodies of each genre
    first_seed: int = 0  # all melodies and continuations have seeds of their own from this one on
    ways: int = 8  # seeds with which each start is continued
    single_starts: int = 30  # songs of which one block each is continued, with one seed
    sounding: float = 0.75  # share of a real melody's blocks in which it has to sound
    compose: ComposeSettings = ComposeSettings()  # how melodies are made


def main(arguments: list[str] | None = None) -> None:
    """Measure melodies of each variation, print the figures and write them to a file."""
    options = _parse(arguments)
    settings = FigureSettings(seeds=options.seeds)
    corpora = [Corpus.load(folder) for folder in options.corpus]
    models = [
        Accompanist.from_pretrained(genre, device="cpu") for genre in options.genres or hub.genres()
    ]
    inventor = melody_nn_of(models[0], MelodyNN.load(options.inventor))
    songs = RealMelodies.of(corpora, options.split, options.starts, settings)
    table = {"real": _real_figures(songs)}
    for variation in options.variations:
        row = measure_melodies(models, inventor, songs, variation, settings)
        row["variety over starts"] = variety_over_starts(
            models[0], inventor, corpora[0], options.split, variation
        )
        table[f"{variation:g}"] = row
        print(
            f"{variation:5g}",
            " ".join(f"{name} {value:.3f}" for name, value in row.items() if name != "measures"),
            flush=True,
        )
    print(f"{'':36}" + " ".join(f"{name:>6}" for name in table))
    for name in table["real"]["measures"]:
        print(f"{name:36}" + " ".join(f"{row['measures'][name]:6.2f}" for row in table.values()))
    options.out.mkdir(parents=True, exist_ok=True)
    write_json(options.out / "melody.json", table)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="train melody_figures",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument(
        "--corpus", type=Path, nargs="+", required=True, help="one or more prepared corpora"
    )
    parser.add_argument(
        "--inventor", type=Path, default=FOLDER, help="folder of a MelodyNN (default: ours)"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the figures")
    parser.add_argument(
        "--split",
        choices=["test", "val"],
        default="test",
        help="of the songs that are compared with",
    )
    parser.add_argument("--genres", nargs="*", help="all by default")
    parser.add_argument(
        "--seeds", type=int, default=36, help="melodies of each genre and variation"
    )
    parser.add_argument("--starts", type=int, default=30, help="songs that are continued")
    parser.add_argument(
        "--variations",
        type=float,
        nargs="*",
        default=[0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5],
        help="amounts of noise",
    )
    return parser.parse_args(arguments)


class RealMelodies(NamedTuple):
    """Real melodies of a split, which invented ones are compared with.

    Attributes:
        measures: Of each song's melody.
        followed: Measures of what follows their first blocks.
        starts: First blocks of melodies, to be continued.
        trained: The stretches of all training melodies.
        copied: Share of the split's own stretches that are among those.
    """

    measures: list[dict[str, float]]
    followed: list[dict[str, float]]
    starts: list[PlannedMelody]
    trained: set[bytes]
    copied: float

    @classmethod
    def of(
        cls,
        corpora: Sequence[Corpus],
        split: str,
        starts: int,
        settings: FigureSettings = FigureSettings(),
    ) -> "RealMelodies":
        """Describe the melodies of a split.

        Args:
            corpora: Prepared songs.
            split: Of the songs.
            starts: How many melodies are to be continued, evenly over the songs.
            settings: Lengths of melodies and starts.
        """
        real = real_melodies(corpora, split, settings.blocks, settings)
        longer = real_melodies(corpora, split, settings.given + settings.added, settings)
        trained = trained_stretches(corpora)
        cut = [_cut(melody, settings.given) for melody in longer]
        begun = [start for start, _ in cut]
        return cls(
            measures=[describe(melody) for melody in real],
            followed=[describe(melody) for _, melody in cut],
            starts=begun[:: max(1, len(begun) // starts)][:starts],
            trained=trained,
            copied=_copied([melody.planes for melody in real], trained),
        )


def _cut(melody: PlannedMelody, blocks: int) -> tuple[PlannedMelody, PlannedMelody]:
    """Return the first so many blocks of a melody, and the others."""
    steps, half_bars = blocks * BLOCK_STEPS, blocks * BLOCK_HALF_BARS
    return (
        PlannedMelody(melody.planes[:, :steps], melody.chords[:half_bars]),
        PlannedMelody(melody.planes[:, steps:], melody.chords[half_bars:]),
    )


def _real_figures(songs: RealMelodies) -> dict:
    """Return the measures of real melodies, and how far their halves are from one another."""
    halves = songs.measures[::2], songs.measures[1::2]
    return {
        "measures": mean_of(songs.measures),
        "songs": len(songs.measures),
        "distance": distance(*halves),
        "distance by movement": distance_by_movement(*halves),
        "copied": songs.copied,
    }


def real_melodies(
    corpora: Sequence[Corpus],
    split: str,
    blocks: int,
    settings: FigureSettings = FigureSettings(),
) -> list[PlannedMelody]:
    """Cut the beginnings of songs' melodies, from their first notes on.

    Args:
        corpora: Prepared songs.
        split: Of the songs.
        blocks: Length of each melody.
        settings: How much of it has to sound.

    Returns:
        The melodies of the songs that are long enough.
    """
    found = []
    for corpus in corpora:
        sounding = corpus.active(MELODY)
        for song in corpus.choose(split):
            first, count = corpus.songs[song]["first"], corpus.songs[song]["blocks"]
            at = np.flatnonzero(sounding[first : first + count])
            if not len(at) or at[0] + blocks > count:
                continue
            part = slice(first + at[0], first + at[0] + blocks)
            if sounding[part].mean() >= settings.sounding:
                planes = pianoroll.from_blocks(corpus.blocks(MELODY, part).numpy())
                found.append(PlannedMelody(planes, corpus.plan[part].numpy().reshape(-1)))
    return found


def trained_stretches(corpora: Sequence[Corpus]) -> set[bytes]:
    """List the stretches of all training melodies."""
    found = set()
    for corpus in corpora:
        for song in corpus.choose("train"):
            first, count = corpus.songs[song]["first"], corpus.songs[song]["blocks"]
            blocks = corpus.blocks(MELODY, slice(first, first + count))
            found |= stretches(pianoroll.from_blocks(blocks.numpy()))
    return found


def invent_melody(
    model: Accompanist,
    inventor: MelodyNN,
    start: PlannedMelody | None,
    blocks: int,
    seed: int,
    variation: float,
    settings: ComposeSettings = ComposeSettings(),
) -> PlannedMelody:
    """Invent a melody, or continue one, on the grid of the models.

    Args:
        model: Genre that the melody is for.
        inventor: MelodyNN for the model's piano VAE.
        start: Blocks to continue; None for a melody from nothing.
        blocks: New blocks.
        seed: Of all that is drawn.
        variation: Standard deviation of the noise.
        settings: How it is made.

    Returns:
        The new blocks alone.
    """
    streams = MelodyStreams(seed)
    if start is None:
        past = Past.none(inventor.config.latent)
        minor = bool(streams.plan.random() < inventor.config.minor.get(model.config.genre, 0.0))
    else:
        past = _past_of(model, start)
        minor = bool(np.isin(start.chords[::2], MINOR_TRIADS).mean() > 0.5)
    tempo = draw_tempo(inventor.config, model.config.genre, streams.plan)
    steps = blocks * BLOCK_STEPS
    task = MelodyTask(past, np.ones(steps, bool), minor, tempo, variation)
    notes, plan = compose(model, inventor, task, streams, settings)
    return PlannedMelody(pianoroll.to_planes(notes, steps), plan.chords[past.blocks :].reshape(-1))


def _past_of(model: Accompanist, start: PlannedMelody) -> Past:
    planes, chords = pianoroll.to_blocks(start.planes), start.chords.reshape(-1, BLOCK_HALF_BARS)
    latents = model.encode(MELODY, torch.from_numpy(planes), torch.from_numpy(chords))
    last = int(pianoroll.from_planes(start.planes)[-1, 0])
    return Past(latents, chords, planes, last)


def measure_melodies(
    models: Sequence[Accompanist],
    inventor: MelodyNN,
    songs: RealMelodies,
    variation: float,
    settings: FigureSettings = FigureSettings(),
) -> dict:
    """Invent melodies and continuations, and measure how good and how diverse they are.

    Args:
        models: One of each genre.
        inventor: MelodyNN for the models' piano VAE.
        songs: Real melodies, whose starts are continued.
        variation: Standard deviation of the noise.
        settings: How many melodies, with which seeds.

    Returns:
        The mean "measures" of the melodies, and by name distances, diversity and the share that is
        copied from training songs.
    """
    made = [
        invent_melody(
            model,
            inventor,
            None,
            settings.blocks,
            settings.first_seed + at * settings.seeds + seed,
            variation,
            settings.compose,
        )
        for at, model in enumerate(models)
        for seed in range(settings.seeds)
    ]
    unlike, distinct, followed = [], [], []
    for at, start in enumerate(songs.starts):
        first = settings.first_seed + at * settings.ways
        model = models[at % len(models)]
        continued = [
            invent_melody(
                model, inventor, start, settings.added, first + way, variation, settings.compose
            )
            for way in range(settings.ways)
        ]
        unlike.append(variety(np.stack([melody.planes[0] for melody in continued])))
        followed += [describe(melody) for melody in continued]
        patterns = [bar for melody in continued for bar in bar_patterns(melody.planes)]
        distinct.append(len(set(patterns)) / len(patterns))
    found = [describe(melody) for melody in made]
    return {
        "measures": mean_of(found),
        "distance": distance(found, songs.measures),
        "distance by movement": distance_by_movement(found, songs.measures),
        "distance of continuations": distance(followed, songs.followed),
        "diversity of continuations": float(np.mean(unlike)),
        "distinct bars of continuations": float(np.mean(distinct)),
        "copied": _copied([melody.planes for melody in made], songs.trained),
    }


def variety_over_starts(
    model: Accompanist,
    inventor: MelodyNN,
    corpus: Corpus,
    split: str,
    variation: float,
    settings: FigureSettings = FigureSettings(),
) -> float:
    """Measure how unlike the continuations of different starts of a block are, with one seed.

    Args:
        model: Genre of the continuations.
        inventor: MelodyNN for its piano VAE.
        corpus: Prepared songs, whose melodies are continued.
        split: Of the songs.
        variation: Standard deviation of the noise.
        settings: The number of starts.

    Returns:
        Their `train.rivals.variety.variety`.
    """

    def generate(start: np.ndarray, blocks: int, seed: int) -> np.ndarray:
        begun = PlannedMelody(start, planned_triads(model, start, seed))
        return invent_melody(model, inventor, begun, blocks, seed, variation).planes

    figures = continuation_variety(generate, corpus, split=split, starts=settings.single_starts)
    return figures["generated"]["variety"]


def planned_triads(model: Accompanist, planes: np.ndarray, seed: int) -> np.ndarray:
    """Plan triads [H] for a melody in four beats, planes [2, S, 128] in the normal key."""
    planner = model.planner
    assert planner
    grid = Grid(np.arange(planes.shape[1] + 1) / STEPS_PER_BEAT)
    line = pianoroll.in_beats(pianoroll.from_planes(planes), grid)
    units = MelodyUnits.of(line, Score(), grid, 0, 0.0, (0.0, float(grid.beats[-1])))
    search = PlanSearch(planner, PlanRequest(units, len(planner.config.genres)))
    return CLASS_TRIADS[search.best(np.random.default_rng(seed))[0].chords]


def _copied(melodies: list[np.ndarray], trained: set[bytes]) -> float:
    """Return the share of stretches that some training song has too."""
    found = [stretch in trained for planes in melodies for stretch in stretches(planes)]
    return float(np.mean(found)) if found else 0.0


if __name__ == "__main__":
    main()
