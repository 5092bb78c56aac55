"""`wallboard serve`: the pages, and with `--collect` everything else on one machine.

Loads nothing that opens sockets before the web worker has patched the standard library.
"""

import atexit
import os
import signal
import time
from collections.abc import Callable

from dashboard.commands.process import end_with_parent
from dashboard.config import Config, find, load
from dashboard.web.feed import Feed
from dashboard.web.server import serve
from dashboard.web.settings import WebSettings


def run_serve(option: str | None, *, host: str | None, port: int | None, ahead_s: float) -> int:
    """Serve the pages until told to stop.

    Args:
        option: `--config`.
        host, port: Of the configuration where not given.
        ahead_s: What the hotline's clock is ahead of the time of day: a demonstration's may be moved.
    """
    config = load(find(option))
    settings = WebSettings(
        name=config.hotline.name, zone=config.hotline.zone, language=config.hotline.language
    )
    end_with_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
    where = host or config.web.host, port or config.web.port
    return serve(lambda: make_feed(config, ahead_s), settings, *where)


def make_feed(config: Config, ahead_s: float) -> Feed:
    """The feed of a web worker, made in it; the embedded server is held for as long as the worker lives."""
    from dashboard.commands.context import open_store
    from dashboard.store.feed import Feed as StoreFeed

    holding = open_store(config)
    store = holding.__enter__()
    atexit.register(holding.__exit__, None, None, None)
    clock: Callable[[], float] = lambda: time.time() + ahead_s  # noqa: E731
    return StoreFeed(config, store.connect, clock=clock, moved_clock=ahead_s != 0, ensure=store.ensure)
