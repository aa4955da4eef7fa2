from dataclasses import replace

import numpy as np
import pytest
import torch

from accomp.band import song_form
from accomp.band.form import Form, FormSettings, label_phrases, phrase_starts, self_similarity
from accomp.models import measure_features
from accomp.models.song_vae import SongConfig, SongVAE
from accomp.roll.grid import BLOCK_STEPS


def block(*notes):
    """A melody block of (step, pitch) onsets."""
    planes = np.zeros((2, BLOCK_STEPS, 128), np.uint8)
    for step, pitch in notes:
        planes[:, step, pitch] = 1
    return planes


A = block((0, 60), (4, 62), (10, 64), (16, 65), (24, 67))
A_ENDS = block((0, 60), (4, 62), (10, 64), (16, 60))
B = block((2, 72), (3, 71), (8, 69), (14, 72), (20, 74), (27, 69))
C = block((1, 65), (6, 69), (12, 70), (22, 65))
SILENT = block()


def of(*blocks, first=0, alike=0.7):
    return Form.find(np.stack(blocks), first, FormSettings(alike=alike))


def test_similarity_is_the_share_of_common_onsets_and_common_times():
    similarity = self_similarity(np.stack([A, A_ENDS, B]))
    # 3 of 6 (step, pitch) onsets in common; 4 of 5 times.
    assert np.isclose(similarity[0, 1], 0.7 * 3 / 6 + 0.3 * 4 / 5) and np.allclose(
        np.diag(similarity), 1
    )
    assert np.isclose(similarity[0, 2], 0)


def test_a_song_of_two_bar_cells_repeated_after_four_bars_has_four_bar_phrases():
    blocks = np.stack([A, C, A, C, B, A_ENDS, B, A_ENDS] * 2)
    similarity = self_similarity(blocks)
    starts = phrase_starts(similarity, 0)
    assert starts.tolist() == list(range(0, 16, 2))
    assert label_phrases(similarity, starts)[0] == [0, 0, 1, 1, 0, 0, 1, 1]


def test_eight_bar_phrases_where_only_those_return():
    starts = phrase_starts(
        self_similarity(np.stack([A, B, C, A_ENDS, A, B, C, C, B, B, A, C, A, B, C, A_ENDS])), 0
    )
    assert starts.tolist() == [0, 4, 8, 12]


def test_a_pickup_belongs_to_the_first_phrase():
    form = of(SILENT, A, C, A, C, B, B, A, C, first=1)
    assert np.flatnonzero(form.closes).tolist() == [2, 4, 6, 8]
    assert form.labels.tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 0]


def test_a_repeat_has_the_accompaniment_of_what_it_repeats_and_silence_repeats_nothing():
    form = of(A, C, A, C, SILENT, SILENT, A, C)
    assert form.source.tolist() == [-1, -1, 0, 1, -1, -1, 0, 1]
    assert of(A, C, A, C, alike=2.0).source.tolist() == [-1] * 4


def test_phrases_with_first_and_second_endings_are_one():
    form = of(A, A_ENDS, A, C, B, B, A, A_ENDS)
    assert form.labels[0] == form.labels[2] == form.labels[6] != form.labels[4]
    assert form.source[2] == 0 and form.source[3] == -1  # another second half is accompanied anew


def test_energy_rises():
    form = of(A, C, B, C, A, C, B, C, A, C)
    assert (
        form.energy[-1] > form.energy[0] and (form.energy >= 0).all() and (form.energy <= 1).all()
    )


def test_short_songs_do_not_build_up():
    assert np.allclose(of(A, C, A, C).energy, 0.5)


def test_bare_has_no_form():
    form = Form.bare(3)
    assert (
        form.opens.tolist() == [True, False, False]
        and not form.closes.any()
        and (form.source == -1).all()
    )


@pytest.fixture(scope="module")
def vae() -> SongVAE:
    """Untrained, but loud enough that its draws differ."""
    torch.manual_seed(0)
    config = SongConfig(
        measure_features.SIZE,
        measure_features.BITS,
        hidden=24,
        features=12,
        song=32,
        latent=8,
        lead=measure_features.LEAD,
        genres=["jazz", "pop"],
        players=4,
        placed=True,
    )
    model = SongVAE(config)
    for layer in model.modules():
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.normal_(layer.weight, std=2 * layer.in_features**-0.5)
    return model.eval()


def drawn(vae, *blocks, first=0, seed=0, genre="pop"):
    blocks = np.stack(blocks)
    form = Form.find(blocks, first)
    return form, song_form.draw_song_form(
        form, blocks, first, vae, np.random.default_rng(seed), genre
    )


@pytest.mark.parametrize("count", [*range(1, 18), 31, 40])
def test_a_drawn_shape_is_one_whatever_the_melodys_length(vae, count):
    for first in range(min(count, 2)):
        form, found = drawn(
            vae, *([SILENT] * first + [A, B, C, A_ENDS, SILENT] * 8)[:count], first=first
        )
        for name in ("source", "opens", "closes", "labels"):
            assert (getattr(found, name) == getattr(form, name)).all()
        assert found.energy.shape == (count,) and ((found.energy >= 0) & (found.energy <= 1)).all()
        assert (
            np.isfinite(found.dynamics).all()
            and (np.abs(found.dynamics) <= song_form.SongFormSettings().loudest).all()
        )
        assert len(found.dynamics) == count


def test_the_seed_changes_the_drawn_shape_and_the_same_seed_gives_the_same(vae):
    song = [A, C, B, C, A, C, B, C, A, C, B, A]
    asked = ((0, "pop"), (0, "pop"), (1, "pop"), (0, "jazz"))
    first, again, other, jazz = (
        drawn(vae, *song, seed=seed, genre=genre)[1] for seed, genre in asked
    )
    assert (first.dynamics == again.dynamics).all() and (first.energy == again.energy).all()
    assert (first.dynamics != other.dynamics).any() and (first.dynamics != jazz.dynamics).any()


def test_phrases_that_return_are_as_busy_as_they_were(vae):
    form, found = drawn(vae, A, C, A_ENDS, B, C, C, B, B, A, C, A_ENDS, B, B, A, C, B)
    assert form.labels[0] == form.labels[8] != form.labels[4]
    asked = (
        found.energy - form.energy
    )  # by the song latent, on top of what the melody asks for and the rise through the song
    unclipped = (found.energy > 0) & (found.energy < 1)
    both = unclipped[:4] & unclipped[8:12]
    assert (
        np.allclose(asked[:4][both], asked[8:12][both])
        and found.energy[12:].mean() > found.energy[:4].mean()
    )


def test_of_many_draws_the_one_nearest_to_the_melody_is_taken(vae):
    blocks = np.stack([A, B, C, A, B, C, C, A])
    few, many = (
        song_form.draw_song(
            blocks, vae, np.random.default_rng(0), settings=song_form.SongFormSettings(draws=draws)
        )
        for draws in (1, 50)
    )
    assert (
        many.agreement > few.agreement
        and many.density.shape == (16, 5)
        and (many.density >= 0).all()
    )


def test_windows_are_joined_gradually():
    windows = np.stack([np.full((1, 16, 2), 1.0), np.full((1, 16, 2), 3.0)], 1).astype(np.float32)
    joined = song_form.join(windows, np.array([0, 8]), 22)[0, :, 0]
    assert (
        (joined[:8] == 1).all()
        and (joined[16:] == 3).all()
        and (np.diff(joined) >= 0).all()
        and len(joined) == 22
    )


def test_a_short_song_has_drawn_dynamics_alone(vae):
    _, found = drawn(vae, A, C, B, C)
    assert np.allclose(found.energy, 0.5) and found.dynamics.any()


def test_dynamics_are_left_out_unless_drawn():
    assert (
        not len(of(A, C, A, C).dynamics)
        and len(replace(of(A, C), dynamics=np.ones(2)).dynamics) == 2
    )
