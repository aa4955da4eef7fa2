"""Give accomp damaged files and look for any error but a MusicError.

    python -m benchmarks.fuzz [--midi N] [--sheets N] [--sound N] [--seed S] [--keep FOLDER]

Files from tests/fuzz, the examples and some made here are damaged: bytes changed, cut, put in,
doubled, exchanged with those of another file; times, lengths and counts made extreme. What is read
is written, read again and compared. Prints how many files were tried, read, refused and went
wrong, and the most processor time that one took. The same seed gives the same files.
"""

import argparse
import io
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np

from accomp.errors import MusicError
from accomp.music.chord_text import chord_text
from accomp.music.key_signatures import key_of
from accomp.music.melody_track import choose_melody, melody_name, skyline
from accomp.music.melody_turns import with_whole_melody
from accomp.music.midi import read_midi, write_midi
from accomp.music.notation import read_notation
from accomp.music.score import Note, Score, Track, whole_bars

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "tests" / "fuzz"
# Pieces of files whose meaning depends on them alone.
MIDI_PIECES = (
    b"MTrk", b"MThd", b"\xff\x2f\x00", b"\xff\x51\x03\x00\x00\x01", b"\xff\x58\x04\x01\x03\x18\x08",
    b"\xff\x59\x02\xf9\x01", b"\xff\xff\xff\x7f", b"\x81\x80\x80\x80\x00", b"\xf8", b"\xf0\x05",
    b"\x90\x3c\x40", b"\x80\x3c\x40", b"\xe0\x00\x60",
    b"\xb0\x65\x00\x00\xb0\x64\x06\x00\xb0\x06\x0f",
    b"\xff\x06\x01A", b"\xff\x03\x05Drums", b"\xff\x03\x05Vocal", b"\x00" * 8, b"\xff" * 8,
)  # fmt: skip


@dataclass
class Found:
    """What was found.

    Attributes:
        counts: By outcome.
        slowest: Seconds of processor time that one file took at most.
        wrong: By error, how often.
    """

    counts: Counter = field(default_factory=Counter)
    slowest: float = 0.0
    wrong: Counter = field(default_factory=Counter)


def main(arguments: list[str] | None = None) -> int:
    """Try what the command line asks for; return 1 where something went wrong."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for kind in ("midi", "sheets", "sound"):
        parser.add_argument(f"--{kind}", type=int, default=0, metavar="N", help="files to try")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for files that go wrong")
    options = parser.parse_args(arguments)
    seeds: dict[str, Callable[[], list[bytes]]] = {
        "midi": midi_seeds, "sheets": sheet_seeds, "sound": sound_seeds,
    }  # fmt: skip
    tries = {"midi": try_midi, "sheets": try_sheet, "sound": try_sound}
    failed = False
    for kind, make in seeds.items():
        count = getattr(options, kind)
        if count:
            found = fuzz(make(), tries[kind], count, Random(f"{kind} {options.seed}"), options.keep)
            failed |= bool(found.wrong)
            said = ", ".join(f"{number:,} {name}" for name, number in found.counts.most_common())
            print(f"| {kind} | {count:,} | {said} | {found.slowest:.2f} s |", flush=True)
            for error, number in found.wrong.most_common():
                print(f"  {number} x {error}", file=sys.stderr)
    return int(failed)


def fuzz(
    seeds: list[bytes],
    attempt: Callable[[bytes], str],
    count: int,
    random: Random,
    keep: Path | None = None,
) -> Found:
    """Damage files and try them.

    Args:
        seeds: Whole files.
        attempt: Returns the outcome in words, or raises what is wrong.
        count: Files to try.
        random: Draws the damage.
        keep: A folder for files that go wrong.
    """
    found = Found()
    for _ in range(count):
        data = damaged(seeds, random)
        begun = time.process_time()
        try:
            found.counts[attempt(data)] += 1
        except Exception as error:
            found.counts["WRONG"] += 1
            last = traceback.extract_tb(error.__traceback__)[-1]
            name = f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"
            found.wrong[name] += 1
            if keep and found.wrong[name] == 1:
                keep.mkdir(parents=True, exist_ok=True)
                place = f"{type(error).__name__}_{Path(last.filename).stem}_{last.lineno}"
                (keep / place).write_bytes(data)
        found.slowest = max(found.slowest, time.process_time() - begun)
    return found


def damaged(seeds: list[bytes], random: Random) -> bytes:
    """Return a seed with one to eight changes."""
    data = bytearray(random.choice(seeds))
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        at = random.randrange(len(data) + 1)
        match random.randrange(8):
            case 0 if data:
                data[at % len(data)] = random.randrange(256)
            case 1 if data:
                data[at % len(data)] ^= 1 << random.randrange(8)
            case 2:
                data[at:at] = random.choice(MIDI_PIECES)
            case 3:
                del data[at : at + random.choice((1, 2, 4, 16, 400))]
            case 4:
                del data[at:]
            case 5:
                data[at:at] = data[at : at + random.choice((1, 4, 30, 400))]
            case 6:
                other = random.choice(seeds)
                start = random.randrange(len(other) + 1)
                data[at:] = other[start:]
            case _:
                piece = random.choice(MIDI_PIECES)
                data[at : at + len(piece)] = piece
    return bytes(data)


# Notes


def midi_seeds() -> list[bytes]:
    """Return small MIDI files of every kind."""
    seeds = [path.read_bytes() for path in sorted(CORPUS.glob("*.mid"))]
    seeds += [path.read_bytes() for path in sorted((ROOT / "examples").glob("*.mid"))[:3]]
    file = io.BytesIO()
    notes = [Note(60 + place % 12, place / 2, 0.5, 80) for place in range(64)]
    write_midi(Score([Track("Vocal", notes=notes), Track("Bass", 33, notes=notes)]), file)
    return [*seeds, file.getvalue()]


def try_midi(data: bytes) -> str:
    """Read a MIDI file and do with it what is done with every melody."""
    try:
        score = read_midi(data)
    except MusicError as error:
        if not str(error):
            raise ValueError("an error without words") from error
        return "refused"
    file = io.BytesIO()
    write_midi(score, file)
    again = read_midi(file.getvalue())
    if again.tracks != score.tracks or again.meters != score.meters:
        raise ValueError("what was written is read otherwise")
    score = with_whole_melody(score)
    index = choose_melody(score)
    track = score.tracks[index]
    key_of(score, skyline(track.notes))
    melody_name(score, index)
    whole_bars(score, track)
    chord_text(score, track, numbered=True)
    return "mended" if score.notices else "read"


def sheet_seeds() -> list[bytes]:
    """Return small files of notated music."""
    return [path.read_bytes() for path in sorted(CORPUS.glob("*.[amx]*")) if path.suffix != ".mid"]


def try_sheet(data: bytes) -> str:
    """Read MusicXML or ABC, and write it as MIDI."""
    try:
        score = read_notation(data)
    except MusicError:
        return "refused"
    file = io.BytesIO()
    write_midi(score, file)
    read_midi(file.getvalue())
    return "read"


# Sound


def sound_seeds() -> list[bytes]:
    """Return little recordings in the formats of recorders and browsers."""
    from tests.support.sounds import FORMATS, OTHER_FORMATS, encoded, tone

    rates = {"amr": 8_000, "voc": 22_050, "flv": 44_100}
    seeds = []
    for kind in FORMATS | OTHER_FORMATS:
        rate = rates.get(kind, 48_000)
        sound = np.concatenate([tone(0.6, rate), tone(0.6, rate, 523.0)])
        if kind == "ogg":  # FFmpeg's encoder knows stereo only
            sound = np.repeat(sound[:, None], 2, axis=1)
        seeds.append(encoded(sound, kind, rate))
    return seeds


def try_sound(data: bytes) -> str:
    """Read a recording, as a file and as it is found among others."""
    from accomp.sound.audio_file import read_recording

    try:
        recording = read_recording(data)
    except MusicError:
        return "refused"
    if not np.isfinite(recording.mono).all():
        raise ValueError("the sound has numbers that are none")
    return "damaged, said" if recording.notices else "read"


if __name__ == "__main__":
    sys.exit(main())
