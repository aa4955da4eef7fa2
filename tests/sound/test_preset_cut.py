import subprocess

import numpy as np
import pytest
import soundfile

from accomp.errors import AudioUnavailable
from accomp.music.midi import write_midi
from accomp.music.score import Note, Score, Track
from accomp.sound.preset_cut import VORBIS, SoundfontFile
from accomp.sound.soundfont import find_soundfont

PIANO, BASS = (0, 0), (0, 33)


@pytest.fixture(scope="module")
def font():
    try:
        return SoundfontFile(find_soundfont())
    except AudioUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def bass(font, tmp_path_factory):
    """The bass, cut out."""
    file = tmp_path_factory.mktemp("cut") / "bass.sf3"
    file.write_bytes(font.cut(*BASS))
    return SoundfontFile(file)


def test_a_cut_is_a_soundfont_with_one_preset(font, bass):
    assert {PIANO, BASS, (128, 0)} <= set(font.presets) and bass.presets == [(0, 0)]
    assert bass.path.stat().st_size < 0.02 * font.path.stat().st_size
    samples, used = bass.tables["shdr"][:-1], bass.tables["igen"]
    assert all(samples["kind"] & VORBIS) and samples["end"].max() <= bass.path.stat().st_size
    # The loops and the samples that the zones name lie inside of what is there.
    assert (samples["loop_end"] >= samples["loop_start"]).all()
    assert set(used["amount"][used["oper"] == 53]) == set(range(len(samples)))


def test_each_sample_is_as_long_as_it_was(font, bass):
    lengths = {}
    for row in font.tables["shdr"][:-1]:
        lengths[row["name"]] = int(row["end"]) - int(row["start"])
    if font.tables["shdr"]["kind"][0] & VORBIS:
        pytest.skip("the soundfont's samples are Vorbis themselves")
    with bass.path.open("rb") as file:
        for row in bass.tables["shdr"][:-1]:
            file.seek(bass._samples_at + int(row["start"]))
            part = file.read(int(row["end"]) - int(row["start"]))
            assert part[:4] == b"OggS"
            (bass.path.parent / "one.ogg").write_bytes(part)
            assert soundfile.info(bass.path.parent / "one.ogg").frames == lengths[row["name"]]
            assert row["loop_end"] <= lengths[row["name"]]


def test_a_cut_of_a_cut_is_the_same(bass, tmp_path):
    again = tmp_path / "again.sf3"
    again.write_bytes(bass.cut(0, 0))
    assert again.read_bytes() == bass.path.read_bytes()


@pytest.mark.sound
def test_it_sounds_like_the_whole(font, bass, tmp_path):
    notes = [Note(pitch, float(beat), 0.9, 90) for beat, pitch in enumerate((28, 36, 43, 50))]
    sounds = []
    for program, path in ((33, font.path), (0, bass.path)):
        write_midi(Score([Track("bass", program, notes=notes)]), tmp_path / "notes.mid")
        command = ["fluidsynth", "-ni", "-q", "-F", tmp_path / "out.wav", "-r", "44100"]
        subprocess.run([*command, path, tmp_path / "notes.mid"], check=True, capture_output=True)
        sounds.append(soundfile.read(tmp_path / "out.wav")[0].sum(1))
    length = min(map(len, sounds))
    whole, cut = (np.abs(np.fft.rfft(sound[:length]))[: length // 8] for sound in sounds)
    assert np.linalg.norm(whole - cut) < 0.15 * np.linalg.norm(whole) > 0


def test_what_is_no_soundfont_is_refused(font, tmp_path):
    file = tmp_path / "no.sf2"
    file.write_bytes(b"RIFF\0\0\0\0WAVE")
    with pytest.raises(AudioUnavailable, match="can't be read as a soundfont"):
        SoundfontFile(file)
    with pytest.raises(KeyError):
        font.cut(77, 3)
