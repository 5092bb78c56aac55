"""An address -> a Redis client: single, Sentinel or Cluster.

redis://host:6379/0   rediss://…   unix:///run/redis.sock?db=0
redis+sentinel://host:26379,host2:26379/mymaster/0
redis+cluster://host:6379
"""

from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.retry import Retry
from redis.sentinel import Sentinel

from dashboard.errors import ConfigError

TIMEOUT_S = 2.0
"""A Redis that is stopped sends no error; whoever waits longer shows old figures as new ones."""

Client: TypeAlias = Any
"""A Redis, Sentinel-backed or Cluster client: their own types do not know that answers here are bytes."""

ERROR = (redis.RedisError, redis.exceptions.RedisClusterException, OSError)
"""What a client raises when Redis is away, or is there and does not do what it is asked now (out of memory, a full
disk, a failover, no right). Trying again may help, so nobody ends because of it."""


def connect(url: str, *, timeout_s: float = TIMEOUT_S) -> Client:
    """A client that raises at once when Redis is away; retrying is its user's business.

    Args:
        url: One of the forms above.
        timeout_s: Seconds until a silent Redis counts as away.

    Raises:
        ConfigError: The address has none of the forms.
    """
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), 0),
    }
    parts = urlsplit(url)
    if parts.scheme in ("redis", "rediss", "unix"):
        return redis.Redis.from_url(url, **options)
    if parts.scheme == "redis+sentinel":
        hosts = []
        for host in parts.netloc.rpartition("@")[2].split(","):
            name, _, port = host.partition(":")
            hosts.append((name, int(port or 26379)))
        master, _, db = parts.path.strip("/").partition("/")
        if not master:
            raise ConfigError(
                f"[redis] url: {url} names no master; write redis+sentinel://host:26379/mymaster/0"
            )
        sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]
            hosts, sentinel_kwargs={"socket_timeout": timeout_s}, **options
        )
        return sentinel.master_for(master, db=int(db or 0), password=parts.password)
    if parts.scheme == "redis+cluster":
        return RedisCluster.from_url(url.replace("redis+cluster", "redis", 1), socket_timeout=timeout_s)
    raise ConfigError(
        f"[redis] url: {parts.scheme or url[:20]} is not a kind of address; "
        "allowed: redis://, rediss://, unix://, redis+sentinel://, redis+cluster://"
    )


def script(name: str) -> str:
    """The text of a Lua script of this package."""
    return Path(__file__).with_name(name).read_text("utf-8")
