"""A Redis server of a benchmark's own, on a unix socket, with nothing kept on disk."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from dashboard.store.embedded import find_server


@contextlib.contextmanager
def own_redis(folder: Path) -> Iterator[str]:
    """The address of a server that lives as long as the block.

    Args:
        folder: Where its socket and log go; a short path.
    """
    socket = folder / "redis.s"
    options = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
    options += ["--appendonly", "no", "--loglevel", "warning"]
    with (folder / "redis.log").open("wb") as log:
        server = subprocess.Popen([find_server(), *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        with redis.Redis(unix_socket_path=str(socket)) as client:
            deadline_s = time.monotonic() + 10
            while True:
                with contextlib.suppress(redis.ConnectionError):
                    client.ping()
                    break
                if server.poll() is not None or time.monotonic() > deadline_s:
                    raise RuntimeError((folder / "redis.log").read_text("utf-8", "replace"))
                time.sleep(0.01)
        yield f"unix://{socket}?db=0"
    finally:
        server.kill()  # it has nothing to keep
        server.wait()


def server_name() -> str:
    """The name and version of the server that is used, as it says it."""
    said = subprocess.run([find_server(), "--version"], capture_output=True, text=True, check=False).stdout
    words = said.split()
    found = next((word[2:] for word in words if word.startswith("v=")), "of unknown version")
    return f"{words[0] if words else 'Redis'} {found}"
