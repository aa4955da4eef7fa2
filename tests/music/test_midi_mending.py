"""What people's files have wrong without losing music, and what ordinary players read."""

import io
import struct

import pytest

from accomp.errors import MusicError
from accomp.music.melody_track import choose_melody
from accomp.music.midi import read_midi, write_midi
from accomp.music.score import PITCH_BEND, Chord, Control, Note, Score
from tests.support.scores import END, NOTE, chunk, event, meta, midi


def name(text: str | bytes) -> bytes:
    return meta(0, 3, text.encode() if isinstance(text, str) else text)


def line(pitches=(60, 62, 64, 65, 67, 65, 64, 62), channels=(0,)) -> bytes:
    """Quarter notes, on the channels in turn."""
    data = b""
    for place, pitch in enumerate(pitches):
        channel = channels[place % len(channels)]
        data += event(0, 0x90 | channel, pitch, 70) + event(96, 0x80 | channel, pitch, 0)
    return data


LINE = read_midi(midi(line() + END)).tracks[0].notes
CONDUCTOR = meta(0, 0x51, b"\x07\xa1\x20") + END


def again(score: Score) -> Score:
    file = io.BytesIO()
    write_midi(score, file)
    return read_midi(file.getvalue())


def the_line(data: bytes, notice: str = "") -> Score:
    """Read a file that holds the line; a notice says what was mended, or there is none."""
    score = read_midi(data)
    assert [track.notes for track in score.tracks] == [LINE]
    assert again(score).tracks == score.tracks
    if notice:
        assert any(notice in each for each in score.notices), score.notices
    else:
        assert not score.notices
    return score


# Channels


def test_channels_of_one_of_several_tracks_are_one_part():
    the_line(midi(CONDUCTOR, name("Guitar") + line(channels=(0, 1, 2)) + END))


def test_channels_of_other_programs_and_the_drums_stay_apart():
    both = event(0, 0xC1, 33) + line(channels=(0, 1, 9)) + END
    tracks = read_midi(midi(CONDUCTOR, event(0, 0xC0, 5) + both)).tracks
    assert [(track.program, track.is_drum, len(track.notes)) for track in tracks] == [
        (5, False, 3),
        (33, False, 3),
        (0, True, 2),
    ]


def test_a_band_on_the_only_track_stays_apart():
    together = b"".join(
        event(0, 0x90, 72, 70) + event(0, 0x91, 48, 70) + event(48, 0x80, 72, 0)
        + event(0, 0x81, 48, 0) for _ in range(8)
    )  # fmt: skip
    assert len(read_midi(midi(together + END, kind=0)).tracks) == 2
    the_line(midi(line(channels=(0, 1)) + END, kind=0))  # they take turns


def bend(delta: int, channel: int, value: int) -> bytes:
    return event(delta, 0xE0 | channel, value + 8192 & 127, value + 8192 >> 7)


def test_an_expressive_controller_gives_one_part_with_the_bends_of_its_notes():
    zone = event(0, 0xB0, 101, 0) + event(0, 0xB0, 100, 6) + event(0, 0xB0, 6, 2)
    pedal = event(0, 0xB0, 64, 127)  # on the manager channel, for all
    first = event(0, 0x91, 60, 70) + bend(48, 1, 4096) + event(48, 0x81, 60, 0)
    second = event(0, 0x92, 62, 70) + event(96, 0x82, 62, 0)
    score = read_midi(midi(zone + pedal + first + second + END, kind=0))
    (track,) = score.tracks
    assert track.notes == [Note(60, 0.0, 1.0, 70), Note(62, 1.0, 1.0, 70)]
    assert track.controls == [
        *(Control(0.0, number, value) for number, value in ((101, 0), (100, 0), (6, 48), (38, 0))),
        Control(0.0, 64, 127),
        Control(0.5, PITCH_BEND, 4096),
        Control(1.0, PITCH_BEND, 0),  # the second note is not bent
    ]
    assert not score.notices and again(score).tracks == score.tracks


def test_bends_of_notes_together_are_said_to_be_lost():
    zone = event(0, 0xB0, 101, 0) + event(0, 0xB0, 100, 6) + event(0, 0xB0, 6, 2)
    both = event(0, 0x91, 60, 70) + bend(0, 2, 100) + event(0, 0x92, 67, 70)
    ends = event(96, 0x81, 60, 0) + event(0, 0x82, 67, 0)
    assert any("bend" in each for each in read_midi(midi(zone + both + ends + END)).notices)


def test_the_bend_range_survives():
    setting = b"".join(event(0, 0xB0, *each) for each in ((101, 0), (100, 0), (6, 12), (38, 50)))
    other = b"".join(event(0, 0xB0, *each) for each in ((99, 1), (98, 8), (6, 77)))
    null = b"".join(event(0, 0xB0, *each) for each in ((101, 127), (100, 127), (6, 99)))
    score = the_line(midi(setting + other + null + line() + END))
    expected = [Control(0.0, *each) for each in ((101, 0), (100, 0), (6, 12), (38, 50))]
    assert score.tracks[0].controls == expected
    assert again(score).tracks == score.tracks


# Notes


def test_a_missing_end_spoils_one_note_only():
    data = midi(line((64, 64, 60, 64, 60, 64)) + END)
    whole = read_midi(data).tracks[0].notes
    first = event(0, 0x90, 64, 70) + event(96, 0x80, 64, 0)
    data = data.replace(first, event(0, 0x90, 64, 70) + meta(96, 1, b""), 1)
    score = read_midi(midi(data[22:]))
    assert score.tracks[0].notes == whole
    assert "1 note has no end" in score.notices[0]


def test_a_note_that_begins_twice_is_one():
    doubled = event(0, 0x90, 60, 70) + line() + END
    score = the_line(midi(doubled), "1 note begins twice")
    assert len(score.tracks[0].notes) == 8


def test_a_missing_end_in_a_single_line_does_not_cover_what_follows():
    score = read_midi(midi(event(0, 0x90, 72, 70) + meta(96, 1, b"") + line() + END))
    assert score.tracks[0].notes == [Note(72, 0.0, 1.0, 70), *(
        note._replace(onset=note.onset + 1) for note in LINE
    )]  # fmt: skip


def test_a_missing_end_under_chords_lasts_to_the_next_note_of_its_pitch():
    chords = b"".join(
        event(0, 0x90, low, 70) + event(0, 0x90, low + 7, 70) + event(96, 0x80, low, 0)
        + event(0, 0x80, low + 7, 0) for low in (50, 52, 53, 50, 52, 53)
    )  # fmt: skip
    data = event(0, 0x90, 40, 70) + chords + event(0, 0x90, 40, 70) + event(96, 0x80, 40, 0)
    notes = read_midi(midi(data + END)).tracks[0].notes
    assert [note.duration for note in notes if note.pitch == 40] == [6.0, 1.0]


def test_a_stuck_note_ends_with_the_last_that_plays():
    tail = b"\xf5\x98\x00"
    stuck = event(0, 0x90, 48, 70) + event(0, 0x90, 55, 70)
    ends = event(96, 0x80, 55, 0) + tail + meta(0, 0x2F)[1:]
    notes = read_midi(midi(line()[:0] + stuck + ends)).tracks[0].notes
    assert notes == [Note(48, 0.0, 1.0, 70), Note(55, 0.0, 1.0, 70)]
    only = read_midi(midi(event(0, 0x90, 48, 70) + tail + meta(0, 0x2F)[1:])).tracks[0].notes
    assert only == [Note(48, 0.0, 4.0, 70)]


def test_notes_end_when_all_are_silenced():
    data = event(0, 0x90, 48, 70) + event(0, 0x90, 55, 70) + event(48, 0xB0, 123, 0)
    notes = read_midi(midi(data + event(96, 0x90, 50, 70) + event(96, 0x80, 50, 0) + END)).tracks
    assert [note.end for note in notes[0].notes] == [0.5, 0.5, 2.5]


# Chunks


WHOLE = midi(CONDUCTOR, line() + END)


@pytest.mark.parametrize("count, notice", [(1, "announces 1 track and has 2"), (9, "9 tracks")])
def test_all_tracks_are_read_whatever_the_header_counts(count, notice):
    the_line(midi(CONDUCTOR, line() + END, count=count), notice)


def test_remains_of_other_files_behind_the_last_track_are_not_read():
    the_line(midi(CONDUCTOR, line() + END) + b"\0\0rest" + chunk(line((40, 41)) + END))
    cut = chunk(line((40, 41)) + END)[:-9]
    the_line(midi(CONDUCTOR, line() + END) + cut)


def test_bytes_between_tracks_are_skipped():
    between = WHOLE[: len(WHOLE) - len(chunk(line() + END))] + b"\r\n" + chunk(line() + END)
    the_line(between, "2 bytes between the tracks")


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\0\x08song.mid" + bytes(118), b"\r\n"])
def test_bytes_before_the_file_are_skipped(before):
    the_line(before + WHOLE, f"{len(before)} bytes before")


def test_wrapping_without_sizes_is_read():
    the_line(b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + WHOLE)


@pytest.mark.parametrize("size", [0, 1, 77, 0xFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF])
def test_lying_lengths_of_tracks(size):
    content = line() + END
    lying = b"MTrk" + struct.pack(">I", size) + content
    the_line(midi(CONDUCTOR) + lying, "length of a track is damaged")
    first = b"MTrk" + struct.pack(">I", size) + CONDUCTOR
    the_line(midi(CONDUCTOR)[:14] + first + chunk(content), "length of a track is damaged")


def test_a_track_of_no_known_length_without_an_end():
    unknown = b"MTrk\xff\xff\xff\xff" + line()
    the_line(midi(CONDUCTOR) + unknown, "length of a track is damaged")
    with pytest.raises(MusicError, match="truncated: track 2 lacks"):  # a note sounds
        read_midi(midi(CONDUCTOR) + unknown[:-3])


def test_a_single_pattern_is_a_song():
    the_line(midi(line() + END, kind=2))


# Events


def test_messages_of_cables_are_skipped():
    clock = event(0, 0xF8) + event(0, 0xFE) + event(0, 0xF2, 1, 2) + event(0, 0xF6)
    score = the_line(midi(clock + line() + END))
    assert score.tracks[0].notes[0].onset == 0


def test_a_time_too_long_before_the_end_of_a_track():
    the_line(midi(line() + b"\x82\x80\x80\x80\x80\x00\xff\x2f\x00"), "time before a track's end")
    with pytest.raises(MusicError, match="more than four bytes"):
        read_midi(midi(line() + b"\x82\x80\x80\x80\x80\x00" + NOTE[1:] + END))


# Drums


def drums(channel: int = 0) -> bytes:
    return line((36, 42, 38, 42) * 4, (channel,)) + END


@pytest.mark.parametrize("title", ["Drums", "Schlagzeug", "ドラム", "Ударные", "Drum Kit 2"])
def test_a_track_named_drums_is_drums(title):
    tracks = read_midi(midi(name(title) + drums(), line() + END))
    assert [track.is_drum for track in tracks.tracks] == [True, False]
    assert any("taken as drums" in notice for notice in tracks.notices)
    with pytest.raises(MusicError, match="only drums"):
        read_midi(midi(CONDUCTOR, name(title) + drums()))


@pytest.mark.parametrize("title", ["Steel Drums", "Drum and bass line", "Percussion organ", "Riff"])
def test_other_tracks_are_not(title):
    assert not read_midi(midi(name(title) + drums(), line() + END)).tracks[0].is_drum


def test_instruments_say_which_channels_are_drums():
    def message(*content: int) -> bytes:
        return event(0, 0xF0, len(content), *content)

    xg = message(0x43, 0x10, 0x4C, 0, 0, 0x7E, 0, 0xF7)
    kit = event(0, 0xB0, 0, 127) + event(0, 0xC0, 1)
    assert read_midi(midi(xg + kit + drums(), line() + END)).tracks[0].is_drum
    assert not read_midi(midi(kit + drums(), line() + END)).tracks[0].is_drum
    part_11 = message(0x41, 0x10, 0x42, 0x12, 0x40, 0x1A, 0x15, 2, 0x10, 0xF7)
    assert read_midi(midi(part_11 + drums(10), line() + END)).tracks[0].is_drum


# Markers


def marked(*texts: str, every: int = 8) -> Score:
    markers = b"".join(meta(96 * every * bool(place), 6, text.encode()) for place, text in
                       enumerate(texts))  # fmt: skip
    return read_midi(midi(markers + END, line() * len(texts) + END))


@pytest.mark.parametrize("texts", [("A", "B"), ("A", "B", "A", "C"), ("V", "C", "V", "C", "B")])
def test_letters_of_sections_are_no_chords(texts):
    score = marked(*texts)
    assert not score.chords and "name sections" in score.notices[0]


@pytest.mark.parametrize("texts", [("C", "F", "G"), ("A", "Bm"), ("C", "G"), ("A7",)])
def test_chords_are_chords(texts):
    chords = [Chord(8.0 * place, text) for place, text in enumerate(texts)]
    score = marked(*texts)
    assert score.chords == chords and not score.notices


def test_letters_that_are_played_are_chords():
    data = midi(meta(0, 6, b"A") + END, line((69, 73, 76, 69)) * 4 + END)
    assert read_midi(data).chords == [Chord(0.0, "A")]


# Names


@pytest.mark.parametrize("title, encoding", [
    ("メロディ", "cp932"), ("ボーカル", "cp932"), ("主旋律", "gb18030"), ("人声", "gb18030"),
    ("主唱", "big5"), ("멜로디", "cp949"), ("Вокал", "cp1251"), ("Мелодия", "koi8_r"),
    ("Śpiew", "cp1250"), ("Mélodie", "cp1252"), ("Φωνή", "cp1253"), ("שירה", "cp1255"),
    ("Zpěv", "utf-8"), ("LeadVox", "ascii"), ("Vox1", "ascii"), ("Ld_Vocal", "ascii"),
    ("Lead Mel.", "ascii"), ("歌", "utf-8"),
])  # fmt: skip
def test_names_of_melodies(title, encoding):
    riff = name("Riff") + line((72, 74, 76, 77) * 8) + END
    score = read_midi(midi(riff, name(title.encode(encoding)) + line() + END))
    assert score.tracks[1].name == title
    assert choose_melody(score) == 1


@pytest.mark.parametrize(
    "title", ["Mel Smith", "(c) 1999 Melody Jones", "Sequenced by Vox", "Glas"]
)
def test_names_of_people_are_none(title):
    lead = name("Tenor") + line((72, 74, 76, 77) * 8) + END
    score = read_midi(midi(lead, name(title) + line((40, 40, 41, 40, 40, 41, 40, 40)) + END))
    assert choose_melody(score) == 0 or title == "Glas"


def test_more_tracks_than_any_music_has_are_refused():
    with pytest.raises(MusicError, match="2,001 tracks; accepted: up to 2,000"):
        read_midi(midi(*[NOTE + END] * 2001))


def test_a_channel_has_the_program_that_another_track_sets_before_it():
    programs = event(0, 0xC0, 40) + event(96, 0xC0, 41) + END
    late = event(96, 0x90, 60, 70) + event(96, 0x80, 60, 0) + END
    score = read_midi(midi(programs, NOTE + END, late))
    assert [track.program for track in score.tracks] == [40, 41]
