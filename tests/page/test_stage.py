"""The script of the list of takes has types that hold."""

import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "page"
TSC = PAGE / "player" / "node_modules" / ".bin" / "tsc"


@pytest.mark.process
@pytest.mark.skipif(not TSC.is_file(), reason="typescript is not installed: npm ci in page/player")
def test_types_hold():
    told = subprocess.run([TSC, "-p", PAGE / "stage"], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout
