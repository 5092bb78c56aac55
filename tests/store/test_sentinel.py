"""A real Sentinel, a primary and a replica: the primary dies under a running writer, and no number changes."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hotline import AFTER_S, Recording, batches_of, items_of, stage, until

from dashboard.errors import StoreUnavailable
from dashboard.store.connect import connect
from dashboard.store.embedded import find_server

PLAYED = Recording(Path(__file__).resolve().parents[1] / "recordings" / "asterisk" / "restart")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Servers:
    """A primary, its replica, and the Sentinel that watches them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = [free_port() for _ in range(3)]
        self.processes: list[subprocess.Popen[bytes]] = []
        primary, replica, sentinel = self.ports
        config = folder / "sentinel.conf"
        config.write_text(
            f"port {sentinel}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor hotlines 127.0.0.1 {primary} 1\n"
            "sentinel down-after-milliseconds hotlines 500\n"
            "sentinel failover-timeout hotlines 3000\n"
        )
        self._start("--port", str(primary), "--bind", "127.0.0.1", "--save", "")
        self._start("--port", str(replica), "--bind", "127.0.0.1", "--save", "")
        self._answers(primary)
        self._answers(replica)
        with redis.Redis(port=replica) as client:
            client.replicaof("127.0.0.1", primary)
            until(lambda: client.info("replication")["master_link_status"] == "up", 60, "replica")
        self._start(str(config), "--sentinel")
        self._answers(sentinel)
        with redis.Redis(port=sentinel) as client:
            until(lambda: client.sentinel_slaves("hotlines"), 60, "the Sentinel knows the replica")

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.ports[2]}/hotlines"

    def _start(self, *words: str) -> None:
        with (self.folder / "log").open("ab") as out:
            self.processes.append(
                subprocess.Popen([find_server(), *words], cwd=self.folder, stdout=out, stderr=out)
            )

    def _answers(self, port: int) -> None:
        def pinged() -> bool:
            with redis.Redis(port=port) as client:
                try:
                    return bool(client.ping())
                except redis.ConnectionError:
                    return False

        until(pinged, 60, (self.folder / "log").read_text("utf-8", "replace"))

    def kill_primary(self) -> None:
        self.processes[0].kill()
        self.processes[0].wait()

    def primary_port(self) -> int:
        with redis.Redis(port=self.ports[2]) as client:
            return int(client.sentinel_get_master_addr_by_name("hotlines")[1])

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def servers() -> Iterator[Servers]:
    folder = Path(tempfile.mkdtemp(prefix="wb"))
    found = None
    try:
        found = Servers(folder)
        yield found
    finally:
        if found is not None:
            found.close()
        shutil.rmtree(folder)


@pytest.mark.slow
def test_a_failover_under_a_running_writer_changes_no_number(
    servers: Servers, tmp_path: Path, redis_url: str
) -> None:
    toml = PLAYED.toml(log=tmp_path / "none")
    alone = stage(tmp_path / "alone", redis_url, toml)
    with alone.tools() as tools:
        tools.writer.write(items_of(tools, PLAYED.data))
    here = stage(tmp_path / "here", servers.url, toml)
    here.client.close()
    here.client = connect(servers.url)
    with here.tools() as tools:
        batches = list(batches_of(items_of(tools, PLAYED.data), 40))
        for number, batch in enumerate(batches):
            if number == len(batches) // 2:
                servers.kill_primary()
            tools.writer.write(batch)  # archived, whether or not there is a primary

        def counted_again() -> bool:
            try:
                tools.writer.beat(AFTER_S, read=True)
            except StoreUnavailable:
                return False
            return True

        until(counted_again, 90, "the writer has found the new primary")
        assert servers.primary_port() == servers.ports[1]
        assert here.counted() == alone.counted()
    here.client.close()
