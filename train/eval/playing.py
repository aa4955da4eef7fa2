"""Measure how our band plays beside real songs and peers: `python -m train playing ...`.

    python -m train playing --songs MIDI_FOLDER --melodies BENCH
        [--models FOLDER ...] [--genres pop jazz] [--limit 10] [--seeds 1] [--rows]
        [--reference FILE] [--out FILE] [--beside FILE ...]

Sixteen measures (train.metrics.playing) of each player, in our results to the melodies, in real
songs (MIDI_FOLDER with its labels.csv, test and val songs with drums, bass and guitar), and in what
peers made of the melodies (BENCH/NAME/PEER.mid). A row is a measure of a player in a genre; "all"
compares all genres together. Printed is the share of rows in which ours is nearer to real songs
than every peer, and in which it is within twice the distance of two halves of the real songs; with
--rows all means, too. --reference keeps what was measured of real songs and peers, which takes
longest. Several --models are compared side by side; --beside compares with the --out of earlier
runs, of other weights or other code.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import yaml

from accomp.band.accompanist import Accompanist
from accomp.models.genre_files import MODELS
from accomp.models.places import CONFIG_FILE
from accomp.roll.grid import ACCOMPANIMENT, MELODY
from train.command_line import command_parser
from train.data.songs import read_labels
from train.eval import playing_songs, playing_table
from train.eval.playing_songs import Melody, player_names, players
from train.eval.playing_table import Found
from train.eval.stage import PEERS
from train.fit.settings import CONFIGS, genre_of
from train.metrics.playing import profile
from train.metrics.playing_distance import Distribution, compare, compare_halves
from train.metrics.playing_notes import Playing

ALL = "all"
# Which of the melodies are taken: settings are chosen on the first, third, fifth ... alone.
HALVES = {"tune": slice(0, None, 2), "report": slice(1, None, 2), "all": slice(None)}
EVERYBODY = player_names((*ACCOMPANIMENT, MELODY))
LEAST_PLAYED = 0.5  # share of a peer's results in which a player plays who is of its line-up

Profile = dict[str, Distribution]


def main(arguments: list[str] | None = None) -> None:
    """Measure what the command line names, and print the tables."""
    options = _parse(arguments)
    melodies = playing_songs.read_melodies(options.melodies)[HALVES[options.half]][: options.limit]
    real, peers = _reference(options)
    ours = {
        name: {
            genre: [own for m in melodies for own in _ours(folder / genre, m, options)]
            for genre in _genres(folder, options.genres)
        }
        for name, folder in _named(options.models).items()
    }
    if options.out:
        _write(options.out, {"ours": _packed(ours)})
    for path in options.beside:
        earlier = json.loads(path.read_text())["ours"]
        for name, by_genre in earlier.items():
            title = f"{path.stem}:{name}" if len(earlier) > 1 else path.stem
            ours[_free_name(title, ours)] = _unpacked_sets(by_genre)
    found = compared(real, peers, ours)
    own = list(ours)
    if options.rows:
        for of_genre in found:
            print(playing_table.means(of_genre, own, list(peers)), end="\n\n")
    counts = ", ".join(f"{genre} {len(songs)}" for genre, songs in real.items())
    print(f"real songs: {counts}; melodies: {len(melodies)}; seeds: {options.seeds}")
    print(playing_table.summary(found, own, list(peers)))


def compared(
    real: dict[str, list[Profile]],
    peers: dict[str, list[Profile]],
    ours: dict[str, dict[str, list[Profile]]],
) -> list[Found]:
    """Compare our systems and the peers with real songs, in each genre and over all.

    Args:
        real: Songs by genre.
        peers: Songs by peer.
        ours: Songs by system and genre.
    """
    genres = dict.fromkeys(genre for by_genre in ours.values() for genre in by_genre)
    found = []
    for genre in [*genres, ALL] if len(genres) > 1 else genres:
        own = {
            name: sum(by_genre.values(), []) if genre == ALL else by_genre.get(genre, [])
            for name, by_genre in ours.items()
        }
        songs = sum((real.get(g, []) for g in (genres if genre == ALL else [genre])), [])
        rows = compare(songs, own | peers)
        if rows:
            found.append(Found(genre, rows, compare_halves(songs, peers)))
    return found


def distributions(song: Playing, lineup: set[str]) -> Profile:
    """Take all measures of a song, as distributions by row."""
    return {row: Distribution.of(samples) for row, samples in profile(song, lineup).items()}


@torch.no_grad()
def _ours(folder: Path, melody: Melody, options: argparse.Namespace) -> Iterator[Profile]:
    model = _model(folder)
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        song = playing_songs.our_result(model, melody, seed, **options.settings)
        yield distributions(song, EVERYBODY)


_LOADED: dict[Path, Accompanist] = {}


def _model(folder: Path) -> Accompanist:
    """Load a model, and forget the one before."""
    if folder not in _LOADED:
        _LOADED.clear()
        _LOADED[folder] = Accompanist.from_pretrained(folder)
    return _LOADED[folder]


def _genres(folder: Path, wanted: list[str] | None) -> list[str]:
    known = sorted(path.parent.name for path in folder.glob(f"*/{CONFIG_FILE}"))
    missing = set(wanted or ()) - set(known)
    if missing or not known:
        raise SystemExit(f"{folder} has no model {', '.join(missing)}; there are: {known}")
    return wanted or known


def _reference(
    options: argparse.Namespace,
) -> tuple[dict[str, list[Profile]], dict[str, list[Profile]]]:
    """Return real songs by genre, and peers' results by peer, read from --reference if it is there.

    The peers' results are those of all melodies of their folder, which are few.
    """
    path = options.reference
    if path and path.is_file():
        kept = json.loads(path.read_text())
        return _unpacked_sets(kept["real"]), _unpacked_sets(kept["peers"])
    if not options.songs:
        raise SystemExit("--songs is missing: a folder of real songs with its labels.csv")
    real = _real(options)
    peers = _peers(options.peers or options.melodies)
    if path:
        _write(path, {"real": _packed(real), "peers": _packed(peers)})
    return real, peers


def _real(options: argparse.Namespace) -> dict[str, list[Profile]]:
    config = yaml.safe_load((CONFIGS / "accomp.yaml").read_text())
    labels = read_labels(options.songs / "labels.csv", ("file", "genre", "split"))
    rows = [row for row in labels if row["split"] in options.splits]
    found = defaultdict(list)
    for row, song in playing_songs.real_songs(options.songs, rows):
        lineup = player_names(players(song))
        found[genre_of(config, row["genre"])].append(distributions(song, lineup))
    return dict(sorted(found.items()))


def _peers(folder: Path) -> dict[str, list[Profile]]:
    found = {}
    melodies = playing_songs.read_melodies(folder)
    for peer, title in PEERS.items():
        results = [playing_songs.peer_result(melody, folder, peer) for melody in melodies]
        songs = [song for song in results if song]
        lineup = player_names(
            part
            for part in (*ACCOMPANIMENT, MELODY)
            if songs and np.mean([len(s.notes[part]) > 0 for s in songs]) >= LEAST_PLAYED
        )
        if songs:
            found[title] = [distributions(song, lineup) for song in songs]
    return found


def _write(path: Path, values: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values))


def _named(folders: list[Path]) -> dict[str, Path]:
    """Name folders of models by their names, or whole paths where these are alike."""
    names = [folder.resolve().name for folder in folders]
    return {
        name if names.count(name) == 1 else str(folder): folder
        for name, folder in zip(names, folders)
    }


def _free_name(name: str, taken: dict) -> str:
    return _free_name(f"{name}'", taken) if name in taken else name


def _packed(value: dict | list | Distribution) -> dict | list:
    """Turn distributions into lists that JSON can hold."""
    if isinstance(value, Distribution):
        return [np.round(column, 6).tolist() for column in value]
    if isinstance(value, list):
        return [_packed(entry) for entry in value]
    return {key: _packed(entry) for key, entry in value.items()}


def _unpacked_sets(sets: dict[str, list[dict]]) -> dict[str, list[Profile]]:
    return {
        name: [
            {row: Distribution(*map(np.array, kept)) for row, kept in song.items()}
            for song in songs
        ]
        for name, songs in sets.items()
    }


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = command_parser("playing", __doc__)
    parser.add_argument("--songs", type=Path, help="folder of real songs with its labels.csv")
    parser.add_argument("--splits", nargs="+", default=["test", "val"], help="of the real songs")
    parser.add_argument(
        "--melodies", type=Path, required=True, help="folder of MIDI files, or of lead sheets"
    )
    parser.add_argument(
        "--half", choices=HALVES, default="all", help="tune: every other melody, report: the others"
    )
    parser.add_argument("--limit", type=int, help="so many melodies only")
    parser.add_argument("--peers", type=Path, help="folder of peers' results (default: --melodies)")
    parser.add_argument(
        "--models", type=Path, nargs="+", default=[MODELS], help="folders of our genres' models"
    )
    parser.add_argument("--genres", nargs="+", help="default: all of each folder")
    parser.add_argument("--seeds", type=int, default=1, help="results of each melody (default: 1)")
    parser.add_argument("--first-seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--settings", type=json.loads, default={}, help="JSON of options of Accompanist.accompany"
    )
    parser.add_argument("--rows", action="store_true", help="print all rows, too")
    parser.add_argument("--reference", type=Path, help="file that keeps real songs and peers")
    parser.add_argument("--out", type=Path, help="file for our measures, for --beside")
    parser.add_argument("--beside", type=Path, nargs="+", default=[], help="earlier --out files")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
