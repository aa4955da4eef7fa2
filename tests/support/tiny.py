"""Small untrained models that play: nonsense as music, but each path through them is real."""

import torch

from accomp.band.accompanist import Accompanist
from accomp.models.chord_planner import PlannerConfig
from accomp.models.config import AccompanistConfig
from accomp.models.harmony_nn import HarmonyConfig
from accomp.models.vae import VAEConfig
from accomp.roll.grid import TRACKS


def tiny(paper: bool = False, seed: int = 1, meters: bool = False) -> Accompanist:
    torch.manual_seed(seed)
    if paper:
        vae = {
            "latent": 4,
            "architecture": "convolutional",
            "likelihood": "gaussian",
            "planes": 1,
            "chord_relative": False,
        }
        harmony = HarmonyConfig(
            head="regression",
            width=16,
            residual_blocks=0,
            shared_trunk=False,
            dropout=0.0,
            context=False,
        )
        config = AccompanistConfig(
            "paper", {s.name: VAEConfig(**vae) for s in TRACKS}, harmony, None, repeat=2.0
        )
    else:
        vae = {"latent": 8, "step": 8, "beat": 12}
        vaes = {
            s.name: VAEConfig(s.low, s.high, chord_relative=s.name != "drums", **vae)
            for s in TRACKS
        }
        genres = ["jazz", "pop"]
        harmony = HarmonyConfig(
            width=16, residual_blocks=1, codebook=20, meters=meters, genres=genres
        )
        config = AccompanistConfig(
            "pop",
            vaes,
            harmony,
            PlannerConfig(width=8, layers=1, context=8, heads=2, genres=["jazz"]),
        )
    model = Accompanist(config)
    for name, vae in model.vaes.items():
        if paper:
            vae.thresholds.copy_(torch.tensor([0.03, 0.03]))
        else:
            vae.onset_bias.fill_(3.0)
            torch.nn.init.normal_(vae.network.steps_out.weight, std=0.8)
            if name in model.harmony:
                model.harmony[name].set_codes(torch.randn(20, 8))
                for head in model.harmony[name].heads.values():
                    torch.nn.init.constant_(head.bias[-2:-1], -5.0)  # hardly ever silence
    return model.eval()
