import numpy as np
import torch

from train.data.corpus import Corpus
from train.data.windows import Windows, in_other_octaves


def corpus() -> Corpus:
    """Two songs of two blocks: an instrument plays step 20 of the first block, and all the last."""
    planes = np.zeros((4, 2, 32, 128), np.uint8)
    planes[0, :, 20, 60] = 1
    planes[3, :, :, 64] = 1
    songs = [{"first": 2 * song, "blocks": 2} for song in range(2)]
    plan = torch.arange(16).reshape(4, 4)
    return Corpus(songs, plan, None, [np.packbits(planes, axis=-1)])


def test_windows_begin_at_any_bar_in_which_the_instrument_plays():
    assert Windows(corpus(), 0, [0, 1]).places.tolist() == [[0, 0], [3, 0]]
    windows = Windows(corpus(), 0, [0, 1], any_bar=True)
    assert windows.places.tolist() == [[0, 0], [0, 1], [3, 0], [2, 1]]
    planes, plan = windows.read(np.arange(4))
    assert planes[1].nonzero().tolist() == [[0, 4, 60], [1, 4, 60]]
    assert planes[3, 0].any(1).tolist() == [False] * 16 + [True] * 16
    assert plan.tolist() == [[0, 1, 2, 3], [2, 3, 4, 5], [12, 13, 14, 15], [10, 11, 12, 13]]


def test_blocks_move_by_octaves_only_within_the_range():
    planes = torch.zeros(300, 2, 32, 128, dtype=torch.uint8)
    planes[:100, :, 3, 50] = 1  # may go both ways
    planes[100:200, :, 3, 41] = 1  # only up
    planes[200:, :, 3, [41, 65]] = 1  # neither
    moved = in_other_octaves(planes, 0.5, 38, 70, torch.Generator().manual_seed(0))
    pitches = [{int(p) for p in part.nonzero()[:, 3]} for part in moved.split(100)]
    assert pitches == [{38, 50, 62}, {41, 53}, {41, 65}]
    assert (moved.sum((1, 2, 3)) == planes.sum((1, 2, 3))).all()
