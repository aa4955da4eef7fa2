"""Measure what docs/claims.md needs and no other command measures: `python -m train claims ...`.

    python -m train claims --corpus CORPUS [--paper MODEL] --out FILE.json

- instruments: by instrument, how consonant its part is with the melody, and how much more so than
  with other melodies ("some chords, especially from the strings, were a little off");
- completeness: whether latents drawn from the prior decode to music ("a point sampled from latent
  space should give meaningful content once decoded", Tham & Kim 2021): how like the nearest real
  block of the training songs they are, beside what real blocks of test songs and shuffled ones
  reach, and how many notes they have.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from accomp import Accompanist
from accomp.roll.grid import TRACK_NAMES, TRACKS
from train import metrics
from train.data.corpus import Corpus
from train.data.tasks import Task, song_tasks
from train.eval import stage
from train.eval.measure import other_melodies
from train.fit.run_files import write_json


@dataclass(frozen=True)
class CompletenessSettings:
    """How many blocks are compared."""

    blocks: int = 256  # drawn from the prior, and as many of test songs
    known: int = 4096  # of training songs, among which the likest is looked for


@torch.no_grad()
def main(arguments: list[str] | None = None) -> None:
    """Measure our models, the published one and real songs; print and write the figures."""
    parser = argparse.ArgumentParser(
        prog="train claims", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--corpus", type=Path, required=True, help="folder that `train prepare` wrote"
    )
    parser.add_argument("--paper", type=Path, help="model folder of the published method")
    parser.add_argument("--genre", default="pop", help="our models (default: pop)")
    parser.add_argument("--limit", type=int, help="measure on so many test songs only")
    parser.add_argument("--out", type=Path, required=True, help="file for the figures")
    options = parser.parse_args(arguments)
    corpus = Corpus.load(options.corpus)
    models = {"accomp": Accompanist.from_pretrained(options.genre, device="cpu")}
    if options.paper:
        models["paper"] = Accompanist.from_pretrained(options.paper, device="cpu")
    tasks = song_tasks(corpus, "test")[: options.limit]
    figures = {
        name: {
            "instruments": instruments(model, tasks),
            "completeness": completeness(model, corpus),
        }
        for name, model in models.items()
    }
    figures["real"] = {
        "instruments": of_bands([(task, stage.real(task, corpus)) for task in tasks], tasks)
    }
    write_json(options.out, figures)
    for name, found in figures.items():
        for kind, rows in found.items():
            for what, row in rows.items():
                print(
                    f"{name:7s} {kind:12s} {what:8s} "
                    + ", ".join(f"{key} {value:.3f}" for key, value in row.items())
                )


def instruments(model: Accompanist, tasks: list[Task]) -> dict[str, dict[str, float]]:
    """Measure the instruments of a model's bands, as `of_bands`."""
    bare = {} if model.planner else {"form": False, "feel": False}
    return of_bands([(task, stage.ours(model, task, 0, **bare)) for task in tqdm(tasks)], tasks)


def of_bands(
    bands: list[tuple[Task, stage.Performance]], tasks: list[Task]
) -> dict[str, dict[str, float]]:
    """Measure each pitched instrument's consonance with the melody and with other songs' melodies.

    Returns by instrument "consonance" with its own melody, and its "lift" over that with others.
    """
    found = {}
    for track in metrics.PITCHED:
        consonance, lift = [], []
        for task, band in bands:
            part = band.planes[track][None]
            if part.any():
                consonance.append(metrics.consonance(task.melody, part))
                others = other_melodies(tasks, task)
                lifts = [metrics.consonance_lift(task.melody, other, part) for other in others]
                lift.append(np.nanmean(lifts))
        found[TRACK_NAMES[track]] = {
            "consonance": float(np.nanmean(consonance)),
            "lift": float(np.nanmean(lift)),
        }
    return found


def completeness(
    model: Accompanist, corpus: Corpus, settings: CompletenessSettings = CompletenessSettings()
) -> dict[str, dict[str, float]]:
    """Measure by instrument how like training blocks the blocks from the prior are.

    Returns the mean Jaccard index of onsets with the likest training block: of blocks from the
    "prior", of "real" test blocks, and of those with their steps "shuffled"; and the "onsets" of a
    block from the prior, and the "real_onsets" of a test block.
    """
    random, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    found = {}
    for track, spec in enumerate(TRACKS):
        vae, active = model.vaes[spec.name], corpus.active(track)

        train, test = (
            some(corpus.block_index(corpus.choose(split)), active, count, random)
            for split, count in (("train", settings.known), ("test", settings.blocks))
        )
        plan = corpus.plan[test]
        drawn = vae.binarise(
            vae.decode(torch.randn(len(test), vae.config.latent, generator=generator), plan)
        )[:, 0]
        real = corpus.blocks(track, test)[:, 0]
        shuffled = real[:, torch.randperm(real.shape[1], generator=generator)]
        known = corpus.blocks(track, train)[:, 0].flatten(1).float()
        found[spec.name] = {
            "prior": likest(drawn, known),
            "real": likest(real, known),
            "shuffled": likest(shuffled, known),
            "onsets": float(drawn.sum((1, 2)).float().mean()),
            "real_onsets": float(real.sum((1, 2)).float().mean()),
        }
    return found


def some(
    index: np.ndarray, active: np.ndarray, count: int, random: np.random.Generator
) -> np.ndarray:
    """Draw blocks in which a track plays.

    Args:
        index: Numbers of the blocks to draw from.
        active: Whether the track plays in each block of the corpus.
        count: How many to draw at most.
        random: Draws them.

    Returns:
        Their numbers, sorted.
    """
    index = index[active[index]]
    return np.sort(random.choice(index, min(count, len(index)), replace=False))


def likest(blocks: torch.Tensor, known: torch.Tensor) -> float:
    """Measure the mean Jaccard index of blocks [N, S, P] with the likest of `known` [M, S P]."""
    rows = blocks.flatten(1).float()
    common = rows @ known.T
    union = rows.sum(1)[:, None] + known.sum(1)[None] - common
    return float((common / union.clamp(min=1)).max(1).values.mean())


if __name__ == "__main__":
    main()
