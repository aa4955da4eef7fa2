"""Put the notes of a recording on the places of its beat grid.

Which place of its pulse each note has is a Viterbi search over notes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from accomp.listen.beat_grid import BeatGrid, PulseSettings, SungNote, checked_notes
from accomp.music.score import Note, Score, Tempo, TimeSignature, Track

# Parts of a pulse in which places are counted: fourths are 6, thirds 8, thirty-seconds 3.
UNITS = 24


@dataclass(frozen=True)
class QuantiseSettings:
    """What places cost, and how long notes are held."""

    # Nats of places for notes too fast for fourths, beside the share of their division; the last
    # sixth is common in compound meters.
    fine: float = 5.0
    sixth: float = 3.5
    near: int = 12  # places that are tried for a note: half a pulse to both sides
    mixed: float = 4.0  # nats for both divisions in one pulse
    backward: float = 50.0  # nats for a note that does not come after the one before it
    # Share of the time between two onsets that may be silent without a rest being written: singers
    # breathe.
    legato: float = 0.25
    first_share: float = 0.1  # of notes off the pulse that lie on thirds, before it is measured
    usual_notes: int = 10  # a tune of that many notes off the pulse has a share half its own
    pulses: PulseSettings = PulseSettings()

    def places(self) -> list[tuple[int, int, float]]:
        """Return the places of a pulse on which notes are written.

        Each is a part of a pulse in units, the division that it belongs to (3 or 4, 0 for any),
        and its cost in nats beside the share of that division.
        """
        fourths = [
            (round(place * UNITS), 4 * (place not in (0, 0.5)), -np.log(share))
            for place, share in self.pulses.fourths
        ]
        thirds = [
            (round(place * UNITS), 3, -np.log(share)) for place, share in self.pulses.thirds[1:]
        ]
        finer = [(part, 4, self.fine) for part in (3, 9, 15, 21)]
        return sorted([*fourths, *thirds, *finer, (4, 3, self.fine), (20, 3, self.sixth)])


def quantise(
    notes: Iterable[SungNote],
    grid: BeatGrid,
    settings: QuantiseSettings = QuantiseSettings(),
) -> Score:
    """Write a recording's notes as a melody on the places of the grid's pulses.

    Places are fourths and thirds, and finer ones where needed. Each note has its own place and
    lasts until the next one at most. Swung eighths are thirds: the band swings as they do
    (accomp.models.feel).

    The tempo map follows the recording: `seconds` of a beat is its time in the recording plus
    `grid.offset`.
    """
    melody = checked_notes(notes, settings.pulses)
    lead = grid.lead[0] * UNITS
    position = grid.position([note.onset for note in melody])
    starts = _places(position, 60 / grid.tempo, settings)
    starts = _rising(np.maximum(starts, -lead))
    released = grid.position([note.offset for note in melody]) * UNITS
    ends = _ends(starts, released, settings.legato)
    scale = grid.pulse / UNITS
    written = [
        Note(int(note.pitch), (start + lead) * scale, (end - start) * scale, int(note.velocity))
        for note, start, end in zip(melody, starts.tolist(), ends.tolist())
    ]
    return Score([Track("Melody", notes=written)], _tempos(grid), [TimeSignature(0.0, *grid.meter)])


def _places(position: np.ndarray, period: float, settings: QuantiseSettings) -> np.ndarray:
    """Return [notes] the place of each note in units from the first bar line.

    position: [notes] pulses; period: seconds.
    """
    usual = settings.usual_notes
    share, units = settings.first_share, position
    for _ in range(2):
        units, division = _search_places(position * UNITS, period, share, settings)
        on_thirds, off_pulse = np.sum(division == 3), np.sum(division > 0)
        share = (on_thirds + usual * settings.first_share) / (off_pulse + usual)
    return units


def _search_places(
    position: np.ndarray, period: float, share: float, settings: QuantiseSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Search for places, by Viterbi's algorithm.

    Args:
        position: [notes] units.
        period: Seconds of a pulse.
        share: Of the notes off the pulse that are on thirds.
        settings: What places cost.

    Returns:
        [notes] places in units, and the division of each (0, 3 or 4).
    """
    part, division, cost = (np.array(column) for column in zip(*settings.places()))
    cost = cost - np.log(np.select([division == 3, division == 4], [share, 1 - share], 1.0))
    nearest = np.floor(position / UNITS) * len(part) + np.searchsorted(part, position % UNITS)
    near = settings.near
    places = nearest.astype(int)[:, None] + np.arange(-near // 2, near // 2)
    pulse, kind = places // len(part), places % len(part)
    units, divisions = pulse * UNITS + part[kind], division[kind]
    deviations = (units - position[:, None]) / UNITS * period / settings.pulses.jitter
    costs = 0.5 * deviations**2 + cost[kind]
    total, back = costs[0], np.zeros(places.shape, int)
    for i in range(1, len(places)):
        both = divisions[i - 1][:, None] * divisions[i] == 12
        mixed = (pulse[i - 1][:, None] == pulse[i]) & both
        backward = units[i - 1][:, None] >= units[i]
        reached = total[:, None] + settings.backward * backward + settings.mixed * mixed
        back[i] = reached.argmin(0)
        total = reached[back[i], np.arange(near)] + costs[i]
    chosen = [int(total.argmin())]
    for i in range(len(places) - 1, 0, -1):
        chosen.append(int(back[i, chosen[-1]]))
    rows = np.arange(len(places)), np.array(chosen[::-1])
    return units[rows], divisions[rows]


def _rising(units: np.ndarray) -> np.ndarray:
    """Make each at least one more than the one before."""
    index = np.arange(len(units))
    return np.maximum.accumulate(units - index) + index


def _ends(starts: np.ndarray, released: np.ndarray, legato: float) -> np.ndarray:
    """Return where notes that begin at `starts` and are released at `released` end, in units."""
    grain = np.where((starts % 8 == 0) & (starts % 6 > 0), 8, 6)
    following = np.append(starts[1:], np.iinfo(int).max // 2)
    ends = np.maximum(np.rint(released / grain).astype(int) * grain, starts + grain)
    is_legato = following - released <= legato * (following - starts)
    return np.where(is_legato, following, np.minimum(ends, following))


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
