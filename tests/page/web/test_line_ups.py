"""Who plays, and with which sounds: line-ups of real songs, a second guitar, kits, other sounds."""

import pytest
from playwright.sync_api import expect

from accomp.band.ensembles import ensembles
from accomp.roll.grid import MELODY
from tests.page.web.test_finish import waits_for_detail
from tests.page.web.test_stage import HANDY, LAPTOP
from tests.page.web.visitor import Visitor, by_name

SHARES = {each.name: round(100 * each.share) for each in ensembles("rock")}
TWO = f"No strings, a second guitar ({SHARES['two guitars, no strings']} % of Rock songs)"
PIANO = f"Piano in the guitar's place, strings ({SHARES['piano, strings']} % of Rock songs)"
LABELS = "p.song.tracks.map(t => t.label)"


def has_band(visitor: Visitor, tune) -> None:
    visitor.bring(tune)
    visitor.waits_for_facts("Little tune")
    visitor.accompany(genre="rock", seed=1)
    visitor.press("Loop")


@pytest.mark.parametrize("screen", [LAPTOP, HANDY], ids=["laptop", "phone"])
def test_a_second_guitar_takes_the_strings_place(visit, tune, screen):
    with visit(viewport=screen, has_touch=screen is HANDY) as visitor:
        has_band(visitor, tune)
        before = by_name(visitor.notes("little tune_rock_1"))
        visitor.turn_to("Change")
        box = visitor.page.get_by_role("combobox", name="Line-up", exact=True)
        visitor.page.wait_for_function(
            "box => box.value.includes('Guitar')", arg=box.element_handle()
        )
        visitor.choose("Line-up", TWO)
        assert visitor.makes("Play it so") == "Little tune · Rock: with a second guitar"
        visitor.wait(f"{LABELS}.includes('second guitar') && p.sound.isLoaded")
        assert "strings" not in visitor.ask(LABELS)
        song = visitor.notes("little tune_rock_1")
        assert [track.name for track in song.tracks][-1] == "second guitar"
        after = by_name(song)
        assert {name for name in before if before[name] != after[name]} == {"strings"}
        visitor.wait("p.sound.level > 0.001")  # it is heard
        visitor.press("Solo second guitar")
        visitor.wait("p.sound.level > 0.001")
        visitor.press("Solo second guitar")
        assert visitor.width() <= screen["width"]
        assert visitor.makes("Undo") == "Little tune · Rock"
        visitor.wait(f"{LABELS}.includes('strings')")
        assert visitor.makes("Redo") == "Little tune · Rock: with a second guitar"
        assert visitor.makes("Another take") == "Little tune · Rock: with a second guitar, 2"
        visitor.wait(f"{LABELS}.includes('second guitar')")


def test_a_line_up_is_chosen_by_keys_and_keeps_tempo_and_sounds(visit, tune):
    with visit(viewport=LAPTOP) as visitor:
        has_band(visitor, tune)
        visitor.page.get_by_label("Sound of melody").select_option("Flute")
        waits_for_detail(visitor, "Flute")
        before = visitor.notes("little tune_rock_1")
        visitor.turn_to("Change")
        box = visitor.page.get_by_role("combobox", name="Line-up", exact=True)
        box.focus()
        box.fill("Piano in the guitar's place, s")
        visitor.page.get_by_role("option", name=PIANO).wait_for()
        box.press("ArrowDown")
        box.press("Enter")
        expect(box).to_have_value(PIANO)
        button = visitor.page.get_by_role("button", name="Play it so")
        button.focus()
        visitor.page.keyboard.press("Enter")
        visitor.waits_for_takes(2)
        waits_for_detail(visitor, "Flute, Bright Acoustic Piano")
        visitor.wait(f"{LABELS}.includes('piano')")
        song = visitor.notes("little tune_rock_1")
        assert song.tracks[MELODY].program == 73
        names = [track.name for track in song.tracks]
        assert names == ["drums", "flute (melody)", "piano", "bass", "strings"]
        assert by_name(song) == by_name(before)  # the same notes, on a piano
        visitor.sees_downloads()
        kinds = visitor.page.locator("#downloads .menu").inner_text()
        assert "Piano" in kinds and "Guitar" not in kinds
        visitor.closes_downloads()


def test_drums_have_kits_and_parts_all_sounds_of_their_register(visit, tune):
    with visit() as visitor:
        has_band(visitor, tune)
        visitor.page.get_by_label("Sound of drums").select_option("Jazz kit")
        waits_for_detail(visitor, "Jazz kit")
        visitor.wait("p.song.tracks.find(t => t.is_drum).program === 32 && p.sound.isLoaded")
        others = visitor.page.get_by_label("Sound of guitar").locator("optgroup option")
        assert others.count() > 20 and "Marimba" in others.all_inner_texts()
        visitor.page.get_by_label("Sound of guitar").select_option("Marimba")
        waits_for_detail(visitor, "Jazz kit, Marimba")
        visitor.wait(f"{LABELS}.includes('marimba') && p.live.isLoaded && p.sound.level > 0.001")
        song = visitor.notes("little tune_rock_1")
        drums, _, marimba, *_ = song.tracks
        assert (drums.program, marimba.program, marimba.name) == (32, 12, "marimba")
        visitor.press("Undo")
        visitor.wait("p.song.tracks.find(t => t.name === 'guitar').program === 30")
        visitor.press("Undo")
        visitor.wait("p.song.tracks.find(t => t.is_drum).program === 0")


def test_the_form_makes_bands_with_a_second_guitar(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.tune()
        visitor.page.get_by_role("checkbox", name="second guitar").check()
        name = visitor.accompany(genre="pop", seed=2)
        assert name == "Little tune · Pop: with a second guitar"
        visitor.page.wait_for_function("location.search.includes('second_guitar=True')")
        visitor.wait(f"{LABELS}.includes('second guitar')")
        visitor.page.wait_for_timeout(700)  # in which the browser has kept the takes
        visitor.page.reload()
        visitor.waits_for_takes(1)
        visitor.wait(f"{LABELS}.includes('second guitar')")
        visitor.tune()
        assert visitor.page.get_by_role("checkbox", name="second guitar").is_checked()
        assert not visitor.page.get_by_role("checkbox", name="strings").is_checked()
