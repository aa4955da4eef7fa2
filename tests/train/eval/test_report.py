"""Results are summarised right, and the tables of the documents are those of the results."""

import json
from pathlib import Path

import pytest

from train.eval import report, results, tables

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "model_cards" / "results.json"


def test_the_documents_hold_the_tables_of_the_results():
    values = tables.tables(json.loads(RESULTS.read_text()))
    texts = [path.read_text() for path in report.DOCUMENTS]
    held = [name for text in texts for name in report.marked(text)]
    assert sorted(held) == sorted(values)
    for text in texts:
        assert report.fill(text, values) == text, (
            "run: train report model_cards/results.json --fill"
        )
    others = {ROOT / "README.md", *(ROOT / "docs").glob("*.md")} - set(report.DOCUMENTS)
    assert not [path for path in others if report.marked(path.read_text())]  # none would be filled


def test_without_names_the_documents_are_filled(tmp_path, capsys):
    page = tmp_path / "results.md"
    page.write_text("<!-- table confusion -->\n<!-- end -->\n")
    report.main([str(RESULTS)], documents=(page,))
    assert "| made as, judged as % |" in capsys.readouterr().out
    assert page.read_text().count("\n") == 2
    report.main([str(RESULTS), "--fill"], documents=(page,))
    assert "| made as, judged as % | pop |" in page.read_text()


def test_marks_of_unknown_tables_and_without_end_are_refused():
    values = {"bench": "| a |", "test": "| b |"}
    assert (
        report.fill("<!-- table test -->\nold\n<!-- end -->\n", values)
        == "<!-- table test -->\n| b |\n<!-- end -->\n"
    )
    with pytest.raises(SystemExit, match="no table 'tset'; there are bench, test"):
        report.fill("<!-- table tset -->\n<!-- end -->\n", values)
    with pytest.raises(SystemExit, match="no <!-- end -->"):
        report.fill("<!-- table test -->\nold\n<!-- table bench -->\n<!-- end -->\n", values)


def test_summaries_are_means_over_songs_of_means_over_seeds():
    seeds = [
        {
            "chord_match": a,
            "by_block_density": [1.0, 2.0, 3.0 + a],
            "genre": [],
        }
        for a in (0.0, 1.0)
    ]
    songs = [
        {"name": "a", "group": "x", "seeds": seeds},
        {"name": "b", "group": "y", "seeds": seeds[1:]},
    ]
    got = results.summary(songs)
    assert got["chord_match"][0] == 0.75 and got["groups"]["x"][0] == 0.5
    assert got["drift"]["density"][0] == pytest.approx(((3.5 - 1) / 2 + (4 - 1) / 2) / 2)
