"""Genres, the demo and the blocks go to a stand-in of the Hub and back, by the users' commands."""

import io
import json
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from gradio_client import Client, handle_file
from huggingface_hub import HfApi, ModelCard, RepoCard
from PIL import Image

from accomp import Accompanist, genres, read_midi
from accomp.models.files import digest
from accomp.models.genre_files import MODELS
from tests.support.server import serving
from train.publish import cards, push, staging

ODE = staging.EXAMPLES / "ode_to_joy.mid"
JAZZ = ("--genre", "jazz", "--namespace", "tester")


@pytest.fixture
def tester(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_tester")
    return hub


def run(*arguments):
    push.main([*map(str, arguments), "--no-sound"])


def refused(message, *arguments):
    with pytest.raises(SystemExit, match=message):
        run(*arguments)


def notes(model):
    return [track.notes for track in model.accompany(read_midi(ODE), seed=4).tracks]


def test_every_genre_goes_to_the_hub_and_comes_back(tester, monkeypatch):
    run("--all", "--namespace", "band")
    for genre in genres():
        assert (
            len(tester.commits(f"band/accomp-{genre}")) == 2
        )  # the repository's birth and one commit
        pulled, embedded = (
            Accompanist.from_pretrained(f"band/accomp-{genre}"),
            Accompanist.from_pretrained(genre),
        )
        # Complete by itself, and the weights that its settings name.
        settings = json.loads((pulled.source.folder / "config.json").read_text())
        here = json.loads((MODELS / genre / "config.json").read_text())
        assert settings == {name: here[name] for name in here if name != "stored_sha256"}
        assert settings["weights_sha256"] == digest(pulled.source.folder / "model.safetensors")
        assert pulled.config == embedded.config
        assert notes(pulled) == notes(embedded)
    here = genres()
    monkeypatch.setenv("ACCOMP_NAMESPACE", "band")
    assert genres() == here
    tester.stop()
    monkeypatch.setattr(
        time, "sleep", lambda seconds: None
    )  # the client waits between its attempts
    assert genres() == here
    assert notes(Accompanist.from_pretrained("jazz")) == notes(
        Accompanist.from_pretrained(MODELS / "jazz")
    )


def test_what_a_repository_holds(tester):
    push.main([*JAZZ, "--revision", "v1"])
    files = tester.files("tester/accomp-jazz", "v1")
    assert {
        "model.safetensors",
        "config.json",
        "README.md",
        "training.json",
        "losses.png",
    } <= files.keys()
    for name in cards.SAMPLES:
        song = Accompanist.from_pretrained("jazz").accompany(
            read_midi(staging.EXAMPLES / f"{name}.mid"), seed=0
        )
        found = read_midi(files[f"samples/{name}/accompaniment.mid"])
        assert [len(track.notes) for track in found.tracks] == [
            len(track.notes) for track in song.tracks
        ]
        assert Image.open(io.BytesIO(files[f"samples/{name}/pianoroll.png"])).width > 500
        sound, rate = soundfile.read(io.BytesIO(files[f"samples/{name}/accompaniment.mp3"]))
        assert 15 < len(sound) / rate < 60 and np.abs(sound).max() > 0.2
    card = ModelCard.load("tester/accomp-jazz")
    assert (
        cards.PLACEHOLDER not in card.content
        and 'from_pretrained("tester/accomp-jazz")' in card.text
    )
    links = re.findall(r"\]\(((?!http)[^)]+)\)", card.text) + re.findall(
        r"/accomp-jazz/resolve/main/([^\"]+)", card.text
    )
    assert len(links) > 8 and set(links) <= files.keys()
    assert json.loads(files["training.json"])["songs"]["train"] == 356


def test_the_cards_snippet_runs(tester, tmp_path, monkeypatch):
    run(*JAZZ)
    snippet = re.search(
        r"```python\n(.*?)```", ModelCard.load("tester/accomp-jazz").text, re.S
    ).group(1)
    shutil.copyfile(ODE, tmp_path / "melody.mid")
    monkeypatch.chdir(tmp_path)
    exec(snippet, {})
    assert len(read_midi(tmp_path / "song.mid").tracks) == 5


def test_what_is_there_already_is_left_as_it_is(tester, capsys, monkeypatch):
    monkeypatch.setattr(
        time, "sleep", lambda seconds: None
    )  # the client waits between its attempts
    monkeypatch.delenv(
        "HF_TOKEN"
    )  # nobody to be, nowhere to go: what would be uploaded is said all the same
    tester.stop()
    run(*JAZZ, "--dry-run")
    assert "could not be compared" in capsys.readouterr().out
    tester.start()
    monkeypatch.setenv("HF_TOKEN", "hf_tester")
    run(*JAZZ, "--dry-run")
    assert not tester.repositories and "would upload model.safetensors" in capsys.readouterr().out
    run(*JAZZ, "--revision", "v1")
    (commit, *_), sent = tester.commits("tester/accomp-jazz"), tester.uploaded
    run(*JAZZ, "--revision", "v1")
    assert "nothing was uploaded" in capsys.readouterr().out
    assert tester.commits("tester/accomp-jazz")[0] == commit and tester.uploaded == sent
    HfApi().upload_file(
        path_or_fileobj=b"old",
        path_in_repo="samples/old/accompaniment.mid",
        repo_id="tester/accomp-jazz",
    )
    sent = tester.uploaded
    run(*JAZZ)
    assert "samples/old/accompaniment.mid" not in tester.files("tester/accomp-jazz")
    assert (
        tester.files("tester/accomp-jazz") == tester.files("tester/accomp-jazz", "v1")
        and tester.uploaded == sent
    )


def test_what_another_machine_renders_changes_nothing(tester, monkeypatch):
    push.main([*JAZZ])
    before, sent = tester.files("tester/accomp-jazz"), tester.uploaded
    monkeypatch.setattr(
        staging, "write_audio", lambda samples, path: path.write_bytes(b"other sound")
    )
    push.main([*JAZZ])
    assert tester.files("tester/accomp-jazz") == before and tester.uploaded == sent


def test_an_interrupted_push_is_repeated(tester):
    tester.fail("/commit/", status=400, times=1)
    refused("interrupted .* Run the same again", *JAZZ)
    assert "model.safetensors" not in tester.files("tester/accomp-jazz")
    asked = len(tester.requests)
    run(*JAZZ)
    assert not [
        path for method, path in tester.requests[asked:] if method == "PUT"
    ]  # the large files are there already
    assert notes(Accompanist.from_pretrained("tester/accomp-jazz")) == notes(
        Accompanist.from_pretrained("jazz")
    )


def test_private_repositories(tester, monkeypatch):
    run(*JAZZ, "--private")
    run(*JAZZ, "--private")
    assert HfApi().model_info("tester/accomp-jazz").private
    HfApi().create_repo("tester/accomp-pop")
    refused(
        "tester/accomp-pop is public already",
        "--genre",
        "pop",
        "--namespace",
        "tester",
        "--private",
    )
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    refused("other may not write to tester; choose among other", *JAZZ)


def test_what_speaks_against_a_push_is_said_before(tester, monkeypatch, tmp_path):
    refused(
        r"other may not|may not write to nobody; choose among band, tester",
        "--genre",
        "jazz",
        "--namespace",
        "nobody",
    )
    refused("accepted: the name of a user or organisation", "--genre", "jazz")
    refused(
        "'nogenre' is unknown; .*models holds folk, ", "--genre", "nogenre", "--namespace", "tester"
    )
    refused(
        "jazz.md is missing; make it with: python -m train cards jazz", *JAZZ, "--cards", tmp_path
    )
    refused("'demo' is not a Hub id", "--space", "demo")
    refused("tester has no models for the Space to serve", "--space", "tester/accomp")

    shutil.copytree(MODELS / "jazz", tmp_path / "broken" / "jazz")
    card, weights = (
        (cards.CARDS / "jazz.md").read_text(),
        Accompanist.from_pretrained("jazz").config.weights_sha256,
    )
    for old, new, message in (
        ("license: mit", "license: my-own", '"license" must be one of'),
        ("license: mit", "license: mit: x", "front matter can't be read"),
        (
            weights[:12],
            "0123456789ab",
            "is not the card of NAMESPACE/accomp-jazz with these weights",
        ),
    ):
        (tmp_path / "jazz.md").write_text(card.replace(old, new))
        refused(message, *JAZZ, "--cards", tmp_path)
    shutil.copytree(MODELS / "jazz", tmp_path / "odd" / "r&b")
    refused(
        "the Hub accepts no repository named",
        "--genre",
        "r&b",
        "--namespace",
        "tester",
        "--models",
        tmp_path / "odd",
    )
    (tmp_path / "broken" / "jazz" / "training.json").unlink()
    refused("training.json is missing", *JAZZ, "--models", tmp_path / "broken")
    weights = tmp_path / "broken" / "jazz" / "own.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    refused(
        "is not the file that config.json was written with", *JAZZ, "--models", tmp_path / "broken"
    )
    shutil.copytree(MODELS / "jazz", tmp_path / "renamed" / "swing")
    refused(
        "holds the genre 'jazz'",
        "--genre",
        "swing",
        "--namespace",
        "tester",
        "--models",
        tmp_path / "renamed",
    )

    for token, message in (
        ("hf_reader", "may only read"),
        ("hf_unknown", "does not know the token"),
        ("", "no token: make one"),
    ):
        monkeypatch.setenv("HF_TOKEN", token)
        refused(message, *JAZZ)
    monkeypatch.setenv("HF_TOKEN", "hf_tester")
    tester.fail("/whoami", status=400, times=1)
    refused("the Hub answers 400", *JAZZ)
    tester.stop()
    refused("the Hub can't be reached", *JAZZ)
    tester.start()
    assert not tester.repositories and not tester.uploaded


def test_a_name_or_tag_that_is_taken(tester):
    api = HfApi()
    api.create_repo("tester/accomp-jazz")
    api.upload_file(
        path_or_fileobj=b'{"hidden_size": 768}',
        path_in_repo="config.json",
        repo_id="tester/accomp-jazz",
    )
    refused("tester/accomp-jazz is taken: its config.json is not one of accomp's", *JAZZ)
    api.delete_file("config.json", "tester/accomp-jazz")
    api.upload_file(path_or_fileobj=b"0", path_in_repo="data.bin", repo_id="tester/accomp-jazz")
    refused("is taken: there is a model of that name without config.json", *JAZZ)
    api.delete_file("data.bin", "tester/accomp-jazz")
    api.create_tag("tester/accomp-jazz", tag="v1")
    refused("has a tag 'v1' already, with other files", *JAZZ, "--revision", "v1")
    refused("has a branch named 'main'", *JAZZ, "--revision", "main")
    assert tester.files("tester/accomp-jazz").keys() == {".gitattributes"}
    run(*JAZZ, "--revision", "v2")


PACKAGES = Path(__file__).parents[3] / "page" / "player" / "node_modules"
# The synthesizer with its licence, and the decoder.
PLAYER = (
    "js-synthesizer/externals/libfluidsynth-2.4.6.js",
    "js-synthesizer/externals/LICENSE.fluidsynth.txt",
    "stb-vorbis/dist/index.js",
    "stb-vorbis/LICENSE",
)


def test_the_demo_becomes_a_space(tester):
    run(*JAZZ, "--revision", "v1")
    HfApi().create_repo("tester/accomp-untagged")
    page = ("--space", "band/accomp", "--namespace", "tester", "--revision", "v1")
    refused("tester/accomp-untagged has no tag 'v1': python -m train push --genre untagged", *page)
    HfApi().delete_repo("tester/accomp-untagged")
    HfApi().create_repo("band/accomp", repo_type="space", space_sdk="gradio")
    other = b"# what you can accomplish"
    HfApi().upload_file(
        path_or_fileobj=other, path_in_repo="app.py", repo_id="band/accomp", repo_type="space"
    )
    refused("band/accomp is taken", *page)
    HfApi().delete_repo("band/accomp", repo_type="space")
    run(*page)
    files = tester.files("band/accomp", repo_type="space")
    assert {
        "app.py",
        "accomp/models/hub.py",
        "accomp/data/styles/styles.safetensors",
        "page/__init__.py",
        "README.md",
        "requirements.txt",
        "packages.txt",
        "examples/ode_to_joy.mid",
    } <= files.keys()
    assert not [
        name for name in files if re.match(r"(train|tests|models|model_cards|benchmarks)/", name)
    ]
    assert not [name for name in files if "__pycache__" in name or name.endswith((".pyc", ".pyi"))]
    # The player's instruments are 5 MB, the weights beside the genres' 4, what documents show and
    # play 6, code and examples 4. A Space takes 1 GB, but each start of it copies all.
    assert sum(map(len, files.values())) < 20e6
    assert not [name for name in files if name.startswith("examples/results/")]
    assert set(files) & {f"page/player/node_modules/{name}" for name in PLAYER} == {
        f"page/player/node_modules/{name}" for name in PLAYER if (PACKAGES / name).is_file()
    }
    instruments = {file.name for file in (PACKAGES.parent / "made" / "sounds").glob("*.sf3")}
    assert {Path(name).name for name in files if name.endswith(".sf3")} == instruments
    assert not [name for name in files if "typescript" in name or "/made/scripts" in name]
    card = RepoCard(files["README.md"].decode())
    card.validate(repo_type="space")
    for link in re.findall(r"\]\(((?!http)[^)#]+)\)", card.text):
        assert [name for name in files if name.startswith(link)], (
            link
        )  # nothing that the page points at is missing
    assert "more, as MIDI and pictures" in card.text and "examples/results" not in card.text
    commit = HfApi().model_info("tester/accomp-jazz", revision="v1").sha
    assert card.data.models == ["tester/accomp-jazz"]
    assert card.data.preload_from_hub == [
        f"tester/accomp-jazz config.json,model.safetensors,training.json {commit}"
    ]
    assert HfApi().get_space_variables("band/accomp")["ACCOMP_NAMESPACE"].value == "tester@v1"
    before, asked = tester.commits("band/accomp", repo_type="space"), len(tester.requests)
    run(*page)
    assert tester.commits("band/accomp", repo_type="space") == before
    assert ("POST", "/api/spaces/band/accomp/variables") not in tester.requests[asked:]


def test_the_space_runs_from_its_own_files(tester, tmp_path):
    run(*JAZZ)
    run("--space", "band/accomp", "--namespace", "tester")
    for name, content in tester.files("band/accomp", repo_type="space").items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    with serving(tmp_path, ACCOMP_NAMESPACE="tester") as server:
        client = Client(server.url, verbose=False, download_files=tmp_path)
        _, picture, midi, chords = client.predict(
            handle_file(tmp_path / "examples" / "ode_to_joy.mid"), "jazz", 4, api_name="/accompany"
        )
    assert Image.open(picture).width > 500 and chords
    expected = Accompanist.from_pretrained("jazz").accompany(read_midi(ODE), seed=4)
    assert [len(track.notes) for track in read_midi(midi).tracks] == [
        len(track.notes) for track in expected.tracks
    ]
