import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile

from accomp.errors import AudioUnavailable, MusicError
from accomp.music.score import Control, Note, Score, Tempo, Track
from accomp.sound.audio_file import AudioWriter, write_audio
from accomp.sound.master import master
from accomp.sound.meter import true_peak
from accomp.sound.rates import SAMPLE_RATE as RATE
from accomp.sound.render import RenderSettings, mix, render, render_stems
from accomp.sound.soundfont import find_soundfont


def piano(*notes: Note, **fields) -> Score:
    return Score([Track("piano", notes=list(notes))], **fields)


def band(bars: int = 2, velocity: int = 127) -> Score:
    """All five tracks at once, dense and loud."""
    beats = range(bars * 4)

    def chords(*pitches: int) -> list[Note]:
        return [Note(pitch, float(beat), 1.0, velocity) for beat in beats for pitch in pitches]

    return Score(
        [
            Track("drums", 0, True, chords(36, 38, 42, 46, 49, 51)),
            Track("piano", 0, False, chords(60, 64, 67, 72, 76, 79)),
            Track("guitar", 25, False, chords(48, 52, 55, 60, 64)),
            Track("bass", 33, False, chords(36)),
            Track("strings", 48, False, chords(60, 64, 67, 72, 76)),
        ]
    )


def peak_db(samples: np.ndarray) -> float:
    return 20 * np.log10(np.abs(samples).max())


def loudness(samples: np.ndarray) -> float:
    return pyloudnorm.Meter(RATE).integrated_loudness(samples)


@pytest.mark.sound
@pytest.mark.parametrize("pitch, velocity", [(40, 80), (60, 80), (60, 40), (84, 100)])
def test_a_single_note_is_loud_enough(pitch, velocity):
    samples = render(piano(Note(pitch, 0.0, 2.0, velocity)))
    assert samples.dtype == np.float32 and samples.ndim == 2 and samples.shape[1] == 2
    assert loudness(samples) == pytest.approx(-16, abs=1)
    assert -12 < true_peak(samples, RATE) <= -1


@pytest.mark.sound
def test_a_very_short_note_can_be_rendered():
    samples = render(piano(Note(60, 0.0, 0.02, 90)))
    assert -15 < peak_db(samples) <= -0.99


@pytest.mark.sound
def test_a_dense_loud_score_does_not_clip_and_its_stems_add_up():
    score = band()
    stems = render_stems(score)
    whole = mix(stems)
    assert list(stems) == ["drums", "piano", "guitar", "bass", "strings"]
    assert len({stem.shape for stem in stems.values()}) == 1
    assert np.allclose(sum(stems.values()), whole, atol=1e-6)
    assert all(peak_db(sound) <= -0.99 for sound in stems.values())
    rendered = render(score)
    for sound in (whole, rendered):
        assert true_peak(sound, RATE) <= -1 and loudness(sound) == pytest.approx(-16, abs=0.5)
    assert np.array_equal(rendered, render(score))  # the same score always sounds the same


@pytest.mark.sound
@pytest.mark.parametrize(
    "score",
    [
        piano(*(Note(60 + i % 5, 16.0 * i, 0.5, 50 + i) for i in range(5))),  # a note now and then
        Score(
            [Track("drums", 0, True, [Note(38, 1.0 * i, 0.1, 127) for i in range(8)])]
        ),  # hardly more than peaks
        band(40, velocity=60),
    ],
)
def test_every_song_is_as_loud(score):
    samples = render(score)
    assert loudness(samples) == pytest.approx(-16, abs=1) and true_peak(samples, RATE) <= -1
    assert (
        np.abs(samples[:3]).max() < 0.01 and np.abs(samples[-3:]).max() < 0.01
    )  # no click at the ends


@pytest.mark.sound
def test_volume_pan_and_reverb_are_heard():
    def play(*controls: Control) -> np.ndarray:
        quiet = Track("bass", 33, False, [Note(40, 0.0, 1.0, 90)], list(controls))
        return render_stems(Score([Track("piano", 0, False, [Note(60, 0.0, 4.0, 100)]), quiet]))[
            "bass"
        ]

    usual = play()
    energy = np.square(usual).sum()
    softer = 10 * np.log10(np.square(play(Control(0.0, 7, 50))).sum() / energy)
    assert -14 < softer < -8  # 12 dB by the standard; the whole is as loud as before
    left, right = np.square(play(Control(0.0, 10, 0))).sum(0)
    assert left > 10 * right
    late = slice(round(1.5 * RATE), round(2.0 * RATE))  # the note has ended long ago
    assert (
        np.square(play(Control(0.0, 91, 127))[late]).sum()
        > 4 * np.square(play(Control(0.0, 91, 0))[late]).sum()
    )


def test_any_sound_can_be_leveled():
    random = np.random.default_rng(0)
    sound = (0.01 * random.standard_normal((3 * RATE, 2))).astype(np.float32)
    sound[RATE] = 0.2
    master([sound], RATE, compress=False)
    assert loudness(sound) == pytest.approx(-16, abs=0.5) and true_peak(sound, RATE) <= -1


@pytest.mark.sound
def test_silent_tracks_are_left_out():
    score = band(1)
    score.tracks[2] = replace(score.tracks[2], notes=[])
    assert list(render_stems(score)) == ["drums", "piano", "bass", "strings"]


@pytest.mark.sound
def test_tracks_of_the_same_name_are_all_heard():
    score = Score(
        [
            Track("piano", notes=[Note(60, 0.0, 1.0, 80)]),
            Track("piano", notes=[Note(67, 0.0, 1.0, 80)]),
        ]
    )
    assert len(render_stems(score)) == 2


@pytest.mark.sound
def test_the_last_note_rings_out_and_then_there_is_silence():
    score = Score(
        [Track("strings", 48, False, [Note(72, 0.0, 4.0, 100)])]
    )  # 2 seconds, released slowly
    samples = render(score)
    after = np.abs(samples[2 * RATE :]).max(axis=1)
    assert after[RATE // 20 : RATE // 5].max() > 0.01  # it still sounds after the note's end
    assert 0.2 * RATE < len(after) <= 7 * RATE
    assert after[-RATE // 10 :].max() < 1e-3  # nothing is cut off
    assert np.abs(np.diff(samples[-100:], axis=0)).max() < 1e-3


@pytest.mark.sound
def test_a_pedal_held_at_the_end_fades():
    track = Track("piano", 0, False, [Note(40, 0.0, 1.0, 120)], [Control(0.0, 64, 127)])
    samples = render(Score([track]))
    assert len(samples) > 2 * RATE
    assert np.abs(samples[-RATE // 50 :]).max() < 0.02


@pytest.mark.sound
def test_duration_follows_the_tempo_map_and_the_score_is_left_alone():
    tempos = [Tempo(0.0, 500_000), Tempo(4.0, 1_000_000), Tempo(100.0, 20_000)]
    score = piano(Note(60, 0.0, 1.0, 80), Note(62, 7.0, 1.0, 80), tempos=tempos)  # 2 s + 4 s
    before = repr(score)
    samples = render(score)
    assert repr(score) == before
    assert 6.0 <= len(samples) / RATE < 8.0
    onset = round(5.0 * RATE)
    assert np.abs(samples[onset - RATE // 4 : onset - RATE // 50]).max() < 0.02
    assert np.abs(samples[onset : onset + RATE // 5]).max() > 0.1


@pytest.mark.sound
def test_another_sample_rate():
    assert 1 <= len(render(piano(Note(60, 0.0, 2.0, 80)), sample_rate=22_050)) / 22_050 < 4


@pytest.mark.sound
def test_no_temporary_files_are_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    render(piano(Note(60, 0.0, 1.0, 80)))
    assert not list(tmp_path.iterdir())


def test_write_audio(tmp_path):
    samples = np.linspace(-0.5, 0.5, 2000, dtype=np.float32).reshape(1000, 2)
    write_audio(samples, tmp_path / "a.wav", 22_050)
    info = soundfile.info(tmp_path / "a.wav")
    assert (info.samplerate, info.channels, info.frames, info.subtype) == (
        22_050,
        2,
        1000,
        "PCM_16",
    )
    assert np.allclose(soundfile.read(tmp_path / "a.wav")[0], samples, atol=1e-4)


def test_a_score_without_notes_is_refused():
    with pytest.raises(MusicError, match="no notes"):
        render(Score([Track("piano")]))


def test_missing_fluidsynth_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AudioUnavailable, match="(?s)FluidSynth.*apt install.*brew install"):
        render(piano(Note(60, 0.0, 1.0, 80)))


def test_a_soundfont_that_is_missing_or_none_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("ACCOMP_SOUNDFONT", str(tmp_path / "none.sf2"))
    with pytest.raises(
        AudioUnavailable, match="ACCOMP_SOUNDFONT names .*none.sf2, which does not exist"
    ):
        find_soundfont()
    (tmp_path / "text.sf2").write_text("this is no soundfont")
    monkeypatch.setenv("ACCOMP_SOUNDFONT", str(tmp_path / "text.sf2"))
    with pytest.raises(AudioUnavailable, match="not a soundfont"):
        find_soundfont()


def test_there_is_always_a_soundfont(monkeypatch):
    monkeypatch.delenv("ACCOMP_SOUNDFONT", raising=False)
    assert find_soundfont(folders=()).name == "TimGM6mb.sf2"  # from pretty_midi
    with pytest.raises(AudioUnavailable, match="No soundfont found"):
        find_soundfont(names=(), folders=())


@pytest.mark.sound
def test_the_chosen_soundfont_is_used_and_a_broken_one_is_reported(monkeypatch, tmp_path):
    monkeypatch.delenv("ACCOMP_SOUNDFONT", raising=False)
    whole = find_soundfont(folders=()).read_bytes()
    broken = tmp_path / "broken.sf2"
    broken.write_bytes(whole[: len(whole) // 20])
    monkeypatch.setenv("ACCOMP_SOUNDFONT", str(broken))
    with pytest.raises(AudioUnavailable, match="FluidSynth failed.*broken.sf2"):
        render(piano(Note(60, 0.0, 1.0, 80)))


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_a_fluidsynth_that_writes_nothing_is_reported(monkeypatch, tmp_path):
    fake = tmp_path / "fluidsynth"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(AudioUnavailable, match="FluidSynth failed"):
        render(piano(Note(60, 0.0, 1.0, 80)))


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """Put a shell script in the place of FluidSynth; $out is the file that it is to write."""

    def put(script: str) -> None:
        fake = tmp_path / "fluidsynth"
        find = 'while [ "$1" != "-F" ]; do shift; done; out="$2"\n'
        fake.write_text(f"#!/bin/sh\n{find}{script}\n")
        fake.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    return put


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
@pytest.mark.parametrize("play", [render, render_stems])
def test_a_fluidsynth_that_hangs_is_ended_with_all_that_it_began(stand_in, tmp_path, play):
    stand_in(f"sleep 600 & echo $! > {tmp_path}/child; wait")
    begun = time.monotonic()
    with pytest.raises(AudioUnavailable, match="did not finish within 3 seconds"):
        play(piano(Note(60, 0.0, 1.0, 80)), settings=RenderSettings(patience=(2.0, 2.0)))
    assert time.monotonic() - begun < 30
    assert not is_running(int((tmp_path / "child").read_text()))


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
@pytest.mark.parametrize("wrong", ["garbage", "header", "short"])
def test_what_a_broken_fluidsynth_writes_is_not_taken_for_sound(stand_in, tmp_path, wrong):
    path = tmp_path / "wrong.wav"
    if wrong == "garbage":
        path.write_bytes(bytes(range(256)) * 9)
    else:
        soundfile.write(path, np.zeros((0 if wrong == "header" else RATE, 2)), RATE, format="WAV")
    stand_in(f'cp {path} "$out"')
    found = "1.0 of 2.0 seconds; perhaps the disk is full" if wrong == "short" else "no sound"
    with pytest.raises(AudioUnavailable, match=found):
        render(piano(Note(60, 0.0, 4.0, 80)))


def test_a_folder_for_temporary_files_that_is_gone_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(AudioUnavailable, match="temporary files cannot be written.*TMPDIR"):
        render(piano(Note(60, 0.0, 1.0, 80)))


@pytest.mark.parametrize("ending", [".wav", ".flac", ".mp3"])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch, ending):
    path = tmp_path / f"song{ending}"
    path.write_bytes(b"old")

    def full(*_):
        raise RuntimeError("Error writing: No space left on device")

    monkeypatch.setattr(AudioWriter, "write", full)
    with pytest.raises(OSError, match="No space left"):
        write_audio(np.zeros((RATE, 2), np.float32), path)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
