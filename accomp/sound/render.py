"""A score as sound: FluidSynth, called through midi2audio, plays every track by itself, with the volume, pan, reverb and chorus
that the score gives it (accomp.band.balance); the mix is their sum, mastered (accomp.sound.master).

Playing the tracks in parallel processes takes less time than playing them together in one, and gives the stems for free.
"""

import os
import shutil
import signal
import site
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
import soundfile

from accomp.errors import AudioUnavailable, MusicError, Stopped
from accomp.music.midi import write_midi
from accomp.music.score import Control, Score, Track
from accomp.sound import master as mastering
from accomp.sound.audio_file import SAMPLE_RATE as SAMPLE_RATE
from accomp.sound.master import PEAK as PEAK

# One room for all songs, a small hall; how much of it is heard is said by each track's reverb (controller 91). FluidSynth's own
# room is so small that it is not heard as one.
SETTINGS = {
    "synth.reverb.room-size": 0.6,
    "synth.reverb.damp": 0.3,
    "synth.reverb.width": 0.8,
    "synth.reverb.level": 0.9,
    "audio.file.format": "float",  # a soft song, made loud, would have the noise of 16 bits
}
TAIL = 4.0  # seconds in which the last notes may ring out
FADE = 0.5  # seconds
STOP_SECONDS = 0.2  # after which it is looked whether to stop
# LAME's quality 7 takes two thirds of the time of its default.
MP3_BIT_RATE, MP3_QUALITY = "128k", "7"
INAUDIBLE = 10 ** (-66 / 20)  # what stays below this after the last note is cut off
SILENCE = 1e-5  # as FluidSynth plays it, whose loudest are about 0.1; it is never quite silent

# In order of preference. The full FluidR3 is stereo and loads fastest; an .sf3 is unpacked anew for every track.
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
    "Install it with `apt install fluidsynth fluid-soundfont-gm` (Debian, Ubuntu) or `brew install fluid-synth` (macOS). "
    "The MIDI file and the picture do not need it."
)


def find_soundfont() -> Path:
    """The soundfont to play with: ACCOMP_SOUNDFONT, else the best one installed, else the one inside pretty_midi.

    Raises AudioUnavailable if ACCOMP_SOUNDFONT names no soundfont, or if there is none at all.
    """
    chosen = os.environ.get("ACCOMP_SOUNDFONT")
    if chosen:
        path = Path(chosen).expanduser().resolve()
        if not path.is_file():
            raise AudioUnavailable(
                f"ACCOMP_SOUNDFONT names {path}, which does not exist. Set it to an .sf2 or .sf3 file."
            )
        if not _is_soundfont(
            path
        ):  # FluidSynth would play Debian's default instead, without a word
            raise AudioUnavailable(
                f"ACCOMP_SOUNDFONT names {path}, which is not a soundfont. Set it to an .sf2 or .sf3 file."
            )
        return path
    folders = [Path(folder) for folder in FOLDERS]
    package = find_spec("pretty_midi")
    if package and package.origin:
        folders.append(Path(package.origin).parent)
    for name in SOUNDFONTS:
        for folder in folders:
            if (folder / name).is_file() and _is_soundfont(folder / name):
                return folder / name
    raise AudioUnavailable(
        f"No soundfont found. {INSTALL} Or set ACCOMP_SOUNDFONT to an .sf2 or .sf3 file."
    )


def render_stems(
    score: Score, sample_rate: int = SAMPLE_RATE, stop: threading.Event | None = None
) -> dict[str, np.ndarray]:
    """The sound of each track that has notes: {track name: [samples, 2] float32}, all equally long, from beat 0 on.

    They are at the level of the mix, which is their sum: at -16 LUFS, limited at -1 dBTP (`mastering.master`).
    Raises MusicError for a score without notes, AudioUnavailable where FluidSynth or a soundfont is missing or fails, Stopped
    soon after `stop` is set.
    """
    soundfont = _ready(score)
    tracks = {name: track for name, track in named_tracks(score).items() if track.notes}

    def play(track: Track) -> np.ndarray:
        return _play(_with_tail(score, [track]), soundfont, sample_rate, stop)

    busiest_first = sorted(
        tracks, key=lambda name: -len(tracks[name].notes)
    )  # so that no core waits at the end
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        played = dict(zip(busiest_first, pool.map(play, [tracks[name] for name in busiest_first])))
    return _finish(
        {name: played[name] for name in tracks}, score.seconds(score.end), sample_rate, soundfont
    )


def render(score: Score, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """The sound of the whole score: [samples, 2] float32 from beat 0 on. Loudness and errors as in `render_stems`.

    The tracks are shared out to two FluidSynth processes: on two cores that takes half as long as one, and two fifths of
    the memory of five. Two on any machine, so that the sound is the same.
    """
    soundfont = _ready(score)
    halves: list[list[Track]] = [[], []]
    for track in sorted((track for track in score.tracks if track.notes), key=_work, reverse=True):
        min(halves, key=lambda half: sum(map(_work, half))).append(track)
    with ThreadPoolExecutor(max_workers=2) as pool:
        played = list(
            pool.map(
                lambda half: _play(_with_tail(score, half), soundfont, sample_rate),
                filter(None, halves),
            )
        )
    length = min(len(sound) for sound in played)
    whole, *others = (sound[:length] for sound in played)
    for sound in others:
        whole += sound  # in place: ten minutes take 200 MB
    del played, others
    return _finish({"mix": whole}, score.seconds(score.end), sample_rate, soundfont)["mix"]


def mix(stems: dict[str, np.ndarray]) -> np.ndarray:
    """The sum of stems from `render_stems`: [samples, 2] float32."""
    first, *others = stems.values()
    whole = first.copy()
    for stem in others:
        whole += stem
    return whole


def write_audio(samples: np.ndarray, path: str | Path, sample_rate: int = SAMPLE_RATE) -> None:
    """Writes `samples` ([samples, 2] within -1 to 1) to `path`: as MP3 or FLAC where it ends so, else as a 16-bit WAV file."""
    ending = Path(path).suffix.lower()
    if ending == ".mp3":
        _write_mp3(samples, Path(path), sample_rate)
    elif ending == ".flac":
        soundfile.write(path, samples, sample_rate, format="FLAC", subtype="PCM_16")
    else:
        soundfile.write(path, samples, sample_rate, format="WAV", subtype="PCM_16")


def leveled(sound: np.ndarray) -> np.ndarray:
    """`sound`, [samples, 2] float32 at SAMPLE_RATE, changed in place to -16 LUFS, limited at -1 dBTP."""
    mastering.master([sound], SAMPLE_RATE, compress=False)
    return sound


def loudness(sound: np.ndarray, sample_rate: int) -> float:
    """LUFS, integrated (ITU-R BS.1770); of silence minus infinity."""
    return mastering.loudness(sound, sample_rate)


def _write_mp3(samples: np.ndarray, path: Path, sample_rate: int) -> None:
    """PyAV because soundfile has no say in how long LAME searches. The delay of the encoder is told in the file's first frame,
    and players cut it off: the sound begins where it did.
    """
    with av.open(str(path), "w", format="mp3") as file:
        options = {"b": MP3_BIT_RATE, "compression_level": MP3_QUALITY}
        stream = file.add_stream("libmp3lame", rate=sample_rate, layout="stereo", options=options)
        for start in range(
            0, len(samples), sample_rate
        ):  # a copy of the whole would double the memory
            chunk = np.ascontiguousarray(samples[start : start + sample_rate].T)
            frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = sample_rate, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def _work(track: Track) -> float:
    """What a track costs to render, about: how long its voices sound, in beats; a short note rings on for a while."""
    return sum(note.duration + 1.0 for note in track.notes)


def ready() -> Path:
    """The soundfont, if there is all that it takes to make sound. Raises AudioUnavailable."""
    if shutil.which("fluidsynth") is None:
        raise AudioUnavailable(f"FluidSynth, which makes the sound, was not found. {INSTALL}")
    return find_soundfont()


def _ready(score: Score) -> Path:
    """As `ready`, to play `score`. Raises MusicError for a score without notes."""
    if not any(track.notes for track in score.tracks):
        raise MusicError("There is nothing to play: the score has no notes.")
    return ready()


def _is_soundfont(path: Path) -> bool:
    with open(path, "rb") as file:
        header = file.read(12)
    return header[:4] == b"RIFF" and header[8:] == b"sfbk"


def named_tracks(score: Score) -> dict[str, Track]:
    """The tracks by names of their own: one that comes twice gets a number, one without notes before one with them."""
    names: dict[int, str] = {}
    for index, track in sorted(enumerate(score.tracks), key=lambda item: not item[1].notes):
        name = track.name or f"track {index + 1}"
        names[index] = f"{name} {index + 1}" if name in names.values() else name
    return {names[index]: track for index, track in enumerate(score.tracks)}


def _with_tail(score: Score, tracks: list[Track]) -> Score:
    """Those tracks of `score`, ending TAIL seconds after the whole score does.

    FluidSynth stops at the last event, cutting what still rings, so a controller without effect is put there.
    """
    tempos = [tempo for tempo in score.tempos if tempo.onset < score.end]
    end = score.end + TAIL * 1e6 / (tempos[-1].microseconds if tempos else 500_000)
    silent_event = Control(end, 3, 0)  # 3 is a controller to which General MIDI gives no meaning
    first, *others = tracks
    return replace(
        score,
        tempos=tempos,
        tracks=[replace(first, controls=[*first.controls, silent_event]), *others],
    )


def _play(
    score: Score, soundfont: Path, sample_rate: int, stop: threading.Event | None = None
) -> np.ndarray:
    """The sound of `score` as FluidSynth makes it: [samples, 2] float32."""
    with TemporaryDirectory(prefix="accomp-") as folder:
        midi, audio = Path(folder, "score.mid"), Path(folder, "score.wav")
        write_midi(score, midi)
        # midi2audio passes no settings on, but FluidSynth reads them in the home folder.
        Path(folder, ".fluidsynth").write_text(
            "".join(f"set {name} {value}\n" for name, value in SETTINGS.items())
        )
        home = {**os.environ, "HOME": folder, "PYTHONUSERBASE": site.getuserbase()}
        # midi2audio's command rather than its class: what FluidSynth prints can then be read instead of shown.
        command = [
            sys.executable,
            "-m",
            "midi2audio",
            "-s",
            soundfont,
            "-r",
            str(sample_rate),
            midi,
            audio,
        ]
        said = _run(command, home, stop)
        # The exit status says nothing, as midi2audio drops FluidSynth's.
        complaints = [line for line in said.splitlines() if "error" in line.lower()]
        if complaints or not audio.is_file():
            reason = (
                complaints[-1]
                if complaints
                else said.strip()[-300:] or "it wrote no sound and gave no reason"
            )
            raise AudioUnavailable(f"FluidSynth failed with the soundfont {soundfont}: {reason}")
        return soundfile.read(audio, dtype="float32", always_2d=True)[0]


def _run(command: list, environment: dict[str, str], stop: threading.Event | None) -> str:
    """What a command says to its standard error. Raises Stopped, with its process and those that it began ended."""
    if stop and stop.is_set():
        raise Stopped
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=stop is not None,  # else an interrupt from the keyboard is to reach it
    )
    while True:
        try:
            return process.communicate(timeout=STOP_SECONDS if stop else None)[1]
        except subprocess.TimeoutExpired:
            if stop.is_set():
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                raise Stopped from None


def _finish(
    stems: dict[str, np.ndarray], music_end: float, sample_rate: int, soundfont: Path
) -> dict[str, np.ndarray]:
    """Stems of equal length, mastered, ending in a fade. `music_end`: seconds."""
    length = min(len(stem) for stem in stems.values())  # all hold the whole music and its tail
    stems = {name: stem[:length] for name, stem in stems.items()}
    if max(_peak(stem) for stem in stems.values()) <= SILENCE:
        raise AudioUnavailable(
            f"FluidSynth made no sound: all notes are too soft, or the soundfont {soundfont} lacks these instruments."
        )
    mastering.master(list(stems.values()), sample_rate)
    last = min(round(music_end * sample_rate), length)
    tail = sum(stem[last:] for stem in stems.values())
    ringing = np.flatnonzero(np.abs(tail).max(axis=1) > INAUDIBLE)
    fade = round(FADE * sample_rate)
    length = min(length, last + (ringing[-1] if len(ringing) else 0) + fade)
    for stem in stems.values():
        ending = stem[max(length - fade, 0) : length]
        ending *= np.linspace(1, 0, len(ending), dtype=np.float32)[:, None]
    return {name: stem[:length] for name, stem in stems.items()}


def _peak(sound: np.ndarray) -> float:
    """Without a copy of it, as np.abs would make."""
    return max(float(sound.max()), -float(sound.min()))
