"""Several plans of chords for a melody, and other chords for one place of a plan."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from accomp.band.chords import chord_changes, hear
from accomp.band.form import Form
from accomp.band.lead import Lead
from accomp.band.options import Options, Range
from accomp.band.planning import Planning, given_plan
from accomp.errors import MusicError
from accomp.models import plan_search
from accomp.models.band_model import BandModel
from accomp.music.score import Chord, Score
from accomp.roll.chord_plan import symbols_on_grid
from accomp.roll.chord_vocabulary import symbol_of
from accomp.roll.grid import HALF_BAR_STEPS

PLANS = Range("the number of plans", 1, plan_search.PLANS, whole=True)
ALTERNATIVES = Range("the number of alternatives", 1, 50, whole=True)


class PlannedChords(NamedTuple):
    """A plan of chords.

    Attributes:
        chords: where they change, as `Options.chords` takes them.
        agreement: the expected share of half bars in which a musician would choose the same triad.
        log_likelihood: mean log probability of a half bar's chord, given the other bars, in nats.
    """

    chords: tuple[Chord, ...]
    agreement: float
    log_likelihood: float


class Alternative(NamedTuple):
    """A chord for a place.

    Attributes:
        symbol: such as "Am7".
        probability: given the melody and the chords around the place, 0 to 1.
    """

    symbol: str
    probability: float


def planned(
    model: BandModel,
    melody: Score,
    lead: Lead,
    form: Form,
    options: Options,
    count: int,
    random: np.random.Generator,
) -> list[PlannedChords]:
    """Return distinct plans for a melody, the best first.

    Args:
        model: with a planner.
        melody: its score.
        lead: the melody.
        form: its phrases.
        options: how chords are planned.
        count: how many plans are wanted; there may be fewer distinct ones.
        random: draws them.
    """
    PLANS.check(count)
    planning = _hear(model, melody, lead, form, options)
    found = []
    for plan in planning.search.best(random, count):
        symbols = [symbol.transposed(lead.shift) for symbol in planning.symbols(plan)]
        changes = chord_changes(symbols, lead.grid.half_bar_beats, lead.track.end, lead.key)
        logs = planning.search.log_likelihood(
            torch.from_numpy(plan.chords), torch.from_numpy(plan.basses)
        )
        found.append(PlannedChords(tuple(changes), plan.agreement, float(logs.mean())))
    return found


def alternatives(
    model: BandModel,
    melody: Score,
    lead: Lead,
    form: Form,
    options: Options,
    chords: str | Sequence[Chord],
    place: tuple[float, int],
) -> list[Alternative]:
    """Return likely chords for one place of a plan, given the melody and the chords around it.

    Args:
        model: with a planner.
        melody: its score.
        lead: the melody.
        form: its phrases.
        options: how chords are planned.
        chords: the plan, as text or as `Options.chords` takes it.
        place: a beat, and how many chords are wanted.

    Returns:
        The likeliest first; the chord that the plan has there may be among them.

    Raises:
        MusicError: the beat is outside of the melody, or the chords are not understood.
    """
    beat, count = place
    ALTERNATIVES.check(count)
    begin, end = float(lead.grid.beats[0]), float(lead.track.end)
    if not begin - 1e-6 <= beat < end:
        raise MusicError(f"the beat is {beat:g}; accepted: {begin:g} to {end:g}")
    planning = _hear(model, melody, lead, form, options)
    given = chords if isinstance(chords, str) else list(chords)
    symbols, _ = symbols_on_grid(given, melody, lead.track, lead.grid)
    classes, basses = given_plan([symbol.transposed(-lead.shift) for symbol in symbols], planning)
    half_bar = int(np.searchsorted(lead.grid.half_bar_beats, beat + 1e-6)) - 1
    unit = int(planning.units.by_half_bar(lead.grid.steps // HALF_BAR_STEPS)[half_bar])
    chances = planning.search.at(classes, basses, unit).exp().numpy()
    likeliest = np.argsort(-chances)[:count]
    higher = lead.shift + int(lead.moved[half_bar])
    return [
        Alternative(str(symbol_of(chord).transposed(higher)), float(chances[chord]))
        for chord in likeliest
    ]


def _hear(model: BandModel, melody: Score, lead: Lead, form: Form, options: Options) -> Planning:
    if model.planner is None:
        raise MusicError(f"the models of {model.config.genre} know no chords")
    return hear(model, melody, lead, form, options)
