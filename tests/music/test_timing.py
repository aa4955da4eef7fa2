"""Tempo, note values and bar lines written otherwise."""

import pytest

from accomp import read_midi, write_midi
from accomp.errors import MusicError
from accomp.music import timing
from accomp.music.score import Chord, Control, Note, Score, Tempo, TimeSignature, Track

SONG = Score(
    [
        Track(
            "tune",
            notes=[Note(60, 0.0, 1.0, 80), Note(62, 1.0, 2.0, 80), Note(64, 4.0, 4.0, 80)],
            controls=[Control(2.0, 64, 127)],
        )
    ],
    [Tempo(0.0, 600_000), Tempo(4.0, 400_000)],
    [TimeSignature(0.0, 4, 4)],
    chords=[Chord(0.0, "C"), Chord(4.0, "G")],
)


def test_the_mean_tempo_is_over_the_music():
    assert timing.mean_tempo(SONG) == pytest.approx(60 * 8 / (4 * 0.6 + 4 * 0.4))
    assert timing.mean_tempo(Score([Track()], [Tempo(0.0, 500_000)])) == 120


def test_another_tempo_keeps_the_changes_in_proportion():
    slower = timing.at_tempo(SONG, 60)
    assert timing.mean_tempo(slower) == pytest.approx(60, rel=1e-5) and slower.tracks == SONG.tracks
    assert slower.tempos[0].microseconds / slower.tempos[1].microseconds == pytest.approx(
        1.5, rel=1e-5
    )
    for bpm in (0, -3, 1000, float("nan")):
        with pytest.raises(MusicError, match="10 to 400 beats a minute"):
            timing.at_tempo(SONG, bpm)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_other_note_values_sound_the_same(factor):
    other = timing.renotated(SONG, factor)
    for before, after in zip(SONG.tracks[0].notes, other.tracks[0].notes):
        assert after.onset == before.onset * factor and after.duration == before.duration * factor
        assert other.seconds(after.onset) == pytest.approx(SONG.seconds(before.onset), abs=1e-5)
        assert other.seconds(after.end) == pytest.approx(SONG.seconds(before.end), abs=1e-5)
    assert timing.mean_tempo(other) == pytest.approx(timing.mean_tempo(SONG) * factor, rel=1e-5)
    assert (
        other.chords[1].onset == other.tempos[1].onset == 4 * factor
        and other.tracks[0].controls[0].onset == 2 * factor
    )
    assert timing.renotated(other, 1 / factor).tracks == SONG.tracks


def test_another_meter_moves_no_note():
    waltz = timing.in_meter(SONG, (3, 4))
    assert waltz.meters == [TimeSignature(0.0, 3, 4)] and waltz.tracks == SONG.tracks
    for meter in ((0, 4), (4, 3), (40, 4)):
        with pytest.raises(MusicError, match="such as 4/4, 3/4 or 6/8"):
            timing.in_meter(SONG, meter)


@pytest.mark.parametrize(
    "meter, pulses, moved",
    [((4, 4), 1, 3), ((4, 4), -1, 1), ((4, 4), 4, 0), ((3, 4), 1, 2), ((6, 8), 1, 1.5)],
)
def test_later_bar_lines_are_earlier_notes(meter, pulses, moved):
    other = timing.bar_lines_later(timing.in_meter(SONG, meter), pulses)
    assert [note.onset for note in other.tracks[0].notes] == [
        note.onset + moved for note in SONG.tracks[0].notes
    ]
    assert other.tempos[1].onset == 4 + moved and other.meters[0].onset == 0


def test_later_bar_lines_are_those_of_later_meters_too():
    song = timing.in_meter(SONG, (4, 4))
    song.meters.append(TimeSignature(8.0, 3, 4))
    other = timing.bar_lines_later(song, 1)
    moved = other.tracks[0].notes[0].onset - song.tracks[0].notes[0].onset
    before, after = ([bar.onset for bar in each.bars(20)] for each in (song, other))
    assert {onset + 1 for onset in before[:4]} <= {onset - moved for onset in after}


def test_shorter_notes_keep_their_time_in_the_file(tmp_path):
    song = Score(
        [Track("tune", notes=[Note(60, 1 / 96 * tick, 0.5, 80) for tick in (0, 31, 67)])],
        [Tempo(0.0, 500_000)],
        resolution=96,
    )
    write_midi(timing.renotated(song, 0.25), tmp_path / "short.mid")
    again = read_midi(tmp_path / "short.mid")
    for note, other in zip(song.tracks[0].notes, again.tracks[0].notes):
        assert again.seconds(other.onset) == pytest.approx(song.seconds(note.onset), abs=1e-4)
    with pytest.raises(MusicError, match="a beat would last 24 seconds"):
        timing.renotated(Score([], [Tempo(0.0, 6_000_000)]), 0.25)
