"""A melody that rests for very long costs what it plays, and the band rests with it."""

import pytest

from accomp import Note, Score, Tempo, TimeSignature, Track
from accomp.band.rests import Rests, RestSettings
from accomp.music.score import Control
from accomp.roll.grid import MELODY, TRACKS
from tests.support.tiny import tiny

VERSE = 8  # bars
LONG = RestSettings().longest


def melody(rest, meter=(4, 4), verses=2):
    """Verses of eight bars with so many bars of rest between, and a change of tempo in each."""
    bar = TimeSignature(0.0, *meter).bar_beats
    notes, tempos = [], [Tempo(0.0, 500_000)]
    for verse in range(verses):
        start = verse * (VERSE + rest) * bar
        count = int(VERSE * bar / 0.75)
        pitches = [60 + (0, 4, 7, 5, 2)[i % 5] for i in range(count)]
        notes += [Note(p, start + 0.75 * i, 0.75, 80) for i, p in enumerate(pitches)]
        tempos.append(Tempo(start + (VERSE + rest / 2) * bar, 400_000 + verse))
    controls = [Control(note.onset + 0.1, 11, 90) for note in notes[::8]]
    other = Track("other", notes=[Note(40, VERSE * bar + 6.0 * bar, 1.0, 80)])
    return Score(
        [Track("vocal", notes=notes, controls=controls), other],
        tempos,
        [TimeSignature(0.0, *meter)],
    )


def notes_of_band(song):
    return [n for index, track in enumerate(song.tracks) if index != MELODY for n in track.notes]


@pytest.fixture(scope="module")
def model():
    return tiny()


@pytest.mark.parametrize("meter, intro", [((4, 4), "none"), ((3, 4), "bars")])
def test_the_band_rests_in_a_long_rest_and_plays_on_after_it(model, meter, intro):
    given = melody(120, meter)
    bar = given.meters[0].bar_beats
    sketch = model.sketch(given, melody_track=0, intro=intro)
    assert len(sketch.form.source) < (2 * VERSE + 20) / 2  # blocks, of two bars or less
    song = model.perform(sketch)
    delay = 2 * bar if intro == "bars" else 0.0
    moved = [note._replace(onset=note.onset + delay) for note in given.tracks[0].notes]
    assert song.tracks[MELODY].notes == moved
    onsets = {each.onset + delay for each in given.tracks[0].controls}
    assert onsets <= {each.onset for each in song.tracks[MELODY].controls}
    assert [tempo.onset for tempo in song.tempos[1:]] == [t.onset + delay for t in given.tempos[1:]]
    band = notes_of_band(song)
    rest = (VERSE * bar + delay, (VERSE + 120) * bar + delay)
    beside = (RestSettings().beside + RestSettings().phrase) * bar
    assert not [note for note in band if rest[0] + beside < note.onset < rest[1] - beside]
    after = [note for note in band if note.onset > rest[1] - 0.2]
    assert after and max(note.end for note in band) <= song.tracks[MELODY].end
    assert any(chord.onset >= rest[1] - beside for chord in song.chords)
    assert any("the band does, too" in notice for notice in song.notices)


def test_rests_as_songs_have_them_are_played_through():
    given = melody(LONG)
    rests = Rests.of(given, 0)
    assert not rests.spans and not rests.notices and rests.folded() is given
    assert Rests.of(melody(LONG + 1), 0).spans


def test_what_is_folded_is_unfolded_again():
    given = melody(100, verses=5)
    rests = Rests.of(given, 0)
    assert len(rests.spans) == 4
    folded = rests.folded()
    assert folded.end < given.end / 4 and len(folded.tracks[0].notes) == len(given.tracks[0].notes)
    assert not folded.tracks[1].notes  # it lay in a rest
    again = rests.unfolded(Score([folded.tracks[0]] * len(TRACKS)))
    assert again.tracks[MELODY] == given.tracks[0] and again.tempos == given.tempos
    onsets = [note.onset for note in rests.later(folded.tracks[0].notes)]
    assert onsets == pytest.approx([note.onset for note in given.tracks[0].notes])


def test_plans_lie_where_the_melody_plays(model):
    given = melody(120)
    plan = model.plans(given, melody_track=0, n=1)[0]
    assert plan.chords == tuple(model.accompany(given, melody_track=0).chords)


def test_given_chords_are_played_in_a_rest(model):
    given = melody(60)
    song = model.accompany(given, melody_track=0, chords="| C | F | G | C |")
    middle = (VERSE + 30) * 4
    assert [note for note in notes_of_band(song) if abs(note.onset - middle) < 8]
