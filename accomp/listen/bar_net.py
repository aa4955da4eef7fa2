"""Where bars begin in a melody: a small network over its notes, which lie on the parts of its pulses.

Convolutions with growing dilation (van den Oord et al. 2016) hear long notes, leaps, the key's notes and what returns after some
bars. What they say of each step is added up over the whole melody for each way of laying bars over it.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from accomp.music.keys import MAJOR, MINOR

EDGE = (
    4.0  # pulses from the first note to one before it, and from the last to one after it: unknown
)
SHORTEST = 0.05  # pulses of a distance between onsets, or of a note
LONGEST = 8.0  # pulses of a note that count for the key
GAPS, SILENCE, LEAP = (
    2.5,
    2.0,
    2.0,
)  # largest of: octaves of a distance between onsets, pulses of silence, half octaves
LAGS = (2, 3, 4, 6, 8, 12, 16)  # pulses after which a melody is compared with itself
ALIKE, SAME, UNLIKE = 0.5, 1.0, -0.5  # notes on both steps, notes of one pitch, a note on one only
NOTES, KEY = 16, 12  # channels of lay_out before those of the pitch classes, and of these


class Reading(NamedTuple):
    """One way of counting: into how many parts a pulse falls, how many pulses a bar has, and its meter."""

    parts: int
    pulses: int
    meter: tuple[int, int]

    @property
    def places(self) -> int:
        return self.parts * self.pulses


READINGS = (
    Reading(4, 4, (4, 4)),
    Reading(4, 3, (3, 4)),
    Reading(3, 2, (6, 8)),
    Reading(3, 4, (4, 4)),
)  # the last is swung


@dataclass
class BarsNetConfig:
    width: int = 48
    dilations: list[int] = field(
        default_factory=lambda: [1, 2, 4, 8, 16, 32]
    )  # sees 16 pulses before and after a step
    dropout: float = 0.1


class BarsNet(nn.Module):
    """Residual dilated convolutions over steps [N, channels, T] (`lay_out`), to logits of being each place of a bar: of each of
    READINGS [N, places, T].
    """

    def __init__(self, config: BarsNetConfig):
        super().__init__()
        self.config = config
        self.first = nn.Conv1d(NOTES + KEY + len(LAGS), config.width, 5, padding=2)
        self.blocks = nn.ModuleList(
            [
                nn.Conv1d(config.width, config.width, 3, padding=d, dilation=d)
                for d in config.dilations
            ]
        )
        self.dropout = nn.Dropout(config.dropout)
        self.last = nn.Conv1d(config.width, sum(reading.places for reading in READINGS), 1)

    def forward(self, steps: Tensor) -> tuple[Tensor, ...]:
        inside = steps[:, :1]  # what lies beyond a melody, and pads it in a batch, says nothing
        hidden = self.first(steps) * inside
        for block in self.blocks:
            hidden = (hidden + self.dropout(block(hidden.relu()))) * inside
        return (self.last(hidden.relu()) * inside).split(
            [reading.places for reading in READINGS], 1
        )

    @torch.no_grad()
    def hear(self, steps: np.ndarray) -> tuple[Tensor, ...]:
        """The logits [places, T] of each of READINGS for one melody's steps [channels, T]."""
        return tuple(logits[0] for logits in self(torch.from_numpy(steps)[None]))


def bar_scores(logits: Tensor) -> Tensor:
    """[..., places] log likelihood, but for a constant, that the first step is each place of a bar; logits: [..., places, T]."""
    places = logits.shape[-2]
    padded = nn.functional.pad(logits, (0, -logits.shape[-1] % places))
    alike = padded.unflatten(-1, (-1, places)).sum(-2)  # [..., place, step of a bar]
    step = torch.arange(places, device=logits.device)
    return alike[..., (step + step[:, None]) % places, step].sum(-1)


def lay_out(pitch: np.ndarray, place: np.ndarray, released: np.ndarray, parts: int) -> np.ndarray:
    """[channels, T] float32: a melody on steps, each a part of a pulse. pitch: [n] MIDI; place, released: [n] pulses, where each
    note begins (none more than half a step before 0) and ends. Of notes that begin on the same step the first counts.
    """
    step = np.maximum(np.rint(place * parts).astype(int), 0)
    struck = np.append(True, np.diff(step) > 0)  # [n]
    at = step[struck]
    after, before = np.append(np.diff(place), EDGE), np.append(EDGE, np.diff(place))
    onwards, upwards = np.append(np.diff(pitch), 0), np.append(0, np.diff(pitch))
    rest = int(np.clip(np.rint((released[-1] - place[-1]) * parts), 1, EDGE * parts))
    steps = np.zeros((NOTES + KEY + len(LAGS), step[-1] + 1 + rest), np.float32)
    steps[0, step[0] :] = 1
    steps[1, at] = 1
    steps[2] = np.minimum(np.bincount(step, minlength=steps.shape[1]) - steps[1], 2)
    of_notes = (
        np.clip(np.log2(np.maximum(after, SHORTEST)), -GAPS, GAPS),
        np.clip(np.log2(np.maximum(before, SHORTEST)), -GAPS, GAPS),
        np.clip(upwards / 6, -LEAP, LEAP),
        np.clip(onwards / 6, -LEAP, LEAP),
        np.sign(upwards),
        np.sign(onwards),
        np.clip(np.append(place[1:], released[-1]) - released, 0, SILENCE),
    )
    for channel, values in enumerate(of_notes, 3):
        steps[channel, at] = values[struck]
    steps[10, step[0]], steps[11, step[-1]] = 1, 1
    held = np.arange(step[0], steps.shape[1])
    note = np.flatnonzero(struck)[
        np.cumsum(steps[1, step[0] :]).astype(int) - 1
    ]  # the last that began, at each of `held`
    sounding = held < np.maximum(np.rint(released * parts)[note], step[note] + 1)
    steps[12, held] = sounding
    steps[13, held] = (pitch[note] - np.mean(pitch)) / 8
    steps[14, held] = parts == 3
    steps[15, held] = held % parts == 0
    steps[
        NOTES + (pitch[note] - _tonic(pitch, released - place))[sounding] % KEY, held[sounding]
    ] = 1
    sung = np.zeros(steps.shape[1], int)  # pitch of the note that begins on a step, 0 for none
    sung[at] = pitch[struck]
    for channel, lag in enumerate(LAGS, NOTES + KEY):
        now, before = sung[lag * parts :], sung[: -lag * parts]
        alike = np.where(now == before, SAME, ALIKE) * ((now > 0) & (before > 0)) + UNLIKE * (
            (now > 0) != (before > 0)
        )
        steps[channel, lag * parts :] = alike * steps[0, : -lag * parts]
    return steps


def _tonic(pitch: np.ndarray, duration: np.ndarray) -> int:
    """The key's tonic as a pitch, its relative major's if it is minor: as accomp.tonality.estimate_key, in one product."""
    # Relative to the last note, so that ties fall alike in every transposition.
    sounds = np.bincount((pitch - pitch[-1]) % KEY, np.clip(duration, SHORTEST, LONGEST), KEY)
    profiles = np.stack(
        [np.roll(profile, tonic) for profile in (MAJOR, MINOR) for tonic in range(KEY)]
    )
    profiles = (profiles - profiles.mean(1, keepdims=True)) / profiles.std(1, keepdims=True)
    best = int((profiles @ sounds).argmax())
    return int(pitch[-1]) + (best if best < KEY else best - KEY + 3)
