"""Project files: a melody, its takes and all choices in one small file of JSON.

    {"accomp": 1, "genre": "jazz", "seed": 3, "takes": ["eJx...", "eJx..."], "shown": 1}

Its choices are those of accomp.project.settings, by the same names; its takes are packed as in a
link (accomp.project.packing). A file of choices alone is a project without takes. Another version
of accomp gives the same music from it, byte for byte, since the takes hold their notes.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from accomp.checks import shown
from accomp.errors import MusicError
from accomp.music.file_source import FileSource, read_source
from accomp.music.file_target import written
from accomp.project.kind import ENDING
from accomp.project.packing import IN_FILE
from accomp.project.plain import to_plain
from accomp.project.settings import NO_FILE, Settings, settings_of
from accomp.project.takes import KeptTake

VERSION = 1
ACCEPTED = f"accepted: a project file (*{ENDING}) or a settings file (*.json) that accomp wrote"


@dataclass(frozen=True)
class ProjectLimits:
    """The largest project that is read."""

    bytes: int = 16_000_000
    takes: int = 100


@dataclass
class Project:
    """A song in the making. Nothing of it is unpacked before it is asked for.

    Attributes:
        settings: The choices of the take that is shown, or those without one.
        letters: The takes, packed, in the order in which they were made.
        shown: The place of the take that is shown among them; -1 for the last one.
    """

    settings: Settings
    letters: Sequence[str] = ()
    shown: int = -1

    @classmethod
    def of(cls, takes: Sequence[KeptTake], shown: int = -1) -> "Project":
        """Return a project of takes, at least one."""
        return cls(takes[shown].settings, [take.packed for take in takes], shown)

    @cached_property
    def takes(self) -> list[KeptTake]:
        """All takes, unpacked. Raises MusicError where one is damaged."""
        return [KeptTake.unpacked(each, IN_FILE) for each in self.letters]

    @property
    def take(self) -> KeptTake:
        """The take that is shown. Raises MusicError where there is none."""
        if not self.letters:
            raise MusicError(
                "the project has no take, only choices; accepted: a project with a melody"
            )
        return self.takes[self.shown]

    def to_json(self) -> str:
        """Return the text of its file."""
        known: dict[str, Any] = {"accomp": VERSION}
        known |= to_plain(self.settings, always=("genre", "seed"))
        if self.letters:
            known["takes"] = list(self.letters)
            known["shown"] = self.shown % len(self.letters)
        return json.dumps(known, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, limits: ProjectLimits = ProjectLimits()) -> "Project":
        """Read the text of a project file, or of a settings file.

        Args:
            text: Of the file.
            limits: How many takes are accepted.

        Raises:
            MusicError: It is neither, or holds what is not accepted.
        """
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise MusicError(NO_FILE) from error
        if not isinstance(found, dict):
            raise MusicError(NO_FILE)
        version = found.get("accomp", VERSION)
        if type(version) is not int or not 1 <= version <= VERSION:
            raise MusicError(
                f"the project file is of version {shown(version)}; accepted: up to {VERSION}; "
                "a newer accomp reads it"
            )
        letters = found.get("takes", [found["take"]] if "take" in found else [])
        is_list = isinstance(letters, list) and all(isinstance(each, str) for each in letters)
        if not is_list or len(letters) > limits.takes:
            raise MusicError(f"the project's takes are not read; accepted: up to {limits.takes}")
        place = found.get("shown", -1)
        if type(place) is not int or not (-1 <= place < max(len(letters), 1)):
            raise MusicError(
                f"the project shows take {shown(place)}; accepted: 0 to {len(letters) - 1}"
            )
        return cls(settings_of(found), letters, place)


def read_project(source: FileSource, limits: ProjectLimits = ProjectLimits()) -> Project:
    """Read a project file.

    Args:
        source: A path, the bytes of a file or a binary file object.
        limits: The largest accepted file.

    Raises:
        MusicError: It is no project file, or larger.
    """
    data = read_source(source, limits.bytes + 1, ACCEPTED)
    if len(data) > limits.bytes:
        most = f"{limits.bytes / 1e6:g} MB"
        raise MusicError(f"the project file is larger than {most}; accepted: up to {most}")
    return Project.from_json(data, limits)


def write_project(project: Project, path: str | os.PathLike) -> None:
    """Write a project file, which is there whole or not at all."""
    with written(path) as target:
        target.write_text(project.to_json(), encoding="utf-8")
