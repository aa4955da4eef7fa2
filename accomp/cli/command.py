"""The command `accomp`: check the arguments, quick checks first, then make the songs."""

import argparse
import sys
from collections.abc import Sequence

from accomp.cli.arguments import read_arguments
from accomp.cli.inputs import opened
from accomp.cli.screen import Failures, print_anything
from accomp.errors import MusicError
from accomp.models.places import local_folder
from accomp.sheet.endings import check_ending

# Exit statuses: a song could not be made; an argument is wrong; Ctrl-C, as in shells.
FAILED, WRONG, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: by default those of the process.

    Returns:
        The exit status.

    Raises:
        SystemExit: an argument cannot be read, or help was printed.
    """
    print_anything()
    args, failures = read_arguments(arguments), Failures()
    try:
        _check_places(args)
        with opened(args.melodies, failures) as melodies:
            if melodies or args.invent is not None:
                # Only now: importing torch takes seconds.
                from accomp.cli.job import Job
                from accomp.cli.songs import make_songs

                make_songs(Job.of(args), melodies, failures)
    except MusicError as error:
        print(f"accomp: {error}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        print("accomp: interrupted", file=sys.stderr)
        return INTERRUPTED
    return FAILED if failures.count else 0


def _check_places(args: argparse.Namespace) -> None:
    """Check the genres and the folder for results.

    Raises:
        MusicError: a genre or folder does not exist, or the results would lie in a file.
    """
    if args.genre:
        local_folder(args.genre)
    for path in args.lead_sheet:
        check_ending(path)
    if args.blend and args.blend[0]:
        local_folder(args.blend[0])
    if args.out.exists() and not args.out.is_dir():
        raise MusicError(f"--out is {args.out}, which is not a folder")
