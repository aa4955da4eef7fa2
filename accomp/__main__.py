"""`python -m accomp`: the command line."""

import sys

from accomp.cli import main

if __name__ == "__main__":
    sys.exit(main())
