"""A sketch: all that is decided of a band before it plays, as latents, which can be moved and mixed.

Letters: B blocks of the song, K latent size of an instrument.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from accomp.band.generate import onsets_of
from accomp.band.lead import Lead
from accomp.band.retake import Retake
from accomp.errors import MusicError
from accomp.models.band_model import BandModel
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.score import Score
from accomp.roll.grid import ACCOMPANIMENT, BLOCK_HALF_BARS, TRACK_NAMES

FARTHEST = 3.0  # standard deviations that a latent may be moved


@dataclass
class Sketch:
    """model: who plays; score, lead: the melody, with room for an introduction; symbols: its chords by half bar, in the normal
    key; latents: by track, latents and flags [B, K + 1]; onsets: by track, [B] how many onsets a block shall have, NaN where
    the decoder tells; fills: by block, a drum latent [1, K] for its last half bar; shape, feel, intro: as in
    `Accompanist.accompany`; silent: tracks that don't play; retake: what stays of an earlier result.
    """

    model: BandModel
    score: Score
    lead: Lead
    symbols: list[ChordSymbol]
    latents: dict[int, Tensor]
    onsets: dict[int, Tensor]
    fills: dict[int, Tensor]
    seed: int
    shape: bool
    feel: bool
    intro: str
    silent: frozenset[int]
    retake: Retake | None
    notices: list[str]
    dynamics: np.ndarray = field(default_factory=lambda: np.zeros(0))  # as in Shape

    @cached_property
    def triads(self) -> np.ndarray:
        """[H] chords of the models' vocabulary."""
        return np.array([symbol.triad for symbol in self.symbols])

    @property
    def plan(self) -> Tensor:
        """[B, 4] the same by block."""
        return torch.from_numpy(self.triads.reshape(-1, BLOCK_HALF_BARS)).to(self.model.device)

    def perform(self) -> Score:
        """The song: see `Accompanist.accompany`."""
        return self.model.perform(self)

    @torch.no_grad()
    def blended(self, other: "Sketch", amount: float) -> "Sketch":
        """On the way from this sketch (amount 0) to another one of the same melody (1): where both have an instrument play, its
        latents are w = (1 - amount) w1 + amount w2 with as many onsets as lie between; what can't be halved (chords, fills, who
        plays at all) changes place by place, and sounds, room and the players' manner in the middle. The other's model may be
        of another genre with the same VAEs. Raises MusicError where the two don't belong together, or amount is out of range.
        """
        if not 0 <= amount <= 1:
            raise MusicError(f"the amount is {amount}; accepted: 0 (the first) to 1 (the second)")
        if self.lead.track.notes != other.lead.track.notes or self.lead.shift != other.lead.shift:
            raise MusicError(
                "the two are not of the same melody, key and introduction; accepted: sketches of one melody"
            )
        if self.model.latent_space != other.model.latent_space:
            names = f"{self.model.config.genre} and {other.model.config.genre}"
            raise MusicError(
                f"the models of {names} have different VAEs, whose latents can't be mixed"
            )
        if amount in (0, 1):
            return other if amount else self
        nearer = other if amount >= 0.5 else self
        random = np.random.default_rng([self.seed, other.seed])
        half_bar = random.random(len(self.symbols)) < amount
        symbols = [b if later else a for a, b, later in zip(self.symbols, other.symbols, half_bar)]
        mixed = replace(nearer, symbols=symbols, latents={}, onsets={}, fills={})
        if len(self.dynamics) and len(other.dynamics):
            mixed.dynamics = (1 - amount) * self.dynamics + amount * other.dynamics
        for track in ACCOMPANIMENT:
            a, b = self.latents[track], other.latents[track].to(self.model.device)
            later = torch.from_numpy(random.random(len(a)) < amount).to(a.device)[:, None]
            both = (a[:, -1:] > 0) & (b[:, -1:] > 0)
            mixed.latents[track] = torch.where(
                both, torch.lerp(a, b, amount), torch.where(later, b, a)
            )
            first, second = (sketch._wanted(track, mixed.plan) for sketch in (self, other))
            wanted = torch.where(
                both[:, 0], torch.lerp(first, second.to(a.device), amount), torch.nan
            )
            # Where only one of the two plays, it plays as it would.
            mixed.onsets[track] = torch.where(
                both[:, 0],
                wanted,
                torch.where(later[:, 0], other.onsets[track].to(a.device), self.onsets[track]),
            )
        later = dict(zip(range(len(self.latents[0])), random.random(len(self.latents[0])) < amount))
        for block in sorted(self.fills.keys() | other.fills.keys()):
            fills = other.fills if later[block] else self.fills
            if block in fills:
                mixed.fills[block] = fills[block]
        return mixed

    def _wanted(self, track: int, plan: Tensor) -> Tensor:
        """[B] how many onsets its blocks have under another plan [B, 4]."""
        own = self.onsets[track]
        return torch.where(
            own.isnan(), onsets_of(self.model, track, plan.to(own.device), self.latents[track]), own
        )

    @torch.no_grad()
    def explored(self, moves: dict[str, dict[str, float]]) -> "Sketch":
        """With instruments moved through their latent spaces: {"guitar": {"density": 1.0, "variety": -0.5}}, in standard
        deviations of the genre's real playing, -3 to 3; see `HarmonyNN.directions`. Raises MusicError.
        """
        latents, onsets = dict(self.latents), dict(self.onsets)
        for name, move in moves.items():
            track = _instrument(name)
            if not isinstance(move, dict):
                raise MusicError(
                    f'{name} moves by {move!r}; accepted: directions with amounts, such as {{"density": 1.0}}'
                )
            directions = self.model.harmony[name].directions()
            shift = torch.zeros_like(latents[track][0])
            for direction, amount in move.items():
                if direction not in directions:
                    raise MusicError(
                        f"{name} has no direction {direction!r}; accepted: {', '.join(directions) or 'none'}"
                    )
                if not -FARTHEST <= amount <= FARTHEST:
                    raise MusicError(
                        f"{direction} of {name} is {amount}; accepted: {-FARTHEST:g} to {FARTHEST:g}"
                    )
                shift[:-1] += amount * directions[direction]
            moved = latents[track] + shift * latents[track][:, -1:]
            was, now = (
                onsets_of(self.model, track, self.plan, rows) for rows in (latents[track], moved)
            )
            latents[track] = moved
            onsets[track] = onsets[track] * (now + 1) / (was + 1)  # NaN stays NaN
        return replace(self, latents=latents, onsets=onsets)


def parse_moves(texts: Iterable[str]) -> dict[str, dict[str, float]]:
    """What `Sketch.explored` takes, from texts such as "guitar density 1". Raises MusicError."""
    moves: dict[str, dict[str, float]] = {}
    for text in texts:
        try:
            name, direction, amount = text.split()
            moves.setdefault(name, {})[direction] = float(amount)
        except ValueError:
            raise MusicError(
                f'{text!r} is no way to explore; accepted: such as "guitar density 1"'
            ) from None
    return moves


def _instrument(name: str) -> int:
    names = [TRACK_NAMES[track] for track in ACCOMPANIMENT]
    if name not in names:
        raise MusicError(f"there is no instrument {name!r}; accepted: {', '.join(names)}")
    return TRACK_NAMES.index(name)
