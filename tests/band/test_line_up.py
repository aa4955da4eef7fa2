import numpy as np
import pytest

from accomp.band.form import Form
from accomp.band.line_up import (
    EVENTS,
    FEATURES,
    LineUpModel,
    Units,
    draw_line_up,
    features,
    lined_up,
    shipped_line_ups,
)
from accomp.band.streams import Streams
from accomp.roll.grid import ACCOMPANIMENT, BLOCK_STEPS, DRUMS, STRINGS, TRACK_NAMES

GENRES = ("folk", "game", "gospel", "jazz", "latin", "pop", "rock")
GUITAR, STRING_PLAYER = 2, 3  # in ACCOMPANIMENT


def block(*notes):
    planes = np.zeros((2, BLOCK_STEPS, 128), np.uint8)
    for step, pitch in notes:
        planes[:, step, pitch] = 1
    return planes


A = block((0, 60), (4, 62), (10, 64), (16, 65), (24, 67))
B = block((2, 72), (3, 71), (8, 69), (14, 72), (20, 74), (27, 69))
SILENT = block()
# Phrases of two blocks: A A B A.
SONG = np.stack([A, block((1, 65), (9, 70), (22, 65))] * 2 + [B, B] + [A, A])


def units_of(blocks, first=0):
    return Units.of(Form.find(blocks, first), blocks, first)


def always(**chances):
    """A model in which each player rests with its own probability, whatever happens."""
    weights = {}
    for track in ACCOMPANIMENT:
        chance = chances.get(TRACK_NAMES[track], 0.0)
        row = np.zeros(len(FEATURES))
        row[0] = np.log((chance + 1e-9) / (1 - chance + 1e-9))
        weights[TRACK_NAMES[track]] = dict.fromkeys(EVENTS, row)
    return LineUpModel([], weights, {"": {"section": 0.5, "phrase": 0.2, "same": 0.1}})


def test_a_song_is_cut_into_four_bars_that_know_where_phrases_begin_and_return():
    units = units_of(SONG)
    assert units.starts.tolist() == [0, 2, 4, 6, 8]
    assert units.phrase.all() and units.section.tolist() == [False, False, True, True]
    assert units.before.tolist() == [-1, 0, -1, 1]
    assert units.busy[2] > units.busy[0] and not units.melody_rests.any()
    assert [units.following(unit) for unit in range(3)] == ["phrase", "section", "section"]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8])
def test_every_block_is_in_one_unit(count):
    for first in range(min(count, 2)):
        units = units_of(SONG[:count], first)
        assert units.starts[0] == first and units.starts[-1] == count
        assert (np.diff(units.starts) > 0).all() and len(units.busy) == units.count


def test_what_a_player_did_is_known():
    units = units_of(SONG)
    rests = np.array([[0, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]], bool)

    def known(unit, player):
        return dict(zip(FEATURES, features(units, rests, unit, player)))

    assert known(1, GUITAR)["waiting"] == 1 and known(1, GUITAR)["rested_there"] == 1
    assert known(2, GUITAR)["long"] == 1 and known(2, GUITAR)["rested_there"] == 0
    assert known(2, GUITAR)["others_enter"] == 1 and known(3, GUITAR)["others_stop"] == 1
    assert known(3, 1)["rested_before"] == 1 and known(3, GUITAR)["rested_before"] == 0
    assert known(3, STRING_PLAYER)["others_rest"] == 1


def test_players_rest_as_often_as_the_model_says():
    units = units_of(SONG)
    drawn = np.mean(
        [
            draw_line_up(units, always(strings=0.3), np.random.default_rng(seed))
            for seed in range(300)
        ],
        axis=(0, 1),
    )
    assert np.allclose(drawn, [0, 0, 0, 0.3], atol=0.05)


def test_two_always_play_and_nobody_rests_for_most_of_a_song():
    everybody = always(drums=0.99, bass=0.98, guitar=0.97, strings=0.96)
    for seed in range(20):
        rests = draw_line_up(units_of(SONG), everybody, np.random.default_rng(seed))
        assert (rests.sum(1) <= 2).all()
        assert (rests.mean(0) <= [0.5, 0.5, 0.5, 0.75]).all()


@pytest.mark.parametrize("count, longest", [(8, [1, 1, 1, 2]), (16, [2, 2, 2, 4])])
def test_nobody_rests_too_long_in_a_row(count, longest):
    blocks = np.concatenate([SONG] * 5)[:count]
    found = np.zeros(4, int)
    for seed in range(60):
        everybody = always(drums=0.8, bass=0.8, guitar=0.8, strings=0.8)
        rests = draw_line_up(units_of(blocks), everybody, np.random.default_rng(seed))
        for player, own in enumerate(rests.T):
            rows = "".join("x" if resting else " " for resting in own).split()
            found[player] = max(found[player], *map(len, rows), 0)
    assert found.tolist() == longest


def test_drums_and_bass_are_there_at_the_end():
    everybody = always(drums=0.9, bass=0.9, guitar=0.5, strings=0.5)
    last = np.mean(
        [
            draw_line_up(units_of(SONG), everybody, np.random.default_rng(seed))[-1]
            for seed in range(60)
        ],
        axis=0,
    )
    assert last[:2].tolist() == [0, 0] and (last[2:] > 0).all()


def test_in_a_short_song_everybody_plays():
    units = units_of(SONG[:4])
    assert not draw_line_up(units, always(strings=0.9), np.random.default_rng(0)).any()


def test_seed_melody_and_genre_decide_together():
    other = SONG[::-1].copy()
    first = Streams(3).line_up(SONG, "pop").random()
    assert first == Streams(3).line_up(SONG, "pop").random()
    later = np.concatenate([[SILENT], SONG, [SILENT]])
    assert first == Streams(3).line_up(later, "pop").random()
    others = [
        Streams(4).line_up(SONG, "pop"),
        Streams(3).line_up(other, "pop"),
        Streams(3).line_up(SONG, "jazz"),
    ]
    assert first not in [stream.random() for stream in others]


def test_at_the_default_seed_it_is_not_always_the_same_player_who_is_missing():
    random = np.random.default_rng(0)
    missing = []
    for _ in range(60):
        song = random.permutation(np.repeat(SONG, 2, axis=0))
        form = Form.find(song, 0)
        form = lined_up(form, song, 0, Streams(0).line_up(song, "rock"), "rock")
        missing += list(form.rests)
        assert form.is_lined_up
    assert len(set(missing)) == len(ACCOMPANIMENT)
    assert missing.count(STRINGS) > missing.count(DRUMS)


@pytest.mark.parametrize("genre", GENRES)
def test_shipped_line_ups_rest_as_real_bands_do(genre):
    song = np.tile(SONG, (2, 1, 1, 1))
    units = units_of(song)
    rests = np.array(
        [
            draw_line_up(units, shipped_line_ups(), np.random.default_rng(seed), genre)
            for seed in range(60)
        ]
    )
    drums, bass, guitar, strings = rests.mean((0, 1))
    assert drums < 0.08 and bass < 0.12 and guitar < 0.3 and 0.08 < strings < 0.45


def test_fills_end_units_as_often_as_the_genre_has_them():
    form = lined_up(Form.find(SONG, 0), SONG, 0, np.random.default_rng(0), "pop")
    of_genre = shipped_line_ups().fills["pop"]
    assert np.flatnonzero(form.fills).tolist() == [1, 3, 5]
    assert form.fills[1] == of_genre["phrase"] and form.fills[3] == of_genre["section"]
