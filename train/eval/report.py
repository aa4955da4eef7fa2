"""Make the tables of measured figures: `python -m train report RESULTS [--fill [FILE.md ...]]`.

RESULTS (model_cards/results.json) is what `python -m train evaluate` wrote. Without --fill the
tables are printed. --fill puts them between the marks `<!-- table NAME -->` and `<!-- end -->` of
text files; each file holds the tables that it wants. Without names the files are docs/results.md
and docs/claims.md.
"""

import argparse
import json
import re
from pathlib import Path

from train.command_line import present
from train.eval.tables import tables

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENTS = (DOCS / "results.md", DOCS / "claims.md")


def main(arguments: list[str] | None = None, documents: tuple[Path, ...] = DOCUMENTS) -> None:
    """Print the tables, or fill them into files, by default `documents`."""
    parser = argparse.ArgumentParser(
        prog="train report", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("results", type=present, help="file that `train evaluate` wrote")
    parser.add_argument(
        "--fill",
        type=present,
        nargs="*",
        metavar="FILE.md",
        help="fill the tables of these files (default: docs/results.md and docs/claims.md)",
    )
    options = parser.parse_args(arguments)
    values = tables(json.loads(options.results.read_text()))
    if options.fill is None:
        print("\n\n".join(f"{name}\n{value}" for name, value in values.items()))
        return
    for path in options.fill or documents:
        path.write_text(fill(path.read_text(), values))


def fill(text: str, values: dict[str, str]) -> str:
    """Put tables between their marks in a text.

    Raises SystemExit if a mark names no table, or has no end.
    """
    for name in marked(text):
        if name not in values:
            raise SystemExit(f"there is no table {name!r}; there are {', '.join(values)}")
        if not re.search(
            rf"<!-- table {name} -->\n(?:(?!<!-- table ).)*?<!-- end -->", text, flags=re.S
        ):
            raise SystemExit(
                f"after <!-- table {name} -->, alone on its line, there is no <!-- end -->"
            )
    for name, value in values.items():
        between = rf"(<!-- table {name} -->\n).*?(<!-- end -->)"
        text = re.sub(
            between, lambda marks, value=value: f"{marks[1]}{value}\n{marks[2]}", text, flags=re.S
        )
    return text


def marked(text: str) -> list[str]:
    """List the tables that a text has marks for."""
    return re.findall(r"<!-- table (.*?) -->", text)


if __name__ == "__main__":
    main()
