"""Make recordings of one voice, and of what is not: speech, several voices and noise.

Speech comes from folders with sound files, one for each speaker; bands are parts of songs for
several instruments. Sounds are mono float32 at LISTEN_RATE.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from scipy.signal import butter, lfilter, sosfilt

from accomp.errors import MusicError
from accomp.music.midi import read_midi
from accomp.music.score import Note, Score, Track
from accomp.sound.rates import LISTEN_RATE
from accomp.sound.render import render
from accomp.sound.soundfont import find_soundfont
from train.data import clips, voices
from train.data.corpus import Corpus
from train.data.voices import Line, Manner, Performed
from train.fit.transcription import KINDS as MANNERS
from train.fit.transcription import melody_lines, random_clip

# General MIDI programs.
SOLO = (0, 24, 40, 56, 71, 73)  # piano, guitar, violin, trumpet, clarinet, flute
RINGING = (0, 4, 11, 24, 25, 46)  # piano, electric piano, vibraphone, guitars, harp
CHORDAL = (0, 0, 4, 16, 24, 25, 27, 48, 52)  # pianos, organ, guitars, strings, choir
STRUMMED = (24, 25, 27)  # guitars
BASSES, HIGHS = (32, 33, 42, 43, 58, 67), (9, 13, 72, 73, 78, 79)
HELD = (16, 17, 18, 19, 44, 48, 49, 50, 62)  # of many players
SCALE = (0, 2, 4, 5, 7, 9, 11)  # of major


class Sound(NamedTuple):
    """A made recording."""

    kind: str  # of accomp.listen.one_voice.KINDS
    name: str
    samples: np.ndarray


@dataclass(frozen=True)
class Material:
    """What recordings are made of, and how many.

    Attributes:
        corpus: Whose songs' melodies are performed.
        split: Of the corpus; of "val" the melodies that hearing is measured on are taken, too.
        speech: A folder of sound files for each speaker.
        songs: A folder of MIDI files.
        count: Recordings of each sort.
        seed: Decides on all else.
    """

    corpus: Path
    split: str
    speech: list[Path]
    songs: Path
    count: int = 30
    seed: int = 0


def sounds(material: Material) -> Iterator[Sound]:
    """Make recordings of all kinds."""
    count = material.count
    rng = np.random.default_rng([material.seed, material.split == "val"])
    corpus = Corpus.load(material.corpus)
    lines = melody_lines(corpus, material.split, count, material.seed)
    speakers = {
        folder.name: sorted(path for path in folder.iterdir() if path.is_file())
        for folder in material.speech
    }
    songs = sorted(material.songs.rglob("*.mid"))
    yield from melodies(lines, rng) if material.split == "train" else measured_melodies(material)
    yield from hard_melodies(lines, list(speakers.values()), rng)
    for name, files in speakers.items():
        for sound in speech(files, count, rng):
            yield Sound("speech", name, sound)
    for _ in range(count // 3):
        for name, sound in noises(rng).items():
            yield Sound("noise", name, sound)
    for index, line in enumerate(2 * lines):
        yield Sound("several voices", "chords", voices.record(chords(rng), rng, **_level(index)))
        name, sound = duet(line, rng)
        yield Sound("several voices", name, voices.record(sound, rng, **_level(index)))
    yield from bands(songs, count, rng)


# One voice


def melodies(lines: list[Line], rng: np.random.Generator) -> Iterator[Sound]:
    """Record melodies as the network of notes is trained on them."""
    for line in lines:
        for manner in MANNERS:
            yield Sound("one voice", manner, random_clip(line, manner, rng)[0])


def measured_melodies(material: Material) -> Iterator[Sound]:
    """Record melodies as hearing is measured on them (train.data.clips)."""
    corpus = Corpus.load(material.corpus)
    tunes = clips.tunes_of(corpus, material.split, material.count, None)
    for number, tune in enumerate(tunes):
        for sound in clips.SOUNDS:
            clip = clips.clip_of(tune, number, sound, material.seed)
            yield Sound("one voice", f"{sound}, {clip.level}", clip.audio)


def hard_melodies(
    lines: list[Line], speakers: list[list[Path]], rng: np.random.Generator
) -> Iterator[Sound]:
    """Record one voice that is easily taken for something else.

    Args:
        lines: Melodies.
        speakers: Sound files of each.
        rng: Decides on all else.
    """
    font = find_soundfont()
    for number, line in enumerate(lines):
        level = _level(number)
        performer = _Performer(line, rng, font, rng.uniform(70, 140))
        kind = ("sung", "hum", "whistled")[number % 3]
        found, sung = _taken_for_others(performer, kind, speakers[number % len(speakers)])
        for name, sound in found.items():
            yield Sound("one voice", name, voices.record(sound, rng, **level))
        long = {"long reverb": performer.played(70, SOLO), "long reverb, sung": sung}
        for name, sound in long.items():
            yield Sound("one voice", name, voices.record(sound, rng, 30, rng.uniform(1, 3)))
        clipped = np.clip(sung / np.abs(sung).max() * rng.uniform(2, 8), -1, 1)
        yield Sound("one voice", "clipped", voices.record(clipped, rng, 30))


@dataclass
class _Performer:
    """Performs a melody around any pitch, at one tempo."""

    line: Line
    rng: np.random.Generator
    font: Path
    bpm: float

    def performed(self, around: int) -> Performed:
        middle = np.median([pitch for pitch, _, _ in self.line])
        shift = 12 * round((around - middle) / 12)
        moved = [(pitch + shift, onset, duration) for pitch, onset, duration in self.line]
        return voices.perform(moved, self.rng, self.bpm, 0.04, 0.012)[0]

    def played(self, around: int, programs: tuple[int, ...]) -> np.ndarray:
        notes = self.performed(around)
        return self.instrument(notes, programs)

    def instrument(self, notes: Performed, programs: tuple[int, ...]) -> np.ndarray:
        return voices.instrument(notes, int(self.rng.choice(programs)), Manner(), self.font)


def _taken_for_others(
    performer: _Performer, kind: str, speaker: list[Path]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return sounds of one voice by name, and the melody as it is sung.

    Args:
        performer: Of the melody.
        kind: Of voice: "sung", "hum" or "whistled".
        speaker: Sound files of one.
    """
    rng, performed = performer.rng, performer.performed
    centre = 80 if kind == "whistled" else 57
    manner = Manner((0.2, 0.1), 0.4)
    notes, ring = performed(64), rng.uniform(0.5, 3)
    ringing = [
        Note(pitch, on * 2, (off - on + ring) * 2, velocity) for pitch, on, off, velocity in notes
    ]
    few = [
        (pitch, 0.3 + place, 1.1 + place, 90)
        for place, (pitch, *_) in enumerate(performed(centre)[: rng.integers(1, 4)])
    ]
    fast = [
        (pitch, 0.3 + 0.11 * place, 0.4 + 0.11 * place, 90)
        for place, (pitch, *_) in enumerate(performed(72))
    ]
    sung = voices.voice(performed(58), manner, rng)
    talk = _decoded(rng.choice(np.array(speaker, object)))
    talk = talk[: int(rng.uniform(1, 3.5) * LISTEN_RATE)]
    talk *= rng.uniform(0.4, 1) * np.abs(sung).max() / max(np.abs(talk).max(), 1e-9)
    found = {
        "with a pedal": _rendered([Track("", int(rng.choice(RINGING)), False, ringing)]),
        "wide vibrato": voices.voice(
            performed(centre), Manner((-0.4, 0.8), rng.uniform(0.7, 1.2)), rng, kind
        ),
        "1 to 3 notes": voices.voice(few, manner, rng, kind),
        "1 to 3 notes, played": performer.instrument(few, SOLO),
        "fast": performer.instrument(fast, SOLO),
        "after speech": np.concatenate([talk, np.zeros(3000, np.float32), sung]),
        "low": performer.played(45, BASSES),
        "high": performer.played(84, HIGHS),
        "of many players": performer.played(64, HELD),
    }
    return found, sung


# Speech and noise


def speech(files: list[Path], count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield up to `count` recordings of 3 to 20 seconds, of files in a row with pauses between."""
    parts: list[np.ndarray] = []
    made, wanted = 0, rng.uniform(3, 20)
    for file in rng.permutation(np.array(files, object)):
        pause = np.zeros(int(rng.uniform(0.05, 0.5) * LISTEN_RATE), np.float32)
        parts += [_decoded(file), pause]
        if sum(map(len, parts)) >= wanted * LISTEN_RATE and made < count:
            sound = np.concatenate(parts)[: 20 * LISTEN_RATE]
            yield voices.record(sound, rng, **_level(made))
            parts, made, wanted = [], made + 1, rng.uniform(3, 20)


def noises(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return noises by name."""
    count = int(rng.uniform(3, 12) * LISTEN_RATE)
    time = np.arange(count) / LISTEN_RATE
    swell = np.interp(time, np.arange(0, 14, 2), np.exp(rng.normal(size=7)))
    white, brown = rng.normal(size=count), lfilter([1], [1, -0.995], rng.normal(size=count))
    pink = lfilter(*voices.PINK, rng.normal(size=count))
    turn = rng.uniform(40, 130)  # Hz
    hum = sum(
        rng.uniform(0.2, 1) / h * np.sin(2 * np.pi * (h * turn * time + rng.random()))
        for h in range(1, 6)
    )
    low = rng.uniform(200, 1500)
    band = butter(2, [low, 2 * low], "bandpass", fs=LISTEN_RATE, output="sos")
    passing = sosfilt(band, white)
    claps, clicks = 0.01 * pink, 0.003 * pink
    for at in rng.integers(0, count - 4000, int(count / LISTEN_RATE * rng.uniform(1, 6))):
        length = int(rng.uniform(0.01, 0.12) * LISTEN_RATE)
        decay = np.exp(-5 * np.arange(length) / length)
        claps[at : at + length] += rng.normal(size=length) * decay * rng.uniform(0.3, 1)
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


# Several voices


def chords(rng: np.random.Generator) -> np.ndarray:
    """Return triads, struck or strummed."""
    root, program, notes, at = int(rng.integers(45, 62)), int(rng.choice(CHORDAL)), [], 0.3
    while at < 12:
        bass = root + int(rng.choice([0, 2, 5, 7, 9]))
        third, beats = int(rng.choice([3, 4, 4])), float(rng.choice([0.5, 1, 2]))
        below, above = [bass - 12] * int(rng.integers(2)), [bass + 12] * int(rng.integers(2))
        keys = [*below, bass, bass + third, bass + 7, *above]
        strum = 0.02 if program in STRUMMED else 0.0
        notes += [
            Note(key, at + strum * i, 0.95 * beats, int(rng.integers(60, 100)))
            for i, key in enumerate(keys)
        ]
        at += beats
    return _rendered([Track("", program, False, notes)])


def duet(line: Line, rng: np.random.Generator) -> tuple[str, np.ndarray]:
    """Return a melody with a second voice in thirds or sixths below it, and the name of the pair.

    The second voice is up to 6 dB softer and 20 ms off.
    """
    tonic = max(range(12), key=lambda key: _beats_in(key, line))
    steps, kind = int(rng.choice([2, 2, 5])), str(rng.choice(["sung", "hum", "played"]))
    middle = 70 if kind == "played" else 62
    shift = 12 * round((middle - np.median([pitch for pitch, _, _ in line])) / 12)
    upper = voices.perform(
        [(pitch + shift, *rest) for pitch, *rest in line], rng, rng.uniform(75, 130), 0.03, 0.008
    )[0]
    scale = [pitch for pitch in range(128) if (pitch - tonic) % 12 in SCALE]
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


def _beats_in(key: int, line: Line) -> float:
    """Return for how many beats a melody is in a major key, given as pitch class."""
    return sum(length for pitch, _, length in line if (pitch - key) % 12 in SCALE)


def bands(songs: list[Path], count: int, rng: np.random.Generator) -> Iterator[Sound]:
    """Record parts of songs.

    Of each all tracks are recorded, the drums alone, and the track with the most chords.
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
    """Return the share of a track's notes that begin together with another."""
    onsets = [round(note.onset * 8) for note in track.notes]
    return sum(onsets.count(onset) > 1 for onset in onsets) / len(onsets)


def _part(score: Score, rng: np.random.Generator) -> list[Track]:
    """Return a part of a song, at 120 beats per minute whatever its tempo."""
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


def _level(number: int) -> dict[str, Any]:
    """Return how a recording sounds, in turns."""
    return list(clips.LEVELS.values())[number % len(clips.LEVELS)]


def _decoded(path: Path) -> np.ndarray:
    """Read a file of any format that FFmpeg reads."""
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=LISTEN_RATE)
    with av.open(str(path)) as file:
        frames = [
            frame for packet in file.decode(audio=0) for frame in resampler.resample(packet)
        ] + resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])
