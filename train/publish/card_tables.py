"""Tables and figures of the model cards."""

import json

from huggingface_hub import EvalResult

from accomp.roll.grid import ACCOMPANIMENT, TRACK_NAMES
from train.eval import tables

# What was measured on: its type and title on the Hub.
DATASETS = {
    "bench": ("accomontage-3-lead-sheets", "AccoMontage-3 lead sheets, melody alone"),
    "test": ("test-songs", "Held-out songs of the training corpus"),
}
# What the Hub shows beside the model: figures of the genre on the bench, and their titles.
INDEX = {
    "chord_match": "chord match per half bar, %",
    "own_chords": "chords that agree with the own plan, %",
    "lift": "PCS lift",
    "groove": "groove similarity",
    "structure": "structure (ILS)",
}


def data_rows(losses: dict) -> list[dict]:
    """List the songs that each part of a model was trained on.

    Parts with the same songs share a row.
    """
    rows: dict[str, dict] = {}
    titles = {
        **{name: f"{name} VAE" for name in TRACK_NAMES},
        "planner": "chord planner",
        "feel": "dynamics and timing",
        "harmony": "HarmonyNNs",
    }
    for part, title in titles.items():
        entries = losses.get(part, {}).get("data", [])
        for index, entry in enumerate(entries):
            tuned = part == "harmony" and len(entries) > 1
            shown = f"{title}, {'fine-tuned' if index else 'first'}" if tuned else title
            key = json.dumps(entry, sort_keys=True) + str(tuned)
            row = rows.setdefault(key, {"parts": [], "entry": entry})
            if shown not in row["parts"]:
                row["parts"].append(shown)
    return [
        {
            "part": ", ".join(row["parts"]),
            "corpus": row["entry"]["corpus"] or "–",
            "songs": " / ".join(
                f"{row['entry']['songs'][split]:,}" for split in ("train", "val", "test")
            ),
            "licences": counted(row["entry"]["licences"]),
        }
        for row in rows.values()
    ]


def counted(counts: dict[str, int]) -> str:
    """Join names with their counts, the commonest first: "MIT (12), none (3)"."""
    return ", ".join(
        f"{name} ({count:,})"
        for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    )


def eval_results(measured: dict | None, losses: dict) -> list[EvalResult]:
    """Make the card's model-index, which the Hub shows beside the model.

    Args:
        measured: Figures of the genre on the bench; None if it was not measured.
        losses: Of training.json; holds the VAEs' fidelity on test songs.
    """
    found = []
    for key, title in INDEX.items() if measured else ():
        value = measured.get(key)
        value = value[0] if isinstance(value, list) else value
        if value is not None:
            value = value * (100 if key in tables.PERCENT else 1)
            found.append(_eval_result("bench", key, title, value))
    for name in TRACK_NAMES:
        value = losses.get(name, {}).get("test", {}).get("onset_f1")
        if value is not None:
            found.append(_eval_result("test", "f1", f"reconstructed onsets, {name}, F1", value))
    return found


def _eval_result(data: str, kind: str, name: str, value: float) -> EvalResult:
    dataset, title = DATASETS[data]
    return EvalResult(
        task_type="music-accompaniment",
        task_name="Accompaniment of a given melody",
        dataset_type=dataset,
        dataset_name=title,
        metric_type=kind,
        metric_name=name,
        metric_value=round(value, 3),
    )


def bench_table(results: dict, genre: str) -> str:
    """Make a Markdown table of the genre and the paper on the bench, and of real test songs."""
    columns = [
        ("bench_report", f"accomp_{genre}", f"accomp-{genre}"),
        ("bench_report", "paper", "paper"),
        ("test", "real", "real songs"),
    ]
    columns = [column for column in columns if column[1] in results.get(column[0], {})]
    lines = tables.heading(["", *(title for _, _, title in columns)])
    for key, title in tables.ROWS.items():
        cells = [tables.cell(results[kind][name].get(key), key) for kind, name, _ in columns]
        if cells[0] != "–":
            lines.append(tables.row([title, *cells]))
    return "\n".join(lines)


def judged(results: dict, genre: str) -> str:
    """Say how often a classifier that knows real songs recognises the genre; "" if unmeasured."""
    found = results.get("genres", {}).get("bench_report", {}).get("all", {})
    if genre not in found.get("genres", []):
        return ""
    at = found["genres"].index(genre)
    return (
        f"A classifier trained on the bands of real songs recognises {genre}, among "
        f"{len(found['genres'])} genres, in {100 * found['shares'][at][at]:.0f} % of these."
    )


def fidelity(losses: dict) -> str:
    """Make a Markdown table of the F1 of reconstructed notes and the HarmonyNNs' loss.

    By instrument, on validation and test songs.
    """
    titles = [
        "",
        "VAE: onset F1, val / test",
        "… and length",
        "HarmonyNN: loss in nats a block, val / test",
    ]
    lines = tables.heading(titles)
    for track, name in enumerate(TRACK_NAMES):
        onsets, notes = (
            [losses.get(name, {}).get(split, {}).get(key) for split in ("val", "test")]
            for key in ("onset_f1", "note_f1")
        )
        network = [
            losses["harmony"].get(name, {}).get(split, {}).get("loss") for split in ("val", "test")
        ]
        shown = _pair(network) if track in ACCOMPANIMENT else "(the melody is given)"
        lines.append(tables.row([name, _pair(onsets), _pair(notes), shown]))
    return "\n".join(lines)


def _pair(values: list[float | None]) -> str:
    return " / ".join("–" if value is None else f"{value:.2f}" for value in values)
