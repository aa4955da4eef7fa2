from dataclasses import replace

import numpy as np
import pytest

from accomp.band.form import Form
from accomp.band.lead import Lead
from accomp.band.options import Options
from accomp.band.planning import (
    final_tonic,
    given_plan,
    levels_at,
    plan_melody,
    plan_request,
)
from accomp.errors import MusicError
from accomp.models.chord_planner import UNKNOWN
from accomp.music.chord_symbols import parse_symbol
from accomp.music.score import Chord, Note, Score, TimeSignature, Track
from tests.music.test_key_sections import song
from tests.support import scores
from tests.support.tiny import tiny


@pytest.fixture(scope="module")
def model():
    return tiny()


def melody(meter=(4, 4), bars=8):
    signature = TimeSignature(0.0, *meter)
    pitches = [60, 64, 67, 65, 62, 59, 60, 55]
    count = int(bars * signature.bar_beats)
    notes = [Note(pitches[i % 8], float(i), 1.0, 80) for i in range(count - 1)]
    return Score(
        [Track("melody", notes=[*notes, Note(60, count - 1.0, 1.0, 80)])], meters=[signature]
    )


def test_the_first_of_several_plans_is_the_one_that_is_played(model):
    song = model.accompany(melody(), seed=4)
    plans = model.plans(melody(), seed=4, n=3)
    assert tuple(song.chords) == plans[0].chords
    assert len({plan.chords for plan in plans}) == len(plans) > 1
    again = model.accompany(melody(), seed=4, chords=plans[1].chords)
    assert tuple(again.chords) == plans[1].chords
    assert model.plans(melody(), seed=4, n=3) == plans
    assert all(plan.log_likelihood < 0 < plan.agreement <= 1 for plan in plans)


@pytest.mark.parametrize("meter", [(3, 4), (6, 8), (2, 4), (5, 4)])
def test_plans_in_other_meters_change_on_their_beats(model, meter):
    score = melody(meter)
    bar = score.meters[0].bar_beats
    places = {(3, 4): {0, 2}, (6, 8): {0}, (2, 4): {0}, (5, 4): {0, 2, 4}}[meter]
    onsets = [chord.onset % bar for plan in model.plans(score, n=4) for chord in plan.chords]
    assert set(onsets) <= places and len(onsets) > 4


def test_alternatives_fit_their_place(model):
    chords = model.plans(melody(), n=1)[0].chords
    found = model.chord_alternatives(melody(), chords, 8.5, n=4)
    chances = [each.probability for each in found]
    assert len(found) == 4 and chances == sorted(chances, reverse=True) and sum(chances) <= 1
    for each in found:
        parse_symbol(each.symbol)
    text = model.chord_alternatives(melody(), "| C | F | G | C |", 8.5, n=4)
    assert [each.symbol for each in text] != [each.symbol for each in found] or text != found
    with pytest.raises(MusicError, match="the beat is 99; accepted: 0 to 32"):
        model.chord_alternatives(melody(), chords, 99)
    with pytest.raises(MusicError, match="number of plans is 0"):
        model.plans(melody(), n=0)
    with pytest.raises(MusicError, match="know no chords"):
        tiny(paper=True).plans(melody())


def test_alternatives_are_in_the_melodys_key(model):
    def up(by):
        score = melody()
        notes = [note._replace(pitch=note.pitch + by) for note in score.tracks[0].notes]
        return Score([Track("melody", notes=notes)], meters=score.meters)

    given = [Chord(0.0, "C"), Chord(8.0, "G7"), Chord(16.0, "C")]
    moved = [Chord(0.0, "D"), Chord(8.0, "A7"), Chord(16.0, "D")]
    low = model.chord_alternatives(up(0), given, 8.0)
    high = model.chord_alternatives(up(2), moved, 8.0)
    assert [str(parse_symbol(each.symbol).transposed(2)) for each in low] == [
        each.symbol for each in high
    ]


def test_colour_asks_for_what_songs_of_the_genre_do(model):
    lead = Lead.of(melody())
    assert (model.planner.levels == UNKNOWN).all()
    form = Form.bare(lead.grid.blocks)

    def levels(genre, colour):
        config = replace(model.config, genre=genre)
        return plan_request(model.planner, melody(), lead, form, config, colour).levels

    assert np.isnan(levels("jazz", 0.5)).all()
    quantiles = np.array([[0, 0.1, 0.2, 0.4, 0.8], [0, 0, 0, 0.1, 0.3], [1, 1, 1, 1, 2]])
    assert levels_at(quantiles, 0) == (0, 0, 1)
    assert levels_at(quantiles, 1) == (0.8, 0.3, 2)
    assert levels_at(quantiles, 0.625) == pytest.approx((0.3, 0.05, 1))
    with pytest.raises(MusicError, match="colour is 1.5; accepted: 0 \\(plain\\) to 1"):
        Options(colour=1.5)


def test_sections_that_return_share_chords_and_lone_blocks_do_not(model):
    lead = Lead.of(melody(bars=16))
    source = np.array([-1, -1, -1, 0, 1, 0, 1, 2])
    form = Form.bare(lead.grid.blocks)
    form.source = source
    ties = plan_request(model.planner, melody(bars=16), lead, form, model.config, 0.5).ties
    assert ties[20:32].tolist() == list(range(12))  # blocks 5 to 7 return as 0 to 2 were
    assert ties[:20].tolist() == list(range(20))  # blocks 3 and 4 alone do not


def test_a_song_ends_on_the_tonic_that_its_melody_has(model):
    assert final_tonic(Lead.of(melody(), key="C major")) == 0
    odd = melody()
    odd.tracks[0].notes[-1] = Note(62, 31.0, 1.0, 80)
    assert final_tonic(Lead.of(odd, key="C major")) is None
    song = model.accompany(Score([Track("melody", notes=scores.melody())]))
    plain = model.plans(melody(), n=2, key="C major")
    assert all(plan.chords[-1].symbol == "C" for plan in plain) and song.chords


def test_where_the_melody_modulates_the_planner_hears_it_in_one_key(model):
    score = Score([Track("melody", notes=song(0, 0, 2, 2)[0])])
    lead = Lead.of(score)

    def heard(lead: Lead):
        return plan_request(model.planner, score, lead, Form.bare(16), model.config, 0.5)

    request, whole = heard(lead), replace(lead, sections=())
    level = heard(replace(whole, line=lead.level_line)).units.pitch_class
    assert (request.units.pitch_class == level).all()
    assert (request.units.pitch_class != heard(whole).units.pitch_class).any()
    planning = plan_melody(model.planner, request, lead, ending=False)
    plan = planning.search.best(np.random.default_rng(0))[0]
    symbols = planning.symbols(plan)
    classes, _ = given_plan(symbols, planning)
    assert classes.tolist() == list(plan.chords)  # there and back
    roots = np.array([symbol.root for symbol in symbols])
    by_unit = planning.units.by_half_bar(len(symbols))
    assert ((roots - lead.moved) % 12 == plan.chords[by_unit] % 12).all()
    assert set(lead.moved - lead.moved[0]) == {0, 2}
