"""What is brought is understood, and corrected where it was misunderstood."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from accomp import read_midi
from accomp.errors import MusicError
from accomp.listen.accepted import melody_kind
from accomp.listen.source import (
    Corrections,
    check_corrections,
    corrected,
    load_source,
    open_melody,
)
from accomp.listen.transcribe import Click
from accomp.music.timing import mean_tempo
from accomp.sound.rates import LISTEN_RATE
from tests.support.sounds import encoded
from train.data import voices
from train.data.voices import Manner

EXAMPLES = Path(__file__).parents[2] / "examples"
ODE, GRACE = EXAMPLES / "ode_to_joy.mid", EXAMPLES / "amazing_grace.mid"


def test_a_midi_file_is_taken_as_it_is():
    source = load_source(ODE)
    melody = source.melody()
    assert (
        melody.score == read_midi(ODE)
        and melody.transcription is melody.recording is None
        and source.name == "ode_to_joy"
    )
    assert (
        melody.track == 0
        and str(melody)
        == f"{melody.key}, {mean_tempo(melody.score):.0f} beats a minute, 4/4, 16 bars"
    )


def test_what_a_midi_file_says_can_be_corrected():
    source = load_source(GRACE)
    plain = source.melody()
    for corrections, expected in (
        (Corrections(tempo=77), "77 beats a minute, 3/4"),
        (Corrections(meter=(4, 4)), "4/4"),
        (Corrections(key="F# minor"), "F# minor"),
        (Corrections(pace=2.0), f"{2 * mean_tempo(plain.score):.0f} beats a minute"),
        (Corrections(pace=0.5), f"{mean_tempo(plain.score) / 2:.0f} beats a minute"),
    ):
        assert expected in str(source.melody(corrections)) and expected not in str(plain)
    later = source.melody(Corrections(later=1)).score.tracks[0]
    assert later.start % 3 == (plain.score.tracks[0].start - 1) % 3
    assert source.score == read_midi(GRACE)  # corrections are made on copies


@pytest.mark.parametrize(
    "corrections, message",
    [
        (Corrections(downbeat=1.0), "is for recordings"),
        (Corrections(tempo=1000), "10 to 400"),
        (Corrections(pace=3), "the pace is 3"),
        (Corrections(meter=(4, 5)), "such as 4/4"),
        (Corrections(key="H"), "is not a key"),
        (Corrections(track=5), "melody track 5 does not exist"),
        (Corrections(track=-1), "melody track -1 does not exist"),
    ],
)
def test_corrections_out_of_range_are_refused(corrections, message):
    with pytest.raises(MusicError, match=message):
        open_melody(ODE, corrections)


@pytest.mark.parametrize(
    "corrections, message",
    [
        (Corrections(downbeat=1e6), "the downbeat is at"),
        (Corrections(tempo=1000), "20 to 400"),
        (Corrections(pace=3), "the pace is 3"),
        (Corrections(meter=(4, 5)), "such as 4/4"),
        (Corrections(key="H"), "is not a key"),
        (Corrections(track=1), "melody track 1 does not exist"),
    ],
)
def test_corrections_of_a_recording_are_checked_before_it_is_read(corrections, message):
    with pytest.raises(MusicError, match=message):
        check_corrections(corrections)
    check_corrections(Corrections(96, 2.0, (6, 8), 1.5, 1, "A minor", 0))


def test_files_that_hold_no_melody_are_told_by_what_they_are(tmp_path):
    assert melody_kind(ODE) == "MIDI"
    for name, content, message in (
        ("notes.txt", b"C D E", "neither MIDI, nor MusicXML or ABC, nor a rec"),
        ("empty.mid", b"", "it is empty"),
        ("photo.wav", b"\x89PNG\r\n", "a PNG picture"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MusicError, match=rf"{message}.*accepted: MIDI files .*\(wav, mp3"):
            melody_kind(tmp_path / name)
    for path, message in ((tmp_path / "no.mid", "does not exist"), (tmp_path, "is not a file")):
        with pytest.raises(MusicError, match=rf"{message}; accepted: MIDI files .*\(wav, mp3"):
            melody_kind(path)


@pytest.fixture(scope="module", params=["wav", "webm", "m4a"])
def hummed(request, tmp_path_factory):
    """Eight bars hummed at 90, as a file; its bars begin at 0.3 s plus whole bars."""
    notes = read_midi(ODE).tracks[0].notes[:30]
    sung, _, seconds = voices.perform(
        [(n.pitch - 12, n.onset, n.duration) for n in notes],
        np.random.default_rng(2),
        90,
        0.0,
        0.01,
    )
    sound = voices.record(
        voices.voice(sung, Manner((0.1, 0.2)), np.random.default_rng(3), "hum"),
        np.random.default_rng(4),
        30,
    )
    file = tmp_path_factory.mktemp("recordings") / f"hum.{request.param}"
    if request.param == "wav":
        soundfile.write(file, sound, LISTEN_RATE)
    else:
        file.write_bytes(
            encoded(
                np.interp(np.arange(3 * len(sound)) / 3, np.arange(len(sound)), sound),
                request.param,
            )
        )
    return file, notes, float(seconds[0])


def test_a_recording_is_a_melody_too(hummed):
    file, notes, start = hummed
    source = load_source(file)
    melody = source.melody()
    assert [note.pitch for note in melody.score.tracks[0].notes] == [
        note.pitch - 12 for note in notes
    ]
    assert (
        abs(melody.transcription.grid.tempo - 90) < 2
        and f"found {len(notes)} notes" in melody.score.notices[-1]
    )
    assert len(source.recording.stereo()) > 0  # for the mix
    double = source.melody(Corrections(pace=2.0))
    assert (
        abs(double.transcription.grid.tempo - 180) < 4
        and double.score.tracks[0].notes[-1].onset > 1.8 * notes[-1].onset
    )
    moved = source.melody(Corrections(downbeat=start + 60 / 90))
    assert (moved.transcription.grid.position(start + 60 / 90) + 0.1) % 4 < 0.2
    later = source.melody(Corrections(downbeat=start, later=1))
    assert (later.transcription.grid.position(start + 60 / 90) + 0.1) % 4 < 0.2


def test_other_ways_of_counting_can_be_chosen(hummed):
    file, _, start = hummed
    source = load_source(file)
    best, *others = source.countings()
    assert best == source.melody().transcription.grid.counting and others
    for counting in others:
        corrections = corrected(Corrections(later=1, pace=2.0), counting)
        grid = source.melody(corrections).transcription.grid
        assert grid.meter == counting.meter
        assert (grid.position(counting.downbeat) + 0.1) % grid.bar_pulses < 0.2
        assert source.countings(corrections)[0].meter == best.meter  # one can go back
    assert not load_source(ODE).countings() and not load_source(file, Click(90, start)).countings()


def test_a_recording_to_a_click(hummed):
    file, notes, start = hummed
    melody = open_melody(file, click=Click(90, start))
    onsets = [note.onset for note in melody.score.tracks[0].notes]
    assert np.allclose(np.array(onsets) - [note.onset for note in notes], onsets[0])
    assert onsets[0] % 4 == 0 and melody.transcription.grid.tempo == pytest.approx(90)
    half = open_melody(file, Corrections(pace=0.5), Click(90, start))
    assert abs(half.transcription.grid.tempo - 45) < 1
