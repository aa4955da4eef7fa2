"""Which network a HarmonyNN is, by its settings."""

from accomp.models.harmony_network import HarmonyConfig, HarmonyNetwork
from accomp.models.harmony_nn import HarmonyNN
from accomp.models.song_harmony import SongHarmonyNN

_KINDS = {"steps": HarmonyNN, "song": SongHarmonyNN}


def make_harmony_nn(
    config: HarmonyConfig, melody_latent: int, latent: int, earlier_latents: list[int]
) -> HarmonyNetwork:
    """Make the untrained networks of one instrument.

    Args:
        config: What they are made of.
        melody_latent: Z.
        latent: K.
        earlier_latents: Latent sizes of the instruments that are generated before it.
    """
    return _KINDS[config.network](config, melody_latent, latent, earlier_latents)
