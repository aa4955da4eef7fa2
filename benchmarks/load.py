"""Measure the page under load: `python -m benchmarks.load [--programs 10 30 100] [--seconds 600]`.

Prints a table. The page runs in a process of its own. So many programs ask it at once, each again
and again for a band for a melody of its own, until the time is over; then come calls one after
another, aborted uploads and slow clients. Whoever gets another's song, or an error without words,
is counted as wrong. Memory is that of the server's process; all genres are loaded before, and its
slope leaves out the first fifth of the time. Every tenth of the calls one after another is for a
band with its sound, the others for a melody.
"""

import argparse
import os
import random
import socket
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from gradio_client import Client, handle_file

from accomp import Note, Score, Track, genres, read_midi, write_midi
from benchmarks.speed import row
from tests.support.server import Server, serving

BEATS = 32  # of each melody
UPLOAD = 2_000_000  # bytes that an aborted upload announces


class Program:
    """A program that asks for bands for a melody that nobody else has."""

    def __init__(self, server: Server, folder: Path, number: int):
        self.melody = folder / f"tune{number}.mid"
        self.random = random.Random(number)
        pitches = [60 + (beat * (number % 11 + 2) + number) % 13 for beat in range(BEATS)]
        notes = [Note(pitch, float(beat), 0.9, 80) for beat, pitch in enumerate(pitches)]
        write_midi(Score([Track("tune", notes=notes)]), self.melody)
        self.own = [note.pitch for note in notes]
        kept = str(folder / f"{number}")
        self.client = Client(
            server.url, verbose=False, download_files=kept, httpx_kwargs={"timeout": 300}
        )
        self.seconds: list[float] = []
        self.told = self.wrong = 0

    def ask(self, genre: str | None = None) -> None:
        """Ask for a band once. genre: that plays; None to draw one."""
        begun = time.monotonic()
        try:
            genre = genre or self.random.choice(genres())
            seed = self.random.randrange(1000)
            given = (handle_file(self.melody), genre, seed)
            midi = self.client.predict(*given, api_name="/accompany")[2]
            song = read_midi(midi)
            found = next(track for track in song.tracks if track.name == "piano")
            self.wrong += [note.pitch for note in found.notes] != self.own
            self.seconds.append(time.monotonic() - begun)
        except Exception as error:  # a word that the line is full, and nothing else
            is_word = "Queue is full" in str(error)
            self.told, self.wrong = self.told + is_word, self.wrong + (not is_word)
            time.sleep(1.0)

    def go_on(self, until: float) -> None:
        """Ask again and again."""
        while time.monotonic() < until:
            self.ask()


def main() -> None:
    """Put the page under load in all ways, one after another."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--programs", type=int, nargs="*", default=[10, 30, 100])
    parser.add_argument("--seconds", type=float, default=600, help="for each number of programs")
    parser.add_argument("--calls", type=int, default=1000, help="one after another, at the end")
    parser.add_argument("--aborted", type=int, default=100, help="uploads that break off")
    options = parser.parse_args()
    row("", "", "figure")
    row("processor cores", "", f"{os.cpu_count()}")
    with serving() as server, tempfile.TemporaryDirectory() as folder:
        first = Program(server, Path(folder), 0)
        for genre in genres():  # what is loaded once is no growth
            first.ask(genre)
        for count in options.programs:
            at_once(server, Path(folder), count, options.seconds)
        if options.calls:
            soak(server, first, options.calls)
        if options.aborted:
            aborted(server, options.aborted)
        row("files kept for visitors", "after all that", f"{len(server.made())}")
        log = server.log.read_text()
        row("tracebacks in the log", "", f"{log.count('Traceback')}")
        server.stop()
        left = [path for path in server.folder.rglob("*") if path.is_file()]
        row("files left", "after the server's end", f"{len(left)}")


def at_once(server: Server, folder: Path, count: int, seconds: float) -> None:
    """Let so many programs ask at once, for so long."""
    place = folder / f"{count}"
    place.mkdir()
    with ThreadPoolExecutor(count) as pool:
        programs = list(pool.map(lambda n: Program(server, place, n), range(count)))
        before, begun = memory(server), time.monotonic()
        growth = Growth(server, begun + seconds / 5)
        list(pool.map(lambda program: program.go_on(begun + seconds), programs))
        slope = growth.end()
    taken = [each for program in programs for each in program.seconds]
    detail = f"{count} programs at once for {seconds:.0f} s"
    row("songs", detail, f"{len(taken)}")
    row("request to song, median", detail, f"{statistics.median(taken or [0]):.1f} s")
    row("request to song, worst", detail, f"{max(taken or [0]):.1f} s")
    row("told that the line is full", detail, f"{sum(p.told for p in programs)}")
    row("another's song, or an error", detail, f"{sum(p.wrong for p in programs)}")
    row("memory before and after", detail, f"{before:.0f} and {memory(server):.0f} MB")
    row("memory's growth", detail, f"{slope:+.1f} MB a minute")
    row("peak memory so far", detail, f"{server.peak_memory():.0f} MB")


def soak(server: Server, program: Program, calls: int) -> None:
    """Ask one call after another, and fit how memory grows after the first fifth."""
    client, places, sizes = program.client, [], []
    begun = time.monotonic()
    for number in range(calls):
        if number % 10 == 9:
            program.ask()
        else:
            client.predict(genres()[number % len(genres())], 4, number, api_name="/invent")
        if number >= calls // 5:
            places.append(number)
            sizes.append(memory(server))
    slope = statistics.linear_regression(places, sizes).slope
    detail = f"{calls} calls one after another"
    row("seconds a call", detail, f"{(time.monotonic() - begun) / calls:.2f} s")
    row("another's song, or an error", detail, f"{program.wrong + program.told}")
    row("memory's growth", detail, f"{1000 * slope:+.1f} MB in 1,000 calls")
    row("memory before and after", detail, f"{sizes[0]:.0f} and {sizes[-1]:.0f} MB")


class Growth:
    """Watches how the server's memory grows, a thread of its own, from a time on."""

    def __init__(self, server: Server, start: float):
        self._times: list[float] = []
        self._sizes: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(server, start), daemon=True)
        self._thread.start()

    def _watch(self, server: Server, start: float) -> None:
        while not self._ended.wait(1.0):
            if time.monotonic() >= start:
                self._times.append(time.monotonic() / 60)
                self._sizes.append(memory(server))

    def end(self) -> float:
        """End, and return the slope in megabytes a minute."""
        self._ended.set()
        self._thread.join()
        return statistics.linear_regression(self._times, self._sizes).slope


def aborted(server: Server, count: int) -> None:
    """Break off uploads, while as many clients send a byte now and then; then ask how it is."""
    place, slow = urlsplit(server.url), threading.Event()
    files = len(list(server.folder.rglob("*")))

    def send(size: int, is_slow: bool) -> None:
        with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
            part = b'--b\r\ncontent-disposition: form-data; name="files"; filename="a.mid"\r\n\r\n'
            head = (
                f"POST /gradio_api/upload HTTP/1.1\r\nHost: {place.netloc}\r\n"
                f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {size}\r\n\r\n"
            )
            connection.sendall(head.encode() + part)
            while is_slow and not slow.wait(0.5):
                connection.sendall(b"x")
            if not is_slow:
                connection.sendall(bytes(size // 2))

    with ThreadPoolExecutor(count + 20) as pool:
        waiting = [pool.submit(send, UPLOAD, True) for _ in range(20)]
        list(pool.map(lambda _: send(UPLOAD, False), range(count)))
        begun = time.monotonic()
        with urlopen(f"{server.url}health") as answer:
            assert answer.status == 200
        taken = time.monotonic() - begun
        slow.set()
        for each in waiting:
            each.result()
    time.sleep(2.0)
    detail = f"{count} aborted uploads, 20 slow clients"
    row("answer to /health meanwhile", detail, f"{taken:.2f} s")
    row("files left of them", detail, f"{len(list(server.folder.rglob('*'))) - files}")


def memory(server: Server) -> float:
    """Return what the server's process holds in memory, in megabytes. Linux only."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
