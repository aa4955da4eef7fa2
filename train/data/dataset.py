"""Convert a corpus to a dataset for the Hugging Face Hub, and back: `export` and `read`.

The dataset is a folder of Parquet files, data/<split>-<shard>-of-<shards>.parquet, with a song a
row (COLUMNS), and a card, README.md, whose figures come from the songs. Both directions go song by
song, so that a corpus may be larger than memory.
"""

import heapq
import math
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
from accomp.roll.grid import BLOCK_HALF_BARS, TRACK_NAMES
from train.data.corpus import ENTRY, NOTE, PACKED_SHAPE, Corpus
from train.data.dataset_card import HUB_SPLITS, card, licences_of
from train.data.licences import FREE, FREE_NAMES

PLAYED = np.dtype(  # a note of a row; the row is the song
    [(name, NOTE[name]) for name in NOTE.names if name != "song"]
)
COLUMNS = Features(
    {
        "song": Value("int32"),  # number among all songs; the order in which they are read back
        "file": Value("string"),
        "genre": Value("string"),
        "dup_group": Value("string"),
        "licence": Value("string"),
        "source": Value("string"),
        "programs": {name: Value("uint8") for name in TRACK_NAMES},
        "even": Value("float64"),
        "meters": Value("string"),
        "blocks": Value("int32"),
        "plan": Value("binary"),
        **{name: Value("binary") for name in TRACK_NAMES},
        "notes": Value("binary"),
    }
)
NULLABLE = ("licence", "source", "programs", "even", "meters")

HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*(@\S+)?")


@dataclass(frozen=True)
class ShardSettings:
    """How rows are laid out in Parquet files."""

    songs: int = 256  # of a file
    group: int = 16  # songs of a row group, the least that is read at once


# From a corpus to a dataset


def export(
    corpus: Corpus, folder: Path, licences: str = FREE, shards: ShardSettings = ShardSettings()
) -> int:
    """Write songs that may be passed on, and the dataset's card. The same corpus, the same bytes.

    Args:
        corpus: The songs.
        folder: Where the dataset goes.
        licences: A regular expression that the stated licence must match, in upper or lower case.
        shards: How rows are laid out in files.

    Returns:
        The number of songs written.

    Raises:
        SystemExit: No song has such a licence.
    """
    chosen = [
        i
        for i, song in enumerate(corpus.songs)
        if re.search(licences, song.get("licence", ""), re.IGNORECASE)
    ]
    if not chosen:
        raise SystemExit(_no_free_song(corpus, licences))
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for path in data.glob("*-of-*.parquet"):  # of an earlier export, maybe of more shards
        path.unlink()
    splits = {}
    for split, name in HUB_SPLITS.items():
        songs = [(number, i) for number, i in enumerate(chosen) if corpus.songs[i]["split"] == name]
        if songs:
            size = _write_split(corpus, songs, data, split, shards)
            splits[split] = SplitInfo(split, size, len(songs), dataset_name="parquet")
    info = DatasetInfo(
        features=COLUMNS,
        splits=SplitDict(splits),
        download_size=sum(path.stat().st_size for path in parquet_files(data)),
        dataset_size=sum(split.num_bytes for split in splits.values()),
    )
    text = card(corpus, [corpus.songs[i] for i in chosen], info, licences, PLAYED)
    (folder / "README.md").write_text(text, encoding="utf-8")
    return len(chosen)


def _no_free_song(corpus: Corpus, licences: str) -> str:
    """Say which licences were found, and which are accepted."""
    counts = licences_of(corpus.songs).most_common()
    found = ", ".join(f"{count} with {licence!r}" for licence, count in counts)
    accepted = FREE_NAMES if licences == FREE else f"what matches {licences!r}"
    return (
        f"none of {len(corpus.songs)} songs has a licence that is accepted; found: {found}; "
        f"accepted: {accepted}"
    )


def _write_split(
    corpus: Corpus, songs: list[tuple[int, int]], data: Path, split: str, settings: ShardSettings
) -> int:
    """Write a split in shards.

    Args:
        corpus: The songs.
        songs: Of each, its number in the dataset and in the corpus.
        data: The folder of the files.
        split: The Hub's name of the split.
        settings: How rows are laid out in files.

    Returns:
        The bytes of the split's rows in memory.
    """
    shards = [songs[at : at + settings.songs] for at in range(0, len(songs), settings.songs)]
    size = 0
    for index, shard in enumerate(tqdm(shards, desc=split, unit="shard")):
        path = data / f"{split}-{index:05d}-of-{len(shards):05d}.parquet"
        # A fingerprint is given since finding one would read the whole corpus.
        with tempfile.TemporaryDirectory() as cache, _no_progress_bars():
            rows = Dataset.from_generator(
                partial(_rows, corpus, shard),
                COLUMNS,
                cache_dir=cache,
                fingerprint=path.stem,
                writer_batch_size=settings.group,
            )
            rows.to_parquet(path, batch_size=settings.group)
            size += rows.data.nbytes
    return size


def _rows(corpus: Corpus, songs: list[tuple[int, int]]) -> Iterator[dict]:
    """Give the rows (COLUMNS) of songs, each by its number in the dataset and in the corpus."""
    same = ("file", "genre", "dup_group", "licence", "source", "even", "meters", "blocks")
    for number, i in songs:
        song, own = corpus.songs[i], corpus.own(i)
        yield {
            **{key: song.get(key) for key in same},
            "song": number,
            "programs": {name: song["programs"].get(name) for name in TRACK_NAMES},
            "plan": corpus.plan[own].numpy().astype(np.uint8).tobytes(),
            **{name: corpus.packed[track][own].tobytes() for track, name in enumerate(TRACK_NAMES)},
            "notes": corpus.notes_of(i)[list(PLAYED.names)].astype(PLAYED).tobytes(),
        }


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Switch off the progress bars of `datasets`, which count the steps inside of a shard."""
    were_off = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not were_off:
            datasets.enable_progress_bars()


# From a dataset to a corpus


def is_dataset(source: str) -> bool:
    """Tell whether this is a folder of Parquet files, or may be a Hub id."""
    path = Path(source)
    return bool(parquet_files(path)) if path.exists() else bool(HUB_ID.fullmatch(source))


def parquet_files(folder: Path) -> list[Path]:
    """Return the Parquet files in its folder `data`, or else those that lie in it."""
    return sorted((folder / "data").glob("*.parquet")) or sorted(folder.glob("*.parquet"))


def read(source: str | Path) -> Iterator[tuple[dict, list[np.ndarray], np.ndarray, np.ndarray]]:
    """Read the songs of a dataset, in the order of the corpus that was exported.

    source: a folder, or a Hub id, NAME/REPOSITORY or NAME/REPOSITORY@REVISION.

    Returns:
        Of each song what is known of it (ENTRY without `first` and `blocks`); of each track its
        blocks, [B, 2, 32, 16] uint8; its plan, [B, 4] uint8; and its notes, [n] NOTE of song 0.

    Raises:
        SystemExit: The dataset is wrong, which is told at once; or a song is, when its turn comes.
    """
    folder = Path(source) if Path(source).exists() else _download(str(source))
    files: dict[str, list[Path]] = {}
    for path in parquet_files(folder):
        files.setdefault(re.split(r"[-.]", path.name)[0], []).append(path)
    if not files or not files.keys() <= HUB_SPLITS.keys():
        found = ", ".join(sorted(files)) or "no Parquet files"
        raise SystemExit(
            f"{source} is no dataset of blocks: it has {found}; "
            f"expected: data/<split>-*.parquet, with the splits {', '.join(HUB_SPLITS)}"
        )
    # The cache holds nothing but locks, since rows are streamed.
    with _damage(source), tempfile.TemporaryDirectory() as cache:
        schemas = [read_schema(paths[0]) for paths in files.values()]
        missing = [name for name in COLUMNS if any(name not in schema.names for schema in schemas)]
        if missing:
            columns = f"column{'s' * (len(missing) > 1)} {', '.join(missing)}"
            raise SystemExit(f"{source} is no dataset of blocks: it lacks the {columns}")
        streams = [_stream(split, paths, cache) for split, paths in files.items()]
    rows = [_checked(source, split, stream) for split, stream in zip(files, streams)]
    return map(_song, heapq.merge(*rows, key=itemgetter("song")))


def _stream(split: str, paths: list[Path], cache: str) -> IterableDataset:
    """Open the files of a split without reading them."""
    files = {split: [escape(str(path)) for path in paths]}
    return load_dataset(
        "parquet",
        data_files=files,
        split=split,
        streaming=True,
        features=COLUMNS,
        columns=list(COLUMNS),
        cache_dir=cache,
    )


def _checked(source: str | Path, split: str, rows: Iterable[dict]) -> Iterator[dict]:
    """Give rows with the corpus's name of their split; SystemExit says what a row lacks."""
    with _damage(source):
        for row in rows:
            nulls = [name for name in COLUMNS if row[name] is None and name not in NULLABLE]
            if nulls:
                raise SystemExit(f"{source}: {row['file']} in {split} has no {', '.join(nulls)}")
            yield {**row, "split": HUB_SPLITS[split]}


def _song(row: dict) -> tuple[dict, list[np.ndarray], np.ndarray, np.ndarray]:
    """Return what a row holds of a song: the opposite of `_rows`."""
    count = row["blocks"]
    sizes = {
        "plan": count * BLOCK_HALF_BARS,
        **dict.fromkeys(TRACK_NAMES, count * math.prod(PACKED_SHAPE)),
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
        np.frombuffer(row[name], np.uint8).reshape(count, *PACKED_SHAPE) for name in TRACK_NAMES
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
def _damage(source: str | Path) -> Iterator[None]:
    """Turn what `datasets` and Parquet raise on damaged files into one line."""
    try:
        yield
    except (ArrowException, DatasetGenerationError, OSError, TypeError, ValueError) as error:
        raise SystemExit(
            f"{source}: a Parquet file is damaged, or of another kind ({hub.first_line(error)})"
        ) from error


def _download(source: str) -> Path:
    """Return the folder of a dataset in the Hub's cache, downloaded where it is not there."""
    name, _, revision = source.partition("@")
    try:
        return hub.download(name, revision or None, ["data/*.parquet"], repo_type="dataset")
    except ModelError as error:
        raise SystemExit(str(error)) from error
