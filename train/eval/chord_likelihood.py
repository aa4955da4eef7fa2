"""How likely the real chords of a song are to a planner."""

from accomp.band.accompanist import Accompanist
from accomp.band.chords import hear
from accomp.band.form import Form
from accomp.band.lead import Lead
from accomp.band.options import Options
from accomp.models.plan_search import triad_logs
from train.eval.chord_songs import Song
from train.metrics.chord_places import Units, on_units
from train.metrics.chords import Count


def likelihood(model: Accompanist, song: Song) -> Count:
    """Sum the log probabilities of the real triads, in nats, over the units of the planner.

    They are those from the melody alone, with no other chord known.

    Args:
        model: With a planner.
        song: Its melody is heard without phrases.
    """
    lead = Lead.of(song.melody)
    planning = hear(model, song.melody, lead, Form.bare(lead.grid.blocks), Options(form=False))
    logs = triad_logs(planning.search.alone).numpy()
    onsets = lead.grid.half_bar_beats[planning.units.half_bars]
    units = Units.between(onsets, song.melody.tracks[0].end, 4.0)
    known = song.sheet.units
    spans = list(zip(known.onsets, known.ends, song.sheet.readings))
    real = on_units([span for span in spans if span[2]], units)
    total = Count(0, 0)
    for row, readings, half_bar in zip(logs, real, planning.units.half_bars):
        if readings:
            lower = -lead.shift - int(lead.moved[half_bar])
            total += Count(float(row[readings[0].transposed(lower).triad]), 1)
    return total
