"""List the songs of a collection, with what its labels say of each."""

import csv
from pathlib import Path

from accomp.music.midi_chunks import MIDI_ENDINGS
from train.data.lpd import read_genre_list

LABELS = ("file", "genre", "split", "dup_group", "licence", "source")  # columns that are read
UNKNOWN_GENRE = "unknown"


def list_songs(source: Path, labels: Path | None) -> list[dict]:
    """List the songs in a folder of MIDI files or LPD-5 archives.

    Args:
        source: The folder.
        labels: For MIDI files a CSV with the columns `file` and `genre`, and optionally `split`,
            `dup_group`, `licence` and `source`; without it the genre is the name of the first
            folder. For LPD-5 a list of genres by Million Song Dataset id: songs that are not in it
            are left out.

    Returns:
        For each song its `file`, relative to `source`, its `genre`, and what else its labels say.

    Raises:
        SystemExit: The labels cannot be read, or name files that do not exist.
    """
    archives = sorted(source.rglob("*.npz"))
    if archives:
        return _list_archives(source, archives, labels)
    if labels:
        rows = read_labels(labels, ("file", "genre"))
        missing = [row["file"] for row in rows if not (source / row["file"]).is_file()]
        if missing:
            raise SystemExit(
                f"{labels.name} names {len(missing)} of {len(rows)} files that are not in "
                f"{source}; the first: {missing[0]}. The column `file` is relative to the folder"
            )
        return [{key: row[key] for key in LABELS if row.get(key)} for row in rows]
    files = sorted(path for path in source.rglob("*") if path.suffix.lower() in MIDI_ENDINGS)
    parts = [path.relative_to(source).parts for path in files]
    return [
        {"file": str(Path(*part)), "genre": part[0] if len(part) > 1 else UNKNOWN_GENRE}
        for part in parts
    ]


def _list_archives(source: Path, archives: list[Path], labels: Path | None) -> list[dict]:
    genres = read_genre_list(labels) if labels else {}
    entries = []
    for path in archives:
        # LPD's archives lie in a folder named after the track, or are named after it.
        names = (path.parent.name, path.stem)
        genre = next((genres[name] for name in names if name in genres), None)
        if genre or not labels:
            file = str(path.relative_to(source))
            entries.append({"file": file, "genre": genre or UNKNOWN_GENRE})
    return entries


def read_labels(path: Path, needed: tuple[str, ...]) -> list[dict]:
    """Read the rows of a CSV, in UTF-8 or UTF-16, with or without a byte order mark.

    Columns may be separated by semicolons or tabs, as spreadsheets write them.

    Raises:
        SystemExit: The file is no such text, or lacks needed columns or values.
    """
    text = _text_of(path)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter, skipinitialspace=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise SystemExit(f"{path.name} is no table of comma-separated values: {error}") from error
    names = [str(name).strip() for name in reader.fieldnames or ()]
    if not set(needed) <= set(names):
        raise SystemExit(
            f"{path.name} has the columns {', '.join(names) or 'none'}; needed: {', '.join(needed)}"
        )
    rows = [
        {str(name).strip(): (value or "").strip() for name, value in row.items() if name}
        for row in rows
    ]
    for number, row in enumerate(rows, 2):
        empty = [name for name in needed if not row.get(name)]
        if empty:
            raise SystemExit(f"line {number} of {path.name} has no {', '.join(empty)}")
    return rows


def _text_of(path: Path) -> str:
    data = path.read_bytes()
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SystemExit(
            f"{path.name} is in no known encoding ({error.reason} at byte {error.start}); "
            "accepted: UTF-8 and UTF-16"
        ) from error
    if "\0" in text:
        raise SystemExit(f"{path.name} is no text; accepted: comma-separated values in UTF-8")
    return text
