"""The page for everybody: on a phone, by keyboard, for screen readers, in the dark, in German."""

from tests.page.web.visitor import PHONE, Visitor

CONTROLS = (
    "button",
    "textbox",
    "checkbox",
    "slider",
    "combobox",
    "spinbutton",
    "link",
    "radio",
    "tab",
)


def nameless(page) -> list[str]:
    """Controls in the accessibility tree that a screen reader could not name."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    found = []
    for node in nodes:
        if (
            not node["ignored"]
            and node["role"]["value"] in CONTROLS
            and not node.get("name", {}).get("value", "").strip()
        ):
            html = session.send("DOM.getOuterHTML", {"backendNodeId": node["backendDOMNodeId"]})[
                "outerHTML"
            ]
            found.append(f"{node['role']['value']}: {html[:200]}")
    return found


def beyond(page) -> list[str]:
    """Visible controls that are not within the width of the window, nor in a row that scrolls."""
    return page.evaluate(
        """() => [
            ...document.querySelectorAll('button, input, select, textarea, a')
        ].filter((control) => {
            const box = control.getBoundingClientRect();
            if (control.closest('[aria-hidden=true]')) return false; // Gradio measures tabs with it
            const row = control.closest('.cards .wrap, #takes ol');
            const scrolls = row && row.scrollWidth > row.clientWidth
                && getComputedStyle(row).overflowX === 'auto';
            return control.checkVisibility({ visibilityProperty: true }) && box.width > 1
                && !scrolls && (box.left < -1 || box.right > innerWidth + 1);
        }).map((control) => control.outerHTML.slice(0, 120))"""
    )


def open_all(visitor: Visitor) -> None:
    """Of a page with a melody, what it has when there are two takes, too."""
    visitor.accompany()
    visitor.accompany(seed=1)
    for part in ("In the style of", "Settings of invented melodies", "Correct or lengthen it"):
        visitor.open(part)
    visitor.wants_melody()
    visitor.page.locator("#record").click()
    visitor.waits_for_sound()


WAYS = ("Play keys", "Sing")  # to record
TABS = ("Change", "Explore", "Blend", "Chords")


def test_on_a_phone_all_can_be_reached(visit):
    with visit(viewport=PHONE, has_touch=True, device_scale_factor=2) as visitor:
        page = visitor.page
        page.locator("#record").tap()
        for way in WAYS:
            page.locator("#recorder").get_by_role("button", name=way, exact=True).tap()
            assert visitor.width() <= PHONE["width"] and not beyond(page), way
        visitor.example("Greensleeves")
        open_all(visitor)
        for tab in TABS:
            visitor.turn_to(tab)
            assert visitor.width() <= PHONE["width"] and not beyond(page), tab
        visitor.picture("phone")
        visitor.wait("p.position > 0.2")  # it has begun by itself
        page.locator("#song .play").tap()
        visitor.wait("p.state === 'paused'")


def test_the_keyboard_alone_will_do(visit):
    with visit() as visitor:
        tab_to(visitor.page, "Ode to joy")
        visitor.page.keyboard.press("ArrowRight")
        visitor.waits_for_facts("When the saints")
        tab_to(visitor.page, "Pop")
        visitor.page.keyboard.press("ArrowLeft")
        tab_to(visitor.page, "Play it with a band")
        visitor.page.keyboard.press("Enter")
        visitor.waits_for_takes(1)
        visitor.waits_for_sound()
        tab_to(visitor.page, "Player: When the saints · Latin")
        visitor.wait("p.position > 0.3")
        visitor.page.keyboard.press("Space")
        visitor.wait("p.state === 'paused'")
        visitor.page.keyboard.press("Home")  # on a slow machine it may have played on to bar 2
        for _ in range(2):
            visitor.page.keyboard.press("Shift+ArrowRight")
        visitor.page.locator("#song .picked").get_by_text("Bars 1–2").wait_for()


def tab_to(page, name: str) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        here = page.evaluate(
            "document.activeElement.ariaLabel || document.activeElement.innerText"
            " || document.activeElement.labels?.[0]?.innerText || ''"
        )
        if here.strip() == name:
            return
    raise AssertionError(f"the tabulator key does not lead to {name!r}")


def test_every_control_has_a_name(visit, tune):
    with visit() as visitor:
        page = visitor.page
        visitor.page.locator("#record").click()
        for way in WAYS:
            page.locator("#recorder").get_by_role("button", name=way, exact=True).click()
            assert nameless(page) == [], way
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        open_all(visitor)
        for tab in TABS:
            visitor.turn_to(tab)
            assert nameless(page) == [], tab


def test_it_is_dark_where_that_is_wished(visit):
    with visit("?__theme=dark") as visitor:
        visitor.example()
        visitor.accompany()
        visitor.picture("dark")
        ground, text = visitor.page.evaluate(
            """(() => {
                const style = getComputedStyle(document.querySelector('#song .player'));
                return [style.backgroundColor, style.color].map(
                    colour => colour.match(/[0-9.]+/g).map(Number));
            })()"""
        )
        assert max(ground[:3]) < 80 and min(text[:3]) > 150
        visitor.stops()


def test_the_page_speaks_german_to_a_german_browser(visit):
    with visit(locale="de-DE", ready="Mit Band spielen") as visitor:
        for word in ("Aufnehmen", "Eine erfinden", "Feinheiten"):
            visitor.page.get_by_role("button", name=word, exact=True).wait_for()
        visitor.page.get_by_role("button", name="Feinheiten").click()
        visitor.page.get_by_label("Startzahl", exact=True).wait_for()
