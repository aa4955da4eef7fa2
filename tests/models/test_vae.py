import pytest
import torch

from accomp.models.vae import InstrumentVAE, VAEConfig

SMALL = {"latent": 8, "step": 8, "beat": 8}


def blocks(*notes):
    planes = torch.zeros(len(notes), 2, 32, 128, dtype=torch.uint8)
    for block, (pitch, start, end) in enumerate(notes):
        planes[block, 0, start, pitch] = 1
        planes[block, 1, start:end, pitch] = 1
    return planes


def test_shapes_both_ways():
    vae = InstrumentVAE(VAEConfig(36, 88, **SMALL)).eval()
    planes, plan = blocks((60, 0, 9), (64, 3, 32)), torch.tensor([[0, 5, 7, 0], [21, 21, 14, 19]])
    mean, log_variance = vae.encode(planes, plan)
    assert mean.shape == log_variance.shape == (2, 8)
    decoded = vae.decode(mean, plan)
    assert decoded.shape == (2, 2, 32, 128) and (decoded >= 0).all() and (decoded <= 1).all()
    assert (
        not decoded[..., :24].any() and not decoded[..., 100:].any()
    )  # beyond the range and its margin


def test_what_is_seen_is_given_back():
    vae = InstrumentVAE(VAEConfig(36, 88, **SMALL))
    planes, plan = (
        blocks((36, 0, 9), (88, 7, 32), (61, 30, 32)),
        torch.tensor([[0, 5, 6, 11], [21, 18, 14, 19], [1, 2, 3, 4]]),
    )
    assert (vae._unseen(vae._seen(planes, plan), plan) == planes).all()


def test_a_pattern_is_the_same_under_any_chord():
    # A third over the root, in each half bar: C, G, F# minor, Ab. The relative view does not change
    # within a block.
    vae = InstrumentVAE(VAEConfig(36, 88, **SMALL))
    planes = torch.zeros(1, 2, 32, 128, dtype=torch.uint8)
    for half_bar, root in enumerate((60, 55, 54, 56)):
        planes[0, :, half_bar * 8 + 2, root + 4] = 1
    seen = vae._seen(planes, torch.tensor([[0, 7, 18, 8]])).reshape(2, 4, 8, -1)
    assert (seen == seen[:, :1]).all() and seen.sum() == 8
    # Chords are told to the network, so latents may differ; without them they could not.
    assert (
        vae._seen(planes, torch.tensor([[0, 0, 0, 0]])).reshape(2, 4, 8, -1)[0, 0].argmax()
        == seen[0, 0].argmax()
    )


@pytest.mark.train
def test_learns_a_few_blocks_by_heart():
    torch.manual_seed(0)
    vae = InstrumentVAE(VAEConfig(36, 88, **{**SMALL, "latent": 32, "step": 32, "beat": 32}))
    planes, plan = (
        blocks((60, 0, 9), (64, 3, 32), (41, 8, 10), (72, 20, 24)),
        torch.tensor([[0, 5, 7, 0]] * 4),
    )
    optimizer = torch.optim.Adam(vae.parameters(), 5e-3)
    for _ in range(400):
        optimizer.zero_grad()
        vae.loss(planes, plan, 0.05).total.backward()
        optimizer.step()
    assert (
        vae.binarise(vae.decode(vae.encode(planes, plan)[0], plan)) == planes
    ).float().mean() > 0.9999


def test_the_loss_of_notes_is_their_likelihood():
    vae = InstrumentVAE(VAEConfig(36, 88, **SMALL)).eval()
    with torch.no_grad():  # latents without noise, so that the loss is of what `decode` says
        vae.network.latents_out.weight.zero_()
        vae.network.latents_out.bias[1:].fill_(-10.0)
        vae.network.latents_in.weight[:, :1].zero_()
    planes, plan = blocks((60, 0, 9)), torch.tensor([[0, 5, 7, 0]])
    onset, sounding = vae.decode(vae.encode(planes, plan)[0], plan)[0]
    chance = torch.where(planes[0, 0] > 0, onset, sounding - onset)
    chance = torch.where(planes[0, 1] > 0, chance, 1 - sounding)
    loss = vae.loss(planes, plan, 0.0)
    assert loss.reconstruction.item() == pytest.approx(-chance.log().sum().item(), rel=1e-4)


def test_every_beat_is_written_by_the_same_weights():
    vae = InstrumentVAE(VAEConfig(36, 88, **SMALL, layers=0)).eval()
    plan = torch.zeros(1, 4, dtype=torch.int64)
    planes = blocks((60, 4, 7)) + blocks((60, 24, 27))  # the same in the second and seventh beat
    latents = vae.encode(planes, plan)[0].reshape(8, -1)
    assert torch.equal(latents[1], latents[6]) and not torch.equal(latents[1], latents[2])
    decoded = vae.decode(latents.reshape(1, -1), plan)[0].reshape(2, 8, 4, 128)
    assert torch.allclose(decoded[:, 1], decoded[:, 6])


def test_a_beat_hears_its_neighbours():
    vae = InstrumentVAE(VAEConfig(36, 88, **SMALL)).eval()
    plan = torch.zeros(1, 4, dtype=torch.int64)
    silent = vae.encode(torch.zeros(1, 2, 32, 128), plan)[0].reshape(8, -1)
    struck = vae.encode(blocks((60, 12, 13)), plan)[0].reshape(8, -1)
    assert (silent != struck).any(1).tolist() == [False, False, True, True, True, *[False] * 3]


def test_a_latent_that_eight_beats_cannot_share_is_refused():
    with pytest.raises(ValueError, match="multiples of 8 beats"):
        VAEConfig(36, 88, **{**SMALL, "latent": 12})


def test_onsets_and_holds_need_both_planes():
    with pytest.raises(ValueError, match="planes is 1"):
        VAEConfig(planes=1)


def probable(*notes):
    """Probabilities of a block in which these notes (pitch, first step, end) are likely."""
    onset, hold = torch.full((2, 1, 32, 128), 0.01)
    for pitch, start, end in notes:
        onset[0, start, pitch], hold[0, start + 1 : end, pitch] = 0.6, 0.6
    return torch.stack([onset, onset + hold], dim=1)


def test_notes_are_held_and_one_at_a_time_where_only_one_can_be():
    chord = [(60, 4, 9), (64, 4, 9)]
    probabilities = probable(*chord)
    probabilities[0, 1, 6, 60] = 0.4  # a step of doubt: more likely silent than held
    probabilities[0, 0, 4, 60] = probabilities[0, 1, 4, 60] = 0.7
    band = InstrumentVAE(VAEConfig(36, 88, **SMALL))
    assert torch.equal(band.binarise(probabilities), blocks(chord[0]) + blocks(chord[1]))
    line = InstrumentVAE(VAEConfig(36, 88, **SMALL, single=True))
    assert torch.equal(line.binarise(probabilities), blocks(chord[1]))


@pytest.mark.parametrize("likelihood", ["categorical", "gaussian"])
def test_as_many_onsets_as_are_asked_for(likelihood):
    vae = InstrumentVAE(VAEConfig(36, 88, **{**SMALL, "likelihood": likelihood}))
    onset = torch.linspace(0.02, 0.9, 32)[None, :, None] * torch.ones(3, 1, 128)
    onset[:, :, 1:] = 0
    probabilities = torch.stack([onset, onset], dim=1)
    played = vae.binarise(probabilities)[0].sum()
    wanted = torch.tensor([5.0, 30.0, float("nan")])
    found = vae.binarise(probabilities, wanted)[:, 0].flatten(1).sum(1)
    assert found.tolist() == [5, 30, vae.count_onsets(probabilities)[0]] and played > 0


def test_divergence_is_that_of_two_gaussians():
    vae = InstrumentVAE(VAEConfig(36, 88, **SMALL))
    planes, plan = blocks((60, 0, 9)), torch.tensor([[0, 5, 7, 0]])
    mean, log_variance = vae.encode(planes, plan)
    posterior = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    expected = torch.distributions.kl_divergence(
        posterior, torch.distributions.Normal(0.0, 1.0)
    ).sum()
    loss = vae.loss(planes, plan, 0.3)
    assert loss.kl.item() == pytest.approx(expected.item(), rel=1e-4)
    assert loss.total.item() == pytest.approx(
        (loss.reconstruction + 0.3 * loss.kl).item(), rel=1e-5
    )


def test_the_published_vae():
    vae = InstrumentVAE(
        VAEConfig(
            latent=16,
            architecture="convolutional",
            likelihood="gaussian",
            planes=1,
            chord_relative=False,
        )
    )
    planes, plan = blocks((60, 0, 9), (127, 3, 32)), torch.zeros(2, 4, dtype=torch.int64)
    decoded = vae.decode(vae.encode(planes, plan)[0], plan)
    assert decoded.shape == (2, 2, 32, 128)
    assert (decoded[:, 0] <= decoded[:, 1] + 1e-6).all()  # what is struck sounds
    channels = [
        layer.out_channels for layer in vae.network.encoder if isinstance(layer, torch.nn.Conv2d)
    ]
    assert channels[:3] == [64, 128, 256]


@pytest.mark.parametrize("settings", [{"architecture": "recurrent"}, {"likelihood": "poisson"}])
def test_unknown_settings_name_the_choices(settings):
    with pytest.raises(ValueError, match="is unknown; available: "):
        VAEConfig(**settings)
