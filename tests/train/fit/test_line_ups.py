import json

import numpy as np
import torch

from accomp.band.line_up import LineUpModel, draw_line_up
from accomp.roll.grid import BASS, BLOCK_STEPS, DRUMS, GUITAR, MELODY, STRINGS, TRACKS
from train.data.corpus import Corpus
from train.fit import line_ups

SNARE = 38
BLOCKS = 16
CONFIG = {"genres": {"folk": ["folk", "country"]}}


def corpus_of(songs):
    """A corpus of songs of 32 bars: by song genre, split, and by track the silent blocks."""
    packed = [[] for _ in TRACKS]
    entries = []
    for i, (genre, split, silent) in enumerate(songs):
        entries.append({"genre": genre, "split": split, "first": i * BLOCKS, "blocks": BLOCKS})
        for track in range(len(TRACKS)):
            blocks = np.zeros((BLOCKS, 2, BLOCK_STEPS, 128), np.uint8)
            blocks[:, :, ::4, 48 + track] = 1
            if track == MELODY:  # one that does not return
                blocks[:] = 0
                for block in range(BLOCKS):
                    blocks[block, :, block % 5 :: 5, 60 + block] = 1
            blocks[silent.get(track, slice(0))] = 0
            packed[track].append(np.packbits(blocks, axis=-1))
    arrays = [np.concatenate(each) for each in packed]
    plan = torch.zeros(len(entries) * BLOCKS, 4, dtype=torch.long)
    return Corpus(entries, plan, None, arrays, "small")


def test_stretches_of_songs_with_a_band_say_who_rests_in_which_four_bars():
    corpus = corpus_of(
        [
            ("country", "train", {GUITAR: slice(4, 8), STRINGS: slice(None)}),
            ("pop", "val", {BASS: slice(None)}),
            ("pop", "val", {DRUMS: slice(0, 1)}),
        ]
    )
    found = list(line_ups.stretches(corpus, CONFIG))
    assert [(part.genre, part.split) for part in found] == [("folk", "train"), ("pop", "val")]
    first, second = found
    assert first.known.tolist() == [True, True, True, False]
    assert first.rests.T[2].tolist() == [False, False, True, True, False, False, False, False]
    assert not first.rests[:, :2].any() and not first.rests[:, 3].any()
    assert not second.rests.any()  # two bars are no rest of a unit
    assert np.isnan(second.fills[0]) and (second.fills[1:] == 0).all()


def test_a_fill_strikes_snare_and_toms_at_the_end_of_four_bars():
    drums = np.zeros((4, 2, BLOCK_STEPS, 128), np.uint8)
    drums[:, 0, ::4, 36] = 1
    drums[1, 0, 26:, SNARE] = 1
    drums[2, 0, 26:, SNARE] = 1
    assert line_ups._fills(drums).tolist() == [1, 0]


def test_the_fitted_models_rest_as_the_songs_do():
    late = {STRINGS: slice(0, 4)}
    songs = [("jazz", "train", late if i % 2 else {}) for i in range(40)]
    songs += [("pop", "train", {GUITAR: slice(8, 12)}) for _ in range(20)]
    found = list(line_ups.stretches(corpus_of(songs), CONFIG))
    model = line_ups.fit(found)
    units = found[0].units
    jazz, pop = (
        np.mean(
            [draw_line_up(units, model, np.random.default_rng(s), genre) for s in range(60)], (0, 1)
        )
        for genre in ("jazz", "pop")
    )
    drums, bass, guitar, strings = 0, 1, 2, 3
    assert max(jazz[drums], jazz[bass], pop[drums], pop[bass]) < 0.02
    assert 0.05 < jazz[strings] < 0.25 and jazz[strings] > 2 * pop[strings]
    assert pop[guitar] > 0.1 and pop[guitar] > 3 * jazz[guitar]
    figures = line_ups.figures(found, model)
    assert figures["pop"]["guitar"][1] == 25.0 and figures["pop"]["guitar"][3] == 100.0


def test_the_command_writes_what_the_library_reads(tmp_path, monkeypatch):
    corpus = corpus_of([("jazz", s, {STRINGS: slice(0, 4)}) for s in ("train", "val", "test")])
    monkeypatch.setattr(line_ups.Corpus, "load", lambda folder: corpus)
    line_ups.main(["--corpus", str(tmp_path), "--out", str(tmp_path / "weights.json")])
    model = LineUpModel.load(tmp_path / "weights.json")
    assert model.genres == ["jazz"] and set(model.fills) == {"", "jazz"}
    table = json.loads((tmp_path / "weights.json").read_text())
    assert table["stretches"] == {"train": 1, "val": 1, "test": 1} and "small" in table["source"]
