"""Measure how far published chords of one tune agree: `python -m train harmonisations FILES`.

FILES are lead sheets (.jsonl.gz). Two of one title in the same meter are laid over each other where
most notes of the melodies coincide, in any key; where most do, their chords are compared unit by
unit. That is a ceiling for what a plan can reach beside one of them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from train.command_line import command_parser, present
from train.data.lead_sheets import LeadSheet, read_lead_sheets
from train.metrics.chord_places import Units, on_units
from train.metrics.chords import Chords, Count, agreement, changes, triads


@dataclass(frozen=True)
class PairSettings:
    """Which two lead sheets are versions of one tune.

    Attributes:
        coincide: Share of the shorter melody's notes that have to coincide.
        farthest: Bars by which one may begin later.
        fewest: Notes of a melody.
        fewest_units: With chords in both.
    """

    coincide: float = 0.6
    farthest: int = 16
    fewest: int = 16
    fewest_units: int = 16


def main(arguments: list[str] | None = None) -> None:
    """Print the agreement of all pairs, by pair of collections."""
    parser = command_parser("harmonisations", __doc__)
    parser.add_argument("files", type=present, nargs="+", help=".jsonl.gz files")
    options = parser.parse_args(arguments)
    groups: dict[str, list[dict[str, Count]]] = defaultdict(list)
    for one, other in pairs(read_lead_sheets(options.files)):
        found = compare(one, other)
        if found is None:
            continue
        name = " and ".join(sorted({one.source, other.source}))
        for group in ("all", name):
            groups[group].append(found)
    print("| published harmonisations | pairs | triad % | root | root and family | changes |")
    print("|---|---|---|---|---|---|")
    for name, rows in sorted(groups.items(), key=lambda item: -len(item[1])):
        means = [
            100 * float(np.mean([row[figure].ratio for row in rows]))
            for figure in ("triad", "root", "family", "changes")
        ]
        cells = " | ".join(f"{value:.1f}" for value in means)
        print(f"| {name} | {len(rows)} | {cells} |")


def pairs(sheets: Sequence[LeadSheet]) -> Iterator[tuple[LeadSheet, LeadSheet]]:
    """Return each two lead sheets of one title, of different collections or not."""
    by_title = defaultdict(list)
    for sheet in sheets:
        if sheet.score.tracks[0].notes and not sheet.is_mixed:
            by_title[sheet.title_hash, sheet.score.meters[0]].append(sheet)
    for group in by_title.values():
        yield from combinations(group, 2)


def compare(
    one: LeadSheet, other: LeadSheet, settings: PairSettings = PairSettings()
) -> dict[str, Count] | None:
    """Compare the chords of two lead sheets; None where they are no versions of one tune.

    Returns:
        "triad", "root" and "family" as `agreement`; "changes" of `one` beside those of `other`.
    """
    laid = lay_over(one, other, settings)
    if laid is None:
        return None
    later, higher = laid
    bars = other.score.bars(other.score.tracks[0].end)
    units = Units.of(bars, 0.0, other.score.tracks[0].end)
    own = on_units(
        [(s.onset + later, s.end + later, (s.symbol.transposed(higher),)) for s in one.spans], units
    )
    known = on_units([(s.onset, s.end, (s.symbol,)) for s in other.spans], units)
    both = [i for i, (a, b) in enumerate(zip(own, known)) if a and b]
    if len(both) < settings.fewest_units:
        return None
    chords: Chords = [own[i][0] for i in both]
    found = agreement(chords, [known[i] for i in both])
    counts = [len(changes(triads([row[i][0] for i in both]))) for row in (own, known)]
    return found | {"changes": Count(*counts)}


def lay_over(one: LeadSheet, other: LeadSheet, settings: PairSettings) -> tuple[float, int] | None:
    """Return by how many beats and semitones `one` is moved to lie over `other`, if it can."""
    first, second = (
        {(round(4 * note.onset), note.pitch % 12) for note in sheet.score.tracks[0].notes}
        for sheet in (one, other)
    )
    shortest = min(len(first), len(second))
    if shortest < settings.fewest:
        return None
    bar = round(4 * one.score.meters[0].bar_beats)
    best = (0, 0.0, 0)
    for bars in range(-settings.farthest, settings.farthest + 1):
        for higher in range(12):
            moved = {(step + bars * bar, (pitch + higher) % 12) for step, pitch in first}
            best = max(best, (len(moved & second), bars * bar / 4, higher))
    count, later, higher = best
    return (later, higher) if count >= settings.coincide * shortest else None


if __name__ == "__main__":
    main()
