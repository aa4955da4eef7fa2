"""Make the styles that come with accomp.

    python -m train styles [--songs FOLDER --choose NAME=FILE ...] [--out FOLDER]

Styles are patterns of train/configs/styles.yaml, and songs of FOLDER to train on whose licence
allows passing them on. Both are made as a style that a user gives: a song, encoded by the VAEs of
the models that come with accomp. Without --out, the styles that come with accomp are replaced.
"""

import argparse
import re
from pathlib import Path

import yaml

from accomp import Accompanist, read_midi
from accomp.band.style import Style
from accomp.band.style_library import STYLES, write_styles
from accomp.errors import MusicError
from train.command_line import command_parser, present
from train.data.licences import FREE, FREE_NAMES
from train.data.songs import read_labels
from train.data.style_patterns import PatternSettings, pattern_song
from train.fit.settings import CONFIGS

OWN = {"licence": "MIT", "source": "written for accomp"}
VOICES = "pop"  # all genres that come with accomp have the same VAEs


def main(arguments: list[str] | None = None, settings: PatternSettings = PatternSettings()) -> None:
    """Encode the patterns and the chosen songs."""
    options = _options(arguments)
    model = Accompanist.from_pretrained(VOICES)
    styles, about = [], {}
    for name, pattern in yaml.safe_load((CONFIGS / "styles.yaml").read_text()).items():
        styles.append(Style.of(model, pattern_song(pattern, settings), name))
        about[name] = {"genre": pattern["genre"], **OWN}
    labels = labels_of(options) if options.choose else {}
    for choice in options.choose:
        name, _, path = choice.partition("=")
        row = free_song(labels, path)
        try:
            styles.append(Style.of(model, read_midi(options.songs / path), name))
        except (MusicError, OSError) as error:
            raise SystemExit(f"{path}: {error}") from error
        about[name] = {
            "genre": row["genre"],
            "licence": row["licence"],
            "source": row.get("source", ""),
        }
    write_styles(options.out, styles, about, model)
    print(f"{options.out}: {len(styles)} styles, {', '.join(about)}")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = command_parser("styles", __doc__)
    parser.add_argument("--songs", type=Path, metavar="FOLDER", help="MIDI files to choose from")
    parser.add_argument(
        "--labels",
        type=present,
        metavar="FILE",
        help="CSV with the columns file, genre and licence, and optionally split and source "
        "(default: FOLDER/labels.csv)",
    )
    parser.add_argument(
        "--choose",
        nargs="*",
        default=[],
        metavar="NAME=FILE",
        help="a song of the folder, and its name as a style",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=STYLES,
        metavar="FOLDER",
        help="for the styles (default: accomp's)",
    )
    return parser.parse_args(arguments)


def labels_of(options: argparse.Namespace) -> dict[str, dict]:
    """Return what the labels say of each song, by file; SystemExit says what is missing."""
    labels = options.labels or options.songs and options.songs / "labels.csv"
    if not options.songs or not labels or not labels.is_file():
        raise SystemExit(
            "--choose needs --songs, a folder, and its labels: "
            "--labels FILE, or a labels.csv in the folder"
        )
    return {row["file"]: row for row in read_labels(labels, ("file", "genre", "licence"))}


def free_song(labels: dict[str, dict], path: str) -> dict:
    """Return what the labels say of a song; SystemExit says why it can't become a style."""
    if path not in labels:
        raise SystemExit(f"{path!r} is not among the songs of the labels")
    row = labels[path]
    if row.get("split", "train") != "train":
        raise SystemExit(f"{path} is of the {row['split']} songs; accepted: train")
    if not re.match(FREE, row["licence"]):
        raise SystemExit(f"{path} states {row['licence']!r}; accepted: {FREE_NAMES}")
    return row


if __name__ == "__main__":
    main()
