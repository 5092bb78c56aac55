"""An address leads to a single server, a Sentinel's master or a Cluster; what is none is told before anything runs."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hotline import AFTER_S, batches_of, faulty, items_of, recording, stage, until

from dashboard.errors import ConfigError
from dashboard.store.connect import connect
from dashboard.store.embedded import find_server
from dashboard.store.feed import Feed
from dashboard.store.reader import Reader


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "redis+sentinel://host:26379"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ConfigError, match=r"\[redis\] url"):
        connect(url)


def test_a_sentinels_master_is_named_in_the_path() -> None:
    client = connect("redis+sentinel://:secret@one:26379,two/hotlines/3")
    pool = client.connection_pool
    assert pool.service_name == "hotlines"
    assert [s.connection_pool.connection_kwargs["host"] for s in pool.sentinel_manager.sentinels] == [
        "one",
        "two",
    ]
    assert (pool.connection_kwargs["db"], pool.connection_kwargs["password"]) == (3, "secret")
    client.close()


def test_a_silent_server_is_given_up_at_once(redis_url: str) -> None:
    client, connection = faulty(redis_url)
    connection.fault = (1, "request")
    with pytest.raises(redis.ConnectionError):
        client.get("x")
    assert connection.sent == 1, "not tried again: that is its user's business"
    client.close()


@pytest.fixture
def cluster() -> Iterator[str]:
    """A Cluster of one node, with all slots."""
    with tempfile.TemporaryDirectory(prefix="wb") as name:
        folder = Path(name)
        port = 17_000 + int.from_bytes(name.encode()[-2:], "big") % 9_000
        options = ["--port", str(port), "--cluster-enabled", "yes", "--dir", name, "--save", ""]
        with (folder / "log").open("wb") as out:
            server = subprocess.Popen([find_server(), *options], stdout=out, stderr=out)
        client = redis.Redis(port=port)
        try:
            until(lambda: pinged(client))
            client.execute_command("CLUSTER", "ADDSLOTS", *range(16_384))
            until(
                lambda: "ok" in str(client.execute_command("CLUSTER INFO")).partition("cluster_state")[2][:8]
            )
            yield f"redis+cluster://127.0.0.1:{port}"
        finally:
            client.close()
            server.kill()
            server.wait()


def pinged(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.mark.slow
def test_a_cluster_does_what_one_server_does(cluster: str, shared_data: Path, tmp_path: Path) -> None:
    played = recording(shared_data, "busy-a")
    here = stage(tmp_path, cluster, played.toml(log=tmp_path / "queue_log"))
    feed = Feed(here.config, lambda: connect(cluster), clock=lambda: here.now_s)
    with here.tools() as tools:
        feed.start()
        for batch in batches_of(items_of(tools, played.data), 100):
            tools.writer.write(batch)
        tools.writer.beat(AFTER_S, read=True)
        until(lambda: feed.hall().answers_today == 263)
        until(lambda: feed.beat().ages["pbx1"] is not None)
    feed.stop()
    before = here.counted()
    writer = here.writer()
    writer.open(rebuild=True)
    writer.close()
    assert here.counted() == before
    assert Reader(here.client, "fuzhou").sources() == ["pbx1"]
    here.client.close()
