"""The band is mixed with the user's recording, in time and at the right level."""

import numpy as np
import pyloudnorm
import pytest

from accomp.errors import MusicError
from accomp.music.score import Control, Note, Score, Tempo, Track
from accomp.sound.audio_file import Recording, read_recording
from accomp.sound.overdub import OverdubSettings, clean, mix_with_recording, on_clock, play_band
from accomp.sound.rates import LISTEN_RATE, SAMPLE_RATE
from accomp.sound.render import render
from tests.support.sounds import bursts, encoded, errors_of_onsets, tone


def both(left: np.ndarray, right: np.ndarray | None = None) -> np.ndarray:
    return np.stack([left, left if right is None else right], axis=1)


def band(beats: int = 8, **fields) -> Score:
    click = [Note(76, float(beat), 0.25, 100) for beat in range(beats)]
    chords = [Note(pitch, float(beat), 1.0, 80) for beat in range(beats) for pitch in (48, 55, 64)]
    return Score(
        [
            Track("drums", 0, True, click),
            Track("piano", 0, False, [Note(84, 0.0, 1.0, 90)]),
            Track("guitar", 25, False, chords),
        ],
        **fields,
    )


def loudness(samples: np.ndarray) -> float:
    return pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(samples)


def recorded(samples: np.ndarray) -> Recording:
    return read_recording(encoded(samples, "wavfloat", SAMPLE_RATE))


def parts(
    mixed: np.ndarray, recording: Recording, song: Score, start: float
) -> tuple[np.ndarray, np.ndarray]:
    """The gains of the band and of the recording in `mixed`, by least squares; and the rest."""
    alone = play_band(song)
    columns = np.zeros((2, len(mixed)), np.float64)
    for column, sound, at in zip(columns, (alone, clean(recording.stereo())), (start, -start)):
        first = max(round(at * SAMPLE_RATE), 0)
        column[first : first + len(sound)] = sound[:, 0]
    gains, *_ = np.linalg.lstsq(columns.T, mixed[:, 0], rcond=None)
    return gains, mixed[:, 0] - gains @ columns


@pytest.mark.sound
@pytest.mark.parametrize("start", [0.0, 1.25, -2.00003])
def test_the_recording_lies_on_the_band_to_the_sample(start):
    recording = recorded(bursts([0.5, 1.0, 1.5, 2.0, 2.5], 3.0, SAMPLE_RATE))
    mixed = mix_with_recording(play_band(band()), recording, start)
    gains, rest = parts(mixed, recording, band(), start)
    assert (gains > 0).all() and np.abs(
        rest
    ).max() < 1e-4  # one sample beside would leave a tenth of a click
    assert len(mixed) >= max(
        round((3.0 - min(start, 0)) * SAMPLE_RATE), round((4.0 + max(start, 0)) * SAMPLE_RATE)
    )


@pytest.mark.sound
@pytest.mark.parametrize("level", [0.01, 0.9])
def test_the_recording_is_in_front_and_the_whole_is_as_loud_as_all_results(level):
    recording = recorded(tone(6.0, SAMPLE_RATE, level=level))
    song = band(12)
    mixed = mix_with_recording(play_band(song), recording)
    assert mixed.dtype == np.float32 and mixed.shape[1] == 2
    gains, _ = parts(mixed, recording, song, 0.0)
    alone = play_band(song)
    ahead = loudness(gains[1] * clean(recording.stereo())) - loudness(gains[0] * alone)
    assert ahead == pytest.approx(OverdubSettings.lead, abs=0.2)
    peak = 20 * np.log10(np.abs(mixed).max())
    assert (
        loudness(mixed) == pytest.approx(-16, abs=0.1)
        and peak <= -0.99
        or peak == pytest.approx(-1, abs=0.01)
    )


@pytest.mark.sound
def test_the_piano_plays_along_only_if_asked():
    def near_c6(samples: np.ndarray) -> float:
        spectrum = np.abs(np.fft.rfft(samples[: SAMPLE_RATE // 2, 0]))
        return spectrum[round(1046.5 / 2) - 2 : round(1046.5 / 2) + 3].max() / spectrum.max()

    song = band(4)
    assert near_c6(play_band(song, melody=True)) > 3 * near_c6(play_band(song))
    with pytest.raises(MusicError, match="nothing to play"):
        play_band(Score([Track("piano", notes=[Note(60, 0.0, 1.0, 80)])]))


@pytest.mark.parametrize("start", [3.0, -601.0, float("nan")])
def test_a_start_outside_the_recording_is_refused(start):
    with pytest.raises(MusicError, match="the song would begin at"):
        mix_with_recording(
            np.zeros((SAMPLE_RATE, 2), np.float32),
            Recording(np.zeros(2 * LISTEN_RATE, np.float32), 2.0),
            start,
        )


def test_on_clock_keeps_every_time():
    tempos = [Tempo(float(beat), 400_000 + 7_003 * (beat % 5)) for beat in range(1, 9)]
    score = band(12, tempos=tempos, resolution=96)
    score.tracks[2].controls.append(Control(9.5, 64, 127))
    played = on_clock(score)
    assert len(played.tempos) == 1
    for before, after in zip(score.tracks, played.tracks):
        for old, new in zip(before.notes + before.controls, after.notes + after.controls):
            assert played.seconds(new.onset) == pytest.approx(score.seconds(old.onset), abs=1e-9)
    for old, new in zip(score.tracks[2].notes, played.tracks[2].notes):
        assert (new.pitch, new.velocity) == (old.pitch, old.velocity)
        assert played.seconds(new.end) == pytest.approx(score.seconds(old.end), abs=1e-9)


@pytest.mark.sound
def test_the_band_follows_a_restless_tempo_map():
    random = np.random.default_rng(0)
    tempos = [
        Tempo(float(beat), round(5e5 * (1 + 0.05 * random.standard_normal())))
        for beat in range(160)
    ]
    song = Score(
        [Track("drums", 0, True, [Note(76, float(beat), 0.25, 110) for beat in range(0, 160, 4)])],
        tempos,
    )
    sound = render(on_clock(song))[:, 0]
    late = errors_of_onsets(
        np.pad(sound, (SAMPLE_RATE, 0)),
        SAMPLE_RATE,
        [1 + song.seconds(n.onset) for n in song.tracks[0].notes],
    )
    assert np.ptp(late) < 0.004  # the woodblock itself takes some milliseconds


def test_clean_up_takes_the_offset_and_leaves_the_music():
    low_e = both(tone(3.0, SAMPLE_RATE, pitch=82.4, level=0.3))
    cleaned = clean(low_e + np.float32(0.2))
    middle = cleaned[SAMPLE_RATE : 2 * SAMPLE_RATE]
    assert abs(middle.mean()) < 2e-3 and np.abs(middle).max() == pytest.approx(0.3, abs=0.01)
    assert cleaned[0, 0] == cleaned[-1, 0] == 0
    begin = bursts(
        [0.0], 12.0, SAMPLE_RATE, length=12.0
    )  # past the length that is filtered at once
    assert (
        np.abs(np.diff(clean(both(begin))[1000:-1000, 0])).max()
        < 0.5 * 2 * np.pi * 1000 / SAMPLE_RATE * 1.02
    )
