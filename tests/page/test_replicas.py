"""Two replicas of the page behind Debian's nginx, as docs/nginx.conf has them; one is killed."""

import re
import shutil
import signal
import subprocess
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from gradio_client import Client, handle_file

from page.melodies import EXAMPLES
from tests.support.server import ROOT, free_port, serving

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
ODE = EXAMPLES["ode_to_joy"]
BROWSER = "Mozilla/5.0"

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not NGINX, reason="nginx is not installed"),
]


@contextmanager
def balanced(folder: Path, ports: list[int]):
    """nginx in front of replicas at these ports; gives its address."""
    text, own = (ROOT / "docs" / "nginx.conf").read_text(), free_port()
    for written, port in zip((7861, 7862, 8080), (*ports, own)):
        assert str(written) in text
        text = text.replace(str(written), str(port))
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 1;"
        f"events {{}} http {{ access_log off; {temporary} {text} }}"
    )
    process = subprocess.Popen([str(NGINX), "-c", str(config), "-p", str(folder)])
    try:
        time.sleep(1.0)
        assert process.poll() is None, (folder / "errors").read_text()
        yield f"http://127.0.0.1:{own}/"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def replica_of(address: str, cookie: str = "") -> tuple[str, str]:
    """The replica that answers a browser with a cookie, and the cookie that it keeps."""
    headers = {"user-agent": BROWSER} | ({"cookie": f"accomp={cookie}"} if cookie else {})
    with urlopen(Request(f"{address}health", headers=headers)) as answer:
        kept = re.match("accomp=([^;]+)", answer.headers["set-cookie"])
        assert kept
        return answer.headers["x-replica"].split(", ")[-1], kept[1]


def test_load_spreads_and_one_may_be_killed(tmp_path):
    with serving() as first, serving() as second:
        replicas = {urlsplit(each.url).netloc: each for each in (first, second)}
        with balanced(tmp_path, [urlsplit(each.url).port for each in (first, second)]) as address:
            visitors = [replica_of(address) for _ in range(24)]
            shares = [sum(name == each for each, _ in visitors) for name in replicas]
            assert min(shares) >= 4, shares
            assert all(replica_of(address, cookie)[0] == name for name, cookie in visitors)

            cookies = {name: cookie for name, cookie in visitors}
            clients = {
                name: Client(address, verbose=False, headers={"cookie": f"accomp={cookie}"})
                for name, cookie in cookies.items()
            }

            def ask(name: str) -> bytes:
                midi = clients[name].predict(handle_file(ODE), "pop", 1, api_name="/accompany")[2]
                return Path(midi).read_bytes()

            with ThreadPoolExecutor() as pool:
                before = list(pool.map(ask, replicas))
            assert before[0] == before[1]

            gone, left = replicas
            with ThreadPoolExecutor() as pool:
                lost = pool.submit(ask, gone)
                stays = pool.submit(ask, left)
                time.sleep(0.3)
                replicas[gone].process.kill()
                assert stays.result(120) == before[0]  # they notice nothing
                try:  # it was ready already, or there is a word
                    assert lost.result(120) == before[0]
                except CancelledError:  # what the client makes of a lost connection
                    pass
                except Exception as error:
                    assert str(error)
            assert replica_of(address, cookies[gone])[0] == left
            again = Client(address, verbose=False, headers={"cookie": f"accomp={cookies[gone]}"})
            song = again.predict(handle_file(ODE), "pop", 1, api_name="/accompany")[2]
            assert Path(song).read_bytes() == before[0]  # and they go on at the other
