import io
import subprocess
from dataclasses import replace

import numpy as np
import pretty_midi
import pytest
import soundfile

from accomp.band import balance, note_levels
from accomp.band.balance import CHORUS, PAN, REVERB, VOLUME, balanced
from accomp.errors import MusicError
from accomp.music.midi import write_midi
from accomp.music.score import Control, Note, Score, Tempo, Track
from accomp.roll.grid import TRACK_NAMES
from accomp.sound.meter import loudness, weighted_power
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.render import render_stems
from accomp.sound.soundfont import find_soundfont


def song(bars: int = 8, busy: bool = False, controls=(), velocity: int = 80, tempos=None) -> Score:
    """A melody with everybody; the guitar strums once a bar, or if busy every eighth."""
    melody = [Note(60 + (0, 4, 7, 5)[i % 4], 1.0 * i, 0.9, velocity) for i in range(4 * bars)]
    bass = [Note(36 + i % 3, 2.0 * i, 1.5, 90) for i in range(2 * bars)]
    drums = [Note((36, 42, 38, 42)[i % 4], 0.5 * i, 0.25, 100) for i in range(8 * bars)]
    step = 0.5 if busy else 4.0
    guitar = [
        Note(p, step * i, step * 0.9, 85)
        for i in range(round(4 * bars / step))
        for p in (48, 55, 60, 64)
    ]
    strings = [Note(p, 8.0 * i, 8.0, 70) for i in range(bars // 2) for p in (60, 64, 67)]
    tracks = [
        Track("drums", 0, True, drums),
        Track("piano", 0, False, melody, list(controls)),
        Track("guitar", 25, False, guitar),
        Track("bass", 33, False, bass),
        Track("strings", 48, False, strings),
    ]
    return Score(tracks, tempos or [Tempo(0.0, 500_000)])


def value(score: Score, name: str, number: int) -> int:
    found = [
        c
        for track in score.tracks
        if track.name == name
        for c in track.controls
        if c.number == number
    ]
    assert len(found) == 1 and found[0].onset == 0
    return found[0].value


@pytest.mark.parametrize("genre", [*balance.ROOMS, "klezmer", ""])
def test_every_track_gets_its_place_and_the_notes_stay(genre):
    before = song()
    after = balanced(before, genre)
    assert [track.notes for track in after.tracks] == [track.notes for track in before.tracks]
    assert not any(
        track.controls for track in before.tracks
    )  # the score that was given is left alone
    for name in TRACK_NAMES:
        assert 1 <= value(after, name, VOLUME) <= 127 and 0 <= value(after, name, REVERB) <= 127
    assert value(after, "guitar", PAN) < 64 < value(after, "strings", PAN)
    assert (
        value(after, "piano", PAN) == value(after, "bass", PAN) == value(after, "drums", PAN) == 64
    )
    assert value(after, "bass", REVERB) < value(after, "strings", REVERB)
    assert value(after, "strings", CHORUS) > 0 == value(after, "piano", CHORUS)
    assert balanced(after, genre).tracks == after.tracks


def test_rooms_differ():
    assert value(balanced(song(), "gospel"), "strings", REVERB) > value(
        balanced(song(), "funk"), "strings", REVERB
    )


def test_a_denser_or_louder_track_gets_a_lower_volume():
    sparse, dense = (
        value(balanced(song(busy=busy), "pop"), "guitar", VOLUME) for busy in (False, True)
    )
    assert dense < sparse - 5
    louder = song()
    louder.tracks[3] = replace(
        louder.tracks[3], notes=[note._replace(velocity=127) for note in louder.tracks[3].notes]
    )
    assert value(balanced(louder, "pop"), "bass", VOLUME) < 0.8 * value(
        balanced(song(), "pop"), "bass", VOLUME
    )


def test_the_band_follows_the_melody():
    loud, soft = (
        value(balanced(song(velocity=velocity), "pop"), "bass", VOLUME) for velocity in (100, 50)
    )
    assert loud / soft == pytest.approx(2, rel=0.1)  # volume and velocity are heard alike


def test_the_users_own_controllers_stay_and_count():
    own = [
        Control(0.0, VOLUME, 50),
        Control(8.0, VOLUME, 50),
        Control(0.0, PAN, 20),
        Control(0.0, 64, 127),
        Control(4.0, 64, 0),
    ]
    after = balanced(song(controls=own), "pop")
    melody = after.tracks[1].controls
    assert [control for control in melody if control in own] == own
    assert sorted(control.number for control in melody if control not in own) == [REVERB, CHORUS]
    usual = balanced(song(controls=own[3:]), "pop")
    assert value(after, "bass", VOLUME) == pytest.approx(value(usual, "bass", VOLUME) / 2, abs=2)
    hushed = balanced(song(controls=[Control(0.0, 11, 64)]), "pop")  # expression
    assert value(hushed, "bass", VOLUME) == pytest.approx(
        value(balanced(song(), "pop"), "bass", VOLUME) / 2, abs=2
    )
    assert value(balanced(song(controls=[Control(0.0, VOLUME, 0)]), "pop"), "bass", VOLUME) >= 1


def test_a_pedal_makes_the_melody_louder():
    staccato = song()
    staccato.tracks[1].notes = [note._replace(duration=0.1) for note in staccato.tracks[1].notes]
    held = replace(staccato, tracks=list(staccato.tracks))
    held.tracks[1] = replace(held.tracks[1], controls=[Control(0.0, 64, 127)])
    assert value(balanced(held, "pop"), "bass", VOLUME) > value(
        balanced(staccato, "pop"), "bass", VOLUME
    )


def test_time_is_counted_in_seconds():
    slow = song(tempos=[Tempo(0.0, 500_000), Tempo(4.0, 1_500_000)])
    clock = note_levels.Loudness(slow)
    for beat in (0.0, 2.0, 4.0, 7.5):
        assert clock.seconds(np.array([beat]))[0] == pytest.approx(slow.seconds(beat))


def test_odd_scores():
    alone = replace(song(), tracks=song().tracks[1:2])
    assert value(balanced(alone, "pop"), "piano", VOLUME) == 100
    tacet = song()
    tacet.tracks[4] = replace(tacet.tracks[4], notes=[])
    assert value(balanced(tacet, "pop"), "strings", VOLUME) == 100
    with pytest.raises(MusicError, match="no track named 'piano'"):
        balanced(replace(song(), tracks=song().tracks[2:]), "pop")


def test_a_midi_file_carries_the_balance():
    after = balanced(song(), "jazz")
    file = io.BytesIO()
    write_midi(after, file)
    file.seek(0)
    for track in pretty_midi.PrettyMIDI(file).instruments:
        found = {
            change.number: change.value for change in track.control_changes if change.time == 0
        }
        assert found == {number: value(after, track.name, number) for number in balance.SET}


@pytest.mark.sound
@pytest.mark.parametrize("genre, busy, velocity", [("rock", True, 60), ("gospel", False, 100)])
def test_the_melody_is_heard_above_the_band(genre, busy, velocity):
    stems = render_stems(balanced(song(busy=busy, velocity=velocity), genre))
    powers = {name: weighted_power(stem, SAMPLE_RATE) for name, stem in stems.items()}
    melody = powers.pop("piano")
    ahead = balance.over(melody, sum(powers.values()))
    assert 1 < np.median(ahead) < 8 and (ahead > 0).mean() > 0.85
    for (
        name,
        power,
    ) in (
        powers.items()
    ):  # about where it was meant to be, though lower where the whole band was too loud
        assert -5 < balance.level(power) - balance.level(melody) - balance.SETTINGS.roles[name] < 3


@pytest.mark.sound
@pytest.mark.parametrize("genre, busy, velocity", [("rock", True, 60), ("gospel", False, 100)])
def test_the_loudness_of_a_mix_is_foretold(genre, busy, velocity, tmp_path):
    whole = balanced(song(busy=busy, velocity=velocity), genre)
    write_midi(whole, tmp_path / "song.mid")
    command = ["fluidsynth", "-ni", "-q", "-F", tmp_path / "song.wav", "-r", str(SAMPLE_RATE)]
    font = [find_soundfont(), tmp_path / "song.mid"]
    subprocess.run([*command, *font], check=True, capture_output=True)
    sound = soundfile.read(tmp_path / "song.wav", dtype="float32")[0]
    assert note_levels.mix_loudness(whole) == pytest.approx(loudness(sound, SAMPLE_RATE), abs=1.5)


def test_without_notes_there_is_no_loudness():
    assert note_levels.mix_loudness(Score([Track("piano")])) == -np.inf


@pytest.mark.sound
def test_pans_are_heard():
    stems = render_stems(balanced(song(), "rock"))
    left, right = np.square(stems["bass"]).sum(0)
    assert left == pytest.approx(right, rel=0.6)
    assert np.square(stems["guitar"])[:, 0].sum() > 1.5 * np.square(stems["guitar"])[:, 1].sum()


def test_notes_that_swell_from_nothing_are_as_loud_as_they_get():
    plain = balanced(song(), "pop")
    swells = [
        Control(note.onset + after, 11, level)
        for note in song().tracks[1].notes
        for after, level in ((0, 0), (0.1, 127))
    ]
    swelling = balanced(song(controls=swells), "pop")
    for name in ("drums", "guitar", "bass", "strings"):
        assert value(swelling, name, VOLUME) == value(plain, name, VOLUME)


def test_a_melody_that_its_file_mutes_is_heard():
    muted = balanced(song(controls=[Control(0.0, VOLUME, 0)]), "pop")
    assert (
        value(muted, "piano", VOLUME) == balance.USUAL_VOLUME
        and "next to nothing" in muted.notices[-1]
    )
    assert value(muted, "bass", VOLUME) == value(balanced(song(), "pop"), "bass", VOLUME)


def test_a_volume_that_comes_later_has_a_usual_one_before_it():
    score = balanced(song(controls=[Control(16.0, VOLUME, 90)]), "pop")
    found = [(c.onset, c.value) for c in score.tracks[1].controls if c.number == VOLUME]
    assert found == [(0.0, balance.USUAL_VOLUME), (16.0, 90)]
