"""The names that a switch has -> queues and seats to configure, no name or device in two of them.

Pure. Names come from a queues.conf and a queue_log; what nothing tells is left to the operator, with a hint where
the log has one.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from dashboard.commands.queues_conf import QueuesConf
from dashboard.commands.survey import Survey
from dashboard.config import toml_string
from dashboard.core.names import CUT_BYTES, cut, readable

_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9_]*/\S+")
_EXTENSION = re.compile(r"[^/]+/([^@/;]+)")
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9._-]+")
_ID_LENGTH = 32
_NUMBER = re.compile(r"[0-9]{7,}")


@dataclass(slots=True)
class SeatPlan:
    """A seat to write.

    Attributes:
        id: Its id.
        interface: Its device; None where nothing tells.
        names: As the switch writes them.
        label: Only where the names are not fit to show.
        suggested: A device that fits the log, for the operator to confirm.
        remarks: What the operator should know, a line each, safe in a comment.
    """

    id: str
    interface: str | None = None
    names: list[str] = field(default_factory=list)
    label: str | None = None
    suggested: str | None = None
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlan:
    """A queue to write: its name, and its wrap-up time where queues.conf sets one."""

    name: str
    wrapup_s: int | None = None


@dataclass(slots=True)
class Plan:
    """What the file will hold.

    Attributes:
        queues: In the order of queues.conf, then of the log.
        seats: Likewise.
        loose: Interfaces that sign in and out, and nothing tells whose they are.
        unwritable: Names that are not UTF-8, so that no TOML file can hold them; readable.
        not_followed: Lines of queues.conf that name other files.
    """

    queues: list[QueuePlan] = field(default_factory=list)
    seats: list[SeatPlan] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    unwritable: list[str] = field(default_factory=list)
    not_followed: list[str] = field(default_factory=list)


def is_interface(name: str) -> bool:
    """Whether a name is the switch's name of a device rather than a person's.

    >>> is_interface("PJSIP/2001"), is_interface("李/强")
    (True, False)
    """
    return _INTERFACE.fullmatch(name) is not None


def make_plan(conf: QueuesConf, survey: Survey, taken_ids: Iterable[str] = ()) -> Plan:
    """Put together what queues.conf and the log tell.

    Args:
        conf: What queues.conf says; empty where there is none.
        survey: What the log says; likewise.
        taken_ids: Ids of seats that are configured already.
    """
    plan = Plan(not_followed=list(conf.not_followed))
    wrapup_s = {queue.name: queue.wrapup_s for queue in conf.queues}
    for name in dict.fromkeys([*wrapup_s, *survey.queues]):
        if _is_writable(name):
            plan.queues.append(QueuePlan(name=name, wrapup_s=wrapup_s.get(name)))
        else:
            plan.unwritable.append(readable(name))
    _Seats(plan, set(taken_ids)).add_all(conf, survey)
    plan.seats.sort(
        key=lambda seat: [(len(part), part) if part.isdigit() else (99, part) for part in _parts(seat.id)]
    )
    return plan


class _Seats:
    """Gives every member of a plan a seat, and no name or device to two."""

    def __init__(self, plan: Plan, taken_ids: set[str]) -> None:
        self._plan = plan
        self._ids = taken_ids
        self._by_interface: dict[str, SeatPlan] = {}
        self._owner: dict[str, SeatPlan] = {}  # every form of a name -> its seat

    def add_all(self, conf: QueuesConf, survey: Survey) -> None:
        static = list(dict.fromkeys(member for queue in conf.queues for member in queue.members))
        wanted = ids_by_interface(
            [m.interface for m in static] + list(filter(is_interface, survey.interfaces))
        )
        for member in static:
            self._seat_of(member.interface, wanted)
        for member in static:
            if member.name is not None:
                self._name(self._by_interface.get(member.interface), member.name)

        seen = [*survey.members, *(name for name in survey.interfaces if not is_interface(name))]
        people = []
        for name in dict.fromkeys(seen):
            if name in self._owner:
                continue
            if is_interface(name):
                self._seat_of(name, wanted)
            else:
                people.append(name)
        devices = [
            name for name in survey.interfaces if is_interface(name) and name not in self._by_interface
        ]
        if not people:  # then these are members that nobody has called yet
            for device in devices:
                self._seat_of(device, wanted)
            return
        pairs = pair(survey.fits, devices, people)
        for name in people:
            self._person(name, pairs.get(name), wanted)
        self._plan.loose = [device for device in devices if device not in pairs.values()]

    def _seat_of(self, interface: str, wanted: Mapping[str, str]) -> None:
        if interface in self._by_interface:
            return
        if not _is_writable(interface):
            self._plan.unwritable.append(readable(interface))
            return
        seat = SeatPlan(self._free(wanted.get(interface, "")), interface=interface)
        self._by_interface[interface] = seat
        self._owner.setdefault(interface, seat)
        self._plan.seats.append(seat)

    def _person(self, name: str, device: str | None, wanted: Mapping[str, str]) -> None:
        if name in self._owner:  # a longer name came before, and the switch cuts it to this one
            return
        whole = completed(name)
        if whole is None:
            self._plan.unwritable.append(readable(name))
            return
        usable = name.isascii() and not _NOT_IN_IDS.search(name) and len(name) <= _ID_LENGTH
        seat = SeatPlan(self._free(wanted[device] if device else name if usable else ""), suggested=device)
        if whole != name:
            seat.label = readable(name).rstrip("\N{REPLACEMENT CHARACTER}")
            seat.remarks.append(
                f"交换机只写了姓名的前 {CUT_BYTES} 字节，请写全名。 "
                f"The switch cuts names at {CUT_BYTES} bytes: write the whole name."
            )
        self._plan.seats.append(seat)
        self._name(seat, whole)

    def _name(self, seat: SeatPlan | None, name: str) -> None:
        if seat is None or name in seat.names:
            return
        if not _is_writable(name):
            self._plan.unwritable.append(readable(name))
            return
        forms = {name, cut(name)}
        others = [
            self._owner[form] for form in forms if form in self._owner and self._owner[form] is not seat
        ]
        if others:
            seat.remarks.append(
                f"姓名 {toml_string(name)} 已属于座席 {toml_string(others[0].id)}，日志无法区分。 "
                f"The name {toml_string(name)} is seat {toml_string(others[0].id)}'s already; "
                "the log cannot tell them apart."
            )
            return
        self._owner.update(dict.fromkeys(forms, seat))
        seat.names.append(name)

    def _free(self, wanted: str) -> str:
        """The wanted id, or the next of seat-1, seat-2 … where it is taken or there is none."""
        number = 0
        found = wanted
        while not found or found in self._ids:
            number += 1
            found = f"{wanted or 'seat'}-{number}"
        self._ids.add(found)
        return found


def pair(
    fits: Mapping[str, Collection[str]], devices: Collection[str], people: Collection[str]
) -> dict[str, str]:
    """Name -> device, where the log leaves only one.

    What one name certainly has no other can have, so pairs are found one after another. Two names left with the
    same only device contradict each other (somebody moved, or the log begins too late): neither gets it, nor is
    anything concluded from it.

    >>> pair({"林": {"L/1"}, "王": {"L/1", "L/2"}}, ["L/1", "L/2"], ["林", "王"])
    {'林': 'L/1', '王': 'L/2'}
    """
    left = {name: set(fits[name]) for name in people if name in fits}
    pairs: dict[str, str] = {}
    while True:
        only: dict[str, list[str]] = {}
        for name, found in left.items():
            if len(found) == 1:
                only.setdefault(next(iter(found)), []).append(name)
        sure = {names[0]: device for device, names in only.items() if len(names) == 1}
        if not sure:
            return {name: device for name, device in pairs.items() if device in devices}
        pairs |= sure
        taken = set(sure.values())
        left = {name: found - taken for name, found in left.items() if name not in sure and found - taken}


def completed(name: str) -> str | None:
    """A name that TOML can hold and that the switch would write as this one.

    Returns:
        The name itself; where its 79 bytes end inside a character, the name with some character that begins
        so; None where it is not UTF-8 otherwise.

    >>> cut(completed(cut("林" * 30))) == cut("林" * 30)
    True
    """
    if _is_writable(name):
        return name
    data = name.encode("utf-8", "surrogateescape")
    if len(data) == CUT_BYTES:
        for fill in (b"\x80", b"\xbf", b"\xa0"):
            for count in (1, 2, 3):
                try:
                    return (data + fill * count).decode("utf-8")
                except UnicodeDecodeError:
                    continue
    return None


def ids_by_interface(interfaces: Iterable[str]) -> dict[str, str]:
    """An id for each device: its extension where that is one device's alone, else with the technology."""
    plain: dict[str, str] = {}
    for interface in dict.fromkeys(interfaces):
        found = _EXTENSION.match(interface)
        plain[interface] = _slug(found[1]) if found else _slug(interface)
    uses = Counter(plain.values())
    return {
        interface: extension if uses[extension] == 1 else _slug(interface.partition("@")[0])
        for interface, extension in plain.items()
    }


def _slug(text: str) -> str:
    found = _NOT_IN_IDS.sub("-", text).strip("-.")[:_ID_LENGTH]
    return "" if _NUMBER.search(found) else found  # a person's own number is not to be everywhere


def _parts(text: str) -> list[str]:
    """Digits and the rest apart, so that seat-10 comes after seat-9."""
    return re.findall(r"[0-9]+|[^0-9]+", text)


def _is_writable(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return bool(name)
