"""Where a melody returns: the places that may share a chord."""

import numpy as np

from accomp.band.form import Form
from accomp.band.lead import Lead
from accomp.errors import MusicError
from accomp.roll.grid import BLOCK_HALF_BARS


def returning_places(form: Form, lead: Lead, beat: float) -> list[float]:
    """Return the beats of the other half bars at which the melody is as it is at a beat.

    They are those of blocks that have one accompaniment (`Form.source`).

    Args:
        form: The melody's phrases.
        lead: The melody.
        beat: A place in it.

    Raises:
        MusicError: The beat is outside of the melody.
    """
    beats, end = lead.grid.half_bar_beats, float(lead.track.end)
    if not beats[0] - 1e-6 <= beat < end:
        raise MusicError(f"the beat is {beat:g}; accepted: {beats[0]:g} to {end:g}")
    here = int(np.searchsorted(beats, beat + 1e-6)) - 1
    block, place = divmod(here, BLOCK_HALF_BARS)
    first = np.where(form.source >= 0, form.source, np.arange(len(form.source)))
    alike = np.flatnonzero(first == first[block]) * BLOCK_HALF_BARS + place
    width = np.diff([*beats, lead.grid.beats[-1]])
    return [
        float(beats[half_bar])
        for half_bar in alike
        if half_bar != here and width[half_bar] > 0 and beats[half_bar] < end - 1e-6
    ]
