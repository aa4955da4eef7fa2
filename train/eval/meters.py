"""Measure whether bands play in three and in six as people do: `python -m train meters ...`.

    python -m train meters LEAD_SHEETS.jsonl.gz ... --corpus CORPUS [--models FOLDER]
        [--genres pop jazz] [--limit 20] [--splits val test]

The onset profile of each player (train.metrics.onset_profile) in our results to held-out lead
sheets in 3/4 and 6/8 is compared with that of the corpus's songs in such a meter, of the genre if
it has a few; songs that were written for accomp do not count. Of each player two distances are
printed: of the mean profiles, and of a result to the real song that is nearest to it, on the mean.
The first asks for the mixture of styles that the real songs happen to be, the second whether anyone
plays so. Beside them stand those of one half of the real songs to the other, and of a real song to
the nearest other one.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accomp.band.accompanist import Accompanist
from accomp.band.lead import Lead
from accomp.models.genre_files import MODELS
from accomp.music.score import Score
from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, BLOCK_STEPS, COMPOUND, MELODY, THREE, TRACK_NAMES
from train.command_line import command_parser, present
from train.data.comping import SOURCE
from train.data.corpus import Corpus
from train.data.lead_sheets import read_lead_sheets
from train.metrics.onset_profile import onset_profile, profile_distance

SIGNATURES = {THREE: (3, 4), COMPOUND: (6, 8)}
Strokes = dict[int, np.ndarray]  # by track, [S] bool, in one meter


@dataclass(frozen=True)
class MeterSettings:
    """What is measured."""

    fewest_beats: float = 24.0  # of a sheet
    fewest_blocks: int = 4  # of a real song in the meter
    fewest_songs: int = 4  # of a genre; if it has fewer, all genres are the reference


def main(arguments: list[str] | None = None, settings: MeterSettings = MeterSettings()) -> None:
    """Print the distances."""
    parser = command_parser("meters", __doc__)
    parser.add_argument("sheets", type=present, nargs="+", metavar="LEAD_SHEETS", help=".jsonl.gz")
    parser.add_argument("--corpus", type=Path, required=True, metavar="CORPUS")
    parser.add_argument("--models", type=Path, default=MODELS, metavar="FOLDER")
    parser.add_argument("--genres", nargs="+", default=["pop"], metavar="GENRE")
    parser.add_argument("--limit", type=int, default=20, help="sheets (default: %(default)s)")
    parser.add_argument("--splits", nargs="+", default=["val", "test"], metavar="SPLIT")
    parser.add_argument("--profiles", action="store_true", help="print the profiles, too")
    options = parser.parse_args(arguments)
    corpus, tunes = Corpus.load(options.corpus), held_out(options.sheets, options.limit, settings)
    models = {g: Accompanist.from_pretrained(options.models / g) for g in options.genres}
    print("| meter | | " + " | ".join(TRACK_NAMES[track] for track in ACCOMPANIMENT) + " |")
    print("|---" * (len(ACCOMPANIMENT) + 2) + "|")
    for meter, signature in SIGNATURES.items():
        by_genre = real_strokes(corpus, options.splits, meter, settings)
        real = [song for songs in by_genre.values() for song in songs]
        title = "/".join(map(str, signature))
        print(
            f"| {title} | {len(real)} real songs, in halves | {cells(real[::2], real[1::2], real)}"
        )
        for genre, model in models.items():
            ours = [strokes(model.accompany(tune), meter) for tune in tunes[meter]]
            own = by_genre.get(genre, [])
            reference = own if len(own) >= settings.fewest_songs else real
            name = f"{genre}: {len(ours)} melodies to {len(reference)} songs"
            print(f"| {title} | {name} | {cells(ours, reference)}", flush=True)
            if options.profiles:
                print_profiles({"ours": ours, "real": reference})


def cells(some: list[Strokes], others: list[Strokes], whole: list[Strokes] | None = None) -> str:
    """Return the two distances of each player, as cells of a table.

    Args:
        some: Songs or results.
        others: What they are compared with.
        whole: Songs each of which is compared with the nearest other one, instead of `some` with
            the nearest of `others`.
    """
    found = []
    for track in ACCOMPANIMENT:
        profiles = profile_of(some, track), profile_of(others, track)
        means = f"{profile_distance(*profiles):.2f}" if all(p.any() for p in profiles) else "–"
        far = nearest(whole, None, track) if whole else nearest(some, others, track)
        found.append(f"{means} / {'–' if np.isnan(far) else f'{far:.2f}'}")
    return " | ".join(found) + " |"


def nearest(some: list[Strokes], others: list[Strokes] | None, track: int) -> float:
    """Return the mean distance of songs to the nearest of others; NaN where there are none.

    Args:
        some: Songs or results; those in which the player is silent do not count.
        others: Real songs; None for the other ones of `some`.
        track: The player.
    """
    own = [onset_profile(song[track]) for song in some if song[track].any()]
    real = own if others is None else [onset_profile(s[track]) for s in others if s[track].any()]
    distances = np.array([[profile_distance(a, b) for b in real] for a in own])
    if others is None and len(own):
        np.fill_diagonal(distances, np.inf)
    usable = distances.size and np.isfinite(distances).any()
    return float(distances.min(1).mean()) if usable else float("nan")


def print_profiles(songs: dict[str, list[Strokes]]) -> None:
    """Print the percentage of each player's strokes at each step of the bar, by who plays."""
    for track in ACCOMPANIMENT:
        for name, of_name in songs.items():
            shares = "".join(f"{100 * share:4.0f}" for share in profile_of(of_name, track))
            print(f"    {TRACK_NAMES[track]:8} {name}{shares}")


def held_out(paths: list[Path], limit: int, settings: MeterSettings) -> dict[int, list[Score]]:
    """Return melodies of lead sheets that do not train, at most `limit` of each meter."""
    found: dict[int, list[Score]] = {meter: [] for meter in SIGNATURES}
    for sheet in read_lead_sheets(paths):
        track, signature = sheet.score.tracks[0], sheet.score.meters[0][1:]
        for meter, wanted in SIGNATURES.items():
            is_wanted = signature == wanted and sheet.split != "train" and not sheet.is_mixed
            if is_wanted and track.notes and track.end >= settings.fewest_beats:
                found[meter].append(Score([track], meters=sheet.score.meters))
    return {meter: scores[:limit] for meter, scores in found.items()}


def real_strokes(
    corpus: Corpus, splits: list[str], meter: int, settings: MeterSettings
) -> dict[str, list[Strokes]]:
    """Return where the players of real songs strike, in the blocks of a meter, by genre.

    Args:
        corpus: The songs.
        splits: Which of them.
        meter: Of METERS.
        settings: Which songs are long enough.
    """
    found: dict[str, list[Strokes]] = {}
    for song, entry in enumerate(corpus.songs):
        index = corpus.block_index([song])
        index = index[corpus.meters[index] == meter]
        is_real = entry["split"] in splits and entry.get("source") != SOURCE
        if is_real and len(index) >= settings.fewest_blocks:
            onsets = {t: corpus.blocks(t, index)[:, 0].numpy().any(2) for t in ACCOMPANIMENT}
            played = {track: struck.reshape(-1) for track, struck in onsets.items()}
            found.setdefault(entry["genre"], []).append(played)
    return found


def strokes(result: Score, meter: int) -> Strokes:
    """Return where the players of a result strike, in the blocks of a meter.

    Args:
        result: Five tracks in the order of TRACKS.
        meter: Of METERS.
    """
    grid = Lead.of(result, MELODY).grid
    blocks = np.repeat(grid.meters == meter, BLOCK_STEPS)
    found = {}
    for track in ACCOMPANIMENT:
        struck = np.zeros(grid.steps, bool)
        struck[pianoroll.on_grid(result.tracks[track].notes, grid)[:, 1]] = True
        found[track] = struck[blocks]
    return found


def profile_of(songs: list[Strokes], track: int) -> np.ndarray:
    """Return the mean onset profile of a player in songs in which it plays, [16]."""
    profiles = [onset_profile(song[track]) for song in songs if song[track].any()]
    return np.mean(profiles, axis=0) if profiles else np.zeros(16)
