"""Write the files of a song, and say each that was written."""

import sys
from collections.abc import Callable
from pathlib import Path

from accomp.cli.inputs import shown_path
from accomp.cli.job import Job
from accomp.cli.screen import working
from accomp.errors import AudioUnavailable, MusicError
from accomp.listen.source import SourceMelody
from accomp.music.midi import write_midi
from accomp.music.score import Score
from accomp.plot import save_plot
from accomp.roll.sounding_names import by_sound
from accomp.sound.accepted import in_words
from accomp.sound.audio_file import write_audio
from accomp.sound.overdub import mix_with_recording, play_band
from accomp.sound.render import render
from accomp.sound.soundfont import ready_soundfont


def sound_is_ready() -> bool:
    """Tell whether sound can be made; say it if not."""
    try:
        ready_soundfont()
    except AudioUnavailable as error:
        _say_no_sound(error)
        return False
    return True


def write_melody(melody: Score, folder: Path) -> Path:
    """Write melody.mid to a folder and return its path."""
    path = folder / "melody.mid"
    write_file(path, lambda path: write_midi(melody, path))
    return path


def write_song(
    song: Score,
    score: Score,
    melody: SourceMelody,
    folder: Path,
    job: Job,
    with_recording: bool = True,
) -> None:
    """Write a song as MIDI, as a picture and as sound: each is there as soon as it can be.

    Args:
        song: the band with the melody.
        score: the melody as the band was given it.
        melody: the melody as it was opened.
        folder: is made where it is missing.
        job: says whether sound is wanted.
        with_recording: whether the song still has the key and the tempo of the recording.

    Raises:
        OSError: a file cannot be written.
    """
    if melody.transcription or job.go_on is not None:
        write_melody(score, folder)
    write_file(folder / "accompaniment.mid", lambda path: write_midi(by_sound(song), path))
    try:
        write_file(folder / "pianoroll.png", lambda path: save_plot(song, path))
    except MusicError as error:
        print(f"  no picture: {error}", file=sys.stderr)
    if not job.with_sound:
        return
    try:
        _write_sound(song, folder)
        if melody.transcription and with_recording:
            _write_with_recording(song, melody, folder)
    except AudioUnavailable as error:
        _say_no_sound(error)


def _write_sound(song: Score, folder: Path) -> None:
    path = folder / "accompaniment.wav"
    with working(_making(path, song)):
        sound = render(song)
    write_file(path, lambda path: write_audio(sound, path))


def _write_with_recording(song: Score, melody: SourceMelody, folder: Path) -> None:
    """Write the band alone, and the band with the recording."""
    assert melody.transcription and melody.recording
    path, mixed = folder / "band.wav", folder / "with_recording.wav"
    with working(_making(path, song)):
        band = play_band(song)
    write_file(path, lambda path: write_audio(band, path))
    with working(_making(mixed, song)):
        both = mix_with_recording(band, melody.recording, melody.transcription.start_of(song))
    write_file(mixed, lambda path: write_audio(both, path))


def _making(path: Path, song: Score) -> str:
    return f"making {path.name} of {in_words(song.seconds(song.end))}"


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file in a folder, which is made where it is missing, and say so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path)
    print(f"  wrote {shown_path(path)}", flush=True)


def _say_no_sound(error: AudioUnavailable) -> None:
    print(f"  no sound: {error}", file=sys.stderr)
