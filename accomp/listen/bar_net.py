"""The network that tells where bars begin in a melody.

It takes as input the melody's notes on steps, each a part of a pulse. Convolutions with growing
dilation (van den Oord et al. 2016) make use of long notes, leaps, the key's notes and what returns
after some bars. Their outputs for each step are added up over the whole melody for each way of
laying bars over it.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from accomp.music.keys import MAJOR, MINOR

NOTES, KEY = 16, 12  # channels of lay_out before those of the pitch classes, and of these
BAR_PULSES = {1: (0,), 2: (0, 2), 3: (0, 1, 3)}  # see like_four


class Reading(NamedTuple):
    """A way of counting: the parts of a pulse, the pulses of a bar, and its meter."""

    parts: int
    pulses: int
    meter: tuple[int, int]

    @property
    def places(self) -> int:
        """Places of a bar on which notes begin."""
        return self.parts * self.pulses


READINGS = (
    Reading(4, 4, (4, 4)),
    Reading(4, 3, (3, 4)),
    Reading(3, 2, (6, 8)),
    Reading(3, 4, (4, 4)),  # swung
)


@dataclass(frozen=True)
class BarsNetConfig:
    """The network's size, and its inputs."""

    width: int = 48
    # Covers 16 pulses before and after a step.
    dilations: list[int] = field(default_factory=lambda: [1, 2, 4, 8, 16, 32])
    dropout: float = 0.1
    edge: float = 4.0  # pulses from the first note to one before it, and from the last to the next
    shortest: float = 0.05  # pulses of a distance between onsets, or of a note
    longest: float = 8.0  # pulses of a note that count for the key
    most_gap: float = 2.5  # octaves of a distance between onsets that count
    most_silence: float = 2.0  # pulses of silence that count
    most_leap: float = 2.0  # half octaves of a leap that count
    # Pulses after which a melody is compared with itself.
    lags: list[int] = field(default_factory=lambda: [2, 3, 4, 6, 8, 12, 16])
    alike: float = 0.5  # of notes on both steps that are compared
    same: float = 1.0  # of notes of one pitch on both
    unlike: float = -0.5  # of a note on one only

    @property
    def channels(self) -> int:
        """Channels of lay_out."""
        return NOTES + KEY + len(self.lags)


class BarsNet(nn.Module):
    """Residual dilated convolutions over steps [N, channels, T] (`lay_out`).

    Outputs logits of being each place of a bar: [N, places, T] for each of READINGS.
    """

    def __init__(self, config: BarsNetConfig):
        super().__init__()
        self.config = config
        self.first = nn.Conv1d(config.channels, config.width, 5, padding=2)
        self.blocks = nn.ModuleList(
            [
                nn.Conv1d(config.width, config.width, 3, padding=d, dilation=d)
                for d in config.dilations
            ]
        )
        self.dropout = nn.Dropout(config.dropout)
        self.last = nn.Conv1d(config.width, sum(reading.places for reading in READINGS), 1)

    def forward(self, steps: Tensor) -> tuple[Tensor, ...]:
        """Return the logits of each of READINGS. steps: [N, channels, T]."""
        inside = steps[:, :1]  # what lies beyond a melody, and pads it in a batch, says nothing
        hidden = self.first(steps) * inside
        for block in self.blocks:
            hidden = (hidden + self.dropout(block(hidden.relu()))) * inside
        logits = self.last(hidden.relu()) * inside
        return logits.split([reading.places for reading in READINGS], 1)

    @torch.no_grad()
    def logits_of(self, steps: np.ndarray) -> tuple[Tensor, ...]:
        """Return the logits [places, T] of each of READINGS for one melody's [channels, T]."""
        return tuple(logits[0] for logits in self(torch.from_numpy(steps)[None]))


def bar_scores(logits: Tensor) -> Tensor:
    """Return the log likelihood that the first step is each place of a bar, but for a constant.

    logits: [..., places, T]. Returns [..., places].
    """
    places = logits.shape[-2]
    padded = nn.functional.pad(logits, (0, -logits.shape[-1] % places))
    alike = padded.unflatten(-1, (-1, places)).sum(-2)  # [..., place, step of a bar]
    step = torch.arange(places, device=logits.device)
    return alike[..., (step + step[:, None]) % places, step].sum(-1)


def like_four(count: int) -> tuple[int, ...]:
    """Return which pulses of a bar of four the pulses of a bar of `count` are like."""
    return BAR_PULSES.get(count) or (0, *(1 + k % 3 for k in range(count - 1)))


def lay_out(
    pitch: np.ndarray,
    place: np.ndarray,
    released: np.ndarray,
    parts: int,
    config: BarsNetConfig = BarsNetConfig(),
) -> np.ndarray:
    """Lay a melody out on steps, each a part of a pulse.

    Of notes that begin on the same step the first counts.

    Args:
        pitch: [n] MIDI pitches.
        place: [n] pulses at which the notes begin, none more than half a step before 0.
        released: [n] pulses at which they end.
        parts: 3 or 4, into which a pulse falls.
        config: Of the network.

    Returns:
        [channels, T] float32.
    """
    step = np.maximum(np.rint(place * parts).astype(int), 0)
    struck = np.append(True, np.diff(step) > 0)  # [n]
    at = step[struck]
    rest = int(np.clip(np.rint((released[-1] - place[-1]) * parts), 1, config.edge * parts))
    steps = np.zeros((config.channels, step[-1] + 1 + rest), np.float32)
    steps[0, step[0] :] = 1
    steps[1, at] = 1
    steps[2] = np.minimum(np.bincount(step, minlength=steps.shape[1]) - steps[1], 2)
    for channel, values in enumerate(_note_channels(pitch, place, released, config), 3):
        steps[channel, at] = values[struck]
    steps[10, step[0]], steps[11, step[-1]] = 1, 1
    held = np.arange(step[0], steps.shape[1])
    # The last note that began, at each of `held`.
    note = np.flatnonzero(struck)[np.cumsum(steps[1, step[0] :]).astype(int) - 1]
    sounding = held < np.maximum(np.rint(released * parts)[note], step[note] + 1)
    steps[12, held] = sounding
    steps[13, held] = (pitch[note] - np.mean(pitch)) / 8
    steps[14, held] = parts == 3
    steps[15, held] = held % parts == 0
    degree = (pitch[note] - _tonic(pitch, released - place, config))[sounding] % KEY
    steps[NOTES + degree, held[sounding]] = 1
    begun = np.zeros(steps.shape[1], int)  # pitch of the note that begins on a step, 0 for none
    begun[at] = pitch[struck]
    for channel, lag in enumerate(config.lags, NOTES + KEY):
        now, before = begun[lag * parts :], begun[: -lag * parts]
        alike = np.where(now == before, config.same, config.alike) * ((now > 0) & (before > 0))
        alike = alike + config.unlike * ((now > 0) != (before > 0))
        steps[channel, lag * parts :] = alike * steps[0, : -lag * parts]
    return steps


def _note_channels(
    pitch: np.ndarray, place: np.ndarray, released: np.ndarray, config: BarsNetConfig
) -> tuple[np.ndarray, ...]:
    """Return what the network is told of each note when it begins: seven times [n]."""
    after, before = np.append(np.diff(place), config.edge), np.append(config.edge, np.diff(place))
    onwards, upwards = np.append(np.diff(pitch), 0), np.append(0, np.diff(pitch))
    gap, leap = config.most_gap, config.most_leap
    return (
        np.clip(np.log2(np.maximum(after, config.shortest)), -gap, gap),
        np.clip(np.log2(np.maximum(before, config.shortest)), -gap, gap),
        np.clip(upwards / 6, -leap, leap),
        np.clip(onwards / 6, -leap, leap),
        np.sign(upwards),
        np.sign(onwards),
        np.clip(np.append(place[1:], released[-1]) - released, 0, config.most_silence),
    )


def _tonic(pitch: np.ndarray, duration: np.ndarray, config: BarsNetConfig) -> int:
    """Return the key's tonic as a pitch; in minor that of the relative major.

    As accomp.music.keys.profile_key, in one product.
    """
    # Relative to the last note, so that ties fall alike in every transposition.
    lengths = np.clip(duration, config.shortest, config.longest)
    sounds = np.bincount((pitch - pitch[-1]) % KEY, lengths, KEY)
    profiles = np.stack(
        [np.roll(profile, tonic) for profile in (MAJOR, MINOR) for tonic in range(KEY)]
    )
    profiles = (profiles - profiles.mean(1, keepdims=True)) / profiles.std(1, keepdims=True)
    best = int((profiles @ sounds).argmax())
    return int(pitch[-1]) + (best if best < KEY else best - KEY + 3)
