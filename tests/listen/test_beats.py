"""Beats, bars and places of melodies that are sung in time, more or less."""

from pathlib import Path

import numpy as np
import pytest

from accomp import read_midi
from accomp.errors import MusicError
from accomp.listen.beat_grid import BeatGrid, SungNote, count_alike, shifted
from accomp.listen.beats import find_beats
from accomp.listen.quantise import quantise

EXAMPLES = Path(__file__).parents[2] / "examples"


def tune(name, bpm):
    """An example's notes as (pitch, onset, duration) in beats; its first bar begins at beat 0."""
    return [
        (n.pitch, n.onset, n.duration) for n in read_midi(EXAMPLES / f"{name}.mid").tracks[0].notes
    ], bpm


def sung(line, bpm=96.0, drift=0.0, jitter=0.0, start=0.4, seed=0):
    """Notes in seconds, and a function from beats to seconds.

    drift: the share by which the tempo swings, over some 60 beats.
    """
    rng = np.random.default_rng(seed)
    beats = np.arange(-8, line[-1][1] + 20, 0.05)
    seconds = np.cumsum(60 / bpm * 0.05 * (1 + drift * np.sin(beats / 9)))
    seconds += start - np.interp(0, beats, seconds)

    def at(beat):
        return np.interp(beat, beats, seconds)

    onsets = np.array([at(onset) for _, onset, _ in line]) + rng.normal(0, 1, len(line)) * jitter
    ends = np.array([at(onset + 0.9 * duration) for _, onset, duration in line])
    ends = np.maximum(ends, onsets + 0.05)
    return [(pitch, float(a), float(b), 80) for (pitch, _, _), a, b in zip(line, onsets, ends)], at


def places(line, score, bar=4.0):
    """How far the score's notes are from those of the line, apart from whole bars, in beats."""
    moved = np.array([note.onset for note in score.tracks[0].notes]) - np.array(
        [onset for _, onset, _ in line]
    )
    return np.abs((moved + bar / 2) % bar - bar / 2)


def as_sung(score, grid):
    """The opposite of `quantise`: a score's notes at their time in the recording."""
    notes = [note for track in score.tracks for note in track.notes]
    starts = score.seconds([note.onset for note in notes]) - grid.offset
    ends = score.seconds([note.end for note in notes]) - grid.offset
    return [
        SungNote(note.pitch, start, end, note.velocity)
        for note, start, end in zip(notes, starts.tolist(), ends.tolist())
    ]


def onset_errors(score, grid, notes):
    return np.abs(
        np.array([note.onset for note in as_sung(score, grid)])
        - np.array([note[1] for note in notes])
    )


def well_formed(score, notes):
    """No note lost or of no length, one at a time."""
    written = score.tracks[0].notes
    onsets, ends = np.array([n.onset for n in written]), np.array([n.end for n in written])
    assert [n.pitch for n in written] == [
        note[0] for note in sorted(notes, key=lambda note: note[1])
    ]
    assert (
        (np.diff(onsets) > 0).all()
        and (ends > onsets).all()
        and (ends[:-1] <= onsets[1:] + 1e-9).all()
        and onsets[0] >= 0
    )
    assert all(tempo.microseconds > 0 for tempo in score.tempos)
    return True


METRONOMIC = [
    ("ode_to_joy", 90, (4, 4)),
    ("auld_lang_syne", 92, (4, 4)),
    ("auld_lang_syne", 112, (4, 4)),
    ("londonderry_air", 72, (4, 4)),
    ("amazing_grace", 80, (3, 4)),
    ("amazing_grace", 100, (3, 4)),
]


@pytest.mark.parametrize("name, bpm, meter", METRONOMIC)
def test_metronomic_tunes_are_exact_pickups_included(name, bpm, meter):
    line, _ = tune(name, bpm)
    notes, at = sung(line, bpm)
    grid = find_beats(notes)
    score = quantise(notes, grid)
    assert grid.meter == meter == score.meters[0][1:] and grid.tempo == pytest.approx(bpm, rel=1e-3)
    assert grid.pickup == -np.floor(line[0][1]) % meter[0] and well_formed(score, notes)
    assert (
        places(line, score, meter[0]).max() < 1e-6
        and onset_errors(score, grid, notes).max() < 0.002
    )
    assert (grid.position(at(0)) + 0.01) % meter[0] < 0.02  # beat 0 is a downbeat


@pytest.mark.parametrize("name, bpm, meter", METRONOMIC)
@pytest.mark.parametrize("seed", range(3))
def test_drift_is_followed(name, bpm, meter, seed):
    line, _ = tune(name, bpm)
    notes, at = sung(line, bpm, drift=0.05, jitter=0.012, seed=seed)
    grid = find_beats(notes)
    score = quantise(notes, grid)
    assert well_formed(score, notes) and onset_errors(score, grid, notes).max() < 0.06
    assert np.mean(places(line, score, 1.0) < 1e-6) > 0.97
    beats = np.arange(4, line[-1][1])
    off = grid.position(at(beats)) - np.rint(grid.position(at(beats)))
    assert np.abs(off).max() * 60 / bpm < 0.04  # seconds


def test_the_tempo_map_lies_on_the_recording():
    notes, at = sung(tune("auld_lang_syne", 92)[0], 92, drift=0.05, start=6.0)
    grid = find_beats(notes)
    score = quantise(notes, grid)
    assert grid.offset == 0 and score.tempos[0].bpm == pytest.approx(92, rel=0.4)
    first = score.tracks[0].notes[0].onset
    for beats in range(0, 30, 7):
        assert score.seconds(first + beats) == pytest.approx(float(at(3 + beats)), abs=0.02)


def test_a_bar_that_began_before_the_recording_moves_it():
    notes, _ = sung(
        tune("auld_lang_syne", 92)[0], 92, start=0.1 - 3 * 60 / 92
    )  # the pickup at 0.1 s
    grid = find_beats(notes)
    assert grid.offset == pytest.approx(3 * 60 / 92 - 0.1, abs=0.01)
    score = quantise(notes, grid)
    assert score.tracks[0].notes[0].onset == 3 and onset_errors(score, grid, notes).max() < 0.002


def swung(thirds, bars=8):
    """Four beats a bar of notes on these thirds of a beat, the last one long."""
    line = [
        (60 + (3 * bar + beat + 2 * k) % 8, 4 * bar + beat + k / 3, 0.3)
        for bar in range(bars)
        for beat in range(3)
        for k in thirds
    ]
    line += [(67 - bar % 2 * 7, 4 * bar + 3, 1.0) for bar in range(bars)]
    return sorted(line, key=lambda note: note[1])


@pytest.mark.parametrize("bpm", [88, 110])
def test_swing_and_triplets_are_thirds(bpm):
    for thirds in ((0, 2), (0, 1, 2)):
        line = swung(thirds)
        notes, _ = sung(line, bpm, jitter=0.008)
        grid = find_beats(notes, tempo=bpm, meter=(4, 4))
        score = quantise(notes, grid)
        assert places(line, score, 1.0).max() < 1e-6 and well_formed(score, notes)
    assert quantise(notes, find_beats(notes, meter=(6, 8), tempo=bpm)).meters[0][1:] == (6, 8)


def test_a_triplet_among_eighths():
    line = [(60 + k % 5, k / 2, 0.5) for k in range(40)]
    line[20:22] = [(67, 10.0, 1 / 3), (69, 10 + 1 / 3, 1 / 3), (71, 10 + 2 / 3, 1 / 3)]
    notes, _ = sung(line, 100)
    score = quantise(notes, find_beats(notes, tempo=100))
    assert places(line, score, 0.5).max() < 1e-6 and well_formed(score, notes)


def test_compound_meter_counts_dotted_quarters():
    line = [(60 + (2 * k) % 7, 0.5 * k, 0.5) for k in range(60) if k % 6 != 5]
    notes, _ = sung(line, 150)  # dotted quarters at 100
    grid = find_beats(notes, meter=(6, 8))
    assert grid.tempo == pytest.approx(100, rel=0.01) and (grid.pulse, grid.bar_pulses) == (1.5, 2)
    score = quantise(notes, grid)
    assert places(line, score, 0.5).max() < 1e-6 and score.tempos[-1].bpm == pytest.approx(
        150, rel=0.01
    )


def test_what_the_user_says_is_kept():
    notes, at = sung(tune("auld_lang_syne", 92)[0], 92, jitter=0.01)
    for tempo in (46, 92, 184):
        assert find_beats(notes, tempo=tempo).tempo == pytest.approx(tempo, rel=0.02)
    for beat in (4, 5, 6):
        grid = find_beats(notes, downbeat=float(at(beat)))
        assert (grid.position(at(beat)) + 0.1) % 4 < 0.2
        assert (grid.position(grid.downbeat) + 1e-6) % 1 < 1e-3
    assert find_beats(notes, meter=(3, 4)).meter == (3, 4)
    assert find_beats(notes, tempo=92, downbeat=1.0, meter=(5, 4)).bar_pulses == 5


def test_other_ways_of_counting_are_told():
    notes, at = sung(tune("amazing_grace", 90)[0][:24], 90, drift=0.02, jitter=0.02)
    grid = find_beats(notes)
    likely = [each.likely for each in (grid.counting, *grid.others)]
    assert grid.others and likely == sorted(likely, reverse=True) and sum(likely) <= 1
    assert {each.meter for each in grid.others} != {grid.meter}  # one in another meter
    for other in grid.others:
        chosen = find_beats(
            notes, meter=other.meter, downbeat=other.downbeat, tempo=round(other.tempo)
        )
        assert not count_alike(chosen, grid)
        assert chosen.meter == other.meter and chosen.tempo == pytest.approx(other.tempo, rel=0.04)
        assert (chosen.position(other.downbeat) + 0.1) % chosen.bar_pulses < 0.2


def test_grids_with_other_pulses_may_count_alike():
    grid = BeatGrid(np.arange(0, 8, 0.5), 1)
    later = BeatGrid(grid.times[1:] + 0.01, 0)
    assert count_alike(grid, later) and count_alike(grid, shifted(grid, 4))
    assert not count_alike(grid, shifted(grid, 1)) and not count_alike(
        grid, BeatGrid(grid.times, 1, (3, 4))
    )
    assert not count_alike(grid, BeatGrid(np.arange(0.5, 8, 0.25), 0))


def test_the_bar_line_moves_by_a_beat_and_back():
    notes, at = sung(tune("auld_lang_syne", 92)[0], 92, jitter=0.01)
    grid = find_beats(notes)
    for pulses in (1, -1, 2, 5):
        moved = shifted(grid, pulses)
        assert (moved.position(at(pulses)) + 0.1) % 4 < 0.2 and 0 <= moved.phase < 4
        assert moved.times is grid.times and moved.tempo == grid.tempo
        score = quantise(notes, moved)
        assert well_formed(score, notes) and onset_errors(score, moved, notes).max() < 0.05
    assert shifted(shifted(grid, 3), -3) == grid


def test_short_recordings_can_be_moved_too():
    notes = [(60, 1.0, 1.4, 80)]
    for pulses in range(4):
        grid = shifted(find_beats(notes), pulses)
        assert np.isfinite(grid.downbeat) and well_formed(quantise(notes, grid), notes)


def test_what_is_not_said_is_found_beside_what_is():
    notes, at = sung(tune("amazing_grace", 90)[0], 90, drift=0.02, jitter=0.01)
    grid = find_beats(notes, tempo=90)
    assert grid.meter == (3, 4) and (grid.position(at(0)) + 0.1) % 3 < 0.2
    grid = find_beats(notes, meter=(3, 4))
    assert grid.tempo == pytest.approx(90, rel=0.03) and (grid.position(at(0)) + 0.1) % 3 < 0.2
    grid = find_beats(notes, downbeat=float(at(3)))
    assert grid.meter == (3, 4) and grid.tempo == pytest.approx(90, rel=0.03)


def test_transcription_errors_do_little_harm():
    rng = np.random.default_rng(1)
    line, _ = tune("londonderry_air", 84)
    notes, at = sung(line, 84, drift=0.04, jitter=0.015)
    late = rng.random(len(notes)) < 0.06
    notes = [(p, a + 0.05 * slow, b + 0.05 * slow, v) for (p, a, b, v), slow in zip(notes, late)]
    kept = rng.random(len(notes)) > 0.06
    notes, line = [n for n, k in zip(notes, kept) if k], [n for n, k in zip(line, kept) if k]
    score = quantise(notes, find_beats(notes, tempo=84))
    assert np.mean(places(line, score, 1.0) < 1e-6) > 0.93


ODD = {
    "one": [(60, 1.0, 2.0, 80)],
    "one at once": [(60, 0.0, 0.2, 80)],
    "two": [(60, 1.0, 2.0, 80), (62, 2.0, 2.5, 80)],
    "equal": [(60, float(k), k + 0.5, 80) for k in range(20)],
    "a minute's rest": [
        (60, 0.5, 1.0, 80),
        (62, 1.0, 1.5, 80),
        (64, 60.0, 61.0, 80),
        (65, 61.0, 62.0, 80),
    ],
    "fast": [(60 + k % 7, k / 20, k / 20 + 0.04, 80) for k in range(200)],
    "slow": [(60 + k % 3, 6.0 * k, 6.0 * k + 5, 80) for k in range(10)],
    "together": [(60, 1.0, 2.0, 80), (64, 1.0, 2.0, 80), (62, 2.0, 3.0, 80)],
    "overlapping": [(60, 1.0, 2.6, 80), (62, 2.0, 3.0, 80), (64, 3.0, 3.5, 80)],
}


@pytest.mark.parametrize("notes", ODD.values(), ids=ODD)
def test_little_or_odd_music_gives_a_sane_grid(notes):
    grid = find_beats(notes)
    assert 45 < grid.tempo < 210 and 0 <= grid.confidence <= 1 and (np.diff(grid.times) > 0).all()
    assert (
        grid.times[0] <= notes[0][1] + 0.1
        and grid.times[-1] >= max(note[2] for note in notes) - 1e-6
    )
    for each in (grid, shifted(grid, 1)):
        assert well_formed(quantise(notes, each), notes)


@pytest.mark.parametrize(
    "notes, settings, says",
    [
        ([], {}, "no notes"),
        (ODD["one"], {"tempo": 5000}, "5000"),
        (ODD["one"], {"meter": (0, 4)}, "0/4"),
        ([(60, 2.0, 1.0, 80)], {}, "no length"),
        ([(60, float("nan"), 1.0, 80)], {}, "no length"),
        ([(60, 0.0, 1.0, 80), (60, 9e3, 9.1e3, 80)], {}, "minutes"),
        ([(60, k / 500, k / 500 + 0.001, 80) for k in range(50)], {}, "every 2 ms"),
    ],
)
def test_what_is_no_melody_is_refused(notes, settings, says):
    with pytest.raises(MusicError, match=says):
        find_beats(notes, **settings)
