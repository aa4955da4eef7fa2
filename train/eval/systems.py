"""The systems that `train evaluate` compares: ours, the published method, rivals and peers."""

import json
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import yaml

from accomp.band.accompanist import Accompanist
from accomp.models.files import CONFIG_FILE
from accomp.models.genre_files import MODELS
from accomp.models.hub import genres
from train.data.corpus import Corpus
from train.data.tasks import Task, excerpt
from train.eval import stage
from train.eval.cost import cost_of
from train.eval.stage import Performance
from train.fit.run_files import WEIGHTS
from train.fit.settings import CONFIGS, genre_of
from train.rivals.cnn import CNNs
from train.rivals.gan import GAN
from train.rivals.gru import NextNotes
from train.rivals.retrieval import Retrieval
from train.rivals.rnn import MultiRNNs
from train.rivals.transformer import Transformers

# What accomp is without: settings of its config, or arguments of accompany.
ABLATIONS = {
    "chord_plan": {"planner": None},
    "all_keys": {"keys": 1},
    "agreement": {"agree": False},
    "sevenths": {"colours": False},
    "variety": {"variety": {}},
    "steadiness": {"steadiness": {}},
    "form": {"form": False},
    "song_form": {"song": False},
    "feel": {"feel": False},
}
ARGUMENTS = ("form", "feel", "variation")  # settings that are arguments of accompany
AS_PUBLISHED = {"form": False, "feel": False}  # the published method has neither
OTHERWISE = "pop"  # the model for songs of genres that have none
# Of --rivals: what plays a run of train.rivals.<name>, by the name of its folder.
RIVALS = {"gru": NextNotes, "rnn": MultiRNNs, "gan": GAN, "transformer": Transformers}

Play = Callable[[Task, int], Performance | None]


@dataclass
class System:
    """A system that accompanies melodies.

    Attributes:
        name: Under which its figures are kept.
        play: From a melody and a seed to a performance; None if it has none of that melody.
        kinds: Of the melodies that it is measured on.
        by_chance: Whether seeds make a difference.
    """

    name: str
    play: Play
    kinds: tuple[str, ...] = ("test", "bench")
    by_chance: bool = True


def systems(options: Namespace, corpus: Corpus) -> list[System]:
    """List the systems that the options of `python -m train evaluate` name."""
    found = [
        System("real", lambda task, seed: stage.real(task, corpus), ("test",), by_chance=False)
    ]
    found += _ours(options) + _published(options)
    if options.cnn:
        cnn = cache(lambda: CNNs(options.cnn, corpus))
        found.append(System("cnn", lambda task, seed: stage.rival(cnn(), task, seed)))
    found += [_of_run(run, corpus) for run in rival_runs(options)]
    retrieval = cache(lambda: Retrieval(options.corpus))
    found.append(System("retrieval", lambda task, seed: stage.rival(retrieval(), task, seed)))
    found.append(System("random", _random_pairs(corpus, options.split)))
    return found + [
        System(peer, lambda task, seed, p=peer: stage.peer(task, p), ("bench",), by_chance=False)
        for peer in stage.PEERS
    ]


def _ours(options: Namespace) -> list[System]:
    """Our models, and one genre's without each of its parts."""
    models = options.models
    known = genres()
    if models:
        known = sorted(path.parent.name for path in models.glob(f"*/{CONFIG_FILE}"))

    def own(genre: str, settings: dict) -> Play:
        source = str(models / genre if models else genre)
        return partial(_play_configured, source, settings)

    def matching(task: Task, seed: int) -> Performance:
        return own(genre_for(task, known), options.settings)(task, seed)

    # On the test songs each melody gets its own genre; on the bench every genre plays every melody.
    found = [System(options.name, matching, ("test",))]
    found += [
        System(f"{options.name}_{genre}", own(genre, options.settings), ("bench",))
        for genre in known
    ]
    for part, settings in ABLATIONS.items() if options.ablations else ():
        play = own(options.ablations, {**options.settings, **settings})
        found.append(System(f"without_{part}", play, ("bench",)))
    return found


def _published(options: Namespace) -> list[System]:
    """Return the published method, without and with noise."""
    if not options.paper:
        return []
    paper = cache(lambda: Accompanist.from_pretrained(options.paper))

    def plain(task: Task, seed: int) -> Performance:
        return stage.ours(paper(), task, seed, **AS_PUBLISHED)

    def noisy(task: Task, seed: int) -> Performance:
        return stage.ours(paper(), task, seed, **AS_PUBLISHED, variation=1.0)

    return [System("paper", plain, by_chance=False), System("paper_noise", noisy)]


def _of_run(run: Path, corpus: Corpus) -> System:
    """Return the system of a folder in --rivals: a model of all genres in one, or a rival."""
    if (run / CONFIG_FILE).is_file():

        def play(task: Task, seed: int) -> Performance:
            return _play_configured(str(run), {"genre": genre_for(task, genres())}, task, seed)

        return System(run.name, play)
    player = cache(lambda: RIVALS[run.name](run, corpus))
    return System(run.name, lambda task, seed: stage.rival(player(), task, seed))


def _random_pairs(corpus: Corpus, split: str) -> Play:
    """Play the band of another song of the split, drawn for each melody and seed."""
    songs = [song for song in corpus.choose(split) if excerpt(corpus, song)]

    def play(task: Task, seed: int) -> Performance:
        random = np.random.default_rng([seed, *task.name.encode()])
        return stage.real(
            task, corpus, int(random.choice([song for song in songs if song != task.song]))
        )

    return play


def genre_for(task: Task, known: list[str]) -> str:
    """Choose the genre of a task's song; if it isn't known, pop, or the first that is."""
    genre = genre_of(yaml.safe_load((CONFIGS / "accomp.yaml").read_text()), task.group)
    return genre if genre in known else OTHERWISE if OTHERWISE in known else known[0]


def _play_configured(source: str, settings: dict, task: Task, seed: int) -> Performance:
    """Play with a model and settings, of its config or of accompany."""
    arguments = {key: value for key, value in settings.items() if key in ARGUMENTS}
    return stage.ours(configured(source, json.dumps(settings)), task, seed, **arguments)


@cache
def configured(source: str, settings: str) -> Accompanist:
    """Load a model and change settings (JSON) of its config, or of its planner's or networks'."""
    model = Accompanist.from_pretrained(source)
    for name, value in json.loads(settings).items():
        if name == "planner" and value is None:
            model.planner = model.config.planner = None
            continue
        for part in (model.config, model.config.planner, model.config.harmony):
            if part is not None and hasattr(part, name):
                setattr(part, name, value)
    return model


def rival_runs(options: Namespace) -> list[Path]:
    """List the folders in --rivals that hold a trained rival or a model."""
    folders = sorted(options.rivals.glob("*/")) if options.rivals else []
    return [
        f
        for f in folders
        if (f / CONFIG_FILE).is_file() or (f.name in RIVALS and (f / WEIGHTS).is_file())
    ]


def costs_of(options: Namespace) -> dict[str, dict]:
    """Measure what training cost, of the systems whose runs the options name."""
    costs = {run.name: cost_of(run) for run in rival_runs(options)}
    if options.run:
        models = options.models or MODELS
        found = sorted(path.parent for path in models.glob(f"*/{CONFIG_FILE}"))
        costs["accomp"] = cost_of(options.run, next(iter(found), None))
    if options.paper:
        costs["paper"] = cost_of(options.paper.parent, options.paper)
    if options.cnn:
        costs["cnn"] = cost_of(options.cnn)
    return costs
