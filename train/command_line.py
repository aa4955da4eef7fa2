"""What the command lines of all commands of `python -m train` share."""

import argparse
from pathlib import Path


def command_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser for `python -m train NAME` that shows the description as it is written."""
    return argparse.ArgumentParser(
        prog=f"train {name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def present(text: str) -> Path:
    """Return the path of a file that an argument names; argparse tells where there is none."""
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return Path(text)
