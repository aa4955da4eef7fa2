"""From measured figures to results and tables: `python -m train report RESULTS [--fill FILE.md ...]`.

RESULTS (model_cards/results.json) is what train.eval.evaluate wrote. --fill puts its tables between the marks
`<!-- table NAME -->` and `<!-- end -->` of text files, such as README.md and docs/claims.md; each holds the tables it wants.
"""

import argparse
import json
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import yaml

from train.eval import metrics
from train.eval.metrics import confidence_interval
from train.eval.stage import PEERS
from train.fit.judges import FIVE
from train.fit.settings import CONFIGS, genre_of, present

TITLES = {
    "real": "real songs",
    "accomp": "accomp",
    "paper": "paper",
    "paper_noise": "paper, noise 1",
    "cnn": "HarmonyCNN",
    "retrieval": "retrieval",
    "random": "random pairs",
    "gru": "next-note GRU",
    "rnn": "multi-instrument RNN",
    "gan": "DCGAN",
    "transformer": "Transformer-XL",
    **PEERS,
}
# The systems that the documents describe, beside ours.
DOCUMENTED = ("real", "accomp", "paper", "paper_noise", "cnn", "gru", "rnn", "gan", "transformer")
COSTS = "costs.json"  # in the folder of figures
PERCENT = ("chord_match", "own_chords", "on_eighths", "matched", "ends", "qualified")


def collect(folder: Path) -> dict:
    """Results of the figures that train.eval.evaluate wrote to a folder."""
    songs = {
        kind: {
            p.stem[len(kind) + 1 :]: json.loads(p.read_text())
            for p in sorted(folder.glob(f"{kind}_*.json"))
        }
        for kind in ("test", "bench")
    }
    genres = [name.removeprefix("accomp_") for name in songs["bench"] if name.startswith("accomp_")]
    if genres:
        songs["bench"]["accomp"] = pooled([songs["bench"][f"accomp_{genre}"] for genre in genres])
    reference = embeddings(songs["test"].get("real", []))
    # Settings were chosen on the bench's first, third, fifth ... melody; the others are reported.
    songs["bench_report"] = {name: entries[1::2] for name, entries in songs["bench"].items()}
    results = {
        kind: {name: summary(entries, reference) for name, entries in systems.items()}
        for kind, systems in songs.items()
    }
    results["genres"] = {
        kind: confusion({genre: songs[kind][f"accomp_{genre}"] for genre in genres}, folder)
        if genres
        else {}
        for kind in ("bench", "bench_report")
    }
    if len(reference):
        config = yaml.safe_load((CONFIGS / "accomp.yaml").read_text())
        of_genre = defaultdict(list)
        for song in songs["test"]["real"]:
            of_genre[genre_of(config, song["group"])].append(song)
        results["genres"]["real"] = confusion(of_genre, folder)
        halves = songs["test"]["real"][::2], songs["test"]["real"][1::2]
        results["frechet_of_real_halves"] = metrics.frechet_distance(
            *(embeddings(half) for half in halves)
        )
    costs = folder / COSTS
    results["costs"] = json.loads(costs.read_text()) if costs.is_file() else {}
    return rounded(results)


def pooled(systems: list[list[dict]]) -> list[dict]:
    """The songs with the performances of several systems together."""
    together: dict[str, dict] = {}
    for songs in systems:
        for song in songs:
            entry = together.setdefault(
                song["name"], {"name": song["name"], "group": song["group"], "seeds": []}
            )
            entry["seeds"] = entry["seeds"] + song["seeds"]
    return list(together.values())


def summary(songs: list[dict], reference: np.ndarray) -> dict:
    """Of each figure [mean, half-width of the 95 % interval over songs, songs]; a song's figure is the mean over its seeds.
    `groups`: chord match by group; `drift`: slope a block and p; `frechet`: distance to the real test songs.
    """
    figures = defaultdict(list)
    groups = defaultdict(list)
    blocks = defaultdict(list)
    for song in songs:
        seeds = song["seeds"]
        for name in dict.fromkeys(key for seed in seeds for key in seed):
            values = [seed[name] for seed in seeds if name in seed]
            if name.startswith("by_block_"):
                numbers = np.ma.masked_invalid(np.array(values, float))
                blocks[name.removeprefix("by_block_")].append(numbers.mean(axis=0).filled(np.nan))
            elif name == "matched":
                figures[name].append(
                    np.mean([np.mean(v) for v in values if v]) if any(values) else np.nan
                )
            elif name not in ("genre", "embedding"):
                values = np.array(values, float)
                figures[name].append(
                    values[np.isfinite(values)].mean() if np.isfinite(values).any() else np.nan
                )
        groups[song["group"]].append(figures["chord_match"][-1])
    result: dict = {
        name: [*confidence_interval(values), int(np.isfinite(values).sum())]
        for name, values in figures.items()
    }
    result["groups"] = {
        group: [*confidence_interval(values), len(values)] for group, values in groups.items()
    }
    result["drift"] = {name: list(metrics.drift(values)) for name, values in blocks.items()}
    own = embeddings(songs)
    if len(reference) and own.ndim == 2 and len(own) > own.shape[1]:
        result["frechet"] = metrics.frechet_distance(own, reference)
    return result


def embeddings(songs: list[dict]) -> np.ndarray:
    """[windows, D] of all performances."""
    rows = [row for song in songs for seed in song["seeds"] for row in seed["embedding"]]
    return np.array(rows, float)


def confusion(by_genre: dict[str, list[dict]], folder: Path) -> dict:
    """What genre the judge says songs are: rows their own, columns what it heard, in shares; among all genres and among FIVE.
    `right`: the mean over genres.
    """
    names = json.loads((folder / "genres.json").read_text())
    result = {}
    for title, among in (
        ("all", [n for n in names if n in by_genre]),
        ("five", [n for n in FIVE if n in by_genre]),
    ):
        columns = [names.index(name) for name in among]
        table = []
        for genre in among:
            heard = [
                np.argmax(np.array(seed["genre"])[columns])
                for song in by_genre[genre]
                for seed in song["seeds"]
            ]
            table.append((np.bincount(heard, minlength=len(among)) / len(heard)).tolist())
        result[title] = {"genres": among, "shares": table, "right": float(np.mean(np.diag(table)))}
    return result


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    if isinstance(value, float):
        return float(f"{value:.4g}") if np.isfinite(value) else None
    return value


# Tables

ROWS = {
    "chord_match": "chord match, % of half bars",
    "own_chords": "chords agree with the own plan, %",
    "lift": "PCS lift",
    "consonance": "PCS, raw",
    "classes_bass": "used pitch classes a bar, bass",
    "classes_guitar": "… guitar",
    "classes_strings": "… strings",
    "tonal_distance": "tonal distance guitar–strings",
    "groove": "groove similarity",
    "neighbours_drums": "rhythm of neighbouring blocks, drums",
    "neighbours_bass": "… bass",
    "neighbours_guitar": "… guitar",
    "neighbours_strings": "… strings",
    "movement_guitar": "voice movement in semitones, guitar",
    "movement_strings": "… strings",
    "empty_bass": "empty bars %, bass",
    "empty_guitar": "… guitar",
    "empty_strings": "… strings",
    "empty_drums": "… drums",
    "on_eighths": "drum hits on eighths, %",
    "velocity_std": "velocity, standard deviation",
    "structure": "structure (ILS)",
    "ends": "ends on the tonic, held, together, %",
    "matched": "critic: called matched, %",
    "frechet": "Fréchet distance to real songs",
}


CHIEF = (
    "chord_match",
    "lift",
    "consonance",
    "classes_bass",
    "classes_guitar",
    "classes_strings",
    "tonal_distance",
    "groove",
    "empty_bass",
    "empty_guitar",
    "empty_strings",
    "empty_drums",
    "structure",
    "matched",
    "frechet",
)
COST_ROWS = {
    "minutes": ("training, minutes of one core", 1, ".0f"),
    "parameters": ("parameters, millions", 1e-6, ".2f"),
    "megabytes": ("weights, MB", 1, ".1f"),
}
ABLATION_KEYS = {
    "chord_match": "chord match %",
    "own_chords": "own plan %",
    "lift": "PCS lift",
    "consonance": "PCS",
    "classes_bass": "pitch classes, bass",
    "classes_strings": "strings",
    "neighbours_bass": "neighbours, bass",
    "neighbours_strings": "strings",
    "groove": "groove",
    "velocity_std": "velocity",
    "structure": "ILS",
    "ends": "ends %",
    "frechet": "Fréchet",
}


def table(results: dict, kind: str, systems: list[str], interval: bool = True) -> str:
    """A Markdown table of a kind of melodies, a column for each system that was measured."""
    systems = [name for name in systems if name in results[kind]]
    lines = [
        "| | "
        + " | ".join(TITLES.get(name, name.removeprefix("accomp_")) for name in systems)
        + " |"
    ]
    lines.append("|---" * (len(systems) + 1) + "|")
    for key, title in ROWS.items():
        cells = [cell(results[kind][name].get(key), key, interval) for name in systems]
        if any(cell != "–" for cell in cells):
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
        if key == "chord_match" and kind != "test":
            for group in sorted({g for name in systems for g in results[kind][name]["groups"]}):
                cells = [
                    cell(results[kind][name]["groups"].get(group), key, interval)
                    for name in systems
                ]
                lines.append(f"| … {group.capitalize()} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def rivals(results: dict) -> str:
    """A Markdown table of the documents' systems: the chief figures on the test songs, then on the bench, then their cost."""
    kinds = {"test": "test songs", "bench_report": "bench"}
    measured = {name for kind in kinds for name in results[kind]}
    latent = sorted(
        (name for name in measured if name.startswith("latent_")),
        key=lambda name: int(name.split("_")[1]),
    )
    systems = [name for name in (*DOCUMENTED, *latent) if name in measured]
    titles = [TITLES.get(name) or f"{name.split('_')[1]} latents" for name in systems]
    lines = ["| | " + " | ".join(titles) + " |", "|---" * (len(systems) + 1) + "|"]
    for kind, heading in kinds.items():
        lines.append(f"| **{heading}** |" + " |" * len(systems))
        for key in CHIEF:
            cells = [cell(results[kind].get(name, {}).get(key), key, False) for name in systems]
            if any(found != "–" for found in cells):
                lines.append(f"| {ROWS[key]} | " + " | ".join(cells) + " |")
    if costs := dict(results.get("costs", {})):
        if "paper" in costs:
            costs["paper_noise"] = costs["paper"]  # the same model
        lines.append("| **cost** |" + " |" * len(systems))
        for key, (title, scale, digits) in COST_ROWS.items():
            cells = [
                f"{costs[name][key] * scale:{digits}}" if name in costs else "–" for name in systems
            ]
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def ablations(bench: dict) -> str:
    """A Markdown table, a row for each part that accomp was measured without."""
    names = [name for name in bench if name.startswith("without_")]
    if not names:
        return ""
    keys = [key for key in ABLATION_KEYS if any(key in bench[name] for name in names)]
    lines = [
        "| without | " + " | ".join(ABLATION_KEYS[key] for key in keys) + " |",
        "|---" * (len(keys) + 1) + "|",
    ]
    for title, name in [
        ("–", "accomp_pop"),
        *((n.removeprefix("without_").replace("_", " "), n) for n in names),
    ]:
        if name in bench:
            lines.append(
                f"| {title} | "
                + " | ".join(cell(bench[name].get(key), key, False) for key in keys)
                + " |"
            )
    return "\n".join(lines)


def confusion_table(found: dict) -> str:
    """A Markdown table: of the songs made in the genre of each row, how many percent the judge hears as each column's."""
    if not found:
        return ""
    genres, shares = found["all"]["genres"], found["all"]["shares"]
    lines = [
        "| made as, heard as % | " + " | ".join(genres) + " |",
        "|---" * (len(genres) + 1) + "|",
    ]
    for genre, row in zip(genres, shares):
        cells = [
            f"**{100 * share:.0f}**" if heard == genre else f"{100 * share:.0f}"
            for heard, share in zip(genres, row)
        ]
        lines.append(f"| {genre} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cell(value, key: str, interval: bool = True) -> str:
    if value is None or (isinstance(value, list) and value[0] is None):
        return "–"
    percent = key in PERCENT or key.startswith("empty_")
    mean, half = (value[0], value[1]) if isinstance(value, list) else (value, None)
    scale, digits = (100, 0) if percent else (1, 1 if key in ("velocity_std",) else 2)
    text = f"{mean * scale:.{digits}f}"
    return f"{text} ± {half * scale:.{digits}f}" if interval and half else text


def tables(results: dict) -> dict[str, str]:
    genres = sorted(name for name in results["bench_report"] if name.startswith("accomp_"))
    return {
        "bench": table(
            results, "bench_report", ["accomp", *PEERS, "paper", "cnn", "retrieval", "random"]
        ),
        "test": table(
            results,
            "test",
            ["real", "accomp", "paper", "paper_noise", "cnn", "retrieval", "random"],
        ),
        "genres": table(results, "bench_report", genres, interval=False),
        "confusion": confusion_table(results["genres"]["bench_report"]),
        "ablations": ablations(results["bench_report"]),
        "rivals": rivals(results),
    }


def fill(text: str, values: dict[str, str]) -> str:
    """`text` with the tables between their marks. Raises SystemExit where a mark names no table, or has no end."""
    for name in re.findall(r"<!-- table (.*?) -->", text):
        if name not in values:
            raise SystemExit(f"there is no table {name!r}; there are {', '.join(values)}")
        if not re.search(
            rf"<!-- table {name} -->\n(?:(?!<!-- table ).)*?<!-- end -->", text, flags=re.S
        ):
            raise SystemExit(
                f"after <!-- table {name} -->, alone on its line, there is no <!-- end -->"
            )
    for name, value in values.items():
        between = rf"(<!-- table {name} -->\n).*?(<!-- end -->)"
        text = re.sub(
            between, lambda marks, value=value: f"{marks[1]}{value}\n{marks[2]}", text, flags=re.S
        )
    return text


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="train report", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("results", type=present)
    parser.add_argument("--fill", type=present, nargs="*", default=[])
    options = parser.parse_args(arguments)
    values = tables(json.loads(options.results.read_text()))
    for path in options.fill:
        path.write_text(fill(path.read_text(), values))
    if not options.fill:
        print("\n\n".join(f"{name}\n{value}" for name, value in values.items()))


if __name__ == "__main__":
    main()
