"""Other transcribers of one voice, for comparison.

Each is a function from a mono sound at LISTEN_RATE to its notes. They are no part of the
requirements; INSTALL says how to get them. All work on one thread.
"""

import contextlib
import importlib.util
import logging
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

from accomp.listen.beat_grid import SungNote
from accomp.listen.frames import A4
from accomp.listen.note_net import FRAME, HOP
from accomp.sound.rates import LISTEN_RATE

if TYPE_CHECKING:
    from swift_f0 import SwiftF0

# basic-pitch wants TensorFlow, but works with onnxruntime, which swift-f0 brings; so without its
# dependencies.
INSTALL = 'pip install librosa "resampy<0.4.4" && pip install --no-deps basic-pitch==0.4.0'
PACKAGES = ("librosa", "resampy", "basic_pitch")


@dataclass(frozen=True)
class PeerSettings:
    """Settings that are better on a few of the recordings than the peers' own.

    Basic Pitch's own thresholds for onsets and frames are 0.5 and 0.3. librosa's own for onsets,
    0.07, finds many in noise.
    """

    thresholds: tuple[float, float] = (0.6, 0.4)  # of Basic Pitch
    delta: float = 0.25  # of librosa's onsets
    lowest: float = 60.0  # Hz that pyin looks for: a bass
    highest: float = 2100.0  # to a whistle
    smooth: int = 9  # frames of the median over pyin's pitch: shorter than a note
    shortest: float = 0.06  # seconds of a note
    loudness: int = 80  # velocity where a peer says nothing of it


SETTINGS = PeerSettings()


def missing() -> list[str]:
    """Return which packages of the peers are not installed."""
    return [name for name in PACKAGES if not importlib.util.find_spec(name)]


def swift_f0_alone(sound: np.ndarray) -> list[SungNote]:
    """Transcribe by the tracker's own segmentation into notes."""
    from swift_f0 import segment_notes

    notes = segment_notes(_swift_f0().detect(sound, LISTEN_RATE))
    return [_as_sung(note.pitch_hz, note.start, note.end) for note in notes]


@cache
def _swift_f0() -> "SwiftF0":
    from swift_f0 import SwiftF0

    return SwiftF0(threads=1)


def basic_pitch(sound: np.ndarray) -> list[SungNote]:
    """Transcribe by Spotify's Basic Pitch (Bittner et al. 2022), which is made for many voices."""
    model = _basic_pitch()
    from basic_pitch.inference import predict

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(None):
        path = Path(folder) / "sound.wav"
        soundfile.write(path, sound, LISTEN_RATE, subtype="FLOAT")
        events = predict(path, model, *SETTINGS.thresholds)[2]
    notes = (SungNote(int(e[2]), float(e[0]), float(e[1]), SETTINGS.loudness) for e in events)
    return sorted(notes, key=lambda note: note.onset)


@cache
def _basic_pitch() -> Any:
    logging.disable(logging.WARNING)  # it warns of each framework that it could do with
    import onnxruntime
    from basic_pitch import FilenameSuffix, build_icassp_2022_model_path
    from basic_pitch.inference import Model

    logging.disable(logging.NOTSET)
    path = build_icassp_2022_model_path(FilenameSuffix.onnx)
    model = Model(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model.model = onnxruntime.InferenceSession(
        os.fspath(path), options, providers=["CPUExecutionProvider"]
    )
    return model


def pyin(sound: np.ndarray) -> list[SungNote]:
    """Transcribe by librosa's pYIN (Mauch & Dixon 2014).

    A note is a part of a voiced run. Runs are cut where the pitch, less the recording's tuning and
    smoothed by a median, goes to another semitone, and at librosa's onsets, at least `shortest`
    apart.
    """
    import librosa
    from scipy.ndimage import median_filter

    hertz, voiced, _ = librosa.pyin(
        sound,
        fmin=SETTINGS.lowest,
        fmax=SETTINGS.highest,
        sr=LISTEN_RATE,
        frame_length=1024,
        hop_length=HOP,
        resolution=0.2,  # semitones: a quarter of the time of 0.1
    )
    if not voiced.any():
        return []
    index = np.arange(len(voiced))
    pitch = np.interp(index, index[voiced], librosa.hz_to_midi(hertz[voiced]))
    pitch = median_filter(pitch, SETTINGS.smooth) - librosa.pitch_tuning(hertz[voiced])
    keys = np.rint(pitch).astype(int)
    struck = librosa.onset.onset_detect(
        y=sound, sr=LISTEN_RATE, hop_length=HOP, delta=SETTINGS.delta
    )
    inner = np.union1d(np.flatnonzero(np.diff(keys)) + 1, struck)
    edges = np.flatnonzero(np.diff(voiced, prepend=False, append=False))
    notes = []
    for start, end in edges.reshape(-1, 2).tolist():
        cuts = [start]
        for cut in [*inner[(inner > start) & (inner < end)].tolist(), end]:
            if (cut - cuts[-1]) * FRAME >= SETTINGS.shortest:
                cuts.append(cut)
        notes += [
            SungNote(round(float(np.median(pitch[a:b]))), a * FRAME, b * FRAME, SETTINGS.loudness)
            for a, b in zip(cuts, cuts[1:])
        ]
    return notes


def _as_sung(hertz: float, start: float, end: float) -> SungNote:
    pitch = 69 + 12 * np.log2(hertz / A4)
    return SungNote(round(pitch), start, end, SETTINGS.loudness, pitch - round(pitch))


PEERS = {"basic-pitch": basic_pitch, "pyin": pyin}
