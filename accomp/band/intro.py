"""Make room for an introduction: none, a bar of clicks, or two bars of the band."""

from dataclasses import replace

import numpy as np

from accomp.band.lead import Lead, first_bar
from accomp.music.chord_symbols import ChordSymbol, triad_symbol
from accomp.music.percussion import SIDE_STICK
from accomp.music.score import Note, Score
from accomp.music.timing import delayed
from accomp.roll.grid import HALF_BAR_STEPS

# By whether the key is minor: round the chords of the key and back to its dominant, one chord for
# each half bar, in the normal key (C Am F G; Am F Dm E).
TURNAROUND = {False: (0, 21, 5, 7), True: (21, 5, 14, 4)}
ACCENT, CLICK = 100, 80  # velocities of a count-in's first click and of the others


def make_room(score: Score, lead: Lead, intro: str) -> tuple[Score, Lead]:
    """Move a melody later by as much as its introduction takes.

    A pickup's bar counts as the second of two bars.

    Args:
        score: the melody's score.
        lead: the melody in it.
        intro: "none", "count-in" or "bars" (see Options).

    Returns:
        The moved score and its lead.
    """
    if intro == "none":
        return score, lead
    first = first_bar(score, lead.track)
    bar_beats = first.meter.bar_beats
    bars = 1 if intro == "count-in" or lead.first_block else 2
    delay = max(0.0, bars * bar_beats - first.onset)
    if delay:
        delay = float(np.ceil(delay / bar_beats - 1e-9) * bar_beats)
        score = delayed(score, delay)
    intro_beats = bars * bar_beats if intro == "bars" else 0.0
    moved = Lead.of(score, lead.index, intro_beats, lead.key)
    sections = (section._replace(onset=section.onset + delay) for section in lead.sections)
    return score, replace(moved, sections=tuple(sections))


def clicks(score: Score, lead: Lead) -> list[Note]:
    """Return a bar of clicks, one each beat of the meter, before the melody's first bar."""
    bar = first_bar(score, lead.track)
    # One click would give no tempo: 3/8 has three.
    pulses = bar.meter.bar_pulses if bar.meter.bar_pulses > 1 else bar.meter.numerator
    beat = bar.meter.bar_beats / pulses
    return [
        Note(SIDE_STICK, bar.onset - (pulses - i) * beat, beat / 4, CLICK if i else ACCENT)
        for i in range(pulses)
    ]


def half_bars(lead: Lead) -> int:
    """Count the half bars of the models' grid before the melody's first bar."""
    return lead.intro_steps // HALF_BAR_STEPS


def turnaround(lead: Lead) -> list[ChordSymbol]:
    """Return the chords of the introduction by half bar, in the normal key."""
    around = TURNAROUND[lead.key.is_minor]
    count = half_bars(lead)
    return [triad_symbol(around[(len(around) - count + i) % len(around)]) for i in range(count)]
