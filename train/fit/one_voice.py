"""Fit and measure how recordings that are not one voice are told (accomp.listen.one_voice).

`python -m train one_voice --corpus CORPUS --split train --speech FOLDER ... --songs FOLDER --out FILE --fit` makes recordings of
one voice and of others, fits the weights and prints them; the same with `--split val`, other speakers and other songs and without
`--fit` prints how many of each kind are refused or get a notice, and leaves the figures of each in FILE (JSON).

Speech: a folder with sound files for each speaker. Debian has such recordings: asterisk-core-sounds-en-g722 (also es, fr, it,
ru) and asterisk-prompt-it-menardi-wav; espeak-ng and flite speak, too: their voices may be folders of wav files. Songs: MIDI
files of songs for several instruments. FluidSynth is needed. The weights in use are from --count 12 with the English and the
Russian voice of Asterisk and two voices each of espeak-ng and flite.
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict, astuple
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from scipy.optimize import minimize
from scipy.signal import butter, lfilter, sosfilt
from tqdm import tqdm

from accomp.errors import MusicError
from accomp.listen.frames import frames_of
from accomp.listen.notes import notes_of
from accomp.listen.one_voice import (
    KINDS,
    SETTINGS,
    Figures,
    figures_of,
    likelihoods_of,
    one_voice_weights,
)
from accomp.music.midi import read_midi
from accomp.music.score import Note, Score, Track
from accomp.sound.rates import LISTEN_RATE
from accomp.sound.render import render
from accomp.sound.soundfont import find_soundfont
from train.data import clips, voices
from train.data.corpus import Corpus
from train.data.voices import Manner, Performed
from train.fit.run_files import write_json
from train.fit.transcription import KINDS as MANNERS
from train.fit.transcription import melody_lines, random_clip

SOLO = (0, 24, 40, 56, 71, 73)  # General MIDI: piano, guitar, violin, trumpet, clarinet, flute
RINGING = (0, 4, 11, 24, 25, 46)  # piano, electric piano, vibraphone, guitars, harp
CHORDAL = (0, 0, 4, 16, 24, 25, 27, 48, 52)  # pianos, organ, guitars, strings, choir
BASSES, HIGHS, HELD = (
    (32, 33, 42, 43, 58, 67),
    (9, 13, 72, 73, 78, 79),
    (16, 17, 18, 19, 44, 48, 49, 50, 62),
)
PRIOR = 1e-4  # of the weights' squares against the mean log-likelihood
SHARE = {
    "one voice": 0.55,
    "speech": 0.15,
    "several voices": 0.2,
    "noise": 0.1,
}  # of each in the fit, however many


class Sound(NamedTuple):
    kind: str  # of accomp.one_voice.KINDS
    name: str
    samples: np.ndarray  # mono float32 at LISTEN_RATE


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    rows = []
    for sound in tqdm(sounds(options), desc="recordings", unit="clip"):
        figures = _heard(sound.samples)
        rows.append(
            {"kind": sound.kind, "name": sound.name, "figures": figures and asdict(figures)}
        )
    if options.fit:
        weights = fit([row for row in rows if row["figures"]])
        print(np.array2string(weights, precision=2, suppress_small=True, separator=", "))
    else:
        weights = one_voice_weights()
    write_json(options.out, rows)
    print(table(rows, weights))


def _options(arguments: list[str] | None):
    parser = argparse.ArgumentParser(
        prog="train one_voice", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--corpus", type=Path, required=True, help="folder that train.data.prepare wrote"
    )
    parser.add_argument(
        "--split",
        choices=("train", "val"),
        default="train",
        help="songs of the corpus whose melodies are taken",
    )
    parser.add_argument(
        "--speech",
        type=Path,
        nargs="+",
        required=True,
        help="folders of sound files, one for each speaker",
    )
    parser.add_argument("--songs", type=Path, required=True, help="folder of MIDI files")
    parser.add_argument(
        "--out", type=Path, required=True, help="JSON file for the figures of each recording"
    )
    parser.add_argument("--count", type=int, default=30, help="recordings of each sort")
    parser.add_argument("--fit", action="store_true", help="fit the weights to these recordings")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def _heard(samples: np.ndarray) -> Figures | None:
    """Figures of a sound; None where no notes are heard, which is refused in any case."""
    frames = frames_of(samples)
    try:
        return figures_of(frames, notes_of(frames), samples)
    except MusicError:
        return None


def fit(rows: list[dict]) -> np.ndarray:
    """WEIGHTS by multinomial logistic regression, each kind weighing its SHARE."""
    values = np.array([astuple(Figures(**row["figures"])) for row in rows])
    middle, spread = values.mean(axis=0), values.std(axis=0)
    inputs = np.concatenate([np.ones((len(rows), 1)), (values - middle) / spread], axis=1)
    truth = np.array([KINDS.index(row["kind"]) for row in rows])
    weight = np.array([SHARE[row["kind"]] for row in rows]) / np.bincount(truth)[truth]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(len(KINDS), -1)
        logits = inputs @ weights.T
        logits -= logits.max(axis=1, keepdims=True)
        likelihood = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        surprise = -(weight * np.log(likelihood[np.arange(len(truth)), truth] + 1e-300)).sum()
        gradient = (
            (likelihood - np.eye(len(KINDS))[truth]) * weight[:, None]
        ).T @ inputs + 2 * PRIOR * weights
        return surprise + PRIOR * (weights**2).sum(), gradient.ravel()

    found = minimize(
        loss, np.zeros(len(KINDS) * inputs.shape[1]), jac=True, method="L-BFGS-B"
    ).x.reshape(len(KINDS), -1)
    found[:, 0] -= found[:, 1:] @ (middle / spread)
    found[:, 1:] /= spread
    return found - found[0]  # what is added to all kinds changes nothing


def table(rows: list[dict], weights: np.ndarray) -> str:
    """A Markdown table of how many recordings of each name are refused and get a notice."""
    lines = ["| kind | recordings | number | refused | with a notice |", "|---|---|---|---|---|"]
    for kind, name in dict.fromkeys((row["kind"], row["name"]) for row in rows):
        chosen = [row["figures"] for row in rows if (row["kind"], row["name"]) == (kind, name)]
        likely = np.array(
            [
                likelihoods_of(Figures(**found), weights)[KINDS[0]] if found else 0.0
                for found in chosen
            ]
        )
        noticed = np.sum((likely >= SETTINGS.refused) & (likely < SETTINGS.doubtful))
        lines.append(
            f"| {kind} | {name} | {len(chosen)} | {np.sum(likely < SETTINGS.refused)} | {noticed} |"
        )
    return "\n".join(lines)


# Recordings


def sounds(options) -> Iterator[Sound]:
    rng = np.random.default_rng([options.seed, options.split == "val"])
    lines = melody_lines(Corpus.load(options.corpus), options.split, options.count, options.seed)
    speakers = {
        folder.name: sorted(path for path in folder.iterdir() if path.is_file())
        for folder in options.speech
    }
    songs = sorted(options.songs.rglob("*.mid"))
    yield from melodies(lines, rng) if options.split == "train" else measured_melodies(options)
    yield from hard_melodies(lines, list(speakers.values()), rng)
    for name, files in speakers.items():
        for sound in speech(files, options.count, rng):
            yield Sound("speech", name, sound)
    for _ in range(options.count // 3):
        for name, sound in noises(rng).items():
            yield Sound("noise", name, sound)
    for index, line in enumerate(2 * lines):
        yield Sound("several voices", "chords", voices.record(chords(rng), rng, **_level(index)))
        name, sound = duet(line, rng)
        yield Sound("several voices", name, voices.record(sound, rng, **_level(index)))
    yield from bands(songs, options.count, rng)


def melodies(lines: list, rng: np.random.Generator) -> Iterator[Sound]:
    for line in lines:
        for manner in MANNERS:
            yield Sound("one voice", manner, random_clip(line, manner, rng)[0])


def measured_melodies(options) -> Iterator[Sound]:
    """Melodies as hearing is measured on them (train.data.clips)."""
    for number, tune in enumerate(
        clips.tunes_of(Corpus.load(options.corpus), options.split, options.count, None)
    ):
        for sound in clips.SOUNDS:
            clip = clips.clip_of(tune, number, sound, options.seed)
            yield Sound("one voice", f"{sound}, {clip.level}", clip.audio)


def hard_melodies(
    lines: list, speakers: list[list[Path]], rng: np.random.Generator
) -> Iterator[Sound]:
    """One voice that is easily taken for something else."""
    font = find_soundfont()
    for number, line in enumerate(lines):
        level, bpm = _level(number), rng.uniform(70, 140)
        kind = ("sung", "hum", "whistled")[number % 3]
        centre = 80 if kind == "whistled" else 57
        manner = Manner((0.2, 0.1), 0.4)

        def performed(around: int, line=line, bpm=bpm) -> Performed:
            shift = 12 * round((around - np.median([pitch for pitch, _, _ in line])) / 12)
            moved = [(pitch + shift, onset, duration) for pitch, onset, duration in line]
            return voices.perform(moved, rng, bpm, 0.04, 0.012)[0]

        def played(around: int, programs: tuple[int, ...], performed=performed) -> np.ndarray:
            return voices.instrument(performed(around), int(rng.choice(programs)), Manner(), font)

        notes, ring = performed(64), rng.uniform(0.5, 3)
        ringing = [
            Note(pitch, on * 2, (off - on + ring) * 2, velocity)
            for pitch, on, off, velocity in notes
        ]
        few = [
            (pitch, 0.3 + place, 1.1 + place, 90)
            for place, (pitch, *_) in enumerate(performed(centre)[: rng.integers(1, 4)])
        ]
        fast = [
            (pitch, 0.3 + 0.11 * place, 0.4 + 0.11 * place, 90)
            for place, (pitch, *_) in enumerate(performed(72))
        ]
        sung, talk = (
            voices.voice(performed(58), manner, rng),
            _decoded(rng.choice(speakers[number % len(speakers)])),
        )
        talk = talk[: int(rng.uniform(1, 3.5) * LISTEN_RATE)]
        talk *= rng.uniform(0.4, 1) * np.abs(sung).max() / max(np.abs(talk).max(), 1e-9)
        found = {
            "with a pedal": _rendered([Track("", int(rng.choice(RINGING)), False, ringing)]),
            "wide vibrato": voices.voice(
                performed(centre), Manner((-0.4, 0.8), rng.uniform(0.7, 1.2)), rng, kind
            ),
            "1 to 3 notes": voices.voice(few, manner, rng, kind),
            "1 to 3 notes, played": voices.instrument(few, int(rng.choice(SOLO)), Manner(), font),
            "fast": voices.instrument(fast, int(rng.choice(SOLO)), Manner(), font),
            "after speech": np.concatenate([talk, np.zeros(3000, np.float32), sung]),
            "low": played(45, BASSES),
            "high": played(84, HIGHS),
            "of many players": played(64, HELD),
        }
        for name, sound in found.items():
            yield Sound("one voice", name, voices.record(sound, rng, **level))
        for name, sound in (("long reverb", played(70, SOLO)), ("long reverb, sung", sung)):
            yield Sound("one voice", name, voices.record(sound, rng, 30, rng.uniform(1, 3)))
        clipped = np.clip(sung / np.abs(sung).max() * rng.uniform(2, 8), -1, 1)
        yield Sound("one voice", "clipped", voices.record(clipped, rng, 30))


def speech(files: list[Path], count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Up to `count` recordings of 3 to 20 seconds, of files in a row with pauses between."""
    parts: list[np.ndarray] = []
    made, wanted = 0, rng.uniform(3, 20)
    for file in rng.permutation(np.array(files, object)):
        parts += [_decoded(file), np.zeros(int(rng.uniform(0.05, 0.5) * LISTEN_RATE), np.float32)]
        if sum(map(len, parts)) >= wanted * LISTEN_RATE and made < count:
            sound = np.concatenate(parts)[: 20 * LISTEN_RATE]
            yield voices.record(sound, rng, **_level(made))
            parts, made, wanted = [], made + 1, rng.uniform(3, 20)


def noises(rng: np.random.Generator) -> dict[str, np.ndarray]:
    count = int(rng.uniform(3, 12) * LISTEN_RATE)
    time = np.arange(count) / LISTEN_RATE
    swell = np.interp(time, np.arange(0, 14, 2), np.exp(rng.normal(size=7)))
    white, brown = rng.normal(size=count), lfilter([1], [1, -0.995], rng.normal(size=count))
    pink = lfilter(
        [0.049922, -0.095993, 0.050612, -0.004408],
        [1, -2.494956, 2.017265, -0.522189],
        rng.normal(size=count),
    )
    turn = rng.uniform(40, 130)  # Hz
    hum = sum(
        rng.uniform(0.2, 1) / h * np.sin(2 * np.pi * (h * turn * time + rng.random()))
        for h in range(1, 6)
    )
    low = rng.uniform(200, 1500)
    passing = sosfilt(butter(2, [low, 2 * low], "bandpass", fs=LISTEN_RATE, output="sos"), white)
    claps, clicks = 0.01 * pink, 0.003 * pink
    for at in rng.integers(0, count - 4000, int(count / LISTEN_RATE * rng.uniform(1, 6))):
        length = int(rng.uniform(0.01, 0.12) * LISTEN_RATE)
        claps[at : at + length] += (
            rng.normal(size=length) * np.exp(-5 * np.arange(length) / length) * rng.uniform(0.3, 1)
        )
    click = np.sin(2 * np.pi * rng.uniform(800, 3000) * time[:800]) * np.exp(-np.arange(800) / 80)
    for at in range(3000, count - 4000, int(rng.uniform(0.3, 1) * LISTEN_RATE)):
        clicks[at : at + 800] += click
    found = {
        "white": white,
        "pink": pink,
        "brown": brown,
        "fan": pink / pink.std() + rng.uniform(0.1, 0.5) * hum,
        "street": brown / brown.std() + swell * passing / passing.std(),
        "claps": claps,
        "clicks": clicks,
    }
    return {
        name: (sound / np.abs(sound).max() * rng.uniform(0.1, 0.8)).astype(np.float32)
        for name, sound in found.items()
    }


def chords(rng: np.random.Generator) -> np.ndarray:
    """Triads, struck or strummed."""
    root, program, notes, at = int(rng.integers(45, 62)), int(rng.choice(CHORDAL)), [], 0.3
    while at < 12:
        bass, third, beats = (
            root + int(rng.choice([0, 2, 5, 7, 9])),
            int(rng.choice([3, 4, 4])),
            float(rng.choice([0.5, 1, 2])),
        )
        keys = (
            [bass - 12] * int(rng.integers(2))
            + [bass, bass + third, bass + 7]
            + [bass + 12] * int(rng.integers(2))
        )
        strum = 0.02 if program in (24, 25, 27) else 0.0
        notes += [
            Note(key, at + strum * i, 0.95 * beats, int(rng.integers(60, 100)))
            for i, key in enumerate(keys)
        ]
        at += beats
    return _rendered([Track("", program, False, notes)])


def duet(line: list, rng: np.random.Generator) -> tuple[str, np.ndarray]:
    """A melody with a second voice in thirds or sixths below it, up to 6 dB softer and 20 ms off."""
    tonic = max(
        range(12),
        key=lambda key: sum(
            length for pitch, _, length in line if (pitch - key) % 12 in (0, 2, 4, 5, 7, 9, 11)
        ),
    )
    steps, kind = int(rng.choice([2, 2, 5])), str(rng.choice(["sung", "hum", "played"]))
    middle = 70 if kind == "played" else 62
    shift = 12 * round((middle - np.median([pitch for pitch, _, _ in line])) / 12)
    upper = voices.perform(
        [(pitch + shift, *rest) for pitch, *rest in line], rng, rng.uniform(75, 130), 0.03, 0.008
    )[0]
    scale = [pitch for pitch in range(128) if (pitch - tonic) % 12 in (0, 2, 4, 5, 7, 9, 11)]
    late = rng.uniform(0, 0.02)
    lower = [
        (scale[np.searchsorted(scale, pitch) - steps], on + late, off + late, loud)
        for pitch, on, off, loud in upper
    ]
    if kind == "played":
        font = find_soundfont()
        pair = [
            voices.instrument(part, int(rng.choice(SOLO)), Manner(), font)
            for part in (upper, lower)
        ]
    else:
        pair = [
            voices.voice(part, Manner((0.1, 0.1), rng.uniform(0, 0.4)), rng, kind)
            for part in (upper, lower)
        ]
    length = min(map(len, pair))
    first, second = (sound[:length] / sound[:length].std() for sound in pair)
    return f"two, {kind}", first + 10 ** (rng.uniform(-6, 0) / 20) * second


def bands(songs: list[Path], count: int, rng: np.random.Generator) -> Iterator[Sound]:
    """Parts of songs: all tracks, all but the drums, the drums alone, the track with the most chords, and a song that is sung
    to it.
    """
    made = 0
    for path in rng.permutation(np.array(songs, object)):
        try:
            tracks = _part(read_midi(path), rng)
        except MusicError:
            continue
        pitched = [track for track in tracks if not track.is_drum and len(track.notes) > 12]
        drums = [track for track in tracks if track.is_drum and len(track.notes) > 30]
        if len(pitched) < 3 or not drums:
            continue
        level = _level(made)
        fullest = max(pitched, key=_together)
        found = {"a band": ("several voices", pitched + drums), "drums": ("noise", drums)}
        if _together(fullest) > 0.5:
            found["accompaniment"] = ("several voices", [fullest])
        for name, (kind, chosen) in found.items():
            yield Sound(kind, name, voices.record(_rendered(chosen), rng, **level))
        made += 1
        if made == count:
            return


def _together(track: Track) -> float:
    """The share of a track's notes that begin together with another."""
    onsets = [round(note.onset * 8) for note in track.notes]
    return sum(onsets.count(onset) > 1 for onset in onsets) / len(onsets)


def _part(score: Score, rng: np.random.Generator) -> list[Track]:
    """A part of a song, at 120 beats a minute whatever its tempo."""
    begin, length = rng.uniform(0, max(score.end - 32, 1)) // 4 * 4, rng.uniform(16, 32)
    return [
        Track(
            track.name,
            track.program,
            track.is_drum,
            [
                note._replace(onset=note.onset - begin + 0.5)
                for note in track.notes
                if begin <= note.onset < begin + length
            ],
        )
        for track in score.tracks
    ]


def _rendered(tracks: list[Track]) -> np.ndarray:
    return render(Score(tracks), LISTEN_RATE).mean(axis=1)


def _level(number: int) -> dict:
    """How a recording sounds, in turns."""
    return list(clips.LEVELS.values())[number % len(clips.LEVELS)]


def _decoded(path: Path) -> np.ndarray:
    """A file of any format that FFmpeg reads, as mono float32 at LISTEN_RATE."""
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=LISTEN_RATE)
    with av.open(str(path)) as file:
        frames = [
            frame for packet in file.decode(audio=0) for frame in resampler.resample(packet)
        ] + resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


if __name__ == "__main__":
    main()
