"""A melody is played in: with the computer's keys, with fingers, with a MIDI keyboard."""

import io

import pytest

from accomp import read_midi
from accomp.roll.grid import MELODY
from tests.page.web.visitor import PHONE, Visitor, shown_notes

TEMPO = 60  # slow: a busy machine is late by less than half a sixteenth
FIND = "document.querySelector('.click-recorder').recorder"
# One keyboard that is plugged in; `fakeMidi.send` sends what its keys would.
MIDI_KEYBOARD = """
    window.fakeMidi = {
        input: { name: "Little Keys", onmidimessage: null },
        send(...data) {
            this.input.onmidimessage({ data: new Uint8Array(data), timeStamp: performance.now() });
        },
    };
    navigator.requestMIDIAccess = async () => ({ inputs: new Map([["1", fakeMidi.input]]) });
"""
# Strikes and lets go at its beats: [what, beats from the first bar line on, pitch or key].
PLAY = """
    async ([events, tempo]) => {
        const { playing } = FIND;
        for (const [isDown, beat, what] of events) {
            while (playing.elapsed * tempo / 60 < beat)
                await new Promise((go) => setTimeout(go, 4));
            if (typeof what === "number") fakeMidi.send(0x90, what, isDown ? 77 : 0);
            else document.dispatchEvent(
                new KeyboardEvent(isDown ? "keydown" : "keyup", { code: what, bubbles: true }));
        }
    }
""".replace("FIND", FIND)


def opens_keys(visitor: Visitor) -> None:
    visitor.page.locator("#record").click()
    visitor.page.locator("#recorder").get_by_role("button", name="Play keys").click()
    visitor.page.wait_for_function(f"() => {FIND}.playing?.keyboard.keys.children.length")


def records(visitor: Visitor, events: list) -> None:
    """Play to the click: the beats of each event, as PLAY has them."""
    recorder = visitor.page.locator("#recorder")
    recorder.get_by_label("Tempo").fill(str(TEMPO))
    recorder.get_by_role("button", name="Record", exact=True).click()
    recorder.get_by_role("button", name="Stop", exact=True).wait_for()
    visitor.page.evaluate(PLAY, [events, TEMPO])
    recorder.get_by_role("button", name="Stop", exact=True).click()
    visitor.waits_for_facts("My melody", f"{TEMPO} beats a minute, 4/4")


def are_played(visitor: Visitor, keys: list[list[float]]) -> bool:
    """Tell whether these pitches are on the roll at these beats; a busy machine may be late."""
    (pitches, onsets), (played, heard) = zip(*keys), zip(*shown_notes(visitor)["piano"])
    return played == pitches and heard == pytest.approx(onsets, abs=0.25)


def test_the_computers_keys_play_a_melody(visit):
    with visit() as visitor:
        opens_keys(visitor)
        visitor.page.wait_for_function(f"() => {FIND}.playing.keyboard.isSeen")
        visitor.page.keyboard.down("a")  # it sounds without recording, too
        visitor.page.wait_for_function("() => document.querySelector('.key.down')")
        visitor.page.keyboard.up("a")
        assert not visitor.page.locator(".key.down").count()
        visitor.page.keyboard.press("x")
        assert visitor.page.locator("#recorder .range").inner_text().startswith("C5")
        visitor.page.keyboard.press("z")
        records(
            visitor,
            [
                (True, 0, "KeyA"),
                (False, 0.9, "KeyA"),
                (True, 1, "KeyD"),
                (False, 1.4, "KeyD"),
                (True, 1.5, "KeyG"),
                (False, 1.95, "KeyG"),
                (True, 2, "KeyW"),
                (False, 3.9, "KeyW"),
            ],
        )
        # On the roll at once.
        assert are_played(visitor, [[60, 0], [64, 1], [67, 1.5], [61, 2]])
        assert visitor.accompany() == "My melody · Pop"
        song = read_midi(io.BytesIO(visitor.download(visitor.download_name(".mid"))))
        assert [note.pitch for note in song.tracks[MELODY].notes] == [60, 64, 67, 61]


def test_a_midi_keyboard_plays_with_its_touch(visit):
    with visit(scripts=[MIDI_KEYBOARD]) as visitor:
        opens_keys(visitor)
        visitor.press("Connect MIDI")
        visitor.page.get_by_text("Connected: Little Keys").wait_for()
        up = [(True, beat, 72 + beat) for beat in range(4)]
        down = [(False, beat + 0.9, 72 + beat) for beat in range(4)]
        records(visitor, sorted([*up, *down], key=lambda event: event[1]))
        assert are_played(visitor, [[72 + beat, beat] for beat in range(4)])
        assert visitor.ask("p.song.tracks[0].notes.every(note => note[3] === 77)")


def test_it_sounds_while_one_plays(visit):
    with visit(scripts=[MIDI_KEYBOARD]) as visitor:
        opens_keys(visitor)
        visitor.press("Connect MIDI")
        visitor.page.get_by_text("Connected: Little Keys").wait_for()
        visitor.page.wait_for_function(f"() => {FIND}.hasPiano")
        visitor.page.evaluate("fakeMidi.send(0x90, 60, 100)")
        visitor.page.wait_for_function(f"() => {FIND}.level > 0.003")
        visitor.page.evaluate("fakeMidi.send(0x90, 60, 0)")
        visitor.page.wait_for_function(f"() => {FIND}.level < 0.003")


def test_fingers_play_on_a_phone(visit):
    with visit(viewport=PHONE, has_touch=True, device_scale_factor=2) as visitor:
        opens_keys(visitor)
        assert visitor.width() <= PHONE["width"]
        keys = visitor.page.locator(".key:not(.black)")
        assert keys.count() == 8 and keys.first.bounding_box()["width"] >= 36
        box = keys.nth(2).bounding_box()
        visitor.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] - 12)
        visitor.page.wait_for_function(f"() => {FIND}.playing.keyboard.held.size === 0")
        visitor.press("An octave higher")
        assert visitor.page.locator("#recorder .range").inner_text() == "C5–C6"
        visitor.picture("keys_phone")
