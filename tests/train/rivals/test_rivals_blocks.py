"""The rivals that play block by block, and how alike what they play is."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from accomp.band.accompanist import Accompanist
from accomp.models.chord_planner import ChordPlanner
from accomp.music.score import Score, Track
from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, DRUMS, MELODY, TRACKS
from tests.support.scores import melody
from tests.support.tiny import tiny
from tests.train.fit.test_train import corpus, losses_of, small  # noqa: F401  a fixture
from train.data.corpus import Corpus
from train.fit.run_files import save_weights
from train.fit.settings import planner_config
from train.rivals import cnn, gan, latent_sizes, melody_cnn
from train.rivals.dcgan import (
    MEASURES,
    NOISE,
    Adversaries,
    Discriminator,
    GANSettings,
    Generator,
    smooth_labels,
)
from train.rivals.variety import continuation_variety, melodies, variety

SETTINGS = GANSettings(learning_rate=1e-3, ttur=2, smoothing=0.1, matching=(0.1, 1.0))


def tune(blocks: int = 2) -> np.ndarray:
    """[2, 32 blocks, 128]: crotchets up a scale."""
    notes = [(60 + at // 4 % 12, at, at + 3) for at in range(0, 32 * blocks, 4)]
    return pianoroll.to_planes(np.array(notes), 32 * blocks)


# Variety


def test_variety_is_what_pairs_do_not_share():
    rolls = np.zeros((3, 4, 128))
    assert variety(rolls) == 0  # all silent
    rolls[:, 0, 60] = 1
    assert variety(rolls) == 0
    rolls[0, 1, 62] = 1  # shares one onset of two with either other
    assert variety(rolls) == pytest.approx(1 - (0.5 + 0.5 + 1) / 3)
    rolls[1] = 0
    assert variety(rolls) == pytest.approx(1 - (0 + 0.5 + 0) / 3)
    assert np.isnan(variety(rolls[:1]))


def test_continuations_are_measured_beside_the_real_ones(corpus):  # noqa: F811
    loaded = Corpus.load(corpus)
    found = melodies(loaded, "train", 4)
    assert len(found) > 2 and all(
        song.shape == (4, 2, 32, 128) and song.any((1, 2, 3)).all() for song in found
    )
    same = continuation_variety(
        lambda start, blocks, seed: tune(blocks), loaded, split="train", blocks=3
    )
    assert (
        same["starts"] == len(found)
        and same["generated"]["variety"] == 0
        and same["generated"]["onsets"] == 8
    )
    assert same["generated"]["sounding"] == 0 < same["real"]["sounding"]
    assert same["real"]["variety"] > 0 and len(same["real"]["by_block"]) == 3
    real = iter([pianoroll.from_blocks(song[1:]) for song in found])
    copied = continuation_variety(
        lambda start, blocks, seed: next(real), loaded, split="train", blocks=3
    )
    assert copied["generated"] == copied["real"]
    assert continuation_variety(lambda *_: tune(), loaded, split="train", blocks=500)["starts"] == 0


# GAN


def test_networks_mirror_each_other():
    generator, discriminator = Generator(), Discriminator()
    made = generator(torch.randn(3, NOISE))
    assert made.shape == (3, len(TRACKS), 32, 128) and 0 < float(made.detach().mean()) < 0.1
    logits, features = discriminator(made)
    assert logits.shape == (3,) and features.shape == (3, 16, 16, 64)

    def layers(network, kind):
        return [layer.weight.shape for layer in network.modules() if isinstance(layer, kind)]

    up, down = layers(generator, torch.nn.ConvTranspose2d), layers(discriminator, torch.nn.Conv2d)
    assert len(up) == len(down) == 6
    assert up[1:] == [
        shape for shape in down[::-1][1:]
    ]  # weights of (de)convolutions: [few, many] either way around


def test_labels_are_smoothed_towards_the_other_side_only():
    random = torch.Generator().manual_seed(0)
    real, made = (smooth_labels(1000, kind, 0.1, random) for kind in (True, False))
    assert 0.9 <= float(real.min()) < 0.91 and 0.99 < float(real.max()) <= 1
    assert 0 <= float(made.min()) < 0.01 and 0.09 < float(made.max()) <= 0.1
    assert (
        smooth_labels(5, True, 0.0, random).tolist() == [1] * 5
        and not smooth_labels(5, False, 0.0, random).any()
    )


def test_each_measure_can_be_switched_off():
    whole = Adversaries(SETTINGS)
    assert (
        whole.smoothing == 0.1
        and whole.matching == (0.1, 1.0)
        and whole.rates["discriminator"] == 2e-3
    )
    for off in MEASURES:
        model = Adversaries(SETTINGS, (off,))
        assert (model.smoothing == 0) == (off == "smoothing")
        assert (not any(model.matching)) == (off == "matching")
        assert (model.rates["discriminator"] == model.rates["generator"]) == (off == "ttur")
    real = (torch.rand(4, len(TRACKS), 32, 128) < 0.02).float()
    random = torch.Generator().manual_seed(0)
    losses = {off: Adversaries(SETTINGS, off) for off in ((), ("matching",))}
    losses = {
        off: model.step(real, model.draw(len(real), random), model.optimizer())
        for off, model in losses.items()
    }
    assert (
        float(losses[()]["matching"].detach()) > 0
        and float(losses["matching",]["matching"].detach()) == 0
    )
    assert losses["matching",]["loss"] == losses["matching",]["fooling"]


def test_a_step_moves_each_network_by_its_own_rate():
    torch.manual_seed(0)
    model = Adversaries(replace(SETTINGS, ttur=0))  # a discriminator that does not learn
    before = {name: value.clone() for name, value in model.named_parameters()}
    real = (torch.rand(4, len(TRACKS), 32, 128) < 0.02).float()
    drawn = model.draw(len(real), torch.Generator().manual_seed(0))
    model.step(real, drawn, model.optimizer())
    for name, value in model.named_parameters():
        assert torch.equal(value, before[name]) == name.startswith("discriminator"), name


def test_the_gan_trains_goes_on_and_plays(corpus, tmp_path):  # noqa: F811
    common = ["--corpus", str(corpus), "--run", str(tmp_path), "--max-steps", "2"]
    gan.main([*common, "--epochs", "1"])
    gan.main([*common, "--epochs", "2"])
    rows = losses_of(tmp_path)
    assert [row["epoch"] for row in rows] == ["1", "2"] and all(
        float(row["train/discriminator"]) > 0 for row in rows
    )
    assert json.loads((tmp_path / "figures.json").read_text())["parameters"] > 100_000
    alike = json.loads((tmp_path / "similarity.json").read_text())
    assert {"all", "drums", "onsets"} <= alike["real"].keys() == alike["generated"].keys()
    loaded = Corpus.load(corpus)
    player = gan.GAN(tmp_path, loaded)
    band = player.play(tune(), 3)
    assert set(band) == set(ACCOMPANIMENT) and all(
        planes.shape == (2, 64, 128) for planes in band.values()
    )
    again, other = player.play(tune(), 3), player.play(tune(), 4)
    assert all((band[track] == again[track]).all() for track in band) and any(
        (band[t] != other[t]).any() for t in band
    )
    # As much sounds in its drums as in those of the validation songs.
    val = loaded.block_index(loaded.choose("val"))
    density = float(loaded.blocks(DRUMS, val)[:, 1].float().mean())
    assert gan.made_by(player.generator, 200, 1)[:, DRUMS].mean() == pytest.approx(density, rel=0.5)


def test_the_gan_plays_the_candidate_that_is_nearest_to_the_melody(corpus, tmp_path):  # noqa: F811
    class Scales(Generator):
        """Each candidate's piano holds a pitch, 40 and up; a drum plays on that step."""

        def forward(self, noise):
            made = torch.zeros(len(noise), len(TRACKS), 32, 128)
            for number in range(len(noise)):
                made[number, MELODY, :, 40 + number] = 1
                made[number, DRUMS, number % 32, 42] = 1
            return made

    save_weights(tmp_path, Generator())
    player = gan.GAN(tmp_path, Corpus.load(corpus))
    player.generator = Scales()
    notes = np.array([(45, 0, 32), (60, 0, 4), (61, 32, 64)])
    band = player.play(pianoroll.to_planes(notes, 64), 0)
    assert np.argwhere(band[DRUMS][0]).tolist() == [[5, 42], [32 + 21, 42]]


# CNNs


def test_the_harmony_cnns_weights_keep_their_names():
    names = cnn.HarmonyCNN().state_dict().keys()
    expected = {
        f"{part}.{layer}.{kind}"
        for part, layers in (
            ("melody", (0, 2, 4)),
            ("previous", (0, 2, 4)),
            ("dense", (0, 2)),
            ("deconvolutions", (0, 2, 4)),
        )
        for layer in layers
        for kind in ("weight", "bias")
    }
    assert names == expected | {"threshold"}


def test_the_melody_cnn_trains_and_goes_on(corpus, tmp_path):  # noqa: F811
    melody_cnn.main(
        ["--corpus", str(corpus), "--run", str(tmp_path), "--epochs", "1", "--max-steps", "2"]
    )
    assert json.loads((tmp_path / "variety.json").read_text()).keys() == {"threshold", "drawn"}
    assert json.loads((tmp_path / "figures.json").read_text())["seconds"] > 0
    network = melody_cnn.MelodyCNN.load(tmp_path)
    assert len([layer for layer in network.dense if isinstance(layer, torch.nn.Linear)]) == 3
    network.threshold.fill_(
        float(network(torch.zeros(1, 32, 128)).sigmoid().detach().quantile(0.99))
    )
    start = tune(1)
    played = network.generate(start, 3)
    assert (
        played.shape == (2, 96, 128)
        and played.any()
        and (played == network.generate(start, 3)).all()
    )
    drawn = network.generate(start, 3, seed=1)
    assert (drawn == network.generate(start, 3, seed=1)).all() and (
        drawn != network.generate(start, 3, seed=2)
    ).any()


def test_the_melody_cnn_learns_from_pairs_that_both_sound(corpus):  # noqa: F811
    loaded = Corpus.load(corpus)
    active = loaded.active(MELODY)
    places = melody_cnn.melody_pairs(loaded, loaded.choose("train"))
    last = {song["first"] + song["blocks"] - 1 for song in loaded.songs}
    assert (
        len(places)
        and active[places].all()
        and active[places + 1].all()
        and not last & set(places.tolist())
    )


# Latent sizes


@pytest.fixture
def settings(tmp_path):
    return small("accomp.yaml", tmp_path)


def test_a_model_of_another_latent_size(corpus, tmp_path, settings):  # noqa: F811
    planner = ChordPlanner(planner_config(yaml.safe_load(settings.read_text())))
    save_weights(tmp_path / "known" / "planner", planner)
    common = [
        "--corpus",
        str(corpus),
        "--run",
        str(tmp_path),
        "--config",
        str(settings),
        "--max-steps",
        "2",
    ]
    latent_sizes.main([*common, "--init", str(tmp_path / "known"), "--size", "24"])
    model = Accompanist.from_pretrained(tmp_path / "latent_24", device="cpu")
    assert {vae.latent for vae in model.config.vaes.values()} == {
        24
    } and model.config.genre == "universal"
    assert not model.config.vaes["drums"].chord_relative and model.config.vaes["piano"].single
    own = load_file(tmp_path / "known" / "planner" / "weights.safetensors")
    assert all(
        torch.allclose(value, own[name], rtol=1e-2, atol=1e-3)
        for name, value in model.planner.state_dict().items()
    )
    figures = json.loads((tmp_path / "latent_24" / "figures.json").read_text())
    assert figures["size"] == 24 and figures["parameters"] == sum(
        p.numel() for p in model.parameters()
    )
    assert {"reconstruction", "kl", "onset_f1"} <= figures["vae"][
        "bass"
    ].keys() and "loss" in figures["harmony"]["strings"]
    score = Score([Track("melody", notes=melody())])
    played = [model.accompany(score, seed=2).tracks for _ in range(2)]
    assert played[0] == played[1] and played[0][MELODY].notes == score.tracks[0].notes


def test_settings_but_for_size_and_epochs_are_those_of_the_config(settings):
    config = yaml.safe_load(settings.read_text())
    other = latent_sizes.resized(config, 8, {"vae": 3, "harmony": 2})
    assert other["vae"]["latent"] == other["vae"]["instruments"]["piano"]["latent"] == 8
    assert (
        other["training"]["vae"] == {**config["training"]["vae"], "epochs": 3}
        and other["training"]["harmony"]["epochs"] == 2
    )
    assert {k: v for k, v in other["vae"].items() if k not in ("latent", "instruments")} == {
        k: v for k, v in config["vae"].items() if k not in ("latent", "instruments")
    }
    assert config["vae"]["latent"] == 192  # as it was


def test_what_does_not_fit_is_named(corpus, tmp_path, settings):  # noqa: F811
    common = ["--corpus", str(corpus), "--run", str(tmp_path / "run"), "--config", str(settings)]
    with pytest.raises(SystemExit, match="--size is 0"):
        latent_sizes.main([*common, "--size", "0"])
    tiny().save_pretrained(tmp_path / "tiny")
    with pytest.raises(SystemExit, match="planner of .* has other settings"):
        latent_sizes.main([*common, "--size", "8", "--init", str(tmp_path / "tiny")])
