"""What is installed, without the checkout: a wheel in a clean folder, and its lists of packages."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import accomp
from tests.test_same_music import COMMANDS, SONGS, same

ROOT = Path(__file__).parents[1]
SOURCES = ("accomp", "models", "pyproject.toml", "setup.py", "README.md", "LICENSE")
LIBRARY = {"torch", "huggingface_hub", "safetensors", "numpy", "scipy"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel, built from nothing but what a package needs."""
    return build(tmp_path_factory.mktemp("wheel"), SOURCES)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder that the wheel is installed in."""
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--target", folder, wheel)
    return folder


def build(folder, sources):
    """Build a wheel of these files and folders of the checkout."""
    source, out = folder / "source", folder / "wheel"
    source.mkdir()
    for name in sources:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        else:
            shutil.copyfile(ROOT / name, source / name)
    pip("wheel", "--no-build-isolation", "--wheel-dir", out, source)
    (path,) = out.iterdir()
    return path


def pip(command, *arguments):
    line = [sys.executable, "-m", "pip", command, "-q", "--no-deps", "--no-index", *arguments]
    subprocess.run(line, check=True)


def run(installed, *command, without=(), cwd):
    """What a command says, run far from the checkout; `without` packages, as if not installed."""
    missing = cwd / "missing"
    missing.mkdir(exist_ok=True)
    (missing / "sitecustomize.py").write_text(
        f"import sys\nsys.modules |= dict.fromkeys({list(without)!r})\n"
    )
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("ACCOMP_")
    }
    environment |= {"PYTHONPATH": f"{missing}{os.pathsep}{installed}", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True)


@pytest.mark.process
def test_the_command_of_an_installed_package_makes_the_same_song(installed, tmp_path):
    melody, *options = COMMANDS["jazz"]
    shutil.copyfile(ROOT / f"examples/{melody}.mid", tmp_path / f"{melody}.mid")
    line = [installed / "bin/accomp", f"{melody}.mid", *options, "--no-audio", "--out", "out"]
    done = run(installed, *line, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (song,) = (tmp_path / "out").glob("*/accompaniment.mid")
    same(SONGS / "jazz.mid", song)


@pytest.mark.process
def test_the_command_says_its_version_and_its_options(installed, tmp_path):
    done = run(installed, installed / "bin/accomp", "--version", cwd=tmp_path)
    assert done.stdout.split() == ["accomp", accomp.__version__]
    done = run(installed, installed / "bin/accomp", "--help", cwd=tmp_path)
    assert done.returncode == 0 and "--genre" in done.stdout


@pytest.mark.process
def test_without_extras_a_melody_is_accompanied_and_what_is_missing_is_named(installed, tmp_path):
    without = sorted({each.replace("-", "_") for each in extra("page")} - LIBRARY)
    melody, *options = COMMANDS["jazz"]
    line = [installed / "bin/accomp", ROOT / f"examples/{melody}.mid", *options, "--out", "out"]
    done = run(installed, *line, without=without, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (song,) = (tmp_path / "out").glob("*/accompaniment.mid")
    same(SONGS / "jazz.mid", song)
    written = {path.name for path in song.parent.iterdir()}
    assert written == {"accompaniment.mid", "song.accomp.json"}
    for what, package, name in (
        ("picture", "matplotlib", "plot"),
        ("sound", "midi2audio", "sound"),
    ):
        said = f"no {what}: the package {package} is not installed; .*accomp\\[{name}\\]"
        assert re.search(said, done.stderr)
    line[1] = SONGS / "sung.flac"
    done = run(installed, *line, without=without, cwd=tmp_path)
    assert done.returncode and re.search(r"pip install av .*accomp\[listen\]", done.stderr)
    done = run(installed, *line, without=["swift_f0"], cwd=tmp_path)
    assert done.returncode and "pip install swift-f0 " in done.stderr


@pytest.mark.process
def test_an_installed_package_has_all_genres_and_styles(installed, tmp_path):
    program = """
import accomp
from accomp.band.style_library import load_style
from accomp.models.melody_nn import MelodyNN
print(accomp.__file__, accomp.__version__, *accomp.genres())
model = accomp.Accompanist.from_pretrained("jazz")
print(model.source.folder, load_style("bossa_nova", model).name, MelodyNN.load().config.latent)
"""
    done = run(installed, sys.executable, "-c", program, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    place, version, *genres = first.split()
    assert Path(place).is_relative_to(installed) and version == accomp.__version__
    assert genres == ["folk", "game", "gospel", "jazz", "latin", "pop", "rock"]
    assert second.split() == [str(installed / "accomp/data/models/jazz"), "bossa_nova", "128"]


@pytest.mark.process
def test_a_wheel_holds_the_library_and_nothing_else(wheel, installed):
    assert wheel.name == f"accomp-{accomp.__version__}-py3-none-any.whl"
    assert wheel.stat().st_size < 70e6
    tops = {path.name for path in installed.iterdir()}
    assert tops == {"accomp", f"accomp-{accomp.__version__}.dist-info", "bin"}
    here = {
        path.relative_to(ROOT)
        for path in (ROOT / "accomp").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    there = {path.relative_to(installed) for path in (installed / "accomp").rglob("*.*")}
    assert here <= there
    assert (installed / "accomp/py.typed").is_file()


@pytest.mark.process
def test_the_demo_of_the_hub_which_has_no_models_can_be_installed_too(tmp_path):
    wheel = build(tmp_path, [name for name in SOURCES if name != "models"])
    pip("install", "--target", tmp_path / "installed", wheel)
    program = "import accomp; accomp.Accompanist.from_pretrained('jazz')"
    done = run(tmp_path / "installed", sys.executable, "-c", program, cwd=tmp_path)
    assert "'jazz' is unknown; available: none; accepted too: a Hub id" in done.stderr


def requirements(lines):
    """By name, what requirements say of it: extras and versions."""
    found = [Requirement(line.split("#")[0]) for line in lines if line.split("#")[0].strip()]
    return {each.name: each for each in found}


def extra(name):
    """The packages of an extra, those of the extras that it names among them."""
    found = requirements(PROJECT["optional-dependencies"][name])
    for other in found.pop("accomp").extras if "accomp" in found else ():
        found |= extra(other)
    return found


def test_the_lists_of_packages_agree():
    library = requirements(PROJECT["dependencies"])
    space = requirements((ROOT / "requirements.txt").read_text().splitlines())
    dev = requirements((ROOT / "requirements-dev.txt").read_text().splitlines())
    assert library.keys() == LIBRARY
    pinned, torch = space.pop("torch"), library.pop("torch")
    (version,) = pinned.specifier
    assert version.operator == "==" and torch.specifier.contains(version.version)
    assert space == library | extra("page")
    assert space | dev == library | extra("dev")
    assert not space.keys() & dev.keys()
    extras = {"listen", "scores", "sheets", "sound", "plot", "all", "page", "train"}
    extras |= {"cluster", "dev"}
    assert extras == PROJECT["optional-dependencies"].keys()


def test_the_version_is_said_once_and_told_alike_elsewhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == accomp.__version__ and citation["license"] == PROJECT["license"]
    assert f"\n## [{accomp.__version__}]" in (ROOT / "CHANGELOG.md").read_text()
