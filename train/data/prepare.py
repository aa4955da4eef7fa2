"""Songs to blocks: `python -m train prepare SOURCE --out CORPUS [--labels FILE]`.

SOURCE is a folder of MIDI files, or of LPD-5 archives (.npz). FILE is, for MIDI, a CSV with the columns `file` (relative to
SOURCE) and `genre`, and optionally `split` (train, val, test), `dup_group`, `licence` and `source` (the collection); without
it the genre is the name of the first folder. For LPD-5 it is a list of genres by Million Song Dataset id (tagtraum).

SOURCE is also a dataset that train.data.dataset exported: its folder, or its Hub id, NAME/REPOSITORY or NAME/REPOSITORY@REVISION.

CORPUS gets, per track, its blocks as packed bits ([blocks, 2, 32, 16] uint8, song after song), the chord plan of each block,
all notes as they were played (train.data.corpus.NOTE) and songs.json. Songs are split 80/10/10 by chance unless the labels say how;
duplicates go together. The songs of a dataset keep their splits and groups.
"""

import argparse
import csv
import hashlib
import random
import re
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from accomp.errors import MusicError
from accomp.music.midi import read_midi
from accomp.music.midi_chunks import MIDI_ENDINGS
from accomp.roll import pianoroll
from accomp.roll.grid import BASS, BLOCK_HALF_BARS, BLOCK_STEPS, MELODY, TRACK_NAMES
from train.data import dataset
from train.data.corpus import SONGS_FILE, CorpusWriter
from train.data.lpd import read_genre_list, read_lpd
from train.data.parts import played_parts
from train.fit.settings import present

SPLITS = (("train", 0.8), ("val", 0.1), ("test", 0.1))
LONGEST = 1000  # blocks; a longer song is a loop or a medley and is cut
ALIKE = 0.5  # songs that share this much of their bars are versions of one


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="train prepare", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--name", help="of the corpus; the name of the source's folder, or its Hub id, by default"
    )
    parser.add_argument("--labels", type=present)
    parser.add_argument(
        "--genre",
        help="of all songs, where there are no labels; else the name of their first folder",
    )
    parser.add_argument(
        "--exclude-licence",
        metavar="REGEX",
        help="leave out songs whose licence column matches, e.g. 'NC'",
    )
    parser.add_argument(
        "--chord-markers",
        action="store_true",
        help="the chords are those that the files' markers name",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the split")
    parser.add_argument("--workers", type=int, default=None, help="processes; all cores by default")
    options = parser.parse_args(arguments)

    if options.genre and options.labels:
        raise SystemExit(
            "--genre is for songs without labels; the labels say the genre of each song"
        )
    writer, left_out = (
        prepare_dataset(options) if dataset.is_dataset(options.source) else prepare_files(options)
    )
    writer.finish(options.name or default_name(options.source), left_out)
    counts = {split: sum(song["split"] == split for song in writer.songs) for split, _ in SPLITS}
    print(
        f"{len(writer.songs)} songs, {writer.blocks} blocks ({counts}); left out {len(left_out)}, see {SONGS_FILE}"
    )


def prepare_files(options: argparse.Namespace) -> tuple[CorpusWriter, list[dict]]:
    """Write the songs of a folder, with their duplicates found and split. The writer, to be finished, and what was left out."""
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
            f"{source}: no song found; accepted: {', '.join(MIDI_ENDINGS)} and LPD-5 .npz files, and a dataset of "
            "blocks in Parquet, in a folder or by its Hub id (NAME/REPOSITORY)"
        )
    left_out = []
    with CorpusWriter(options.out) as writer, ProcessPoolExecutor(options.workers) as pool:
        prepare = partial(prepare_song, source, options.chord_markers)
        results = pool.map(prepare, [entry["file"] for entry in entries], chunksize=8)
        for entry, result in zip(entries, tqdm(results, total=len(entries), unit="song")):
            if isinstance(result, str):
                left_out.append({"file": entry["file"], "reason": result})
                continue
            packed, plan, notes, programs, bars, even = result
            writer.append(
                {**entry, "programs": programs, "bars": bars, "even": even}, packed, plan, notes
            )
    if not writer.songs:
        raise SystemExit(f"none of {len(entries)} songs could be read; the first: {left_out[0]}")
    group_duplicates(writer.songs)
    split_songs(writer.songs, options.seed)
    return writer, left_out


def prepare_dataset(options: argparse.Namespace) -> tuple[CorpusWriter, list[dict]]:
    """As `prepare_files`, from a dataset of blocks, whose songs are grouped and split already."""
    if options.labels or options.genre or options.chord_markers:
        if not Path(options.source).exists():
            raise SystemExit(f"there is no folder {options.source}")
        raise SystemExit(
            f"{options.source} is a dataset of blocks: its songs have their labels and chords already, so "
            "--labels, --genre and --chord-markers are for folders of MIDI files or LPD-5 archives"
        )
    songs = dataset.read(options.source)
    with CorpusWriter(options.out) as writer:
        for entry, packed, plan, notes in tqdm(songs, unit="song"):
            if not is_excluded(entry, options.exclude_licence):
                writer.append(entry, packed, plan, notes)
    if not writer.songs:
        raise SystemExit(
            f"{options.source}: no song is left; --exclude-licence leaves out all, or there are none"
        )
    return writer, []


def is_excluded(entry: dict, licence: str | None) -> bool:
    return bool(licence and re.search(licence, entry.get("licence", "")))


def default_name(source: str) -> str:
    """The name of a folder, or a Hub id without its revision."""
    return Path(source).resolve().name if Path(source).exists() else source.partition("@")[0]


def list_songs(source: Path, labels: Path | None) -> list[dict]:
    """An entry a song: `file` relative to `source`, `genre`, and of `split`, `dup_group`, `licence`, `source` what the
    labels say.
    """
    archives = sorted(source.rglob("*.npz"))
    if archives:
        genres = read_genre_list(labels) if labels else {}
        entries = []
        for path in archives:
            # LPD's archives lie in a folder named after the track, or are named after it.
            genre = next(
                (genres[name] for name in (path.parent.name, path.stem) if name in genres), None
            )
            if genre or not labels:
                entries.append({"file": str(path.relative_to(source)), "genre": genre or "unknown"})
        return entries
    if labels:
        with open(labels, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if rows and not {"file", "genre"} <= rows[0].keys():
            raise SystemExit(
                f"{labels.name} has the columns {', '.join(rows[0])}; needed: file, genre"
            )
        known = ("file", "genre", "split", "dup_group", "licence", "source")
        return [{key: row[key] for key in known if row.get(key)} for row in rows]
    files = sorted(path for path in source.rglob("*") if path.suffix.lower() in MIDI_ENDINGS)
    parts = [path.relative_to(source).parts for path in files]
    return [
        {"file": str(Path(*part)), "genre": part[0] if len(part) > 1 else "unknown"}
        for part in parts
    ]


def prepare_song(source: Path, chord_markers: bool, file: str):
    """(packed blocks of each track, plan [B, 4], notes, programs, hashes of bars, share of even beats), or why there are none."""
    path = source / file
    try:
        parts = played_parts(
            read_lpd(path) if path.suffix == ".npz" else read_midi(path), chord_markers
        )
    except MusicError as error:
        return str(error)
    blocks = pianoroll.to_blocks(parts.planes)[:, :LONGEST]
    plan = parts.plan.reshape(-1, BLOCK_HALF_BARS)[:LONGEST].astype(np.uint8)
    packed = [np.packbits(track, axis=-1) for track in blocks]
    bars = parts.planes[[MELODY, BASS]][:, 0].reshape(2, -1, 16, 128).swapaxes(0, 1)
    hashes = {
        hashlib.md5(np.packbits(bar).tobytes()).hexdigest()[:12] for bar in bars if bar.sum() > 3
    }
    programs = {TRACK_NAMES[track]: program for track, program in parts.programs.items()}
    notes = parts.notes[parts.notes["step"] < len(plan) * BLOCK_STEPS]
    return packed, plan, notes, programs, sorted(hashes), round(parts.even, 3)


def group_duplicates(songs: list[dict]) -> None:
    """Give versions of one song one `dup_group`: those that the labels say are, and those that share half of their bars'
    melody and bass in the normal key (Jaccard index).
    """
    parent = list(range(len(songs)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    labelled: dict[str, int] = {}
    by_bar = defaultdict(list)
    for i, song in enumerate(songs):
        if "dup_group" in song:
            parent[root(i)] = root(labelled.setdefault(song["dup_group"], i))
        for bar in song["bars"]:
            by_bar[bar].append(i)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for holders in by_bar.values():
        if len(holders) <= 20:  # a bar in many songs is a commonplace
            for a in range(len(holders)):
                for b in range(a):
                    shared[holders[b], holders[a]] += 1
    for (a, b), count in shared.items():
        if count >= 4 and count >= ALIKE * min(len(songs[a]["bars"]), len(songs[b]["bars"])):
            parent[root(b)] = root(a)
    for i, song in enumerate(songs):
        song["dup_group"] = str(root(i))


def split_songs(songs: list[dict], seed: int) -> None:
    """Set `split` of songs that have none, 80/10/10 by duplicate group. A group with a labelled song follows it; where
    labels disagree within a group, the group goes where it does least harm: test before val before train.
    """
    groups = defaultdict(list)
    for song in songs:
        groups[song["dup_group"]].append(song)
    free = []
    for group in groups.values():
        labelled = {song["split"] for song in group if "split" in song}
        unknown = labelled - {split for split, _ in SPLITS}
        if unknown:
            raise SystemExit(
                f"split {unknown.pop()!r} of {group[0]['file']} is unknown; accepted: train, val, test"
            )
        split = next((s for s in ("test", "val", "train") if s in labelled), None)
        if split is None:
            free.append(group)
            continue
        for song in group:
            song["split"] = split
    random.Random(seed).shuffle(free)
    total, done = sum(len(group) for group in free), 0
    bounds = [
        (split, sum(share for _, share in SPLITS[: i + 1])) for i, (split, _) in enumerate(SPLITS)
    ]
    for group in free:
        split = next((s for s, bound in bounds if done < bound * total - 1e-9), "test")
        for song in group:
            song["split"] = split
        done += len(group)


if __name__ == "__main__":
    main()
