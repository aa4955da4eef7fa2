"""What systems' chords are worth beside those of lead sheets, and tables of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from accomp.band.accompanist import Accompanist
from accomp.music.chord_symbols import parse_symbol
from accomp.music.score import Chord, Score
from accomp.roll import chord_plan
from accomp.roll.grid import BASS
from train import metrics
from train.eval import stage
from train.eval.chord_likelihood import likelihood
from train.eval.chord_songs import Song
from train.eval.stage import Performance
from train.metrics import chords as measures
from train.metrics.chord_naming import heard
from train.metrics.chord_places import Units, on_units
from train.metrics.chords import Chords, Count

# Rows of a table: title, name of the count, and how it is shown.
SHARES = {
    "chord match (block chords)": "match",
    "triad": "triad",
    "root": "root",
    "root and family": "family",
    "V of V": "fifth_of_fifth",
    "dominant of the relative minor": "fifth_of_relative",
    "chromatic": "chromatic",
    "half cadences": "half",
    "full cadences": "full",
    "ii-V-I": "two_five_one",
    "time in chords of four bars and more": "held_long",
    "... of the sheets": "sheet_held_long",
    "changes on beat 3 held over the bar line": "over_bar",
    "... of the sheets ": "sheet_over_bar",
}


@dataclass
class Figures:
    """Counts by name, by group of songs and seed.

    Attributes:
        counts: By group ("all" too) the sums of the counts of all songs and seeds.
    """

    counts: dict[str, dict[str, Count]] = field(default_factory=dict)

    def add(self, group: str, found: dict[str, Count]) -> None:
        """Add a song's counts to its group's and to those of all."""
        for name in ("all", group):
            own = self.counts.setdefault(name, {})
            for figure, count in found.items():
                own[figure] = own.get(figure, Count(0, 0)) + count


Chooser = Callable[[Song, int], dict[str, dict[str, Count]]]


def measure(songs: Iterable[Song], choose: Chooser, seeds: Sequence[int]) -> dict[str, Figures]:
    """Measure a system on songs: by the name that it gives to each kind of its chords."""
    found: dict[str, Figures] = {}
    for song in songs:
        for seed in seeds:
            for name, counts in choose(song, seed).items():
                found.setdefault(name, Figures()).add(song.group, counts)
    return found


def of_plan(chords: Sequence[Chord], song: Song) -> dict[str, Count]:
    """Count the figures of chords that a system names."""
    return measures.figures(named(chords, song.sheet.units), song.sheet)


def of_band(played: Performance, song: Song) -> dict[str, Count]:
    """Count the figures of the chords that are heard in what a system plays to a bench melody."""
    task = song.task
    assert task is not None
    chroma = [chord_plan.chroma(played.planes[track]) for track in metrics.PITCHED]
    others = [chord_plan.chroma(planes) for planes in played.others]
    harmony, bass = np.sum(chroma + others, axis=0), chord_plan.chroma(played.planes[BASS])
    present = np.append(np.diff(task.grid.half_bar_beats), 1) > 1e-6
    symbols = [None if one is None else one.transposed(task.shift) for one in heard(harmony, bass)]
    own = [one for one, is_there in zip(symbols, present) if is_there][: len(song.sheet.units)]
    found = metrics.best_triads(harmony)
    compared = min(len(found), len(task.triads))
    same = (found == task.triads)[:compared] & (found[:compared] >= 0)
    match = Count(float(same.sum()), float(compared))
    return measures.figures(own, song.sheet) | {"match": match}


def named(chords: Sequence[Chord], units: Units) -> Chords:
    """Put a score's chords on units; each lasts until the next."""
    onsets = [chord.onset for chord in chords]
    ends = [*onsets[1:], np.inf]
    spans = [(c.onset, end, (parse_symbol(c.symbol),)) for c, end in zip(chords, ends)]
    return [found[0] if found else None for found in on_units(spans, units)]


def planned(model: Accompanist, melody: Score, seed: int) -> list[Chord]:
    """Plan the chords of a melody as users get them, without playing."""
    return list(model.plans(melody, seed=seed, n=1)[0].chords)


def our_plans(model: Accompanist, name: str) -> Chooser:
    """Return the system that names our plan's chords."""

    def choose(song: Song, seed: int) -> dict[str, dict[str, Count]]:
        counts = of_plan(planned(model, song.melody, seed), song)
        return {name: counts | {"log_likelihood": likelihood(model, song)}}

    return choose


def our_bands(model: Accompanist, name: str) -> Chooser:
    """Return the system that plays to bench melodies: its plan, and what is heard of it."""

    def choose(song: Song, seed: int) -> dict[str, dict[str, Count]]:
        assert song.task is not None
        played = stage.ours(model, song.task, seed)
        plan = of_plan(played.score.chords, song)
        band = of_band(played, song)
        return {f"{name}, plan": plan | {"match": band["match"]}, f"{name}, heard": band}

    return choose


def peers(song: Song, seed: int) -> dict[str, dict[str, Count]]:
    """Count what is heard in the peers' files beside a bench melody."""
    assert song.task is not None
    found = {}
    for file, name in stage.PEERS.items():
        played = stage.peer(song.task, file)
        if played:
            found[name] = of_band(played, song)
    return found


def table(found: dict[str, Figures], group: str) -> str:
    """Return a Markdown table of a group of songs, in per cent, a column for each system."""
    systems = {
        name: figures.counts[group] for name, figures in found.items() if group in figures.counts
    }
    lines = [f"| {group}, % | " + " | ".join(systems) + " |", "|---" * (len(systems) + 1) + "|"]
    for title, figure in SHARES.items():
        cells = [_cell(counts.get(figure)) for counts in systems.values()]
        if any(cells):
            lines.append(f"| {title.strip()} | " + " | ".join(cells) + " |")
    more = [f"{100 * (c['changes'].ratio - 1):+.0f}" for c in systems.values()]
    lines.append("| changes against the sheets | " + " | ".join(more) + " |")
    rate = [f"{c['changes'].found / c['bars'].found:.2f}" for c in systems.values()]
    lines.append("| changes a bar | " + " | ".join(rate) + " |")
    likely = [c["log_likelihood"].ratio for c in systems.values() if "log_likelihood" in c]
    if len(likely) == len(systems):
        cells = " | ".join(f"{value:.2f}" for value in likely)
        lines.append(f"| log probability of the sheets' triads, nats | {cells} |")
    return "\n".join(lines)


def _cell(count: Count | None) -> str:
    return "" if count is None or not count.of else f"{100 * count.ratio:.1f}"
