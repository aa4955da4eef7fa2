"""Write sound to files piece by piece: a file has its name only when it is whole."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from accomp.extras import extra
from accomp.music.file_target import written
from accomp.sound.rates import SAMPLE_RATE


class AudioWriter:
    """Write an MP3 or a FLAC file where its name ends so, else a WAV file of 16 bits.

    A context: at its end the file gets its name; after an error nothing is left. MP3 is written by
    PyAV, because soundfile has no say in how long LAME searches. The encoder's delay is told in the
    file's first frame, and players cut it off: the sound begins where it did.
    """

    def __init__(self, path: str | Path, sample_rate: int = SAMPLE_RATE):
        self.path, self.rate = Path(path), sample_rate
        self._part, self._stack = self.path, ExitStack()
        self._written = 0
        self._stream: Any = None
        self._file: Any = None

    def __enter__(self) -> "AudioWriter":
        ending = self.path.suffix.lower()
        self._part = self._stack.enter_context(written(self.path))
        with extra("sound"):
            import av
            import soundfile

        if ending == ".mp3":
            # LAME's quality 7 takes two thirds of the time of its default.
            options = {"b": "128k", "compression_level": "7"}
            self._file = av.open(str(self._part), "w", format="mp3")
            self._stream = self._file.add_stream(
                "libmp3lame", rate=self.rate, layout="stereo", options=options
            )
        else:
            kind = "FLAC" if ending == ".flac" else "WAV"
            self._file = soundfile.SoundFile(
                str(self._part), "w", self.rate, 2, subtype="PCM_16", format=kind
            )
        return self

    def write(self, samples: np.ndarray) -> None:
        """Write the next samples: [samples, 2] within -1 to 1."""
        if self._stream is None:
            try:
                return self._file.write(samples)
            except RuntimeError as error:  # soundfile's, as of a full disk
                raise OSError(f"the sound cannot be written: {error}") from error
        from av import AudioFrame

        for start in range(0, len(samples), self.rate):  # a copy of all would double the memory
            chunk = np.ascontiguousarray(samples[start : start + self.rate].T)
            frame = AudioFrame.from_ndarray(chunk, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = self.rate, self._written
            self._file.mux(self._stream.encode(frame))
            self._written += chunk.shape[1]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            if self._file is not None:
                if self._stream is not None and error is None:
                    self._file.mux(self._stream.encode(None))
                self._file.close()
            if error is not None:
                raise error
