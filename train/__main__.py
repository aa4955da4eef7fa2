"""Run a training, evaluation or publishing command: `python -m train COMMAND ...`.

`python -m train` lists the commands; `python -m train COMMAND --help` explains one.
"""

import ast
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parent


def commands() -> dict[str, str]:
    """List the commands: module by name, in the order in which a genre is made.

    A command is a module with a `main`; a rival's name has its folder before it ("rivals.gru").
    """
    found = {}
    for folder in ("data", "fit", "eval", "publish", "rivals"):
        for path in sorted((ROOT / folder).glob("*.py")):
            if "\ndef main(" in path.read_text():
                name = f"rivals.{path.stem}" if folder == "rivals" else path.stem
                found[name] = f"train.{folder}.{path.stem}"
    return found


def main(arguments: list[str] | None = None) -> None:
    """Run the command that the first argument names with the others."""
    arguments = sys.argv[1:] if arguments is None else arguments
    known = commands()
    if not arguments or arguments[0] not in known:
        asked = bool(arguments) and arguments[0] not in ("-h", "--help")
        if asked:
            print(f"train: there is no command {arguments[0]!r}; accepted:", file=sys.stderr)
        else:
            print(__doc__)
        for name, module in known.items():
            print(f"  {name:20} {_first_line(module)}", file=sys.stderr if asked else sys.stdout)
        raise SystemExit(2 if asked else 0)
    import_module(known[arguments[0]]).main(arguments[1:])


def _first_line(module: str) -> str:
    """The first sentence of a module's docstring, read without importing torch."""
    text = ast.get_docstring(
        ast.parse((ROOT.parent / f"{module.replace('.', '/')}.py").read_text())
    )
    return (text or "").splitlines()[0].split(": `")[0]


if __name__ == "__main__":
    main()
