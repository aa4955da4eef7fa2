"""Melodies sung and hummed by a model of the voice come back as the notes that they are."""

import numpy as np
import pytest

from accomp.errors import MusicError
from accomp.listen.frames import Frames, frames_of
from accomp.listen.note_net import FRAME, HOP, NotesNet, NotesNetConfig, log_mel, network_inputs
from accomp.listen.notes import onset_frames, transcribe_notes, tuning_of
from accomp.listen.source import Corrections, source_of
from accomp.listen.transcribe import Click
from accomp.music.score import Score, Track
from accomp.music.timing import delayed
from accomp.sound.audio_file import Recording
from accomp.sound.rates import LISTEN_RATE
from train.data import voices
from train.data.voices import Manner

LINE = [
    (60, 0, 1),
    (62, 1, 1),
    (64, 2, 1),
    (64, 3, 1),
    (67, 4, 1.5),
    (65, 5.5, 0.5),
    (64, 6, 2),
    (60, 8.5, 0.5),
    (57, 9, 3),
]


def performed(seed=0, bpm=96):
    return voices.perform(LINE, np.random.default_rng(seed), bpm, 0.03, 0.008)[0]


@pytest.mark.parametrize(
    "kind, manner, snr",
    [
        ("sung", Manner((0.3, 0.4), 0.4), None),
        ("hum", Manner((-0.35, -0.2)), 20),
        ("whistled", Manner((0.1, 0.0), 0.2), 30),
    ],
)
def test_a_sung_melody_comes_back(kind, manner, snr):
    rng, notes = np.random.default_rng(3), performed()
    shift = 24 if kind == "whistled" else 0
    sound = voices.voice([(p + shift, *rest) for p, *rest in notes], manner, rng, kind)
    heard = transcribe_notes(voices.record(sound, rng, snr))[0]
    assert [note.pitch for note in heard] == [pitch + shift for pitch, *_ in notes]
    assert np.abs([note.onset - true[1] for note, true in zip(heard, notes)]).max() < 0.06
    assert all(a.offset <= b.onset + 1e-9 and a.offset > a.onset for a, b in zip(heard, heard[1:]))


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
        and "heard 9 notes at about 96 beats a minute in 4/4" in sung.score.notices[1]
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


def test_louder_notes_get_higher_velocities():
    notes = [
        (p + 24, on, off, 120 if i % 2 else 40) for i, (p, on, off, _) in enumerate(performed())
    ]
    heard = transcribe_notes(voices.voice(notes, Manner(), np.random.default_rng(0), "whistled"))[
        0
    ]  # no vowels louder than others
    loud, soft = [n.velocity for n in heard[1::2]], [n.velocity for n in heard[::2]]
    assert min(loud) > max(soft) and all(1 <= note.velocity <= 127 for note in heard)


def test_the_singers_own_tuning_is_followed():
    frames = np.arange(3000)
    drift = np.interp(frames, [0, 3000], [0.35, 0.6])
    pitch = 60 + (frames // 50 % 5) + drift + 0.3 * np.sin(frames / 3)
    heard = Frames(np.zeros((3000, 1)), pitch, np.full(3000, 0.9), np.zeros(3000))
    found = tuning_of(heard)
    assert np.abs((found - drift + 0.5) % 1 - 0.5)[200:-200].max() < 0.08


def test_onsets_are_peaks_that_keep_apart():
    struck = np.zeros(100)
    struck[[10, 12, 30, 31, 60]] = [0.5, 0.9, 0.7, 0.7, 0.2]
    assert onset_frames(struck) == [12, 31]


@pytest.mark.parametrize(
    "sound, message",
    [
        (np.zeros(1000, np.float32), "0.1 s long"),
        (np.zeros(3 * LISTEN_RATE, np.float32), "No melody was heard"),
    ],
)
def test_what_is_no_melody_is_said(sound, message):
    with pytest.raises(MusicError, match=message):
        transcribe_notes(sound)


def test_frames_line_up_with_the_sound():
    sound = np.zeros(2 * LISTEN_RATE, np.float32)
    sound[LISTEN_RATE : LISTEN_RATE + 400] = 0.5  # a click at one second
    mel = log_mel(sound)
    assert len(mel) == 2 * LISTEN_RATE // HOP and abs(mel.sum(1).argmax() * FRAME - 1.0) < 0.025
    frames = frames_of(sound)
    assert frames.inputs.shape == (200, 52) and abs(frames.level.argmax() * FRAME - 1.0) < 0.03
    model = NotesNet(NotesNetConfig(width=8, dilations=[1, 2])).eval()
    probabilities = model.probabilities(network_inputs(mel, frames.pitch, frames.confidence))
    assert (
        probabilities.shape == (2, 200)
        and (probabilities >= 0).all()
        and (probabilities <= 1).all()
    )
