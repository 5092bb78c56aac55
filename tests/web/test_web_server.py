"""The server as a process: it listens where it is told, says one line when it cannot, and stops at once."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.errors import ConfigError
from dashboard.web.server import serve
from dashboard.web.settings import WebSettings
from tests.web.fake_feed import FakeFeed, hall

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def server(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.web.fake_feed", str(port)],
        cwd=ROOT,
        env={**os.environ, "HOME": str(home)},
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
            break
        except OSError:
            assert process.poll() is None, process.stderr and process.stderr.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield process, port
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_with_open_streams_takes_two_seconds_at_most(
    server: tuple[subprocess.Popen[bytes], int], home: Path, number: signal.Signals
) -> None:
    process, port = server
    streams = [urllib.request.urlopen(f"http://127.0.0.1:{port}/stream/hall", timeout=10) for _ in range(5)]
    for stream in streams:
        assert stream.readline() == b"event: beat\n"
    start = time.monotonic()
    process.send_signal(number)
    for stream in streams:
        stream.read()  # told to end
        stream.close()
    code = process.wait(timeout=10)
    assert time.monotonic() - start < 3
    assert code == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert list(home.iterdir()) == [], "nothing is left in the home directory"


def test_an_address_in_use_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            serve(lambda: FakeFeed(hall()), WebSettings(name="x", zone="UTC"), "127.0.0.1", port)
    assert str(caught.value) == (
        f"cannot listen on 127.0.0.1:{port} (Address already in use): "
        "stop what uses it, or choose another address or port"
    )


def test_the_server_loads_no_dash_before_its_worker_does() -> None:
    code = "import sys, dashboard.web.server; sys.exit(bool({'dash', 'flask', 'gevent'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
