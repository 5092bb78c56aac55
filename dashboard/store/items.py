"""What a collector gives to the writer, and the kinds of records that the archive keeps of it."""

from typing import NamedTuple

from dashboard.core.events import Event

LINE, REJECT, FILE, COVERED, GAP = "L", "R", "F", "C", "G"
"""Kinds of archived records: a source's own record, one that cannot be read, a change of file, up to when the source
was read (epoch seconds), and what happened where something was not delivered (words)."""


class Item(NamedTuple):
    """One record on its way into the archive.

    Attributes:
        kind: One of the kinds above.
        payload: As archived, without a caller's number.
        event: What it means; None for what does not count.
    """

    kind: str
    payload: bytes
    event: Event | None = None

    @property
    def at_s(self) -> int | None:
        """Its time, where it has one."""
        if self.event is not None:
            return self.event.at_s
        return int(self.payload) if self.kind == COVERED else None
