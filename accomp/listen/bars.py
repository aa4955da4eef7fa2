"""How the pulses of a recording's notes make bars, and which pulses they are: a network (accomp.listen.bar_net) compares all ways."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from accomp.listen.bar_net import READINGS, BarsNet, BarsNetConfig, bar_scores, lay_out
from accomp.listen.bar_weights import kinds_score, like_four
from accomp.listen.beat_grid import EARLY, BeatGrid, SungNote, interpolate
from accomp.models.files import load_network

FOLDER = Path(__file__).parents[1] / "data/listen"  # of the network's settings and weights
BARS_CONFIG, BARS_WEIGHTS = "bars.json", "bars.safetensors"
# Weights in nats, chosen on made recordings of validation songs, about where the true way to count is the likeliest. The network
# was taught with other errors than those of the search for pulses, which lie between the true ones where a tune is syncopated.
HEARD, KINDS = 0.45, 0.4  # for what the network hears, and for the kinds of the notes
BETWEEN = 1.6  # for bars that begin between the pulses of four parts that were found
REPEATS = 0.92  # for how much the rhythm returns after one and after two bars
SWUNG = 0.4  # for four pulses of three parts, which few training songs have
THIRDS = -0.7  # for pulses of three parts: every fourth of those recordings has them, of what people sing maybe every eighth


class Pulses(NamedTuple):
    """Pulses on which the notes may lie. times: [pulses] s, from that of the first note to the one after the last; parts: 3 or 4,
    into which a pulse falls; likely: log likelihood by the times of the notes alone, but for a constant.
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
def _network() -> BarsNet:
    return load_network(
        FOLDER,
        lambda values: BarsNet(BarsNetConfig(**values)),
        "network of bars",
        BARS_CONFIG,
        BARS_WEIGHTS,
    )


def find_bars(
    heard: list[SungNote],
    candidates: list[Pulses],
    downbeat: float | None,
    meter: tuple[int, int] | None,
) -> BeatGrid:
    """The likeliest of the candidates, with its meter and bars. Pulses that were found off the beat are moved."""
    ways = [way for pulses in candidates for way in _ways(heard, pulses, downbeat, meter)]
    best = max(ways, key=lambda way: way.likely)
    share = np.exp(np.array([way.likely for way in ways]) - best.likely)
    # From the pulse of the first note on, in pulses that may lie between those that were found.
    first = np.floor(_positions(best.pulses, heard[0].onset) - best.start + EARLY) + best.start
    index = np.arange(len(best.pulses.times))
    times = interpolate(np.arange(first, len(index) + 1), index, best.pulses.times)
    grid = BeatGrid(times, 0, best.meter, float(1 / share.sum()))
    return replace(grid, phase=round(best.start - first) % grid.bar_pulses)


def _ways(
    heard: list[SungNote], pulses: Pulses, downbeat: float | None, meter: tuple[int, int] | None
) -> list[Way]:
    """All ways of counting these pulses that agree with what was asked for."""
    pitch, onset, offset, _ = (np.array(column) for column in zip(*heard))
    onset, offset, parts = _positions(pulses, onset), _positions(pulses, offset), pulses.parts
    step = np.rint(onset * parts).astype(int)
    ways = []
    for counted, logits in _counted(
        _network().hear(lay_out(pitch, onset, offset, parts)), parts, meter
    ):
        scores = bar_scores(logits).numpy()
        place = np.arange(len(scores))
        likely = pulses.likely + HEARD * scores + BETWEEN * (parts == 4) * (place % parts > 0)
        likely += KINDS * kinds_score(pitch, onset, offset, parts, len(scores) // parts)
        likely += (
            REPEATS * _returns(step, len(scores))
            + THIRDS * (parts == 3)
            + SWUNG * (parts == 3 and len(scores) == 12)
        )
        if downbeat is not None:
            place = place[[round(-float(_positions(pulses, downbeat)) * parts) % len(scores)]]
        ways += [Way(float(likely[each]), pulses, counted, -int(each) / parts) for each in place]
    return ways


def _returns(step: np.ndarray, bar: int) -> float:
    """How much a rhythm repeats itself after one and after two bars of so many steps: the sum of its autocorrelations."""
    rhythm = np.zeros(step[-1] - step[0] + 1)
    rhythm[step - step[0]] = 1
    rest = rhythm - rhythm.mean()
    each = [rest[lag:] * rest[:-lag] for lag in (bar, 2 * bar) if lag < len(rest)]
    return float(sum(product.mean() for product in each) / (rest.var() + 1e-9))


def _counted(
    heard: tuple[Tensor, ...], parts: int, meter: tuple[int, int] | None
) -> list[tuple[tuple[int, int], Tensor]]:
    """The meters that come into question and, of each, the logits [places, T] of the places of its bars. heard: of READINGS."""
    known = {
        reading.pulses: (reading.meter, logits)
        for reading, logits in zip(READINGS, heard)
        if reading.parts == parts
    }
    if meter is None:
        return list(known.values())
    count = BeatGrid(np.zeros(2), 0, meter).bar_pulses
    if count in known:
        return [(meter, known[count][1])]
    like = np.array(like_four(count))
    return [(meter, known[4][1][(like[:, None] * parts + np.arange(parts)).ravel()])]


def _positions(pulses: Pulses, seconds) -> np.ndarray:
    return interpolate(np.asarray(seconds, float), pulses.times, np.arange(len(pulses.times)))
