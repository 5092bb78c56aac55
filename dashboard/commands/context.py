"""What a command needs: the configuration, and Redis for as long as it runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dashboard.config import Config, find, load
from dashboard.store.connect import Client, connect
from dashboard.store.embedded import Embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Redis, as the configuration says it.

    Attributes:
        url: Its address.
        connect: Makes a client.
        ensure: Starts the embedded server again if it has gone; nothing for a configured one.
    """

    url: str
    connect: Callable[[], Client]
    ensure: Callable[[], object]


@contextmanager
def open_store(config: Config) -> Iterator[Store]:
    """Redis for as long as the block lasts; the embedded server is started where no address is configured."""
    url = config.redis_url()
    if url is not None:
        yield Store(url=url, connect=lambda: connect(url), ensure=lambda: None)
        return
    with Embedded(config.data_dir) as embedded:
        yield Store(url=embedded.url, connect=lambda: connect(embedded.url), ensure=embedded.ensure)


def configuration(option: str | None) -> Config:
    """The configuration of `--config`, WALLBOARD_CONFIG, or ./wallboard.toml."""
    return load(find(Path(option) if option else None))
