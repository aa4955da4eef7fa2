"""The network of notes learns from made recordings, and transcription is measured on them."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from accomp import write_midi
from accomp.band.accompanist import Accompanist
from accomp.listen.beat_grid import BeatGrid, SungNote
from accomp.listen.frames import frames_of
from accomp.listen.notes import note_network
from accomp.listen.transcribe import on_beats
from accomp.music.score import Note, Score, TimeSignature, Track
from accomp.sound.rates import LISTEN_RATE
from tests.train.fit.test_train import song
from train.data import clips, prepare, voices
from train.data.corpus import Corpus
from train.data.tasks import Task
from train.data.voices import Manner
from train.eval import evaluate, hearing, hearing_figures, hearing_peers, hearing_real
from train.fit import transcription

pytestmark = pytest.mark.sound


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    for number in range(6):
        write_midi(song(number), folder / f"{number}.mid")
    prepare.main([str(folder), "--genre", "pop", "--out", str(folder / "corpus"), "--workers", "1"])
    return folder / "corpus"


@pytest.fixture(scope="module")
def tune(corpus):
    return clips.tunes_of(Corpus.load(corpus), "val", 1, None)[0]


def clip_of(line, meter=(4, 4), tempo=100.0):
    """A clip that was played in time, of which nothing sounds."""
    beats = np.arange(0, line[-1][1] + 4, 0.25)
    seconds = 0.3 + beats * 60 / tempo
    at = np.interp([note[1] for note in line], beats, seconds).tolist()
    notes = [
        (pitch, onset, onset + 0.9 * length * 60 / tempo, 80)
        for (pitch, _, length), onset in zip(line, at)
    ]
    tune = clips.Tune(None, line, 0.0, TimeSignature(0.0, *meter))
    return clips.Clip(tune, "sung", "clean", np.zeros(0, np.float32), line, notes, beats, seconds)


def measured(clip, grid):
    return hearing_figures.on_paper(clip, on_beats([SungNote(*note) for note in clip.notes], grid))


SCALE = [
    (60 + beat % 5, float(beat), 1.0) for beat in range(32)
]  # a note on each beat of eight bars


def grid_of(clip, meter=(4, 4), phase=0, pulse=1.0):
    return BeatGrid(clip.seconds_of(np.arange(0, 33, pulse)), phase, meter)


def test_two_steps_of_training_give_a_network_that_listens(corpus, tmp_path):
    transcription.main(
        ["--corpus", str(corpus), "--run", str(tmp_path), "--max-steps", "2"],
        transcription.NotesTraining(
            clips=transcription.ClipSettings(melodies={"train": 2, "val": 1})
        ),
    )
    assert json.loads((tmp_path / "transcription" / "figures.json").read_text())["clips"] == 12
    network = note_network(tmp_path / "model")
    noise = np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32)
    inputs = frames_of(noise, network.config).inputs
    assert network.probabilities(inputs).shape == (2, 200)


def test_targets_mark_onsets_and_what_sounds():
    onsets, sounding = transcription.targets([(60, 0.10, 0.30, 80), (62, 0.50, 0.60, 80)], 100)
    assert set(np.flatnonzero(onsets > 0.9)) == {10, 50} and set(np.flatnonzero(sounding)) == {
        *range(10, 30),
        *range(50, 60),
    }


def test_what_is_heard_is_compared_with_what_was_played():
    true = [(60, 0.0, 0.5, 80), (62, 0.5, 1.0, 80), (64, 1.0, 1.5, 80), (65, 1.5, 2.0, 80)]
    heard = [
        SungNote(60, 0.04, 0.5, 80),
        SungNote(74, 0.5, 1.0, 80),
        SungNote(64, 1.1, 1.5, 80),
        SungNote(65, 1.5, 1.6, 80),
    ]
    found = hearing_figures.compare(true, heard)
    assert (found["f1"], found["f1_offsets"], found["octaves"]) == (0.5, 0.25, 0.25)
    assert hearing_figures.compare(true, [])["f1"] == 0


def test_the_true_grid_is_right_in_every_figure():
    clip = clip_of(SCALE)
    assert set(measured(clip, grid_of(clip)).values()) == {1.0}


def doubled(grid: BeatGrid) -> BeatGrid:
    times = grid.seconds(np.arange(2 * len(grid.times) - 1) / 2 - grid.phase)
    return replace(grid, times=times, phase=2 * grid.phase % grid.bar_pulses)


def halved(grid: BeatGrid) -> BeatGrid:
    return replace(
        grid, times=grid.times[grid.phase % 2 :: 2], phase=grid.phase // 2 % grid.bar_pulses
    )


@pytest.mark.parametrize("other", [doubled, halved])
def test_half_and_double_tempo_are_right_at_another_level_only(other):
    clip = clip_of(SCALE)
    found = measured(clip, other(grid_of(clip)))
    assert (found["tempo"], found["tempo_level"], found["bar_lines"]) == (0, 1, 0) and found[
        "places_beats"
    ] < 0.6
    assert 0.6 < hearing_figures.bar_lines(clip, other(grid_of(clip))) < 0.72


def test_a_tempo_five_per_cent_off_is_wrong():
    clip = clip_of(SCALE)
    grid = BeatGrid(grid_of(clip).times * 1.05)
    assert (measured(clip, grid)["tempo"], measured(clip, grid)["tempo_level"]) == (0, 0)


def test_bars_that_begin_a_beat_late_are_wrong_though_places_are_right_but_for_beats():
    clip = clip_of(SCALE)
    found = measured(clip, grid_of(clip, phase=1))
    assert (found["tempo"], found["meter"], found["bar_lines"]) == (1, 1, 0)
    assert (found["places_beats"], found["places_bars"]) == (1, 0)


def test_another_meter_is_wrong_and_so_are_its_bars():
    clip = clip_of(SCALE)
    found = measured(clip, grid_of(clip, meter=(3, 4)))
    assert (found["tempo"], found["meter"], found["bar_lines"], found["places_beats"]) == (
        1,
        0,
        0,
        1,
    )


def test_waltzes_and_jigs_are_measured_by_their_own_bars():
    waltz = clip_of(SCALE, meter=(3, 4))
    assert set(measured(waltz, grid_of(waltz, meter=(3, 4))).values()) == {1.0}
    assert measured(waltz, grid_of(waltz))["bar_lines"] == 0
    jig = clip_of([(60 + i % 5, i / 2, 0.5) for i in range(60)], meter=(6, 8))
    assert jig.tempo == pytest.approx(100 / 1.5)
    assert set(measured(jig, grid_of(jig, meter=(6, 8), pulse=1.5)).values()) == {1.0}


def test_places_are_the_largest_share_that_is_moved_together():
    assert hearing_figures.together(np.array([4.0, 4.0, 4.5, 3.0]), 1.0) == 0.5
    assert hearing_figures.together(np.array([3.0, 3.0, 4.0]), 4.0) == pytest.approx(1 / 3)
    assert hearing_figures.together(np.zeros(0), 1.0) == 0


def test_a_tune_begins_with_the_bar_of_its_first_note_in_any_meter():
    notes = [Note(60, 5.0 + beat, 1.0, 80) for beat in range(50)]
    score = Score([Track("tune", notes=notes)], meters=[TimeSignature(0.0, 3, 4)])
    tune = clips.tune_of(Task("a", "a", score, 0, None, 0, None, None))
    assert (tune.first, tune.meter[1:], tune.line[0], len(tune.line)) == (
        3.0,
        (3, 4),
        (60, 2.0, 1.0),
        38,
    )


def test_a_recording_heard_rightly_gets_about_the_chords_of_its_midi(tune):
    model = Accompanist.from_pretrained("pop")
    clip = clip_of(tune.line)
    clip.tune = tune
    grid = BeatGrid(clip.seconds_of(np.arange(0, 41.0)))
    notes = [SungNote(*note) for note in clip.notes]
    from_midi = hearing_figures.chord_match_of_midi(model, tune)
    assert 0 < from_midi <= 1
    assert hearing_figures.chord_match(model, clip, on_beats(notes, grid)) == pytest.approx(
        from_midi, abs=0.11
    )
    # At double tempo the band plays twice as many half bars in the same time; each is still
    # compared where it sounds.
    assert 0 <= hearing_figures.chord_match(model, clip, on_beats(notes, doubled(grid))) <= 1


def test_songs_whose_harmony_changes_off_the_bars_are_left_out(corpus):
    songs = Corpus.load(corpus)
    whole = type(songs).blocks
    assert clips.changes_on_bars(songs, 0)
    songs.blocks = lambda track, index: whole(songs, track, index).roll(
        4, 2
    )  # each block's steps a beat later
    assert not clips.changes_on_bars(songs, 0)


def test_the_same_clip_comes_of_the_same_number(tune):
    first, again, other = (clips.clip_of(tune, number, "hum") for number in (0, 0, 1))
    assert np.array_equal(first.audio, again.audio) and first.notes != other.notes
    assert len(first.notes) == len(first.line) and first.beats_of(
        first.seconds_of(7.3)
    ) == pytest.approx(7.3)


def test_the_command_prints_tables(corpus, tmp_path, capsys, monkeypatch):
    options = ["--corpus", str(corpus), "--split", "val", "--limit", "1", "--out", str(tmp_path)]
    hearing.main(options, sounds=("hum", "piano"))
    written = json.loads((tmp_path / "transcription.json").read_text())
    rows, printed = written["rows"], capsys.readouterr().out
    assert len(rows) == 2 * len(hearing.TRANSCRIBERS) and "mir_eval" in written["versions"]
    own = [row for row in rows if row["by"] == "accomp"]
    assert np.mean([row["f1"] for row in own]) > 0.8 and own[0].keys() >= hearing.OUR_FIGURES.keys()
    assert "| F1, hum | " in printed and "| chord match" in printed
    with pytest.raises(SystemExit, match="--judges is missing"):
        evaluate.main(["--corpus", str(corpus), "--out", str(tmp_path)])
    monkeypatch.setattr(hearing_peers, "PACKAGES", ("no_such_package",))
    with pytest.raises(SystemExit, match="--peers needs no_such_package: pip install"):
        hearing.main(["--peers", "pyin", "--corpus", str(corpus), "--out", str(tmp_path)])
    with pytest.raises(SystemExit):
        hearing.main(["--out", str(tmp_path)])
    assert "--singing or --corpus is missing" in capsys.readouterr().err


@pytest.fixture
def sets(tmp_path):
    """A folder of one set with a song that two people wrote down, and one whose pitch is off."""
    folder = tmp_path / "sets" / "few"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    notes = [(60 + step % 3 * 2, 0.3 + step * 0.6, 0.8 + step * 0.6, 90) for step in range(8)]
    sound = voices.voice(notes, Manner((0.3, 0.3)), rng, "hum")
    rows = [f"{on:.3f},{off:.3f},{pitch + 0.3:.2f}" for pitch, on, off, _ in notes]
    for name, tables in (("song", ["song_A1", "song_A2"]), ("off", ["off"])):
        soundfile.write(folder / f"{name}.wav", sound, LISTEN_RATE)
        for table in tables:
            (folder / f"{table}.csv").write_text("\n".join(["onset,offset,midi", *rows]))
    (folder / "pitch_doubtful.json").write_text('["off"]')
    (folder / "unknown.wav").write_bytes((folder / "song.wav").read_bytes())
    return folder.parent


def test_recordings_of_people_are_compared_with_what_others_wrote_down(sets, tmp_path, capsys):
    hearing.main(["--singing", str(sets), "--treated", "few", "--out", str(tmp_path)])
    rows = json.loads((tmp_path / "transcription.json").read_text())["singing"]
    levels = [hearing.AS_RECORDED, *hearing_real.TREATMENTS]
    assert len(rows) == 3 * len(levels) * len(hearing.TRANSCRIBERS)
    assert {row["sound"] for row in rows} == {"few", "few A1", "few A2"}
    alone = [row for row in rows if row["by"] == "accomp" and row["level"] == levels[0]]
    assert alone[-1]["f1"] > 0.8 and abs(alone[-1]["later"]) < 50
    # Pitches that were written down wrongly say nothing of pitches.
    assert all(("f1" in row) == (row["name"] != "off") for row in rows)
    assert "| few A1, phone call | accomp | 1 |" in capsys.readouterr().out


def test_the_singers_tuning_is_put_back_before_pitches_are_compared():
    true = [(60.4, 0.0, 0.5, 80)]
    found = [SungNote(60, 0.0, 0.5, 80, tuning=0.45)]
    assert hearing_figures.compare(true, hearing_real.as_sung(found))["f1"] == 1
    assert hearing_figures.compare([(61.0, 0.0, 0.5, 80)], found)["f1"] == 0
    assert hearing_real.later_by(true, [SungNote(60, 0.03, 0.5, 80)]) == pytest.approx(30)


@pytest.mark.parametrize("treatment", hearing_real.TREATMENTS)
def test_what_is_treated_is_in_step_with_what_was_recorded(treatment):
    rng = np.random.default_rng(0)
    sound = np.zeros(2 * LISTEN_RATE, np.float32)
    sound[LISTEN_RATE : LISTEN_RATE * 3 // 2] = 0.3 * np.sin(np.arange(LISTEN_RATE // 2) / 5)
    heard = hearing_real.TREATMENTS[treatment](sound, rng)
    assert heard.shape == sound.shape and heard.dtype == np.float32
    begins = np.flatnonzero(np.abs(heard) > 0.3 * np.abs(heard).max())[0]
    assert abs(begins / LISTEN_RATE - 1) < 0.02


def test_the_number_of_processes_changes_nothing(tune):
    found = [
        hearing.evaluate([tune], hearing.Hearing(sounds=("hum",)), workers) for workers in (1, 2)
    ]
    assert [[{**row, "work": 0} for row in rows] for rows in found][0] == [
        {**row, "work": 0} for row in found[1]
    ]


@pytest.mark.skipif(bool(hearing_peers.missing()), reason=hearing_peers.INSTALL)
@pytest.mark.parametrize("name", hearing_peers.PEERS)
def test_peers_hear_a_clear_melody(name, tune):
    clip = clips.clip_of(tune, 0, "piano")
    assert hearing_figures.compare(clip.notes, hearing_peers.PEERS[name](clip.audio))["f1"] > 0.5
