import numpy as np
import pytest
import torch

from accomp.band.form import Form
from accomp.band.generate import choose_latents
from accomp.models.band_model import BandModel
from accomp.roll.grid import ACCOMPANIMENT, BASS, COMPOUND, FOUR, THREE
from tests.support.tiny import tiny


@pytest.fixture(scope="module")
def model() -> BandModel:
    """Return a model of which half of the codes are in three, half in four; it never rests."""
    made = tiny(meters=True)
    for network in made.harmony.values():
        network.meter[:10], network.meter[10:] = THREE, FOUR
        for head in network.heads.values():
            torch.nn.init.constant_(head.bias[-2:-1], -1e4)
    return made


def codes_of(model: BandModel, meters: list[int]) -> list[set[int]]:
    """Return which codes the bass plays in the blocks of a song."""
    melody = torch.zeros(len(meters), 2, 32, 128, dtype=torch.uint8)
    melody[:, :, ::4, 60] = 1
    form = Form.bare(len(meters))
    form.meters = np.array(meters)
    plan = torch.zeros(len(meters), 4, dtype=torch.int64)
    generator = torch.Generator().manual_seed(0)
    rows = choose_latents(model, melody, plan, form, generator).rows
    assert set(rows) == set(ACCOMPANIMENT)
    codes = model.harmony_nn(BASS).codes
    return [
        set(torch.nonzero((codes - row[:-1]).abs().amax(1) < 1e-6).flatten().tolist())
        for row in rows[BASS]
        if row[-1] > 0
    ]


def test_a_song_is_played_from_codes_of_its_meter(model):
    waltz, common = codes_of(model, [THREE] * 6), codes_of(model, [FOUR] * 6)
    assert len(waltz) > 2 and all(codes <= set(range(10)) for codes in waltz)
    assert len(common) > 2 and all(codes <= set(range(10, 20)) for codes in common)


def test_where_no_code_has_the_meter_all_are_played(model):
    assert len(codes_of(model, [COMPOUND] * 6)) > 2
