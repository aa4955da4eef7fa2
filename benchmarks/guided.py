"""Look for wrong errors in the readers of notes, guided by what of the code each file reaches.

    python -m benchmarks.guided [midi|sheets] --seconds N [--seed S] [--grow FOLDER] [--keep FOLDER]

Atheris (libFuzzer for Python) changes the files of tests/fuzz; what reaches new places of
accomp.music is changed further. Any error but a MusicError is wrong, as in benchmarks.fuzz; the
file is then kept, and the program ends with an error. --grow: a folder that gets every file that
reached something new, to go on from the next time.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KINDS = ("midi", "sheets")
LARGEST = 4096  # bytes of a file: small ones are tried faster, and reach the same places


def main(arguments: list[str] | None = None, target: str = "benchmarks.guided_target") -> int:
    """Try for so many seconds what a module runs; return 0 where nothing went wrong."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.guided",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", nargs="?", choices=KINDS, default="midi")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--grow", type=Path, help="folder for files that reach something new")
    parser.add_argument("--keep", type=Path, help="folder for files that go wrong")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        grown = options.grow or Path(folder, "grown")
        grown.mkdir(parents=True, exist_ok=True)
        seeds = write_seeds(options.kind, Path(folder, "seeds"))
        keep = options.keep or Path(folder, "wrong")
        keep.mkdir(parents=True, exist_ok=True)
        # LibFuzzer ends the process itself.
        code = subprocess.run(
            [
                *(sys.executable, "-m", target, options.kind),
                *(str(grown), str(seeds)),
                f"-max_total_time={options.seconds}",
                f"-seed={options.seed}",
                f"-max_len={LARGEST}",
                f"-artifact_prefix={keep}/",
                "-print_final_stats=1",
            ],
            cwd=Path(__file__).parents[1],
        ).returncode
        print(f"{sum(1 for _ in grown.iterdir()):,} files reached something new")
    return int(code != 0)


def write_seeds(kind: str, folder: Path) -> Path:
    """Write the files that all begins from into a folder, and return it."""
    from benchmarks import fuzz

    folder.mkdir()
    for path in fuzz.CORPUS.iterdir():
        if (path.suffix == ".mid") == (kind == "midi"):
            shutil.copy(path, folder)
    return folder


if __name__ == "__main__":
    sys.exit(main())
