"""Corpora become datasets and come back whole; only what may be passed on leaves."""

import re
import shutil
import time
import tracemalloc
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from huggingface_hub import DatasetCard

from accomp import write_midi
from accomp.roll.grid import TRACK_NAMES
from tests.support import scores
from train.data import dataset, licences, prepare
from train.data.corpus import NOTE, Corpus, CorpusWriter
from train.data.dataset import ShardSettings
from train.publish import push

# file, genre, split, licence, source, blocks, programs
SONGS = [
    ("a/1.mid", "pop", "val", "GPL-2.0", "a game", 3, {"guitar": 25, "bass": 33, "strings": 48}),
    ("a/2.mid", "pop", "train", "none stated", "web", 2, {"bass": 32}),
    ("b|3.mid", "jazz", "train", "BSD-3-Clause (Freedoom)", None, 1, {}),
    ("b/Größe.mid", "jazz", "test", "CC-BY-NC 4.0", "web", 2, {"strings": 0}),
    ("b/5.mid", "jazz", "train", None, None, 4, {"guitar": 0, "strings": 127}),
    ("c/6.mid", "rock", "train", "gpl-2.0", "a game", 2, {"bass": 38}),
    ("c/7.mid", "rock", "test", "Public domain", "web", 5, {"guitar": 30}),
]
FREE_SONGS = ["a/1.mid", "b|3.mid", "c/6.mid", "c/7.mid"]
CORPUS_FILES = ("songs.json", "plan.u8", "notes.bin", *(f"{name}.u8" for name in TRACK_NAMES))


@pytest.fixture(scope="module")
def corpus_folder(tmp_path_factory) -> Path:
    """A corpus of SONGS, of random blocks, plans and notes."""
    folder, random = tmp_path_factory.mktemp("corpus"), np.random.default_rng(0)
    with CorpusWriter(folder) as writer:
        for file, genre, split, licence, source, blocks, programs in SONGS:
            entry = {
                "file": file,
                "genre": genre,
                "split": split,
                "dup_group": f"group {file[0]}",
                "licence": licence,
            }
            entry |= {"source": source, "programs": programs, "even": round(random.random(), 3)}
            packed = [random.integers(0, 256, (blocks, 2, 32, 16), np.uint8) for _ in TRACK_NAMES]
            notes = np.frombuffer(random.bytes(NOTE.itemsize * 7 * blocks), NOTE).copy()
            plan = random.integers(0, 24, (blocks, 4))
            writer.append(
                {key: value for key, value in entry.items() if value is not None},
                packed,
                plan,
                notes,
            )
    writer.finish("seven songs", [])
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """Where `datasets` keeps what nobody asked it to keep; not there before it does."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def exported(corpus_folder, tmp_path) -> Path:
    """The dataset of the free songs."""
    dataset.export(Corpus.load(corpus_folder), tmp_path / "dataset")
    return tmp_path / "dataset"


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def change(file: Path, column: str, value, type=None) -> None:
    """Set a column of the first row of a Parquet file."""
    table = pq.read_table(file)
    values = [value, *table[column].to_pylist()[1:]]
    index = table.column_names.index(column)
    pq.write_table(
        table.set_column(index, column, pa.array(values, type or table[column].type)), file
    )


@pytest.mark.parametrize("shard_songs", [1, 256])
def test_export_and_prepare_undo_each_other(corpus_folder, tmp_path, cache, shard_songs):
    corpus, shards = Corpus.load(corpus_folder), ShardSettings(songs=shard_songs)
    assert dataset.export(corpus, tmp_path / "dataset", licences="", shards=shards) == 7
    prepare.main(
        [str(tmp_path / "dataset"), "--out", str(tmp_path / "back"), "--name", "seven songs"]
    )
    for name in CORPUS_FILES:
        assert (tmp_path / "back" / name).read_bytes() == (corpus_folder / name).read_bytes(), name
    assert not cache.exists()


def test_only_free_songs_leave_and_they_stay_what_they_are(corpus_folder, exported, tmp_path):
    prepare.main([str(exported), "--out", str(tmp_path / "back")])
    before, after = Corpus.load(corpus_folder), Corpus.load(tmp_path / "back")
    assert after.name == "dataset" and [song["file"] for song in after.songs] == FREE_SONGS
    assert all(
        text not in contents
        for contents in bytes_of(exported).values()
        for text in (b"Gr\xc3\xb6\xc3\x9fe", b"b/5.mid")
    )
    for number, song in enumerate(after.songs):
        old_number = next(i for i, old in enumerate(before.songs) if old["file"] == song["file"])
        old = before.songs[old_number]
        assert {**song, "first": 0} == {**old, "first": 0}
        index, old_index = after.block_index([number]), before.block_index([old_number])
        assert (after.plan[index] == before.plan[old_index]).all()
        for track in range(len(TRACK_NAMES)):
            assert (after.packed[track][index] == before.packed[track][old_index]).all()
        notes, old_notes = after.notes_of(number), before.notes_of(old_number)
        assert len(notes) == 7 * song["blocks"]
        assert all(
            notes[name].tobytes() == old_notes[name].tobytes() for name in dataset.PLAYED.names
        )


def test_licences_that_allow_passing_on():
    free = """CC0|cc0-1.0|CC0 1.0 Universal|CC-BY|CC BY 4.0|CC-BY-4.0|cc-by-sa
        CC BY-SA 3.0 Unported|public domain|Public Domain Mark 1.0|MIT|MIT License
        BSD-3-Clause (Freedoom)|BSD 2-clause|Apache-2.0|Apache License, Version 2.0|GPL-2.0
        GPL v3|GPLv2|GPL-3.0-or-later|GPL-3.0+|LGPL-2.1-only
        GNU General Public License version 2 or later|public domain (Nottingham)
        Creative Commons Attribution-ShareAlike 4.0 International"""
    bound = """|none stated|none stated for the MIDI content
        repo says CC-BY-NC-SA; songs are third-party|CC-BY-NC|CC BY-NC-SA 4.0|CC-BY-ND
        CC BY-ND 4.0|cc-by-nc-nd-4.0|CC BY (NC)|MIT; songs are third-party|MIT (code)
        no licence; code is MIT|not CC0|Creative Commons Attribution-NonCommercial 4.0
        Creative Commons Attribution-NoDerivatives|public domain compositions
        GPL-2.0 (but the songs are not)|CC-BY 4.0 (non-commercial)|non-free
        free for personal use|permitted|Mitchell|unknown|CC-BYNC|CC|all rights reserved
        CC-BY 4.0 (personal use)|Public domain (composition)"""
    for licence in re.split(r"\||\n *", free):
        assert re.search(licences.FREE, licence, re.IGNORECASE), licence
    for licence in [*re.split(r"\||\n *", bound), "MIT\n(non-commercial)"]:
        assert not re.search(licences.FREE, licence, re.IGNORECASE), licence


def test_hub_licences():
    names = {
        "GPL-2.0": "gpl-2.0",
        "BSD-3-Clause (Freedoom)": "bsd-3-clause",
        "CC0": "cc0-1.0",
        "CC BY-SA 4.0": "cc-by-sa-4.0",
    }
    names |= {
        "MIT License": "mit",
        "Apache License 2.0": "apache-2.0",
        "GPL-3.0-or-later": "gpl-3.0",
        "Public domain": "other",
    }
    assert {licence: licences.hub_licence(licence) for licence in names} == names


def test_no_song_to_pass_on(corpus_folder, tmp_path):
    corpus = Corpus.load(corpus_folder)
    with pytest.raises(
        SystemExit,
        match=r"found: 2 with 'none stated', 1 with 'GPL-2.0', .*accepted: what matches '\^WTFPL'",
    ):
        dataset.export(corpus, tmp_path / "out", "^WTFPL")
    corpus.songs = [song for song in corpus.songs if "NC" in song.get("licence", "")]
    with pytest.raises(
        SystemExit,
        match="none of 1 songs .* found: 1 with 'CC-BY-NC 4.0'; accepted: CC0, CC-BY, CC-BY-SA",
    ):
        dataset.export(corpus, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_same_corpus_gives_the_same_bytes(corpus_folder, exported):
    first = bytes_of(exported)
    expected = {f"data/{split}-00000-of-00001.parquet" for split in ("train", "validation", "test")}
    assert first.keys() == {"README.md"} | expected
    dataset.export(Corpus.load(corpus_folder), exported, shards=ShardSettings(songs=1))
    assert "data/train-00001-of-00002.parquet" in bytes_of(exported)
    dataset.export(Corpus.load(corpus_folder), exported)  # over one of more shards
    assert bytes_of(exported) == first


def test_the_card_is_one(exported, tmp_path):
    found = DatasetCard.load(exported / "README.md")
    data = found.data.to_dict()
    assert (
        data["license"] == ["bsd-3-clause", "gpl-2.0", "other"]
        and data["license_name"] == "public-domain"
    )
    assert data["tags"] == ["music", "midi", "symbolic-music"] and data["size_categories"] == [
        "n<1K"
    ]
    assert [files["split"] for files in data["configs"][0]["data_files"]] == [
        "train",
        "validation",
        "test",
    ]
    assert data["pretty_name"] == "accomp blocks: seven songs"
    rows = [
        "train | 2 | 3",
        "rock | 2 | 7",
        "a game | 2 | 5",
        "not stated | 1 | 1",
        "GPL-2.0 | 1 | 3",
        "gpl-2.0 | 1 | 2",
    ]
    assert {f"| {row} |" for row in [*rows, "BSD-3-Clause (Freedoom) | 1 | 1"]} <= set(
        found.text.splitlines()
    )
    assert (
        "4 multi-track songs as 11 blocks" in found.text
        and "These are 4 of the corpus's 7 songs" in found.text
    )
    assert "{" not in re.sub(r"```.*?```", "", found.text, flags=re.DOTALL)  # every field is filled
    # The library reads splits, features and sizes from the card, and finds them in the files.
    loaded = datasets.load_dataset(str(exported), cache_dir=str(tmp_path / "loaded"))
    assert {split: rows.num_rows for split, rows in loaded.items()} == {
        "train": 2,
        "validation": 1,
        "test": 1,
    }
    assert (
        loaded["validation"].features == dataset.COLUMNS
        and loaded["validation"][0]["programs"]["drums"] is None
    )


def test_card_of_one_licence_and_of_odd_names(corpus_folder, tmp_path):
    corpus = Corpus.load(corpus_folder)
    dataset.export(corpus, tmp_path, "GPL")
    assert DatasetCard.load(tmp_path / "README.md").data.license == "gpl-2.0"
    for song in corpus.songs:
        song["licence"], song["genre"] = "Public domain", "a|b <i>\n{c}"
    corpus.name = ""
    dataset.export(corpus, tmp_path)
    found = DatasetCard.load(tmp_path / "README.md")
    assert found.data.license == "other" and found.data.to_dict()["license_name"] == "public-domain"
    assert (
        r"| a\|b \<i\> {c} | 7 | 19 |" in found.text
        and "These are 7 of the corpus's 7 songs" in found.text
    )
    assert found.data.pretty_name == "accomp blocks"


def test_the_cards_snippet_runs(corpus_folder, exported, monkeypatch, capsys):
    monkeypatch.chdir(exported)
    snippet = re.search(r"```python\n(.*?)```", Path("README.md").read_text(), re.DOTALL)[1]
    names: dict = {}
    exec(snippet, names)  # what the card shows
    corpus = Corpus.load(corpus_folder)
    own = corpus.block_index([2])  # the first free song to train on
    bass = corpus.blocks(TRACK_NAMES.index("bass"), own).numpy()
    assert (names["roll"] == bass[:, 1].reshape(-1, 128)).all() and (
        names["onset"] == bass[:, 0].reshape(-1, 128)
    ).all()
    assert (names["plan"] == corpus.plan[own].numpy().ravel()).all()
    assert (names["notes"]["step"] == corpus.notes_of(2)["step"]).all()
    assert capsys.readouterr().out.startswith("b|3.mid (32, 128)")


def test_rows_come_before_the_next_shard_is_read(corpus_folder, tmp_path):
    shards = ShardSettings(songs=2)
    dataset.export(Corpus.load(corpus_folder), tmp_path, licences="", shards=shards)
    (tmp_path / "data" / "train-00001-of-00002.parquet").write_bytes(b"no Parquet")
    songs = dataset.read(tmp_path)
    assert [next(songs)[0]["file"] for _ in range(3)] == [song[0] for song in SONGS[:3]]
    with pytest.raises(
        SystemExit, match="a Parquet file is damaged, or of another kind .*ArrowInvalid"
    ):
        list(songs)


def test_neither_direction_holds_all_songs(tmp_path):
    """A corpus of 26 MB of blocks that can't be compressed, in shards of 4 MB."""
    blocks, held = 48, []

    def look() -> None:
        held.append(tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes())

    class RandomBlocks:
        """Made when they are asked for."""

        def __getitem__(self, own: slice) -> np.ndarray:
            look()
            return np.random.default_rng(own.start).integers(
                0, 256, (own.stop - own.start, 2, 32, 16), np.uint8
            )

    songs = [
        {
            "file": f"{i}",
            "genre": "pop",
            "split": "train",
            "dup_group": f"{i}",
            "licence": "MIT",
            "programs": {},
            "even": 1.0,
        }
        | {"first": i * blocks, "blocks": blocks}
        for i in range(104)
    ]
    plan = np.zeros((104 * blocks, 4), np.int64)
    corpus = Corpus(
        songs, torch.from_numpy(plan), np.zeros(0, NOTE), [RandomBlocks() for _ in TRACK_NAMES]
    )
    tracemalloc.start()
    try:
        look()
        dataset.export(corpus, tmp_path, shards=ShardSettings(songs=16, group=4))
        assert len(held) == 1 + 104 * 5 and max(held) - held[0] < 8e6
        held.clear()
        look()
        count = 0
        for _, packed, _, _ in dataset.read(tmp_path):
            look()
            count += sum(track.nbytes for track in packed)
        assert count > 25e6 and max(held) - held[0] < 12e6
    finally:
        tracemalloc.stop()


def test_what_is_no_dataset_of_blocks(corpus_folder, exported, tmp_path):
    train = exported / "data" / "train-00000-of-00001.parquet"
    whole = train.read_bytes()
    pq.write_table(pq.read_table(train).drop(["notes", "plan"]), train)
    with pytest.raises(
        SystemExit, match="is no dataset of blocks: it lacks the columns plan, notes"
    ):
        dataset.read(exported)
    for wrong, words in ((b"", "0 bytes"), (b"no Parquet", "too|magic|footer")):
        train.write_bytes(wrong)
        with pytest.raises(
            SystemExit, match=f"a Parquet file is damaged, or of another kind .*({words})"
        ):
            dataset.read(exported)
    train.write_bytes(whole)
    change(train, "song", None)
    with pytest.raises(SystemExit, match=r"b\|3.mid in train has no song"):
        list(dataset.read(exported))
    train.rename(train.with_name("everything.parquet"))
    with pytest.raises(
        SystemExit, match="it has everything, test, validation; expected: data/<split>-"
    ):
        dataset.read(exported)
    with pytest.raises(SystemExit, match="it has no Parquet files"):
        dataset.read(corpus_folder)


@pytest.mark.parametrize(
    "column, value, words",
    [
        ("plan", b"123", "plan has 3 bytes; 1 blocks have 4"),
        ("bass", b"", "bass has 0 bytes; 1 blocks have 1024"),
        ("notes", b"1234567890", "notes has 10 bytes; a note has 11"),
        ("blocks", -1, "plan has 4 bytes; -1 blocks have -4"),
    ],
)
def test_rows_of_wrong_lengths(exported, column, value, words):
    change(exported / "data" / "train-00000-of-00001.parquet", column, value)
    with pytest.raises(SystemExit, match=rf"b\|3.mid: {words}"):
        list(dataset.read(exported))


def test_files_that_other_tools_wrote(exported, tmp_path):
    songs = list(dataset.read(exported))
    larger = {
        pa.string(): pa.large_string(),
        pa.binary(): pa.large_binary(),
        pa.int32(): pa.int64(),
    }
    for path in (exported / "data").iterdir():  # larger types, another order, a further column
        table = pq.read_table(path)
        table = table.cast(
            pa.schema([(field.name, larger.get(field.type, field.type)) for field in table.schema])
        )
        table = table.append_column("more", pa.array([1] * len(table)))
        pq.write_table(table.select(table.column_names[::-1]), path)
    again = list(dataset.read(exported / "data"))  # the folder of the files does, too
    assert [entry for entry, *_ in again] == [entry for entry, *_ in songs]
    for (_, *old), (_, *new) in zip(songs, again):
        assert [array.tobytes() for array in (*old[0], *old[1:])] == [
            array.tobytes() for array in (*new[0], *new[1:])
        ]


def test_to_the_hub_and_back(corpus_folder, hub, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", "hf_tester")
    monkeypatch.setattr(
        time, "sleep", lambda seconds: None
    )  # the client waits between its attempts
    command = ["--dataset", "tester/accomp-blocks", "--corpus", str(corpus_folder)]
    push.main([*command, "--revision", "v1"])
    sent, commits = hub.uploaded, len(hub.commits("tester/accomp-blocks", repo_type="dataset"))
    push.main(command)
    assert (
        hub.uploaded == sent
        and len(hub.commits("tester/accomp-blocks", repo_type="dataset")) == commits
    )
    DatasetCard.load("tester/accomp-blocks").validate()

    prepare.main(["tester/accomp-blocks", "--out", str(tmp_path / "one")])
    hub.stop()
    prepare.main(
        ["tester/accomp-blocks", "--out", str(tmp_path / "two"), "--exclude-licence", "(?i)gpl"]
    )
    hub.start()
    one, two = Corpus.load(tmp_path / "one"), Corpus.load(tmp_path / "two")
    assert (
        one.name == two.name == "tester/accomp-blocks"
        and [song["file"] for song in one.songs] == FREE_SONGS
    )
    assert [(song["file"], song["first"]) for song in two.songs] == [("b|3.mid", 0), ("c/7.mid", 1)]
    assert len(two.notes_of(1)) == 35 and len(two.plan) == 6
    prepare.main(["tester/accomp-blocks@v1", "--out", str(tmp_path / "three")])
    assert Corpus.load(tmp_path / "three").songs == one.songs

    def refused(message, source, *further):
        with pytest.raises(SystemExit, match=message):
            prepare.main([source, "--out", str(tmp_path / "one"), *further])
        assert Corpus.load(tmp_path / "one").songs == one.songs  # nothing was begun

    refused("has no revision 'v2'", "tester/accomp-blocks@v2")
    refused("'tester/other' is neither a folder nor a repository .*hf auth login", "tester/other")
    hub.fail("tester/other", status=403, code="GatedRepo")
    refused("does not let you in .*ask for access", "tester/other")
    hub.stop()
    refused("not in the cache; try again later", "tester/other2")
    with pytest.raises(SystemExit, match="no song is left; --exclude-licence leaves out all"):
        prepare.main(
            ["tester/accomp-blocks", "--out", str(tmp_path / "three"), "--exclude-licence", "."]
        )


def test_what_a_dataset_has_already_is_not_given_to_it(exported, tmp_path):
    (tmp_path / "labels.csv").write_text("file,genre\n")
    for further in (["--labels", str(tmp_path / "labels.csv")], ["--chord-markers"]):
        with pytest.raises(
            SystemExit,
            match="is a dataset of blocks: its songs have their labels and chords already",
        ):
            prepare.main([str(exported), "--out", str(tmp_path / "out"), *further])
    assert not (tmp_path / "out").exists()


def test_what_is_read_as_a_dataset(exported, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my/songs").mkdir(parents=True)
    assert dataset.is_dataset(str(exported)) and dataset.is_dataset(str(exported / "data"))
    assert dataset.is_dataset("me/songs") and dataset.is_dataset("me/accomp-blocks@refs/pr/1")
    for source in (
        "my/songs",
        "songs",
        "./me/songs",
        "../songs",
        "/me/songs",
        "me/my/songs",
        "me/songs@",
    ):
        assert not dataset.is_dataset(source), source
    with pytest.raises(SystemExit, match="songs: no song found; accepted: .mid.*NAME/REPOSITORY"):
        prepare.main(["songs", "--out", "out"])


def test_half_a_corpus_is_none(corpus_folder, exported, tmp_path):
    shutil.copytree(corpus_folder, tmp_path / "out")
    change(exported / "data" / "train-00000-of-00001.parquet", "plan", b"")
    with pytest.raises(SystemExit, match="plan has 0 bytes"):
        prepare.main([str(exported), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match="make it with python -m train prepare"):
        Corpus.load(tmp_path / "out")


def test_prepare_keeps_collections_and_the_corpus_its_name(tmp_path):
    for number in range(2):
        write_midi(
            scores.song(("Drums", "Bass", "Chords", "Melody"), shift=number),
            tmp_path / f"{number}.mid",
        )
    (tmp_path / "labels.csv").write_text(
        "file,genre,source,tier\n0.mid,folk,a game,A\n1.mid,folk,,B\n"
    )
    arguments = [
        str(tmp_path),
        "--labels",
        str(tmp_path / "labels.csv"),
        "--workers",
        "1",
        "--out",
        str(tmp_path / "out"),
    ]
    prepare.main(arguments)
    corpus = Corpus.load(tmp_path / "out")
    assert corpus.name == tmp_path.name and [song.get("source") for song in corpus.songs] == [
        "a game",
        None,
    ]
    assert "tier" not in corpus.songs[0] and "bars" not in corpus.songs[0]
    prepare.main([*arguments, "--name", "mine"])
    assert Corpus.load(tmp_path / "out").name == "mine"
    songs_file = tmp_path / "out" / "songs.json"
    songs_file.write_text(songs_file.read_text().replace('"name": "mine",', ""))
    assert Corpus.load(tmp_path / "out").name == ""  # as older ones have it
