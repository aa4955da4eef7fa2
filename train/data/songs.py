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
    """
    archives = sorted(source.rglob("*.npz"))
    if archives:
        return _list_archives(source, archives, labels)
    if labels:
        rows = read_labels(labels, ("file", "genre"))
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
    """Read the rows of a CSV; SystemExit says which needed columns it lacks."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if rows and not set(needed) <= rows[0].keys():
        raise SystemExit(
            f"{path.name} has the columns {', '.join(rows[0])}; needed: {', '.join(needed)}"
        )
    return rows
