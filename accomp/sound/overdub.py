"""The band under the user's own recording.

The recording stays as it was made, and the band comes to it: the song's tempo map says when each of its beats was sung.
"""

from dataclasses import replace

import numpy as np
from scipy.signal import butter, sosfilt

from accomp.errors import MusicError
from accomp.music.score import Score, Tempo, Track
from accomp.roll.grid import MELODY, TRACK_NAMES
from accomp.sound.audio_file import MAX_SECONDS, Recording
from accomp.sound.render import SAMPLE_RATE, leveled, loudness, render

LEAD = 4.0  # LU by which the recording is louder than the band: a singer in front of it, not alone
RUMBLE = (
    30.0  # Hz: steps, wind and a constant offset lie below; a bass guitar's lowest string is at 41
)
FADE = (
    0.01  # seconds at both ends of the recording, so that it neither begins nor ends with a click
)
BLOCK = 10 * SAMPLE_RATE  # samples filtered at once: the filter works in 64 bits
CLOCK = Tempo(0.0, 500_000)  # 2 beats a second
CLOCK_RESOLUTION = 5000  # ticks per beat: 0.1 ms each


def play_band(song: Score, melody: bool = False) -> np.ndarray:
    """The sound of `song` in time with the recording of its melody: [samples, 2] float32, level and errors as of `render`.
    melody: whether the piano plays it along.
    """
    tracks = [track for track in song.tracks if melody or track.name != TRACK_NAMES[MELODY]]
    return render(on_clock(replace(song, tracks=tracks)))


def mix_with_recording(band: np.ndarray, recording: Recording, start: float = 0.0) -> np.ndarray:
    """A band's sound with the recording on top: both [samples, 2] float32 at SAMPLE_RATE.

    start: the time in the recording, in seconds, at which the band's sound begins. Where it is negative the band comes first
    (a count-in, an introduction), else the recording. The recording is LEAD louder than the band; the whole is at -16 LUFS, or
    limited at -1 dBTP. Where the band's sound is long enough it is changed into the whole, to save memory. Raises
    MusicError where `start` lies after the recording's end or more than MAX_SECONDS before it.
    """
    if not -MAX_SECONDS <= start <= recording.seconds:
        raise MusicError(
            f"the song would begin at {start:g} seconds of the recording; "
            f"accepted: from {-MAX_SECONDS:g} to its end at {recording.seconds:g}"
        )
    offset = round(start * SAMPLE_RATE)
    band_at, voice_at = max(offset, 0), max(-offset, 0)
    level = _loudness(band) + LEAD
    length = voice_at + round((recording.seconds + FADE) * SAMPLE_RATE)
    whole = band if band_at == 0 and len(band) >= length else _placed(band, band_at, length)
    del band
    voice = _voice(recording, level)
    room = whole[voice_at:]
    room[: len(voice)] += voice[: len(room)]
    del voice
    return leveled(whole)


def voice_stem(band: np.ndarray, recording: Recording, start: float) -> np.ndarray:
    """The recording as one more stem of a band: as long, in time with it and LEAD louder than its sum: all [samples, 2] float32.
    start: as of `mix_with_recording`; what was recorded before the band's sound is left out.
    """
    voice = _voice(recording, _loudness(band) + LEAD)
    offset = round(start * SAMPLE_RATE)
    return _placed(voice[max(offset, 0) :], max(-offset, 0), len(band))[: len(band)]


def on_clock(score: Score) -> Score:
    """The same music in time under one constant tempo, without meters and chords, to be played but not read.

    FluidSynth rounds at every change of tempo. Under a singer's tempo map, which changes at each beat, that adds up: to
    15 ms in five minutes.
    """

    def clock(beats: list[float]) -> list[float]:
        return (score.seconds(beats) * 1e6 / CLOCK.microseconds).tolist()

    def track(old: Track) -> Track:
        onsets = clock([note.onset for note in old.notes])
        ends = clock([note.end for note in old.notes])
        moments = clock([control.onset for control in old.controls])
        return replace(
            old,
            notes=[
                note._replace(onset=onset, duration=end - onset)
                for note, onset, end in zip(old.notes, onsets, ends)
            ],
            controls=[
                control._replace(onset=moment) for control, moment in zip(old.controls, moments)
            ],
        )

    return Score([track(old) for old in score.tracks], [CLOCK], resolution=CLOCK_RESOLUTION)


def clean(sound: np.ndarray) -> np.ndarray:
    """`sound`, [samples, 2] at SAMPLE_RATE, without what lies below RUMBLE, faded in and out; changed in place."""
    sections = butter(2, RUMBLE, "highpass", fs=SAMPLE_RATE, output="sos")
    state = np.zeros((len(sections), 2, 2))  # [sections, what each remembers, channels]
    for at in range(0, len(sound), BLOCK):
        sound[at : at + BLOCK], state = sosfilt(sections, sound[at : at + BLOCK], axis=0, zi=state)
    ramp = np.linspace(0, 1, round(FADE * SAMPLE_RATE), dtype=np.float32)[:, None]
    sound[: len(ramp)] *= ramp
    sound[-len(ramp) :] *= ramp[::-1]
    return sound


def _voice(recording: Recording, level: float) -> np.ndarray:
    """The recording cleaned, at `level` LUFS: [samples, 2] float32."""
    voice = clean(recording.stereo())
    voice *= _factor(level - _loudness(voice))
    return voice


def _placed(sound: np.ndarray, at: int, length: int) -> np.ndarray:
    """`sound`, [samples, 2], from sample `at` of a silence of `length` samples or as many as it takes."""
    return np.pad(sound, ((at, max(length - at - len(sound), 0)), (0, 0)))


def _loudness(sound: np.ndarray) -> float:
    """LUFS, integrated; never minus infinity, which a few notes between the excerpts of a long silence would have."""
    return max(loudness(sound, SAMPLE_RATE), -60.0)


def _factor(decibels: float) -> float:
    return 10 ** (decibels / 20)
