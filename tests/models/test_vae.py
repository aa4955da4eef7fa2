import pytest
import torch

from accomp.models.vae import InstrumentVAE, VAEConfig

SMALL = {"latent": 5, "step": 8, "beat": 8, "block": 16}


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
    assert mean.shape == log_variance.shape == (2, 5)
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
    vae = InstrumentVAE(VAEConfig(36, 88, latent=8, step=32, beat=32, block=64))
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
