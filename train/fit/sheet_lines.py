"""Melodies of lead sheets as the network that finds bars learns from them (train.fit.bars)."""

from collections.abc import Iterable

import numpy as np

from accomp.listen.bar_net import READINGS
from train.data.lead_sheets import LeadSheet
from train.fit.bars import Line, tidy

# By meter: which of READINGS it is, and the beats of a pulse.
METERS = {(4, 4): (0, 1.0), (2, 2): (0, 1.0), (3, 4): (1, 1.0), (6, 8): (2, 1.5), (12, 8): (3, 1.5)}
FINEST = 24  # parts of a beat to which onsets are rounded: some sheets' ticks were cut off


def lines_of(sheets: Iterable[LeadSheet], split: str, least: int) -> list[Line]:
    """Return the melodies of a split whose bars the network knows.

    Args:
        sheets: Lead sheets.
        split: "train", "val" or "test".
        least: Notes of a melody.
    """
    found = [_line_of(sheet) for sheet in sheets if sheet.split == split and not sheet.is_mixed]
    return [line for line in found if line and len(line.pitch) >= least]


def _line_of(sheet: LeadSheet) -> Line | None:
    notes, meter = sheet.score.tracks[0].notes, sheet.score.meters[0]
    if not notes or meter[1:] not in METERS:
        return None
    reading, beats = METERS[meter[1:]]
    pitch, onset, duration = (np.array([note[i] for note in notes], float) for i in (0, 1, 2))
    onset = np.round(onset * FINEST) / FINEST / beats
    line = tidy(Line(reading, pitch.astype(int), onset, duration / beats))
    # From the first bar that sounds on.
    bar = READINGS[reading].pulses
    return line._replace(onset=line.onset - line.onset[0] // bar * bar)
