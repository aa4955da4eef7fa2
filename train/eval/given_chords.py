"""Measure how our bands play chords that are given: `python -m train given_chords --sheets FILES`.

FILES are lead sheets (.jsonl.gz), whose melodies in 4/4 are played with their own chords. Printed
is by kind of chord, in per cent of those: bass notes on the beat that are the written ones, time of
guitar and strings on tones of the full symbol, half bars in which the tone sounds that tells the
kind (the fourth of a sus4, the fifth of a diminished chord, the sixth), and the time of thirds in
suspended chords. Chord match is the share of half bars whose nearest triad is the chord's. With
`--bench BENCH` the bench's melodies are played with the triads of its lead sheets, and their chord
match is printed, as `train chords` counts it.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from accomp.band.accompanist import Accompanist
from accomp.music.chord_symbols import triad_symbol
from accomp.music.score import Chord, Note, Score
from accomp.roll.chord_plan import TRIADS
from accomp.roll.grid import BASS, GUITAR, STRINGS
from train.command_line import command_parser, present
from train.eval import stage
from train.eval.chord_figures import of_band
from train.eval.chord_songs import Song, bench_songs, sheet_songs
from train.metrics import best_triads
from train.metrics.chord_following import (
    AUGMENTED,
    DIMINISHED,
    HALF_DIMINISHED,
    PLAIN,
    SIXTH,
    SLASH,
    SUS,
    following,
)
from train.metrics.chords import Chords, Count

KINDS = (SLASH, SUS, DIMINISHED, HALF_DIMINISHED, AUGMENTED, SIXTH, PLAIN)
FIGURES = ("bass", "tones", "telling", "third")


def main(arguments: list[str] | None = None) -> None:
    """Play lead sheets with their own chords and print what is heard of them."""
    parser = command_parser("given_chords", __doc__)
    parser.add_argument("--sheets", type=present, nargs="*", default=[], help=".jsonl.gz files")
    parser.add_argument("--bench", type=Path, help="folder of lead sheets as MIDI")
    parser.add_argument("--split", default="test", help="of the lead sheets (default: test)")
    parser.add_argument("--genres", nargs="+", default=["pop"], help="our models (default: pop)")
    parser.add_argument("--limit", type=int, help="songs at most")
    options = parser.parse_args(arguments)
    songs = [song for song in sheet_songs(options.sheets, options.split) if is_four(song.melody)]
    for genre in options.genres:
        model = Accompanist.from_pretrained(genre)
        if options.bench:
            found = bench_match(model, bench_songs(options.bench)[: options.limit])
            print(", ".join(f"{name} {100 * count.ratio:.1f}" for name, count in found.items()))
        if not songs:
            continue
        counts = measured(model, songs[: options.limit])
        print(f"{genre}, {len(songs[: options.limit])} songs\n{table(counts)}\n")


def is_four(score: Score) -> bool:
    """Tell whether a score is in 4/4 throughout."""
    return [meter[1:] for meter in score.meters] == [(4, 4)]


def measured(model: Accompanist, songs: Sequence[Song]) -> dict[str, Count]:
    """Play songs with their own chords and sum the counts."""
    total: dict[str, Count] = {}
    for song in songs:
        symbols = [known[0] if known else None for known in song.sheet.readings]
        chords = [
            Chord(float(onset), str(symbol))
            for onset, symbol in zip(song.sheet.units.onsets, symbols)
            if symbol is not None
        ]
        if not chords:
            continue
        played = model.accompany(song.melody, chords=tuple(chords))
        bass = played.tracks[BASS].notes
        chordal = [note for track in (GUITAR, STRINGS) for note in played.tracks[track].notes]
        found = following(bass, chordal, symbols, song.sheet.units)
        found["match"] = match([*bass, *chordal], symbols, song)
        for name, count in found.items():
            total[name] = total.get(name, Count(0, 0)) + count
    return total


def bench_match(model: Accompanist, songs: Sequence[Song]) -> dict[str, Count]:
    """Play bench melodies with their triads; chord match by collection."""
    total: dict[str, Count] = {}
    for song in songs:
        task = song.task
        assert task is not None
        chords = tuple(
            Chord(float(onset), str(triad_symbol(int(triad)).transposed(task.shift)))
            for onset, triad in zip(task.grid.half_bar_beats, task.triads)
            if triad >= 0
        )
        found = of_band(stage.ours(model, task, 0, chords=chords), song)["match"]
        for name in ("all", song.group):
            total[name] = total.get(name, Count(0, 0)) + found
    return total


def match(notes: Sequence[Note], symbols: Chords, song: Song) -> Count:
    """Count the units whose nearest triad is that of the written tones."""
    units = song.sheet.units
    chroma, written = np.zeros((len(units), 12)), np.zeros((len(units), 12))
    for row, want, start, end, symbol in zip(chroma, written, units.onsets, units.ends, symbols):
        for note in notes:
            row[note.pitch % 12] += max(min(note.end, end) - max(note.onset, start), 0)
        if symbol is not None:
            want[list(symbol.tones)] = 1
    own, wanted = best_triads(chroma), best_triads(written)
    fit = written @ TRIADS.T  # a chord of four tones is as near to two triads
    tied = np.array([fit[i, one] == fit[i].max() for i, one in enumerate(own)])
    known = (wanted >= 0) & (own >= 0)
    return Count(float((tied & known).sum()), float(known.sum()))


def table(counts: dict[str, Count]) -> str:
    """Return a Markdown table: a row for each kind of chord."""
    lines = [
        "| % (half bars) | written bass | tones | telling tone | third |",
        "|---|---|---|---|---|",
    ]
    for kind in KINDS:
        found = [counts.get(f"{figure}, {kind}") for figure in FIGURES]
        if found[0] is None:
            continue
        cells = ["" if one is None or not one.of else f"{100 * one.ratio:.1f}" for one in found]
        lines.append(f"| {kind} ({found[0].of:g}) | " + " | ".join(cells) + " |")
    return "\n".join([*lines, f"chord match {100 * counts['match'].ratio:.1f}"])


if __name__ == "__main__":
    main()
