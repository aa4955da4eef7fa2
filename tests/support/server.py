"""The page as a process of its own, for tests and benchmarks.

So they see what it keeps in memory, in files and in processes.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
START_SECONDS = 300  # a busy machine imports PyTorch slowly


@dataclass
class Server:
    """A running app.py. folder: where it keeps all its files."""

    url: str
    process: subprocess.Popen
    folder: Path
    log: Path

    def peak_memory(self) -> float:
        """Megabytes. Linux only."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return (
            next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
            / 1024
        )

    def children(self) -> list[str]:
        """The commands of its running child processes, and of their children. Linux only."""
        parents, commands = {}, {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                command = (folder / "comm").read_text().strip()
            except OSError:  # it has ended meanwhile
                continue
            if state != "Z":
                parents[int(folder.name)], commands[int(folder.name)] = int(parent), command
        family = {self.process.pid}
        while more := {child for child, parent in parents.items() if parent in family} - family:
            family |= more
        return [commands[child] for child in family - {self.process.pid}]

    def stop(self) -> None:
        """As Ctrl-C does it, so that it tidies up."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(
                    60
                )  # sound that is being made ends first, slowly on a busy machine
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def made(self) -> list[Path]:
        """The files that it has made for visitors and still keeps."""
        return sorted(
            path for path in self.folder.glob("accomp-page-*/made/**/*") if path.is_file()
        )


def _listen() -> None:
    """Let Ctrl-C, by which `Server.stop` ends it, reach the process.

    Processes of a shell that runs the tests in the background would ignore it.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(root: Path = ROOT, **variables: str) -> Iterator[Server]:
    """Run the app.py of a checkout on a free port, with a folder of its own for its files.

    variables: Further environment variables of the process.
    """
    with tempfile.TemporaryDirectory(prefix="accomp-test-page-") as folder:
        port = free_port()
        files, log = Path(folder) / "files", Path(folder) / "log"
        files.mkdir()
        environment = {
            "GRADIO_TEMP_DIR": str(files),
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_ANALYTICS_ENABLED": "False",
        }
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "app.py"],
                cwd=root,
                env=os.environ | environment | variables,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=_listen,
            )
        server = Server(f"http://127.0.0.1:{port}/", process, files, log)
        try:
            _wait_for(server)
            yield server
        finally:
            server.stop()


def _wait_for(server: Server) -> None:
    end = time.monotonic() + START_SECONDS
    while server.process.poll() is None and time.monotonic() < end:
        try:
            with urlopen(server.url, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"The page did not start:\n{server.log.read_text()}")
