"""What a collector gives to the writer, and the kinds of records that the archive keeps of it."""

from typing import NamedTuple

from dashboard.core.events import Event
from dashboard.core.gaps import LOST, REASONS, Span

LINE, REJECT, FILE, COVERED, GAP, AWAY = "L", "R", "F", "C", "G", "A"
"""Kinds of archived records: a source's own record, one that cannot be read, a change of file, up to when the source
was read (epoch seconds), what happened where something was not delivered (`reason|words`), and that the source is
read again after nobody read it for a while (`since|now`, epoch seconds)."""


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


def loss(reason: str, detail: str) -> Item:
    """A loss: from here to the next record with a time, something was not delivered.

    Args:
        reason: One of `core.gaps.REASONS`.
        detail: What happened, in words.
    """
    text = f"{reason}|{detail}".encode("utf-8", "replace")
    return Item(GAP, text.replace(b"\n", b" "))


def loss_of(payload: bytes) -> tuple[str, str]:
    """Reason and detail of an archived loss; those of older versions have words only.

    >>> loss_of(b"truncated|the log was truncated"), loss_of(b"the log was truncated")
    (('truncated', 'the log was truncated'), ('lost', 'the log was truncated'))
    """
    text = payload.decode("utf-8", "replace")
    reason, bar, detail = text.partition("|")
    return (reason, detail) if bar and reason in REASONS else (LOST, text)


def away(since_s: int, now_s: int) -> Item:
    """The source is read again, after nobody had read it since a while."""
    return Item(AWAY, b"%d|%d" % (since_s, now_s))


def away_of(payload: bytes) -> Span:
    """Since when and up to when nobody read the source.

    >>> away_of(away(10, 20).payload)
    (10, 20)
    """
    since, _, now = payload.partition(b"|")
    return int(since), int(now)
