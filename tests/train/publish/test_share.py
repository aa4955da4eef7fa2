"""What genres have in common is stored once, and what is pushed is complete by itself."""

import json
import shutil

import pytest
import torch

from accomp import Accompanist, ModelError
from accomp.models import genre_files
from accomp.models.files import digest
from accomp.models.genre_files import load_genre, weight_files
from tests.support.scores import song
from tests.support.tiny import tiny
from train.fit.unpack import unpack
from train.publish.share import main, store_whole


def music(model):
    return [track.notes for track in model.accompany(song(), seed=3).tracks]


@pytest.fixture
def models(tmp_path):
    """Three genres, of which two have the same VAEs, planner and feel."""
    first, other = tiny(seed=1), tiny(seed=2)
    for name, model in (("pop", first), ("jazz", first), ("polka", other)):
        model.config.genre = name
        if name == "jazz":
            torch.nn.init.constant_(model.harmony["bass"].heads["middle"].bias, 0.1)
        model.save_pretrained(tmp_path / "models" / name)
    return tmp_path / "models"


def files(folder):
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_shared_weights_are_stored_once_and_load_as_before(models):
    complete = {path.name: music(Accompanist.from_pretrained(path)) for path in models.iterdir()}
    sizes = sum(path.stat().st_size for path in models.rglob("*.safetensors"))
    main(["--models", str(models)])
    assert len(list((models / "shared").iterdir())) == 2
    assert weight_files(models / "pop")[1] == weight_files(models / "jazz")[1]
    assert not list(models.rglob("model.safetensors"))
    assert sum(path.stat().st_size for path in models.rglob("*.safetensors")) < 0.87 * sizes
    assert complete == {
        name: music(Accompanist.from_pretrained(models / name)) for name in complete
    }
    before = {path: path.read_bytes() for path in models.rglob("*.*")}
    main(["--models", str(models)])  # the same again changes nothing
    assert before == {path: path.read_bytes() for path in models.rglob("*.*")}


def test_what_leaves_is_complete_and_the_same_to_the_byte(models, tmp_path):
    shutil.copytree(models, tmp_path / "before")
    main(["--models", str(models)])
    for genre in ("pop", "polka"):
        (tmp_path / genre).mkdir()
        store_whole(models / genre, tmp_path / genre)
        for name in ("config.json", "model.safetensors"):
            written = (tmp_path / genre / name).read_bytes()
            assert written == (tmp_path / "before" / genre / name).read_bytes()
    Accompanist.from_pretrained(models / "pop").save_pretrained(tmp_path / "saved")
    assert digest(tmp_path / "saved/model.safetensors") == digest(
        tmp_path / "pop/model.safetensors"
    )
    (tmp_path / "twice").mkdir()
    store_whole(tmp_path / "pop", tmp_path / "twice")  # of one that is complete
    assert digest(tmp_path / "twice/model.safetensors") == digest(
        tmp_path / "pop/model.safetensors"
    )


def test_a_genre_that_is_trained_anew_shares_no_more(models):
    main(["pop", "jazz", "--models", str(models)])
    assert files(models / "polka") == ["README.md", "config.json", "model.safetensors"]
    for genre in ("pop", "jazz"):
        tiny(seed=3).save_pretrained(models / genre)
        assert load_genre(models / genre, genre)  # complete again, whatever lies beside it
    main(["pop", "--models", str(models)])
    assert len(list((models / "shared").iterdir())) == 1  # what nobody names is gone


def test_training_goes_on_from_shared_weights(models, tmp_path):
    unpack(str(models / "pop"), None, tmp_path / "before")
    main(["--models", str(models)])
    unpack(str(models / "pop"), None, tmp_path / "after")
    for name in files(tmp_path / "before"):
        assert (tmp_path / "after" / name).read_bytes() == (tmp_path / "before" / name).read_bytes()


def test_a_copy_of_a_folder_finds_what_the_embedded_genres_share(models, tmp_path, monkeypatch):
    main(["--models", str(models)])
    shutil.copytree(models / "pop", tmp_path / "elsewhere" / "pop")
    with pytest.raises(ModelError, match=r"pop: [0-9a-f]{12}.safetensors is missing"):
        Accompanist.from_pretrained(tmp_path / "elsewhere" / "pop")
    monkeypatch.setattr(genre_files, "MODELS", models)
    copied = Accompanist.from_pretrained(tmp_path / "elsewhere" / "pop")
    assert music(copied) == music(Accompanist.from_pretrained(models / "pop"))


def test_damage_in_either_file_is_told(models, tmp_path):
    main(["--models", str(models)])

    def refused(message):
        with pytest.raises(ModelError, match=message):
            Accompanist.from_pretrained(models / "pop")

    for path in weight_files(models / "pop"):
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + b"?")
        refused(f"{path.name} is not the file that config.json was written with")
        path.unlink()
        refused(f"{path.name} is missing")
        path.write_bytes(whole)
    config = models / "pop" / "config.json"
    values = json.loads(config.read_text())
    config.write_text(json.dumps(values | {"stored_sha256": {"own": "0" * 64}}))
    refused("config.json: .*shared")
    config.write_text(json.dumps(values | {"weights_sha256": "0" * 64}))
    with pytest.raises(ModelError, match="not of one model"):
        store_whole(models / "pop", tmp_path)
    with pytest.raises(SystemExit, match="waltz: config.json is missing"):
        main(["waltz", "--models", str(models)])
