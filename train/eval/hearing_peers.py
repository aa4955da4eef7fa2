"""Other transcribers of one voice, for comparison: each a function from a mono sound at LISTEN_RATE to its notes.

They are no part of the requirements; INSTALL says how to get them. All work on one thread.
"""

import contextlib
import importlib.util
import logging
import os
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from accomp.listen.beat_grid import SungNote
from accomp.listen.note_net import FRAME, HOP
from accomp.sound.rates import LISTEN_RATE

# basic-pitch wants TensorFlow, but works with onnxruntime, which swift-f0 brings; so without its dependencies.
INSTALL = 'pip install librosa "resampy<0.4.4" && pip install --no-deps basic-pitch==0.4.0'
PACKAGES = ("librosa", "resampy", "basic_pitch")
# Better on a few of the recordings than the peers' own: Basic Pitch's for onsets and frames are 0.5 and 0.3, and librosa's for
# onsets, 0.07, finds many in noise.
THRESHOLDS, DELTA = (0.6, 0.4), 0.25
LOWEST, HIGHEST = 60.0, 2100.0  # Hz that pyin looks for: a bass to a whistle
SMOOTH = 9  # frames of the median filter over pyin's pitch: shorter than a note, longer than a slip
SHORTEST = 0.06  # seconds of a note
LOUDNESS = 80  # velocity where a peer says nothing of it


def missing() -> list[str]:
    return [name for name in PACKAGES if not importlib.util.find_spec(name)]


def swift_f0_alone(sound: np.ndarray) -> list[SungNote]:
    """The tracker's own segmentation into notes."""
    from swift_f0 import segment_notes

    notes = segment_notes(_swift_f0().detect(sound, LISTEN_RATE))
    return [SungNote(_nearest(note.pitch_hz), note.start, note.end, LOUDNESS) for note in notes]


@cache
def _swift_f0():
    from swift_f0 import SwiftF0

    return SwiftF0(threads=1)


def basic_pitch(sound: np.ndarray) -> list[SungNote]:
    """Spotify's Basic Pitch (Bittner et al. 2022), which hears many voices; with thresholds that suit one better than its own."""
    model = _basic_pitch()
    from basic_pitch.inference import predict

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(None):
        path = Path(folder) / "sound.wav"
        soundfile.write(path, sound, LISTEN_RATE, subtype="FLOAT")
        events = predict(path, model, *THRESHOLDS)[2]
    return sorted(
        (SungNote(int(e[2]), float(e[0]), float(e[1]), LOUDNESS) for e in events),
        key=lambda note: note.onset,
    )


@cache
def _basic_pitch():
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
    """Librosa's pYIN (Mauch & Dixon 2014). A note is a part of a voiced run: runs are cut where the pitch, less the recording's
    tuning and smoothed by a median, goes to another semitone, and at librosa's onsets, at least SHORTEST apart.
    """
    import librosa
    from scipy.ndimage import median_filter

    settings = {
        "sr": LISTEN_RATE,
        "frame_length": 1024,
        "hop_length": HOP,
        "resolution": 0.2,
    }  # semitones: a quarter of the time of 0.1
    hertz, voiced, _ = librosa.pyin(sound, fmin=LOWEST, fmax=HIGHEST, **settings)
    if not voiced.any():
        return []
    index = np.arange(len(voiced))
    pitch = np.interp(index, index[voiced], librosa.hz_to_midi(hertz[voiced]))
    pitch = median_filter(pitch, SMOOTH) - librosa.pitch_tuning(hertz[voiced])
    keys = np.rint(pitch).astype(int)
    struck = librosa.onset.onset_detect(y=sound, sr=LISTEN_RATE, hop_length=HOP, delta=DELTA)
    inner = np.union1d(np.flatnonzero(np.diff(keys)) + 1, struck)
    edges = np.flatnonzero(np.diff(voiced, prepend=False, append=False))
    notes = []
    for start, end in edges.reshape(-1, 2).tolist():
        cuts = [start]
        for cut in [*inner[(inner > start) & (inner < end)].tolist(), end]:
            if (cut - cuts[-1]) * FRAME >= SHORTEST:
                cuts.append(cut)
        notes += [
            SungNote(round(float(np.median(pitch[a:b]))), a * FRAME, b * FRAME, LOUDNESS)
            for a, b in zip(cuts, cuts[1:])
        ]
    return notes


def _nearest(hertz: float) -> int:
    return round(69 + 12 * np.log2(hertz / 440))


PEERS = {"basic-pitch": basic_pitch, "pyin": pyin}
