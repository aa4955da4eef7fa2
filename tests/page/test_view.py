"""What the player is told of a song."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from accomp.listen.beat_grid import SungNote
from accomp.music.score import Control, Note, Score, Tempo, TimeSignature, Track
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.render import mix, named_tracks, render, render_stems
from page.player import VOICE, Player, Voice, live, view_of
from page.player.view import voice_loudness
from page.sound import write_stems
from tests.page.player_songs import four_bars, waltz
from tests.support.scores import song as lopsided_song

HINDERED = live.fault()


def test_times_follow_meters_and_tempos():
    song = waltz()
    view = view_of(song, title="Waltz")
    assert (
        view["bars"] == [0.0, 1.5, 4.5, 7.5]
        and view["first_bar"] == 1
        and view["length"] == song.seconds(9.0) == 7.5
    )
    assert view["beats"] == [0.5, 1.0, 2.5, 3.5, 6.0]  # of 6/8 the second dotted quarter
    assert (
        view["chords"] == [[0.0, "C"], [1.5, "F"]]
        and view["title"] == "Waltz"
        and view["sound"] == ("coming" if HINDERED else "live")
    )
    assert [track["program"] for track in view["tracks"]] == [0, 33, 0]
    melody, bass, drums = view["tracks"]
    assert [track["name"] for track in view["tracks"]] == ["piano", "bass", "drums"]
    assert melody["notes"] == [[60, 0.0, 0.5, 80], [64, 3.0, 1.5, 100], [67, 4.5, 3.0, 70]]
    assert melody["is_melody"] and not bass["is_melody"] and view["stems"] == {}
    assert bass["colour"] == "#1565c0" and melody["colour"] == "#c2185b"  # those of the picture
    assert drums["is_drum"] and drums["rows"] == [["kick", [36]], ["hi-hat", [42]], ["perc", [54]]]


def test_every_time_is_the_scores():
    song = replace(
        lopsided_song(), tempos=[Tempo(beat / 3, 400_000 + 7_000 * beat) for beat in range(1, 60)]
    )
    for track in view_of(song)["tracks"]:
        source = sorted(
            named_tracks(song)[track["name"]].notes, key=lambda note: (note.onset, note.pitch)
        )
        for (pitch, onset, duration, velocity), note in zip(track["notes"], source):
            assert (pitch, velocity) == (note.pitch, note.velocity)
            assert onset == pytest.approx(song.seconds(note.onset), abs=1e-4)
            assert onset + duration == pytest.approx(song.seconds(note.end), abs=3e-4)


def test_a_pickup_is_bar_nought():
    song = Score(
        [Track("piano", notes=[Note(60, 0.0, 1.0, 80), Note(62, 1.0, 4.0, 80)])],
        meters=[TimeSignature(0.0, 1, 4), TimeSignature(1.0, 4, 4)],
    )
    view = view_of(song)
    assert view["first_bar"] == 0 and view["bars"] == [0.0, 0.5, 2.5]
    late = Score([Track("piano", notes=[Note(60, 3.0, 1.0, 80), Note(62, 4.0, 4.0, 80)])])
    assert view_of(late)["first_bar"] == 0


@pytest.mark.parametrize("song", [Score(), Score([Track("piano")]), waltz(), lopsided_song()])
def test_the_value_is_json(song):
    view = json.loads(json.dumps(view_of(song), allow_nan=False))
    assert (
        len(view["bars"]) >= 2
        and view["bars"] == sorted(view["bars"])
        and len(view["tracks"]) == len(song.tracks)
    )
    assert all(
        math.isfinite(time) for track in view["tracks"] for note in track["notes"] for time in note
    )


def test_the_same_music_has_the_same_id_with_sound_and_without(tmp_path):
    bare, other = view_of(four_bars()), view_of(four_bars(shift=1))
    full = view_of(four_bars(), stems={"bass": tmp_path / "bass.mp3"})
    assert bare["id"] == full["id"] != other["id"]
    assert full["sound"] == "there" and view_of(four_bars(), stems={})["sound"] == "none"
    assert full["stems"].keys() == {"bass"} and full["stems"]["bass"]["path"] == str(
        tmp_path / "bass.mp3"
    )
    assert full["stems"]["bass"]["meta"] == {
        "_type": "gradio.FileData"
    }  # by which Gradio knows what to serve


def test_takes_of_one_melody_share_its_fingerprint():
    def late(song: Score) -> Score:
        tracks = [
            replace(track, notes=[note._replace(onset=note.onset + 4) for note in track.notes])
            for track in song.tracks
        ]
        return replace(song, tracks=tracks)

    first, second, other = view_of(four_bars()), view_of(four_bars(bass=2)), view_of(four_bars(1))
    assert first["melody"] == second["melody"] != other["melody"] and first["id"] != second["id"]
    after_an_intro = view_of(late(four_bars()))
    assert after_an_intro["melody"] == first["melody"]
    assert after_an_intro["start"] == first["start"] + 2.0


def test_controllers_and_gain_are_in_the_value():
    quiet = four_bars()
    for track in quiet.tracks:
        track.controls.append(Control(0.0, 7, 50))
    half = view_of(quiet)["gain"] - view_of(four_bars())["gain"]
    assert half == pytest.approx(12, abs=0.5)  # MIDI's volume falls by 40 dB a decade
    quiet.tracks[2].controls += [Control(4.0, 7, 80), Control(0.0, 10, 30)]
    bass = next(track for track in view_of(quiet)["tracks"] if track["name"] == "bass")
    assert bass["controls"] == [[0.0, 7, 50], [0.0, 10, 30], [2.0, 7, 80]]


def test_only_what_shall_be_heard_at_once_says_so():
    assert view_of(four_bars())["play"] == ""
    plays = [view_of(four_bars(), play=True) for _ in range(2)]
    assert plays[0]["play"] != plays[1]["play"] and plays[0]["id"] == plays[1]["id"]


def test_a_recording_is_a_track_without_a_program(tmp_path):
    sung = [SungNote(60, 0.0, 0.5, 80)]
    silent, heard = (
        view_of(four_bars(), sung=sung, voice=voice)
        for voice in (None, Voice(tmp_path / "voice.flac", -0.5))
    )
    assert silent["stems"] == {} and heard["stems"].keys() == {VOICE}
    assert heard["voice_start"] == -0.5 and heard["id"] == silent["id"]
    assert heard["tracks"][0]["program"] is None and heard["tracks"][1]["muted"]
    # The band is so far behind the recording that both together have the loudness of all songs.
    assert -19 < voice_loudness() < -16 and heard["gain"] < view_of(four_bars())["gain"]


def test_the_choice_is_read_from_the_value():
    def read(choice):
        return Player().preprocess({"id": "x", "choice": choice})

    chosen = {"bars": [2, 3], "locked": ["bass"]}
    assert read(chosen) == {"id": "x", **chosen}
    nothing = {"id": "x", "bars": None, "locked": []}
    assert Player().preprocess(None) == nothing | {"id": None}
    assert read(None) == read({"bars": [3, 2], "locked": "bass"}) == nothing
    assert read({"bars": ["a", 1], "locked": [1]}) == read({"bars": [0, 1]}) == nothing


@pytest.mark.sound
def test_stems_sum_to_the_mix(tmp_path):
    song = four_bars()
    song.tracks += [
        Track("bass", 33),
        Track("strings", 48),
        Track("bass", 34, notes=[Note(45, 2.0, 4.0, 80)]),
    ]
    names = {name for name, track in named_tracks(song).items() if track.notes}
    paths = write_stems(render_stems(song), tmp_path)
    assert names == set(paths) == set(render_stems(song)) and "bass 6" in names
    decoded = {
        name: soundfile.read(path, dtype="float32", always_2d=True)[0]
        for name, path in paths.items()
    }
    whole = render(song)
    assert len({len(stem) for stem in decoded.values()}) == 1
    summed = mix(decoded)
    assert (
        abs(len(summed) - len(whole)) < 0.5 * SAMPLE_RATE
    )  # until what rings on is inaudible, which is judged apart
    level, expected = (np.sqrt(np.mean(sound[: 8 * SAMPLE_RATE] ** 2)) for sound in (summed, whole))
    assert abs(20 * np.log10(level / expected)) < 0.5
