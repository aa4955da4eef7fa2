"""The network that tells where notes begin and sound in a recording, every 10 ms."""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.sound.rates import LISTEN_RATE

HOP = 160  # samples a frame: 10 ms
FRAME = HOP / LISTEN_RATE  # seconds


@dataclass(frozen=True)
class NotesNetConfig:
    """The network's size, and its inputs."""

    mels: int = 48
    width: int = 80
    # Covers 1.3 s before and after a frame.
    dilations: list[int] = field(default_factory=lambda: [1, 2, 4, 8, 16, 32, 64])
    # Samples of a spectrum: long enough for the harmonics of a low voice, short enough for onsets.
    window: int = 512
    low: float = 60.0  # Hz, of the mel bands
    high: float = 7600.0
    loud: float = 95  # percentile of a recording's frames that its level is taken from
    reach: int = 8  # frames over which a change of pitch is looked at
    drop: float = 0.05  # share of what is left out by chance in training


class NotesNet(nn.Module):
    """Residual dilated convolutions over frames [N, mels + 4, T].

    Outputs logits [N, 2, T]: a note begins here, a note sounds here.
    """

    def __init__(self, config: NotesNetConfig):
        super().__init__()
        self.config = config
        width = config.width
        self.first = nn.Conv1d(config.mels + 4, width, 5, padding=2)
        self.blocks = nn.ModuleList(
            [nn.Conv1d(width, width, 3, padding=d, dilation=d) for d in config.dilations]
        )
        self.norms = nn.ModuleList([nn.BatchNorm1d(width) for _ in config.dilations])
        self.last = nn.Conv1d(width, 2, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Return logits [N, 2, T] of frames [N, mels + 4, T]."""
        drop = self.config.drop
        hidden = F.dropout1d(self.first(frames).relu(), drop, self.training)
        for block, norm in zip(self.blocks, self.norms):
            hidden = hidden + F.dropout(norm(block(hidden)).relu(), drop, self.training)
        return self.last(hidden)

    @torch.no_grad()
    def probabilities(self, inputs: np.ndarray) -> np.ndarray:
        """Return probabilities [2, T] of a recording's inputs [T, mels + 4] (`network_inputs`)."""
        return self(torch.from_numpy(inputs.T[None].astype(np.float32)))[0].sigmoid().numpy()


def mel_filters(config: NotesNetConfig) -> np.ndarray:
    """Return overlapping triangles, evenly spaced in mel: [bins, mels].

    Mel is 2595 log10(1 + f / 700).
    """
    low, high = 2595 * np.log10(1 + np.array([config.low, config.high]) / 700)
    edges = 700 * (10 ** (np.linspace(low, high, config.mels + 2) / 2595) - 1)
    bins = np.arange(config.window // 2 + 1)[:, None] * LISTEN_RATE / config.window
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def log_mel(sound: np.ndarray, config: NotesNetConfig = NotesNetConfig()) -> np.ndarray:
    """Return natural logarithms of mel energies of a mono sound at LISTEN_RATE: [T, mels].

    A frame is centred on every HOP samples.
    """
    size = config.window
    count = len(sound) // HOP
    padded = np.pad(sound.astype(np.float32), (size // 2, size))
    cut = np.lib.stride_tricks.sliding_window_view(padded, size)[::HOP][:count]
    filters, window = mel_filters(config), np.hanning(size).astype(np.float32)
    parts = [
        np.abs(np.fft.rfft(cut[at : at + 4096] * window)) ** 2 @ filters
        for at in range(0, count, 4096)
    ]
    energies = np.concatenate([*parts, np.zeros((0, config.mels))])
    return np.log(energies + 1e-7).astype(np.float32)


def network_inputs(
    mel: np.ndarray,
    pitch: np.ndarray,
    confidence: np.ndarray,
    config: NotesNetConfig = NotesNetConfig(),
) -> np.ndarray:
    """Return a NotesNet's inputs.

    Args:
        mel: [T, mels] of `log_mel`.
        pitch: [T] semitones, 69 is A4 at 440 Hz.
        confidence: [T] of the pitch tracker, 0 to 1.
        config: Of the network.

    Returns:
        [T, mels + 4] float32: energies relative to the recording's level, the tracker's confidence
        and changes of pitch.
    """
    level = np.percentile(mel.mean(1), config.loud)
    reach = config.reach
    step = np.clip(np.diff(pitch, prepend=pitch[:1]), -2, 2)
    before = np.concatenate([np.repeat(pitch[:1], reach), pitch[:-reach]])[: len(pitch)]
    after = np.concatenate([pitch[reach:], np.repeat(pitch[-1:], reach)])[-len(pitch) :]
    changes = [
        confidence,
        step,
        np.clip(pitch - before, -4, 4) / 2,
        np.clip(after - pitch, -4, 4) / 2,
    ]
    return np.concatenate([(mel - level) / 4, np.stack(changes, axis=1)], axis=1).astype(np.float32)
