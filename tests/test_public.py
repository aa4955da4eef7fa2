"""The public names of the package."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import accomp
from accomp import extras
from accomp.errors import AudioUnavailable, MusicError


def test_every_public_name_is_there():
    assert sorted(accomp.__all__) == sorted([*accomp._HOME_OF, "__version__"])
    for name in accomp.__all__:
        assert getattr(accomp, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = accomp.nothing


def test_type_checkers_find_the_names_where_they_are():
    tree = ast.parse(Path(accomp.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    found = {each.module: [name.name for name in each.names] for each in block.body}
    assert found == accomp._HOMES


def test_importing_the_package_is_quick():
    """Without torch, which takes seconds."""
    code = "import accomp, sys; print({'torch', 'numpy', 'scipy'} & sys.modules.keys() or 'none')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "none"


@pytest.mark.parametrize("name, error", [("listen", MusicError), ("sound", AudioUnavailable)])
def test_a_missing_package_is_told_with_the_extra_that_has_it(name, error):
    expected = rf"install no-such-package \(the extra accomp\[{name}\]"
    with pytest.raises(error, match=expected) as caught, extras.extra(name):
        import no_such_package  # noqa: F401
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)
