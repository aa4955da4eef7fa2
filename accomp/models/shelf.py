"""Keep models that were loaded."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Model = TypeVar("Model")


class Shelf(Generic[Model]):
    """Models by genre, each loaded once, when it is first needed.

    A call for one genre does not wait while another one is loaded. An error is raised to the
    caller, and the next call tries again.
    """

    def __init__(self, load: Callable[[str], Model]):
        self._load = load
        self._models: dict[str, Model] = {}
        self._locks: dict[str, Lock] = {}
        self._lock = Lock()

    def get(self, genre: str) -> Model:
        """Return the model of a genre, loading it if need be."""
        with self._lock:
            lock = self._locks.setdefault(genre, Lock())
        with lock:
            if genre not in self._models:
                self._models[genre] = self._load(genre)
            return self._models[genre]
