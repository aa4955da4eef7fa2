"""What invented melodies are worth, by their noise: `python -m train melody_figures --corpus CORPUS [CORPUS ...] --out FOLDER`.

Melodies of 16 bars are invented for each genre, and test songs' first eight bars are continued by 8, with each of VARIATIONS and
several seeds. Quality: how far what is measured of them (train.eval.melody_measures) lies from real test melodies, in standard
deviations of these. Diversity: how unlike the melodies of different seeds are that go on from one start, and those of one seed
from different starts. --inventor names another MelodyNN, such as the published one (train.fit.melody --published).
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from accomp.band.accompanist import Accompanist
from accomp.invention.compose import compose
from accomp.invention.invent import draw_tempo, melody_nn_of
from accomp.invention.plan import Past
from accomp.models import hub
from accomp.models.melody_nn import FOLDER, MelodyNN
from accomp.roll import pianoroll
from accomp.roll.grid import BLOCK_STEPS, MELODY
from train.data.corpus import Corpus
from train.eval.melody_measures import (
    Melody,
    bar_patterns,
    describe,
    distance,
    distance_by_movement,
    mean_of,
    stretches,
)
from train.eval.variety import continuation_variety, variety
from train.fit.run_files import write_json

VARIATIONS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
BARS = 16
GIVEN = 4  # blocks of a start
ADDED = 4  # blocks that follow it
WAYS = 8  # seeds with which a start is continued
STARTS = 30  # songs of which one block each is continued


def real_melodies(
    corpora: list[Corpus], split: str, blocks: int, most: int | None = None
) -> list[Melody]:
    """The first `blocks` blocks of each song's melody, from its first note on, that are not half empty."""
    found = []
    for corpus in corpora:
        sounding = corpus.active(MELODY)
        for song in corpus.choose(split):
            first, count = corpus.songs[song]["first"], corpus.songs[song]["blocks"]
            at = np.flatnonzero(sounding[first : first + count])
            if (
                not len(at)
                or at[0] + blocks > count
                or sounding[first + at[0] :][:blocks].mean() < 0.75
            ):
                continue
            part = slice(first + at[0], first + at[0] + blocks)
            planes = pianoroll.from_blocks(corpus.blocks(MELODY, part).numpy())
            found.append(Melody(planes, corpus.plan[part].numpy().reshape(-1)))
    return found[:most]


def make(
    model: Accompanist,
    inventor: MelodyNN,
    start: Melody | None,
    blocks: int,
    seed: int,
    variation: float,
) -> Melody:
    """A melody of `blocks` blocks, or what goes on from `start` for so many."""
    random, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    if start is None:
        past = Past.none(inventor.config.latent)
        minor = bool(random.random() < inventor.config.minor.get(model.config.genre, 0.0))
    else:
        cut, plan = pianoroll.to_blocks(start.planes), start.plan.reshape(-1, 4)
        latents = model.encode(MELODY, torch.from_numpy(cut), torch.from_numpy(plan))
        past = Past(latents, plan, cut, int(pianoroll.from_planes(start.planes)[-1, 0]))
        minor = bool(np.isin(start.plan[::2], [21, 14, 16, 4]).mean() > 0.5)
    tempo = draw_tempo(inventor.config, model.config.genre, random)
    steps = blocks * BLOCK_STEPS
    notes, plan = compose(
        model,
        inventor,
        past,
        steps,
        np.ones(steps, bool),
        minor,
        tempo,
        random,
        generator,
        variation,
    )
    return Melody(pianoroll.to_planes(notes, steps), plan.chords[past.blocks :].reshape(-1))


def over_starts(
    model: Accompanist, inventor: MelodyNN, corpus: Corpus, variation: float, split: str
) -> float:
    """How unlike the continuations of different starts of a block are, with one seed (train.eval.variety)."""

    def generate(start: np.ndarray, blocks: int, seed: int) -> np.ndarray:
        return make(
            model,
            inventor,
            Melody(start, model.planner.plan_chords(start)),
            blocks,
            seed,
            variation,
        ).planes

    return continuation_variety(generate, corpus, split=split, starts=STARTS)["generated"][
        "variety"
    ]


def trained_stretches(corpora: list[Corpus]) -> set[bytes]:
    """Those of all training melodies."""
    found = set()
    for corpus in corpora:
        for song in corpus.choose("train"):
            first, count = corpus.songs[song]["first"], corpus.songs[song]["blocks"]
            found |= stretches(
                pianoroll.from_blocks(corpus.blocks(MELODY, slice(first, first + count)).numpy())
            )
    return found


def main(arguments: list[str] | None = None) -> None:
    layout = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(
        prog="train melody_figures", description=__doc__, formatter_class=layout
    )
    parser.add_argument(
        "--corpus", type=Path, nargs="+", required=True, help="one or more prepared corpora"
    )
    parser.add_argument("--inventor", type=Path, default=FOLDER)
    parser.add_argument("--out", type=Path, required=True)
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
    parser.add_argument("--variations", type=float, nargs="*", default=VARIATIONS)
    options = parser.parse_args(arguments)
    corpora = [Corpus.load(folder) for folder in options.corpus]
    models = [
        Accompanist.from_pretrained(genre, device="cpu") for genre in options.genres or hub.genres()
    ]
    inventor = melody_nn_of(models[0], MelodyNN.load(options.inventor))
    songs = Songs.of(corpora, options.split, options.starts)
    halves = songs.measures[::2], songs.measures[1::2]
    table = {
        "real": {
            "measures": mean_of(songs.measures),
            "songs": len(songs.measures),
            "distance": distance(*halves),
        }
    }
    table["real"]["distance by movement"] = distance_by_movement(*halves)
    table["real"]["copied"] = songs.copied
    for variation in options.variations:
        row = figures(models, inventor, songs, variation, options.seeds)
        row["variety over starts"] = over_starts(
            models[0], inventor, corpora[0], variation, options.split
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


class Songs(NamedTuple):
    """What is compared with: `measures` of a split's melodies and those of what follows their first blocks (`followed`), `starts`
    that are to be continued, the stretches of all training melodies (`trained`), and how many of the split's own are among them
    (`copied`).
    """

    measures: list[dict[str, float]]
    followed: list[dict[str, float]]
    starts: list[Melody]
    trained: set[bytes]
    copied: float

    @classmethod
    def of(cls, corpora: list[Corpus], split: str, starts: int) -> "Songs":
        real, trained = real_melodies(corpora, split, BARS // 2), trained_stretches(corpora)
        longer = real_melodies(corpora, split, GIVEN + ADDED)
        followed = [
            describe(Melody(song.planes[:, GIVEN * BLOCK_STEPS :], song.plan[GIVEN * 4 :]))
            for song in longer
        ]
        begun = [
            Melody(song.planes[:, : GIVEN * BLOCK_STEPS], song.plan[: GIVEN * 4]) for song in longer
        ]
        copied = _copied([melody.planes for melody in real], trained)
        begun = begun[:: max(1, len(begun) // starts)][:starts]
        return cls([describe(melody) for melody in real], followed, begun, trained, copied)


def figures(
    models: list[Accompanist],
    inventor: MelodyNN,
    songs: Songs,
    variation: float,
    seeds: int,
    first: int = 0,
    ways: int = WAYS,
) -> dict:
    """Of `seeds` melodies of each model, each with a seed of its own from `first` on, and `ways` continuations of each start."""
    made = [
        make(model, inventor, None, BARS // 2, first + at * seeds + seed, variation)
        for at, model in enumerate(models)
        for seed in range(seeds)
    ]
    unlike, bars, followed = [], [], []
    for at, start in enumerate(songs.starts):
        own = range(first + at * ways, first + (at + 1) * ways)
        gone_on = [
            make(models[at % len(models)], inventor, start, ADDED, seed, variation) for seed in own
        ]
        unlike.append(variety(np.stack([melody.planes[0] for melody in gone_on])))
        followed += [describe(melody) for melody in gone_on]
        patterns = [bar for melody in gone_on for bar in bar_patterns(melody.planes)]
        bars.append(len(set(patterns)) / len(patterns))
    found = [describe(melody) for melody in made]
    return {
        "measures": mean_of(found),
        "distance": distance(found, songs.measures),
        "distance by movement": distance_by_movement(found, songs.measures),
        "distance of continuations": distance(followed, songs.followed),
        "diversity of continuations": float(np.mean(unlike)),
        "distinct bars of continuations": float(np.mean(bars)),
        "copied": _copied([melody.planes for melody in made], songs.trained),
    }


def _copied(melodies: list[np.ndarray], trained: set[bytes]) -> float:
    """Share of stretches that some training song has too."""
    found = [stretch in trained for planes in melodies for stretch in stretches(planes)]
    return float(np.mean(found)) if found else 0.0


if __name__ == "__main__":
    main()
