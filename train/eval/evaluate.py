"""Measure the music: `python -m train evaluate --corpus CORPUS --judges RUN --out FOLDER [--bench BENCH] ...`.

Every system accompanies the melodies of the corpus's test songs and of the bench, with each seed, through the function that
users call. FOLDER gets a file of figures for each system, which is kept: a system measured already is not measured
again. RESULTS (model_cards/results.json) and its table are made of them. The judges come from train.fit.judges, the baselines
from train/configs/paper.yaml and train.rivals.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
import yaml
from tqdm import tqdm

from accomp.band.accompanist import Accompanist
from accomp.models.files import CONFIG_FILE
from accomp.models.hub import MODELS, genres
from accomp.music import keys as tonality
from accomp.music.melody_track import skyline
from accomp.roll import chord_plan as chords
from accomp.roll.grid import (
    ACCOMPANIMENT,
    BAR_STEPS,
    BLOCK_HALF_BARS,
    BLOCK_STEPS,
    GUITAR,
    MELODY,
    STRINGS,
    TRACK_NAMES,
)
from accomp.roll.pianoroll import to_blocks
from train.data.corpus import Corpus
from train.eval import hearing, metrics, report, stage
from train.eval.cost import cost_of
from train.eval.stage import Performance, Task
from train.fit.judges import Judges
from train.fit.run_files import WEIGHTS, write_json
from train.fit.settings import CONFIGS, genre_of
from train.rivals.cnn import CNNs
from train.rivals.gan import GAN
from train.rivals.gru import NextNotes
from train.rivals.retrieval import Retrieval
from train.rivals.rnn import MultiRNNs
from train.rivals.transformer import Transformers

OTHER_MELODIES = 5  # that consonance is compared with
# What accomp is without: settings of its config, or arguments of accompany.
ABLATIONS = {
    "chord_plan": {"planner": None},
    "all_keys": {"keys": 1},
    "agreement": {"agree": False},
    "sevenths": {"colours": False},
    "variety": {"variety": {}},
    "steadiness": {"steadiness": {}},
    "shape": {"shape": False},
    "song_shape": {"song": False},
    "feel": {"feel": False},
}
OTHERWISE = "pop"  # the model for songs of genres that have none
# Of --rivals: what plays a run of train.rivals.<name>, by the name of its folder. Models there are systems like ours.
RIVALS = {"gru": NextNotes, "rnn": MultiRNNs, "gan": GAN, "transformer": Transformers}


@torch.no_grad()
def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="train evaluate", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--corpus", type=Path, required=True, help="folder that train.data.prepare wrote"
    )
    parser.add_argument("--judges", type=Path, help="folder that train.fit.judges wrote")
    parser.add_argument(
        "--transcription",
        action="store_true",
        help="measure how recordings are heard instead (train.eval.hearing)",
    )
    parser.add_argument(
        "--peers", action="store_true", help="by other transcribers, too (train.eval.hearing_peers)"
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="processes that measure how recordings are heard"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the figures of each system"
    )
    parser.add_argument(
        "--bench", type=Path, help="folder of lead sheets, with what other systems made of them"
    )
    parser.add_argument("--paper", type=Path, help="model folder of the published method")
    parser.add_argument("--cnn", type=Path, help="folder that train.rivals.cnn wrote")
    parser.add_argument(
        "--rivals",
        type=Path,
        help="folder of runs of train.rivals: gru, rnn, gan, transformer, latent_...",
    )
    parser.add_argument(
        "--run", type=Path, help="run that our models were made of, to state what it cost"
    )
    parser.add_argument(
        "--models", type=Path, help="folder of the genres' models (default: the embedded ones)"
    )
    parser.add_argument("--systems", nargs="*", help="measure these only (default: all)")
    parser.add_argument(
        "--split", choices=["test", "val"], default="test", help="val: while choosing settings"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limit", type=int, help="measure on so many melodies of each kind only")
    parser.add_argument(
        "--settings",
        type=json.loads,
        default={},
        help="JSON of arguments and settings for ours, to try others",
    )
    parser.add_argument("--name", default="accomp", help="under which ours is kept")
    parser.add_argument(
        "--ablations",
        metavar="GENRE",
        help="measure this genre on the bench without each of its parts, too",
    )
    parser.add_argument(
        "--results", type=Path, help="write the results here, e.g. model_cards/results.json"
    )
    options = parser.parse_args(arguments)
    if options.transcription:
        hearing.run(options)
        return
    if not options.judges:
        raise SystemExit("--judges is missing: a folder that train.fit.judges wrote")

    corpus, judges = Corpus.load(options.corpus), Judges.load(options.judges)
    tasks = {"test": stage.song_tasks(corpus, options.split)[: options.limit]}
    if options.bench:
        tasks["bench"] = stage.bench_tasks(options.bench)[: options.limit]
    listener = Accompanist.from_pretrained(
        next(iter(sorted(options.models.glob("*/")))) if options.models else genres()[0]
    )
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "genres.json").write_text(json.dumps(judges.genres))
    for system in systems(options, corpus):
        for kind, chosen in tasks.items():
            path = options.out / f"{kind}_{system.name}.json"
            asked_for = not options.systems or system.name in options.systems
            if not chosen or path.is_file() or kind not in system.kinds or not asked_for:
                continue
            songs = []
            for task in tqdm(chosen, desc=path.stem, unit="song"):
                played = [
                    system.play(task, seed)
                    for seed in range(options.seeds if system.by_chance else 1)
                ]
                others = other_melodies(chosen, task)
                measured = [measure(task, p, judges, others, listener) for p in played if p]
                if measured:
                    songs.append({"name": task.name, "group": task.group, "seeds": measured})
            if songs:
                path.write_text(json.dumps(songs))
    costs = options.out / report.COSTS
    write_json(
        costs, {**(json.loads(costs.read_text()) if costs.is_file() else {}), **costs_of(options)}
    )
    results = report.collect(options.out)
    if options.results:
        write_json(options.results, results)
    print("\n\n".join(f"{name}\n{value}" for name, value in report.tables(results).items()))


@dataclass
class System:
    """Something that accompanies. play(task, seed): its Performance, or None; kinds: of the melodies that it is measured on;
    by_chance: whether seeds make a difference.
    """

    name: str
    play: Callable[[Task, int], Performance | None]
    kinds: tuple[str, ...] = ("test", "bench")
    by_chance: bool = True


def systems(options: argparse.Namespace, corpus: Corpus) -> list[System]:
    def own(genre: str, settings: dict):
        """play(task, seed) of one genre's model with some settings."""
        source = str(options.models / genre if options.models else genre)
        arguments = {
            key: value for key, value in settings.items() if key in ("shape", "feel", "variation")
        }
        return lambda task, seed: stage.ours(
            configured(source, json.dumps(settings)), task, seed, **arguments
        )

    known = (
        sorted(path.parent.name for path in options.models.glob("*/config.json"))
        if options.models
        else genres()
    )

    def matching(task: Task) -> str:
        return genre_for(task, known)

    found = [
        System("real", lambda task, seed: stage.real(task, corpus), ("test",), by_chance=False)
    ]
    # On the test songs each melody gets its own genre; on the bench every genre plays every melody.
    found.append(
        System(options.name, lambda t, seed: own(matching(t), options.settings)(t, seed), ("test",))
    )
    found += [
        System(f"{options.name}_{genre}", own(genre, options.settings), ("bench",))
        for genre in known
    ]
    if options.ablations:
        found += [
            System(
                f"without_{part}",
                own(options.ablations, {**options.settings, **settings}),
                ("bench",),
            )
            for part, settings in ABLATIONS.items()
        ]
    if options.paper:
        paper = cache(lambda: Accompanist.from_pretrained(options.paper))
        found.append(
            System(
                "paper",
                lambda t, seed: stage.ours(paper(), t, seed, shape=False, feel=False),
                by_chance=False,
            )
        )
        found.append(
            System(
                "paper_noise",
                lambda t, seed: stage.ours(
                    paper(), t, seed, shape=False, feel=False, variation=1.0
                ),
            )
        )
    if options.cnn:
        cnn = cache(lambda: CNNs(options.cnn, corpus))
        found.append(System("cnn", lambda t, seed: stage.rival(cnn(), t, seed)))
    found += [rival(run, corpus) for run in rival_runs(options)]
    retrieval = cache(lambda: Retrieval(options.corpus))
    found.append(System("retrieval", lambda t, seed: stage.rival(retrieval(), t, seed)))
    songs = [song for song in corpus.choose(options.split) if stage.excerpt(corpus, song)]

    def random_pair(task: Task, seed: int) -> Performance:
        random = np.random.default_rng([seed, *task.name.encode()])
        return stage.real(
            task, corpus, int(random.choice([song for song in songs if song != task.song]))
        )

    found.append(System("random", random_pair))
    for peer in stage.PEERS:
        found.append(
            System(peer, lambda t, seed, p=peer: stage.peer(t, p), ("bench",), by_chance=False)
        )
    return found


def genre_for(task: Task, known: list[str]) -> str:
    """Of the known genres the one that a task's song is of, or another where there is none."""
    genre = genre_of(yaml.safe_load((CONFIGS / "accomp.yaml").read_text()), task.group)
    return genre if genre in known else OTHERWISE if OTHERWISE in known else known[0]


def rival_runs(options: argparse.Namespace) -> list[Path]:
    """The folders in --rivals that hold a trained rival or a model."""
    folders = sorted(options.rivals.glob("*/")) if options.rivals else []
    return [
        f
        for f in folders
        if (f / CONFIG_FILE).is_file() or (f.name in RIVALS and (f / WEIGHTS).is_file())
    ]


def rival(run: Path, corpus: Corpus) -> System:
    if (run / CONFIG_FILE).is_file():  # of all genres in one

        def play(task: Task, seed: int) -> Performance:
            return stage.ours(
                configured(str(run), json.dumps({"genre": genre_for(task, genres())})), task, seed
            )

        return System(run.name, play)
    player = cache(lambda: RIVALS[run.name](run, corpus))
    return System(run.name, lambda task, seed: stage.rival(player(), task, seed))


def costs_of(options: argparse.Namespace) -> dict[str, dict]:
    """What training the systems cost whose runs are known."""
    costs = {run.name: cost_of(run) for run in rival_runs(options)}
    if options.run:
        models = options.models or MODELS
        costs["accomp"] = cost_of(
            options.run,
            next(iter(sorted(path.parent for path in models.glob(f"*/{CONFIG_FILE}"))), None),
        )
    if options.paper:
        costs["paper"] = cost_of(options.paper.parent, options.paper)
    if options.cnn:
        costs["cnn"] = cost_of(options.cnn)
    return costs


@cache
def configured(source: str, settings: str) -> Accompanist:
    """A model with settings of its config, or of its planner's, changed."""
    model = Accompanist.from_pretrained(source)
    for name, value in json.loads(settings).items():
        if name == "planner" and value is None:
            model.planner = model.config.planner = None
            continue
        for part in (model.config, model.config.planner, model.config.harmony):
            if part is not None and hasattr(part, name):
                setattr(part, name, value)
    return model


def other_melodies(tasks: list[Task], task: Task) -> list[np.ndarray]:
    """Melodies of other songs, in the normal key too."""
    at = next(i for i, other in enumerate(tasks) if other is task)
    count = min(OTHER_MELODIES, len(tasks) - 1)
    return [
        tasks[(at + 1 + i * max(1, len(tasks) // (count + 1))) % len(tasks)].melody
        for i in range(count)
    ]


def measure(
    task: Task, played: Performance, judges: Judges, others: list[np.ndarray], listener: Accompanist
) -> dict:
    """All figures of one performance; those of blocks as lists. others: melodies of other songs; listener: whose VAEs hear
    form.
    """
    planes, melody = played.planes, task.melody
    pitched = np.concatenate(
        [planes[list(metrics.PITCHED)], *[other[None] for other in played.others]]
    )
    triads = metrics.best_triads(sum(chords.chroma(part) for part in pitched))
    figures = {
        "consonance": metrics.consonance(melody, pitched),
        "lift": float(
            np.mean([metrics.consonance_lift(melody, other, pitched) for other in others])
        )
        if others
        else np.nan,
        "chord_match": metrics.chord_match(triads[: len(task.triads)], task.triads[: len(triads)]),
        "tonal_distance": metrics.tonal_distance(planes[GUITAR], planes[STRINGS]),
        "groove": metrics.groove_similarity(planes),
        "on_eighths": metrics.drum_pattern(planes[0]),
    }
    for track in ACCOMPANIMENT:
        name = TRACK_NAMES[track]
        figures[f"empty_{name}"] = metrics.empty_bars(planes[track])
        figures[f"neighbours_{name}"] = metrics.neighbour_similarity(planes[track])
        if track in metrics.PITCHED:
            figures[f"classes_{name}"] = metrics.used_pitch_classes(planes[track])
    for track in (GUITAR, STRINGS):
        figures[f"movement_{TRACK_NAMES[track]}"] = metrics.voice_movement(planes[track])
    notes = [
        note for i, track in enumerate(played.score.tracks) if i != MELODY for note in track.notes
    ]
    figures["velocity_std"] = metrics.velocity_std(notes)
    figures["qualified"] = metrics.qualified_notes(
        [note for t in metrics.PITCHED for note in played.score.tracks[t].notes]
    )
    figures["notes_per_bar"] = planes[list(ACCOMPANIMENT), 0].sum() / (planes.shape[2] / BAR_STEPS)
    if played.score.chords:
        figures["own_chords"] = metrics.chord_match(triads, stage.plan_of(played.score, task))
    if task.labels:
        figures["structure"] = metrics.structure(*form_of(planes, triads, task.labels, listener))
    line = skyline(task.score.tracks[task.melody_track].notes)
    key = tonality.estimate_key(line)
    ending = metrics.ends_together(played.score, key.tonic)
    figures |= {f"ends_{k}": float(v) for k, v in ending._asdict().items()}
    # A last note outside of the tonic triad denies the tonic.
    denied = not chords.TRIADS[key.tonic + 12 * key.is_minor, line[-1].pitch % 12]
    figures["ends"] = float(
        ending.sounding and ending.together and ending.held and (ending.on_tonic or denied)
    )
    figures |= {f"by_block_{k}": v.tolist() for k, v in metrics.by_block(planes)._asdict().items()}
    figures["genre"] = judges.genre(planes).tolist()
    figures["matched"] = judges.matched(planes).astype(float).tolist()
    figures["embedding"] = np.round(judges.embed(planes), 4).tolist()
    return figures


def form_of(
    planes: np.ndarray, triads: np.ndarray, labels: list[str], model: Accompanist
) -> tuple[np.ndarray, list[str]]:
    """Cosine similarity of the blocks' latents (all four instruments', one after another, by the VAEs of `model`) and the label
    of each block.
    """
    plan = torch.from_numpy(np.maximum(triads, 0).reshape(-1, BLOCK_HALF_BARS))
    latents = torch.cat(
        [
            model.encode(t, torch.from_numpy(to_blocks(planes[t])), plan)[:, :-1]
            for t in ACCOMPANIMENT
        ],
        dim=1,
    )
    bars = BLOCK_STEPS // BAR_STEPS
    of_block = labels[::bars][: len(latents)]
    unit = chords.unit(latents[: len(of_block)].numpy())
    return unit @ unit.T, of_block


if __name__ == "__main__":
    main()
