"""What is edited on the roll: notes of the melody, chords, bars of a player."""

import pytest

from accomp.project.choices import BAND
from tests.page.web.test_stage import AXE, HANDY, LAPTOP, TAGS
from tests.page.web.visitor import Visitor, by_name, shown_notes

EDITED = """p.notes.notes.map(
    n => [n.pitch, Math.round(n.onset * 100) / 100, Math.round(n.length * 100) / 100]
)"""


def notes(visitor: Visitor) -> list:
    """[pitch, beat, beats] of the melody as it is edited."""
    return visitor.ask(EDITED)


def edits(visitor: Visitor) -> None:
    visitor.press("Edit notes")
    visitor.page.get_by_role("toolbar", name="Notes of the melody").wait_for()


def place_of(visitor: Visitor, pitch: int, beat: float) -> tuple[float, float]:
    """Where a pitch is in the window at a beat, in the lane that is edited."""
    box = visitor.page.locator("#song canvas").bounding_box()
    x = visitor.ask(f"p.notes.clock.seconds({beat}) * p.roll.scale - p.roll.left")
    y = visitor.ask(f"p.roll.middle(p.notes.lane, {pitch})")
    return box["x"] + x, box["y"] + y


def drags(visitor: Visitor, start: tuple[float, float], end: tuple[float, float]) -> None:
    mouse = visitor.page.mouse
    mouse.move(*start)
    mouse.down()
    mouse.move(*end, steps=4)
    mouse.up()


def is_told(visitor: Visitor) -> None:
    """Wait until the page has what was edited."""
    visitor.wait("p.song.turn === p.notes.turn && p.notes.turn > 0")


def press_chord(visitor: Visitor, place: int) -> None:
    """A click on the chord of a place above the bars."""
    visitor.ask(f"p.bring(p.song.places[{place}])")
    box = visitor.page.locator("#song canvas").bounding_box()
    x = visitor.ask(f"p.song.places[{place}] * p.roll.scale - p.roll.left")
    visitor.page.mouse.click(box["x"] + x + 6, box["y"] + 34)
    visitor.page.get_by_role("group", name="Change a chord").wait_for()


def chord_at(visitor: Visitor, place: int) -> str:
    return visitor.ask(f"p.chordPanel.symbolAt({place})")


def violations(visitor: Visitor) -> list[str]:
    """What axe-core finds in what edits: the rule, and the elements."""
    if not visitor.page.evaluate("!!window.axe"):
        visitor.page.add_script_tag(path=AXE)
    visitor.settles()
    found = visitor.page.evaluate(
        """tags => axe.run({ include: [['#song .desk'], ['#song .tools'], ['#song .foot']] },
            { runOnly: { type: 'tag', values: tags } })""",
        TAGS,
    )
    return [
        f"{rule['id']}: {[node['html'] for node in rule['nodes']]}" for rule in found["violations"]
    ]


def quiet(visitor: Visitor) -> None:
    """Stop the sound, so that the roll stands still."""
    visitor.wait("p.state === 'playing'")
    visitor.ask("p.pause()")
    visitor.ask("p.seek(0)")


def test_notes_are_moved_lengthened_deleted_and_added_and_undone(visit, tune):
    with visit(viewport=LAPTOP) as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        edits(visitor)
        first = notes(visitor)
        pitch = first[2][0]
        drags(visitor, place_of(visitor, pitch, 2.3), place_of(visitor, pitch + 2, 2.8))
        assert notes(visitor)[2] == [pitch + 2, 2.5, 0.9]
        assert notes(visitor)[3][1] == 3.4  # what it covers gives way
        is_told(visitor)
        visitor.waits_for_facts("Little tune edited")
        start = place_of(visitor, first[0][0], 0.88)
        drags(visitor, start, place_of(visitor, first[0][0], 1.38))
        assert notes(visitor)[0][2] == 1.4 and notes(visitor)[1][1] == 1.4
        visitor.page.mouse.click(*place_of(visitor, first[4][0], 4.3))
        visitor.page.keyboard.press("Delete")
        assert len(notes(visitor)) == len(first) - 1
        visitor.page.mouse.click(*place_of(visitor, first[4][0] + 1, 4.3))
        added = notes(visitor)[4]
        assert added[:2] == [first[4][0] + 1, 4.25] and added[2] <= 0.75
        for _ in range(4):
            visitor.page.keyboard.press("Control+z")
        assert notes(visitor) == first
        visitor.page.keyboard.press("Control+y")
        assert notes(visitor)[2][0] == pitch + 2
        is_told(visitor)
        visitor.page.locator("#song").get_by_role("button", name="Done").click()
        visitor.accompany(genre="rock", seed=2)
        song = by_name(visitor.notes("little tune_edited_rock_2"))
        assert song["piano"][2][:2] == (pitch + 2, 2.5) and song["piano"][3][1] > 3.39


def test_the_band_follows_an_edited_melody_where_it_changed(visit, tune):
    with visit(viewport=LAPTOP) as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(genre="pop", seed=1)
        before = by_name(visitor.notes("little tune_pop_1"))
        visitor.press("Loop")
        visitor.wait("p.position > 0.5")
        edits(visitor)
        visitor.page.keyboard.press("ArrowRight")  # by keys alone, while it plays
        chosen = visitor.ask("p.notes.selected")
        for key in ("ArrowUp", "ArrowUp", "Shift+ArrowLeft"):
            visitor.page.keyboard.press(key)
        assert notes(visitor)[chosen][0] == before["piano"][chosen][0] + 2
        is_told(visitor)
        assert visitor.ask("p.state === 'playing'")  # it is heard at once
        current = visitor.page.locator("#takes [aria-current]")
        current.get_by_text("Little tune edited · Pop: band unchanged").wait_for()
        bar = chosen // 4 + 1
        visitor.page.get_by_text("The band still plays to the melody as it was.").wait_for()
        name = visitor.makes(f"Only bar {bar} anew")
        assert name == f"Little tune edited · Pop: bar {bar} anew"
        after = by_name(visitor.notes("little tune_edited_pop_1"))
        changed = [
            n for part in BAND for n in {n[:2] for n in before[part]} ^ {n[:2] for n in after[part]}
        ]
        assert all(4 * bar - 4.3 < onset < 4 * bar for _, onset in changed)
        assert after["piano"][chosen][0] == before["piano"][chosen][0] + 2
        assert visitor.takes() == ["Little tune · Pop", name]
        visitor.page.wait_for_timeout(700)  # in which the browser has kept the takes
        visitor.page.reload()
        visitor.waits_for_takes(2)
        assert visitor.chosen() == name
        visitor.waits_for_facts("Little tune edited")
        assert [pitch for pitch, _ in shown_notes(visitor)["piano"]] == [
            n[0] for n in after["piano"]
        ]


def test_chords_are_changed_by_clicking_them(visit, tune):
    with visit(viewport=LAPTOP) as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(genre="pop", seed=1)
        before = by_name(visitor.notes("little tune_pop_1"))
        quiet(visitor)
        press_chord(visitor, 4)
        box = visitor.page.get_by_label("Chord", exact=True)
        box.fill("H7")
        visitor.page.get_by_text("“H7” is no chord that I know.").wait_for()
        assert box.get_attribute("aria-invalid") == "true"
        visitor.page.get_by_role("button", name="first half").click()
        box.fill("Ab-7")
        visitor.page.get_by_text("read as Abm7").wait_for()
        box.press("Enter")
        visitor.waits_for_takes(2)
        assert visitor.chosen() == "Little tune · Pop: Abm7 in bar 3"
        assert chord_at(visitor, 4) == "Abm7"
        after = by_name(visitor.notes("little tune_pop_1"))
        for part in BAND:
            changed = {n[:2] for n in before[part]} ^ {n[:2] for n in after[part]}
            assert all(7.7 < onset < 12 for _, onset in changed), part
        # What fits is one press away, and the list keeps the last step only.
        chip = visitor.page.locator("#song .chip").first
        chip.wait_for()
        symbol = chip.evaluate("chip => chip.firstChild.textContent")
        chip.click()
        visitor.page.locator("#takes [aria-current]").get_by_text(f"{symbol} in bar 3").wait_for()
        assert chord_at(visitor, 4) == symbol
        assert visitor.takes() == ["Little tune · Pop", f"Little tune · Pop: {symbol} in bar 3"]
        visitor.page.keyboard.press("Escape")
        assert not visitor.page.get_by_role("group", name="Change a chord").count()
        assert visitor.makes("Undo") == "Little tune · Pop: Abm7 in bar 3"
        assert visitor.makes("Undo") == "Little tune · Pop"
        assert visitor.makes("Redo") == "Little tune · Pop: Abm7 in bar 3"


def test_bars_of_a_player_are_played_anew_after_a_drag(visit, tune):
    with visit(viewport=LAPTOP) as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(genre="pop", seed=1)
        before = by_name(visitor.notes("little tune_pop_1"))
        quiet(visitor)
        box = visitor.page.locator("#song canvas").bounding_box()
        x = [visitor.ask(f"p.song.bars[{bar}] * p.roll.scale - p.roll.left") for bar in (2, 3)]
        y = visitor.ask("p.roll.lanes.find(l => l.track.name === 'bass').top") + box["y"] + 20
        drags(visitor, (box["x"] + x[0] + 9, y), (box["x"] + x[1] + 9, y))
        panel = visitor.page.get_by_role("group", name="Play bars anew")
        assert panel.locator("b").all_inner_texts() == ["3", "4"]
        panel.get_by_label("How busy").fill("100")
        name = visitor.makes("Play it anew here")
        assert name == "Little tune · Pop: bars 3–4 anew, only bass anew"
        after = by_name(visitor.notes("little tune_pop_2"))
        assert {part for part in before if before[part] != after[part]} == {"bass"}
        changed = {n[:2] for n in before["bass"]} ^ {n[:2] for n in after["bass"]}
        assert changed and all(7.7 < onset < 16 for _, onset in changed)
        panel.get_by_role("button", name="End a bar later").click()
        assert panel.locator("b").all_inner_texts() == ["3", "5"]


def has_band(visitor: Visitor, tune, genre: str = "pop") -> None:
    visitor.bring(tune)
    visitor.waits_for_facts("Little tune")
    visitor.accompany(genre=genre, seed=1)
    quiet(visitor)


def chords(visitor: Visitor) -> list[str]:
    """Of every place, as the song has them."""
    return visitor.ask("p.song.places.slice(0, -1).map((_, at) => p.chordPanel.symbolAt(at))")


@pytest.mark.parametrize("screen", [LAPTOP, HANDY], ids=["laptop", "phone"])
def test_a_chord_comes_also_where_the_melody_returns(visit, screen):
    with visit(viewport=screen) as visitor:
        visitor.example("Ode to joy")
        visitor.accompany(genre="pop", seed=1)
        quiet(visitor)
        before = chords(visitor)
        visitor.press("Chords")
        visitor.page.locator("#song .chip").first.wait_for()
        box = visitor.page.get_by_label("Chord", exact=True)
        box.fill("Bm7")
        assert visitor.makes("Use") == "Ode to joy · Pop: Bm7 in bar 1"
        once = chords(visitor)
        changed = [at for at, (new, old) in enumerate(zip(once, before)) if new != old]
        assert changed and set(changed) <= {0, 1}
        everywhere = visitor.page.get_by_role("button", name="Also where the melody returns")
        everywhere.wait_for()
        assert "bars 5, 13" in everywhere.inner_text()
        everywhere.focus()
        before_press = visitor.takes()
        visitor.page.keyboard.press("Enter")
        visitor.page.locator("#takes [aria-current]").get_by_text("Bm7 in bars 5, 13").wait_for()
        after = chords(visitor)
        changed = [at // 2 + 1 for at, (new, old) in enumerate(zip(after, once)) if new != old]
        assert set(changed) == {5, 13}
        assert all(after[at] == "Bm7" for bar in (5, 13) for at in (2 * bar - 2,))
        assert len(visitor.takes()) == len(before_press)  # one entry for a row of edits
        assert visitor.makes("Undo") == "Ode to joy · Pop: Bm7 in bar 1"
        assert chords(visitor) == once
        assert visitor.makes("Undo") == "Ode to joy · Pop"
        assert chords(visitor) == before
        assert visitor.width() <= screen["width"]


@pytest.mark.parametrize("screen", [LAPTOP, HANDY], ids=["laptop", "phone"])
def test_chords_are_split_and_merged(visit, tune, screen):
    with visit(viewport=screen) as visitor:
        has_band(visitor, tune)
        before = chords(visitor)
        press_chord(visitor, 4)
        panel = visitor.page.get_by_role("group", name="Change a chord")
        panel.get_by_role("button", name="second half").click()
        box = visitor.page.get_by_label("Chord", exact=True)
        box.fill("Em9")
        box.press("Enter")
        visitor.page.locator("#takes [aria-current]").get_by_text("Em9 in bar 3").wait_for()
        split = chords(visitor)
        assert split == [*before[:5], "Em9", *before[6:]] and split[4] != split[5]
        # The same chord as before it: one chord for both halves, by keys alone.
        panel.get_by_role("button", name="Hold the chord before").focus()
        visitor.makes_by_key("Enter")
        visitor.wait(f"p.chordPanel.symbolAt(5) === {split[4]!r}")
        merged = chords(visitor)
        assert merged[5] == merged[4] and merged[:5] == before[:5]
        assert not panel.get_by_role("button", name="Hold the chord before").is_visible()
        assert panel.evaluate("panel => panel.contains(document.activeElement)")
        visitor.page.keyboard.press("Escape")
        visitor.makes("Undo")
        visitor.wait("p.chordPanel.symbolAt(5) === 'Em9'")
        visitor.makes("Undo")
        visitor.wait("p.chordPanel.symbolAt(5) !== 'Em9'")
        assert chords(visitor) == before


@pytest.mark.parametrize("screen", [LAPTOP, HANDY], ids=["laptop", "phone"])
def test_sliders_say_how_busy_and_how_high_bars_are_played_anew(visit, tune, screen):
    with visit(viewport=screen) as visitor:
        has_band(visitor, tune)
        first = by_name(visitor.notes("little tune_pop_1"))
        visitor.press("Play bars of guitar anew")
        panel = visitor.page.get_by_role("group", name="Play bars anew")
        for _ in range(7):
            panel.get_by_role("button", name="End a bar later").click()
        assert panel.locator("b").all_inner_texts() == ["1", "8"]
        busy, high = panel.get_by_label("How busy"), panel.get_by_label("How high")

        def plays(key: str, seed: int) -> list:
            for slider in (busy, high):
                slider.focus()
                slider.press(key)
            panel.get_by_role("button", name="Play it anew here").press("Enter")
            visitor.waits_for_takes(seed)
            return by_name(visitor.notes(f"little tune_pop_{seed}"))["guitar"]

        sparse_and_low, busy_and_high = plays("Home", 2), plays("End", 3)
        strokes = [
            len({round(4 * note[1]) for note in each}) for each in (sparse_and_low, busy_and_high)
        ]
        assert strokes[0] < strokes[1]
        middle = [
            sorted(note[0] for note in each)[len(each) // 2]
            for each in (sparse_and_low, busy_and_high)
        ]
        assert middle[0] + 5 < middle[1]
        visitor.makes("Undo")
        visitor.makes("Undo")
        assert by_name(visitor.notes("little tune_pop_1")) == first


def test_nothing_is_behind_the_last_bar(visit, tune):
    with visit(viewport=LAPTOP) as visitor:
        has_band(visitor, tune)
        for _ in range(5):
            visitor.press("Zoom out")
        beyond = visitor.ask("p.roll.inside") + 60
        assert beyond < visitor.ask("p.roll.width")
        drawn = """[10, 40, p.roll.lanes[0].top - 1, p.roll.lanes[1].top + 20].map((y) => {
            const ratio = window.devicePixelRatio;
            const [x, top] = [p.roll.inside + 60, y].map((each) => Math.round(each * ratio));
            return p.roll.pen.getImageData(x, top, 30, 2).data.some((part) => part > 0);
        })"""
        assert visitor.ask(drawn) == [False] * 4
        canvas = visitor.page.locator("#song canvas").bounding_box()
        y = canvas["y"] + 8
        drags(visitor, (canvas["x"] + beyond, y), (canvas["x"] + beyond + 80, y))
        assert visitor.ask("p.selection") is None
        visitor.page.mouse.click(canvas["x"] + beyond, canvas["y"] + 34)
        assert not visitor.page.get_by_role("group", name="Change a chord").count()
        edits(visitor)
        count = len(notes(visitor))
        for _ in range(8):
            visitor.press("Zoom out")
        canvas = visitor.page.locator("#song canvas").bounding_box()
        middle = visitor.ask("p.notes.lane.top + p.notes.lane.height / 2")
        beyond = visitor.ask("p.roll.inside") + 30
        visitor.page.mouse.click(canvas["x"] + beyond, canvas["y"] + middle)
        assert len(notes(visitor)) == count


def test_the_roll_goes_on_under_a_drag_at_its_edge(visit, tune):
    with visit(viewport=LAPTOP) as visitor:
        has_band(visitor, tune)
        for _ in range(4):
            visitor.press("Zoom in")
        visitor.ask("p.seek(0)")
        box, mouse = visitor.page.locator("#song canvas").bounding_box(), visitor.page.mouse
        right = box["x"] + visitor.ask("p.roll.width") - 3

        def holds(y: float, start: float, condition: str) -> None:
            mouse.move(box["x"] + start, y)
            mouse.down()
            mouse.move(right, y, steps=4)
            visitor.wait(condition)  # nothing moves but the roll
            mouse.up()

        seen = visitor.ask("p.roll.barAt((p.roll.left + p.roll.width) / p.roll.scale)")
        assert seen < 5
        lane = visitor.ask("p.roll.lanes.find(l => l.track.name === 'bass').top") + box["y"] + 20
        holds(lane, 20, "p.roll.picked.bars[1] >= 6")
        panel = visitor.page.get_by_role("group", name="Play bars anew")
        first, last = panel.locator("b").all_inner_texts()
        assert first == "1" and int(last) >= 7
        panel.get_by_role("button", name="Close").click()
        visitor.ask("p.roll.moveTo(0)")
        holds(box["y"] + 8, 20, "p.selection && p.selection[1] >= 6")
        assert visitor.ask("p.selection[0]") == 0
        still = visitor.ask("p.roll.left")
        visitor.page.wait_for_timeout(200)
        assert visitor.ask("p.roll.left") == still  # it stands when it is let go
        visitor.ask("p.select(null)")
        edits(visitor)
        visitor.ask("p.roll.moveTo(0)")
        pitch, onset, _ = notes(visitor)[1]
        x, y = place_of(visitor, pitch, onset + 0.3)
        box = visitor.page.locator("#song canvas").bounding_box()
        holds(y, x - box["x"], f"p.notes.notes.some(n => n.onset > 24 && n.pitch === {pitch})")
        is_told(visitor)
        visitor.page.keyboard.press("Control+z")
        assert notes(visitor)[1][:2] == [pitch, onset]


def test_a_finger_edits_on_a_phone(visit, tune):
    with visit(viewport=HANDY, has_touch=True) as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(genre="pop", seed=1)
        quiet(visitor)
        visitor.press("Play bars of bass anew")
        panel = visitor.page.get_by_role("group", name="Play bars anew")
        assert panel.locator("b").all_inner_texts() == ["1", "1"]
        edits(visitor)
        first = notes(visitor)
        x, y = place_of(visitor, first[1][0], 1.4)
        visitor.page.touchscreen.tap(x, y)
        visitor.wait("p.notes.selected === 1")
        visitor.press("Higher (arrow up)")
        assert notes(visitor)[1][0] == first[1][0] + 1
        # The roll moves down for what that calls for.
        visitor.page.get_by_text("The band still plays to the melody as it was.").wait_for()
        visitor.page.touchscreen.tap(*place_of(visitor, first[0][0] + 3, 0.6))
        assert len(notes(visitor)) == len(first) + 1
        is_told(visitor)
        visitor.press("Chords")
        visitor.page.locator("#song .chip").first.wait_for()
        assert visitor.width() <= HANDY["width"]


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm ci in page/player")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_edits_stands_in_nobodys_way(visit, theme):
    with visit(
        f"?__theme={theme}", viewport=LAPTOP, locale="de-DE", ready="Mit Band spielen"
    ) as visitor:
        visitor.press("Mit Band spielen")
        visitor.waits_for_takes(1)
        quiet(visitor)
        visitor.press("Akkorde")
        visitor.page.locator("#song .chip").first.wait_for()
        assert violations(visitor) == []
        visitor.press("Takte neu spielen: Bass")
        assert violations(visitor) == []
        visitor.press("Töne ändern")
        visitor.page.keyboard.press("ArrowRight")
        visitor.page.keyboard.press("ArrowUp")
        visitor.page.get_by_text("Die Band spielt noch zur Melodie, wie sie war.").wait_for()
        assert violations(visitor) == []
