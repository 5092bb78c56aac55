"""gunicorn's gevent worker, told to let its streams end when it is asked to stop.

Streams never end by themselves, so that a stop would wait for the whole graceful timeout.
"""

from types import FrameType
from typing import Any

import gevent
from gunicorn.workers.ggevent import GeventWorker

from dashboard.web.stream import HUB


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """Ends streams on SIGTERM, SIGINT and SIGQUIT."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._end_streams()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        self._end_streams()
        super().handle_quit(sig, frame)

    def _end_streams(self) -> None:
        server: Any = getattr(self, "wsgi", None)
        hub = getattr(server, "extensions", {}).get(HUB)
        if hub is not None:
            # Not here: a signal handler must not wait for a lock that the code it interrupted may hold.
            gevent.spawn(hub.stop)
