import numpy as np
import pytest
import torch

from accomp.band.form import Form
from accomp.band.generate import choose_latents
from accomp.models.band_model import BandModel
from accomp.models.harmony_kinds import make_harmony_nn
from accomp.models.harmony_network import NEVER, HarmonyConfig, generated_before
from accomp.roll.grid import ACCOMPANIMENT, BASS, COMPOUND, DRUMS, FOUR, THREE, TRACK_NAMES
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


@pytest.fixture
def band() -> BandModel:
    """Return a band that hears the whole song, always plays and likes to repeat itself."""
    made = tiny()
    made.config.harmony = HarmonyConfig(
        network="song", width=8, heads=2, layers=1, codebook=20, genres=["jazz", "pop"]
    )
    size = made.config.vaes["bass"].latent
    for track in ACCOMPANIMENT:
        earlier = [size] * len(generated_before(track))
        network = make_harmony_nn(made.config.harmony, size, size, earlier).eval()
        network.set_codes(torch.randn(20, size))
        for head in network.heads.values():
            torch.nn.init.constant_(head.bias[1:2], NEVER)  # silence
        made.harmony[TRACK_NAMES[track]] = network
    made.config.steadiness = dict.fromkeys(TRACK_NAMES, 50.0)
    return made


def rows_of(band: BandModel, labels: list[int], track: int, source: list[int] | None = None):
    """Return what a player plays in blocks of sections of some names, [B, K + 1]."""
    form = Form.bare(len(labels))
    form.labels = np.array(labels)
    form.opens = np.diff(form.labels, prepend=-1) != 0
    if source:
        form.source = np.array(source)
    melody = torch.zeros(len(labels), 2, 32, 128, dtype=torch.uint8)
    melody[:, :, ::4, 60] = 1
    plan = torch.zeros(len(labels), 4, dtype=torch.int64)
    generator = torch.Generator().manual_seed(0)
    return choose_latents(band, melody, plan, form, generator).rows[track]


def test_a_section_takes_up_what_one_of_its_name_played(band):
    band.config.sections, band.config.contrast = 100.0, 50.0
    rows = rows_of(band, [0, 0, 1, 1, 0, 2, 1], BASS)
    assert (rows[[0, 1, 4]] == rows[0]).all() and (rows[[2, 3, 6]] == rows[2]).all()
    different = torch.cdist(rows[[0, 2, 5], :-1], rows[[0, 2, 5], :-1])
    assert (different[~torch.eye(3, dtype=torch.bool)] > 0).all()
    band.config.sections = 0.0
    assert (rows_of(band, [0, 0, 1, 1, 0, 2, 1], BASS) == rows[0]).all()


def test_drummers_return_of_themselves(band):
    band.config.steadiness = dict.fromkeys(TRACK_NAMES, NEVER)  # always something new
    source = [-1, -1, -1, -1, 0, 1, 2, 3]
    bass, drums = (rows_of(band, [0] * 4 + [1] * 4, track, source) for track in (BASS, DRUMS))
    assert (bass[4:] == bass[:4]).all() and not (drums[4:] == drums[:4]).all()


def test_sections_differ_and_are_like_themselves(band):
    band.config.steadiness = dict.fromkeys(TRACK_NAMES, NEVER)  # always something new
    labels = [0, 0, 0, 1, 1, 1, 0, 1]
    same = torch.tensor(labels)[:, None] == torch.tensor(labels)
    apart = ~torch.eye(len(labels), dtype=torch.bool)

    def difference(track, contrast, likeness):
        band.config.contrast, band.config.likeness = contrast, likeness
        rows = rows_of(band, labels, track)[:, :-1]
        distance = torch.cdist(rows, rows).square() / band.harmony_nn(track).spread
        return float(distance[same & apart].mean()), float(distance[~same].mean())

    inside, between = difference(BASS, 0.0, 0.0)
    assert difference(BASS, 0.0, 100.0)[0] < 0.1 < inside
    assert difference(BASS, 100.0, 0.0)[1] > between
    # A drummer's farthest patterns are those of another kit.
    assert difference(DRUMS, 30.0, 0.0)[1] < difference(DRUMS, 150.0, 0.0)[1]
