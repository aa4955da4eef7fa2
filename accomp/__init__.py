"""accomp: give a melody a band.

    accompanist = Accompanist.from_pretrained("jazz")
    song = accompanist.accompany(read_midi("melody.mid"), seed=3)
    write_midi(song, "song.mid")

A score is turned into latents and back in steps. Each function has an opposite:

    MIDI file --read_midi-->  Score                                         (accomp.music)
    Score     --on_grid-->    notes in steps --to_planes--> planes          (accomp.roll)
    planes    --to_blocks-->  blocks                                        (accomp.roll)
    blocks    --encode-->     latents                                       (accomp.models)

    latents   --decode-->     blocks
    blocks    --from_blocks-> planes --from_planes--> notes in steps --in_beats--> Score
    Score     --write_midi--> MIDI file

A melody is encoded to latents. The ChordPlanner chooses chords for it, and the HarmonyNNs compute
the latents of drums, bass, guitar and strings from those of the melody. They are decoded to a band.

Shapes: N batch, S steps (sixteenths), B blocks of 32 steps, H half bars (four a block), P 128
pitches, K and Z latent sizes.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accomp.band.accompanist import Accompanist
    from accomp.band.finish import Finish, finished
    from accomp.band.options import Options, Redo
    from accomp.band.refill import Refill
    from accomp.band.sketch import Sketch
    from accomp.band.style import Style
    from accomp.errors import AudioUnavailable, DoubtError, ModelError, MusicError
    from accomp.invention.invent import continue_melody, invent
    from accomp.listen.source import Corrections, open_melody
    from accomp.models.config import AccompanistConfig
    from accomp.models.hub import genres
    from accomp.music.midi import read_midi, write_midi
    from accomp.music.score import Chord, Note, Score, Tempo, TimeSignature, Track
    from accomp.plot import save_plot
    from accomp.project.file import Project, read_project, write_project
    from accomp.project.takes import KeptTake
    from accomp.sheet.files import write_lead_sheet
    from accomp.sound.audio_file import write_audio
    from accomp.sound.render import render

__version__ = "0.2.0"

__all__ = [
    "Accompanist",
    "AccompanistConfig",
    "AudioUnavailable",
    "Chord",
    "Corrections",
    "DoubtError",
    "Finish",
    "KeptTake",
    "ModelError",
    "MusicError",
    "Note",
    "Options",
    "Project",
    "Redo",
    "Refill",
    "Score",
    "Sketch",
    "Style",
    "Tempo",
    "TimeSignature",
    "Track",
    "__version__",
    "continue_melody",
    "finished",
    "genres",
    "invent",
    "open_melody",
    "read_midi",
    "read_project",
    "render",
    "save_plot",
    "write_audio",
    "write_lead_sheet",
    "write_midi",
    "write_project",
]

# Where each public name is. They are imported on first use: importing torch takes
# seconds, which `accomp --help` need not wait for.
_HOMES = {
    "accomp.band.accompanist": ["Accompanist"],
    "accomp.band.finish": ["Finish", "finished"],
    "accomp.band.options": ["Options", "Redo"],
    "accomp.band.refill": ["Refill"],
    "accomp.band.sketch": ["Sketch"],
    "accomp.band.style": ["Style"],
    "accomp.errors": ["AudioUnavailable", "DoubtError", "ModelError", "MusicError"],
    "accomp.invention.invent": ["continue_melody", "invent"],
    "accomp.listen.source": ["Corrections", "open_melody"],
    "accomp.models.config": ["AccompanistConfig"],
    "accomp.models.hub": ["genres"],
    "accomp.music.midi": ["read_midi", "write_midi"],
    "accomp.music.score": ["Chord", "Note", "Score", "Tempo", "TimeSignature", "Track"],
    "accomp.plot": ["save_plot"],
    "accomp.project.file": ["Project", "read_project", "write_project"],
    "accomp.project.takes": ["KeptTake"],
    "accomp.sheet.files": ["write_lead_sheet"],
    "accomp.sound.audio_file": ["write_audio"],
    "accomp.sound.render": ["render"],
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
