"""Train the song VAE: `python -m train song --corpus CORPUS --run RUN [--config train/configs/song_paper.yaml]`; look at what
it learned: `python -m train song --corpus CORPUS --run RUN --sample 4 --interpolate SONG SONG`.

RUN/song gets the weights, losses, figures and pictures. A picture has a row for each song, a line in it for each track (one for
all of the published onsets) and a column for each measure; the darker, the more notes. --export: where the weights go that
come with the package, half as precise. --interpolate: parts of the names of two songs of the corpus.
"""

import shutil
from dataclasses import fields
from pathlib import Path

import torch
from torch import Tensor

from accomp.models import measure_features as measures
from accomp.models.song_vae import SongConfig, SongVAE
from train.data.corpus import Corpus
from train.data.song_windows import BandWindows, OnsetWindows
from train.eval.song_figures import compare, draw, evaluate, interpolation, picture, reconstruct
from train.fit.loop import FunctionTask, fit
from train.fit.run_files import FIGURES, save_weights, write_json, writes
from train.fit.settings import CONFIGS, Session, training_parser

NAME = "song"


def main(arguments: list[str] | None = None) -> None:
    options = training_parser("song", __doc__)
    options.set_defaults(config=CONFIGS / "song.yaml")
    options.add_argument(
        "--export",
        type=Path,
        help="write the weights that ship here (accomp/songs), and their figures",
    )
    options.add_argument(
        "--sample", type=int, metavar="N", help="draw so many songs (of --genre); trains nothing"
    )
    options.add_argument(
        "--interpolate", nargs=2, metavar="SONG", help="from one song to another; trains nothing"
    )
    options = options.parse_args(arguments)
    looks = options.sample or options.interpolate
    if looks and (options.run / "config.yaml").is_file():
        options.config = options.run / "config.yaml"  # what was trained there
    session = Session.open(options)
    model = SongVAE(song_config(session))
    if looks:
        session.load_trained(NAME, model)
    windows = windows_of(session, model)
    folder = options.run / NAME
    if options.sample:
        picture(draw(model, options.sample, options.seed, options.genre or "")).savefig(
            folder / "sample.png", dpi=80
        )
    if options.interpolate:
        show_interpolation(model, session, windows, folder)
    if not looks:
        train(session, model, windows, folder)
    if options.export and writes():
        session.load_trained(NAME, model).save(options.export)
        shutil.copyfile(folder / FIGURES, options.export / FIGURES)


def song_config(session: Session) -> SongConfig:
    given = session.config["song"]
    if given["measures_of"] == "band":
        genres = sorted({session.genre_of(song["genre"]) for song in session.corpus.songs})
        known = {"genres": genres, "players": len(measures.PLAYERS), "placed": True}
        given = (
            given | {"measure": measures.SIZE, "bits": measures.BITS, "lead": measures.LEAD} | known
        )
    names = {entry.name for entry in fields(SongConfig)}
    unknown = set(given) - names - {"measures_of", "warm_up"}
    if unknown or session.config["song"]["measures_of"] not in ("band", "onsets"):
        raise SystemExit(
            f"{session.options.config}: song: {sorted(unknown) or 'measures_of'} is unknown; "
            f"accepted: measures_of (band or onsets), warm_up, {', '.join(sorted(names))}"
        )
    return SongConfig(**{name: value for name, value in given.items() if name in names})


def windows_of(session: Session, model: SongVAE) -> BandWindows | OnsetWindows:
    songs = {split: session.songs(split) for split in ("train", "val", "test")}
    length, training = model.config.measures, session.config["training"]
    if session.config["song"]["measures_of"] == "onsets":
        return OnsetWindows(session.corpus, songs, length, training["songs"])
    return BandWindows(
        session.corpus, songs, length, session.genre_of, model.config.genres, training["windows"]
    )


def train(session: Session, model: SongVAE, windows, folder: Path) -> None:
    options, warm_up = session.options, session.config["song"]["warm_up"]
    session.load_initial(NAME, model)
    torch.manual_seed(options.seed)
    kl_weight = model.config.kl_weight
    val = windows.some("val")

    def losses(progress: float, batch) -> dict[str, Tensor]:
        weight = kl_weight * min(1.0, 0.02 + progress / warm_up) if warm_up else kl_weight
        loss = model.loss(*batch, weight)
        return {
            "loss": loss.total,
            "reconstruction": loss.reconstruction,
            "kl": loss.kl,
            "match": loss.match,
        }

    def validate() -> dict[str, float]:
        return evaluate(model, val)

    def sample(into: Path) -> None:
        into.mkdir(parents=True, exist_ok=True)
        device = model.known.device
        songs, about = (
            part if part is None else part[:: max(1, len(part) // 4)][:4].to(device) for part in val
        )
        again = reconstruct(model, songs, about)
        rows = torch.stack([songs, again], 1).flatten(0, 1)
        picture(torch.cat([rows, draw(model, 4, options.seed).to(device)]).cpu()).savefig(
            into / "songs.png", dpi=80
        )

    history = fit(
        folder,
        FunctionTask(model, losses, windows.batches, validate, sample),
        session.fit_settings(NAME),
        options.max_steps,
    )
    save_weights(folder, model)
    figures = {
        "seed": options.seed,
        "size": model.size,
        "epochs": len(history),
        "data": session.learned_from(NAME),
    }
    figures |= {split: evaluate(model, windows.some(split)) for split in ("val", "test")}
    write_json(folder / FIGURES, figures | {"songs": compare(model, windows, options.seed)})


def show_interpolation(model: SongVAE, session: Session, windows, folder: Path) -> None:
    found = [find_song(session.corpus, name) for name in session.options.interpolate]
    if isinstance(windows, OnsetWindows):
        songs, about = windows.windows([(song, 0) for song in found]), None
    else:
        own = BandWindows(
            session.corpus,
            {"own": found},
            model.config.measures,
            session.genre_of,
            model.config.genres,
            1,
        )
        if len(own.starts["own"]) < 2:
            raise SystemExit(
                f"the melody of a song is shorter than {model.config.measures} measures; choose another"
            )
        songs, about = own.windows("own", [(0, 0), (1, 0)])
    made, figures = interpolation(model, songs, about)
    picture(torch.cat([songs[:1], made, songs[1:]])).savefig(folder / "interpolation.png", dpi=80)
    write_json(folder / "interpolation.json", figures)
    print(" ".join(f"{name} {value:.3f}" for name, value in figures.items()))


def find_song(corpus: Corpus, name: str) -> int:
    found = [i for i, song in enumerate(corpus.songs) if name in song["file"]]
    if not found:
        raise SystemExit(f"the corpus has no song named {name!r}")
    return found[0]


if __name__ == "__main__":
    main()
