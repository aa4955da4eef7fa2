"""Measure how songs are balanced and mastered: `python -m benchmarks.mix`.

Of each genre and melody: loudness of the sound (pyloudnorm), its true peak, what the melody has
over the band in passages of three seconds in which it plays (median, and in how many it is louder),
and the volumes (controller 7) of drums, melody, guitar, bass and strings. Then songs of several
lengths, with the time and the memory that their sound takes.
"""

import argparse
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyloudnorm

from accomp import Accompanist, Score, genres, read_midi
from accomp.band import balance
from accomp.roll.grid import MELODY, TRACK_NAMES
from accomp.sound.meter import true_peak, weighted_power
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.render import mix, render, render_stems
from benchmarks.speed import tune

ROOT = Path(__file__).parent.parent
LEAD = TRACK_NAMES[MELODY]
COLUMNS = (
    "genre",
    "melody",
    "LUFS",
    "dBTP",
    "melody over band, LU",
    "passages on top",
    "volumes",
)


def main() -> None:
    """Print a row for each song, and what all of them have in common."""
    options = _options()
    if options.memory_of:
        print(_memory(_song("pop", tune(options.memory_of), options.unbalanced)))
        return
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
    rows = []
    for genre in options.genres:
        model = Accompanist.from_pretrained(genre)
        for path in sorted(options.melodies.glob(options.pattern)):
            name = path.stem if path.parent == options.melodies else path.parent.name
            song = _song(model, read_midi(path), options.unbalanced)
            rows.append(_row(song, f"{genre} | {name}"))
    print(_summary(np.array(rows)))
    for bars in options.lengths:
        _print_cost(bars, options.unbalanced)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--genres", nargs="*", default=genres(), help="by name (default: all)")
    parser.add_argument(
        "--melodies", type=Path, default=ROOT / "examples", help="a folder (default: examples)"
    )
    parser.add_argument("--pattern", default="*.mid", help="of its files (default: *.mid)")
    parser.add_argument(
        "--unbalanced",
        action="store_true",
        help="without the controllers of accomp.band.balance, to compare",
    )
    parser.add_argument(
        "--lengths", type=int, nargs="*", default=[4, 32, 300], help="bars, at 120 beats a minute"
    )
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _summary(rows: np.ndarray) -> str:
    """Say what songs have in common. rows: [songs, 4] of `_row`."""
    lufs, peaks, medians, shares = rows.T
    return (
        f"\n{len(rows)} songs: {lufs.min():.2f} to {lufs.max():.2f} LUFS, "
        f"{(abs(lufs + 16) > 1).sum()} off by more than 1; "
        f"{peaks.min():.2f} to {peaks.max():.2f} dBTP; "
        f"melody over band {medians.mean():.1f} LU ({medians.min():.1f} to {medians.max():.1f}); "
        f"on top in {100 * shares.mean():.1f} % of passages (at least {100 * shares.min():.0f} %)\n"
    )


def _print_cost(bars: int, unbalanced: bool) -> None:
    """Print the row of a song of so many bars, and the time and memory of its sound."""
    song = _song("pop", tune(bars), unbalanced)
    _row(song, f"pop | {bars} bars, {song.seconds(song.end):.0f} s")
    moments = [time.perf_counter()]
    for work in (render, render_stems):
        work(song)
        moments.append(time.perf_counter())
    mixed, stems = np.diff(moments)
    command = [sys.executable, "-m", "benchmarks.mix", "--memory-of", str(bars)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    memory = done.stdout.split()[-2:]
    print(
        f"  render {mixed:.1f} s, {memory[0]} MB; stems {stems:.1f} s, {memory[1]} MB", flush=True
    )


def _song(model: Accompanist | str, melody: Score, unbalanced: bool) -> Score:
    model = Accompanist.from_pretrained(model) if isinstance(model, str) else model
    song = balance.balanced(model.accompany(melody, seed=0), model.config.genre)
    if not unbalanced:
        return song
    plain = [
        replace(track, controls=[c for c in track.controls if c.number not in balance.SET])
        for track in song.tracks
    ]
    return replace(song, tracks=plain)


def _row(song: Score, label: str) -> tuple[float, float, float, float]:
    """Print a song's row; returns its LUFS, dBTP, LU of the melody, and share of passages."""
    stems = render_stems(song)
    whole = mix(stems)
    powers = {name: weighted_power(stem, SAMPLE_RATE) for name, stem in stems.items()}
    melody = powers.pop(LEAD)
    ahead = balance.over(melody, sum(powers.values())) if powers else np.array([np.nan])
    lufs = pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(whole)
    peak = true_peak(whole, SAMPLE_RATE)
    volumes = [
        next((c.value for c in track.controls if c.number == balance.VOLUME), 100)
        for track in song.tracks
    ]
    median, share = float(np.median(ahead)), float((ahead > 0).mean())
    print(
        f"| {label} | {lufs:.2f} | {peak:.2f} | {median:.1f} | {100 * share:.0f} % | {volumes} |",
        flush=True,
    )
    return lufs, peak, median, share


def _memory(song: Score) -> str:
    """Return the most MB that rendering adds, of the mix and of the stems."""
    found = []
    for work in (render, render_stems):
        before = _status("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        work(song)
        found.append(f"{(_status('VmHWM') - before) / 1e3:.0f}")
    return " ".join(found)


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


if __name__ == "__main__":
    main()
