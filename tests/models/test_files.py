"""Settings and weights of a folder: written whole or not at all, read with one kind of error."""

import json
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from accomp.errors import DamagedError, ModelError
from accomp.models import files


@dataclass
class Settings:
    width: int = 3


class Network(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.layer = nn.Linear(2, config.width)


def build(values):
    return Network(Settings(**values))


@pytest.fixture
def folder(tmp_path):
    files.save_network(tmp_path / "one", Network(Settings()))
    return tmp_path / "one"


def test_a_network_comes_back_in_half_precision(folder):
    again = files.load_network(folder, build, "network")
    assert again.config == Settings() and again.layer.weight.dtype == torch.float32
    files.save_network(folder / "again", again)
    for name in ("config.json", "model.safetensors"):
        assert (folder / "again" / name).read_bytes() == (folder / name).read_bytes()
    assert sorted(path.name for path in folder.glob("*.*")) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("config.json", None, "config.json is missing"),
        ("config.json", "[1, 2", "config.json: Expecting"),
        ("config.json", "[1, 2]", "config.json: "),
        ("config.json", '{"height": 2}', "config.json: .*height"),
        ("config.json", '{"width": "wide"}', "config.json: "),
        ("config.json", '{"width": 4}', r"layer.bias is \[3\] instead of \[4\] \(of 2 such"),
        ("model.safetensors", None, "model.safetensors is missing"),
        ("model.safetensors", "{}", "not in the safetensors format"),
    ],
)
def test_what_is_wrong_is_said_as_one_error(folder, name, content, message):
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(ModelError, match=f"one holds no network.*{message}"):
        files.load_network(folder, build, "network")


def test_a_file_that_has_changed_is_told_from_one_that_is_none(folder):
    path = folder / "model.safetensors"
    known = files.digest(path)
    assert files.load_weights(path, sha256=known).keys() == {"layer.weight", "layer.bias"}
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedError, match=f"expected {known[:12]}"):
        files.load_weights(path, sha256=known)


def test_what_cannot_be_written_leaves_what_was_there(folder):
    before = (folder / "config.json").read_text()
    with pytest.raises(TypeError):
        files.save_settings(folder / "config.json", {"width": {3}})
    assert (
        (folder / "config.json").read_text() == before == json.dumps({"width": 3}, indent=1) + "\n"
    )


def test_texts_beside_the_weights(tmp_path):
    path = tmp_path / "some.safetensors"
    files.save_weights(path, {"a": torch.zeros(2)}, {"about": "nothing"})
    assert files.load_metadata(path) == {"about": "nothing"}
    with pytest.raises(ModelError, match="other.safetensors is missing"):
        files.load_metadata(tmp_path / "other.safetensors")
