"""Melodies sung and hummed by a model of the voice come back as the notes that they are."""

import numpy as np
import pytest

from accomp.errors import MusicError
from accomp.listen.beat_grid import SungNote
from accomp.listen.frames import Frames, frames_of
from accomp.listen.note_net import FRAME, HOP, NotesNet, NotesNetConfig, log_mel, network_inputs
from accomp.listen.notes import octave_of, onset_frames, transcribe_notes, tuning_of
from accomp.sound.rates import LISTEN_RATE
from train.data import singers, voices
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
        (np.zeros(3 * LISTEN_RATE, np.float32), "No melody was found"),
    ],
)
def test_what_is_no_melody_is_said(sound, message):
    with pytest.raises(MusicError, match=message):
        transcribe_notes(sound)


def test_whistling_above_the_trackers_range_and_voices_at_its_low_end_are_heard():
    rng, notes = np.random.default_rng(1), performed()
    high = [(pitch + 38, *rest) for pitch, *rest in notes]  # A6 to A7, 3.5 kHz
    heard = transcribe_notes(voices.record(voices.voice(high, Manner(), rng, "whistled"), rng, 30))[
        0
    ]
    assert [note.pitch for note in heard] == [pitch for pitch, *_ in high]
    low = [(pitch - 21, *rest) for pitch, *rest in notes]  # down to C2, 65 Hz
    heard = transcribe_notes(voices.record(voices.voice(low, Manner(), rng, "sung"), rng, 30))[0]
    assert [note.pitch for note in heard] == [pitch for pitch, *_ in low]


def test_notes_say_what_was_sung_and_how_sure_they_are():
    rng = np.random.default_rng(2)
    sound = voices.voice(performed(), Manner((0.3, 0.3)), rng, "hum")
    heard = transcribe_notes(voices.record(sound, rng, 25))[0]
    assert np.abs([note.tuning - 0.3 for note in heard]).max() < 0.15
    assert min(note.confidence for note in heard) > 0.5
    assert max(note.confidence for note in heard) <= 1


@pytest.mark.parametrize("consonant", ["d", "t", "b"])
def test_one_held_note_and_syllables_on_one_pitch_are_heard(consonant, monkeypatch):
    rng = np.random.default_rng(4)
    held = voices.voice([(57, 0.5, 3.5, 90)], Manner(), rng, "hum")
    assert [note.pitch for note in transcribe_notes(held)[0]] == [57]
    same = [(62, 0.4 + 0.5 * step, 0.85 + 0.5 * step, 90) for step in range(8)]
    monkeypatch.setattr(singers, "words", lambda count, _: [((consonant,), "a", "")] * count)
    sound, sung = singers.sing(same, singers.Singer(scoop=0, vibrato=0, wrong=0, noisy=0), rng)
    heard = transcribe_notes(voices.record(sound, rng, 30))[0]
    assert [note.pitch for note in heard] == [62] * 8
    assert np.abs([a.onset - b[1] for a, b in zip(heard, sung)]).max() < 0.07


def test_the_octave_is_looked_for_at_the_pitch_that_was_sung():
    turns = 2 * np.pi * np.arange(LISTEN_RATE) / LISTEN_RATE

    def tone(*partials):
        return sum(np.sin(220 * partial * turns) for partial in partials).astype(np.float32)

    note = SungNote(57, 0.1, 0.9, 80)
    assert octave_of(note, tone(2, 4)) == 69 and octave_of(note, tone(1, 2, 3, 4)) == 57
    # Some sound halfway between the harmonics is no lower octave, much of it is.
    assert octave_of(note, tone(0.5, 1, 1.5, 2, 2.5)) == 57
    assert octave_of(note, tone(0.5, 0.5, 0.5, 1, 1.5, 1.5, 2.5)) == 45
    sharp = note._replace(pitch=56, tuning=1.0)
    assert octave_of(sharp, tone(2, 4)) == 68


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
