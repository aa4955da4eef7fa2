"""The lock files hold what is asked for, exactly and with hashes."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
ASKED = {"space": ["requirements.txt"], "dev": ["requirements.txt", "requirements-dev.txt"]}


def locked(name: str) -> dict[str, tuple[str, int]]:
    """By package its version, and how many hashes there are of its files."""
    text = (ROOT / "locks" / f"{name}.txt").read_text()
    found = {}
    for block in re.split(r"\n(?=[a-zA-Z0-9])", text):
        pinned = re.match(r"([\w.-]+)(?:\[[^]]*\])?==([^\s;\\]+)", block)
        if pinned:
            hashes = len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block))
            found[canonicalize_name(pinned[1])] = (pinned[2], hashes)
    return found


@pytest.mark.parametrize("name", ASKED)
def test_a_lock_file_holds_what_is_asked_for(name):
    versions = locked(name)
    for file in ASKED[name]:
        for line in (ROOT / file).read_text().splitlines():
            if line.split("#")[0].strip():
                asked = Requirement(line.split("#")[0])
                version, _ = versions[canonicalize_name(asked.name)]
                assert asked.specifier.contains(version), (line, version)


@pytest.mark.parametrize("name", ASKED)
def test_every_package_has_hashes_and_nothing_else_is_installed(name):
    assert all(hashes for _, hashes in locked(name).values())
    for line in (ROOT / "locks" / f"{name}.txt").read_text().splitlines():
        assert re.match(r"#|    (#|--hash=sha256:[0-9a-f]{64})|[a-zA-Z0-9._-]+(\[|==)", line), line


def test_development_has_the_very_packages_of_the_space():
    space, dev = locked("space"), locked("dev")
    assert {name: dev[name][0] for name in space} == {name: pin[0] for name, pin in space.items()}
