"""Measure memory for the sound of long music.

    python -m benchmarks.long_sound [--bars N] [--whole]

A pop band plays for N bars at 120 beats a minute. Its sound is written as MP3, as WAV and as a WAV
file of each track, block by block, or with --whole all tracks are held in memory. Prints how much
more memory the process held at most than before, beside FluidSynth's own processes. Linux only.
"""

import argparse
import tempfile
import time
from pathlib import Path

from accomp import Accompanist
from accomp.music.score import Score
from accomp.sound.render import render_stems
from accomp.sound.streamed import song_sound
from benchmarks.worst import melody


def main(arguments: list[str] | None = None) -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="benchmarks.long_sound", description=__doc__)
    parser.add_argument("--bars", type=int, default=300, help="of four beats; 300 are ten minutes")
    parser.add_argument("--whole", action="store_true", help="hold all tracks in memory")
    options = parser.parse_args(arguments)
    song = Accompanist.from_pretrained("pop").accompany(melody("full", options.bars))
    Path("/proc/self/clear_refs").write_text("5")  # the most counts from now on
    before, begun = megabytes("VmRSS"), time.monotonic()
    if options.whole:
        render_stems(song)
    else:
        write_all(song)
    minutes, more = song.seconds(song.end) / 60, megabytes("VmHWM") - before
    print(
        f"{minutes:.1f} minutes of {len(song.tracks)} tracks: {more:.0f} MB more than "
        f"{before:.0f} MB, {time.monotonic() - begun:.0f} s"
    )


def write_all(song: Score) -> None:
    """Write the whole as MP3 and WAV, and each track."""
    with tempfile.TemporaryDirectory() as name, song_sound(song) as sound:
        folder = Path(name)
        mixes = {folder / f"{track}.wav": [track] for track in sound.names}
        whole = {folder / f"all.{ending}": sound.names for ending in ("mp3", "wav")}
        sound.write(mixes | whole)


def megabytes(name: str) -> float:
    """Return what this process holds (VmRSS) or held at most (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


if __name__ == "__main__":
    main()
