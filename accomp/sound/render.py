"""Render a score as sound.

FluidSynth, called through midi2audio, plays every track by itself, with the volume, pan, reverb and
chorus that the score gives it (accomp.band.balance). The mix is their sum, mastered
(accomp.sound.master). Playing the tracks in parallel processes takes less time than playing them
together in one, and gives the stems for free.
"""

import os
import signal
import site
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from accomp.errors import AudioUnavailable, MusicError, Stopped
from accomp.extras import extra
from accomp.music.midi import write_midi
from accomp.music.score import Control, Score, Track
from accomp.sound.master import MasterSettings, master
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.soundfont import ready_soundfont


@dataclass(frozen=True)
class RenderSettings:
    """How a score is played, and how its sound ends.

    FluidSynth's own room is so small that it is not noticed; this one is a small hall, the same
    for all songs. How much of it is in the sound is said by each track's reverb (controller 91).
    """

    synth: Mapping[str, float | str] = field(  # FluidSynth's settings, by their names
        default_factory=lambda: {
            "synth.reverb.room-size": 0.6,
            "synth.reverb.damp": 0.3,
            "synth.reverb.width": 0.8,
            "synth.reverb.level": 0.9,
            "audio.file.format": "float",  # a soft song, made loud, would have 16 bits' noise
        }
    )
    tail: float = 4.0  # seconds in which the last notes may ring out
    fade: float = 0.5  # seconds, at the end
    inaudible: float = 10 ** (-66 / 20)  # what stays below this after the last note is cut off
    silence: float = 1e-5  # of FluidSynth, whose loudest are about 0.1; it is never quite silent
    stop_seconds: float = 0.2  # between two looks whether to stop
    # How long FluidSynth may take: it needs a fiftieth of the music's length on a free core.
    patience: tuple[float, float] = (60.0, 2.0)  # seconds, and as a multiple of the music's length
    master: MasterSettings = MasterSettings()

    def longest(self, seconds: float) -> float:
        """Return how many seconds FluidSynth may take for so many seconds of music."""
        least, multiple = self.patience
        return least + multiple * seconds


SETTINGS = RenderSettings()


def render_stems(
    score: Score,
    sample_rate: int = SAMPLE_RATE,
    stop: threading.Event | None = None,
    settings: RenderSettings = SETTINGS,
) -> dict[str, np.ndarray]:
    """Render each track that has notes by itself, from beat 0 on.

    The stems are at the level of the mix, which is their sum: at -16 LUFS, limited at -1 dBTP.

    Args:
        score: Needs at least one note.
        sample_rate: In Hz.
        stop: Set by another thread, it ends the work soon.
        settings: How the score is played.

    Returns:
        By track name [samples, 2] float32, all equally long.

    Raises:
        MusicError: The score has no notes.
        AudioUnavailable: FluidSynth or a soundfont is missing or fails.
        Stopped: `stop` was set.
    """
    soundfont = _soundfont_for(score)
    tracks = {name: track for name, track in named_tracks(score).items() if track.notes}
    player = _Player(soundfont, sample_rate, settings, stop)
    # The busiest first, so that no core waits at the end.
    names = sorted(tracks, key=lambda name: -len(tracks[name].notes))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        played = dict(zip(names, pool.map(lambda name: player.play(score, [tracks[name]]), names)))
    return _finished({name: played[name] for name in tracks}, score.seconds(score.end), player)


def render(
    score: Score, sample_rate: int = SAMPLE_RATE, settings: RenderSettings = SETTINGS
) -> np.ndarray:
    """Render the whole score: [samples, 2] float32 from beat 0 on.

    Loudness and errors are those of `render_stems`. The tracks are shared out to two FluidSynth
    processes: on two cores that takes half as long as one, and two fifths of the memory of five.
    Two on any machine, so that the sound is the same.
    """
    player = _Player(_soundfont_for(score), sample_rate, settings)
    halves: list[list[Track]] = [[], []]
    for track in sorted((track for track in score.tracks if track.notes), key=_work, reverse=True):
        min(halves, key=lambda half: sum(map(_work, half))).append(track)
    with ThreadPoolExecutor(max_workers=2) as pool:
        played = list(pool.map(lambda half: player.play(score, half), filter(None, halves)))
    length = min(len(sound) for sound in played)
    whole, *others = (sound[:length] for sound in played)
    for sound in others:
        whole += sound  # in place: ten minutes take 200 MB
    del played, others
    return _finished({"mix": whole}, score.seconds(score.end), player)["mix"]


def play_tracks(
    score: Score,
    folder: Path,
    sample_rate: int,
    stop: Callable[[], bool],
    settings: RenderSettings = SETTINGS,
) -> dict[str, Path]:
    """Play each track that has notes by itself, as FluidSynth's own files: nothing is mastered.

    Args:
        score: Needs at least one note.
        folder: Where the files go.
        sample_rate: In Hz.
        stop: Tells whether the work shall end.
        settings: How the score is played.

    Returns:
        The files by track name.

    Raises:
        MusicError: The score has no notes.
        AudioUnavailable: FluidSynth or a soundfont is missing or fails.
        Stopped: `stop` said so.
    """
    tracks = {name: track for name, track in named_tracks(score).items() if track.notes}
    player = _Player(_soundfont_for(score), sample_rate, settings, _Stop(stop))
    files = {name: folder / f"{number}.wav" for number, name in enumerate(tracks)}
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(lambda name: player.write(score, [tracks[name]], files[name]), files))
    return files


def mix(stems: dict[str, np.ndarray]) -> np.ndarray:
    """Add up stems from `render_stems`: [samples, 2] float32."""
    first, *others = stems.values()
    whole = first.copy()
    for stem in others:
        whole += stem
    return whole


def named_tracks(score: Score) -> dict[str, Track]:
    """Return the tracks by unique names.

    A name that comes twice gets a number; a track without notes gets it before one with notes.
    """
    names: dict[int, str] = {}
    taken: set[str] = set()
    for index, track in sorted(enumerate(score.tracks), key=lambda item: not item[1].notes):
        name = track.name or f"track {index + 1}"
        names[index] = f"{name} {index + 1}" if name in taken else name
        taken.add(names[index])
    return {names[index]: track for index, track in enumerate(score.tracks)}


def _work(track: Track) -> float:
    """Estimate what a track costs to render: how long its voices sound, in beats.

    A short note rings on for a while.
    """
    return sum(note.duration + 1.0 for note in track.notes)


def _soundfont_for(score: Score) -> Path:
    if not any(track.notes for track in score.tracks):
        raise MusicError("There is nothing to play: the score has no notes.")
    return ready_soundfont()


def _with_tail(score: Score, tracks: list[Track], tail: float) -> Score:
    """Return those tracks of `score`, ending `tail` seconds after the whole score does.

    FluidSynth stops at the last event, cutting what still rings, so a controller without effect
    is put there.
    """
    last = score.end
    tempos = [tempo for tempo in score.tempos if tempo.onset < last]
    end = last + tail * 1e6 / (tempos[-1].microseconds if tempos else 500_000)
    silent_event = Control(end, 3, 0)  # 3 is a controller to which General MIDI gives no meaning
    first, *others = tracks
    first = replace(first, controls=[*first.controls, silent_event])
    return replace(score, tempos=tempos, tracks=[first, *others])


@dataclass(frozen=True)
class _Stop:
    """A question whether to stop, with the manners of a threading.Event."""

    asked: Callable[[], bool]

    def is_set(self) -> bool:
        return self.asked()


@dataclass(frozen=True)
class _Player:
    """FluidSynth with a soundfont. stop: ends the work when it is set."""

    soundfont: Path
    sample_rate: int
    settings: RenderSettings
    stop: threading.Event | _Stop | None = None

    def play(self, score: Score, tracks: list[Track]) -> np.ndarray:
        """Play tracks of a score: [samples, 2] float32, as long as the score and its tail."""
        with extra("sound"):
            import soundfile

        with room(), TemporaryDirectory(prefix="accomp-") as folder:
            audio = Path(folder, "score.wav")
            self.write(score, tracks, audio)
            return soundfile.read(audio, dtype="float32", always_2d=True)[0]

    def write(self, score: Score, tracks: list[Track], audio: Path) -> None:
        """Play tracks of a score to a file, as long as the score and its tail.

        Raises:
            AudioUnavailable: FluidSynth fails, hangs or writes no sound.
            Stopped: `stop` was set.
        """
        seconds = score.seconds(score.end)
        with room(), TemporaryDirectory(prefix="accomp-") as folder:
            midi = Path(folder, "score.mid")
            write_midi(_with_tail(score, tracks, self.settings.tail), midi)
            # midi2audio passes no settings on, but FluidSynth reads them in the home folder.
            lines = (f"set {name} {value}\n" for name, value in self.settings.synth.items())
            Path(folder, ".fluidsynth").write_text("".join(lines))
            home = {**os.environ, "HOME": folder, "PYTHONUSERBASE": site.getuserbase()}
            # midi2audio's command rather than its class: what FluidSynth prints can then be read
            # instead of shown, and the process can be stopped.
            command = [sys.executable, "-m", "midi2audio", "-s", str(self.soundfont)]
            command += ["-r", str(self.sample_rate), str(midi), str(audio)]
            said = self._run(command, home, self.settings.longest(seconds))
            # The exit status says nothing, as midi2audio drops FluidSynth's.
            complaints = [line for line in said.splitlines() if "error" in line.lower()]
            found = _seconds_in(audio)
            if not complaints and found >= seconds:
                return
        reason = complaints[-1] if complaints else said.strip()[-300:]
        if not reason and found:
            reason = f"it wrote {found:.1f} of {seconds:.1f} seconds; perhaps the disk is full"
        reason = reason or "it wrote no sound and gave no reason"
        raise AudioUnavailable(f"FluidSynth failed with the soundfont {self.soundfont}: {reason}")

    def _run(self, command: list[str], environment: dict[str, str], longest: float) -> str:
        """Return what a command writes to its standard error.

        However this ends, the process and those that it began have ended.

        Args:
            command: The program and its arguments.
            environment: Its variables.
            longest: Seconds that it may take.

        Raises:
            AudioUnavailable: It took longer.
            Stopped: `stop` was set.
        """
        stop, deadline = self.stop, time.monotonic() + longest
        if stop and stop.is_set():
            raise Stopped
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # a group of its own, which can be ended as a whole
        )
        try:
            while True:
                try:
                    return process.communicate(timeout=self.settings.stop_seconds)[1]
                except subprocess.TimeoutExpired:
                    if stop and stop.is_set():
                        raise Stopped from None
                    if time.monotonic() > deadline:
                        raise AudioUnavailable(
                            f"FluidSynth did not finish within {longest:.0f} seconds and was ended"
                        ) from None
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise


@contextmanager
def room() -> Iterator[None]:
    """Say that there is no room for sound where temporary files cannot be written."""
    try:
        yield
    except OSError as error:
        raise AudioUnavailable(
            f"no sound can be made: temporary files cannot be written ({error}); "
            "the variable TMPDIR names another folder for them"
        ) from error


def _seconds_in(audio: Path) -> float:
    """Return the length of a sound file; 0 where it is none."""
    import soundfile

    try:
        info = soundfile.info(audio)
    except (RuntimeError, OSError):  # soundfile's error is a RuntimeError
        return 0.0
    return info.frames / info.samplerate


def _finished(
    stems: dict[str, np.ndarray], music_end: float, player: _Player
) -> dict[str, np.ndarray]:
    """Master stems, cut them to one length and end them in a fade.

    Args:
        stems: [samples, 2] float32, all with the whole music and its tail; they are changed.
        music_end: Seconds at which the last note ends.
        player: What played them.

    Raises:
        AudioUnavailable: All stems are silent.
    """
    rate, settings = player.sample_rate, player.settings
    length = min(len(stem) for stem in stems.values())
    stems = {name: stem[:length] for name, stem in stems.items()}
    if max(_peak(stem) for stem in stems.values()) <= settings.silence:
        raise AudioUnavailable(silent_error())
    master(list(stems.values()), rate, settings=settings.master)
    last = min(round(music_end * rate), length)
    tail = mix({name: stem[last:] for name, stem in stems.items()})
    ringing = np.flatnonzero(np.abs(tail).max(axis=1) > settings.inaudible)
    fade = round(settings.fade * rate)
    length = min(length, last + (int(ringing[-1]) if len(ringing) else 0) + fade)
    for stem in stems.values():
        ending = stem[max(length - fade, 0) : length]
        ending *= np.linspace(1, 0, len(ending), dtype=np.float32)[:, None]
    return {name: stem[:length] for name, stem in stems.items()}


def silent_error() -> str:
    """Say that a song has no sound."""
    return (
        "FluidSynth made no sound: all notes are too soft, or the soundfont "
        f"{ready_soundfont()} lacks these instruments."
    )


def _peak(sound: np.ndarray) -> float:
    """Return the largest magnitude, without a copy of the sound as np.abs would make."""
    return max(float(sound.max()), -float(sound.min()))
