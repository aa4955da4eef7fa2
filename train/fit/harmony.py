"""Train the HarmonyNNs of a genre, and put its models together.

    python -m train harmony --corpus CORPUS --run RUN [--init RUN_OR_MODEL --genre GENRE]

RUN holds the VAEs and the chord planner that `train vae` and `train planner` made; what it lacks is
taken from --init. The whole set is written to --export, ready for `Accompanist.from_pretrained`.
With --push it then goes to the Hub, as by `train cards` and `train push`.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from huggingface_hub import HfApi

from accomp.band.accompanist import Accompanist
from accomp.errors import AudioUnavailable
from accomp.models.config import AccompanistConfig
from accomp.models.song_harmony import SongHarmonyNN
from accomp.roll.grid import ACCOMPANIMENT, MELODY, TRACK_NAMES, TRACKS
from accomp.sound.soundfont import ready_soundfont
from train.data.codebook import CodebookSettings, TrackBlocks, fill_harmony_codebook
from train.data.corpus import Corpus
from train.data.rhythms import rhythm_of
from train.data.splits import SPLITS
from train.data.statistics import ColourSettings, fit_colours, fit_programs
from train.fit.export import ExampleSettings, export_model, write_examples
from train.fit.feel import trained_feel
from train.fit.harmony_task import HarmonyTask, HarmonyTraining
from train.fit.loop import fit
from train.fit.player_task import CorpusLatents, of_players, places_of
from train.fit.run_files import FIGURES, save_weights, write_json, writes
from train.fit.settings import (
    Session,
    harmony_config,
    planner_config,
    playing_settings,
    training_parser,
    vae_configs,
)
from train.fit.song_harmony_task import SongHarmonyTask, SongTraining, spreads_of
from train.publish import cards, push
from train.publish.hub_commit import check_account


@dataclass(frozen=True)
class HarmonySettings:
    """How a genre's models are made, beside the config's `harmony` and `training`."""

    training: HarmonyTraining = HarmonyTraining()  # of the steps network
    song: SongTraining = SongTraining()  # of the song network
    codebook: CodebookSettings = CodebookSettings()
    colours: ColourSettings = ColourSettings()
    examples: ExampleSettings = ExampleSettings()


def main(arguments: list[str] | None = None, settings: HarmonySettings = HarmonySettings()) -> None:
    """Train the HarmonyNNs one instrument after another, then write the genre's models."""
    parser = training_parser("harmony", __doc__)
    parser.add_argument(
        "--export",
        type=Path,
        metavar="FOLDER",
        help="for config.json and model.safetensors (default: RUN/model)",
    )
    parser.add_argument(
        "--push", metavar="NAMESPACE", help="then push it to the Hub as NAMESPACE/accomp-GENRE"
    )
    options = parser.parse_args(arguments)
    if options.push:
        check_push(options)
    session = Session.open(options)
    model = assemble(session)
    for split in ("train", "val"):
        if not session.songs(split):
            raise SystemExit(f"the corpus has no {split} song of genre {options.genre or 'any'}")
    latents = encode_corpus(model, session.corpus)
    for track in ACCOMPANIMENT:
        blocks = TrackBlocks(session.corpus, track, latents.by_track[track])
        start_network(session, model, blocks, settings.codebook)
        network = model.harmony_nn(track)
        if isinstance(network, SongHarmonyNN) and not options.init:
            network.spreads.copy_(spreads_of(latents, track))
    fit_programs(model, session.corpus, session.songs("train"))
    fit_colours(model, session.corpus, session.songs("train"), settings.colours)
    model.feel = trained_feel(session)
    model.config.feel = model.feel.config
    figures: dict = {"seed": options.seed, "data": session.learned_from("harmony")}
    for track in ACCOMPANIMENT:
        figures[TRACK_NAMES[track]] = train_network(session, model, latents, track, settings)
    write_json(options.run / "harmony" / FIGURES, figures)
    export_model(session, model, figures, options.export or options.run / "model")
    if options.push and writes():
        publish(options)


def check_push(options: argparse.Namespace) -> None:
    """Say before training what would stop the push after it.

    Raises:
        SystemExit: A name is wrong, the sound font is missing, or the account may not push.
    """
    if not options.genre or not options.export or options.export.name != options.genre:
        raise SystemExit(
            "--push takes the models from a folder named after their genre: "
            "--genre polka --export models/polka"
        )
    push.check_name(options.genre, options.push)
    try:
        ready_soundfont()
    except AudioUnavailable as error:
        raise SystemExit(
            f"--push makes samples with sound: {error} "
            "Or push later, with python -m train push --no-sound"
        ) from error
    check_account(HfApi(), options.push)


def publish(options: argparse.Namespace) -> None:
    """Write the model card, and push model and card to the Hub."""
    models = ["--models", str(options.export.parent)]
    cards.main([options.genre, *models, "--out", str(options.run)])
    where = ["--genre", options.genre, "--namespace", options.push]
    push.main([*where, *models, "--cards", str(options.run)])


def assemble(session: Session) -> Accompanist:
    """Return an Accompanist with trained VAEs and planner, and HarmonyNNs yet to train."""
    genres = sorted({session.genre_of(song["genre"]) for song in session.corpus.songs})
    if session.options.init:  # the networks know the genres they were first trained with
        genres = json.loads((session.options.init / "harmony" / "genres.json").read_text())
    write_json(session.options.run / "harmony" / "genres.json", genres)
    config = AccompanistConfig(
        genre=session.options.genre or "universal",
        vaes=vae_configs(session.config),
        harmony=harmony_config(session.config, genres),
        planner=planner_config(session.config),
        **playing_settings(session.config, session.options.genre),
    )
    torch.manual_seed(session.options.seed)
    model = Accompanist(config)
    for name in TRACK_NAMES:
        session.load_trained(name, model.vaes[name])
    if model.planner:
        session.load_trained("planner", model.planner)
    return model


@torch.no_grad()
def encode_corpus(model: Accompanist, corpus: Corpus) -> CorpusLatents:
    """Encode all blocks of all tracks of a corpus."""
    device = model.to("cuda" if torch.cuda.is_available() else "cpu").device
    latents, rhythms = {}, {}
    for track in range(len(TRACKS)):
        parts, struck = [], []
        for at in range(0, len(corpus.plan), 2048):
            part = slice(at, at + 2048)
            blocks, plan = corpus.blocks(track, part), corpus.plan[part].to(device)
            parts.append(model.encode(track, blocks.to(device), plan).cpu())
            struck.append(rhythm_of(blocks, track))
        latents[track], rhythms[track] = torch.cat(parts), torch.cat(struck)
    model.cpu()
    return CorpusLatents(corpus.plan, latents, rhythms, torch.from_numpy(corpus.meters))


def start_network(
    session: Session, model: Accompanist, blocks: TrackBlocks, settings: CodebookSettings
) -> None:
    """Give an instrument's network the weights of --init, if there are, and its codebook.

    Args:
        session: The training.
        model: The models of which the network is one.
        blocks: What the instrument plays.
        settings: Which blocks become codes.
    """
    options, name = session.options, TRACK_NAMES[blocks.track]
    network = model.harmony_nn(blocks.track)
    session.load_initial(f"harmony/{name}", network)
    if model.config.harmony.head == "codebook":
        songs, lenders = session.songs("train"), []
        if options.genre:
            own = set(songs)
            lenders = [song for song in session.corpus.choose("train") if song not in own]
        fill_harmony_codebook(network, blocks, songs, lenders, options.seed, settings)


def train_network(
    session: Session,
    model: Accompanist,
    latents: CorpusLatents,
    track: int,
    settings: HarmonySettings,
) -> dict:
    """Train one instrument's first, middle and last network.

    Args:
        session: The training.
        model: The models of which the network is one.
        latents: All blocks of the corpus.
        track: Whose network.
        settings: How it is trained.

    Returns:
        Its losses on the splits val and test, where they have songs.
    """
    corpus, name = session.corpus, TRACK_NAMES[track]
    songs = {split: session.songs(split) for split in SPLITS}
    genres = session.genre_numbers(model.config.harmony.genres)
    sounding, own = (latents.by_track[which][:, -1] for which in (MELODY, track))
    places = {
        split: of_players(places_of(corpus, chosen, genres, sounding), own)
        for split, chosen in songs.items()
    }

    def write(folder: Path) -> None:
        write_examples(model.cpu(), corpus, songs["val"], folder, settings.examples)

    is_last = track == ACCOMPANIMENT[-1]  # the others are trained by then
    examples = write if is_last else None
    if model.config.harmony.network == "song":
        task = SongHarmonyTask(model, track, latents, places, settings.song, examples)
    else:
        task = HarmonyTask(model, track, latents, places, settings.training, examples)
    folder = session.options.run / "harmony" / name
    fit(folder, task, session.fit_settings("harmony"), session.options.max_steps)
    save_weights(folder, task.model)
    return {split: task.evaluate(split) for split in ("val", "test") if len(places[split])}


if __name__ == "__main__":
    main()
