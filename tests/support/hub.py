"""A stand-in for the Hugging Face Hub, with repositories kept in memory and faults on request.

It serves the part of the HTTP protocol that the client `huggingface_hub` uses without Xet. Set
HF_ENDPOINT to `hub.url` and HF_HUB_DISABLE_XET to 1 before huggingface_hub is imported.
Repositories are named as the client names them: an id NAME/REPOSITORY, and a repo_type "model",
"dataset" or "space".
"""

import base64
import codecs
import fnmatch
import hashlib
import json
import re
import socket
import threading
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlencode
from weakref import WeakSet

from tests.support.hub_cards import SDKS, check_card, front_matter

LARGE = 10 * 1024 * 1024  # bytes above which a file has to be in LFS
LFS_SUFFIXES = """7z arrow bin bmp bz2 ckpt flac gif gz h5 jpeg jpg joblib mp3 mp4 npy npz ogg onnx
    opus parquet pickle pkl png pt pth safetensors tar tgz tiff wav webm webp xz zip zst"""
ATTRIBUTES = "".join(
    f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LFS_SUFFIXES.split()
).encode()
BAD_TOKEN = "Invalid credentials in Authorization header"


@dataclass(frozen=True)
class Blob:
    """The content of a file, and whether it is kept in LFS."""

    content: bytes
    lfs: bool = False

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def pointer(self) -> bytes:
        version = "https://git-lfs.github.com/spec/v1"
        size = len(self.content)
        return f"version {version}\noid sha256:{self.sha256}\nsize {size}\n".encode()

    @cached_property
    def oid(self) -> str:
        """What git calls it: for LFS, the name of the pointer."""
        content = self.pointer if self.lfs else self.content
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass(frozen=True)
class Commit:
    id: str
    parent: "Commit | None"
    title: str
    message: str
    author: str
    date: str
    files: dict[str, Blob]

    def history(self) -> list["Commit"]:
        """This commit and those before it, newest first."""
        commits = [self]
        while commits[-1].parent:
            commits.append(commits[-1].parent)
        return commits

    def below(self, path: str) -> dict[str, Blob]:
        """The file `path`, or the files in the folder `path`."""
        return {
            name: blob
            for name, blob in self.files.items()
            if name == path or name.startswith(f"{path}/")
        }

    def last_change(self, path: str) -> "Commit":
        commit, below = self, self.below(path)
        while commit.parent and commit.parent.below(path) == below:
            commit = commit.parent
        return commit

    @cached_property
    def card(self) -> dict:
        return (
            front_matter(self.files["README.md"].content.decode())
            if "README.md" in self.files
            else None
        ) or {}


@dataclass
class Repository:
    repo_type: str
    id: str
    private: bool
    sdk: str | None
    created: str
    branches: dict[str, str] = field(default_factory=dict)  # name to commit id
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)  # LFS contents by SHA-256
    variables: dict[str, dict] = field(default_factory=dict)
    hardware: str = "cpu-basic"

    @property
    def path(self) -> str:
        """Of its page on the Hub's site."""
        return self.id if self.repo_type == "model" else f"{self.repo_type}s/{self.id}"

    def resolve(self, revision: str) -> Commit:
        """The commit of a branch, tag, id, or beginning of an id."""
        name = self.branches.get(revision) or self.tags.get(revision) or revision
        found = [
            commit
            for commit in self.commits.values()
            if commit.id.startswith(name) and len(name) >= 7
        ]
        if len(found) != 1:
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found[0]

    def commit(
        self,
        branch: str,
        files: dict[str, Blob],
        title: str,
        message: str = "",
        author: str = "system",
    ) -> Commit:
        parent = self.commits.get(self.branches.get(branch, ""))
        content = (
            self.path,
            parent and parent.id,
            title,
            [(path, files[path].oid) for path in sorted(files)],
            len(self.commits),
        )
        commit = Commit(
            hashlib.sha1(repr(content).encode()).hexdigest(),
            parent,
            title,
            message,
            author,
            now(),
            files,
        )
        self.commits[commit.id] = commit
        self.branches[branch] = commit.id
        return commit

    def runtime(self) -> dict:
        """A Space runs here as soon as it has its main file."""
        commit, usual = (
            self.resolve("main"),
            {"static": "index.html", "docker": "Dockerfile"}.get(self.sdk, "app.py"),
        )
        stage = "RUNNING" if commit.card.get("app_file", usual) in commit.files else "NO_APP_FILE"
        hardware = {"current": self.hardware, "requested": self.hardware}
        return {"stage": stage, "hardware": hardware, "gcTimeout": None, "storage": None}


@dataclass(frozen=True)
class Account:
    name: str
    orgs: dict[str, str]  # name to role there: "admin", "write" or "read"
    role: str  # of the token: "write" or "read"

    def may_read(self, repository: Repository) -> bool:
        return repository.id.split("/")[0] in (self.name, *self.orgs)

    def may_write(self, namespace: str) -> bool:
        return self.role == "write" and (
            namespace == self.name or self.orgs.get(namespace) in ("admin", "write")
        )


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class HubError(Exception):
    """A request that is refused. code: for X-Error-Code; more: further fields of the answer."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        headers: dict | None = None,
        **more,
    ):
        super().__init__(message)
        told = {"X-Error-Message": " ".join(message.split()).encode("ascii", "replace").decode()}
        told |= {"X-Error-Code": code} if code else {}
        self.reply = as_json({"error": message, **more}, status, told | (headers or {}))


@dataclass
class Fault:
    kind: str  # "fail", "cut", "corrupt" or "slow"
    pattern: str
    method: str | None
    times: int | None  # requests that it still applies to; None: all
    value: object = None


class Server(ThreadingHTTPServer):
    def handle_error(self, *_):
        """Print nothing of closed connections; errors of endpoints are handled in `Handler`."""


class Hub:
    """The server and what it keeps.

    Attributes:
        requests: (method, path) of all since the last reset; paths unquoted, without a query.
        uploaded: bytes of files received.
        errors: tracebacks of errors in the server itself.
        page_size: entries per page of answers that come in pages.
    """

    def __init__(self):
        self.accounts: dict[str, Account] = {}  # by token
        self.lock = threading.RLock()
        self.connections: WeakSet[socket.socket] = WeakSet()
        # LFS contents have a port of their own: the client stops only at a redirect to another
        # origin, and there the Hub's own headers are.
        self._servers = [self._bind(), self._bind()]
        self._serves = False
        self.reset()

    def _bind(self, port: int = 0) -> Server:
        """Hold a port, where connections are refused until the server is activated."""
        server = Server(
            ("127.0.0.1", port), type("HubHandler", (Api,), {"hub": self}), bind_and_activate=False
        )
        server.server_bind()
        return server

    def start(self) -> "Hub":
        for server in self._servers:
            server.server_activate()
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self._serves = True
        return self

    def stop(self) -> None:
        """Refuse connections, and drop the open ones.

        `start` serves the same repositories again, on the same ports.
        """
        for index, server in enumerate(self._servers if self._serves else []):
            server.shutdown()
            server.server_close()
            self._servers[index] = self._bind(server.server_port)
        self._serves = False
        for connection in list(self.connections):
            with suppress(OSError):  # gone already
                connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Forget all but the accounts."""
        with self.lock:
            self.repositories: dict[tuple[str, str], Repository] = {}  # by (repo_type, id)
            self.faults: list[Fault] = []
            self.requests: list[tuple[str, str]] = []
            self.errors: list[str] = []
            self.uploaded = 0
            self.page_size = 5

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._servers[0].server_port}"

    @property
    def cdn(self) -> str:
        return f"http://127.0.0.1:{self._servers[1].server_port}"

    def add_account(
        self, token: str, name: str, orgs: Iterable[str] | dict[str, str] = (), role: str = "write"
    ) -> None:
        self.accounts[token] = Account(
            name, dict(orgs) if isinstance(orgs, dict) else dict.fromkeys(orgs, "write"), role
        )

    def fail(
        self, pattern, status=500, times=None, method=None, code=None, message=None, headers=None
    ) -> None:
        """Answer requests whose path has this regular expression with an error.

        code: X-Error-Code.
        """
        # The client takes a 401 for a repository not found by this code; without the code, only
        # where the Hub's address is https.
        code = code or ("RepoNotFound" if status == 401 and message != BAD_TOKEN else None)
        error = HubError(status, message or f"{status} on request", code, headers)
        self.faults.append(Fault("fail", pattern, method, times, error.reply))

    def cut(self, pattern, after=0, times=None) -> None:
        """Close the connection after so many bytes of an answer."""
        self.faults.append(Fault("cut", pattern, "GET", times, after))

    def corrupt(self, pattern, times=None) -> None:
        """Change some bytes of an answer, but neither its length nor its headers."""
        self.faults.append(Fault("corrupt", pattern, "GET", times))

    def slow(self, pattern, seconds, times=None, method=None) -> None:
        self.faults.append(Fault("slow", pattern, method, times, seconds))

    def heal(self) -> None:
        """No faults any more."""
        self.faults.clear()

    def fault(self, kind: str, method: str, path: str) -> Fault | None:
        """What is wrong with this request; counts it."""
        with self.lock:
            for fault in self.faults:
                fits = (
                    fault.kind == kind
                    and fault.method in (None, method)
                    and re.search(fault.pattern, path)
                )
                if fits and fault.times != 0:
                    fault.times = fault.times and fault.times - 1
                    return fault
        return None

    def count(self, pattern: str, method: str | None = None) -> int:
        """How many requests came whose path has this regular expression."""
        return sum(
            1
            for used, path in list(self.requests)
            if method in (None, used) and re.search(pattern, path)
        )

    def files(self, id: str, revision: str = "main", repo_type: str = "model") -> dict[str, bytes]:
        files = self.repositories[repo_type, id].resolve(revision).files
        return {path: files[path].content for path in sorted(files)}

    def commits(self, id: str, revision: str = "main", repo_type: str = "model") -> list[Commit]:
        """Newest first; the last is the one that a repository is made with."""
        return self.repositories[repo_type, id].resolve(revision).history()

    def create(
        self, id: str, repo_type: str = "model", private: bool = False, sdk: str | None = None
    ) -> Repository:
        """A new repository, with the first commit that the Hub makes itself."""
        repository = self.repositories[repo_type, id] = Repository(
            repo_type, id, private, sdk, now()
        )
        card = f"---\ntitle: {id.split('/')[1]}\ncolorFrom: blue\ncolorTo: gray\nsdk: {sdk}\n---\n"
        files = {".gitattributes": Blob(ATTRIBUTES)} | (
            {"README.md": Blob(card.encode())} if repo_type == "space" else {}
        )
        repository.commit("main", files, "initial commit")
        return repository


class Handler(BaseHTTPRequestHandler):
    """One connection: read requests, apply faults, call the endpoint in ROUTES, answer errors."""

    hub: Hub
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave together
    disable_nagle_algorithm = True

    def setup(self):
        self.hub.connections.add(self.request)
        super().setup()

    def log_message(self, *_):
        pass

    def serve(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.target, _, query = self.path.partition("?")
        self.query, path = parse_qs(query, keep_blank_values=True), unquote(self.target)
        with self.hub.lock:
            self.hub.requests.append((self.command, path))
        if slow := self.hub.fault("slow", self.command, path):
            time.sleep(slow.value)
        failure = self.hub.fault("fail", self.command, path)
        self._send(failure.value if failure else self._reply(), path)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve

    def _reply(self) -> Reply:
        method = "GET" if self.command == "HEAD" else self.command
        try:
            for known, pattern, endpoint, access in ROUTES:
                if known == method and (match := re.fullmatch(pattern, self.target)):
                    values = {
                        name: value and unquote(value) for name, value in match.groupdict().items()
                    }
                    with self.hub.lock:
                        reply = endpoint(
                            self, **(self.admit(access, **values) if access else values)
                        )
                    return reply if isinstance(reply, Reply) else as_json(reply)
            raise HubError(404, f"no endpoint for {self.command} {self.target}")
        except HubError as error:
            return error.reply
        except Exception as error:
            self.hub.errors.append(traceback.format_exc())
            return HubError(500, f"the stand-in failed: {error!r}").reply

    def _send(self, reply: Reply, path: str) -> None:
        body = reply.body if self.command != "HEAD" else b""
        spoil = bool(body) and reply.status < 300  # what the other faults need
        cut = spoil and self.hub.fault("cut", self.command, path)
        if spoil and self.hub.fault("corrupt", self.command, path):
            changed = bytearray(body)
            for at in range(len(body) // 2, len(body), max(1, len(body) // 16)):
                changed[at] ^= 0x55
            body = bytes(changed)
        self.send_response(reply.status)
        for name, value in (reply.headers | {"Content-Length": str(len(reply.body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: cut.value] if cut else body)
        self.close_connection = self.close_connection or bool(cut)

    @property
    def sent(self) -> dict:
        return json.loads(self.body)

    def flag(self, name: str) -> bool:
        return self.query.get(name, [""])[0].lower() in ("true", "1")

    def account(self) -> Account | None:
        """Whose token came along. As on the Hub, a wrong one is worse than none."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme and token not in self.hub.accounts:
            raise HubError(401, BAD_TOKEN)
        return self.hub.accounts.get(token)

    def admit(self, access: str, repo_type: str | None, id: str, **values) -> dict:
        """The repository in the place of its name, if the account may "read" or "write" it."""
        account, repository = self.account(), self.hub.repositories.get((repo_type or "model", id))
        hidden = repository is None or (
            repository.private and not (account and account.may_read(repository))
        )
        if hidden and account:
            raise HubError(404, "Repository not found", "RepoNotFound")
        if hidden or (access == "write" and account is None):
            # See `Hub.fail` for why the code is there.
            raise HubError(401, "Invalid username or password.", "RepoNotFound")
        if access == "write" and not account.may_write(id.split("/")[0]):
            raise HubError(403, f"You don't have the rights to write to {id}")
        return values | {"repo": repository}

    def in_pages(self, items: list) -> Reply:
        """The page that is asked for, and a Link header to the next."""
        start = int(self.query.get("cursor", ["0"])[0])
        end = start + min(self.hub.page_size, int(self.query.get("limit", [self.hub.page_size])[0]))
        link = (
            f"{self.hub.url}{self.target}?{urlencode({**self.query, 'cursor': [end]}, doseq=True)}"
        )
        return as_json(
            items[start:end], headers={"Link": f'<{link}>; rel="next"'} if end < len(items) else {}
        )

    def send_file(self, content: bytes, etag: str, headers: dict) -> Reply:
        """A file, or the part of it in the Range header."""
        headers = {
            "ETag": f'"{etag}"',
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
            **headers,
        }
        wanted = re.fullmatch(r"bytes=(?:(\d+)-(\d*)|-(\d+))", self.headers.get("Range", ""))
        if not wanted:
            return Reply(200, content, headers)
        first, last, tail = (int(group) if group else None for group in wanted.groups())
        start = max(0, len(content) - tail) if first is None else first
        if start >= len(content):
            raise HubError(
                416, "Range not satisfiable", headers={"Content-Range": f"bytes */{len(content)}"}
            )
        part = content[start : None if last is None else last + 1]
        return Reply(
            206,
            part,
            headers | {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(content)}"},
        )


class Api(Handler):
    """The endpoints. Their arguments are the groups of the pattern in ROUTES."""

    def whoami(self):
        if (account := self.account()) is None:
            raise HubError(401, BAD_TOKEN)
        orgs = [
            {"type": "org", "name": name, "fullname": name, "roleInOrg": role}
            for name, role in account.orgs.items()
        ]
        token = {
            "type": "access_token",
            "accessToken": {"displayName": "tests", "role": account.role},
        }
        return {
            "type": "user",
            "id": account.name,
            "name": account.name,
            "fullname": account.name,
            "orgs": orgs,
            "auth": token,
        }

    def validate(self):
        errors, warnings = check_card(self.sent["content"], self.sent.get("repoType") or "model")
        if errors and "text/plain" in self.headers.get("Accept", ""):
            return Reply(
                400, "\n".join(errors).encode(), {"Content-Type": "text/plain; charset=utf-8"}
            )
        found = {
            "errors": [{"message": text} for text in errors],
            "warnings": [{"message": text} for text in warnings],
        }
        return as_json(found | ({"error": errors[0]} if errors else {}), 400 if errors else 200)

    def create_repo(self):
        account, wanted = self.account(), self.sent
        if account is None:
            raise HubError(401, "Invalid username or password.")
        owner, repo_type = wanted.get("organization") or account.name, wanted.get("type") or "model"
        if not account.may_write(owner):
            raise HubError(
                403,
                f'You don\'t have the rights to create a {repo_type} under the namespace "{owner}"',
            )
        if repo_type == "space" and wanted.get("sdk") not in SDKS:
            raise HubError(400, f'"sdk" must be one of [{", ".join(SDKS)}]')
        id = f"{owner}/{wanted['name']}"
        known = self.hub.repositories.get((repo_type, id))
        repo = known or self.hub.create(
            id, repo_type, wanted.get("visibility") == "private", wanted.get("sdk")
        )
        url = f"{self.hub.url}/{repo.path}"
        if known:
            raise HubError(409, f"You already created this {repo_type} repo", url=url)
        repo.variables |= {item["key"]: item for item in wanted.get("variables", [])}
        repo.hardware = wanted.get("hardware") or repo.hardware
        return {"url": url, "name": id, "id": id}

    def delete_repo(self):
        account, wanted = self.account(), self.sent
        owner = wanted.get("organization") or (account and account.name)
        repo = self.admit("write", wanted.get("type"), f"{owner}/{wanted['name']}")["repo"]
        del self.hub.repositories[repo.repo_type, repo.id]
        return {}

    def info(self, repo, revision):
        about, wanted = (
            describe(repo, repo.resolve(revision or "main"), self.flag("blobs")),
            self.query.get("expand"),
        )
        return {name: about[name] for name in about if not wanted or name in ("id", *wanted)}

    def list_repos(self, repo_type):
        account, found = self.account(), []
        author, search = (self.query.get(name, [""])[0].lower() for name in ("author", "search"))
        for (kind, id), repo in sorted(self.hub.repositories.items()):
            seen = not repo.private or (account and account.may_read(repo))
            if (
                kind == repo_type
                and seen
                and author in ("", id.split("/")[0].lower())
                and search in id.lower()
            ):
                about = describe(repo, repo.resolve("main"))
                if set(self.query.get("filter", [])) <= set(about["tags"]):
                    found.append(about)
        hidden = (
            set()
            if self.flag("full")
            else {"siblings", "sha", "lastModified", "author", "model-index"}
        )
        hidden |= set() if self.flag("full") or self.flag("cardData") else {"cardData"}
        return self.in_pages(
            [{name: about[name] for name in about if name not in hidden} for about in found]
        )

    def tree(self, repo, revision, path):
        commit, prefix = repo.resolve(revision), f"{path.strip('/')}/" if path else ""
        inside = [
            name.removeprefix(prefix).split("/") for name in commit.files if name.startswith(prefix)
        ]
        if prefix and not inside:
            raise HubError(404, f"{path} does not exist on {revision}", "EntryNotFound")
        depths = [range(1, len(parts) + 1 if self.flag("recursive") else 2) for parts in inside]
        names = {
            prefix + "/".join(parts[:depth])
            for parts, reach in zip(inside, depths)
            for depth in reach
        }
        return self.in_pages([entry(commit, name, self.flag("expand")) for name in sorted(names)])

    def paths_info(self, repo, revision):
        form, commit = parse_qs(self.body.decode()), repo.resolve(revision)
        expand = form.get("expand", [""])[0].lower() == "true"
        return [entry(commit, path, expand) for path in form.get("paths", []) if commit.below(path)]

    def resolve(self, repo, revision, path):
        commit = repo.resolve(revision)
        headers, blob = {"X-Repo-Commit": commit.id}, commit.files.get(path)
        if blob is None:
            raise HubError(404, "Entry not found", "EntryNotFound", headers)
        if not blob.lfs:
            return self.send_file(blob.content, blob.oid, headers)
        headers["Location"] = (
            f"{self.hub.cdn}/cdn/{blob.sha256}/{repo.repo_type}s/{repo.id}/{quote(path)}"
        )
        return Reply(
            302,
            b"",
            headers
            | {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(len(blob.content))},
        )

    # These two ask for no token: only those admitted to the repository know these addresses.
    def download(self, oid, repo_type, id, path):
        return self.send_file(self.hub.repositories[repo_type, id].objects[oid], oid, {})

    def upload(self, oid, repo_type, id):
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise HubError(400, "the content has another SHA-256")
        self.hub.repositories[repo_type, id].objects[oid] = self.body
        self.hub.uploaded += len(self.body)
        return Reply()

    def lfs_batch(self, repo):
        objects = [{"oid": item["oid"], "size": item["size"]} for item in self.sent["objects"]]
        for item in objects:
            if item["oid"] not in repo.objects:
                place = {"href": f"{self.hub.cdn}/upload/{item['oid']}/{repo.repo_type}s/{repo.id}"}
                item["actions"] = {
                    "upload": place,
                    "verify": {"href": f"{self.hub.url}/{repo.path}.git/info/lfs/verify"},
                }
        return {"transfer": "basic", "objects": objects}

    def lfs_verify(self, repo):
        if len(repo.objects.get(self.sent["oid"], b"")) != self.sent["size"]:
            raise HubError(404, "no such object of this size")
        return {}

    def preupload(self, repo, revision):
        files, answers = repo.resolve(revision).files, []
        text = {
            name: files.get(name, Blob(b"")).content.decode()
            for name in (".gitattributes", ".gitignore")
        }
        large = [
            line.split()[0] for line in text[".gitattributes"].splitlines() if "filter=lfs" in line
        ]
        ignore = [
            line.strip()
            for line in self.sent.get("gitIgnore", text[".gitignore"]).splitlines()
            if line.strip()
        ]
        for item in self.sent["files"]:
            path, old = item["path"], files.get(item["path"])
            lfs = (
                fits_any(path, large)
                or item["size"] > LARGE
                or is_binary(base64.b64decode(item["sample"]))
            )
            about = {
                "path": path,
                "uploadMode": "lfs" if lfs else "regular",
                "shouldIgnore": fits_any(path, ignore),
            }
            answers.append(about | {"oid": old and (old.sha256 if old.lfs else old.oid)})
        return {"files": answers}

    def commit(self, repo, revision):
        if self.flag("create_pr"):
            raise HubError(400, "the stand-in has no pull requests")
        if revision not in repo.branches:
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        head, (first, *lines) = (
            repo.resolve(revision),
            [json.loads(line) for line in self.body.splitlines() if line.strip()],
        )
        header, files = first["value"], dict(head.files)
        if not head.id.startswith(header.get("parentCommit") or ""):
            raise HubError(412, "A commit has happened since. Please refresh and try again.")
        for line in lines:
            self._change(repo, files, line["key"], line["value"])
        readme = files.get("README.md")
        is_new = readme and readme != head.files.get("README.md")
        if is_new and (errors := check_card(readme.content.decode(), repo.repo_type)[0]):
            raise HubError(400, errors[0], errors=[{"message": text} for text in errors])
        made = repo.commit(
            revision, files, header["summary"], header.get("description", ""), self.account().name
        )
        repo.sdk = made.card.get("sdk", repo.sdk)
        return {
            "success": True,
            "commitOid": made.id,
            "commitUrl": f"{self.hub.url}/{repo.path}/commit/{made.id}",
        }

    def _change(self, repo: Repository, files: dict[str, Blob], key: str, value: dict) -> None:
        """Apply one line of a commit."""
        path = value["path"]
        if key == "file":
            files[path] = Blob(base64.b64decode(value["content"]))
            self.hub.uploaded += len(files[path].content)
            if len(files[path].content) > LARGE:
                raise HubError(400, f"files above 10 MiB have to be in LFS: {path}")
        elif key == "lfsFile":
            if value["oid"] not in repo.objects:
                raise HubError(400, f"the content of this LFS file was not uploaded: {path}")
            files[path] = Blob(repo.objects[value["oid"]], True)
        elif key in ("deletedFile", "deletedFolder"):
            folder = f"{path.strip('/')}/"
            gone = [
                name
                for name in files
                if name == path or (key == "deletedFolder" and name.startswith(folder))
            ]
            if not gone:
                raise HubError(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
            for name in gone:
                del files[name]
        else:
            raise HubError(400, f"unknown operation {key!r}")

    def commits(self, repo, revision):
        told = []
        for made in repo.resolve(revision).history():
            told.append(
                {"id": made.id, "title": made.title, "message": made.message, "date": made.date}
            )
            told[-1]["authors"] = [{"user": made.author}]
        return self.in_pages(told)

    def refs(self, repo):
        def told(folder, named):
            return [
                {"name": name, "ref": f"refs/{folder}/{name}", "targetCommit": id}
                for name, id in named.items()
            ]

        return {
            "branches": told("heads", repo.branches),
            "tags": told("tags", repo.tags),
            "converts": [],
            "pullRequests": [],
        }

    def create_ref(self, repo, kind, revision):
        """Make a tag or a branch.

        A tag comes with the revision in the path and its name in the body, a branch the other
        way round.
        """
        names, start = (
            (repo.tags, revision)
            if kind == "tag"
            else (repo.branches, self.sent.get("startingPoint") or "main")
        )
        name = self.sent["tag"] if kind == "tag" else revision
        if name in names:
            raise HubError(409, "Reference already exists")
        names[name] = repo.resolve(start).id
        return {}

    def delete_ref(self, repo, kind, revision):
        names = repo.tags if kind == "tag" else repo.branches
        if (kind, revision) == ("branch", "main"):
            raise HubError(403, "Cannot delete the main branch")
        if revision not in names:
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        del names[revision]
        return {}

    def runtime(self, repo):
        if self.command == "POST":
            repo.hardware = self.sent["flavor"]
        return repo.runtime()

    def variables(self, repo):
        if self.command == "POST":
            repo.variables[self.sent["key"]] = {**self.sent, "updatedAt": now()}
        if self.command == "DELETE":
            repo.variables.pop(self.sent["key"], None)
        return repo.variables


REPO = r"/api/(?P<repo_type>model|dataset|space)s/(?P<id>[^/]+/[^/]+)"
SITE = r"/(?:(?P<repo_type>dataset|space)s/)?(?P<id>[^/]+/[^/]+)"
CONTENT = r"/(?P<oid>\w{64})/(?P<repo_type>\w+)s/(?P<id>[^/]+/[^/]+)"
REVISION, FILE = r"/(?P<revision>[^/]+)", r"/(?P<path>.+)"
# Method, path, endpoint, and what the account must be allowed for the repository in the path.
# Where that is not None, the endpoint gets the repository as `repo`.
ROUTES = [
    ("GET", "/api/whoami-v2", Api.whoami, None),
    ("POST", "/api/validate-yaml", Api.validate, None),
    ("POST", "/api/repos/create", Api.create_repo, None),
    ("DELETE", "/api/repos/delete", Api.delete_repo, None),
    ("GET", "/api/(?P<repo_type>model|dataset|space)s", Api.list_repos, None),
    ("GET", f"{REPO}(?:/revision{REVISION})?", Api.info, "read"),
    ("GET", f"{REPO}/tree{REVISION}(?:{FILE})?", Api.tree, "read"),
    ("POST", f"{REPO}/paths-info{REVISION}", Api.paths_info, "read"),
    ("GET", f"{SITE}/resolve{REVISION}{FILE}", Api.resolve, "read"),
    ("GET", f"/cdn{CONTENT}{FILE}", Api.download, None),
    ("PUT", f"/upload{CONTENT}", Api.upload, None),
    ("POST", rf"{SITE}\.git/info/lfs/objects/batch", Api.lfs_batch, "write"),
    ("POST", rf"{SITE}\.git/info/lfs/verify", Api.lfs_verify, "write"),
    ("POST", f"{REPO}/preupload{REVISION}", Api.preupload, "write"),
    ("POST", f"{REPO}/commit{REVISION}", Api.commit, "write"),
    ("GET", f"{REPO}/commits{REVISION}", Api.commits, "read"),
    ("GET", f"{REPO}/refs", Api.refs, "read"),
    ("POST", f"{REPO}/(?P<kind>tag|branch){REVISION}", Api.create_ref, "write"),
    ("DELETE", f"{REPO}/(?P<kind>tag|branch){REVISION}", Api.delete_ref, "write"),
    ("GET", f"{REPO}/runtime", Api.runtime, "read"),
    ("POST", f"{REPO}/hardware", Api.runtime, "write"),
    *(
        (method, f"{REPO}/variables", Api.variables, "write")
        for method in ("GET", "POST", "DELETE")
    ),
]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_json(value, status: int = 200, headers: dict | None = None) -> Reply:
    return Reply(
        status,
        json.dumps(value).encode(),
        {"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )


def describe(repo: Repository, commit: Commit, blobs: bool = False) -> dict:
    """What the Hub tells about a repository. blobs: with sizes and hashes of the files."""
    card, siblings = commit.card, []
    for path, blob in sorted(commit.files.items()):
        sizes = {"size": len(blob.content), "pointerSize": len(blob.pointer)}
        more = {"size": sizes["size"], "blobId": blob.oid} | (
            {"lfs": {"sha256": blob.sha256, **sizes}} if blob.lfs else {}
        )
        siblings.append({"rfilename": path, **(more if blobs else {})})
    tags = [card.get("library_name"), card.get("pipeline_tag")]
    for name, prefix in (
        ("tags", ""),
        ("language", ""),
        ("license", "license:"),
        ("datasets", "dataset:"),
    ):
        values = card.get(name) or []
        tags += [prefix + value for value in (values if isinstance(values, list) else [values])]
    about = {
        "_id": repo.id,
        "id": repo.id,
        "author": repo.id.split("/")[0],
        "sha": commit.id,
        "createdAt": repo.created,
    }
    about |= {
        "lastModified": commit.date,
        "private": repo.private,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
    }
    about |= {
        "tags": list(dict.fromkeys(filter(None, tags))),
        "cardData": card or None,
        "siblings": siblings,
    }
    if repo.repo_type == "model":
        about |= {"modelId": repo.id} | {
            name: card.get(name) for name in ("library_name", "pipeline_tag", "model-index")
        }
    if repo.repo_type == "space":
        about |= {
            "sdk": repo.sdk,
            "subdomain": repo.id.replace("/", "-"),
            "runtime": repo.runtime(),
        }
    return about


def entry(commit: Commit, path: str, expand: bool) -> dict:
    """A file or folder, as the tree and paths-info tell of it."""
    blob = commit.files.get(path)
    if blob:
        about = {"type": "file", "oid": blob.oid, "size": len(blob.content), "path": path}
    else:
        names = repr(sorted((name, inside.oid) for name, inside in commit.below(path).items()))
        about = {
            "type": "directory",
            "oid": hashlib.sha1(names.encode()).hexdigest(),
            "size": 0,
            "path": path,
        }
    if blob and blob.lfs:
        about["lfs"] = {
            "oid": blob.sha256,
            "size": len(blob.content),
            "pointerSize": len(blob.pointer),
        }
    if expand:
        last = commit.last_change(path)
        about["lastCommit"] = {"id": last.id, "title": last.title, "date": last.date}
    return about


def fits_any(path: str, patterns: Iterable[str]) -> bool:
    """Whether a file is meant by lines as in .gitignore and .gitattributes (without negation)."""
    parts = path.split("/")
    places = [*parts, *("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))]
    return any(
        fnmatch.fnmatch(place, pattern.strip("/")) for pattern in patterns for place in places
    )


def is_binary(sample: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(
            sample
        )  # a sample may end within a character
    except UnicodeDecodeError:
        return True
    return b"\0" in sample
