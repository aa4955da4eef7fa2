"""Sketch: all that is decided of a band before it plays, as latents that can be moved and mixed.

Letters: B blocks, H half bars of the song, K latent size of an instrument.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import exp

import numpy as np
import torch
from torch import Tensor

from accomp.band.form import Form
from accomp.band.generate import Latents, count_onsets
from accomp.band.lead import Lead
from accomp.band.options import Options
from accomp.band.rests import Rests
from accomp.band.retake import Retake
from accomp.band.streams import Streams
from accomp.checks import Range
from accomp.errors import MusicError
from accomp.models.band_model import BandModel
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.score import Score
from accomp.roll.grid import ACCOMPANIMENT, BLOCK_HALF_BARS, STRINGS, TRACK_NAMES

AMOUNT = Range("the amount", 0, 1, "0 (the first) to 1 (the second)")
MOVE = Range("a move", -3, 3)  # standard deviations that a latent may be moved


@dataclass(frozen=True)
class ExploreSettings:
    """How far moves go."""

    # Logarithm of a block's onsets that a deviation of "density" adds, a little less than real
    # blocks differ by (.6 to .75): beside real playing a decoder is unsure, and plays too little.
    density: float = 0.5


@dataclass
class Sketch:
    """A band before it plays: `Accompanist.sketch` makes it, `Accompanist.perform` plays it.

    Attributes:
        model: the networks that play it.
        score: the melody's score, with room for an introduction.
        lead: the melody.
        form: its phrases, and who rests when.
        chords: [H] symbols in the normal key.
        latents: what is chosen for each track and block.
        options: how it was made.
        retake: what stays of an earlier result.
        notices: what the user should know, in words.
        rests: long rests of the melody, which `score` and all else are without; None for none.
        second_moves: how far a second guitar, which has no latents here, is moved (`explored`).
    """

    model: BandModel
    score: Score
    lead: Lead
    form: Form
    chords: list[ChordSymbol]
    latents: Latents
    options: Options
    retake: Retake | None
    notices: list[str]
    rests: Rests | None = None
    second_moves: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def triads(self) -> np.ndarray:
        """The chords in the models' vocabulary, [H] int."""
        return np.array([symbol.triad for symbol in self.chords])

    @property
    def plan(self) -> Tensor:
        """The triads by block, [B, 4]."""
        return plan_tensor(self.chords, self.model.device)

    @torch.no_grad()
    def blended(self, other: "Sketch", amount: float) -> "Sketch":
        """Return a sketch on the way from this one to another one of the same melody.

        Where a player plays in both, its latent is w = (1 - amount) w1 + amount w2, with as many
        onsets as lie between. What can't be halved (chords, fills, who plays at all) changes place
        by place. Sounds and the players' manner change in the middle.

        Args:
            other: of this model, or of another genre's with the same VAEs.
            amount: 0 (this sketch) to 1 (the other).

        Raises:
            MusicError: the two don't belong together, or the amount is out of range.
        """
        AMOUNT.check(amount)
        self._check_same_melody(other)
        if amount in (0, 1):
            return other if amount else self
        nearer = other if amount >= 0.5 else self
        random = Streams(self.options.seed).blend(other.options.seed)
        later = random.random(len(self.chords)) < amount
        chords = [b if is_later else a for a, b, is_later in zip(self.chords, other.chords, later)]
        form = nearer.form
        if len(self.form.dynamics) and len(other.form.dynamics):
            dynamics = (1 - amount) * self.form.dynamics + amount * other.form.dynamics
            form = replace(form, dynamics=dynamics)
        mixed = replace(nearer, chords=chords, form=form, latents=Latents({}, {}))
        for track in ACCOMPANIMENT:
            later = random.random(len(self.latents.rows[track])) < amount
            self._blend_track(track, other, amount, later, mixed)
        blocks = len(self.form.source)
        later = random.random(blocks) < amount
        for block in range(blocks):
            fills = (other if later[block] else self).latents.fills
            if block in fills:
                mixed.latents.fills[block] = fills[block]
        return mixed

    def _check_same_melody(self, other: "Sketch") -> None:
        if self.lead.track.notes != other.lead.track.notes or self.lead.shift != other.lead.shift:
            raise MusicError(
                "the two are not of the same melody, key and introduction; "
                "accepted: sketches of one melody"
            )
        if self.model.latent_space != other.model.latent_space:
            names = f"{self.model.config.genre} and {other.model.config.genre}"
            raise MusicError(
                f"the models of {names} have different VAEs, whose latents can't be mixed"
            )

    def _blend_track(
        self, track: int, other: "Sketch", amount: float, later: np.ndarray, mixed: "Sketch"
    ) -> None:
        """Fill in a track of `mixed`. later: [B] bool, whose block counts where one rests."""
        device = self.model.device
        a, b = self.latents.rows[track], other.latents.rows[track].to(device)
        is_later = torch.from_numpy(later).to(device)[:, None]
        both = (a[:, -1:] > 0) & (b[:, -1:] > 0)
        mixed.latents.rows[track] = torch.where(
            both, torch.lerp(a, b, amount), torch.where(is_later, b, a)
        )
        first, second = (sketch._onsets_under(track, mixed.plan) for sketch in (self, other))
        between = torch.lerp(first, second.to(device), amount)
        # Where only one of the two plays, it plays as it would.
        alone = torch.where(
            is_later[:, 0], other.latents.onsets[track].to(device), self.latents.onsets[track]
        )
        mixed.latents.onsets[track] = torch.where(both[:, 0], between, alone)

    def _onsets_under(self, track: int, plan: Tensor) -> Tensor:
        """Return how many onsets a track's blocks have under another plan [B, 4], [B]."""
        own, rows = self.latents.onsets[track], self.latents.rows[track]
        counted = count_onsets(self.model, track, plan.to(own.device), rows)
        return torch.where(own.isnan(), counted, own)

    @torch.no_grad()
    def explored(
        self,
        moves: Mapping[str, Mapping[str, float]],
        settings: ExploreSettings = ExploreSettings(),
    ) -> "Sketch":
        """Return the sketch with players moved through their latent spaces.

        Args:
            moves: by instrument, directions of `HarmonyNN.directions` with amounts in standard
                deviations of the genre's real playing: {"guitar": {"density": 1.0}}.
            settings: how far moves go.

        Raises:
            MusicError: an instrument or direction is unknown, or an amount is out of range.
        """
        rows, onsets = dict(self.latents.rows), dict(self.latents.onsets)
        second = self.second_moves
        for name, move in moves.items():
            track = _track_of(name)
            if track == STRINGS and self.options.second_guitar:
                second = move
                continue
            shift = self._shift(name, move, rows[track][0])
            moved = rows[track] + shift * rows[track][:, -1:]
            was, now = (
                count_onsets(self.model, track, self.plan, each) for each in (rows[track], moved)
            )
            rows[track] = moved
            if "density" in move:
                asked = torch.where(onsets[track].isnan(), was, onsets[track])
                onsets[track] = asked * exp(settings.density * move["density"])
            else:
                onsets[track] = onsets[track] * (now + 1) / (was + 1)  # NaN stays NaN
        latents = Latents(rows, onsets, self.latents.fills)
        return replace(self, latents=latents, second_moves=second)

    def _shift(self, name: str, move: Mapping[str, float], like: Tensor) -> Tensor:
        """Return what is added to an instrument's latents and flags, [K + 1]."""
        if not isinstance(move, Mapping):
            raise MusicError(
                f"{name} moves by {move!r}; accepted: directions with amounts, "
                'such as {"density": 1.0}'
            )
        directions = self.model.harmony_nn(_track_of(name)).directions()
        shift = torch.zeros_like(like)
        for direction, amount in move.items():
            if direction not in directions:
                raise MusicError(
                    f"{name} has no direction {direction!r}; "
                    f"accepted: {', '.join(directions) or 'none'}"
                )
            MOVE.check(amount, f"{direction} of {name}")
            shift[:-1] += amount * directions[direction]
        return shift


def plan_tensor(chords: list[ChordSymbol], device: torch.device) -> Tensor:
    """Return the triads of chords [H] by block, [B, 4] int."""
    triads = np.array([symbol.triad for symbol in chords])
    return torch.from_numpy(triads.reshape(-1, BLOCK_HALF_BARS)).to(device)


def parse_moves(texts: Iterable[str]) -> dict[str, dict[str, float]]:
    """Read the moves of `Sketch.explored` from texts such as "guitar density 1".

    Raises:
        MusicError: a text is not an instrument, a direction and an amount.
    """
    moves: dict[str, dict[str, float]] = {}
    for text in texts:
        try:
            name, direction, amount = text.split()
            moves.setdefault(name, {})[direction] = float(amount)
        except ValueError:
            raise MusicError(
                f'{text!r} is not a move; accepted: such as "guitar density 1"'
            ) from None
        _track_of(name)
        MOVE.check(moves[name][direction], f"{direction} of {name}")
    return moves


def _track_of(name: str) -> int:
    names = [TRACK_NAMES[track] for track in ACCOMPANIMENT]
    if name not in names:
        raise MusicError(f"there is no instrument {name!r}; accepted: {', '.join(names)}")
    return TRACK_NAMES.index(name)
