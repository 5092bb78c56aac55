"""A queue_log, looked through for the names in it: queues, members, interfaces.

For `init` and `check`, before there is a configuration to settle a `|` inside a name: other lines with the same
name settle it. What counts is `collectors.queue_log`'s business. Callers are never looked at.
"""

import gzip
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

Test = Callable[[list[bytes]], bool]

GZIP = b"\x1f\x8b"


@dataclass(slots=True)
class Survey:
    """The names in some log, each with the number of lines that have it.

    Attributes:
        lines: How many lines there were.
        unread: How many of them are no queue_log lines.
        queues: Names of queues.
        members: Names of members: what stands where a seat is named.
        interfaces: What ADDMEMBER and its like name: interfaces, or members where the switch is set so.
        fits: Member -> the interfaces that were in the queue whenever that member was at work there, where
            there are any: one of them may be the member's.
    """

    lines: int = 0
    unread: int = 0
    queues: Counter[str] = field(default_factory=Counter)
    members: Counter[str] = field(default_factory=Counter)
    interfaces: Counter[str] = field(default_factory=Counter)
    fits: dict[str, set[str]] = field(default_factory=dict)


def log_lines(path: Path) -> Iterator[bytes]:
    """The lines of a log without their ends, compressed or not; a last one without its end is not one yet.

    Raises:
        OSError: It cannot be read, or is cut off inside its compression (also EOFError).
    """
    with path.open("rb") as plain:
        start = plain.peek(2)[:2]
        with gzip.open(plain) if start == GZIP else plain as file:
            for line in file:
                if line.endswith(b"\n"):
                    # A copy from Windows has CRs; a power cut leaves NULs.
                    yield line.lstrip(b"\0").rstrip(b"\r\n")


def look_through(
    lines: Iterable[bytes], queues: Collection[str] = (), members: Collection[str] = ()
) -> Survey:
    """Find the names in a log.

    Args:
        lines: Its lines, in order.
        queues: Names of queues that are known already.
        members: Names of members that are known already.
    """
    survey = Survey()
    heads: Counter[tuple[bytes, bytes]] = Counter()  # (everything between call id and verb, verb)
    present: dict[bytes, set[bytes]] = {}
    fits: dict[bytes, set[bytes]] = {}
    for line in lines:
        if not line:
            continue
        survey.lines += 1
        fields = line.split(b"|")
        if len(fields) < 5 or not fields[0].isdigit():
            survey.unread += 1
            continue
        verb_at = _verb_at(fields)
        if verb_at is None:
            continue
        verb = fields[verb_at]
        heads[b"|".join(fields[2:verb_at]), verb] += 1
        if verb_at == 4:
            _watch(fields[2], fields[3], verb, present, fits)
    _resolve(heads, survey, set(queues), set(members))
    survey.fits = {_text(name): set(map(_text, found)) for name, found in fits.items() if found}
    return survey


def _watch(
    queue: bytes, agent: bytes, verb: bytes, present: dict[bytes, set[bytes]], fits: dict[bytes, set[bytes]]
) -> None:
    """Keep who is in which queue, and narrow down whose interface a member's can be."""
    if verb == b"ADDMEMBER":
        present.setdefault(queue, set()).add(agent)
    elif verb == b"REMOVEMEMBER":
        present.setdefault(queue, set()).discard(agent)
    elif verb == b"CONNECT" or verb == b"PAUSE":
        here = present.get(queue, set())
        found = fits.get(agent)
        if found is None:
            fits[agent] = set(here)
        elif not found <= here:
            found &= here


def _verb_at(fields: list[bytes]) -> int | None:
    """The index of the first field that is a verb with the data that it needs."""
    for index in range(4, len(fields)):
        test = _VERBS.get(fields[index])
        if test is not None and test(fields[index + 1 :]):
            return index
    return None


def _resolve(
    heads: Counter[tuple[bytes, bytes]], survey: Survey, queues: set[str], members: set[str]
) -> None:
    """Tell queue from agent in every head, the clear ones first, for they tell names."""
    unclear: list[tuple[str, bytes, int]] = []
    for (head, verb), count in heads.items():
        text = _text(head)
        if verb in _ALL:
            _count(survey.members, text.removeprefix("NONE|"), count)
        elif verb in _NO_MEMBER and text.endswith("|NONE"):
            _count(survey.queues, text.removesuffix("|NONE"), count)
        elif text.count("|") == 1:
            queue, _, agent = text.partition("|")
            _count(survey.queues, queue, count)
            _count(survey.interfaces if verb in _INTERFACE else survey.members, agent, count)
        else:
            unclear.append((text, verb, count))
    queues |= set(survey.queues)
    members |= set(survey.members)
    for text, verb, count in sorted(unclear):
        queue, agent = _split(text, verb, queues, members)
        _count(survey.queues, queue, count)
        _count(survey.interfaces if verb in _INTERFACE else survey.members, agent, count)


def _split(text: str, verb: bytes, queues: set[str], members: set[str]) -> tuple[str, str]:
    """The likeliest border: both names known, else a known queue, else the plainer agent."""
    parts = text.split("|")
    pairs = [("|".join(parts[:i]), "|".join(parts[i:])) for i in range(1, len(parts))]
    plain = verb in _INTERFACE  # interfaces have no | in practice
    return max(
        pairs,
        key=lambda pair: (
            pair[0] in queues,
            pair[1] in members or (plain and "|" not in pair[1]),
            len(pair[0]),
        ),
    )


def _count(names: Counter[str], name: str, count: int) -> None:
    if name:
        names[name] += count


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _exactly(count: int, *whole: int) -> Test:
    """So many data, those at the given indexes whole numbers."""
    return lambda data: len(data) == count and all(data[i].isdigit() for i in whole)


def _at_least(count: int, *whole: int) -> Test:
    return lambda data: len(data) >= count and all(data[i].isdigit() for i in whole)


_MEMBER: dict[bytes, Test] = {
    b"CONNECT": _exactly(3, 0, 2),
    b"COMPLETECALLER": _exactly(3, 0, 1, 2),
    b"COMPLETEAGENT": _exactly(3, 0, 1, 2),
    b"BLINDTRANSFER": _at_least(5, -3, -2, -1),
    b"ATTENDEDTRANSFER": _at_least(5, -3, -2, -1),
    b"TRANSFER": _at_least(5, -3, -2, -1),
    b"RINGNOANSWER": _exactly(1, 0),
    b"RINGCANCELED": _exactly(1, 0),
    b"PAUSE": _at_least(1),
    b"UNPAUSE": _at_least(1),
}
_NO_MEMBER: dict[bytes, Test] = {
    b"ENTERQUEUE": _at_least(3),
    b"ABANDON": _exactly(3, 0, 1, 2),
    b"EXITWITHTIMEOUT": _exactly(3, 0, 1, 2),
    b"EXITWITHKEY": _exactly(4, 1, 2, 3),
    b"EXITEMPTY": _exactly(3, 0, 1, 2),
    b"WITHDRAW": _at_least(3, 0, 1, 2),
}
_INTERFACE: dict[bytes, Test] = {
    b"ADDMEMBER": lambda data: data in ([b""], [b"PAUSED"]),
    b"REMOVEMEMBER": lambda data: data == [b""],
    b"PENALTY": _exactly(1, 0),
    b"RINGINUSE": _exactly(1, 0),
}
_ALL: dict[bytes, Test] = {b"PAUSEALL": _at_least(1), b"UNPAUSEALL": _at_least(1)}
_VERBS = _MEMBER | _NO_MEMBER | _INTERFACE | _ALL
