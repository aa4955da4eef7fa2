"""Make whole plans of chords with a ChordPlanner, and rank them.

The likeliest plan is not a typical one: it stands still. The triads of the best plan are those in
which a musician is expected to agree most often (minimum Bayes risk; Kumar & Byrne 2004), place by
place, with what changes of chord are worth; then chords are filled in within these triads in a few
rounds, the surest first (Ghazvininejad et al. 2019, "Mask-Predict"), for a genre and from plain to
colourful. Other plans lie near ones that are drawn in the same way from nothing.
Letters: N plans, K hearings, U units, C classes of chords, T triads (24).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from accomp.models.chord_path import PathSettings, changing_path
from accomp.models.chord_planner import (
    EXTENDED,
    LEVELS,
    MASKED,
    ChordPlanner,
    Melodies,
    transpose_logits,
)
from accomp.models.chord_richness import RichnessSettings, as_rich_as
from accomp.roll.chord_vocabulary import CLASS_COUNT, CLASS_TRIADS, DENYING
from accomp.roll.melody_units import SILENT, MelodyUnits

PLANS = 20  # at most, of one melody
PHRASE = 4  # bars, counted from the first whole one
TRIAD_OF = torch.zeros(CLASS_COUNT, 24)  # 1 where a class has the triad
TRIAD_OF[torch.arange(CLASS_COUNT), torch.from_numpy(CLASS_TRIADS)] = 1


class Hearing(NamedTuple):
    """A way in which the planner hears a melody.

    Attributes:
        shift: Semitones above the melody's key. The key may be wrong by a fifth, and the planner
            makes other mistakes in each.
        told: Whether it is told the genre and the levels. What it knows of all genres tells best
            which triads fit a melody, and what it knows of one which chords they become.
        weight: Of what it says; of one that is told the genre, times the request's.
    """

    shift: int
    told: bool
    weight: float


@dataclass(frozen=True)
class SearchSettings:
    """How plans are drawn and ranked."""

    # All settings for triads were chosen on every second song of the bench.
    hearings: tuple[Hearing, ...] = (
        Hearing(0, True, 1.0),
        Hearing(0, False, 0.25),
        Hearing(7, False, 0.15),
        Hearing(5, False, 0.15),
        Hearing(2, False, 0.1),
        Hearing(10, False, 0.1),
        Hearing(9, False, 0.05),
    )
    drawn: int = 12  # plans
    rounds: int = 4  # in which a plan is filled in
    temperature: float = 0.6
    doubt: float = 0.5  # of the noise in which chords are the surest, in nats
    path: PathSettings = PathSettings()  # what changes of chord are worth
    # Expected agreement that the dominant is worth more before a phrase's last bar, for each unit
    # of it that is expected to have the tonic.
    cadence: float = 0.2
    own: float = 0.3  # expected agreement that a drawn plan's own chord is worth in its variant
    colour_rounds: int = 4  # in which triads become chords
    colour_temperature: float = 0.7
    # How much more they do what the genre and the levels ask for than the planner does by itself
    # (Ho & Salimans 2022, classifier-free guidance).
    guidance: float = 0.5
    richness: RichnessSettings = RichnessSettings()  # which share of them is more than triads
    bass_temperature: float = 0.8
    distinct: float = 0.1  # share of its triads in which a plan differs from better ones
    groups: int = 3  # of bars, of which one at a time is asked for given the others


@dataclass
class PlanRequest:
    """What is planned.

    Attributes:
        units: The melody, in any key.
        genre: Its number in the planner's config; the number of genres for any.
        key: Tonic + 12 for minor; -1 where it is not told.
        levels: How colourful; NaN where it is not told.
        ties: [U] the first unit with the same chord, its own number for most.
        chords: [U] classes that are given; MASKED where they are to be planned.
        basses: [U] semitones of the given chords' basses above their roots.
        closing: The triads of dominant and tonic with which phrases close; None for none.
        genre_weight: Of what is heard for the genre, in the choice of triads; that of all others
            together is 0.8.
    """

    units: MelodyUnits
    genre: int
    key: int = -1
    levels: tuple[float, ...] = (np.nan,) * LEVELS
    ties: np.ndarray | None = None
    chords: np.ndarray | None = None
    basses: np.ndarray | None = None
    closing: tuple[int, int] | None = None
    genre_weight: float = 0.2


class DrawnPlan(NamedTuple):
    """A plan.

    Attributes:
        chords: [U] classes.
        basses: [U] semitones above the root.
        agreement: Expected share of units in which a musician would choose the same triad.
    """

    chords: np.ndarray
    basses: np.ndarray
    agreement: float


def melody_tensors(units: list[MelodyUnits]) -> tuple[Tensor, Tensor, Tensor]:
    """Stack melodies: pitch classes [N, U, 8], rows [N, U, 24 + PLACES], valid [N, U]."""
    longest = max(len(each) for each in units)
    classes, rows = [], []
    for each in units:
        missing = ((0, longest - len(each)), (0, 0))
        own = np.concatenate([each.struck, each.height, each.present, each.places], axis=1)
        rows.append(np.pad(own.astype(np.float32), missing))
        classes.append(np.pad(each.pitch_class.astype(int), missing, constant_values=SILENT))
    lengths = torch.tensor([len(each) for each in units])
    valid = torch.arange(longest)[None] < lengths[:, None]
    return torch.from_numpy(np.stack(classes)), torch.from_numpy(np.stack(rows)), valid


def triad_logs(logs: Tensor) -> Tensor:
    """Return log probabilities [..., T] of the triads of chords [..., C]."""
    return (logs.exp() @ TRIAD_OF).clamp(min=1e-12).log()


class PlanSearch:
    """A melody that a planner has heard in several ways, and the plans for it.

    Attributes:
        alone: [U, C] log probabilities of the chords from the melody alone.
        key: [24] log probabilities of the key.
    """

    @torch.no_grad()
    def __init__(
        self,
        planner: ChordPlanner,
        request: PlanRequest,
        settings: SearchSettings = SearchSettings(),
    ):
        self.planner, self.request, self.settings = planner, request, settings
        hearings = settings.hearings
        count, known = len(hearings), len(planner.config.genres)
        self.shifts = torch.tensor([hearing.shift for hearing in hearings])
        self.told = torch.tensor([hearing.told for hearing in hearings])
        levels = torch.tensor(request.levels, dtype=torch.float32)
        self.extended = float(levels[EXTENDED])
        self.weights = torch.tensor(
            [each.weight * (request.genre_weight if each.told else 1.0) for each in hearings]
        )
        classes, rows, valid = (
            each.expand(count, *each.shape[1:]) for each in melody_tensors([request.units])
        )
        melodies = Melodies(
            classes,
            rows,
            valid,
            torch.where(self.told, request.genre, known),
            torch.full((count,), request.key),
            torch.where(self.told[:, None], levels, torch.nan),
        )
        self.heard = planner.encode(melodies.transposed(self.shifts), one_melody=True)
        self.alone = self._mean(self._in_key(self.heard.logits, self.shifts))
        key = self._in_key(self.heard.key, self.shifts)
        self.key = torch.einsum("kc,k->c", key, self.weights).log_softmax(-1)
        length = len(request.units)
        ties = np.arange(length) if request.ties is None else request.ties
        self.ties = torch.from_numpy(ties)
        given = np.full(length, MASKED) if request.chords is None else request.chords
        self.given = torch.from_numpy(given.astype(np.int64))
        basses = np.zeros(length, int) if request.basses is None else request.basses
        self.basses = torch.from_numpy(basses.astype(np.int64))

    @staticmethod
    def _in_key(logits: Tensor, shifts: Tensor) -> Tensor:
        """Return log probabilities in the melody's own key of logits in transposed ones."""
        return transpose_logits(logits, -shifts).log_softmax(-1)

    def _mean(self, logs: Tensor) -> Tensor:
        """Return log probabilities [..., C] of all hearings' [K, ..., C].

        The triads are the mean of all; which chords they become, that of those who were told.
        """
        weights = self.weights / self.weights.sum()
        triads = torch.einsum("k...t,k->...t", triad_logs(logs), weights).log_softmax(-1)
        told = self.told * weights
        chords = torch.einsum("k...c,k->...c", logs, told / told.sum()).log_softmax(-1)
        return chords + (triads - triad_logs(chords)) @ TRIAD_OF.T

    def _fill(self, chords: Tensor, basses: Tensor, keys: Tensor) -> Tensor:
        """Return log probabilities [N, U, C] given chords [N, U] of the melody's own key.

        keys: [N] the numbers of the keys in which plans are heard.
        """
        logits, _ = self.planner.fill(self.heard.rows(keys), self._moved(chords, keys), basses)
        return self._in_key(logits, self.shifts[keys])

    def _moved(self, chords: Tensor, keys: Tensor) -> Tensor:
        """Return chords [N, U] in the keys [N] in which they are heard."""
        moved = chords // 12 * 12 + (chords + self.shifts[keys][:, None]) % 12
        return torch.where(chords < 0, chords, moved)

    def _tied(self, logs: Tensor, ties: Tensor | None = None) -> Tensor:
        """Give units that share a chord the mean of their log probabilities [N, U, C]."""
        ties = self.ties if ties is None else ties
        total = torch.zeros_like(logs).index_add_(1, ties, logs)
        count = torch.bincount(ties, minlength=len(ties)).clamp(min=1)
        return (total / count[None, :, None])[:, ties].log_softmax(-1)

    def _held_ties(self, triads: Tensor) -> Tensor:
        """Return the ties [U] of chords whose triads [U] are held within a bar."""
        ties = self.ties.clone()
        begins = self.request.units.begins_bar
        for unit in range(1, len(ties)):
            if not begins[unit] and triads[unit] == triads[unit - 1]:
                ties[unit] = ties[unit - 1]
        return ties

    @torch.no_grad()
    def draw(self, random: np.random.Generator) -> Tensor:
        """Draw plans, [N, U] classes."""
        settings = self.settings
        generator = torch.Generator().manual_seed(int(random.integers(2**31)))
        count, length = settings.drawn, len(self.ties)
        keys = torch.multinomial(self.weights, count, True, generator=generator)
        chords = self.given.expand(count, -1)
        drawn = chords
        for number in range(settings.rounds):
            logs = self._tied(self._fill(chords, self._basses_of(chords), keys))
            noise = -torch.empty_like(logs).exponential_(generator=generator).log()
            new = (logs / settings.temperature + noise).argmax(-1)[:, self.ties]
            drawn = torch.where(chords < 0, new, chords)
            left = int(length * (1 - (number + 1) / settings.rounds))
            if left:
                sure = logs.gather(-1, drawn[..., None])[..., 0]
                doubt = torch.empty_like(sure).exponential_(generator=generator).log()
                sure = (sure - settings.doubt * doubt)[:, self.ties]
                bound = sure.kthvalue(left, dim=1, keepdim=True).values
                chords = torch.where((self.given < 0) & (sure <= bound), MASKED, drawn)
        return drawn

    def _basses_of(self, chords: Tensor) -> Tensor:
        """Return the basses of chords [N, U]: those that were given, elsewhere the roots."""
        return torch.where(chords == self.given, self.basses, 0)

    @torch.no_grad()
    def expected(self) -> Tensor:
        """Return how likely a musician would choose each triad, [U, T]."""
        return self._tied(self.alone[None])[0].exp() @ TRIAD_OF

    @torch.no_grad()
    def best(self, random: np.random.Generator, count: int = 1) -> list[DrawnPlan]:
        """Return the best, distinct plans, best first.

        Args:
            random: Draws what chords triads become, and other plans.
            count: How many are wanted; there may be fewer distinct ones.
        """
        expected = self.expected()
        # The best one is the same, however many others are wanted.
        seeds = random.integers(2**31, size=PLANS)
        paths = [self._triads(expected.numpy())]
        if count > 1:
            drawn = torch.cat([self.draw(random) for _ in range(1 + count // 4)])
            paths += self._variants(drawn, expected, count - 1, paths[0])
        return [self._finished(path, expected, int(seed)) for path, seed in zip(paths, seeds)]

    def _variants(
        self, drawn: Tensor, expected: Tensor, count: int, best: np.ndarray
    ) -> list[np.ndarray]:
        """Return plans of triads [U] that lie near drawn plans, the most expected ones first."""
        own = F.one_hot(drawn, CLASS_COUNT).float() @ TRIAD_OF
        wishes = expected + self.settings.own * own
        paths = [self._triads(wish.numpy()) for wish in wishes]
        places = np.arange(len(best))
        worth = expected.numpy()
        paths.sort(key=lambda path: -worth[places, path].sum())
        chosen = [best]
        for path in paths:
            if min((path != other).mean() for other in chosen) >= self.settings.distinct:
                chosen.append(path)
        return chosen[1 : count + 1]

    def _triads(self, expected: np.ndarray) -> np.ndarray:
        """Return the triads [U] that are worth most: expected [U, T], and where they change."""
        given = self.given.numpy()
        wanted = np.where(given[:, None] < 0, expected + self._closing(expected), -np.inf)
        known = np.flatnonzero(given >= 0)
        wanted[known, CLASS_TRIADS[given[known]]] = 0.0
        units = self.request.units
        path = changing_path(wanted, units.begins_bar, units.brief, self.settings.path)
        return path[self.ties.numpy()]

    def _closing(self, expected: np.ndarray) -> np.ndarray:
        """Return what triads are worth more where they close a phrase, [U, T]."""
        more = np.zeros_like(expected)
        if self.request.closing:
            dominant, tonic = self.request.closing
            bars = self.request.units.bars[1:]
            last = (bars >= 0) & (bars % PHRASE == PHRASE - 1)
            more[:-1][last, dominant] = self.settings.cadence * expected[1:][last, tonic]
        return more

    def _finished(self, triads: np.ndarray, expected: Tensor, seed: int) -> DrawnPlan:
        chords = self._coloured(torch.from_numpy(triads), seed)
        basses = self.basses_for(chords, seed)
        agreement = float(expected[torch.arange(len(triads)), torch.from_numpy(triads)].mean())
        return DrawnPlan(chords.numpy(), basses.numpy(), agreement)

    def _coloured(self, triads: Tensor, seed: int) -> Tensor:
        """Fill in chords [U] within triads [U], as the genre and its levels ask for."""
        first = self._guided(self.given[None], triads)

        def drawn(richer: Tensor) -> Tensor:
            return self._coloured_by(richer, first, triads, seed)

        return as_rich_as(self.extended, drawn, first, triads, self.settings.richness)

    def _coloured_by(self, richer: Tensor, first: Tensor, triads: Tensor, seed: int) -> Tensor:
        """Fill in chords [U] within triads [U].

        Args:
            richer: [U, C] nats that chords are worth more.
            first: [1, U, C] log probabilities where none but the given chords are known.
            triads: [U].
            seed: Of what is drawn.
        """
        settings = self.settings
        generator = torch.Generator().manual_seed(seed)
        ties = self._held_ties(triads)
        chords = self.given[None]
        length = len(triads)
        drawn = chords
        for number in range(settings.colour_rounds):
            logs = self._guided(chords, triads) if number else first
            logs = self._tied((logs + richer).log_softmax(-1), ties)
            noise = -torch.empty_like(logs).exponential_(generator=generator).log()
            new = (logs / settings.colour_temperature + noise).argmax(-1)[:, ties]
            drawn = torch.where(chords < 0, new, chords)
            left = int(length * (1 - (number + 1) / settings.colour_rounds))
            if left:
                sure = logs.gather(-1, drawn[..., None])[..., 0][:, ties]
                bound = sure.kthvalue(left, dim=1, keepdim=True).values
                chords = torch.where((self.given < 0) & (sure <= bound), MASKED, drawn)
        return drawn[0]

    def _guided(self, chords: Tensor, triads: Tensor) -> Tensor:
        """Return log probabilities [1, U, C] given chords [1, U], drawn to what was told.

        Chords of other triads than [U] are not likely at all.
        """
        told = torch.nonzero(self.told)[:1, 0]
        untold = torch.nonzero(~self.told & (self.shifts == self.shifts[told]))[:1, 0]
        keys = torch.cat([told, untold])
        rows = chords.expand(len(keys), -1)
        logs = self._fill(rows, self._basses_of(rows), keys)
        more = self.settings.guidance * (logs[:1] - logs[-1:])
        outside = TRIAD_OF.T[triads] == 0
        return (logs[:1] + more).masked_fill(outside[None], -1e4).log_softmax(-1)

    @torch.no_grad()
    def basses_for(self, chords: Tensor, seed: int) -> Tensor:
        """Draw basses of chords [U], in semitones above the roots.

        A chord that is held keeps its bass. The other third than a chord's is none, and the first
        chord has its root: ninety-nine of a hundred lead sheets begin so.
        """
        generator = torch.Generator().manual_seed(seed)
        keys = torch.nonzero(self.told)[:, 0]
        rows = chords.expand(len(keys), -1)
        moved = self._moved(rows, keys)
        _, hidden = self.planner.fill(self.heard.rows(keys), moved, self._basses_of(rows))
        logs = self.planner.bass_logits(hidden, moved).log_softmax(-1).mean(0)
        noise = -torch.empty_like(logs).exponential_(generator=generator).log()
        drawn = (logs / self.settings.bass_temperature + noise).argmax(-1)
        begins = torch.ones_like(chords, dtype=torch.bool)
        begins[1:] = chords[1:] != chords[:-1]
        first = torch.where(begins, torch.arange(len(chords)), 0).cummax(0).values
        # Of units that are tied the triad is the same, but not always the chord.
        begun = first[self.ties]
        shared = drawn[begun].masked_fill(begun == 0, 0)
        shared = shared.masked_fill(torch.from_numpy(DENYING)[chords, shared], 0)
        return torch.where(chords == self.given, self.basses, shared)

    @torch.no_grad()
    def log_likelihood(self, chords: Tensor, basses: Tensor) -> Tensor:
        """Return the log probability of each chord given those of the other bars, [U].

        Every third group of bars is masked at a time; `alone` has those from the melody alone.

        Args:
            chords: [U] classes.
            basses: [U] semitones above the roots.
        """
        return self.log_probabilities(chords, basses).gather(1, chords[:, None])[:, 0]

    @torch.no_grad()
    def log_probabilities(self, chords: Tensor, basses: Tensor) -> Tensor:
        """Return the log probabilities of all chords in each place, given the other bars, [U, C].

        The arguments are those of `log_likelihood`.
        """
        bars = torch.from_numpy(np.cumsum(self.request.units.begins_bar))
        groups = self.settings.groups
        hidden = bars[None] % groups == torch.arange(groups)[:, None]
        logs = self._given_others(chords, basses, hidden)
        return logs[bars % groups, torch.arange(len(bars))]

    @torch.no_grad()
    def at(self, chords: Tensor, basses: Tensor, unit: int) -> Tensor:
        """Return the log probabilities of the chords in one place, given those around it, [C].

        The chord there and its repetitions in the same bar are unknown.

        Args:
            chords: [U] classes.
            basses: [U] semitones above the roots.
            unit: The place.
        """
        bars = torch.from_numpy(np.cumsum(self.request.units.begins_bar))
        hidden = (bars == bars[unit]) & (chords == chords[unit])
        return self._given_others(chords, basses, hidden[None])[0, unit]

    def _given_others(self, chords: Tensor, basses: Tensor, hidden: Tensor) -> Tensor:
        """Return log probabilities [N, U, C], given chords [U] but those that are `hidden`, [N, U].

        They are the mean over the keys.
        """
        known = torch.where(hidden, MASKED, chords)
        rows = [
            self._fill(known, basses.expand_as(known), torch.full((len(known),), key))
            for key in range(len(self.shifts))
        ]
        return self._mean(torch.stack(rows))
