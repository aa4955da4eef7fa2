"""Train the chord planner.

    python -m train planner --corpus CORPUS --run RUN [--also CORPUS]

It learns the chords that real arrangements play (accomp.roll.chord_plan) from their melodies, in
all keys, and from the top lines of their guitars and strings, which tell of the same chords. It may
learn from another corpus too, such as one whose chords were written down by people.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from accomp.models import chord_planner
from accomp.models.chord_planner import ChordPlanner
from accomp.roll import chord_plan, pianoroll
from accomp.roll.grid import BLOCK_HALF_BARS, GUITAR, MELODY, PITCHES, STRINGS
from train.data.corpus import Corpus
from train.data.splits import SPLITS
from train.fit.loop import Task, fit
from train.fit.run_files import FIGURES, save_weights, write_json
from train.fit.settings import Session, planner_config, training_parser

IGNORED = -100  # the chord of half bars that nothing is learned from; as cross_entropy has it
# Features [H, 66] of a melody and its chords [H], some of them IGNORED.
PlanExcerpt = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class PlannerTraining:
    """What the planner learns from, beside the config's `planner` and `training`."""

    half_bars: int = 32 * BLOCK_HALF_BARS  # of an excerpt: 64 bars
    fewest_known: int = 2 * BLOCK_HALF_BARS  # half bars of an excerpt whose chord can be learned
    # Half bars; where the melody rests as long, its chords can't be learned from it.
    silent_stretch: int = 4
    cut: float = 0.3  # share of excerpts that are cut, so that short melodies are not foreign
    label_smoothing: float = 0.05  # another chord would often do as well
    prior: float = 1.0  # times that each chord counts as met, before counting
    prior_move: float = 0.5  # times that each change of chords does


def main(arguments: list[str] | None = None, settings: PlannerTraining = PlannerTraining()) -> None:
    """Train the planner."""
    parser = training_parser("planner", __doc__)
    parser.add_argument(
        "--also", type=Path, metavar="CORPUS", help="learn from the training songs of this one too"
    )
    session = Session.open(parser.parse_args(arguments))
    config = planner_config(session.config)
    if config is None:
        raise SystemExit(f"{session.options.config.name} has no chord planner")
    options, corpus = session.options, session.corpus
    torch.manual_seed(options.seed)
    model = ChordPlanner(config)
    session.load_initial("planner", model)
    songs = {split: session.songs(split) for split in SPLITS}
    excerpts = {split: plan_excerpts(corpus, songs[split], MELODY, settings) for split in SPLITS}
    for track in (GUITAR, STRINGS):
        excerpts["train"] += plan_excerpts(corpus, songs["train"], track, settings)
    also, others = [Corpus.load(options.also)] if options.also else [], {}
    for other in also:
        others = {
            split: plan_excerpts(other, other.choose(split), MELODY, settings) for split in SPLITS
        }
        excerpts["train"] += others["train"]
    for split in ("train", "val"):
        if not excerpts[split]:
            raise SystemExit(f"no {split} song has a melody")
    if not options.init:
        fit_plan_statistics(model, [plan for _, plan in excerpts["train"]], settings)
    task = PlannerTask(model, excerpts, options.seed, settings)
    folder = options.run / "planner"
    fit(folder, task, session.fit_settings("planner"), options.max_steps)
    save_weights(folder, model)
    measured = {split: excerpts[split] for split in ("val", "test")}
    measured |= {f"also_{split}": others.get(split) for split in ("val", "test")}
    known = {"seed": options.seed, "excerpts": len(excerpts["train"])}
    known["data"] = session.learned_from("planner", *also)
    figures = {name: evaluate_planner(model, own) for name, own in measured.items() if own}
    write_json(folder / FIGURES, known | figures)


class PlannerTask(Task):
    """A planner and the excerpts that it learns from."""

    model: ChordPlanner

    def __init__(
        self,
        model: ChordPlanner,
        excerpts: dict[str, list[PlanExcerpt]],
        seed: int,
        settings: PlannerTraining = PlannerTraining(),
    ):
        """Keep what is trained on what.

        Args:
            model: The planner.
            excerpts: Those of the splits train and val.
            seed: Of keys and cuts.
            settings: How excerpts are cut.
        """
        super().__init__(model)
        self.excerpts, self.settings = excerpts, settings
        self.random = np.random.default_rng(seed)

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Give features and chords of excerpts in random order, each in a random key."""
        train = self.excerpts["train"]
        order = torch.randperm(len(train), generator=generator).tolist()
        for at in range(0, len(order), size):
            yield collate([self._varied(*train[index]) for index in order[at : at + size]])

    def _varied(self, rows: np.ndarray, plan: np.ndarray) -> PlanExcerpt:
        """Return an excerpt in a random key, and some of them cut to whole blocks."""
        by, length = int(self.random.integers(12)), self.settings.half_bars
        if self.random.random() < self.settings.cut:
            blocks = int(self.random.integers(1, length // BLOCK_HALF_BARS + 1))
            length = BLOCK_HALF_BARS * blocks
        moved = np.where(plan < 0, plan, chord_plan.transpose(plan, by))
        return chord_planner.transpose_features(rows, by)[:length], moved[:length]

    def losses(self, progress: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the cross-entropy of the chords."""
        rows, plan = batch
        loss = F.cross_entropy(
            self.model(rows).flatten(0, 1),
            plan.flatten(),
            ignore_index=IGNORED,
            label_smoothing=self.settings.label_smoothing,
        )
        return {"loss": loss}

    def validate(self) -> dict[str, float]:
        """Return the figures of `evaluate_planner`."""
        return evaluate_planner(self.model, self.excerpts["val"])


def plan_excerpts(
    corpus: Corpus,
    songs: list[int],
    track: int = MELODY,
    settings: PlannerTraining = PlannerTraining(),
) -> list[PlanExcerpt]:
    """Cut songs into excerpts; the chords of long rests are IGNORED.

    Args:
        corpus: The songs.
        songs: Which of them.
        track: Whose top line is the melody.
        settings: How long excerpts are.
    """
    found = []
    for song in songs:
        own = corpus.own(song)
        planes = pianoroll.from_blocks(corpus.blocks(track, own).numpy())
        if track != MELODY:
            planes = top_line(planes)
        rows = chord_planner.planner_features(planes)
        plan = corpus.plan[own].numpy().reshape(-1).copy()
        rest, stretch = rows[:, chord_planner.REST] > 0, settings.silent_stretch
        plan[np.convolve(rest, np.ones(stretch), mode="same") >= stretch] = IGNORED
        for at in range(0, len(plan), settings.half_bars):
            part = slice(at, at + settings.half_bars)
            if (plan[part] != IGNORED).sum() >= settings.fewest_known:
                found.append((rows[part], plan[part]))
    return found


def top_line(planes: np.ndarray) -> np.ndarray:
    """Return the highest note that sounds in each step, [2, S, 128].

    It is struck where it is struck in `planes` [2, S, 128], or where it becomes the highest.
    """
    sounding = np.flatnonzero(planes[1].any(1))
    top = np.full(planes.shape[1], -1)
    top[sounding] = PITCHES - 1 - planes[1][sounding, ::-1].argmax(1)
    line = np.zeros_like(planes)
    line[1, sounding, top[sounding]] = 1
    before = np.append(-1, top[:-1])[sounding]
    struck = planes[0, sounding, top[sounding]]
    line[0, sounding, top[sounding]] = struck | (before != top[sounding])
    return line


def collate(excerpts: list[PlanExcerpt]) -> tuple[Tensor, Tensor]:
    """Stack excerpts: features [N, H, 66] and chords [N, H], IGNORED after an excerpt's end."""
    longest = max(len(plan) for _, plan in excerpts)
    rows = np.stack([np.pad(r, ((0, longest - len(r)), (0, 0))) for r, _ in excerpts])
    plans = np.stack(
        [np.pad(p, (0, longest - len(p)), constant_values=IGNORED) for _, p in excerpts]
    )
    return torch.from_numpy(rows), torch.from_numpy(plans)


def fit_plan_statistics(
    model: ChordPlanner, plans: list[np.ndarray], settings: PlannerTraining = PlannerTraining()
) -> None:
    """Count chords, and changes from one to another, over plans in the normal key.

    The model gets their log probabilities.
    """
    prior = np.full(chord_plan.CHORD_COUNT, settings.prior)
    move = np.full((chord_plan.CHORD_COUNT, chord_plan.CHORD_COUNT), settings.prior_move)
    for plan in plans:
        known = plan >= 0
        np.add.at(prior, plan[known], 1)
        both = known[:-1] & known[1:]
        np.add.at(move, (plan[:-1][both], plan[1:][both]), 1)
    model.log_prior.copy_(torch.from_numpy(np.log(prior / prior.sum())))
    model.log_transition.copy_(torch.from_numpy(np.log(move / move.sum(1, keepdims=True))))


@torch.no_grad()
def evaluate_planner(model: ChordPlanner, excerpts: list[PlanExcerpt]) -> dict[str, float]:
    """Measure a planner on excerpts.

    Returns:
        `loss`, the cross-entropy in nats, and `chord_accuracy`, the share of half bars whose most
        likely chord is the one that was played.
    """
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
