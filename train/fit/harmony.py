"""Train a HarmonyNN set and put a genre's models together: `python -m train harmony --corpus CORPUS --run RUN`.

RUN holds the VAEs (train.fit.vae) and the chord planner (train.fit.planner); what it lacks is taken from --init. With --export the
whole set is written there, ready for `Accompanist.from_pretrained`; by default to RUN/model. With --push it then goes to the
Hub, as by train.publish.cards and train.publish.push.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from huggingface_hub import HfApi
from safetensors.torch import load_file
from torch import Tensor

from accomp.band.accompanist import Accompanist
from accomp.errors import AudioUnavailable
from accomp.models import harmony_nn as harmony
from accomp.models.config import AccompanistConfig
from accomp.models.genre_files import OWN_FILE
from accomp.models.harmony_nn import Context, HarmonyNN
from accomp.music.midi import write_midi
from accomp.music.score import Score, Track
from accomp.roll.grid import ACCOMPANIMENT, MELODY, TRACK_NAMES, TRACKS, Grid
from accomp.roll.pianoroll import from_blocks, from_planes, in_beats
from accomp.sound.soundfont import ready_soundfont
from train.data.codebook import fill_codebook
from train.data.statistics import fit_colours, fit_programs
from train.fit.feel import trained_feel
from train.fit.loop import FunctionTask, fit
from train.fit.losses import plot_losses, read_losses
from train.fit.run_files import FIGURES, TRAINING, find_weights, save_weights, write_json, writes
from train.fit.settings import Session, harmony_config, planner_config, training_parser, vae_configs
from train.publish import cards, push
from train.publish.hub_commit import check_account

PREVIOUS_DROPPED = 0.2  # how often a network must do without its previous latent, so that it listens to the rest too
OWN_PREVIOUS = 0.3  # how often a network goes on from what it would itself have played
EXAMPLES = 4  # sample songs
EXAMPLE_BLOCKS = 16


def main(arguments: list[str] | None = None) -> None:
    options = training_parser("harmony", __doc__)
    options.add_argument("--export", type=Path, help="folder for config.json and model.safetensors")
    options.add_argument(
        "--push", metavar="NAMESPACE", help="then push it to the Hub, to NAMESPACE/accomp-<genre>"
    )
    options = options.parse_args(arguments)
    if options.push:
        check_push(options)
    session = Session.open(options)
    model = assemble(session)
    songs = {split: session.songs(split) for split in ("train", "val", "test")}
    for split in ("train", "val"):
        if not songs[split]:
            raise SystemExit(f"the corpus has no {split} song of genre {options.genre or 'any'}")
    latents = encode_corpus(model, session)
    for track in ACCOMPANIMENT:
        if options.init:
            network = model.harmony[TRACK_NAMES[track]]
            network.load_state_dict(
                load_file(find_weights(options.init, f"harmony/{TRACK_NAMES[track]}"))
            )
        if model.config.harmony.head == "codebook":
            fill_codebook(
                model.harmony[TRACK_NAMES[track]], track, latents[track], session, songs["train"]
            )
    fit_programs(model, session, songs["train"])
    fit_colours(model, session, songs["train"])
    model.feel = trained_feel(session)
    model.config.feel = model.feel.config
    figures: dict = {"seed": options.seed, "data": session.learned_from("harmony")}
    for track in ACCOMPANIMENT:
        figures[TRACK_NAMES[track]] = train_network(session, model, latents, songs, track)
    write_json(options.run / "harmony" / FIGURES, figures)
    export(session, model, figures, options.export or options.run / "model")
    if options.push and writes():
        cards.main(
            [options.genre, "--models", str(options.export.parent), "--out", str(options.run)]
        )
        push.main(
            [
                "--genre",
                options.genre,
                "--namespace",
                options.push,
                "--models",
                str(options.export.parent),
                "--cards",
                str(options.run),
            ]
        )


def check_push(options: argparse.Namespace) -> None:
    """Say before training what would speak against the push after it. Raises SystemExit."""
    if not options.genre or not options.export or options.export.name != options.genre:
        raise SystemExit(
            "--push takes the models from a folder named after their genre: --genre polka --export models/polka"
        )
    push.check_name(options.genre, options.push)
    try:
        ready_soundfont()
    except AudioUnavailable as error:
        raise SystemExit(
            f"--push makes samples with sound: {error} Or push later, with train.publish.push --no-sound"
        ) from error
    check_account(HfApi(), options.push)


def assemble(session: Session) -> Accompanist:
    """An Accompanist with the trained VAEs and planner, and HarmonyNNs yet to train."""
    genres = sorted({session.genre_of(song["genre"]) for song in session.corpus.songs})
    if session.options.init:  # the networks know the genres they were first trained with
        genres = json.loads((session.options.init / "harmony" / "genres.json").read_text())
    write_json(session.options.run / "harmony" / "genres.json", genres)
    config = AccompanistConfig(
        genre=session.options.genre or "universal",
        vaes=vae_configs(session.config),
        harmony=harmony_config(session.config, genres),
        planner=planner_config(session.config),
        **session.config.get("accompanist", {}),
    )
    torch.manual_seed(session.options.seed)
    model = Accompanist(config)
    for name in TRACK_NAMES:
        session.load_trained(name, model.vaes[name])
    if model.planner:
        session.load_trained("planner", model.planner)
    return model


@torch.no_grad()
def encode_corpus(model: Accompanist, session: Session) -> dict[int, Tensor]:
    """By track, latents and flags [all blocks, K + 1] of the whole corpus."""
    corpus = session.corpus
    device = model.to("cuda" if torch.cuda.is_available() else "cpu").device
    latents = {}
    for track in range(len(TRACKS)):
        parts = []
        for at in range(0, len(corpus.plan), 2048):
            part = slice(at, at + 2048)
            parts.append(
                model.encode(
                    track, corpus.blocks(track, part).to(device), corpus.plan[part].to(device)
                ).cpu()
            )
        latents[track] = torch.cat(parts)
    model.cpu()
    return latents


def train_network(
    session: Session,
    model: Accompanist,
    latents: dict[int, Tensor],
    songs: dict[str, list[int]],
    track: int,
) -> dict:
    """Train one instrument's first, middle and last network, and return its losses."""
    name, options, corpus = TRACK_NAMES[track], session.options, session.corpus
    network = model.harmony[name]
    melody = latents[MELODY][:, :-1]
    places = {
        split: _places(session, songs[split], model.config.harmony.genres, latents[MELODY])
        for split in songs
    }

    def hear(step: str, rows: Tensor):
        first, block, blocks, genre = rows.T
        songs = harmony.SongLatents(melody, latents, corpus.plan, blocks, genre, first)
        heard = harmony.harmony_context(step, track, block, songs)
        return heard, latents[track][first + block]

    def steps_of(rows: Tensor) -> dict[str, Tensor]:
        """Which rows each network learns from. The first one learns from any block where the instrument plays, since the
        openings of real songs teach silence; the last one from the last two blocks.
        """
        first, block, blocks = rows[:, 0], rows[:, 1], rows[:, 2]
        active = latents[track][first + block, -1] > 0
        inner = (block > 0) & (block < blocks - 1)
        return {
            "first": rows[active],
            "middle": rows[inner],
            "last": rows[(block >= blocks - 2) & (block > 0)],
        }

    def batches(generator: torch.Generator, size: int):
        pool = steps_of(places["train"])
        # One middle step in three is also a lesson for the first network; closings are few and come around often.
        weights = {"middle": 1.0, "first": 0.34, "last": 4.0}
        order = []
        for step, rows in pool.items():
            chosen = rows[torch.randperm(len(rows), generator=generator)]
            if weights[step] < 1:
                chosen = chosen[: max(size, int(len(chosen) * weights[step]))]
            chosen = chosen.repeat(int(max(weights[step], 1)), 1)
            order += [(step, chosen[at : at + size]) for at in range(0, len(chosen), size)]
        for index in torch.randperm(len(order), generator=generator).tolist():
            step, rows = order[index]
            heard, target = hear(step, rows)
            if model.config.harmony.head == "codebook":
                if step != "first":
                    heard.previous = own_previous(rows, heard.previous, generator)
                heard.previous = harmony.forget(
                    heard.previous, torch.rand(len(rows), generator=generator) < PREVIOUS_DROPPED
                )
            yield step, vars(heard), target

    @torch.no_grad()
    def own_previous(rows: Tensor, real: Tensor, generator: torch.Generator) -> Tensor:
        """The real previous latents, some of them replaced by what the network itself would have chosen one block before, so
        that it learns to go on from its own steps (Bengio et al. 2015, scheduled sampling, of one step).
        """
        own = torch.nonzero(
            (torch.rand(len(rows), generator=generator) < OWN_PREVIOUS) & (rows[:, 1] > 0)
        )[:, 0]
        if not len(own):
            return real
        before = rows[own].clone()
        before[:, 1] -= 1
        device = network_device(network)
        heard = Context(
            **{key: value.to(device) for key, value in vars(hear("middle", before)[0]).items()}
        )
        network.eval()
        sampling = harmony.Sampling(model.config.temperature, model.config.top_p)
        chosen = network.choose("middle", heard, generator, sampling).cpu()
        network.train()
        previous = real.clone()
        previous[own] = chosen
        return previous

    def losses(progress: float, batch) -> dict[str, Tensor]:
        step, heard, target = batch
        return {"loss": network.loss(step, Context(**heard), target).mean()}

    @torch.no_grad()
    def evaluate(split: str) -> dict[str, float]:
        sums = {}
        for step, rows in steps_of(places[split]).items():
            if step == "first":
                rows = rows[rows[:, 1] % 8 == 0]
            if not len(rows):
                continue
            values = []
            for at in range(0, len(rows), 1024):
                heard, target = hear(step, rows[at : at + 1024])
                heard = Context(
                    **{key: value.to(network_device(network)) for key, value in vars(heard).items()}
                )
                values.append(network.loss(step, heard, target.to(network_device(network))).cpu())
            sums[step] = torch.cat(values)
        return {
            "loss": float(torch.cat(list(sums.values())).mean()),
            **{step: float(v.mean()) for step, v in sums.items()},
        }

    def sample(folder: Path) -> None:
        if track == ACCOMPANIMENT[-1]:  # the others are trained by then
            device = network_device(network)
            write_samples(model.cpu(), session, songs["val"], folder)
            network.to(device)

    folder = options.run / "harmony" / name
    fit(
        folder,
        FunctionTask(network, losses, batches, lambda: evaluate("val"), sample),
        session.fit_settings("harmony"),
        options.max_steps,
    )
    save_weights(folder, network)
    return {split: evaluate(split) for split in ("val", "test") if songs[split]}


def network_device(network: HarmonyNN) -> torch.device:
    return next(network.parameters()).device


def _places(session: Session, songs: list[int], genres: list[str], melody: Tensor) -> Tensor:
    """[blocks, 4] int: first block, block, blocks, genre, for each block of the songs between their melody's first and last
    (melody: latents and flags of all blocks), since that is what a user brings: intros without melody teach silence.
    """
    rows = []
    for i in songs:
        song = session.corpus.songs[i]
        sounding = torch.nonzero(melody[song["first"] : song["first"] + song["blocks"], -1])[
            :, 0
        ].tolist()
        if not sounding:
            continue
        first, count = song["first"] + sounding[0], sounding[-1] - sounding[0] + 1
        genre = genre_index(session, song["genre"], genres)
        rows += [(first, block, count, genre) for block in range(count)]
    return torch.tensor(rows, dtype=torch.int64).reshape(-1, 4)


def genre_index(session: Session, label: str, genres: list[str]) -> int:
    """Of the genre that a corpus label belongs to."""
    genre = session.genre_of(label)
    return genres.index(genre) if genre in genres else 0


def write_samples(model: Accompanist, session: Session, songs: list[int], folder: Path) -> None:
    """Accompany the first sixteen bars with melody of a few songs."""
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for song in songs:
        entry = session.corpus.songs[song]
        blocks = session.corpus.blocks(
            MELODY, slice(entry["first"], entry["first"] + entry["blocks"])
        ).numpy()
        sounding = np.flatnonzero(blocks.any(axis=(1, 2, 3)))
        if not len(sounding) or written == EXAMPLES:
            continue
        planes = from_blocks(blocks[sounding[0] : sounding[0] + EXAMPLE_BLOCKS])
        grid = Grid(np.arange(planes.shape[1] + 1) / 4)
        notes = in_beats(from_planes(planes), grid)
        if notes:
            write_midi(
                model.accompany(Score([Track("melody", notes=notes)]), seed=0),
                folder / f"{Path(entry['file']).stem}.mid",
            )
            written += 1


def export(session: Session, model: Accompanist, figures: dict, folder: Path) -> None:
    """Write the models, and beside them how they were trained and what came of it."""
    if not writes():
        return
    options = session.options
    model.eval()
    folder.mkdir(parents=True, exist_ok=True)
    model._save_pretrained(folder)
    (folder / OWN_FILE).unlink(missing_ok=True)  # of earlier weights, stored in two files
    runs = [run for run in (options.run, options.init) if run]
    parts = [*TRACK_NAMES, "planner", "feel"]
    found = {
        part: next((r / part for r in runs if (r / part / FIGURES).is_file()), None)
        for part in parts
    }
    songs = {split: len(session.songs(split)) for split in ("train", "val", "test")}
    write_json(
        folder / TRAINING,
        {
            "genre": model.config.genre,
            "labels": session.labels or "all",
            "seed": options.seed,
            "fine_tuned": bool(options.init),
            "songs": songs,
            "settings": session.config,
            "fit": {"harmony": asdict(session.fit_settings("harmony"))},
            "losses": {
                "harmony": figures,
                **{
                    part: json.loads((path / FIGURES).read_text())
                    for part, path in found.items()
                    if path
                },
            },
        },
    )
    histories = {part: read_losses(path) for part, path in found.items() if path}
    histories |= {
        f"harmony {TRACK_NAMES[t]}": read_losses(options.run / "harmony" / TRACK_NAMES[t])
        for t in ACCOMPANIMENT
    }
    plot_losses({name: rows for name, rows in histories.items() if rows}).savefig(
        folder / "losses.png", dpi=60
    )
    print(f"{folder}: {sum(p.numel() for p in model.parameters()):,} parameters, songs {songs}")


if __name__ == "__main__":
    main()
