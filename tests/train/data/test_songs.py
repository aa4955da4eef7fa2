import pytest

from train.data.songs import list_songs

TABLE = "file,genre,licence\na.mid,jazz,CC0\nb.mid,pop,\n"


@pytest.fixture
def folder(tmp_path):
    for name in ("a.mid", "b.mid"):
        (tmp_path / name).write_bytes(b"MThd")
    return tmp_path


def listed(folder, content: bytes) -> list[dict]:
    (folder / "labels.csv").write_bytes(content)
    return list_songs(folder, folder / "labels.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-with-mark"])
@pytest.mark.parametrize("delimiter, end", [(",", "\n"), (";", "\r\n"), ("\t", "\n")])
def test_labels_as_spreadsheets_write_them(folder, encoding, delimiter, end):
    text = TABLE.replace(",", delimiter).replace("\n", end)
    mark = encoding.endswith("-with-mark")
    data = ("\ufeff" * mark + text).encode(encoding.removesuffix("-with-mark"))
    assert listed(folder, data) == [
        {"file": "a.mid", "genre": "jazz", "licence": "CC0"},
        {"file": "b.mid", "genre": "pop"},
    ]


@pytest.mark.parametrize(
    "content, words",
    [
        (b"name,style\na.mid,jazz\n", "has the columns name, style; needed: file, genre"),
        (b"", "has the columns none"),
        (TABLE.replace("b.mid", "c.mid").encode(), "names 1 of 2 files that are not in .*c.mid"),
        (TABLE.replace("pop", "").encode(), "line 3 of labels.csv has no genre"),
        (b"file,genre\n\xe4.mid,pop\n", "no known encoding"),
        (b"PK\3\4\0\0\0\0", "is no text"),
    ],
)
def test_what_is_wrong_with_labels_is_said(folder, content, words):
    with pytest.raises(SystemExit, match=words):
        listed(folder, content)
