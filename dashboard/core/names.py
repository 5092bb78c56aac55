"""The names a switch writes -> the seats and queues of the configuration.

Pure. A parser needs them for two things: to find the fields of a line whose names contain the separator, and to
tell which seat a member's name or interface is. What the configuration does not name keeps the switch's name.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

CUT_BYTES = 79
"""Asterisk cuts a member's name to this many bytes, in the middle of a character if need be."""

ALWAYS = -(2**62)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatNames:
    """What one seat is called.

    Attributes:
        id: The seat's id.
        interface: The switch's name of its device, None where the configuration gives none.
        names: Pairs (name as the switch writes it, epoch second from which the name is this seat's).
    """

    id: str
    interface: str | None = None
    names: tuple[tuple[str, int], ...] = ()


def cut(name: str) -> str:
    """The name as Asterisk writes it: its first 79 bytes, undecodable ends as surrogates.

    >>> cut("林晓燕")
    '林晓燕'
    >>> len(cut("林" * 30).encode("utf-8", "surrogateescape"))
    79
    """
    return name.encode("utf-8", "surrogateescape")[:CUT_BYTES].decode("utf-8", "surrogateescape")


def readable(name: str) -> str:
    """The name as text that can be stored and shown: what was not UTF-8 becomes U+FFFD.

    >>> readable(cut("林" * 30)) == "林" * 26 + "\\N{REPLACEMENT CHARACTER}"
    True
    """
    if name.isascii():
        return name
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Names:
    """The configured names, made ready for look-ups.

    Attributes:
        queues: Every configured queue's name.
        seats: Every configured seat's names.
        by_name: Name as written in a log -> [(from_s, seat id)], latest first.
        by_interface: Interface -> seat id.
        piped_queues: Configured queue names that contain `|`, longest first.
        piped_members: Member names that contain `|`, longest first, in their cut form too.
    """

    queues: frozenset[str]
    seats: tuple[SeatNames, ...]
    by_name: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    by_interface: dict[str, str] = field(default_factory=dict)
    piped_queues: tuple[str, ...] = ()
    piped_members: tuple[str, ...] = ()

    @classmethod
    def of(cls, queues: Iterable[str] = (), seats: Iterable[SeatNames] = ()) -> "Names":
        """Make the look-ups.

        Args:
            queues: The switch's own names of the configured queues.
            seats: The configured seats.
        """
        seats = tuple(seats)
        known = frozenset(queues)
        by_name: dict[str, list[tuple[int, str]]] = {}
        by_interface: dict[str, str] = {}
        for seat in seats:
            for name, from_s in seat.names:
                for form in {name, cut(name)}:
                    by_name.setdefault(form, []).append((from_s, seat.id))
            if seat.interface is not None:
                by_interface[seat.interface] = seat.id
        for entries in by_name.values():
            entries.sort(reverse=True)
        return cls(
            known,
            seats,
            by_name,
            by_interface,
            _longest_first(q for q in known if "|" in q),
            _longest_first(n for n in by_name if "|" in n),
        )

    def seat(self, name: str, at_s: int) -> str:
        """The seat that a member's name was at a time: its id, or the name itself (readable) where none is."""
        entries = self.by_name.get(name)
        if entries is not None:
            for from_s, seat in entries:
                if at_s >= from_s:
                    return seat
        return readable(name)

    def seat_of_interface(self, interface: str, at_s: int) -> str | None:
        """The seat of an interface, None where no configured seat has it.

        With `log_membername_as_agent` Asterisk writes the member's name there; a known name is taken too.
        """
        seat = self.by_interface.get(interface)
        if seat is None and interface in self.by_name:
            return self.seat(interface, at_s)
        return seat

    def fingerprint(self) -> str:
        """A short hash of all names: stored with each day, so that one can tell what it was folded with."""
        text = repr((sorted(self.queues), [(s.id, s.interface, s.names) for s in self.seats]))
        return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def _longest_first(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: (-len(name), name)))


NO_NAMES = Names.of()
"""Nothing is configured: every name is taken as it is written."""
