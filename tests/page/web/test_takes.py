"""Takes in the page: remade in parts, in a style, near one another, and stopped."""

import json
import time

from page.choices import BAND
from tests.page.web.visitor import PATIENCE, Visitor, assert_shows, by_name, shown_notes


def test_what_is_locked_stays_and_the_rest_is_made_anew(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(genre="rock", seed=5)
        first = by_name(visitor.notes("little tune_rock_5"))
        for name in ("drums", "bass"):
            visitor.page.get_by_role("button", name=f"Lock {name}").click()
        assert visitor.makes("Remake") == "2: rock, seed 6"
        second = by_name(visitor.notes("little tune_rock_6"))
        assert {name for name in BAND if first[name] == second[name]} == {"drums", "bass"}
        visitor.choose("What to remake", "bass")  # whatever is locked
        visitor.makes("Remake")
        third = by_name(visitor.notes("little tune_rock_7"))
        assert {name for name in BAND if second[name] != third[name]} == {"bass"}
        for name in ("guitar", "strings"):
            visitor.page.get_by_role("button", name=f"Lock {name}").click()
        visitor.choose("What to remake", "everything that is not locked")
        visitor.press("Remake")
        assert "nothing can change" in visitor.reads("nothing can change")
        assert visitor.takes() == ["1: rock, seed 5", "2: rock, seed 6", "3: rock, seed 7"]


def test_only_the_selected_bars_are_made_anew(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(genre="latin", seed=1)
        first = by_name(visitor.notes("little tune_latin_1"))
        visitor.select_bars(4, 5)
        visitor.page.locator("#song .picked").get_by_text("Bars 5–6").wait_for()
        visitor.makes("Remake")
        second = by_name(visitor.notes("little tune_latin_2"))
        changed = [note for name in BAND for note in set(first[name]) ^ set(second[name])]
        assert changed and all(15.5 <= onset < 24 for _, onset, _ in changed)


def test_a_take_that_comes_while_the_sound_of_another_is_made_is_kept(visit):
    with visit() as visitor:
        visitor.example("Greensleeves")
        visitor.waits_for_sound("melody")
        visitor.accompany(seed=1)
        assert visitor.makes("Remake") == "2: pop, seed 2"  # before the first one has sound
        seed = visitor.page.get_by_label("Seed", exact=True)
        seed.fill("55")
        visitor.waits_for_sound()
        assert seed.input_value() == "55"  # what was typed meanwhile
        assert visitor.title() == "2: pop, seed 2" and visitor.takes() == [
            "1: pop, seed 1",
            "2: pop, seed 2",
        ]


def test_three_takes_to_choose_from(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.page.get_by_label("Seed", exact=True).fill("7")
        assert visitor.makes("Three takes") == "1: pop, seed 7"
        visitor.waits_for_sound()
        first = shown_notes(visitor)
        assert visitor.takes() == ["1: pop, seed 7", "2: pop, seed 8", "3: pop, seed 9"]
        visitor.page.get_by_label("3: pop, seed 9").click()
        visitor.wait("song", "p.song.title === '3: pop, seed 9'")
        assert (
            visitor.page.get_by_label("Seed", exact=True).input_value() == "9"
            and shown_notes(visitor) != first
        )
        assert_shows(visitor, visitor.notes("little tune_pop_9"))
        visitor.waits_for_sound()  # it is made when the take is first looked at
        for title in ("2: pop, seed 8", "1: pop, seed 7"):
            assert visitor.makes("Undo") == title
        assert shown_notes(visitor) == first
        visitor.waits_for_sound()
        visitor.press("Undo")
        assert "no earlier take" in visitor.reads("no earlier take")
        assert visitor.title() == "1: pop, seed 7" and len(visitor.takes()) == 3


def test_a_band_in_the_style_of_other_songs(visit, tune, tmp_path):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.open("In the style of")
        visitor.choose("Style", "bossa nova (latin)")
        assert visitor.accompany() == "1: pop, seed 0, bossa nova"
        visitor.choose("Second style", "swing (jazz)")
        assert visitor.accompany() == "2: pop, seed 0, bossa nova + swing"
        name = "little tune_pop_0_bossa_nova_swing"
        assert json.loads(visitor.download(f"{name}.json"))["styles"] == [
            ["bossa_nova", 0.5],
            ["swing", 0.5],
        ]
        first, song = visitor.notes(name), tmp_path / "my_song.mid"
        song.write_bytes(visitor.download(f"{name}.mid"))
        own = visitor.page.locator("#own-style")
        own.locator("input[type=file]").set_input_files(song)
        own.get_by_text("my_song").first.wait_for()
        visitor.press("Accompany")
        assert "no settings file" in visitor.reads("own song")
        visitor.wait("song", "p.song.title === '3: pop, seed 0, my_song'")
        assert by_name(visitor.notes("little tune_pop_0_own_style")) != by_name(first)
        assert (
            not visitor.page.locator("#downloads a[download$='.json']").count()
            and not visitor.page.url.partition("?")[2]
        )
        visitor.press("Stop")
        own.get_by_role("button", name="Clear").click()
        own.locator("input[type=file]").set_input_files(tune)  # a melody alone
        own.get_by_text("little tune").first.wait_for()
        visitor.press("Accompany")
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
        assert not visitor.page.get_by_role("button", name="Blend two takes").count()
        visitor.accompany(genre="jazz", seed=5)
        visitor.open("Blend two takes")
        slide(visitor, "Amount of the other take", 0.5)
        visitor.wait("song", "p.song.title.startsWith('3: jazz 5 + pop 4, 0.')")
        name = visitor.download_name(".mid").removesuffix(".mid")
        chosen = json.loads(visitor.download(f"{name}.json"))
        amount = chosen.pop("blend")["amount"]
        assert (
            0.4 <= amount <= 0.6
            and chosen == {"genre": "jazz", "seed": 5}
            and name == f"little tune_jazz_5_pop_4_{amount}"
        )
        visitor.page.get_by_label("number input for Amount of the other take").fill("1")
        visitor.page.keyboard.press("Tab")  # without a mouse
        visitor.wait("song", "p.song.title === '4: jazz 5 + pop 4, 1'")
        end = by_name(visitor.notes("little tune_jazz_5_pop_4_1"))
        visitor.page.get_by_label("1: pop, seed 4").click()
        visitor.wait("song", "p.song.title === '1: pop, seed 4'")
        assert by_name(visitor.notes("little tune_pop_4")) == end
        visitor.press("Stop")


def test_an_instrument_is_explored(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(seed=1)
        plain = by_name(visitor.notes("little tune_pop_1"))
        visitor.open("Explore an instrument")
        slide(visitor, "Sparser to busier", 0.95)
        visitor.wait("song", "p.song.title === '2: pop, seed 1, guitar moved'")
        moved = by_name(visitor.notes("little tune_pop_1_guitar_moved"))
        assert len(moved["guitar"]) > len(plain["guitar"])
        assert {name for name in BAND if moved[name] != plain[name]} == {"guitar"}
        visitor.choose("Instrument", "drums")
        visitor.page.get_by_label("range slider for Fewer to more pitches").wait_for(
            state="detached"
        )
        slide(visitor, "Sparser to busier", 0.05)
        visitor.wait("song", "p.song.title === '3: pop, seed 1, drums and guitar moved'")
        settings = json.loads(visitor.download("little tune_pop_1_drums_moved_guitar_moved.json"))
        assert (
            settings["explore"]["guitar"]["density"] > 1.5
            and settings["explore"]["drums"]["density"] < -1.5
        )
        assert visitor.makes("Reset all instruments") == "4: pop, seed 1"
        assert by_name(visitor.notes("little tune_pop_1")) == plain
        visitor.press("Stop")


def test_stop_really_stops(visit, server):
    with visit() as visitor:
        visitor.example("Greensleeves")
        visitor.waits_for_sound("melody")
        eventually(lambda: not server.children())
        visitor.accompany(seed=77)
        eventually(lambda: "fluidsynth" in server.children())
        visitor.press("Stop")
        visitor.page.locator("#status").get_by_text("Stopped.").wait_for()
        eventually(lambda: not server.children(), seconds=5)
        files = server.made()
        visitor.page.wait_for_timeout(1500)  # in which nothing may happen
        assert server.made() == files and not server.children()
        assert not any(
            file.name.startswith("greensleeves_pop_77") and file.suffix == ".mp3" for file in files
        )
        assert visitor.ask("song", "!p.sound.isLoaded") and visitor.status() == "Stopped."
        assert not visitor.page.get_by_test_id("toast-body").count()  # that is no mistake
        visitor.accompany(seed=78)  # the page works on
        visitor.waits_for_sound()


def eventually(condition, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it has not come about"
        time.sleep(0.05)
