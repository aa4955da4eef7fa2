"""What a browser needs to play songs live: the scripts, the synthesizer and the instruments.

The synthesizer comes from npm (package.json), the instruments are cut out of the soundfont that the
files are rendered with. All is served from a folder whose names change with the content, so that a
browser keeps it for good. `python -m page.player.live` makes the instruments of all genres.
"""

import hashlib
import json
import shutil
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

from accomp.errors import AudioUnavailable
from accomp.roll.grid import DRUMS, TRACKS
from accomp.sound.preset_cut import DRUM_BANK, SoundfontFile
from accomp.sound.render import RenderSettings
from accomp.sound.soundfont import find_soundfont
from page.player.offered import OFFERED, more

FOLDER = Path(__file__).parent
MODELS = FOLDER.parents[1] / "models"
SCRIPTS = (FOLDER / "web", FOLDER.parent / "recorder" / "web")  # served as one folder
PACKAGES = FOLDER / "node_modules"
# Files of the packages, by the names under which they are served.
FILES = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["served"]
NO_PACKAGES = (
    "the packages of the player are not installed; run `npm ci --omit=dev` in page/player, or "
    "./setup.sh"
)
FIRST_GENRE = "pop"  # whose instruments are fetched before anything is chosen
KEPT_SECONDS = 86_400  # for which scripts of another version are kept: a process may serve them

_making = threading.Lock()


def fault() -> str:
    """Return why songs can't be played live; empty where they can."""
    if not all((PACKAGES / file).is_file() for file in FILES.values()):
        return NO_PACKAGES
    try:
        find_soundfont()
    except AudioUnavailable as error:
        return "" if _made() else str(error)
    return ""


@cache
def folder() -> Path:
    """Return the folder that is served: beside this file, or a new one where that can't be."""
    place = FOLDER / "made"
    try:
        (place / "sounds").mkdir(parents=True, exist_ok=True)
        (place / "writable").touch()
    except OSError:
        there, place = place / "sounds", Path(tempfile.mkdtemp(prefix="accomp-player-"))
        (place / "sounds").mkdir()
        for file in there.glob("*.sf3"):
            shutil.copyfile(file, place / "sounds" / file.name)
    return place


def places() -> dict[str, Any]:
    """Return what the scripts are told: see Places in web/types.d.ts. Paths are of this machine."""
    synth = RenderSettings().synth
    return {
        "scripts": str(_scripts()),
        "sounds": str(folder() / "sounds"),
        "made": _made(),
        "first": keys(FIRST_GENRE),
        "fault": fault(),
        "fitting": {part: list(names.items()) for part, names in OFFERED.items()},
        "more": {part: list(names.items()) for part, names in more().items()},
        "settings": {name: value for name, value in synth.items() if not isinstance(value, str)},
    }


def keys(genre: str) -> list[str]:
    """Return the keys of a genre's instruments, those of the usual band for an unknown genre."""
    config = MODELS / genre / "config.json"
    programs = json.loads(config.read_text())["programs"] if config.is_file() else {}
    return [
        key_of(index == DRUMS, programs.get(track.name, track.program))
        for index, track in enumerate(TRACKS)
    ]


def key_of(is_drum: bool, program: int) -> str:
    """Return the key of an instrument, as live.js does."""
    return f"{DRUM_BANK if is_drum else 0}-{program}"


def make_sound(key: str) -> str:
    """Make an instrument's file, if it is not there, and return its name.

    Args:
        key: Bank and program, as 0-33; the bank of drum kits is 128.

    Raises:
        AudioUnavailable: There is no soundfont, or no such instrument in it.
    """
    with _making:  # of many who ask for the same at once the first makes it
        if name := _made().get(key):
            return name
        bank, _, program = key.partition("-")
        try:
            data = _soundfont().cut(int(bank), int(program))
        except (KeyError, ValueError):
            raise AudioUnavailable(f"the soundfont has no instrument {key!r}") from None
        digest = hashlib.blake2s(data, digest_size=5).hexdigest()
        path = folder() / "sounds" / f"{key}-{digest}.sf3"
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(data)
        unfinished.rename(path)
        return path.name


def _made() -> dict[str, str]:
    """Return the files of instruments that are there, by key."""
    files = sorted((folder() / "sounds").glob("*.sf3"))
    return {file.name.rpartition("-")[0]: file.name for file in files}


@cache
def _soundfont() -> SoundfontFile:
    return SoundfontFile(find_soundfont())


@cache
def _scripts() -> Path:
    """Return the folder with the scripts and the packages' files, all under one version's name."""
    sources = {file.name: file for folder in SCRIPTS for file in sorted(folder.glob("*.js"))}
    packages = {name: PACKAGES / file for name, file in FILES.items()}
    sources |= {name: file for name, file in packages.items() if file.is_file()}
    texts = [name.encode() + file.read_bytes() for name, file in sources.items()]
    digest = hashlib.blake2s(b"".join(texts), digest_size=6).hexdigest()
    place = folder() / f"scripts-{digest}"
    if not place.is_dir():
        unfinished = Path(tempfile.mkdtemp(dir=folder()))
        for name, file in sources.items():
            shutil.copyfile(file, unfinished / name)
        unfinished.chmod(0o755)
        try:
            unfinished.rename(place)
        except OSError:  # another process was faster
            shutil.rmtree(unfinished, ignore_errors=True)
    for other in folder().glob("scripts-*"):
        if other != place and time.time() - other.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
    return place


def main() -> None:
    """Make the instruments of all genres that come with accomp."""
    genres = sorted(path.parent.name for path in MODELS.glob("*/config.json"))
    for key in dict.fromkeys(key for genre in [*genres, ""] for key in keys(genre)):
        print(f"{key}: {make_sound(key)}", flush=True)


if __name__ == "__main__":
    main()
