"""Results of the figures that `python -m train evaluate` has measured: means, intervals, drift."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import yaml

from train import metrics
from train.fit.judge_genre import FIVE
from train.fit.settings import CONFIGS, genre_of

COSTS = "costs.json"  # in the folder of figures
GENRES = "genres.json"  # there, too: the genres in the order of the judge's answers
FIGURES_OF_BLOCKS = "by_block_"  # how the names of figures begin that are lists over blocks
UNSUMMED = ("genre",)  # figures that have no mean


def collect(folder: Path) -> dict:
    """Summarise the figures in a folder that `python -m train evaluate` wrote.

    Returns:
        By kind of melody ("test", "bench", and "bench_report", its half that settings were not
        chosen on) and system what `summary` finds; "genres" by kind what `confusion` finds; and
        "costs" of training by system.
    """
    songs = {kind: _figures(folder, kind) for kind in ("test", "bench")}
    genres = [name.removeprefix("accomp_") for name in songs["bench"] if name.startswith("accomp_")]
    if genres:
        songs["bench"]["accomp"] = pooled([songs["bench"][f"accomp_{genre}"] for genre in genres])
    # Settings were chosen on the bench's first, third, fifth ... melody; the others are reported.
    songs["bench_report"] = {name: entries[1::2] for name, entries in songs["bench"].items()}
    results = {
        kind: {name: summary(entries) for name, entries in systems.items()}
        for kind, systems in songs.items()
    }
    results["genres"] = {
        kind: confusion({genre: songs[kind][f"accomp_{genre}"] for genre in genres}, folder)
        if genres
        else {}
        for kind in ("bench", "bench_report")
    }
    if "real" in songs["test"]:
        results["genres"]["real"] = confusion(_by_genre(songs["test"]["real"]), folder)
    costs = folder / COSTS
    results["costs"] = json.loads(costs.read_text()) if costs.is_file() else {}
    return rounded(results)


def _figures(folder: Path, kind: str) -> dict[str, list[dict]]:
    """Return the songs of each system that was measured on a kind of melodies."""
    return {
        path.stem[len(kind) + 1 :]: json.loads(path.read_text())
        for path in sorted(folder.glob(f"{kind}_*.json"))
    }


def _by_genre(songs: list[dict]) -> dict[str, list[dict]]:
    config = yaml.safe_load((CONFIGS / "accomp.yaml").read_text())
    found = defaultdict(list)
    for song in songs:
        found[genre_of(config, song["group"])].append(song)
    return found


def pooled(systems: list[list[dict]]) -> list[dict]:
    """Join the performances of several systems, song by song."""
    together: dict[str, dict] = {}
    for songs in systems:
        for song in songs:
            entry = together.setdefault(
                song["name"], {"name": song["name"], "group": song["group"], "seeds": []}
            )
            entry["seeds"] = entry["seeds"] + song["seeds"]
    return list(together.values())


def summary(songs: list[dict]) -> dict:
    """Summarise a system's figures over songs; a song's figure is the mean over its seeds.

    Args:
        songs: Figures of each song, by seed.

    Returns:
        By figure [mean, half-width of its 95 % interval, number of songs]; "groups" the same of
        chord match by group of songs; and "drift" by figure [slope a block, p].
    """
    figures, groups, blocks = defaultdict(list), defaultdict(list), defaultdict(list)
    for song in songs:
        seeds = song["seeds"]
        for name in dict.fromkeys(key for seed in seeds for key in seed):
            values = [seed[name] for seed in seeds if name in seed]
            if name.startswith(FIGURES_OF_BLOCKS):
                numbers = np.ma.masked_invalid(np.array(values, float))
                name = name.removeprefix(FIGURES_OF_BLOCKS)
                blocks[name].append(numbers.mean(axis=0).filled(np.nan))
            elif name not in UNSUMMED:
                figures[name].append(_over_seeds(values))
        groups[song["group"]].append(figures["chord_match"][-1])
    result: dict = {
        name: [*metrics.confidence_interval(values), int(np.isfinite(values).sum())]
        for name, values in figures.items()
    }
    result["groups"] = {
        group: [*metrics.confidence_interval(values), len(values)]
        for group, values in groups.items()
    }
    result["drift"] = {name: list(metrics.drift(values)) for name, values in blocks.items()}
    return result


def _over_seeds(values: list) -> float:
    """Average a song's figure over seeds."""
    numbers = np.array(values, float)
    return numbers[np.isfinite(numbers)].mean() if np.isfinite(numbers).any() else np.nan


def confusion(by_genre: dict[str, list[dict]], folder: Path) -> dict:
    """Count which genre the judge takes songs for.

    Returns:
        Twice, among "all" genres and among "five" (judges.FIVE): "genres", the names; "shares",
        rows their own genre, columns the judge's; "right", the mean over genres of the shares that
        it recognises.
    """
    names = json.loads((folder / GENRES).read_text())
    result = {}
    for title, among in (
        ("all", [n for n in names if n in by_genre]),
        ("five", [n for n in FIVE if n in by_genre]),
    ):
        columns = [names.index(name) for name in among]
        table = []
        for genre in among:
            judged = [
                np.argmax(np.array(seed["genre"])[columns])
                for song in by_genre[genre]
                for seed in song["seeds"]
            ]
            table.append((np.bincount(judged, minlength=len(among)) / len(judged)).tolist())
        result[title] = {"genres": among, "shares": table, "right": float(np.mean(np.diag(table)))}
    return result


def rounded(value: object) -> object:
    """Round all numbers of nested lists and dicts to four digits; those not finite become None."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    if isinstance(value, float):
        return float(f"{value:.4g}") if np.isfinite(value) else None
    return value
