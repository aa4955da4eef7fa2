"""Where a genre's models lie, and how they come from there: a folder, the embedded `models/`, or the Hugging Face Hub.

A genre's name stands for one place: where the environment variable ACCOMP_NAMESPACE says `NAME` or `NAME@REVISION`, for
the repository `NAME/accomp-<genre>` on the Hub (at that revision); else for the embedded folder `models/<genre>`.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

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
from accomp.models.files import CONFIG_FILE, WEIGHTS_FILE
from accomp.models.genre_files import MODELS, load_genre

FILES = [
    CONFIG_FILE,
    WEIGHTS_FILE,
    "training.json",
]  # of a model; the last, how it was trained, is not needed to play
LIBRARY = "accomp"  # the library's name on the Hub, and how the names of its repositories begin
# Of a model that was saved or pushed by itself.
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
    """A place that a model was loaded from. name: a folder or Hub id; commit: of the Hub repository, None for a folder."""

    name: str
    folder: Path
    commit: str | None = None

    def __str__(self) -> str:
        return f"{self.name} @ {self.commit[:7]}" if self.commit else self.name


def namespace() -> tuple[str, str | None]:
    """The user or organisation whose repositories the genres' names stand for, "" for the embedded models, and the revision."""
    name, _, revision = os.environ.get("ACCOMP_NAMESPACE", "").strip().partition("@")
    return name, revision or None


def code(owner: str) -> str:
    """Where an owner's Space lies, whose repository holds the library too."""
    return f"https://huggingface.co/spaces/{owner}/{LIBRARY}"


def repository(genre: str, owner: str) -> str:
    """The Hub id of a genre's models."""
    return f"{owner}/{LIBRARY}-{genre}"


def genres() -> list[str]:
    """The genres that can be asked for by name: those of the namespace on the Hub (or, out of its reach, in the cache), else
    those embedded with the project.
    """
    owner, pinned = namespace()
    if not owner:
        return sorted(path.parent.name for path in MODELS.glob(f"*/{CONFIG_FILE}"))
    prefix, api = repository("", owner), HfApi()
    try:
        found = [model.id for model in api.list_models(author=owner) if model.id.startswith(prefix)]
        found = [name for name in found if pinned is None or api.revision_exists(name, pinned)]
    except Exception:  # whatever the network does, what is cached works
        cached = Path(constants.HF_HUB_CACHE).glob(
            f"models--{owner}--{LIBRARY}-*/snapshots/*/{CONFIG_FILE}"
        )
        found = {
            path.parents[2].name.removeprefix("models--").replace("--", "/", 1) for path in cached
        }
    return sorted(name.removeprefix(prefix) for name in found)


def find(source: str | Path, revision: str | None = None, **settings) -> Source:
    """The folder of a model: that of a path, of a genre's name, or of a Hub id, whose two files are then brought into the
    cache, or taken from it where the Hub is out of reach. settings: further arguments of `snapshot_download`.

    A plain name is a genre's; "./name" is a folder. Raises ModelError.
    """
    name, (owner, pinned) = str(source), namespace()
    is_plain = isinstance(source, str) and "/" not in name and os.sep not in name
    if is_plain and owner:
        name, revision = repository(name, owner), revision or pinned
    else:
        is_embedded = is_plain and (MODELS / name / CONFIG_FILE).is_file()
        folder = MODELS / name if is_embedded else Path(source)
        if folder.is_dir():
            if revision:
                raise ModelError(
                    f"{folder} is a folder and has no revision {revision!r}; revisions are for Hub ids"
                )
            return Source(name, folder)
        if is_plain:
            raise ModelError(
                f"genre {name!r} is unknown; available: {', '.join(genres()) or 'none'}"
            )
        if isinstance(source, Path):
            raise ModelError(f"there is no folder {source}")
    folder = download(name, revision, FILES, **settings)
    return Source(name, folder, folder.name)


def download(name: str, revision: str | None, patterns: list[str], **settings) -> Path:
    """The folder in the cache with the files of a Hub repository that match the patterns, brought there where they are not.
    settings: further arguments of `snapshot_download`. Raises ModelError.
    """
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns, **settings))
    except TypeError:
        raise  # an argument that the client does not know
    except (
        Exception
    ) as error:  # the client raises many kinds; each means that the files are not all there
        raise ModelError(_reason(name, revision, error)) from error


def _reason(name: str, revision: str | None, error: Exception) -> str:
    """Why a repository can't be had, and what to do."""
    if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # what came between, where the client went on to look in its cache
    if isinstance(error, HFValidationError):
        return f"{name!r} is neither a folder nor a Hub id; a Hub id is NAME/REPOSITORY"
    if isinstance(error, RevisionNotFoundError):
        return f"{name} has no revision {revision!r} on the Hub; its branches and tags are listed on its page"
    if isinstance(error, GatedRepoError):
        return f"{name}: the Hub does not let you in (403); ask for access on its page, and log in with: hf auth login"
    if isinstance(error, RepositoryNotFoundError):
        return f"{name!r} is neither a folder nor a repository that the Hub shows you; if it is private, log in with: hf auth login"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return f"{name}: the Hub refuses ({status}); log in with a token that may read it: hf auth login"
    return f"{name} could not be downloaded whole, and is not in the cache; try again later ({first_line(error)})"


def first_line(error: Exception) -> str:
    """An error's kind and the first line of its message."""
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]


def load(
    source: str | Path, revision: str | None = None, **settings
) -> tuple[Source, AccompanistConfig, dict[str, Tensor]]:
    """Where a model was found (`find`), its settings and weights. A damaged copy in the cache is downloaded anew, once.
    Raises ModelError.
    """
    found = find(source, revision, **settings)
    try:
        return found, *load_genre(found.folder, str(found))
    except DamagedError as damage:
        if not found.commit or settings.get("local_files_only"):
            raise
        try:
            found = find(
                found.name, revision or found.commit, **{**settings, "force_download": True}
            )
        except ModelError as error:
            raise ModelError(f"{damage}; and anew: {error}") from error
        return found, *load_genre(found.folder, str(found))


class Shelf:
    """Models that are loaded when they are first asked for, each once, and without keeping those waiting who ask for others.

    load: from a genre's name to its model; what it raises is raised to whoever asked, and the next one tries again.
    """

    def __init__(self, load: Callable):
        self._load = load
        self._models: dict = {}
        self._locks: dict[str, Lock] = {}
        self._lock = Lock()

    def get(self, genre: str):
        with self._lock:
            lock = self._locks.setdefault(genre, Lock())
        with lock:
            if genre not in self._models:
                self._models[genre] = self._load(genre)
            return self._models[genre]
