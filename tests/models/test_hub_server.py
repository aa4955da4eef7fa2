"""The stand-in for the Hub, as the real client sees it."""

import time
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    ModelCard,
    snapshot_download,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

ID = "tester/accomp-jazz"
CARD = "---\nlicense: mit\nlibrary_name: accomp\ntags: [music]\nlanguage: en\n---\n# Jazz\n"
WEIGHTS = bytes(range(256)) * 800
SETTINGS = b'{"genre": "jazz"}'
FILES = {
    "README.md": CARD.encode(),
    "config.json": SETTINGS,
    "model.safetensors": WEIGHTS,
    "audio/one.wav": b"RIFF" * 99,
}
api, other, stranger = (HfApi(token=token) for token in ("hf_tester", "hf_other", False))


@pytest.fixture
def folder(tmp_path):
    for path, content in FILES.items():
        (tmp_path / "model" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "model" / path).write_bytes(content)
    return tmp_path / "model"


@pytest.fixture
def model(hub, folder):
    """A model on the Hub; its second commit."""
    api.create_repo(ID)
    return api.upload_folder(repo_id=ID, folder_path=folder, commit_message="First").oid


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """Seconds that the client means to wait between attempts; it waits none."""
    waits = []
    for module in ("utils._http", "file_download"):
        monkeypatch.setattr(f"huggingface_hub.{module}.time", SimpleNamespace(sleep=waits.append))
    return waits


def read(folder):
    folder = Path(folder)
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def pull(cache, **more):
    return snapshot_download(ID, cache_dir=cache, token="hf_tester", **more)


def test_a_push_is_one_commit_and_the_same_again_is_none(hub, model, folder):
    assert [commit.title for commit in hub.commits(ID)] == [
        "First",
        "initial commit",
    ] and hub.commits(ID)[0].id == model
    assert {path: hub.files(ID)[path] for path in FILES} == FILES
    assert hub.count("/upload/", "PUT") == 2 and hub.uploaded == sum(map(len, FILES.values()))
    assert api.upload_folder(repo_id=ID, folder_path=folder).oid == model
    assert len(hub.commits(ID)) == 2 and hub.count("/commit/") == 1 and hub.count("/upload/") == 2
    (folder / "config.json").write_text("{}")
    changes = [
        CommitOperationAdd("config.json", folder / "config.json"),
        CommitOperationDelete("audio/"),
    ]
    api.create_commit(ID, changes, commit_message="Second", parent_commit=model)
    assert sorted(hub.files(ID)) == [
        ".gitattributes",
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    with pytest.raises(HfHubHTTPError, match="412"):
        api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=ID, parent_commit=model)


def test_what_the_client_is_told_of_a_repository(hub, model):
    info = api.model_info(ID, files_metadata=True)
    assert (info.sha, info.private, info.library_name, info.card_data.license) == (
        model,
        False,
        "accomp",
        "mit",
    )
    assert {"music", "accomp", "en", "license:mit"} <= set(info.tags)
    weights = next(file for file in info.siblings if file.rfilename == "model.safetensors")
    assert weights.size == weights.lfs.size == len(WEIGHTS) and len(weights.lfs.sha256) == 64
    assert (
        api.file_exists(ID, "config.json")
        and not api.file_exists(ID, "missing.json")
        and not api.repo_exists("tester/no")
    )
    names = [api.create_repo(f"band/accomp-{number}").repo_id for number in range(7)]
    assert [found.id for found in api.list_models(author="band")] == names and hub.count(
        "/api/models$", "GET"
    ) == 2
    assert [found.id for found in api.list_models(author="tester", filter="accomp")] == [ID]
    assert api.get_paths_info(ID, ["audio", "none"], expand=True)[0].last_commit.title == "First"


def test_a_snapshot_holds_the_same_bytes(hub, model, tmp_path):
    folder = pull(tmp_path)
    assert read(folder) == hub.files(ID) and FILES.items() <= read(folder).items()
    assert not api.verify_repo_checksums(ID, cache_dir=tmp_path).mismatches
    known = len(hub.requests)
    assert pull(tmp_path) == folder and [path for _, path in hub.requests[known:]] == [
        f"/api/models/{ID}/revision/main"
    ]
    hub.stop()
    try:
        assert pull(tmp_path) == folder
    finally:
        hub.start()
    assert api.whoami()["name"] == "tester"


def test_tags_branches_and_old_commits(hub, model, tmp_path):
    api.upload_file(path_or_fileobj=b"new", path_in_repo="config.json", repo_id=ID)
    api.create_tag(ID, tag="v1", revision=model)
    api.create_branch(ID, branch="try/out", revision="v1")
    for name in ("main", "v1", model, "try/out"):
        path = api.hf_hub_download(ID, "config.json", revision=name, cache_dir=tmp_path)
        assert Path(path).read_bytes() == (b"new" if name == "main" else SETTINGS)
    refs = api.list_repo_refs(ID)
    assert [ref.name for ref in refs.branches] == ["main", "try/out"] and refs.tags[
        0
    ].target_commit == model
    assert [commit.title for commit in api.list_repo_commits(ID)][1:] == ["First", "initial commit"]
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_tag(ID, tag="v1")
    api.create_tag(ID, tag="v1", exist_ok=True)
    api.delete_tag(ID, tag="v1")
    assert not api.revision_exists(ID, "v1") and api.revision_exists(ID, model[:7])


def test_a_tree_comes_in_pages(hub, model):
    additions = [
        CommitOperationAdd(f"songs/{number:02}.txt", b"%d" % number) for number in range(12)
    ]
    api.create_commit(ID, additions, commit_message="Songs")
    names = [entry.path for entry in api.list_repo_tree(ID, recursive=True)]
    assert names == sorted(
        [
            *FILES,
            ".gitattributes",
            "audio",
            "songs",
            *(f"songs/{number:02}.txt" for number in range(12)),
        ]
    )
    assert hub.count("/tree/main$") == 4 and [
        entry.path for entry in api.list_repo_tree(ID, "audio")
    ] == ["audio/one.wav"]


def test_parts_of_files(hub, model):
    for name in ("config.json", "model.safetensors"):
        reply = httpx2.get(
            f"{hub.url}/{ID}/resolve/main/{name}",
            headers={"Range": "bytes=5-8"},
            follow_redirects=True,
        )
        assert (reply.status_code, reply.content) == (206, FILES[name][5:9])
        assert reply.headers["Content-Range"] == f"bytes 5-8/{len(FILES[name])}"


def test_what_is_missing_has_the_error_of_its_kind(hub, model, tmp_path):
    for arguments, error in (
        (("tester/none", "x"), RepositoryNotFoundError),
        ((ID, "x"), EntryNotFoundError),
    ):
        with pytest.raises(error):
            api.hf_hub_download(*arguments, cache_dir=tmp_path)
    for revision in ("v9", "0" * 40):
        with pytest.raises(RevisionNotFoundError):
            pull(tmp_path, revision=revision)


def test_who_may_see_and_change_what(hub, folder, tmp_path):
    api.create_repo(ID, private=True)
    api.upload_folder(repo_id=ID, folder_path=folder)
    for visitor, status in ((other, 404), (stranger, 401)):
        with pytest.raises(RepositoryNotFoundError) as caught:
            visitor.snapshot_download(ID, cache_dir=tmp_path)
        assert caught.value.response.status_code == status and not list(
            visitor.list_models(author="tester")
        )
    assert HfApi(token="hf_reader").file_exists(ID, "config.json")
    for token, name in (
        ("hf_reader", "tester/new"),
        ("hf_other", "tester/new"),
        ("hf_tester", "other/new"),
    ):
        with pytest.raises(HfHubHTTPError, match="403"):
            HfApi(token=token).create_repo(name)
    with pytest.raises(HfHubHTTPError, match="403"):
        HfApi(token="hf_reader").upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=ID)
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        HfApi(token="hf_unknown").whoami()
    assert (
        api.whoami()["orgs"][0]["roleInOrg"] == "write"
        and api.create_repo(ID, exist_ok=True).repo_id == ID
    )
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo(ID)
    api.delete_repo(ID)
    assert not hub.repositories


@pytest.mark.parametrize(
    ("fault", "error", "waited"),
    [
        ({"status": 401}, RepositoryNotFoundError, []),
        (
            {"status": 401, "message": "Invalid credentials in Authorization header"},
            HfHubHTTPError,
            [],
        ),
        ({"status": 403, "code": "GatedRepo"}, GatedRepoError, []),
        ({"status": 403}, LocalEntryNotFoundError, []),
        ({"status": 500}, LocalEntryNotFoundError, [1, 2, 4, 8, 8]),
        ({"status": 429, "headers": {"Retry-After": "3"}}, LocalEntryNotFoundError, [4.0] * 5),
    ],
)
def test_errors_as_a_download_sees_them(hub, model, tmp_path, waits, fault, error, waited):
    hub.fail(f"{ID}/resolve", **fault)
    with pytest.raises(error):
        api.hf_hub_download(ID, "config.json", cache_dir=tmp_path)
    assert waits == waited
    hub.heal()
    assert Path(api.hf_hub_download(ID, "config.json", cache_dir=tmp_path)).read_bytes() == SETTINGS


def test_errors_of_the_storage_and_of_pushes(hub, model, folder, tmp_path, waits):
    hub.fail("/cdn/.*/model.safetensors", status=500)
    with pytest.raises(HfHubHTTPError, match="500"):
        pull(tmp_path)
    assert hub.count("/cdn/.*/model.safetensors") == 1 and not waits
    (folder / "model.safetensors").write_bytes(WEIGHTS[1:])
    hub.fail("/upload/", method="PUT", times=2)
    hub.fail("/commit/main", status=503)
    with pytest.raises(HfHubHTTPError, match="503"):
        api.upload_folder(repo_id=ID, folder_path=folder)
    assert waits == [1, 2] and hub.commits(ID)[0].id == model
    hub.heal()
    api.upload_folder(repo_id=ID, folder_path=folder)
    assert hub.count("/upload/") == 2 + 3 and hub.files(ID)["model.safetensors"] == WEIGHTS[1:]


def test_a_cut_connection_is_tried_again(hub, model, tmp_path, waits):
    hub.cut("/cdn/.*/model.safetensors", after=1000, times=2)
    assert read(pull(tmp_path))["model.safetensors"] == WEIGHTS and waits == [1, 1]
    hub.cut("/config.json", after=3)
    with pytest.raises(httpx2.RemoteProtocolError):
        api.hf_hub_download(ID, "config.json", cache_dir=tmp_path / "anew")
    assert not list((tmp_path / "anew").rglob("blobs/*"))


def test_changed_bytes_go_unseen(hub, model, tmp_path):
    hub.corrupt("/cdn/.*/model.safetensors", times=1)
    folder = pull(tmp_path)
    assert read(folder)["model.safetensors"] != WEIGHTS
    assert len(api.verify_repo_checksums(ID, cache_dir=tmp_path).mismatches) == 1
    assert read(pull(tmp_path))["model.safetensors"] != WEIGHTS
    assert read(pull(tmp_path, force_download=True))["model.safetensors"] == WEIGHTS


def test_a_slow_server(hub, model):
    hub.slow("whoami", 0.2, times=1)
    start = time.perf_counter()
    api.whoami()
    assert time.perf_counter() - start > 0.2


def test_spaces(hub):
    name = "tester/accomp"
    with pytest.raises(ValueError, match="space_sdk"):
        api.create_repo(name, repo_type="space")
    api.create_repo(name, repo_type="space", space_sdk="gradio")
    assert api.get_space_runtime(name).stage == "NO_APP_FILE"
    api.upload_file(
        path_or_fileobj=b"import gradio\n", path_in_repo="app.py", repo_id=name, repo_type="space"
    )
    api.add_space_variable(name, "ACCOMP_NAMESPACE", "tester")
    api.add_space_variable(name, "OTHER", "1")
    assert api.get_space_variables(name)["ACCOMP_NAMESPACE"].value == "tester"
    assert list(api.delete_space_variable(name, "OTHER")) == ["ACCOMP_NAMESPACE"]
    assert api.request_space_hardware(name, "t4-small").hardware == "t4-small"
    info = api.space_info(name)
    assert (info.runtime.stage, info.sdk, info.card_data.sdk) == ("RUNNING", "gradio", "gradio")


def test_datasets(hub, tmp_path):
    api.create_repo("band/songs", repo_type="dataset")
    table = b"PAR1" + bytes(400) + b"PAR1"
    api.upload_file(
        path_or_fileobj=table,
        path_in_repo="data/train.parquet",
        repo_id="band/songs",
        repo_type="dataset",
    )
    path = api.hf_hub_download(
        "band/songs", "data/train.parquet", repo_type="dataset", cache_dir=tmp_path
    )
    assert (
        Path(path).read_bytes() == table
        and hub.count("/cdn/.*/datasets/band/songs/data/train.parquet") == 1
    )


def test_cards_are_checked(hub, model):
    assert ModelCard.load(ID, token="hf_tester").data.license == "mit"
    ModelCard(CARD).validate()
    with pytest.raises(ValueError, match='"license" must be one of'):
        ModelCard(CARD.replace("mit", "my-own")).validate()
    for repo_type in ("dataset", "space"):
        api.create_repo(
            ID, repo_type=repo_type, space_sdk="gradio" if repo_type == "space" else None
        )
    results = (
        "model-index: [{name: jazz, results: [{task: {}, dataset: {type: x, name: x}}]}]\ntags"
    )
    space = "---\nsdk: gradio\ncolorFrom: blue\nemoji: 🎷\n---\n"
    for repo_type, card, message in (
        ("model", CARD.replace("mit", "my-own"), '"license" must be one of'),
        ("model", CARD.replace("[music]", "music"), '"tags" must be an array'),
        ("model", CARD.replace(": en", ": [English]"), "language"),
        ("model", CARD.replace("[music]", "[music"), "Invalid YAML"),
        ("model", CARD.replace("tags", results), r'results\[0\].task.type" is required'),
        ("dataset", "---\nsize_categories: [few]\n---\n", r'"size_categories\[0\]" must be one of'),
        ("space", space.replace("sdk: gradio", "title: X"), '"sdk" is required'),
        ("space", space.replace("blue", "brown"), "colorFrom"),
        ("space", space.replace("sdk:", f"short_description: {'a' * 61}\nsdk:"), "60 characters"),
        ("space", space.replace("🎷", "sax"), "emoji"),
    ):
        before = hub.commits(ID, repo_type=repo_type)
        with pytest.raises(ValueError, match=f"Invalid metadata in README.md(.|\n)*{message}"):
            api.upload_file(
                path_or_fileobj=card.encode(),
                path_in_repo="README.md",
                repo_id=ID,
                repo_type=repo_type,
            )
        assert hub.commits(ID, repo_type=repo_type) == before
    api.upload_file(
        path_or_fileobj=space.encode(), path_in_repo="README.md", repo_id=ID, repo_type="space"
    )
    with pytest.warns(UserWarning, match="empty or missing"):
        api.upload_file(path_or_fileobj=b"# Jazz", path_in_repo="README.md", repo_id=ID)
