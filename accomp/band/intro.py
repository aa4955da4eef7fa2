"""What comes before the melody: nothing, a bar of clicks, or two bars of the band."""

import numpy as np

from accomp.band.lead import Lead, first_bar
from accomp.errors import MusicError
from accomp.music.chord_symbols import ChordSymbol, triad_symbol
from accomp.music.percussion import SIDE_STICK
from accomp.music.score import Note, Score
from accomp.music.timing import delayed
from accomp.roll.grid import HALF_BAR_STEPS

INTROS = ("none", "count-in", "bars")
# Round the chords of the key and back to its dominant; in C major and A minor, one chord for each half bar.
TURNAROUND = {False: (0, 21, 5, 7), True: (21, 5, 14, 4)}


def make_room(score: Score, lead: Lead, intro: str) -> tuple[Score, Lead]:
    """`score` with the melody as much later as the introduction takes, and its lead. A pickup's bar counts as
    the second of two bars. Raises MusicError where `intro` is unknown.
    """
    if intro not in INTROS:
        raise MusicError(f"intro {intro!r} is unknown; accepted: {', '.join(INTROS)}")
    if intro == "none":
        return score, lead
    first = first_bar(score, lead.track)
    bar_beats = first.meter.bar_beats
    bars = 1 if intro == "count-in" or lead.first_block else 2
    delay = max(0.0, bars * bar_beats - first.onset)
    if delay:
        delay = np.ceil(delay / bar_beats - 1e-9) * bar_beats
        score = delayed(score, float(delay))
    return score, Lead.of(score, lead.index, bars * bar_beats if intro == "bars" else 0.0, lead.key)


def clicks(score: Score, lead: Lead) -> list[Note]:
    """A bar of clicks, one each beat of the meter, before the bar in which the melody begins."""
    bar = first_bar(score, lead.track)
    # One click would give no tempo: 3/8 has three.
    pulses = bar.meter.bar_pulses if bar.meter.bar_pulses > 1 else bar.meter.numerator
    beat = bar.meter.bar_beats / pulses
    return [
        Note(SIDE_STICK, bar.onset - (pulses - i) * beat, beat / 4, 100 if i == 0 else 80)
        for i in range(pulses)
    ]


def half_bars(lead: Lead) -> int:
    """Half bars of the model's grid before the melody's first bar."""
    return lead.intro_steps // HALF_BAR_STEPS


def turnaround(lead: Lead) -> list[ChordSymbol]:
    """The chords of the introduction, [half_bars], in the normal key."""
    around = TURNAROUND[lead.key.is_minor]
    count = half_bars(lead)
    return [triad_symbol(around[(len(around) - count + i) % len(around)]) for i in range(count)]
