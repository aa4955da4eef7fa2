"""Where notes begin and sound in a recording: a small network over what is heard each 10 ms."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

RATE = 16000  # of the sound, in samples a second; that of the pitch tracker
HOP = 160  # samples a frame: 10 ms
FRAME = HOP / RATE  # seconds
WINDOW = 512  # samples; long enough for the harmonics of a low voice, short enough for onsets
LOW, HIGH = 60.0, 7600.0  # Hz, of the mel bands
LOUD = 95  # percentile of a recording's frames that its level is taken from
REACH = 8  # frames over which a change of pitch is looked at


@dataclass
class NotesNetConfig:
    mels: int = 48
    width: int = 64
    dilations: list[int] = field(
        default_factory=lambda: [1, 2, 4, 8, 16, 32, 64]
    )  # sees 1.3 s before and after a frame


class NotesNet(nn.Module):
    """Residual dilated convolutions over frames [N, mels + 4, T]; to logits [N, 2, T]: a note begins here, a note sounds here."""

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
        hidden = self.first(frames).relu()
        for block, norm in zip(self.blocks, self.norms):
            hidden = hidden + norm(block(hidden)).relu()
        return self.last(hidden)

    @torch.no_grad()
    def hear(self, frames: np.ndarray) -> np.ndarray:
        """Probabilities [2, T] of frames [T, mels + 4] (`frames_of`)."""
        return self(torch.from_numpy(frames.T[None].astype(np.float32)))[0].sigmoid().numpy()


def mel_filters(count: int) -> np.ndarray:
    """[bins, count]: overlapping triangles, evenly spaced in mel (2595 log10(1 + f / 700))."""
    edges = 700 * (
        10 ** (np.linspace(*(2595 * np.log10(1 + np.array([LOW, HIGH]) / 700)), count + 2) / 2595)
        - 1
    )
    bins = np.arange(WINDOW // 2 + 1)[:, None] * RATE / WINDOW
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def log_mel(sound: np.ndarray, mels: int) -> np.ndarray:
    """[T, mels] natural logarithms of mel energies of a mono sound at RATE, a frame centred on every HOP samples."""
    count = len(sound) // HOP
    padded = np.pad(sound.astype(np.float32), (WINDOW // 2, WINDOW))
    cut = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:count]
    filters, window = mel_filters(mels), np.hanning(WINDOW).astype(np.float32)
    parts = [
        np.abs(np.fft.rfft(cut[at : at + 4096] * window)) ** 2 @ filters
        for at in range(0, count, 4096)
    ]
    return np.log(np.concatenate([*parts, np.zeros((0, mels))]) + 1e-7).astype(np.float32)


def frames_of(mel: np.ndarray, pitch: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """[T, mels + 4]: log-mel energies relative to the recording's level, and the tracker's confidence and changes of pitch.
    pitch: [T] semitones (69 is A4 at 440 Hz).
    """
    level = np.percentile(mel.mean(1), LOUD)
    step = np.clip(np.diff(pitch, prepend=pitch[:1]), -2, 2)
    before = np.concatenate([np.repeat(pitch[:1], REACH), pitch[:-REACH]])[: len(pitch)]
    after = np.concatenate([pitch[REACH:], np.repeat(pitch[-1:], REACH)])[-len(pitch) :]
    changes = [
        confidence,
        step,
        np.clip(pitch - before, -4, 4) / 2,
        np.clip(after - pitch, -4, 4) / 2,
    ]
    return np.concatenate([(mel - level) / 4, np.stack(changes, axis=1)], axis=1).astype(np.float32)
