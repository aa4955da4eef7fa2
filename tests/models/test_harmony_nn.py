import pytest
import torch

from accomp.models.harmony_nn import (
    Context,
    HarmonyConfig,
    HarmonyNN,
    Sampling,
    SongLatents,
    generated_before,
    harmony_context,
    position,
)
from accomp.roll.grid import BASS, DRUMS, GUITAR, STRINGS

Z, K = 3, 4


def network(**settings):
    torch.manual_seed(0)
    model = HarmonyNN(
        HarmonyConfig(width=16, codebook=6, genres=["a", "b"], **settings), Z, K, [2]
    ).eval()
    if model.config.head == "codebook":
        model.set_codes(torch.randn(5, K))  # one entry stays empty
    return model


def heard(count=5, playing=1.0):
    torch.manual_seed(1)
    return Context(
        melody=torch.randn(count, 3, Z),
        previous=torch.cat([torch.randn(count, K), torch.full((count, 1), playing)], 1),
        earlier=torch.randn(count, 3),
        plan=torch.randint(24, (count, 2, 4)),
        position=torch.randn(count, 8),
        genre=torch.zeros(count, dtype=torch.int64),
    )


def test_the_band_hears_itself_in_order():
    assert [generated_before(t) for t in (DRUMS, BASS, GUITAR, STRINGS)] == [
        (),
        (DRUMS,),
        (DRUMS, BASS),
        (DRUMS, BASS, GUITAR),
    ]


def test_a_distribution_over_codes_silence_and_staying():
    model = network()
    for step in ("first", "middle", "last"):
        logits = model(step, heard())
        assert logits.shape == (5, 8) and (logits[:, 5] < -1e3).all()  # the empty entry
    assert (model("middle", heard(playing=0.0))[:, 7] <= -1e4).all()  # nothing to stay on


def test_only_first_does_without_the_previous_latent():
    model, one, other = network(), heard(), heard()
    other.previous = other.previous + 1
    assert (model("first", one)[:, :7] == model("first", other)[:, :7]).all()
    assert (model("middle", one) != model("middle", other)).any()


def test_targets_are_where_the_real_latent_is():
    model, h = network(), heard()
    real = model.codes[torch.tensor([0, 3])]
    targets = model._targets(h.previous[:2], real, torch.ones(2))
    assert targets.argmax(1).tolist() == [0, 3] and torch.allclose(targets.sum(1), torch.ones(2))
    assert model._targets(h.previous[:2], h.previous[:2, :-1], torch.ones(2)).argmax(
        1
    ).tolist() == [7, 7]
    assert model._targets(h.previous[:2], real, torch.zeros(2)).argmax(1).tolist() == [6, 6]
    # exp(-d^2 / T), normalised, by hand
    a, b = model.codes[0], model.codes[3]
    ratio = targets[0, 3] / targets[0, 0]
    assert torch.allclose(ratio, torch.exp(-(a - b).square().sum() / model.temperature), rtol=1e-4)


def test_choosing_depends_on_the_seed_alone_and_stays_among_the_codes():
    model, h = network(), heard(40)
    draw = [
        model.choose("middle", h, torch.Generator().manual_seed(s), Sampling(0.9, 0.9))
        for s in (1, 1, 2)
    ]
    assert (draw[0] == draw[1]).all() and (draw[0] != draw[2]).any()
    known = torch.cat([model.codes[:5], torch.zeros(1, K)])
    for row, previous in zip(draw[0], h.previous):
        options = torch.cat([known, previous[None, :-1]])
        assert (options == row[:-1]).all(1).any() and row[-1] == float((row[:-1] != 0).any())


@pytest.mark.train
def test_learns_which_code_follows():
    model = network(dropout=0.0).train()
    h = heard(12)
    target = torch.cat([model.codes[torch.arange(12) % 5], torch.ones(12, 1)], 1)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        model.loss("middle", h, target).mean().backward()
        optimizer.step()
    chosen = model.eval().choose("middle", h, torch.Generator().manual_seed(0), Sampling(0.1, 0.5))
    assert (chosen[:, :-1] == target[:, :-1]).all(1).float().mean() > 0.9


def test_the_published_network_is_one_hidden_layer_trained_on_latents():
    model = network(
        head="regression", residual_blocks=0, context=False, shared_trunk=False, dropout=0.0
    )
    assert len(model.trunks) == 3 and model("middle", heard()).shape == (5, K)
    target = torch.cat([torch.randn(5, K), torch.ones(5, 1)], 1)
    expected = torch.nn.functional.mse_loss(
        model("last", heard()), target[:, :-1], reduction="none"
    ).mean(1)
    assert torch.allclose(model.loss("last", heard(), target), expected)


def test_what_is_heard_at_each_step():
    blocks, first = torch.tensor([4, 4]), torch.tensor([0, 4])
    melody = torch.arange(1.0, 9.0)[:, None].repeat(1, Z)
    latents = {
        t: torch.arange(10.0 * t, 10.0 * t + 8)[:, None].repeat(1, K + 1)
        for t in (DRUMS, GUITAR, BASS, STRINGS)
    }
    plan = torch.arange(8)[:, None].repeat(1, 4)

    def at(step, block, track=BASS):
        songs = SongLatents(melody, latents, plan, blocks, 0, first)
        return harmony_context(step, track, torch.tensor([block, block]), songs)

    assert at("middle", 1).melody[..., 0].tolist() == [[1, 2, 3], [5, 6, 7]]
    assert at("first", 0).melody[..., 0].tolist() == [[1, 2, 3], [5, 6, 7]]
    assert at("last", 3).melody[..., 0].tolist() == [[2, 3, 4], [6, 7, 8]]
    assert at("middle", 3).melody[..., 0].tolist() == [
        [3, 4, 0],
        [7, 8, 0],
    ]  # nothing of the next song
    assert at("middle", 1).previous[:, 0].tolist() == [30, 34] and at("first", 0).previous[
        :, 0
    ].tolist() == [0, 0]
    assert at("middle", 2, GUITAR).earlier[0].tolist() == [2.0] * (K + 1) + [32.0] * (K + 1)
    assert at("middle", 1).plan[:, :, 0].tolist() == [[1, 2], [5, 6]] and at("last", 3).plan[
        :, :, 0
    ].tolist() == [[3, 3], [7, 7]]


def test_position_says_phrase_start_and_end():
    rows = position(torch.tensor([0, 5, 9]), torch.tensor([10, 10, 10]))
    assert rows[:, :4].argmax(1).tolist() == [0, 1, 1]
    assert rows[:, 4].tolist() == [0, 1, 1] and rows[:, 5].tolist() == [1, 1, 0]


def test_busy_and_varied_codes_can_be_preferred_and_near_ones_avoided():
    model, h = network(), heard(200)
    model.density[:5] = torch.tensor([-2.0, -1, 0, 1, 2])
    model.variety[:5] = torch.tensor([2.0, -1, 0, -1, -2])

    def chosen(**wishes):
        generator = torch.Generator().manual_seed(1)
        rows = model.choose("middle", h, generator, Sampling(**wishes))[:, :-1]
        return [int((torch.isclose(rows, code).all(1)).sum()) for code in model.codes[:5]]

    assert chosen(push=20.0)[4] > chosen()[4] and chosen(push=-20.0)[0] > chosen()[0]
    assert chosen(variety=20.0)[0] > chosen()[0]
    apart = chosen(apart=(model.codes[2], 20.0))
    assert apart[2] <= chosen()[2] and sum(apart) > 0


def test_fills_are_drawn_from_blocks_that_end_with_one():
    model = network()
    assert model.draw_fill(torch.Generator().manual_seed(0)) is None
    model.fill[3] = 0.5
    assert torch.equal(model.draw_fill(torch.Generator().manual_seed(0))[0], model.codes[3])


def test_a_waltz_gets_its_own_fills():
    model = network(meters=True)
    model.fill[:2], model.meter[:2] = 0.5, torch.tensor([3, 4])
    generator = torch.Generator().manual_seed(0)
    drawn = torch.cat([model.draw_fill(generator, 3) for _ in range(8)])
    assert torch.equal(drawn, model.codes[:1].expand(8, -1))
