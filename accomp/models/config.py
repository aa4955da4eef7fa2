"""The settings of one genre's models: what they are made of and how they play."""

from dataclasses import dataclass, field, fields
from typing import Any

from accomp.errors import ModelError
from accomp.models.chord_planner import PlannerConfig
from accomp.models.feel import FeelConfig
from accomp.models.harmony_nn import HarmonyConfig
from accomp.models.vae import VAEConfig

VERSION = 2


@dataclass
class AccompanistConfig:
    """The settings of a genre's models, as config.json holds them.

    Attributes:
        genre: Name.
        vaes: By track name.
        harmony: Of the HarmonyNNs.
        planner: None: no chord plan, as published.
        feel: Of the players' loudness and timing.
        programs: General MIDI program by track name.
        temperature: Of sampling among latents of real playing.
        top_p: Probability of the likeliest latents that are sampled from.
        steadiness: By track name, logits by which an instrument rather stays on its pattern than by
            probability alone. Without it neighbouring blocks are less alike than those of real
            songs, except in the drums.
        variety: By track name, logits per standard deviation by which patterns of many pitch
            classes are preferred, because the network prefers plain ones.
        colours: Whether the plan has sevenths, as often as the genre has them.
        agree: Whether the decoded notes are adjusted to the exact chords of the plan
            (accomp.band.voicing).
        sparsest: Density, in standard deviations, that a pattern must have to begin a section: it
            may stay long.
        contrast: Logits by which a new section seeks other patterns than the one before.
        push: Logits per deviation by which the energy of a section asks for busier or sparser
            patterns.
        longest_rest: Blocks; an instrument that has rested so long comes in by its first network.
        repeat: A melody block as similar as this to an earlier one gets its accompaniment; above 1:
            never.
        song: Whether who rests, how busy and how loud phrases are is drawn from the song VAE
            (accomp.band.song_form).
        weights_sha256: Of the weights' file: a HarmonyNN means nothing without the very VAEs it
            learned from.
        version: Of these settings.
    """

    genre: str = "universal"
    vaes: dict[str, VAEConfig] = field(default_factory=dict)
    harmony: HarmonyConfig = field(default_factory=HarmonyConfig)
    planner: PlannerConfig | None = field(default_factory=PlannerConfig)
    feel: FeelConfig = field(default_factory=FeelConfig)
    programs: dict[str, int] = field(default_factory=dict)
    temperature: float = 0.9
    top_p: float = 0.9
    steadiness: dict[str, float] = field(
        default_factory=lambda: {"drums": 2.5, "bass": 4.5, "guitar": 4.0, "strings": 5.5}
    )
    variety: dict[str, float] = field(
        default_factory=lambda: {"bass": 0.4, "guitar": 0.1, "strings": 0.4}
    )
    colours: bool = True
    agree: bool = True
    sparsest: float = -0.8
    contrast: float = 4.0
    push: float = 0.4
    longest_rest: int = 4
    repeat: float = 0.7
    song: bool = True
    weights_sha256: str = ""
    version: int = VERSION

    @classmethod
    def from_dict(cls, values: dict) -> "AccompanistConfig":
        """Read what `dataclasses.asdict` made.

        Raises:
            ModelError: The version or a key is unknown.
        """
        values = dict(values)
        if values.get("version") != VERSION:
            raise ModelError(
                f"config version {values.get('version')!r} is unknown; "
                f"this release of accomp reads version {VERSION}"
            )
        values["vaes"] = {
            name: _build(VAEConfig, vae) for name, vae in values.get("vaes", {}).items()
        }
        values["harmony"] = _build(HarmonyConfig, values.get("harmony", {}))
        values["feel"] = _build(FeelConfig, values.get("feel", {}))
        planner = values.get("planner")
        if planner and "transition" in planner:
            raise ModelError(
                "its chord planner is of accomp 0.2 or older, which this release does not read; "
                "accepted: models of this release, or those that `python -m train planner` and "
                "`train harmony --export` make anew"
            )
        values["planner"] = _build(PlannerConfig, planner) if planner else None
        return _build(cls, values)


def _build(kind: Any, values: dict[str, Any]) -> Any:
    unknown = set(values) - {entry.name for entry in fields(kind)}
    if unknown:
        raise ModelError(f"{kind.__name__} has no setting {', '.join(sorted(unknown))}")
    return kind(**values)
