import gzip
import json

import numpy as np
import pytest
import yaml

from accomp.music.midi import read_midi
from accomp.music.score import Chord, Note, Score, TimeSignature, Track
from accomp.roll.grid import BASS, COMPOUND, DRUMS, GUITAR, THREE
from accomp.roll.parts import normal_parts
from train.data import comping
from train.data.comping import CONFIGS, CompingSettings, comped, meter_of
from train.data.lead_sheets import split_of

PATTERN = {
    "meter": "3/4",
    "genres": ["folk"],
    "a": {"kick": "X...........", "bass": "1-----------|5-------....", "guitar": "....x---x---"},
    "b": {"bass": "3-----------"},
}


def sheet(*chords: Chord, meter: tuple[int, int] = (3, 4), bars: int = 2) -> Score:
    length = meter[0] * 4 / meter[1]
    melody = Track("", notes=[Note(72, bar * length, length, 80) for bar in range(bars)])
    return Score([melody], meters=[TimeSignature(0.0, *meter)], chords=list(chords))


def played(score: Score, name: str) -> list[tuple[int, float, float]]:
    track = next(track for track in score.tracks if track.name == name)
    return [note[:3] for note in track.notes]


def test_a_waltz_pattern_is_played_on_the_sheets_chords():
    score = comped(sheet(Chord(0.0, "C"), Chord(5.0, "G")), PATTERN, np.random.default_rng(0))
    # The bass of the second bar is held over the change, so it is struck again there.
    assert played(score, "bass") == [(36, 0.0, 3.0), (43, 3.0, 2.0)]
    chords = [(pitch % 12, onset) for pitch, onset, _ in played(score, "guitar")]
    assert chords[:3] == [(0, 1.0), (4, 1.0), (7, 1.0)] and chords[-3:] == [
        (7, 5.0),
        (11, 5.0),
        (2, 5.0),
    ]
    assert [note.velocity for note in score.tracks[1].notes] == [110, 110]
    late = comped(sheet(Chord(0.0, "C"), Chord(4.0, "G")), PATTERN, np.random.default_rng(0))
    assert played(late, "bass") == [(36, 0.0, 3.0), (43, 3.0, 1.0), (50, 4.0, 1.0)]


def test_phrases_differ_and_some_end_with_a_fill():
    settings = CompingSettings(fill=1.0, phrase=2)
    score = comped(sheet(Chord(0.0, "C"), bars=4), PATTERN, np.random.default_rng(0), settings)
    assert [pitch for pitch, *_ in played(score, "bass")] == [36, 43, 40, 40]
    toms = {onset for pitch, onset, _ in played(score, "drums") if pitch != 36}
    assert min(toms) == 4.5 and 10.5 in toms and not any(0 <= at < 3 for at in toms)


def test_a_bar_has_the_signs_of_its_meter():
    wrong = PATTERN | {"a": {"bass": "1---"}}
    with pytest.raises(SystemExit, match="12 signs"):
        comped(sheet(Chord(0.0, "C")), wrong, np.random.default_rng(0))


def test_all_patterns_are_played_in_their_meters():
    patterns = yaml.safe_load((CONFIGS / "meters.yaml").read_text(encoding="utf-8"))
    assert len(patterns) > 20
    for name, pattern in patterns.items():
        meter = meter_of(pattern)
        tune = sheet(Chord(0.0, "C"), Chord(6.0, "Am"), meter=meter, bars=24)
        normal = normal_parts(comped(tune, pattern, np.random.default_rng(0)))
        assert set(normal.grid.meters) == {THREE if meter == (3, 4) else COMPOUND}, name
        struck = normal.planes[:, 0].any(2).reshape(5, -1, 16)
        assert struck[[DRUMS, BASS, GUITAR]].any((1, 2)).all(), name
        if meter == (3, 4):
            assert not struck[:, :, 12:].any(), name
            assert struck[BASS, :, 0].mean() > 0.5, name


def test_sheets_that_train_become_songs(tmp_path):
    def row(title: str, meter: str, genre: str) -> dict:
        melody = [[beat, 1, 60 + beat % 5] for beat in range(60)]
        chords = [[0, 30, "C", 0, [0, 4, 7], 0], [30, 30, "G", 7, [0, 4, 7], 7]]
        facts = {"id": f"nottingham/{title}", "title_hash": title, "licence": "GPL"}
        return {**facts, "meter": meter, "pickup": 0, "melody": melody, "chords": chords} | {
            "genre": genre
        }

    assert [split_of(title) for title in ("2", "3", "0")] == ["train", "train", "test"]
    rows = [row("2", "3/4", "folk"), row("3", "6/8", "folk"), row("0", "3/4", "folk")]
    path = tmp_path / "nottingham.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.write("\n".join(map(json.dumps, rows)))
    out = tmp_path / "songs"
    comping.main([str(path), "--out", str(out)])
    songs = sorted(out.rglob("*.mid"))
    labels = (out / "labels.csv").read_text().splitlines()
    assert len(songs) == len(labels) - 1 > 20
    assert labels[0] == "file,genre,split,licence,source"
    waltz = read_midi(next(song for song in songs if "country_waltz" in song.name))
    assert waltz.meters[0][1:] == (3, 4) and len(waltz.tracks) >= 4
