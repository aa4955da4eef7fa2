"""A prepared corpus as a dataset for the Hugging Face Hub, and back: `export` writes what `read` reads.

The dataset is a folder of Parquet files, data/<split>-<shard>-of-<shards>.parquet, a song a row (FEATURES), and a card,
README.md, whose figures come from the songs. Both directions go song by song, so that a corpus may be larger than memory.
"""

import heapq
import math
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from glob import escape
from operator import itemgetter
from pathlib import Path

import datasets
import numpy as np
from datasets import (
    Dataset,
    DatasetInfo,
    Features,
    IterableDataset,
    SplitDict,
    SplitInfo,
    Value,
    load_dataset,
)
from datasets.exceptions import DatasetGenerationError
from pyarrow import ArrowException
from pyarrow.parquet import read_schema
from tqdm import tqdm

from accomp.errors import ModelError
from accomp.models import hub
from accomp.roll.grid import BLOCK_HALF_BARS, BLOCK_STEPS, PITCHES, PLANES, TRACK_NAMES
from train.data.corpus import ENTRY, NOTE, Corpus
from train.data.dataset_card import SPLITS, card, licences_of
from train.data.licences import FREE, FREE_NAMES

SHARD_SONGS = 256
GROUP_SONGS = 16  # a Parquet row group, the least that is read at once
BLOCK_SHAPE = (len(PLANES), BLOCK_STEPS, PITCHES // 8)
PLAYED = np.dtype(
    [(name, NOTE[name]) for name in NOTE.names if name != "song"]
)  # a note of a row; the row is the song
FEATURES = Features(
    {
        "song": Value("int32"),  # number among all songs; the order in which they are read back
        "file": Value("string"),
        "genre": Value("string"),
        "dup_group": Value("string"),
        "licence": Value("string"),
        "source": Value("string"),
        "programs": {name: Value("uint8") for name in TRACK_NAMES},
        "even": Value("float64"),
        "blocks": Value("int32"),
        "plan": Value("binary"),
        **{name: Value("binary") for name in TRACK_NAMES},
        "notes": Value("binary"),
    }
)
NULLABLE = ("licence", "source", "programs", "even")

HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*(@\S+)?")


# From a corpus to a dataset


def export(corpus: Corpus, folder: Path, licences: str = FREE) -> int:
    """Write the songs whose stated licence matches the regular expression `licences` (whatever its case), and the dataset's
    card, into `folder`. The number of songs written; the same corpus gives the same bytes.
    """
    chosen = [
        i
        for i, song in enumerate(corpus.songs)
        if re.search(licences, song.get("licence", ""), re.IGNORECASE)
    ]
    if not chosen:
        found = [
            f"{count} with {licence!r}"
            for licence, count in licences_of(corpus.songs).most_common()
        ]
        accepted = FREE_NAMES if licences == FREE else f"what matches {licences!r}"
        raise SystemExit(
            f"none of {len(corpus.songs)} songs has a licence that is accepted; found: {', '.join(found)}; "
            f"accepted: {accepted}"
        )
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for path in data.glob("*-of-*.parquet"):  # of an earlier export, maybe of more shards
        path.unlink()
    splits = {}
    for split, name in SPLITS.items():
        songs = [(number, i) for number, i in enumerate(chosen) if corpus.songs[i]["split"] == name]
        if songs:
            splits[split] = SplitInfo(
                split, _write_split(corpus, songs, data, split), len(songs), dataset_name="parquet"
            )
    size = sum(path.stat().st_size for path in parquet_files(data))
    total = sum(info.num_bytes for info in splits.values())
    info = DatasetInfo(
        features=FEATURES, splits=SplitDict(splits), download_size=size, dataset_size=total
    )
    text = card(corpus, [corpus.songs[i] for i in chosen], info, licences, PLAYED)
    (folder / "README.md").write_text(text, encoding="utf-8")
    return len(chosen)


def _write_split(corpus: Corpus, songs: list[tuple[int, int]], data: Path, split: str) -> int:
    """Write a split in shards; songs: (number in the dataset, number in the corpus). The bytes of its rows in memory."""
    shards = [songs[at : at + SHARD_SONGS] for at in range(0, len(songs), SHARD_SONGS)]
    size = 0
    for index, shard in enumerate(tqdm(shards, desc=split, unit="shard")):
        path = data / f"{split}-{index:05d}-of-{len(shards):05d}.parquet"
        # A fingerprint is given since finding one would read the whole corpus.
        with tempfile.TemporaryDirectory() as cache, _no_progress_bars():
            rows = Dataset.from_generator(
                partial(_rows, corpus, shard),
                FEATURES,
                cache_dir=cache,
                fingerprint=path.stem,
                writer_batch_size=GROUP_SONGS,
            )
            rows.to_parquet(path, batch_size=GROUP_SONGS)
            size += rows.data.nbytes
    return size


def _rows(corpus: Corpus, songs: list[tuple[int, int]]) -> Iterator[dict]:
    """The rows of songs, in the form of FEATURES; songs: as for `_write_split`."""
    for number, i in songs:
        song = corpus.songs[i]
        own = slice(song["first"], song["first"] + song["blocks"])
        yield {
            **{
                key: song.get(key)
                for key in ("file", "genre", "dup_group", "licence", "source", "even", "blocks")
            },
            "song": number,
            "programs": {name: song["programs"].get(name) for name in TRACK_NAMES},
            "plan": corpus.plan[own].numpy().astype(np.uint8).tobytes(),
            **{name: corpus.packed[track][own].tobytes() for track, name in enumerate(TRACK_NAMES)},
            "notes": corpus.notes_of(i)[list(PLAYED.names)].astype(PLAYED).tobytes(),
        }


@contextmanager
def _no_progress_bars():
    """None from `datasets`, which count the steps inside of a shard."""
    were_off = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not were_off:
            datasets.enable_progress_bars()


# From a dataset to a corpus


def is_dataset(source: str) -> bool:
    """Whether this is a folder of Parquet files, or may be a Hub id."""
    path = Path(source)
    return bool(parquet_files(path)) if path.exists() else bool(HUB_ID.fullmatch(source))


def parquet_files(folder: Path) -> list[Path]:
    """Those in its folder `data`, else those that lie in it."""
    return sorted((folder / "data").glob("*.parquet")) or sorted(folder.glob("*.parquet"))


def read(source: str | Path) -> Iterator[tuple[dict, list[np.ndarray], np.ndarray, np.ndarray]]:
    """The songs of a dataset, a folder or a Hub id (NAME/REPOSITORY or NAME/REPOSITORY@REVISION), in the order of the corpus
    that was exported: what is known of each (train.data.corpus.ENTRY, without `first` and `blocks`), its packed blocks (a track
    each, [B, 2, 32, 16] uint8), its plan [B, 4] uint8 and its notes [n] NOTE, of song 0.

    SystemExit says what is wrong: with the dataset at once, with a song when its turn comes.
    """
    folder = Path(source) if Path(source).exists() else _download(str(source))
    files: dict[str, list[Path]] = {}
    for path in parquet_files(folder):
        files.setdefault(re.split(r"[-.]", path.name)[0], []).append(path)
    if not files or not files.keys() <= SPLITS.keys():
        found = ", ".join(sorted(files)) or "no Parquet files"
        raise SystemExit(
            f"{source} is no dataset of blocks: it has {found}; expected: data/<split>-*.parquet, with the splits "
            f"{', '.join(SPLITS)}"
        )
    with (
        _damage(source),
        tempfile.TemporaryDirectory() as cache,
    ):  # of nothing but locks, since rows are streamed
        schemas = [read_schema(paths[0]) for paths in files.values()]
        missing = [name for name in FEATURES if any(name not in schema.names for schema in schemas)]
        if missing:
            columns = f"column{'s' * (len(missing) > 1)} {', '.join(missing)}"
            raise SystemExit(f"{source} is no dataset of blocks: it lacks the {columns}")
        streams = [_stream(split, paths, cache) for split, paths in files.items()]
    rows = [_checked(source, split, stream) for split, stream in zip(files, streams)]
    return map(_song, heapq.merge(*rows, key=itemgetter("song")))


def _stream(split: str, paths: list[Path], cache: str) -> IterableDataset:
    files = {split: [escape(str(path)) for path in paths]}
    return load_dataset(
        "parquet",
        data_files=files,
        split=split,
        streaming=True,
        features=FEATURES,
        columns=list(FEATURES),
        cache_dir=cache,
    )


def _checked(source: str | Path, split: str, rows: Iterable[dict]) -> Iterator[dict]:
    """Rows with the corpus's name of their split, none of them without what a row must have."""
    with _damage(source):
        for row in rows:
            nulls = [name for name in FEATURES if row[name] is None and name not in NULLABLE]
            if nulls:
                raise SystemExit(f"{source}: {row['file']} in {split} has no {', '.join(nulls)}")
            yield {**row, "split": SPLITS[split]}


def _song(row: dict) -> tuple[dict, list[np.ndarray], np.ndarray, np.ndarray]:
    """The opposite of `_rows`, of one row."""
    count = row["blocks"]
    sizes = {
        "plan": count * BLOCK_HALF_BARS,
        **dict.fromkeys(TRACK_NAMES, count * math.prod(BLOCK_SHAPE)),
    }
    for name, size in sizes.items():
        if len(row[name]) != size:
            raise SystemExit(
                f"{row['file']}: {name} has {len(row[name])} bytes; {count} blocks have {size}"
            )
    if len(row["notes"]) % PLAYED.itemsize:
        raise SystemExit(
            f"{row['file']}: notes has {len(row['notes'])} bytes; a note has {PLAYED.itemsize}"
        )
    played = np.frombuffer(row["notes"], PLAYED)
    notes = np.zeros(len(played), NOTE)
    for name in PLAYED.names:
        notes[name] = played[name]
    packed = [
        np.frombuffer(row[name], np.uint8).reshape(count, *BLOCK_SHAPE) for name in TRACK_NAMES
    ]
    entry = {key: row[key] for key in ENTRY if row.get(key) is not None and key != "blocks"}
    entry["programs"] = {
        name: program for name, program in (row["programs"] or {}).items() if program is not None
    }
    return (
        entry,
        packed,
        np.frombuffer(row["plan"], np.uint8).reshape(count, BLOCK_HALF_BARS),
        notes,
    )


@contextmanager
def _damage(source: str | Path):
    """What `datasets` and Parquet raise on files that they can't read, as one line."""
    try:
        yield
    except (ArrowException, DatasetGenerationError, OSError, TypeError, ValueError) as error:
        raise SystemExit(
            f"{source}: a Parquet file is damaged, or of another kind ({hub.first_line(error)})"
        ) from error


def _download(source: str) -> Path:
    """The folder of a dataset on the Hub in the cache, brought there where it is not."""
    name, _, revision = source.partition("@")
    try:
        return hub.download(name, revision or None, ["data/*.parquet"], repo_type="dataset")
    except ModelError as error:
        raise SystemExit(str(error)) from error
