"""Read the arguments of the command line, and say what they are (`--help`).

Nothing here imports torch, so that help comes at once. What the words and numbers mean is checked
where they are used (accomp.cli.job); here only whether they can be read.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from accomp import __version__
from accomp.band.ensembles import ensembles
from accomp.band.style_names import built_in
from accomp.checks import read_number, read_whole
from accomp.errors import MusicError
from accomp.models.places import embedded_genres, namespace
from accomp.music.midi_chunks import MIDI_ENDINGS
from accomp.music.notation_files import NOTATION_ENDINGS
from accomp.sound.accepted import RECORDINGS

USAGE = """accomp MELODY [MELODY ...] [--genre GENRE] [options]
       accomp PROJECT.accomp.json [options]
       accomp --invent BARS [--genre GENRE] [options]"""
DESCRIPTION = f"""\
Give a melody a band: drums, bass, guitar and strings. A piano plays the melody.

accepted as MELODY:
  MIDI files ({", ".join(MIDI_ENDINGS)}), MusicXML and ABC ({", ".join(NOTATION_ENDINGS)})
  {RECORDINGS}, of one
  voice or instrument
  project files (.accomp.json), whose song is written as it is, with what is changed of it
  - for the standard input

files that are written to a folder for each melody (see --out):
  accompaniment.mid   the band and the melody as MIDI
  pianoroll.png       the same as a picture
  accompaniment.wav   the same as sound, where FluidSynth is installed
  melody.mid          what was understood of a recording, or what was invented
  with_recording.wav  your recording with the band
  band.wav            the band without your recording
  song.accomp.json    the project: all of it, for this command, Python and the page
"""
EXAMPLES = """\
examples:
  accomp ode_to_joy.mid greensleeves.mid --genre jazz
  accomp hum.wav --genre pop --seed 2 --out results
  accomp ode_to_joy.mid --chords "| D | A7 | D  G | A |" --intro bars
  accomp hum.wav --tempo half --meter 3/4 --key "F# minor"
  accomp hum.wav --style "bossa_nova 2 + my_song.mid" --style-factor 0.8
  accomp hum.wav --genre pop --blend jazz:3 --amount 0.4
  accomp --invent 16 --genre folk --seed 3
  accomp ode_to_joy.mid --chord "5: Dm7 G7" --redo bass:9-12:busy=0.8 --lead-sheet ode.pdf
  accomp results/ode_to_joy/song.accomp.json --transpose -2 --set-tempo 84 --program piano=flute

The same seed gives the same music. Exit status: 0 if all songs were written, 1 if some were not,
2 if an argument is wrong.
"""
PACES = {"half": 0.5, "double": 2.0}  # words for --tempo
GENRE = "pop"  # where none is asked for


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the arguments; those that were not given are None, or False.

    Args:
        arguments: by default those of the process.

    Raises:
        SystemExit: an argument is unknown or cannot be read, or help was printed.
    """
    parser = make_parser()
    args = parser.parse_args(arguments)
    wrong = _contradiction(args)
    if wrong:
        parser.error(wrong)
    return args


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all arguments."""
    parser = argparse.ArgumentParser(
        prog="accomp",
        usage=USAGE,
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("melodies", metavar="MELODY", nargs="*", type=Path, help=argparse.SUPPRESS)
    _add_main(parser.add_argument_group("main options"))
    _add_melody(parser.add_argument_group("correct how the melody was understood"))
    _add_invention(parser.add_argument_group("invent or continue a melody"))
    _add_playing(parser.add_argument_group("how the band plays"))
    _add_moves(parser.add_argument_group("styles, blends and changes"))
    _add_changes(parser.add_argument_group("change a song, and leave the rest of it as it is"))
    _add_output(parser.add_argument_group("output and information"))
    return parser


def _add_main(group: argparse._ArgumentGroup) -> None:
    owner = namespace()[0]
    names = f"those of {owner} on the Hub" if owner else ", ".join(embedded_genres())
    group.add_argument(
        "--genre",
        metavar="GENRE",
        help=f"{names}; or a model's folder or Hub id (default: {GENRE})",
    )
    group.add_argument(
        "--seed", metavar="N", type=int, help="another number gives other music (default: 0)"
    )
    group.add_argument(
        "--chords",
        metavar="TEXT",
        help='chords to play, such as "| C  Am | F  G7 |"; by default they are chosen, and printed',
    )
    group.add_argument(
        "--colour",
        metavar="AMOUNT",
        type=float,
        help="how colourful chosen chords are, 0 (plain) to 1 (colourful; default: 0.5)",
    )
    group.add_argument(
        "--plans",
        metavar="N",
        type=int,
        help="print so many plans of chords for each melody, the best first, and play the first",
    )
    group.add_argument(
        "--intro",
        metavar="INTRO",
        help="what comes before the melody: none (the default), count-in (a bar of clicks) "
        "or bars (two bars of the band)",
    )
    group.add_argument(
        "--revision",
        metavar="NAME",
        help="branch, tag or commit of a Hub repository (default: the newest)",
    )


def _add_melody(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--melody-track",
        metavar="N",
        type=int,
        help="the track of a MIDI file that has the melody, from 0",
    )
    group.add_argument("--key", metavar="KEY", help='such as "A minor"')
    group.add_argument(
        "--tempo", metavar="BPM", type=_tempo, help="beats a minute; or half, or double"
    )
    group.add_argument("--meter", metavar="N/D", type=_meter, help="such as 3/4")
    group.add_argument(
        "--later",
        metavar="BEATS",
        type=int,
        help="move the bar lines so many beats later; negative for earlier",
    )
    group.add_argument(
        "--downbeat", metavar="SECONDS", type=float, help="a time in a recording when a bar begins"
    )
    group.add_argument(
        "--anyway",
        action="store_true",
        help="take the notes of a recording that sounds like speech, noise or several voices",
    )
    group.add_argument(
        "--keep-doubtful",
        action="store_true",
        help="keep very short notes of a recording that may not have been sung",
    )


def _add_invention(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--invent", metavar="BARS", type=int, help="invent a melody of so many bars, 1 to 64"
    )
    group.add_argument(
        "--go-on",
        metavar="BARS",
        type=int,
        help="continue each melody for so many more bars, 1 to 64",
    )
    group.add_argument(
        "--melody-variation",
        metavar="SD",
        type=float,
        help="how freely melodies are invented, 0 to 4, best up to 1.5 (default: 0.75)",
    )


def _add_playing(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--variation",
        metavar="SD",
        type=float,
        help="how freely the band plays, 0 to 4: up to 0.5 is usual, 1 is rough (default: 0)",
    )
    group.add_argument(
        "--no-form",
        action="store_true",
        help="leave out sections, repeats, fills and the ending",
    )
    # The option's name until 0.2.
    group.add_argument("--no-shape", dest="no_form", action="store_true", help=argparse.SUPPRESS)
    group.add_argument(
        "--no-feel", action="store_true", help="leave out dynamics, swing and the players' timing"
    )


def _add_moves(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--style",
        metavar="STYLE",
        help='a built-in style or a MIDI file to play like; "bossa_nova 2 + song.mid" mixes two',
    )
    group.add_argument(
        "--style-factor",
        metavar="ALPHA",
        type=float,
        help="how much like it, 0 (not at all) to 1 (its own patterns; default: 0.5)",
    )
    group.add_argument(
        "--styles", action=_ListStyles, nargs=0, help="list the built-in styles and exit"
    )
    group.add_argument(
        "--blend",
        metavar="[GENRE:]SEED",
        type=_blend,
        help="go towards another band, of this or another genre",
    )
    group.add_argument(
        "--amount",
        metavar="PART",
        type=float,
        help="how far towards it, 0 to 1 (default: 0.5)",
    )
    group.add_argument(
        "--explore",
        metavar="MOVE",
        nargs="+",
        default=[],
        help='change an instrument: "guitar density 1" (also variety, character), -3 to 3',
    )


def _add_changes(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--chord",
        metavar="BAR: CHORDS",
        action="append",
        default=[],
        help='other chords for a bar, or bars: "5: Dm7 G7", "5-6: Dm7 | G7"; may be repeated',
    )
    group.add_argument(
        "--redo",
        metavar="PLAYER:BARS",
        action="append",
        default=[],
        help="make bars of a player anew: bass:9-12, guitar+strings:5:busy=0.8:high=0.2, all:1-4; "
        "busy and high go from 0 to 1; may be repeated",
    )
    group.add_argument(
        "--transpose",
        metavar="N",
        type=int,
        help="semitones that the result sounds higher, -12 to 12; the drums stay",
    )
    group.add_argument(
        "--set-tempo",
        metavar="BPM",
        type=float,
        help="quarters a minute of the result; --tempo says how fast the melody was meant",
    )
    group.add_argument(
        "--program",
        metavar="PART=SOUND",
        action="append",
        default=[],
        help="another General MIDI sound that fits a part: guitar=27, piano=flute (the piano is "
        "the melody); may be repeated",
    )
    group.add_argument(
        "--ensemble",
        metavar="NAME",
        help='who plays, as songs of the genre have it, such as "piano, no strings"',
    )
    group.add_argument(
        "--ensembles", action=_ListEnsembles, nargs=0, help="list those of all genres and exit"
    )
    group.add_argument(
        "--take", metavar="N", type=int, help="the take of a project, from 1 (default: as shown)"
    )


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--out",
        metavar="FOLDER",
        type=Path,
        default=Path("results"),
        help="each melody gets a folder in it (default: results)",
    )
    group.add_argument(
        "--lead-sheet",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="write the melody with chord symbols, too: .musicxml, .mxl, .pdf, .png or .svg; a "
        "name alone lies in the melody's folder; may be repeated",
    )
    group.add_argument(
        "--no-audio", action="store_true", help="write no sound, which takes longest"
    )
    group.add_argument("-h", "--help", action="help", help="show this text and exit")
    group.add_argument(
        "--version",
        action="version",
        version=f"accomp {__version__}",
        help="show the version and exit",
    )


def _contradiction(args: argparse.Namespace) -> str | None:
    """Say which arguments do not go together."""
    if bool(args.melodies) == (args.invent is not None):
        return "give one melody or more, or --invent BARS"
    if args.amount is not None and not args.blend:
        return "--amount needs --blend"
    elsewhere = [path for path in args.lead_sheet if path.parent != Path()]
    if elsewhere and len(args.melodies) > 1:
        return (
            f"--lead-sheet {elsewhere[0]} is one file for {len(args.melodies)} melodies; "
            "accepted: a name without a folder"
        )
    if args.invent is None:
        return None
    corrected = (args.meter, args.later, args.downbeat, args.melody_track, args.chords)
    if any(value is not None for value in corrected):
        return (
            "an invented melody is in 4/4 and has chords of its own; "
            "accepted with --invent: --key and --tempo"
        )
    if args.tempo in PACES:
        return (
            f"--tempo {args.tempo} is for melodies that are there; "
            "accepted with --invent: beats a minute"
        )
    return None


class _ListStyles(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_) -> None:
        by_genre: dict[str, list[str]] = {}
        for name, about in built_in().items():
            by_genre.setdefault(about["genre"], []).append(name)
        for genre, names in by_genre.items():
            print(f"{genre}: {', '.join(names)}")
        parser.exit()


class _ListEnsembles(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_) -> None:
        for genre in embedded_genres():
            print(f"{genre}:")
            for each in ensembles(genre):
                print(f"  {each.name} ({each.share:.0%} of the songs)")
        parser.exit()


def _tempo(text: str) -> float | str:
    if text in PACES:
        return text
    try:
        return float(read_number(text, "tempo"))
    except MusicError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a tempo; accepted: beats a minute, half, double"
        ) from None


def _meter(text: str) -> tuple[int, int]:
    try:
        numerator, denominator = text.split("/")
        return read_whole(numerator, "meter"), read_whole(denominator, "meter")
    except ValueError:  # a MusicError is one, too
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a meter; accepted: such as 3/4"
        ) from None


def _blend(text: str) -> tuple[str, int]:
    """Return a genre, "" for that of --genre, and a seed."""
    genre, _, seed = text.rpartition(":")
    try:
        return genre, read_whole(seed, "seed")
    except MusicError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a band; accepted: a seed, or a genre and a seed such as jazz:3"
        ) from None
