"""Speech, noise and several voices at once are doubted in words; one voice is not.

Speech is made by the vowels of train.data.voices on a pitch that never rests, with hisses between;
chords by adding decaying tones.
"""

from dataclasses import asdict, astuple

import numpy as np
import pytest
from scipy.signal import lfilter

from accomp.errors import DoubtError, MusicError
from accomp.listen import one_voice
from accomp.listen.beat_grid import SungNote
from accomp.listen.frames import Frames, frames_of
from accomp.listen.notes import notes_of, octave_of, transcribe_notes
from accomp.listen.one_voice import Figures, figures_of
from accomp.sound.rates import LISTEN_RATE
from tests.support.sounds import spoken
from train.data import voices
from train.data.voices import Manner
from train.fit import one_voice as fitting

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


def sung(kind="sung", up=0, seed=3, vibrato=0.3):
    rng = np.random.default_rng(seed)
    line = [(pitch + up + (24 if kind == "whistled" else 0), *rest) for pitch, *rest in LINE]
    return voices.voice(
        voices.perform(line, np.random.default_rng(seed), 96, 0.03, 0.008)[0],
        Manner((0.2, 0.1), vibrato),
        rng,
        kind,
    )[: 7 * LISTEN_RATE]


def plucked(notes, seconds, ring=2.0):
    """Tones with eight harmonics that die away by 60 dB in `ring` seconds; notes: pitch, onset."""
    time = np.arange(int(seconds * LISTEN_RATE)) / LISTEN_RATE
    sound = 0.001 * np.random.default_rng(0).normal(size=len(time))
    for pitch, onset in notes:
        after = time[time >= onset] - onset
        harmonics = np.arange(1, 9)[:, None]
        tone = (
            np.sin(2 * np.pi * harmonics * 440 * 2 ** ((pitch - 69) / 12) * after) / harmonics**1.5
        ).sum(axis=0)
        sound[len(time) - len(after) :] += (
            tone * 10 ** (-3 * after / ring) * np.minimum(after / 0.003, 1)
        )
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def noise(kind, seconds=6.0):
    rng, count = np.random.default_rng(5), int(seconds * LISTEN_RATE)
    white = rng.normal(size=count)
    if kind == "brown":
        white = lfilter([1], [1, -0.995], white)
    if kind == "fan":
        time = np.arange(count) / LISTEN_RATE
        white = lfilter([1], [1, -0.9], white) / 3 + 0.3 * sum(
            np.sin(2 * np.pi * 75 * h * time) / h for h in range(1, 6)
        )
    if kind == "claps":
        white *= np.exp(-((np.arange(count) / LISTEN_RATE) % 0.45) * 60) + 0.003
    return (0.5 * white / np.abs(white).max()).astype(np.float32)


def figures(sound):
    frames = frames_of(sound)
    return figures_of(frames, notes_of(frames), sound)


def seventh_chords():
    roots = [48, 53, 55, 48, 57, 53, 55, 48]
    return [
        (root + step, 0.3 + place) for place, root in enumerate(roots) for step in (0, 4, 7, 10, 16)
    ]


@pytest.mark.parametrize(
    "sound, message",
    [
        (lambda: spoken(), "like speech"),
        (
            lambda: voices.record(spoken(seed=1, centre=57), np.random.default_rng(0), 20, 0.3),
            "like speech",
        ),
        (lambda: plucked(seventh_chords(), 9), "several voices at once"),
        (lambda: sung() + sung(up=-4, seed=4) + sung(up=-9, seed=5), "several voices at once"),
    ],
)
def test_what_is_not_one_voice_is_doubted(sound, message):
    with pytest.raises(DoubtError, match=message) as refusal:
        transcribe_notes(sound())
    assert "one note at a time" in str(refusal.value)


def test_with_a_doubt_one_can_go_on():
    sound = spoken(4.0)
    with pytest.raises(DoubtError) as refusal:
        transcribe_notes(sound)
    notes, notices = transcribe_notes(sound, anyway=True)
    assert len(notes) > 3 and notices == [str(refusal.value)]


def test_a_voice_that_glides_as_singers_do_is_not_called_speech():
    # Figures of a real singer (clip 10 of vocadito), who was refused once.
    singer = Figures(sure=0.97, confidence=0.92, glide=1.48, beside=-2.05, flatness=-5.78)
    speaker = Figures(sure=0.9, confidence=0.8, glide=2.6, beside=-1.8, flatness=-5.0)
    verdicts = [one_voice.verdict_of(one_voice.likelihoods_of(each)) for each in (singer, speaker)]
    assert verdicts == [one_voice.NOTICE, one_voice.DOUBT]


def test_two_voices_in_thirds_are_not_taken_for_one():
    assert transcribe_notes(sung() + sung(up=-4, seed=4))[1] == [
        one_voice.NOTICES["several voices"]
    ]


@pytest.mark.parametrize("kind", ["white", "brown", "fan", "claps"])
def test_noise_is_refused(kind):
    with pytest.raises(MusicError, match="sounds like noise|No melody was found"):
        transcribe_notes(noise(kind))


@pytest.mark.parametrize(
    "sound",
    [
        lambda: sung(vibrato=1.0),
        lambda: sung("hum"),
        lambda: sung("whistled"),
        lambda: voices.record(sung(), np.random.default_rng(0), 10, 0.15),
        lambda: voices.record(sung("hum"), np.random.default_rng(0), 25, 0.1, phone=True),
        lambda: voices.record(sung("whistled"), np.random.default_rng(0), 30, 2.5),
        lambda: sung()[: int(1.3 * LISTEN_RATE)],  # two notes
        lambda: np.concatenate([spoken(3), sung()]),
        lambda: np.clip(6 * sung(), -1, 1),
        lambda: plucked([(pitch, 0.3 + 0.5 * onset) for pitch, onset, _ in LINE], 7, ring=3.0),
    ],
)
def test_one_voice_is_not_refused(sound):
    notes, notices = transcribe_notes(sound())
    assert notes and not notices


def test_what_is_in_between_gets_a_notice(monkeypatch):
    """From one voice to chords: nothing is said, then there is a notice, then a refusal."""
    alone, chords = (
        np.array(astuple(figures(sound))) for sound in (sung(), plucked(seventh_chords(), 9))
    )
    silence = Frames(np.zeros((1, 1)), np.zeros(1), np.zeros(1), np.zeros(1))
    answers = []
    for share in np.linspace(0, 1, 101):
        monkeypatch.setattr(
            one_voice, "figures_of", lambda *_, at=share: Figures(*(alone + at * (chords - alone)))
        )
        try:
            answers.append(" ".join(one_voice.check_one_voice(silence, [], np.ones(160))))
        except MusicError:
            answers.append("refused")
    assert list(dict.fromkeys(answers)) == ["", one_voice.NOTICES["several voices"], "refused"]


def test_the_pitch_of_speech_glides_and_that_of_vibrato_and_of_quick_notes_does_not():
    frames = np.arange(600)
    vibrato = 60 + 0.8 * np.sin(2 * np.pi * 5.5 * frames / 100)
    quick = 60.0 + frames // 10 % 5
    talk = 50 + np.interp(
        frames, np.arange(0, 620, 12), np.random.default_rng(0).normal(0, 2.5, 52)
    )
    glides = [
        one_voice.glide_of(Frames(np.zeros((600, 1)), pitch, np.ones(600), np.zeros(600)))
        for pitch in (vibrato, quick, talk)
    ]
    assert max(glides[:2]) < 2 < 8 < glides[2]
    assert one_voice.glide_of(Frames(np.zeros((600, 1)), talk, np.zeros(600), np.zeros(600))) == 0


def test_peaks_beside_the_harmonics_are_found_and_what_rings_on_was_not_brought():
    note, other = (plucked([(pitch, 0.0)], 0.128, ring=5)[None] for pitch in (60, 64))
    spectrum = [
        np.abs(np.fft.rfft(sound * np.hanning(sound.shape[1])))
        for sound in (note, note + other, other)
    ]
    pitch = np.array([261.63])
    nothing = np.zeros_like(spectrum[0])
    assert max(one_voice.shares_beside(spectrum[0], nothing, pitch)) < 0.02
    assert min(one_voice.shares_beside(spectrum[1], nothing, pitch)) > 0.3
    beside, brought = one_voice.shares_beside(spectrum[1], spectrum[2], pitch)
    assert beside > 0.3 and brought < 0.05


def test_a_doubt_says_that_a_recording_is_clipped():
    crowd = np.clip(20 * plucked(seventh_chords(), 9, ring=8.0), -1, 1)
    with pytest.raises(MusicError, match="clipped"):
        transcribe_notes(crowd)


@pytest.mark.parametrize("octaves", [-1, 0, 1, 2])
def test_notes_that_the_tracker_heard_octaves_off_are_moved(octaves):
    sound = plucked([(64, 0.2)], 1.0)
    assert octave_of(SungNote(64 + 12 * octaves, 0.2, 0.8, 80), sound) == 64
    assert (
        octave_of(SungNote(64, 1.0, 1.1, 80), sound) == 64
    )  # at the end, where there is no sound to look at


def test_the_fit_tells_kinds_apart():
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 2, (len(one_voice.KINDS), 5))
    made = [
        (kind, Figures(*(centre + rng.normal(0, 0.3, 5))))
        for _ in range(30)
        for kind, centre in zip(one_voice.KINDS, centres)
    ]
    weights = fitting.fit([{"kind": kind, "figures": asdict(of)} for kind, of in made])
    assert weights.shape == one_voice.one_voice_weights().shape and not weights[0].any()
    for kind, of in made:
        likely = one_voice.likelihoods_of(of, weights)
        assert max(likely, key=likely.get) == kind and sum(likely.values()) == pytest.approx(1)


def test_weights_are_printed_as_the_data_file_holds_them():
    assert fitting.weights_csv(one_voice.one_voice_weights()) == one_voice.TABLE.read_text().strip()
