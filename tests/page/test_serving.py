"""The page as a server: its line, its uploads, its health, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import gradio as gr
import pytest
from gradio_client import Client, handle_file

from accomp import genres
from page import files, serving
from page.limits import LIMITS
from tests.support.server import Server
from tests.support.server import serving as page_of_its_own

EXAMPLE = sorted((Path(__file__).parents[2] / "examples").glob("*.mid"))[0]
GERMAN = {"accept-language": "de", "user-agent": "Mozilla/5.0", "content-type": "application/json"}


@pytest.fixture
def demo(monkeypatch):
    """A page with one event, whose line has no place."""
    monkeypatch.setattr(serving, "LIMITS", replace(LIMITS, line=0, uploads=2, upload_bytes=1000))
    with gr.Blocks() as demo:
        button, box = gr.Button(), gr.Textbox()
        button.click(lambda: "done", None, box, api_name="make", concurrency_id=serving.MUSIC)
        button.click(lambda: "quick", None, box, api_name="look")
    monkeypatch.setattr(files, "uploads", lambda: Path(os.environ["GRADIO_TEMP_DIR"]))
    demo.launch(prevent_thread_lock=True, quiet=True, **serving.launching(demo))
    yield demo
    demo.close()


def asked(address: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    try:
        with urlopen(Request(address, body, headers)) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.process
def test_who_comes_when_the_line_is_full_is_told(demo, monkeypatch):
    client = Client(demo.local_url, verbose=False)
    with pytest.raises(Exception, match="Queue is full"):
        client.predict(api_name="/make")
    assert client.predict(api_name="/look") == "quick"
    body = json.dumps({"data": [], "fn_index": 0, "session_hash": "x"}).encode()
    status, words = asked(f"{demo.local_url}gradio_api/queue/join", body, **GERMAN)
    assert status == 400 and "0 andere warten gerade auf Musik" in words
    status, words = asked(f"{demo.local_url}health")
    assert status == 503 and json.loads(words) == {"well": False, "waiting": 0}
    monkeypatch.setattr(serving, "LIMITS", LIMITS)
    assert client.predict(api_name="/make") == "done"
    assert asked(f"{demo.local_url}health")[0] == 200


@pytest.mark.process
def test_uploads_have_a_number_and_a_size(demo, monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(serving, "LIMITS", replace(serving.LIMITS, moment=0.0))
    address = f"{demo.local_url}gradio_api/upload"

    def upload(size: int) -> tuple[int, str]:
        part = b'--b\r\ncontent-disposition: form-data; name="files"; filename="%d"\r\n\r\n' % size
        kind = {"content-type": "multipart/form-data; boundary=b"}
        return asked(address, part + bytes(size) + b"\r\n--b--\r\n", **kind)

    assert upload(500)[0] == 200
    status, words = upload(20_000)
    assert status == 413 and "larger than" in words
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_bytes(b"x")
    status, words = upload(501)
    assert status == 507 and "in an hour" in words


def test_what_uploads_that_broke_off_left_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "uploads", lambda: tmp_path)
    for name, age in (("old", LIMITS.broken_off + 1), ("new", 0)):
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (time.time() - age, time.time() - age))
    (tmp_path / "whole").mkdir()
    serving._remove_broken_off()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["new", "whole"]


@pytest.mark.process
def test_it_ends_in_order_and_clears_up_after_one_that_was_killed(tmp_path):
    with page_of_its_own(TMPDIR=str(tmp_path)) as server:
        assert json.loads(urlopen(f"{server.url}health").read())["well"]
        (folder,) = server.folder.glob("accomp-page-*")
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(20)
        assert folder.is_dir()  # nobody could tidy up
        killed = server.folder
        moved = tmp_path / "files"
        killed.rename(moved)
        with page_of_its_own(GRADIO_TEMP_DIR=str(moved)) as second:
            (own,) = moved.glob("accomp-page-*")
            assert own.name != folder.name
            begun = time.monotonic()
            second.process.send_signal(signal.SIGTERM)
            assert second.process.wait(30) == 0 and time.monotonic() - begun < 20
            assert not list(moved.glob("accomp-page-*"))
            assert "Traceback" not in second.log.read_text()


@pytest.mark.process
@pytest.mark.skipif(not genres(), reason="no models are there")
@pytest.mark.skipif(sys.platform != "linux", reason="the stand-in is a shell script")
def test_it_leaves_no_file_of_sound_that_is_being_made(tmp_path):
    kept, temporary = tmp_path / "kept", tmp_path / "temporary"
    synth = tmp_path / "fluidsynth"  # one that is never done
    synth.write_text(
        '#!/bin/sh\nwhile [ "$1" != -F ]; do shift; done\nhead -c 9999 /dev/zero > "$2"; sleep 60\n'
    )
    synth.chmod(0o755)
    for folder in (kept, temporary):
        folder.mkdir()
    variables = {
        "GRADIO_TEMP_DIR": str(kept),
        "TMPDIR": str(temporary),
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
    }

    def files_of_all() -> list[Path]:
        found = [*kept.rglob("*"), *temporary.rglob("*")]
        return [path for path in found if path.is_file() and path.name != files.LOCK]

    def make_sound(server: Server, ending: signal.Signals) -> None:
        """Let the page make sound, and end it meanwhile."""
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(
                Client(server.url, verbose=False, download_files=tmp_path).predict,
                *(handle_file(EXAMPLE), genres()[0]),
                api_name="/accompany",
            )
            while not any(path.suffix == ".wav" for path in files_of_all()):
                assert not asked.done(), asked.result()
                time.sleep(0.1)
            server.process.send_signal(ending)
            server.process.wait(60)
            with suppress(Exception):  # nobody answers any more
                asked.result(60)

    with page_of_its_own(**variables) as server:
        make_sound(server, signal.SIGKILL)
    assert server.process.returncode == -signal.SIGKILL and files_of_all()
    with page_of_its_own(**variables) as server:
        assert not files_of_all()
        make_sound(server, signal.SIGTERM)
        assert server.process.returncode == 0
    assert not files_of_all() and not list(kept.glob(f"{files.PREFIX}*"))


ALLOCATE = """
import ctypes, sys, threading
from page import serving
if "shared" in sys.argv:
    serving.share_memory()
libc = ctypes.CDLL("libc.so.6")
libc.malloc.restype = ctypes.c_void_p
all_there = threading.Barrier(6)
def take():
    all_there.wait()
    libc.malloc(1000)
    all_there.wait()
threads = [threading.Thread(target=take) for _ in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
file = ctypes.c_void_p.in_dll(libc, "stdout")
libc.malloc_info(0, file)
libc.fflush(file)
"""


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="for glibc's memory")
def test_threads_share_their_memory():
    def arenas(*words: str) -> int:
        command = [sys.executable, "-c", ALLOCATE, *words]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return said.count("<heap nr=")

    assert arenas("shared") <= serving.ARENAS < arenas()


def test_a_folder_in_use_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(files, "_root", None)
    first = files.own_folder()
    assert files.uploads() == first / "gradio" == Path(os.environ["GRADIO_TEMP_DIR"])
    monkeypatch.setattr(files, "_root", None)
    second = files.own_folder()
    assert first.is_dir() and second.parent == first.parent == tmp_path and second != first
    dead = tmp_path / f"{files.PREFIX}dead"
    dead.mkdir()
    (dead / files.LOCK).touch()
    files._remove_left(tmp_path)
    assert not dead.exists() and first.is_dir() and second.is_dir()


def test_a_health_address_tells_how_many_wait():
    line = SimpleNamespace(queue=[1, 2, 3])
    queue = SimpleNamespace(event_queue_per_concurrency_id={serving.MUSIC: line})
    assert serving.waiting(SimpleNamespace(_queue=queue)) == 3


KEEP = """
import ctypes, sys
from page import serving
if "shared" in sys.argv:
    serving.share_memory()
libc = ctypes.CDLL("libc.so.6")
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
libc.free(libc.malloc(16 << 20))  # from now on glibc keeps what is smaller
before = resident()
# Something small lies after each, as in a song's work, so that the heap can't shrink.
pairs = [(libc.malloc(8 << 20), libc.malloc(200_000)) for _ in range(8)]
for block, _ in pairs:
    ctypes.memset(block, 1, 8 << 20)
for block, _ in pairs:
    libc.free(block)
print(resident() - before)
"""


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="for glibc's memory")
def test_large_blocks_go_back_at_once():
    def kept(*words: str) -> int:
        command = [sys.executable, "-c", KEEP, *words]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert kept("shared") < 8 << 20 < 32 << 20 < kept()
