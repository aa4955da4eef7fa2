"""What the rows of `python -m train playing` say: shares, and tables in text."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from train.metrics.playing import MEASURES, measure_of
from train.metrics.playing_distance import REAL, Row

LEAST = 0.01  # of the ratios of a geometric mean, which one of 0 would make 0
WITHIN = 2.0  # times the distance of two halves of the real songs


class Found(NamedTuple):
    """The rows of a genre, or of all.

    Attributes:
        genre: Its name, or ALL.
        rows: Compared with the genre's real songs.
        halves: Of one half of the real songs, compared with the other (compare_halves).
    """

    genre: str
    rows: list[Row]
    halves: list[Row]


class Shares(NamedTuple):
    """How many rows of a system are as wanted.

    Attributes:
        nearer: Share of rows in which it is nearer to real songs than every peer.
        level: Share of rows in which it is, or is as near as one half of the real songs to the
            other: there, chance decides who is nearest.
        compared: How many rows a peer has, too.
        within: Share of rows that are within twice the distance of two halves of the real songs.
        rows: How many the system has.
        ratio: Geometric mean of the rows' distances by that of two halves.
    """

    nearer: float
    level: float
    compared: int
    within: float
    rows: int
    ratio: float


def shares(rows: Iterable[Row], own: str, peers: Sequence[str]) -> Shares:
    """Count the rows of a system `own` that are as wanted.

    Args:
        rows: Of one genre or several.
        own: Name of the system.
        peers: Names of those that it is compared with.
    """
    nearer, level, within, ratios = [], [], [], []
    for row in rows:
        distance = row.distances.get(own)
        if distance is None:
            continue
        others = [row.distances[peer] for peer in peers if peer in row.distances]
        if others:
            nearer.append(distance < min(others))
            level.append(distance < max(min(others), row.halves))
        within.append(distance <= WITHIN * row.halves)
        ratios.append(max(distance / row.halves, LEAST))
    ratio = float(np.exp(np.mean(np.log(ratios)))) if ratios else np.nan
    return Shares(_share(nearer), _share(level), len(nearer), _share(within), len(within), ratio)


def _share(values: list[bool]) -> float:
    return float(np.mean(values)) if values else np.nan


def summary(found: Sequence[Found], own: Sequence[str], peers: Sequence[str]) -> str:
    """Write the shares of some systems: of all rows, by genre, by peer and by measure.

    The last column is what one half of the real songs reaches, compared with the other.
    """
    rows = [row for of_genre in found for row in of_genre.rows]
    halves = [row for of_genre in found for row in of_genre.halves]
    lines = [
        "% of rows: nearer to real songs than every peer / or within the halves' distance /"
        " within twice that; mean distance by that of the halves",
        _line("", [f"{name:>24.24}" for name in (*own, f"half of the {REAL}")]),
    ]

    def add(title: str, rows: list[Row], halves: list[Row], peers: Sequence[str]) -> None:
        cells = [shares(rows, name, peers) for name in own] + [shares(halves, REAL, peers)]
        count = max((cell.rows for cell in cells[:-1]), default=0)
        if count:
            lines.append(f"{_line(title, map(_shares, cells))}   ({count} rows)")

    add("ALL ROWS", rows, halves, peers)
    for of_genre in found if len(found) > 1 else ():
        add(f"genre {of_genre.genre}", of_genre.rows, of_genre.halves, peers)
    for peer in peers:
        add(f"against {peer} alone", rows, halves, [peer])
    for measure in MEASURES.values():
        of_it, of_halves = (
            [row for row in some if measure_of(row.name) is measure] for some in (rows, halves)
        )
        add(measure.title, of_it, of_halves, peers)
    return "\n".join(lines)


def _line(title: str, cells: Iterable[str]) -> str:
    return f"{title:35}" + "".join(f" | {cell}" for cell in cells)


def _shares(found: Shares) -> str:
    if not found.rows:
        return f"{'–':>24}"
    nearer = [f"{100 * share:4.0f}" if found.compared else "   –" for share in found[:2]]
    return f"{' '.join(nearer)} {100 * found.within:4.0f} % {found.ratio:6.2f} x"


def means(of_genre: Found, own: Sequence[str], peers: Sequence[str]) -> str:
    """Write all rows of a genre: means of real songs and systems, and how near those are.

    A system's cell holds its mean and its distance by that of two halves of real songs; "*" marks
    those that are nearer than every peer, "!" those beyond twice the halves.
    """
    lines = [
        f"{of_genre.genre}: mean (distance / distance of real halves); * nearer than all peers,"
        " ! beyond twice",
        f"{'':46} {'real':>7}"
        + "".join(f" {name:>17.17}" for name in own)
        + "".join(f" {name:>17.17}" for name in peers),
    ]
    for row in of_genre.rows:
        others = [row.distances[peer] for peer in peers if peer in row.distances]
        cells = [_cell(row, name, min(others, default=-1.0)) for name in own]
        cells += [_cell(row, name, -1.0) for name in peers]
        title = f"{measure_of(row.name).title}, {row.name.partition(' / ')[2]}"
        lines.append(f"{title:46} {row.real:7.2f}" + "".join(f" {cell:>17}" for cell in cells))
    return "\n".join(lines)


def _cell(row: Row, name: str, nearest: float) -> str:
    if name not in row.distances:
        return "–"
    distance = row.distances[name]
    ratio = distance / row.halves
    marks = "*" if distance < nearest else " "
    marks += "!" if ratio > WITHIN else " "
    return f"{row.means[name]:7.2f} ({min(ratio, 99):4.1f}){marks}"
