"""A reader that is wrong: what benchmarks.guided must find."""

import sys

import atheris


def read(data: bytes) -> None:
    if data[:1] == b"M" and len(data) > 9:
        raise KeyError("surprise")


if __name__ == "__main__":
    del sys.argv[1]
    atheris.Setup(sys.argv, read)
    atheris.Fuzz()
