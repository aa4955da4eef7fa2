"""Train the song VAE, or look at what it learned.

    python -m train song --corpus CORPUS --run RUN [--config train/configs/song_paper.yaml]
    python -m train song --corpus CORPUS --run RUN --sample 4 --interpolate SONG SONG

RUN/song gets weights, losses, figures and pictures. A picture has a row for each song. In a row
there is a line for each track (one for all tracks of the published onsets) and a column for each
measure: the darker, the more notes.
"""

import argparse
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from torch import Tensor

from accomp.models import measure_features
from accomp.models.song_vae import SongConfig, SongVAE
from train.data.corpus import Corpus
from train.data.song_windows import BandWindows, OnsetWindows, WindowSettings
from train.data.splits import SPLITS
from train.fit.loop import Task, fit
from train.fit.run_files import FIGURES, save_weights, write_json, writes
from train.fit.settings import Session, training_parser
from train.fit.song_figures import compare, draw, evaluate, interpolation, picture, reconstruct

NAME = "song"


@dataclass(frozen=True)
class SongTraining:
    """How the song VAE is trained and shown, beside the config's `song` and `training`."""

    windows: WindowSettings = WindowSettings()  # how many in an epoch, the config says
    kl_least: float = 0.02  # factor of the divergence's weight at the start, where it rises
    samples: int = 4  # songs of each kind in a picture


def main(arguments: list[str] | None = None, settings: SongTraining = SongTraining()) -> None:
    """Train the VAE, or draw songs and interpolate between songs with the one of a run."""
    options = _options(arguments)
    looks = options.sample or options.interpolate
    if looks and (options.run / "config.yaml").is_file():
        options.config = options.run / "config.yaml"  # what was trained there
    session = Session.open(options)
    model = SongVAE(song_config(session))
    if looks:
        session.load_trained(NAME, model)
    windows = song_windows(session, model, settings.windows)
    folder = options.run / NAME
    if options.sample:
        drawn = picture(draw(model, options.sample, options.seed, options.genre or ""))
        drawn.savefig(folder / "sample.png", dpi=80)
    if options.interpolate:
        show_interpolation(model, session, windows, folder)
    if not looks:
        train_song_vae(session, model, windows, folder, settings)
    if options.export and writes():
        session.load_trained(NAME, model).save(options.export)
        shutil.copyfile(folder / FIGURES, options.export / FIGURES)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = training_parser(NAME, __doc__, "song.yaml")
    parser.add_argument(
        "--export",
        type=Path,
        metavar="FOLDER",
        help="for the weights that ship with accomp, in half precision, and their figures",
    )
    parser.add_argument(
        "--sample", type=int, metavar="N", help="draw N songs (of --genre), and train nothing"
    )
    parser.add_argument(
        "--interpolate",
        nargs=2,
        metavar="SONG",
        help="go from one song of the corpus to another, by parts of their names; train nothing",
    )
    return parser.parse_args(arguments)


def song_config(session: Session) -> SongConfig:
    """Return the settings of the VAE; SystemExit says what the config has wrong."""
    given = session.config["song"]
    if given["measures_of"] == "band":
        genres = sorted({session.genre_of(song["genre"]) for song in session.corpus.songs})
        given = given | {
            "measure": measure_features.SIZE,
            "bits": measure_features.BITS,
            "lead": measure_features.LEAD,
            "genres": genres,
            "players": len(measure_features.PLAYERS),
            "placed": True,
        }
    names = {entry.name for entry in fields(SongConfig)}
    unknown = set(given) - names - {"measures_of", "warm_up"}
    if unknown or session.config["song"]["measures_of"] not in ("band", "onsets"):
        raise SystemExit(
            f"{session.options.config}: song: {sorted(unknown) or 'measures_of'} is unknown; "
            f"accepted: measures_of (band or onsets), warm_up, {', '.join(sorted(names))}"
        )
    return SongConfig(**{name: value for name, value in given.items() if name in names})


def song_windows(
    session: Session, model: SongVAE, settings: WindowSettings = WindowSettings()
) -> BandWindows | OnsetWindows:
    """Return the windows that the config asks for; it also says how many there are in an epoch."""
    songs = {split: session.songs(split) for split in SPLITS}
    training = session.config["training"]
    settings = replace(settings, length=model.config.measures)
    if session.config["song"]["measures_of"] == "onsets":
        return OnsetWindows(session.corpus, songs, replace(settings, songs=training["songs"]))
    settings = replace(settings, per_song=training["windows"])
    genres = model.config.genres
    return BandWindows(session.corpus, songs, session.genre_of, genres, settings)


def train_song_vae(
    session: Session,
    model: SongVAE,
    windows: BandWindows | OnsetWindows,
    folder: Path,
    settings: SongTraining = SongTraining(),
) -> None:
    """Train the VAE and write its weights and figures.

    Args:
        session: The training.
        model: The VAE.
        windows: What it learns from.
        folder: Of the run, for this part.
        settings: How it is trained.
    """
    options = session.options
    session.load_initial(NAME, model)
    torch.manual_seed(options.seed)
    task = SongTask(model, windows, session.config["song"]["warm_up"], options.seed, settings)
    history = fit(folder, task, session.fit_settings(NAME), options.max_steps)
    save_weights(folder, model)
    figures = {
        "seed": options.seed,
        "size": model.size,
        "epochs": len(history),
        "data": session.learned_from(NAME),
    }
    figures |= {split: evaluate(model, windows.some(split)) for split in ("val", "test")}
    write_json(folder / FIGURES, figures | {"songs": compare(model, windows, options.seed)})


class SongTask(Task):
    """The song VAE and the windows that it learns from."""

    model: SongVAE

    def __init__(
        self,
        model: SongVAE,
        windows: BandWindows | OnsetWindows,
        warm_up: float,
        seed: int,
        settings: SongTraining = SongTraining(),
    ):
        """Keep what is trained on what.

        Args:
            model: The VAE.
            windows: What it learns from.
            warm_up: Share of training over which the divergence's weight rises.
            seed: Of the songs that are drawn for the pictures.
            settings: How it is trained.
        """
        super().__init__(model)
        self.windows, self.warm_up, self.seed, self.settings = windows, warm_up, seed, settings
        self.val = windows.some("val")

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple]:
        """Give windows and what is known about them."""
        return self.windows.batches(generator, size)

    def losses(self, progress: float, batch: tuple) -> dict[str, Tensor]:
        """Return the loss and its parts."""
        weight = self.model.config.kl_weight
        if self.warm_up:
            weight *= min(1.0, self.settings.kl_least + progress / self.warm_up)
        loss = self.model.loss(*batch, weight)
        return {
            "loss": loss.total,
            "reconstruction": loss.reconstruction,
            "kl": loss.kl,
            "match": loss.match,
        }

    def validate(self) -> dict[str, float]:
        """Return the figures of train.fit.song_figures on validation songs."""
        return evaluate(self.model, self.val)

    def sample(self, folder: Path) -> None:
        """Draw a picture of validation songs, each above its reconstruction, and of drawn songs."""
        folder.mkdir(parents=True, exist_ok=True)
        device, count = self.model.known.device, self.settings.samples
        songs, about = (
            part if part is None else part[:: max(1, len(part) // count)][:count].to(device)
            for part in self.val
        )
        again = reconstruct(self.model, songs, about)
        rows = torch.stack([songs, again], 1).flatten(0, 1)
        drawn = draw(self.model, count, self.seed).to(device)
        picture(torch.cat([rows, drawn]).cpu()).savefig(folder / "songs.png", dpi=80)


def show_interpolation(
    model: SongVAE, session: Session, windows: BandWindows | OnsetWindows, folder: Path
) -> None:
    """Draw what lies between two songs, and print and write its figures.

    Args:
        model: The VAE.
        session: Its options name the songs.
        windows: Say of which kind the windows are.
        folder: Gets the picture and the figures.
    """
    found = [find_song(session.corpus, name) for name in session.options.interpolate]
    if isinstance(windows, OnsetWindows):
        songs, about = windows.windows([(song, 0) for song in found]), None
    else:
        genres = model.config.genres
        own = BandWindows(
            session.corpus, {"own": found}, session.genre_of, genres, windows.settings
        )
        if own.count("own") < 2:
            raise SystemExit(
                f"the melody of a song is shorter than {model.config.measures} measures; "
                "choose another"
            )
        songs, about = own.windows("own", [(0, 0), (1, 0)])
    made, figures = interpolation(model, songs, about)
    picture(torch.cat([songs[:1], made, songs[1:]])).savefig(folder / "interpolation.png", dpi=80)
    write_json(folder / "interpolation.json", figures)
    print(" ".join(f"{name} {value:.3f}" for name, value in figures.items()))


def find_song(corpus: Corpus, name: str) -> int:
    """Return the first song whose file has the text `name`; SystemExit says if there is none."""
    found = [i for i, song in enumerate(corpus.songs) if name in song["file"]]
    if not found:
        raise SystemExit(f"the corpus has no song named {name!r}")
    return found[0]


if __name__ == "__main__":
    main()
