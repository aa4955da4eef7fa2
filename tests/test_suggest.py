import hashlib
import json
import time
from pathlib import Path

import numpy as np
import pytest

from accomp.errors import MusicError
from accomp.models.files import WEIGHTS_FILE
from accomp.music.midi import read_midi
from accomp.music.score import Note, Score, Tempo, TimeSignature, Track
from accomp.suggest import (
    FOLDER,
    MelodyFeatures,
    genre_features,
    shipped_genre_model,
    suggest,
)
from tests.support.scores import drums, song, tune
from train.fit.suggestion import GENRES

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.mid"))
WALTZ = (1.0, 1.0, 0.5, 0.5)  # durations in beats


def transposed(score: Score, shift: int) -> Score:
    tracks = [
        Track(t.name, t.program, t.is_drum, [n._replace(pitch=n.pitch + shift) for n in t.notes])
        for t in score.tracks
    ]
    return Score(tracks, score.tempos, score.meters, score.resolution)


def found(score: Score) -> dict[str, float]:
    return genre_features(MelodyFeatures.of(score.tracks[0].notes, score))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_suggestion_is_a_distribution_the_same_in_every_key_and_every_time(path):
    score = read_midi(path)
    suggested = suggest(score)
    assert {genre for genre, _ in suggested} == set(GENRES)
    chances = [chance for _, chance in suggested]
    assert (
        sum(chances) == pytest.approx(1)
        and chances == sorted(chances, reverse=True)
        and chances[-1] > 0
    )
    assert all(suggest(transposed(score, shift)) == suggested for shift in (0, -12, -5, 1, 6))


def test_neither_names_nor_sounds_nor_loudness_count():
    score = tune()
    dressed = Score(
        [Track("Jazz sax", 66, notes=[n._replace(velocity=30) for n in score.tracks[0].notes])],
        score.tempos,
    )
    assert suggest(dressed) == suggest(score)


def test_only_the_melody_is_heard_and_the_track_can_be_chosen():
    score = song()
    alone = Score([score.tracks[3]], score.tempos, score.meters, score.resolution)
    assert suggest(score) == suggest(score, track=3) == suggest(alone)
    assert suggest(score, track=1) != suggest(score)
    for track in (0, 4, -1):
        with pytest.raises(MusicError, match=f"melody track {track}"):
            suggest(score, track)


def test_only_the_asked_genres_are_suggested():
    score = tune()
    every, some = dict(suggest(score)), suggest(score, genres=["pop", "polka", "jazz"])
    assert {genre for genre, _ in some} == {"jazz", "pop"}
    for genre, chance in some:
        assert chance == pytest.approx(every[genre] / (every["jazz"] + every["pop"]))
    assert suggest(score, genres=["folk"]) == [("folk", 1.0)]
    assert suggest(score, genres=["polka"]) == suggest(score, genres=[]) == []


def test_a_single_note_says_little():
    chances = [chance for _, chance in suggest(Score([Track(notes=[Note(60, 0.0, 0.0, 80)])]))]
    assert sum(chances) == pytest.approx(1) and max(chances) < 0.6
    with pytest.raises(MusicError):
        suggest(Score([Track("Melody", 0, True, drums())]))


def test_what_the_features_hear():
    straight, swung = found(tune((1.0, 0.5, 0.5))), found(tune((1.0, 2 / 3, 1 / 3)))
    assert straight["triplets"] == 0 and swung["triplets"] == 1
    assert straight["in_three"] == 0 and found(tune(WALTZ, numerator=3))["in_three"] == 1
    assert straight["syncopation"] == 0 and found(tune((0.5, 1.0, 0.5)))[
        "syncopation"
    ] == pytest.approx(1 / 3, abs=0.02)
    climbing = found(
        Score([Track(notes=[Note(60 + index % 12, float(index), 0.25, 80) for index in range(48)])])
    )
    assert straight["in_scale"] > 0.9 > climbing["in_scale"] and climbing["interval_semitone"] > 0.9
    assert straight["silence"] == 0 and climbing["silence"] == 0.75
    assert straight["repeats_rhythm"] == 1 and straight["repeats_notes"] < 1
    assert found(tune(bpm=220))["tempo"] == pytest.approx(straight["tempo"] + 1, abs=1e-3)
    assert found(tune(bars=16))["notes_a_pulse"] == pytest.approx(np.log2(1.5), abs=0.02)


def test_in_compound_meters_a_dotted_quarter_is_the_pulse():
    notes = [Note(60 + index % 5, index * 0.5, 0.5, 80) for index in range(48)]
    jig = found(Score([Track(notes=notes)], [Tempo(0.0, 500_000)], [TimeSignature(0.0, 6, 8)]))
    assert jig["compound"] == 1 and jig["begins_pulse"] == jig[
        "begins_first_third"
    ] == pytest.approx(1 / 3)
    assert jig["time_third"] == 1 and jig["tempo"] == pytest.approx(np.log2(80 / 120))


def test_of_a_tempo_for_every_beat_the_mean_counts():
    score = tune()
    wavering = Score(
        score.tracks,
        [Tempo(float(beat), (400_000, 500_000, 600_000)[beat % 3]) for beat in range(96)],
    )
    steady = Score(score.tracks, [Tempo(0.0, 500_000)])
    assert found(wavering) == pytest.approx(found(steady), abs=1e-6)


def test_a_long_melody_is_quick():
    score = tune(bars=400)
    suggest(tune())
    spent = []
    for _ in range(5):
        start = time.process_time()
        suggest(score)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.05


def test_the_shipped_weights_are_those_of_the_figures():
    model, figures = shipped_genre_model(), json.loads((FOLDER / "figures.json").read_text())
    assert (
        hashlib.sha256((FOLDER / WEIGHTS_FILE).read_bytes()).hexdigest()
        == figures["weights_sha256"]
    )
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 100_000
    assert model.genres == sorted(GENRES) and set(model.features) == set(found(tune()))
    assert figures["features"] == len(model.features)
    test = figures["test"]
    assert test["accuracy"] > test["majority"] and test["balanced"] > 2 / len(GENRES)
    assert figures["test_excerpts"]["balanced"] > 2 / len(GENRES)
    assert sum(sum(row.values()) for row in test["confusion"].values()) == sum(
        figures["songs"]["test"].values()
    )


def test_the_shipped_model_tells_a_folk_tune_from_swung_and_chromatic_lines():
    def suggested(name: str) -> dict[str, float]:
        return dict(suggest(read_midi(next(path for path in EXAMPLES if path.stem == name))))

    bebop = tune((2 / 3, 1 / 3, 2 / 3, 4 / 3, 1.0))
    wander = np.random.default_rng(0).integers(-3, 4, len(bebop.tracks[0].notes)).cumsum()
    bebop.tracks[0].notes = [
        n._replace(pitch=int(66 + step % 15)) for n, step in zip(bebop.tracks[0].notes, wander)
    ]
    jazz = dict(suggest(bebop))
    assert max(jazz, key=jazz.get) == "jazz"
    for name in ("auld_lang_syne", "londonderry_air"):
        assert (
            suggested(name)["folk"] > max(2 / len(GENRES), jazz["folk"])
            and suggested(name)["jazz"] < jazz["jazz"]
        )
