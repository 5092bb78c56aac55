"""What the screens need of the data: the interface between the web process and the store.

`store.feed` keeps it; tests have one of their own. Only the hub asks often; whoever asks gets values from memory.
"""

from typing import Protocol

from dashboard.core.views import Beat, HallView

__all__ = ["Beat", "Feed"]


class Feed(Protocol):
    """Where views come from; may be asked from several threads or greenlets."""

    def start(self) -> None:
        """Begin to listen; called once, in the process that serves."""

    def wait(self, seen: int, timeout_s: float) -> int:
        """Return the newest change's number, after waiting while it is `seen`, at most so long."""

    def hall(self) -> HallView:
        """The hall as it is now, from memory. Without data it is a view that says so, never an error."""

    def beat(self) -> Beat:
        """The data's age and the clock, from memory."""
