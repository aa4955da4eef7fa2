"""Read recordings of any common kind, and write sound to files."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from accomp.errors import MusicError
from accomp.music.file_source import FileSource, read_source
from accomp.sound.accepted import (
    ACCEPTED,
    AGAIN,
    MAX_BYTES,
    MAX_SECONDS,
    MIN_SECONDS,
    check_head,
    in_words,
    too_long,
)
from accomp.sound.audio_writer import AudioWriter
from accomp.sound.rates import LISTEN_RATE, SAMPLE_RATE

if TYPE_CHECKING:
    from accomp.sound.decode import Soundtrack

HEAD = 16  # bytes at a file's beginning that tell what it is


@dataclass(frozen=True)
class RecordingSettings:
    """Which recordings are refused as silent, and which get a notice."""

    silence: float = -50.0  # dBFS: rooms and cheap microphones make noise of up to about this level
    # dBFS: what is softer than `silence` is heard down to here where it stands out from the noise.
    faintest: float = -75.0
    # dB of it above the softest tenth: cheap microphones' hum and hiss are about as loud all along.
    standing_out: float = 25.0
    soft: float = -40.0  # dBFS: a notice where nothing is louder
    usual: float = -20.0  # dBFS of the loudest notes, to which soft recordings are amplified
    sounding: float = 0.2  # seconds louder than `silence`: the shortest thing to be called a note
    window: float = 0.02  # seconds over which a level is measured: two periods of 100 Hz
    clipped: float = 2e-3  # share of samples at the limit from which a notice says so
    empty: float = 1e-3  # of the other channel's power, below which a channel is empty
    cancelled: float = 0.1  # of the louder channel's power, below which both cancel each other out


@dataclass
class Recording:
    """A recording, read for transcription.

    Attributes:
        mono: [samples] float32 at LISTEN_RATE.
        seconds: Its length.
        notices: What the user should know of the recording's quality, in words.
        source: The file, or its bytes, from which `stereo` reads again.
        channel: The one of the two channels that is used alone; None for both.
    """

    mono: np.ndarray
    seconds: float
    notices: list[str] = field(default_factory=list)
    source: Path | bytes = field(default=b"", repr=False)
    channel: int | None = None

    def stereo(self, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
        """Decode the sound as it was recorded: [samples, 2] float32.

        It begins at the same moment as `mono`. Decoded again each time, as ten minutes take 200 MB.

        Raises:
            MusicError: The file is not there any more.
        """
        from accomp.sound.decode import Soundtrack  # only now: decoding is an extra

        with Soundtrack(self.source) as track:
            samples = track.resampled(sample_rate, self.seconds)
        if self.channel is not None:
            samples[:, 1 - self.channel] = samples[:, self.channel]
        return samples


def read_recording(
    source: FileSource, settings: RecordingSettings = RecordingSettings()
) -> Recording:
    """Read the sound of a file; what is damaged as far as it can be, with a notice.

    Args:
        source: A path, the bytes of a file or a binary file object.
        settings: What is refused as silent.

    Raises:
        MusicError: There is no sound, it cannot be read, it lasts less than MIN_SECONDS or more
            than MAX_SECONDS, or it is silent.
    """
    from accomp.sound.decode import Soundtrack  # only now: decoding is an extra

    source = _checked(source)
    with Soundtrack(source) as track:
        declared = track.declared_seconds
        # Browsers' recorders declare nothing.
        if not 0 < declared <= MAX_SECONDS and track.is_longer_than(MAX_SECONDS):
            raise too_long(declared)
    with Soundtrack(source) as track:
        both = track.resampled(LISTEN_RATE, min(declared or 60, MAX_SECONDS))
    if track.seconds < MIN_SECONDS:
        raise _too_short(track)
    channel = _only_channel(both, settings)
    mono = both.mean(axis=1) if channel is None else both[:, channel].copy()
    levels = _levels(mono, settings.window)
    level = float(levels[-round(settings.sounding / settings.window)])
    floor = max(float(levels[len(levels) // 10]), -100.0)
    stands_out = level > settings.faintest and level - floor > settings.standing_out
    if level < settings.silence and not stands_out:
        raise _silent(float(levels[-1]), settings)
    seconds = len(mono) / LISTEN_RATE
    return Recording(mono, seconds, _notices(track, level, settings), source, channel)


def amplified(mono: np.ndarray, settings: RecordingSettings = RecordingSettings()) -> np.ndarray:
    """Return a soft recording at a usual level, another as it is. mono: [samples] at LISTEN_RATE.

    What listens has absolute floors.
    """
    if len(mono) < settings.window * LISTEN_RATE:
        return mono
    levels = _levels(mono, settings.window)
    level = float(levels[-min(round(settings.sounding / settings.window), len(levels))])
    if not -120 < level < settings.soft:
        return mono
    return mono * np.float32(10 ** ((settings.usual - level) / 20))


def write_audio(samples: np.ndarray, path: str | Path, sample_rate: int = SAMPLE_RATE) -> None:
    """Write sound to a file: MP3 or FLAC where its name ends so, else a WAV file of 16 bits.

    The file is there whole, or not at all.

    samples: [samples, 2] within -1 to 1.

    Raises:
        OSError: It cannot be written.
    """
    try:
        with AudioWriter(path, sample_rate) as writer:
            writer.write(samples)
    except RuntimeError as error:  # soundfile's, as of a full disk
        raise OSError(f"the sound cannot be written: {error}") from error


def _checked(source: FileSource) -> Path | bytes:
    """Return a path that can be opened, or bytes; neither empty nor MIDI."""
    if isinstance(source, (str, os.PathLike)):
        head, source = read_source(source, HEAD, ACCEPTED), Path(source)
    else:
        source = read_source(source, MAX_BYTES + 1, ACCEPTED)
        head = source[:HEAD]
        if len(source) > MAX_BYTES:
            raise MusicError(
                f"the file is larger than {MAX_BYTES / 1e6:g} MB; "
                "export it as mp3, or as wav in 44.1 kHz"
            )
    check_head(head)
    return source


# Judging what was read


def _only_channel(both: np.ndarray, settings: RecordingSettings) -> int | None:
    """Return the channel of [samples, 2] to use alone; None for both.

    One is used alone where the other is empty, or where the two cancel each other out.
    """
    power = [float(np.dot(channel, channel)) for channel in both.T]
    louder = int(power[1] > power[0])
    mean = (power[0] + power[1] + 2 * float(np.dot(both[:, 0], both[:, 1]))) / 4  # of both
    empty = power[1 - louder] < settings.empty * power[louder]
    return louder if empty or mean < settings.cancelled * power[louder] else None


def _levels(mono: np.ndarray, window: float) -> np.ndarray:
    """Return the level of each window in dBFS, sorted; a sine at full scale has -3.

    A constant offset does not count.
    """
    size = round(window * LISTEN_RATE)
    deviations = mono[: len(mono) // size * size].reshape(-1, size).std(axis=1)
    return 20 * np.log10(np.maximum(np.sort(deviations), 1e-9))


def _notices(track: "Soundtrack", level: float, settings: RecordingSettings) -> list[str]:
    """Say what is wrong with a recording's file and level; level: dBFS of its loudest notes."""
    notices = []
    if track.ends_early:
        found = f"only its first {in_words(track.seconds)} could be read"
        if track.declared_seconds <= MAX_SECONDS:  # else that is damaged, too
            found += f" of {in_words(track.declared_seconds)}"
        notices.append(f"the file is damaged or incomplete: {found}")
    elif track.faults:
        notices.append("the file is damaged in places; what could be read is used")
    if track.limited > settings.clipped:
        notices.append(
            "the recording is clipped (too loud for the microphone or its level), which costs "
            "accuracy; if notes are wrong, turn the level down or move away from the microphone"
        )
    if level < settings.soft:
        notices.append(
            f"the recording is very soft (its loudest notes are at {level:.0f} dBFS); "
            "if notes are missing, turn the level up or move closer to the microphone"
        )
    return notices


def _too_short(track: "Soundtrack") -> MusicError:
    found = f"{min(track.seconds, 0.9):.1f} seconds"  # 0.97 are not 1.0
    if track.faults or track.ends_early:
        return MusicError(
            f"the file is damaged: only {found} of sound can be read from it; {AGAIN}"
        )
    if not track.seconds:
        return MusicError(
            f"the file is a recording of no length: it holds no sound at all; {ACCEPTED}"
        )
    return MusicError(f"the recording lasts only {found}; accepted: 1 second to 10 minutes")


def _silent(loudest: float, settings: RecordingSettings) -> MusicError:
    """Return the error of a silent recording, whose loudest window has `loudest` dBFS."""
    if loudest < -90:
        found = "complete silence"
    elif loudest < settings.silence:
        found = f"nothing but noise as soft as {loudest:.0f} dBFS"
    else:
        found = f"nothing but a sound shorter than {settings.sounding} seconds"
    return MusicError(
        f"the recording is silent: {found} was found. Check that the right microphone is chosen, "
        "switched on and allowed to be used, and record closer to it"
    )
