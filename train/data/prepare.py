"""Prepare songs for training: a corpus of blocks, chord plans and notes.

    python -m train prepare SOURCE --out CORPUS [--labels FILE]

SOURCE is one of
  - a folder of MIDI files. FILE is then a CSV with the columns `file` (relative to SOURCE) and
    `genre`, and optionally `split` (train, val, test), `dup_group`, `licence` and `source` (the
    collection). Without FILE the genre is the name of the first folder;
  - a folder of LPD-5 archives (.npz). FILE is then a list of genres by Million Song Dataset id
    (tagtraum);
  - a dataset that `python -m train push --dataset` made: its folder, or its Hub id NAME/REPOSITORY
    or NAME/REPOSITORY@REVISION. Its songs keep their splits and groups.

CORPUS gets, for each track, its blocks as packed bits ([blocks, 2, 32, 16] uint8, song after song),
the chord plan of each block, all notes as they were played, songs.json, and of MIDI files parts.md,
which compares the parts with the tracks of their instruments. Unless the labels say
how, songs are split by chance: 80 % train, 10 % val, 10 % test. Versions of a song go together.
"""

import argparse
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from accomp.errors import MusicError
from accomp.music.midi import read_midi
from accomp.music.midi_chunks import MIDI_ENDINGS
from accomp.roll import pianoroll
from accomp.roll.grid import (
    BAR_STEPS,
    BASS,
    BLOCK_HALF_BARS,
    BLOCK_STEPS,
    MELODY,
    PITCHES,
    TRACK_NAMES,
)
from train.command_line import command_parser, present
from train.data import dataset
from train.data.corpus import SONGS_FILE, CorpusWriter
from train.data.executors import executor
from train.data.lpd import read_lpd
from train.data.part_figures import PartFigures
from train.data.parts import played_parts
from train.data.songs import list_songs
from train.data.splits import SPLITS, SplitSettings, group_duplicates, split_songs

FIGURES_FILE = "parts.md"  # what the parts play beside the tracks of their instruments


@dataclass(frozen=True)
class PrepareSettings:
    """What of a song is kept, and how songs are split."""

    longest: int = 1000  # blocks; a longer song is a loop or a medley, and is cut
    fewest_notes: int = 4  # struck in a bar that tells songs apart; emptier bars are all alike
    splits: SplitSettings = SplitSettings()


class PreparedSong(NamedTuple):
    """What a corpus holds of a song of B blocks.

    Attributes:
        packed: Of each track its blocks, [B, 2, 32, 16] uint8.
        plan: [B, 4] uint8 the chord of each half bar.
        notes: [n] NOTE.
        programs: General MIDI programs by track name.
        bars: Hashes of the bars of melody and bass, by which versions of a song are found.
        even: Share of the beats whose four steps are sixteenths.
        meters: Of each block a digit of METERS.
        figures: What its parts play, as of train.data.part_figures.
    """

    packed: list[np.ndarray]
    plan: np.ndarray
    notes: np.ndarray
    programs: dict[str, int]
    bars: list[str]
    even: float
    meters: str
    figures: dict[tuple[str, str], Counter[str]]


def main(arguments: list[str] | None = None, settings: PrepareSettings = PrepareSettings()) -> None:
    """Prepare the songs of a source."""
    options = _options(arguments)
    if options.genre and options.labels:
        raise SystemExit(
            "--genre is for songs without labels; the labels say the genre of each song"
        )
    if dataset.is_dataset(options.source):
        writer, left_out = prepare_dataset(options), []
    else:
        writer, left_out = prepare_files(options, settings)
    writer.finish(options.name or default_name(options.source), left_out)
    counts = {split: sum(song["split"] == split for song in writer.songs) for split in SPLITS}
    print(
        f"{len(writer.songs)} songs, {writer.blocks} blocks ({counts}); "
        f"left out {len(left_out)}, see {SONGS_FILE}"
    )


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = command_parser("prepare", __doc__)
    parser.add_argument("source", metavar="SOURCE", help="folder or Hub id; see above")
    parser.add_argument("--out", type=Path, required=True, metavar="CORPUS", help="a folder")
    parser.add_argument("--name", help="of the corpus (default: of the folder, or the Hub id)")
    parser.add_argument("--labels", type=present, metavar="FILE", help="genres of the songs")
    parser.add_argument("--genre", help="of all songs, where there are no labels")
    parser.add_argument(
        "--exclude-licence",
        metavar="REGEX",
        help="leave out songs whose licence matches, such as 'BY-NC'",
    )
    parser.add_argument(
        "--chord-markers",
        action="store_true",
        help="take the chords from the files' markers instead of finding them in the notes",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the split (default: %(default)s)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: all cores)")
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a scheduler of dask.distributed, such as tcp://host:8786: its workers, on any "
        "number of machines that see SOURCE at the same place, prepare the songs",
    )
    return parser.parse_args(arguments)


def prepare_files(
    options: argparse.Namespace, settings: PrepareSettings
) -> tuple[CorpusWriter, list[dict]]:
    """Write the songs of a folder, find versions of one song, and split the songs.

    Returns:
        The writer, to be finished; and of each song that was left out `file` and `reason`.
    """
    source = Path(options.source)
    entries = [
        entry
        for entry in list_songs(source, options.labels)
        if not is_excluded(entry, options.exclude_licence)
    ]
    if options.genre:
        entries = [entry | {"genre": options.genre} for entry in entries]
    if not entries:
        raise SystemExit(
            f"{source}: no song found; accepted: {', '.join(MIDI_ENDINGS)} and LPD-5 .npz files, "
            "and a dataset of blocks in Parquet, in a folder or by its Hub id (NAME/REPOSITORY)"
        )
    left_out, figures = [], PartFigures()
    with CorpusWriter(options.out) as writer, executor(options.workers, options.scheduler) as pool:
        prepare = partial(prepare_song, source, options.chord_markers, settings)
        results = pool.map(prepare, [entry["file"] for entry in entries], chunksize=8)
        for entry, result in zip(entries, tqdm(results, total=len(entries), unit="song")):
            if isinstance(result, str):
                left_out.append({"file": entry["file"], "reason": result})
                continue
            names = ("programs", "bars", "even", "meters")
            known = {name: getattr(result, name) for name in names}
            figures.add(entry["genre"], result.figures)
            writer.append({**entry, **known}, result.packed, result.plan, result.notes)
    if not writer.songs:
        raise SystemExit(f"none of {len(entries)} songs could be read; the first: {left_out[0]}")
    (options.out / FIGURES_FILE).write_text(figures.table(), encoding="utf-8")
    group_duplicates(writer.songs, settings.splits)
    split_songs(writer.songs, options.seed, settings.splits)
    return writer, left_out


def prepare_dataset(options: argparse.Namespace) -> CorpusWriter:
    """Write the songs of a dataset of blocks; return the writer, to be finished."""
    if options.labels or options.genre or options.chord_markers:
        if not Path(options.source).exists():
            raise SystemExit(f"there is no folder {options.source}")
        raise SystemExit(
            f"{options.source} is a dataset of blocks: its songs have their labels and chords "
            "already, so --labels, --genre and --chord-markers are for folders of MIDI files or "
            "LPD-5 archives"
        )
    songs = dataset.read(options.source)
    with CorpusWriter(options.out) as writer:
        for entry, packed, plan, notes in tqdm(songs, unit="song"):
            if not is_excluded(entry, options.exclude_licence):
                writer.append(entry, packed, plan, notes)
    if not writer.songs:
        raise SystemExit(
            f"{options.source}: no song is left; --exclude-licence leaves out all, "
            "or there are none"
        )
    return writer


def is_excluded(entry: dict, licence: str | None) -> bool:
    """Tell whether a song's licence matches the regular expression `licence`."""
    return bool(licence and re.search(licence, entry.get("licence", "")))


def default_name(source: str) -> str:
    """Return the name of a folder, or a Hub id without its revision."""
    return Path(source).resolve().name if Path(source).exists() else source.partition("@")[0]


def prepare_song(
    source: Path, chord_markers: bool, settings: PrepareSettings, file: str
) -> PreparedSong | str:
    """Prepare a song.

    Args:
        source: The folder of the collection.
        chord_markers: Take the chords from the file's markers.
        settings: What of the song is kept.
        file: Of the song, relative to the folder.

    Returns:
        What a corpus holds of it, or the reason why it is left out.
    """
    path = source / file
    try:
        score = read_lpd(path) if path.suffix == ".npz" else read_midi(path)
        parts = played_parts(score, chord_markers)
    except MusicError as error:
        return str(error)
    blocks = pianoroll.to_blocks(parts.planes)[:, : settings.longest]
    plan = parts.plan.reshape(-1, BLOCK_HALF_BARS)[: settings.longest].astype(np.uint8)
    bars = parts.planes[[MELODY, BASS]][:, 0].reshape(2, -1, BAR_STEPS, PITCHES).swapaxes(0, 1)
    hashes = {
        hashlib.md5(np.packbits(bar).tobytes()).hexdigest()[:12]
        for bar in bars
        if bar.sum() >= settings.fewest_notes
    }
    return PreparedSong(
        packed=[np.packbits(track, axis=-1) for track in blocks],
        plan=plan,
        notes=parts.notes[parts.notes["step"] < len(plan) * BLOCK_STEPS],
        programs={TRACK_NAMES[track]: program for track, program in parts.programs.items()},
        bars=sorted(hashes),
        even=round(parts.even, 3),
        meters="".join(map(str, parts.meters[: len(plan)])),
        figures=parts.figures,
    )


if __name__ == "__main__":
    main()
