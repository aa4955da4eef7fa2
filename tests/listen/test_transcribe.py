"""Notes are put on beats: those of a click, or those that are found."""

import numpy as np
import pytest

from accomp.errors import MusicError
from accomp.listen.source import Corrections, source_of
from accomp.listen.transcribe import Click
from accomp.music.score import Score, Track
from accomp.music.timing import delayed
from accomp.sound.audio_file import Recording
from accomp.sound.rates import LISTEN_RATE
from tests.listen.test_notes import LINE
from train.data import voices
from train.data.voices import Manner


@pytest.fixture(scope="module")
def clicked():
    """LINE hummed to a click of 96 beats a minute, and when its third note begins a bar."""
    rng = np.random.default_rng(1)
    notes, _, seconds = voices.perform(LINE, rng, 96, 0.0, 0.012)
    sound = voices.record(voices.voice(notes, Manner((0.2, 0.1)), rng, "hum"), rng, 30)
    return Recording(sound, len(sound) / LISTEN_RATE, ["a notice"]), seconds[0] + 2 * 60 / 96


def transcribe(recording, click=None, **known):
    return source_of(recording, click=click).melody(Corrections(**known)).transcription


def test_to_a_click_nothing_is_guessed(clicked):
    recording, first = clicked
    sung = transcribe(recording, click=Click(96, first))
    assert (
        sung.grid.tempo == pytest.approx(96)
        and sung.grid.meter == (4, 4)
        and sung.grid.downbeat == pytest.approx(first)
    )
    assert [note.onset for note in sung.score.tracks[0].notes] == [
        2 + onset for _, onset, _ in LINE
    ]  # 2: the pickup's bar
    assert (
        sung.score.notices[0] == "a notice"
        and "found 9 notes at about 96 beats a minute in 4/4" in sung.score.notices[1]
    )
    for waltz in (
        transcribe(recording, click=Click(96, first, (3, 4))),
        transcribe(recording, click=Click(96, first), meter=(3, 4)),
    ):
        assert waltz.grid.tempo == pytest.approx(96) and waltz.grid.downbeat == pytest.approx(first)
    half = transcribe(recording, click=Click(96, first), pace=0.5)
    assert half.grid.tempo == pytest.approx(48) and half.grid.downbeat == pytest.approx(first)
    for downbeat in (float("nan"), float("inf"), 1e300):
        with pytest.raises(MusicError, match="downbeat"):
            transcribe(recording, click=Click(96, first), downbeat=downbeat)
    assert [note.onset for note in waltz.score.tracks[0].notes] == [
        1 + onset for _, onset, _ in LINE
    ]


def test_half_and_double_of_what_is_heard(clicked):
    heard, slower, faster = (transcribe(clicked[0], pace=pace) for pace in (1, 0.5, 2))
    assert slower.grid.tempo == pytest.approx(heard.grid.tempo / 2, rel=0.02)
    assert faster.grid.tempo == pytest.approx(heard.grid.tempo * 2, rel=0.02)
    spans = [
        sung.score.tracks[0].notes[-1].onset - sung.score.tracks[0].notes[0].onset
        for sung in (slower, heard, faster)
    ]
    assert spans[1] == 9 and spans[0] == 4.5 and spans[2] == 18


def test_a_song_with_an_introduction_begins_before_the_recording(clicked):
    recording, first = clicked
    sung = transcribe(recording, click=Click(96, first))
    beat = 60 / 96
    assert sung.start == pytest.approx(first - 4 * beat, abs=1e-3)
    melody = sung.score.tracks[0]
    song = Score([Track("drums", is_drum=True), melody], sung.score.tempos, sung.score.meters)
    assert sung.start_of(song) == pytest.approx(sung.start)
    assert sung.start_of(delayed(song, 8.0)) == pytest.approx(sung.start - 8 * beat, abs=1e-3)
