"""Asterisk queue_log lines -> canonical events, and the same lines without numbers.

One line is `epoch|callid|queue|agent|verb|data1|...`, written by Asterisk 13 to 22 (and 11's TRANSFER).
Nothing in it is escaped, so a `|` inside a name moves every field after it: such names are settled by the
configuration, never guessed. Pure: no files, no clock, no network. `follow.py` reads the files.

Source: Asterisk's `main/logger.c` and `apps/app_queue.c`, branches 11 to 22, and recordings of 22.10.1.
"""

import contextlib
import re
from collections.abc import Callable
from typing import NamedTuple

from dashboard.core.events import (
    Abandoned,
    Answered,
    Ended,
    Event,
    Offered,
    Overflow,
    Overflowed,
    Paused,
    Refused,
    RingMissed,
    SeatSeen,
    SignedIn,
    SignedOut,
    Skipped,
    SwitchStarted,
    Unknown,
    Unpaused,
)
from dashboard.core.names import Names, readable
from dashboard.core.places import mask_digits, origin
from dashboard.errors import RecordMalformed

LONGEST_LINE = 16_384
"""Characters; Asterisk writes at most 8,191 bytes, and `follow.py` cuts at four times this many bytes."""

LONGEST_NUMBER = 64
LONGEST_CALLID = 200  # Asterisk allows 149
LONGEST_VERB = 80
LONGEST_MESSAGE = 200
POSITION_DIGITS = 5
SECONDS_DIGITS = 9
EARLIEST, LATEST = "1000000000", "4000000000"  # 2001 to 2096; as texts of one length they compare as numbers
MOST_READINGS = 256

_NAME_IT = "a name in it contains |; name that queue or seat in the configuration"
_NOBODY = "NONE"  # what Asterisk writes where there is no queue, no agent or no call
_CALLID = re.compile(r"(?:[A-Za-z0-9_.-]{1,60}-)?[1-3][0-9]{9}\.[0-9]{1,10}|NONE|MANAGER|CLI|REALTIME")
_DIGIT = re.compile(r"[0-9]")
_STATUS = re.compile(r"[A-Z_]{1,40}")


class Masked(NamedTuple):
    """A line as it may be archived, and what was in it.

    Attributes:
        line: The line without its number, its caller's name and its transfer's target.
        callid: The call's id; None where the line has none, or cannot be read.
        number: The caller's number as the switch wrote it, never to be archived; None where there is none.
        queue: The queue's name; None as with the call's id.
    """

    line: bytes
    callid: str | None
    number: str | None
    queue: str | None


class Record(NamedTuple):
    """A line, read.

    Attributes:
        line: As it is archived: masked.
        event: What it tells; None where it cannot be read.
        reject: Why it cannot be read, without any number; None where it can.
        number: The caller's number of an ENTERQUEUE into a queue that is not secret; None else.
        callid: The call's id; None where the line has none.
        origin: Where that call came from, without its number; None where unknown or secret.
    """

    line: bytes
    event: Event | None
    reject: str | None
    number: str | None
    callid: str | None
    origin: str | None


class _Unfit(Exception):
    """The line cannot be read so; holds why in plain words, without any part of the line."""


def parse_line(line: str, names: Names, origin: str | None = None) -> Event:
    """Read one line.

    Args:
        line: One line without its newline, decoded as UTF-8 with `surrogateescape`; masked or not.
        names: Configured queue and seat names; they settle a `|` inside a name.
        origin: Where the call came from, for an ENTERQUEUE; no line tells it once it is masked.

    Returns:
        The event; `Skipped(verb)` for a verb known not to count and for a member that is no configured seat,
        `Unknown(verb)` for any other verb.

    Raises:
        RecordMalformed: Too few fields, a number field holds something else, or a name with `|` in it is
            not configured; the operator is told which.

    >>> from dashboard.core.names import NO_NAMES
    >>> parse_line("1700000012|1700000000.1|consult|Local/101|CONNECT|12|1700000000.2|4", NO_NAMES).wait_s
    12
    """
    line = line.lstrip("\0").rstrip("\r")
    try:
        event = _resolve(line, names)[0]
    except _Unfit as unfit:
        raise RecordMalformed(_message(unfit, _mask_unreadable(line))) from unfit
    if origin is not None and type(event) is Offered:
        return Offered(event.at_s, event.callid, event.queue, origin)
    return event


def replay(line: bytes, origin: str | None, names: Names) -> Event:
    """Read a masked line of the archive again.

    Args:
        line: As `read` or `mask` gave it.
        origin: As `read` gave it.
        names: Today's names; a line rejected under yesterday's may be read now.

    Raises:
        RecordMalformed: As `parse_line`.
    """
    return parse_line(line.decode("utf-8", "surrogateescape"), names, origin)


def time_of(line: bytes) -> int | None:
    """The time of a line, whether or not the rest of it can be read; None where it has none.

    >>> time_of(b"1700000012|NONE|NONE|NONE|CONFIGRELOAD|"), time_of(b"no line")
    (1700000012, None)
    """
    text = line[:10].decode("ascii", "replace")
    return int(text) if line[10:11] == b"|" and _is_time(text) else None


def mask(line: bytes, names: Names) -> Masked:
    """Blank what may identify a caller; the line still reads as the same event.

    Of ENTERQUEUE the number and the name go, of transfers the target; in free text (url, reason, info, lines
    of other verbs, unreadable lines) every run of seven or more digits. A line that holds no such thing comes
    back as the same object.
    """
    line, text = _clean(line)
    try:
        event, verb_at, fields = _resolve(text, names)
    except _Unfit:
        return Masked(_mask_rejected(text, names), None, None, None)
    number = _number(fields, verb_at) if type(event) is Offered else None
    return Masked(
        _mask_fields(line, fields, verb_at),
        getattr(event, "callid", None),
        number,
        getattr(event, "queue", None),
    )


def read(line: bytes, names: Names, home_area: str | None, secret: Callable[[str], bool]) -> Record:
    """Read one line of a switch's own file: everything that the collector needs of it, in one pass.

    Args:
        line: One line without its newline, as the switch wrote it.
        names: Configured queue and seat names.
        home_area: The hotline's own area code, see `places.origin`.
        secret: Whether a queue's callers must not be identifiable; asked with the queue's name.

    Returns:
        The record; it never raises for what a line holds.

    Raises:
        ValueError: `home_area` is not an area code.
    """
    line, text = _clean(line)
    try:
        event, verb_at, fields = _resolve(text, names)
    except _Unfit as unfit:
        message = _message(unfit, _mask_unreadable(text))
        return Record(_mask_rejected(text, names), None, message, None, None, None)
    if type(event) is not Offered:
        # Few lines hold anything to blank, and looking at the verb is cheaper than asking each class.
        callid = getattr(event, "callid", None)
        if fields[verb_at] in _MASKS or type(event) is Unknown:
            line = _mask_fields(line, fields, verb_at)
        return Record(line, event, None, None, callid, None)
    number = None if secret(event.queue) else _number(fields, verb_at)
    came_from = None if number is None else origin(number, home_area)
    if came_from is not None:
        event = Offered(event.at_s, event.callid, event.queue, came_from)
    return Record(_mask_fields(line, fields, verb_at), event, None, number, event.callid, came_from)


# --- Which field is which -----------------------------------------------------------------------------------


def _resolve(line: str, names: Names) -> tuple[Event, int, list[str]]:
    """Read a line.

    Returns:
        The event, the index of its verb, and the line's fields.
    """
    if len(line) >= LONGEST_LINE:
        raise _Unfit(f"the line is longer than {LONGEST_LINE:,} characters")
    fields = line.split("|")
    if len(fields) < 5:
        raise _Unfit("a line has at least five fields: time|callid|queue|agent|verb")
    at_text = fields[0]
    if not _is_time(at_text):
        raise _Unfit("the time is not seconds since 1970 between 2001 and 2096")
    at_s = int(at_text)
    verb = fields[4]
    handler = _HANDLERS.get(verb)
    if handler is not None and not (
        # The plain reading is the only one unless a configured name with `|` in it could stand here too, or
        # what follows the verb is a verb: then the names decide.
        ((names.piped_queues or names.piped_members) and _may_be_piped(line, fields, names))
        or (verb in _FREE and len(fields) > 5 and fields[5] in _HANDLERS)
    ):
        try:
            return handler(at_s, fields, 4, fields[2], fields[3], names), 4, fields
        except _Unfit:
            pass
    event, verb_at = _weigh(at_s, fields, names)
    return event, verb_at, fields


def _may_be_piped(line: str, fields: list[str], names: Names) -> bool:
    """Whether a configured name with `|` in it begins where the queue does, or the agent of a plain queue."""
    queue_at = len(fields[0]) + len(fields[1]) + 2
    return line.startswith(names.piped_queues, queue_at) or line.startswith(
        names.piped_members, queue_at + len(fields[2]) + 1
    )


def _weigh(at_s: int, fields: list[str], names: Names) -> tuple[Event, int]:
    """Try the places where the names may end and the verb may stand, and take the reading that fits.

    A reading counts if each name in it is configured or free of `|`; the one with most configured names wins.
    Where no reading has a configured name, all that are possible must tell the same.
    """
    plain = [
        (agent_at, verb_at)
        for agent_at in _ends(fields, 2, names.piped_queues)
        for verb_at in _ends(fields, agent_at, names.piped_members)
        if verb_at < len(fields)
    ]
    best: list[tuple[Event, int]] = []
    best_known = 0
    for agent_at, verb_at in plain:
        try:
            reading, known = _reading(at_s, fields, agent_at, verb_at, names)
        except _Unfit:
            continue
        if known > best_known:
            best, best_known = [], known
        if known == best_known:
            best.append((reading, verb_at))
    if not best_known:
        best += _loose(at_s, fields, names, plain)
    if best:
        event, verb_at = best[0]
        if all(other == event for other, _ in best):
            return event, verb_at
        if best_known:
            raise _Unfit("it fits several of the configured names; names with | in them must be distinct")
        raise _Unfit(_NAME_IT)
    agent_at, verb_at = plain[-1]
    if fields[verb_at] in _HANDLERS:
        _reading(at_s, fields, agent_at, verb_at, names)  # says why it does not fit
    if not fields[verb_at]:
        raise _Unfit("it names no event")
    if any(field in _HANDLERS for field in fields[4:]):
        raise _Unfit(_NAME_IT)  # a verb that fits nowhere: rather a torn line than a custom one
    return Unknown(at_s, _verb_text(fields[verb_at])), verb_at


def _ends(fields: list[str], start: int, piped: tuple[str, ...]) -> list[int]:
    """Where a name that begins at an index may end: after one field, or after a configured name with `|` in it.

    The longest comes last.
    """
    ends = [start + 1]
    for name in reversed(piped):
        end = start + name.count("|") + 1
        if end < len(fields) and "|".join(fields[start:end]) == name:
            ends.append(end)
    return ends


def _reading(at_s: int, fields: list[str], agent_at: int, verb_at: int, names: Names) -> tuple[Event, int]:
    """Read a line with its verb at a given place.

    Returns:
        The event, and how many of queue and agent are known names.
    """
    verb = fields[verb_at]
    handler = _HANDLERS.get(verb)
    if handler is None:
        raise _Unfit("it names no event")
    queue, agent = "|".join(fields[2:agent_at]), "|".join(fields[agent_at:verb_at])
    event = handler(at_s, fields, verb_at, queue, agent, names)
    agent_known = _is_known(agent, names) or (agent == _NOBODY and verb in _WITHOUT_AGENT)
    return event, (queue in names.queues) + agent_known


def _loose(
    at_s: int, fields: list[str], names: Names, tried: list[tuple[int, int]]
) -> list[tuple[Event, int]]:
    """The readings in which a name holds a `|` and is not configured."""
    readings = []
    tries = 0
    for verb_at in range(5, len(fields)):
        if fields[verb_at] not in _HANDLERS:
            continue
        for agent_at in range(3, verb_at):
            if (agent_at, verb_at) in tried:
                continue
            tries += 1
            if tries > MOST_READINGS:
                raise _Unfit("it can be read in too many ways")
            with contextlib.suppress(_Unfit):
                readings.append((_reading(at_s, fields, agent_at, verb_at, names)[0], verb_at))
    return readings


def _is_known(agent: str, names: Names) -> bool:
    return agent in names.by_name or agent in names.by_interface


# --- Fields -------------------------------------------------------------------------------------------------


def _whole(text: str, digits: int = SECONDS_DIGITS) -> int:
    """The one way from a field to a number: ASCII digits only, at most so many."""
    if text.isascii() and text.isdigit() and len(text) <= digits:
        return int(text)
    raise _Unfit("a number field holds something else")


def _is_time(text: str) -> bool:
    return len(text) == 10 and text.isascii() and text.isdigit() and EARLIEST <= text <= LATEST


def _is_position(text: str) -> bool:
    return 0 < len(text) <= POSITION_DIGITS and text.isascii() and text.isdigit()


def _callid(text: str) -> str:
    if text and text != _NOBODY and len(text) <= LONGEST_CALLID:
        return text if text.isascii() else readable(text)
    raise _Unfit("it needs a call id and has none")


def _queue(name: str) -> str:
    if not name:
        raise _Unfit("it needs a queue and names none")
    return name if name.isascii() else readable(name)


def _seat(agent: str, at_s: int, names: Names) -> str:
    """The seat of a member's name. A member without a name is written by its interface."""
    entries = names.by_name.get(agent)
    if entries is not None:
        from_s, seat_id = entries[0]  # today's name, which nearly every line has
        return seat_id if at_s >= from_s else names.seat(agent, at_s)
    seat = names.by_interface.get(agent)
    if seat is not None:
        return seat
    if not agent:
        raise _Unfit("it needs a seat and names none")
    return agent if agent.isascii() else readable(agent)


def _free_text(fields: list[str], start: int) -> str:
    """Everything from an index on, as text that may be stored: people write numbers into reasons."""
    if start >= len(fields):
        raise _Unfit("it ends too early")
    return mask_digits(readable("|".join(fields[start:])))


def _verb_text(verb: str) -> str:
    return mask_digits(readable(verb))[:LONGEST_VERB]


def _count(fields: list[str], verb_at: int, least: int, most: int | None = None) -> None:
    found = len(fields) - verb_at - 1
    if found < least or (most is not None and found > most):
        raise _Unfit("it has another number of fields than its verb")


# --- Verbs --------------------------------------------------------------------------------------------------
# Each takes (at_s, fields, index of the verb, queue, agent, names).
# Bound by place: a million lines go through here at a time.


def _switch_started(
    at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names
) -> Event:
    # It ends every call in progress, so nothing that merely contains the word may pass for it.
    if queue != _NOBODY or agent != _NOBODY or any(fields[verb_at + 1 :]):
        raise _Unfit("QUEUESTART belongs to no queue and no agent")
    return SwitchStarted(at_s)


def _skipped(at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names) -> Event:
    return Skipped(at_s, fields[verb_at])


def _offered(at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names) -> Event:
    # url, number, position [, caller's name]; only the number may hold a `|` of its own.
    if agent != _NOBODY:
        raise _Unfit("ENTERQUEUE has no agent")
    if len(fields) < verb_at + 4 or not (
        _is_position(fields[verb_at + 3]) or any(map(_is_position, fields[verb_at + 4 :]))
    ):
        raise _Unfit("ENTERQUEUE ends too early, or has no position")
    return Offered(at_s, _callid(fields[1]), _queue(queue))


def _answered(at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names) -> Event:
    if len(fields) != verb_at + 4:
        raise _Unfit("CONNECT has three fields: wait, channel, ring time")
    _whole(fields[verb_at + 3])
    wait_s = _whole(fields[verb_at + 1])
    return Answered(at_s, _callid(fields[1]), _queue(queue), _seat(agent, at_s, names), wait_s)


def _completed(at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names) -> Event:
    if len(fields) != verb_at + 4:
        raise _Unfit("an end has three fields: wait, talk, position")
    return _ended(at_s, fields, queue, agent, names)


def _transferred(at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names) -> Event:
    # Target or method first, of one to three fields; the numbers are told from the end.
    if len(fields) < verb_at + 6:
        raise _Unfit("a transfer has at least five fields")
    return _ended(at_s, fields, queue, agent, names)


def _ended(at_s: int, fields: list[str], queue: str, agent: str, names: Names) -> Event:
    _whole(fields[-3])
    _whole(fields[-1], POSITION_DIGITS)
    talk_s = _whole(fields[-2])
    return Ended(at_s, _callid(fields[1]), _queue(queue), _seat(agent, at_s, names), talk_s)


def _abandoned(at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names) -> Event:
    if len(fields) != verb_at + 4:
        raise _Unfit("ABANDON has three fields: position, position at entry, wait")
    # The agent is a member's name where the caller left just as a seat answered; a new name with `|` may not
    # hide the end of a queue's.
    if "|" in agent and not _is_known(agent, names):
        raise _Unfit(_NAME_IT)
    return Abandoned(at_s, _callid(fields[1]), _queue(queue), _whole(fields[verb_at + 3]))


def _overflowed(reason: Overflow, wait_at: int, count: int, *, more: bool = False) -> "_Handler":
    """A reader of the verbs with which a caller leaves the queue.

    Args:
        reason: Which way.
        wait_at: The wait's place among the data, 1 for data1.
        count: How many data there are.
        more: Free text follows, of any number of fields.
    """

    def read_fields(
        at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names
    ) -> Event:
        if agent != _NOBODY:
            raise _Unfit("a caller who leaves a queue has no agent")
        _count(fields, verb_at, count, None if more else count)
        return Overflowed(at_s, _callid(fields[1]), _queue(queue), _whole(fields[verb_at + wait_at]), reason)

    return read_fields


def _refused(at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names) -> Event:
    _count(fields, verb_at, 1, 1)
    if agent != _NOBODY or not _STATUS.fullmatch(fields[verb_at + 1]):
        raise _Unfit("REFUSED has no agent and one word: the QUEUESTATUS")
    return Refused(at_s, _callid(fields[1]), _queue(queue), fields[verb_at + 1])


def _ring_missed(at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names) -> Event:
    _count(fields, verb_at, 1, 1)
    ring_ms = _whole(fields[verb_at + 1])
    return RingMissed(at_s, _callid(fields[1]), _seat(agent, at_s, names), _queue(queue), ring_ms)


def _ring_canceled(at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names) -> Event:
    _count(fields, verb_at, 1, 1)
    _whole(fields[verb_at + 1])
    return SeatSeen(at_s, _seat(agent, at_s, names), _queue(queue))


def _dumped(at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names) -> Event:
    # The seat hung up during its own announcement: the caller has not been answered and goes on waiting.
    _count(fields, verb_at, 0, 1)
    return SeatSeen(at_s, _seat(agent, at_s, names), _queue(queue))


def _signed_in(at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names) -> Event:
    _count(fields, verb_at, 1, 1)
    if fields[verb_at + 1] not in ("", "PAUSED"):
        raise _Unfit("ADDMEMBER has one field: PAUSED or nothing")
    seat = names.seat_of_interface(agent, at_s)
    if seat is None:
        return Skipped(at_s, "ADDMEMBER")
    return SignedIn(at_s, seat, _queue(queue), fields[verb_at + 1] == "PAUSED")


def _signed_out(at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names) -> Event:
    _count(fields, verb_at, 1, 1)
    if fields[verb_at + 1]:
        raise _Unfit("REMOVEMEMBER has no field")
    seat = names.seat_of_interface(agent, at_s)
    return Skipped(at_s, "REMOVEMEMBER") if seat is None else SignedOut(at_s, seat, _queue(queue))


def _paused(at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names) -> Event:
    return Paused(at_s, _seat(agent, at_s, names), _queue(queue), _free_text(fields, verb_at + 1))


def _unpaused(at_s: int, fields: list[str], verb_at: int, queue: str, agent: str, names: Names) -> Event:
    if len(fields) < verb_at + 2:
        raise _Unfit("it ends too early")
    return Unpaused(at_s, _seat(agent, at_s, names), _queue(queue))


_Handler = Callable[[int, list[str], int, str, str, Names], Event]

_HANDLERS: dict[str, _Handler] = {
    "ENTERQUEUE": _offered,
    "CONNECT": _answered,
    "COMPLETECALLER": _completed,
    "COMPLETEAGENT": _completed,
    "BLINDTRANSFER": _transferred,
    "ATTENDEDTRANSFER": _transferred,
    "TRANSFER": _transferred,  # Asterisk 11
    "ABANDON": _abandoned,
    "EXITWITHTIMEOUT": _overflowed("timeout", 3, 3),
    "EXITWITHKEY": _overflowed("key", 4, 4),
    "EXITEMPTY": _overflowed("empty", 3, 3),
    "WITHDRAW": _overflowed("withdrawn", 3, 4, more=True),
    "REFUSED": _refused,  # not Asterisk's: the dial plan writes it, see README.md
    "RINGNOANSWER": _ring_missed,
    "RINGCANCELED": _ring_canceled,
    "AGENTDUMP": _dumped,
    "ADDMEMBER": _signed_in,
    "REMOVEMEMBER": _signed_out,
    "PAUSE": _paused,
    "UNPAUSE": _unpaused,
    "QUEUESTART": _switch_started,
    "CONFIGRELOAD": _skipped,
    "PAUSEALL": _skipped,  # the PAUSE lines of its queues follow
    "UNPAUSEALL": _skipped,
    "PENALTY": _skipped,
    "RINGINUSE": _skipped,
    "AGENTLOGIN": _skipped,
    "AGENTLOGOFF": _skipped,
    "AGENTCALLBACKLOGIN": _skipped,
    "AGENTCALLBACKLOGOFF": _skipped,
    "SYSCOMPAT": _skipped,  # an ABANDON of the same call follows
    "OUTCALL": _skipped,
    "INFO": _skipped,
    "DID": _skipped,
}

# Verbs whose data are anything at all, so that a line shifted by a `|` in a name could pass for one of them.
_FREE = frozenset(verb for verb, handler in _HANDLERS.items() if handler in (_paused, _unpaused, _skipped))

_WITHOUT_AGENT = frozenset(
    {"ENTERQUEUE", "ABANDON", "EXITWITHTIMEOUT", "EXITWITHKEY", "EXITEMPTY", "WITHDRAW", "REFUSED"}
)


# --- Masking ------------------------------------------------------------------------------------------------


def _mask_entry(fields: list[str], start: int) -> None:
    """Blank an ENTERQUEUE's data: number, caller's name, and whatever a `|` in the number made of them."""
    data = fields[start:]
    if len(data) in (3, 4) and _is_position(data[2]):
        position = data[2]
    else:
        # Which of them is the position cannot be told; any will do, but a part of the number.
        position = "0" if any(map(_is_position, data[2:])) else ""
    blank = ["", "", position, *[""] * (len(data) - 3)]
    if data and data[0]:
        blank[0] = mask_digits(data[0])
    fields[start:] = blank[: len(data)]


def _mask_target(fields: list[str], start: int) -> None:
    """Blank the extension that a seat sent its caller to; the rest is context, and seconds."""
    fields[start] = ""
    fields[start + 1 : -3] = map(mask_digits, fields[start + 1 : -3])


def _mask_detail(fields: list[str], start: int) -> None:
    """Blank all of an attended transfer's detail but the word for its method: it may name channels."""
    fields[start] = mask_digits(fields[start])
    fields[start + 1 : -3] = [""] * (len(fields) - start - 4)


def _mask_key(fields: list[str], start: int) -> None:
    fields[start] = mask_digits(fields[start])


def _mask_text(fields: list[str], start: int) -> None:
    fields[start:] = map(mask_digits, fields[start:])


def _mask_info(fields: list[str], start: int) -> None:
    _mask_text(fields, start + 3)


_Mask = Callable[[list[str], int], None]

_MASKS: dict[str, _Mask] = {
    **dict.fromkeys(_FREE, _mask_text),
    "ENTERQUEUE": _mask_entry,
    "BLINDTRANSFER": _mask_target,
    "TRANSFER": _mask_target,
    "ATTENDEDTRANSFER": _mask_detail,
    "EXITWITHKEY": _mask_key,
    "WITHDRAW": _mask_info,
}


def _mask_fields(line: bytes, fields: list[str], verb_at: int) -> bytes:
    """The line with what its verb may hold blanked; the same object where there was nothing.

    Changes `fields`.
    """
    verb = fields[verb_at]
    if verb not in _HANDLERS:
        _mask_digits_in(fields)
        return _bytes("|".join(fields))
    blank = _MASKS.get(verb)
    if blank is None:
        return line
    before = fields[verb_at + 1 :]
    blank(fields, verb_at + 1)
    return line if fields[verb_at + 1 :] == before else _bytes("|".join(fields))


def _mask_unreadable(line: str) -> str:
    """Blank what a line that cannot be read may hold of a caller: digits, and all behind an ENTERQUEUE."""
    fields = line.split("|")
    _mask_digits_in(fields)
    if "ENTERQUEUE" in fields[4:]:
        # Short numbers and names too: whatever else is wrong with it, a caller's number follows.
        _mask_entry(fields, fields.index("ENTERQUEUE", 4) + 1)
    return "|".join(fields)


def _mask_rejected(line: str, names: Names) -> bytes:
    """A rejected line for the archive: one that is rejected still, whatever was blanked in it."""
    masked = _mask_unreadable(line)
    try:
        _resolve(masked, names)
    except _Unfit:
        return _bytes(masked)
    # The blanks have made it fit something that it is not. Too few fields fit nothing.
    return _bytes("|".join(masked.split("|")[:2]))


def _mask_digits_in(fields: list[str]) -> None:
    """Blank every run of seven or more digits but a time and a call id that look like such."""
    start = 0
    if _is_time(fields[0]):
        start = 2 if len(fields) > 1 and _CALLID.fullmatch(fields[1]) else 1
    fields[start:] = map(mask_digits, fields[start:])


def _number(fields: list[str], verb_at: int) -> str | None:
    """An ENTERQUEUE's number: None where it is withheld, or holds a `|` and so has no clear end."""
    number = fields[verb_at + 2]
    if (
        len(fields) > verb_at + 5
        or not _is_position(fields[verb_at + 3])
        or len(number) > LONGEST_NUMBER
        or not _DIGIT.search(number)
    ):
        return None
    return readable(number)


def _clean(line: bytes) -> tuple[bytes, str]:
    """The line and its text, without what is no part of it.

    A file copied from Windows has a CR at each line's end; one that lived through a power cut has NULs where
    the lines were that never reached the disk.
    """
    line = line.lstrip(b"\0").rstrip(b"\r")
    return line, line.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _message(unfit: _Unfit, masked: str) -> str:
    shown = "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in masked[:LONGEST_MESSAGE]
    )
    return f"{unfit}: {shown}"[:LONGEST_MESSAGE]
