"""Learn how loud and when the band's notes are played.

    python -m train feel --corpus CORPUS --run RUN

A small network learns each note's velocity (train.fit.feel_network). Levels, swing and small delays
of each genre are counted (train.fit.feel_statistics).
"""

import json
from dataclasses import asdict, dataclass, replace

import torch
from safetensors.torch import load_file

from accomp.models.feel import Feel, FeelConfig
from train.data.splits import SPLITS
from train.fit.feel_network import (
    VelocityExamples,
    VelocityTask,
    VelocityTraining,
    evaluate_velocities,
    fit_noise,
    position_baseline,
)
from train.fit.feel_statistics import (
    StatisticsSettings,
    Timing,
    describe_statistics,
    fit_feel_statistics,
    timings_of,
)
from train.fit.loop import FitSettings, fit
from train.fit.run_files import FIGURES, find_weights, save_weights, write_json
from train.fit.settings import Session, training_parser

CONFIG = "config.json"
FIT = FitSettings(
    epochs=8, batch_size=2048, learning_rate=3e-3, weight_decay=0.01, sample_every=1000
)


@dataclass(frozen=True)
class FeelTraining:
    """How a Feel is made, unless the config's `training` says how its network is trained."""

    velocities: VelocityTraining = VelocityTraining()
    statistics: StatisticsSettings = StatisticsSettings()
    fit: FitSettings = FIT
    fine_tune: FitSettings = replace(FIT, epochs=4, learning_rate=3e-4)


def main(arguments: list[str] | None = None, settings: FeelTraining = FeelTraining()) -> None:
    """Count how genres are played, then train the network."""
    session = Session.open(training_parser("feel", __doc__).parse_args(arguments))
    options, corpus = session.options, session.corpus
    songs = {split: session.songs(split) for split in SPLITS}
    torch.manual_seed(options.seed)
    model = start(session)
    # The statistics of the genre, or of all genres together and then of each.
    timings = timings_of(corpus, songs["train"], settings.statistics)
    genres = [session.genre_of(song["genre"]) for song in corpus.songs]
    count_playing(model, session, timings, genres, settings.statistics)
    # The network, on notes of tracks whose velocities vary.
    known = model.config.genres
    slots = [known.index(genre) if genre in known else len(known) for genre in genres]
    examples = {
        split: VelocityExamples.draw(corpus, songs[split], slots, options.seed, settings.velocities)
        for split in songs
    }
    for split in ("train", "val"):
        if not len(examples[split].target):
            raise SystemExit(f"no {split} song has a track with varied velocities")
    folder = options.run / "feel"
    task = VelocityTask(model, examples, settings.velocities)
    default = settings.fine_tune if options.init else settings.fit
    fit(folder, task, session.fit_settings("feel", default), options.max_steps)
    fit_noise(model, corpus, songs["train"], slots, settings.velocities)
    save_weights(folder, model)
    write_json(folder / CONFIG, asdict(model.config))
    baseline = position_baseline(examples["train"])
    figures = {"seed": options.seed, "notes": len(examples["train"].target)}
    figures["data"] = session.learned_from("feel")
    for split in ("val", "test"):
        if len(examples[split].target):
            figures[split] = evaluate_velocities(model, examples[split], baseline)
    figures["learned"] = describe_statistics(model, songs["train"], genres, timings)
    write_json(folder / FIGURES, figures)


def start(session: Session) -> Feel:
    """Return a new Feel that knows the corpus's genres, or the one of --init, for the genre."""
    options = session.options
    if options.init:
        weights = load_file(find_weights(options.init, "feel"))
        known = json.loads((options.init / "feel" / CONFIG).read_text())
        model = Feel(FeelConfig(**known | {"genre": options.genre or known["genre"]}))
        model.load_state_dict(weights)
        return model
    genres = sorted({session.genre_of(song["genre"]) for song in session.corpus.songs})
    return Feel(FeelConfig(genres, options.genre or ""))


def count_playing(
    model: Feel,
    session: Session,
    timings: dict[int, Timing],
    genres: list[str],
    settings: StatisticsSettings,
) -> None:
    """Give a model the statistics of the trained genre, or of all genres and of each.

    Args:
        model: Gets them.
        session: The training.
        timings: Of the training songs, by number.
        genres: The genre of each song of the corpus.
        settings: How songs are counted.
    """
    if session.options.genre:
        fit_feel_statistics(model, session.corpus, timings, model.config.slot, settings)
        return
    fit_feel_statistics(model, session.corpus, timings, len(model.config.genres), settings)
    for slot, genre in enumerate(model.config.genres):
        own = {song: timing for song, timing in timings.items() if genres[song] == genre}
        fit_feel_statistics(model, session.corpus, own, slot, settings)


def trained_feel(session: Session, settings: StatisticsSettings = StatisticsSettings()) -> Feel:
    """Return the Feel that this run trained, or the one it started from, for the trained genre.

    Where neither has one, it has the statistics of the training songs, and a network that expects
    each track's level.
    """
    options = session.options
    folders = [run / "feel" for run in (options.run, options.init) if run]
    folder = next((folder for folder in folders if (folder / CONFIG).is_file()), None)
    if folder is None:
        model = Feel(FeelConfig([], options.genre or ""))
        timings = timings_of(session.corpus, session.songs("train"), settings)
        fit_feel_statistics(model, session.corpus, timings, model.config.slot, settings)
        return model.eval()
    config = json.loads((folder / CONFIG).read_text())
    model = Feel(FeelConfig(**config | {"genre": options.genre or ""}))
    model.load_state_dict(load_file(find_weights(folder.parent, "feel")))
    return model.eval()


if __name__ == "__main__":
    main()
