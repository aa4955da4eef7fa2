"""Takes in the page: remade in parts, in a style, near one another, and stopped."""

import json
import re

from accomp.project.choices import BAND
from tests.page.web.visitor import Visitor, assert_shows, by_name, shown_notes


def test_what_is_locked_stays_and_the_rest_is_made_anew(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(genre="rock", seed=5)
        first = by_name(visitor.notes("little tune_rock_5"))
        for name in ("drums", "bass"):
            visitor.page.get_by_role("button", name=f"Lock {name}").click()
        visitor.turn_to("Change")
        assert visitor.makes("Remake") == "Little tune · Rock: drums and bass kept"
        second = by_name(visitor.notes("little tune_rock_6"))
        assert {name for name in BAND if first[name] == second[name]} == {"drums", "bass"}
        visitor.turn_to("Change")
        visitor.choose("What to remake", "bass")  # whatever is locked
        visitor.makes("Remake")
        third = by_name(visitor.notes("little tune_rock_7"))
        assert {name for name in BAND if second[name] != third[name]} == {"bass"}
        for name in ("guitar", "strings"):
            visitor.page.get_by_role("button", name=f"Lock {name}").click()
        visitor.turn_to("Change")
        visitor.choose("What to remake", "everything that is not locked")
        visitor.press("Remake")
        assert "nothing can change" in visitor.reads("nothing can change")
        assert visitor.takes() == [
            "Little tune · Rock",
            "Little tune · Rock: drums and bass kept",
            "Little tune · Rock: only bass anew",
        ]


def test_only_the_selected_bars_are_made_anew(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(genre="latin", seed=1)
        first = by_name(visitor.notes("little tune_latin_1"))
        visitor.select_bars(4, 5)
        visitor.page.locator("#song .picked").get_by_text("Bars 5–6").wait_for()
        visitor.turn_to("Change")
        assert visitor.makes("Remake") == "Little tune · Latin: bars 5–6 anew"
        second = by_name(visitor.notes("little tune_latin_2"))
        changed = [note for name in BAND for note in set(first[name]) ^ set(second[name])]
        # What rings into the bars ends at their first bar line.
        assert changed and all(
            15.5 <= onset < 24 or onset < 16 <= onset + length + 0.1 for _, onset, length in changed
        )


def test_a_remake_plays_on_where_the_take_was(visit):
    with visit() as visitor:
        visitor.example("Greensleeves")
        visitor.accompany(seed=1)
        visitor.wait("p.position > 1 && p.sound.level > 0.001")
        assert visitor.makes("Remake") == "Greensleeves · Pop, 2"
        assert visitor.ask("p.state === 'playing' && p.position > 1")
        seed = visitor.page.get_by_label("Seed", exact=True)
        visitor.tune()
        seed.fill("55")
        visitor.wait("p.position > 2 && p.sound.level > 0.001")
        assert seed.input_value() == "55"  # what was typed meanwhile
        assert visitor.title() == "Greensleeves · Pop, 2" and visitor.takes() == [
            "Greensleeves · Pop",
            "Greensleeves · Pop, 2",
        ]


def test_three_takes_to_choose_from(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.tune()
        visitor.page.get_by_label("Seed", exact=True).fill("7")
        visitor.accompany()
        visitor.tune()
        visitor.page.get_by_label("Seed", exact=True).fill("8")
        assert visitor.makes("Three at once") == "Little tune · Pop, 2"
        visitor.waits_for_sound()
        first = shown_notes(visitor)
        names = ["Little tune · Pop", *(f"Little tune · Pop, {number}" for number in (2, 3, 4))]
        assert visitor.takes() == names
        visitor.take(names[2])
        visitor.wait(f"p.song.title === '{names[2]}'")
        assert (
            visitor.page.get_by_label("Seed", exact=True).input_value() == "9"
            and shown_notes(visitor) != first
        )
        assert_shows(visitor, visitor.notes("little tune_pop_9"))
        visitor.waits_for_sound()
        # The way back goes through what was seen.
        assert visitor.makes("Undo") == names[1] and shown_notes(visitor) == first
        assert visitor.makes("Undo") == names[0]
        assert visitor.page.get_by_role("button", name="Undo").is_disabled()
        assert visitor.makes("Redo") == names[1] and shown_notes(visitor) == first
        assert visitor.takes() == names


def test_a_band_in_the_style_of_other_songs(visit, tune, tmp_path):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.open("In the style of")
        visitor.choose("Style", "bossa nova (latin)")
        assert visitor.accompany() == "Little tune · Pop: like bossa nova"
        visitor.tune()
        visitor.choose("Second style", "swing (jazz)")
        assert visitor.accompany() == "Little tune · Pop: like bossa nova and swing"
        name = "little tune_pop_0_bossa_nova_swing"
        assert json.loads(visitor.download(f"{name}.json"))["styles"] == [
            ["bossa_nova", 0.5],
            ["swing", 0.5],
        ]
        first, song = visitor.notes(name), tmp_path / "my_song.mid"
        song.write_bytes(visitor.download(f"{name}.mid"))
        visitor.tune()
        own = visitor.page.locator("#own-style")
        own.locator("input[type=file]").set_input_files(song)
        own.get_by_text("my_song").first.wait_for()
        assert visitor.accompany() == "Little tune · Pop: like my_song"
        assert by_name(visitor.notes("little tune_pop_0_own_style")) != by_name(first)
        visitor.page.wait_for_function("location.hash.startsWith('#take=')")
        visitor.stops()
        own.get_by_role("button", name="Clear").click()
        own.locator("input[type=file]").set_input_files(tune)  # a melody alone
        own.get_by_text("little tune").first.wait_for()
        visitor.press("Play it with a band")
        assert "a style needs a song with a band" in visitor.reads("a style needs")


def slide(visitor: Visitor, label: str, share: float) -> None:
    """Lets go of a slider at a share of its length."""
    slider = visitor.page.get_by_label(f"range slider for {label}")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    slider.click(position={"x": share * box["width"], "y": box["height"] / 2})


def test_between_two_takes(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(seed=4)
        assert not visitor.page.get_by_role("tab", name="Blend").count()
        visitor.accompany(genre="jazz", seed=5)
        visitor.turn_to("Blend")
        slide(visitor, "Amount of the other take", 0.5)
        visitor.waits_for_takes(3)
        assert re.fullmatch(r"Little tune · Jazz: \d\d % towards Pop", visitor.chosen())
        name = visitor.download_name(".mid").removesuffix(".mid")
        chosen = json.loads(visitor.download(f"{name}.json"))
        # The notes: the melody is the visitor's own.
        del chosen["accomp"], chosen["takes"], chosen["shown"]
        amount = chosen.pop("blend")["amount"]
        assert (
            0.4 <= amount <= 0.6
            and chosen == {"genre": "jazz", "seed": 5}
            and name == f"little tune_jazz_5_pop_4_{amount}"
        )
        visitor.turn_to("Blend")
        visitor.page.get_by_label("number input for Amount of the other take").fill("1")
        visitor.page.keyboard.press("Tab")  # without a mouse
        visitor.waits_for_takes(4)
        assert visitor.chosen() == "Little tune · Jazz: 100 % towards Pop"
        end = by_name(visitor.notes("little tune_jazz_5_pop_4_1"))
        visitor.take("Little tune · Pop")
        visitor.wait("p.song.title === 'Little tune · Pop'")
        assert by_name(visitor.notes("little tune_pop_4")) == end
        visitor.stops()


def test_an_instrument_is_explored(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(seed=1)
        plain = by_name(visitor.notes("little tune_pop_1"))
        visitor.turn_to("Explore")
        slide(visitor, "Sparser to busier", 0.95)
        visitor.wait("p.song.title === 'Little tune · Pop: busier guitar'")
        moved = by_name(visitor.notes("little tune_pop_1_guitar_moved"))
        visitor.turn_to("Explore")
        assert len(moved["guitar"]) > len(plain["guitar"])
        # The others play the same, but for few notes that would clash with the guitar.
        others = [
            (before, after)
            for name in BAND
            if name != "guitar"
            for before, after in zip(plain[name], moved[name], strict=True)
        ]
        assert all(before[1:] == after[1:] for before, after in others)
        assert sum(before != after for before, after in others) <= len(others) / 20
        visitor.choose("Instrument", "drums")
        visitor.page.get_by_label("range slider for Fewer to more pitches").wait_for(
            state="detached"
        )
        slide(visitor, "Sparser to busier", 0.05)
        visitor.wait("p.song.title === 'Little tune · Pop: sparser drums, busier guitar'")
        settings = json.loads(visitor.download("little tune_pop_1_drums_moved_guitar_moved.json"))
        assert (
            settings["explore"]["guitar"]["density"] > 1.5
            and settings["explore"]["drums"]["density"] < -1.5
        )
        visitor.turn_to("Explore")
        box = visitor.page.get_by_role("combobox", name="Instrument", exact=True)
        assert box.input_value() == "drums"  # it stays with the take's players
        assert visitor.makes("Reset all instruments") == "Little tune · Pop, 2"
        assert by_name(visitor.notes("little tune_pop_1")) == plain
        visitor.stops()


def test_nothing_is_rendered_that_nobody_has_asked_for(visit, server):
    with visit() as visitor:
        visitor.example("Greensleeves")
        visitor.accompany(seed=77)
        visitor.wait("p.position > 0.3 && p.sound.level > 0.001")
        assert not server.children()
        visitor.accompany(seed=78)
        visitor.waits_for_sound()
        assert not visitor.page.get_by_test_id("toast-body").count()
