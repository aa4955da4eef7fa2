import numpy as np
import pytest

from accomp.music.score import Note, Score, TimeSignature, Track
from accomp.roll.grid import BASS, COMPOUND, GUITAR, THREE, TRACKS
from train.eval.meters import profile_of, strokes
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
