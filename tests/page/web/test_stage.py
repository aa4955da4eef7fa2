"""One screen: the result is in sight, inputs fold away, takes stay, links open with their take."""

from urllib.parse import urlsplit

import pytest

from tests.page.web.visitor import ROOT, Visitor, by_name, shown_notes

LAPTOP, HANDY = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
MOST_CONTROLS = 10
AXE = ROOT / "page" / "player" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def in_sight(visitor: Visitor, selector: str) -> bool:
    """Tell whether an element is within the window, as it is scrolled now."""
    return visitor.page.locator(selector).evaluate(
        """element => {
            const box = element.getBoundingClientRect();
            return element.checkVisibility() && box.top >= 0 && box.bottom <= innerHeight
                && box.left >= 0 && box.right <= innerWidth;
        }"""
    )


@pytest.mark.parametrize("window", [LAPTOP, HANDY], ids=["laptop", "phone"])
def test_the_result_is_in_sight_after_the_click(visit, window):
    with visit(viewport=window) as visitor:
        button = visitor.page.locator("#generate")
        assert in_sight(visitor, "#generate")
        button.click()
        assert button.get_attribute("aria-busy") == "true"  # it is said where one clicked
        visitor.waits_for_takes(1)
        for part in (".play", ".time", ".title", ".ruler"):
            assert in_sight(visitor, f"#song {part}"), part
        assert visitor.page.evaluate("scrollY") == 0
        visitor.page.locator("#generate:not([aria-busy])").wait_for()
        visitor.wait("p.position > 0.2")  # it begins by itself
        assert in_sight(visitor, "#song .playhead") or window == HANDY  # it may be tall there


def test_inputs_fold_away_and_come_back_with_one_click(visit):
    with visit(viewport=LAPTOP) as visitor:
        visitor.page.locator("#examples").wait_for()
        visitor.accompany()
        for part in ("#examples", "#sources", "#record-part", "#tune-part"):
            assert not visitor.page.locator(part).is_visible(), part
        visitor.press("Change melody")
        visitor.page.locator("#examples").wait_for()
        assert visitor.page.locator("#melody").get_attribute("aria-expanded") == "true"
        visitor.press("Change melody")
        assert not visitor.page.locator("#examples").is_visible()


def test_the_first_screen_has_few_controls(visit):
    with visit(viewport=LAPTOP) as visitor:
        visitor.wait("p.song")
        visitor.page.evaluate("document.body.focus()")
        seen = []
        for _ in range(3 * MOST_CONTROLS):  # each step of the tabulator key; cards are one group
            visitor.page.keyboard.press("Tab")
            here = visitor.page.evaluate(
                """(() => {
                    const here = document.activeElement;
                    if (here === document.body || here.matches('section')) return null;
                    return here.name || here.id || here.ariaLabel || here.innerText;
                })()"""
            )
            if here in seen:
                break
            if here:
                seen.append(here)
        assert "examples" in seen and "genres" in seen and "generate" in seen
        assert len(seen) <= MOST_CONTROLS, seen


def test_the_page_ends_on_a_phone(visit):
    height = "document.documentElement.scrollHeight"
    with visit(viewport=HANDY, has_touch=True) as visitor:
        assert visitor.page.evaluate(height) <= 3 * HANDY["height"]
        for genre in ("jazz", "rock"):
            visitor.accompany(genre=genre)
        for tab in ("Change", "Explore", "Blend", "Chords"):
            visitor.turn_to(tab)
            assert visitor.page.evaluate(height) <= 3 * HANDY["height"], tab


def test_a_genre_is_heard_at_a_press(visit):
    with visit() as visitor:
        visitor.page.evaluate(
            "window.heard = []; HTMLMediaElement.prototype.play = function () "
            "{ heard.push(this.src); return Promise.resolve(); }; 0"
        )
        for genre in ("Jazz", "Jazz", "Latin"):  # the chosen one again, too
            visitor.page.locator("#genres label").filter(has_text=genre).click()
        heard = visitor.page.evaluate("heard")
        assert [address.rsplit("/", 1)[-1] for address in heard] == [
            "jazz.mp3",
            "jazz.mp3",
            "latin.mp3",
        ]
        answer = visitor.page.request.get(heard[0])
        assert answer.ok and 10_000 < len(answer.body()) < 100_000


def test_takes_are_named_starred_deleted_and_stay(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(genre="pop")
        first = shown_notes(visitor)
        visitor.accompany(genre="jazz")
        visitor.accompany(genre="rock")
        rows = visitor.page.locator("#takes")
        rows.get_by_role("button", name="Star Little tune · Jazz").click()
        rows.get_by_role("button", name="Delete Little tune · Rock").click()
        rows.get_by_text("Deleted: Little tune · Rock").wait_for()
        assert visitor.takes() == ["Little tune · Pop", "Little tune · Jazz"]
        visitor.press("Bring back")
        visitor.waits_for_takes(3)
        rows.get_by_role("button", name="Delete Little tune · Rock").click()
        visitor.page.wait_for_function(
            "document.querySelectorAll('#takes li').length === 2", timeout=30_000
        )
        visitor.take("Little tune · Pop")
        rows.get_by_role("button", name="Rename Little tune · Pop").click()
        box = rows.get_by_label("Name of the take")
        box.fill("My <b>best</b>")
        box.press("Enter")
        rows.get_by_text("My <b>best</b>").wait_for()
        address = visitor.page.url.partition("?")[0]
        for come_back in (visitor.page.reload, lambda: visitor.page.goto(address)):
            visitor.page.wait_for_timeout(500)  # in which the browser has kept the takes
            come_back()
            visitor.waits_for_takes(2)
            assert visitor.takes() == ["My <b>best</b>", "Little tune · Jazz"]
            assert visitor.chosen() == "My <b>best</b>"
            star = rows.get_by_role("button", name="Star Little tune · Jazz")
            assert star.get_attribute("aria-pressed") == "true"
            again = shown_notes(visitor)
            assert {name: len(notes) for name, notes in again.items()} == {
                name: len(notes) for name, notes in first.items()
            }
        visitor.waits_for_facts("Little tune", "8 bars")
        visitor.accompany(genre="folk")  # and one can go on from there
        assert visitor.chosen() == "Little tune · Folk"


def test_a_link_opens_with_its_take(visit, tune):
    context = {"permissions": ["clipboard-read", "clipboard-write"]}
    with visit(**context) as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(genre="rock", seed=5)
        visitor.page.get_by_role("button", name="Lock drums").click()
        name = visitor.makes("Remake")
        first = by_name(visitor.notes("little tune_rock_6"))
        visitor.page.wait_for_function("location.hash.startsWith('#take=')")
        visitor.press("Copy link")
        visitor.page.get_by_text("The link is copied").wait_for()
        link = urlsplit(visitor.page.evaluate("navigator.clipboard.readText()"))
    with visit(f"?{link.query}#{link.fragment}") as visitor:
        visitor.waits_for_takes(1)
        assert visitor.chosen() == name == "Little tune · Rock: drums kept"
        visitor.waits_for_facts("Little tune", "8 bars")
        assert by_name(visitor.notes("little tune_rock_6")) == first
        visitor.turn_to("Change")
        assert visitor.makes("Remake").startswith("Little tune · Rock")


def test_another_melody_says_that_the_band_is_of_the_old_one(visit):
    with visit() as visitor:
        visitor.accompany()
        assert not visitor.page.locator("#notice p").is_visible()
        visitor.example("Greensleeves")
        notice = visitor.page.locator("#notice p")
        notice.get_by_text("Ode to joy · Pop is of another melody").wait_for()
        visitor.accompany()
        notice.wait_for(state="hidden")


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm ci in page/player")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_stands_in_anybodys_way(visit, theme):
    with visit(f"?__theme={theme}", viewport=LAPTOP) as visitor:
        visitor.wait("p.song")
        assert violations(visitor) == []
        for part in ("tune", "correct", "record"):
            visitor.page.locator(f"#{part}").click()
        assert violations(visitor) == []
        visitor.page.locator("#recorder").get_by_role("button", name="Play keys").click()
        assert violations(visitor) == []
        visitor.accompany()
        visitor.accompany(genre="jazz")
        for tab in ("Change", "Explore", "Blend", "Chords"):
            visitor.turn_to(tab)
            assert violations(visitor) == [], tab
        visitor.sees_downloads()
        visitor.page.locator("#downloads a").first.wait_for()
        assert violations(visitor) == []


def violations(visitor: Visitor) -> list[str]:
    """What axe-core finds: the rule, and the elements."""
    if not visitor.page.evaluate("!!window.axe"):
        visitor.page.add_script_tag(path=AXE)
    visitor.settles()
    found = visitor.page.evaluate(
        "tags => axe.run(document, { runOnly: { type: 'tag', values: tags } })", TAGS
    )
    return [
        f"{rule['id']}: {[node['html'][:160] for node in rule['nodes']]}"
        for rule in found["violations"]
    ]
