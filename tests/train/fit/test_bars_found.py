"""The network of bars learns from pulses as they are found in performed melodies."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from accomp.listen.bar_net import READINGS, BarsNet, BarsNetConfig
from accomp.listen.bars import FEATURES, BarSettings, Pulses, features_of
from train.data.lead_sheets import lead_sheet
from train.fit import bars_found
from train.fit.bars import Line
from train.fit.bars_found import (
    FoundTraining,
    Ranking,
    RankingTask,
    example_of,
    performance_of,
    varied,
)
from train.fit.loop import FitSettings, fit
from train.fit.sheet_lines import lines_of

SMALL = FoundTraining(
    count=6, validation=2, fit=FitSettings(epochs=5, batch_size=3, learning_rate=0.02)
)


def line(count=40):
    onset = np.arange(count) * 0.5 + (np.arange(count) % 7 == 0) * 0.25
    pitch = np.where(onset % 4 == 0, 72, 60 + np.arange(count) * 5 % 7)
    return Line(0, pitch, onset, np.full(count, 0.25))


def performance(seed=0):
    rng = np.random.default_rng(seed)
    found = None
    while not found or not any(right.any() for right in found.right):
        found = performance_of(line(), rng, SMALL)
    return found


def test_performed_melodies_have_pulses_and_right_bars():
    one = performance()
    assert (np.diff(one.onset) > 0).all() and (one.offset > one.onset).all()
    assert {pulses.parts for pulses in one.pulses} == {3, 4}
    for pulses, right in zip(one.pulses, one.right):
        assert len(right) == sum(each.places for each in READINGS if each.parts == pulses.parts)


def test_what_is_right_begins_bars_where_they_were_performed():
    pulses = Pulses(np.arange(0, 40, 1.0), 4, 0.0)
    true = np.arange(2.0, 33, 4.0)  # bars of four pulses from the third on
    right = bars_found._right(pulses, 0, true, SMALL)
    assert np.flatnonzero(right).tolist() == [8]  # the first pulse is the third of its bar
    late = bars_found._right(pulses, 0, true + 0.125, SMALL)
    assert not late.any()


def test_features_are_told_of_every_way():
    pulses = Pulses(np.arange(0, 20, 0.5), 4, 3.0)
    features = features_of(pulses, np.arange(0, 30, 0.5))
    assert features.shape == (28, len(FEATURES)) and (features[:, 0] == 3).all()
    assert features[:16, 1].tolist() == [0, 1, 1, 1] * 4
    assert features[:, FEATURES.index("waltz")].tolist() == [0] * 16 + [1] * 12
    assert BarSettings(found=2.5).weights[0] == 2.5


def test_examples_lose_notes_and_keep_their_pulses():
    one = performance()
    rng = np.random.default_rng(1)
    lengths = {len(varied(one, rng, SMALL).pitch) for _ in range(20)}
    assert len(lengths) > 2 and max(lengths) <= len(one.pitch) and min(lengths) >= SMALL.least - 1
    assert varied(one, rng, SMALL).pulses is one.pulses


def test_training_lowers_the_loss_and_goes_on_after_a_kill(tmp_path):
    torch.manual_seed(0)
    made = [performance(seed) for seed in range(6)]
    start = BarsNet(BarsNetConfig(width=4, dilations=[1])).state_dict()

    def trained(folder, epochs):
        model = Ranking(BarsNet(BarsNetConfig(width=4, dilations=[1])))
        model.network.load_state_dict(start)
        settings = replace(SMALL.fit, epochs=epochs)
        task = RankingTask(model, {"train": made, "val": made}, replace(SMALL, fit=settings))
        before = bars_found.validate(model.eval(), made)["loss"]
        real, left = task.step, [2 * 2 if folder.name == "killed" else 99]

        def step(*args):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            return real(*args)

        task.step = step
        fit(folder, task, settings)
        return model, before

    model, before = trained(tmp_path / "whole", 5)
    assert bars_found.validate(model, made)["loss"] < before - 0.1
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "killed", 5)
    (tmp_path / "killed").rename(tmp_path / "again")
    again, _ = trained(tmp_path / "again", 5)
    for one, other in zip(model.state_dict().values(), again.state_dict().values()):
        assert torch.equal(one, other)
    assert set(model.weights_by_name()) == {"network", *FEATURES}
    example = example_of(made[0], model.network)
    (likely,) = model([example])
    assert len(likely) == len(example.right) == len(example.features)


@pytest.mark.parametrize(
    "meter, pickup, reading, first", [("4/4", 1.0, 0, 3.0), ("6/8", 0.5, 2, 5 / 3)]
)
def test_lead_sheets_become_lines(meter, pickup, reading, first):
    row = {
        "id": "folk/a",
        "title_hash": "12",
        "meter": meter,
        "pickup": pickup,
        "melody": [[0.5 * k, 0.5, 60 + k % 5] for k in range(20)],
        "chords": [],
    }
    sheet = lead_sheet(json.loads(json.dumps(row)))
    (found,) = lines_of([sheet], sheet.split, 16)
    assert found.reading == reading and found.onset[0] == pytest.approx(first)
    assert not lines_of([sheet], sheet.split, 21)
    other = next(split for split in ("train", "val", "test") if split != sheet.split)
    assert not lines_of([sheet], other, 16)
    assert not lines_of([lead_sheet(row | {"meter": "5/4"})], sheet.split, 16)
