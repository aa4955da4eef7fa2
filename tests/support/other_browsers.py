"""Firefox and WebKit for tests of the page, driven by the protocols that they come with.

Firefox speaks WebDriver BiDi over a socket, WebKitGTK the older WebDriver over HTTP. Both want a
sound card to let anything sound: where there is none, PulseAudio gives them a sink that nobody
hears.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import Request, urlopen

import pytest

PATIENCE = 120  # seconds: a browser's start on a busy machine
PREFERENCES = {
    "media.cubeb.sandbox": False,  # else it waits for a sound card's process
    "security.sandbox.content.level": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
}


class Page:
    """A page in a browser; `evaluate` and `click` are the browser's."""

    def evaluate(self, expression: str) -> Any:
        raise NotImplementedError

    def click(self, selector: str) -> None:
        raise NotImplementedError

    def wait(self, expression: str, seconds: float = PATIENCE) -> Any:
        """What a JavaScript expression is as soon as it is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := self.evaluate(f"(() => {{ try {{ return {expression} }} catch {{ }} }})()"):
                return found
            time.sleep(0.1)
        raise AssertionError(f"it has not come about: {expression}")


class BidiPage(Page):
    """The page of a Firefox that listens to WebDriver BiDi."""

    def __init__(self, link):
        self.link, self.number = link, 0
        self.call("session.new", capabilities={})
        self.context = self.call("browsingContext.getTree")["contexts"][0]["context"]
        size = {"width": 1280, "height": 900}
        self.call("browsingContext.setViewport", context=self.context, viewport=size)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self.number += 1
        self.link.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            answer = json.loads(self.link.recv(PATIENCE))
            if answer.get("id") == self.number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def open(self, url: str) -> None:
        self.call("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        found = self.call(
            "script.evaluate",
            expression=f"Promise.resolve({expression}).then(x => JSON.stringify(x ?? null))",
            target={"context": self.context},
            awaitPromise=True,
        )
        assert found["type"] == "success", found
        return json.loads(found["result"]["value"])

    def click(self, selector: str) -> None:
        x, y = self.evaluate(place_of(selector))
        moves = [
            {"type": "pointerMove", "x": round(x), "y": round(y)},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        pointer = {"type": "pointer", "id": "mouse", "actions": moves}
        self.call("input.performActions", context=self.context, actions=[pointer])


class DriverPage(Page):
    """The page of a browser behind a WebDriver."""

    def __init__(self, url: str, capabilities: dict[str, Any]):
        self.url = url
        wanted = {"capabilities": {"alwaysMatch": capabilities}}
        self.session = self.call("POST", "/session", wanted)["sessionId"]

    def call(self, method: str, path: str, body: dict | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data, {"Content-Type": "application/json"})
        request.method = method
        with urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]

    def open(self, url: str) -> None:
        self.call("POST", f"/session/{self.session}/url", {"url": url})

    def evaluate(self, expression: str) -> Any:
        script = f"const done = arguments[0]; Promise.resolve({expression}).then(done)"
        body = {"script": script, "args": []}
        return self.call("POST", f"/session/{self.session}/execute/async", body)

    def click(self, selector: str) -> None:
        self.evaluate(place_of(selector))
        query = {"using": "css selector", "value": selector}
        element = self.call("POST", f"/session/{self.session}/element", query)
        name = next(iter(element.values()))
        self.call("POST", f"/session/{self.session}/element/{name}/click", {})

    def close(self) -> None:
        self.call("DELETE", f"/session/{self.session}")


def place_of(selector: str) -> str:
    """A JavaScript expression: the middle of an element, which is brought into view."""
    return f"""(() => {{
        const element = document.querySelector({json.dumps(selector)});
        element.scrollIntoView({{ block: "center" }});
        const box = element.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2];
    }})()"""


@contextmanager
def firefox() -> Iterator[BidiPage]:
    """A page in Firefox, without a window."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if not program:
        pytest.skip("firefox is not installed")
    client = pytest.importorskip("websockets.sync.client", reason="websockets is not installed")
    with TemporaryDirectory() as profile, silent_sink() as environment:
        lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items())
        Path(profile, "user.js").write_text("\n".join(lines))
        port = free_port()
        words = ["--headless", "--no-remote", "--profile", profile]
        with running([program, *words, f"--remote-debugging-port={port}"], environment):
            url = f"ws://127.0.0.1:{port}/session"
            with eventually(lambda: client.connect(url, max_size=None)) as link:
                yield BidiPage(link)


@contextmanager
def webkit() -> Iterator[DriverPage]:
    """A page in WebKitGTK, on a screen that nobody sees."""
    driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    if not driver or not screen:
        pytest.skip("WebKitWebDriver or Xvfb is not installed")
    browsers = sorted(Path("/usr/lib").glob("*/webkit2gtk-4*/MiniBrowser"))
    options = {"binary": str(browsers[-1]), "args": ["--automation"]} if browsers else {}
    with ExitStack() as stack:
        environment = stack.enter_context(silent_sink())
        folder = stack.enter_context(TemporaryDirectory())
        display = f":{100 + os.getpid() % 800}"
        stack.enter_context(running([screen, display, "-screen", "0", "1280x900x24"], environment))
        environment |= {"DISPLAY": display, "HOME": folder, "LIBGL_ALWAYS_SOFTWARE": "1"}
        port = free_port()
        stack.enter_context(running([driver, f"--port={port}"], environment))
        url = f"http://127.0.0.1:{port}"
        page = eventually(lambda: DriverPage(url, {"webkitgtk:browserOptions": options}))
        stack.callback(page.close)
        yield page


@contextmanager
def silent_sink() -> Iterator[dict[str, str]]:
    """Environment variables by which programs find a sound card, if only one that is silent."""
    environment = dict(os.environ)
    if not (program := shutil.which("pulseaudio")):
        if not Path("/proc/asound/cards").exists():
            pytest.skip("there is no sound card, and no pulseaudio for a silent one")
        yield environment
        return
    with TemporaryDirectory() as folder:
        socket_path = Path(folder, "native")
        protocol = f"module-native-protocol-unix auth-anonymous=1 socket={socket_path}"
        words = ["-n", "--daemonize=no", "--exit-idle-time=-1", "-L", "module-null-sink"]
        environment |= {"XDG_RUNTIME_DIR": folder, "PULSE_RUNTIME_PATH": folder}
        with running([program, *words, "-L", protocol], environment):
            eventually(socket_path.stat)
            yield environment | {"PULSE_SERVER": f"unix:{socket_path}"}


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=environment, **quiet)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def eventually(attempt):
    """What comes of an attempt as soon as it does not fail any more."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return attempt()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
