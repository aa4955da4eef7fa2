"""What libFuzzer runs for benchmarks.guided: `python -m benchmarks.guided_target KIND FOLDERS...`.

A module of its own, because the readers must be imported while Atheris looks on.
"""

import sys

import atheris

with atheris.instrument_imports(include=["accomp.music"]):
    from benchmarks import fuzz

TRIES = {"midi": fuzz.try_midi, "sheets": fuzz.try_sheet}

if __name__ == "__main__":
    attempt = TRIES[sys.argv.pop(1)]
    atheris.Setup(sys.argv, lambda data: attempt(data) and None)
    atheris.Fuzz()
