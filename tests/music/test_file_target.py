import os

import pytest

from accomp.music.file_target import written


def test_a_file_is_there_whole_or_as_it_was(tmp_path):
    path = tmp_path / "song.mid"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), written(path) as beside:
        beside.write_text("half")
        assert path.read_text() == "old"
        raise OSError("the disk is full")
    assert path.read_text() == "old"
    with written(path) as beside:
        assert beside.suffix == ".mid" and beside.parent == path.parent
        beside.write_text("new")
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_links_and_pipes_stay(tmp_path):
    link = tmp_path / "link.mid"
    link.symlink_to(tmp_path / "song.mid")
    with written(link) as beside:
        beside.write_text("new")
    assert link.is_symlink() and (tmp_path / "song.mid").read_text() == "new"
    with written(os.devnull) as place:
        assert str(place) == os.devnull


def test_nothing_is_left_where_nothing_was_written(tmp_path):
    with pytest.raises(FileNotFoundError), written(tmp_path / "song.mid"):
        pass
    assert not list(tmp_path.iterdir())
