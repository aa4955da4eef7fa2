"""Put together in a folder what becomes a repository on the Hub: a genre's models, or the demo.

A genre's repository holds its models, their card and samples of what they make.
"""

import json
import re
import shutil
from pathlib import Path

from huggingface_hub import HfApi, ModelCard, RepoCard
from huggingface_hub.errors import RevisionNotFoundError
from yaml import YAMLError

from accomp.band.accompanist import Accompanist
from accomp.errors import AudioUnavailable, ModelError
from accomp.models import hub
from accomp.models.files import CONFIG_FILE
from accomp.music.midi import read_midi, write_midi
from accomp.plot import save_plot
from accomp.sound.audio_file import write_audio
from accomp.sound.render import render
from train.fit.run_files import TRAINING
from train.publish.cards import PLACEHOLDER, SAMPLES
from train.publish.hub_commit import Publication, Refused
from train.publish.share import store_whole

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
OWN_APP = 'title="accomp"'  # the page's, in every version of app.py
LOSSES = "losses.png"
# The files of the demo: whole folders, so that a new file is never forgotten, but neither training
# nor tests, nor the examples' results. A genre's models come from the owner's repositories.
DEMO = (
    "app.py",
    "accomp/**/*",
    "page/**/*",
    "examples/*",
    "docs/**/*",
    "*.md",
    "CITATION.cff",
    "LICENSE",
    "pyproject.toml",
    "setup.py",
    "requirements.txt",
    "packages.txt",
)
# By Python, Gradio and npm, beside the code. The player's instruments are wanted, though.
GENERATED = re.compile(
    r"(^|/)__pycache__/|\.py[ci]$|^page/player/(node_modules/|made/(?!sounds/.*\.sf3$))"
)
# Links of Markdown whose targets are files, and not those of pictures.
LINK = re.compile(r"(?<!!)\[([^\]\[]*)\]\((?!\w+:|#)([^)#]+)(?:#[^)]*)?\)")
PLAYER = Path("page") / "player"  # a Space has no npm, so that the player's packages go along


def check_model(model: Path, genre: str, cards: Path) -> Accompanist:
    """Load the models of a genre and check that all that goes with them is there.

    Raises Refused unless they load, are this genre's, and have their figures and a card that was
    made for these weights.
    """
    found = _load_model(model, genre)
    for name in (TRAINING, LOSSES):
        if not (model / name).is_file():
            raise Refused(f"{model / name} is missing; python -m train harmony --export writes it")
    card = cards / f"{genre}.md"
    if not card.is_file():
        raise Refused(f"{card} is missing; make it with: python -m train cards {genre}")
    name = hub.repository(genre, PLACEHOLDER)
    try:
        is_card = ModelCard.load(card).data.library_name == hub.LIBRARY
    except (ValueError, YAMLError) as error:
        message = " ".join(str(error).split())
        raise Refused(f"{card}: its front matter can't be read: {message}") from error
    text = card.read_text()
    if not is_card or name not in text or found.config.weights_sha256[:12] not in text:
        raise Refused(
            f"{card} is not the card of {name} with these weights; make it anew: "
            f"python -m train cards {genre}"
        )
    return found


def _load_model(model: Path, genre: str) -> Accompanist:
    try:
        found = Accompanist.from_pretrained(model, device="cpu")
    except ModelError as error:
        raise Refused(f"{error}; nothing was uploaded") from error
    if found.config.genre != genre:
        raise Refused(
            f"{model} holds the genre {found.config.genre!r}; rename the folder, or train with "
            f"--genre {genre}"
        )
    return found


def stage_model(
    model: Accompanist, owner: str, cards: Path, folder: Path, sound: bool
) -> Publication:
    """Stage models with their card, settings, figures, loss curves and samples.

    Args:
        model: Models that `check_model` has loaded.
        owner: User or organisation on the Hub that the repository belongs to.
        cards: Folder with <genre>.md, in which the owner's name takes the placeholder's place.
        folder: A new folder to stage them in.
        sound: Whether the samples have sound.

    Returns:
        The staged folder as the repository <owner>/accomp-<genre>.

    Raises:
        Refused: There is no FluidSynth to make the sound with.
    """
    genre = model.config.genre
    folder.mkdir(parents=True)
    store_whole(model.source.folder, folder)
    for name in (TRAINING, LOSSES):
        shutil.copyfile(model.source.folder / name, folder / name)
    text = (cards / f"{genre}.md").read_text().replace(PLACEHOLDER, owner)
    (folder / "README.md").write_text(text if sound else re.sub(r"<audio .*\n", "", text))
    write_samples(model, folder / "samples", sound)
    return Publication(
        hub.repository(genre, owner), "model", folder, CONFIG_FILE, lambda text: '"vaes"' in text
    )


def write_samples(model: Accompanist, folder: Path, sound: bool) -> None:
    """Accompany a few melodies and write MIDI, picture and sound of each.

    Raises Refused without FluidSynth, if sound is wanted.
    """
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
    """Stage the demo as a Space that serves an owner's models.

    The models are named in the front matter, from which the Hub downloads them when it builds the
    Space.

    Args:
        repo_id: The Space, as NAME/REPOSITORY.
        owner: User or organisation whose models it serves.
        revision: Tag of the models to serve; None for the newest.
        folder: Folder to stage it in.
        api: Client that lists the owner's models.

    Returns:
        The staged folder as the Space.

    Raises:
        Refused: The models can't be listed, there are none, or one lacks the tag.
    """
    copy_demo(folder)
    models = _owned_models(api, owner, revision)
    card = RepoCard.load(folder / "README.md")
    card.data.models = list(models)
    # The commit only where a tag is served: else the Space asks for the newest, and has cached
    # what has not changed since.
    card.data.preload_from_hub = [
        " ".join([name, ",".join(hub.FILES), *([commit] if commit else [])])
        for name, commit in models.items()
    ]
    card.text = card.text.replace(
        "](model_cards/)", f"]({api.endpoint}/{owner})"
    )  # the cards are with the models
    card.save(folder / "README.md")
    for document in folder.rglob("*.md"):
        unlink_missing(document)
    variables = {"ACCOMP_NAMESPACE": f"{owner}@{revision}" if revision else owner}
    return Publication(repo_id, "space", folder, "app.py", lambda text: OWN_APP in text, variables)


def copy_demo(folder: Path) -> None:
    """Copy the demo's files to a folder, without those that running it has generated.

    What the player needs of npm's packages goes along, as far as it is installed.
    """
    for pattern in DEMO:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT)
            if path.is_file() and not GENERATED.search(name.as_posix()):
                _copy(name, folder)
    package = json.loads((ROOT / PLAYER / "package.json").read_text(encoding="utf-8"))
    for file in [*package["served"].values(), *package["licenses"]]:
        if (ROOT / PLAYER / "node_modules" / file).is_file():
            _copy(PLAYER / "node_modules" / file, folder)


def unlink_missing(document: Path) -> None:
    """Leave links of a Markdown file to files that aren't there their text alone."""

    def kept(found: re.Match[str]) -> str:
        text, target = found.groups()
        return found[0] if (document.parent / target).exists() else text

    document.write_text(LINK.sub(kept, document.read_text("utf-8")), "utf-8")


def _copy(name: Path, folder: Path) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / name, folder / name)


def _owned_models(api: HfApi, owner: str, revision: str | None) -> dict[str, str | None]:
    """Return the Hub ids of an owner's models, each with its commit at the tag, if there is one."""
    try:
        prefix = hub.repository("", owner)
        names = [entry.id for entry in api.list_models(author=owner)]
        models = dict.fromkeys(sorted(name for name in names if name.startswith(prefix)))
        for name in models if revision else ():
            models[name] = api.model_info(name, revision=revision).sha
    except RevisionNotFoundError as error:
        raise Refused(
            f"{name} has no tag {revision!r}: python -m train push --genre "
            f"{name.removeprefix(prefix)} --namespace {owner} --revision {revision}"
        ) from error
    except Exception as error:  # whatever the network does
        raise Refused(
            f"the models of {owner} can't be listed: {hub.first_line(error)}; nothing was uploaded"
        ) from error
    if not models:
        raise Refused(
            f"{owner} has no models for the Space to serve; push them first: "
            f"python -m train push --all --namespace {owner}"
        )
    return models
