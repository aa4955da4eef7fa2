"""Publish a folder as a repository on the Hub, in one commit.

Before that: check the account, and compare the folder with what the repository holds.
"""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub import HfApi, RepoCard, get_token
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile, RepoFolder

from accomp.models import hub
from accomp.models.files import WEIGHTS_FILE, digest

TOKENS = "https://huggingface.co/settings/tokens"
NEW_FILES = {".gitattributes", "README.md"}  # what the Hub puts into a repository that it creates


class Refused(SystemExit):
    """Nothing was uploaded; the message says why, and what to do."""


@dataclass
class Publication:
    """A staged folder and the repository that takes its content.

    Files of the repository that the folder lacks are deleted.

    Attributes:
        repo_id: NAME/REPOSITORY.
        kind: "model", "dataset" or "space".
        folder: The staged folder.
        mark: Path of the file by which a repository of this project is recognised.
        is_ours: Whether the text of that file is this project's.
        variables: Environment variables of a Space.
    """

    repo_id: str
    kind: str
    folder: Path
    mark: str
    is_ours: Callable[[str], bool]
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, Path]:
        """The folder's files by their path in the repository."""
        return {
            p.relative_to(self.folder).as_posix(): p
            for p in sorted(self.folder.rglob("*"))
            if p.is_file()
        }

    @property
    def url(self) -> str:
        """The repository's page on the Hub."""
        place = {"model": "", "dataset": "datasets/", "space": "spaces/"}[self.kind]
        return f"{HfApi().endpoint}/{place}{self.repo_id}"


@dataclass
class Changes:
    """Paths of a publication and its repository, by what publishing would do to them."""

    new: list[str]
    changed: list[str]
    deleted: list[str]
    same: list[str]

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.deleted)

    def __str__(self) -> str:
        words = (
            ("new", self.new),
            ("changed", self.changed),
            ("deleted", self.deleted),
            ("unchanged", self.same),
        )
        return ", ".join(f"{len(paths)} {word}" for word, paths in words if paths) or "nothing"


def check_account(api: HfApi, owner: str) -> None:
    """Raise Refused unless there is a token that may write to the owner's repositories."""
    if not (api.token or get_token()):
        raise Refused(
            f"no token: make one that may write at {TOKENS}, then `hf auth login`, or set HF_TOKEN"
        )
    try:
        account = api.whoami()
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise Refused(
                f"the Hub does not know the token ({status}): make one at {TOKENS}, then "
                "`hf auth login`"
            ) from error
        raise Refused(f"the Hub answers {status}; nothing was uploaded, try again later") from error
    except Exception as error:  # whatever the network does
        raise Refused(
            f"the Hub can't be reached ({hub.first_line(error)}); nothing was uploaded, try again "
            "later"
        ) from error
    if account.get("auth", {}).get("accessToken", {}).get("role") == "read":
        raise Refused(
            f"the token of {account['name']} may only read; make one that may write at {TOKENS}"
        )
    orgs = [org["name"] for org in account.get("orgs", []) if org.get("roleInOrg") != "read"]
    own = sorted({account["name"], *orgs})
    if owner not in own:
        raise Refused(f"{account['name']} may not write to {owner}; choose among {', '.join(own)}")


def compare(api: HfApi, publication: Publication, revision: str | None = None) -> Changes:
    """List what publishing would change, at a revision of the repository.

    Raises Refused if the repository exists and is not this project's.
    """
    kind, repo_id, files = publication.kind, publication.repo_id, publication.files
    try:
        tree = list(api.list_repo_tree(repo_id, repo_type=kind, revision=revision, recursive=True))
    except RepositoryNotFoundError:
        return Changes(sorted(files), [], [], [])
    remote = {entry.path: entry for entry in tree if not isinstance(entry, RepoFolder)}
    if set(remote) - NEW_FILES:
        if publication.mark not in remote:
            raise Refused(
                f"{repo_id} is taken: there is a {kind} of that name without {publication.mark}; "
                "nothing was uploaded. Choose another namespace or genre, or delete or rename it"
            )
        text = Path(
            api.hf_hub_download(repo_id, publication.mark, repo_type=kind, revision=revision)
        ).read_text(errors="replace")
        if not publication.is_ours(text):
            raise Refused(
                f"{repo_id} is taken: its {publication.mark} is not one of accomp's; nothing was "
                "uploaded. Choose another namespace or genre, or delete or rename it"
            )
    same = [path for path in files if path in remote and is_same(remote[path], files[path])]
    changed = [path for path in files if path in remote and path not in same]
    deleted = [path for path in remote if path not in files and path != ".gitattributes"]
    return Changes([path for path in files if path not in remote], changed, deleted, same)


def keep_renderings(api: HfApi, publication: Publication, changes: Changes) -> None:
    """Keep the pictures and sounds that are on the Hub, if weights and music are unchanged.

    They come out a little different on every machine. Those on the Hub replace the rendered ones
    in the folder, and count as unchanged in `changes`.
    """
    music = {
        path for path in publication.files if path.startswith("samples/") and path.endswith(".mid")
    }
    if not {WEIGHTS_FILE, *music} <= set(changes.same):
        return
    for path in [path for path in changes.changed if path.startswith("samples/")]:
        theirs = api.hf_hub_download(publication.repo_id, path, repo_type=publication.kind)
        shutil.copyfile(theirs, publication.folder / path)
        changes.changed.remove(path)
        changes.same.append(path)


def check_card(publication: Publication) -> None:
    """Raise Refused if the Hub would refuse the card's front matter."""
    try:
        RepoCard.load(publication.files["README.md"]).validate(repo_type=publication.kind)
    except ValueError as error:
        raise Refused(
            f"{publication.repo_id}: {' '.join(str(error).split())}; nothing was uploaded"
        ) from error


def check_private(api: HfApi, publication: Publication) -> None:
    """Raise Refused if the repository exists and is public."""
    try:
        is_private = api.repo_info(publication.repo_id, repo_type=publication.kind).private
    except RepositoryNotFoundError:
        return
    if not is_private:
        raise Refused(
            f"{publication.repo_id} is public already; make it private in its settings, or leave "
            "out --private"
        )


def is_same(remote: RepoFile, path: Path) -> bool:
    """Compare a file on the Hub with a local one, by the hash that the Hub tells of it.

    That is SHA-256 for what Git LFS holds, and Git's own hash for other files.
    """
    if remote.size != path.stat().st_size:
        return False
    if remote.lfs:
        return remote.lfs.sha256 == digest(path)
    content = path.read_bytes()
    return remote.blob_id == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def check_tag(api: HfApi, publication: Publication, tag: str) -> bool:
    """Tell whether the tag exists already with exactly these files.

    Raises Refused if it exists with others, or if a branch has its name.
    """
    try:
        refs = api.list_repo_refs(publication.repo_id, repo_type=publication.kind)
    except RepositoryNotFoundError:
        return False
    if tag in [branch.name for branch in refs.branches]:
        raise Refused(
            f"{publication.repo_id} has a branch named {tag!r}; choose another name for the tag"
        )
    if tag not in [entry.name for entry in refs.tags]:
        return False
    if compare(api, publication, tag):
        raise Refused(
            f"{publication.repo_id} has a tag {tag!r} already, with other files; a tag stays, "
            "choose another"
        )
    return True


def publish(
    api: HfApi, publication: Publication, changes: Changes, private: bool, tag: str | None
) -> str:
    """Make the repository's content the folder's, in one commit.

    Content that the Hub has already is not uploaded again, so that an interrupted call can be
    repeated.

    Args:
        api: Client that is logged in.
        publication: The staged folder and its repository, which is created if there is none.
        changes: What `compare` found; without changes there is no commit.
        private: Whether a new repository is private.
        tag: Tag for the commit, if any.

    Returns:
        The commit's hash.
    """
    kind, repo_id = publication.kind, publication.repo_id
    variables = [{"key": name, "value": value} for name, value in publication.variables.items()]
    new = {"space_sdk": "gradio", "space_variables": variables} if kind == "space" else {}
    api.create_repo(repo_id, repo_type=kind, private=private or None, exist_ok=True, **new)
    if changes:
        commit = api.upload_folder(
            repo_id=repo_id,
            repo_type=kind,
            folder_path=publication.folder,
            commit_message=f"{kind.capitalize()}: {changes}",
            delete_patterns=["*"],
        ).oid
    else:
        commit = api.repo_info(repo_id, repo_type=kind).sha
    if kind == "space":  # after the files, since a new value restarts it
        known = api.get_space_variables(repo_id)
        for name, value in publication.variables.items():
            if name not in known or known[name].value != value:
                api.add_space_variable(repo_id, name, value)
    if tag and not check_tag(api, publication, tag):
        api.create_tag(repo_id, tag=tag, revision=commit, repo_type=kind)
    return commit
