"""Songs are prepared on several machines as on one, also where one of them ends in the middle."""

import os
import signal
import threading
import time

import pytest

from accomp import Note, Score, Track, write_midi
from train.data import executors, prepare

distributed = pytest.importorskip("distributed")


def songs(folder, count: int = 40) -> None:
    for number in range(count):
        tune = [Note(60 + (i * number) % 9, float(i), 1.0, 80) for i in range(320)]
        write_midi(Score([Track("Melody", notes=tune)]), folder / f"{number:03}.mid")


def content(corpus) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(corpus.iterdir())}


@pytest.mark.process
def test_the_same_corpus_comes_of_a_cluster_that_loses_a_worker(tmp_path, monkeypatch):
    source = tmp_path / "songs"
    source.mkdir()
    songs(source)
    common = [str(source), "--name", "songs"]
    prepare.main([*common, "--out", str(tmp_path / "here"), "--workers", "1"])
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with distributed.LocalCluster(dashboard_address=None, **options) as cluster:
        begun = {name: worker.pid for name, worker in cluster.workers.items()}
        killed = []

        def kill_one():
            time.sleep(0.5)
            killed.append(next(iter(begun.values())))
            os.kill(killed[0], signal.SIGKILL)

        killer = threading.Thread(target=kill_one)
        killer.start()
        address = cluster.scheduler_address
        prepare.main([*common, "--out", str(tmp_path / "there"), "--scheduler", address])
        killer.join()
    assert killed
    assert content(tmp_path / "there") == content(tmp_path / "here")


def test_no_scheduler_is_said():
    with (
        pytest.raises(SystemExit, match="no scheduler answers at tcp://127.0.0.1:9"),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(distributed, "Client", _fails)
        with executors.executor(scheduler="tcp://127.0.0.1:9"):
            pass


def _fails(*_, **__):
    raise OSError("timed out")
