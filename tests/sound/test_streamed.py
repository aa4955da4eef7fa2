"""Sound that is worked on block by block is the sound of render_stems."""

import threading

import numpy as np
import pytest
import soundfile

from accomp.errors import AudioUnavailable, MusicError, Stopped
from accomp.music.score import Note, Score, Track
from accomp.sound import streamed
from accomp.sound.audio_writer import AudioWriter
from accomp.sound.meter import loudness, true_peak
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.render import mix, render_stems
from accomp.sound.streamed import song_sound

STEP = 1 / 32768  # of 16 bits


def song(seconds: float = 12.0) -> Score:
    """Longer than a block: a piano, a bass and a drum, at 120."""
    beats = range(round(2 * seconds))
    piano = [Note(60 + beat % 7, float(beat), 0.9, 50 + beat % 40) for beat in beats]
    bass = [Note(36 + beat % 5, float(beat), 1.8, 90) for beat in beats if beat % 2 == 0]
    kick = [Note(36, float(beat), 0.2, 110) for beat in beats]
    return Score(
        [
            Track("piano", 0, False, piano),
            Track("bass", 33, False, bass),
            Track("drums", 0, True, kick),
            Track("strings", 48, False, []),
        ]
    )


@pytest.mark.sound
def test_stems_and_their_mix_are_those_of_render_stems(tmp_path):
    stems = render_stems(song())
    with song_sound(song()) as sound:
        assert sound.names == list(stems) and sound.length == len(stems["piano"])
        files = {tmp_path / f"{name}.wav": [name] for name in stems}
        sound.write(files | {tmp_path / "whole.wav": sound.names, tmp_path / "whole.mp3": stems})
    for name, stem in stems.items():
        assert np.abs(soundfile.read(tmp_path / f"{name}.wav")[0] - stem).max() <= STEP, name
    whole = soundfile.read(tmp_path / "whole.wav")[0]
    assert np.abs(whole - mix(stems)).max() <= STEP
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".mp3"] + 4 * [".wav"]
    assert soundfile.info(tmp_path / "whole.mp3").duration == pytest.approx(
        len(whole) / SAMPLE_RATE, abs=0.1
    )


@pytest.mark.sound
def test_a_voice_is_a_track_more_and_mixes_are_as_loud_as_all(tmp_path):
    time = np.arange(8 * SAMPLE_RATE) / SAMPLE_RATE
    voice = np.repeat(0.5 * np.sin(2 * np.pi * 220 * time)[:, None], 2, axis=1).astype(np.float32)
    with song_sound(song()) as sound:
        sound.add_voice("recording", voice, silent=["piano"])
        played = [name for name in sound.names if name != "piano"]
        sound.write({tmp_path / "whole.wav": played, tmp_path / "band.wav": ["bass", "drums"]})
    for name in ("whole", "band"):
        heard = soundfile.read(tmp_path / f"{name}.wav")[0]
        assert loudness(heard, SAMPLE_RATE) == pytest.approx(-16, abs=0.4)
        assert true_peak(heard, SAMPLE_RATE) <= -0.9


@pytest.mark.sound
def test_it_stops_and_leaves_nothing(tmp_path):
    asked = []

    def stop():
        asked.append(threading.get_ident())
        return len(asked) > 3

    with pytest.raises(Stopped), song_sound(song(), stop) as sound:
        sound.write({tmp_path / "whole.wav": sound.names})
    assert not list(tmp_path.iterdir())


@pytest.mark.sound
def test_silence_is_told():
    quiet = Score([Track("piano", 0, False, [Note(60, 0.0, 1.0, 1)])])
    with pytest.raises(MusicError, match="no notes"), song_sound(Score([Track("piano")])):
        pass
    settings = streamed.RenderSettings(silence=1.0)
    with pytest.raises(AudioUnavailable, match="no sound"), song_sound(quiet, settings=settings):
        pass


@pytest.mark.parametrize("ending", ["wav", "flac", "mp3"])
def test_a_file_has_its_name_when_it_is_whole(tmp_path, ending):
    file = tmp_path / f"sound.{ending}"
    with AudioWriter(file, 22_050) as writer:
        for _ in range(3):
            writer.write(np.full((30_000, 2), 0.1, np.float32))
            assert not file.exists()
    assert soundfile.info(file).duration == pytest.approx(90_000 / 22_050, abs=0.1)
    with pytest.raises(RuntimeError), AudioWriter(tmp_path / f"other.{ending}") as writer:
        writer.write(np.zeros((3000, 2), np.float32))
        raise RuntimeError
    assert [each.name for each in tmp_path.iterdir()] == [file.name]
