"""The command line: `python -m accomp MELODY [MELODY ...] --genre GENRE --out DIR`; a melody is MIDI or a recording, or none is
given and --invent makes one.
"""

import argparse
import sys
from pathlib import Path

from accomp.band.accompanist import Accompanist
from accomp.band.options import INTROS, Options
from accomp.band.sketch import parse_moves
from accomp.band.style_library import built_in, parse_styles
from accomp.errors import ModelError, MusicError
from accomp.invention.invent import VARIATION as MELODY_VARIATION
from accomp.invention.invent import continue_melody, invent
from accomp.listen.source import Corrections, open_melody
from accomp.music.chord_text import chord_text
from accomp.music.midi import write_midi
from accomp.roll.grid import MELODY

PACES = {"half": 0.5, "double": 2.0}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="accomp",
        description="Give a melody a band: drums, bass, guitar and strings under its piano.",
    )
    parser.add_argument(
        "melodies",
        metavar="MELODY",
        nargs="*",
        type=Path,
        help="MIDI files, or recordings of one voice",
    )
    parser.add_argument(
        "--genre",
        default="pop",
        help="a genre by its name, a model folder or a Hub id (default: pop)",
    )
    parser.add_argument(
        "--revision", help="branch, tag or commit of the Hub repository (default: the newest)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("results"),
        help="folder; each melody gets one of its own in it (default: results)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="another seed gives other music (default: 0)"
    )
    parser.add_argument(
        "--variation",
        type=float,
        default=0.0,
        metavar="SD",
        help="noise in latent space, 0 to about 1 (default: 0)",
    )
    parser.add_argument(
        "--chords",
        help='what to play, e.g. "| C  Am | F  G7 |" (default: planned, and printed to be edited)',
    )
    understood = parser.add_argument_group(
        "the melody", "how it is understood is printed; here it can be corrected"
    )
    understood.add_argument(
        "--melody-track",
        type=int,
        metavar="N",
        help="which track of a MIDI file it is, counted from 0",
    )
    understood.add_argument("--key", help='such as "A minor"')
    understood.add_argument(
        "--tempo", metavar="BPM", type=_tempo, help='beats a minute, or "half" or "double"'
    )
    understood.add_argument("--meter", metavar="N/D", type=_meter, help="such as 3/4")
    understood.add_argument(
        "--later", metavar="BEATS", type=int, default=0, help="by which the bar lines come later"
    )
    understood.add_argument(
        "--downbeat", metavar="SECONDS", type=float, help="when some bar begins in a recording"
    )
    made = parser.add_argument_group("no melody?", "one is made, in the manner of the genre")
    made.add_argument(
        "--invent",
        metavar="BARS",
        type=int,
        help="invent a melody of so many bars, 1 to 64, by --seed",
    )
    made.add_argument(
        "--go-on", metavar="BARS", type=int, help="go on from the melody for so many more bars"
    )
    made.add_argument(
        "--melody-variation",
        type=float,
        default=MELODY_VARIATION,
        metavar="SD",
        help=f"noise in the melody's latent space, best from 0 to 1.5 (default: {MELODY_VARIATION:g})",
    )
    parser.add_argument(
        "--intro",
        choices=INTROS,
        default="none",
        help="a bar of clicks or two bars of the band first",
    )
    moved = parser.add_argument_group(
        "how the band plays", "moved in the space of all that it could play"
    )
    moved.add_argument(
        "--style",
        help='a song to be like: built-in, or a MIDI file; "bossa_nova 2 + song.mid" mixes two',
    )
    moved.add_argument(
        "--style-factor",
        type=float,
        default=0.5,
        metavar="ALPHA",
        help="from 0 to 1, the style's own patterns",
    )
    moved.add_argument("--styles", action=_ListStyles, nargs=0, help="list the built-in styles")
    moved.add_argument(
        "--blend",
        metavar="[GENRE:]SEED",
        help="another band to go towards, of this or another genre",
    )
    moved.add_argument("--amount", type=float, help="how far, from 0 to 1 (default: 0.5)")
    moved.add_argument(
        "--explore",
        nargs="+",
        default=[],
        metavar="MOVE",
        help='such as "guitar density 1": to busier patterns, by a deviation',
    )
    parser.add_argument("--no-shape", action="store_true", help="no sections, fills and ending")
    parser.add_argument(
        "--no-feel", action="store_true", help="no dynamics, swing and timing of players"
    )
    parser.add_argument("--no-audio", action="store_true", help="write no sound")
    options = parser.parse_args(arguments)
    if bool(options.melodies) == (options.invent is not None):
        parser.error("give one melody or more, or --invent BARS")
    corrected = (
        options.meter
        or options.later
        or options.downbeat is not None
        or options.melody_track is not None
    )
    if options.invent is not None and (corrected or options.chords):
        parser.error(
            "an invented melody is in 4/4 and has chords of its own; accepted with it: --key and --tempo"
        )
    if options.invent is not None and options.tempo in PACES:
        parser.error(
            f"--tempo {options.tempo} is for melodies that are there; accepted with --invent: beats a minute"
        )
    if options.amount is not None and not options.blend:
        parser.error("--amount needs --blend")
    try:
        accompanist = Accompanist.from_pretrained(options.genre, revision=options.revision)
        options.blend = _blend(options, accompanist)
    except (ModelError, MusicError) as error:
        print(f"accomp: {error}", file=sys.stderr)
        return 2
    print(f"models: {accompanist.source}")
    failures, folders = 0, set()
    if options.invent is not None:
        folder = options.out / f"invented_{accompanist.config.genre}_{options.seed}"
        try:
            print(folder)
            write_song(accompanist, invented(accompanist, folder, options), folder, options)
        except (MusicError, OSError) as error:  # OSError: what cannot be written
            failures += 1
            print(f"accomp: {error}", file=sys.stderr)
    for path in options.melodies:
        folder = _folder(options.out, path, folders)
        try:
            print(f"{path} -> {folder}", flush=True)
            write_song(accompanist, path, folder, options)
        except (MusicError, OSError) as error:
            failures += 1
            print(f"accomp: {path}: {error}", file=sys.stderr)
    return 1 if failures else 0


def invented(accompanist: Accompanist, folder: Path, options: argparse.Namespace) -> Path:
    """The MIDI file of a melody made from nothing. Raises MusicError."""
    tempo = options.tempo if isinstance(options.tempo, float) else None
    melody = invent(
        accompanist,
        options.invent,
        options.seed,
        options.melody_variation,
        key=options.key,
        tempo=tempo,
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_midi(melody, folder / "melody.mid")
    return folder / "melody.mid"


def write_song(
    accompanist: Accompanist, path: Path, folder: Path, options: argparse.Namespace
) -> None:
    """The accompaniment of one melody as MIDI, as a picture and as sound, in this order: each is there as soon as it can.
    Of a recording also what was heard (melody.mid), the band under it (with_recording.wav) and the band alone (band.wav).
    """
    corrections = Corrections(
        tempo=None if options.tempo in PACES else options.tempo,
        pace=PACES.get(options.tempo, 1.0),
        meter=options.meter,
        downbeat=options.downbeat,
        later=options.later,
        key=options.key,
        track=options.melody_track,
    )
    melody = open_melody(path, corrections)
    score, track, chords = melody.score, options.melody_track, options.chords
    if options.go_on is not None:
        score = continue_melody(
            accompanist,
            score,
            options.go_on,
            options.seed,
            options.melody_variation,
            melody_track=track,
            key=options.key,
            chords=chords or "planned",
        )
        track = None
    if options.invent or options.go_on:
        chords = "melody"
    made = Options(
        seed=options.seed,
        variation=options.variation,
        melody_track=track,
        key=melody.key,
        chords=chords or "planned",
        form=not options.no_shape,
        feel=not options.no_feel,
        intro=options.intro,
        styles=parse_styles(options.style) if options.style else (),
        style_factor=options.style_factor,
    )
    sketch = accompanist.sketch(score, made)
    if options.blend:
        other, seed, amount = options.blend
        sketch = sketch.blended(other.sketch(score, made, seed=seed), amount)
    song = accompanist.perform(sketch.explored(parse_moves(options.explore)))
    print(f"  {melody}{f', and {options.go_on} bars more' if options.go_on else ''}")
    for notice in song.notices:
        print(f"  {notice}")
    if song.chords:
        print("  " + chord_text(song, song.tracks[MELODY]).replace("\n", "\n  "))
    folder.mkdir(parents=True, exist_ok=True)
    if melody.sung or options.go_on:
        write_midi(score, folder / "melody.mid")
    write_midi(song, folder / "accompaniment.mid")
    # Loaded only now: drawing takes longer to import than the music to make.
    try:
        from accomp.plot import save_plot

        save_plot(song, folder / "pianoroll.png")
    except MusicError as error:
        print(f"  no picture: {error}", file=sys.stderr)
    if not options.no_audio:
        from accomp.errors import AudioUnavailable
        from accomp.sound.audio_file import write_audio
        from accomp.sound.render import render

        try:
            write_audio(render(song), folder / "accompaniment.wav")
            if melody.sung and not options.go_on:
                from accomp.sound.overdub import mix_with_recording, play_band

                band = play_band(song)
                write_audio(band, folder / "band.wav")
                write_audio(
                    mix_with_recording(band, melody.recording, melody.sung.start_of(song)),
                    folder / "with_recording.wav",
                )
        except AudioUnavailable as error:
            print(f"  no sound: {error}", file=sys.stderr)


class _ListStyles(argparse.Action):
    def __call__(self, parser, *_):
        by_genre: dict[str, list[str]] = {}
        for name, about in built_in().items():
            by_genre.setdefault(about["genre"], []).append(name)
        for genre, names in by_genre.items():
            print(f"{genre}: {', '.join(names)}")
        parser.exit()


def _blend(
    options: argparse.Namespace, accompanist: Accompanist
) -> tuple[Accompanist, int, float] | None:
    if not options.blend:
        return None
    genre, _, seed = options.blend.rpartition(":")
    if not seed.isdecimal():
        raise MusicError(
            f"--blend is {options.blend!r}; accepted: a seed, or a genre and a seed such as jazz:3"
        )
    other = Accompanist.from_pretrained(genre) if genre else accompanist
    return other, int(seed), 0.5 if options.amount is None else options.amount


def _tempo(text: str) -> float | str:
    try:
        return text if text in PACES else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no tempo; accepted: beats a minute, half, double"
        ) from None


def _meter(text: str) -> tuple[int, int]:
    try:
        numerator, denominator = text.split("/")
        return int(numerator), int(denominator)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no meter; accepted: such as 3/4") from None


def _folder(out: Path, path: Path, taken: set[Path]) -> Path:
    """DIR/<stem>; a second melody of the same name gets a number."""
    folder, number = out / path.stem, 2
    while folder in taken:
        folder, number = out / f"{path.stem}_{number}", number + 1
    taken.add(folder)
    return folder


if __name__ == "__main__":
    sys.exit(main())
