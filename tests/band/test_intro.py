import pytest

from accomp import MusicError, Note, Score, Tempo, TimeSignature, Track
from accomp.band.intro import make_room, turnaround
from accomp.band.lead import Lead
from accomp.music.percussion import SIDE_STICK
from accomp.music.timing import delayed
from accomp.roll.grid import DRUMS, MELODY
from tests.support.tiny import tiny


def score(start=0.0, meter=(4, 4)):
    notes = [Note(60 + (0, 4, 7, 5, 2)[i % 5], start + i * 0.75, 0.75, 80) for i in range(40)]
    return Score(
        [Track("m", notes=notes)],
        [Tempo(0.0, 500_000), Tempo(6.0, 400_000)],
        [TimeSignature(0.0, *meter)],
    )


@pytest.fixture(scope="module")
def model():
    return tiny()


def test_without_introduction_nothing_moves(model):
    song = model.accompany(score(), intro="none")
    assert song.tracks[MELODY].notes == score().tracks[0].notes and song.tempos == score().tempos


@pytest.mark.parametrize("meter, bar", [((4, 4), 4.0), ((3, 4), 3.0), ((6, 8), 3.0)])
def test_two_bars_of_the_band_before_the_melody(model, meter, bar):
    song = model.accompany(score(meter=meter), intro="bars")
    assert song.tracks[MELODY].notes == [
        n._replace(onset=n.onset + 2 * bar) for n in score().tracks[0].notes
    ]
    before = [
        n for i, t in enumerate(song.tracks) if i != MELODY for n in t.notes if n.onset < 2 * bar
    ]
    assert before
    assert song.tempos == [Tempo(0.0, 500_000), Tempo(6.0 + 2 * bar, 400_000)]
    assert song.chords[0].onset == 0.0


def test_clicks_count_a_bar(model):
    song = model.accompany(score(meter=(3, 4)), intro="count-in")
    clicks = [n for n in song.tracks[DRUMS].notes if n.onset < 3.0]
    assert [(n.pitch, n.onset) for n in clicks] == [
        (SIDE_STICK, 0.0),
        (SIDE_STICK, 1.0),
        (SIDE_STICK, 2.0),
    ]
    assert song.tracks[MELODY].start == 3.0
    assert all(
        n.onset >= 3.0
        for i, t in enumerate(song.tracks)
        if i not in (MELODY, DRUMS)
        for n in t.notes
    )


def test_a_melody_that_begins_late_leaves_room_already():
    late = score(start=16.0)
    moved, lead = make_room(late, Lead.of(late), "bars")
    assert moved is late and lead.grid.beats[0] == 8.0 and lead.first_block == 1


def test_a_pickup_is_part_of_the_two_bars(model):
    pickup = score(start=3.0)
    _, lead = make_room(pickup, Lead.of(pickup), "bars")
    assert lead.first_block == 1 and lead.grid.beats[32] == lead.line[0].onset + 1.0
    assert len(turnaround(lead)) == 2


def test_everything_is_later_together():
    later = delayed(score(), 2.5)
    assert later.tracks[0].start == 2.5 and [t.onset for t in later.tempos] == [0.0, 8.5]


def test_an_unknown_introduction_is_refused(model):
    with pytest.raises(MusicError, match="'drum solo' is unknown; accepted: none, count-in, bars"):
        model.accompany(score(), intro="drum solo")


def test_turnarounds_lead_to_the_tonic():
    minor = Score(
        [
            Track(
                notes=[
                    Note(p, float(i), 1.0, 80)
                    for i, p in enumerate([57, 60, 64, 57, 59, 60, 62, 64, 57])
                ]
            )
        ]
    )
    moved, lead = make_room(minor, Lead.of(minor), "bars")
    assert [symbol.triad for symbol in turnaround(lead)] == [21, 5, 14, 4]
    assert lead.grid.beats[32] == lead.line[0].onset
