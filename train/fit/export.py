"""Write a genre's models with the record of their training, and music that they play."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from accomp.band.accompanist import Accompanist
from accomp.models.chord_planner import ChordPlanner
from accomp.models.files import fit
from accomp.models.genre_files import OWN_FILE, load_genre
from accomp.music.midi import write_midi
from accomp.music.score import Score, Track
from accomp.roll.grid import ACCOMPANIMENT, MELODY, STEPS_PER_BEAT, TRACK_NAMES, Grid
from accomp.roll.pianoroll import from_blocks, from_planes, in_beats
from train.data.corpus import Corpus
from train.fit.losses import plot_losses, read_losses
from train.fit.run_files import FIGURES, TRAINING, write_json, writes
from train.fit.settings import Session


@dataclass(frozen=True)
class ExampleSettings:
    """Which music is written to listen to while a network learns."""

    songs: int = 4
    blocks: int = 16  # of each melody: 32 bars


def write_examples(
    model: Accompanist,
    corpus: Corpus,
    songs: list[int],
    folder: Path,
    settings: ExampleSettings = ExampleSettings(),
) -> None:
    """Accompany the beginnings of a few songs' melodies, and write that as MIDI.

    Args:
        model: Plays.
        corpus: The songs.
        songs: Those to choose from; the first with a melody are taken.
        folder: Gets a file for each song.
        settings: How many, and how much of each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for song in songs:
        blocks = corpus.blocks(MELODY, corpus.own(song)).numpy()
        sounding = np.flatnonzero(blocks.any(axis=(1, 2, 3)))
        if not len(sounding) or written == settings.songs:
            continue
        planes = from_blocks(blocks[sounding[0] : sounding[0] + settings.blocks])
        grid = Grid(np.arange(planes.shape[1] + 1) / STEPS_PER_BEAT)
        notes = in_beats(from_planes(planes), grid)
        if notes:
            score = model.accompany(Score([Track("melody", notes=notes)]), seed=0)
            write_midi(score, folder / f"{Path(corpus.songs[song]['file']).stem}.mid")
            written += 1


def export_model(session: Session, model: Accompanist, figures: dict, folder: Path) -> None:
    """Write a genre's models, how they were trained (training.json), and their curves.

    Args:
        session: The training.
        model: The models.
        figures: Of the HarmonyNNs; those of the other parts are read from their runs.
        folder: Where all that goes.
    """
    if not writes():
        return
    options = session.options
    model.eval()
    folder.mkdir(parents=True, exist_ok=True)
    model._save_pretrained(folder)
    (folder / OWN_FILE).unlink(missing_ok=True)  # of earlier weights, stored in two files
    runs = [run for run in (options.run, options.init) if run]
    found = {}
    for part in (*TRACK_NAMES, "planner", "feel"):
        own = next((run / part for run in runs if (run / part / FIGURES).is_file()), None)
        if own:
            found[part] = own
    losses = {part: json.loads((path / FIGURES).read_text()) for part, path in found.items()}
    songs = {split: len(session.songs(split)) for split in ("train", "val", "test")}
    record = {
        "genre": model.config.genre,
        "labels": session.labels or "all",
        "seed": options.seed,
        "fine_tuned": bool(options.init),
        "songs": songs,
        "settings": session.config,
        "fit": {"harmony": asdict(session.fit_settings("harmony"))},
        "losses": {"harmony": figures, **losses},
    }
    write_json(folder / TRAINING, record)
    histories = {part: read_losses(path) for part, path in found.items()}
    for track in ACCOMPANIMENT:
        name = TRACK_NAMES[track]
        histories[f"harmony {name}"] = read_losses(options.run / "harmony" / name)
    curves = plot_losses({name: rows for name, rows in histories.items() if rows})
    curves.savefig(folder / "losses.png", dpi=60)
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{folder}: {count:,} parameters, songs {songs}")


def export_planner(planner: ChordPlanner, run: Path, folder: Path) -> None:
    """Put a planner into a genre's models, in the place of the one that they have.

    Args:
        planner: It.
        run: The folder of its training.
        folder: Of the genre. Its weights are written in one file; `train share` parts them.
    """
    if not writes():
        return
    config, weights = load_genre(folder, str(folder))
    config.planner = planner.config
    model = Accompanist(config)
    own = {name: value for name, value in weights.items() if not name.startswith("planner.")}
    planned = {f"planner.{name}": value for name, value in planner.state_dict().items()}
    fit(model, own | planned, str(folder))
    model._save_pretrained(folder)
    (folder / OWN_FILE).unlink(missing_ok=True)
    record = json.loads((folder / TRAINING).read_text())
    record["settings"]["planner"] = asdict(planner.config)
    record["losses"]["planner"] = json.loads((run / FIGURES).read_text())
    write_json(folder / TRAINING, record)
