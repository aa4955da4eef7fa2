"""MIDI files in and out: the only file that knows the format.

The Standard MIDI File is read here byte by byte rather than through a library: every tick, the tempo map and
zero-length notes survive exactly, any fault in a file becomes a MusicError that says what it is, and thousands of
training songs are read quickly. What is skipped has no part in an accompaniment: system exclusive, lyrics, other
controllers.
"""

import struct
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from accomp.errors import MusicError
from accomp.music.chord_symbols import is_symbol
from accomp.music.file_source import FileSource, read_source
from accomp.music.score import PITCH_BEND, Chord, Control, Note, Score, Tempo, TimeSignature, Track

MAX_BYTES = 5_000_000
MAX_MINUTES = 30
MAX_BEATS = 30_000  # 30 minutes at 1000 beats per minute; a tempo map can hide any number of bars in a second
MAX_NOTES = 100_000
MAX_BAR_PART = 32  # largest numerator and denominator of a time signature taken seriously
MIN_BAR_BEATS = 0.5
MIN_RESOLUTION = 24  # ticks per beat written at least: sixteenths and triplets are whole ticks
# Modulation, volume, pan, expression, sustain pedal, reverb, chorus; pitch bends are kept besides.
KEPT_CONTROLS = (1, 7, 10, 11, 64, 91, 93)
DEFAULT_TEMPO = 500_000  # microseconds per beat, until the first tempo event
DRUM_CHANNEL = 9  # "channel 10": the format counts from 0
PITCHED_CHANNELS = [channel for channel in range(16) if channel != DRUM_CHANNEL]

MIDI_ENDINGS = (".mid", ".midi", ".kar")
_ACCEPTED = f"accepted: Standard MIDI Files ({', '.join(MIDI_ENDINGS)}) of format 0 or 1"
_WHOLE = "accepted: whole MIDI files"
_TRACK_NAME, _MARKER, _END_OF_TRACK, _SET_TEMPO, _TIME_SIGNATURE = 0x03, 0x06, 0x2F, 0x51, 0x58
_SIGNATURES = (  # the first bytes of what people upload instead
    (b"ID3", "an MP3 sound file"),
    (b"\xff\xfb", "an MP3 sound file"),
    (b"\xff\xf3", "an MP3 sound file"),
    (b"\xff\xf2", "an MP3 sound file"),
    (b"OggS", "an Ogg sound file"),
    (b"fLaC", "a FLAC sound file"),
    (b"FORM", "an AIFF sound file"),
    (b"PK\x03\x04", "a ZIP archive (compressed MusicXML and MuseScore files are such)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
)


@dataclass
class _Part:
    """What one channel plays in one track of the file. notes: [onset tick, pitch, end tick, velocity]."""

    program: int | None = None
    notes: list[list[int]] = field(default_factory=list)
    controls: list[tuple[int, int, int]] = field(default_factory=list)  # tick, number, value


@dataclass
class _FileTrack:
    name: str = ""
    parts: dict[int, _Part] = field(default_factory=dict)  # by channel
    programs: list[tuple[int, int, int]] = field(default_factory=list)  # tick, channel, program
    tempos: list[tuple[int, int]] = field(default_factory=list)  # tick, microseconds per beat
    meters: list[tuple[int, int, int]] = field(default_factory=list)  # tick, numerator, denominator
    chords: list[tuple[int, str]] = field(default_factory=list)  # tick, symbol


def read_midi(source) -> Score:
    """The music in `source`: a path, the bytes of a file or a binary file object.

    One track for each channel that has notes in each track of the file, in the file's order; notes are sorted by onset
    and pitch, and those of one pitch end in the order in which they began. Raises MusicError where it is not a readable
    MIDI file of format 0 or 1, is above a limit (the constants MAX_...) or has no pitched note.
    """
    data = _unwrap(_load(source))
    count, resolution, tempo = _header(data)
    tracks: list[_FileTrack] = []
    notes = 0
    for number, chunk in enumerate(_track_chunks(data, count), 1):
        tracks.append(_read_track(chunk, number, MAX_NOTES - notes))
        notes += sum(len(part.notes) for part in tracks[-1].parts.values())
    if not notes:
        raise MusicError(
            "the file has no notes; accepted: MIDI files with at least one pitched note"
        )
    score = Score(
        [
            _score_track(track, channel, part, _program(tracks, track, channel), resolution)
            for track in tracks
            for channel, part in sorted(track.parts.items())
            if part.notes
        ],
        _tempos(tracks, resolution) if tempo is None else [Tempo(0.0, tempo)],
        _meters(tracks, resolution),
        resolution,
        [Chord(tick / resolution, symbol) for track in tracks for tick, symbol in track.chords],
    )
    if tempo is not None:
        bpm = round(60e6 / tempo)
        score.notices.append(
            f"the file counts seconds, not beats; its beats are taken to be {bpm} per minute"
        )
    _check(score)
    return score


def write_midi(score: Score, target) -> None:
    """Write `score` as a MIDI file of format 1 to `target`, a path or a binary file object; same score, same bytes.

    The first track holds tempos, time signatures and the chords as markers; each other track is one of the score's.
    Onsets and ends go to the nearest tick of `score.resolution` or, where that has fewer than 24 ticks per beat, of its
    smallest multiple that has not. MIDI cannot tell two notes of one pitch apart: where the earlier one ends last, they
    exchange ends. More than 15 pitched tracks share channels.
    """
    resolution = score.resolution * -(-MIN_RESOLUTION // score.resolution)
    pitched = [index for index, track in enumerate(score.tracks) if not track.is_drum]
    channels = {
        index: PITCHED_CHANNELS[place % len(PITCHED_CHANNELS)]
        for place, index in enumerate(pitched)
    }
    chunks = [_track_bytes(_conductor_events(score, resolution))]
    for index, track in enumerate(score.tracks):
        chunks.append(
            _track_bytes(_track_events(track, channels.get(index, DRUM_CHANNEL), resolution))
        )
    data = struct.pack(">4sIHHH", b"MThd", 6, 1, len(chunks), resolution) + b"".join(chunks)
    if hasattr(target, "write"):
        target.write(data)
    else:
        Path(target).write_bytes(data)


# Reading: from the source to the chunks of the tracks


def _load(source: FileSource) -> bytes:
    data = read_source(source, MAX_BYTES + 1, _ACCEPTED)
    if len(data) > MAX_BYTES:
        raise MusicError(
            f"the file is larger than {MAX_BYTES / 1e6:g} MB; accepted: up to {MAX_BYTES / 1e6:g} MB"
        )
    if not data:
        raise MusicError(f"the file is empty; {_ACCEPTED}")
    return data


def _unwrap(data: bytes) -> bytes:
    """The MIDI file itself, out of its RIFF wrapping (.rmi) if it has one. Raises MusicError where there is none."""
    if data.startswith(b"MThd"):
        return data
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        at = 12
        while at + 8 <= len(data):
            size = int.from_bytes(data[at + 4 : at + 8], "little")
            if data[at : at + 4] == b"data" and data[at + 8 : at + 12] == b"MThd":
                return data[at + 8 : at + 8 + size]
            at += 8 + size + size % 2
        raise MusicError(
            f"the file is a RIFF MIDI file (.rmi) without MIDI data in it; {_ACCEPTED}"
        )
    raise MusicError(f"the file is not MIDI: it seems to be {kind_of(data)}; {_ACCEPTED}")


def kind_of(data: bytes) -> str:
    """What a file that is not MIDI seems to be, in words."""
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF":
        return "a WAV sound file" if data[8:12] == b"WAVE" else "a RIFF file"
    if data[4:8] == b"ftyp":
        return "an MP4 or M4A file"
    head = data[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<"):
        return "a MusicXML, HTML or other XML text"
    if all(32 <= byte < 127 or byte in b"\t\r\n" or byte >= 160 for byte in head):
        return "a text"
    return f"of an unknown kind (its first bytes are {data[:4].hex(' ')})"


def _header(data: bytes) -> tuple[int, int, int | None]:
    """Number of tracks, ticks per beat and, where the file counts in seconds instead of beats, its only tempo."""
    if len(data) < 14:
        raise MusicError(
            f"the file is truncated: it ends within its header, after {len(data)} bytes; {_WHOLE}"
        )
    size, kind, count, division = struct.unpack(">IHHH", data[4:14])
    if size < 6:
        raise MusicError(
            f"the MIDI file is corrupt: its header has a length of {size} bytes; accepted: 6 or more"
        )
    if kind > 1:
        what = "2 (independent patterns)" if kind == 2 else kind
        raise MusicError(f"the MIDI file is of format {what}; accepted: formats 0 and 1")
    if not division & 0x8000:
        if not division:
            raise MusicError(
                "the MIDI file is corrupt: it has 0 ticks per beat; accepted: 1 to 32767"
            )
        return count, division, None
    # SMPTE: minus the frames per second, then ticks per frame. 29 stands for drop-frame time's 30000 / 1001 frames.
    frames, ticks = 256 - (division >> 8), division & 0xFF
    if frames not in (24, 25, 29, 30) or not ticks:
        raise MusicError(
            f"the MIDI file is corrupt: it counts {ticks} ticks in each of {frames} frames per second; "
            "accepted: 24, 25, 29 or 30 frames of 1 to 255 ticks"
        )
    per_second, second = (30 * ticks, 1_001_000) if frames == 29 else (frames * ticks, 1_000_000)
    # 120 beats per minute, or 60 where half a second is not a whole number of ticks
    return (count, per_second, second) if per_second % 2 else (count, per_second // 2, second // 2)


def _track_chunks(data: bytes, count: int):
    """The content of each of the `count` track chunks; other chunks are skipped."""
    at = 8 + int.from_bytes(data[4:8], "big")
    found = 0
    while found < count:
        if at + 8 > len(data):
            raise MusicError(
                f"the file is truncated: it has {found} of its {count} tracks; {_WHOLE}"
            )
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        if data[at : at + 4] == b"MTrk":
            found += 1
            missing = at + 8 + size - len(data)
            if missing > 0:
                raise MusicError(
                    f"the file is truncated: track {found} of {count} lacks {missing} of its {size} bytes; {_WHOLE}"
                )
            yield data[at + 8 : at + 8 + size]
        at += 8 + size


# Reading: the events of one track


def _read_track(chunk: bytes, number: int, notes_left: int) -> _FileTrack:
    """The events of one track chunk. `number`, from 1, names the track in errors."""
    corrupt = f"the MIDI file is corrupt: track {number}"
    track = _FileTrack()
    parts = track.parts
    waiting: dict[
        int, deque
    ] = {}  # by channel and pitch, the notes that have no end yet, the oldest first
    tick = at = status = 0
    size = len(chunk)
    try:
        while at < size:
            byte = chunk[at]
            if byte < 0x80:  # nearly always, and the general case is slower
                tick += byte
                at += 1
            else:
                delta, at = _variable_length(chunk, at, number)
                tick += delta
            byte = chunk[at]
            if byte >= 0xF0:
                # By the standard these end a running status; some files go on with it, which does no harm here.
                if byte == 0xFF:
                    kind = chunk[at + 1]
                    length, at = _variable_length(chunk, at + 2, number)
                elif byte in (0xF0, 0xF7):
                    kind = None
                    length, at = _variable_length(chunk, at + 1, number)
                else:
                    raise MusicError(
                        f"{corrupt} has a byte {byte:02X} where an event begins; {_WHOLE}"
                    )
                if at + length > size:
                    raise IndexError
                if kind == _END_OF_TRACK:
                    break
                if kind is not None:
                    _read_meta(track, tick, kind, chunk[at : at + length])
                at += length
                continue
            if byte >= 0x80:
                status = byte
                at += 1
            elif not status:
                raise MusicError(f"{corrupt} begins with data, not with an event; {_WHOLE}")
            kind, channel = status & 0xF0, status & 0x0F
            first = min(chunk[at], 127)
            if kind == 0xC0 or kind == 0xD0:
                at += 1
                if kind == 0xC0:
                    track.programs.append((tick, channel, first))
                    part = parts.setdefault(channel, _Part())
                    if part.program is None or not part.notes:
                        part.program = first
                continue
            second = min(chunk[at + 1], 127)
            at += 2
            if kind == 0x90 and second:
                notes_left -= 1
                if notes_left < 0:
                    raise MusicError(
                        f"the file has more than {MAX_NOTES:,} notes; accepted: up to {MAX_NOTES:,}"
                    )
                part = parts.get(channel)
                if part is None:
                    part = parts[channel] = _Part()
                note = [tick, first, -1, second]
                part.notes.append(note)
                begun = waiting.get(channel << 7 | first)
                if begun is None:
                    begun = waiting[channel << 7 | first] = deque()
                begun.append(note)
            elif kind == 0x80 or kind == 0x90:
                begun = waiting.get(channel << 7 | first)
                if begun:
                    begun.popleft()[2] = tick
            elif kind == 0xB0:
                if first in KEPT_CONTROLS:
                    parts.setdefault(channel, _Part()).controls.append((tick, first, second))
            elif kind == 0xE0:
                parts.setdefault(channel, _Part()).controls.append(
                    (tick, PITCH_BEND, (second << 7 | first) - 8192)
                )
    except IndexError:
        raise MusicError(f"{corrupt} ends in the middle of an event; {_WHOLE}") from None
    for begun in waiting.values():
        for note in begun:  # never ended: they sound until the track's end
            note[2] = max(tick, note[0] + 1)
    return track


def _variable_length(chunk: bytes, at: int, number: int) -> tuple[int, int]:
    """The number that begins at `at`, seven bits a byte, and where it ends."""
    value = 0
    for end in range(at + 1, at + 5):
        byte = chunk[end - 1]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, end
    raise MusicError(
        f"the MIDI file is corrupt: track {number} has a time or length of more than four bytes; {_WHOLE}"
    )


def _read_meta(track: _FileTrack, tick: int, kind: int, data: bytes) -> None:
    if kind == _TRACK_NAME:
        track.name = track.name or _decode(data)
    elif kind == _SET_TEMPO and len(data) >= 3:
        microseconds = int.from_bytes(data[:3], "big")
        if microseconds:
            track.tempos.append((tick, microseconds))
    elif kind == _TIME_SIGNATURE and len(data) >= 2 and data[1] < 8:
        numerator, denominator = data[0], 1 << data[1]
        if (
            1 <= numerator <= MAX_BAR_PART >= denominator
            and numerator * 4 / denominator >= MIN_BAR_BEATS
        ):
            track.meters.append((tick, numerator, denominator))
    elif kind == _MARKER and is_symbol(symbol := _decode(data)):
        track.chords.append((tick, symbol))


def _decode(data: bytes) -> str:
    """The format leaves the encoding open. Text that is valid UTF-8 is meant as such; Latin-1 can be anything."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return "".join(letter for letter in text if letter.isprintable()).strip()


# Reading: from the file's tracks to the score


def _program(tracks: list[_FileTrack], track: _FileTrack, channel: int) -> int:
    """The program at the first note, else the first one after it; of other tracks where the track itself sets none."""
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
    track: _FileTrack, channel: int, part: _Part, program: int, resolution: int
) -> Track:
    notes = [
        Note(pitch, start / resolution, (end - start) / resolution, velocity)
        for start, pitch, end, velocity in sorted(part.notes)
    ]
    controls = [Control(tick / resolution, number, value) for tick, number, value in part.controls]
    return Track(track.name, program, channel == DRUM_CHANNEL, notes, controls)


def _tempos(tracks: list[_FileTrack], resolution: int) -> list[Tempo]:
    at_tick = {0: DEFAULT_TEMPO}
    for track in tracks:
        at_tick.update(track.tempos)
    return [
        Tempo(tick / resolution, microseconds) for tick, microseconds in sorted(at_tick.items())
    ]


def _meters(tracks: list[_FileTrack], resolution: int) -> list[TimeSignature]:
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


def _check(score: Score) -> None:
    if all(track.is_drum for track in score.tracks):
        raise MusicError(
            "the file has only drums (channel 10); accepted: MIDI files with at least one pitched note"
        )
    end = score.end
    if end > MAX_BEATS:
        raise MusicError(f"the music lasts {end:,.0f} beats; accepted: up to {MAX_BEATS:,}")
    minutes = score.seconds(end) / 60
    if minutes > MAX_MINUTES:
        raise MusicError(f"the music lasts {minutes:.1f} minutes; accepted: up to {MAX_MINUTES}")


# Writing. An event is (tick, rank among the events of that tick, bytes).

# Notes that end make room first, so that a note struck again is not ended by the end of the one before; a note of no
# length ends after it has begun.
_SETTING, _END, _CONTROL, _BEGIN, _END_AT_ONCE = range(5)


def _conductor_events(score: Score, resolution: int) -> list[tuple[int, int, bytes]]:
    events = []
    for onset, microseconds in score.tempos:
        content = min(max(microseconds, 1), 0xFFFFFF).to_bytes(3, "big")
        events.append((_tick(onset, resolution), _SETTING, _meta(_SET_TEMPO, content)))
    for onset, numerator, denominator in score.meters:
        # The last two: a metronome click each beat (24 MIDI clocks), and eight 32nd notes to a beat
        content = bytes((numerator, denominator.bit_length() - 1, 24, 8))
        events.append((_tick(onset, resolution), _SETTING, _meta(_TIME_SIGNATURE, content)))
    for onset, symbol in score.chords:
        events.append(
            (_tick(onset, resolution), _SETTING, _meta(_MARKER, symbol.encode("utf-8", "replace")))
        )
    return events


def _track_events(track: Track, channel: int, resolution: int) -> list[tuple[int, int, bytes]]:
    events = (
        [(0, _SETTING, _meta(_TRACK_NAME, track.name.encode("utf-8", "replace")))]
        if track.name
        else []
    )
    events.append((0, _SETTING, bytes((0xC0 | channel, track.program))))
    for onset, number, value in track.controls:
        if number == PITCH_BEND:
            event = bytes((0xE0 | channel, value + 8192 & 0x7F, value + 8192 >> 7))
        else:
            event = bytes((0xB0 | channel, number, value))
        events.append((_tick(onset, resolution), _CONTROL, event))
    notes = []
    for note in track.notes:
        start, end = _tick(note.onset, resolution), _tick(note.end, resolution)
        notes.append((start, note.pitch, max(end, start + (note.duration > 0)), note.velocity))
    for start, pitch, end, velocity in sorted(notes):
        events.append((start, _BEGIN, bytes((0x90 | channel, pitch, min(max(velocity, 1), 127)))))
        events.append(
            (end, _END if end > start else _END_AT_ONCE, bytes((0x80 | channel, pitch, 64)))
        )
    return events


def _track_bytes(events: list[tuple[int, int, bytes]]) -> bytes:
    """A track chunk. Events of the same tick and rank keep their order."""
    content = bytearray()
    now = 0
    for tick, _, event in sorted(events, key=lambda event: event[:2]):
        content += _variable_length_bytes(tick - now) + event
        now = tick
    content += b"\0" + _meta(_END_OF_TRACK, b"")
    return b"MTrk" + struct.pack(">I", len(content)) + bytes(content)


def _tick(beat: float, resolution: int) -> int:
    return max(round(beat * resolution), 0)


def _meta(kind: int, content: bytes) -> bytes:
    return bytes((0xFF, kind)) + _variable_length_bytes(len(content)) + content


def _variable_length_bytes(value: int) -> bytes:
    content = [value & 0x7F]
    while value := value >> 7:
        content.append(value & 0x7F | 0x80)
    return bytes(reversed(content))
