"""Decode the soundtrack of a file, packet by packet, and resample it on the way.

PyAV's wheels carry FFmpeg's decoders, so that nothing has to be installed beside them. FFmpeg takes
off what an encoder put before the sound (mp3, AAC and Opus all do), so that time 0 is the first
sample that was recorded; tests hold it to that.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from accomp.errors import MusicError
from accomp.extras import extra
from accomp.sound.accepted import ACCEPTED, AGAIN, MAX_SECONDS, too_long, unreadable

with extra("listen"):
    import av
    from av.audio import AudioStream
    from av.container import InputContainer
    from av.error import FFmpegError

# What may be read: all sound and video that stands in one file; no playlists, which could name
# other files or addresses on the net, and no pictures. FFmpeg's names.
DEMUXERS = (
    "wav,w64,mp3,aac,ogg,flac,aiff,caf,amr,au,asf,matroska,mov,avi,"
    "ac3,eac3,ac4,dts,dtshd,truehd,mlp,loas,tta,wv,ape,tak,shn,mpc,mpc8,dsf,iff,voc,ircam,sox,"
    "gsm,g722,g729,oma,rso,avr,pvf,xwma,flv,mpeg,mpegts,mpegvideo,rm,nut,ivf,swf,gxf,mxf,wtv,nsv,"
    "smjpeg,xmv,aea,qcp,amrnb,amrwb,nistsphere,qoa,wsaud,dss,vqf,sds,bonk,osq,rka,wavarc,laf,paf,"
    "mmf,mtaf,adx,ast,brstm,bfstm,hcom,siff,dv,lc3,sbc,spdif,iamf,act,apc"
)
# Those of them that say in the file how long it is; of all others the length is a guess.
SURE = frozenset(
    ("wav", "w64", "ogg", "flac", "aiff", "caf", "au", "asf", "matroska,webm", "avi", "ape", "tta")
    + ("mov,mp4,m4a,3gp,3g2,mj2", "wv", "tak", "dsf", "mpc", "mpc8")
)
# Not s64, which only damage makes.
SAMPLE_FORMATS = ("u8", "s16", "s32", "flt", "dbl", "u8p", "s16p", "s32p", "fltp", "dblp")
# What is decoded to tell whether a file is sound that has no signature: frames, or seconds.
PROBED, PROBED_SECONDS = 4, 0.5
HEAD = 4096  # bytes at a file's beginning by which it is told what it is


@dataclass(frozen=True)
class DecodeSettings:
    """What of a damaged file is believed."""

    padding: float = 0.5  # seconds by which codecs and headers may be beside the true length
    headroom: float = 8.0  # factor by which floats may pass full scale; damaged ones are infinite
    rates: tuple[int, int] = (4_000, 384_000)  # Hz: others are damage, and resample for ages
    # Seconds of a gap between two time stamps in which packets were lost. Browsers stamp packets
    # when they arrive, which is less punctual than the samples themselves; a longer gap is a
    # damaged stamp.
    gap: tuple[float, float] = (0.1, 10.0)
    loud: float = 0.98  # of full scale, from which samples may be at a limit
    still: float = 1e-4  # of full scale, below which samples at a limit do not move


class Soundtrack:
    """The soundtrack of a file that is open for decoding once; a context manager.

    Attributes:
        declared_seconds: How long the file says that it is; 0 where it does not.
        seconds: After `resampled`, how much was read.
        faults: After `resampled`, how many packets could not be read.
    """

    def __init__(self, source: Path | bytes, settings: DecodeSettings = DecodeSettings()):
        """Open a file, given as a path or as its bytes.

        Raises:
            MusicError: The file is gone, or there is no sound in it that can be decoded.
        """
        self.settings = settings
        self.seconds = 0.0
        self.faults = 0
        self._limited = self._values = 0
        # FFmpeg never gets a name: it would take http://... for an address and open it.
        self._file = io.BytesIO(source) if isinstance(source, bytes) else _opened(source)
        try:
            head = self._file.read(HEAD)
            self._container, self._stream = _container(self._file, head)
        except BaseException:
            self._file.close()
            raise
        self.declared_seconds, self._is_sure = _declared_seconds(
            self._container, self._stream, head
        )
        # Floats go beyond full scale.
        self._has_headroom = self._stream.codec_context.name.startswith("pcm_f")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()
        self._file.close()

    @property
    def ends_early(self) -> bool:
        """Whether less than the declared length was read, by more than codecs pad."""
        return self._is_sure and self.declared_seconds - self.seconds > self.settings.padding

    @property
    def limited(self) -> float:
        """The share of samples at the limit, after `resampled`."""
        return self._limited / max(self._values, 1)

    def is_longer_than(self, seconds: float) -> bool:
        """Tell whether there are packets after this time and what codecs pad.

        They are found without decoding: the declared length alone may be damaged.
        """
        first = None
        try:
            for packet in self._container.demux(self._stream):
                if packet.pts is not None and packet.size:
                    at = packet.pts * packet.time_base
                    first = at if first is None else first
                    if at - first > seconds + self.settings.padding:
                        return True
        except FFmpegError:
            pass
        return False

    def resampled(self, rate: int, seconds: float) -> np.ndarray:
        """Decode all of it at a sample rate: [samples, 2] float32.

        seconds: about how long it is. Raises MusicError above MAX_SECONDS.
        """
        expected = round((seconds + self.settings.padding) * rate)
        return _joined(_resampled(self.blocks(), rate), expected)

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the sample rate in Hz and samples [2, n] float32, frame by frame.

        Where time stamps jump, packets were lost; silence takes their place, so that what follows
        stays in time.

        Raises:
            MusicError: There is more than MAX_SECONDS.
        """
        start = None
        least, most = self.settings.gap
        for frame in self._frames():
            rate = frame.sample_rate
            if start is None:
                start = frame.time if frame.time is not None else 0.0
            gap = (frame.time - start if frame.time is not None else 0.0) - self.seconds
            if least < gap < most:
                self.seconds += gap
                yield rate, np.zeros((2, round(gap * rate)), np.float32)
            self.seconds += frame.samples / rate
            if self.seconds > MAX_SECONDS + self.settings.padding:
                raise too_long(self.declared_seconds)
            samples = _floats(frame, self.settings.headroom)
            self._count_limited(samples)
            yield rate, _two_channels(samples)

    def _frames(self) -> Iterator[av.AudioFrame]:
        """Yield the frames that can be decoded."""
        least, most = self.settings.rates
        for packet in self._packets():
            try:
                frames = packet.decode()
            except FFmpegError:
                self.faults += 1
                continue
            for frame in frames:
                if least <= frame.sample_rate <= most and frame.format.name in SAMPLE_FORMATS:
                    yield frame
                else:
                    self.faults += 1

    def _packets(self) -> Iterator[av.Packet]:
        """Yield packets up to the first that cannot be read."""
        try:
            yield from self._container.demux(self._stream)
        except FFmpegError:
            self.faults += 1

    def _count_limited(self, samples: np.ndarray) -> None:
        """Count samples at the limit: three or more there that do not move.

        Beyond the limit, where lossy codecs put such peaks, every sample counts.
        """
        size = np.abs(samples)
        if size.max() >= self.settings.loud:
            still = np.abs(np.diff(samples)) < self.settings.still
            stuck = (size[:, 1:] >= self.settings.loud) & still
            self._limited += np.count_nonzero(stuck[:, 1:] & stuck[:, :-1])
            if not self._has_headroom:
                self._limited += np.count_nonzero(size > 1)
        self._values += samples.size


def can_play(source: Path | bytes) -> bool:
    """Tell whether a file holds sound.

    Its beginning is decoded for that, as what FFmpeg takes a file for may be wrong.
    """
    try:
        with Soundtrack(source) as track:
            frames = sum(1 for _ in islice(track.blocks(), PROBED))
            return (frames == PROBED or track.seconds >= PROBED_SECONDS) and not track.faults
    except MusicError:
        return False


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise MusicError(f"the recording cannot be read any more ({error})") from error


def _container(file: BinaryIO, head: bytes) -> tuple[InputContainer, AudioStream]:
    """Open a file that begins with `head`, and choose its best audio stream.

    Raises:
        MusicError: There is no audio stream that can be decoded.
    """
    file.seek(0)
    try:
        container = av.open(
            file, "r", metadata_errors="replace", options={"format_whitelist": DEMUXERS}
        )
    except (FFmpegError, ValueError) as error:
        raise unreadable(head) from error
    best = container.streams.best("audio")
    streams = [*([best] if isinstance(best, AudioStream) else []), *container.streams.audio]
    for stream in streams:
        if stream.codec_context is not None:
            stream.codec_context.thread_count = 1  # threads would hold back frames and win nothing
            return container, stream
    is_video = bool(container.streams.video)
    container.close()
    if streams:
        raise MusicError(f"the sound in the file is stored in a way that cannot be read; {AGAIN}")
    if is_video:
        raise MusicError(
            f"the file is a video without sound; choose one with sound, or record again; {ACCEPTED}"
        )
    raise MusicError(
        f"there is no sound in the file, though it is of a kind that can hold it; {AGAIN}"
    )


def _declared_seconds(
    container: InputContainer, stream: AudioStream, head: bytes
) -> tuple[float, bool]:
    """Return how long the file says that it is, 0 where it does not; and whether that is sure.

    It is not where it is guessed from the bit rate, as of bare frames (MP3, ADTS, AMR).
    """
    if stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / av.time_base
    riff, bit_rate = int.from_bytes(head[4:8], "little") + 8, stream.codec_context.bit_rate
    # FFmpeg counts what is there; recorders write -1 at first.
    if head[:4] == b"RIFF" and container.size < riff < 0x7FFF_0000 and bit_rate:
        seconds = 8 * riff / bit_rate
    counted = any(mark in head for mark in (b"Xing", b"Info", b"VBRI"))  # MP3 encoders' own count
    return max(seconds, 0.0), counted or container.format.name in SURE


def _floats(frame: av.AudioFrame, headroom: float) -> np.ndarray:
    """Return the frame's samples as [channels, samples] float32, full scale at 1.

    Floats are clipped to `headroom`; NaN becomes 0.
    """
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(frame.samples, -1).T
    if samples.dtype.kind == "f":
        samples = np.nan_to_num(samples.astype(np.float32), copy=False, nan=0.0)
        return samples.clip(-headroom, headroom, out=samples)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    return samples.astype(np.float32) * np.float32(1 / 2 ** (8 * samples.dtype.itemsize - 1))


def _two_channels(samples: np.ndarray) -> np.ndarray:
    """Return [channels, n] as [2, n].

    One channel is taken twice; of more than two (several microphones, surround) the mean, twice.
    """
    if len(samples) == 2:
        return samples
    return np.repeat(samples.mean(axis=0, keepdims=True), 2, axis=0)


def _resampled(blocks: Iterable[tuple[int, np.ndarray]], to: int) -> Iterator[np.ndarray]:
    """Resample blocks of samples [2, n], each at its rate, to rate `to`."""
    resampler, rate = None, 0
    for block_rate, samples in blocks:
        if resampler is None or block_rate != rate:
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
    """Join blocks [2, n] to one array [samples, 2].

    expected: about how many samples there are. Filled as they come: thousands of little arrays
    would leave the memory in pieces.
    """
    joined = np.empty((expected, 2), np.float32)
    count = 0
    for block in blocks:
        if count + block.shape[1] > len(joined):
            room = np.empty((len(joined) // 2 + block.shape[1], 2), np.float32)
            joined = np.concatenate([joined, room])
        joined[count : count + block.shape[1]] = block.T
        count += block.shape[1]
    return joined[:count]
