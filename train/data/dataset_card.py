"""Write the card of a dataset of blocks from the songs in it."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from datasets import DatasetInfo
from datasets.info import DatasetInfosDict
from huggingface_hub import DatasetCardData

from accomp.roll.grid import TRACK_NAMES
from train.data.corpus import Corpus
from train.data.licences import FREE, hub_licence, licence_slug

TEMPLATE = Path(__file__).parents[2] / "model_cards" / "dataset_template.md"
HUB_SPLITS = {"train": "train", "validation": "val", "test": "test"}  # the corpus's by the Hub's
NO_LICENCE, NO_SOURCE = "none stated", "not stated"


def card(
    corpus: Corpus, songs: list[dict], info: DatasetInfo, licences: str, note: np.dtype
) -> str:
    """Return the text of README.md: front matter for the Hub, and a description of the songs.

    Args:
        corpus: The songs.
        songs: Those that were written.
        info: What the Hub is told of the files.
        licences: As for `dataset.export`.
        note: The type of a note.
    """
    title = f"accomp blocks: {corpus.name}" if corpus.name else "accomp blocks"
    front = DatasetCardData(
        **_front_licence(songs),
        pretty_name=title,
        tags=["music", "midi", "symbolic-music"],
        size_categories=[_size_category(len(songs))],
        configs=[
            {
                "config_name": "default",
                "data_files": [{"split": s, "path": f"data/{s}-*"} for s in info.splits],
            }
        ],
    )
    DatasetInfosDict({"default": info}).to_dataset_card_data(front)
    hub_split = {name: split for split, name in HUB_SPLITS.items()}
    return TEMPLATE.read_text(encoding="utf-8").format(
        front=front.to_yaml(),
        title=_plain(title),
        songs=f"{len(songs):,}",
        chosen=f"{len(songs):,} of the corpus's {len(corpus.songs):,} songs",
        choice="allows passing them on"
        if licences == FREE
        else f"matches the regular expression {_plain(licences) or '(any)'}",
        blocks=f"{sum(song['blocks'] for song in songs):,}",
        by_split=_table("split", songs, lambda song: hub_split[song["split"]]),
        by_genre=_table("genre", songs, lambda song: song["genre"]),
        by_licence=_table("licence", songs, lambda song: song.get("licence", NO_LICENCE)),
        by_source=_table("source", songs, lambda song: song.get("source", NO_SOURCE)),
        tracks=", ".join(f"`{name}`" for name in TRACK_NAMES),
        track_numbers=", ".join(f"{track} {name}" for track, name in enumerate(TRACK_NAMES)),
        note_bytes=note.itemsize,
        note_type=[(name, note[name].str) for name in note.names],
        split=next(iter(info.splits)),
    )


def _table(heading: str, songs: list[dict], value: Callable[[dict], str]) -> str:
    """Count songs and blocks by a value of each song, as Markdown, the most frequent first."""
    counts, blocks = Counter(), Counter()
    for song in songs:
        counts[value(song)] += 1
        blocks[value(song)] += song["blocks"]
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    rows = [f"| {_plain(name)} | {counts[name]:,} | {blocks[name]:,} |" for name in ordered]
    return "\n".join([f"| {heading} | songs | blocks |", "|---|---|---|", *rows])


def _plain(text: str) -> str:
    """Escape text from a corpus, so that it stays one cell of a Markdown table, without markup."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


def licences_of(songs: list[dict]) -> Counter:
    """Count the songs by stated licence."""
    return Counter(song.get("licence", NO_LICENCE) for song in songs)


def _front_licence(songs: list[dict]) -> dict:
    """Return the fields of the front matter that name the licence.

    They have the Hub's identifiers, and "other" for a licence without one.
    """
    stated = sorted(licences_of(songs))
    found = sorted({hub_licence(licence) for licence in stated})
    fields = {"license": found[0] if len(found) == 1 else found}
    if "other" in found:
        others = {licence_slug(licence) for licence in stated if hub_licence(licence) == "other"}
        fields["license_name"] = others.pop() if len(others) == 1 else "stated-by-song"
    return fields


def _size_category(rows: int) -> str:
    """Return the Hub's name of a dataset's size."""
    bounds = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
    return next((name for bound, name in bounds.items() if rows < bound), "1M<n<10M")
