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
from typing import NamedTuple, TypeVar

import numpy as np

from accomp.errors import MusicError, Stopped
from accomp.listen.source import SourceMelody
from accomp.plot import save_plot
from accomp.roll.grid import MELODY, TRACK_NAMES
from accomp.sound.audio_file import write_audio
from accomp.sound.master import apply_gain, master
from accomp.sound.overdub import cleaned_voice, on_clock, voice_stem
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.render import mix, render_stems
from page.files import new_folder
from page.limits import LIMITS
from page.player import VOICE
from page.player.view import voice_loudness
from page.studio import Take, melody_song

Stems = dict[str, np.ndarray]  # by track
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
        save_plot(take.song, picture)
        take.add_files(picture)
    return picture


def voice_of(melody: SourceMelody) -> Path | None:
    """Return the file of a melody's recording for the player, if `make_voice` has made it."""
    known = _voices.get(id(melody.recording))
    return (
        known.file if known and known.owner() is melody.recording and known.file.is_file() else None
    )


def make_voice(melody: SourceMelody) -> Generator[None, None, None]:
    """Make the file of a melody's recording for the player, if it is missing.

    Yields None every moment while it works. Closed before it ends, it stops waiting for the file.
    """
    recording = melody.recording
    if recording is None or melody.transcription is None or voice_of(melody):
        return

    def work(_: threading.Event) -> Path:
        sound = cleaned_voice(recording, voice_loudness())
        return next(iter(write_stems({VOICE: sound}, new_folder()).values()))

    file = yield from _watched(work)
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
        with _renderer(stop):
            return write_stems(_stems(take, stop), take.folder)

    try:
        take.sounds = yield from _watched(work)
    except Stopped:
        raise
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
        song = melody_song(melody)
        with _renderer(stop):
            stems = render_stems(on_clock(song) if melody.transcription else song, stop=stop)
            if melody.transcription and melody.recording:
                piano = next(iter(stems.values()))
                stems[VOICE] = voice_stem(piano, melody.recording, melody.transcription.start)
            return write_stems(stems, new_folder())

    try:
        return (yield from _watched(work))
    except Stopped:
        raise
    except MusicError:  # no FluidSynth, or a recording that is there no more
        return {}


def silent_at_first(stems: Collection[str]) -> set[str]:
    """Return the tracks that are muted at first: beside a recording, the piano."""
    return {TRACK_NAMES[MELODY]} if VOICE in stems else set()


def write_stems(stems: Stems, folder: Path) -> dict[str, Path]:
    """Write each stem to a file for the player, which every browser reads.

    FLAC, which is written and read in no time, or MP3 where that would be much to send.
    """
    samples = len(next(iter(stems.values())))
    ending = "flac" if samples <= LIMITS.long_song * SAMPLE_RATE else "mp3"
    # By number: a track's name may not do as a file's.
    paths = {name: folder / f"stem{number}.{ending}" for number, name in enumerate(stems)}
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(write_audio, stems.values(), paths.values()))
    return paths


def write_mp3(take: Take) -> None:
    """Write the sound of a take as MP3, and its picture. Raises AudioUnavailable."""
    draw(take)
    file = take.folder / f"{take.name}.mp3"
    if not file.is_file():
        with _renderer():
            stems = _stems(take)
            write_audio(_mixed(stems, silent_at_first(stems)), file)
    take.add_files(file)


def write_lossless(take: Take) -> None:
    """Write the sound of a take as WAV: the whole, and a zip of every stem.

    Of a recorded melody also the piano in place of the recording, and the band alone.

    Raises:
        AudioUnavailable: There is no FluidSynth.
    """
    with _renderer():
        stems = _stems(take)
        archive = take.folder / f"{take.name}_stems.zip"
        with zipfile.ZipFile(archive, "w") as bundle:
            for name, stem in stems.items():
                file = take.folder / f"{take.name}_{name}.wav"
                write_audio(stem, file)
                bundle.write(file, file.name)
                file.unlink()
        mixes = {"": silent_at_first(stems)}
        if VOICE in stems:
            mixes["_piano"] = {VOICE}
            if len(stems) > 2:
                mixes["_band"] = {VOICE, TRACK_NAMES[MELODY]}
        files = [take.folder / f"{take.name}{ending}.wav" for ending in mixes]
        for file, silent in zip(files, mixes.values()):
            write_audio(_mixed(stems, silent), file)
    take.add_files(*files, archive)


def write_whole(take: Take) -> Path:
    """Write the sound of a take as one WAV file. Raises AudioUnavailable."""
    with _renderer():
        stems = _stems(take)
        file = take.folder / f"{take.name}.wav"
        write_audio(_mixed(stems, silent_at_first(stems)), file)
    return file


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
def _renderer(stop: threading.Event | None = None) -> Iterator[None]:
    """Wait until one of the places for rendering is free, and take it. Raises Stopped."""
    while not _renderers.acquire(timeout=LIMITS.moment):
        if stop and stop.is_set():
            raise Stopped
    try:
        yield
    finally:
        _renderers.release()


def _mixed(stems: Stems, silent: Collection[str]) -> np.ndarray:
    """Mix all stems except the silent ones, at the level of all results."""
    whole = mix({name: stem for name, stem in stems.items() if name not in silent})
    master([whole], SAMPLE_RATE, compress=False)
    return whole


def _stems(take: Take, stop: threading.Event | None = None) -> Stems:
    """Make the sound of each track, and of the recording where there is one."""
    transcription, recording = take.melody.transcription, take.melody.recording
    stems = render_stems(on_clock(take.song) if transcription else take.song, stop=stop)
    if transcription and recording:
        band = {name: stem for name, stem in stems.items() if name != TRACK_NAMES[MELODY]} or stems
        stems[VOICE] = voice_stem(mix(band), recording, transcription.start_of(take.song))
        silent = silent_at_first(stems)
        played = [stem for name, stem in stems.items() if name not in silent]
        gain = master(played, SAMPLE_RATE, compress=False)
        for name in silent & stems.keys():
            apply_gain(stems[name], gain)
    return stems
