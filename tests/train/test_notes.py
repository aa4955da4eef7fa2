import pytest
import torch

from train.metrics.notes import NoteCount, isolated, note_lengths


def roll(*notes):
    """Planes of one block: pitch, first step, end."""
    planes = torch.zeros(1, 2, 32, 128, dtype=torch.uint8)
    for pitch, start, end in notes:
        planes[0, 0, start, pitch] = 1
        planes[0, 1, start:end, pitch] = 1
    return planes


def test_lengths_end_with_silence_the_block_or_the_next_onset():
    lengths = note_lengths(roll((60, 0, 3), (60, 3, 7), (72, 30, 32)))
    assert lengths[0, 0, 60] == 3 and lengths[0, 3, 60] == 4 and lengths[0, 30, 72] == 2
    assert (lengths > 0).sum() == 3


def test_notes_given_back_with_and_without_their_lengths():
    real = roll((60, 0, 10), (64, 0, 10), (67, 12, 14), (70, 20, 21))
    # A fifth shorter, far shorter, a step longer, and another pitch.
    played = roll((60, 0, 8), (64, 0, 5), (67, 12, 15), (71, 20, 21))
    count = NoteCount()
    count.add(played, real)
    found = count.figures()
    assert found["onset_f1"] == pytest.approx(3 / 4) and found["note_f1"] == pytest.approx(2 / 4)
    assert found["long"] == pytest.approx(1 / 4) and found["real_long"] == pytest.approx(2 / 4)


def test_an_isolated_note_is_short_and_has_silence_around_it():
    planes = roll((60, 4, 5), (62, 10, 11), (64, 12, 13), (65, 20, 22), (67, 31, 32), (71, 31, 32))
    found = isolated(planes, note_lengths(planes)).nonzero()[:, 1:].tolist()
    assert found == [[4, 60]]  # near another, two steps long, and one of a chord are none
