"""What the page does between its widgets: a melody is opened, takes of a band are made, sound and files of a take. No widgets."""

import os
import shutil
import threading
import zipfile
from collections.abc import Callable, Collection, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from accomp.band.options import Options, Redo
from accomp.errors import MusicError, Stopped
from accomp.listen.beat_grid import SungNote
from accomp.listen.source import Source, SourceMelody
from accomp.music.chord_text import chord_text
from accomp.music.midi import write_midi
from accomp.music.score import Score, Track
from accomp.plot import save_plot
from accomp.roll.grid import MELODY, TRACK_NAMES
from accomp.sound.audio_file import write_audio
from accomp.sound.master import apply_gain, master
from accomp.sound.overdub import on_clock, voice_stem
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.render import mix, render_stems
from page.files import new_folder
from page.inventing import chords_of
from page.player import VOICE, view_of
from page.settings import Settings

RENDERERS = threading.Semaphore(
    2
)  # songs whose sound is made at a time: it takes all cores, and 20 MB a second of music
WORKERS = ThreadPoolExecutor(16, "sound")  # they mostly wait
LONG = 240.0  # seconds of music from which its stems are sent as MP3: 1 MB a minute and track instead of 4
MOMENT = 0.3  # seconds after which a visitor's wish to stop is seen
LONGEST_NAME = 100  # bytes of a melody's name in names of files, which have 255
MOST_TAKES = 12  # of a visitor; older ones go
Made = TypeVar("Made")
Play = Callable[..., Score]  # see app.play


@dataclass
class Take:
    """A song as it was made, and its files as far as they are there. number: counted from 1; sounds: by track, for the player;
    style: the visitor's own song in whose style it is; is_shown: whether the visitor looks at it.
    """

    number: int
    settings: Settings
    melody: SourceMelody
    song: Score
    folder: Path
    sounds: dict[str, Path] | None = None
    is_retake: bool = False  # of an earlier take, so that its settings alone don't make it again
    style: Path | None = None
    is_shown: bool = False
    files: list[Path] = field(default_factory=list)

    @property
    def label(self) -> str:
        made, blend = self.settings, self.settings.blend
        whose = f"{made.genre}, seed {made.seed}"
        if blend:
            whose = f"{made.genre} {made.seed} + {blend.genre} {blend.seed}, {blend.amount:g}"
        styles = (
            [self.style.stem] if self.style else [name.replace("_", " ") for name, _ in made.styles]
        )
        moved = [f"{' and '.join(made.explore)} moved"] if made.explore else []
        return ", ".join(
            [f"{self.number}: {whose}", *([" + ".join(styles)] if styles else []), *moved]
        )

    @property
    def name(self) -> str:
        """Of its files, without ending: melody, genre and seed, and what else was asked for."""
        made, blend = self.settings, self.settings.blend
        melody = self.melody.name.encode()[:LONGEST_NAME].decode(errors="ignore")
        parts = [melody, made.genre, made.seed]
        parts += [blend.genre, blend.seed, f"{blend.amount:g}"] if blend else []
        parts += ["own_style"] if self.style else [name for name, _ in made.styles]
        parts += [f"{name}_moved" for name in made.explore]
        return "_".join(map(str, parts))

    @property
    def has_settings(self) -> bool:
        """Whether its settings alone make it again, with its melody."""
        return not self.is_retake and self.style is None

    @property
    def chords(self) -> str:
        return chord_text(self.song, self.song.tracks[MELODY])

    @property
    def is_there(self) -> bool:
        """Whether its files are: they go away after a while."""
        return self.folder.is_dir()

    @property
    def is_finished(self) -> bool:
        """Whether its sound is all there, or there can be none."""
        return self.is_there and (
            self.sounds == {} or any(file.suffix == ".mp3" for file in self.files)
        )

    def view(self) -> dict[str, Any]:
        """For the player."""
        sung = self.melody.sung
        notes = sung and sung_from(sung.start_of(self.song), sung.notes)
        return view_of(self.song, stems=self.sounds, title=self.label, sung=notes)


def sung_from(start: float, notes: list[SungNote]) -> list[SungNote]:
    """The notes of a recording as they were sung, in seconds from `start` on."""
    return [note._replace(onset=note.onset - start, offset=note.offset - start) for note in notes]


def view_alone(melody: SourceMelody, stems: dict[str, Path] | None = None) -> dict[str, Any]:
    """A melody for the player, by itself and beside what was sung."""
    notes = melody.sung and sung_from(melody.sung.start, melody.sung.notes)
    return view_of(
        alone(melody), stems=stems, title=f"{titles([melody.name])[0]}, as understood", sung=notes
    )


def hear_alone(melody: SourceMelody) -> Iterator[dict[str, Path] | None]:
    """The sound of a melody by itself, for the player, and of what was sung: None every moment while it is made, then its files;
    none where there can be no sound. Closed before it ends, it stops the work.
    """

    def work(stop: threading.Event) -> dict[str, Path]:
        song = alone(melody)
        with _a_renderer(stop):
            stems = render_stems(on_clock(song) if melody.sung else song, stop=stop)
            if melody.sung:
                stems[VOICE] = voice_stem(
                    next(iter(stems.values())), melody.recording, melody.sung.start
                )
            return write_stems(stems, new_folder())

    try:
        yield (yield from _watched(work))
    except MusicError:  # no FluidSynth, or a recording that is there no more
        yield {}


def alone(melody: SourceMelody) -> Score:
    """A melody as a song of one track, to be shown and heard."""
    track = melody.score.tracks[melody.track]
    piano = Track(TRACK_NAMES[MELODY], 0, False, list(track.notes), list(track.controls))
    return Score([piano], melody.score.tempos, melody.score.meters, melody.score.resolution)


def make(
    play: Play,
    material: Source,
    settings: Settings,
    takes: list[Take],
    base: Take | None = None,
    keep: Collection[str] = (),
    bars: tuple[int, int] | None = None,
    style: Path | None = None,
) -> Take:
    """A new take, with its MIDI file. base: an earlier one, of which the tracks in `keep`, and what lies outside of `bars`
    (counted from 1 in its song), stay; style: a song of the visitor's, in place of built-in ones. Raises MusicError.
    """
    return accompanied(
        play, material.melody(settings.corrections), settings, takes, base, keep, bars, style
    )


def accompanied(
    play: Play,
    melody: SourceMelody,
    settings: Settings,
    takes: list[Take],
    base: Take | None = None,
    keep: Collection[str] = (),
    bars: tuple[int, int] | None = None,
    style: Path | None = None,
) -> Take:
    """As `make`, for a melody as it is understood."""
    redo = None
    if base and (keep or bars):
        kept = set(keep) - {TRACK_NAMES[MELODY], VOICE}
        if kept >= set(settings.instruments):
            raise MusicError(
                "nothing can change: every instrument that plays is locked, or none plays"
            )
        redo = Redo(base.song, kept, span_of(base.song, bars) if bars else None)
    blend = settings.blend
    options = Options(
        seed=settings.seed,
        variation=settings.variation,
        key=melody.key,
        melody_track=settings.corrections.track,
        chords=chords_of(melody, settings),
        intro=settings.intro,
        instruments=settings.instruments,
        styles=style or settings.styles,
        style_factor=settings.style_factor,
    )
    song = play(
        settings.genre,
        melody.score,
        options,
        redo,
        blend and (blend.genre, blend.seed, blend.amount),
        settings.explore,
    )
    number = takes[-1].number + 1 if takes else 1
    take = Take(
        number, settings, melody, song, new_folder(), is_retake=redo is not None, style=style
    )
    _write_notes(take)
    return take


def span_of(song: Score, bars: tuple[int, int]) -> tuple[float, float]:
    """The beats from the first to the last of two bars, counted from 1."""
    found = song.bars(song.end)
    lines = [*(bar.onset for bar in found), found[-1].onset + found[-1].meter.bar_beats]
    return lines[min(bars[0], len(found)) - 1], lines[min(bars[1], len(found))]


def find(takes: list[Take], number: int | None) -> Take | None:
    """A take by its number, its notes written again where its files went away."""
    take = next((take for take in takes if take.number == number), None)
    if take and not take.is_there:
        take.folder, take.sounds = new_folder(), None
        _write_notes(take)
    return take


def last_seed(takes: list[Take]) -> int:
    return max(take.settings.seed for take in takes)


def named_recording(path: str) -> str:
    """A copy of a recording made in the page, under a name that its takes can have, where it goes away with them."""
    return str(shutil.copyfile(path, new_folder() / f"my_melody{Path(path).suffix}"))


def titles(names: Collection[str]) -> list[str]:
    """Of files that are named with underscores."""
    return [name.replace("_", " ").capitalize() for name in names]


def draw(take: Take) -> Path:
    """The picture of a take, beside its other files."""
    picture = take.folder / f"{take.name}.png"
    if not picture.is_file():
        save_plot(take.song, picture)
        take.files = list(dict.fromkeys([*take.files, picture]))
    return picture


def finish(take: Take) -> Iterator[str | None]:
    """Makes what of a take is not there yet: its picture, and its sound. Yields None every moment while it works, and a message
    where there can be no sound. Closed before it ends, it stops the work.
    """
    if take.is_finished:
        return
    try:
        yield from _watched(lambda stop: _finish(take, stop))
    except MusicError as error:  # no FluidSynth, or a recording that is there no more
        take.sounds = {}
        yield str(error)


def _watched(work: Callable[[threading.Event], Made]) -> Generator[None, None, Made]:
    """What `work` makes in a thread of its own. Yields every moment until then; closed early, it tells the work to stop."""
    stop = threading.Event()
    future = WORKERS.submit(work, stop)
    try:
        while not wait([future], timeout=MOMENT).done:
            yield None
    finally:
        stop.set()
    return future.result()


def _finish(take: Take, stop: threading.Event) -> None:
    draw(take)
    with _a_renderer(stop):
        stems = _stems(take, stop)
        if stop.is_set():  # another may work on the take by now
            raise Stopped
        take.sounds = write_stems(stems, take.folder)
        file = take.folder / f"{take.name}.mp3"
        write_audio(_whole(stems), file)
        take.files = list(dict.fromkeys([*take.files, file]))


@contextmanager
def _a_renderer(stop: threading.Event | None = None) -> Iterator[None]:
    """One of RENDERERS, as soon as there is one. Raises Stopped."""
    while not RENDERERS.acquire(timeout=MOMENT):
        if stop and stop.is_set():
            raise Stopped
    try:
        yield
    finally:
        RENDERERS.release()


def _write_notes(take: Take) -> None:
    midi, settings = take.folder / f"{take.name}.mid", take.folder / f"{take.name}.json"
    write_midi(take.song, midi)
    take.files = [midi]
    if take.has_settings:
        settings.write_text(take.settings.to_json())
        take.files.append(settings)


def _whole(stems: dict[str, np.ndarray], silent: Collection[str] | None = None) -> np.ndarray:
    """All stems but those of the tracks that are `silent`, at the level of all results."""
    silent = silent_in(stems) if silent is None else silent
    whole = mix({name: stem for name, stem in stems.items() if name not in silent})
    master([whole], SAMPLE_RATE, compress=False)
    return whole


def silent_in(stems: Collection[str]) -> set[str]:
    """Who is not heard at first: under a recording, the piano."""
    return {TRACK_NAMES[MELODY]} if VOICE in stems else set()


def write_stems(stems: dict[str, np.ndarray], folder: Path) -> dict[str, Path]:
    """Each as a file in `folder`, for the player: FLAC, which is written and read in no time, or MP3 where that would be much to
    send. Every browser reads both.
    """
    ending = "flac" if len(next(iter(stems.values()))) <= LONG * SAMPLE_RATE else "mp3"
    paths = {
        name: folder / f"stem{number}.{ending}" for number, name in enumerate(stems)
    }  # a name may not do as a file's
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(write_audio, stems.values(), paths.values()))
    return paths


def write_sounds(take: Take) -> None:
    """The sound of a take without loss: the whole, of a recorded melody also with the piano for the recording and the band alone,
    and a zip of every stem. Raises AudioUnavailable.
    """
    with _a_renderer():
        stems = _stems(take)
        archive = take.folder / f"{take.name}_stems.zip"
        with zipfile.ZipFile(archive, "w") as bundle:
            for name, stem in stems.items():
                file = take.folder / f"{take.name}_{name}.wav"
                write_audio(stem, file)
                bundle.write(file, file.name)
                file.unlink()
        mixes = {"": silent_in(stems)}
        if VOICE in stems:
            mixes["_piano"] = {VOICE}
            if len(stems) > 2:
                mixes["_band"] = {VOICE, TRACK_NAMES[MELODY]}
        files = [take.folder / f"{take.name}{ending}.wav" for ending in mixes]
        for file, silent in zip(files, mixes.values()):
            write_audio(_whole(stems, silent), file)
    take.files = list(dict.fromkeys([*take.files, *files, archive]))


def write_whole(take: Take) -> Path:
    """The sound of a take as one WAV file. Raises AudioUnavailable."""
    with _a_renderer():
        file = take.folder / f"{take.name}.wav"
        write_audio(_whole(_stems(take)), file)
    return file


def _stems(take: Take, stop: threading.Event | None = None) -> dict[str, np.ndarray]:
    """The sound of each track, and of the recording where there is one."""
    sung = take.melody.sung
    stems = render_stems(on_clock(take.song) if sung else take.song, stop=stop)
    if sung:
        band = {name: stem for name, stem in stems.items() if name != TRACK_NAMES[MELODY]} or stems
        stems[VOICE] = voice_stem(mix(band), take.melody.recording, sung.start_of(take.song))
        silent = silent_in(stems)
        gain = master(
            [stem for name, stem in stems.items() if name not in silent],
            SAMPLE_RATE,
            compress=False,
        )
        for name in silent & stems.keys():
            apply_gain(stems[name], gain)
    return stems
