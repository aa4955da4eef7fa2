"""Recordings: sound files of any common kind, as the samples that the pitch tracker and the mix need.

PyAV's wheels carry FFmpeg's decoders, so that nothing has to be installed beside them. Files are decoded packet by packet and
resampled on the way. FFmpeg takes off what an encoder put before the sound (mp3, AAC and Opus all do), so that time 0 is
the first sample that was recorded; tests hold it to that.
"""

import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import av
import numpy as np
from av.error import FFmpegError

from accomp.errors import MusicError
from accomp.music.midi_chunks import kind_of

RATE = 16_000  # Hz, of Recording.mono: what pitch trackers of speech and singing take
MIN_SECONDS = 1.0
MAX_SECONDS = 600.0
PADDING = 0.5  # seconds by which codecs and headers may be beside the true length
MAX_BYTES = 500_000_000  # of a file held in memory: ten minutes of 96 kHz stereo in 32 bits
SAMPLE_RATE = 44_100  # Hz, of all sound that is made or mixed
SILENCE = -50.0  # dBFS: rooms and cheap microphones make noise of up to about this level
SOFT = -40.0  # dBFS: a notice where nothing is louder
SOUNDING = (
    0.2  # seconds that have to be louder than SILENCE: the shortest thing that can be called a note
)
WINDOW = 0.02  # seconds over which a level is measured: two periods of 100 Hz
HEADROOM = 8.0  # samples in floats may pass full scale by this factor; damaged ones are anything up to infinity
CLIPPED = 2e-3  # share of samples at the limit from which a notice says so
LOWEST_RATE, HIGHEST_RATE = (
    4_000,
    384_000,
)  # Hz: what lies outside is damage, and would take ages to resample
SAMPLE_FORMATS = (
    "u8",
    "s16",
    "s32",
    "flt",
    "dbl",
    "u8p",
    "s16p",
    "s32p",
    "fltp",
    "dblp",
)  # not s64, which only damage makes
HEAD = 4096  # bytes at a file's beginning by which it is told what it is
MAX_GAP = 10.0  # seconds: a longer gap between two time stamps is a damaged stamp
MIN_GAP = 0.1  # seconds: browsers stamp packets when they arrive, which is less punctual than the samples themselves

# What may be read: no playlists, which could name other files or addresses on the net. FFmpeg's names.
DEMUXERS = "wav,w64,mp3,aac,ogg,flac,aiff,caf,amr,au,asf,matroska,mov,avi"
_ACCEPTED = (
    "accepted: recordings (wav, mp3, ogg, opus, webm, m4a, flac, aiff) of 1 second to 10 minutes"
)
_AGAIN = "record it again, or export it anew as wav or mp3"
_SIGNATURES = (  # offset and bytes
    (0, b"OggS"),
    (0, b"fLaC"),
    (0, b"\x1aE\xdf\xa3"),  # WebM, Matroska
    (4, b"ftyp"),  # MP4, M4A, MOV
    (4, b"moov"),
    (8, b"WAVE"),
    (8, b"AVI "),
    (8, b"AIFF"),
    (8, b"AIFC"),
    (0, b"ID3"),
    (0, b"caff"),
    (0, b"#!AMR"),
    (0, b".snd"),
    (0, b"riff\x2e\x91\xcf\x11"),  # Sony Wave64
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # WMA
)


@dataclass
class Recording:
    mono: np.ndarray  # [samples] float32 at RATE
    seconds: float
    notices: list[str] = field(
        default_factory=list
    )  # what the user should know of the recording's quality, in words
    source: str | os.PathLike | bytes = field(
        default=b"", repr=False
    )  # the file, from which `stereo` reads again
    channel: int | None = None  # the one of the two channels that is used alone; None: both

    def stereo(self, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
        """The sound as it was recorded: [samples, 2] float32, from the same moment on as `mono`.

        Decoded anew each time, as ten minutes take 200 MB. Raises MusicError where the file is there no more.
        """
        with _Sound(self.source) as sound:
            samples = _joined(
                _resampled(sound.blocks(), sample_rate),
                round((self.seconds + PADDING) * sample_rate),
            )
        if self.channel is not None:
            samples[:, 1 - self.channel] = samples[:, self.channel]
        return samples


def is_recording(source: str | os.PathLike | bytes) -> bool:
    """Whether a path or the bytes of a file hold sound (or a video), told by the content; of MIDI and of no file False."""
    try:
        if isinstance(source, (bytes, bytearray, memoryview)):
            head = bytes(source[:16])
        else:
            with open(source, "rb") as file:
                head = file.read(16)
    except OSError:
        return False
    return any(head[at : at + len(mark)] == mark for at, mark in _SIGNATURES) or _is_mpeg_audio(
        head
    )


def read_recording(source) -> Recording:
    """The sound in `source`: a path, the bytes of a file or a binary file object.

    Raises MusicError where there is no sound in it, it cannot be read, lasts less than MIN_SECONDS or more than MAX_SECONDS,
    or holds nothing louder than SILENCE for SOUNDING seconds. What is damaged is read as far as it can be, with a notice.
    """
    source = _checked(source)
    with _Sound(source) as sound:
        declared = sound.declared_seconds
        if not 0 < declared <= MAX_SECONDS and sound.is_longer_than(
            MAX_SECONDS + PADDING
        ):  # browsers' recorders declare nothing
            raise _too_long(declared)
    with _Sound(source) as sound:
        expected = min(declared or 60, MAX_SECONDS) + PADDING
        both = _joined(_resampled(sound.blocks(), RATE), round(expected * RATE))
    if sound.seconds < MIN_SECONDS:
        raise _too_short(sound)
    channel = _only_channel(both)
    mono = both.mean(axis=1) if channel is None else both[:, channel].copy()
    levels = _levels(mono)
    level = float(levels[-round(SOUNDING / WINDOW)])
    if level < SILENCE:
        raise _silent(float(levels[-1]))
    return Recording(mono, len(mono) / RATE, _notices(sound, level), source, channel)


# The source


def _checked(source) -> str | os.PathLike | bytes:
    """A path that can be opened or bytes, not empty and not MIDI; a file object is read."""
    try:
        if hasattr(source, "read"):
            source = source.read(MAX_BYTES + 1)
            if not isinstance(source, bytes):
                raise MusicError(
                    "the file was opened as text; accepted: a path, bytes or a binary file object"
                )
        elif isinstance(source, (bytearray, memoryview)):
            source = bytes(source)
        elif not isinstance(source, (bytes, str, os.PathLike)):
            raise MusicError(
                f"a {type(source).__name__} was given; accepted: a path, bytes or a binary file object"
            )
        head = source[:HEAD] if isinstance(source, bytes) else _head(Path(source))
    except (OSError, ValueError) as error:
        if isinstance(error, MusicError):
            raise
        raise MusicError(f"the file cannot be read ({error}); {_ACCEPTED}") from error
    if isinstance(source, bytes) and len(source) > MAX_BYTES:
        raise MusicError(
            f"the file is larger than {MAX_BYTES / 1e6:g} MB; export it as mp3, or as wav in 44.1 kHz"
        )
    if not head:
        raise MusicError(f"the file is empty: no recording was saved in it; {_ACCEPTED}")
    if head.startswith(b"MThd") or head[:4] == b"RIFF" and head[8:12] == b"RMID":
        raise MusicError(
            f"the file is MIDI: it holds notes, not sound; give it as a MIDI melody. Here {_ACCEPTED}"
        )
    return source


def _head(path: Path) -> bytes:
    if not path.exists():
        raise MusicError(f"{path} does not exist; {_ACCEPTED}")
    if not path.is_file():
        raise MusicError(f"{path} is not a file; {_ACCEPTED}")
    with path.open("rb") as file:
        return file.read(HEAD)


def _is_mpeg_audio(head: bytes) -> bool:
    """Whether the first bytes are the header of an MP3 or ADTS frame, which have no better signature."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer, rates = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 2 & 15
    if layer == 0:  # ADTS: AAC without a container
        return head[1] & 0xF0 == 0xF0 and rates < 13
    return (
        version != 1 and layer != 3 and head[2] >> 4 != 15 and rates & 3 != 3
    )  # layer 3 means I: UTF-16 texts begin so


# Decoding


class _Sound:
    """The soundtrack of a file that is open for decoding, once from its beginning; a context manager.

    declared_seconds: how long the file says that it is, 0 where it does not. After `blocks`: seconds, what was read; faults,
    how many packets could not be; limited, the share of samples at the limit.
    """

    def __init__(self, source: str | os.PathLike | bytes):
        self.seconds = 0.0
        self.faults = 0
        self._limited = self._values = 0
        # FFmpeg never gets a name: it would take http://... for an address and open it.
        self._file = io.BytesIO(source) if isinstance(source, bytes) else _open(source)
        try:
            head = self._file.read(HEAD)
            self._container, self._stream = _soundtrack(self._file, head)
        except BaseException:
            self._file.close()
            raise
        self.declared_seconds, self._is_sure = _declared_seconds(
            self._container, self._stream, head
        )
        self._has_headroom = self._stream.codec_context.name.startswith(
            "pcm_f"
        )  # floats go beyond full scale

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self._container.close()
        self._file.close()

    @property
    def ends_early(self) -> bool:
        """Whether less than the declared length was read, by more than codecs pad."""
        return self._is_sure and self.declared_seconds - self.seconds > PADDING

    @property
    def limited(self) -> float:
        return self._limited / max(self._values, 1)

    def is_longer_than(self, seconds: float) -> bool:
        """Whether there are packets after this time, found without decoding: the declared length alone may be damaged."""
        first = None
        try:
            for packet in self._container.demux(self._stream):
                if packet.pts is not None and packet.size:
                    at = packet.pts * packet.time_base
                    first = at if first is None else first
                    if at - first > seconds:
                        return True
        except FFmpegError:
            pass
        return False

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """The sample rate in Hz and samples [2, n] float32, frame by frame. Raises MusicError above MAX_SECONDS.

        Where time stamps jump, packets were lost; silence takes their place, so that what follows stays in time.
        """
        start = None
        for frame in self._frames():
            rate = frame.sample_rate
            if start is None:
                start = frame.time if frame.time is not None else 0.0
            gap = (frame.time - start if frame.time is not None else 0.0) - self.seconds
            if MIN_GAP < gap < MAX_GAP:
                self.seconds += gap
                yield rate, np.zeros((2, round(gap * rate)), np.float32)
            self.seconds += frame.samples / rate
            if self.seconds > MAX_SECONDS + PADDING:
                raise _too_long(self.declared_seconds)
            samples = _floats(frame)
            self._count_limited(samples)
            yield rate, _two_channels(samples)

    def _frames(self) -> Iterator[av.AudioFrame]:
        """The frames that can be decoded."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                self.faults += 1
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except FFmpegError:
                self.faults += 1
                continue
            for frame in frames:
                if (
                    LOWEST_RATE <= frame.sample_rate <= HIGHEST_RATE
                    and frame.format.name in SAMPLE_FORMATS
                ):
                    yield frame
                else:
                    self.faults += 1

    def _count_limited(self, samples: np.ndarray) -> None:
        """Counts samples at the limit: three or more there that do not move, or beyond it, where lossy codecs put such peaks."""
        size = np.abs(samples)
        if size.max() >= 0.98:
            stuck = (size[:, 1:] >= 0.98) & (np.abs(np.diff(samples)) < 1e-4)
            self._limited += np.count_nonzero(stuck[:, 1:] & stuck[:, :-1])
            if not self._has_headroom:
                self._limited += np.count_nonzero(size > 1)
        self._values += samples.size


def _open(path: str | os.PathLike):
    try:
        return open(path, "rb")
    except OSError as error:
        raise MusicError(f"the recording cannot be read any more ({error})") from error


def _soundtrack(file, head: bytes) -> tuple:
    """The open container of a file that begins with `head`, and its best audio stream. Raises MusicError without one."""
    file.seek(0)
    try:
        container = av.open(file, metadata_errors="replace", options={"format_whitelist": DEMUXERS})
    except (FFmpegError, ValueError) as error:
        raise _unreadable(head) from error
    streams = [
        stream
        for stream in (container.streams.best("audio"), *container.streams.audio)
        if stream is not None
    ]
    for stream in streams:
        if stream.codec_context is not None:
            stream.codec_context.thread_count = 1  # threads would hold back frames and win nothing
            return container, stream
    is_video = bool(container.streams.video)
    container.close()
    if streams:
        raise MusicError(f"the sound in the file is stored in a way that cannot be read; {_AGAIN}")
    if is_video:
        raise MusicError(
            f"the file is a video without sound; choose one with sound, or record again; {_ACCEPTED}"
        )
    raise MusicError(
        f"there is no sound in the file, though it is of a kind that can hold it; {_AGAIN}"
    )


def _declared_seconds(container, stream, head: bytes) -> tuple[float, bool]:
    """How long the file says that it is, 0 where it does not; and whether that is sure, or guessed from the bit rate."""
    if stream.duration is not None:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / av.time_base
    riff = int.from_bytes(head[4:8], "little") + 8
    if (
        head[:4] == b"RIFF"
        and container.size < riff < 0x7FFF_0000
        and stream.codec_context.bit_rate
    ):
        seconds = (
            8 * riff / stream.codec_context.bit_rate
        )  # FFmpeg counts what is there; recorders write -1 at first
    counted = any(
        mark in head for mark in (b"Xing", b"Info", b"VBRI")
    )  # MP3 encoders' count of frames
    return max(seconds, 0.0), counted or container.format.name not in ("mp3", "aac")


def _floats(frame: av.AudioFrame) -> np.ndarray:
    """The frame's samples as [channels, samples] float32, full scale at 1, within HEADROOM; what is no number becomes 0."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(frame.samples, -1).T
    if samples.dtype.kind == "f":
        samples = np.nan_to_num(samples.astype(np.float32), copy=False, nan=0.0)
        return samples.clip(-HEADROOM, HEADROOM, out=samples)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    return samples.astype(np.float32) * np.float32(1 / 2 ** (8 * samples.dtype.itemsize - 1))


def _two_channels(samples: np.ndarray) -> np.ndarray:
    """[channels, n] as [2, n]: one channel twice; of more than two (several microphones, surround) the mean, twice."""
    if len(samples) == 2:
        return samples
    return np.repeat(samples.mean(axis=0, keepdims=True), 2, axis=0)


def _resampled(blocks: Iterable[tuple[int, np.ndarray]], to: int) -> Iterator[np.ndarray]:
    """Blocks of samples [2, n] at their rates as blocks at rate `to`."""
    resampler, rate = None, 0
    for block_rate, samples in blocks:
        if block_rate != rate:
            if resampler is not None:
                yield from _arrays(resampler.resample(None))
            resampler, rate = av.AudioResampler(format="fltp", layout="stereo", rate=to), block_rate
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples), format="fltp", layout="stereo"
        )
        frame.sample_rate = rate
        yield from _arrays(resampler.resample(frame))
    if resampler is not None:
        yield from _arrays(resampler.resample(None))


def _arrays(frames: Iterable[av.AudioFrame]) -> Iterator[np.ndarray]:
    return (frame.to_ndarray() for frame in frames)


def _joined(blocks: Iterable[np.ndarray], expected: int) -> np.ndarray:
    """Blocks [2, n] as one array [samples, 2]. expected: about how many samples there will be.

    Filled as they come: thousands of little arrays would leave the memory in pieces.
    """
    joined = np.empty((expected, 2), np.float32)
    count = 0
    for block in blocks:
        if count + block.shape[1] > len(joined):
            joined = np.concatenate(
                [joined, np.empty((len(joined) // 2 + block.shape[1], 2), np.float32)]
            )
        joined[count : count + block.shape[1]] = block.T
        count += block.shape[1]
    return joined[:count]


# Judging what was read


def _only_channel(both: np.ndarray) -> int | None:
    """The channel of [samples, 2] to use alone: where the other is empty, or where the two cancel each other out; else None."""
    power = [float(np.dot(channel, channel)) for channel in both.T]
    louder = int(power[1] > power[0])
    together = (
        power[0] + power[1] + 2 * float(np.dot(both[:, 0], both[:, 1]))
    ) / 4  # of the mean of both
    empty = power[1 - louder] < 1e-3 * power[louder]
    return louder if empty or together < 0.1 * power[louder] else None


def _levels(mono: np.ndarray) -> np.ndarray:
    """The level of each WINDOW, sorted: dBFS, where a sine at full scale has -3; a constant offset does not count."""
    size = round(WINDOW * RATE)
    deviations = mono[: len(mono) // size * size].reshape(-1, size).std(axis=1)
    return 20 * np.log10(np.maximum(np.sort(deviations), 1e-9))


def _notices(sound: _Sound, level: float) -> list[str]:
    notices = []
    if sound.ends_early:
        found = f"only its first {_time(sound.seconds)} could be read"
        if sound.declared_seconds <= MAX_SECONDS:  # else that is damaged, too
            found += f" of {_time(sound.declared_seconds)}"
        notices.append(f"the file is damaged or incomplete: {found}")
    elif sound.faults:
        notices.append("the file is damaged in places; what could be read is used")
    if sound.limited > CLIPPED:
        notices.append(
            "the recording is clipped (too loud for the microphone or its level), which costs accuracy; "
            "if notes are wrong, turn the level down or move away from the microphone"
        )
    if level < SOFT:
        notices.append(
            f"the recording is very soft (its loudest notes are at {level:.0f} dBFS); "
            "if notes are missing, turn the level up or move closer to the microphone"
        )
    return notices


# Messages


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} seconds"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} minutes"


def _unreadable(head: bytes) -> MusicError:
    kind = kind_of(head)
    if is_recording(head):
        return MusicError(
            "the file is a damaged recording: nothing of it can be read. Perhaps recording, saving or downloading broke off; "
            + _AGAIN
        )
    return MusicError(f"the file is no recording: it seems to be {kind}; {_ACCEPTED}")


def _too_long(declared: float) -> MusicError:
    found = _time(declared) if declared > MAX_SECONDS else "more than 10 minutes"
    return MusicError(
        f"the recording lasts {found}; accepted: up to 10 minutes. Cut out the part with the melody"
    )


def _too_short(sound: _Sound) -> MusicError:
    found = f"{min(sound.seconds, 0.9):.1f} seconds"  # 0.97 are not 1.0
    if sound.faults or sound.ends_early:
        return MusicError(
            f"the file is damaged: only {found} of sound can be read from it; {_AGAIN}"
        )
    if not sound.seconds:
        return MusicError(
            f"the file is a recording of no length: it holds no sound at all; {_ACCEPTED}"
        )
    return MusicError(f"the recording lasts only {found}; accepted: 1 second to 10 minutes")


def _silent(loudest: float) -> MusicError:
    """`loudest`: the level of the loudest window in dBFS."""
    if loudest < -90:
        heard = "complete silence"
    elif loudest < SILENCE:
        heard = f"nothing but noise as soft as {loudest:.0f} dBFS"
    else:
        heard = f"nothing but a sound shorter than {SOUNDING} seconds"
    return MusicError(
        f"the recording is silent: {heard} was heard. Check that the right microphone is chosen, switched on and allowed "
        "to be used, and record closer to it"
    )
