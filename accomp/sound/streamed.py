"""A song's sound, worked on block by block: ten minutes need no more memory than one.

The tracks that FluidSynth played are files in a folder of their own. They are read once to find
the gain that masters them (accomp.sound.master), and once more to write what is asked for: the
whole, single tracks, or mixes of some. The sound is that of `render_stems`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from accomp.errors import AudioUnavailable, Stopped
from accomp.extras import extra
from accomp.music.score import Score
from accomp.sound.audio_writer import AudioWriter
from accomp.sound.master import apply_gain_at, block_size, gain_of, measured
from accomp.sound.meter import gated_loudness
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.render import SETTINGS, RenderSettings, play_tracks, room, silent_error

Stop = Callable[[], bool]


class SongSound:
    """The mastered sound of a song's tracks, on disk; see `song_sound`.

    Attributes:
        length: In samples.
    """

    def __init__(
        self,
        files: dict[str, Path],
        music_end: float,
        stop: Stop,
        sample_rate: int = SAMPLE_RATE,
        settings: RenderSettings = SETTINGS,
    ):
        """Measure the tracks.

        Args:
            files: What FluidSynth played, by name of track.
            music_end: Seconds at which the last note ends.
            stop: Tells whether nobody waits any more.
            sample_rate: In Hz.
            settings: How a song is mastered, and how it ends.

        Raises:
            AudioUnavailable: All tracks are silent.
            Stopped: `stop` said so.
        """
        with extra("sound"):
            import soundfile

        self._files, self._stop, self._rate, self._settings = files, stop, sample_rate, settings
        self._voices: dict[str, np.ndarray] = {}
        self._gains: list[np.ndarray] = []
        self.length = min(soundfile.info(str(file)).frames for file in files.values())
        self._fade_from = self.length
        found = measured(self._measurable(files), sample_rate, settings.master)
        if float(found.peaks.max()) <= settings.silence:
            raise AudioUnavailable(silent_error())
        self._gains.append(gain_of(found, sample_rate, settings=settings.master))
        last = min(round(music_end * sample_rate), self.length)
        ringing = np.flatnonzero(np.abs(self._tail(last)).max(axis=1) > settings.inaudible)
        fade = round(settings.fade * sample_rate)
        rest = (int(ringing[-1]) if len(ringing) else 0) + fade
        self.length = min(self.length, last + rest)
        self._fade_from = max(self.length - fade, 0)

    @property
    def names(self) -> list[str]:
        """The names of all tracks, and of the voices that were added."""
        return [*self._files, *self._voices]

    def loudness(self, names: Collection[str]) -> float:
        """Measure the mix of some tracks in LUFS; minus infinity for silence."""
        return gated_loudness(measured(self._mixes(names), self._rate).power)

    def add_voice(self, name: str, voice: np.ndarray, silent: Collection[str] = ()) -> None:
        """Add a recording as one more track, and bring the mix to its loudness again.

        Args:
            name: Of the track.
            voice: [samples, 2] float32 from beat 0 on, at its level beside the band.
            silent: Tracks that are not heard beside it at first.
        """
        self._voices[name] = voice[: self.length]
        played = [each for each in self.names if each not in silent]
        found = measured(self._measurable(played), self._rate, self._settings.master)
        master = self._settings.master
        self._gains.append(gain_of(found, self._rate, compress=False, settings=master))

    def write(self, mixes: Mapping[Path, Collection[str]]) -> None:
        """Write mixes of tracks to files, all in one pass.

        Args:
            mixes: Files by path (.wav, .flac or .mp3), and the names of the tracks in each. A mix
                of some tracks is brought to the loudness of all results; a track by itself is as
                it is in the whole.

        Raises:
            Stopped: Nobody waits any more.
        """
        gains = {path: self._gain_of_mix(names) for path, names in mixes.items()}
        with ExitStack() as stack:
            writers = {path: stack.enter_context(AudioWriter(path, self._rate)) for path in mixes}
            for at, blocks in self._blocks({name for names in mixes.values() for name in names}):
                for path, names in mixes.items():
                    mix = _sum([blocks[name] for name in names])
                    if gains[path] is not None:
                        apply_gain_at(mix, at, gains[path], self._settings.master)
                    writers[path].write(mix)

    def _gain_of_mix(self, names: Collection[str]) -> Any:
        """Return the gain of a mix of some tracks; None for one track, and for the whole."""
        is_whole = not self._voices and set(names) == set(self._files)
        if len(names) == 1 or is_whole:
            return None
        found = measured(self._mixes(names), self._rate, self._settings.master)
        return gain_of(found, self._rate, compress=False, settings=self._settings.master)

    def _mixes(self, names: Collection[str]) -> Iterator[list[np.ndarray]]:
        for _, blocks in self._blocks(names):
            yield [_sum([blocks[name] for name in names])]

    def _measurable(self, names: Collection[str]) -> Iterator[list[np.ndarray]]:
        for _, blocks in self._blocks(names):
            yield list(blocks.values())

    def _blocks(self, names: Collection[str]) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        """Yield where each block begins, and the tracks' blocks, mastered as far as it is known."""
        size = block_size(self._rate, self._settings.master)
        for at in range(0, self.length, size):
            if self._stop():
                raise Stopped
            yield at, {name: self._read(name, at, size) for name in self.names if name in names}

    def _read(self, name: str, at: int, size: int) -> np.ndarray:
        import soundfile

        size = min(size, self.length - at)
        if name in self._voices:
            block = self._voices[name][at : at + size]
            block = np.pad(block, ((0, size - len(block)), (0, 0)))
            gains = self._gains[1:]
        else:
            file = str(self._files[name])
            block, _ = soundfile.read(file, size, at, dtype="float32", always_2d=True)
            gains = self._gains
        for gain in gains:
            apply_gain_at(block, at, gain, self._settings.master)
        if name in self._files:
            self._fade(block, at)
        return block

    def _fade(self, block: np.ndarray, at: int) -> None:
        start = self._fade_from
        if at + len(block) > start:
            ramp = np.linspace(1, 0, self.length - start, dtype=np.float32)
            ending = block[max(start - at, 0) :]
            ending *= ramp[max(at - start, 0) :][: len(ending), None]

    def _tail(self, last: int) -> np.ndarray:
        """Return the mastered mix from a sample on, which is short."""
        if last >= self.length:
            return np.zeros((1, 2), np.float32)
        return _sum([self._read(name, last, self.length - last) for name in self._files])


@contextmanager
def song_sound(
    score: Score,
    stop: Stop = lambda: False,
    sample_rate: int = SAMPLE_RATE,
    settings: RenderSettings = SETTINGS,
) -> Iterator[SongSound]:
    """Play each track of a song that has notes, and give its sound as long as the context lasts.

    Args:
        score: Needs at least one note.
        stop: Tells whether nobody waits any more; it is asked often.
        sample_rate: In Hz.
        settings: How the score is played.

    Raises:
        MusicError: The score has no notes.
        AudioUnavailable: FluidSynth or a soundfont is missing or fails.
        Stopped: `stop` said so.
    """
    with room(), TemporaryDirectory(prefix="accomp-") as folder:
        files = play_tracks(score, Path(folder), sample_rate, stop, settings)
        end = score.seconds(score.end)
        yield SongSound(files, end, stop, sample_rate, settings)


def _sum(blocks: list[np.ndarray]) -> np.ndarray:
    first, *others = blocks
    whole = first.copy()
    for block in others:
        whole += block
    return whole
