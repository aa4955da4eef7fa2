"""Train the chord planner: `python -m train planner --corpus CORPUS --run RUN`.

It learns the chords that real arrangements play (accomp.roll.chord_plan.arrangement_chords) from their melodies, in all keys, and from the top
lines of their guitars and strings, which tell of the same chords. --also
names another corpus to learn from, such as one whose chords were written down by people.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from accomp.models import chord_planner as planner
from accomp.models.chord_planner import ChordPlanner
from accomp.roll import chord_plan as chords
from accomp.roll import pianoroll
from accomp.roll.grid import BLOCK_HALF_BARS, GUITAR, MELODY, STRINGS
from train.data.corpus import Corpus
from train.fit.loop import FunctionTask, fit
from train.fit.run_files import FIGURES, save_weights, write_json
from train.fit.settings import Session, planner_config, training_parser

HALF_BARS = 32 * BLOCK_HALF_BARS  # of a training excerpt: 64 bars
IGNORED = -100
SILENT_STRETCH = 4  # half bars; where the melody rests as long, its chords can't be learned from it


def main(arguments: list[str] | None = None) -> None:
    options = training_parser("planner", __doc__)
    options.add_argument(
        "--also", type=Path, help="another corpus; all its training songs are learned from"
    )
    session = Session.open(options.parse_args(arguments))
    config = planner_config(session.config)
    if config is None:
        raise SystemExit(f"{session.options.config.name} has no chord planner")
    options, corpus = session.options, session.corpus
    torch.manual_seed(options.seed)
    model = ChordPlanner(config)
    session.load_initial("planner", model)
    excerpts = {
        split: excerpts_of(corpus, session.songs(split)) for split in ("train", "val", "test")
    }
    for track in (GUITAR, STRINGS):
        excerpts["train"] += excerpts_of(corpus, session.songs("train"), track)
    others, also = {}, [Corpus.load(options.also)] if options.also else []
    for other in also:
        others = {
            split: excerpts_of(other, other.choose(split)) for split in ("train", "val", "test")
        }
        excerpts["train"] += others["train"]
    for split in ("train", "val"):
        if not excerpts[split]:
            raise SystemExit(f"no {split} song has a melody")
    if not options.init:
        fit_statistics(model, [plan for _, plan in excerpts["train"]])
    random = np.random.default_rng(options.seed)

    def batches(generator: torch.Generator, size: int):
        order = torch.randperm(len(excerpts["train"]), generator=generator).tolist()
        for at in range(0, len(order), size):
            chosen = []
            for index in order[at : at + size]:
                rows, plan = excerpts["train"][index]
                by = int(random.integers(12))
                # Some pieces of phrases, so that short melodies are not foreign.
                cut = (
                    BLOCK_HALF_BARS * int(random.integers(1, HALF_BARS // BLOCK_HALF_BARS + 1))
                    if random.random() < 0.3
                    else HALF_BARS
                )
                moved = np.where(plan < 0, plan, chords.transpose(plan, by))
                chosen.append((planner.transpose_features(rows, by)[:cut], moved[:cut]))
            yield collate(chosen)

    def losses(progress: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        rows, plan = batch
        return {
            "loss": F.cross_entropy(
                model(rows).flatten(0, 1),
                plan.flatten(),
                ignore_index=IGNORED,
                label_smoothing=0.05,
            )
        }

    def validate() -> dict[str, float]:
        return evaluate(model, excerpts["val"])

    fit(
        options.run / "planner",
        FunctionTask(model, losses, batches, validate),
        session.fit_settings("planner"),
        options.max_steps,
    )
    save_weights(options.run / "planner", model)
    figures = {
        split: evaluate(model, excerpts[split]) for split in ("val", "test") if excerpts[split]
    }
    figures |= {
        f"also_{split}": evaluate(model, others[split])
        for split in ("val", "test")
        if others.get(split)
    }
    known = {
        "seed": options.seed,
        "excerpts": len(excerpts["train"]),
        "data": session.learned_from("planner", *also),
    }
    write_json(options.run / "planner" / FIGURES, known | figures)


def excerpts_of(
    corpus, songs: list[int], track: int = MELODY
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Features [H, 66] and chords [H] of each 64 bars of the songs, as told by the top line of a track; the chords of long rests
    are ignored.
    """
    found = []
    for song in songs:
        first, count = corpus.songs[song]["first"], corpus.songs[song]["blocks"]
        planes = pianoroll.from_blocks(corpus.blocks(track, slice(first, first + count)).numpy())
        if track != MELODY:
            planes = top_line(planes)
        rows, plan = (
            planner.planner_features(planes),
            corpus.plan[first : first + count].numpy().reshape(-1).copy(),
        )
        rest = rows[:, planner.REST] > 0
        stretch = np.convolve(rest, np.ones(SILENT_STRETCH), mode="same") >= SILENT_STRETCH
        plan[stretch] = IGNORED
        for at in range(0, len(plan), HALF_BARS):
            part = slice(at, at + HALF_BARS)
            if (plan[part] != IGNORED).sum() >= 2 * BLOCK_HALF_BARS:
                found.append((rows[part], plan[part]))
    return found


def top_line(planes: np.ndarray) -> np.ndarray:
    """[2, S, 128]: the highest note that sounds in each step, struck where it is struck or becomes the highest."""
    sounding = np.flatnonzero(planes[1].any(1))
    top = np.full(planes.shape[1], -1)
    top[sounding] = 127 - planes[1][sounding, ::-1].argmax(1)
    line = np.zeros_like(planes)
    line[1, sounding, top[sounding]] = 1
    before = np.append(-1, top[:-1])[sounding]
    line[0, sounding, top[sounding]] = planes[0, sounding, top[sounding]] | (
        before != top[sounding]
    )
    return line


def collate(excerpts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[Tensor, Tensor]:
    """[N, H, 66] and [N, H], shorter excerpts filled up with silence that is ignored."""
    longest = max(len(plan) for _, plan in excerpts)
    rows = np.stack([np.pad(r, ((0, longest - len(r)), (0, 0))) for r, _ in excerpts])
    plans = np.stack(
        [np.pad(p, (0, longest - len(p)), constant_values=IGNORED) for _, p in excerpts]
    )
    return torch.from_numpy(rows), torch.from_numpy(plans)


def fit_statistics(model: ChordPlanner, plans: list[np.ndarray]) -> None:
    """Log probabilities of chords and of going from one to another, counted over the plans in the normal key."""
    prior, move = (
        np.ones(chords.CHORD_COUNT),
        np.full((chords.CHORD_COUNT, chords.CHORD_COUNT), 0.5),
    )
    for plan in plans:
        known = plan >= 0
        np.add.at(prior, plan[known], 1)
        both = known[:-1] & known[1:]
        np.add.at(move, (plan[:-1][both], plan[1:][both]), 1)
    model.log_prior.copy_(torch.from_numpy(np.log(prior / prior.sum())))
    model.log_transition.copy_(torch.from_numpy(np.log(move / move.sum(1, keepdims=True))))


@torch.no_grad()
def evaluate(
    model: ChordPlanner, excerpts: list[tuple[np.ndarray, np.ndarray]]
) -> dict[str, float]:
    """Cross entropy in nats, and the share of half bars whose most likely chord is the one played."""
    device = model.log_prior.device
    total, right, count = 0.0, 0.0, 0
    for at in range(0, len(excerpts), 32):
        rows, plan = (value.to(device) for value in collate(excerpts[at : at + 32]))
        logits = model(rows).flatten(0, 1)
        known = plan.flatten() != IGNORED
        total += float(
            F.cross_entropy(logits, plan.flatten(), ignore_index=IGNORED, reduction="sum")
        )
        right += float((logits.argmax(1) == plan.flatten())[known].sum())
        count += int(known.sum())
    return {"loss": total / max(count, 1), "chord_accuracy": right / max(count, 1)}


if __name__ == "__main__":
    main()
