"""BandModel: the networks of one genre, without the pipeline that plays them.

Five VAEs (one for each instrument), four HarmonyNNs, the chord planner and the feel.
Letters: B blocks of a song, H half bars of a block (4), K latent size of an instrument.
Source: "Generating Musical Accompaniment to a given Master Melody using VAEs and CNNs".
"""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any, Self, cast

import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from accomp.errors import ModelError
from accomp.models import hub
from accomp.models.chord_planner import ChordPlanner
from accomp.models.config import AccompanistConfig
from accomp.models.feel import Feel
from accomp.models.files import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    digest,
    fit,
    half,
    halved,
    save_settings,
    save_weights,
)
from accomp.models.harmony_kinds import make_harmony_nn
from accomp.models.harmony_network import HarmonyNetwork, generated_before
from accomp.models.vae import InstrumentVAE
from accomp.roll.chord_plan import CHORD_COUNT
from accomp.roll.grid import ACCOMPANIMENT, TRACK_NAMES

# Semitones above the root of the tone that is added to a triad: none, minor or major seventh.
SEVENTHS = (0, 10, 11)


class BandModel(
    nn.Module,
    PyTorchModelHubMixin,
    library_name=hub.LIBRARY,
    tags=[
        hub.LIBRARY,
        "music",
        "midi",
        "symbolic-music",
        "music-generation",
        "accompaniment",
        "variational-autoencoder",
    ],
    license="mit",
    repo_url=hub.code(hub.namespace()[0]) if hub.namespace()[0] else None,
    model_card_template=hub.CARD,
):
    """Hold the networks of one genre, save them and load them.

    Attributes:
        config: what the networks are made of and how they are sampled.
        source: where the weights were loaded from; None for a model that was made here.
        vaes: an InstrumentVAE for each track name.
        harmony: a HarmonyNN for each track name of the accompaniment.
        planner: the ChordPlanner; None as in the published method.
        feel: velocities and timing of the genre's players.
        colours: [24, 3] how often each chord of the plan is played with each of SEVENTHS.
    """

    colours: Tensor

    def __init__(self, config: AccompanistConfig):
        super().__init__()
        self.config = config
        self.source: hub.Source | None = None
        latents = {name: vae.latent for name, vae in config.vaes.items()}
        self.vaes = nn.ModuleDict({name: InstrumentVAE(config.vaes[name]) for name in TRACK_NAMES})
        self.harmony = nn.ModuleDict(
            {
                TRACK_NAMES[track]: make_harmony_nn(
                    config.harmony,
                    latents["piano"],
                    latents[TRACK_NAMES[track]],
                    [latents[TRACK_NAMES[other]] for other in generated_before(track)],
                )
                for track in ACCOMPANIMENT
            }
        )
        self.planner = ChordPlanner(config.planner) if config.planner else None
        self.feel = Feel(config.feel)
        plain = torch.zeros(CHORD_COUNT, len(SEVENTHS))
        plain[:, 0] = 1
        self.register_buffer("colours", plain)
        self.eval()

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self.colours.device

    @property
    def genre_index(self) -> int:
        """The index of this genre among those that the HarmonyNNs know."""
        known = self.config.harmony.genres
        return known.index(self.config.genre) if self.config.genre in known else 0

    def vae(self, track: int) -> InstrumentVAE:
        """Return the VAE of a track, by its index in TRACKS."""
        return cast(InstrumentVAE, self.vaes[TRACK_NAMES[track]])

    def harmony_nn(self, track: int) -> HarmonyNetwork:
        """Return the HarmonyNN of a track of the accompaniment, by its index in TRACKS."""
        return cast(HarmonyNetwork, self.harmony[TRACK_NAMES[track]])

    @cached_property
    def latent_space(self) -> str:
        """A name for what the latents mean: SHA-256 of the VAEs' half-precision weights.

        Models with the same name can use each other's latents, and what was made for them
        (styles, the MelodyNN).
        """
        known = hashlib.sha256()
        for name, value in self.vaes.state_dict().items():
            known.update(name.encode() + half(value).cpu().contiguous().numpy().tobytes())
        return known.hexdigest()

    @torch.no_grad()
    def encode(self, track: int, blocks: Tensor, plan: Tensor) -> Tensor:
        """Encode blocks of a track as latent means with a flag that says whether it plays.

        With the codebook head a silent block is zeros with flag 0. With the published regression
        it is what the VAE makes of silence, with flag 1.

        Args:
            track: index in TRACKS.
            blocks: [B, 2, 32, 128] in the normal key.
            plan: [B, H] chords of the blocks.

        Returns:
            [B, K + 1] latents and flags.
        """
        mean, _ = self.vae(track).encode(blocks, plan)
        active = blocks.flatten(1).any(1).to(mean.dtype)[:, None]
        if self.config.harmony.head == "regression":
            active = torch.ones_like(active)
        return torch.cat([mean * active, active], dim=1)

    def _save_pretrained(self, save_directory: Path) -> None:
        """Write config.json and half-precision model.safetensors, each whole or not at all."""
        save_weights(
            save_directory / WEIGHTS_FILE, halved(self.state_dict()), metadata={"format": "pt"}
        )
        self.config.weights_sha256 = digest(save_directory / WEIGHTS_FILE)
        save_settings(save_directory / CONFIG_FILE, self.config)

    def push_to_hub(self, repo_id: str, **settings: Any) -> str:
        """Save to a repository on the Hub with a short card and return the commit's URL.

        `train.publish.push` writes the whole card, with figures.

        Args:
            repo_id: "user/accomp-genre".
            **settings: of `PyTorchModelHubMixin.push_to_hub` (private, token, branch ...).
        """
        known = {
            "repo_id": repo_id,
            "genre": self.config.genre,
            "code": hub.code(repo_id.split("/")[0]),
        }
        settings["model_card_kwargs"] = known | (settings.get("model_card_kwargs") or {})
        return super().push_to_hub(repo_id, **settings)

    @classmethod
    def from_pretrained(
        cls, source: str | Path, revision: str | None = None, device: str | None = None, **download
    ) -> Self:
        """Load a genre's networks.

        Args:
            source: a folder ("models/jazz"), a genre's name ("jazz", see accomp.models.hub) or a
                repository on the Hub ("user/accomp-jazz").
            revision: branch, tag or commit of the Hub repository.
            device: "cpu" or "cuda"; by default the GPU where there is one.
            **download: further arguments of `huggingface_hub.snapshot_download` (token,
                cache_dir, local_files_only ...).

        Returns:
            The model in evaluation mode; its `source` says where the weights came from.

        Raises:
            ModelError: something is missing, superfluous, misshapen, damaged or not safetensors.
        """
        found, config, weights = hub.load(source, revision, **download)
        try:
            model = cls(config)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ModelError(
                f"{found}: {CONFIG_FILE} does not make a model: {type(error).__name__}: {error}"
            ) from error
        fit(model, weights, f"{found}: {WEIGHTS_FILE} does not fit {CONFIG_FILE}")
        model.source = found
        return model.to(device or ("cuda" if torch.cuda.is_available() else "cpu")).eval()
