"""What once went wrong in the page, each kind by itself."""

from accomp import Note, Score, Track, write_midi
from tests.page.web.visitor import ROOT, assert_shows, written


def test_a_press_during_a_long_song_is_not_lost(visit, tmp_path):
    long = written(tmp_path / "ten minutes.mid", range(1500))
    with visit() as visitor:
        visitor.bring(long)
        visitor.waits_for_facts("Ten minutes")
        visitor.press("Play it with a band")
        visitor.example()
        visitor.press("Play it with a band")
        visitor.waits_for_facts("Ode to joy")
        visitor.wait("p.song && p.song.bars.length === 17")
        visitor.waits_for_takes(1)
        assert len(visitor.takes()) == 1
        visitor.page.wait_for_timeout(2000)  # in which the long one's song does not come
        assert visitor.ask("p.song.bars.length") == 17
        assert_shows(visitor, visitor.notes("ode_to_joy_pop_0"))


def test_fast_clicks_count_and_leave_no_error(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.open("Correct or lengthen it")
        for _ in range(5):
            visitor.press("Bar lines a beat later")
        visitor.wait("p.song.tracks[0].notes[0][1] > 0.3")
        for _ in range(3):
            visitor.press("Half tempo")
            visitor.press("Double tempo")
        visitor.waits_for_facts("150 beats a minute")


def test_stop_is_no_dead_end(visit, tune, tmp_path):
    with visit() as visitor:
        visitor.bring(written(tmp_path / "ten minutes.mid", range(1500)))
        visitor.waits_for_facts("Ten minutes")
        visitor.press("Play it with a band")
        visitor.page.locator("#stop").click()  # whether it is ready meanwhile or not
        visitor.page.locator("[aria-busy=true]#generate").wait_for(state="detached")
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany()
        visitor.waits_for_sound()


def test_strangers_text_is_no_element_and_asks_no_host(visit, tmp_path):
    evil = "<img src=https://evil.test/x.png><a href=https://evil.test>log in again</a>"
    with visit(f"?tempo={evil}&genre=pop") as visitor:  # the fixture watches requests
        assert "<img" in visitor.reads("link was not understood")
        tracks = [
            Track(f"{evil} {name}", 0, False, [Note(60 + beat % 5, 2.0 * beat, 1.0, 80)])
            for beat, name in enumerate(("one", "two"))
        ]
        write_midi(Score(tracks), tmp_path / "*b* `c` _d_.mid")
        visitor.bring(tmp_path / "*b* `c` _d_.mid")
        visitor.waits_for_facts("beats a minute")
        visitor.accompany()
        found = "img[src*=evil], a[href*=evil], #facts em, #facts code, [data-testid=toast-body] a"
        assert not visitor.page.locator(found).count()


def test_the_page_says_all_in_german(visit, tune):
    with visit(locale="de-DE", ready="Mit Band spielen") as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("C-Dur, 150 Schläge pro Minute, 4/4, 8 Takte")
        visitor.page.get_by_role("button", name="Mit Band spielen").click()
        visitor.wait("p.song")


def test_a_pickup_is_told_as_the_roll_numbers_it(visit):
    with visit() as visitor:
        visitor.example("Auld lang syne")
        visitor.waits_for_facts("16 bars and a pickup")
        last = "p.song.bars.length - 2 + p.song.first_bar"
        assert visitor.ask(f"[p.song.first_bar, {last}]") == [0, 16]


def test_while_a_melody_is_read_the_facts_of_the_one_before_are_gone(visit, tune, tmp_path):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        seen = visitor.page.evaluate_handle(
            """() => {
                const facts = document.getElementById("facts"), seen = [];
                new MutationObserver(() => seen.push(facts.dataset.reading ?? "read")).observe(
                    facts, { attributeFilter: ["data-reading"] });
                return seen;
            }"""
        )
        visitor.bring(written(tmp_path / "other.mid", range(16)))
        visitor.waits_for_facts("Other")
        visitor.page.wait_for_function("seen => seen.at(-1) === 'read'", arg=seen)
        assert seen.json_value()[0] == "Reading the melody…"
        visitor.bring(ROOT / "README.md")  # what can't be read leaves all as it was
        visitor.reads("")
        assert "Other" in visitor.waits_for_facts("Other")


def test_of_two_files_one_is_opened_and_the_visitor_told(visit, tune, tmp_path):
    other = written(tmp_path / "other.mid", range(16))
    with visit() as visitor:
        chooser = visitor.page.locator("#melody-file").get_by_test_id("file-upload")
        chooser.set_input_files([tune, other])
        assert "little tune.mid is opened" in visitor.reads("One melody at a time")
        visitor.waits_for_facts("Little tune")


def test_nobody_plays_is_told(visit):
    with visit() as visitor:
        visitor.example()
        visitor.tune()
        for name in ("drums", "bass", "guitar", "strings"):
            visitor.page.get_by_label(name, exact=True).uncheck()
        visitor.press("Play it with a band")
        assert "at least one instrument" in visitor.reads("Nobody plays")


def test_without_a_microphone_it_says_what_to_do(visit):
    with visit() as visitor:
        visitor.page.locator("#record").click()
        visitor.page.get_by_text("No microphone was found. Plug one in, or").first.wait_for()
