"""Measure how the cost of public functions grows: `python -m benchmarks.slopes [--largest N]`.

Each function is timed on scores that grow in one thing: notes, bars, tracks, changes of tempo,
markers. The slope of the logarithms is 1 where the cost is linear and 2 where it is quadratic.
Prints a table and returns 1 where a slope is above 1.3 and the largest takes over a tenth of a
second.
"""

import argparse
import io
import math
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from accomp.band.rests import Rests
from accomp.listen.source import Source
from accomp.music import timing
from accomp.music.chord_text import chord_text
from accomp.music.key_signatures import key_of
from accomp.music.limits import ScoreLimits, check_score
from accomp.music.melody_track import choose_melody, skyline
from accomp.music.melody_turns import with_whole_melody
from accomp.music.midi import read_midi, write_midi
from accomp.music.score import (
    Chord,
    Control,
    KeySignature,
    Note,
    Score,
    Tempo,
    TimeSignature,
    Track,
    whole_bars,
)
from accomp.roll.chord_plan import symbols_on_grid
from accomp.roll.grid import Grid
from accomp.roll.parts import melody_planes
from accomp.sound.render import named_tracks

STEEP, LONG = 1.3, 0.1  # a slope that is more than linear, seconds that are noticed
ANY_SIZE = ScoreLimits(10**9, 10**6, 10**7, 10**7, 10**7, 10**7)


def main(arguments: list[str] | None = None) -> int:
    """Measure all, and print what is steep last."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.slopes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--largest", type=int, default=16_000, help="notes, bars ... of the last")
    options = parser.parse_args(arguments)
    steep = []
    print("| function | grows | slope | largest, s |\n|---|---|---|---|")
    for what, make in SCORES.items():
        sizes = [options.largest // 16, options.largest // 4, options.largest]
        if what == "tracks":
            sizes = [size // 8 for size in sizes]
        scores = [make(size) for size in sizes]
        for name, function in FUNCTIONS.items():
            seconds = [timed(function, score) for score in scores]
            slope = slope_of(sizes, seconds)
            print(f"| {name} | {what} | {slope:.2f} | {seconds[-1]:.3f} |", flush=True)
            if slope > STEEP and seconds[-1] > LONG:
                steep.append(f"{name} against {what}: {slope:.2f}")
    print(f"steep: {', '.join(steep) or 'none'}")
    return int(bool(steep))


def timed(function: Callable[[Score], object], score: Score) -> float:
    """Return the seconds of processor time that a call takes, the best of two."""
    found = []
    for _ in range(2):
        begun = time.process_time()
        function(score)
        found.append(time.process_time() - begun)
    return min(found)


def slope_of(sizes: list[int], seconds: list[float]) -> float:
    """Return the slope of the last two, whose seconds are less noise than the first ones."""
    least = 1e-5
    ratio = math.log(max(seconds[-1], least) / max(seconds[-2], least))
    return ratio / math.log(sizes[-1] / sizes[-2])


# Scores that grow


def _line(count: int, step: float = 1.0) -> list[Note]:
    return [Note(60 + place * 7 % 13, place * step, step, 80) for place in range(count)]


def _notes(count: int) -> Score:
    return Score([Track("Vocal", notes=_line(count, 64 * 4 / count))])


def _bars(count: int) -> Score:
    return Score([Track("Vocal", notes=_line(64, 4 * count / 64))])


def _meters(count: int) -> Score:
    meters = [TimeSignature(2.5 * place, 2 + place % 2, 4) for place in range(count)]
    return replace(_bars(count), meters=meters)


def _tracks(count: int) -> Score:
    return Score([Track(f"Vocal {place}", notes=_line(8)) for place in range(count)])


def _tempos(count: int) -> Score:
    tempos = [Tempo(place / count * 64, 400_000 + place % 7) for place in range(count)]
    return replace(_notes(4000), tempos=tempos)


def _markers(count: int) -> Score:
    span = 64 * 4 / count
    chords = [Chord(place * span, ("C", "G7", "Am")[place % 3]) for place in range(count)]
    keys = [KeySignature(place * span, place % 5, False) for place in range(count)]
    return replace(_notes(4000), chords=chords, key_signatures=keys)


def _controls(count: int) -> Score:
    controls = [Control(place / count * 64, 11, place % 128) for place in range(count)]
    return Score([Track("Vocal", notes=_line(1000, 0.25), controls=controls)])


SCORES: dict[str, Callable[[int], Score]] = {
    "notes": _notes,
    "bars": _bars,
    "meters": _meters,
    "tracks": _tracks,
    "tempos": _tempos,
    "markers": _markers,
    "controls": _controls,
}


# Functions


def _track(score: Score) -> Track:
    return score.tracks[0]


def _write(score: Score) -> bytes:
    file = io.BytesIO()
    write_midi(score, file)
    return file.getvalue()


def _grid(score: Score) -> Grid:
    return Grid.of(score, _track(score).start, _track(score).end)


FUNCTIONS: dict[str, Callable[[Score], object]] = {
    "write_midi": _write,
    "write_midi and read_midi": lambda score: read_midi(_write(score), ANY_SIZE),
    "check_score": lambda score: check_score(score, ANY_SIZE),
    "Score.bars": lambda score: score.bars(score.end),
    "Score.seconds": lambda score: score.seconds(np.arange(1000.0)),
    "whole_bars": lambda score: whole_bars(score, _track(score)),
    "chord_text": lambda score: chord_text(score, _track(score), numbered=True),
    "choose_melody": choose_melody,
    "with_whole_melody": with_whole_melody,
    "skyline": lambda score: skyline(_track(score).notes),
    "key_of": lambda score: key_of(score, _track(score).notes),
    "timing.at_tempo": lambda score: timing.at_tempo(score, 90),
    "timing.renotated": lambda score: timing.renotated(score, 2),
    "timing.bar_lines_later": lambda score: timing.bar_lines_later(score, 1),
    "Source.melody, its facts": lambda score: str(Source("a", score).melody()),
    "Grid.of": _grid,
    "melody_planes": lambda score: melody_planes(_track(score).notes, 0, _grid(score)),
    "symbols_on_grid": lambda score: symbols_on_grid(
        score.chords or [Chord(0.0, "C")], score, _track(score), _grid(score)
    ),
    "Rests.folded": lambda score: Rests.of(score, 0).folded(),
    "named_tracks": named_tracks,
}


if __name__ == "__main__":
    sys.exit(main())
