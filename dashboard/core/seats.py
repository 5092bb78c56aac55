"""The state machine of one seat: what it does now, since when, and how its time is counted.

Pure. Events change a `Seat`; `settle` counts its time up to an instant into rows, split at slot borders. A
conversation is counted when it ends, because one whose end is never seen gives no talk to anybody.

Order of states: talking, wrap-up (for the queue's configured time), then what the seat itself is: signed out,
unknown, paused, ready.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from dashboard.core.counts import CALLS, QUEUE, SEAT, F, Rows, S
from dashboard.core.days import split

READY, RINGING, TALKING, HOLD, WRAP_UP = "ready", "ringing", "talking", "hold", "wrap_up"
PAUSED, SIGNED_OUT, UNREACHABLE, UNKNOWN = "paused", "signed_out", "unreachable", "unknown"

STATES = (TALKING, HOLD, RINGING, READY, WRAP_UP, PAUSED, SIGNED_OUT, UNREACHABLE, UNKNOWN)
"""Every state that a seat may be shown in, in the order of the legend."""

_TALK_DONE, _SEAT_WRAP_DONE, _PAUSED = S["talk_done_s"], S["wrap_done_s"], S["paused_s"]
_SIGNED_IN, _BUSY_SIGNED_IN = S["signed_in_s"], S["busy_signed_in_s"]
_PAUSED_SIGNED_IN = S["paused_signed_in_s"]
_WRAP_DONE = F["wrap_done_s"]


class Talk(msgspec.Struct, array_like=True, gc=False):
    """A conversation that a seat is in: its call, the leg's index in it, the queue, when it was connected."""

    callid: str
    leg: int
    queue: str
    since_s: int


class Wrap(msgspec.Struct, array_like=True, gc=False):
    """Time after a conversation, computed from the queue's setting: whose, from when, until when at the longest."""

    callid: str
    leg: int
    queue: str
    from_s: int
    until_s: int


class Shown(NamedTuple):
    """What a screen says of a seat: its state, since when, a pause's reason, and whether a pause waits under work."""

    state: str
    since_s: int
    reason: str
    pause_mark: bool


class Seat(msgspec.Struct, gc=False):
    """What is known of one seat in one source.

    Attributes:
        base: What it is when not at work: ready, paused, signed out, unknown.
        base_since_s: Since when.
        counted_s: Its time is counted up to here.
        free_s: When its last work ended.
        observed: Its sign-in was seen: its time counts for occupancy.
        busy_observed: The same, when the work in progress began.
        queues: The queues that it is known to be in.
        left: The queues that it was taken out of: a line of theirs that still comes does not bring it back.
        pauses: Queue -> reason, of the pauses that are open.
        reason: The latest pause's reason.
        talks: Conversations in progress.
        talked: Spans [from, to) after `counted_s` that are counted as talk already: of conversations that ended
            while another one, whose end may never be seen, went on.
        wrap: Wrap-up in progress or over and not yet counted.
    """

    base: str = UNKNOWN
    base_since_s: int = 0
    counted_s: int = 0
    free_s: int = 0
    observed: bool = False
    busy_observed: bool = False
    queues: list[str] = []
    left: list[str] = []
    pauses: dict[str, str] = {}
    reason: str = ""
    talks: list[Talk] = []
    talked: list[tuple[int, int]] = []
    wrap: Wrap | None = None


def shown(seat: Seat, at_s: float) -> Shown:
    """What a seat does at an instant not before its last event."""
    mark = bool(seat.pauses)
    if seat.talks:
        return Shown(TALKING, min(talk.since_s for talk in seat.talks), "", mark)
    if seat.wrap is not None and at_s < seat.wrap.until_s:
        return Shown(WRAP_UP, seat.wrap.from_s, "", mark)
    free_s = seat.wrap.until_s if seat.wrap is not None else seat.free_s
    since_s = max(seat.base_since_s, free_s)
    return Shown(seat.base, since_s, seat.reason if seat.base == PAUSED else "", False)


def rebase(seat: Seat, base: str, at_s: int) -> None:
    """Take another base state, if it is another."""
    if seat.base != base:
        seat.base = base
        seat.base_since_s = at_s


class Wrapped(NamedTuple):
    """A wrap-up that is over: the leg that it belongs to, and how long it lasted in seconds."""

    callid: str
    leg: int
    wrap_s: int


def settle(seat: Seat, seat_id: str, until_s: int, rows: Rows) -> Wrapped | None:
    """Count a seat's time up to an instant; nothing while it is in conversation.

    Args:
        seat: Changed in place.
        seat_id: Its rows' id.
        until_s: Epoch seconds; an instant before what is counted already counts nothing.
        rows: Where to.

    Returns:
        The wrap-up that ended by then, if one did.
    """
    if seat.talks:
        return None
    start_s = seat.counted_s
    wrapped = None
    wrap = seat.wrap
    if wrap is not None:
        end_s = min(until_s, wrap.until_s)
        if end_s > start_s:
            for slot, seconds in split(start_s, end_s):
                _credit_work(seat, seat_id, slot, seconds, _SEAT_WRAP_DONE, rows)
                rows.touch((QUEUE, wrap.queue, slot))[_WRAP_DONE] += seconds
                rows.touch((CALLS, "", slot))[_WRAP_DONE] += seconds
            seat.counted_s = start_s = end_s
        if until_s >= wrap.until_s:
            wrapped = end_wrap(seat, wrap.until_s)
    if until_s > start_s:
        if seat.base == PAUSED:
            for slot, seconds in split(start_s, until_s):
                row = rows.touch((SEAT, seat_id, slot))
                row[_PAUSED] += seconds
                if seat.observed:
                    row[_SIGNED_IN] += seconds
                    row[_PAUSED_SIGNED_IN] += seconds
        elif seat.observed:
            for slot, seconds in split(start_s, until_s):
                rows.touch((SEAT, seat_id, slot))[_SIGNED_IN] += seconds
        seat.counted_s = until_s
    return wrapped


def end_wrap(seat: Seat, at_s: int) -> Wrapped | None:
    """End the wrap-up at an instant (its full time, or earlier by the next call or by signing out)."""
    wrap = seat.wrap
    if wrap is None:
        return None
    seat.wrap = None
    seat.free_s = min(at_s, wrap.until_s)
    return Wrapped(wrap.callid, wrap.leg, max(0, seat.free_s - wrap.from_s))


def begin_talk(seat: Seat, talk: Talk) -> None:
    """A conversation begins; the seat's time is counted up to it."""
    if not seat.talks:
        seat.counted_s = max(seat.counted_s, talk.since_s)
        seat.busy_observed = seat.observed
    seat.talks = [*seat.talks, talk]


def end_talk(seat: Seat, seat_id: str, talk: Talk, at_s: int, rows: Rows) -> None:
    """A conversation ends: its time is counted as talk, a second in which there was another one only once."""
    if len(seat.talks) == 1 and not seat.talked:
        start_s = max(seat.counted_s, talk.since_s)
        known: Iterable[tuple[int, int]] = ((start_s, at_s),) if start_s < at_s else ()
    else:
        known = untalked(seat, talk.since_s, at_s)
    for start_s, end_s in known:
        for slot, seconds in split(start_s, end_s):
            _credit_work(seat, seat_id, slot, seconds, _TALK_DONE, rows)
    seat.talks = [other for other in seat.talks if other is not talk]
    if seat.talks:
        seat.talked = sorted([*seat.talked, *known])
    else:
        seat.counted_s = max(seat.counted_s, at_s)
        seat.talked = []
        seat.free_s = at_s


def cut_talk(seat: Seat, talk: Talk, at_s: int) -> None:
    """A conversation whose end is unknown is given up: nothing of it is counted."""
    seat.talks = [other for other in seat.talks if other is not talk]
    if seat.talks:
        seat.counted_s = max(seat.counted_s, min(other.since_s for other in seat.talks))
        seat.talked = [span for span in seat.talked if span[1] > seat.counted_s]
    else:
        seat.counted_s = max(seat.counted_s, at_s)
        seat.talked = []
        seat.free_s = at_s


def untalked(seat: Seat, start_s: int, end_s: int) -> list[tuple[int, int]]:
    """The parts of an interval that are not counted yet, in order, each of at least one second."""
    start_s = max(start_s, seat.counted_s)
    parts = []
    for from_s, to_s in seat.talked:
        parts.append((start_s, min(from_s, end_s)))
        start_s = max(start_s, to_s)
    parts.append((start_s, end_s))
    return [part for part in parts if part[0] < part[1]]


def _credit_work(seat: Seat, seat_id: str, slot: int, seconds: int, column: int, rows: Rows) -> None:
    row = rows.touch((SEAT, seat_id, slot))
    row[column] += seconds
    if seat.busy_observed:
        row[_SIGNED_IN] += seconds
        row[_BUSY_SIGNED_IN] += seconds
