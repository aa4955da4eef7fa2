import io
import re
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from accomp.errors import MusicError
from accomp.sound.accepted import is_recording
from accomp.sound.audio_file import amplified, read_recording
from accomp.sound.rates import LISTEN_RATE, SAMPLE_RATE
from tests.support.scores import NOTE, midi
from tests.support.sounds import FORMATS, bursts, encoded, errors_of_onsets, silent_video, tone

ONSETS = (0.5, 1.2, 1.9)
RATES = {
    "ogg": (44_100, 48_000),
    "mp3": (8_000, 44_100),
    "opus": (16_000, 48_000),
    "webm": (48_000, 24_000),
}
CASES = [
    (kind, rate, channels)
    for kind in FORMATS
    for rate, channels in zip(RATES.get(kind, (22_050, 96_000)), (1, 2))
]


def both(left: np.ndarray, right: np.ndarray | None = None) -> np.ndarray:
    return np.stack([left, left if right is None else right], axis=1)


def refusal(source) -> str:
    with pytest.raises(MusicError) as caught:
        read_recording(source)
    return str(caught.value)


# Formats


@pytest.mark.parametrize("kind, rate, channels", CASES)
def test_every_format_is_heard_in_time(kind, rate, channels):
    channels = 2 if kind == "ogg" else channels  # this encoder has no mono
    samples = bursts(ONSETS, 2.5, rate)
    data = encoded(np.repeat(samples[:, None], channels, axis=1), kind, rate)
    assert is_recording(data)
    recording = read_recording(data)
    assert recording.mono.dtype == np.float32 and recording.mono.ndim == 1
    assert recording.seconds == pytest.approx(2.5, abs=0.06)  # AAC fills its last frame
    assert len(recording.mono) == round(recording.seconds * LISTEN_RATE)
    assert recording.notices == []
    stereo = recording.stereo()
    assert stereo.dtype == np.float32 and stereo.shape[1] == 2
    assert len(stereo) == pytest.approx(recording.seconds * SAMPLE_RATE, abs=50)
    assert np.abs(errors_of_onsets(recording.mono, LISTEN_RATE, ONSETS)).max() < 0.002
    assert np.abs(errors_of_onsets(stereo[:, 0], SAMPLE_RATE, ONSETS)).max() < 0.002
    assert np.abs(recording.mono).max() == pytest.approx(0.5, abs=0.12)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_sound_is_the_same(kind):
    chirp = 0.4 * np.sin(2 * np.pi * (200 * (t := np.arange(96_000) / 48_000) + 100 * t**2)).astype(
        np.float32
    )
    mono = read_recording(encoded(both(chirp), kind)).mono[:32_000]
    lossless = kind in ("wav", "wav24", "wavfloat", "alac", "flac", "aiff")
    difference = mono / np.linalg.norm(mono) - chirp[::3] / np.linalg.norm(chirp[::3])
    assert np.linalg.norm(difference) < (0.005 if lossless else 0.15)


def test_both_rates_show_the_same_moment():
    recording = read_recording(encoded(bursts(ONSETS, 2.5, 44_100), "wav", 44_100))
    assert np.allclose(
        errors_of_onsets(recording.stereo()[:, 1], SAMPLE_RATE, ONSETS), 0, atol=1.5 / SAMPLE_RATE
    )
    assert np.allclose(
        errors_of_onsets(recording.mono, LISTEN_RATE, ONSETS), 0, atol=1.5 / LISTEN_RATE
    )
    assert len(recording.stereo(22_050)) == pytest.approx(2.5 * 22_050, abs=2)


def test_channels_stay_apart_and_surround_is_folded():
    left, right = tone(1.5, level=0.5), tone(1.5, pitch=660, level=0.2)
    recording = read_recording(encoded(both(left, right), "flac", 48_000))
    stereo = recording.stereo(48_000)
    assert np.allclose(stereo, both(left, right), atol=1e-3)
    assert np.allclose(recording.mono[100:-100], stereo.mean(axis=1)[::3][100:-100], atol=0.01)
    surround = read_recording(encoded(np.stack([left] * 6, axis=1)))
    assert np.abs(surround.mono).max() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    "other, used",
    [(lambda left: 0 * left, 0), (lambda left: -left, 0), (lambda left: -2 * left, 1)],
)
def test_a_dead_channel_and_opposite_channels_take_nothing_away(other, used):
    left = tone(1.5, level=0.4)
    recording = read_recording(encoded(both(left, other(left))))
    assert recording.channel == used
    assert np.abs(recording.mono).max() == pytest.approx(0.4 * (1 + used), abs=0.02)
    stereo = recording.stereo()
    assert np.array_equal(stereo[:, 0], stereo[:, 1]) and np.abs(stereo).max() == pytest.approx(
        0.4 * (1 + used), abs=0.02
    )


def test_paths_bytes_and_files_give_the_same(tmp_path):
    data = encoded(tone(1.2), "flac")
    path = tmp_path / "no name that helps"
    path.write_bytes(data)
    with path.open("rb") as file:
        sources = [data, bytearray(data), path, str(path), file, io.BytesIO(data)]
        recordings = [read_recording(source) for source in sources]
    for recording in recordings[1:]:
        assert np.array_equal(recording.mono, recordings[0].mono)
        assert np.array_equal(recording.stereo(), recordings[0].stereo())
    path.unlink()
    with pytest.raises(MusicError, match="cannot be read any more"):
        recordings[2].stereo()


def test_lost_packets_leave_a_gap_and_move_nothing():
    whole = encoded(tone(3.0), "webm")
    with_gap = encoded(tone(3.0), "webm", lost=(1.0, 1.5))
    assert len(with_gap) < len(whole)
    recording = read_recording(with_gap)
    assert recording.seconds == pytest.approx(3.0, abs=0.05)
    assert (
        np.abs(recording.mono[round(1.15 * LISTEN_RATE) : round(1.45 * LISTEN_RATE)]).max() < 0.01
    )
    assert np.abs(recording.mono[round(1.6 * LISTEN_RATE) : round(2.9 * LISTEN_RATE)]).max() > 0.4


# What is a recording


def test_is_recording_goes_by_content(tmp_path):
    path = tmp_path / "melody.mid"
    path.write_bytes(encoded(tone(1), "mp3"))
    assert is_recording(path) and is_recording(str(path))
    path = tmp_path / "melody.wav"
    path.write_bytes(midi(NOTE))
    assert not is_recording(path)
    assert not is_recording(tmp_path) and not is_recording(tmp_path / "missing.wav")
    rmi = b"RIFF" + struct.pack("<I", 100) + b"RMIDdata" + midi(NOTE)
    for data in (
        rmi,
        b"",
        b"\xff",
        b"a text",
        b"%PDF-1.4",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xfe\x00t\x00e\x00x\x00t",
        bytes(100),
    ):
        assert not is_recording(data)


def test_other_first_bytes_of_mp3_and_aac():
    assert is_recording(b"ID3\x04" + bytes(12))
    assert all(
        is_recording(bytes(head))
        for head in ((255, 251, 144, 0), (255, 243, 64, 0), (255, 241, 80, 128), (255, 249, 80, 0))
    )


# Refusals


@pytest.mark.parametrize(
    "data, expected",
    [
        (b"", "the file is empty.*accepted: recordings"),
        (b"Dear diary, today I sang.", "not a recording: it seems to be a text"),
        (
            b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n",
            "it seems to be a text",
        ),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "a PNG picture"),
        (bytes(5000), "of an unknown kind"),
        (midi(NOTE), "the file is MIDI: it holds notes, not sound"),
        (b"RIFF" + struct.pack("<I", 100) + b"RMIDdata" + midi(NOTE), "the file is MIDI"),
    ],
)
def test_what_is_no_sound(data, expected):
    assert re.search(expected, refusal(data))


def test_what_cannot_be_opened(tmp_path):
    assert "does not exist" in refusal(tmp_path / "none.wav")
    assert "is not a file" in refusal(tmp_path)
    assert "opened as text" in refusal(io.StringIO("a"))
    assert "a int was given" in refusal(3)


def test_a_video_without_sound():
    assert "video without sound" in refusal(silent_video())


def test_too_short():
    assert "lasts only 0.5 seconds; accepted: 1 second to 10 minutes" in refusal(encoded(tone(0.5)))
    assert read_recording(encoded(tone(1.0), "opus")).seconds == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    "samples, heard",
    [
        (np.zeros(96_000, np.float32), "complete silence"),
        (np.full(96_000, 0.3, np.float32), "complete silence"),  # only an offset
        (
            1e-3 * np.random.default_rng(0).standard_normal(96_000).astype(np.float32),
            "noise as soft as -6",
        ),
        (bursts([0.5], 2, length=0.1), "a sound shorter than 0.2 seconds"),
    ],
)
def test_silence(samples, heard):
    message = refusal(encoded(samples))
    assert "the recording is silent" in message and heard in message and "microphone" in message


def test_soft_tones_that_stand_out_are_no_silence():
    sound = bursts(ONSETS, 3.0, level=0.002, length=0.4)  # -57 dBFS
    recording = read_recording(encoded(both(sound), "wav"))
    assert any("very soft" in notice for notice in recording.notices)
    louder = amplified(recording.mono)
    assert np.abs(louder).max() > 20 * np.abs(recording.mono).max()
    assert amplified(louder) is louder


# Damage


@pytest.mark.parametrize("kind", ["wav", "wavfloat", "mp3", "flac", "aiff", "mp4"])
def test_the_beginning_of_a_truncated_file_is_used(kind):
    data = encoded(tone(4.0), kind)
    recording = read_recording(data[: len(data) * 6 // 10])
    assert 2.0 < recording.seconds < 2.6
    assert recording.notices == [
        "the file is damaged or incomplete: "
        f"only its first {recording.seconds:.1f} seconds could be read of 4.0 seconds"
    ]
    assert "damaged" in refusal(data[: len(data) // 8])


@pytest.mark.parametrize(
    "kind", ["opus", "ogg", "webm"]
)  # these do not say how long they should be
def test_the_beginning_of_a_truncated_stream_is_used(kind):
    data = encoded(both(tone(4.0)), kind)
    assert 1.5 < read_recording(data[: len(data) * 6 // 10]).seconds < 2.6


@pytest.mark.parametrize("kind", ["m4a", "alac"])
def test_an_m4a_that_lost_its_index_is_damaged(kind):
    data = encoded(tone(3.0), kind)
    assert "damaged recording: nothing of it can be read" in refusal(data[:-200])


def test_damage_in_the_middle_leaves_the_rest():
    data = bytearray(encoded(tone(4.0), "m4a"))
    at = len(data) // 2
    data[at : at + 500] = bytes(500)
    recording = read_recording(bytes(data))
    assert recording.seconds == pytest.approx(4, abs=0.1)
    assert recording.notices == ["the file is damaged in places; what could be read is used"]


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF])
def test_a_recorder_that_never_filled_in_the_length_is_no_damage(size):
    data = bytearray(encoded(tone(2.0)))
    for at in (4, data.index(b"data") + 4):
        struct.pack_into("<I", data, at, size)
    recording = read_recording(bytes(data))
    assert recording.seconds == pytest.approx(2) and recording.notices == []


@pytest.mark.parametrize(
    "at, value", [(24, 1), (24, 2**31), (34, 64)]
)  # the sample rate; bits per sample
def test_an_impossible_header_is_damage(at, value):
    data = bytearray(encoded(tone(2.0)))
    struct.pack_into("<I" if at == 24 else "<H", data, at, value)
    assert "damaged" in refusal(bytes(data)) or value == 1 and "lasts" in refusal(bytes(data))


def test_floats_that_are_no_numbers_do_no_harm():
    data = bytearray(encoded(tone(2.0), "wavfloat"))
    data[-4000:-3992] = struct.pack("<ff", np.nan, np.inf)
    recording = read_recording(bytes(data))
    assert np.isfinite(recording.mono).all() and np.isfinite(recording.stereo()).all()


# Notices


@pytest.mark.parametrize("kind", ["wav", "wav24", "flac", "alac", "opus", "webm"])
def test_clipping_is_noticed(kind):
    sung = sum(
        np.sin(2 * np.pi * 180 * h * np.arange(96_000) / 48_000 + h * h) / h for h in range(1, 12)
    ).astype(np.float32)
    sung /= np.abs(sung).max()
    assert read_recording(encoded(0.99 * sung, kind)).notices == []
    (notice,) = read_recording(encoded(np.clip(1.6 * sung, -1, 1), kind)).notices
    assert "clipped" in notice and "turn the level down" in notice


def test_a_low_level_is_noticed():
    (notice,) = read_recording(encoded(tone(2, level=0.007))).notices
    assert "very soft (its loudest notes are at -46 dBFS)" in notice


# Length and memory


def long_wav(path: Path, seconds: int, rate: int = 48_000) -> Path:
    """A stereo WAV file that takes no room on the disk: its silence is not written."""
    size = seconds * rate * 4
    with path.open("wb") as file:
        header = (
            b"RIFF",
            size + 36,
            b"WAVE",
            b"fmt ",
            16,
            1,
            2,
            rate,
            rate * 4,
            4,
            16,
            b"data",
            size,
        )
        file.write(struct.pack("<4sI4s4sIHHIIHH4sI", *header))
        file.truncate(size + 44)
    return path


def test_a_long_file_is_refused_at_once(tmp_path):
    begun = time.process_time()
    assert "lasts 120:00 minutes; accepted: up to 10 minutes" in refusal(
        long_wav(tmp_path / "long.wav", 7200)
    )
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("kind", ["webm", "flac"])
def test_a_long_stream_is_refused_before_it_is_decoded(kind):
    data = encoded(np.zeros(605 * 8000, np.float32), kind, 8000, effort=0)
    begun = time.process_time()
    found = "more than 10 minutes" if kind == "webm" else "10:05 minutes"
    assert f"lasts {found}" in refusal(data)
    assert time.process_time() - begun < 1.5


def test_a_header_that_lies_about_the_length_is_not_believed():
    data = bytearray(encoded(tone(2.0)))
    for at in (4, data.index(b"data") + 4):
        struct.pack_into("<I", data, at, 2_000_000_000)
    recording = read_recording(bytes(data))
    assert recording.seconds == pytest.approx(2)
    assert recording.notices == [
        "the file is damaged or incomplete: only its first 2.0 seconds could be read"
    ]


@pytest.mark.process
def test_ten_minutes_take_little_memory(tmp_path):
    path = long_wav(tmp_path / "ten.wav", 599, 8000)
    with path.open("r+b") as file:
        file.seek(44 + 32_000 * 300)
        file.write((10_000 * both(tone(1.0, 8000))).astype("<i2").tobytes())
    script = (
        "import resource, sys; from accomp.sound.audio_file import amplified, read_recording\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "sound = read_recording(sys.argv[1]); samples = sound.stereo()\n"
        "assert len(samples) > 44_000 * 599\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) / (1000 if sys.platform != "darwin" else 1e6) < 450  # MB
