"""Judge whether people play, or a system: a small network on what is played in eight bars.

It is fitted on some songs and asked about others, in folds; versions of a song, and the system's
result to its melody, stay in one fold. Its accuracy is .5 where nothing tells the two apart. Both
sides have the same weight, however many pieces they have.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class PlayingJudgeSettings:
    """The judge and how it learns."""

    width: int = 24
    dropout: float = 0.3
    epochs: int = 120
    learning_rate: float = 4e-3
    weight_decay: float = 0.03
    folds: int = 5
    shuffles: int = 5  # of a measure's values, to see what the judge is worth without it


@dataclass(frozen=True)
class Pieces:
    """Pieces of songs.

    Attributes:
        features: Of each piece, by name (train.metrics.playing_pieces).
        groups: Of each piece, the song or melody that it is of.
    """

    features: list[dict[str, float]]
    groups: list[str]


@dataclass(frozen=True)
class Verdict:
    """What a judge that was fitted on two sides can tell.

    Attributes:
        accuracy: Share of pieces of held-out songs that it takes for what they are; the mean of
            both sides.
        told: By group of features (a measure of all players) what the accuracy loses where the
            pieces of each side have it from each other.
        alone: By feature, the area under the curve of it alone, from 0 to 1: .5 tells nothing, at 1
            the system's is always higher.
        means: By feature, its mean in real pieces and in the system's.
    """

    accuracy: float
    told: dict[str, float]
    alone: dict[str, float]
    means: dict[str, tuple[float, float]]


def tell_apart(
    real: Pieces,
    system: Pieces,
    settings: PlayingJudgeSettings = PlayingJudgeSettings(),
    seed: int = 0,
) -> Verdict:
    """Fit judges of real pieces and a system's on all folds but one, and ask them about that one.

    Args:
        real: Pieces of real songs.
        system: Pieces that a system plays.
        settings: Of the judge.
        seed: Of folds and weights.
    """
    everything = real.features + system.features
    names = sorted({name for piece in everything for name in piece})
    values = np.array([[piece.get(name, np.nan) for name in names] for piece in everything])
    label = np.repeat([0, 1], [len(real.features), len(system.features)])
    fold = _folds([*real.groups, *system.groups], settings.folds, seed)
    families = _families(names)
    right, kept = np.zeros(len(label)), {family: np.zeros(len(label)) for family in families}
    for held in range(settings.folds):
        out = fold == held
        if not out.any() or len(set(label[~out])) < 2:
            continue
        judge = _fit(values[~out], label[~out], settings, seed)
        right[out] = judge(values[out]) == label[out]
        for family, columns in families.items():
            mixed = _mixed(values[out], columns, settings.shuffles, seed)
            kept[family][out] = np.mean([judge(rows) == label[out] for rows in mixed], axis=0)
    accuracy = _balanced(right, label)
    told = {family: accuracy - _balanced(known, label) for family, known in kept.items()}
    alone, means = {}, {}
    for column, name in enumerate(names):
        sides = [values[label == side, column] for side in (0, 1)]
        low, high = (side[np.isfinite(side)] for side in sides)
        if len(low) and len(high):
            alone[name] = area_under_curve(low, high)
            means[name] = (float(low.mean()), float(high.mean()))
    return Verdict(accuracy, _sorted(told), alone, means)


def _mixed(values: np.ndarray, columns: list[int], count: int, seed: int) -> Iterator[np.ndarray]:
    """Give the pieces some features of each other, `count` times."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        mixed = values.copy()
        mixed[:, columns] = values[random.permutation(len(values))][:, columns]
        yield mixed


def _balanced(right: np.ndarray, label: np.ndarray) -> float:
    return float(np.mean([right[label == side].mean() for side in (0, 1)]))


def _sorted(values: dict[str, float]) -> dict[str, float]:
    return dict(sorted(values.items(), key=lambda item: -item[1]))


def _folds(groups: Sequence[str], count: int, seed: int) -> np.ndarray:
    """Deal groups to folds, [pieces] the fold of each piece."""
    names = sorted(set(groups))
    dealt = np.random.default_rng(seed).permutation(len(names)) % count
    fold_of = dict(zip(names, dealt))
    return np.array([fold_of[group] for group in groups])


def _families(names: Sequence[str]) -> dict[str, list[int]]:
    """Group the columns by measure, whoever plays."""
    found: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        family = name.partition(" / ")[0].removesuffix(" spread")
        found.setdefault(family, []).append(column)
    return found


def area_under_curve(low: np.ndarray, high: np.ndarray) -> float:
    """Return how often a value of `high` is above one of `low`; ties count half."""
    below = np.searchsorted(np.sort(low), high, side="left")
    upto = np.searchsorted(np.sort(low), high, side="right")
    return float((below + upto).mean() / 2 / len(low))


def _fit(
    values: np.ndarray, label: np.ndarray, settings: PlayingJudgeSettings, seed: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Fit a judge, and return the function from features [N, F] to sides [N]."""
    known = np.where(np.isfinite(values).any(0), values, 0)  # a feature that no piece has
    centre, spread = np.nanmean(known, axis=0), np.nanstd(known, axis=0) + 1e-6

    def ready(rows: np.ndarray) -> Tensor:
        """Standardise; what a piece lacks is as in the mean."""
        scaled = np.nan_to_num((rows - centre) / spread).clip(-4, 4)
        return torch.tensor(scaled, dtype=torch.float32)

    weight = torch.tensor(1 / np.bincount(label, minlength=2)[label], dtype=torch.float32)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Dropout(settings.dropout / 2),
            nn.Linear(values.shape[1], settings.width),
            nn.GELU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.width, 1),
        )
        optimizer = torch.optim.AdamW(
            network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        inputs, target = ready(values), torch.tensor(label, dtype=torch.float32)
        for _ in range(settings.epochs):
            logits = network(inputs)[:, 0]
            loss = F.binary_cross_entropy_with_logits(logits, target, weight, reduction="sum")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    network.eval()

    @torch.no_grad()
    def judge(rows: np.ndarray) -> np.ndarray:
        return (network(ready(rows))[:, 0] > 0).numpy().astype(int)

    return judge
