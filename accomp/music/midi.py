"""Read and write MIDI files.

The format is read here by hand rather than through a library, for the errors and the limits: any
fault in a file becomes a MusicError that says what and where it is and what is accepted, a small
file cannot hide hours of music, and property tests hold both directions. Every tick, the tempo map
and notes of no length survive exactly. What has no part in an accompaniment is skipped: system
exclusive data, lyrics, other controllers. What is damaged without loss of music is mended.
"""

import os
import struct
from typing import BinaryIO

from accomp.errors import MusicError
from accomp.music.file_source import FileSource, read_source
from accomp.music.file_target import written
from accomp.music.limits import ScoreLimits, check_score, check_writable
from accomp.music.markers import add_chords
from accomp.music.midi_chunks import (
    ACCEPTED,
    WHOLE,
    Chunk,
    TrackChunks,
    chunk_notices,
    read_header,
    unwrap,
)
from accomp.music.midi_events import FileTrack, read_track
from accomp.music.midi_parts import DRUM_CHANNEL, score_tracks
from accomp.music.midi_text import decoder_of
from accomp.music.midi_writing import LAST_BEAT, conductor_chunk, in_time, track_chunk
from accomp.music.score import DEFAULT_TEMPO, KeySignature, Score, Tempo, TimeSignature

PITCHED_CHANNELS = [channel for channel in range(16) if channel != DRUM_CHANNEL]
LEAST_RESOLUTION = 24  # ticks a beat when writing: sixteenths and triplets are whole ticks


MidiLimits = ScoreLimits  # its name until 0.2


def read_midi(source: FileSource, limits: ScoreLimits = ScoreLimits()) -> Score:
    """Read a MIDI file.

    The score has a track for each part of each track of the file (accomp.music.midi_parts), in the
    file's order. Notes are sorted by onset and pitch; those of one pitch end in the order in which
    they began. What was mended is said in `notices`.

    Args:
        source: A path, the bytes of a file or a binary file object.
        limits: The largest accepted file.

    Raises:
        MusicError: The source is not a readable MIDI file of format 0 or 1, is above a limit or
            has no pitched note.
    """
    file = unwrap(_load(source, limits.bytes))
    header = read_header(file.data)
    tracks, mended = _file_tracks(file.data, header.tracks, limits.notes)
    resolution = header.resolution
    decode = decoder_of(_texts(tracks))
    parts, notices = score_tracks(tracks, [decode(track.name) for track in tracks], resolution)
    score = Score(
        parts,
        _tempos(tracks, resolution) if header.tempo is None else [Tempo(0.0, header.tempo)],
        _meters(tracks, resolution),
        resolution,
        notices=[*file.notices, *mended, *notices],
        key_signatures=_key_signatures(tracks, resolution),
    )
    for part in score.tracks:  # else what is written would be read otherwise
        part.controls = in_time(part.controls, max(part.end, LAST_BEAT))
    score.meters = in_time(score.meters, max(score.end, LAST_BEAT))
    markers = [
        (tick / resolution, decode(text)) for track in tracks for tick, text in track.markers
    ]
    add_chords(score, markers)
    if header.tempo is not None:
        bpm = round(60e6 / header.tempo)
        score.notices.append(
            f"the file counts seconds, not beats; its beats are taken to be {bpm} per minute"
        )
    check_score(score, limits)
    return score


def write_midi(score: Score, target: str | os.PathLike | BinaryIO) -> None:
    """Write a score as a MIDI file of format 1; the same score gives the same bytes.

    The first track holds tempos, time and key signatures and the chords as markers; each other one
    is one of the score's. Onsets and ends go to the nearest tick of `score.resolution`, or of its
    smallest multiple of at least 24 ticks a beat. MIDI cannot tell two notes of one pitch apart:
    where the earlier one ends last, they exchange ends. More than 15 pitched tracks share channels.

    Args:
        score: The music.
        target: A path, whose file is there whole or not at all, or a binary file object.

    Raises:
        MusicError: A time, pitch or other number is none that a MIDI file can hold.
    """
    check_writable(score)
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
        with written(target) as path:
            path.write_bytes(data)
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


def _file_tracks(data: bytes, count: int, most_notes: int) -> tuple[list[FileTrack], list[str]]:
    """Read all track chunks; return the tracks and what was mended."""
    tracks: list[FileTrack] = []
    notes = 0
    chunks = TrackChunks(data)
    lying = 0
    for number, chunk in enumerate(chunks, 1):
        try:
            track = _file_track(data, chunk, number, most_notes - notes)
        except MusicError:
            if chunks.has_all:
                break  # the remains of another file
            raise
        tracks.append(track)
        notes += sum(len(part.notes) for part in track.parts.values())
        if notes > most_notes:
            raise MusicError(
                f"the file has more than {most_notes:,} notes; accepted: up to {most_notes:,}"
            )
        if not chunk.is_sure:
            chunks.ended(chunk.start + track.stop)
            lying += track.stop != chunk.size
        chunks.has_all = number >= count and notes > 0
    if not notes:
        raise MusicError(
            "the file has no notes; accepted: MIDI files with at least one pitched note"
        )
    notices = chunk_notices(count, len(tracks), chunks.skipped)
    if lying:
        notices.append("the length of a track is damaged; it was read up to its end")
    return tracks, notices


def _file_track(data: bytes, chunk: Chunk, number: int, most_notes: int) -> FileTrack:
    """Read a track chunk.

    Raises:
        MusicError: It is corrupt, or music of it is missing.
    """
    content = data[chunk.start : chunk.end]
    try:
        track = read_track(content, number, most_notes)
    except MusicError as error:
        if chunk.lacks:
            raise _truncated(chunk, number) from error
        raise
    is_open = any(part.stuck for part in track.parts.values())
    if chunk.lacks and not track.has_end and (is_open or not chunk.may_be_whole):
        raise _truncated(chunk, number)
    return track


def _truncated(chunk: Chunk, number: int) -> MusicError:
    return MusicError(
        f"the file is truncated: track {number} lacks {chunk.lacks} of its {chunk.size} bytes; "
        f"{WHOLE}"
    )


def _texts(tracks: list[FileTrack]) -> list[bytes]:
    return [text for track in tracks for text in (track.name, *(text for _, text in track.markers))]


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
