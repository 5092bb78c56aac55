"""What every test may ask for: a real Redis server, the shared recordings, and Hypothesis's manners.

One server a test process (so one an xdist worker), on a unix socket, with nothing kept on disk.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, settings

from dashboard.store.embedded import find_server


def pytest_configure() -> None:
    """Times on a busy machine are no property of the code; in CI the same examples are tried each time."""
    settings.register_profile(
        "default",
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize="CI" in os.environ,
    )
    settings.load_profile("default")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared recordings beside the checkout, or where WALLBOARD_SHARED says; else a skip."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("WALLBOARD_SHARED") or beside)
    if not folder.is_dir():
        pytest.skip(f"no shared recordings at {folder}; WALLBOARD_SHARED names the folder")
    return folder


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """A server of this test process; its URL. Ask for `redis_url` instead, it is empty each time."""
    folder = Path(tempfile.mkdtemp(prefix="wb"))  # short: pytest's own folders may be too long for a socket
    socket = folder / "s"
    options = ["--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(folder)]
    options += ["--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning"]
    log = folder / "log"
    with log.open("wb") as out:
        server = subprocess.Popen([find_server(), *options], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        with redis.Redis(unix_socket_path=str(socket)) as client:
            deadline = time.monotonic() + 10
            while True:
                with contextlib.suppress(redis.ConnectionError):
                    client.ping()
                    break
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"the tests' Redis server did not start: {log.read_text(errors='replace')}")
                time.sleep(0.01)
        yield f"unix://{socket}?db=0"
    finally:
        server.kill()  # it has nothing to keep
        server.wait()
        shutil.rmtree(folder)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The URL of a real, empty server."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of a real, empty server; it answers in bytes."""
    with redis.Redis.from_url(redis_url, decode_responses=False) as client:
        yield client
