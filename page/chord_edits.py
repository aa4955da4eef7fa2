"""Chords of a take that are changed place by place. No widgets.

A place is a half bar of the models' grid, the shortest that a chord lasts; in 6/8 it is a bar.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from accomp.checks import shown
from accomp.errors import MusicError
from accomp.music.chord_symbols import parse_symbol
from accomp.music.score import Chord, Score
from accomp.roll.grid import MELODY, Grid

LONGEST_SYMBOL = 24  # characters


def places(song: Score) -> list[float]:
    """Return the beats at which the chords of a song can change, and where the last one ends."""
    grid, end = _grid(song), song.tracks[MELODY].end
    width = np.diff([*grid.half_bar_beats, grid.beats[-1]])
    begins = [
        float(beat)
        for beat, beats in zip(grid.half_bar_beats, width)
        if beats > 0 and beat < end - 1e-6
    ]
    return [*begins, float(end)]


def with_chords(song: Score, changes: Mapping[int, str]) -> tuple[Chord, ...]:
    """Return all chords of a song with other ones at some places.

    Args:
        song: It has chords.
        changes: Symbols by the number of their place, from 0.

    Raises:
        MusicError: A symbol is not understood, or there is no such place.
    """
    beats = places(song)
    for place in changes:
        if not 0 <= place < len(beats) - 1:
            raise MusicError(
                f"chord {shown(place)} does not exist; accepted: 0 to {len(beats) - 2}"
            )
    before = chords_at(song, beats[:-1])
    wanted = {place: str(parse_symbol(symbol)) for place, symbol in changes.items()}
    return tuple(
        Chord(beat, wanted.get(place, symbol))
        for place, (beat, symbol) in enumerate(zip(beats, before))
    )


def chords_at(song: Score, beats: Iterable[float]) -> list[str]:
    """Return the symbols that sound at some beats of a song."""
    onsets = [chord.onset for chord in song.chords]
    at = np.maximum(np.searchsorted(onsets, np.array([*beats]) + 1e-6) - 1, 0)
    return [song.chords[index].symbol for index in at]


def bars_of(song: Score, changed: Iterable[int]) -> list[int]:
    """Return the bars in which some places lie, counted from 1."""
    beats = places(song)
    onsets = [bar.onset for bar in song.bars(song.end)]
    return sorted({int(np.searchsorted(onsets, beats[place] + 1e-6)) for place in changed})


def read_changes(found: object) -> dict[int, str]:
    """Read the changes that a browser sends: [[number of the place, symbol], ...].

    Raises:
        MusicError: Something else was sent, or a symbol is not understood.
    """
    pairs: list[Any] = found if isinstance(found, list) else [None]
    for pair in pairs:
        is_pair = isinstance(pair, list) and len(pair) == 2
        if not is_pair or type(pair[0]) is not int or not isinstance(pair[1], str):
            raise MusicError(f"a chord is {shown(pair)}; accepted: [place, symbol]")
    return {place: read_symbol(symbol) for place, symbol in pairs}


def read_symbol(text: str) -> str:
    """Return a chord symbol as the page writes it. Raises MusicError."""
    return str(parse_symbol(text[:LONGEST_SYMBOL]))


def _grid(song: Score) -> Grid:
    """Return the grid of a take: that of its melody, and of an introduction that the band plays."""
    melody = song.tracks[MELODY]
    first = song.chords[0].onset if song.chords else melody.start
    bars = [bar.onset for bar in song.bars(melody.start + 1e-3)]
    begins = max((onset for onset in bars if onset <= melody.start + 1e-6), default=0.0)
    start = first if first < begins - 1e-6 else melody.start
    return Grid.of(song, start, melody.end)
