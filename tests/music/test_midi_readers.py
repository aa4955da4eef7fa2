"""Other programs' readers find in a song's MIDI file what was written to it."""

import io
from pathlib import Path

import mido
import pretty_midi
import pytest

from accomp import read_midi, write_midi
from accomp.band.finish import Finish, finished
from accomp.roll.grid import TRACK_NAMES

SONG = Path(__file__).parents[1] / "same_music" / "game.mid"  # 6/8, with an introduction


@pytest.fixture(scope="module")
def song():
    return finished(read_midi(SONG), Finish(2, 96.0, {"piano": 73, "guitar": 27}), "game")


@pytest.fixture(scope="module")
def path(song, tmp_path_factory):
    path = tmp_path_factory.mktemp("midi") / "song.mid"
    write_midi(song, path)
    return path


def test_mido_finds_names_programs_levels_tempo_meter_key_and_chords(song, path):
    found = mido.MidiFile(path)
    conductor, *tracks = found.tracks
    assert [track.name for track in tracks] == list(TRACK_NAMES)
    for ours, theirs in zip(song.tracks, tracks):
        programs = [event.program for event in theirs if event.type == "program_change"]
        assert programs == [ours.program]
        levels = {e.control: e.value for e in theirs if e.type == "control_change" and not e.time}
        assert levels[7] == next(each.value for each in ours.controls if each.number == 7)
        assert {7, 10, 91, 93} <= levels.keys()
        channels = {event.channel for event in theirs if not event.is_meta}
        assert (channels == {9}) == ours.is_drum and len(channels) == 1
    (tempo,) = [event.tempo for event in conductor if event.type == "set_tempo"]
    assert mido.tempo2bpm(tempo) == pytest.approx(96, abs=0.01)
    (meter,) = [event for event in conductor if event.type == "time_signature"]
    assert (meter.numerator, meter.denominator) == (6, 8)
    assert [event.key for event in conductor if event.type == "key_signature"] == ["Bm"]
    markers = [event.text for event in conductor if event.type == "marker"]
    assert markers == [chord.symbol for chord in song.chords]


def test_pretty_midi_finds_the_same_notes(song, path):
    found = pretty_midi.PrettyMIDI(str(path))
    assert [each.name for each in found.instruments] == list(TRACK_NAMES)
    for ours, theirs in zip(song.tracks, found.instruments):
        assert (theirs.program, theirs.is_drum) == (ours.program, ours.is_drum)
        pitches = sorted(note.pitch for note in ours.notes)
        assert sorted(note.pitch for note in theirs.notes) == pitches
        first = min(note.start for note in theirs.notes)
        assert first == pytest.approx(song.seconds(ours.start), abs=0.01)


def test_music21_finds_parts_meter_key_and_tempo(path):
    converter = pytest.importorskip("music21").converter
    found = converter.parse(str(path))
    assert [part.partName for part in found.parts] == list(TRACK_NAMES)
    sounds = found.parts[1].recurse().getElementsByClass("Instrument")
    assert 73 in {sound.midiProgram for sound in sounds}
    flat = found.flatten()
    assert flat.getElementsByClass("TimeSignature").first().ratioString == "6/8"
    key = flat.getElementsByClass("Key").first()
    assert (key.tonic.name, key.mode) == ("B", "minor")
    assert flat.getElementsByClass("MetronomeMark").first().number == pytest.approx(96, abs=0.1)


def test_partitura_finds_the_same_notes(song, path):
    partitura = pytest.importorskip("partitura")
    found = partitura.load_performance_midi(str(path)).note_array()
    assert len(found) == sum(len(track.notes) for track in song.tracks)
    file = io.BytesIO()
    write_midi(song, file)
    assert file.getvalue() == path.read_bytes()
