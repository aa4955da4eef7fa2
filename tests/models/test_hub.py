"""Models from folders and, with the real client over HTTP, from a stand-in of the Hub."""

import json
import os
import subprocess
import sys
import time

import pytest
from huggingface_hub import HfApi, ModelCard, constants

from accomp import Accompanist, ModelError, genres
from accomp.models.files import digest
from accomp.models.hub import find
from accomp.models.shelf import Shelf
from page import models
from tests.support.scores import song
from tests.support.tiny import tiny

REPO, WRITER = "tester/accomp-pop", "hf_tester"


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """Folders of two different models of one genre."""
    folders = []
    for seed in (1, 2):
        folder = tmp_path_factory.mktemp(f"version{seed}")
        tiny(seed=seed).save_pretrained(folder)
        (folder / "training.json").write_text("{}")
        folders.append(folder)
    return folders


@pytest.fixture
def api(hub):
    return HfApi(token=WRITER)


@pytest.fixture
def pushed(api, versions):
    """The commit of the first model in its repository."""
    api.create_repo(REPO)
    return api.upload_folder(repo_id=REPO, folder_path=versions[0]).oid


def music(model):
    return [track.notes for track in model.accompany(song(), seed=3).tracks]


def weights_of(folder):
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture
def impatient(monkeypatch):
    """The client waits seconds between its attempts."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def refused(message, source=REPO, **settings):
    with pytest.raises(ModelError, match=message):
        Accompanist.from_pretrained(source, **settings)


def test_what_comes_from_the_hub_is_what_was_saved(hub, pushed, versions):
    local, model = Accompanist.from_pretrained(versions[0]), Accompanist.from_pretrained(REPO)
    assert music(model) == music(local) and model.config == local.config
    assert weights_of(model.source.folder) == weights_of(versions[0])
    assert str(model.source) == f"{REPO} @ {pushed[:7]}" and model.source.commit == pushed
    assert not (model.source.folder / "README.md").exists()  # only what is needed comes


def test_a_genre_stands_for_a_repository_of_the_namespace(hub, api, pushed, versions, monkeypatch):
    assert (
        Accompanist.from_pretrained("pop").source.commit is None and "jazz" in genres()
    )  # the embedded ones
    api.create_tag(REPO, tag="v1")
    newer = api.upload_folder(repo_id=REPO, folder_path=versions[1]).oid
    api.create_repo("tester/something-else")
    api.create_repo("band/accomp-jazz")
    api.create_repo("tester/accomp-new")
    monkeypatch.setenv("ACCOMP_NAMESPACE", "tester")
    assert genres() == ["new", "pop"] and Accompanist.from_pretrained("pop").source.commit == newer
    monkeypatch.setenv("ACCOMP_NAMESPACE", "tester@v1")
    assert genres() == ["pop"]  # the other has no such tag
    assert Accompanist.from_pretrained("pop").source.commit == pushed
    assert Accompanist.from_pretrained("pop", revision=newer[:40]).source.commit == newer
    refused(
        "'tester/accomp-jazz' is neither", "jazz"
    )  # embedded, but this table has only the namespace's


def test_revisions_are_pinned(hub, api, pushed, versions):
    newer = api.upload_folder(repo_id=REPO, folder_path=versions[1]).oid
    old, new = Accompanist.from_pretrained(REPO, revision=pushed), Accompanist.from_pretrained(REPO)
    assert (old.source.commit, new.source.commit) == (pushed, newer)
    assert weights_of(old.source.folder) == weights_of(versions[0]) != weights_of(new.source.folder)
    refused("has no revision 'v7'", revision="v7")
    refused("is a folder and has no revision 'v1'", versions[0], revision="v1")


@pytest.mark.parametrize(
    "source, message",
    [
        ("tester/accomp-nogenre", "'tester/accomp-nogenre' is neither a folder nor a repository"),
        ("models/nogenre", "neither a folder"),
        ("a/b/c", "a Hub id is NAME/REPOSITORY"),
        ("nogenre", "genre 'nogenre' is unknown; available: folk, "),
    ],
)
def test_what_is_not_there_is_said(hub, source, message):
    refused(message, source)


def test_the_cache_serves_while_the_hub_is_gone(hub, pushed, impatient, monkeypatch):
    online = music(Accompanist.from_pretrained(REPO))
    hub.stop()
    assert music(Accompanist.from_pretrained(REPO)) == online
    assert music(Accompanist.from_pretrained(REPO, revision=pushed)) == online
    monkeypatch.setenv("ACCOMP_NAMESPACE", "tester")
    assert genres() == ["pop"] and Accompanist.from_pretrained("pop").source.commit == pushed
    refused(
        "could not be downloaded whole, and is not in the cache; try again later", "band/accomp-pop"
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert music(Accompanist.from_pretrained(REPO)) == online
    assert music(Accompanist.from_pretrained(REPO, local_files_only=True)) == online


def test_the_second_time_costs_no_download(hub, pushed):
    Accompanist.from_pretrained(REPO)
    before = len(hub.requests)
    Accompanist.from_pretrained(REPO)
    assert not [
        path for method, path in hub.requests[before:] if "/resolve/" in path or "/cdn/" in path
    ]


def test_a_private_repository_asks_for_a_token(hub, api, versions):
    api.create_repo("tester/accomp-secret", private=True)
    api.upload_folder(repo_id="tester/accomp-secret", folder_path=versions[0])
    refused("if it is private, log in", "tester/accomp-secret")
    refused("if it is private, log in", "tester/accomp-secret", token="hf_other")
    assert Accompanist.from_pretrained("tester/accomp-secret", token=WRITER).source.commit


FAULTS = {
    "401": (lambda hub: hub.fail("accomp-pop", status=401), "log in"),
    "403": (lambda hub: hub.fail("accomp-pop", status=403, code="GatedRepo"), "ask for access"),
    "404": (
        lambda hub: hub.fail("accomp-pop", status=404, code="RepoNotFound"),
        "neither a folder nor a repository",
    ),
    "404 revision": (
        lambda hub: hub.fail("accomp-pop", status=404, code="RevisionNotFound"),
        "has no revision",
    ),
    "500": (lambda hub: hub.fail("accomp-pop", status=500), "try again later"),
    "500 weights": (lambda hub: hub.fail("/cdn/.*safetensors", status=500), "try again later"),
    "403 weights": (lambda hub: hub.fail("/resolve/.*safetensors", status=403), r"refuses \(403\)"),
    "cut": (
        lambda hub: hub.cut("/cdn/.*safetensors", after=100_000),
        "could not be downloaded whole",
    ),
    "corrupted": (
        lambda hub: hub.corrupt("/cdn/.*safetensors"),
        "is not the file that config.json was written with",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_said_and_nothing_half_written_loads(hub, pushed, versions, impatient, name):
    fault, message = FAULTS[name]
    fault(hub)
    refused(message)
    hub.stop()
    refused(r"\w+", REPO)  # what the cache got of it is not taken for a model
    hub.start()
    hub.heal()
    assert weights_of(Accompanist.from_pretrained(REPO).source.folder) == weights_of(versions[0])


def test_a_download_that_is_cut_goes_on_where_it_was(hub, pushed, versions, impatient):
    hub.cut("/cdn/.*safetensors", after=30_000, times=2)
    assert weights_of(Accompanist.from_pretrained(REPO).source.folder) == weights_of(versions[0])


PULL = """
import resource, sys
from huggingface_hub import constants
from accomp.errors import ModelError
from accomp.models.files import digest
from accomp.models.hub import find
most, repository = int(sys.argv[1]), sys.argv[2]
if most:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
print("begin", flush=True)
sys.stdin.readline()
try:
    print(digest(find(repository).folder / "model.safetensors"))
except ModelError as error:
    print(error)
"""


def pulling(cache, most=0):
    """A process that pulls the model when it is told; `most` bytes go into a file of its."""
    process = subprocess.Popen(
        [sys.executable, "-c", PULL, str(most), REPO],
        env=os.environ | {"HF_HUB_CACHE": str(cache)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stdout.readline() == "begin\n"
    return process


@pytest.mark.process
def test_two_processes_pull_one_model_at_once(hub, pushed, versions, tmp_path):
    both = [pulling(tmp_path / "cache") for _ in range(2)]
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    right = digest(versions[0] / "model.safetensors") + "\n"
    assert [process.communicate(timeout=60)[0] for process in both] == [right, right]
    assert not list((tmp_path / "cache").rglob("*.incomplete"))


@pytest.mark.process
def test_a_full_disk_is_said_and_the_next_pull_is_whole(hub, pushed, versions, tmp_path):
    size = (versions[0] / "model.safetensors").stat().st_size
    said, _ = pulling(tmp_path / "cache", size // 2).communicate("\n", timeout=60)
    assert f"can't be kept in the cache {tmp_path / 'cache'} (File too large)" in said
    whole, _ = pulling(tmp_path / "cache").communicate("\n", timeout=60)
    assert whole == digest(versions[0] / "model.safetensors") + "\n"


@pytest.mark.process
def test_a_cache_that_cannot_be_written_is_said(hub, pushed, tmp_path):
    (tmp_path / "file").write_text("in the way")
    said, _ = pulling(tmp_path / "file" / "cache").communicate("\n", timeout=60)
    assert "can't be kept in the cache" in said and "set HF_HUB_CACHE" in said


def test_a_damaged_copy_in_the_cache_is_replaced(hub, pushed, versions):
    hub.corrupt("/cdn/.*safetensors", times=1)
    assert weights_of(Accompanist.from_pretrained(REPO).source.folder) == weights_of(versions[0])
    path = find(REPO).folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert music(Accompanist.from_pretrained(REPO)) == music(
        Accompanist.from_pretrained(versions[0])
    )
    path.write_bytes(content)
    hub.stop()
    refused("is not the file .*; downloaded again: .* could not be downloaded")


def test_only_safetensors_are_read(hub, api, versions, tmp_path):
    (tmp_path / "config.json").write_text((versions[0] / "config.json").read_text())
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    api.create_repo(REPO)
    api.upload_folder(repo_id=REPO, folder_path=tmp_path)
    refused(r"model.safetensors is missing; .*\(pickle: .bin, .pt, .ckpt\) are not read")
    assert not [
        path
        for _, path in hub.requests
        if path.endswith("pytorch_model.bin") and "/resolve/" in path
    ]
    (tmp_path / "model.safetensors").write_bytes(b"\x80\x04.")
    settings = json.loads((versions[0] / "config.json").read_text())
    (tmp_path / "config.json").write_text(
        json.dumps(settings | {"weights_sha256": digest(tmp_path / "model.safetensors")})
    )
    refused("not in the safetensors format", tmp_path)


def test_the_hubs_own_convention(hub, api, versions, tmp_path):
    model = Accompanist.from_pretrained(versions[0])
    model.push_to_hub("tester/accomp-mine", token=WRITER)
    assert music(Accompanist.from_pretrained("tester/accomp-mine")) == music(model)
    assert len(hub.commits("tester/accomp-mine")) == 2  # the repository's birth and this
    card = ModelCard.load("tester/accomp-mine")
    card.validate()
    assert (
        card.data.library_name == "accomp"
        and card.data.license == "mit"
        and "midi" in card.data.tags
    )
    assert 'from_pretrained("tester/accomp-mine")' in card.text and "a pop band" in card.text
    assert "git+https://huggingface.co/spaces/tester/accomp" in card.text
    model.save_pretrained(tmp_path)
    assert "pip install" not in (tmp_path / "README.md").read_text()  # from whom is not known
    assert hub.files("tester/accomp-mine")["model.safetensors"] == weights_of(versions[0])


def test_the_page_says_which_revision_it_serves(hub, pushed, monkeypatch):
    assert models.served("pop").endswith(" Models: `pop`, embedded")
    monkeypatch.setenv("ACCOMP_NAMESPACE", "tester")
    monkeypatch.setattr(models, "shelf", Shelf(Accompanist.from_pretrained))
    assert models.served("pop").endswith(f" Models: `{REPO} @ {pushed[:7]}`")
