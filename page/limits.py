"""How much the page does at a time and keeps, so that all visitors get their share."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of the page; each field says its unit and its reason."""

    upload_bytes: int = 500_000_000  # ten minutes of studio sound
    uploads: int = 3000  # files of visitors that are kept at a time
    uploads_bytes: int = 8_000_000_000  # likewise; a Space has 50 GB
    broken_off: float = 120.0  # seconds without a byte after which an upload has broken off
    # Who waits for music; at about a second each for four at a time, the last waits half a minute.
    line: int = 64
    line_of_all: int = 1000  # presses of all kinds that wait: a bound for memory
    # Visitors who are given music at a time; one who waits for a genre to be loaded takes one of
    # these places.
    at_once: int = 4
    quick: int = 16  # presses that only take a moment
    # Songs whose sound is made at a time: each takes all cores.
    renderers: int = 2
    sound_threads: int = 16  # they mostly wait for a renderer
    moment: float = 0.3  # seconds after which a visitor's wish to stop is seen
    # Seconds of music from which its stems are sent as MP3: 1 MB a minute and track instead of 4.
    long_song: float = 240.0
    kept_seconds: int = 3600  # for which files that were made are kept
    greeted: int = 20_000  # visitors who are remembered by name, a number of 11 characters
    takes: int = 12  # of a visitor; older ones go
    steps: int = 24  # takes that later edits were built on, for the way back
    name_bytes: int = 100  # of a melody's name in names of files, which have 255


LIMITS = Limits()
