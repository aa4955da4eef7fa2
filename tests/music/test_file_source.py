import io

import pytest

from accomp import MusicError
from accomp.music.file_source import read_source


def test_a_path_bytes_and_a_file_object_are_read_alike(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(b"12345")
    for source in (path, str(path), b"12345", bytearray(b"12345"), io.BytesIO(b"12345")):
        assert read_source(source, 3, "accepted: digits") == b"123"
    with path.open("rb") as file:
        assert read_source(file, 99, "accepted: digits") == b"12345"


def closed() -> io.BytesIO:
    file = io.BytesIO(b"1")
    file.close()
    return file


@pytest.mark.parametrize(
    "source, message",
    [
        ("none", "none does not exist; accepted: digits"),
        (".", r"\. is not a file; accepted: digits"),
        ("a\0b", "accepted: digits"),
        (io.StringIO("1"), "opened as text"),
        (closed(), "cannot be read .*accepted: digits"),
        (7, "a int was given"),
        (None, "a NoneType was given"),
    ],
)
def test_refusals_name_what_is_accepted(source, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MusicError, match=message):
        read_source(source, 9, "accepted: digits")
