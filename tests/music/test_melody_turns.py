import pytest

from accomp import Accompanist
from accomp.listen.source import open_melody
from accomp.music.melody_turns import with_whole_melody
from accomp.music.midi import write_midi
from accomp.music.score import Note, Score, Track


def turn(name: str, start: float, pitches=(60, 62, 64, 65, 67, 65, 64, 62) * 2) -> Track:
    notes = [Note(pitch, start + place, 1.0, 80) for place, pitch in enumerate(pitches)]
    return Track(name, notes=notes)


@pytest.mark.parametrize(
    "names",
    [("Vocal verse", "Vocal chorus"), ("Vocals 1", "Vocals 2"), ("Flute verse", "Flute bridge")],
)
def test_tracks_that_take_turns_are_one_melody(names):
    score = Score([turn(names[0], 0.0), turn("Bass", 0.0, (36,) * 32), turn(names[1], 16.0)])
    whole = with_whole_melody(score)
    assert [len(track.notes) for track in whole.tracks] == [32, 32, 0]
    assert whole.tracks[0].notes == score.tracks[0].notes + score.tracks[2].notes
    assert names[0] in whole.notices[0] and names[1] in whole.notices[0]
    assert with_whole_melody(whole) is whole
    assert score.tracks[2].notes  # nothing is changed in place


@pytest.mark.parametrize(
    "other", [turn("Vocal chorus", 0.0), turn("Flute", 16.0), turn("Backing vocals", 16.0)]
)
def test_others_stay_apart(other):
    score = Score([turn("Vocal verse", 0.0), other])
    assert with_whole_melody(score) is score


@pytest.mark.usefixtures("loaded_once")
def test_the_band_plays_to_the_end_of_the_last_turn(tmp_path):
    score = Score([turn("Vocal verse", 0.0), turn("Vocal chorus", 16.0)])
    song = Accompanist.from_pretrained("pop").accompany(score)
    assert song.end == 32 and any("take turns" in notice for notice in song.notices)
    write_midi(score, tmp_path / "song.mid")
    melody = open_melody(tmp_path / "song.mid")
    assert len(melody.score.tracks[melody.track].notes) == 32
