"""The days of one source that a writer has in hand: rows and calls as they are to be stored.

Between the fold, which touches rows and calls, and Redis, which gets them as values. It loads a stored day when a
line of that day comes, says which operations bring Redis to what is in memory, and closes days that are over.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dashboard.core.calls import Call
from dashboard.core.counts import Rows
from dashboard.core.fold import Fold, Rules, State
from dashboard.store import codec
from dashboard.store.connect import Client
from dashboard.store.keys import MULTI, SourceKeys, parse_field
from dashboard.store.keys import field as field_of

Operation = tuple[str, str, list[Any]]
"""A command, its key, its other arguments."""


@dataclass(slots=True)
class Batch:
    """What brings Redis to what is in memory.

    Attributes:
        operations: In the order in which they are to be done; done twice they change nothing more.
        published: What to tell of them: rows, open calls, calls with several legs, seats, clock.
    """

    operations: list[Operation] = field(default_factory=list)
    published: dict[str, Any] = field(
        default_factory=lambda: {"rows": {}, "open": {}, "multi": {}, "seats": {}}
    )

    @property
    def size(self) -> int:
        """How much there is to tell."""
        return sum(len(self.published[part]) for part in ("rows", "open", "multi"))


class Ledger:
    """The days in hand.

    Attributes:
        fold: Counts into `rows`.
        stamps: Day -> what it was counted with, as it is stored.
        open_days: Days whose rows and calls are whole in memory.
    """

    def __init__(self, client: Client, keys: SourceKeys, rules: Rules, stamp: codec.Stamp) -> None:
        self.client, self.keys, self.rules, self.stamp = client, keys, rules, stamp
        self.zone = rules.zone
        self._limits_s = rules.waiting_limit_s + rules.talking_limit_s
        self.stamps: dict[str, codec.Stamp] = {}
        self.open_days: set[str] = set()
        self._keys_of_day: dict[str, set[codec.Key]] = {}
        self._calls_of_day: dict[str, dict[str, Call]] = {}
        self._maybe_open: set[str] = set()  # calls that Redis may have as open, whatever became of the answer
        self._stays: set[str] = set()  # those that are to be there, as told by the last `changes`
        self._stamping: dict[str, codec.Stamp] = {}  # as told by the last `changes`
        self.fold = Fold(rules, State(), Rows(self._load_row))

    # From Redis --------------------------------------------------------------------------------------------------

    def load(self, meta: dict[bytes, bytes]) -> None:
        """Take over what is stored: the state, and the days that are open."""
        pipe = self.client.pipeline(transaction=False)
        pipe.hgetall(self.keys.seats)
        pipe.hgetall(self.keys.open)
        pipe.hgetall(self.keys.days)
        seats, open_calls, stamps = pipe.execute()
        state = State(clock=codec.decode_clock(meta[b"clock"]))
        state.seats = {name.decode(): codec.decode_seat(data) for name, data in seats.items()}
        self.stamps = {day.decode(): codec.decode_stamp(data) for day, data in stamps.items()}
        live = {callid.decode(): codec.decode_call(data) for callid, data in open_calls.items()}
        self._maybe_open = set(live)
        days = {day for day, stamp in self.stamps.items() if not stamp.closed}
        for day in sorted(days | {self._day(call.at_s) for call in live.values()}):
            self._load_day(day)
        for call in live.values():
            self._calls_of_day[self._day(call.at_s)][call.callid] = call
        forgotten = set(codec.decode_forgotten(meta.get(b"forgotten", b"[]")))
        for day in sorted(self._calls_of_day):
            calls = self._calls_of_day[day].values()
            state.calls.update(
                (call.callid, call) for call in calls if (call.at_s, call.callid) not in forgotten
            )
        state.calls.update(live)  # where an id came twice, the call in progress is meant
        rows = self.fold.rows
        rows.touched.clear()
        self.fold = Fold(self.rules, state, rows)

    def _load_row(self, key: codec.Key) -> list[int] | None:
        day = self._day(key[2])
        if day not in self.open_days:
            self._load_day(day)
        self._keys_of_day[day].add(key)
        return dict.get(self.fold.rows, key)

    def _load_day(self, day: str) -> None:
        """Bring a whole day into memory: a row that is changed alone could not be closed with the others."""
        found: dict[codec.Key, list[int]] = {}
        calls: dict[str, Call] = {}
        if day in self.stamps:
            pipe = self.client.pipeline(transaction=False)
            pipe.get(self.keys.day(day))
            pipe.hgetall(self.keys.rows(day))
            pipe.get(self.keys.callz(day))
            pipe.hgetall(self.keys.calls(day))
            packed_rows, rows, packed_calls, loose = pipe.execute()
            if packed_rows:
                found.update(((k, i, s), row) for k, i, s, row in codec.unpack_day(packed_rows).rows)
            for name, data in rows.items():
                key = parse_field(name.decode())
                if key[0] != MULTI:
                    found[key] = codec.decode_row(data)
            if packed_calls:
                calls.update((call.callid, call) for call in codec.unpack_calls(packed_calls))
            calls.update((callid.decode(), codec.decode_call(data)) for callid, data in loose.items())
        # Only now: a day that could not be read is not in hand.
        for key, row in found.items():
            if not dict.__contains__(self.fold.rows, key):
                self.fold.rows.put(key, row)
        self._keys_of_day[day] = set(found)
        self._calls_of_day[day] = calls
        self.open_days.add(day)

    def _day(self, at_s: int) -> str:
        return self.zone.day(at_s)

    # To Redis ----------------------------------------------------------------------------------------------------

    def changes(self, upto: str) -> Batch:
        """Everything that brings Redis to what is in memory; asked again before `stored`, it says the same and more.

        Args:
            upto: The position after it, for the stamps of the days.
        """
        fold, keys = self.fold, self.keys
        batch = Batch()
        touched: dict[str, list[codec.Key]] = {}
        for key in fold.rows.touched:
            touched.setdefault(self._day(key[2]), []).append(key)
        for at_s, _ in fold.touched_calls:
            day = self._day(at_s)
            touched.setdefault(day, [])
            if day not in self.open_days:
                self._load_day(day)
        closing = self._closing()
        self._stamping = {day: self._stamp(upto) for day in touched.keys() - closing}
        fields: dict[str, list[Any]] = {}
        for day, row_keys in touched.items():
            names = {field_of(*key): fold.rows[key] for key in row_keys}
            batch.published["rows"].update(names)
            if day not in closing:
                flat = fields[day] = []
                for name, row in names.items():
                    flat += (name, codec.encode_row(row))
        self._sort_calls(batch, fields, closing)
        batch.operations += [("HSET", keys.rows(day), flat) for day, flat in fields.items() if flat]
        seats: list[Any] = []
        for seat_id in fold.touched_seats:
            seats += (seat_id, codec.encode(fold.state.seats[seat_id]))
            batch.published["seats"][seat_id] = fold.state.seats[seat_id]
        if seats:
            batch.operations.append(("HSET", keys.seats, seats))
        for day in sorted(closing):
            self._stamping[day] = self._stamp(upto, closed=True)
            batch.operations += self._close(day)
        for day, stamp in sorted(self._stamping.items()):
            batch.operations.append(("HSET", keys.days, [day, codec.encode(stamp)]))
        batch.published["clock"] = fold.state.clock
        return batch

    def stored(self) -> None:
        """What `changes` said last is in Redis now: forget what was touched, and the days that were closed."""
        fold = self.fold
        fold.rows.touched.clear()
        fold.touched_calls.clear()
        fold.touched_seats.clear()
        self.stamps |= self._stamping
        for day in [day for day, stamp in self._stamping.items() if stamp.closed]:
            self.open_days.discard(day)
            self._calls_of_day.pop(day, None)
            for key in self._keys_of_day.pop(day, ()):
                fold.rows.pop(key, None)
        self._stamping = {}
        self._maybe_open &= self._stays

    def _open_now(self) -> set[str]:
        """Calls that wait or talk, and those whose wrap-up lasts: its end changes them once more."""
        wrapping = {seat.wrap.callid for seat in self.fold.state.seats.values() if seat.wrap is not None}
        return self.fold.open.keys() | wrapping

    def _strays(self, closing: set[str]) -> tuple[list[tuple[int, str]], set[str]]:
        """What a clock that has been ahead leaves behind, and the next start must know: the fold decides by it.

        Returns:
            Calls of days that stay open which the fold has forgotten; calls which it knows though their day is not
            read at the next start.
        """
        if not self.fold.state.clock.steps_back:
            return [], set()
        known, staying = self.fold.state.calls, self.open_days - closing
        forgotten = [
            (call.at_s, callid)
            for day in sorted(staying)
            for callid, call in self._calls_of_day[day].items()
            if callid not in known or known[callid].at_s != call.at_s
        ]
        return forgotten, {callid for callid, call in known.items() if self._day(call.at_s) not in staying}

    def _is_over(self, day: str) -> bool:
        """Whether nothing but a clock stepping back can change a day any more."""
        return self.zone.bounds(day)[1] + self._limits_s <= self.fold.state.clock.latest_s

    def _sort_calls(self, batch: Batch, fields: dict[str, list[Any]], closing: set[str]) -> None:
        """Tell of touched calls; what is written of a day that is being closed is all of it, anyway.

        Args:
            batch: To be told in.
            fields: Day that stays open -> fields of its rows, to which calls with several legs are added.
            closing: The days that do not stay open.
        """
        keys, published, known = self.keys, batch.published, self.fold.state.calls
        decided: dict[str, list[Any]] = {}
        open_now = self._open_now()
        opened: list[Any] = []
        for (at_s, callid), call in self.fold.touched_calls.items():
            day = self._day(at_s)
            if call is None:
                self._calls_of_day[day].pop(callid, None)
                if day not in closing:
                    batch.operations.append(("HDEL", keys.calls(day), [callid]))
                    batch.operations.append(("HDEL", keys.rows(day), [field_of(MULTI, callid, at_s)]))
                continue
            self._calls_of_day[day][callid] = call
            several = len(call.legs) > 1
            if several:
                published["multi"][callid] = call
            if callid in open_now and known.get(callid) is call:  # and not an older one of the same id
                opened += (callid, codec.encode(call))
                published["open"][callid] = call
            elif day not in closing:
                decided.setdefault(day, []).extend((callid, codec.encode(call)))
            if several and day not in closing:
                fields[day] += (field_of(MULTI, callid, call.at_s), codec.encode(call))
        batch.operations += [("HSET", keys.calls(day), flat) for day, flat in decided.items()]
        forgotten, remembered = self._strays(closing)
        batch.operations.append(("HSET", keys.meta, ["forgotten", codec.encode(forgotten)]))
        for callid in remembered - open_now:
            opened += (callid, codec.encode(known[callid]))
            published["open"][callid] = known[callid]
        if opened:
            batch.operations.append(("HSET", keys.open, opened))
            self._maybe_open |= published["open"].keys()
        self._stays = open_now | remembered
        ended = list(self._maybe_open - self._stays)
        if ended:
            batch.operations.append(("HDEL", keys.open, ended))
            published["open"].update(dict.fromkeys(ended))

    def _stamp(self, upto: str, *, closed: bool = False) -> codec.Stamp:
        return codec.Stamp(self.stamp.fold, self.stamp.parser, self.stamp.names, upto, closed)

    def _closing(self) -> set[str]:
        """Days in hand that are over, with nobody in them still busy."""
        over = {day for day in self.open_days if self._is_over(day)}
        if not over:
            return over
        open_calls = [
            self.fold.state.calls[callid] for callid in self._open_now() & self.fold.state.calls.keys()
        ]
        busy = {self._day(call.at_s) for call in open_calls}
        busy |= {self._day(leg.offered_s or call.at_s) for call in open_calls for leg in call.legs}
        return over - busy

    def _close(self, day: str) -> Iterator[Operation]:
        rows = self.fold.rows
        calls: Iterable[Call] = self._calls_of_day[day].values()
        packed = codec.pack_day(
            ((key, rows[key]) for key in self._keys_of_day[day] if any(rows[key])),
            [call for call in calls if len(call.legs) > 1],
        )
        yield "SET", self.keys.day(day), [packed]
        yield "SET", self.keys.callz(day), [codec.pack_calls(calls)]
        yield "DEL", self.keys.rows(day), []
        yield "DEL", self.keys.calls(day), []


def wipe(client: Client, keys: SourceKeys) -> None:
    """Remove a generation; its head first, so that nobody takes a half of it for the whole."""
    days = [day.decode() for day in client.hkeys(keys.days)]
    client.unlink(keys.meta)
    for day in days:
        for key in (keys.rows(day), keys.calls(day), keys.day(day), keys.callz(day)):
            client.unlink(key)
    for key in (keys.seats, keys.open, keys.days):
        client.unlink(key)
