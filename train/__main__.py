"""Run a command that makes, measures or publishes models: `python -m train COMMAND ...`.

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
            if "\ndef main(" in path.read_text(encoding="utf-8"):
                name = f"rivals.{path.stem}" if folder == "rivals" else path.stem
                found[name] = f"train.{folder}.{path.stem}"
    return found


def main(arguments: list[str] | None = None) -> None:
    """Run the command that the first argument names, and give it the others."""
    arguments = sys.argv[1:] if arguments is None else arguments
    known = commands()
    name, *others = arguments or ["--help"]
    if name in known:
        import_module(known[name]).main(others)
        return
    is_help = name in ("-h", "--help")
    stream = sys.stdout if is_help else sys.stderr
    print(__doc__ if is_help else f"train: unknown command {name!r}; accepted:", file=stream)
    for command, module in known.items():
        print(f"  {command:20} {first_line(module)}", file=stream)
    raise SystemExit(0 if is_help else 2)


def first_line(module: str) -> str:
    """Return the first sentence of a module's docstring without importing it (and torch)."""
    path = ROOT.parent / f"{module.replace('.', '/')}.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].partition(": `")[0].removesuffix(".")


if __name__ == "__main__":
    main()
