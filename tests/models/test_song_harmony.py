from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from accomp.models.harmony_kinds import make_harmony_nn
from accomp.models.harmony_network import (
    NEVER,
    RHYTHM,
    HarmonyConfig,
    Sampling,
    SongLatents,
)
from accomp.models.song_harmony import (
    FAR,
    MIDDLE,
    OLDER,
    SongHarmonyNN,
    SongPlayer,
)
from accomp.models.song_memory import Real, Song, unknown
from accomp.models.song_pairs import alike, melody_pairs
from accomp.roll.grid import BASS, DRUMS

Z, K, E, T = 3, 4, 2, 7


def network(**settings):
    torch.manual_seed(0)
    config = HarmonyConfig(
        network="song", width=16, heads=2, codebook=6, genres=["a", "b"], **settings
    )
    model = SongHarmonyNN(config, Z, K, [E]).eval()
    for bias in (*model.biases, model.pointer_bias):
        torch.nn.init.normal_(bias.lags.weight)  # so that places count before training, too
    model.set_codes(torch.randn(5, K))  # one entry stays empty
    return model


def rows(count, size, seed=1):
    torch.manual_seed(seed)
    return torch.cat([torch.randn(2, count, size), torch.ones(2, count, 1)], -1)


def song(count=T):
    return Song(
        melody=rows(count, Z, 1),
        plan=torch.arange(2 * count * 4).reshape(2, count, 4) % 24,
        blocks=torch.tensor([count, count - 2]),
        genre=torch.tensor([0, 1]),
        earlier=[rows(count, E, 2)],
        own=rows(count, K, 3),
    )


def middle(count=T):
    return torch.full((2, count), MIDDLE)


def logits_of(model, song, steps=None):
    heard, everything = model.listen(song), slice(0, song.own.shape[1])
    memory = model.remember(heard, song, everything)
    steps = middle(song.own.shape[1]) if steps is None else steps
    return model(heard, song, memory, everything, steps).detach()


def choices(logits):
    """What may be chosen: the logits of what may not are no matter."""
    return torch.where(logits < NEVER / 2, NEVER, logits)


def test_a_distribution_over_codes_silence_and_what_was_played():
    model, heard = network(), song()
    heard.own[0, 2] = 0  # a rest, which nobody takes up
    logits = logits_of(model, heard)
    assert logits.shape == (2, T, 6 + 1 + T)
    assert (logits[..., 5] < NEVER / 2).all()  # the empty entry
    taken = logits[0, :, 7:] > NEVER / 2
    expected = torch.ones(T, T).tril(-1).bool()
    expected[:, 2] = False
    assert (taken == expected).all()


def test_no_network_hears_the_future_of_the_band():
    model, heard = network(), song()
    base = choices(logits_of(model, heard))
    for block in range(T):
        later = replace(heard, own=heard.own.clone(), earlier=[heard.earlier[0].clone()])
        later.own[:, block:] += 1
        later.earlier[0][:, block + 1 :] += 1
        assert torch.allclose(
            choices(logits_of(model, later))[:, : block + 1], base[:, : block + 1]
        )
    now = replace(heard, earlier=[heard.earlier[0].clone()])
    now.earlier[0][:, 3] += 1
    assert not torch.allclose(choices(logits_of(model, now))[:, 3], base[:, 3])
    ahead = replace(heard, melody=heard.melody.clone())
    ahead.melody[:, 4] += 1
    assert not torch.allclose(choices(logits_of(model, ahead))[:, 0], base[:, 0])


def test_what_fills_up_a_shorter_song_is_not_heard():
    model, heard = network(), song()
    other = replace(heard, melody=heard.melody.clone(), own=heard.own.clone())
    other.melody[1, -1] += 1  # the second song is shorter
    one, two = logits_of(model, heard)[1, :3], logits_of(model, other)[1, :3]
    assert torch.allclose(choices(one), choices(two), atol=1e-5)


def test_step_by_step_it_chooses_as_it_has_learned():
    """The memory that grows from block to block holds what training computes at once."""
    model, heard = network(), song()
    at_once = choices(logits_of(model, heard))
    player = SongPlayer(model, heard)
    for block in range(T):
        memory = player._memory(block)
        here = slice(block, block + 1)
        logits = choices(model(player.heard, heard, memory, here, middle(1)))
        assert torch.allclose(logits[:, 0], at_once[:, block, : 7 + block], atol=1e-4)


def test_first_hears_nothing_of_the_own_past():
    model, heard = network(), song()
    first = torch.zeros(2, T, dtype=torch.int64)
    silent = replace(heard, own=unknown(heard.own))
    other = replace(silent, own=unknown(heard.own + 1))
    assert torch.equal(logits_of(model, silent, first), logits_of(model, other, first))
    generator = torch.Generator().manual_seed(0)
    chosen = SongPlayer(model, heard).choose_all(first[:, 0], 3, generator, Sampling())
    assert all((model.codes[:5] == row[:-1]).all(1).any() or not row[-1] for row in chosen)


def latents(count=T):
    tracks = {DRUMS: rows(count, E, 2)[0], BASS: torch.zeros(count, K + 1)}
    return SongLatents(
        rows(count, Z, 1)[0, :, :-1],
        tracks,
        torch.zeros(count, 4, dtype=torch.int64),
        torch.tensor([count]),
        0,
    )


def played(model, seed, sampling=Sampling(silence=NEVER), count=T):
    songs = latents(count)
    player, generator = model.player(BASS, songs), torch.Generator().manual_seed(seed)
    for block in range(count):
        step = "middle" if block else "first"
        songs.tracks[BASS][block] = player.choose(step, block, generator, sampling)
    return songs.tracks[BASS]


def test_same_seed_same_music():
    model = network()
    assert torch.equal(played(model, 1), played(model, 1))
    assert not torch.equal(played(model, 1), played(model, 2))


def test_a_steady_player_takes_up_what_it_played():
    model = network()
    steady = played(model, 1, Sampling(steadiness=50.0, silence=NEVER))
    assert (steady == steady[0]).all() and steady[0, -1] == 1
    restless = played(model, 1, Sampling(steadiness=NEVER, silence=NEVER), 12)
    assert len(restless.unique(dim=0)) > 2
    silent = played(model, 1, Sampling(silence=50.0))
    assert not silent.any()


def test_codes_of_another_meter_are_not_chosen():
    model = network(meters=True)
    codes = torch.randn(6, K)
    model.set_codes(codes, meter=torch.tensor([4, 4, 4, 3, 3, 3]))
    always_new = {"steadiness": NEVER, "silence": NEVER}
    for meter, own in ((4, codes[:3]), (3, codes[3:]), (6, codes), (0, codes)):  # none is of 6
        chosen = played(model, 1, Sampling(meter=meter, **always_new), 16)[:, :-1]
        assert all((own == row).all(1).any() for row in chosen)
        assert len(chosen.unique(dim=0)) > 1


def test_a_waltz_is_learned_from_codes_of_waltzes():
    model, heard = network(meters=True), song()
    model.set_codes(model.codes[:5].clone(), meter=torch.tensor([4, 4, 3, 3, 3]))
    heard.meters = torch.tensor([[4], [3]]).expand(-1, T)
    chances = logits_of(model, heard).softmax(-1)
    assert (chances[0, :, 2:6] < 1e-6).all() and (chances[1, :, :2] < 1e-6).all()
    assert (chances[0, :, :2] > 0).all() and (chances[1, :, 2:5] > 0).all()
    logits = model.logits_of_codes(model.codes[:2], torch.tensor([3, 4]))
    assert logits[0, :5].isfinite().tolist() == [False, False, True, True, True]
    assert logits[1, :5].isfinite().tolist() == [True, True, False, False, False]
    assert logits[1, 1] == 0 and not logits[:, 5].isfinite().any()


def test_a_wish_decides_among_codes():
    model = network()
    wish = torch.tensor([0.0, 0.0, 50.0, 0.0, 0.0, 0.0])
    sampling = Sampling(steadiness=NEVER, silence=NEVER, wish=wish)
    assert (played(model, 1, sampling)[:, :-1] == model.codes[2]).all()


def real_of(model, rows):
    """Each block is of the nearest code, or takes up what is the same."""
    logits = model.logits_of_codes(rows[..., :-1].flatten(0, 1)).unflatten(0, rows.shape[:2])
    codes = logits.argmax(-1, keepdim=True)
    rhythms = [torch.ones(*rows.shape[:2], RHYTHM)] * 2
    return Real(rows, codes, torch.ones(codes.shape), model.taken_up(rows, 2.0), rhythms)


def test_codes_of_two_bars_alike_may_be_preferred():
    model = network()
    rhythm = torch.zeros(5, RHYTHM, dtype=torch.bool)
    rhythm[:, 3] = rhythm[1:, 19] = True  # of the first code the second bar differs
    rhythm[2, 40] = True  # a note of the first bar that is held longer
    model.set_codes(model.codes[:5].clone(), rhythm=rhythm)
    assert model.is_even.tolist() == [False, True, False, True, True, True]
    chosen = played(model, 1, Sampling(steadiness=NEVER, silence=NEVER, even=50.0), 16)[:, :-1]
    assert not any((chosen == model.codes[i]).all(1).any() for i in (0, 2))


def test_what_was_played_in_a_block_may_be_preferred():
    model, songs = network(), latents()
    songs.tracks[BASS][:3] = rows(3, K)[0]
    player, generator = model.player(BASS, songs), torch.Generator().manual_seed(0)
    for block in range(3):
        past = torch.where(torch.arange(3) == block, 50.0, 0.0)
        chosen = player.choose("middle", 3, generator, Sampling(past=past))
        assert torch.equal(chosen, songs.tracks[BASS][block])


def test_another_pattern_need_not_be_the_strangest():
    model = network()
    apart, far = model.nearest(model.codes[:1]), model.distance(model.codes[0])
    assert apart[0] < 1e-6 and far.max() > 1
    assert torch.allclose(apart[far > 1], torch.tensor(1.0))
    assert torch.allclose(apart[far < 1], far[far < 1], atol=1e-5)
    both = model.nearest(model.codes[:2])
    assert (both[:2] < 1e-6).all() and (both <= apart).all()
    assert not model.nearest(model.codes[:0]).any()


def test_own_playing_counts_as_the_real_playing_in_its_place():
    """Where real players repeat themselves, so shall the network, whatever it played."""
    model, heard = network(), song()
    played = heard.own.clone()
    played[:, 1:4] = played[:, :1]  # always the same, then something new, then silence
    played[:, 5] = 0
    invented = replace(heard, own=rows(T, K, 9))
    invented.own[0, 0] = unknown(invented.own[0, 0])
    real = real_of(model, played)
    loss, _ = model.loss(invented, real, middle())
    chances = logits_of(model, invented).log_softmax(-1)
    assert torch.allclose(loss[1, 3], -chances[1, 3, 7:10].logsumexp(-1), atol=1e-4)
    assert torch.allclose(loss[0, 3], -chances[0, 3, 8:10].logsumexp(-1), atol=1e-4)
    new = chances.gather(-1, real.codes)[..., 0]
    assert torch.allclose(loss[:, 4], -new[:, 4], atol=1e-4)
    assert torch.allclose(loss[0, 1], -new[0, 1], atol=1e-4)  # what it could take up is not known
    assert torch.allclose(loss[:, 5], -chances[:, 5, 6], atol=1e-4)


def test_a_variation_is_not_taken_up():
    model = network()
    played = rows(4, K)
    played[:, 1] = played[:, 2] = played[:, 0]
    played[:, 2, 0] += (3 * model.temperature).sqrt()
    played[:, 3] = 0
    again = model.taken_up(played, 4.0)
    assert torch.allclose(again[:, 2, 0], torch.tensor(3.0), rtol=1e-4)
    assert (model.taken_up(played, 2.0)[:, 2, 0] == FAR).all()
    assert torch.allclose(again[:, 1, 0], torch.tensor(0.0), atol=1e-4)
    assert (again[:, 0, 1] == FAR).all() and (again[:, 3] == FAR).all()  # later; silent


def test_it_learns_to_tell_rhythms():
    model, heard = network(dropout=0.0).train(), song()
    real = real_of(model, heard.own)
    real.rhythms = [torch.rand(2, T, RHYTHM) < 0.5 for _ in range(2)]
    real.rhythms = [rhythm.float() for rhythm in real.rhythms]
    heard.earlier[0][:, 3] = 0  # of a rest there is nothing to tell
    _, told = model.loss(heard, real, middle())
    rested = F.binary_cross_entropy_with_logits(
        model.rhythm_logits(model.listen(heard), heard.own, 0), real.rhythms[0], reduction="none"
    )
    assert torch.allclose(told[:, 3], rested.sum(-1)[:, 3], rtol=1e-4)
    assert (told[:, 4] > rested.sum(-1)[:, 4] + 1).all()


def test_codes_may_be_asked_to_meet_the_rhythm_of_others():
    """With a wish for the first half of the other's rhythm, codes struck there gain."""
    model, heard = network(), song()
    meets = torch.zeros(6, RHYTHM)
    meets[0, :8], meets[1, 8:16] = 1, 1
    model.set_codes(model.codes[:5].clone(), rhythm=meets[:5])
    for layer in model.rhythms[1]:
        if hasattr(layer, "weight"):
            torch.nn.init.zeros_(layer.weight)
    with torch.no_grad():
        model.rhythms[1][-1].bias.copy_(torch.where(torch.arange(RHYTHM) < 8, 9.0, -9.0))
        model.wanted.weight.zero_()
        model.wanted.bias.zero_()
        before = logits_of(model, heard)[..., :2].diff(dim=-1)
        model.wanted.bias[2 * len(OLDER)] = 3.0
        after = logits_of(model, heard)[..., :2].diff(dim=-1)
    assert torch.allclose(before - after, torch.tensor(3.0), atol=0.05)


def test_alike_blocks():
    one = torch.tensor([[[0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [3.0, 0.0, 1.0], [0.0, 0.0, -1.0]]])
    found = alike(one, one, torch.tensor(9.0))[0, ..., 1]
    different, stranger, both = torch.exp(torch.tensor([-2.0, -4.0, -6.0])).tolist()
    expected = [
        [1, stranger, different, stranger],
        [stranger, 1, both, stranger],
        [different, both, 1, both],
        [stranger, stranger, both, stranger],
    ]
    assert torch.allclose(found, torch.tensor(expected), atol=1e-5)


def test_phrases_that_return_are_found():
    """After the second block of a phrase that returns, the pair lies in alike surroundings."""
    phrase = torch.randn(4, Z) * 5
    melody = torch.cat([torch.cat([phrase, phrase * -1, phrase]), torch.ones(12, 1)], 1)[None]
    pairs = melody_pairs(melody, torch.zeros(1, 12, 4, dtype=torch.int64), torch.tensor(1.0))
    along = pairs[0, ..., 2]
    assert along[9, 1] == pytest.approx(1, abs=1e-3) and along[9, 5] < 0.1


def test_the_first_instrument_hears_nobody(recwarn):
    config = HarmonyConfig(network="song", width=16, heads=2, codebook=6, genres=["a"])
    model = SongHarmonyNN(config, Z, E, []).eval()
    model.set_codes(torch.randn(6, E))
    songs = latents()
    sampling, generator = Sampling(silence=NEVER), torch.Generator().manual_seed(0)
    assert model.player(DRUMS, songs).choose("first", 0, generator, sampling)[-1] == 1
    assert not recwarn.list


def test_kinds():
    steps = make_harmony_nn(HarmonyConfig(genres=["a"]), Z, K, [])
    assert type(steps).__name__ == "HarmonyNN"
    with pytest.raises(ValueError, match="network 'chorus' is unknown; available: steps, song"):
        HarmonyConfig(network="chorus")
    with pytest.raises(ValueError, match="a width that the heads divide"):
        HarmonyConfig(network="song", width=10, heads=4)


@pytest.mark.train
def test_learns_to_return_where_the_melody_does():
    model = network(dropout=0.0).train()
    phrase = torch.randn(4, Z)
    heard = song(8)
    heard.melody[..., :-1] = torch.cat([phrase, phrase])
    heard.own[:, 4:] = heard.own[:, :4]
    heard.blocks[:] = 8
    real = real_of(model, heard.own)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(120):
        optimizer.zero_grad()
        model.loss(heard, real, middle(8))[0].mean().backward()
        optimizer.step()
    chances = logits_of(model.eval(), heard).softmax(-1)
    assert all(chances[0, block, 7 + block - 4] > 0.8 for block in range(4, 8))
