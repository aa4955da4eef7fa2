"""The command line: `accomp MELODY [MELODY ...] --genre GENRE --out FOLDER`."""

from accomp.cli.command import main

__all__ = ["main"]
