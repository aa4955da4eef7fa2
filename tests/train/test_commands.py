"""`python -m train` lists its commands without torch, and each of them explains itself."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from train.__main__ import commands, first_line, main

ROOT = Path(__file__).parents[2]


def test_all_commands_are_listed_by_what_they_do(capsys):
    with pytest.raises(SystemExit) as ended:
        main([])
    listed = capsys.readouterr().out
    assert ended.value.code == 0
    for name, module in commands().items():
        does = first_line(module)
        assert f"  {name:20} {does}\n" in listed
        assert 10 < len(does) < 80 and does[0].isupper() and "\n" not in does, name


def test_unknown_commands_are_told_the_known_ones(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["vea", "--help"])
    told = capsys.readouterr().err
    assert ended.value.code == 2 and "unknown command 'vea'; accepted:" in told and "  vae " in told


def test_listing_needs_no_torch():
    code = "import sys, train.__main__; print('torch' in sys.modules, 'numpy' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("name", commands())
def test_every_command_takes_arguments_and_explains_itself(name, capsys):
    module = import_module(commands()[name])
    with pytest.raises(SystemExit) as ended:
        module.main(["--help"])
    told = capsys.readouterr().out
    assert ended.value.code == 0 and told.startswith(f"usage: train {name}")
    assert first_line(commands()[name]) in told


def test_training_data_knows_nothing_of_networks_to_train():
    for path in (ROOT / "train" / "data").glob("*.py"):
        names = [
            node.module
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom) and node.module
        ]
        assert not [name for name in names if name.startswith(("train.fit", "train.rivals"))], path
