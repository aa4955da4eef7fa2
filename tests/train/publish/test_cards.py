"""The model cards say what the files of settings and figures say, and the Hub accepts them."""

import json
import re

import pytest
import yaml
from huggingface_hub import ModelCard, RepoCard
from huggingface_hub.repocard_data import model_index_to_eval_results

from accomp.models.genre_files import MODELS
from train.publish import card_tables, cards
from train.publish.staging import ROOT

RESULTS = json.loads(cards.RESULTS.read_text())
MEASURED = sorted(
    name.removeprefix("accomp_") for name in RESULTS["bench_report"] if name.startswith("accomp_")
)


@pytest.mark.parametrize("genre", MEASURED)
def test_a_card_is_what_its_files_say_and_the_hub_accepts_it(genre, hub):
    text = (cards.CARDS / f"{genre}.md").read_text()
    assert text == str(cards.card_of(MODELS / genre, RESULTS)) + "\n", (
        f"make it anew: python -m train cards {genre}"
    )
    card = ModelCard(text.replace(cards.PLACEHOLDER, "tester"))
    card.validate()  # asks the stand-in, as it would ask the Hub
    data = card.data
    assert (
        data.license == "mit"
        and data.library_name == "accomp"
        and genre in data.tags
        and "pop909" in data.datasets
    )
    figures = {result.metric_name: result.metric_value for result in data.eval_results}
    measured = RESULTS["bench_report"][f"accomp_{genre}"]
    assert figures["chord match per half bar, %"] == pytest.approx(
        100 * measured["chord_match"][0], abs=0.01
    )
    assert figures["PCS lift"] == pytest.approx(measured["lift"][0], abs=0.001)
    training = json.loads((MODELS / genre / "training.json").read_text())
    assert figures["reconstructed onsets, bass, F1"] == round(
        training["losses"]["bass"]["test"]["onset_f1"], 3
    )
    counts = " / ".join(str(training["songs"][split]) for split in ("train", "val", "test"))
    assert f"| HarmonyNNs, fine-tuned | public-midi-collections | {counts} |" in card.text
    assert (
        model_index_to_eval_results(yaml.safe_load(text.split("---")[1])["model-index"])[0]
        == f"accomp-{genre}"
    )
    for words in (
        "fan-made sequences of songs under copyright",
        "| paper |",
        "real songs",
        "## Limits and bias",
        "bibtex",
        "losses.png",
    ):
        assert words in card.text


def test_metadata_that_the_hub_refuses_is_noticed(hub):
    text = (cards.CARDS / "jazz.md").read_text()
    with pytest.raises(ValueError, match="license"):
        ModelCard(text.replace("license: mit", "license: do-as-you-like")).validate()
    with pytest.raises(ValueError, match="datasets"):
        ModelCard(text.replace("- pop909", "- My Songs")).validate()


def test_a_genre_that_was_not_measured(tmp_path):
    card = cards.card_of(MODELS / "jazz", {})
    assert "have not been measured" in card.text and "chord match" not in card.text
    assert {result.metric_type for result in card.data.eval_results} == {"f1"}
    with pytest.raises(SystemExit, match=r"nogenre holds no training.json; trained genres: folk, "):
        cards.main(["nogenre", "--out", str(tmp_path)])
    songs = {"songs": {"train": 9, "val": 1, "test": 1}, "licences": {}}
    trained = {
        "harmony": {"data": [{"corpus": corpus, **songs} for corpus in ("all", "pop", "polka")]}
    }
    parts = {row["corpus"]: row["part"] for row in card_tables.data_rows(trained)}
    assert parts == {
        "all": "HarmonyNNs, first",
        "pop": "HarmonyNNs, fine-tuned",
        "polka": "HarmonyNNs, fine-tuned",
    }
    cards.main(["jazz", "--out", str(tmp_path), "--results", str(tmp_path / "none.json")])
    assert (tmp_path / "jazz.md").read_text() == str(card) + "\n"


def test_the_readme_is_the_front_page_of_a_space(hub):
    card = RepoCard.load(ROOT / "README.md")
    card.validate(repo_type="space")
    assert (
        card.data.sdk == "gradio"
        and card.data.app_file == "app.py"
        and len(card.data.short_description) <= 60
    )
    requirements = (ROOT / "requirements.txt").read_text()
    least = re.search(r"gradio>=([\d.]+)", requirements).group(1)
    assert str(card.data.sdk_version).startswith(least)
    assert (
        str(card.data.python_version) == "3.11"
        and "fluidsynth" in (ROOT / "packages.txt").read_text()
    )
