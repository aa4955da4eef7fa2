"""The benchmarks can be run: what they import is where they look for it."""

from importlib import import_module

import pytest

NAMES = ["fuzz", "levels", "likeness", "mix", "page", "recordings", "slopes", "speed", "worst"]


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_is_there_and_explains_itself(name):
    module = import_module(f"benchmarks.{name}")
    assert callable(module.main) and f"python -m benchmarks.{name}" in module.__doc__
