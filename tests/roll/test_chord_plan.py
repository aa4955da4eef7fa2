import numpy as np

from accomp.music.chord_symbols import triad_symbol
from accomp.roll import chord_plan, pianoroll


def planes(*notes, steps=32):
    return pianoroll.to_planes(np.array(notes), steps)


def test_symbols_and_transposition():
    assert [str(triad_symbol(c)) for c in (0, 7, 12, 21)] == ["C", "G", "Cm", "Am"]
    assert chord_plan.transpose(np.array([0, 11, 12, 23]), 2).tolist() == [2, 1, 14, 13]
    assert [int(chord_plan.root_offset(np.array(c))) for c in (0, 5, 6, 11, 12, 21)] == [
        0,
        5,
        -6,
        -1,
        0,
        -3,
    ]


def test_chroma_counts_sounding_steps_by_half_bar():
    chroma = chord_plan.chroma(planes([60, 0, 10], [72, 4, 8], [127, 30, 32]))
    assert chroma.shape == (4, 12)
    assert chroma[0, 0] == 12 and chroma[1, 0] == 2 and chroma[3, 7] == 2 and chroma.sum() == 16


def test_the_chords_of_an_arrangement_are_read_from_its_notes():
    # C | Am | F | G7 without its fifth, a note of passage in the melody
    harmony = planes(
        [60, 0, 8],
        [64, 0, 16],
        [67, 0, 8],
        [69, 8, 16],
        [60, 8, 24],
        [65, 16, 24],
        [69, 16, 24],
        [59, 24, 32],
        [67, 24, 32],
        [65, 24, 32],
    )
    bass = planes([36, 0, 8], [33, 8, 16], [41, 16, 24], [43, 24, 32])
    melody = planes([74, 3, 5], [76, 5, 12])
    plan = chord_plan.arrangement_chords(
        chord_plan.chroma(harmony), chord_plan.chroma(bass), chord_plan.chroma(melody)
    )
    assert [str(triad_symbol(c)) for c in plan] == ["C", "Am", "F", "G"]


def test_viterbi_finds_the_best_path():
    random = np.random.default_rng(3)
    fit, move = random.normal(size=(4, 3)), random.normal(size=(3, 3))
    paths = np.stack(np.meshgrid(*[range(3)] * 4, indexing="ij"), -1).reshape(-1, 4)
    scores = [fit[range(4), p].sum() + move[p[:-1], p[1:]].sum() for p in paths]
    assert chord_plan.viterbi(fit, move).tolist() == paths[int(np.argmax(scores))].tolist()
