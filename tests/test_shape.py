import numpy as np

from accomp.grid import BLOCK_STEPS
from accomp.shape import Shape, label_phrases, phrase_starts, self_similarity


def block(*notes):
    """A melody block of (step, pitch) onsets."""
    planes = np.zeros((2, BLOCK_STEPS, 128), np.uint8)
    for step, pitch in notes:
        planes[:, step, pitch] = 1
    return planes


A = block((0, 60), (4, 62), (10, 64), (16, 65), (24, 67))
A_ENDS = block((0, 60), (4, 62), (10, 64), (16, 60))
B = block((2, 72), (3, 71), (8, 69), (14, 72), (20, 74), (27, 69))
C = block((1, 65), (6, 69), (12, 70), (22, 65))
SILENT = block()


def of(*blocks, first=0, seed=0, alike=0.7):
    return Shape.of(np.stack(blocks), first, np.random.default_rng(seed), alike)


def test_similarity_is_the_share_of_common_onsets_and_common_times():
    similarity = self_similarity(np.stack([A, A_ENDS, B]))
    # 3 of 6 (step, pitch) onsets in common; 4 of 5 times.
    assert np.isclose(similarity[0, 1], 0.7 * 3 / 6 + 0.3 * 4 / 5) and np.allclose(np.diag(similarity), 1)
    assert np.isclose(similarity[0, 2], 0)


def test_a_song_of_two_bar_cells_repeated_after_four_bars_has_four_bar_phrases():
    blocks = np.stack([A, C, A, C, B, A_ENDS, B, A_ENDS] * 2)
    similarity = self_similarity(blocks)
    starts = phrase_starts(similarity, 0)
    assert starts.tolist() == list(range(0, 16, 2))
    assert label_phrases(similarity, starts, 16)[0] == [0, 0, 1, 1, 0, 0, 1, 1]


def test_eight_bar_phrases_where_only_those_return():
    starts = phrase_starts(self_similarity(np.stack([A, B, C, A_ENDS, A, B, C, C, B, B, A, C, A, B, C, A_ENDS])), 0)
    assert starts.tolist() == [0, 4, 8, 12]


def test_a_pickup_belongs_to_the_first_phrase():
    shape = of(SILENT, A, C, A, C, B, B, A, C, first=1)
    assert np.flatnonzero(shape.closes).tolist() == [2, 4, 6, 8]
    assert shape.labels.tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 0]


def test_a_repeat_has_the_accompaniment_of_what_it_repeats_and_silence_repeats_nothing():
    shape = of(A, C, A, C, SILENT, SILENT, A, C)
    assert shape.source.tolist() == [-1, -1, 0, 1, -1, -1, 0, 1]
    assert of(A, C, A, C, alike=2.0).source.tolist() == [-1] * 4


def test_phrases_with_first_and_second_endings_are_one():
    shape = of(A, A_ENDS, A, C, B, B, A, A_ENDS)
    assert shape.labels[0] == shape.labels[2] == shape.labels[6] != shape.labels[4]
    assert shape.source[2] == 0 and shape.source[3] == -1  # another second half is accompanied anew


def test_energy_rises_and_somebody_rests_in_one_section():
    shape = of(A, C, B, C, A, C, B, C, A, C)
    assert shape.energy[-1] > shape.energy[0] and (0 <= shape.energy).all() and (shape.energy <= 1).all()
    (rests,) = shape.rests.values()
    assert rests.any() and not rests[-2:].any()
    assert len(set(shape.labels[rests])) == 1
    waiting = [next(iter(of(A, C, B, C, A, C, B, C, seed=seed).rests)) for seed in range(40)]
    assert len(set(waiting)) > 1


def test_short_songs_have_everybody_from_the_start():
    shape = of(A, C, A, C)
    assert not shape.rests and np.allclose(shape.energy, 0.5)


def test_bare_has_no_form():
    shape = Shape.bare(3)
    assert shape.opens.tolist() == [True, False, False] and not shape.closes.any() and (shape.source == -1).all()
