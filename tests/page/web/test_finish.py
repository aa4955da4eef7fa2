"""Tempo, key and sounds of a take: what one hears is what one downloads, without a new band."""

import json

import pytest

from accomp.music.timing import mean_tempo
from accomp.roll.grid import MELODY, TRACK_NAMES
from tests.page.web.visitor import Visitor, by_name


def set_tempo(visitor: Visitor, tempo: int) -> None:
    """By the keyboard: the slider is focused, and a step is a beat a minute."""
    slider = visitor.page.get_by_label("Tempo", exact=True)
    slider.focus()
    now = int(slider.input_value())
    for _ in range(abs(tempo - now)):
        visitor.page.keyboard.press("ArrowRight" if tempo > now else "ArrowLeft")
    assert slider.input_value() == str(tempo)


def waits_for_detail(visitor: Visitor, words: str) -> None:
    visitor.page.locator("#takes .detail").get_by_text(words).first.wait_for()


def test_tempo_and_key_are_the_takes_and_its_files(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune", "150 beats a minute")
        visitor.accompany(genre="folk", seed=2)
        visitor.press("Loop")  # it is short, and a busy machine slow
        first = visitor.notes("little tune_folk_2")
        visitor.wait("p.position > 0.5 && p.sound.level > 0.001")
        keys = visitor.page.get_by_label("Key, in semitones")
        assert "0 · C major" in keys.inner_text()
        keys.select_option("-3")
        assert visitor.ask("p.steps === -3 && p.state === 'playing'")  # at once
        waits_for_detail(visitor, "−3 semitones")
        set_tempo(visitor, 140)
        waits_for_detail(visitor, "140 beats a minute")
        assert visitor.ask("p.state === 'playing' && Math.abs(p.tempo - 140 / 150) < 0.001")
        lower = visitor.notes("little tune_folk_2_down3_140bpm")
        assert mean_tempo(lower) == pytest.approx(140, abs=0.1)
        for before, after, name in zip(first.tracks, lower.tracks, TRACK_NAMES):
            moved = 0 if name == "drums" else -3
            assert [note.onset for note in after.notes] == [note.onset for note in before.notes]
            steps = [b.pitch - a.pitch for a, b in zip(before.notes, after.notes)]
            assert all((step - moved) % 12 == 0 for step in steps), name
            if name == TRACK_NAMES[MELODY]:
                assert set(steps) == {moved}
            # The roll shows the notes as they were made; what sounds has the file's pitches.
            shown = visitor.ask(f"p.song.tracks.find(t => t.name === '{name}')")
            octaves = shown["octaves"] or [0] * len(after.notes)
            heard = sorted(
                note[0] + 12 * octave + moved for note, octave in zip(shown["notes"], octaves)
            )
            assert heard == sorted(note.pitch for note in after.notes), name
        assert len(visitor.takes()) == 1  # no new band
        visitor.makes("Another take")
        assert visitor.ask("p.steps === -3 && p.pace.tempo === 140")  # goes on for a singer
        # One step back is the take before, others what it was given out in.
        visitor.press("Undo")
        visitor.wait("p.song.title === 'Little tune · Folk'")
        visitor.settles()
        visitor.press("Undo")
        visitor.wait("p.pace.tempo === null && p.steps === -3")
        visitor.settles()  # what the server keeps of the page comes after what is shown
        visitor.press("Undo")
        visitor.wait("p.steps === 0")
        visitor.press("Redo")
        visitor.wait("p.steps === -3")


def test_a_link_opens_in_its_tempo_key_and_sound(visit):
    finish = {"tempo": 100, "transpose": 2, "programs": {"piano": 73}}
    query = f"?melody=ode_to_joy&genre=pop&finish={json.dumps(finish)}"
    with visit(query) as visitor:
        visitor.waits_for_takes(1)
        visitor.wait("p.steps === 2 && p.pace.tempo === 100")
        assert visitor.ask("p.song.tracks[0].program") == 73
        song = visitor.notes("ode_to_joy_pop_0_up2_100bpm")
        assert song.tracks[MELODY].program == 73 and mean_tempo(song) == pytest.approx(100, abs=0.1)


def test_every_part_can_have_another_sound(visit):
    with visit() as visitor:
        visitor.accompany()
        visitor.press("Loop")
        plain = visitor.notes("ode_to_joy_pop_0")
        visitor.wait("p.position > 0.5 && p.sound.level > 0.001")
        visitor.page.get_by_label("Sound of melody").select_option("Flute")
        waits_for_detail(visitor, "Flute")
        visitor.wait("p.song.tracks[0].program === 73 && p.sound.isLoaded")
        assert visitor.ask("p.state") == "playing" and visitor.ask("p.position") > 0.5
        visitor.page.get_by_label("Sound of bass").select_option("Synth bass")
        waits_for_detail(visitor, "Synth bass")
        song = visitor.notes("ode_to_joy_pop_0")
        programs = dict(zip(TRACK_NAMES, (track.program for track in song.tracks)))
        assert (programs["piano"], programs["bass"]) == (73, 38)
        assert by_name(song)["guitar"] == by_name(plain)["guitar"]
        visitor.wait("p.live.isLoaded && p.sound.level > 0.001")
        # Another genre's players bring their own sounds; the lead keeps the one that was chosen.
        visitor.accompany(genre="jazz")
        assert visitor.ask("p.song.tracks[0].program") == 73
        assert visitor.ask("p.song.tracks.find(t => t.name === 'bass').program") == 32


def test_two_changes_in_a_row_are_both_heard_and_undone(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(genre="pop", seed=2)
        visitor.page.get_by_label("Sound of melody").select_option("Flute")
        visitor.page.get_by_label("Key, in semitones").select_option("-3")  # at once
        waits_for_detail(visitor, "−3 semitones, Flute")
        visitor.wait("p.steps === -3 && p.song.tracks[0].program === 73")
        song = visitor.notes("little tune_pop_2_down3")
        assert song.tracks[MELODY].program == 73
        visitor.press("Undo")
        visitor.wait("p.steps === 0 || p.song.tracks[0].program === 0")


def test_it_counts_in_and_clicks_along(visit):
    with visit() as visitor:
        visitor.accompany()
        visitor.wait("p.position > 0.3")
        visitor.press("Pause")
        visitor.press("Back to the start")
        visitor.press("Count-in")
        visitor.press("Loop")
        visitor.press("Play")
        assert visitor.ask("p.live.isCounting && p.position === 0")
        visitor.page.locator("#song .place").get_by_text("count-in").wait_for()
        for name in ("melody", "drums", "bass", "guitar", "strings"):
            visitor.page.locator("#song").get_by_role("button", name=f"Mute {name}").click()
        visitor.wait("!p.live.isCounting && p.position > 0.2")
        visitor.wait("p.sound.level < 1e-4")
        visitor.press("Metronome")
        visitor.wait("p.sound.level > 0.003")
        assert visitor.ask("p.state") == "playing"
        visitor.press("Metronome")
        visitor.wait("p.sound.level < 1e-4")
