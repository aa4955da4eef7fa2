"""Visitors of the page without a browser: they send what a browser sends, and time the answers.

A browser needs nothing more to play than the answer to the press on the main button; what it takes
for that in addition is timed by benchmarks.page with a real one.
"""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

PATIENCE = 600  # seconds
API = "gradio_api"


class Session:
    """One visitor's session."""

    def __init__(self, url: str):
        self.url = url.rstrip("/")
        self.name = uuid4().hex
        self.client = httpx.Client(timeout=PATIENCE)
        self.config = self.client.get(f"{self.url}/config").json()
        self.components = {each["id"]: each for each in self.config["components"]}

    def open(self, melody: Path) -> None:
        """Open a melody as the one that is accompanied."""
        files = {"files": (melody.name, melody.read_bytes())}
        answer = self.client.post(f"{self.url}/{API}/upload", files=files)
        file = {"path": answer.json()[0], "orig_name": melody.name, "meta": FILE}
        place = self._id("melody-file")
        several = self.components[place]["props"].get("file_count") == "multiple"
        self._fire("melody-file", "change", {place: [file] if several else file})

    def accompany(self, genre: str, seed: int) -> dict[str, Any]:
        """Press the main button, and return what the player gets."""
        seeds = [id for id, each in self.components.items() if each["props"].get("label") == "Seed"]
        values = {self._id("genres"): genre} | dict.fromkeys(seeds, seed)
        event, answer = self._fire("generate", "click", values)
        return answer["data"][event["outputs"].index(self._id("song"))]

    def _id(self, name: str) -> int:
        """Return the number of the widget with an id of its own."""
        return next(
            i for i, each in self.components.items() if each["props"].get("elem_id") == name
        )

    def _fire(self, widget: str, kind: str, values: dict[int, Any]) -> tuple[dict, dict]:
        """Start the event of a widget that calls the server, and return it with its answer."""
        target = [self._id(widget), kind]
        event = next(
            each
            for each in self.config["dependencies"]
            if target in each["targets"] and each["backend_fn"] and each["outputs"]
        )
        usual = {id: each["props"].get("value") for id, each in self.components.items()}
        states = {id for id, each in self.components.items() if each["type"] == "state"}
        inputs = (usual | values | dict.fromkeys(states)).items()
        data = dict(inputs)
        body = {
            "data": [data[id] for id in event["inputs"]],
            "fn_index": event["id"],
            "session_hash": self.name,
            "trigger_id": target[0],
        }
        self.client.post(f"{self.url}/{API}/queue/join", json=body).raise_for_status()
        stream = f"{self.url}/{API}/queue/data"
        with self.client.stream("GET", stream, params={"session_hash": self.name}) as lines:
            for line in lines.iter_lines():
                message = json.loads(line[5:]) if line.startswith("data:") else {}
                if message.get("msg") == "process_completed":
                    if not message["success"]:
                        raise RuntimeError(f"{widget}: {message['output']}")
                    return event, message["output"]
        raise RuntimeError(f"{widget}: no answer")


FILE = {"_type": "gradio.FileData"}


def time_users(url: str, melody: Path, genres: list[str], users: int) -> list[float]:
    """Return the seconds that each of some users waits who all press the button at once.

    Args:
        url: Of the page.
        melody: What they have opened before.
        genres: Which they choose in turn.
        users: How many they are.
    """
    together = threading.Barrier(users)

    def visit(number: int) -> float:
        session = Session(url)
        session.open(melody)
        together.wait()
        start = time.perf_counter()
        player = session.accompany(genres[number % len(genres)], number)
        if not (player and json.loads(player["song"])["tracks"]):
            raise RuntimeError("the player got no song")
        return time.perf_counter() - start

    with ThreadPoolExecutor(users) as pool:
        return list(pool.map(visit, range(users)))
