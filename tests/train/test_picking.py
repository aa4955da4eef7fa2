from pathlib import Path

import numpy as np
import pytest
import torch

from accomp.roll import pianoroll
from accomp.roll.grid import TRACK_NAMES
from train.data.corpus import Corpus
from train.eval.register import Register, draw, registers, table
from train.metrics.picking import ARPEGGIATED, DOUBLE, HELD, LINE, STRUMMED, kind_of

CHORD = (48, 52, 55)


def block(*notes: tuple[int, int, int]) -> np.ndarray:
    return pianoroll.to_planes(np.array(notes, int).reshape(-1, 3), 32)


STRUM = block(*[(pitch, step, step + 2) for step in range(0, 32, 4) for pitch in CHORD])
BROKEN = block(*[(CHORD[step // 2 % 3], step, step + 2) for step in range(0, 32, 2)])


@pytest.mark.parametrize(
    "kind, planes",
    [
        (STRUMMED, STRUM),
        (HELD, block(*[(pitch, step, step + 16) for step in (0, 16) for pitch in CHORD])),
        (STRUMMED, block(*[(p, step, step + 1) for step in (4, 12, 20, 28) for p in CHORD])),
        (ARPEGGIATED, BROKEN),
        (ARPEGGIATED, block(*[(48 + step // 4, step, step + 12) for step in range(0, 20, 4)])),
        (DOUBLE, block(*[(p, step, step + 4) for step in range(0, 32, 4) for p in (48, 55)])),
        (LINE, block(*[(48 + step // 2 % 3, step, step + 2) for step in range(0, 32, 2)])),
        (None, block()),
    ],
)
def test_how_a_guitar_is_played(kind: str | None, planes: np.ndarray):
    assert kind_of(planes) == kind


def test_the_register_has_the_commonest_rhythms_of_guitars(tmp_path: Path):
    songs = [
        {"genre": "folk", "first": 0, "blocks": 3, "programs": {"guitar": 25}},
        {"genre": "folk", "first": 3, "blocks": 1, "programs": {"guitar": 0}},  # a piano's comping
    ]
    packed = np.packbits(np.stack([STRUM, STRUM, BROKEN, BROKEN]), axis=-1)
    plan = torch.zeros(4, 4, dtype=torch.int64)
    corpus = Corpus(songs, plan, None, [packed] * len(TRACK_NAMES))
    found = registers(corpus, [0, 1])
    assert "| folk | 3 | 0 % | 67 % | 33 % | 0 % | 0 % |" in table(found)
    (rhythm, count), *others = found["folk"].rhythms[STRUMMED].most_common()
    assert count == 2 and not others
    assert (found["folk"].example[STRUMMED, rhythm] == STRUM).all()
    draw(found["folk"], "folk", 2, tmp_path / "folk.png")
    assert (tmp_path / "folk.png").stat().st_size > 2000
    assert Register().share(LINE) == 0
