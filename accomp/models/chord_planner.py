"""The chord planner: from a melody to one chord per half bar, for all players.

Not part of the published method (Tham & Kim 2021), whose instruments agree by chance only. A
bidirectional recurrent network over the melody gives each chord's probability, Viterbi the best
plan.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from accomp.roll.chord_plan import CHORD_COUNT, TRIADS, chroma, viterbi
from accomp.roll.grid import BLOCK_HALF_BARS, HALF_BAR_STEPS, STEPS_PER_BEAT

REST = 5 * 12  # index of the feature that says that nothing sounds
FEATURES = REST + 2 + BLOCK_HALF_BARS
CADENCES = {False: [0, 7], True: [21, 4]}  # tonic and dominant of C major and A minor


@dataclass
class PlannerConfig:
    """What a ChordPlanner is made of and how it plans.

    Attributes:
        width: Of each direction's hidden state.
        layers: Of the recurrent network.
        dropout: In training.
        keys: In how many keys each melody is read.
        transition: Weight of the learned chord-to-chord log probabilities; more of it makes chords
            that never change.
        prior: Share of a chord's overall log probability that is taken off; more makes a less plain
            plan.
        cadence: Nats by which phrases rather end on tonic or dominant.
        consonance: Weight of the share of the melody that lies in the chord.
    """

    width: int = 96
    layers: int = 2
    dropout: float = 0.3
    keys: int = 12
    transition: float = 0.15
    prior: float = 0.0
    cadence: float = 0.5
    consonance: float = 1.0


def planner_features(planes: np.ndarray) -> np.ndarray:
    """Describe each half bar of a melody for the planner.

    Args:
        planes: [2, S, 128].

    Returns:
        [H, 66] float32: of each pitch class, how long it sounds, and whether it is struck, sounds
        in the first of the half bar's beats, as it begins, and in its middle; whether nothing
        sounds, how many notes are struck, and which half bar of its block it is.
    """
    by_half_bar = planes.reshape(2, -1, HALF_BAR_STEPS, planes.shape[-1])
    sounding = chroma(planes) / HALF_BAR_STEPS
    classes = [sounding, chroma(planes[[0, 0]]) > 0]
    for steps in (slice(0, STEPS_PER_BEAT), slice(0, 1), slice(STEPS_PER_BEAT, STEPS_PER_BEAT + 1)):
        within = np.zeros_like(by_half_bar)
        within[:, :, steps] = by_half_bar[:, :, steps]
        classes.append(chroma(within.reshape(planes.shape)) > 0)
    rest = sounding.sum(1, keepdims=True) == 0
    struck = by_half_bar[0].sum((1, 2))[:, None] / HALF_BAR_STEPS
    position = np.eye(BLOCK_HALF_BARS)[np.arange(len(sounding)) % BLOCK_HALF_BARS]
    return np.concatenate([*classes, rest, struck, position], axis=1).astype(np.float32)


def transpose_features(rows: np.ndarray, semitones: int) -> np.ndarray:
    """Return the features of the same melody `semitones` higher."""
    groups = [np.roll(rows[..., at : at + 12], semitones, axis=-1) for at in range(0, REST, 12)]
    return np.concatenate([*groups, rows[..., REST:]], axis=-1)


class ChordPlanner(nn.Module):
    """The network of chord probabilities, and the plan that it makes.

    Attributes:
        config: What it is made of.
        log_transition: [24, 24] log probability of going from one chord to another.
        log_prior: [24] log probability of each chord.
    """

    log_transition: Tensor
    log_prior: Tensor

    def __init__(self, config: PlannerConfig):
        super().__init__()
        self.config = config
        dropout = config.dropout if config.layers > 1 else 0.0
        self.rnn = nn.GRU(
            FEATURES,
            config.width,
            config.layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout,
        )
        self.head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(2 * config.width, CHORD_COUNT)
        )
        self.register_buffer("log_transition", torch.zeros(CHORD_COUNT, CHORD_COUNT))
        self.register_buffer("log_prior", torch.zeros(CHORD_COUNT))

    def forward(self, rows: Tensor) -> Tensor:
        """Return logits [N, H, 24] of features [N, H, 66]."""
        return self.head(self.rnn(rows)[0])

    @torch.no_grad()
    def plan_chords(
        self,
        planes: np.ndarray,
        source: np.ndarray | None = None,
        closes: np.ndarray | None = None,
        is_minor: bool = False,
    ) -> np.ndarray:
        """Plan the chords of a melody.

        Args:
            planes: [2, S, 128] of the melody.
            source: [B] int, the earlier block that a block repeats, else -1. A repeat has the
                chords of what it repeats.
            closes: [B] bool, whether a phrase ends. It rather ends on the tonic or the dominant.
            is_minor: Whether these are A minor's rather than C major's.

        Returns:
            [H] int.
        """
        rows = planner_features(planes)
        config = self.config
        fit = self.log_probabilities(rows) - config.prior * self.log_prior.cpu().numpy()
        melody = rows[:, :12] + 0.5 * rows[:, 24:36]
        share = melody @ TRIADS.T / np.maximum(melody.sum(1, keepdims=True), 1e-9)
        fit = fit + config.consonance * share
        if closes is not None:
            last_bar = np.array([1, 2])  # half bars before the end of a block
            ends = (np.flatnonzero(closes)[:, None] + 1) * BLOCK_HALF_BARS - last_bar
            fit[ends[..., None], CADENCES[is_minor]] += config.cadence
        if source is not None:
            fit = _shared(fit, source)
        return viterbi(fit, config.transition * self.log_transition.cpu().numpy())

    @torch.no_grad()
    def log_probabilities(self, rows: np.ndarray) -> np.ndarray:
        """Return log probabilities [H, 24] of features [H, 66].

        They are the mean over all transpositions, each read and moved back. The network was
        trained in all keys and makes other mistakes in each.
        """
        keys = np.stack([transpose_features(rows, key) for key in range(self.config.keys)])
        logits = self(torch.from_numpy(keys).to(self.log_prior.device))
        both = logits.log_softmax(-1).cpu().numpy().reshape(len(keys), len(rows), 2, 12)
        mean = np.mean(
            [np.roll(both[key], -key, axis=-1) for key in range(len(keys))], axis=0
        ).reshape(len(rows), CHORD_COUNT)
        return mean - np.log(np.exp(mean).sum(1, keepdims=True))


def _shared(fit: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Give half bars of blocks that repeat each other the mean of their fits."""
    blocks = fit.reshape(len(source), BLOCK_HALF_BARS, -1)
    root = np.where(source >= 0, source, np.arange(len(source)))
    total, count = np.zeros_like(blocks), np.zeros((len(source), 1, 1))
    np.add.at(total, root, blocks)
    np.add.at(count, root, 1)
    return (total / np.maximum(count, 1))[root].reshape(fit.shape)
