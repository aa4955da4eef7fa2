import io
import struct
from dataclasses import replace

import mido
import pretty_midi
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accomp.errors import MusicError
from accomp.music.midi import MidiLimits, read_midi, write_midi
from accomp.music.score import (
    PITCH_BEND,
    Chord,
    Control,
    KeySignature,
    Note,
    Score,
    Tempo,
    TimeSignature,
    Track,
)
from tests.support.scores import END, NOTE, chunk, event, meta, midi, song


def written(score: Score) -> bytes:
    file = io.BytesIO()
    write_midi(score, file)
    return file.getvalue()


def ordered(score: Score) -> Score:
    """With notes in the reader's order."""
    return replace(
        score,
        tracks=[
            replace(t, notes=sorted(t.notes, key=lambda n: (n.onset, n.pitch)))
            for t in score.tracks
        ],
    )


def only(data: bytes) -> Track:
    (track,) = read_midi(data).tracks
    return track


# There and back


def test_a_song_survives():
    score = song(("Schlagzeug", "Bass", "", "Mélodie 🎵"))
    score.chords = [Chord(0.0, "G"), Chord(6.0, "F#m")]
    score.key_signatures = [KeySignature(0.0, -3, False), KeySignature(9.0, 7, True)]
    assert read_midi(written(score)) == ordered(score)


def test_same_score_same_bytes_to_a_path_too(tmp_path):
    write_midi(song(), tmp_path / "song.mid")
    assert (tmp_path / "song.mid").read_bytes() == written(song())
    assert (
        read_midi(tmp_path / "song.mid")
        == read_midi(str(tmp_path / "song.mid"))
        == read_midi(written(song()))
    )


def test_coarse_files_are_written_finer_at_the_same_times():
    score = Score([Track("", 0, False, [Note(60, 1 / 7, 3 / 7, 50)])], resolution=7)
    back = read_midi(written(score))
    assert back.resolution == 28 and back.tracks == score.tracks


def test_notes_struck_again_and_of_no_length_survive():
    notes = [
        Note(60, 0.0, 1.0, 10),
        Note(60, 0.5, 0.5, 20),
        Note(60, 1.0, 0.0, 30),
        Note(60, 1.0, 0.5, 40),
        Note(61, 1.0, 0.0, 50),
    ]
    assert read_midi(written(Score([Track(notes=notes)]))).tracks[0].notes == notes


def test_a_note_shorter_than_a_tick_lasts_one():
    assert read_midi(written(Score([Track(notes=[Note(60, 1.0, 1e-5, 9)])]))).tracks[0].notes == [
        Note(60, 1.0, 1 / 480, 9)
    ]


def test_channels_differ_and_leave_the_tenth_to_the_drums():
    tracks = [Track("", 0, index in (3, 8), [Note(60, 0.0, 1.0, 1)]) for index in range(17)]
    file = mido.MidiFile(file=io.BytesIO(written(Score(tracks))))
    channels = [next(m.channel for m in track if m.type == "note_on") for track in file.tracks[1:]]
    assert channels[3] == channels[8] == 9
    assert sorted(c for c in channels if c != 9) == [c for c in range(16) if c != 9]


def test_other_readers_agree():
    data = written(song(("a", "b", "c", "d")))
    other = pretty_midi.PrettyMIDI(io.BytesIO(data))
    score = read_midi(data)
    assert [i.name for i in other.instruments] == ["a", "b", "c", "d"]
    for instrument, track in zip(other.instruments, score.tracks, strict=True):
        assert (instrument.program, instrument.is_drum) == (track.program, track.is_drum)
        mine = sorted(
            (score.seconds(n.onset), score.seconds(n.end), n.pitch, n.velocity) for n in track.notes
        )
        theirs = sorted((n.start, n.end, n.pitch, n.velocity) for n in instrument.notes)
        assert [m[2:] for m in mine] == [t[2:] for t in theirs]
        for mine_note, their_note in zip(mine, theirs):
            assert mine_note[:2] == pytest.approx(their_note[:2], abs=1e-6)


@st.composite
def scores(draw) -> Score:
    resolution = draw(
        st.one_of(st.sampled_from([1, 5, 23, 24, 96, 480, 32767]), st.integers(1, 32767))
    )
    ticks = st.integers(0, 40 * resolution)
    tracks = []
    for number in range(draw(st.integers(1, 18))):
        notes = []
        for pitch in draw(st.lists(st.integers(0, 127), max_size=3, unique=True)):
            times = draw(
                st.lists(
                    st.tuples(ticks, st.one_of(st.just(0), ticks), st.integers(1, 127)),
                    min_size=1,
                    max_size=5,
                )
            )
            starts, ends = (
                sorted(t[0] for t in times),
                sorted(t[0] + t[1] for t in times),
            )  # first in, first out
            for start, end, (_, _, velocity) in zip(starts, ends, times):
                notes.append((start, pitch, end, velocity))
        if not notes and number:
            continue
        notes = sorted(notes or [(0, 60, resolution, 64)])
        numbers = st.sampled_from([1, 11, 64])
        controls = st.one_of(
            st.tuples(ticks, numbers, st.integers(0, 127)),
            st.tuples(ticks, st.just(PITCH_BEND), st.integers(-8192, 8191)),
        )
        tracks.append(
            Track(
                draw(st.text(st.characters(categories=["L", "N"]), max_size=5)),
                draw(st.integers(0, 127)),
                bool(number) and draw(st.booleans()),
                [
                    Note(pitch, start / resolution, (end - start) / resolution, velocity)
                    for start, pitch, end, velocity in notes
                ],
                [
                    Control(t / resolution, n, v)
                    for t, n, v in sorted(draw(st.lists(controls, max_size=4)), key=lambda c: c[0])
                ],
            )
        )
    tempos = draw(st.dictionaries(ticks, st.integers(50_000, 0xFFFFFF), max_size=4)) | {
        0: draw(st.integers(50_000, 0xFFFFFF))
    }
    meters: list[TimeSignature] = [TimeSignature(0.0, 4, 4)]
    for tick in sorted(draw(st.sets(ticks, max_size=3))):
        numerator, denominator = draw(st.integers(1, 32)), draw(st.sampled_from([1, 2, 4, 8]))
        if tick and meters[-1][1:] != (numerator, denominator):
            meters.append(TimeSignature(tick / resolution, numerator, denominator))
    return Score(
        tracks, [Tempo(t / resolution, m) for t, m in sorted(tempos.items())], meters, resolution
    )


@settings(max_examples=120, deadline=None)
@given(scores())
def test_any_score_survives(score):
    data = written(score)
    back = read_midi(data)
    assert replace(back, resolution=score.resolution) == score
    assert back.resolution >= 24 and back.resolution % score.resolution == 0
    assert written(back) == data


# Reading what others wrote


def test_notes_of_a_pitch_end_in_the_order_they_began():
    data = (
        event(0, 0x90, 60, 1) + event(24, 60, 2) + event(24, 60, 0) + event(48, 0x80, 60, 9) + END
    )
    assert only(midi(data)).notes == [Note(60, 0.0, 0.5, 1), Note(60, 0.25, 0.75, 2)]


def test_a_note_without_end_lasts_to_the_end_of_its_track():
    assert only(midi(event(0, 0x90, 60, 1) + meta(48, 0x2F))).notes == [Note(60, 0.0, 0.5, 1)]
    assert only(midi(event(0, 0x90, 60, 1) + END)).notes == [Note(60, 0.0, 1 / 96, 1)]


def test_format_0_is_parted_by_channel_and_programs_precede_notes():
    data = (
        event(0, 0xC2, 5)
        + event(0, 0xC2, 40)
        + event(0, 0x92, 60, 1)
        + event(0, 0x91, 61, 2)
        + event(9, 0xC1, 7)
    )
    data += event(0, 0x99, 36, 3) + event(87, 0x82, 60, 0) + event(0, 0xC2, 99) + END
    tracks = read_midi(midi(data, kind=0)).tracks
    assert [(t.program, t.is_drum, t.notes[0].pitch) for t in tracks] == [
        (7, False, 61),
        (40, False, 60),
        (0, True, 36),
    ]


def test_a_program_set_in_another_track_counts_where_there_is_no_own():
    setup = event(0, 0xC0, 3) + event(96, 0xC0, 21) + event(0, 0xC1, 4) + event(96, 0xC0, 22) + END
    late = event(100, 0x90, 60, 1) + event(9, 0x80, 60, 1) + END
    own = event(0, 0xC1, 50) + late.replace(b"\x90", b"\x91").replace(b"\x80", b"\x81")
    assert [t.program for t in read_midi(midi(setup, late, own)).tracks] == [21, 50]


def test_time_passes_at_events_that_are_skipped():
    skipped = (
        meta(10, 0x0A, b"?")
        + event(10, 0xF0, 2, 1, 0xF7)
        + event(10, 0xD0, 5)
        + event(10, 0xA0, 60, 5)
        + event(10, 0xB0, 7, 1)
    )
    skipped += (
        meta(10, 0x59, b"\x63\x63")
        + meta(10, 0x54, b"\xff" * 5)
        + meta(10, 0x51, b"")
        + meta(10, 0x20)
    )
    assert only(midi(skipped + NOTE + END)).notes == [Note(60, 90 / 96, 1.0, 70)]


def test_running_status_goes_on_after_meta_events():
    data = event(0, 0x90, 60, 1) + meta(48, 0x01, b"la") + event(0, 60, 0) + END
    assert only(midi(data)).notes == [Note(60, 0.0, 0.5, 1)]


def test_tempos_and_meters_of_all_tracks_are_merged():
    first = (
        meta(0, 0x58, b"\x03\x02\x18\x08")
        + meta(96, 0x51, b"\x01\x02\x03")
        + meta(96, 0x58, b"\x00\x02\x18\x08")
        + END
    )
    second = (
        meta(96, 0x51, b"\x04\x05\x06")
        + meta(96, 0x58, b"\x03\x02\x18\x08")
        + meta(1, 0x58, b"\x06\x03\x18\x08")
        + NOTE
        + END
    )
    score = read_midi(midi(first, second))
    assert score.tempos == [Tempo(0.0, 500_000), Tempo(1.0, 0x040506)]
    assert score.meters == [TimeSignature(0.0, 3, 4), TimeSignature(193 / 96, 6, 8)]


@pytest.mark.parametrize(
    "meter",
    [b"\x00\x02", b"\x04\x06", b"\x04\xff", b"\x21\x02", b"\x01\x04", b"\x04"],
    ids=lambda meter: meter.hex(),
)
def test_senseless_meters_and_tempos_are_dropped(meter):
    score = read_midi(midi(meta(0, 0x58, meter) + meta(0, 0x51, b"\0\0\0") + NOTE + END))
    assert score.meters == [TimeSignature(0.0, 4, 4)] and score.tempos == [Tempo(0.0, 500_000)]


def test_key_signatures_of_all_tracks_are_merged():
    first = meta(0, 0x59, b"\xfd\x00") + meta(96, 0x59, b"\x02\x01") + END
    senseless = meta(0, 0x59, b"\x08\x00") + meta(0, 0x59, b"\x01\x02") + meta(0, 0x59, b"\x01")
    second = senseless + meta(192, 0x59, b"\x02\x01") + NOTE + END
    signatures = read_midi(midi(first, second)).key_signatures
    assert signatures == [KeySignature(0.0, -3, False), KeySignature(1.0, 2, True)]
    assert [signature.tonic for signature in signatures] == [3, 11]


@pytest.mark.parametrize(
    "name, expected",
    [
        (b"M\xe9lodie\0", "Mélodie"),
        ("Напев".encode(), "Напев"),
        ("Na p\u011bvn\u00ed".encode("utf-16"), "Na pěvní"),
        (b"", ""),
    ],
)
def test_names_of_any_encoding(name, expected):
    assert (
        only(midi(meta(0, 3, name) + meta(0, 3, b"later" if name else b"") + NOTE + END)).name
        == expected
    )


@pytest.mark.parametrize(
    "frames, ticks, resolution, tempo",
    [(25, 40, 500, 500_000), (25, 5, 125, 1_000_000), (29, 80, 1200, 500_500)],
)
def test_files_that_count_seconds(frames, ticks, resolution, tempo):
    score = read_midi(
        midi(meta(0, 0x51, b"\x01\x02\x03") + NOTE + END, division=(256 - frames) << 8 | ticks)
    )
    assert (score.resolution, score.tempos) == (resolution, [Tempo(0.0, tempo)])
    assert "counts seconds" in score.notices[0]


def test_what_does_no_harm_is_read():
    whole = midi(NOTE + END)
    assert only(midi(NOTE)).notes == only(whole).notes  # no end of track
    assert only(whole + b"rubbish").notes == only(whole).notes
    assert only(whole[:14] + chunk(b"abc", b"XFIH") + whole[14:]).notes == only(whole).notes
    assert (
        only(b"MThd" + struct.pack(">I", 8) + whole[8:14] + b"??" + whole[14:]).notes
        == only(whole).notes
    )
    content = (
        chunk(b"xyz\0", b"DISP")[:4]
        + struct.pack("<I", 3)
        + b"xyz\0"
        + b"data"
        + struct.pack("<I", len(whole))
        + whole
    )
    assert (
        only(b"RIFF" + struct.pack("<I", len(content) + 4) + b"RMID" + content).notes
        == only(whole).notes
    )
    assert (
        only(midi(event(0, 0x90, 60, 200) + event(96, 0x80, 60, 0) + END)).notes[0].velocity == 127
    )


# What is refused, and in which words

WHOLE = midi(NOTE + END)
REFUSED = {
    "empty": (b"", "the file is empty"),
    "wav": (b"RIFF\0\0\0\0WAVEfmt ", "not MIDI.* WAV.*accepted: Standard MIDI Files"),
    "mp3": (b"ID3\4\0", "MP3"),
    "mp3 without tag": (b"\xff\xfb\x90", "MP3"),
    "zip": (b"PK\3\4abcd", "ZIP"),
    "png": (b"\x89PNG\r\n", "PNG"),
    "pdf": (b"%PDF-1.7", "PDF"),
    "xml": (b'\xef\xbb\xbf<?xml version="1.0"?>', "MusicXML"),
    "text": (b"do re mi\n", "a text"),
    "unknown": (b"\0\1\2\3\4", "unknown kind .*00 01 02 03"),
    "empty riff": (b"RIFF\0\0\0\0RMID", "without MIDI data"),
    "header": (WHOLE[:9], "ends within its header, after 9 bytes"),
    "short header": (WHOLE[:7] + b"\5" + WHOLE[8:], "header has a length of 5"),
    "format 2": (
        midi(NOTE, NOTE, kind=2),
        r"format 2 \(independent patterns\); accepted: formats 0 and 1",
    ),
    "format 77": (midi(NOTE, kind=77), "format 77"),
    "no ticks": (midi(NOTE, division=0), "0 ticks per beat"),
    "frames": (midi(NOTE, division=0x8101), "127 frames per second"),
    "cut": (WHOLE[:-3], "truncated: track 1 lacks 3 of its 12 bytes"),
    "cut event": (midi(NOTE + b"\0\x90\x3c"), "track 1 ends in the middle of an event"),
    "cut meta": (midi(NOTE, b"\0\xff\x01\x05a"), "track 2 ends in the middle of an event"),
    "no status": (midi(b"\0\x3c\x3c"), "begins with data"),
    "system byte": (midi(b"\0\xf4\0\0"), "F4"),
    "endless number": (midi(b"\xff" * 9), "more than four bytes"),
    "no tracks": (midi(), "no notes"),
    "no notes": (
        midi(event(0, 0x90, 60, 0) + END),
        "no notes; accepted: .* at least one pitched note",
    ),
    "drums": (midi(event(0, 0x99, 36, 9) + event(9, 0x89, 36, 0) + END), "only drums"),
    "too large": (WHOLE + bytes(5_000_000), "larger than 5 MB; accepted: up to 5 MB"),
    "too long": (
        midi(NOTE + event(16_000, 0x90, 60, 1) + END, division=4),
        r"33\.5 minutes; accepted: up to 30",
    ),
    "too many beats": (
        midi(meta(0, 0x51, b"\0\0\1") + NOTE + b"\x83\xff\xff\x7f\x90\1\1" + END, division=1),
        "beats; accepted: up to 8,000",
    ),
}


@pytest.mark.parametrize("data, message", REFUSED.values(), ids=REFUSED)
def test_refused(data, message):
    with pytest.raises(MusicError, match=message):
        read_midi(data)


def test_too_many_notes_are_refused():
    limits = MidiLimits(notes=3)
    assert len(read_midi(midi(NOTE * 3 + END), limits).tracks[0].notes) == 3
    for chunks in ([NOTE * 4 + END], [NOTE * 2 + END, NOTE * 2 + END]):
        with pytest.raises(MusicError, match="more than 3 notes; accepted: up to 3"):
            read_midi(midi(*chunks), limits)


def test_sources_that_are_no_file_are_refused(tmp_path):
    for source, message in [
        (tmp_path / "none.mid", r"none\.mid does not exist"),
        (str(tmp_path), "is not a file"),
        ("a\0b", "does not exist"),
        (io.StringIO("MThd"), "opened as text"),
        (5, "a int was given"),
    ]:
        with pytest.raises(MusicError, match=message):
            read_midi(source)


# Whatever the bytes, a score or a MusicError

VALID = written(song(("a", "b", "c", "d")))


def read_or_refuse(data: bytes) -> None:
    try:
        score = read_midi(data)
    except MusicError as error:
        assert str(error)
        return
    assert read_midi(written(score)).tracks == score.tracks


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=200).map(midi),
        st.binary(max_size=30).map(lambda b: b"MThd" + b),
    )
)
@example(midi(b"\0\xff\x59\x02\x7f\x7f" + NOTE))
def test_arbitrary_bytes(data):
    read_or_refuse(data)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), max_size=6),
    st.integers(0, len(VALID)),
)
def test_damaged_files(changes, length):
    data = bytearray(VALID)
    for at, byte in changes:
        data[at] = byte
    read_or_refuse(bytes(data))
    read_or_refuse(bytes(data[:length]))


# Limits, and what can be written


def test_bars_are_limited_however_short_or_long_they_are():
    one_eighth = meta(0, 0x58, b"\x01\x03\x18\x08") + meta(48, 0x58, b"\x01\x02\x18\x08")
    with pytest.raises(MusicError, match="3,000 bars of four beats or less; accepted: up to 2,000"):
        read_midi(midi(one_eighth * 1500 + END, NOTE * 2250 + END))
    long = meta(0, 0x58, b"\x20\x02\x18\x08") + NOTE * 100 + END  # 32/4: eight bars each
    assert read_midi(midi(long), MidiLimits(bars=32)).end == 100
    with pytest.raises(MusicError, match="32 bars"):
        read_midi(midi(long), MidiLimits(bars=31))
    with pytest.raises(MusicError, match="beats; accepted: up to 8,000"):  # hardly any note in them
        read_midi(midi(NOTE + b"\xaf\xc6\x60" + NOTE[1:] + END))


def test_events_far_behind_the_music_are_not_written():
    note = Note(60, 0.0, 1.0, 70)
    for far in (2.0**28, 1e12):
        score = Score(
            [Track(notes=[note], controls=[Control(1.0, 64, 0), Control(far, 64, 127)])],
            [Tempo(0.0, 500_000), Tempo(far, 400_000)],
            resolution=32_767,
        )
        back = read_midi(written(score))
        assert back.tracks[0].controls == [Control(1.0, 64, 0)]
        assert back.tempos == [Tempo(0.0, 500_000)]


def test_long_waits_are_written_so_that_they_are_read():
    notes = [Note(60, 0.0, 1.0, 70), Note(62, 30_000.0, 1.0, 70)]
    score = Score([Track(notes=notes)], resolution=32_767)
    limits = MidiLimits(beats=40_000, bars=20_000, minutes=400)
    assert read_midi(written(score), limits).tracks[0].notes == notes


@pytest.mark.parametrize(
    "score",
    [
        Score([Track(notes=[Note(60, float("nan"), 1.0, 70)])]),
        Score([Track(notes=[Note(60, 0.0, float("inf"), 70)])]),
        Score([Track(notes=[Note(60, 1e300, 1.0, 70)])]),
        Score([Track(notes=[Note(128, 0.0, 1.0, 70)])]),
        Score([Track(program=999, notes=[Note(60, 0.0, 1.0, 70)])]),
        Score([Track(controls=[Control(0.0, 7, 300)])]),
        Score([Track(controls=[Control(0.0, PITCH_BEND, 9000)])]),
        Score(tempos=[Tempo(float("inf"), 5)]),
        Score(meters=[TimeSignature(0.0, 3, 5)]),
    ],
)
def test_what_no_file_can_hold_is_refused(score, tmp_path):
    with pytest.raises(MusicError, match="accepted"):
        write_midi(score, tmp_path / "song.mid")
    assert not list(tmp_path.iterdir())
