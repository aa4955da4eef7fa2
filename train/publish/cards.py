"""Model cards, filled from the files of settings and figures: `python -m train cards [GENRE ...]`.

Writes model_cards/<genre>.md from model_cards/template.md, the model's own training.json and config.json, and results.json if
the genre was measured. NAMESPACE stands in it for the owner on the Hub, whom train.publish.push puts in.
"""

import argparse
import json
import math
import re
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData
from safetensors import safe_open

from accomp.band.accompanist import Accompanist
from accomp.models import hub
from accomp.models.config import CONFIG_FILE, WEIGHTS_FILE
from accomp.roll.grid import ACCOMPANIMENT, TRACK_NAMES
from train.data.corpus import UNSTATED
from train.eval import report
from train.fit.unpack import TRAINING

CARDS = Path(__file__).parents[2] / "model_cards"
TEMPLATE, RESULTS = CARDS / "template.md", CARDS / "results.json"
PLACEHOLDER = "NAMESPACE"
LABELS = {"bench": "accomontage-3-lead-sheets", "test": "test-songs"}
# What the Hub shows beside the model: figures of a genre's bench results, with their titles there.
INDEX = {
    "chord_match": "chord match per half bar, %",
    "own_chords": "chords that agree with the own plan, %",
    "lift": "PCS lift",
    "groove": "groove similarity",
    "structure": "structure (ILS)",
    "frechet": "Fréchet distance to real songs",
}
FEW = 100  # training songs
# Samples beside the card: melodies of examples/ in three meters and tempos, the same for every genre.
SAMPLES = {
    "ode_to_joy": "Ode to Joy",
    "greensleeves": "Greensleeves",
    "when_the_saints": "When the Saints Go Marching In",
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="train cards", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("genres", nargs="*", metavar="GENRE", help="all by default")
    parser.add_argument(
        "--models", type=Path, default=hub.MODELS, help="folder with a folder for each genre"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=CARDS)
    options = parser.parse_args(arguments)
    results = json.loads(options.results.read_text()) if options.results.is_file() else {}
    found = sorted(path.parent.name for path in options.models.glob(f"*/{TRAINING}"))
    for genre in options.genres or found:
        if genre not in found:
            raise SystemExit(
                f"{options.models / genre} holds no {TRAINING}; trained genres: {', '.join(found) or 'none'}"
            )
        write(options.models / genre, results, options.out)


def write(model: Path, results: dict, folder: Path) -> Path:
    """Write the card of the model in a folder to `folder`/<genre>.md."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{json.loads((model / CONFIG_FILE).read_text())['genre']}.md"
    path.write_text(str(card_of(model, results)) + "\n")
    print(f"{path}")
    return path


def card_of(model: Path, results: dict) -> ModelCard:
    """The card of the model in a folder that train.fit.harmony wrote. results: as in results.json, empty where there are none."""
    training = json.loads((model / TRAINING).read_text())
    config = json.loads((model / CONFIG_FILE).read_text())
    genre, losses = config["genre"], training["losses"]
    measured = (results.get("bench_report") or {}).get(f"accomp_{genre}")
    data = data_rows(losses)
    own = losses["harmony"].get("data", [{}])[-1]
    corpora = sorted(
        {
            entry["corpus"]
            for part in losses.values()
            for entry in part.get("data", [])
            if entry["corpus"]
        }
    )
    known = Accompanist._hub_mixin_info.model_card_data
    with safe_open(model / WEIGHTS_FILE, "np") as file:
        parameters = sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())
    return ModelCard.from_template(
        ModelCardData(
            license=known.license,
            library_name=known.library_name,
            tags=[*known.tags, genre],
            datasets=[name for name in corpora if re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name)]
            or None,
            model_name=f"accomp-{genre}",
            eval_results=eval_results(measured, losses),
        ),
        template_path=str(TEMPLATE),
        genre=genre,
        parameters=f"{parameters / 1e6:.1f} million",
        weights=config["weights_sha256"][:12],
        megabytes=f"{(model / WEIGHTS_FILE).stat().st_size / 1e6:.1f}",
        samples=[{"name": name, "title": title} for name, title in SAMPLES.items()],
        data=data,
        sources=counted(
            {
                source: count
                for source, count in own.get("sources", {}).items()
                if source != UNSTATED
            }
        ),
        labels=", ".join(training["labels"])
        if isinstance(training["labels"], list) and len(training["labels"]) > 1
        else "",
        unstated=any("none" in row["licences"] or UNSTATED in row["licences"] for row in data),
        codes=f"{config['harmony']['codebook']:,}",
        bench=bench_table(results, genre) if measured else "",
        melodies=measured["chord_match"][2] if measured else 0,
        heard=heard(results, genre) if measured else "",
        fidelity=fidelity(losses),
        songs=training["songs"]["train"],
        few=training["songs"]["train"] < FEW,
        pop909="pop909" in corpora,
    )


def data_rows(losses: dict) -> list[dict]:
    """What each part of a model learned from, parts with the same data together."""
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
    return ", ".join(
        f"{name} ({count:,})"
        for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    )


def eval_results(measured: dict | None, losses: dict) -> list[EvalResult]:
    """The card's model-index: figures on the bench where the genre was measured, and the VAEs' fidelity on test songs."""
    task = {"task_type": "music-accompaniment", "task_name": "Accompaniment of a given melody"}
    found = []
    for key, title in INDEX.items() if measured else ():
        value = measured.get(key)
        value = value[0] if isinstance(value, list) else value
        if value is not None:
            scale = 100 if key in report.PERCENT else 1
            found.append(
                EvalResult(
                    **task,
                    dataset_type=LABELS["bench"],
                    dataset_name="AccoMontage-3 lead sheets, melody alone",
                    metric_type=key,
                    metric_name=title,
                    metric_value=round(value * scale, 3),
                )
            )
    for name in TRACK_NAMES:
        value = losses.get(name, {}).get("test", {}).get("onset_f1")
        if value is not None:
            found.append(
                EvalResult(
                    **task,
                    dataset_type=LABELS["test"],
                    dataset_name="Held-out songs of the training corpus",
                    metric_type="f1",
                    metric_name=f"reconstructed onsets, {name}, F1",
                    metric_value=round(value, 3),
                )
            )
    return found


def bench_table(results: dict, genre: str) -> str:
    """A Markdown table of the genre and the paper on the bench, and of the real test songs."""
    columns = [
        ("bench_report", f"accomp_{genre}", f"accomp-{genre}"),
        ("bench_report", "paper", "paper"),
        ("test", "real", "real songs"),
    ]
    columns = [column for column in columns if column[1] in results.get(column[0], {})]
    lines = [
        "| | " + " | ".join(title for _, _, title in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for key, title in report.ROWS.items():
        cells = [report.cell(results[kind][name].get(key), key) for kind, name, _ in columns]
        if cells[0] != "–":
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def heard(results: dict, genre: str) -> str:
    """How often a judge that knows real songs hears the genre."""
    found = results.get("genres", {}).get("bench_report", {}).get("all", {})
    if genre not in found.get("genres", []):
        return ""
    at = found["genres"].index(genre)
    share = 100 * found["shares"][at][at]
    among = len(found["genres"])
    return f"A classifier trained on the bands of real songs hears {genre}, of {among} genres, in {share:.0f} % of these."


def fidelity(losses: dict) -> str:
    """A Markdown table: F1 of reconstructed onsets, and the HarmonyNNs' loss, by instrument."""
    lines = [
        "| | VAE: onset F1, val / test | HarmonyNN: loss in nats a block, val / test |",
        "|---|---|---|",
    ]
    for track, name in enumerate(TRACK_NAMES):
        vae = [losses.get(name, {}).get(split, {}).get("onset_f1") for split in ("val", "test")]
        network = [
            losses["harmony"].get(name, {}).get(split, {}).get("loss") for split in ("val", "test")
        ]
        shown = _pair(network) if track in ACCOMPANIMENT else "(the melody is given)"
        lines.append(f"| {name} | {_pair(vae)} | {shown} |")
    return "\n".join(lines)


def _pair(values: list[float | None]) -> str:
    return " / ".join("–" if value is None else f"{value:.2f}" for value in values)


if __name__ == "__main__":
    main()
