import io
import zipfile

import pytest

from accomp.errors import MusicError
from accomp.listen.source import open_melody
from accomp.music.limits import ScoreLimits
from accomp.music.notation import NotationLimits, read_notation
from accomp.music.score import Chord, KeySignature, Note, Tempo, TimeSignature

ABC = """X:1
T:A jig with a pickup
M:6/8
L:1/8
Q:3/8=80
K:Em
B|"Em"E2E "D/F#"F2A|"B7"B3- B2z|]
"""


def step(text: str) -> str:
    letter, octave = text[0], text[-1]
    alter = f"<alter>{'#' in text and 1 or -1}</alter>" if len(text) > 2 else ""
    return f"<pitch><step>{letter}</step>{alter}<octave>{octave}</octave></pitch>"


def note(pitch: str, duration: int, tie: str = "", more: str = "") -> str:
    ties = "".join(f'<tie type="{each}"/>' for each in tie.split())
    return f"<note>{more}{step(pitch)}<duration>{duration}</duration>{ties}</note>"


def harmony(root: str, kind: str, bass: str = "", alter: int = 0) -> str:
    bass = f"<bass><bass-step>{bass}</bass-step></bass>" if bass else ""
    altered = f"<root-alter>{alter}</root-alter>" if alter else ""
    return (
        f"<harmony><root><root-step>{root}</root-step>{altered}</root>"
        f"<kind>{kind}</kind>{bass}</harmony>"
    )


def measure(number: int, content: str, attributes: str = "", more: str = "") -> str:
    if attributes:
        attributes = f"<attributes><divisions>2</divisions>{attributes}</attributes>"
    return f'<measure number="{number}" {more}>{attributes}{content}</measure>'


FOUR = (
    "<key><fifths>-1</fifths><mode>major</mode></key>"
    "<time><beats>4</beats><beat-type>4</beat-type></time>"
)


def sheet(*measures: str, head: str = "", kind: str = "partwise") -> bytes:
    body = "".join(measures)
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>\n{head}<score-{kind} version='4.0'><part-list>"
        "<score-part id='P1'><part-name>Voice</part-name></score-part></part-list>"
        f"<part id='P1'>{body}</part></score-{kind}>"
    ).encode()


SHEET = sheet(
    measure(0, note("C5", 2), FOUR, 'implicit="yes"'),
    measure(1, harmony("F", "major") + note("F5", 4) + harmony("B", "dominant", "D", -1)
            + note("Bb4", 4, "start")),
    measure(2, note("Bb4", 2, "stop") + note("A4", 2, more="<chord/>") + note("A4", 4)),
)  # fmt: skip


def test_abc_with_pickup_tie_key_tempo_and_chords():
    score = read_notation(ABC.encode())
    (track,) = score.tracks
    assert track.notes[:3] == [
        Note(71, 2.5, 0.5, 80), Note(64, 3.0, 1.0, 80), Note(64, 4.0, 0.5, 80),
    ]  # fmt: skip
    assert track.notes[-1] == Note(71, 6.0, 2.5, 80)
    assert score.meters == [TimeSignature(0.0, 6, 8)]
    assert score.tempos == [Tempo(0.0, 500_000)]  # 80 dotted quarters a minute
    assert score.key_signatures == [KeySignature(0.0, 1, True)]
    assert score.chords == [Chord(3.0, "Em"), Chord(4.5, "D/F#"), Chord(6.0, "B7")]
    assert not score.notices


def test_musicxml_with_pickup_tie_key_and_chords():
    score = read_notation(SHEET)
    (track,) = score.tracks
    assert track.name == "Voice"
    assert track.notes == [
        Note(72, 3.0, 1.0, 80), Note(77, 4.0, 2.0, 80), Note(70, 6.0, 3.0, 80),
        Note(69, 8.0, 1.0, 80), Note(69, 9.0, 2.0, 80),
    ]  # fmt: skip
    assert score.key_signatures == [KeySignature(0.0, -1, False)]
    assert score.chords == [Chord(4.0, "F"), Chord(6.0, "Bb7/D")]
    assert score.meters == [TimeSignature(0.0, 4, 4)]


def zipped(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return file.getvalue()


def test_compressed_encoded_and_sorted_otherwise(tmp_path):
    expected = read_notation(SHEET)
    assert (
        read_notation(zipped(**{"META-INF__container_xml": b"<x/>"}, lead_musicxml=SHEET))
        == expected
    )
    assert read_notation(SHEET.decode().replace("UTF-8", "UTF-16").encode("utf-16")) == expected
    whole = SHEET.decode()
    parts = whole[whole.index("<measure") : whole.index("</part></score")]
    bars = [f"<measure{bar}" for bar in parts.split("<measure")[1:]]
    turned = "".join(
        bar.replace(">", "><part id='P1'>", 1).replace("</measure>", "</part></measure>")
        for bar in bars
    )
    timewise = whole.replace("partwise", "timewise").replace(
        f"<part id='P1'>{parts}</part>", turned
    )
    assert read_notation(timewise.encode()) == expected
    (tmp_path / "sheet.xml").write_bytes(SHEET)
    assert read_notation(tmp_path / "sheet.xml") == expected


def test_repeats_are_played():
    repeated = ABC.replace("|]", ":|")
    score = read_notation(repeated.encode())
    assert len(score.tracks[0].notes) == 12 and score.notices == ["repeats are played"]
    assert [chord.symbol for chord in score.chords] == ["Em", "D/F#", "B7"] * 2


def test_a_bar_of_another_length_is_a_bar_of_its_own():
    bars = [measure(1, note("C5", 8), FOUR), measure(2, note("D5", 6)), measure(3, note("E5", 8))]
    meters = read_notation(sheet(*bars, measure(4, note("F5", 8)))).meters
    assert meters == [
        TimeSignature(0.0, 4, 4), TimeSignature(4.0, 3, 4), TimeSignature(7.0, 4, 4),
    ]  # fmt: skip


def test_transposing_instruments_sound():
    clarinet = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
    (track,) = read_notation(sheet(measure(1, note("C5", 8), FOUR + clarinet))).tracks
    assert track.notes[0].pitch == 70


@pytest.mark.parametrize(
    "key, signature",
    [("D dor", (-1, True)), ("Gmix", (1, False)), ("Bb", (-2, False)), ("F#m", (3, True))],
)
def test_keys_and_church_modes(key, signature):
    found = read_notation(ABC.replace("K:Em", f"K:{key}").encode()).key_signatures
    assert found == [KeySignature(0.0, *signature)]


def test_of_several_tunes_the_first_is_read():
    score = read_notation((ABC + "\n" + ABC.replace("X:1", "X:2")).encode())
    assert len(score.tracks[0].notes) == 6
    assert "2 tunes" in score.notices[0]


def test_open_melody_reads_sheets(tmp_path):
    (tmp_path / "Jig.abc").write_text(ABC)
    melody = open_melody(tmp_path / "Jig.abc")
    assert melody.gives_chords and str(melody).startswith("E minor, 120 beats")
    (tmp_path / "Bare.abc").write_text(ABC.replace('"', "").replace("Em", "", 1))
    assert not open_melody(tmp_path / "Bare.abc").gives_chords


BOMB = b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>"
REFUSED = {
    "a text": (b"Dear diary", "neither MusicXML nor ABC"),
    "no notes": (sheet(measure(1, "", FOUR)), "no notes"),
    "broken": (SHEET[:-30], "cannot be read"),
    "entities": (SHEET.replace(b"<score-partwise", BOMB + b"<score-partwise", 1), "entities"),
    "broken archive": (zipped(a_xml=SHEET)[:-90], "damaged|cannot be read"),
    "no sheet inside": (zipped(a_musicxml__x_txt=b""), "no MusicXML in the archive"),
    "broken abc": (b"X:1\nK:C\nM:4/4\n|||((((5:x:[[[\n", "cannot be read|no notes"),
}


@pytest.mark.parametrize("data, words", REFUSED.values(), ids=REFUSED)
def test_refused(data, words):
    with pytest.raises(MusicError, match=words):
        read_notation(data)


def test_limits():
    big = zipped(a_xml=SHEET.replace(b"</part>", b" " * 4_000_000 + b"</part>"))
    assert len(big) < 50_000
    with pytest.raises(MusicError, match="larger than 3 MB"):
        read_notation(big)
    with pytest.raises(MusicError, match="larger than 3 MB"):
        read_notation(ABC.encode() + b" " * 3_000_000)
    with pytest.raises(MusicError, match="more than 5 notes"):
        read_notation(ABC.encode(), NotationLimits(ScoreLimits(notes=5)))


@pytest.mark.parametrize(
    "data",
    [
        ABC.replace("6/8", "999999999/1").encode(),
        ABC.replace("|]", "[M:4/123456] E2|]").encode(),
        SHEET.replace(b"<beats>4</beats>", b"<beats>999999999</beats>"),
    ],
)
def test_meters_that_music21_would_count_up_to_are_refused(data):
    with pytest.raises(MusicError, match="there is a meter of .*; accepted: numbers below 1,000"):
        read_notation(data)


def test_what_takes_too_long_is_given_up():
    endless = ABC + "|:E2E F2A:|" * 5000
    with pytest.raises(MusicError, match=r"takes more than 0.2 seconds; accepted: simpler files"):
        read_notation(endless.encode(), NotationLimits(seconds=0.2))
    assert read_notation(ABC.encode(), NotationLimits(seconds=20)).tracks  # nothing comes late


def test_notes_of_no_length_are_left_out():
    backwards = SHEET.replace(b"<duration>2<", b"<duration>-2<")
    assert backwards != SHEET
    score = read_notation(backwards)
    assert all(note.duration > 0 for track in score.tracks for note in track.notes)
