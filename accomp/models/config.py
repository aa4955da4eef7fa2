"""The settings of one genre's models: what they are made of and how they play."""

from dataclasses import dataclass, field

from accomp.errors import ModelError
from accomp.models.chord_planner import PlannerConfig
from accomp.models.feel import FeelConfig
from accomp.models.harmony_network import HarmonyConfig
from accomp.models.setting_values import WIDEST, build
from accomp.models.vae import VAEConfig

VERSION = 2
# What numbers may be, by name of the setting: far beyond what was ever trained, and such that
# nothing is built or computed that has no end.
_RANGES = {
    "programs": (0, 127),
    "temperature": (0.01, 100),
    "top_p": (0.01, 1),
    "longest_rest": (1, 10_000),
    "genre_chords": (0, 100),
}
_VAE = {
    "low": (0, 127),
    "high": (0, 127),
    "planes": (1, 2),
    "layers": (0, 16),
    "dropout": (0, 0.99),
    "kl_weight": (0, 100),
} | {name: (1, WIDEST) for name in ("latent", "step", "beat")}
_HARMONY = {
    "width": (1, WIDEST),
    "residual_blocks": (0, 16),
    "layers": (1, 16),
    "heads": (1, 64),
    "dropout": (0, 0.99),
    "codebook": (1, 65_536),
    "temperature": (1e-6, 100),
}
_PLANNER = {"dropout": (0, 0.99), "layers": (1, 16), "heads": (1, 64)} | {
    name: (1, WIDEST) for name in ("width", "context")
}
_FEEL = {"width": (1, WIDEST), "dynamics": (0, 100), "looseness": (0, 100)}


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
        steadiness: By track name, logits by which an instrument rather takes up what it played
            before than by probability alone. The defaults are for the steps network; the song
            network needs none.
        variety: By track name, logits per standard deviation by which patterns of many pitch
            classes are preferred.
        density: By track name, logits per standard deviation by which busy patterns are preferred.
        even: By track name, logits by which patterns of two bars in one rhythm are preferred.
        colours: Whether the plan has sevenths, as often as the genre has them.
        agree: Whether the decoded notes are adjusted to the exact chords of the plan
            (accomp.band.voicing).
        sparsest: Density, in standard deviations, that a pattern must have to begin a section: it
            may stay long.
        contrast: Logits by which a new section seeks other patterns than the one before.
        sections: Logits by which a player who hears the whole song rather takes up what it played
            in a section of the same name than in another one.
        likeness: Logits by which what it plays anew in a section is rather like what it played in
            that section before.
        push: Logits per deviation by which the energy of a section asks for busier or sparser
            patterns.
        longest_rest: Blocks; an instrument that has rested so long comes in by its first network.
        repeat: A melody block as similar as this to an earlier one gets its accompaniment; above 1:
            never.
        genre_chords: How much the planner's hearing for this genre weighs when triads are chosen,
            beside .8 for those for any genre.
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
    density: dict[str, float] = field(default_factory=dict)
    even: dict[str, float] = field(default_factory=dict)
    colours: bool = True
    agree: bool = True
    sparsest: float = -0.8
    contrast: float = 4.0
    sections: float = 8.0
    likeness: float = 0.0
    push: float = 0.4
    longest_rest: int = 4
    repeat: float = 0.7
    genre_chords: float = 0.2
    song: bool = True
    weights_sha256: str = ""
    version: int = VERSION

    @classmethod
    def from_dict(cls, values: dict) -> "AccompanistConfig":
        """Read what `dataclasses.asdict` made.

        Raises:
            ModelError: The version or a key is unknown, or a value is out of its range.
        """
        if not isinstance(values, dict) or values.get("version") != VERSION:
            version = values.get("version") if isinstance(values, dict) else None
            raise ModelError(
                f"config version {str(version)[:50]!r} is unknown; "
                f"this release of accomp reads version {VERSION}"
            )
        values = dict(values)
        vaes = values.get("vaes", {})
        if not isinstance(vaes, dict):
            raise ModelError("AccompanistConfig.vaes is no table; accepted: settings by track name")
        _check_age(values)
        values["vaes"] = {name: build(VAEConfig, vae, _VAE) for name, vae in vaes.items()}
        values["harmony"] = build(HarmonyConfig, values.get("harmony", {}), _HARMONY)
        values["feel"] = build(FeelConfig, values.get("feel", {}), _FEEL)
        planner = values.get("planner")
        values["planner"] = build(PlannerConfig, planner, _PLANNER) if planner else None
        return build(cls, values, _RANGES)


def _check_age(values: dict) -> None:
    """Refuse the parts of models that earlier releases made. Raises ModelError."""
    vaes, planner = values.get("vaes", {}).values(), values.get("planner")
    old = "VAEs" if any(isinstance(vae, dict) and "block" in vae for vae in vaes) else ""
    if isinstance(planner, dict) and "transition" in planner:
        old = "chord planner"
    if old:
        raise ModelError(
            f"its {old} come from accomp 0.2 or older, which this release does not read; "
            "accepted: models of this release, or those that `python -m train vae`, `planner` and "
            "`train harmony --export` make anew"
        )
