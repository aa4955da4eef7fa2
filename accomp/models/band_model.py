"""What the stages of a band need of a genre's models."""

from typing import Protocol

from torch import Tensor, device, nn

from accomp.models.chord_planner import ChordPlanner
from accomp.models.config import AccompanistConfig
from accomp.models.feel import Feel


class BandModel(Protocol):
    config: AccompanistConfig
    vaes: nn.ModuleDict
    harmony: nn.ModuleDict
    planner: ChordPlanner | None
    feel: Feel
    colours: Tensor
    device: device
    genre_index: int
    latent_space: str

    def encode(self, track: int, blocks: Tensor, plan: Tensor) -> Tensor: ...

    def perform(self, sketch): ...  # Sketch -> Score
