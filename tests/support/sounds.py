"""Little sounds made in code, and files of them in each format of recorders and browsers."""

import io
from collections.abc import Sequence

import av
import numpy as np
from scipy.signal import lfilter

from accomp.sound.rates import LISTEN_RATE
from train.data import voices

# container, encoder, its options; the names are what the tests call them
FORMATS = {
    "wav": ("wav", "pcm_s16le", {}),
    "wav24": ("wav", "pcm_s24le", {}),
    "wavfloat": ("wav", "pcm_f32le", {}),
    "mp3": ("mp3", "libmp3lame", {}),
    "ogg": ("ogg", "vorbis", {"strict": "experimental"}),
    "opus": ("ogg", "libopus", {}),
    "webm": (
        "webm",
        "libopus",
        {"live": "1"},
    ),  # as a browser's recorder does: no duration, no index
    "m4a": ("ipod", "aac", {}),
    "mp4": (
        "mp4",
        "aac",
        {"movflags": "frag_keyframe+empty_moov+delay_moov"},
    ),  # as Safari's recorder does
    "alac": ("ipod", "alac", {}),
    "flac": ("flac", "flac", {}),
    "aiff": ("aiff", "pcm_s16be", {}),
}
# The same of formats that fewer people have, at fewer rates of samples.
OTHER_FORMATS = {
    "adts": ("adts", "aac", {}),
    "amr": ("amr", "libopencore_amrnb", {}),
    "wma": ("asf", "wmav2", {}),
    "ac3": ("ac3", "ac3", {}),
    "eac3": ("eac3", "eac3", {}),
    "flv": ("flv", "libmp3lame", {}),
    "mp2": ("mp2", "mp2", {}),
    "tta": ("tta", "tta", {}),
    "voc": ("voc", "pcm_u8", {}),
    "wv": ("wv", "wavpack", {}),
}
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def tone(
    seconds: float, rate: int = 48_000, pitch: float = 440.0, level: float = 0.5
) -> np.ndarray:
    """A sine: [samples] float32 with peak `level`. pitch: Hz."""
    return (level * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)).astype(
        np.float32
    )


def bursts(
    onsets, seconds: float, rate: int = 48_000, level: float = 0.5, length: float = 0.15
) -> np.ndarray:
    """Tones that begin at full level, with silence between: [samples] float32.

    onsets, length: seconds.
    """
    samples = np.zeros(round(seconds * rate), np.float32)
    for onset in onsets:
        burst = level * np.cos(2 * np.pi * 1000.0 * np.arange(round(length * rate)) / rate)
        samples[round(onset * rate) :][: len(burst)] = burst[: len(samples) - round(onset * rate)]
    return samples


def errors_of_onsets(samples: np.ndarray, rate: int, onsets: Sequence[float]) -> list[float]:
    """By how many seconds each of the bursts begins late."""
    errors = []
    for onset in onsets:
        near = np.abs(samples[round((onset - 0.1) * rate) : round((onset + 0.1) * rate)])
        errors.append(float(np.argmax(near > 0.4 * near.max())) / rate - 0.1)
    return errors


def encoded(
    samples: np.ndarray,
    kind: str = "wav",
    rate: int = 48_000,
    lost: tuple[float, float] = (0, 0),
    effort: int | None = None,
) -> bytes:
    """A file of FORMATS[kind] or OTHER_FORMATS[kind].

    samples: [samples] or [samples, channels] within -1 to 1.
    lost: packets between these two times, in seconds, are left out.
    effort: the encoder's compression_level; 0 is quickest, None leaves it to the encoder.
    """
    container, encoder, options = (FORMATS | OTHER_FORMATS)[kind]
    options = options if effort is None else options | {"compression_level": str(effort)}
    samples = samples[:, None] if samples.ndim == 1 else samples
    muxer_options = {name: value for name, value in options.items() if name in ("live", "movflags")}
    encoder_options = {name: value for name, value in options.items() if name not in muxer_options}

    def kept(packets):
        return [
            packet
            for packet in packets
            if not lost[0] < float(packet.pts * packet.time_base) < lost[1]
        ]

    file = io.BytesIO()
    with av.open(file, "w", format=container, options=muxer_options) as output:
        stream = output.add_stream(encoder, rate=rate, options=encoder_options)
        stream.layout = LAYOUTS[samples.shape[1]]
        if encoder == "wmav2":
            stream.bit_rate = 128_000  # it has no usual one
        for at in range(0, len(samples), rate):
            block = np.ascontiguousarray(samples[at : at + rate].T, np.float32)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=stream.layout.name)
            frame.sample_rate, frame.pts = rate, at
            output.mux(kept(stream.encode(frame)))
        output.mux(kept(stream.encode(None)))
    return file.getvalue()


def silent_video(seconds: float = 2.0) -> bytes:
    """An MP4 file with nothing but pictures."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for _ in range(round(seconds * 10)):
            output.mux(
                stream.encode(
                    av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
                )
            )
        output.mux(stream.encode(None))
    return file.getvalue()


def spoken(seconds=8.0, seed=0, centre=50.0):
    """About four syllables a second, on a pitch that moves and falls over each phrase."""
    rng, count = np.random.default_rng(seed), int(seconds * LISTEN_RATE)
    turns = np.arange(0, seconds + 0.3, 0.12)
    contour = np.interp(
        np.arange(count) / LISTEN_RATE,
        turns,
        centre + rng.normal(0, 2.5, len(turns)) + 3 - 3 * (turns % 2),
    )
    source = lfilter(
        [0.15], [1, -0.85], 2 * (np.cumsum(440 * 2 ** ((contour - 69) / 12) / LISTEN_RATE) % 1) - 1
    )
    sound = np.zeros(count)
    for begin in np.arange(0.1, seconds - 0.3, 0.25):
        length = int(rng.uniform(0.14, 0.21) * LISTEN_RATE)
        part = slice(int(begin * LISTEN_RATE), int(begin * LISTEN_RATE) + length)
        vowel = voices.VOWELS[rng.choice(list(voices.VOWELS))]
        formed = voices.formed(source[part], vowel)
        sound[part] += formed * np.hanning(length) ** 0.5 * rng.uniform(0.5, 1)
        hiss = slice(part.stop, part.stop + int(0.05 * LISTEN_RATE))
        sound[hiss] += 0.02 * rng.normal(size=hiss.stop - hiss.start)
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)
