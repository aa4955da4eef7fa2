"""The benchmarks can be run: what they import is where they look for it."""

from importlib import import_module

import pytest

OF_PAGE = ["load", "long_sound", "page", "speed"]
NAMES = [*OF_PAGE, "fuzz", "levels", "likeness", "mix", "recordings", "slopes", "worst"]


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_is_there_and_explains_itself(name):
    module = import_module(f"benchmarks.{name}")
    assert callable(module.main) and f"python -m benchmarks.{name}" in module.__doc__
