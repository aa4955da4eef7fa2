"""Decide how the pulses of a melody make bars, and which pulses they are.

A network (accomp.listen.bar_net) compares all ways of counting.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from accomp.listen.bar_net import (
    READINGS,
    BarsNet,
    BarsNetConfig,
    bar_scores,
    lay_out,
    like_four,
)
from accomp.listen.beat_grid import (
    BeatGrid,
    Counting,
    PulseSettings,
    SungNote,
    count_alike,
    interpolate,
)
from accomp.models.files import load_network

FOLDER = Path(__file__).parents[1] / "data/listen"
BARS_CONFIG, BARS_WEIGHTS = "bars.json", "bars.safetensors"
# What speaks for a way of counting beside the network, by the names of the weights.
FEATURES = (
    "found",
    "between",
    "between_thirds",
    "repeats",
    "thirds",
    "swung",
    "waltz",
    "sixteenths",
)


@dataclass(frozen=True)
class BarSettings:
    """How ways of counting are compared.

    The weights, in nats, were fitted to performances of validation songs after the network
    (train.fit.bars_found).
    """

    network: float = 0.51  # for what the network says
    found: float = 1.41  # for how well the pulses fit the times of the notes
    between: float = 0.79  # for bars that begin between the pulses of four parts that were found
    # And of three parts: a swung bar begins on a beat. Chosen, as few of the performances swing; it
    # changes none of them.
    between_thirds: float = -1.0
    repeats: float = -0.04  # for how much the rhythm returns after one and after two bars
    # For pulses of three parts: every fifth of those performances has them, of what people sing
    # maybe every eighth, which makes -.61 of it.
    thirds: float = -0.85
    swung: float = 0.02  # for four pulses of three parts
    waltz: float = -0.33  # for 3/4
    sixteenths: float = -0.23  # for bars that begin with the second or fourth part of four
    looked_at: int = 40  # likeliest ways of counting among which others than the best are sought
    others: int = 3  # that are told at most
    unlikely: float = 0.01  # probability from which they are told, but for another meter
    folder: Path = FOLDER  # of the network
    pulses: PulseSettings = PulseSettings()

    @property
    def weights(self) -> np.ndarray:
        """Those of FEATURES."""
        return np.array([getattr(self, name) for name in FEATURES])


class Pulses(NamedTuple):
    """Pulses on which the notes may lie.

    Attributes:
        times: [pulses] seconds, from that of the first note to the one after the last.
        parts: 3 or 4, into which a pulse falls.
        likely: Log likelihood by the times of the notes alone, but for a constant.
    """

    times: np.ndarray
    parts: int
    likely: float


class Way(NamedTuple):
    """A way of counting. start: the pulse, or part of one, with which some bar begins."""

    likely: float
    pulses: Pulses
    meter: tuple[int, int]
    start: float


@cache
def load_bars_network(folder: Path = FOLDER) -> BarsNet:
    """Load the network of bars; ModelError where it is missing or damaged."""
    return load_network(
        folder,
        lambda values: BarsNet(BarsNetConfig(**values)),
        "network of bars",
        BARS_CONFIG,
        BARS_WEIGHTS,
    )


def find_bars(
    notes: list[SungNote],
    candidates: list[Pulses],
    downbeat: float | None,
    meter: tuple[int, int] | None,
    settings: BarSettings = BarSettings(),
) -> BeatGrid:
    """Choose the likeliest of the candidates, with its meter and bars.

    Pulses that were found off the beat are moved.

    Args:
        notes: Of the melody, in order.
        candidates: Pulses on which they may lie.
        downbeat: Seconds at which some bar begins, if known.
        meter: Numerator and denominator, if known.
        settings: How ways of counting are compared.
    """
    ways = [way for pulses in candidates for way in _ways(notes, pulses, downbeat, meter, settings)]
    ways = sorted(ways, key=lambda way: -way.likely)
    share = np.exp(np.array([way.likely for way in ways]) - ways[0].likely)
    share = share / share.sum()
    different: list[BeatGrid] = []  # those that count alike are one
    in_another = next((i for i, way in enumerate(ways) if way.meter != ways[0].meter), 0)
    for rank in dict.fromkeys([*range(min(settings.looked_at, len(ways))), in_another]):
        way, part = ways[rank], float(share[rank])
        grid = _grid(way, notes[0].onset, settings.pulses)
        index = next((i for i, one in enumerate(different) if count_alike(one, grid)), None)
        if index is None:
            different.append(replace(grid, confidence=part))
        else:
            one = different[index]
            different[index] = replace(one, confidence=one.confidence + part)
    return replace(different[0], others=_others(different, settings))


def _grid(way: Way, first_onset: float, settings: PulseSettings) -> BeatGrid:
    """Return the pulses of a way from that of the first note on.

    They may lie between the pulses that were found.
    """
    position = float(positions(way.pulses, first_onset))
    first = float(np.floor(position - way.start + settings.early)) + way.start
    index = np.arange(len(way.pulses.times))
    times = interpolate(np.arange(first, len(index) + 1), index, way.pulses.times)
    grid = BeatGrid(times, 0, way.meter)
    return replace(grid, phase=round(way.start - first) % grid.bar_pulses)


def _others(grids: list[BeatGrid], settings: BarSettings) -> tuple[Counting, ...]:
    """Return other ways of counting than the first, the likeliest first.

    The likeliest one in another meter is among them, however unlikely it is.
    """
    best, *rest = [grid.counting for grid in grids]
    rest = sorted(rest, key=lambda each: -each.likely)
    in_another = next((each for each in rest if each.meter != best.meter), None)
    others = [each for each in rest if each.likely >= settings.unlikely][: settings.others]
    if in_another and in_another not in others:
        others[settings.others - 1 :] = [in_another]
    return tuple(others)


def _ways(
    notes: list[SungNote],
    pulses: Pulses,
    downbeat: float | None,
    meter: tuple[int, int] | None,
    settings: BarSettings,
) -> list[Way]:
    """Return all ways of counting these pulses that agree with what is known."""
    pitch, onset, offset, *_ = (np.array(column) for column in zip(*notes))
    onset, offset, parts = positions(pulses, onset), positions(pulses, offset), pulses.parts
    network = load_bars_network(settings.folder)
    logits_of_readings = network.logits_of(lay_out(pitch, onset, offset, parts, network.config))
    ways = []
    for counted, logits in _counted(logits_of_readings, parts, meter):
        scores = bar_scores(logits).numpy()
        place = np.arange(len(scores))
        features = way_features(pulses, onset, counted, len(scores))
        likely = settings.network * scores + features @ settings.weights
        if downbeat is not None:
            place = place[[round(-float(positions(pulses, downbeat)) * parts) % len(scores)]]
        ways += [Way(float(likely[each]), pulses, counted, -int(each) / parts) for each in place]
    return ways


def features_of(pulses: Pulses, onset: np.ndarray) -> np.ndarray:
    """Return the FEATURES of all places of the READINGS of these pulses, one after another.

    onset: [n] of the notes in pulses. Returns [places, FEATURES] float32.
    """
    found = [
        way_features(pulses, onset, reading.meter, reading.places)
        for reading in READINGS
        if reading.parts == pulses.parts
    ]
    return np.concatenate(found).astype(np.float32)


def way_features(
    pulses: Pulses, onset: np.ndarray, meter: tuple[int, int], places: int
) -> np.ndarray:
    """Return the FEATURES of each place of a bar with which the first pulse may begin.

    Args:
        pulses: On which the notes lie.
        onset: [n] of the notes in pulses.
        meter: Of the bars.
        places: Of a bar.

    Returns:
        [places, FEATURES].
    """
    place, parts = np.arange(places), pulses.parts
    columns = (
        pulses.likely,
        (parts == 4) & (place % parts > 0),
        (parts == 3) & (place % parts > 0),
        _returns(np.rint(onset * parts).astype(int), places),
        parts == 3,
        parts == 3 and places == 12,
        meter == (3, 4),
        (parts == 4) & (place % 2 == 1),
    )
    return np.stack([np.broadcast_to(np.asarray(each, float), places) for each in columns], 1)


def _returns(step: np.ndarray, bar: int) -> float:
    """Return how much a rhythm repeats itself after one and after two bars of so many steps.

    It is the sum of its autocorrelations.
    """
    rhythm = np.zeros(step[-1] - step[0] + 1)
    rhythm[step - step[0]] = 1
    rest = rhythm - rhythm.mean()
    each = [rest[lag:] * rest[:-lag] for lag in (bar, 2 * bar) if lag < len(rest)]
    return float(sum(product.mean() for product in each) / (rest.var() + 1e-9))


def _counted(
    logits: tuple[Tensor, ...], parts: int, meter: tuple[int, int] | None
) -> list[tuple[tuple[int, int], Tensor]]:
    """Return the possible meters, each with the logits [places, T] of its bars' places.

    logits: of READINGS.
    """
    known = {
        reading.pulses: (reading.meter, found)
        for reading, found in zip(READINGS, logits)
        if reading.parts == parts
    }
    if meter is None:
        return list(known.values())
    count = BeatGrid(np.zeros(2), 0, meter).bar_pulses
    if count in known:
        return [(meter, known[count][1])]
    like = np.array(like_four(count))
    return [(meter, known[4][1][(like[:, None] * parts + np.arange(parts)).ravel()])]


def positions(pulses: Pulses, seconds: ArrayLike) -> np.ndarray:
    """Return the pulses at these seconds, counted from the first."""
    return interpolate(np.asarray(seconds, float), pulses.times, np.arange(len(pulses.times)))
