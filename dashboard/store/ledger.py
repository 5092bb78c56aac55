"""The days of one source that a writer has in hand: rows and calls as they are to be stored.

Between the fold, which touches rows and calls, and Redis, which gets them as values. It loads a stored day when a
line of that day comes, says which operations bring Redis to what is in memory, and closes days that are over.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dashboard.core.calls import Call
from dashboard.core.counts import Rows
from dashboard.core.events import Event
from dashboard.core.fold import Fold, Rules, State
from dashboard.store import codec
from dashboard.store.borders import Border, pack_state, stored_before
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
        reached_s: The latest time of all that is counted, whatever the clock did since.
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
        self.border_days: dict[str, int] = {}  # day -> its first second, of all borders; in order
        self._touched_earlier: set[codec.Key] = set()  # before the latest day began
        self.borders: list[Border] = []  # of which earlier days may change yet
        self._dropped: set[str] = set()  # borders to be taken away
        self._today_s = self._tomorrow_s = 0  # of the latest day so far
        self.reached_s = 0
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
        self.reached_s = max(int(meta.get(b"reached_s", 0)), state.clock.latest_s)
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
        self._load_borders()

    def _load_borders(self) -> None:
        days = sorted(day.decode() for day in self.client.hkeys(self.keys.borders))
        self.border_days = {day: self.zone.bounds(day)[0] for day in days}
        if days:
            self._today_s, self._tomorrow_s = self.zone.bounds(days[-1])
        self._today_s, self._tomorrow_s = max(
            (self._today_s, self._tomorrow_s),
            (*self.zone.bounds(max(self.stamps)),) if self.stamps else (0, 0),
        )
        for day, start_s in self.border_days.items():
            if any(other < day for other in self.open_days):
                border = self._border(day, start_s, b"")
                border.before = stored_before(self.client, self.keys, day)
                self.borders.append(border)

    def _border(self, day: str, start_s: int, state: bytes) -> Border:
        changing = {other for other in self.open_days if other < day and not self._is_over(other)}
        base = {key: row[:] for other in changing for key, row in self._rows_of(other)}
        return Border(day, start_s, state, base=base, base_days=changing, known=self._known_days())

    def _known_days(self) -> set[str]:
        """The days that have rows."""
        return {*self.stamps, *self.open_days}

    def _rows_of(self, day: str) -> Iterator[tuple[codec.Key, list[int]]]:
        rows = self.fold.rows
        return ((key, rows[key]) for key in self._keys_of_day[day])

    # Counting -----------------------------------------------------------------------------------------------------

    def feed(self, events: Iterable[Event]) -> None:
        """Fold events; where a day begins, what is carried over is kept."""
        some: list[Event] = []
        for event in events:
            at_s = event.at_s
            if at_s >= self._tomorrow_s:
                self.fold.feed(some)
                some = []
                self._begin_day(at_s)
            elif at_s < self._today_s:
                self._drop_borders(at_s)
            if at_s > self.reached_s:
                self.reached_s = at_s
            some.append(event)
        self.fold.feed(some)

    @property
    def touched(self) -> set[codec.Key]:
        """The rows that have changed and are not stored."""
        return self._touched_earlier | self.fold.rows.touched

    def _note_borders(self) -> None:
        """Let the borders know which rows have changed behind them."""
        for border in list(self.borders):
            if not border.note(self.fold.rows.touched, self._day):
                self._drop_border(border.day)

    def _begin_day(self, at_s: int) -> None:
        self._note_borders()
        self._touched_earlier |= self.fold.rows.touched
        self.fold.rows.touched.clear()
        day = self._day(at_s)
        self._today_s, self._tomorrow_s = self.zone.bounds(day)
        self.borders.append(self._border(day, self._today_s, pack_state(self.fold.state)))
        self.border_days[day] = self._today_s
        self._dropped.discard(day)

    def _drop_borders(self, at_s: int) -> None:
        """A line came from before a border: the log cannot be cut there."""
        while self.border_days:
            day, start_s = next(reversed(self.border_days.items()))
            if start_s <= at_s:
                return
            self._drop_border(day)

    def _drop_border(self, day: str) -> None:
        self.border_days.pop(day, None)
        self._dropped.add(day)
        self.borders = [border for border in self.borders if border.day != day]

    # From Redis, a day at a time ----------------------------------------------------------------------------------

    def _load_row(self, key: codec.Key) -> list[int] | None:
        day = self._day(key[2])
        if day not in self.open_days:
            self._load_day(day)
        self._keys_of_day[day].add(key)
        return dict.get(self.fold.rows, key)

    def _load_day(self, day: str) -> None:
        """Bring a whole day into memory: a row that is changed alone could not be closed with the others."""
        self._take_day(day, *self.stored_day(day))

    def stored_day(self, day: str) -> tuple[dict[codec.Key, list[int]], dict[str, Call]]:
        """A day's rows, and its calls that are over, as Redis has them."""
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
        return found, calls

    def _take_day(self, day: str, found: dict[codec.Key, list[int]], calls: dict[str, Call]) -> None:
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
        for key in self.touched:
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
        batch.operations += self._border_changes()
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

    def _border_changes(self) -> Iterator[Operation]:
        self._note_borders()
        for day in sorted(self._dropped):
            yield "HDEL", self.keys.borders, [day]
            yield "DEL", self.keys.before(day), []
        for border in self.borders:
            yield from border.operations(self.keys)

    def stored(self) -> None:
        """What `changes` said last is in Redis now: forget what was touched, and the days that were closed."""
        fold = self.fold
        self._dropped.clear()
        for border in self.borders:
            border.state = b""
            border.unsaved.clear()
        fold.rows.touched.clear()
        self._touched_earlier.clear()
        fold.touched_calls.clear()
        fold.touched_seats.clear()
        self.stamps |= self._stamping
        for day in [day for day, stamp in self._stamping.items() if stamp.closed]:
            self.open_days.discard(day)
            self._calls_of_day.pop(day, None)
            for key in self._keys_of_day.pop(day, ()):
                fold.rows.pop(key, None)
        self._stamping = {}
        self.borders = [border for border in self.borders if any(day < border.day for day in self.open_days)]
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
    for name in client.hkeys(keys.borders):
        client.unlink(keys.before(name.decode()))
    for key in (keys.seats, keys.open, keys.days, keys.borders):
        client.unlink(key)
