"""Measure planned chords beside those of lead sheets: `python -m train chords ...`.

Prints a table for each group of songs and writes the counts to OUT. On the bench each system's band
is measured by what is heard in it, ours also by the chords that it names; elsewhere our plan alone.
Full symbols of the bench are read from the tones of its block chords; chords that share their tones
(C6 and Am7) are both right. `--half odd` takes the bench's first, third, fifth ... melody, on which
settings are chosen, `--half even` the others.
"""

import argparse
import json
from pathlib import Path

from accomp.band.accompanist import Accompanist
from train.command_line import command_parser
from train.eval import chord_figures
from train.eval.chord_figures import Figures
from train.eval.chord_songs import Song, bench_songs, pop909_songs, section_songs, sheet_songs
from train.fit.run_files import write_json

SECTIONS = 300  # of a file are measured
HALVES = {"odd": slice(0, None, 2), "even": slice(1, None, 2), "all": slice(None)}


def main(arguments: list[str] | None = None) -> None:
    """Measure on the songs that the arguments name."""
    parser = command_parser("chords", __doc__)
    parser.add_argument("--bench", type=Path, help="folder of lead sheets with others' bands")
    parser.add_argument("--peers", action="store_true", help="measure the others' bands, too")
    parser.add_argument("--half", choices=HALVES, default="all", help="of the bench")
    parser.add_argument("--sheets", type=Path, nargs="*", default=[], help=".jsonl.gz files")
    parser.add_argument("--sections", type=Path, help=".jsonl.gz file of sections without a meter")
    parser.add_argument("--pop909", type=Path, help="folder of POP909")
    parser.add_argument("--songs", type=Path, help="JSON of names of POP909's songs by split")
    parser.add_argument("--split", default="val", help="of lead sheets and POP909 (default: val)")
    parser.add_argument("--genres", nargs="+", default=["pop"], help="our models (default: pop)")
    parser.add_argument("--seeds", type=int, default=1, help="how many (default: 1)")
    parser.add_argument("--limit", type=int, help="songs of each kind at most")
    parser.add_argument("--out", type=Path, help="file for the counts")
    options = parser.parse_args(arguments)
    found = measured(options)
    for kind, systems in found.items():
        groups = dict.fromkeys(g for figures in systems.values() for g in figures.counts)
        for group in groups:
            print(f"\n{kind}\n{chord_figures.table(systems, group)}")
    if options.out:
        write_json(
            options.out,
            {
                kind: {name: figures.counts for name, figures in systems.items()}
                for kind, systems in found.items()
            },
        )


def measured(options: argparse.Namespace) -> dict[str, dict[str, Figures]]:
    """Measure all systems: by kind of songs and system."""
    models = {genre: Accompanist.from_pretrained(genre) for genre in options.genres}
    seeds, found = range(options.seeds), {}
    if options.bench:
        songs = bench_songs(options.bench)[HALVES[options.half]][: options.limit]
        rows = found["bench"] = {}
        for genre, model in models.items():
            rows |= chord_figures.measure(songs, chord_figures.our_bands(model, genre), seeds)
        if options.peers:
            rows |= chord_figures.measure(songs, chord_figures.peers, [0])
    for kind, songs in others(options).items():
        rows = found[kind] = {}
        for genre, model in models.items():
            rows |= chord_figures.measure(songs, chord_figures.our_plans(model, genre), seeds)
    return found


def others(options: argparse.Namespace) -> dict[str, list[Song]]:
    """Read the songs that nobody else has played to: by kind."""
    found = {}
    sheets = sheet_songs(options.sheets, options.split)
    for title, wanted in (("3/4", (3, 4)), ("6/8", (6, 8)), ("others", None)):
        chosen = [song for song in sheets if (wanted or _other(song)) == _meter(song)]
        if chosen:
            found[f"lead sheets, {title}"] = chosen[: options.limit]
    if options.sections:
        found["sections"] = section_songs(options.sections, options.limit or SECTIONS)
    if options.pop909:
        names = json.loads(options.songs.read_text())[options.split]
        found["POP909"] = pop909_songs(options.pop909, names[: options.limit])
    return found


def _meter(song: Song) -> tuple[int, int]:
    return song.melody.meters[0][1:]


def _other(song: Song) -> tuple[int, int] | None:
    return None if _meter(song) in ((3, 4), (6, 8)) else _meter(song)


if __name__ == "__main__":
    main()
