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
    """Visible controls that are not within the width of the window."""
    return page.evaluate(
        """() => [
            ...document.querySelectorAll('button, input, select, textarea, a')
        ].filter((control) => {
            const box = control.getBoundingClientRect();
            return control.checkVisibility({ visibilityProperty: true }) && box.width > 1
                && (box.left < -1 || box.right > innerWidth + 1);
        }).map((control) => control.outerHTML.slice(0, 120))"""
    )


def open_all(visitor: Visitor) -> None:
    """Of a page with a melody, what it has when there are two takes, too."""
    for accordion in (
        "More settings",
        "In the style of",
        "Settings of invented melodies",
        "Correct key, metre or tempo",
    ):
        visitor.open(accordion)
    visitor.accompany()
    visitor.accompany(seed=1)
    for accordion in ("Blend two takes", "Explore an instrument"):
        visitor.open(accordion)
    visitor.waits_for_sound()


def test_on_a_phone_all_can_be_reached(visit):
    with visit(viewport=PHONE, has_touch=True, device_scale_factor=2) as visitor:
        page = visitor.page
        for tab in ("Record with a click", "Record", "A file"):
            page.get_by_role("tab", name=tab, exact=True).tap()
            assert visitor.width() <= PHONE["width"] and not beyond(page), tab
        visitor.example()
        open_all(visitor)
        assert visitor.width() <= PHONE["width"] and not beyond(page)
        visitor.picture("phone")
        page.locator("#song .play").tap()
        visitor.wait("song", "p.position > 0.2")


def test_the_keyboard_alone_will_do(visit):
    with visit() as visitor:
        tab_to(visitor.page, "Ode to joy")
        visitor.page.keyboard.press("Enter")
        visitor.waits_for_facts("Ode to joy")
        tab_to(visitor.page, "Accompany")
        visitor.page.keyboard.press("Enter")
        visitor.waits_for_sound()
        tab_to(visitor.page, "Player: 1: pop, seed 0")
        visitor.page.keyboard.press("Space")
        visitor.wait("song", "p.position > 0.3")
        visitor.page.keyboard.press("Space")
        for _ in range(2):
            visitor.page.keyboard.press("Shift+ArrowRight")
        visitor.page.locator("#song .picked").get_by_text("Bars 1–2").wait_for()


def tab_to(page, name: str) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        here = page.evaluate(
            "document.activeElement.ariaLabel || document.activeElement.innerText || ''"
        )
        if here.strip() == name:
            return
    raise AssertionError(f"the tabulator key does not lead to {name!r}")


def test_every_control_has_a_name(visit, tune):
    with visit() as visitor:
        page = visitor.page
        for tab in ("Record with a click", "Record", "A file"):
            page.get_by_role("tab", name=tab, exact=True).click()
            assert nameless(page) == [], tab
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        open_all(visitor)
        assert nameless(page) == []


def test_it_is_dark_where_that_is_wished(visit):
    with visit("?__theme=dark") as visitor:
        visitor.example()
        visitor.accompany()
        visitor.page.locator("#downloads").wait_for()
        visitor.picture("dark")
        ground, text = visitor.page.evaluate(
            """(() => {
                const style = getComputedStyle(document.querySelector('#song .player'));
                return [style.backgroundColor, style.color].map(
                    colour => colour.match(/[0-9.]+/g).map(Number));
            })()"""
        )
        assert max(ground[:3]) < 80 and min(text[:3]) > 150
        visitor.press("Stop")


def test_the_page_speaks_german_to_a_german_browser(visit):
    with visit(locale="de-DE", ready="Begleiten") as visitor:
        for word in (
            "Genre vorschlagen",
            "Drei Fassungen",
            "Zufälliges Beispiel probieren",
        ):
            visitor.page.get_by_role("button", name=word).wait_for()
        visitor.page.get_by_label("Startzahl").wait_for()
