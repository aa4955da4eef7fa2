"""The evidence for each key moves with the melody, and knows more than how long notes sound."""

from pathlib import Path

import numpy as np
import pytest

from accomp.music import keys
from accomp.music.key_evidence import FEATURES, key_features, key_scores, rotations
from accomp.music.keys import Key
from accomp.music.midi import read_midi
from accomp.music.score import Note

EXAMPLES = Path(__file__).parents[2] / "examples"
KEYS = {
    "amazing_grace": Key(10, False),
    "auld_lang_syne": Key(7, False),
    "god_rest_ye_merry": Key(4, True),
    "greensleeves": Key(9, True),
    "la_cucaracha": Key(0, False),  # its low Gs make it G major by the profiles
    "londonderry_air": Key(3, False),
    "ode_to_joy": Key(2, False),
    "when_the_saints": Key(5, False),
}


def line(*pitches, lengths=(1.0,)):
    notes, at = [], 0.0
    for index, pitch in enumerate(pitches):
        notes.append(Note(pitch, at, lengths[index % len(lengths)], 80))
        at = notes[-1].end
    return notes


@pytest.mark.parametrize("name", KEYS)
def test_the_keys_of_well_known_tunes(name):
    notes = read_midi(EXAMPLES / f"{name}.mid").tracks[0].notes
    assert keys.estimate_key(notes) == KEYS[name]
    moved = [note._replace(pitch=note.pitch + 5) for note in notes]
    assert keys.estimate_key(moved) == Key((KEYS[name].tonic + 5) % 12, KEYS[name].is_minor)


def test_scores_are_log_probabilities_that_move_with_the_melody():
    notes = line(60, 62, 64, 67, 65, 62, 59, 60, lengths=(1.0, 0.5, 1.5))
    scores = key_scores(notes)
    assert scores.shape == (24,) and np.exp(scores).sum() == pytest.approx(1)
    moved = key_scores([note._replace(pitch=note.pitch + 3) for note in notes]).reshape(2, 12)
    assert moved == pytest.approx(np.roll(scores.reshape(2, 12), 3, axis=1))
    assert key_scores(notes[::-1]) == pytest.approx(scores)


def test_features_are_shares_of_what_each_pitch_class_does():
    notes = line(67, 60, 71, 60, lengths=(1.0, 3.0, 0.5))
    features = key_features(notes)
    assert len(features) == FEATURES == rotations(features).shape[1]
    groups = features[: 11 * 12].reshape(11, 12)
    assert groups[0, [7, 0, 11]] == pytest.approx(np.array([1, 3 + 8, 0.5]) / 12.5)
    assert groups[1, [7, 0, 11]].tolist() == [0.25, 0.5, 0.25]
    assert [row.argmax() for row in groups[7:]] == [
        0,
        7,
        0,
        11,
    ]  # last, first, lowest, last but one
    pairs = features[11 * 12 :].reshape(12, 12)
    assert pairs[7, 0] == pairs[0, 11] == pairs[11, 0] == 1 and pairs.sum() == 3
    assert rotations(features)[7][:12] == pytest.approx(np.roll(groups[0], -7))


def test_the_ending_says_whether_a_scale_is_major_or_its_relative_minor():
    up = (60, 62, 64, 65, 67, 69, 71, 72)
    major = line(*up, 71, 67, 65, 64, 62, 60, lengths=(1.0,))
    minor = line(69, 71, *up[:-1], 69, 68, 69, lengths=(1.0,))
    assert keys.estimate_key(major) == Key(0, False)
    assert keys.estimate_key(minor) == Key(9, True)


def test_what_is_known_beforehand_counts_where_notes_leave_it_open():
    notes = line(67, 64, 60, 67)
    prior = np.zeros(24)
    prior[7] = 6.0
    assert keys.estimate_key(notes) == Key(0, False)
    assert keys.likeliest_key(notes, prior) == Key(7, False)
