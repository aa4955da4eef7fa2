"""Lead sheets as files: read again by music21 and partitura, and as pictures."""

import io
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from accomp import read_midi
from accomp.errors import MusicError
from accomp.music.chord_kinds import KINDS
from accomp.music.chord_qualities import QUALITIES
from accomp.music.chord_symbols import parse_symbol
from accomp.music.melody_track import melody_index, skyline
from accomp.music.notation import read_notation
from accomp.music.score import Chord, KeySignature, Note, Score, Tempo, TimeSignature, Track
from accomp.sheet import picture
from accomp.sheet.endings import check_ending
from accomp.sheet.files import lead_sheet_bytes, write_lead_sheet

ROOT = Path(__file__).parents[2]
SONGS = ["examples/greensleeves", "examples/amazing_grace", "tests/same_music/game"]
MELODY = [(67, 3, 4), (72, 4, 5.5), (74, 5.5, 6), (76, 6, 9), (77, 9, 9.5), (79, 9.5, 12)]


def melody(meter=(4, 4), notes=MELODY, **known):
    track = Track("melody", 73, notes=[Note(p, a, b - a, 80) for p, a, b in notes])
    return Score([track], meters=[TimeSignature(0.0, *meter)], **known)


def again(song):
    return read_notation(lead_sheet_bytes(song, ".musicxml"))


@pytest.mark.parametrize("name", SONGS)
def test_music21_reads_the_same_song(name):
    song = read_midi(ROOT / f"{name}.mid")
    line, found = skyline(song.tracks[melody_index(song)].notes), again(song)
    notes = found.tracks[0].notes
    late = line[0].onset - notes[0].onset  # empty bars before the music are left out
    assert [(n.pitch, n.onset) for n in notes] == [(n.pitch, n.onset - late) for n in line]
    assert all(abs(a.duration - b.duration) <= 0.31 for a, b in zip(notes, line))  # touch
    assert found.meters == song.meters and found.key_signatures == song.key_signatures
    assert found.tempos[0].bpm == pytest.approx(song.tempos[0].bpm, abs=0.05)
    assert [chord.symbol for chord in found.chords] == [chord.symbol for chord in song.chords]


def test_pickups_ties_changes_and_sounds_come_back():
    song = melody(
        tempos=[Tempo(0.0, 631_579), Tempo(8.0, 500_000)],
        key_signatures=[KeySignature(0.0, -4, True)],
        chords=[Chord(4.0, "Bbm7/Ab"), Chord(6.0, "Eb7b9"), Chord(10.0, "Edim7")],
    )
    found = again(song)
    assert found.tracks[0].notes == song.tracks[0].notes
    assert found.tracks[0].program == 73
    assert found.key_signatures == song.key_signatures and found.meters == song.meters
    assert [chord.onset for chord in found.chords] == [4.0, 6.0, 10.0]
    assert [chord.symbol for chord in found.chords] == ["Bbm7/Ab", "Eb7b9", "Edim7"]
    assert [round(tempo.bpm, 1) for tempo in found.tempos] == [95.0, 120.0]


def test_every_quality_of_chords_comes_back():
    assert set(KINDS) == set(QUALITIES) and len(set(KINDS.values())) == len(KINDS)
    names = [f"{root}{quality}" for quality in QUALITIES for root in ("C", "F#")]
    notes = [(60, 4 * place, 4 * place + 4) for place in range(len(names))]
    chords = [Chord(4.0 * place, name) for place, name in enumerate(names)]
    found = again(melody(notes=notes, chords=chords)).chords
    assert [chord.onset for chord in found] == [chord.onset for chord in chords]
    symbols = [parse_symbol(chord.symbol) for chord in found]
    assert symbols == [parse_symbol(name) for name in names]


@pytest.mark.parametrize("meter", [(3, 4), (6, 8), (2, 2), (5, 4), (7, 8)])
def test_meters_come_back(meter):
    song = melody(meter, [(60, place / 2, place / 2 + 0.5) for place in range(24)])
    found = again(song)
    assert found.meters == song.meters and found.tracks[0].notes == song.tracks[0].notes


def test_partitura_reads_the_same_notes_and_chords(tmp_path):
    partitura = pytest.importorskip("partitura")
    song = melody(chords=[Chord(4.0, "C/E"), Chord(8.0, "Dm7")])
    path = tmp_path / "sheet.musicxml"
    write_lead_sheet(song, path)
    part = partitura.load_musicxml(str(path))[0]
    found = part.note_array()
    beats = found["onset_quarter"] - found["onset_quarter"][0] + 3
    assert [*zip(found["pitch"].tolist(), beats, beats + found["duration_quarter"])] == MELODY
    symbols = [each.text for each in part.iter_all(partitura.score.ChordSymbol)]
    assert len(symbols) == 2
    assert (part.time_signature_map(0)[:2] == (4, 4)).all()


def test_the_same_song_gives_the_same_bytes_and_mxl_holds_them():
    song = melody(chords=[Chord(4.0, "C")])
    text = lead_sheet_bytes(song, ".musicxml", "A & B <c> \x07ü")
    assert text == lead_sheet_bytes(song, ".musicxml", "A & B <c> \x07ü")
    assert ElementTree.fromstring(text).findtext("work/work-title") == "A & B <c>  ü"
    packed = lead_sheet_bytes(song, ".mxl", "A & B <c> \x07ü")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.read("sheet.musicxml") == text
    assert read_notation(packed).tracks[0].notes == song.tracks[0].notes


def test_sharps_and_flats_follow_the_key():
    notes = [(61, 0, 1), (66, 1, 2), (66, 2, 3), (65, 3, 4), (66, 4, 8)]
    for fifths, names in ((2, "C# F# F# F F#"), (-5, "D- G- G- F G-")):
        song = melody(notes=notes, key_signatures=[KeySignature(0.0, fifths, False)])
        root = ElementTree.fromstring(lead_sheet_bytes(song, ".musicxml"))
        signs = {"1": "#", "-1": "-", None: ""}
        found = [p.findtext("step") + signs[p.findtext("alter")] for p in root.iter("pitch")]
        assert " ".join(found) == names
    accidentals = [each.findtext("accidental") for each in root.iter("note")]
    assert accidentals == [None] * 5  # all of them are in the signature


def test_beams_join_a_beat_and_triplets_are_bracketed():
    third = 1 / 3
    times = [0, 0.5, 1, 1.25, 1.75, 2, 2 + third, 2 + 2 * third, 3, 4]
    song = melody(notes=[(60, a, b) for a, b in zip(times, times[1:])])
    root = ElementTree.fromstring(lead_sheet_bytes(song, ".musicxml"))
    beams = [[beam.text for beam in note.iter("beam")] for note in root.iter("note")]
    assert beams == [
        *(["begin"], ["end"]),
        *(["begin", "forward hook"], ["continue"], ["end", "backward hook"]),
        *(["begin"], ["continue"], ["end"]),
        [],
    ]
    assert [each.get("type") for each in root.iter("tuplet")] == ["start", "stop"]


def test_pictures(tmp_path):
    pytest.importorskip("verovio")
    song = read_midi(ROOT / "tests" / "same_music" / "jazz.mid")
    for ending, magic in ((".svg", b"<svg"), (".png", b"\x89PNG"), (".pdf", b"%PDF")):
        path = tmp_path / f"sheet{ending}"
        write_lead_sheet(song, path, 'A "title" #pagebreak()')
        data = path.read_bytes()
        assert magic in data[:200] and len(data) > 5000
        assert data == lead_sheet_bytes(song, ending, 'A "title" #pagebreak()')


def test_chord_symbols_of_pictures_are_plain_text():
    pytest.importorskip("verovio")
    song = melody(chords=[Chord(4.0, "Bb7b9/F#"), Chord(8.0, "F#m7b5")])
    root = ElementTree.fromstring(lead_sheet_bytes(song, ".svg"))
    harms = [each for each in root.iter() if each.get("class") == "harm"]
    texts = ["".join("".join(each.itertext()).split()) for each in harms]
    assert texts == ["B♭7♭9/G♭", "F♯m7♭5"]


def test_a_long_song_has_pages_in_a_pdf(monkeypatch):
    pytest.importorskip("verovio")
    song = melody(notes=[(60, bar * 4, bar * 4 + 4) for bar in range(120)])
    assert lead_sheet_bytes(song, ".pdf").count(b"/Type /Page\n") != 1
    assert lead_sheet_bytes(song, ".svg").count(b"<svg") > 2
    monkeypatch.setattr(picture, "MOST_PAGES", 1)
    with pytest.raises(MusicError, match="accepted: up to 1 in one picture"):
        lead_sheet_bytes(song, ".png")


def test_other_endings_are_refused(tmp_path):
    for name in ("sheet", "sheet.doc", "sheet.mid"):
        with pytest.raises(MusicError, match="accepted: .musicxml"):
            check_ending(tmp_path / name)
    assert check_ending("A.PDF") == ".pdf"


@pytest.mark.sound
@pytest.mark.skipif(not shutil.which("mscore3"), reason="MuseScore 3 is not installed")
def test_musescore_opens_it(tmp_path):
    song = melody((6, 8), chords=[Chord(4.0, "C/E")])
    write_lead_sheet(song, tmp_path / "in.musicxml", "Title")
    command = ["mscore3", "-o", "out.mid", "in.musicxml"]
    environment = {"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    played = read_midi(tmp_path / "out.mid").tracks[0].notes
    assert [note.pitch for note in played] == [pitch for pitch, _, _ in MELODY]
