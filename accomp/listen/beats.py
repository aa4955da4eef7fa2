"""From the notes of a recording to its pulses.

Somebody who hums keeps the tempo roughly, begins with a pickup, and comes early or late. Where pulses may be, a Viterbi search
over their times and periods finds; which of these they are, and which of them begin a bar, accomp.listen.bars.
"""

from collections.abc import Callable

import numpy as np
from scipy.linalg import solveh_banded

from accomp.errors import MusicError
from accomp.listen.bars import Pulses, find_bars
from accomp.listen.beat_grid import EARLY, BeatGrid, checked, interpolate
from accomp.music.score import is_compound
from accomp.music.timing import check_meter

FRAME = 0.01  # s; a pulse period is a whole number of frames while pulses are searched
SLOWEST, FASTEST = (
    50.0,
    200.0,
)  # pulses a minute between which people tap (Parncutt 1994: 0.3 to 1.2 s)
OVERRIDES = 20.0, 400.0  # pulses a minute that may be asked for
OVERRIDE_SPREAD = 0.1  # octaves, standard deviation of the tempo from one that was asked for
OVERRIDE_REACH = (
    1.15  # by which factor the tempo may leave one that was asked for: drift, and a user who rounds
)
# Pulses a minute and octaves: tapped tempi are spread log-normally, or nearly so (van Noorden & Moelants 1999).
USUAL_TEMPO, TEMPO_SPREAD = 104.0, 0.35
JITTER = (
    0.025  # s, standard deviation of an onset from its place: singers' own and the transcription's
)
STRAY = 0.1  # share of notes that have no place: too late, or not sung at all
CHANGE = 0.012  # standard deviation of the log period's change from pulse to pulse: drift, and rounding to frames
CHANGE_FRAMES = 3  # largest such change
THIRDS_COST = 2.5  # nats for a pulse of three: most melodies have few
USUAL_NOTES, ROUNDS = (
    10,
    3,
)  # a tune of that many notes has shares half its own; rounds of re-estimating them
TIMES_WEIGH = 0.125  # of the density of the notes when pulses are compared (see _candidates); fitted with those of accomp.listen.bars

# Share of notes that begin on each place of a pulse. Of four: melodies of POP909's training songs (Wang et al. 2020), 4,337
# excerpts. Of three: swung and compound tunes, where the middle third is rare.
FOURTHS = ((0.0, 0.42), (0.25, 0.09), (0.5, 0.35), (0.75, 0.14))
THIRDS = ((0.0, 0.5), (1 / 3, 0.15), (2 / 3, 0.35))

SMOOTH_CHANGE = 0.006  # s, standard deviation of a period's change when the pulses are laid through the notes: 1 % of 0.6 s


def find_beats(
    notes,
    *,
    tempo: float | None = None,
    downbeat: float | None = None,
    meter: tuple[int, int] | None = None,
) -> BeatGrid:
    """The pulses and bars of a recording's notes. tempo: pulses a minute; downbeat: seconds at which some bar begins;
    meter: numerator and denominator. What is given is kept to. Raises MusicError for notes that are no melody's.
    """
    heard = checked(notes)
    _check_overrides(tempo, meter)
    onsets = np.array([note.onset for note in heard])
    if len(heard) == 1:  # nothing to measure: a bar at the usual tempo
        parts = 3 if meter and is_compound(*meter) else 4
        found = [Pulses(onsets[0] + np.arange(5) * 60 / (tempo or USUAL_TEMPO), parts, 0.0)]
    else:
        found = _candidates(onsets, tempo, meter)
    last = max(note.offset for note in heard)
    found = [pulses._replace(times=_cover(pulses.times, onsets[0], last)) for pulses in found]
    return find_bars(heard, found, downbeat, meter)


def _check_overrides(tempo: float | None, meter: tuple[int, int] | None) -> None:
    if tempo is not None and not OVERRIDES[0] <= tempo <= OVERRIDES[1]:
        raise MusicError(
            f"a tempo of {tempo:g} was asked for; {OVERRIDES[0]:g} to {OVERRIDES[1]:g} pulses a minute are accepted"
        )
    if meter is not None:
        check_meter(meter)


def _log_density(part: np.ndarray, period, places) -> np.ndarray:
    """Log density, relative to an even one, of onsets at these parts of a pulse (0 to 1) that lasts `period` seconds."""
    density = np.full(np.shape(part), STRAY)
    for place, share in places:
        distance = ((part - place + 0.5) % 1 - 0.5) * period / JITTER
        density += (
            (1 - STRAY)
            * share
            * np.exp(-0.5 * distance**2)
            * period
            / (JITTER * np.sqrt(2 * np.pi))
        )
    return np.log(density)


def _pulse_scores(onsets: np.ndarray, length: int, periods: np.ndarray, thirds: bool) -> np.ndarray:
    """[periods, length] log density of the notes within the pulse that ends at each frame. onsets: [n] frames; thirds: whether
    all pulses have three parts; else few have.
    """
    scores = np.zeros((len(periods), length), np.float32)
    for row, period in enumerate(periods):
        ends, part = (
            (onsets[:, None] + period - np.arange(period)).ravel(),
            np.arange(period) / period,
        )
        of_four, of_three = (
            np.bincount(
                ends, np.tile(_log_density(part, period * FRAME, places), len(onsets)), length
            )
            for places in (FOURTHS, THIRDS)
        )
        scores[row] = of_three if thirds else np.maximum(of_four, of_three - THIRDS_COST)
    return scores


def _search(
    onsets: np.ndarray, periods: np.ndarray, thirds: bool
) -> tuple[np.ndarray, Callable[[int], np.ndarray]]:
    """Viterbi search for pulses whose period changes slowly. onsets: [n] frames from periods[-1] on; periods: [P] rising by one.

    Returns [P] the log density of the best pulses that end with each period, and a function from one of them to its pulses in
    frames. A pulse that ends at a frame began at least the shortest period before, so that many frames are searched at once.
    """
    length, first, last = onsets[-1] + periods[-1] + 1, onsets[0], onsets[-1]
    scores = _pulse_scores(onsets, length, periods, thirds)
    best, back = np.full_like(scores, -np.inf), np.full(scores.shape, -1, np.int8)
    before = np.arange(len(periods))[:, None] + np.arange(
        -CHANGE_FRAMES, CHANGE_FRAMES + 1
    )  # [P, C] index of the period before
    outside = (before < 0) | (before >= len(periods))
    before = np.clip(before, 0, len(periods) - 1)
    change = -0.5 * (np.log(periods[before] / periods[:, None]) / CHANGE) ** 2
    change = np.where(outside, -np.inf, change).astype(np.float32)
    for frame in range(periods[0], length, periods[0]):
        frames = np.arange(frame, min(frame + periods[0], length))
        start = frames - periods[:, None]
        reached = (
            best[before[:, :, None], np.maximum(start, 0)[:, None]] + change[:, :, None]
        )  # [P, C, frames]
        choice = reached.argmax(1)
        reached = np.where(
            start < 0, -np.inf, np.take_along_axis(reached, choice[:, None], 1)[:, 0]
        )
        opens = (start >= 0) & (start <= first) & (reached < 0)
        best[:, frames] = np.where(opens, 0, reached) + scores[:, frames]
        back[:, frames] = np.where(opens, -1, choice)
    ends = np.arange(last + 1, length)
    final = np.where(ends - periods[:, None] <= last, best[:, ends], -np.inf)

    def pulses(index: int) -> np.ndarray:
        found = [last + 1 + int(final[index].argmax())]
        while True:
            choice = back[index, found[-1]]
            found.append(found[-1] - int(periods[index]))
            if choice < 0:
                return np.array(found[::-1])
            index = before[index, choice]

    return final.max(1), pulses


def _candidates(
    onsets: np.ndarray, tempo: float | None, meter: tuple[int, int] | None
) -> list[Pulses]:
    """The likeliest pulses of four and of three parts, and those of half and of double their tempo.

    The density of the notes speaks for a grid as coarse as they allow, note after note, as if how fast songs are written down
    were known; so it weighs little when pulses are compared, beside the usual tempo and what accomp.listen.bars hears.
    """
    slow, fast = (tempo / OVERRIDE_REACH, tempo * OVERRIDE_REACH) if tempo else (SLOWEST, FASTEST)
    periods = np.arange(int(60 / fast / FRAME), int(np.ceil(60 / slow / FRAME)) + 1)
    frames = np.rint((onsets - onsets[0]) / FRAME).astype(int) + periods[-1]
    tempi = 60 / (periods * FRAME)
    center, spread = (tempo, OVERRIDE_SPREAD) if tempo else (USUAL_TEMPO, TEMPO_SPREAD)
    prior = -0.5 * (np.log2(tempi / center) / spread) ** 2
    # Pulses of three are looked for throughout (swing, compound meters) and, as exceptions, among those of four.
    kinds = (False, True)
    if meter and (is_compound(*meter) or meter[0] % 2):
        kinds = (is_compound(*meter),)
    found = []
    for thirds in kinds:
        fit, pulses_of = _search(frames, periods, thirds)
        for index in _octaves(fit + prior, tempi):
            pulses = (pulses_of(index) - periods[-1]) * FRAME + onsets[0]
            for _ in range(3):
                pulses = _through(onsets, pulses, thirds)
            likely = prior[index] + TIMES_WEIGH * _density(onsets, pulses, thirds)
            found.append(Pulses(pulses, 3 if thirds else 4, float(likely)))
    return found


def _octaves(likely: np.ndarray, tempi: np.ndarray) -> list[int]:
    """Index of the likeliest tempo, and of the likeliest ones about half and twice as fast."""
    octave = np.log2(tempi / tempi[likely.argmax()])
    found = []
    for near in (0, 1, -1):
        among = np.flatnonzero((np.abs(octave - near) < 0.08) & np.isfinite(likely))
        found += [among[likely[among].argmax()]] if len(among) else []
    return found


def _density(onsets: np.ndarray, pulses: np.ndarray, thirds: bool) -> float:
    """Log density of the onsets, relative to an even one, in pulses of three or of four parts: by where in them this tune's notes
    lie, which is re-estimated (expectation maximisation).
    """
    index, part = _parts(onsets, pulses)
    period = np.diff(pulses)[index]
    usual = THIRDS if thirds else FOURTHS
    shares = prior = np.array([share for _, share in usual])
    for _ in range(ROUNDS):
        each = np.array(
            [
                np.exp(_log_density(part, period, [(place, share)])) - STRAY
                for (place, _), share in zip(usual, shares)
            ]
        )
        shares = (each / (each.sum(0) + STRAY)).sum(1) + USUAL_NOTES * prior
        shares = shares / shares.sum()
    density = _log_density(
        part, period, [(place, share) for (place, _), share in zip(usual, shares)]
    ).sum()
    return float(density + USUAL_NOTES * (prior * np.log(shares / prior)).sum())


def _parts(onsets: np.ndarray, pulses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[n] index of the pulse in which each onset lies, and the part of it that has passed."""
    position = interpolate(onsets, pulses, np.arange(len(pulses), dtype=float))
    index = np.clip(position.astype(int), 0, len(pulses) - 2)
    return index, position - index


def _through(onsets: np.ndarray, pulses: np.ndarray, thirds: bool) -> np.ndarray:
    """[pulses] s moved so that the notes' places meet the onsets and the period changes little: least squares, with strays
    weighing less (Whittaker 1923 smooths so; weights as of a Cauchy distribution).
    """
    index, passed = _parts(onsets, pulses)
    places = np.array([place for place, _ in (THIRDS if thirds else FOURTHS)] + [1.0])
    part = places[np.abs(passed[:, None] - places).argmin(1)]
    error = (passed - part) * (pulses[index + 1] - pulses[index])
    weight = 1 / JITTER**2 / (1 + (error / JITTER) ** 2)
    bands = np.zeros((3, len(pulses)))  # of the symmetric matrix: its diagonal and the two below it
    np.add.at(bands[0], index, weight * (1 - part) ** 2)
    np.add.at(bands[0], index + 1, weight * part**2)
    np.add.at(bands[1], index, weight * part * (1 - part))
    right = np.bincount(index, weight * (1 - part) * onsets, len(pulses)) + np.bincount(
        index + 1, weight * part * onsets, len(pulses)
    )
    for a, b, value in ((0, 0, 1), (1, 1, 4), (2, 2, 1), (0, 1, -2), (1, 2, -2), (0, 2, 1)):
        bands[b - a, a : len(pulses) - 2 + a] += value / SMOOTH_CHANGE**2
    return solveh_banded(bands, right, lower=True)


def _cover(pulses: np.ndarray, first: float, last: float) -> np.ndarray:
    """[pulses] from the one at or before `first` to the one after `last`, the tempo going on at both ends."""
    index = np.arange(len(pulses), dtype=float)
    start = int(np.floor(interpolate(np.array(first), pulses, index) + EARLY))
    end = max(int(np.ceil(interpolate(np.array(last), pulses, index))), start + 1)
    return interpolate(np.arange(start, end + 1.0), index, pulses)
