"""What all tests share: markers that tell fast tests from slow ones, and a stand-in for the Hub.

The client of the Hugging Face Hub reads its settings when it is imported, so they are set here:
no test reaches the real Hub. Each worker of pytest-xdist has a stand-in and a cache of its own.
"""

import gc
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests.support.hub import Hub

gc.disable()  # while all is imported, see pytest_collection_finish
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers share the cores, each takes one
    # Gradio looks for a free port from here on; two workers would find the same.
    os.environ["GRADIO_SERVER_PORT"] = str(8000 + 100 * int(worker.removeprefix("gw")))

STAND_IN = Hub()  # holds its ports; refuses connections until the fixture `hub` starts it
CACHE = tempfile.TemporaryDirectory(prefix="accomp-test-hub-")
for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "ACCOMP_NAMESPACE", "HF_HUB_OFFLINE"):
    os.environ.pop(name, None)
os.environ |= {
    "HF_ENDPOINT": STAND_IN.url,
    "HF_HOME": CACHE.name,
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}

import pytest  # noqa: E402

STAND_IN.add_account("hf_tester", "tester", orgs=("band",))
STAND_IN.add_account("hf_reader", "tester", role="read")
STAND_IN.add_account("hf_other", "other")

TESTS = Path(__file__).parent
SLOW = ("browser", "process", "train", "sound")  # in the order in which they are begun
BY_FIXTURE = {"chromium": "browser", "server": "process"}  # the first that a test uses


def _names_alone(config: pytest.Config, option: str) -> bool:
    """Tell whether files or folders were named, and `option` was not given with them."""
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    return named and not any(str(word).startswith(option) for word in config.invocation_params.args)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Run named files and folders in this process, where prints and debuggers work."""
    return 0 if _names_alone(config, "-n") else None


def pytest_configure(config: pytest.Config) -> None:
    """Run all tests of named files and folders; `-m fast` is for a bare `pytest`."""
    if _names_alone(config, "-m") and not hasattr(config, "workerinput"):
        config.option.markexpr = ""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the folders without fast tests where only those are wanted: imports take long."""
    alone = config.option.markexpr == "fast"
    return True if alone and collection_path in (TESTS / "train", TESTS / "page" / "web") else None


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder and their fixtures, and put the slowest kind first.

    With pytest-xdist (`--dist loadfile`) a file stays on one worker, where its fixtures are made
    once, and the slowest files are begun first.
    """
    for item in items:
        used = [name for name in BY_FIXTURE if name in getattr(item, "fixturenames", ())]
        if used:
            item.add_marker(BY_FIXTURE[used[0]])
        if item.path.is_relative_to(TESTS / "train"):
            item.add_marker("train")
        if not any(item.get_closest_marker(marker) for marker in SLOW):
            item.add_marker("fast")
        if item.get_closest_marker("sound") and not shutil.which("fluidsynth"):
            item.add_marker(pytest.mark.skip(reason="FluidSynth is not installed"))
    items.sort(key=_kind)


def pytest_collection_finish() -> None:
    """Keep what was imported out of garbage collections: a fifth of the time went there."""
    gc.freeze()
    gc.enable()


def _kind(item: pytest.Item) -> int:
    """Return the place of a test's first marker in SLOW; fast tests come last."""
    kinds = [place for place, marker in enumerate(SLOW) if item.get_closest_marker(marker)]
    return min(kinds, default=len(SLOW))


@pytest.fixture(scope="module")
def loaded_once():
    """Load the models of each genre once for the tests of a file."""
    from accomp import Accompanist

    with pytest.MonkeyPatch.context() as patch:
        load = staticmethod(cache(Accompanist.from_pretrained))
        patch.setattr(Accompanist, "from_pretrained", load)
        yield


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """The stand-in, serving, with nothing on it yet; its client has an empty cache."""
    from huggingface_hub import constants

    STAND_IN.reset()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    STAND_IN.start()
    yield STAND_IN
    STAND_IN.stop()
    assert not STAND_IN.errors, STAND_IN.errors[0]
