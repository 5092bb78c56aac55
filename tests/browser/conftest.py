"""A real Chromium, servers with a feed that the test holds, and pages that fail a test by complaining."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from dashboard.core.views import HallView
from dashboard.web.app import hub_of, make_app
from dashboard.web.settings import WebSettings
from tests.web.fake_feed import FakeFeed, hall

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = WebSettings(name="福州12366", zone="Asia/Shanghai")
_WATCH = """
window.complaints = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.complaints.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; a skip where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("WALLBOARD_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium on this machine; tests/install_chromium.sh installs Debian's where it may")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None: ...


class Served:
    """The application in this process, with its feed at hand."""

    def __init__(self, feed: FakeFeed) -> None:
        self.feed = feed
        self._app = make_app(feed, SETTINGS)
        feed.start()
        hub_of(self._app).start()
        self._server = make_server("127.0.0.1", 0, self._app.server, threaded=True, request_handler=_Quiet)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self.feed.hung.set()
        hub_of(self._app).stop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[[HallView], Served]]:
    """Serve a view; change it through `.feed`."""
    running: list[Served] = []

    def start(view: HallView) -> Served:
        running.append(Served(FakeFeed(view)))
        return running[-1]

    yield start
    for served in running:
        served.stop()


class Process:
    """The real server as a process of its own, showing what a file says."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.web.fake_feed", str(self.port), str(self.file)],
            cwd=ROOT,
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=2).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        """SIGKILL to server and worker at once, as a power cut would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """A server process, started by the test."""
    file = tmp_path / "scenario.json"
    file.write_text("{}")
    process = Process(file)
    yield process
    process.kill()


class Wall:
    """A page and everything that it complained of."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.requested: list[str] = []
        self.loses_the_server = False
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requested.append(request.url))

    def open(self, url: str) -> Page:
        """Open the hall and wait until it is live."""
        self.page.goto(f"{url}/hall")
        self.page.wait_for_selector('#link[data-link="live"]', state="attached")
        self.page.wait_for_selector("#chart-wide svg", state="attached")
        return self.page

    def says(self, id_: str) -> str:
        """The text of an element."""
        return self.page.evaluate("(id) => document.getElementById(id).textContent", id_) or ""

    def wait_for(self, id_: str, text: str, timeout_s: float = 5) -> None:
        """Wait until an element says a text."""
        self.page.wait_for_function(
            "([id, text]) => document.getElementById(id)?.textContent === text",
            arg=[id_, text],
            timeout=timeout_s * 1000,
        )


@pytest.fixture
def wall(chromium: Browser) -> Iterator[Wall]:
    """A page of 1920×1080; the test fails if the console or the policy had an error to tell."""
    context = chromium.new_context(viewport={"width": 1920, "height": 1080})
    context.add_init_script(_WATCH)
    wall = Wall(context)
    yield wall
    complaints = wall.page.evaluate("window.complaints")
    context.close()
    # The browser itself reports each request that fails; a script cannot hush that.
    own = [error for error in wall.errors if not error.startswith("Failed to load resource")]
    assert (own if wall.loses_the_server else wall.errors) == []
    assert complaints == []


@pytest.fixture
def calm(serve: Callable[[HallView], Served]) -> Served:
    """A calm hall, served."""
    return serve(hall())
