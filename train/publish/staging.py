"""What becomes a repository on the Hub, put together in a folder: a genre's models with their card and samples, or the demo."""

import re
import shutil
from pathlib import Path

from huggingface_hub import HfApi, ModelCard, RepoCard
from huggingface_hub.errors import RevisionNotFoundError
from yaml import YAMLError

from accomp.band.accompanist import Accompanist
from accomp.models import hub
from accomp.models.config import CONFIG_FILE, WEIGHTS_FILE, ModelError
from accomp.music.midi import read_midi, write_midi
from accomp.plot import save_plot
from accomp.sound.render import AudioUnavailable, render, write_audio
from train.fit.unpack import TRAINING
from train.publish.cards import PLACEHOLDER, SAMPLES
from train.publish.hub_commit import Publication, Refused

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
LOSSES = "losses.png"
# What the demo is made of; neither training nor data nor models.
DEMO = (
    "app.py",
    "page/*.py",
    "page/*.js",
    "page/*.css",
    "accomp/**/*.py",
    "accomp/data/genres/*",
    "accomp/data/melody_nn/*",
    "accomp/data/listen/*",
    "accomp/data/song_vae/*",
    "accomp/data/styles/*",
    "examples/*.mid",
    "examples/README.md",
    "docs/**/*.png",
    "docs/*.md",
    "README.md",
    "LICENSE",
    "pyproject.toml",
    "requirements.txt",
    "packages.txt",
)


def check_model(model: Path, genre: str, cards: Path) -> Accompanist:
    """The models of a genre. Raises Refused unless they load, are this genre's, and have all that goes with them."""
    try:
        found = Accompanist.from_pretrained(model, device="cpu")
    except ModelError as error:
        raise Refused(f"{error}; nothing was uploaded") from error
    if found.config.genre != genre:
        raise Refused(
            f"{model} holds the genre {found.config.genre!r}; rename the folder, or train with --genre {genre}"
        )
    for name in (TRAINING, LOSSES):
        if not (model / name).is_file():
            raise Refused(f"{model / name} is missing; train.fit.harmony --export writes it")
    card = cards / f"{genre}.md"
    if not card.is_file():
        raise Refused(f"{card} is missing; make it with: python -m train cards {genre}")
    name = hub.repository(genre, PLACEHOLDER)
    try:
        is_card = ModelCard.load(card).data.library_name == hub.LIBRARY
    except (ValueError, YAMLError) as error:
        raise Refused(
            f"{card}: its front matter can't be read: {' '.join(str(error).split())}"
        ) from error
    if (
        not is_card
        or name not in card.read_text()
        or found.config.weights_sha256[:12] not in card.read_text()
    ):
        raise Refused(
            f"{card} is not the card of {name} with these weights; make it anew: python -m train cards {genre}"
        )
    return found


def stage_model(
    model: Accompanist, owner: str, cards: Path, folder: Path, sound: bool
) -> Publication:
    """Models (that `check_model` loaded), card, settings and figures, loss curves and samples. Raises Refused."""
    genre = model.config.genre
    folder.mkdir(parents=True)
    for name in (CONFIG_FILE, WEIGHTS_FILE, TRAINING, LOSSES):
        shutil.copyfile(model.source.folder / name, folder / name)
    text = (cards / f"{genre}.md").read_text().replace(PLACEHOLDER, owner)
    (folder / "README.md").write_text(text if sound else re.sub(r"<audio .*\n", "", text))
    write_samples(model, folder / "samples", sound)
    return Publication(
        hub.repository(genre, owner), "model", folder, CONFIG_FILE, lambda text: '"vaes"' in text
    )


def write_samples(model: Accompanist, folder: Path, sound: bool) -> None:
    """What the models make of a few melodies: MIDI, picture and sound. Raises Refused without FluidSynth."""
    for name in SAMPLES:
        song = model.accompany(read_midi(EXAMPLES / f"{name}.mid"), seed=0)
        (folder / name).mkdir(parents=True)
        write_midi(song, folder / name / "accompaniment.mid")
        save_plot(song, folder / name / "pianoroll.png")
        if sound:
            try:
                write_audio(render(song), folder / name / "accompaniment.mp3")
            except AudioUnavailable as error:
                raise Refused(
                    f"the samples have no sound: {error}. Or push without: --no-sound"
                ) from error


def stage_space(
    repo_id: str, owner: str, revision: str | None, folder: Path, api: HfApi
) -> Publication:
    """The demo, which serves the models of `owner` (at a tag, if one is given): they are named in its front matter, to be
    brought in when the Space is built. Raises Refused.
    """
    for pattern in DEMO:
        for path in sorted(ROOT.glob(pattern)):
            target = folder / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    try:
        prefix, commits = hub.repository("", owner), {}
        models = sorted(
            entry.id for entry in api.list_models(author=owner) if entry.id.startswith(prefix)
        )
        for name in models if revision else ():
            commits[name] = api.model_info(name, revision=revision).sha
    except RevisionNotFoundError as error:
        raise Refused(
            f"{name} has no tag {revision!r}: train.publish.push --genre {name.removeprefix(prefix)} --namespace {owner} "
            f"--revision {revision}"
        ) from error
    except Exception as error:  # whatever the network does
        raise Refused(
            f"the models of {owner} can't be listed: {hub.first_line(error)}; nothing was uploaded"
        ) from error
    if not models:
        raise Refused(
            f"{owner} has no models for the Space to serve; push them first: train.publish.push --all --namespace {owner}"
        )
    card = RepoCard.load(folder / "README.md")
    card.data.models = models
    # The commit only where a tag is served: else the Space asks for the newest, and has cached what has not changed since.
    card.data.preload_from_hub = [
        " ".join([name, ",".join(hub.FILES), *([commits[name]] if revision else [])])
        for name in models
    ]
    card.text = card.text.replace(
        "](model_cards/)", f"]({api.endpoint}/{owner})"
    )  # the cards are with the models
    card.save(folder / "README.md")
    variables = {"ACCOMP_NAMESPACE": f"{owner}@{revision}" if revision else owner}
    return Publication(
        repo_id, "space", folder, "app.py", lambda text: "from accomp import" in text, variables
    )
