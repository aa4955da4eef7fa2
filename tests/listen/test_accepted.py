import io
import zipfile

import numpy as np
import pytest

from accomp.errors import MusicError
from accomp.listen.accepted import ACCEPTED, melody_kind
from accomp.sound.audio_file import read_recording
from tests.support.scores import END, NOTE, midi
from tests.support.sounds import encoded, tone

# Those that no signature tells, and those whose length is guessed from their first frames.
BARE = {"ac3": 48_000, "eac3": 48_000, "flv": 44_100, "mp2": 48_000, "tta": 48_000}
BARE |= {"voc": 22_050, "wv": 48_000, "adts": 48_000, "amr": 8_000, "wma": 44_100}


@pytest.mark.parametrize("kind", BARE)
def test_whatever_ffmpeg_plays_is_a_recording(kind, tmp_path):
    path = tmp_path / "sound"
    path.write_bytes(encoded(tone(2.0, BARE[kind]), kind, BARE[kind]))
    assert melody_kind(path) == "recording"
    recording = read_recording(path)
    assert recording.seconds == pytest.approx(2.0, abs=0.2)
    assert not recording.notices


@pytest.mark.parametrize("kind, rate", [("adts", 44_100), ("amr", 8_000), ("mp3", 44_100)])
def test_a_guessed_length_is_no_damage(kind, rate):
    loud, soft = tone(1.0, rate), tone(30.0, rate, level=0.02)
    for sound in ((loud, soft), (soft, loud)):  # the rate of bits changes
        data = encoded(np.concatenate(sound), kind, rate)
        assert not any("damaged" in notice for notice in read_recording(data).notices)


@pytest.mark.parametrize("before", [bytes(1000), bytes(5000), b"\r\n"])
def test_bytes_before_an_mp3_do_no_harm(before, tmp_path):
    path = tmp_path / "hum.mp3"
    path.write_bytes(before + encoded(tone(3.0), "mp3"))
    assert melody_kind(path) == "recording"
    assert read_recording(path).seconds == pytest.approx(3.0, abs=0.2)


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return file.getvalue()


NO_MELODY = {
    "empty.wav": (b"", "it is empty"),
    "tab.gp5": (b"\x18FICHIER GUITAR PRO v5.00" + bytes(99), "Guitar Pro file; export it there"),
    "tab.gp": (zipped("VERSION", "Content/score.gpif"), "Guitar Pro file; export it there"),
    "sheet.mscz": (zipped("META-INF/container.xml", "a.mscx"), "MuseScore file; export it there"),
    "sheet.mscx": (b"<?xml version='1.0'?>\n<museScore version='4'>", "MuseScore file"),
    "sheet.sib": (b"\x0fSIBELIUS" + bytes(50), "Sibelius file; export it there"),
    "sheet.ly": (b'\\version "2.24"\n\\relative c\' { c d e }', "LilyPond file"),
    "list.m3u8": (b"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n", "a text"),
    "page.html": (b"<html><body>404</body></html>", "HTML"),
    "noise.bin": (bytes(range(256)) * 40, "unknown kind"),
    "zeros.bin": (bytes(5000), "unknown kind"),
    "picture.mp3": (b"\x89PNG\r\n\x1a\n" + bytes(64), "PNG picture"),
}


@pytest.mark.parametrize("name", NO_MELODY)
def test_what_is_no_melody_is_told_what_is_accepted(name, tmp_path):
    data, words = NO_MELODY[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(MusicError, match=words) as error:
        melody_kind(tmp_path / name)
    assert ACCEPTED in str(error.value)
    for accepted in ("MIDI", "MusicXML", "ABC", "recordings (wav, mp3"):
        assert accepted in str(error.value)


def test_sheets_and_midi_are_told(tmp_path):
    for name, data, kind in [
        ("a.abc", b"X:1\nT:A\nK:C\nCDE\n", "sheet"),
        ("a.xml", b"<?xml version='1.0'?>\n<score-partwise>", "sheet"),
        ("b.xml", "<?xml version='1.0'?>\n<score-timewise>".encode("utf-16"), "sheet"),
        ("a.mxl", zipped("META-INF/container.xml", "lead.xml"), "sheet"),
        ("a.rmi", b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + midi(NOTE + END), "MIDI"),
        ("b.mid", bytes(128) + midi(NOTE + END), "MIDI"),
    ]:
        (tmp_path / name).write_bytes(data)
        assert melody_kind(tmp_path / name) == kind, name
