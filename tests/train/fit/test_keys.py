"""The estimator of keys learns from melodies whose keys are told."""

import json

import numpy as np

from accomp.music.key_evidence import key_features, rotations
from accomp.music.keys import Key
from accomp.music.score import Note
from train.fit import keys
from train.fit.keys import KeyFitSettings, Labelled, fit, longest_key, report, right_keys


def melody(tonic, steps):
    return [Note(60 + tonic + step, float(i), 1.0, 80) for i, step in enumerate(steps)]


def test_labels_say_which_keys_are_right():
    assert right_keys(Key(7, False), False) == (7,)
    assert right_keys(Key(4, True), False) == (16,)
    assert set(right_keys(Key(7, False), True)) == set(right_keys(Key(4, True), True)) == {7, 16}
    assert longest_key("0.0 10.0 Gb:maj\n10.0 12.5 F:min\n12.5 30.0 F:min\n") == Key(5, True)


def test_what_ends_on_the_tonic_is_learned():
    """Two kinds of songs with the same notes, which only their last notes tell apart."""
    random, songs = np.random.default_rng(0), []
    for number in range(60):
        steps = [0, 2, 4, 5, 7, 9, 11] * 2
        random.shuffle(steps)
        tonic, is_minor = int(random.integers(12)), number % 2 == 1
        notes = melody(tonic, [*steps, 9 if is_minor else 0])
        own = (tonic + 9) % 12 + 12 if is_minor else tonic
        songs.append(Labelled("made", "train" if number < 40 else "val", notes, (own,)))
    weights, offsets = fit(songs[:40], KeyFitSettings(steps=60, batch=64, runs=1))
    for song in songs[40:]:
        scores = rotations(key_features(song.notes)) @ weights.T + offsets
        assert scores.T.argmax() in song.keys
    assert "| made |" in report(songs, weights, offsets)


def test_the_command_writes_weights(tmp_path, monkeypatch, capsys):
    songs = [Labelled("made", "train", melody(5, (0, 4, 7, 4, 2, 0)), (5,))]
    monkeypatch.setattr(keys, "labelled", lambda options: songs)
    monkeypatch.setattr(keys, "fit", lambda songs: (np.ones((2, 276)), np.array([0.5, -0.25])))
    keys.main(["--out", str(tmp_path / "weights.json")])
    table = json.loads((tmp_path / "weights.json").read_text())
    assert np.shape(table["weights"]) == (2, 276) and table["offsets"] == [0.5, -0.25]
    assert "made" in capsys.readouterr().out
