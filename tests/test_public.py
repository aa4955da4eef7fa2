"""The public names of the package."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import accomp
from accomp import extras
from accomp.errors import AudioUnavailable, MusicError
from tests.support.sounds import encoded, tone

ROOT = Path(__file__).parents[1]


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


WITHOUT_EXTRAS = """
import sys
extras = "av swift_f0 soundfile pyloudnorm pretty_midi midi2audio matplotlib gradio onnxruntime"
sys.modules |= dict.fromkeys(extras.split())
import importlib, pkgutil
import accomp
for module in pkgutil.walk_packages(accomp.__path__, "accomp."):
    if module.name not in ("accomp.__main__", "accomp.sound.decode"):
        importlib.import_module(module.name)
print(accomp.open_melody(sys.argv[1]))
melody = accomp.read_midi(sys.argv[1])
for work in (lambda: accomp.open_melody(sys.argv[2]), lambda: accomp.render(melody)):
    try:
        work()
    except accomp.MusicError as error:
        print(error)
"""


@pytest.mark.process
def test_the_library_needs_no_extra(tmp_path):
    recording = tmp_path / "hum.wav"
    recording.write_bytes(encoded(tone(2.0)))
    line = [sys.executable, "-c", WITHOUT_EXTRAS, ROOT / "examples/ode_to_joy.mid", recording]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    melody, listening, sound = done.stdout.splitlines()
    assert melody.endswith("4/4, 16 bars") and "accomp[listen]" in listening
    assert "accomp[sound]" in sound
