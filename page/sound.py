"""Sound and pictures of takes and melodies, made in threads that can be stopped. No widgets.

The player plays live what it can. Here are the files: those for download, and stems for browsers
that can't play live.
"""

import os
import threading
import weakref
import zipfile
from collections.abc import Callable, Collection, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypeVar

import numpy as np

from accomp.errors import MusicError, Stopped
from accomp.listen.source import SourceMelody
from accomp.music.score import Score
from accomp.plot import save_plot
from accomp.roll.grid import MELODY, TRACK_NAMES
from accomp.roll.sounding_names import sounding_names
from accomp.sound.audio_file import Recording, write_audio
from accomp.sound.overdub import cleaned_voice, on_clock, voice_beside
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.streamed import SongSound, song_sound
from page import visits
from page.files import new_folder
from page.limits import LIMITS
from page.player import VOICE
from page.player.view import voice_loudness
from page.studio import LEAD, Take, fits_recording, melody_song

Stems = dict[str, np.ndarray]  # by track
WHOLE, WITH_PIANO, BAND_ALONE = "", "piano", "band"  # mixes of a take
NOBODY_ELSE = "nobody plays beside the melody"
Made = TypeVar("Made")


class _KnownVoice(NamedTuple):
    """The file of a recording, which says whether it is still the recording's."""

    owner: weakref.ref
    file: Path


_voices: dict[int, _KnownVoice] = {}  # by the id of the recording
_renderers = threading.Semaphore(LIMITS.renderers)
_workers = ThreadPoolExecutor(LIMITS.sound_threads, "sound")


def draw(take: Take) -> Path:
    """Draw the picture of a take, beside its other files, if it is not there yet."""
    picture = take.folder / f"{take.name}.png"
    if not picture.is_file():
        save_plot(take.heard, picture)
    return picture


def voice_of(melody: SourceMelody) -> Path | None:
    """Return the file of a melody's recording for the player, if `make_voice` has made it."""
    known = _voices.get(id(melody.recording))
    return (
        known.file if known and known.owner() is melody.recording and known.file.is_file() else None
    )


def make_voice(melody: SourceMelody) -> Generator[None, None, None]:
    """Make the file of a melody's recording for the player, if it is missing and can be made.

    Yields None every moment while it works. Closed before it ends, it stops waiting for the file.
    """
    recording = melody.recording
    if recording is None or melody.transcription is None or voice_of(melody):
        return

    def work(_: threading.Event) -> Path:
        sound = cleaned_voice(recording, voice_loudness())
        return next(iter(write_stems({VOICE: sound}, new_folder()).values()))

    try:
        file = yield from _watched(work)
    except MusicError:  # the recording is there no more; its notes are
        return
    for key in [key for key, known in _voices.items() if known.owner() is None]:
        _voices.pop(key, None)
    _voices[id(recording)] = _KnownVoice(weakref.ref(recording), file)


def stems_of_take(take: Take) -> Generator[None, None, str]:
    """Render the stems of a take for a browser that can't play live, if they are missing.

    A take without sound, where there can be none, has an empty dict of them. Yields None every
    moment while it works, and returns why there can be no sound, or "". Closed before it ends, it
    stops the work.
    """
    if take.sounds is not None:
        return ""

    def work(stop: threading.Event) -> dict[str, Path]:
        with _sound_of(take, stop.is_set) as sound:
            return _write_each(sound, take.folder)

    try:
        take.sounds = yield from _watched(work)
    except MusicError as error:  # no FluidSynth, or a recording that is there no more
        take.sounds = {}
        return str(error)
    return ""


def stems_of_melody(melody: SourceMelody) -> Generator[None, None, dict[str, Path]]:
    """Render a melody by itself, and its recording, for a browser that can't play live.

    Yields None every moment while it works, and returns the files by track: none where there can
    be no sound. Closed before it ends, it stops the work.
    """

    def work(stop: threading.Event) -> dict[str, Path]:
        start = melody.transcription.start if melody.transcription else None
        with _sounding(melody_song(melody), melody.recording, start, stop.is_set) as sound:
            return _write_each(sound, new_folder())

    try:
        return (yield from _watched(work))
    except MusicError:  # no FluidSynth, or a recording that is there no more
        return {}


def silent_at_first(stems: Collection[str]) -> set[str]:
    """Return the tracks that are muted at first: beside a recording, the piano."""
    return {TRACK_NAMES[MELODY]} if VOICE in stems else set()


def write_stems(stems: Stems, folder: Path) -> dict[str, Path]:
    """Write each stem to a file for the player, which every browser reads.

    FLAC, which is written and read in no time, or MP3 where that would be much to send.
    """
    ending = _ending(len(next(iter(stems.values()))))
    # By number: a track's name may not do as a file's.
    paths = {name: folder / f"stem{number}.{ending}" for number, name in enumerate(stems)}
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(write_audio, stems.values(), paths.values()))
    return paths


def _write_each(sound: SongSound, folder: Path) -> dict[str, Path]:
    """Write each track to a file for the player, as `write_stems` does."""
    ending = _ending(sound.length)
    paths = {name: folder / f"stem{number}.{ending}" for number, name in enumerate(sound.names)}
    sound.write({path: [name] for name, path in paths.items()})
    return paths


def _ending(samples: int) -> str:
    """Return FLAC, which is written and read in no time, or MP3 where that is much to send."""
    return "flac" if samples <= LIMITS.long_song * SAMPLE_RATE else "mp3"


def write_mix(take: Take, mix: str, ending: str) -> Path:
    """Write what is heard of a take, or a part of it, unless it is there.

    Args:
        take: The take.
        mix: WHOLE, WITH_PIANO (in place of a recording) or BAND_ALONE.
        ending: Of the file: wav or mp3.

    Raises:
        AudioUnavailable: There is no FluidSynth.
        MusicError: There is no such mix of it.
        Stopped: Nobody waits any more.
    """
    file = take.folder / f"{take.name}{mix and f'_{mix}'}.{ending}"
    if file.is_file():
        return file
    with _sound_of(take, visits.asked_to_stop()) as sound:
        silent = mixes(sound.names)
        if mix not in silent:
            raise MusicError(NOBODY_ELSE)
        unfinished = file.with_name(f"unfinished_{file.name}")
        sound.write({unfinished: _without(sound, silent[mix])})
        unfinished.replace(file)
    return file


def mixes(names: Collection[str]) -> dict[str, set[str]]:
    """Return the tracks that are silent in each mix that some tracks have."""
    lead = {VOICE, LEAD}
    found = {WHOLE: silent_at_first(names)}
    if VOICE in names:
        found[WITH_PIANO] = {VOICE}
    if set(names) - lead:
        found[BAND_ALONE] = lead
    return found


def write_stems_zip(take: Take) -> Path:
    """Write a zip with the sound of each track of a take as WAV, unless it is there.

    Raises:
        AudioUnavailable: There is no FluidSynth.
        Stopped: Nobody waits any more.
    """
    archive = take.folder / f"{take.name}_stems.zip"
    if archive.is_file():
        return archive
    with (
        _sound_of(take, visits.asked_to_stop()) as sound,
        TemporaryDirectory(dir=take.folder) as folder,
    ):
        names = sounding_names(take.heard)
        stems = {
            Path(folder) / f"{take.name}_{names.get(name, name)}.wav": [name]
            for name in sound.names
        }
        sound.write(stems)
        part = Path(folder) / archive.name
        with zipfile.ZipFile(part, "w") as bundle:
            for stem in stems:
                bundle.write(stem, stem.name)
        part.replace(archive)
    return archive


def _without(sound: SongSound, silent: Collection[str]) -> list[str]:
    return [name for name in sound.names if name not in silent]


def _watched(work: Callable[[threading.Event], Made]) -> Generator[None, None, Made]:
    """Return what `work` makes in a thread of its own.

    Yields every moment until then. Closed early, it tells the work to stop.
    """
    stop = threading.Event()
    future = _workers.submit(work, stop)
    try:
        while not wait([future], timeout=LIMITS.moment).done:
            yield None
    finally:
        stop.set()
    return future.result()


@contextmanager
def _renderer(stop: Callable[[], bool]) -> Iterator[None]:
    """Wait until one of the places for rendering is free, and take it. Raises Stopped."""
    while not _renderers.acquire(timeout=LIMITS.moment):
        if stop():
            raise Stopped
    try:
        yield
    finally:
        _renderers.release()


@contextmanager
def _sound_of(take: Take, stop: Callable[[], bool]) -> Iterator[SongSound]:
    """Give the sound of a take's tracks, and of its recording where one fits."""
    fits = fits_recording(take.settings.finish)
    found = take.melody.transcription if fits else None
    start = found.start_of(take.song) if found else None
    with _sounding(take.heard, take.melody.recording, start, stop) as sound:
        yield sound


@contextmanager
def _sounding(
    song: Score, recording: Recording | None, start: float | None, stop: Callable[[], bool]
) -> Iterator[SongSound]:
    """Give the sound of a song's tracks, and of a recording beside them.

    Args:
        song: The music.
        recording: Of its melody, if it is one.
        start: Seconds in the recording at which the song begins.
        stop: Tells whether nobody waits any more.
    """
    played = song if start is None else on_clock(song)
    with _renderer(stop), song_sound(played, stop) as sound:
        if recording is not None and start is not None:
            piano = TRACK_NAMES[MELODY]
            band = [name for name in sound.names if name != piano] or sound.names
            voice = voice_beside(recording, start, sound.loudness(band), sound.length)
            sound.add_voice(VOICE, voice, silent={piano} if band != sound.names else ())
        yield sound
