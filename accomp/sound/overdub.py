"""Mix the band with the user's own recording.

The recording stays as it was made, and the band follows it: the song's tempo map says when each
of its beats was.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import butter, sosfilt

from accomp.errors import MusicError
from accomp.music.score import Score, Tempo, Track
from accomp.roll.grid import MELODY, TRACK_NAMES
from accomp.sound.accepted import MAX_SECONDS
from accomp.sound.audio_file import Recording
from accomp.sound.master import master
from accomp.sound.meter import loudness
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.render import render

BLOCK = 10 * SAMPLE_RATE  # samples filtered at once: the filter works in 64 bits
CLOCK = Tempo(0.0, 500_000)  # 2 beats a second
CLOCK_RESOLUTION = 5000  # ticks per beat: 0.1 ms each


@dataclass(frozen=True)
class OverdubSettings:
    """How a recording is cleaned, and how loud it is."""

    lead: float = 4.0  # LU by which it is louder than the band: a singer in front, not alone
    # Hz: steps, wind and a constant offset lie below; a bass guitar's lowest string is at 41.
    rumble: float = 30.0
    fade: float = 0.01  # seconds at both ends, so that it neither begins nor ends with a click
    softest: float = -60.0  # LUFS at the least: a few notes between long silences would have -inf


SETTINGS = OverdubSettings()


def play_band(song: Score, melody: bool = False) -> np.ndarray:
    """Render `song` in time with the recording of its melody: [samples, 2] float32.

    Level and errors are those of `render`. melody: whether the piano plays it along.
    """
    tracks = [track for track in song.tracks if melody or track.name != TRACK_NAMES[MELODY]]
    return render(on_clock(replace(song, tracks=tracks)))


def mix_with_recording(
    band: np.ndarray,
    recording: Recording,
    start: float = 0.0,
    settings: OverdubSettings = SETTINGS,
) -> np.ndarray:
    """Mix a band's sound with the recording, which is in front of it, at -16 LUFS.

    Args:
        band: [samples, 2] float32 at SAMPLE_RATE. Where it is long enough it is changed into the
            whole, to save memory.
        recording: Of the melody.
        start: Seconds in the recording at which the band's sound begins. Where it is negative the
            band comes first (a count-in, an introduction), else the recording.
        settings: How the recording is cleaned, and how loud it is.

    Returns:
        [samples, 2] float32 at SAMPLE_RATE, limited at -1 dBTP.

    Raises:
        MusicError: `start` lies after the recording's end or more than MAX_SECONDS before it.
    """
    if not -MAX_SECONDS <= start <= recording.seconds:
        raise MusicError(
            f"the song would begin at {start:g} seconds of the recording; "
            f"accepted: from {-MAX_SECONDS:g} to its end at {recording.seconds:g}"
        )
    offset = round(start * SAMPLE_RATE)
    band_at, voice_at = max(offset, 0), max(-offset, 0)
    level = _loudness(band, settings) + settings.lead
    length = voice_at + round((recording.seconds + settings.fade) * SAMPLE_RATE)
    whole = band if band_at == 0 and len(band) >= length else _placed(band, band_at, length)
    del band
    voice = _voice(recording, level, settings)
    room = whole[voice_at:]
    room[: len(voice)] += voice[: len(room)]
    del voice
    master([whole], SAMPLE_RATE, compress=False)
    return whole


def voice_beside(
    recording: Recording,
    start: float,
    band: float,
    length: int,
    settings: OverdubSettings = SETTINGS,
) -> np.ndarray:
    """Return the recording as a stem in time with a band and louder than it.

    Args:
        recording: Of the melody; what was recorded before the band's sound is left out.
        start: Seconds in the recording at which the band's sound begins.
        band: The band's loudness in LUFS.
        length: Of the stem, in samples.
        settings: How the recording is cleaned, and how loud it is.
    """
    voice = _voice(recording, max(band, settings.softest) + settings.lead, settings)
    offset = round(start * SAMPLE_RATE)
    return _placed(voice[max(offset, 0) :], max(-offset, 0), length)[:length]


def cleaned_voice(
    recording: Recording, loudness: float, settings: OverdubSettings = SETTINGS
) -> np.ndarray:
    """Return a recording cleaned and brought to a loudness in LUFS: [samples, 2] float32."""
    return _voice(recording, loudness, settings)


def on_clock(score: Score) -> Score:
    """Return the same music in time under one constant tempo, without meters and chords.

    It is to be played but not read. FluidSynth rounds at every change of tempo. Under a singer's
    tempo map, which changes at each beat, that adds up: to 15 ms in five minutes.
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


def clean(sound: np.ndarray, settings: OverdubSettings = SETTINGS) -> np.ndarray:
    """Remove rumble from [samples, 2] at SAMPLE_RATE in place, and fade it in and out."""
    sections = np.asarray(butter(2, settings.rumble, "highpass", fs=SAMPLE_RATE, output="sos"))
    state = np.zeros((len(sections), 2, 2))  # [sections, what each remembers, channels]
    for at in range(0, len(sound), BLOCK):
        sound[at : at + BLOCK], state = sosfilt(sections, sound[at : at + BLOCK], axis=0, zi=state)
    ramp = np.linspace(0, 1, round(settings.fade * SAMPLE_RATE), dtype=np.float32)[:, None]
    sound[: len(ramp)] *= ramp
    sound[-len(ramp) :] *= ramp[::-1]
    return sound


def _voice(recording: Recording, level: float, settings: OverdubSettings) -> np.ndarray:
    """Return the recording cleaned, at `level` LUFS: [samples, 2] float32."""
    voice = clean(recording.stereo(), settings)
    voice *= 10 ** ((level - _loudness(voice, settings)) / 20)
    return voice


def _placed(sound: np.ndarray, at: int, length: int) -> np.ndarray:
    """Put [samples, 2] at sample `at` of `length` samples of silence, or of more if needed."""
    return np.pad(sound, ((at, max(length - at - len(sound), 0)), (0, 0)))


def _loudness(sound: np.ndarray, settings: OverdubSettings) -> float:
    return max(loudness(sound, SAMPLE_RATE), settings.softest)
