"""The song VAE learns what it is shown, in both configurations, and draws forms from melodies."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from accomp import write_midi
from accomp.errors import ModelError
from accomp.models import measure_features
from accomp.models.song_vae import FOLDER, SongConfig, SongVAE, divergence, shipped_song_vae
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS
from tests.train.fit.test_train import song
from train.data import prepare
from train.data.corpus import NOTE
from train.data.song_windows import published_onsets
from train.fit import song as train_song
from train.fit import song_figures
from train.fit.settings import CONFIGS


def small(**settings) -> SongVAE:
    torch.manual_seed(0)
    sizes = {"measure": 12, "measures": 4, "hidden": 24, "features": 8, "song": 32, "latent": 6}
    return SongVAE(SongConfig(**sizes | settings)).eval()


def toys(count=64):
    """[count, 4, 12] songs of two themes of three, each of which returns.

    Six numbers are of the melody, and six go with it.
    """
    random = np.random.default_rng(0)
    themes = np.eye(3).repeat(2, 1)
    chosen = random.integers(3, size=(count, 2))[:, [0, 1, 0, 1]]
    return torch.from_numpy(
        np.concatenate([themes[chosen], themes[(chosen + 1) % 3]], 2).astype(np.float32)
    )


def band(count=3):
    blocks = np.zeros((5, count, 2, 32, 128), np.uint8)
    blocks[DRUMS, :, :, ::8, 36] = 1
    blocks[DRUMS, 1, 0, 4, 38] = blocks[DRUMS, 1, 1, 4, 38] = 1
    blocks[BASS, :, 0, 0, 36] = 1
    blocks[BASS, :, 1, :20, 36] = 1
    blocks[MELODY, 0, :, 3, 72] = blocks[MELODY, 0, :, 19, 60] = blocks[MELODY, 2, :, 3, 66] = 1
    return blocks


def test_both_configurations_have_the_shapes_of_the_document():
    paper = yaml.safe_load((CONFIGS / "song_paper.yaml").read_text())["song"]
    config = SongConfig(
        **{name: value for name, value in paper.items() if name not in ("measures_of", "warm_up")}
    )
    with torch.device("meta"):
        model = SongVAE(config)
    sizes = [
        (layer.in_features, layer.out_features)
        for layer in model.modules()
        if isinstance(layer, torch.nn.Linear)
    ]
    assert sizes == [
        (9216, 2000),
        (2000, 200),
        (3200, 1600),
        (1600, 240),
        (120, 1600),
        (1600, 3200),
        (200, 2000),
        (2000, 9216),
    ]
    model = small(bits=8, lead=[0, 1, 2], genres=["jazz", "pop"], players=4, placed=True)
    about = model.about_songs(5, "pop", 0.25, 0.75, players=[True, False, True, True])
    assert about[0].tolist() == [0, 1, 1, 0, 1, 1, 0.25, 0.75] and model.about_songs(1, "polka")[
        0, :2
    ].tolist() == [0, 0]
    mean, log_variance = model.encode(torch.rand(5, 4, 12), about)
    songs = model.decode(mean, about)
    assert mean.shape == log_variance.shape == (5, 6) and songs.shape == (5, 4, 12)
    assert ((songs[..., :8] >= 0) & (songs[..., :8] <= 1)).all()


def test_every_measure_is_extracted_by_the_same_layers():
    model = small()
    songs = torch.rand(1, 4, 12)
    assert torch.allclose(model.extract(songs[:, 2:3]), model.extract(songs)[:, 2:3])


def test_divergence_is_that_of_gaussians():
    a = torch.distributions.Normal(torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 2.0]]))
    b = torch.distributions.Normal(torch.tensor([[0.0, 1.0]]), torch.tensor([[1.5, 1.0]]))
    found = divergence(a.mean, 2 * a.stddev.log(), b.mean, 2 * b.stddev.log())
    assert torch.isclose(found, torch.distributions.kl_divergence(a, b).sum())
    assert float(divergence(torch.zeros(2, 3), torch.zeros(2, 3))) == 0


@pytest.mark.train
@pytest.mark.parametrize("bits", [0, 12])
def test_it_learns_to_reconstruct_and_to_expect_the_band_from_the_melody(bits):
    songs, model = toys(), small(bits=bits, lead=list(range(6)), precision=20.0, hidden=48, song=64)
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)

    def errors():
        with torch.no_grad():
            return [
                float(
                    ((model.decode(model.encode(songs, alone=alone)[0]) > 0.5) != (songs > 0.5))
                    .float()
                    .mean()
                )
                for alone in (False, True)
            ]

    before = errors()
    model.train()
    for _ in range(250):
        optimizer.zero_grad()
        model.loss(songs, None, 0.1).total.backward()
        optimizer.step()
    model.eval()
    after = errors()
    # Always saying the likelier would be wrong in a third.
    assert min(before) > 0.2 and after[0] < 0.02 and after[1] < 0.05


def test_encoding_the_melody_alone_is_deterministic_and_hears_nothing_else():
    model = small(lead=[0, 3])
    songs = torch.rand(3, 4, 12)
    others = songs.clone()
    others[..., [1, 2, 4, 5, 6, 7, 8, 9, 10, 11]] = 0.7
    a, b = model.encode(songs, alone=True), model.encode(others, alone=True)
    assert (
        torch.equal(a[0], b[0])
        and torch.equal(a[1], b[1])
        and not torch.equal(a[0], model.encode(songs)[0])
    )
    with pytest.raises(ValueError, match="lead"):
        small().encode(songs, alone=True)


def test_measures_say_who_plays_what_when():
    velocity = np.full((5, 6), np.nan)
    velocity[BASS] = [80, 92, 80, 80, 80, 80]
    rows = measure_features.describe_band(band(), velocity)
    assert (
        rows.shape == (6, measure_features.SIZE)
        and (
            (rows[:, : measure_features.BITS] == 0) | (rows[:, : measure_features.BITS] == 1)
        ).all()
    )
    found = measure_features.unpack(rows)
    assert found["plays"][:, [DRUMS, BASS, MELODY]].tolist() == [
        [1, 1, 1],
        [1, 1, 1],
        [1, 1, 0],
        [1, 1, 0],
        [1, 1, 1],
        [1, 1, 0],
    ]
    assert not found["plays"][:, [GUITAR, STRINGS]].any()
    assert (
        np.flatnonzero(found["rhythm"][0, MELODY]).tolist() == [3]
        and found["rhythm"][1, BASS].sum() == 0
    )  # held, not struck
    assert np.flatnonzero(found["kinds"][0, MELODY]).tolist() == [0] and np.flatnonzero(
        found["kinds"][4, MELODY]
    ).tolist() == [6]
    assert (
        np.flatnonzero(found["kinds"][2, DRUMS]).tolist() == [0, 1]
        and found["kinds"][0, DRUMS].sum() == 1
    )
    assert (
        np.allclose(found["density"][[0, 2], DRUMS], [2, 3], atol=1e-3)
        and abs(found["density"][0, STRINGS]) < 1e-3
    )
    assert (
        np.isclose(found["loudness"][1, BASS] * measure_features.LOUDNESS_UNIT, 10)
        and not found["loudness"][:, DRUMS].any()
    )
    assert (
        found["register"][0, MELODY] > found["register"][4, MELODY] > found["register"][1, MELODY]
    )


def test_the_melody_alone_tells_its_own_numbers():
    whole, alone = (
        measure_features.describe_band(band()),
        measure_features.describe_melody(band()[MELODY]),
    )
    assert (whole[:, measure_features.LEAD] == alone[:, measure_features.LEAD]).all() and len(
        measure_features.LEAD
    ) == 31
    assert (
        measure_features.columns(MELODY).sum(),
        sum(measure_features.columns(t).sum() for t in range(5)),
    ) == (
        32,
        measure_features.SIZE,
    )


def test_published_measures_are_onsets_on_a_fine_grid_without_drums():
    notes = np.array(
        [
            (0, MELODY, 60, 16, 4, 90, 0),
            (0, BASS, 40, 17, 1, 90, 1 / 3),
            (0, DRUMS, 36, 16, 1, 90, 0),
            (0, MELODY, 62, 15, 9, 90, 0),
            (0, MELODY, 5, 16, 1, 90, 0),
        ],
        NOTE,
    )
    found = published_onsets(notes, 1, 2).reshape(2, 96, 96)
    # From the second measure on; a third of a sixteenth late is two of 96 steps.
    assert np.argwhere(found).tolist() == [[0, 0, 60 - 16], [0, 8, 40 - 16]]


def test_saved_weights_load_and_damaged_ones_are_refused(tmp_path):
    model = small(lead=[1], genres=["pop"])
    model.save(tmp_path)
    again = SongVAE.load(tmp_path)
    songs, about = torch.rand(2, 4, 12), model.about_songs(2, "pop")
    assert again.config == model.config and torch.allclose(
        again.encode(songs, about)[0], model.encode(songs, about)[0], atol=1e-2
    )
    (tmp_path / "config.json").write_text(
        (tmp_path / "config.json").read_text().replace('"latent": 6', '"latent": 7')
    )
    with pytest.raises(ModelError, match="no song VAE"):
        SongVAE.load(tmp_path)
    with pytest.raises(ModelError, match="no song VAE"):
        SongVAE.load(tmp_path / "nowhere")


def test_the_shipped_one_loads_and_is_small():
    model = shipped_song_vae()
    assert (
        model.config.measure == measure_features.SIZE
        and model.config.latent == 120
        and model.config.lead == measure_features.LEAD
    )
    assert (
        "pop" in model.config.genres and sum(path.stat().st_size for path in FOLDER.iterdir()) < 2e6
    )
    songs = torch.zeros(2, 16, measure_features.SIZE)
    assert (
        model.decode(model.encode(songs, model.about_songs(2), alone=True)[0], model.about_songs(2))
        .isfinite()
        .all()
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder, out = tmp_path_factory.mktemp("songs"), tmp_path_factory.mktemp("corpus")
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "genre", "split"])
        for number in range(7):
            one = song(number)
            for track in one.tracks:  # 24 measures
                track.notes += [note._replace(onset=note.onset + 48.0) for note in track.notes]
            write_midi(one, folder / f"{number}.mid")
            split = ("val", "test", "test", "train")[min(number, 3)]
            table.writerow([f"{number}.mid", "jazz" if number % 2 else "soul", split])
    prepare.main(
        [str(folder), "--labels", str(folder / "labels.csv"), "--out", str(out), "--workers", "1"]
    )
    return out


@pytest.mark.train
@pytest.mark.parametrize("config", ["song.yaml", "song_paper.yaml"])
def test_two_steps_of_training_samples_and_a_way_between_songs(corpus, tmp_path, config, capsys):
    settings = yaml.safe_load((CONFIGS / config).read_text())
    settings["training"]["song"].update(epochs=1, sample_every=1)
    settings["song"].update(hidden=16, features=8, song=24, latent=5)
    (tmp_path / config).write_text(yaml.safe_dump(settings))
    run = tmp_path / "run"
    arguments = ["--corpus", str(corpus), "--run", str(run), "--config", str(tmp_path / config)]
    train_song.main([*arguments, "--max-steps", "2", "--export", str(tmp_path / "shipped")])
    figures = json.loads((run / "song" / "figures.json").read_text())
    assert (
        figures["epochs"] == 1
        and np.isfinite(figures["val"]["loss"])
        and 0 <= figures["songs"]["real"]["songs"] <= 1
    )
    assert (run / "song" / "samples" / "epoch_001" / "songs.png").is_file()
    model = SongVAE.load(tmp_path / "shipped")
    assert model.config.latent == 5 and model.config.genres == (
        ["jazz", "pop"] if config == "song.yaml" else []
    )
    train_song.main([*arguments[:4], "--sample", "2", "--interpolate", "3.mid", "4.mid"])
    assert (run / "song" / "sample.png").is_file() and (
        run / "song" / "interpolation.png"
    ).is_file()
    assert json.loads((run / "song" / "interpolation.json").read_text())["detour"] >= 0.99
    assert "largest" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no song named"):
        train_song.main([*arguments, "--interpolate", "3.mid", "polka"])


def test_likeness_of_songs_and_measures():
    same = torch.zeros(2, 16, 6, dtype=torch.bool)
    same[0, :, 0] = same[1, :, 1] = True
    figures = song_figures.alike(same)
    assert (
        figures["songs"],
        figures["measures"],
        figures["same"],
        figures["onsets"],
        figures["silent"],
    ) == (0, 1, 1, 1, 0)
    form = torch.zeros(1, 16, 6, dtype=torch.bool)
    form[0, torch.arange(16), torch.arange(16) % 4] = True
    assert song_figures.alike(torch.cat([form, form]))["lag_4"] == 1


def test_a_setting_that_is_unknown_is_refused(corpus, tmp_path):
    (tmp_path / "odd.yaml").write_text("song: {measures_of: band, widht: 3}\n")
    with pytest.raises(SystemExit, match="widht"):
        train_song.main(
            [
                "--corpus",
                str(corpus),
                "--run",
                str(tmp_path / "run"),
                "--config",
                str(tmp_path / "odd.yaml"),
            ]
        )
