import sys
import time
from pathlib import Path

import mido
import numpy as np
import pytest

from accomp.errors import MusicError
from accomp.music.score import Chord, Note, Score, TimeSignature, Track
from accomp.plot import PlotSettings, chord_rows, plot, save_plot

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.mid"))


def band(bars: int = 4, meters: list[TimeSignature] | None = None) -> Score:
    meters = meters or [TimeSignature(0.0, 4, 4)]
    beats = np.arange(0, bars * meters[-1].bar_beats)
    return Score(
        [
            Track(
                "drums",
                0,
                True,
                [Note(36 + 2 * int(beat % 2), float(beat), 0.1, 90) for beat in beats],
            ),
            Track(
                "piano",
                0,
                False,
                [Note(60 + int(beat % 12), float(beat), 1.0, 80) for beat in beats],
            ),
            Track("guitar", 25, False, [Note(52, float(beat), 0.5, 70) for beat in beats]),
            Track("bass", 33, False, [Note(36, float(beat), 1.0, 90) for beat in beats[::2]]),
            Track("strings", 48, False, [Note(67, float(beat), 4.0, 50) for beat in beats[::4]]),
        ],
        meters=meters,
        chords=[
            Chord(float(beat), ["C", "Am", "F", "G7"][int(beat) // 4 % 4]) for beat in beats[::4]
        ],
    )


def pixels(score: Score) -> np.ndarray:
    figure = plot(score)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())


def labels(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def ticks(axis) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


def test_five_panels_with_the_melody_on_top():
    axes = plot(band()).axes
    assert len(axes) == 5
    names = ["melody (piano)", "drums", "guitar", "bass", "strings"]
    assert all(name in labels(panel) for name, panel in zip(names, axes))
    assert axes[0].get_position().y0 > axes[1].get_position().y0 > axes[4].get_position().y0
    assert axes[0].patches[0].get_facecolor() != axes[1].patches[0].get_facecolor()


def test_drums_are_named_and_only_those_used():
    assert ticks(plot(band()).axes[1].yaxis) == ["bass drum", "snare"]


def test_pitches_are_named_and_cropped():
    melody = plot(band()).axes[0]
    assert "C4" in ticks(melody.yaxis)
    low, high = melody.get_ylim()
    assert 55 < low < 60 and 71 < high < 76


def test_bars_are_numbered():
    assert ticks(plot(band(4)).axes[-1].xaxis) == ["1", "2", "3", "4"]


def test_a_pickup_is_bar_0():
    meters = [TimeSignature(0.0, 1, 4), TimeSignature(1.0, 3, 4)]
    bottom = plot(band(3, meters)).axes[-1]
    assert ticks(bottom.xaxis)[:3] == ["0", "1", "2"]
    assert list(bottom.get_xticks())[:3] == [0.0, 1.0, 4.0]


def test_a_full_bar_that_is_silent_at_first_is_a_pickup_too():
    late = Score([Track("piano", notes=[Note(60, 3.0, 1.0, 80), Note(62, 4.0, 4.0, 80)])])
    assert ticks(plot(late).axes[-1].xaxis)[:2] == ["0", "1"]


def test_compound_meter():
    assert list(plot(band(4, [TimeSignature(0.0, 6, 8)])).axes[-1].get_xticks())[:2] == [0.0, 3.0]


def test_chord_symbols_stand_above_the_melody():
    written = labels(plot(band()).axes[0])
    assert [symbol for symbol in written if symbol in ("C", "Am", "F", "G7")] == [
        "C",
        "Am",
        "F",
        "G7",
    ]


def chord_boxes(axis, names):
    """The boxes of chord symbols as they are drawn, in pixels."""
    axis.figure.canvas.draw()
    return [text.get_window_extent() for text in axis.texts if text.get_text() in names]


def test_all_crowded_chord_symbols_are_written_apart():
    score = band(32)
    score.chords = [Chord(i / 2, "CDEFG"[i % 5]) for i in range(256)]
    assert sum(name in "CDEFG" for name in labels(plot(score).axes[0])) == 256
    score.chords = [Chord(i * 2.0, ("Ebmaj7/Bb", "F#m7b5")[i % 2]) for i in range(64)]
    boxes = chord_boxes(plot(score).axes[0], ("Ebmaj7/Bb", "F#m7b5"))
    assert len(boxes) == 64
    over = [(i, j) for i in range(64) for j in range(i) if boxes[i].overlaps(boxes[j])]
    assert not over


def test_a_chord_on_the_third_beat_of_a_waltz_does_not_hide_the_next():
    score = band(16, [TimeSignature(0.0, 3, 4)])
    score.chords = [Chord(0.0, "Bb"), Chord(8.0, "F7"), Chord(9.0, "Eb"), Chord(12.0, "Bb")]
    axis = plot(score).axes[0]
    assert [name for name in labels(axis) if name in ("Bb", "F7", "Eb")] == ["Bb", "F7", "Eb", "Bb"]
    f, e = chord_boxes(axis, ("F7", "Eb"))
    assert not f.overlaps(e)


def test_hundreds_of_bars_leave_out_what_finds_no_room():
    assert chord_rows([0.0, 1.0, 2.0, 3.0, 60.0], ["Am7"] * 5) == [0, 1, 2, -1, 0]


def test_empty_tracks_and_scores():
    score = band()
    score.tracks[2].notes.clear()
    assert "silent" in labels(plot(score).axes[2])
    assert len(plot(Score()).axes) == 1
    assert len(plot(Score([Track(name) for name in ("drums", "piano", "bass")])).axes) == 3


def test_unknown_tracks_are_drawn():
    assert (
        len(
            plot(Score([Track("", 40, False, [Note(60, 0.0, 1.0, 80), Note(0, 1.0, 1.0, 1)])])).axes
        )
        == 1
    )


@pytest.fixture(scope="module")
def usual() -> np.ndarray:
    return pixels(band(2))


def test_the_same_score_gives_the_same_picture(usual):
    assert np.array_equal(usual, pixels(band(2)))


@pytest.mark.parametrize(
    "change",
    [{"pitch": 61}, {"onset": 0.25}, {"duration": 0.5}, {"velocity": 20}],
    ids=lambda change: next(iter(change)),
)
def test_the_picture_shows_every_property_of_a_note(change, usual):
    other = band(2)
    other.tracks[1].notes[0] = other.tracks[1].notes[0]._replace(**change)
    assert not np.array_equal(usual, pixels(other))


def test_notes_struck_again_differ_from_a_held_note():
    held = Score([Track("piano", notes=[Note(60, 0.0, 4.0, 80)])])
    again = Score([Track("piano", notes=[Note(60, float(beat), 1.0, 80) for beat in range(4)])])
    assert not np.array_equal(pixels(held), pixels(again))


def test_long_scores_are_wrapped_and_stay_small(tmp_path):
    assert len(plot(band(64)).axes) == 2 * 5
    started = time.process_time()
    save_plot(band(1000), tmp_path / "long.png")
    assert time.process_time() - started < 15  # about 1 s
    assert len(plot(band(1000)).axes) == 4 * 5
    assert (tmp_path / "long.png").stat().st_size < 5e6


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    for name in ("matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MusicError, match=r"matplotlib is not installed.*accomp\[plot\]"):
        plot(band())


def test_sizes_can_be_chosen():
    low, wide = PlotSettings(melody_height=1.0), PlotSettings(system_bars=4)
    assert plot(band(), low).get_figheight() == pytest.approx(plot(band()).get_figheight() - 0.5)
    assert len(plot(band(8), wide).axes) == 2 * 5


def test_there_are_examples():
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_one_whole_melody(path):
    file = mido.MidiFile(path)
    sounding = [track for track in file.tracks if any(event.type == "note_on" for event in track)]
    assert [track.name for track in sounding] == ["Melody"]
    held = None
    for event in sounding[0]:
        if event.type == "note_on" and event.velocity:
            assert held is None  # one note at a time
            held = event.note
        elif event.type in ("note_on", "note_off"):
            assert event.note == held
            held = None
    kinds = {event.type for track in file.tracks for event in track}
    assert {"set_tempo", "time_signature"} <= kinds
    assert 15 < file.length < 90
