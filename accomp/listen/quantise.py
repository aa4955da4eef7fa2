"""The notes of a recording on the places of its beat grid, and back: which place of its pulse each note has is a Viterbi search
over notes.
"""

import numpy as np

from accomp.listen.beat_grid import BeatGrid, SungNote, checked
from accomp.listen.beats import FOURTHS, JITTER, THIRDS
from accomp.music.score import Note, Score, Tempo, TimeSignature, Track

UNITS = (
    24  # parts of a pulse in which places are counted: fourths are 6, thirds 8, thirty-seconds 3
)
# Parts of a pulse (in units) on which notes are written, which division each belongs to (0: any), and its cost in nats beside the
# share of that division. The finer ones are for notes too fast for fourths.
FINE, SIXTH = 5.0, 3.5  # the last sixth is common in compound meters
PLACE_COSTS = (
    [
        (round(place * UNITS), 4 * (place not in (0, 0.5)), -np.log(share))
        for place, share in FOURTHS
    ]
    + [(round(place * UNITS), 3, -np.log(share)) for place, share in THIRDS[1:]]
    + [(part, 4, FINE) for part in (3, 9, 15, 21)]
    + [(4, 3, FINE), (20, 3, SIXTH)]
)
NEAR = 12  # places that are tried for a note: half a pulse to both sides
MIXED = 4.0  # nats for both divisions in one pulse
BACKWARD = 50.0  # nats for a note that doesn't come after the one before it
LEGATO = 0.25  # share of the time between two onsets that may be silent without a rest being written: singers breathe
FIRST_SHARE = 0.1  # of notes off the pulse that lie on thirds, before it is measured


def quantise(notes, grid: BeatGrid) -> Score:
    """A recording's notes as a melody on the places of the grid's pulses: fourths and thirds (and finer ones where needed),
    each note on its own place, until the next one at most. Swung eighths are thirds: the band swings as they do (feel.py).

    The tempo map follows the recording: `seconds` of a beat is its time in the recording plus `grid.offset`.
    """
    heard = checked(notes)
    lead = grid.lead[0] * UNITS
    starts = _places(grid.position([note.onset for note in heard]), 60 / grid.tempo)
    starts = _rising(np.maximum(starts, -lead))
    ends = _ends(starts, grid.position([note.offset for note in heard]) * UNITS)
    scale = grid.pulse / UNITS
    written = [
        Note(int(note.pitch), (start + lead) * scale, (end - start) * scale, int(note.velocity))
        for note, start, end in zip(heard, starts.tolist(), ends.tolist())
    ]
    return Score([Track("Melody", notes=written)], _tempos(grid), [TimeSignature(0.0, *grid.meter)])


def perform(score: Score, grid: BeatGrid) -> list[SungNote]:
    """The opposite of `quantise`: a score's notes at their time in the recording."""
    notes = [note for track in score.tracks for note in track.notes]
    starts = score.seconds([note.onset for note in notes]) - grid.offset
    ends = score.seconds([note.end for note in notes]) - grid.offset
    return [
        SungNote(note.pitch, start, end, note.velocity)
        for note, start, end in zip(notes, starts.tolist(), ends.tolist())
    ]


def _places(position: np.ndarray, period: float) -> np.ndarray:
    """[notes] the place of each note in units from the first bar line. position: [notes] pulses; period: s."""
    share = FIRST_SHARE
    for _ in range(2):
        units, division = _search_places(position * UNITS, period, share)
        share = (np.sum(division == 3) + 10 * FIRST_SHARE) / (np.sum(division > 0) + 10)
    return units


def _search_places(
    position: np.ndarray, period: float, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Viterbi search for [notes] places in units, and the division of each (0, 3 or 4), when `share` of the notes off the pulse
    are on thirds. position: [notes] units.
    """
    part, division, cost = (np.array(column) for column in zip(*sorted(PLACE_COSTS)))
    cost = cost - np.log(np.select([division == 3, division == 4], [share, 1 - share], 1.0))
    nearest = np.floor(position / UNITS) * len(part) + np.searchsorted(part, position % UNITS)
    places = nearest.astype(int)[:, None] + np.arange(-NEAR // 2, NEAR // 2)
    pulse, kind = places // len(part), places % len(part)
    units, divisions = pulse * UNITS + part[kind], division[kind]
    costs = 0.5 * ((units - position[:, None]) / UNITS * period / JITTER) ** 2 + cost[kind]
    total, back = costs[0], np.zeros(places.shape, int)
    for i in range(1, len(places)):
        mixed = (pulse[i - 1][:, None] == pulse[i]) & (
            divisions[i - 1][:, None] * divisions[i] == 12
        )
        reached = total[:, None] + BACKWARD * (units[i - 1][:, None] >= units[i]) + MIXED * mixed
        back[i] = reached.argmin(0)
        total = reached[back[i], np.arange(NEAR)] + costs[i]
    chosen = [int(total.argmin())]
    for i in range(len(places) - 1, 0, -1):
        chosen.append(int(back[i, chosen[-1]]))
    rows = np.arange(len(places)), np.array(chosen[::-1])
    return units[rows], divisions[rows]


def _rising(units: np.ndarray) -> np.ndarray:
    """Each at least one more than the one before."""
    index = np.arange(len(units))
    return np.maximum.accumulate(units - index) + index


def _ends(starts: np.ndarray, released: np.ndarray) -> np.ndarray:
    """[notes] where notes that begin at `starts` and are released at `released` end: all in units."""
    grain = np.where((starts % 8 == 0) & (starts % 6 > 0), 8, 6)
    following = np.append(starts[1:], np.iinfo(int).max // 2)
    ends = np.maximum(np.rint(released / grain).astype(int) * grain, starts + grain)
    return np.where(
        following - released <= LEGATO * (following - starts),
        following,
        np.minimum(ends, following),
    )


def _tempos(grid: BeatGrid) -> list[Tempo]:
    lead, offset = grid.lead
    own = grid.bar_pulses if grid.phase else 0
    seconds = grid.seconds(np.arange(-own, len(grid.times) - grid.phase)) + offset
    if lead > own:
        seconds = np.append(np.linspace(0, seconds[0], lead - own, endpoint=False), seconds)
    # Rounded at each pulse, so that errors don't add up.
    microseconds = np.diff(np.rint(seconds * 1e6))
    return [
        Tempo(i * grid.pulse, int(round(each / grid.pulse))) for i, each in enumerate(microseconds)
    ]
