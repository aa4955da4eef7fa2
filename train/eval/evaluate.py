"""Measure the music: `python -m train evaluate --corpus CORPUS --judges RUN --out FOLDER ...`.

Every system accompanies the melodies of the corpus's test songs and of the bench, with each seed,
through the function that users call. FOLDER gets a file of figures for each system; a system that
has one is not measured again. RESULTS (model_cards/results.json) and its tables are made of them.
`python -m train judges` makes the judges; the baselines come from train/configs/paper.yaml and
train/rivals.
"""

import argparse
import json
from pathlib import Path

import torch
from tqdm import tqdm

from accomp.band.accompanist import Accompanist
from accomp.models.hub import genres
from train.data.corpus import Corpus
from train.data.tasks import Task, bench_tasks, song_tasks
from train.eval import results
from train.eval.measure import Measuring, measure, other_melodies
from train.eval.systems import System, costs_of, systems
from train.eval.tables import tables
from train.fit.judges import Judges
from train.fit.run_files import write_json


@torch.no_grad()
def main(arguments: list[str] | None = None) -> None:
    """Measure the systems that the command line names, and print the tables."""
    options = _parse(arguments)
    if not options.judges:
        raise SystemExit("--judges is missing: a folder that python -m train judges wrote")
    corpus, judges = Corpus.load(options.corpus), Judges.load(options.judges)
    tasks = {"test": song_tasks(corpus, options.split)[: options.limit]}
    if options.bench:
        tasks["bench"] = bench_tasks(options.bench)[: options.limit]
    first = sorted(options.models.glob("*/"))[0] if options.models else genres()[0]
    tools = Measuring(judges, Accompanist.from_pretrained(first))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / results.GENRES).write_text(json.dumps(judges.genres))
    for system in systems(options, corpus):
        wanted = not options.systems or system.name in options.systems
        for kind in system.kinds if wanted else ():
            path = options.out / f"{kind}_{system.name}.json"
            if not path.is_file():
                measure_system(system, tasks.get(kind, []), path, options.seeds, tools)
    _write_costs(options)
    found = results.collect(options.out)
    if options.results:
        write_json(options.results, found)
    print("\n\n".join(f"{name}\n{value}" for name, value in tables(found).items()))


def measure_system(
    system: System, tasks: list[Task], path: Path, seeds: int, tools: Measuring
) -> None:
    """Let a system accompany melodies, and write the figures of each to a file.

    Args:
        system: The system.
        tasks: Melodies of one kind.
        path: The file; it isn't written if the system plays none of the melodies.
        seeds: How often each melody is accompanied, if seeds make a difference.
        tools: Judges and encoder.
    """
    songs = []
    for task in tqdm(tasks, desc=path.stem, unit="song") if tasks else ():
        played = [system.play(task, seed) for seed in range(seeds if system.by_chance else 1)]
        others = other_melodies(tasks, task)
        measured = [measure(task, band, others, tools) for band in played if band]
        if measured:
            songs.append({"name": task.name, "group": task.group, "seeds": measured})
    if songs:
        path.write_text(json.dumps(songs))


def _write_costs(options: argparse.Namespace) -> None:
    """Add what training cost to what was written before."""
    path = options.out / results.COSTS
    known = json.loads(path.read_text()) if path.is_file() else {}
    write_json(path, {**known, **costs_of(options)})


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="train evaluate", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--corpus", type=Path, required=True, help="folder that `train prepare` wrote"
    )
    parser.add_argument("--judges", type=Path, help="folder that `train judges` wrote")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the figures of each system"
    )
    parser.add_argument(
        "--bench", type=Path, help="folder of lead sheets, with what other systems made of them"
    )
    parser.add_argument("--paper", type=Path, help="model folder of the published method")
    parser.add_argument("--cnn", type=Path, help="folder that `train rivals.cnn` wrote")
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
    parser.add_argument("--seeds", type=int, default=3, help="how often each melody is accompanied")
    parser.add_argument("--limit", type=int, help="measure on so many melodies of each kind only")
    parser.add_argument(
        "--settings",
        type=json.loads,
        default={},
        help="JSON of arguments and settings for ours, to try others",
    )
    parser.add_argument("--name", default="accomp", help="name of ours in the files of figures")
    parser.add_argument(
        "--ablations",
        metavar="GENRE",
        help="also measure this genre on the bench without each of its parts",
    )
    parser.add_argument(
        "--results", type=Path, help="write the results here, e.g. model_cards/results.json"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
