"""Serves the application: gunicorn with one gevent worker, run from here rather than from a command line.

Nothing of Dash is loaded before the worker has patched the standard library; so this module loads none of it.
"""

import contextlib
import logging
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication

from dashboard.errors import ConfigError, WallboardError
from dashboard.web.feed import Feed
from dashboard.web.settings import WebSettings

GRACE_S = 2
CONNECTIONS = 4000
"""Streams and requests at once in one process; a thousand screens and as many again while they reconnect."""

log = logging.getLogger(__name__)


def serve(
    make_feed: Callable[[], Feed], settings: WebSettings, host: str = "127.0.0.1", port: int = 8050
) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        make_feed: Makes the feed, in the worker; it had better import what opens sockets or threads itself, so
            that gevent has patched them by then.
        settings: Of the web process.
        host: Where to listen; only this machine unless told otherwise.
        port: Likewise; 0 takes a free one.

    Returns:
        The exit code.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    _raise_file_limit()
    with _listen(host, port) as listener:
        try:
            _Server(make_feed, settings, listener).run()
        except SystemExit as exc:
            return exc.code if isinstance(exc.code, int) else 1
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """Bind before gunicorn starts: it would try five times and print as many lines."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as exc:
        why = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else exc.strerror
        raise ConfigError(
            f"cannot listen on {host}:{port} ({why}): stop what uses it, or choose another address or port"
        ) from exc


def _raise_file_limit() -> None:
    """A stream is an open file; the usual soft limit of 1,024 is fewer than a thousand screens."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 2 * CONNECTIONS if hard == resource.RLIM_INFINITY else min(2 * CONNECTIONS, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, make_feed: Callable[[], Feed], settings: WebSettings, listener: socket.socket) -> None:
        self._make_feed = make_feed
        self._settings = settings
        self._listener = listener
        super().__init__()

    def load_config(self) -> None:
        # gunicorn closes the descriptor that it is given, so it gets one of its own.
        descriptor = self._listener.dup().detach()
        options = {
            "bind": f"fd://{descriptor}",
            "workers": 1,
            "worker_class": "dashboard.web.worker.Worker",
            "worker_connections": CONNECTIONS,
            "preload_app": False,
            "graceful_timeout": GRACE_S,
            "timeout": 60,
            "keepalive": 5,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            # It would be written into the home directory.
            "control_socket_disable": True,
            "proc_name": "wallboard",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Make and start the application; called in the worker, after gevent has patched the standard library."""
        from dashboard.web.app import hub_of, make_app

        try:
            feed = self._make_feed()
            feed.start()
            app = make_app(feed, self._settings)
        except WallboardError as exc:
            print(exc, file=sys.stderr)  # noqa: T201  the operator's line, instead of a traceback
            sys.exit(4)  # tells gunicorn that starting it again will not help
        hub_of(app).start()
        return app.server
