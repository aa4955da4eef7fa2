"""Find the models of a genre: in a folder, among the embedded ones, or on the Hugging Face Hub.

A genre's name stands for one place. Where the environment variable ACCOMP_NAMESPACE says `NAME` or
`NAME@REVISION`, "jazz" is the repository `NAME/accomp-jazz` on the Hub, at that revision. Else it
is the folder `jazz` of the embedded models (accomp.models.places.MODELS).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from torch import Tensor

from accomp.errors import DamagedError, ModelError
from accomp.models.config import AccompanistConfig
from accomp.models.files import WEIGHTS_FILE
from accomp.models.genre_files import load_genre
from accomp.models.places import (
    CONFIG_FILE,
    embedded_genres,
    is_plain,
    local_folder,
    namespace,
)

# The files of a model. The last says how it was trained, and is not needed to play.
FILES = [CONFIG_FILE, WEIGHTS_FILE, "training.json"]
LIBRARY = "accomp"  # the library's name on the Hub; its repositories' names begin with it
# The card of a model that is saved or pushed by itself; train.publish.cards writes the whole one.
CARD = """
---
{{ card_data }}
---

# accomp{% if genre %}: a {{ genre }} band for your melody{% endif %}

{% if code -%}
```sh
pip install git+{{ code }}
```

{% endif -%}
```python
from accomp import Accompanist, read_midi, write_midi

accompanist = Accompanist.from_pretrained("{{ repo_id | default("FOLDER_OR_HUB_ID", true) }}")
write_midi(accompanist.accompany(read_midi("melody.mid")), "song.mid")
```
"""


@dataclass(frozen=True)
class Source:
    """A place that a model is loaded from.

    Attributes:
        name: as the caller gave it: a folder, a genre or a Hub id.
        folder: where the files lie.
        commit: of the Hub repository; None for a folder.
    """

    name: str
    folder: Path
    commit: str | None = None

    def __str__(self) -> str:
        return f"{self.name} @ {self.commit[:7]}" if self.commit else self.name


def code(owner: str) -> str:
    """Return the address of an owner's Space, whose repository holds the library too."""
    return f"https://huggingface.co/spaces/{owner}/{LIBRARY}"


def repository(genre: str, owner: str) -> str:
    """Return the Hub id of a genre's models."""
    return f"{owner}/{LIBRARY}-{genre}"


def genres() -> list[str]:
    """List the genres that can be loaded by name.

    They are those of the namespace on the Hub, or where the Hub is out of reach those of it in the
    cache. Without a namespace they are the embedded ones.
    """
    owner, pinned = namespace()
    if not owner:
        return embedded_genres()
    prefix, api = repository("", owner), HfApi()
    try:
        found = [model.id for model in api.list_models(author=owner) if model.id.startswith(prefix)]
        found = [name for name in found if pinned is None or api.revision_exists(name, pinned)]
    except Exception:  # whatever the network does, what is cached works
        found = _cached(owner)
    return sorted(name.removeprefix(prefix) for name in found)


def _cached(owner: str) -> set[str]:
    """List the Hub ids of an owner's models in the cache."""
    folders = f"models--{owner}--{LIBRARY}-*/snapshots/*/{CONFIG_FILE}"
    return {
        path.parents[2].name.removeprefix("models--").replace("--", "/", 1)
        for path in Path(constants.HF_HUB_CACHE).glob(folders)
    }


def find(source: str | Path, revision: str | None = None, **settings: Any) -> Source:
    """Find the folder of a model, and download it where it is on the Hub and not in the cache.

    Args:
        source: a genre's name ("jazz"), a folder ("./jazz", "models/jazz") or a Hub id
            ("user/accomp-jazz"). A Path is a folder.
        revision: branch, tag or commit of a Hub repository.
        **settings: further arguments of `huggingface_hub.snapshot_download`.

    Raises:
        ModelError: there is no such model, or it can't be downloaded.
    """
    name, folder = str(source), local_folder(source)
    if folder and revision:
        raise ModelError(
            f"{folder} is a folder and has no revision {revision!r}; revisions are for Hub ids"
        )
    if folder:
        return Source(name, folder)
    if is_plain(source):
        owner, pinned = namespace()
        name, revision = repository(name, owner), revision or pinned
    folder = download(name, revision, FILES, **settings)
    return Source(name, folder, folder.name)


def download(name: str, revision: str | None, patterns: list[str], **settings: Any) -> Path:
    """Download files of a Hub repository to the cache, and return their folder there.

    Args:
        name: Hub id of the repository.
        revision: branch, tag or commit.
        patterns: of the files' names.
        **settings: further arguments of `huggingface_hub.snapshot_download`.

    Raises:
        ModelError: the files are not all there. The message says why and what to do.
    """
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns, **settings))
    except TypeError:
        raise  # an argument that the client does not know
    except Exception as error:  # the client raises many kinds
        raise ModelError(_reason(name, revision, error)) from error


def _reason(name: str, revision: str | None, error: Exception) -> str:
    """Say why a repository can't be had, and what to do."""
    if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # what came between, where the client went on to look in its cache
    reasons = {  # the first that fits: the kinds build on each other
        HFValidationError: f"{name!r} is neither a folder nor a Hub id; a Hub id is "
        "NAME/REPOSITORY",
        RevisionNotFoundError: f"{name} has no revision {revision!r} on the Hub; its branches and "
        "tags are listed on its page",
        GatedRepoError: f"{name}: the Hub does not let you in (403); ask for access on its page, "
        "and log in with: hf auth login",
        RepositoryNotFoundError: f"{name!r} is neither a folder nor a repository that the Hub "
        "shows you; if it is private, log in with: hf auth login",
    }
    for kind, reason in reasons.items():
        if isinstance(error, kind):
            return reason
    if isinstance(error, OSError) and error.errno is not None and error.strerror:
        return (
            f"{name} can't be kept in the cache {constants.HF_HUB_CACHE} ({error.strerror}); make "
            "room there, or set HF_HUB_CACHE to a folder that can be written"
        )
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return (
            f"{name}: the Hub refuses ({status}); log in with a token that may read it: "
            "hf auth login"
        )
    return (
        f"{name} could not be downloaded whole, and is not in the cache; try again later "
        f"({first_line(error)})"
    )


def first_line(error: Exception) -> str:
    """Return an error's kind and the first line of its message."""
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]


def load(
    source: str | Path, revision: str | None = None, **settings: Any
) -> tuple[Source, AccompanistConfig, dict[str, Tensor]]:
    """Find a model and load its settings and weights.

    The Hub's client compares only the size of what it downloads, and takes what is in its cache as
    it is. So SHA-256 is checked here, and a damaged copy is downloaded again, once.

    Args:
        source: as in `find`.
        revision: as in `find`.
        **settings: as in `find`.

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    found = find(source, revision, **settings)
    try:
        return found, *load_genre(found.folder, str(found))
    except DamagedError as damage:
        if not found.commit or settings.get("local_files_only"):
            raise
        try:
            again = settings | {"force_download": True}
            found = find(found.name, revision or found.commit, **again)
        except ModelError as error:
            raise ModelError(f"{damage}; downloaded again: {error}") from error
        return found, *load_genre(found.folder, str(found))
