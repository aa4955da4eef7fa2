from dataclasses import replace

import numpy as np
import pytest
import torch

from accomp.models import chord_planner
from accomp.models.chord_planner import (
    MASKED,
    ChordPlanner,
    Melodies,
    PlannerConfig,
    likeness,
    transpose_logits,
)
from accomp.models.chord_richness import RichnessSettings, _resolving
from accomp.models.plan_search import (
    TRIAD_OF,
    Hearing,
    PlanRequest,
    PlanSearch,
    SearchSettings,
    melody_tensors,
    triad_logs,
)
from accomp.music.chord_symbols import parse_symbol
from accomp.music.score import Note, Score
from accomp.roll.chord_vocabulary import CLASS_COUNT, CLASS_TONES, CLASS_TRIADS, class_of
from accomp.roll.grid import Grid
from accomp.roll.melody_units import MelodyUnits

CONFIG = PlannerConfig(width=16, layers=1, context=8, heads=2, genres=["jazz", "folk"])


@pytest.fixture(scope="module")
def planner():
    torch.manual_seed(3)
    model = ChordPlanner(CONFIG)
    torch.nn.init.normal_(model.frame.weight, std=1.0)
    torch.nn.init.normal_(model.context.chord.weight, std=1.0)
    return model.eval()


def units_of(pitches, bars=4):
    notes = [Note(pitch, float(i), 1.0, 80) for i, pitch in enumerate(pitches)]
    score, grid = Score(), Grid(np.arange(16 * bars + 1) / 4)
    return MelodyUnits.of(notes, score, grid, 0, 0.0, (0.0, 4.0 * bars))


CHORDS = ["C", "F", "G", "C", "Am", "F", "G", "C"]
MELODY = [60, 64, 67, 65, 62, 59, 60, 55, 60, 64, 67, 65, 62, 59, 60, 60]


def test_logits_move_with_their_key():
    logits = torch.zeros(2, 1, CLASS_COUNT)
    logits[:, 0, class_of(parse_symbol("Am7"))] = 1
    moved = transpose_logits(logits, torch.tensor([3, 0]))
    assert moved[0, 0].argmax() == class_of(parse_symbol("Cm7"))
    assert moved[1, 0].argmax() == class_of(parse_symbol("Am7"))


def test_a_returning_phrase_is_alike():
    classes, rows, valid = melody_tensors([units_of(MELODY)])
    one_hot = torch.nn.functional.one_hot(classes, 13)[..., :12].float()
    alike = likeness(one_hot, valid)[0]
    assert alike[0, 4, 0] == pytest.approx(1.0, abs=1e-5)  # bar 3 begins as bar 1
    assert alike[0, 4, 1] > alike[0, 2, 1]


def test_there_is_no_attention_to_padding(planner):
    classes, rows, valid = melody_tensors([units_of(MELODY[:8], 2), units_of(MELODY)])
    assert valid.tolist() == [[True] * 4 + [False] * 4, [True] * 8]
    far = planner.encode(told(classes, rows, valid)).far
    assert far[0, 0].tolist() == [False] * 4 + [True] * 4 and not far[1].any()


def test_a_long_song_is_heard_piece_by_piece_as_at_once(planner, monkeypatch):
    melodies = told(*melody_tensors([units_of(MELODY)]))
    with torch.no_grad():
        at_once = planner.encode(melodies)
        monkeypatch.setattr(chord_planner, "LOOK_ABOUT", 3)
        in_pieces = planner.encode(melodies)
    assert torch.allclose(at_once.logits, in_pieces.logits, atol=1e-5)


def test_a_melody_in_several_keys_is_compared_with_itself_once(planner):
    one = told(*(each.expand(2, *each.shape[1:]) for each in melody_tensors([units_of(MELODY)])))
    melodies = one.transposed(torch.tensor([0, 5]))
    with torch.no_grad():
        each, shared = planner.encode(melodies), planner.encode(melodies, one_melody=True)
    assert len(each.alike) == 2 and len(shared.alike) == 1
    assert torch.allclose(each.logits, shared.logits, atol=1e-5)
    assert torch.equal(shared.rows(torch.tensor([1])).logits, shared.logits[1:])


def told(classes, rows, valid):
    count = len(classes)
    unknown = torch.full((count, 3), torch.nan)
    return Melodies(
        classes, rows, valid, torch.zeros(count, dtype=int), torch.full((count,), -1), unknown
    )


def search_of(planner, settings=None, **request):
    wish = PlanRequest(units_of(MELODY), 0, **request)
    return PlanSearch(planner, wish, settings or SearchSettings())


def test_same_seed_same_plan_and_other_seeds_others(planner):
    search = search_of(planner)
    a, b, c = (search.draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(a, b) and not torch.equal(a, c)
    assert a.shape == (SearchSettings().drawn, 8) and (a >= 0).all() and (a < CLASS_COUNT).all()


def test_no_bass_is_the_other_third_of_a_chord(planner):
    search = search_of(planner)
    chords = torch.tensor([class_of(parse_symbol(each)) for each in ("Am", "C") * 4])
    drawn = torch.stack([search.basses_for(chords, seed) for seed in range(100)])
    minor, major = drawn[:, ::2], drawn[:, 1::2]
    assert not (minor == 4).any() and not (major == 3).any()
    assert (minor == 3).any() and (major == 4).any()  # others, of an untrained planner, are there


def test_given_chords_stay(planner):
    chords = np.full(8, MASKED)
    chords[[0, 7]] = class_of(parse_symbol("F#m")), class_of(parse_symbol("C"))
    basses = np.zeros(8, int)
    basses[7] = 4
    plans = search_of(planner, chords=chords, basses=basses).best(np.random.default_rng(0), 3)
    for plan in plans:
        assert plan.chords[0] == chords[0] and plan.chords[7] == chords[7]
        assert plan.basses[7] == 4


def test_units_that_return_share_their_chords(planner):
    ties = np.array([0, 1, 2, 3, 0, 1, 2, 7])
    tied = search_of(planner, ties=ties)
    drawn = tied.draw(np.random.default_rng(0))
    assert torch.equal(drawn[:, 4:7], drawn[:, :3])
    best = tied.best(np.random.default_rng(0))[0].chords
    assert np.array_equal(best[4:7], best[:3])
    assert not torch.equal(search_of(planner).draw(np.random.default_rng(0))[:, 4:7], drawn[:, :3])


def test_plans_are_distinct_and_the_best_stays_the_best(planner):
    search = search_of(planner)
    alone = search.best(np.random.default_rng(5))
    plans = search.best(np.random.default_rng(5), 4)
    assert np.array_equal(alone[0].chords, plans[0].chords)
    for i, plan in enumerate(plans):
        for other in plans[:i]:
            apart = CLASS_TRIADS[plan.chords] != CLASS_TRIADS[other.chords]
            assert apart.mean() >= SearchSettings().distinct
        assert 0 < plan.agreement <= 1


def test_probabilities_add_up_and_hear_the_other_chords(planner):
    search = search_of(planner)
    chords = torch.tensor([class_of(parse_symbol(s)) for s in CHORDS])
    basses = torch.zeros(8, dtype=int)
    logs = search.log_probabilities(chords, basses)
    assert logs.shape == (8, CLASS_COUNT)
    assert torch.allclose(logs.exp().sum(1), torch.ones(8), atol=1e-4)
    # A chord's own probability does not hear it; that of its neighbours does.
    other = chords.clone()
    other[2:4] = class_of(parse_symbol("E7"))
    assert torch.allclose(search.at(chords, basses, 2), search.at(other, basses, 2), atol=1e-5) == (
        chords[2] == chords[3]
    )
    changed = search.log_probabilities(other, basses)
    assert torch.allclose(changed[2], logs[2], atol=1e-5)
    assert not torch.allclose(changed[0], logs[0], atol=1e-5)


def test_the_melody_is_heard_in_every_key_alike(planner):
    # In twelve keys alike, what is likely for a transposed melody is transposed.
    every = SearchSettings(hearings=tuple(Hearing(key, True, 1.0) for key in range(12)))
    low, high = (
        PlanSearch(planner, PlanRequest(units_of([p + by for p in MELODY]), 0), every)
        for by in (0, 5)
    )
    moved = transpose_logits(low.alone[None], torch.tensor([5]))[0]
    assert torch.allclose(moved, high.alone, atol=1e-3)
    key = transpose_logits(low.key[None], torch.tensor([5]))[0]
    assert torch.allclose(key, high.key, atol=1e-3)


def test_triads_are_of_all_hearings_and_chords_of_those_that_are_told(planner):
    told, other = Hearing(0, True, 0.5), Hearing(7, False, 0.5)
    both = search_of(planner, SearchSettings(hearings=(told, other)))
    alone = search_of(planner, SearchSettings(hearings=(told,)))
    assert not torch.allclose(triad_logs(both.alone), triad_logs(alone.alone), atol=1e-3)
    within = [s.alone - triad_logs(s.alone) @ TRIAD_OF.T for s in (both, alone)]
    assert torch.allclose(*within, atol=1e-3)


def test_phrases_close_with_the_dominant_where_the_tonic_follows(planner):
    search = search_of(planner)
    expected = np.full((8, 24), 0.02)
    expected[:, 0], expected[5, [0, 7]] = 0.5, (0.65, 0.35)
    assert search.request.units.bars[6:].tolist() == [3, 3]
    plain = search._triads(expected)
    search.request = replace(search.request, closing=(7, 0))
    closed = search._triads(expected)
    assert plain.tolist() == [0] * 8 and closed.tolist() == [0] * 5 + [7, 0, 0]


def test_levels_and_genres_change_what_is_likely(planner):
    plain, colourful = (search_of(planner, levels=(x, x, 1.0)) for x in (0.0, 1.0))
    assert not torch.allclose(plain.alone, colourful.alone)
    folk = PlanSearch(planner, replace(plain.request, genre=1))
    assert not torch.allclose(plain.alone, folk.alone)


def test_so_many_chords_are_more_than_triads_as_the_levels_ask_for(planner):
    # An untrained planner is sure of its chords.
    settings = SearchSettings(richness=RichnessSettings(richest=60.0, tries=10))

    def share(level):
        search = search_of(planner, settings, levels=(level, np.nan, np.nan))
        return (CLASS_TONES[search.best(np.random.default_rng(0))[0].chords].sum(1) > 3).mean()

    assert share(0.0) == 0 and share(0.5) == 0.5 and share(1.0) == 1


def test_a_plan_begins_on_a_root(planner):
    search = search_of(planner)
    chords = torch.tensor([class_of(parse_symbol(each)) for each in ["F", "F", *CHORDS[2:]]])
    drawn = torch.stack([search.basses_for(chords, seed) for seed in range(50)])
    assert not drawn[:, :2].any() and drawn[:, 2].any()


def test_a_genre_weighs_as_the_request_says(planner):
    hearings = (Hearing(0, True, 1.0), Hearing(0, False, 0.8))
    settings = SearchSettings(hearings=hearings)
    little, much = (search_of(planner, settings, genre_weight=w) for w in (0.0, 1000.0))
    told = search_of(planner, SearchSettings(hearings=hearings[:1]))
    assert torch.allclose(triad_logs(much.alone), triad_logs(told.alone), atol=1e-2)
    assert not torch.allclose(triad_logs(little.alone), triad_logs(told.alone), atol=1e-2)


def test_dominants_resolve_where_the_root_goes_a_fourth_up():
    triads = torch.tensor([CLASS_TRIADS[class_of(parse_symbol(each))] for each in CHORDS])
    # C F G C Am F G C: C to F and G to C; what is last resolves nowhere.
    assert _resolving(triads).tolist() == [True, False, True, False, False, False, True, False]
    held = torch.tensor([7, 7, 0, 21, 14])  # G G C Am Dm
    assert _resolving(held).tolist() == [True, True, False, True, False]
