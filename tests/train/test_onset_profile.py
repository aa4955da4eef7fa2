import numpy as np
import pytest
import torch

from accomp.music.score import Note, Score, TimeSignature, Track
from accomp.roll.grid import BASS, COMPOUND, GUITAR, THREE, TRACK_NAMES, TRACKS
from train.data.comping import SOURCE
from train.data.corpus import Corpus
from train.eval.meters import (
    MeterSettings,
    cells,
    nearest,
    profile_of,
    real_strokes,
    strokes,
)
from train.metrics.onset_profile import onset_profile, profile_distance


def test_a_profile_is_where_in_the_bar_a_player_strikes():
    struck = np.zeros(32, bool)
    struck[[0, 4, 8, 16]] = True
    profile = onset_profile(struck)
    assert profile[[0, 4, 8]].tolist() == [0.5, 0.25, 0.25] and profile.sum() == 1
    assert not onset_profile(np.zeros(32, bool)).any()


def test_the_distance_is_the_share_of_strokes_that_lie_elsewhere():
    waltz, march = np.zeros(16), np.zeros(16)
    waltz[[0, 4, 8]], march[[0, 8]] = 1 / 3, 1 / 2
    assert profile_distance(waltz, waltz) == 0
    assert profile_distance(waltz, march) == pytest.approx(1 / 3)


@pytest.mark.parametrize("meter, signature, third", [(THREE, (3, 4), 8), (COMPOUND, (6, 8), 2)])
def test_strokes_lie_on_the_steps_of_their_meter(meter, signature, third):
    def track(part: int, *onsets: float) -> Track:
        notes = [Note(60, bar * 3 + onset, 0.5, 80) for bar in range(8) for onset in onsets]
        return Track(TRACKS[part].name, TRACKS[part].program, part == 0, notes)

    step = 1.0 if meter == THREE else 0.5
    tracks = [track(part, 0.0) for part in range(len(TRACKS))]
    tracks[GUITAR] = track(GUITAR, 2 * step)
    result = strokes(Score(tracks, meters=[TimeSignature(0.0, *signature)]), meter)
    bass, guitar = (np.flatnonzero(profile_of([result], part)) for part in (BASS, GUITAR))
    bars = [0] if meter == THREE else [0, 8]  # a bar of 6/8 is half a model bar
    assert bass.tolist() == bars and guitar.tolist() == [bar + third for bar in bars]


def test_real_songs_are_those_of_the_meter_that_were_not_written_for_accomp():
    planes = np.zeros((12, 2, 32, 128), np.uint8)
    planes[:, 0, ::8, 40] = 1
    songs = [
        {"genre": "folk", "split": "test", "first": 0, "blocks": 4, "meters": "3334"},
        {"genre": "folk", "split": "test", "first": 4, "blocks": 4, "meters": "3333"},
        {"genre": "pop", "split": "test", "first": 8, "blocks": 4, "meters": "3333"},
    ]
    songs[2]["source"] = SOURCE
    packed = [np.packbits(planes, axis=-1)] * len(TRACK_NAMES)
    corpus = Corpus(songs, torch.zeros(12, 4, dtype=torch.int64), None, packed)
    found = real_strokes(corpus, ["test"], THREE, MeterSettings(fewest_blocks=4))
    assert list(found) == ["folk"] and len(found["folk"]) == 1
    assert np.flatnonzero(found["folk"][0][BASS])[:3].tolist() == [0, 8, 16]
    assert not real_strokes(corpus, ["val"], THREE, MeterSettings())


def song_of(*steps: int) -> dict[int, np.ndarray]:
    struck = np.zeros(16, bool)
    struck[list(steps)] = True
    return {track: struck if track == BASS else np.zeros(16, bool) for track in range(5)}


def test_a_result_is_compared_with_the_real_song_that_is_nearest():
    waltz, march, both = song_of(0, 4, 8), song_of(0, 8), song_of(0, 2, 4, 8)
    assert nearest([waltz], [march, waltz], BASS) == 0
    assert nearest([waltz, march], None, BASS) == pytest.approx(1 / 3)
    assert nearest([waltz, both], [march], BASS) == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert np.isnan(nearest([waltz], [march], GUITAR)) and np.isnan(nearest([waltz], None, BASS))
    assert cells([waltz], [march, waltz]) == "– / – | 0.17 / 0.00 | – / – | – / – |"
