"""A stand-in for the Hugging Face Hub, which has to be known before its client is imported; no test reaches the real one."""

import os
import tempfile

from tests.support.hub import Hub

STAND_IN = Hub()
STAND_IN.start()
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


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """The stand-in, with nothing on it yet, whose client has an empty cache."""
    from huggingface_hub import constants

    STAND_IN.reset()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    yield STAND_IN
    assert not STAND_IN.errors, STAND_IN.errors[0]
    STAND_IN.stop()
    STAND_IN.start()
