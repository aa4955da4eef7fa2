"""The tables of the documents, as Markdown, made from results.json."""

from train.eval.stage import PEERS

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
# The systems that the original documents describe, beside ours.
DOCUMENTED = ("real", "accomp", "paper", "paper_noise", "cnn", "gru", "rnn", "gan", "transformer")
PERCENT = ("chord_match", "own_chords", "on_eighths", "ends", "qualified")
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
}


# The figures of the table of rivals.
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
)
# By name: title, factor and format.
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
}


def tables(results: dict) -> dict[str, str]:
    """Make all tables, by name."""
    genres = sorted(name for name in results["bench_report"] if name.startswith("accomp_"))
    baselines = ["cnn", "retrieval", "random"]
    return {
        "bench": figures_table(results, "bench_report", ["accomp", *PEERS, "paper", *baselines]),
        "test": figures_table(
            results, "test", ["real", "accomp", "paper", "paper_noise", *baselines]
        ),
        "genres": figures_table(results, "bench_report", genres, interval=False),
        "confusion": confusion_table(results["genres"]["bench_report"]),
        "ablations": ablation_table(results["bench_report"]),
        "rivals": rival_table(results),
    }


def figures_table(results: dict, kind: str, systems: list[str], interval: bool = True) -> str:
    """Compare systems by all figures, a row each.

    Args:
        results: As in results.json.
        kind: Of melodies: "test", "bench" or "bench_report".
        systems: The columns; those that were not measured are left out.
        interval: Whether to add 95 % intervals.

    Returns:
        A Markdown table. Figures that no system has are left out.
    """
    measured = {name: results[kind][name] for name in systems if name in results[kind]}
    titles = [TITLES.get(name, name.removeprefix("accomp_")) for name in measured]
    lines = heading(["", *titles])
    for key, title in ROWS.items():
        cells = [cell(found.get(key), key, interval) for found in measured.values()]
        if any(cell != "–" for cell in cells):
            lines.append(row([title, *cells]))
        if key == "chord_match" and kind != "test":
            for group in sorted({g for found in measured.values() for g in found["groups"]}):
                values = [found["groups"].get(group) for found in measured.values()]
                cells = [cell(value, key, interval) for value in values]
                lines.append(row([f"… {group.capitalize()}", *cells]))
    return "\n".join(lines)


def rival_table(results: dict) -> str:
    """Compare the documents' systems by their chief figures on test songs and bench, and cost."""
    kinds = {"test": "test songs", "bench_report": "bench"}
    measured = {name for kind in kinds for name in results[kind]}
    latent = sorted(
        (name for name in measured if name.startswith("latent_")),
        key=lambda name: int(name.split("_")[1]),
    )
    systems = [name for name in (*DOCUMENTED, *latent) if name in measured]
    titles = [TITLES.get(name) or f"{name.split('_')[1]} latents" for name in systems]
    lines = heading(["", *titles])
    for kind, title in kinds.items():
        lines.append(_section(title, len(systems)))
        for key in CHIEF:
            cells = [cell(results[kind].get(name, {}).get(key), key, False) for name in systems]
            if any(found != "–" for found in cells):
                lines.append(row([ROWS[key], *cells]))
    return "\n".join(lines + _cost_rows(results.get("costs", {}), systems))


def _cost_rows(costs: dict, systems: list[str]) -> list[str]:
    if not costs:
        return []
    if "paper" in costs:
        costs = {**costs, "paper_noise": costs["paper"]}  # the same model
    lines = [_section("cost", len(systems))]
    for key, (title, scale, digits) in COST_ROWS.items():
        cells = [
            f"{costs[name][key] * scale:{digits}}" if name in costs else "–" for name in systems
        ]
        lines.append(row([title, *cells]))
    return lines


def ablation_table(bench: dict) -> str:
    """Compare accomp with itself without each of its parts, a row each."""
    names = [name for name in bench if name.startswith("without_")]
    if not names:
        return ""
    keys = [key for key in ABLATION_KEYS if any(key in bench[name] for name in names)]
    lines = heading(["without", *(ABLATION_KEYS[key] for key in keys)])
    titles = {name: name.removeprefix("without_").replace("_", " ") for name in names}
    for name, title in {"accomp_pop": "–", **titles}.items():
        if name in bench:
            lines.append(row([title, *(cell(bench[name].get(key), key, False) for key in keys)]))
    return "\n".join(lines)


def confusion_table(found: dict) -> str:
    """Show which genre the judge takes songs for, in percent.

    Rows are the songs' own genres, columns those of the judge.
    """
    if not found:
        return ""
    genres, shares = found["all"]["genres"], found["all"]["shares"]
    lines = heading(["made as, judged as %", *genres])
    for genre, of_genre in zip(genres, shares):
        percent = {other: f"{100 * share:.0f}" for other, share in zip(genres, of_genre)}
        percent[genre] = f"**{percent[genre]}**"
        lines.append(row([genre, *percent.values()]))
    return "\n".join(lines)


def heading(titles: list[str]) -> list[str]:
    """Return the first two lines of a Markdown table."""
    return [row(titles), "|---" * len(titles) + "|"]


def row(cells: list[str]) -> str:
    """Return a line of a Markdown table."""
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def _section(title: str, columns: int) -> str:
    """Return a line of a table that is a title of those below it."""
    return f"| **{title}** |" + " |" * columns


def cell(value: float | list | None, key: str, interval: bool = True) -> str:
    """Write a figure as it stands in a table: a mean, with the 95 % interval if there is one.

    Args:
        value: The figure, or [mean, half-width of its interval, ...]; None if unknown.
        key: Name of the figure; PERCENT tells whether it is a share.
        interval: Whether to add the interval.
    """
    mean, half = (value[0], value[1]) if isinstance(value, list) else (value, None)
    if mean is None:
        return "–"
    scale, digits = 1, 1 if key == "velocity_std" else 2
    if key in PERCENT or key.startswith("empty_"):
        scale, digits = 100, 0
    text = f"{mean * scale:.{digits}f}"
    return f"{text} ± {half * scale:.{digits}f}" if interval and half else text
