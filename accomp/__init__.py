"""accomp: give a melody a band.

The way up and down, each step a pair of opposite functions:

    MIDI file --read_midi-->  Score  (accomp.music)
    Score     --on_grid-->    notes in steps --to_planes--> planes --to_blocks--> blocks (accomp.roll)
    blocks    --encode-->     latents  (accomp.models)

    latents   --decode-->     blocks
    blocks    --from_blocks-> planes --from_planes--> notes in steps --in_beats--> Score
    Score     --write_midi--> MIDI file

A melody climbs it. The ChordPlanner reads its chords; the HarmonyNNs step across from the melody's
latents to those of drums, bass, guitar and strings; and the band comes down the same way.
Shapes: N batch, S steps (sixteenths), B blocks of 32 steps, H half bars (four a block), P 128
pitches, K and Z latent sizes.
"""

from accomp.band.accompanist import Accompanist
from accomp.errors import ModelError, MusicError
from accomp.invention.invent import continue_melody, invent
from accomp.models.config import AccompanistConfig
from accomp.models.hub import genres
from accomp.music.midi import read_midi, write_midi
from accomp.music.score import Chord, Note, Score, Tempo, TimeSignature, Track

__version__ = "0.2.0"

__all__ = [
    "Accompanist",
    "AccompanistConfig",
    "Chord",
    "ModelError",
    "MusicError",
    "Note",
    "Score",
    "Tempo",
    "TimeSignature",
    "Track",
    "__version__",
    "continue_melody",
    "genres",
    "invent",
    "read_midi",
    "write_midi",
]
