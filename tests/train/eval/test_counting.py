"""Bars of recordings are measured by those that somebody wrote down, and so are their chords."""

from dataclasses import replace

import numpy as np
import pytest

from accomp.listen.beat_grid import BeatGrid, SungNote, shifted
from accomp.listen.source import Corrections, Source
from accomp.music.score import Chord, Score, Track
from accomp.roll.grid import MELODY
from train.eval import counting
from train.eval.counting import Heard, SungTune, compare_grids, read_sung

TUNE = SungTune(
    "twinkle",
    (4, 4),
    np.array([1.0, 3.0, 5.1]),
    tuple((pitch, 1.0) for pitch in (60, 60, 67, 67, 69, 69, 67, 67, 65, 65, 64, 64)),
)


def test_the_tunes_that_are_measured_have_bars():
    tunes = read_sung()
    assert len(tunes) >= 12 and len({tune.name for tune in tunes}) == len(tunes)
    for tune in tunes:
        lengths = np.diff(tune.bars)
        assert (lengths > 1).all() and lengths.max() < 1.4 * lengths.min()
        assert tune.grid.bar_pulses == tune.meter[0]


def test_a_grid_has_the_bars_that_were_written_down():
    grid = TUNE.grid
    assert grid.seconds(0) == 1 and grid.seconds(4) == 3 and grid.seconds(8) == pytest.approx(5.1)
    assert grid.tempo == pytest.approx(117, abs=3)


def test_grids_are_compared_by_tempo_meter_and_bar_lines():
    grid = BeatGrid(np.arange(1, 13.1, 0.5), 0)
    span = (1.0, 12.5)
    right = {"tempo": 1.0, "tempo_level": 1.0, "meter": 1.0, "bar_lines": 1.0}
    assert compare_grids(grid, grid, span) == right
    assert compare_grids(grid, BeatGrid(grid.times + 0.05, 0), span) == right
    assert compare_grids(grid, shifted(grid, 2), span) == right | {"bar_lines": 0.0}
    half = BeatGrid(np.arange(1, 13.1, 1.0), 0)
    assert compare_grids(grid, half, span) == right | {"tempo": 0.0, "bar_lines": 0.0}
    waltz = BeatGrid(grid.times, 0, (3, 4))
    assert compare_grids(grid, waltz, span)["meter"] == 0


class Band:
    """Plays C in the first bar of a melody, and G minor from then on; a bar later than it is."""

    def accompany(self, score: Score) -> Score:
        notes = [note._replace(onset=note.onset + 4) for note in score.tracks[0].notes]
        higher = (notes[0].pitch - 60) % 12
        names = ["C", "C#", "D"][higher], ["Gm", "G#m", "Am"][higher]
        chords = [Chord(4.0, names[0]), Chord(8.0, names[1])]
        tracks = [Track("", notes=notes if index == MELODY else []) for index in range(5)]
        return Score(tracks, score.tempos, score.meters, chords=chords)


@pytest.mark.parametrize("higher", [0, 2])
def test_chords_of_a_recording_are_compared_where_they_sound(higher, tmp_path):
    times = TUNE.grid.seconds(np.arange(13)).tolist()
    notes = [
        SungNote(pitch + higher, begin, end, 80)
        for (pitch, _), begin, end in zip(TUNE.tune, times, times[1:])
    ]
    corrections = Corrections(meter=(4, 4), downbeat=1.0, tempo=120)
    written = Source("twinkle", notes=notes).melody(corrections).transcription
    heard = Heard(written, Band().accompany(written.score))
    assert counting.chords_alike(TUNE, tmp_path, heard, Band()) == 1.0
    wrong = replace(heard.song, chords=[Chord(0.0, "F#")])
    assert counting.chords_alike(TUNE, tmp_path, Heard(written, wrong), Band()) == 0.0
    unknown = replace(TUNE, tune=())
    assert counting.chords_alike(unknown, tmp_path, heard, Band()) is None


def test_the_table_has_a_column_for_each_kind():
    rows = [
        {"kind": kind, "chords": None} | dict.fromkeys(list(counting.FIGURES)[:-1], share)
        for kind, share in (("people", 1.0), ("made, folk", 0.0), ("made, pop", 1.0))
    ]
    lines = counting.table(rows).split("\n")
    assert lines[0] == "| % | people | made, folk | made, pop | made, all |"
    assert "| bar lines | 100 | 0 | 100 | 50 |" in lines
