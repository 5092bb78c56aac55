"""What a source tells, in the hotline's own words: one class an event.

Parsers make them, the fold takes them. All times are epoch seconds UTC by the source's clock; `queue` is the
switch's own name; `seat` is the configured seat's id, else the name that the source writes.
"""

from typing import Literal

import msgspec

Overflow = Literal["timeout", "key", "empty", "withdrawn", "moved"]


class Event(msgspec.Struct, frozen=True, gc=False):
    """Anything with a time; by itself it only moves the time on (a line of another verb).

    Attributes:
        at_s: Epoch seconds UTC.
    """

    at_s: int


class Skipped(Event, frozen=True, gc=False):
    """A record of a kind that is known not to count.

    Attributes:
        verb: Its name in the source.
    """

    verb: str


class Unknown(Event, frozen=True, gc=False):
    """A record of a kind that nobody described: counted and shown, without effect.

    Attributes:
        verb: Its name in the source.
    """

    verb: str


class SwitchStarted(Event, frozen=True, gc=False):
    """The switch has booted: whatever was in progress before has no end any more."""


class Offered(Event, frozen=True, gc=False):
    """A caller entered a queue, asking for a person.

    Attributes:
        callid: The call's id in its source.
        queue: The queue's name.
        origin: Where the call came from, without its number; None where unknown or secret.
    """

    callid: str
    queue: str
    origin: str | None = None


class Answered(Event, frozen=True, gc=False):
    """A waiting caller was connected to a seat.

    Attributes:
        wait_s: Seconds waited in this queue, the source's own field, ringing included.
    """

    callid: str
    queue: str
    seat: str
    wait_s: int


class Ended(Event, frozen=True, gc=False):
    """A conversation ended for its seat, by hanging up or by a transfer.

    Attributes:
        talk_s: Seconds of the conversation, the source's own field.
    """

    callid: str
    queue: str
    seat: str
    talk_s: int


class Abandoned(Event, frozen=True, gc=False):
    """A caller hung up while waiting.

    Attributes:
        wait_s: Seconds waited in this queue.
    """

    callid: str
    queue: str
    wait_s: int


class Overflowed(Event, frozen=True, gc=False):
    """A caller left a queue in another way than by hanging up.

    Attributes:
        reason: Which way.
        wait_s: Seconds waited in this queue.
    """

    callid: str
    queue: str
    wait_s: int
    reason: Overflow


class Refused(Event, frozen=True, gc=False):
    """A caller was not let into a queue.

    Attributes:
        status: The switch's word for why: FULL, JOINEMPTY, UNKNOWN …
    """

    callid: str
    queue: str
    status: str


class SignedIn(Event, frozen=True, gc=False):
    """A seat was added to a queue.

    Attributes:
        paused: Whether it was added paused.
    """

    seat: str
    queue: str
    paused: bool = False


class SignedOut(Event, frozen=True, gc=False):
    """A seat was taken out of a queue."""

    seat: str
    queue: str


class Paused(Event, frozen=True, gc=False):
    """A seat was paused in one queue.

    Attributes:
        reason: As the person or the switch gave it; may be empty.
    """

    seat: str
    queue: str
    reason: str


class Unpaused(Event, frozen=True, gc=False):
    """A seat's pause in one queue ended."""

    seat: str
    queue: str


class RingMissed(Event, frozen=True, gc=False):
    """A seat was rung and did not answer, or refused.

    Attributes:
        ring_ms: Milliseconds rung.
    """

    callid: str
    seat: str
    queue: str
    ring_ms: int


class SeatSeen(Event, frozen=True, gc=False):
    """A record that names a seat and shows only that it is there."""

    seat: str
    queue: str
