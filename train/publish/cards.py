"""Write the model cards: `python -m train cards [GENRE ...]`.

model_cards/<genre>.md is made from model_cards/template.md, the model's own training.json and
config.json, and results.json if the genre was measured. NAMESPACE stands in it for the owner on the
Hub; `python -m train push` replaces it.
"""

import argparse
import json
import re
from pathlib import Path

from huggingface_hub import ModelCard, ModelCardData

from accomp.band.accompanist import Accompanist
from accomp.models.files import CONFIG_FILE
from accomp.models.genre_files import MODELS, weight_files
from train.data.corpus import UNSTATED
from train.eval.cost import weight_count
from train.fit.run_files import TRAINING
from train.publish import card_tables

CARDS = Path(__file__).parents[2] / "model_cards"
TEMPLATE, RESULTS = CARDS / "template.md", CARDS / "results.json"
PLACEHOLDER = "NAMESPACE"
FEW_SONGS = 100  # a genre with fewer training songs is said to be less varied
# Samples beside the card: melodies of examples/ in three meters and tempos, for every genre.
SAMPLES = {
    "ode_to_joy": "Ode to Joy",
    "greensleeves": "Greensleeves",
    "when_the_saints": "When the Saints Go Marching In",
}


def main(arguments: list[str] | None = None) -> None:
    """Write the cards of the genres that the command line names."""
    parser = argparse.ArgumentParser(
        prog="train cards", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("genres", nargs="*", metavar="GENRE", help="all by default")
    parser.add_argument(
        "--models", type=Path, default=MODELS, help="folder with a folder for each genre"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="file with the figures")
    parser.add_argument("--out", type=Path, default=CARDS, help="folder for the cards")
    options = parser.parse_args(arguments)
    results = json.loads(options.results.read_text()) if options.results.is_file() else {}
    found = sorted(path.parent.name for path in options.models.glob(f"*/{TRAINING}"))
    for genre in options.genres or found:
        if genre not in found:
            raise SystemExit(
                f"{options.models / genre} holds no {TRAINING}; trained genres: "
                f"{', '.join(found) or 'none'}"
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
    """Make the card of the model in a folder that `python -m train harmony` wrote.

    The figures come from `results`, as in results.json; without any, the card says so.
    """
    training = json.loads((model / TRAINING).read_text())
    config = json.loads((model / CONFIG_FILE).read_text())
    genre, losses = config["genre"], training["losses"]
    measured = (results.get("bench_report") or {}).get(f"accomp_{genre}")
    data = card_tables.data_rows(losses)
    corpora = _corpora(losses)
    known = Accompanist._hub_mixin_info.model_card_data
    files = weight_files(model)
    parameters = sum(map(weight_count, files))
    return ModelCard.from_template(
        ModelCardData(
            license=known.license,
            library_name=known.library_name,
            tags=[*known.tags, genre],
            datasets=[name for name in corpora if re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name)]
            or None,
            model_name=f"accomp-{genre}",
            eval_results=card_tables.eval_results(measured, losses),
        ),
        template_path=str(TEMPLATE),
        genre=genre,
        parameters=f"{parameters / 1e6:.1f} million",
        weights=config["weights_sha256"][:12],
        megabytes=f"{sum(path.stat().st_size for path in files) / 1e6:.1f}",
        samples=[{"name": name, "title": title} for name, title in SAMPLES.items()],
        data=data,
        sources=_sources(losses),
        labels=_labels(training),
        unstated=any("none" in row["licences"] or UNSTATED in row["licences"] for row in data),
        codes=f"{config['harmony']['codebook']:,}",
        bench=card_tables.bench_table(results, genre) if measured else "",
        melodies=measured["chord_match"][2] if measured else 0,
        judged=card_tables.judged(results, genre) if measured else "",
        fidelity=card_tables.fidelity(losses),
        songs=training["songs"]["train"],
        few=training["songs"]["train"] < FEW_SONGS,
        pop909="pop909" in corpora,
    )


def _corpora(losses: dict) -> list[str]:
    """Return the names of the corpora that any part of the model was trained on."""
    entries = [entry for part in losses.values() for entry in part.get("data", [])]
    return sorted({entry["corpus"] for entry in entries if entry["corpus"]})


def _sources(losses: dict) -> str:
    """Return the collections of the genre's own songs, with numbers of songs."""
    own = losses["harmony"].get("data", [{}])[-1].get("sources", {})
    stated = {source: count for source, count in own.items() if source != UNSTATED}
    return card_tables.counted(stated)


def _labels(training: dict) -> str:
    """Return the labels that were joined to the genre; "" if it is a single label."""
    labels = training["labels"]
    return ", ".join(labels) if isinstance(labels, list) and len(labels) > 1 else ""


if __name__ == "__main__":
    main()
