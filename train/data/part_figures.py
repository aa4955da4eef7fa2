"""Compare the parts of a corpus with the real tracks of their instruments.

A part deserves its name if its notes are as long, as many at once, as high and as rare as those of
the tracks that have its instrument's program, in the same songs.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

from accomp.music.score import Note, Score
from accomp.roll import pianoroll
from accomp.roll.grid import BAR_STEPS, BASS, GUITAR, STEPS_PER_BEAT, STRINGS, TRACK_NAMES, Grid
from accomp.roll.players import BASS_PROGRAMS, GUITAR_PROGRAMS, STRING_PROGRAMS

PLAYERS = {GUITAR: GUITAR_PROGRAMS, BASS: BASS_PROGRAMS, STRINGS: STRING_PROGRAMS}
LONG = 2 * STEPS_PER_BEAT
COLUMNS = (
    "songs",
    "notes",
    "a sixteenth",
    "two beats and more",
    "isolated, per 100",
    "length, beats",
    "voices",
    "pitch",
    "silent bars",
)


@dataclass
class PartFigures:
    """Sums over songs, by genre, part, and whether of the part or of its instrument's tracks."""

    sums: dict[tuple[str, str, str], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )

    def add(self, genre: str, song: dict[tuple[str, str], Counter[str]]) -> None:
        """Add what `figures_of` says of a song of a genre."""
        for (part, whose), counts in song.items():
            for each in ("all", genre):
                self.sums[each, part, whose].update(counts)

    def table(self) -> str:
        """Return the figures as a table in Markdown."""
        lines = [
            "# The parts, and the tracks of their instruments in the same songs",
            "",
            "Shares are percentages; pitches and lengths are means; a note is isolated if it is a "
            "sixteenth and nothing else of the part sounds within a beat.",
            "",
            "| genre | | | " + " | ".join(COLUMNS) + " |",
            "|---" * (len(COLUMNS) + 3) + "|",
        ]
        lines += [
            f"| {' | '.join(key)} | {' | '.join(_row(self.sums[key]))} |"
            for key in sorted(self.sums)
        ]
        return "\n".join(lines) + "\n"


def _row(sums: Counter[str]) -> list[str]:
    notes, sounding = max(sums["notes"], 1), max(sums["sounding"], 1)
    return [
        str(sums["songs"]),
        str(sums["notes"]),
        f"{100 * sums['short'] / notes:.0f}",
        f"{100 * sums['long'] / notes:.0f}",
        f"{100 * sums['isolated'] / notes:.2f}",
        f"{sums['cells'] / notes / STEPS_PER_BEAT:.2f}",
        f"{sums['cells'] / sounding:.2f}",
        f"{sums['pitch'] / notes:.1f}",
        f"{100 * sums['silent'] / max(sums['bars'], 1):.0f}",
    ]


def figures_of(
    score: Score, parts: dict[int, list[Note]], grid: Grid
) -> dict[tuple[str, str], Counter[str]]:
    """Count what a song's parts play, and what each track with their instruments' programs plays.

    Args:
        score: The song.
        parts: Its parts by track index.
        grid: The steps of its bars.

    Returns:
        Sums by the part's name and "part" or "tracks".
    """
    found: dict[tuple[str, str], Counter[str]] = {}
    for part, programs in PLAYERS.items():
        found[TRACK_NAMES[part], "part"] = _counts(parts[part], grid)
        found[TRACK_NAMES[part], "tracks"] = sum(
            (
                _counts(track.notes, grid)
                for track in score.tracks
                if track.program in programs and not track.is_drum
            ),
            Counter(),
        )
    return found


def _counts(notes: list[Note], grid: Grid) -> Counter[str]:
    rows = np.unique(pianoroll.on_grid(notes, grid), axis=0)
    if not len(rows):
        return Counter()
    pitch, step, end = rows[np.argsort(rows[:, 1], kind="stable")].T
    length = end - step
    sounding = np.zeros(grid.steps + 1, int)
    np.add.at(sounding, step, 1)
    np.add.at(sounding, end, -1)
    sounding = np.cumsum(sounding)[:-1] > 0
    before = np.append(-np.inf, np.maximum.accumulate(end)[:-1])
    after = np.append(step[1:], np.inf)
    alone = (step - before >= STEPS_PER_BEAT) & (after - end >= STEPS_PER_BEAT)
    bars = (grid.present.reshape(-1, BAR_STEPS)).any(1)
    silent = bars & ~sounding.reshape(-1, BAR_STEPS).any(1)
    return Counter(
        {
            "songs": 1,
            "notes": len(rows),
            "short": int((length <= 1).sum()),
            "long": int((length >= LONG).sum()),
            "isolated": int((alone & (length <= 1)).sum()),
            "cells": int(length.sum()),
            "sounding": int(sounding.sum()),
            "pitch": int(pitch.sum()),
            "silent": int(silent.sum()),
            "bars": int(bars.sum()),
        }
    )
