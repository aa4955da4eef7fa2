"""Find the pulses of a recording from its notes.

People who hum keep the tempo roughly, may begin with a pickup, and come early or late. A Viterbi
search over times and periods finds where pulses may be. accomp.listen.bars decides which of these
they are, and which of them begin a bar.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solveh_banded

from accomp.errors import MusicError
from accomp.listen.bars import BarSettings, Pulses, find_bars
from accomp.listen.beat_grid import (
    BeatGrid,
    PulseSettings,
    SungNote,
    checked_notes,
    interpolate,
)
from accomp.music.score import is_compound
from accomp.music.timing import check_meter
from accomp.sound.accepted import MAX_SECONDS

FRAME = 0.01  # seconds; a pulse period is a whole number of frames while pulses are searched
Places = Iterable[tuple[float, float]]  # places in a pulse, and the share of notes on each


@dataclass(frozen=True)
class BeatSettings:
    """How pulses are searched."""

    # Pulses per minute between which people tap (Parncutt 1994: 0.3 to 1.2 s).
    tap_tempi: tuple[float, float] = (50.0, 200.0)
    asked_tempi: tuple[float, float] = (20.0, 400.0)  # pulses per minute that the user may give
    asked_spread: float = 0.1  # octaves, standard deviation of the tempo from one that was given
    # Factor by which the tempo may leave one that was given: drift, and a user who rounds.
    asked_reach: float = 1.15
    # Pulses per minute and octaves: tapped tempi are spread log-normally, or nearly so (van Noorden
    # & Moelants 1999).
    usual_tempo: float = 104.0
    tempo_spread: float = 0.35
    stray: float = 0.1  # share of notes that have no place: too late, or missing
    # Standard deviation of the log period's change from pulse to pulse: drift, and rounding to
    # frames; and the largest such change, in frames.
    change: float = 0.012
    change_frames: int = 3
    thirds_cost: float = 2.5  # nats for a pulse of three: most melodies have few
    usual_notes: int = 10  # a tune of that many notes has shares half its own
    rounds: int = 3  # of re-estimating them
    # Of the density of the notes when pulses are compared (see _candidates); fitted with the
    # weights of accomp.listen.bars.
    times_weigh: float = 0.125
    # Seconds, standard deviation of a period's change when the pulses are laid through the notes:
    # 1 % of 0.6 s.
    smooth_change: float = 0.006
    pulses: PulseSettings = PulseSettings()
    bars: BarSettings = BarSettings()

    def places(self, thirds: bool) -> tuple[tuple[float, float], ...]:
        """Return the places of notes in a pulse of three or of four parts, with their shares."""
        return self.pulses.thirds if thirds else self.pulses.fourths


def find_beats(
    notes: Iterable[SungNote],
    *,
    tempo: float | None = None,
    downbeat: float | None = None,
    meter: tuple[int, int] | None = None,
    settings: BeatSettings = BeatSettings(),
) -> BeatGrid:
    """Find the pulses and bars of a recording's notes; what is given is kept to.

    Args:
        notes: Of the recording.
        tempo: Pulses per minute.
        downbeat: Seconds at which some bar begins.
        meter: Numerator and denominator.
        settings: How pulses and bars are searched.

    Raises:
        MusicError: The notes cannot be a melody's, or something given is out of range.
    """
    melody = checked_notes(notes, settings.pulses)
    check_given(tempo, downbeat, meter, settings)
    found = find_pulses(melody, tempo, meter, settings)
    return find_bars(melody, found, downbeat, meter, settings.bars)


def find_pulses(
    melody: list[SungNote],
    tempo: float | None = None,
    meter: tuple[int, int] | None = None,
    settings: BeatSettings = BeatSettings(),
) -> list[Pulses]:
    """Find the pulses on which a melody may lie.

    Args:
        melody: In the order of its onsets.
        tempo: Pulses per minute, if known.
        meter: Numerator and denominator, if known.
        settings: How pulses are searched.
    """
    onsets = np.array([note.onset for note in melody])
    if len(melody) == 1:  # nothing to measure: a bar at the usual tempo
        parts = 3 if meter and is_compound(*meter) else 4
        times = onsets[0] + np.arange(5) * 60 / (tempo or settings.usual_tempo)
        found = [Pulses(times, parts, 0.0)]
    else:
        found = _candidates(onsets, tempo, meter, settings)
    last, early = max(note.offset for note in melody), settings.pulses.early
    return [
        pulses._replace(times=_covering(pulses.times, onsets[0], last, early)) for pulses in found
    ]


def check_given(
    tempo: float | None,
    downbeat: float | None,
    meter: tuple[int, int] | None,
    settings: BeatSettings = BeatSettings(),
) -> None:
    """Check what is given of a recording's beats, as `find_beats` takes it.

    Args:
        tempo: Pulses per minute.
        downbeat: Seconds at which some bar begins.
        meter: Numerator and denominator.
        settings: Which tempi are accepted.

    Raises:
        MusicError: Something is out of range.
    """
    low, high = settings.asked_tempi
    if tempo is not None and not low <= tempo <= high:
        raise MusicError(f"the tempo is {tempo:g}; accepted: {low:g} to {high:g} pulses per minute")
    if downbeat is not None and not abs(downbeat) <= MAX_SECONDS:
        raise MusicError(f"the downbeat is at {downbeat:g} s; accepted: seconds of the recording")
    if meter is not None:
        check_meter(meter)


def _log_density(
    part: np.ndarray, period: float | np.ndarray, places: Places, settings: BeatSettings
) -> np.ndarray:
    """Return the log density of onsets at these parts of a pulse, relative to an even one.

    Args:
        part: Parts of the pulse that have passed, 0 to 1.
        period: Seconds that the pulse lasts.
        places: Where notes lie in a pulse.
        settings: How many have no place.
    """
    jitter = settings.pulses.jitter
    density = np.full(np.shape(part), settings.stray)
    for place, share in places:
        distance = ((part - place + 0.5) % 1 - 0.5) * period / jitter
        density += (
            (1 - settings.stray)
            * share
            * np.exp(-0.5 * distance**2)
            * period
            / (jitter * np.sqrt(2 * np.pi))
        )
    return np.log(density)


def _pulse_scores(
    onsets: np.ndarray, length: int, periods: np.ndarray, thirds: bool, settings: BeatSettings
) -> np.ndarray:
    """Return the log density of the notes within the pulse that ends at each frame.

    Args:
        onsets: [n] frames.
        length: Number of frames.
        periods: [periods] frames.
        thirds: Whether all pulses have three parts; else few have.
        settings: Where notes lie in a pulse.

    Returns:
        [periods, length] float32.
    """
    scores = np.zeros((len(periods), length), np.float32)
    for row, period in enumerate(periods):
        ends = (onsets[:, None] + period - np.arange(period)).ravel()
        part = np.arange(period) / period
        of_four, of_three = (
            np.bincount(
                ends,
                np.tile(_log_density(part, period * FRAME, places, settings), len(onsets)),
                length,
            )
            for places in (settings.pulses.fourths, settings.pulses.thirds)
        )
        scores[row] = of_three if thirds else np.maximum(of_four, of_three - settings.thirds_cost)
    return scores


def _search(
    onsets: np.ndarray, periods: np.ndarray, thirds: bool, settings: BeatSettings
) -> tuple[np.ndarray, Callable[[int], np.ndarray]]:
    """Search for pulses whose period changes slowly, by Viterbi's algorithm.

    A pulse that ends at a frame began at least the shortest period before, so that many frames are
    searched at once.

    Args:
        onsets: [n] frames from periods[-1] on.
        periods: [P] frames, rising by one.
        thirds: Whether all pulses have three parts.
        settings: How fast the period may change.

    Returns:
        [P] the log density of the best pulses that end with each period, and a function from the
        index of a period to its pulses in frames.
    """
    length, first, last = onsets[-1] + periods[-1] + 1, onsets[0], onsets[-1]
    scores = _pulse_scores(onsets, length, periods, thirds, settings)
    best, back = np.full_like(scores, -np.inf), np.full(scores.shape, -1, np.int8)
    before, change = _changes(periods, settings)
    for frame in range(periods[0], length, periods[0]):
        frames = np.arange(frame, min(frame + periods[0], length))
        start = frames - periods[:, None]
        began = best[before[:, :, None], np.maximum(start, 0)[:, None]]
        reached = began + change[:, :, None]  # [P, C, frames]
        choice = reached.argmax(1)
        reached = np.take_along_axis(reached, choice[:, None], 1)[:, 0]
        reached = np.where(start < 0, -np.inf, reached)
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


def _changes(periods: np.ndarray, settings: BeatSettings) -> tuple[np.ndarray, np.ndarray]:
    """Return [P, C] the index of each period that may come before, and its log density."""
    most = settings.change_frames
    before = np.arange(len(periods))[:, None] + np.arange(-most, most + 1)
    outside = (before < 0) | (before >= len(periods))
    before = np.clip(before, 0, len(periods) - 1)
    change = -0.5 * (np.log(periods[before] / periods[:, None]) / settings.change) ** 2
    return before, np.where(outside, -np.inf, change).astype(np.float32)


def _candidates(
    onsets: np.ndarray,
    tempo: float | None,
    meter: tuple[int, int] | None,
    settings: BeatSettings,
) -> list[Pulses]:
    """Return the likeliest pulses of four and of three parts.

    Those of half and double their tempo are among them, too.

    The density of the notes speaks for a grid as coarse as they allow, note after note, as if how
    fast songs are written down were known; so it weighs little when pulses are compared, beside the
    usual tempo and what accomp.listen.bars finds.
    """
    slow, fast = settings.tap_tempi
    center, spread = settings.usual_tempo, settings.tempo_spread
    if tempo:
        slow, fast = tempo / settings.asked_reach, tempo * settings.asked_reach
        center, spread = tempo, settings.asked_spread
    periods = np.arange(int(60 / fast / FRAME), int(np.ceil(60 / slow / FRAME)) + 1)
    frames = np.rint((onsets - onsets[0]) / FRAME).astype(int) + periods[-1]
    tempi = 60 / (periods * FRAME)
    prior = -0.5 * (np.log2(tempi / center) / spread) ** 2
    # Pulses of three are looked for throughout (swing, compound meters) and, as exceptions, among
    # those of four.
    kinds = (False, True)
    if meter and (is_compound(*meter) or meter[0] % 2):
        kinds = (is_compound(*meter),)
    found = []
    for thirds in kinds:
        fit, pulses_of = _search(frames, periods, thirds, settings)
        for index in _octaves(fit + prior, tempi):
            pulses = (pulses_of(index) - periods[-1]) * FRAME + onsets[0]
            for _ in range(3):
                pulses = _through(onsets, pulses, thirds, settings)
            density = _density(onsets, pulses, thirds, settings)
            likely = prior[index] + settings.times_weigh * density
            found.append(Pulses(pulses, 3 if thirds else 4, float(likely)))
    return found


def _octaves(likely: np.ndarray, tempi: np.ndarray) -> list[int]:
    """Return the index of the likeliest tempo, and of those about half and twice as fast."""
    octave = np.log2(tempi / tempi[likely.argmax()])
    found = []
    for near in (0, 1, -1):
        among = np.flatnonzero((np.abs(octave - near) < 0.08) & np.isfinite(likely))
        found += [among[likely[among].argmax()]] if len(among) else []
    return found


def _density(onsets: np.ndarray, pulses: np.ndarray, thirds: bool, settings: BeatSettings) -> float:
    """Return the log density of the onsets in pulses of three or of four parts.

    It is relative to an even one, by where in the pulses this tune's notes lie, which is
    re-estimated (expectation maximisation).
    """
    index, part = _parts(onsets, pulses)
    period = np.diff(pulses)[index]
    usual = settings.places(thirds)
    shares = prior = np.array([share for _, share in usual])
    for _ in range(settings.rounds):
        each = np.array(
            [
                np.exp(_log_density(part, period, [(place, share)], settings)) - settings.stray
                for (place, _), share in zip(usual, shares)
            ]
        )
        shares = (each / (each.sum(0) + settings.stray)).sum(1) + settings.usual_notes * prior
        shares = shares / shares.sum()
    places = [(place, share) for (place, _), share in zip(usual, shares)]
    density = _log_density(part, period, places, settings).sum()
    return float(density + settings.usual_notes * (prior * np.log(shares / prior)).sum())


def _parts(onsets: np.ndarray, pulses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return [n] the index of each onset's pulse, and the part of it that has passed."""
    position = interpolate(onsets, pulses, np.arange(len(pulses), dtype=float))
    index = np.clip(position.astype(int), 0, len(pulses) - 2)
    return index, position - index


def _through(
    onsets: np.ndarray, pulses: np.ndarray, thirds: bool, settings: BeatSettings
) -> np.ndarray:
    """Move pulses so that the notes' places meet the onsets and the period changes little.

    Least squares, with strays weighing less (Whittaker 1923 smooths so; weights as of a Cauchy
    distribution). pulses: [pulses] seconds.
    """
    jitter = settings.pulses.jitter
    index, passed = _parts(onsets, pulses)
    places = np.array([place for place, _ in settings.places(thirds)] + [1.0])
    part = places[np.abs(passed[:, None] - places).argmin(1)]
    error = (passed - part) * (pulses[index + 1] - pulses[index])
    weight = 1 / jitter**2 / (1 + (error / jitter) ** 2)
    bands = np.zeros((3, len(pulses)))  # of the symmetric matrix: its diagonal and the two below it
    np.add.at(bands[0], index, weight * (1 - part) ** 2)
    np.add.at(bands[0], index + 1, weight * part**2)
    np.add.at(bands[1], index, weight * part * (1 - part))
    right = np.bincount(index, weight * (1 - part) * onsets, len(pulses)) + np.bincount(
        index + 1, weight * part * onsets, len(pulses)
    )
    for a, b, value in ((0, 0, 1), (1, 1, 4), (2, 2, 1), (0, 1, -2), (1, 2, -2), (0, 2, 1)):
        bands[b - a, a : len(pulses) - 2 + a] += value / settings.smooth_change**2
    return solveh_banded(bands, right, lower=True)


def _covering(pulses: np.ndarray, first: float, last: float, early: float) -> np.ndarray:
    """Return [pulses] from the one at or before `first` to the one after `last`.

    The tempo goes on at both ends.
    """
    index = np.arange(len(pulses), dtype=float)
    start = int(np.floor(interpolate(np.array(first), pulses, index) + early))
    end = max(int(np.ceil(interpolate(np.array(last), pulses, index))), start + 1)
    return interpolate(np.arange(start, end + 1.0), index, pulses)
