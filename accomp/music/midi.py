"""Read and write MIDI files.

The format is read here by hand rather than through a library, for the errors and the limits: any
fault in a file becomes a MusicError that says what and where it is and what is accepted, a small
file cannot hide hours of music, and property tests hold both directions. Every tick, the tempo map
and notes of no length survive exactly. What has no part in an accompaniment is skipped: system
exclusive data, lyrics, other controllers.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from accomp.errors import MusicError
from accomp.music.file_source import FileSource, read_source
from accomp.music.midi_chunks import ACCEPTED, read_header, track_chunks, unwrap
from accomp.music.midi_events import (
    ChannelPart,
    FileTrack,
    conductor_chunk,
    read_track,
    track_chunk,
)
from accomp.music.score import (
    DEFAULT_TEMPO,
    Chord,
    Control,
    KeySignature,
    Note,
    Score,
    Tempo,
    TimeSignature,
    Track,
)

DRUM_CHANNEL = 9  # "channel 10": the format counts from 0
PITCHED_CHANNELS = [channel for channel in range(16) if channel != DRUM_CHANNEL]
LEAST_RESOLUTION = 24  # ticks a beat when writing: sixteenths and triplets are whole ticks


@dataclass(frozen=True)
class MidiLimits:
    """The largest file that is read."""

    bytes: int = 5_000_000
    minutes: float = 30
    # 30 minutes at 1000 beats a minute; a tempo map can hide any number of beats in a second.
    beats: int = 30_000
    notes: int = 100_000


def read_midi(source: FileSource, limits: MidiLimits = MidiLimits()) -> Score:
    """Read a MIDI file.

    The score has one track for each channel with notes in each track of the file, in the file's
    order. Notes are sorted by onset and pitch; those of one pitch end in the order in which they
    began.

    Args:
        source: A path, the bytes of a file or a binary file object.
        limits: The largest accepted file.

    Raises:
        MusicError: The source is not a readable MIDI file of format 0 or 1, is above a limit or
            has no pitched note.
    """
    data = unwrap(_load(source, limits.bytes))
    header = read_header(data)
    tracks = _file_tracks(data, header.tracks, limits.notes)
    resolution = header.resolution
    score = Score(
        [
            _score_track(track, channel, part, _program(tracks, track, channel), resolution)
            for track in tracks
            for channel, part in sorted(track.parts.items())
            if part.notes
        ],
        _tempos(tracks, resolution) if header.tempo is None else [Tempo(0.0, header.tempo)],
        _meters(tracks, resolution),
        resolution,
        [Chord(tick / resolution, symbol) for track in tracks for tick, symbol in track.chords],
        key_signatures=_key_signatures(tracks, resolution),
    )
    if header.tempo is not None:
        bpm = round(60e6 / header.tempo)
        score.notices.append(
            f"the file counts seconds, not beats; its beats are taken to be {bpm} per minute"
        )
    _check(score, limits)
    return score


def write_midi(score: Score, target: str | os.PathLike | BinaryIO) -> None:
    """Write a score as a MIDI file of format 1; the same score gives the same bytes.

    The first track holds tempos, time and key signatures and the chords as markers; each other one
    is one of the score's. Onsets and ends go to the nearest tick of `score.resolution`, or of its
    smallest multiple of at least 24 ticks a beat. MIDI cannot tell two notes of one pitch apart:
    where the earlier one ends last, they exchange ends. More than 15 pitched tracks share channels.

    Args:
        score: The music.
        target: A path or a binary file object.
    """
    resolution = score.resolution * -(-LEAST_RESOLUTION // score.resolution)
    pitched = [index for index, track in enumerate(score.tracks) if not track.is_drum]
    channels = {
        index: PITCHED_CHANNELS[place % len(PITCHED_CHANNELS)]
        for place, index in enumerate(pitched)
    }
    chunks = [conductor_chunk(score, resolution)]
    for index, track in enumerate(score.tracks):
        chunks.append(track_chunk(track, channels.get(index, DRUM_CHANNEL), resolution))
    data = struct.pack(">4sIHHH", b"MThd", 6, 1, len(chunks), resolution) + b"".join(chunks)
    if isinstance(target, (str, os.PathLike)):
        Path(target).write_bytes(data)
    else:
        target.write(data)


def _load(source: FileSource, most_bytes: int) -> bytes:
    data = read_source(source, most_bytes + 1, ACCEPTED)
    if len(data) > most_bytes:
        most = f"{most_bytes / 1e6:g} MB"
        raise MusicError(f"the file is larger than {most}; accepted: up to {most}")
    if not data:
        raise MusicError(f"the file is empty; {ACCEPTED}")
    return data


def _file_tracks(data: bytes, count: int, most_notes: int) -> list[FileTrack]:
    tracks: list[FileTrack] = []
    notes = 0
    for number, chunk in enumerate(track_chunks(data, count), 1):
        tracks.append(read_track(chunk, number, most_notes - notes))
        notes += sum(len(part.notes) for part in tracks[-1].parts.values())
        if notes > most_notes:
            raise MusicError(
                f"the file has more than {most_notes:,} notes; accepted: up to {most_notes:,}"
            )
    if not notes:
        raise MusicError(
            "the file has no notes; accepted: MIDI files with at least one pitched note"
        )
    return tracks


def _program(tracks: list[FileTrack], track: FileTrack, channel: int) -> int:
    """Return the program at a part's first note, or else the first one after it.

    Where the track itself sets no program, that of its channel in other tracks counts.
    """
    part = track.parts[channel]
    if part.program is not None:
        return part.program
    changes = [
        (tick, program)
        for other in tracks
        for tick, where, program in other.programs
        if where == channel
    ]
    changes.sort(key=lambda change: change[0])
    before = [program for tick, program in changes if tick <= part.notes[0][0]]
    return before[-1] if before else changes[0][1] if changes else 0


def _score_track(
    track: FileTrack, channel: int, part: ChannelPart, program: int, resolution: int
) -> Track:
    notes = [
        Note(pitch, start / resolution, (end - start) / resolution, velocity)
        for start, pitch, end, velocity in sorted(part.notes)
    ]
    controls = [Control(tick / resolution, number, value) for tick, number, value in part.controls]
    return Track(track.name, program, channel == DRUM_CHANNEL, notes, controls)


def _tempos(tracks: list[FileTrack], resolution: int) -> list[Tempo]:
    at_tick = {0: DEFAULT_TEMPO}
    for track in tracks:
        at_tick.update(track.tempos)
    return [
        Tempo(tick / resolution, microseconds) for tick, microseconds in sorted(at_tick.items())
    ]


def _meters(tracks: list[FileTrack], resolution: int) -> list[TimeSignature]:
    at_tick = {0: (4, 4)}
    for track in tracks:
        at_tick.update(
            {tick: (numerator, denominator) for tick, numerator, denominator in track.meters}
        )
    meters: list[TimeSignature] = []
    for tick, meter in sorted(at_tick.items()):
        if not meters or meters[-1][1:] != meter:
            meters.append(TimeSignature(tick / resolution, *meter))
    return meters


def _key_signatures(tracks: list[FileTrack], resolution: int) -> list[KeySignature]:
    """Return the changes of key; of several at a tick the last, as for tempos."""
    at_tick = {
        tick: (fifths, is_minor) for track in tracks for tick, fifths, is_minor in track.keys
    }
    signatures: list[KeySignature] = []
    for tick, key in sorted(at_tick.items()):
        if not signatures or signatures[-1][1:] != key:
            signatures.append(KeySignature(tick / resolution, *key))
    return signatures


def _check(score: Score, limits: MidiLimits) -> None:
    if all(track.is_drum for track in score.tracks):
        raise MusicError(
            "the file has only drums (channel 10); "
            "accepted: MIDI files with at least one pitched note"
        )
    end = score.end
    if end > limits.beats:
        raise MusicError(f"the music lasts {end:,.0f} beats; accepted: up to {limits.beats:,}")
    minutes = score.seconds(end) / 60
    if minutes > limits.minutes:
        raise MusicError(
            f"the music lasts {minutes:.1f} minutes; accepted: up to {limits.minutes:g}"
        )
