"""Days that changed are counted again: from the state in which they began, until the carried state is the stored one.

What is new in an archive (a late import, live lines that an import has, too) changes some days of a source's log. Each
run of changed days is one set of operations, done in one commit. Reads Redis and the archive; writes nothing itself.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from dashboard.core.calls import Call
from dashboard.core.counts import widened
from dashboard.core.fold import Fold, Rules, State
from dashboard.store import codec
from dashboard.store.archive import Archive, Record
from dashboard.store.borders import differing_calls, pack_state, same_rows, stored_before, unpack_state
from dashboard.store.connect import Client
from dashboard.store.keys import MULTI, SourceKeys
from dashboard.store.keys import field as field_of
from dashboard.store.ledger import Ledger, Operation
from dashboard.store.recovery import Known, Replay, Stretch, log_since

DAYS_AT_MOST = 60
"""More days in a row are not counted again in memory; all is then."""


class CannotRefold(Exception):
    """Nothing is known of where these days began, or there are too many: count everything again."""


@dataclass(slots=True)
class Run:
    """Days in a row, counted again.

    Attributes:
        days: Which.
        first_s: When the log begins.
        operations: What replaces them in Redis, the state after them included where it is another.
    """

    days: list[str]
    first_s: int | None
    operations: list[Operation] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Refold:
    """Finds what changed in an archive, and counts it again.

    Attributes:
        client, keys: Redis, and the keys of the counts that are stored.
        rules, archive, replay, stamp: As of the keeper.
        known: What of the archive is counted.
        since_s: Nothing new is earlier.
        to_s: Nothing new is later.
        upto: The position that days are stamped with.
        distrusted: What is stored of this time is not believed: all of it is counted again, changed or not.
    """

    client: Client
    keys: SourceKeys
    rules: Rules
    archive: Archive
    replay: Replay
    stamp: codec.Stamp
    known: Known
    since_s: int
    to_s: int
    upto: str
    distrusted: bool = False

    def runs(self) -> Iterator[Run]:
        """Each run of days that changed; to be committed before the next is asked for.

        Raises:
            CannotRefold: Not these days.
        """
        zone = self.rules.zone
        log = log_since(self.archive, zone, self.replay, self.known, zone.bounds(zone.day(self.since_s))[0])
        if log is None:
            raise CannotRefold
        ledger: _Again | None = None
        waiting: list[Stretch] = []
        for stretch in log:
            differs = stretch.differs or (self.distrusted and stretch.from_s < self.to_s)
            if ledger is not None:
                if not differs and ledger.meets(zone.day(stretch.from_s)):
                    yield ledger.run(self.upto)
                    ledger = None
                else:
                    ledger.count(stretch.records)
                    continue
            if not differs and not waiting:
                if stretch.from_s > self.to_s:
                    return
                continue
            waiting.append(stretch)
            if stretch.grew:
                # Days that had no lines would have begun as the next one that had some.
                ledger = _Again(self, waiting[0].from_s, zone.day(stretch.from_s))
                for one in waiting:
                    ledger.count(one.records)
                waiting = []
        if waiting:
            raise CannotRefold
        if ledger is not None:
            yield ledger.run_to_the_end(self.upto)


class _Again(Ledger):
    """Counts from the beginning of a day on: earlier days are as they were then, later ones are made anew."""

    def __init__(self, refold: Refold, from_s: int, begun: str) -> None:
        """Take up the state in which a day began.

        Args:
            refold: Which counts.
            from_s: Where to begin.
            begun: The day with the state: that of `from_s`, or the next one that had any line.

        Raises:
            CannotRefold: That state is not stored.
        """
        super().__init__(refold.client, refold.keys, refold.rules, refold.stamp)
        self.replay, self.from_s = refold.replay, from_s
        self._distrusted_s = refold.to_s if refold.distrusted else from_s
        days, open_now = self.client.hgetall(self.keys.days), self.client.hgetall(self.keys.open)
        self.stamps = {day.decode(): codec.decode_stamp(data) for day, data in days.items()}
        self._old_open = {name.decode(): codec.decode_call(data) for name, data in open_now.items()}
        self._old_borders = sorted(day.decode() for day in self.client.hkeys(self.keys.borders))
        self._old_rows: dict[codec.Key, list[int]] = {}
        self._old_calls: dict[tuple[str, str], Call] = {}
        self._made: set[str] = set()  # days that are made anew
        self._met = ""
        self._met_before: dict[codec.Key, list[int]] = {}
        self._differing: set[str] = set()  # calls that are over, and differ where all else is as it was
        self._begun_before = stored_before(self.client, self.keys, begun)
        self._begun = self._state_at(begun)
        rows = self.fold.rows
        self.fold = Fold(self.rules, self._begun, rows)
        latest_s = self._begun.clock.latest_s
        for day in self.stamps:
            start_s, end_s = self.zone.bounds(day)
            if start_s < from_s and end_s + self._limits_s > latest_s:
                self._load_day(day)
        # What later lines did to earlier days is taken back, whether or not they do it again.
        for key in self._begun_before:
            if key[2] < from_s:
                rows.touch(key)
        for call in self._begun.calls.values():
            day = self._day(call.at_s)
            if day not in self.open_days:
                self._load_day(day)
            if self._old_calls.get((day, call.callid)) != call:
                self.fold.touched_calls[call.at_s, call.callid] = call

    def _state_at(self, day: str) -> State:
        data = self.client.hget(self.keys.borders, day)
        if data is None:
            raise CannotRefold
        return unpack_state(data)

    # Days -----------------------------------------------------------------------------------------------------------

    def _is_made(self, day: str) -> bool:
        return self.zone.bounds(day)[0] >= self.from_s

    def _known_days(self) -> set[str]:
        return {day for day in self.stamps if not self._is_made(day)} | self.open_days

    def _load_day(self, day: str) -> None:
        rows, calls = self.stored_day(day)
        self._old_rows.update(rows)
        self._old_calls.update(((day, callid), call) for callid, call in calls.items())
        self._old_calls.update(
            ((day, callid), call) for callid, call in self._old_open.items() if self._day(call.at_s) == day
        )
        if self._is_made(day):
            self._made.add(day)
            rows, calls = {}, {}
        else:
            rows |= {key: row for key, row in self._begun_before.items() if self._day(key[2]) == day}
            calls |= {call.callid: call for call in self._begun.calls.values() if self._day(call.at_s) == day}
        self._take_day(day, rows, calls)

    # Counting -------------------------------------------------------------------------------------------------------

    def count(self, records: Sequence[Record]) -> None:
        """Count a stretch.

        Raises:
            CannotRefold: These are too many days.
        """
        self.feed(event for record in records if (event := self.replay(*record)) is not None)
        if len(self.open_days) > DAYS_AT_MOST:
            raise CannotRefold

    def meets(self, day: str) -> bool:
        """Whether a day begins as it began when it was counted before, so that all that follows is as it was."""
        if day not in self._old_borders:
            return False
        was = self._state_at(day)
        differing = differing_calls(self.fold.state, was)
        if differing is not None:
            differing |= self._distrusted_calls()
        if differing is None:
            return False
        busy = {talk.callid for seat in was.seats.values() for talk in seat.talks}
        busy |= {seat.wrap.callid for seat in was.seats.values() if seat.wrap is not None}
        later_ids = self._old_open.keys() | (self.stored_day(day)[1].keys() if differing else set())
        if differing & busy or not all(self._is_done_with(callid, was, later_ids) for callid in differing):
            return False
        later = next((other for other in self._old_borders if other > day), None)
        if differing and later is not None:
            start_s = self.zone.bounds(day)[0]
            if any(call.at_s < start_s for call in self._state_at(later).calls.values()):
                return False  # it would have to be told there, too
        before = stored_before(self.client, self.keys, day)
        for other in {self._day(key[2]) for key in before} - self.open_days:
            self._load_day(other)
        if not same_rows(self.fold.rows, before):
            return False
        if any(self.from_s <= key[2] < self._distrusted_s for key in before):
            return False  # what became of them later cannot be taken from what is stored
        self._met, self._met_before, self._differing = day, before, differing
        return True

    def _distrusted_calls(self) -> set[str]:
        calls = self.fold.state.calls.values()
        return {call.callid for call in calls if self.from_s <= call.at_s < self._distrusted_s}

    def _is_done_with(self, callid: str, was: State, later_ids: Set[str]) -> bool:
        """Whether a call that differs is over, and no later line is of it: then it changes nothing that follows."""
        now, then = self.fold.state.calls.get(callid), was.calls.get(callid)
        if now is None or now.open:
            return False
        if then is None:
            return callid not in later_ids
        if then.open:
            return False
        known = self._day(then.at_s)
        if known not in self.open_days:
            self._load_day(known)
        if self.from_s <= then.at_s < self._distrusted_s:
            stored = self._old_calls.get((known, callid))
            return stored is None or len(stored.legs) <= len(now.legs)
        return self._old_calls.get((known, callid)) == then

    # What comes of it -------------------------------------------------------------------------------------------------

    def run(self, upto: str) -> Run:
        """What replaces the days up to the one from which on all goes as before."""
        rows = self.fold.rows
        for (at_s, callid), call in self.fold.touched_calls.items():
            day = self._day(at_s)
            if day not in self.open_days:
                self._load_day(day)
            if call is None:
                self._calls_of_day[day].pop(callid, None)
            else:
                self._calls_of_day[day][callid] = call
        self._note_borders()
        # What changed later, does so again: as it was stored is as it becomes.
        for key in self._met_before:
            rows.touch(key)[:] = widened(key[0], self._old_rows.get(key, []))
        for callid, call in self.fold.state.calls.items():
            if callid in self._differing:
                continue
            day = self._day(call.at_s)
            later = self._old_calls.get((day, callid))
            if later is None or later.at_s != call.at_s:
                self._calls_of_day[day].pop(callid, None)
            else:
                self._calls_of_day[day][callid] = later
        changed = {self._day(key[2]) for key in self.touched} | self._made
        changed |= {self._day(at_s) for at_s, _ in self.fold.touched_calls}
        gone = {day for day in self.stamps if self._is_made(day) and day < self._met} - changed
        made = Run(days=sorted(changed | gone), first_s=self.fold.state.clock.first_s)
        for day in sorted(changed):
            made.operations += self._replace(day, upto)
        made.operations += self._remove(gone)
        made.operations += self._replace_borders()
        if self._differing:
            state = pack_state(self.fold.state)
            made.operations.append(("HSET", self.keys.borders, [self._met, state]))
        return made

    def run_to_the_end(self, upto: str) -> Run:
        """What replaces the days up to the end of the log, and the state there."""
        fold, keys = self.fold, self.keys
        self._note_borders()
        gone = {day for day in self.stamps if self._is_made(day)} - self.open_days
        made = Run(days=sorted(self.open_days | gone), first_s=fold.state.clock.first_s)
        made.operations += self._remove(gone)
        for day in sorted(self._made):
            made.operations += self._remove_values(day)
        made.operations += [("DEL", keys.seats, []), ("DEL", keys.open, [])]
        fold.touched_seats |= fold.state.seats.keys()
        for callid in self._open_now() & fold.state.calls.keys():
            call = fold.state.calls[callid]
            fold.touched_calls[call.at_s, callid] = call
        self._dropped |= self._gone_borders("9999")
        made.operations += self.changes(upto).operations
        made.operations.append(("HSET", keys.meta, ["clock", codec.encode(fold.state.clock)]))
        return made

    def _remove_values(self, day: str) -> Iterator[Operation]:
        keys = self.keys
        for key in (keys.rows(day), keys.calls(day), keys.day(day), keys.callz(day)):
            yield "DEL", key, []

    def _remove(self, days: set[str]) -> Iterator[Operation]:
        for day in sorted(days):
            yield from self._remove_values(day)
            yield "HDEL", self.keys.days, [day]

    def _replace(self, day: str, upto: str) -> Iterator[Operation]:
        """A day as it is in memory instead of the one that is stored; calls in progress stay where they are."""
        keys, stamp = self.keys, self.stamps.get(day)
        in_progress = {callid for callid, call in self._old_open.items() if self._day(call.at_s) == day}
        closed = stamp is not None and stamp.closed and not in_progress
        yield from self._remove_values(day)
        if closed:
            yield from self._close(day)
        else:
            rows: list[Any] = []
            calls: list[Any] = []
            for key, row in self._rows_of(day):
                rows += (field_of(*key), codec.encode_row(row))
            for callid, call in self._calls_of_day[day].items():
                if len(call.legs) > 1:
                    rows += (field_of(MULTI, callid, call.at_s), codec.encode(call))
                if callid not in in_progress:
                    calls += (callid, codec.encode(call))
            if rows:
                yield "HSET", keys.rows(day), rows
            if calls:
                yield "HSET", keys.calls(day), calls
        yield "HSET", keys.days, [day, codec.encode(self._stamp(upto, closed=closed))]

    def _gone_borders(self, before_day: str) -> set[str]:
        """Borders that were and are not any more."""
        crossed = {border.day for border in self.borders}
        return {day for day in self._old_borders if self._is_made(day) and day < before_day} - crossed

    def _replace_borders(self) -> Iterator[Operation]:
        for day in sorted(self._gone_borders(self._met)):
            yield "HDEL", self.keys.borders, [day]
            yield "DEL", self.keys.before(day), []
        for border in self.borders:
            for key, row in self._met_before.items():
                if key[2] < border.start_s:
                    border.before.setdefault(key, row)
            yield from border.operations(self.keys)
