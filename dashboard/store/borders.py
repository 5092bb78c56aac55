"""Where days begin: what a source's fold carried over each local midnight, so that a day can be counted again alone.

A border is the state before the first record of a day, and those rows of earlier days that change after it, as they
were. It is of use only where the log can be cut there: a late line from before a border takes it away.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from dashboard.core.counts import trimmed
from dashboard.core.fold import State
from dashboard.store import codec
from dashboard.store.connect import Client
from dashboard.store.keys import SourceKeys, parse_field
from dashboard.store.keys import field as field_of

Operation = tuple[str, str, list[object]]
_LEVEL = 1

_decode_state = msgspec.json.Decoder(State).decode


@dataclass(slots=True)
class Border:
    """The beginning of a day.

    Attributes:
        day, start_s: Which, and its first second.
        state: The fold's state, packed; b"" where it is stored already.
        before: Rows of earlier days that changed since, as they were; an empty row where there was none.
        unsaved: Those that are not stored yet.
        base: Rows of earlier days that may change yet, as they are or were when the day began.
        base_days: The days of `base`; of any other day that had rows, none may change.
        known: Days that had rows when this one began.
    """

    day: str
    start_s: int
    state: bytes
    before: dict[codec.Key, list[int]] = field(default_factory=dict)
    unsaved: set[codec.Key] = field(default_factory=set)
    base: dict[codec.Key, list[int]] = field(default_factory=dict)
    base_days: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)

    def note(self, touched: Iterable[codec.Key], day_of: Callable[[int], str]) -> bool:
        """Remember how rows were that have changed; False where that is not known any more."""
        for key in touched:
            if key[2] >= self.start_s or key in self.before:
                continue
            day = day_of(key[2])
            if day in self.known and day not in self.base_days:
                return False
            self.before[key] = trimmed(self.base.get(key, []))
            self.unsaved.add(key)
        return True

    def operations(self, keys: SourceKeys) -> list[Operation]:
        """What stores it."""
        made: list[Operation] = []
        if self.state:
            made.append(("DEL", keys.before(self.day), []))
            made.append(("HSET", keys.borders, [self.day, self.state]))
        saved = self.before if self.state else self.unsaved
        flat: list[object] = []
        for key in saved:
            flat += (field_of(*key), codec.encode(self.before[key]))
        if flat:
            made.append(("HSET", keys.before(self.day), flat))
        return made


def pack_state(state: State) -> bytes:
    """A state as it is stored."""
    return zlib.compress(codec.encode(state), _LEVEL)


def unpack_state(data: bytes) -> State:
    """The state of `pack_state`."""
    return _decode_state(zlib.decompress(data))


def stored_before(client: Client, keys: SourceKeys, day: str) -> dict[codec.Key, list[int]]:
    """The rows of earlier days that changed since a day began, as they were."""
    return {
        parse_field(name.decode()): codec.decode_row(data)
        for name, data in client.hgetall(keys.before(day)).items()
    }


def differing_calls(one: State, other: State) -> set[str] | None:
    """Which calls differ between two states that else go on alike; None where they do not.

    When the log began is no part of how it goes on.
    """
    clock = msgspec.structs.replace(other.clock, first_s=one.clock.first_s)
    if one.clock != clock or one.seats != other.seats:
        return None
    ids = one.calls.keys() | other.calls.keys()
    return {callid for callid in ids if one.calls.get(callid) != other.calls.get(callid)}


def same_rows(rows: Mapping[codec.Key, list[int]], before: Mapping[codec.Key, list[int]]) -> bool:
    """Whether rows are as they were."""
    return all(trimmed(list(rows.get(key, []))) == trimmed(row) for key, row in before.items())
