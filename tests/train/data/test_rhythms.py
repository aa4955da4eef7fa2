import torch

from accomp.models.harmony_network import RHYTHM
from accomp.roll.grid import BASS, BLOCK_STEPS, DRUMS
from train.data.rhythms import rhythm_of


def test_when_anything_is_struck_and_sounds():
    planes = torch.zeros(1, 2, BLOCK_STEPS, 128, dtype=torch.uint8)
    planes[0, 0, 4, 40] = planes[0, 1, 4:7, 40] = 1
    found = rhythm_of(planes, BASS)
    assert found.shape == (1, RHYTHM)
    assert torch.nonzero(found[0])[:, 0].tolist() == [4, BLOCK_STEPS + 4, 37, 38]


def test_of_drums_when_the_bass_drum_is_struck_and_anything_is():
    planes = torch.zeros(1, 2, BLOCK_STEPS, 128, dtype=torch.uint8)
    planes[0, 0, 0, 36] = planes[0, 0, 8, 42] = 1
    found = rhythm_of(planes, DRUMS)
    assert torch.nonzero(found[0])[:, 0].tolist() == [0, BLOCK_STEPS, BLOCK_STEPS + 8]
