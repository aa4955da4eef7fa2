"""Find the soundfont and the synthesiser that songs are played with."""

import os
import shutil
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from accomp.errors import AudioUnavailable
from accomp.extras import extra

# In order of preference. The full FluidR3 is stereo and loads fastest; an .sf3 is unpacked again
# for every track.
SOUNDFONTS = (
    "FluidR3_GM.sf2",
    "FluidR3Mono_GM.sf3",
    "MuseScore_General.sf3",
    "MuseScore_General_Lite.sf3",
    "GeneralUser-GS.sf2",
    "TimGM6mb.sf2",
)
FOLDERS = (
    "/usr/share/sounds/sf2",
    "/usr/share/sounds/sf3",
    "/usr/share/soundfonts",
    "/opt/homebrew/share/soundfonts",
    "/opt/homebrew/share/fluid-synth/sf2",
    "/usr/local/share/soundfonts",
    "/usr/local/share/fluid-synth/sf2",
    "/home/linuxbrew/.linuxbrew/share/fluid-synth/sf2",
)
INSTALL = (
    "Install it with `apt install fluidsynth fluid-soundfont-gm` (Debian, Ubuntu) or "
    "`brew install fluid-synth` (macOS). The MIDI file and the picture do not need it."
)


def ready_soundfont() -> Path:
    """Return the soundfont, if everything that makes sound is installed.

    Raises:
        AudioUnavailable: FluidSynth, midi2audio or a soundfont is missing.
    """
    with extra("sound"):
        import midi2audio  # noqa: F401 (it is called as a command)
    if shutil.which("fluidsynth") is None:
        raise AudioUnavailable(f"FluidSynth, which makes the sound, was not found. {INSTALL}")
    return find_soundfont()


def find_soundfont(
    names: Iterable[str] = SOUNDFONTS, folders: Iterable[str | Path] = FOLDERS
) -> Path:
    """Find a soundfont: ACCOMP_SOUNDFONT, else the best one installed, else pretty_midi's own.

    Args:
        names: Names of files, the best first.
        folders: Where they are looked for, before the package pretty_midi.

    Raises:
        AudioUnavailable: ACCOMP_SOUNDFONT names no soundfont, or there is none at all.
    """
    if chosen := os.environ.get("ACCOMP_SOUNDFONT"):
        return _checked(Path(chosen).expanduser().resolve())
    places = [Path(folder) for folder in folders]
    package = find_spec("pretty_midi")
    if package and package.origin:
        places.append(Path(package.origin).parent)
    for name in names:
        for place in places:
            if (place / name).is_file() and _is_soundfont(place / name):
                return place / name
    raise AudioUnavailable(
        f"No soundfont found. {INSTALL} Or set ACCOMP_SOUNDFONT to an .sf2 or .sf3 file."
    )


def _checked(path: Path) -> Path:
    """Check the file that ACCOMP_SOUNDFONT names: FluidSynth would play another instead."""
    fault = "does not exist" if not path.is_file() else "is not a soundfont"
    if path.is_file() and _is_soundfont(path):
        return path
    raise AudioUnavailable(
        f"ACCOMP_SOUNDFONT names {path}, which {fault}. Set it to an .sf2 or .sf3 file."
    )


def _is_soundfont(path: Path) -> bool:
    with path.open("rb") as file:
        header = file.read(12)
    return header[:4] == b"RIFF" and header[8:] == b"sfbk"
