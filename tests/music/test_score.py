import numpy as np
import pytest

from accomp import Note, Score, Tempo, TimeSignature, Track
from accomp.music.score import Bar, first_bar_number


def seconds_one_by_one(score: Score, beat: float) -> float:
    total, at, microseconds = 0.0, 0.0, 500_000
    for tempo in score.tempos:
        if tempo.onset >= beat:
            break
        total += (tempo.onset - at) * microseconds / 1e6
        at, microseconds = tempo.onset, tempo.microseconds
    return total + (beat - at) * microseconds / 1e6


@pytest.mark.parametrize(
    "tempos",
    [
        [],
        [Tempo(0.0, 500_000)],
        [Tempo(1.5, 400_000)],
        [Tempo(0.0, 600_000), Tempo(0.0, 700_000), Tempo(2.0, 333_333), Tempo(2.0, 450_000)],
        [Tempo(float(beat), 480_000 + 7_919 * beat % 40_000) for beat in range(300)],
    ],
)
def test_seconds_of_one_beat_and_of_many_follow_the_tempo_map(tempos):
    score = Score(tempos=tempos)
    beats = np.concatenate([[-1.0, 0.0, 1.5, 2.0], np.linspace(0, 310, 101)])
    expected = [seconds_one_by_one(score, beat) for beat in beats]
    assert score.seconds(beats) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert [score.seconds(float(beat)) for beat in beats] == score.seconds(beats).tolist()
    assert type(score.seconds(1)) is float and score.seconds([]).shape == (0,)


@pytest.mark.parametrize(
    "numerator, denominator, pulse, count",
    [
        (4, 4, 1.0, 4),
        (3, 4, 1.0, 3),
        (2, 2, 2.0, 2),
        (7, 8, 0.5, 7),
        (3, 8, 1.5, 1),
        (6, 8, 1.5, 2),
        (12, 8, 1.5, 4),
        (12, 16, 0.75, 4),
        (6, 4, 1.0, 6),
    ],
)
def test_a_bar_is_its_pulses(numerator, denominator, pulse, count):
    meter = TimeSignature(0.0, numerator, denominator)
    assert (meter.pulse, meter.bar_pulses) == (pulse, count)
    assert meter.is_compound == (pulse * denominator == 12)
    assert meter.pulse * meter.bar_pulses == meter.bar_beats


def bars(first_beats: int) -> list[Bar]:
    four = TimeSignature(float(first_beats), 4, 4)
    first = TimeSignature(0.0, first_beats, 4)
    return [Bar(0.0, first), Bar(float(first_beats), four), Bar(first_beats + 4.0, four)]


@pytest.mark.parametrize(
    "first_beats, start, number",
    [
        (4, 0.0, 1),
        (4, 1.0, 1),  # a rest on the first beat
        (4, 2.0, 0),
        (4, 3.5, 0),
        (4, 4.0, 1),  # an empty bar before the melody, such as one of clicks
        (4, 7.0, 1),
        (1, 0.0, 0),  # a short bar
        (3, 0.0, 0),
        (1, 5.0, 0),
    ],
)
def test_a_pickup_is_bar_0(first_beats, start, number):
    assert first_bar_number(bars(first_beats), start) == number


def test_a_single_bar_is_bar_1():
    assert first_bar_number(bars(1)[:1], 0.0) == 1
    score = Score([Track(notes=[Note(60, 3.0, 1.0, 80)])])
    assert first_bar_number(score.bars(score.end), 3.0) == 1
