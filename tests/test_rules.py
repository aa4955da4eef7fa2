"""The rules for all code that tools check: which folder may import which, and form."""

import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT_IMPORTS = """
import sys
from importlinter.cli import lint_imports
sys.exit(lint_imports(no_cache=True, no_logo=True))
"""


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_imports_keep_to_the_layers():
    """The contracts of .importlinter. In a process, since import-linter sets up logging anew."""
    pytest.importorskip("importlinter", reason="import-linter is not installed")
    done = run("-c", LINT_IMPORTS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_files_import_each_other_in_a_circle():
    """Imports for type hints count, too."""
    grimp = pytest.importorskip("grimp", reason="import-linter is not installed")
    graph = grimp.build_graph("accomp", "page", "train", cache_dir=None)
    imports = {file: graph.find_modules_directly_imported_by(file) for file in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the files


@pytest.mark.parametrize("command", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff_is_content(command):
    """The rules of pyproject.toml, over all that is Python here."""
    pytest.importorskip("ruff", reason="ruff is not installed")
    done = run("-m", "ruff", *command, "--no-cache", ".")
    assert done.returncode == 0, done.stdout + done.stderr
