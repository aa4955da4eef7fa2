"""What was played on a keyboard is a melody on the click's beats."""

import pytest

from accomp.music.score import Tempo, TimeSignature
from page.melodies import open_recorded
from page.playing_in import played_score, played_source
from page.recorder import PlayedMelody


def played(*notes, tempo=120.0, meter=(4, 4)):
    return PlayedMelody(tuple(notes), tempo, meter)


def written(score):
    return [note[:3] for note in score.tracks[0].notes]


def test_notes_go_to_the_places_that_were_meant():
    score = played_score(
        played((60, 0.03, 0.49, 90), (62, 0.47, 0.7, 80), (64, 0.76, 1.0, 80), (65, 1.02, 2.0, 99))
    )
    assert written(score) == [(60, 0, 1), (62, 1, 0.5), (64, 1.5, 0.5), (65, 2, 2)]
    assert [note.velocity for note in score.tracks[0].notes] == [90, 80, 80, 99]
    assert score.tempos == [Tempo(0.0, 500_000)] and score.meters == [TimeSignature(0.0, 4, 4)]


def test_an_upbeat_stays_before_the_bar_line():
    score = played_score(played((55, -0.48, -0.1, 80), (60, 0.01, 1.4, 80), meter=(3, 4)))
    assert written(score)[0][:2] == (55, 2.0) and written(score)[1][:2] == (60, 3.0)


def test_of_a_chord_the_top_stays_and_one_voice_is_left():
    score = played_score(
        played((60, 0.0, 1.0, 80), (67, 0.01, 1.0, 80), (69, 0.9, 1.5, 80), (72, 1.5, 2.0, 80))
    )
    assert [note.pitch for note in score.tracks[0].notes] == [67, 69, 72]
    notes = score.tracks[0].notes
    assert all(one.end <= other.onset + 1e-9 for one, other in zip(notes, notes[1:]))


def test_in_six_eight_a_beat_is_a_dotted_quarter():
    eighths = [(60 + step, step / 6, step / 6 + 0.15, 80) for step in range(6)]
    score = played_score(played(*eighths, tempo=120, meter=(6, 8)))
    assert [note.onset for note in score.tracks[0].notes] == [0, 0.5, 1, 1.5, 2, 2.5]
    assert score.tempos == [Tempo(0.0, round(60e6 / 180))]


def test_it_becomes_a_melody_of_the_page():
    source = played_source(played(*((60 + i, i / 2, i / 2 + 0.4, 80) for i in range(8)), tempo=96))
    melody = source.melody()
    assert source.name == "my_melody" and melody.tempo == pytest.approx(96, abs=0.01)
    value = {"notes": [[60, 0.0, 0.6, 80], [64, 0.62, 1.2, 80]], "tempo": 96, "meter": [4, 4]}
    view = open_recorded(value)
    assert "96 beats a minute, 4/4, 1 bar" in view.facts
