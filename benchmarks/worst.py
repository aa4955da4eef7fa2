"""Measure the band of the largest allowed files: `python -m benchmarks.worst [--bars N]`.

Each is made in a process of its own. Prints processor time and peak memory.
"""

import argparse
import resource
import subprocess
import sys
import time

from accomp.music.limits import ScoreLimits
from accomp.music.score import Note, Score, TimeSignature, Track

KINDS = ("full", "sparse", "silent", "meters")


def main(arguments: list[str] | None = None) -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="benchmarks.worst", description=__doc__)
    parser.add_argument("--bars", type=int, default=ScoreLimits().bars)
    parser.add_argument("--genre", default="pop", help="that plays (default: pop)")
    parser.add_argument("--kind", choices=KINDS, help="one alone, in this process")
    options = parser.parse_args(arguments)
    if options.kind:
        measure(options.kind, options.bars, options.genre)
        return
    print("| file | bars | time | memory |\n|---|---|---|---|", flush=True)
    for kind in KINDS:
        command = [sys.executable, "-m", "benchmarks.worst", "--kind", kind]
        subprocess.run(
            [*command, "--bars", str(options.bars), "--genre", options.genre], check=True
        )


def measure(kind: str, bars: int, genre: str) -> None:
    """Make the band of one file, and print what it took."""
    import torch

    from accomp import Accompanist

    torch.set_num_threads(1)
    model, score = Accompanist.from_pretrained(genre), melody(kind, bars)
    begun = time.process_time()
    model.accompany(score)
    seconds = time.process_time() - begun
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {kind} | {bars:,} | {seconds:.1f} s | {megabytes:.0f} MB |", flush=True)


def melody(kind: str, bars: int) -> Score:
    """Return a melody of so many bars.

    Full of quarters; of forty notes, far from each other; of forty notes in the first and the last
    bars; or each bar in a meter of its own.
    """
    scale = (0, 4, 7, 5, 2, 4, 9, 0)
    if kind == "meters":
        notes = [Note(60 + place % 7, place / 2, 0.5, 80) for place in range(bars)]
        meters = [TimeSignature(i / 2, 1 + i % 2, 8 * (1 + i % 2)) for i in range(bars)]
        return Score([Track("melody", notes=notes)], meters=meters)
    count = 4 * bars if kind == "full" else 40
    step = 4 * bars / count
    onsets = [place * step for place in range(count)]
    if kind == "silent":
        onsets = [place if place < 20 else 4 * bars - 40 + place for place in range(count)]
    notes = [
        Note(60 + scale[place % 8] + place // 64 % 3, onset, 1.0, 80)
        for place, onset in enumerate(onsets)
    ]
    return Score([Track("melody", notes=notes)])


if __name__ == "__main__":
    main()
