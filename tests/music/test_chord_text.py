import numpy as np
import pytest

from accomp import Chord, MusicError, Note, Score, TimeSignature, Track
from accomp.music.chord_qualities import QUALITIES
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.chord_text import chord_text
from accomp.roll.chord_plan import symbols_on_grid
from accomp.roll.grid import Grid


def lead(meter=(4, 4), bars=8, start=0.0):
    """A melody of `bars` whole bars, with a pickup if it starts before one."""
    length = meter[0] * 4 / meter[1]
    end = bars * length + (length if start else 0)
    notes = [Note(60, start + i * 0.5, 0.5, 80) for i in range(int((end - start) * 2))]
    score = Score([Track(notes=notes)], meters=[TimeSignature(0.0, *meter)])
    return score, score.tracks[0], Grid.of(score, start, end)


def plan(text, **melody):
    score, track, grid = lead(**melody)
    symbols, notices = symbols_on_grid(text, score, track, grid)
    return [str(symbols[i]) for i in played(track, grid)], notices


def played(track, grid):
    """The half bars that the song has: those that a meter lacks are of no width."""
    return np.flatnonzero(
        grid.present.reshape(-1, 8).any(1) & (grid.beats[: grid.steps : 8] < track.end - 1e-6)
    )


def test_bars_half_bars_repeats_and_holds():
    symbols, notices = plan("| C  Am | F, G7 | % | Dm . |", bars=4)
    assert symbols == ["C", "Am", "F", "G7", "F", "G7", "Dm", "Dm"] and notices == []
    assert plan("C Am | F G7", bars=2)[0] == ["C", "Am", "F", "G7"]
    assert plan("C G Am F", bars=4)[0] == [
        "C",
        "C",
        "G",
        "G",
        "Am",
        "Am",
        "F",
        "F",
    ]  # without bar lines one a bar
    assert plan("| C ||\n| G |", bars=2)[0] == ["C", "C", "G", "G"]


def test_a_line_ends_a_bar_and_an_empty_bar_holds():
    assert plan("C | G\nF | D", bars=4)[0] == ["C", "C", "G", "G", "F", "F", "D", "D"]
    assert plan("| C |\n|\n| G ‖ F |", bars=3)[0] == ["C", "C", "G", "G", "F", "F"]
    assert plan("| C G |  | F |", bars=3)[0] == ["C", "G", "G", "G", "F", "F"]


def test_dashes_between_chords_part_them_and_dashes_in_bars_hold():
    assert plan("C - G – Am", bars=3) == (["C", "C", "G", "G", "Am", "Am"], [])
    assert plan("C - - G", bars=4)[0] == ["C"] * 6 + ["G", "G"]
    assert plan("| C - G - |", bars=1)[0] == ["C", "G"]


def test_short_text_begins_again_and_long_text_is_cut():
    symbols, notices = plan("| C | G |", bars=3)
    assert (
        symbols == ["C", "C", "G", "G", "C", "C"]
        and "2 bars, the melody 3; they are repeated" in notices[0]
    )
    assert plan("| C |", bars=2)[1] == ["the chords have 1 bar, the melody 2; they are repeated"]
    symbols, notices = plan("| C | G | F |", bars=2)
    assert symbols == ["C", "C", "G", "G"] and "the rest is left out" in notices[0]


def test_a_pickup_has_the_first_chord():
    symbols, _ = plan("| C | G |", bars=2, start=3.0)
    assert symbols == ["C", "C", "C", "C", "G", "G"]


def test_a_pickup_may_have_chords_of_its_own():
    symbols, notices = plan("0 | D7 |\n| C | G |", bars=2, start=3.0)
    assert symbols == ["D7", "D7", "C", "C", "G", "G"] and not notices
    symbols, notices = plan("0 | D7 |\n| C | G |", bars=2)
    assert symbols == ["C", "C", "G", "G"] and "no pickup" in notices[0]


@pytest.mark.parametrize(
    "meter, text, expected",
    [
        ((3, 4), "| C | G D |", ["C", "C", "G", "D"]),
        ((2, 4), "| C | G |", ["C", "G"]),
        ((6, 8), "| C | G |", ["C", "G"]),
        ((12, 8), "| C Am | G |", ["C", "Am", "G", "G"]),
        ((5, 4), "| C G | F |", ["C", "G", "G", "F", "F", "F"]),
        ((5, 4), "| C G D | F |", ["C", "G", "D", "F", "F", "F"]),
        ((7, 8), "| C G | F |", ["C", "G", "F", "F"]),
    ],
)
def test_other_meters(meter, text, expected):
    assert plan(text, meter=meter, bars=2)[0] == expected


def test_changes_that_fall_between_half_bars_are_named():
    symbols, notices = plan("| C D E F |", bars=1)
    assert symbols == ["C", "E"] and "D, F between them are left out" in notices[0]
    assert plan("| C F G |", bars=1) == (
        ["C", "F"],
        ["chords change on half bars at most: G between them is left out"],
    )
    assert plan("| C G |", meter=(6, 8), bars=3)[1][1:] == [
        "chords change on half bars at most: G between them is left out"
    ]


def test_no_chord_holds_and_nonsense_is_refused():
    symbols, notices = plan("| C | N.C. |", bars=2)
    assert symbols == ["C"] * 4 and "bar 2 of the chords says N.C." in notices[0]
    assert plan("| C | n.c. |", bars=2)[0] == ["C"] * 4
    for text, message in (
        ("| % |", "no bar before it"),
        ("|: C :|", "repeat signs"),
        (" ", "no chords were found"),
        ("| C | X |", "bar 2 of the chords: chord 'X'"),
        ("| C:maj |", "chord 'C:maj' is not known"),
    ):
        with pytest.raises(MusicError, match=message):
            plan(text)


def test_chords_with_onsets():
    score, track, grid = lead(bars=2)
    symbols, _ = symbols_on_grid(
        [Chord(4.0, "G"), Chord(0.0, "C"), Chord(6.0, "Em7")], score, track, grid
    )
    assert [str(s) for s in symbols[:4]] == ["C", "C", "G", "Em7"]


def test_chords_with_onsets_that_are_not_played_are_named():
    score, track, grid = lead(bars=2)
    symbols, notices = symbols_on_grid(
        [Chord(0.0, "C"), Chord(2.5, "D"), Chord(3.0, "C"), Chord(4.0, "N.C.")], score, track, grid
    )
    assert [str(s) for s in symbols[:4]] == ["C"] * 4
    assert notices == [
        "the chord at beat 4 is N.C.; the chord before goes on",
        "chords change on half bars at most: D between them is left out",
    ]
    score, track, grid = lead(bars=2, start=3.0)
    assert (
        symbols_on_grid([Chord(-8.0, "F"), Chord(-4.0, "D"), Chord(0.0, "C")], score, track, grid)[
            1
        ]
        == []
    )  # of an introduction
    for wrong in ("C", (0.0, "C")):
        with pytest.raises(
            MusicError, match=r"chords hold .*C.*; accepted: Chord\(onset in beats, symbol\)"
        ):
            symbols_on_grid([wrong], score, track, grid)


def test_the_first_bar_of_text_is_the_first_that_the_grid_takes_for_whole():
    # Of a bar of four beats two sound. That is more than half of the bars of three that follow:
    # it is no pickup.
    notes = [Note(60, 2.0 + i, 1.0, 80) for i in range(8)]
    score = Score([Track(notes=notes)], meters=[TimeSignature(0.0, 4, 4), TimeSignature(4.0, 3, 4)])
    grid = Grid.of(score, 2.0, 10.0)
    symbols, _ = symbols_on_grid("| C | G | F |", score, score.tracks[0], grid)
    assert [str(symbols[i]) for i in played(score.tracks[0], grid)] == [
        "C",
        "C",
        "G",
        "G",
        "F",
        "F",
    ]


def test_a_song_without_chords_has_no_text():
    score, track, _ = lead()
    assert chord_text(score, track) == ""


@pytest.mark.parametrize(
    "meter",
    [(4, 4), (3, 4), (2, 4), (6, 8), (12, 8), (5, 4), (7, 8), (3, 8), (6, 4), (9, 8), (7, 4)],
)
@pytest.mark.parametrize("pickup", [False, True])
def test_any_chords_as_text_and_back(meter, pickup):
    bar = meter[0] * 4 / meter[1]
    score, track, grid = lead(meter, 7, 0.75 * bar if pickup else 0.0)
    random = np.random.default_rng(sum(meter))
    at = played(track, grid)
    for _ in range(20):
        drawn = [
            ChordSymbol(int(random.integers(12)), str(random.choice(list(QUALITIES))))
            for _ in range(3)
        ]
        onsets = [float(beat) for beat in grid.beats[at * 8]]
        score.chords = [Chord(onset, str(drawn[random.integers(3)])) for onset in onsets]
        expected, _ = symbols_on_grid(score.chords, score, track, grid)
        again, notices = symbols_on_grid(chord_text(score, track), score, track, grid)
        assert [again[i] for i in at] == [expected[i] for i in at] and notices == []


@pytest.mark.parametrize("meter", [(4, 4), (3, 4), (2, 4), (6, 8), (12, 8), (5, 4), (7, 8)])
@pytest.mark.parametrize("pickup", [False, True])
def test_text_and_back(meter, pickup):
    bar = meter[0] * 4 / meter[1]
    score, track, grid = lead(meter, 6, 0.75 * bar if pickup else 0.0)
    names = ["C", "Am7", "F", "G7", "Dm", "Bdim", "Em", "C/E"]
    onsets = [
        float(beat) for beat in grid.beats[played(track, grid) * 8] if not pickup or beat >= bar
    ]
    onsets[0] = 0.0
    score.chords = [Chord(onset, names[(3 * i) % 8]) for i, onset in enumerate(onsets)]
    expected, _ = symbols_on_grid(score.chords, score, track, grid)
    text = chord_text(score, track)
    again, notices = symbols_on_grid(text, score, track, grid)
    assert [again[i] for i in played(track, grid)] == [expected[i] for i in played(track, grid)]
    assert text.count("\n") == 1 and not any("repeated" in notice for notice in notices)


def test_lines_begin_with_the_numbers_of_bars_in_the_picture():
    song, track, grid = lead()
    song.chords = [Chord(4.0 * bar, symbol) for bar, symbol in enumerate(["C", "F", "G", "C"] * 2)]
    lines = ["1 | C | F | G | C |", "5 | C | F | G | C |"]
    assert chord_text(song, track, numbered=True).splitlines() == lines
    assert symbols_on_grid("\n".join(lines), song, track, grid) == symbols_on_grid(
        chord_text(song, track), song, track, grid
    )


def test_a_pickup_is_bar_0_and_an_introduction_counts():
    pickup = [TimeSignature(0.0, 1, 4), TimeSignature(1.0, 4, 4)]
    notes = [Note(60, float(beat), 1.0, 80) for beat in range(17)]
    track = Track("piano", notes=notes)
    song = Score([track], meters=pickup, chords=[Chord(0.0, "C")])
    assert chord_text(song, track, numbered=True) == "1 | C | C | C | C |"
    late = Track("piano", notes=[note._replace(onset=note.onset + 8) for note in notes[:16]])
    song = Score([late], chords=[Chord(0.0, "C")])
    assert chord_text(song, late, numbered=True) == "3 | C | C | C | C |"
