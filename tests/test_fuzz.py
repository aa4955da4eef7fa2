"""Damaged files raise MusicError or are read: a few here, many by `python -m benchmarks.fuzz`.

What once went wrong is kept in tests/fuzz, which is tried whole and is what damage begins from.
"""

from random import Random

import pytest

from benchmarks import fuzz, guided


def check(found: fuzz.Found) -> None:
    assert not found.wrong
    assert len(found.counts) > 1  # some were read, some refused


def test_damaged_midi_files():
    check(fuzz.fuzz(fuzz.midi_seeds(), fuzz.try_midi, 250, Random(5)))


def test_damaged_sheets():
    pytest.importorskip("music21")
    check(fuzz.fuzz(fuzz.sheet_seeds(), fuzz.try_sheet, 25, Random(5)))


def test_damaged_recordings():
    check(fuzz.fuzz(fuzz.sound_seeds(), fuzz.try_sound, 25, Random(5)))


@pytest.mark.parametrize("path", sorted(fuzz.CORPUS.glob("*.mid")), ids=lambda path: path.stem)
def test_the_files_that_damage_begins_from(path):
    assert fuzz.try_midi(path.read_bytes()) in ("read", "mended", "refused")


def test_a_wrong_error_is_found_and_kept(tmp_path):
    def breaks(data: bytes) -> str:
        if len(data) % 2:
            raise KeyError("surprise")
        return "read"

    found = fuzz.fuzz([bytes(64)], breaks, 60, Random(1), tmp_path)
    assert found.counts["WRONG"] and sum(found.counts.values()) == 60
    (name,) = found.wrong
    assert name.startswith("KeyError in test_fuzz.py")
    assert [path.name for path in tmp_path.iterdir()][0].startswith("KeyError_test_fuzz")


@pytest.mark.process
@pytest.mark.parametrize("kind", guided.KINDS)
def test_what_reaches_new_places_goes_right_too(kind, tmp_path):
    pytest.importorskip("atheris")
    grown = tmp_path / "grown"
    assert guided.main([kind, "--seconds", "8", "--grow", str(grown)]) == 0
    assert any(grown.iterdir())


@pytest.mark.process
def test_a_guided_search_finds_a_wrong_error_and_keeps_the_file(tmp_path):
    pytest.importorskip("atheris")
    options = ["--seconds", "60", "--keep", str(tmp_path)]
    assert guided.main(options, "tests.support.wrong_target") == 1
    assert [path.name for path in tmp_path.iterdir()][0].startswith("crash-")
