"""Define the network of the judge of genres.

Letters: N windows of four blocks (8 bars), T their 128 steps, F features of a step, P pitched
tracks, D the embedding.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.roll.grid import STEPS_PER_BEAT
from train.fit.judge_windows import DRUM_GROUPS, OF_TRACK, PITCHED


@dataclass(frozen=True)
class JudgeConfig:
    """The sizes of a judge's network."""

    width: int = 48
    embedding: int = 48  # D
    dropout: float = 0.4  # at most a few hundred songs of a genre: they are soon learned by heart


class JudgeNetwork(nn.Module):
    """From windows [N, T, F] to logits.

    One half takes in harmony: its convolutions go around the circle of pitch classes, and mean and
    maximum are taken over the twelve rotations. The other half takes in rhythm and contour: drums,
    and of each track whether it strikes, whether it sounds, and how far from its mean pitch in the
    window. So transposed windows have the same logits, with no need of transposed examples. The
    octave in which an instrument is written does not count either: it says more of how a song was
    brought to the normal key than of its style.
    """

    def __init__(self, tracks: int, outputs: int, config: JudgeConfig = JudgeConfig()):
        super().__init__()
        self.tracks, beat, width = tracks, STEPS_PER_BEAT, config.width
        self.beats = nn.Conv2d(2 * tracks, width, (12, beat), stride=(1, beat))
        self.changes = nn.Conv2d(width, width, (1, 3), padding=(0, 1))
        self.rhythm = nn.Conv1d(
            3 * tracks + len(DRUM_GROUPS), width, 2 * beat, stride=beat, padding=beat // 2
        )
        self.bars = nn.Conv1d(3 * width, 2 * width, 4, stride=4)
        self.phrase = nn.Conv1d(2 * width, 2 * width, 3, padding=1)
        self.penultimate = nn.Linear(4 * width, config.embedding)
        self.out = nn.Linear(config.embedding, outputs)
        self.dropout = nn.Dropout(config.dropout)

    def embed(self, windows: Tensor) -> Tensor:
        """Return the penultimate layer [N, D] of windows [N, T, F]."""
        windows = windows.float()
        pitched = windows[..., : self.tracks * OF_TRACK].unflatten(-1, (self.tracks, OF_TRACK))
        classes = pitched[..., :-1].unflatten(-1, (2, 12))
        classes = classes.permute(0, 2, 3, 4, 1).flatten(1, 2)  # [N, 2 P, 12, T]
        height = pitched[..., -1].transpose(1, 2)  # [N, P, T]
        drums = windows[..., self.tracks * OF_TRACK :].transpose(1, 2)
        around = torch.cat([classes, classes[:, :, :-1]], dim=2)
        harmony = F.gelu(self.beats(around))  # [N, width, 12, beats]
        harmony = harmony + F.gelu(self.changes(harmony))
        strikes = classes[:, ::2].amax(dim=2)
        sounds = (height > 0).float()
        mean = height.sum(2, keepdim=True) / sounds.sum(2, keepdim=True).clamp(min=1)
        contour = sounds * (height - mean) / 12
        rhythm = F.gelu(self.rhythm(torch.cat([strikes, sounds, contour, drums], dim=1)))
        by_beat = torch.cat([harmony.mean(dim=2), harmony.amax(dim=2), rhythm], dim=1)
        by_bar = F.gelu(self.bars(self.dropout(by_beat)))
        by_bar = by_bar + F.gelu(self.phrase(self.dropout(by_bar)))
        pooled = torch.cat([by_bar.mean(dim=2), by_bar.amax(dim=2)], dim=1)
        return F.gelu(self.penultimate(self.dropout(pooled)))

    def forward(self, windows: Tensor) -> Tensor:
        """Return logits [N, outputs] of windows [N, T, F]."""
        return self.out(self.dropout(self.embed(windows)))


def genre_classifier(genres: int, config: JudgeConfig = JudgeConfig()) -> JudgeNetwork:
    """Return an untrained classifier of bands without their melodies."""
    return JudgeNetwork(len(PITCHED) - 1, genres, config)
