"""Train a judge to tell our bands from real ones: `python -m train tell_apart ...`.

    python -m train tell_apart --songs MIDI_FOLDER [--bench BENCH] [--models FOLDER]
        [--genres pop jazz] [--limit N] [--reference FILE] [--out FILE]

Ours accompanies the melodies of real songs (test and val, with drums, bass and guitar) in their
genres, with the players that the song has. The judge (train.fit.judge_playing) hears eight bars of
either on a grid of sixteenths, without velocities and sounds, and is asked about songs that it does
not know. Printed is its accuracy, chance being .5, and what gives ours away. "chance" calls one
half of the real songs a system's. With --bench also peers' results to its melodies and ours, each
against the same real songs; there the melodies differ, too. --reference keeps what was read of
real songs and peers.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import yaml

from accomp.band.accompanist import Accompanist
from accomp.errors import MusicError
from accomp.models.genre_files import MODELS
from accomp.models.places import CONFIG_FILE
from accomp.music.melody_track import choose_melody
from accomp.music.midi import read_midi
from accomp.music.score import Bar, Note, Score, Tempo, Track
from accomp.roll.grid import ACCOMPANIMENT, MELODY
from train.command_line import command_parser
from train.data.songs import read_labels
from train.eval import playing_songs
from train.eval.playing_songs import Melody, player_names, players
from train.eval.stage import PEERS
from train.fit.judge_playing import Pieces, Verdict, tell_apart
from train.fit.settings import CONFIGS, genre_of
from train.metrics.playing_notes import Playing
from train.metrics.playing_pieces import features, pieces

OURS, CHANCE = "ours", "chance"
BAR = 4.0  # beats
MARGIN = 8  # bars of melody after those that are judged: an ending there gives nothing away
SHOWN = 25  # features
EVERYBODY = player_names((*ACCOMPANIMENT, MELODY))


@dataclass
class RealSong:
    """A real song: its melody, which ours accompanies, and its pieces.

    Attributes:
        name: Of the file.
        genre: Of our genres.
        lineup: Names of its players.
        bars: That are judged.
        tempo: Microseconds a beat at its beginning.
        melody: Its notes; the first bar that is judged begins at beat 4.
        pieces: Features of each piece.
    """

    name: str
    genre: str
    lineup: list[str]
    bars: int
    tempo: int
    melody: list[Note]
    pieces: list[dict[str, float]]

    @classmethod
    def of(cls, name: str, genre: str, score: Score) -> "RealSong | None":
        """Read a song; None where it has no drums, bass or guitar, or other meters."""
        song = playing_songs.real_song(score)
        if song is None:
            return None
        track = score.tracks[choose_melody(score)]
        first = playing_songs.measured_bars(score, track)[0].onset
        end = first + BAR * (song.bars + MARGIN)
        melody = [
            note._replace(onset=note.onset - first + BAR)
            for note in track.notes
            if first - BAR <= note.onset < end
        ]
        tempo = [t.microseconds for t in score.tempos if t.onset <= first][-1:] or [500_000]
        lineup = player_names(players(song))
        return cls(
            name, genre, sorted(lineup), song.bars, tempo[0], melody, described(song, lineup)
        )

    @property
    def task(self) -> Melody:
        """The melody, to be accompanied."""
        score = Score([Track("melody", notes=self.melody)], [Tempo(0.0, self.tempo)])
        bars = [Bar(BAR * (1 + bar), score.meters[0]) for bar in range(self.bars)]
        return Melody(self.name, score, 0, bars, Path())


@dataclass
class Reference:
    """What ours is told from, and peers.

    Attributes:
        real: The real songs.
        peers: By name of the peer, of each of its results the name of the melody and its pieces.
    """

    real: list[RealSong]
    peers: dict[str, list[tuple[str, list[dict[str, float]]]]]

    @classmethod
    def load(cls, path: Path) -> "Reference":
        """Read what `save` wrote."""
        kept = json.loads(path.read_text())
        real = [RealSong(**song) for song in kept["real"]]
        for song in real:
            song.melody = [Note(*note) for note in song.melody]
        return cls(real, kept["peers"])

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self)))


def described(song: Playing, lineup: set[str]) -> list[dict[str, float]]:
    """Describe each piece of a song."""
    return [
        {name: round(value, 5) for name, value in features(piece, lineup).items()}
        for piece in pieces(song)
    ]


def main(arguments: list[str] | None = None) -> None:
    """Fit judges of ours, of chance and of peers, and print what they can tell."""
    options = _parse(arguments)
    reference = _reference(options)
    real = [song for song in reference.real if song.genre in _genres(options)][: options.limit]
    theirs = Pieces(*_flat((song.name, song.pieces) for song in real))
    verdicts = {OURS: tell_apart(theirs, Pieces(*_flat(_ours(real, options))))}
    order = np.random.default_rng(0).permutation(len(real))
    one, other = (
        Pieces(*_flat((real[i].name, real[i].pieces) for i in order[part::2])) for part in (0, 1)
    )
    verdicts[CHANCE] = tell_apart(one, other)
    if options.bench:
        verdicts[f"{OURS}, lead sheets"] = tell_apart(
            theirs, Pieces(*_flat(_ours_on_bench(options)))
        )
        for peer, results in reference.peers.items():
            verdicts[peer] = tell_apart(theirs, Pieces(*_flat(results)))
    print(report(verdicts, len(real)))
    if options.out:
        found = {name: asdict(verdict) for name, verdict in verdicts.items()}
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps({"songs": len(real), "verdicts": found}, indent=1))


def report(verdicts: dict[str, Verdict], songs: int) -> str:
    """Write accuracies, and what gives ours away."""
    lines = [f"told from {songs} real songs, % of pieces of eight bars (chance 50):"]
    lines += [f"  {name:22} {100 * verdict.accuracy:5.1f}" for name, verdict in verdicts.items()]
    ours = verdicts[OURS]
    lines.append("what the judge of ours needs: points lost without it, over all players")
    lines += [f"  {name:36} {100 * lost:5.1f}" for name, lost in list(ours.told.items())[:12]]
    lines.append("features that tell ours alone: real, ours, area under the curve")
    telling = sorted(ours.alone, key=lambda name: -abs(ours.alone[name] - 0.5))
    for name in telling[:SHOWN]:
        real, own = ours.means[name]
        lines.append(f"  {name:46} {real:8.2f} {own:8.2f}   {ours.alone[name]:.2f}")
    return "\n".join(lines)


def _flat(
    songs: Iterable[tuple[str, list[dict[str, float]]]],
) -> tuple[list[dict[str, float]], list[str]]:
    """Return the pieces of songs, and of each the song's name."""
    listed = list(songs)
    return (
        list(chain.from_iterable(of_song for _, of_song in listed)),
        [name for name, of_song in listed for _ in of_song],
    )


def _ours(
    songs: list[RealSong], options: argparse.Namespace
) -> Iterator[tuple[str, list[dict[str, float]]]]:
    """Accompany the songs' melodies, each in its genre."""
    for genre in sorted({song.genre for song in songs}):
        model = Accompanist.from_pretrained(options.models / genre)
        for song in songs:
            if song.genre == genre:
                result = playing_songs.our_result(model, song.task, options.seed)
                yield song.name, described(result, set(song.lineup))


def _ours_on_bench(
    options: argparse.Namespace,
) -> Iterator[tuple[str, list[dict[str, float]]]]:
    """Accompany the lead sheets, each in one genre, in turn."""
    melodies = playing_songs.read_melodies(options.bench)
    genres = _genres(options)
    for number, genre in enumerate(genres):
        model = Accompanist.from_pretrained(options.models / genre)
        for melody in melodies[number :: len(genres)]:
            result = playing_songs.our_result(model, melody, options.seed)
            yield melody.name, described(result, EVERYBODY)


def _genres(options: argparse.Namespace) -> list[str]:
    known = sorted(path.parent.name for path in options.models.glob(f"*/{CONFIG_FILE}"))
    return options.genres or known


def _reference(options: argparse.Namespace) -> Reference:
    if options.reference and options.reference.is_file():
        return Reference.load(options.reference)
    if not options.songs:
        raise SystemExit("--songs is missing: a folder of real songs with its labels.csv")
    found = Reference(list(_real(options)), dict(_peers(options.bench)) if options.bench else {})
    if options.reference:
        found.save(options.reference)
    return found


def _real(options: argparse.Namespace) -> Iterator[RealSong]:
    config = yaml.safe_load((CONFIGS / "accomp.yaml").read_text())
    for row in read_labels(options.songs / "labels.csv", ("file", "genre", "split")):
        if row["split"] not in options.splits:
            continue
        try:
            score = read_midi(options.songs / row["file"])
        except MusicError:
            continue
        song = RealSong.of(row["file"], genre_of(config, row["genre"]), score)
        if song:
            yield song


def _peers(
    bench: Path,
) -> Iterator[tuple[str, list[tuple[str, list[dict[str, float]]]]]]:
    """Read the peers' results; of each song the players that play in it are described."""
    melodies = playing_songs.read_melodies(bench)
    for peer, title in PEERS.items():
        results = []
        for melody in melodies:
            song = playing_songs.peer_result(melody, bench, peer)
            if song:
                results.append((melody.name, described(song, player_names(players(song)))))
        if results:
            yield title, results


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = command_parser("tell_apart", __doc__)
    parser.add_argument("--songs", type=Path, help="folder of real songs with its labels.csv")
    parser.add_argument("--splits", nargs="+", default=["test", "val"], help="of the real songs")
    parser.add_argument("--bench", type=Path, help="folder of lead sheets with peers' results")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of the genres' models")
    parser.add_argument("--genres", nargs="+", help="default: all of the folder")
    parser.add_argument("--limit", type=int, help="so many real songs only")
    parser.add_argument("--seed", type=int, default=0, help="of our results (default: 0)")
    parser.add_argument("--reference", type=Path, help="file that keeps real songs and peers")
    parser.add_argument("--out", type=Path, help="file for all that the judges found")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
