"""Plan the chords of a melody: what the planner is asked, and its plans as chord symbols.

Letters: H half bars of the song, U units (accomp.roll.melody_units).
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from accomp.band import intro
from accomp.band.form import Form
from accomp.band.lead import Lead
from accomp.models.chord_planner import MASKED, UNKNOWN, ChordPlanner
from accomp.models.config import AccompanistConfig
from accomp.models.plan_search import DrawnPlan, PlanRequest, PlanSearch
from accomp.music.chord_symbols import ChordSymbol, triad_symbol
from accomp.music.score import Score
from accomp.roll.chord_plan import TRIADS
from accomp.roll.chord_vocabulary import bass_interval, class_of, symbol_of
from accomp.roll.grid import BLOCK_HALF_BARS, HALF_BAR_STEPS
from accomp.roll.melody_units import MelodyUnits

C_MAJOR, A_MINOR = 0, 21  # the tonics of the normal keys
# Dominant and tonic of the normal keys, by whether they are minor.
CADENCES = {False: (7, C_MAJOR), True: (4, A_MINOR)}


@dataclass(frozen=True)
class PlanningSettings:
    """What plans share, and how they end."""

    # Blocks in a row that must return together before they share chords: a motif or a line that
    # comes again is often meant for other chords.
    returning: int = 3


@dataclass
class Planning:
    """A melody and what the planner says of it.

    Attributes:
        lead: The melody.
        units: It again, as the planner hears it.
        search: What the planner says.
        final: The first half bar of the last chord; H where the plan ends as it will.
    """

    lead: Lead
    units: MelodyUnits
    search: PlanSearch
    final: int

    def symbols(self, plan: DrawnPlan) -> list[ChordSymbol]:
        """Return the chord of each half bar, [H], in the normal key.

        Where the melody modulates, the planner heard it as if it did not: its chords move there.
        """
        count = self.lead.grid.steps // HALF_BAR_STEPS
        chords = [symbol_of(chord, bass) for chord, bass in zip(plan.chords, plan.basses)]
        units, moved = self.units.by_half_bar(count), self.lead.moved.tolist()
        return [chords[unit].transposed(higher) for unit, higher in zip(units, moved)]


def plan_request(
    planner: ChordPlanner,
    score: Score,
    lead: Lead,
    form: Form,
    config: AccompanistConfig,
    colour: float,
) -> PlanRequest:
    """Return what the planner is asked.

    Args:
        planner: It knows genres and what their lead sheets do.
        score: Its meters give the bars.
        lead: The melody.
        form: Its phrases: sections that return share chords.
        config: Of the band's genre.
        colour: From 0, plain, to 1, as colourful as lead sheets of the genre get.
    """
    begin = float(lead.grid.half_bar_beats[intro.half_bars(lead)])
    units = MelodyUnits.of(
        lead.level_line, score, lead.grid, lead.shift, lead.first_whole_bar, (begin, lead.track.end)
    )
    known = planner.config.genres
    number = known.index(config.genre) if config.genre in known else len(known)
    return PlanRequest(
        units,
        number,
        levels=levels_at(planner.levels[number].cpu().double().numpy(), colour),
        ties=ties_of(units, form.source),
        closing=CADENCES[lead.key.is_minor],
        genre_weight=config.genre_chords,
    )


def levels_at(quantiles: np.ndarray, colour: float) -> tuple[float, ...]:
    """Return the levels of a genre that are `colour`, 0 to 1, of the way from plain to colourful.

    Args:
        quantiles: [LEVELS, QUANTILES], see `ChordPlanner.levels`.
        colour: 0 to 1.
    """
    places = np.linspace(0, 1, quantiles.shape[1])
    known = np.where(quantiles == UNKNOWN, np.nan, quantiles)
    return tuple(float(np.interp(colour, places, row)) for row in known)


def ties_of(
    units: MelodyUnits, source: np.ndarray, settings: PlanningSettings = PlanningSettings()
) -> np.ndarray:
    """Return for each unit the first one that has the same chord, [U]; its own number for most.

    Args:
        units: The melody.
        source: [B] the earlier block that a block repeats, else -1.
        settings: How much must return.
    """
    kept = _in_runs(source, settings.returning)
    number = {int(half_bar): unit for unit, half_bar in enumerate(units.half_bars)}
    ties = np.arange(len(units))
    for unit, half_bar in enumerate(units.half_bars.tolist()):
        block = half_bar // BLOCK_HALF_BARS
        if kept[block]:
            earlier = source[block] * BLOCK_HALF_BARS + half_bar % BLOCK_HALF_BARS
            first = number.get(int(earlier), unit)
            ties[unit] = ties[first] if first < unit else unit
    return ties


def _in_runs(source: np.ndarray, length: int) -> np.ndarray:
    """Tell which blocks return together with as many neighbours as a run of `length` has, [B]."""
    kept = np.zeros(len(source), bool)
    begin = 0
    for at in range(1, len(source) + 1):
        goes_on = at < len(source) and source[at - 1] >= 0 and source[at] == source[at - 1] + 1
        if not goes_on:
            kept[begin:at] = at - begin >= length and source[begin] >= 0
            begin = at
    return kept


def plan_melody(
    planner: ChordPlanner, request: PlanRequest, lead: Lead, ending: bool = True
) -> Planning:
    """Let a planner hear a melody.

    Args:
        planner: It.
        request: See `plan_request`.
        lead: The melody.
        ending: Whether the last chord shall be the tonic, where the melody allows it.
    """
    half_bars = lead.grid.steps // HALF_BAR_STEPS
    if not ending:
        return Planning(lead, request.units, PlanSearch(planner, request), half_bars)
    final = lead.final_step // HALF_BAR_STEPS
    chords = np.full(len(request.units), MASKED)
    tonic = final_tonic(lead)
    if tonic is not None:
        chords[request.units.half_bars >= final] = class_of(triad_symbol(tonic))
    request = replace(request, chords=chords)
    return Planning(lead, request.units, PlanSearch(planner, request), final)


def final_tonic(lead: Lead) -> int | None:
    """Return the tonic in the normal key, where the melody's last note is a tone of it.

    Else the relative key's tonic, if that has the note; else None.
    """
    last = (lead.level_line[-1].pitch - lead.shift) % 12
    tonics = (A_MINOR, C_MAJOR) if lead.key.is_minor else (C_MAJOR, A_MINOR)
    return next((tonic for tonic in tonics if TRIADS[tonic, last]), None)


def given_plan(symbols: list[ChordSymbol], planning: Planning) -> tuple[Tensor, Tensor]:
    """Return chords [H] of the normal key as classes [U] and as semitones of their basses, [U].

    The classes are those of the key of each chord's section, as the planner heard it.
    """
    moved = planning.lead.moved.tolist()
    half_bars = planning.units.half_bars.tolist()
    chosen = [symbols[half_bar].transposed(-moved[half_bar]) for half_bar in half_bars]
    classes = torch.tensor([class_of(symbol) for symbol in chosen])
    return classes, torch.tensor([bass_interval(symbol) for symbol in chosen])
