"""The chord planner: a melody to one chord per half bar, shared by all instruments.

Not part of the published method (Tham & Kim 2021), whose instruments agree by chance only. A bidirectional
recurrent network over the melody gives each chord's probability, Viterbi the best plan.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from accomp import chords
from accomp.grid import BAR_STEPS, BLOCK_HALF_BARS, HALF_BAR_STEPS

FEATURES = 12 + 12 + 12 + 1 + BLOCK_HALF_BARS


@dataclass
class PlannerConfig:
    width: int = 96  # of each direction's hidden state
    layers: int = 2
    dropout: float = 0.3
    transition: float = 0.15  # weight of the learned chord-to-chord log probabilities; more of it makes chords that never change
    prior: float = 0.0  # how much of a chord's overall log probability is taken off; more makes the plan less plain, and less right
    consonance: float = 1.0  # weight of the share of the melody that lies in the chord


def features(planes: np.ndarray) -> np.ndarray:
    """[H, 41] of melody planes [2, S, 128]: how long each pitch class sounds, whether it is struck, whether it sounds on
    the half bar's first beat, whether nothing sounds, and which half bar of its block it is."""
    sounding = chords.chroma(planes) / HALF_BAR_STEPS
    struck = chords.chroma(planes[[0, 0]]) > 0
    first_beat = planes.reshape(2, -1, HALF_BAR_STEPS, planes.shape[-1])[:, :, : BAR_STEPS // 4]
    on_beat = chords.chroma(np.repeat(first_beat, 2, axis=2).reshape(planes.shape)) > 0
    rest = sounding.sum(1, keepdims=True) == 0
    position = np.eye(BLOCK_HALF_BARS)[np.arange(len(sounding)) % BLOCK_HALF_BARS]
    return np.concatenate([sounding, struck, on_beat, rest, position], axis=1).astype(np.float32)


def transpose_features(rows: np.ndarray, semitones: int) -> np.ndarray:
    """The features of the same melody `semitones` higher."""
    groups = [np.roll(rows[..., at : at + 12], semitones, axis=-1) for at in (0, 12, 24)]
    return np.concatenate([*groups, rows[..., 36:]], axis=-1)


class ChordPlanner(nn.Module):
    def __init__(self, config: PlannerConfig):
        super().__init__()
        self.config = config
        dropout = config.dropout if config.layers > 1 else 0.0
        self.rnn = nn.GRU(FEATURES, config.width, config.layers, batch_first=True, bidirectional=True, dropout=dropout)
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(2 * config.width, chords.COUNT))
        self.register_buffer("log_transition", torch.zeros(chords.COUNT, chords.COUNT))
        self.register_buffer("log_prior", torch.zeros(chords.COUNT))

    def forward(self, rows: Tensor) -> Tensor:
        """Logits [N, H, 24] from features [N, H, 41]."""
        return self.head(self.rnn(rows)[0])

    @torch.no_grad()
    def plan(self, planes: np.ndarray, source: np.ndarray | None = None) -> np.ndarray:
        """The chord plan [H] of melody planes [2, S, 128]. source: [B] int, the earlier block that a block repeats, else -1;
        a repeat has the chords of what it repeats."""
        rows = features(planes)
        config = self.config
        fit = self.log_probabilities(rows) - config.prior * self.log_prior.cpu().numpy()
        melody = rows[:, :12] + 0.5 * rows[:, 24:36]
        share = melody @ chords.TRIADS.T / np.maximum(melody.sum(1, keepdims=True), 1e-9)
        fit = fit + config.consonance * share
        if source is not None:
            fit = _shared(fit, source)
        return chords.viterbi(fit, config.transition * self.log_transition.cpu().numpy())

    @torch.no_grad()
    def log_probabilities(self, rows: np.ndarray) -> np.ndarray:
        """[H, 24] of features [H, 41]: the mean over all twelve transpositions, each heard and brought back. It was trained in
        all keys and makes other mistakes in each."""
        keys = np.stack([transpose_features(rows, key) for key in range(12)])
        heard = self(torch.from_numpy(keys).to(self.log_prior.device)).log_softmax(-1).cpu().numpy()
        both = heard.reshape(12, len(rows), 2, 12)
        mean = np.mean([np.roll(both[key], -key, axis=-1) for key in range(12)], axis=0).reshape(len(rows), chords.COUNT)
        return mean - np.log(np.exp(mean).sum(1, keepdims=True))


def _shared(fit: np.ndarray, source: np.ndarray) -> np.ndarray:
    """[H, 24] where the half bars of blocks that repeat each other have the mean of their fits."""
    blocks = fit.reshape(len(source), BLOCK_HALF_BARS, -1)
    root = np.where(source >= 0, source, np.arange(len(source)))
    total, count = np.zeros_like(blocks), np.zeros((len(source), 1, 1))
    np.add.at(total, root, blocks)
    np.add.at(count, root, 1)
    return (total / np.maximum(count, 1))[root].reshape(fit.shape)
