"""Models are loaded once, and nobody waits for another genre's."""

import threading

import pytest

from accomp import ModelError
from accomp.models.shelf import Shelf


def test_a_model_is_loaded_once_and_keeps_nobody_waiting():
    begun, go, loads = threading.Event(), threading.Event(), []

    def load(genre):
        loads.append(genre)
        if genre == "slow":
            begun.set()
            assert go.wait(10)
        if genre == "broken" and loads.count("broken") == 1:
            raise ModelError("not today")
        return object()

    shelf, found = Shelf(load), []
    visitors = [threading.Thread(target=lambda: found.append(shelf.get("slow"))) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    assert begun.wait(10)
    assert shelf.get("other") is shelf.get("other")  # while the slow one is being loaded
    go.set()
    for visitor in visitors:
        visitor.join()
    assert loads.count("slow") == 1 and len(set(map(id, found))) == 1 and len(found) == 4
    with pytest.raises(ModelError, match="not today"):
        shelf.get("broken")
    assert shelf.get("broken")  # the next one tries again
