"""What one genre's models are made of and how they play."""

from dataclasses import dataclass, field, fields

from accomp.errors import ModelError
from accomp.models.chord_planner import PlannerConfig
from accomp.models.feel import FeelConfig
from accomp.models.harmony_nn import HarmonyConfig
from accomp.models.vae import VAEConfig

VERSION = 2


@dataclass
class AccompanistConfig:
    genre: str = "universal"
    vaes: dict[str, VAEConfig] = field(default_factory=dict)  # by track name
    harmony: HarmonyConfig = field(default_factory=HarmonyConfig)
    planner: PlannerConfig | None = field(
        default_factory=PlannerConfig
    )  # None: no chord plan, as published
    feel: FeelConfig = field(default_factory=FeelConfig)
    programs: dict[str, int] = field(default_factory=dict)  # General MIDI program by track name
    temperature: float = 0.9  # of sampling among latents of real playing
    top_p: float = 0.9
    # How much rather than by probability alone an instrument stays on its pattern, in logits. Without it neighbouring blocks
    # are less alike than those of real songs, except in the drums.
    steadiness: dict[str, float] = field(
        default_factory=lambda: {"drums": 2.5, "bass": 4.5, "guitar": 4.0, "strings": 5.5}
    )
    # How much patterns of many pitch classes are preferred, in logits per standard deviation: the network plays it safe.
    variety: dict[str, float] = field(
        default_factory=lambda: {"bass": 0.4, "guitar": 0.1, "strings": 0.4}
    )
    colours: bool = True  # sevenths in the plan, as often as the genre has them
    agree: bool = (
        True  # bring what the decoders play to the very chords of the plan (accomp.band.voicing)
    )
    sparsest: float = -0.8  # density, in standard deviations, that a pattern must have to begin a section: it may stay long
    contrast: float = (
        4.0  # how much a section that is new seeks other patterns than the one before, in logits
    )
    push: float = 0.4  # how much the energy of a section asks for busier or sparser patterns, in logits per deviation
    longest_rest: int = (
        4  # blocks; an instrument that has rested so long comes in by its first network
    )
    repeat: float = 0.7  # a melody block as similar as this to an earlier one gets its accompaniment; above 1: never
    song: bool = True  # who rests, how busy and how loud phrases are is drawn from the song VAE (accomp.band.song_form)
    weights_sha256: str = (
        ""  # of the weights' file: a HarmonyNN means nothing without the very VAEs it learned from
    )
    version: int = VERSION

    @classmethod
    def from_dict(cls, values: dict) -> "AccompanistConfig":
        """Opposite of `dataclasses.asdict`; a key that is unknown is an error."""
        values = dict(values)
        if values.get("version") != VERSION:
            raise ModelError(
                f"config version {values.get('version')!r} is unknown; this release of accomp reads version {VERSION}"
            )
        values["vaes"] = {
            name: _build(VAEConfig, vae) for name, vae in values.get("vaes", {}).items()
        }
        values["harmony"] = _build(HarmonyConfig, values.get("harmony", {}))
        values["feel"] = _build(FeelConfig, values.get("feel", {}))
        values["planner"] = (
            _build(PlannerConfig, values["planner"]) if values.get("planner") else None
        )
        return _build(cls, values)


def _build(kind, values: dict):
    unknown = set(values) - {entry.name for entry in fields(kind)}
    if unknown:
        raise ModelError(f"{kind.__name__} has no setting {', '.join(sorted(unknown))}")
    return kind(**values)
