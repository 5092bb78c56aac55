"""Events of one source -> counts, calls and seats: the counting rule of this project.

Pure: no files, no clock, no network; what comes out depends on the events and their order alone, never on where
the stream was cut. A fate counts in the slot in which the call was offered, work in the slot in which it was done.

`Fold` changes its own state in place, because a million lines have to pass in seconds; `fold` is the same as a
function of values, for tests and for whoever wants to see that it is one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

import msgspec

from dashboard.core import events as e
from dashboard.core import seats as st
from dashboard.core.calls import (
    ABANDONED,
    ANSWERED,
    LOST,
    OVERFLOWED,
    WAITING,
    Call,
    Counted,
    Leg,
    apply_counts,
    call_counts,
)
from dashboard.core.counts import ABANDONED_WAIT, ANSWERED_WAIT, CALLS, QUEUE, SEAT, F, Rows, S, bin_of
from dashboard.core.days import SLOT_S, Zone, split

VERSION = 1
"""Of the rules in this package: stored with each day; a later version offers to count the past again."""

FOREVER = 2**62

SILENCE_S = 14 * 86_400
"""A log silent for longer was not written then (a clock that was set, years of a file missing): no seat's time counts
in such a stretch, or one wrong line would make a row for each slot of decades."""

STEP_S = 86_400
"""A clock that goes back further was wrong before: seats' time is taken up from there, not when that time comes."""

UNKNOWN_VERBS = 100
"""Verbs that nobody described, told apart; a dial plan may write one of its own for each call."""

OTHER_VERBS = "…"

_OFFERED, _ANSWERED, _ABANDONED = F["offered"], F["answered"], F["abandoned"]
_OVERFLOWED, _LOST, _CUT, _FINISHED = F["overflowed"], F["lost"], F["cut"], F["finished"]
_ANSWER_WAIT, _ABANDON_WAIT, _OVERFLOW_WAIT = F["answer_wait_s"], F["abandon_wait_s"], F["overflow_wait_s"]
_TALK, _WRAP, _LONGEST = F["talk_s"], F["wrap_s"], F["longest_wait_s"]
_ANSWERS, _TALK_DONE, _REFUSED, _ORPHAN = F["answers"], F["talk_done_s"], F["refused"], F["orphan"]
_ABANDONED_AFTER_ANSWER = F["abandoned_after_answer"]
_SEAT_ANSWERS, _SEAT_RING_NO_ANSWER = S["answers"], S["ring_no_answer"]
_AWAY = (st.UNKNOWN, st.SIGNED_OUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the fold must know of a hotline.

    Attributes:
        zone: The hotline's zone, for the ends of days.
        wrapup_s: Queue -> seconds of wrap-up after a conversation; a queue without an entry has none observed.
        waiting_limit_s: A leg waiting longer, without an end, is lost.
        talking_limit_s: A conversation longer, without an end, is cut.
    """

    zone: Zone
    wrapup_s: Mapping[str, int] = field(default_factory=dict)
    waiting_limit_s: int = 2 * 3600
    talking_limit_s: int = 8 * 3600


class Clock(msgspec.Struct):
    """What the fold knows of time and of its source as a whole.

    Attributes:
        first_s: Time of the first event; None before any.
        last_s: Time of the last event, as the source wrote it.
        latest_s: The greatest time so far, since the clock last went back by more than a day.
        midnight_s: The end of the day up to which seats were last counted.
        started_s: When the switch last started, as far as it was seen.
        refused_from_s: Time of the first refusal ever told: from then on their absence means none.
        unknown: Verb that nobody described -> how many; those beyond a hundred verbs under "…".
        steps_back: How often the time went back by more than a minute.
    """

    first_s: int | None = None
    last_s: int | None = None
    latest_s: int = 0
    midnight_s: int = FOREVER
    started_s: int | None = None
    refused_from_s: int | None = None
    unknown: dict[str, int] = {}
    steps_back: int = 0


class State(msgspec.Struct):
    """Everything that has to be carried over a cut.

    Attributes:
        clock: Times and peculiarities of the source.
        calls: Call id -> call, of the days that are not closed.
        seats: Seat id -> seat.
    """

    clock: Clock = msgspec.field(default_factory=Clock)
    calls: dict[str, Call] = {}
    seats: dict[str, st.Seat] = {}


class Fold:
    """The counting of one source.

    Attributes:
        state: Carried over a cut; equal to what the same events give in one piece.
        rows: Where counts go; `rows.touched` are the rows changed since the caller last cleared it.
        touched_calls: (day's second, call id) -> call changed since the caller last cleared it; None where the call
            has moved to another time.
        touched_seats: Ids of seats changed since the caller last cleared it.
    """

    def __init__(self, rules: Rules, state: State | None = None, rows: Rows | None = None) -> None:
        self.rules = rules
        self.state = State() if state is None else state
        self.rows = Rows() if rows is None else rows
        self.touched_calls: dict[tuple[int, str], Call | None] = {}
        self.touched_seats: set[str] = set()
        self.open = {callid: call for callid, call in self.state.calls.items() if call.open}
        self._day = (0, 0)
        self._limits_s = rules.waiting_limit_s + rules.talking_limit_s
        self._longest_wrap_s = max(rules.wrapup_s.values(), default=0)
        self._wraps = sorted((s.wrap.until_s, i) for i, s in self.state.seats.items() if s.wrap is not None)
        # Earliest times at which something may be due: never later than it is, so where a stream is cut is no matter.
        self._deadline_s = self._next_deadline()
        self._forget_s = min((self._forgotten_s(call) for call in self.state.calls.values()), default=FOREVER)
        self._late = False
        self._last_s = self.state.clock.last_s
        self._turn(0)
        self._handlers: dict[type[e.Event], Callable[..., None]] = {
            e.Offered: self._offered,
            e.Answered: self._answered,
            e.Ended: self._ended,
            e.Abandoned: self._abandoned,
            e.Overflowed: self._overflowed,
            e.Refused: self._refused,
            e.SignedIn: self._signed_in,
            e.SignedOut: self._signed_out,
            e.Paused: self._paused,
            e.Unpaused: self._unpaused,
            e.RingMissed: self._ring_missed,
            e.SeatSeen: self._seat_seen,
            e.SwitchStarted: self._switch_started,
            e.Unknown: self._unknown,
        }

    def feed(self, events: Iterable[e.Event]) -> None:
        """Fold events in the order of their source; time passes first, then each event has its effect."""
        handlers = self._handlers
        clock = self.state.clock
        latest_s = clock.latest_s
        self._last_s = clock.last_s
        # Rows found in an earlier batch may have been stored and let go since.
        self._slot_s = self._alarm_s = -1
        try:
            for event in events:
                at_s = event.at_s
                kind = type(event)
                if at_s >= self._alarm_s:
                    alive_s = at_s
                    if kind is e.SwitchStarted and self._last_s is not None:
                        # It was away: nobody was at work after the last sign of life before.
                        alive_s = self._last_s
                    self._time_passes(at_s, alive_s)
                latest_s = at_s if at_s >= latest_s else self._step_back(at_s, latest_s)
                handler = handlers.get(kind)
                if handler is not None:
                    handler(event)
                self._last_s = at_s
        finally:
            clock.latest_s, clock.last_s = latest_s, self._last_s

    def pass_to(self, at_s: int) -> None:
        """Let time pass up to an instant without an event, for whoever looks: seats are counted up to it."""
        self._time_passes(at_s, at_s)
        for seat_id, seat in self.state.seats.items():
            self._settle(seat_id, seat, at_s)

    # Time -------------------------------------------------------------------------------------------------------

    def _time_passes(self, at_s: int, alive_s: int) -> None:
        """Do what is due by the log's own time, so that any other reader of the log does it at the same place.

        Args:
            at_s: The instant.
            alive_s: Up to when seats can have been at work.
        """
        clock = self.state.clock
        if clock.first_s is None:
            clock.first_s = at_s
            clock.midnight_s = self._end_of_day(at_s)
        if at_s > self._deadline_s:
            self._close_overdue(at_s)
        seen_s = alive_s
        if self._last_s is not None and alive_s > self._last_s + SILENCE_S:
            seen_s = self._last_s
        wraps = self._wraps
        while wraps and wraps[0][0] <= seen_s:
            seat_id = heappop(wraps)[1]
            seat = self.state.seats[seat_id]
            if seat.wrap is not None and seat.wrap.until_s <= seen_s:
                self._settle(seat_id, seat, seen_s)
        if at_s >= clock.midnight_s:
            for seat_id, seat in self.state.seats.items():
                self._settle(seat_id, seat, seen_s)
                if seen_s < alive_s:
                    self._finish_wrap(st.end_wrap(seat, seen_s))
                    seat.counted_s = max(seat.counted_s, alive_s)
            clock.midnight_s = self._end_of_day(at_s)
        if at_s >= self._forget_s:
            self._forget(at_s)
        if at_s - at_s % SLOT_S != self._slot_s:
            self._turn(at_s)
        else:
            self._set_alarm()

    def _turn(self, at_s: int) -> None:
        """Another slot is running: its rows, which nearly every line needs, are kept at hand by name alone."""
        self._slot_s = at_s - at_s % SLOT_S
        self._pairs: dict[str, tuple[list[int], list[int]]] = {}
        self._seat_rows: dict[str, list[int]] = {}
        self._set_alarm()

    def _set_alarm(self) -> None:
        self._alarm_s = min(
            self._slot_s + SLOT_S,
            self._wraps[0][0] if self._wraps else FOREVER,
            self.state.clock.midnight_s,
            self._deadline_s,
            self._forget_s,
        )

    def _step_back(self, at_s: int, latest_s: int) -> int:
        """The clock went back, or has not caught up since; gives what is the latest time from now on."""
        last_s = self._last_s or 0
        if at_s < last_s - 60:
            self.state.clock.steps_back += 1
        if at_s < last_s - STEP_S:
            for seat_id, seat in self.state.seats.items():
                self._settle(seat_id, seat, last_s)
                self._finish_wrap(st.end_wrap(seat, last_s))
                seat.counted_s = min(seat.counted_s, at_s)
                seat.base_since_s, seat.free_s = min(seat.base_since_s, at_s), min(seat.free_s, at_s)
            self.state.clock.midnight_s = self._end_of_day(at_s)
            latest_s = at_s
        if at_s < self._slot_s:
            self._turn(at_s)
        return latest_s

    def _end_of_day(self, at_s: int) -> int:
        from_s, to_s = self._day
        if not from_s <= at_s < to_s:
            zone = self.rules.zone
            self._day = from_s, to_s = zone.bounds(zone.day(at_s))
        return to_s

    def _forgotten_s(self, call: Call) -> int:
        """When a call that has ended is forgotten: no open leg of its day, and no wrap-up, can be left by then."""
        ended_s = max(leg.ended_s or 0 for leg in call.legs)
        return max(self._end_of_day(call.at_s) + self._limits_s, ended_s + self._longest_wrap_s)

    def _is_forgotten(self, call: Call, at_s: int) -> bool:
        return call.callid not in self.open and self._forgotten_s(call) <= at_s

    def _forget(self, at_s: int) -> None:
        calls = self.state.calls
        due = [call for call in calls.values() if self._end_of_day(call.at_s) + self._limits_s <= at_s]
        for call in due:
            if self._is_forgotten(call, at_s):
                del calls[call.callid]
        self._late = any(call.callid in self.open for call in due)
        self._forget_s = min(
            (due_s for call in calls.values() if (due_s := self._forgotten_s(call)) > at_s), default=FOREVER
        )

    def _due_s(self, leg: Leg) -> int:
        """The last instant at which an open leg is not too old; of others a time that never comes."""
        if leg.fate == WAITING:
            return (leg.offered_s or 0) + self.rules.waiting_limit_s
        if leg.talking:
            return (leg.until_s or 0) + self.rules.talking_limit_s
        return FOREVER

    def _next_deadline(self) -> int:
        return min((self._due_s(leg) for call in self.open.values() for leg in call.legs), default=FOREVER)

    def _close_overdue(self, at_s: int) -> None:
        # In the order of their limits: which of two conversations of a seat is given up first makes a difference.
        due = [
            (due_s, callid, index)
            for callid, call in self.open.items()
            for index, leg in enumerate(call.legs)
            if (due_s := self._due_s(leg)) < at_s
        ]
        for due_s, callid, index in sorted(due):
            self._give_up(self.state.calls[callid], index, "no_end", due_s)
        self._deadline_s = self._next_deadline()

    def _give_up(self, call: Call, index: int, reason: str, at_s: int) -> None:
        if call.legs[index].fate == WAITING:
            self._lose(call, call.legs[index], reason, at_s)
        else:
            self._cut(call, index, at_s)

    # Calls ------------------------------------------------------------------------------------------------------

    def _pair(self, queue: str, at_s: int) -> tuple[list[int], list[int]]:
        """The rows of a queue and of the calls for the slot of an instant."""
        slot_s = at_s - at_s % SLOT_S
        if slot_s != self._slot_s:
            return self.rows.touch((QUEUE, queue, slot_s)), self.rows.touch((CALLS, "", slot_s))
        pair = self._pairs.get(queue)
        if pair is None:
            pair = self.rows.touch((QUEUE, queue, slot_s)), self.rows.touch((CALLS, "", slot_s))
            self._pairs[queue] = pair
        return pair

    def _seat_row(self, seat_id: str, at_s: int) -> list[int]:
        """The row of a seat for the slot of an instant."""
        slot_s = at_s - at_s % SLOT_S
        if slot_s != self._slot_s:
            return self.rows.touch((SEAT, seat_id, slot_s))
        row = self._seat_rows.get(seat_id)
        if row is None:
            row = self._seat_rows[seat_id] = self.rows.touch((SEAT, seat_id, slot_s))
        return row

    def _leg_row(self, leg: Leg) -> list[int]:
        assert leg.offered_s is not None
        return self.rows.touch((QUEUE, leg.queue, leg.offered_s - leg.offered_s % SLOT_S))

    def _call_row(self, call: Call) -> list[int]:
        """The row of a call's fate, that of its first offer."""
        at_s = next(leg.offered_s for leg in call.legs if leg.offered_s is not None)
        return self.rows.touch((CALLS, "", at_s - at_s % SLOT_S))

    def _fate_rows(self, call: Call, leg: Leg) -> Sequence[list[int]]:
        """The rows that a leg's fate changes at once: its own, and its call's where it is the only one."""
        if len(call.legs) > 1:
            return (self._leg_row(leg),)
        assert leg.offered_s is not None
        return self._pair(leg.queue, leg.offered_s)

    def _before(self, call: Call) -> Counted | None:
        """What a call counts as, where it has to be taken back: a single leg's fate is counted with the leg."""
        return call_counts(call.legs) if len(call.legs) > 1 else None

    def _changed(self, call: Call, before: Counted | None) -> None:
        """Legs of a call have changed: count it anew where it has several, and see whether it goes on."""
        if before is not None:
            self._recount(call, before)
        self.touched_calls[call.at_s, call.callid] = call
        for leg in call.legs:
            if leg.open:
                self.open[call.callid] = call
                return
        self.open.pop(call.callid, None)
        if self._late:
            self._forget_s = self._alarm_s = -1

    def _recount(self, call: Call, before: Counted) -> None:
        after = call_counts(call.legs)
        if after:
            apply_counts(self._call_row(call), before, after)

    def _new_call(self, callid: str, at_s: int, leg: Leg, origin: str | None) -> Call:
        call = Call(callid, at_s, [leg], origin)
        self.state.calls[callid] = self.open[callid] = self.touched_calls[at_s, callid] = call
        due_s = self._end_of_day(at_s) + self._limits_s
        if due_s < self._forget_s:
            self._forget_s = due_s
        return call

    def _offered(self, event: e.Offered) -> None:
        at_s, queue = event.at_s, event.queue
        call = self.state.calls.get(event.callid)
        leg = Leg(queue, at_s)
        if call is None or self._is_forgotten(call, at_s):
            self._new_call(event.callid, at_s, leg, event.origin)
            queue_row, calls_row = self._pair(queue, at_s)
            queue_row[_OFFERED] += 1
            calls_row[_OFFERED] += 1
        else:
            before = call_counts(call.legs)
            if not before:
                # Only its work was seen so far; from now on its day is that of its first offer.
                self.touched_calls[call.at_s, call.callid] = None
                call.at_s = at_s
                self._forget_s = min(self._forget_s, self._forgotten_s(call))
            call.legs.append(leg)
            if event.origin is None:
                call.origin = None
            self._leg_row(leg)[_OFFERED] += 1
            self._changed(call, before)
        due_s = at_s + self.rules.waiting_limit_s
        if due_s < self._deadline_s:
            self._deadline_s = due_s
            self._set_alarm()

    def _waiting_leg(self, callid: str, queue: str) -> tuple[Call, Leg, int] | None:
        call = self.open.get(callid)
        if call is not None:
            for index, leg in enumerate(call.legs):
                if leg.fate == WAITING and leg.queue == queue:
                    return call, leg, index
        return None

    def _answered(self, event: e.Answered) -> None:
        at_s, callid, queue, seat_id = event.at_s, event.callid, event.queue, event.seat
        found = self._waiting_leg(callid, queue)
        if found is None:
            index = self._answered_unseen(event)
        else:
            call, leg, index = found
            before = self._before(call)
            wait_s = event.wait_s
            leg.fate, leg.wait_s, leg.until_s, leg.seat = ANSWERED, wait_s, at_s, seat_id
            column = ANSWERED_WAIT + bin_of(wait_s)
            for row in self._fate_rows(call, leg):
                row[_ANSWERED] += 1
                row[_ANSWER_WAIT] += wait_s
                row[column] += 1
                if wait_s > row[_LONGEST]:
                    row[_LONGEST] = wait_s
            if before is not None:
                self._recount(call, before)
            self.touched_calls[call.at_s, callid] = call
        for row in self._pair(queue, at_s):
            row[_ANSWERS] += 1
        self._seat_row(seat_id, at_s)[_SEAT_ANSWERS] += 1
        seat = self._seat(seat_id, queue, at_s)
        if seat.wrap is not None:
            self._finish_wrap(st.end_wrap(seat, at_s))
        st.begin_talk(seat, st.Talk(callid, index, queue, at_s))
        due_s = at_s + self.rules.talking_limit_s
        if due_s < self._deadline_s:
            self._deadline_s = due_s
            self._set_alarm()

    def _answered_unseen(self, event: e.Answered) -> int:
        """A connection of a caller whose offer was not seen: work, and nobody's fate; gives the leg's index."""
        leg = Leg(event.queue, None, ANSWERED, None, event.wait_s, event.at_s, event.seat)
        call = self.state.calls.get(event.callid)
        if call is None or self._is_forgotten(call, event.at_s):
            self._new_call(event.callid, event.at_s, leg, None)
            return 0
        call.legs.append(leg)
        self._changed(call, None)
        return len(call.legs) - 1

    def _ended(self, event: e.Ended) -> None:
        at_s, callid, queue, seat_id = event.at_s, event.callid, event.queue, event.seat
        call = self.open.get(callid)
        index = -1 if call is None else _talking(call.legs, queue, seat_id)
        if call is None or index < 0:
            self._orphan(queue, at_s)
            self._seat(seat_id, queue, at_s)
            return
        leg = call.legs[index]
        talk_s = event.talk_s
        before = self._before(call)
        leg.ended_s, leg.talk_s = at_s, talk_s
        if leg.offered_s is not None:
            for row in self._fate_rows(call, leg):
                row[_FINISHED] += 1
                row[_TALK] += talk_s
        self._changed(call, before)
        for slot_s, seconds in split(leg.until_s or at_s, at_s):
            for row in self._pair(queue, slot_s):
                row[_TALK_DONE] += seconds
        seat = self._seat(seat_id, queue, at_s)
        for talk in seat.talks:
            if talk.callid == callid and talk.leg == index:
                st.end_talk(seat, seat_id, talk, at_s, self.rows)
                break
        wrapup_s = self.rules.wrapup_s.get(queue)
        if wrapup_s is not None:
            if seat.talks:
                # It is on the line elsewhere: there is no wrap-up to see.
                self._finish_wrap(st.Wrapped(callid, index, 0))
            else:
                until_s = at_s + wrapup_s
                seat.wrap = st.Wrap(callid, index, queue, at_s, until_s)
                heappush(self._wraps, (until_s, seat_id))
                if until_s < self._alarm_s:
                    self._alarm_s = until_s

    def _abandoned(self, event: e.Abandoned) -> None:
        found = self._waiting_leg(event.callid, event.queue)
        if found is None:
            self._orphan(event.queue, event.at_s)
            return
        call, leg, _ = found
        wait_s = event.wait_s
        before = self._before(call)
        leg.fate, leg.wait_s, leg.until_s = ABANDONED, wait_s, event.at_s
        column = ABANDONED_WAIT + bin_of(wait_s)
        for row in self._fate_rows(call, leg):
            row[_ABANDONED] += 1
            row[_ABANDON_WAIT] += wait_s
            row[column] += 1
            if wait_s > row[_LONGEST]:
                row[_LONGEST] = wait_s
        if any(other.fate == ANSWERED and other.offered_s is not None for other in call.legs):
            self._leg_row(leg)[_ABANDONED_AFTER_ANSWER] += 1
        self._changed(call, before)

    def _overflowed(self, event: e.Overflowed) -> None:
        found = self._waiting_leg(event.callid, event.queue)
        if found is None:
            self._orphan(event.queue, event.at_s)
            return
        call, leg, _ = found
        wait_s = event.wait_s
        before = self._before(call)
        leg.fate, leg.reason, leg.wait_s, leg.until_s = OVERFLOWED, event.reason, wait_s, event.at_s
        column = F["overflowed_" + event.reason]
        for row in self._fate_rows(call, leg):
            row[_OVERFLOWED] += 1
            row[_OVERFLOW_WAIT] += wait_s
            row[column] += 1
            if wait_s > row[_LONGEST]:
                row[_LONGEST] = wait_s
        self._changed(call, before)

    def _lose(self, call: Call, leg: Leg, reason: str, at_s: int) -> None:
        before = self._before(call)
        leg.fate, leg.reason, leg.until_s = LOST, reason, at_s
        for row in self._fate_rows(call, leg):
            row[_LOST] += 1
            row[F["lost_" + reason]] += 1
        self._changed(call, before)

    def _cut(self, call: Call, index: int, at_s: int) -> None:
        leg = call.legs[index]
        before = self._before(call)
        leg.cut = True
        if leg.offered_s is not None:
            for row in self._fate_rows(call, leg):
                row[_CUT] += 1
        self._changed(call, before)
        seat = self.state.seats.get(leg.seat or "")
        if seat is not None:
            for talk in seat.talks:
                if talk.callid == call.callid and talk.leg == index:
                    st.cut_talk(seat, talk, at_s)
                    self.touched_seats.add(leg.seat or "")
                    break

    def _orphan(self, queue: str, at_s: int) -> None:
        for row in self._pair(queue, at_s):
            row[_ORPHAN] += 1

    def _refused(self, event: e.Refused) -> None:
        for row in self._pair(event.queue, event.at_s):
            row[_REFUSED] += 1
        if self.state.clock.refused_from_s is None:
            self.state.clock.refused_from_s = event.at_s

    # Seats ------------------------------------------------------------------------------------------------------

    def _settle(self, seat_id: str, seat: st.Seat, at_s: int) -> None:
        self.touched_seats.add(seat_id)
        wrapped = st.settle(seat, seat_id, at_s, self.rows)
        if wrapped is not None:
            self._finish_wrap(wrapped)

    def _finish_wrap(self, wrapped: st.Wrapped | None) -> None:
        """Give a wrap-up that is over to the call that it followed."""
        if wrapped is None:
            return
        call = self.state.calls.get(wrapped.callid)
        if call is None:
            return
        leg = call.legs[wrapped.leg]
        before = self._before(call)
        leg.wrap_s = wrapped.wrap_s
        if leg.offered_s is not None:
            for row in self._fate_rows(call, leg):
                row[_WRAP] += wrapped.wrap_s
        if before is not None:
            self._recount(call, before)
        self.touched_calls[call.at_s, call.callid] = call

    def _seat(self, seat_id: str, queue: str, at_s: int) -> st.Seat:
        """The seat that a line names, its time counted up to the line; being named shows that it is there."""
        seat = self.state.seats.get(seat_id)
        if seat is None:
            seat = self.state.seats[seat_id] = st.Seat(base_since_s=at_s, counted_s=at_s)
        elif not seat.talks and (seat.counted_s < at_s or seat.wrap is not None):
            wrapped = st.settle(seat, seat_id, at_s, self.rows)
            if wrapped is not None:
                self._finish_wrap(wrapped)
        self.touched_seats.add(seat_id)
        if queue not in seat.left:
            if queue not in seat.queues and queue != "NONE":
                seat.queues = sorted([*seat.queues, queue])
            if seat.base in _AWAY:
                st.rebase(seat, st.READY, at_s)
        return seat

    def _member(self, seat_id: str, queue: str, at_s: int) -> st.Seat:
        """The seat of a line that only a member of the queue can have: it is in it again if it had left."""
        seat = self.state.seats.get(seat_id)
        if seat is not None and queue in seat.left:
            seat.left = [other for other in seat.left if other != queue]
        return self._seat(seat_id, queue, at_s)

    def _signed_in(self, event: e.SignedIn) -> None:
        seat = self._member(event.seat, event.queue, event.at_s)
        seat.observed = True
        if event.paused:
            self._pause(seat, event.queue, "", event.at_s)

    def _signed_out(self, event: e.SignedOut) -> None:
        seat = self._seat(event.seat, event.queue, event.at_s)
        seat.queues = [queue for queue in seat.queues if queue != event.queue]
        if event.queue not in seat.left:
            seat.left = sorted([*seat.left, event.queue])
        seat.pauses = {queue: reason for queue, reason in seat.pauses.items() if queue != event.queue}
        if not seat.queues:
            seat.observed = False
            seat.pauses = {}
            st.rebase(seat, st.SIGNED_OUT, event.at_s)
        elif not seat.pauses:
            st.rebase(seat, st.READY, event.at_s)

    def _pause(self, seat: st.Seat, queue: str, reason: str, at_s: int) -> None:
        seat.pauses = {**seat.pauses, queue: reason}
        seat.reason = reason
        st.rebase(seat, st.PAUSED, at_s)

    def _paused(self, event: e.Paused) -> None:
        seat = self._member(event.seat, event.queue, event.at_s)
        self._pause(seat, event.queue, event.reason, event.at_s)

    def _unpaused(self, event: e.Unpaused) -> None:
        seat = self._member(event.seat, event.queue, event.at_s)
        seat.pauses = {queue: reason for queue, reason in seat.pauses.items() if queue != event.queue}
        if not seat.pauses:
            st.rebase(seat, st.READY, event.at_s)

    def _ring_missed(self, event: e.RingMissed) -> None:
        self._seat(event.seat, event.queue, event.at_s)
        self._seat_row(event.seat, event.at_s)[_SEAT_RING_NO_ANSWER] += 1

    def _seat_seen(self, event: e.SeatSeen) -> None:
        self._seat(event.seat, event.queue, event.at_s)

    # The switch -------------------------------------------------------------------------------------------------

    def _switch_started(self, event: e.SwitchStarted) -> None:
        at_s = event.at_s
        clock = self.state.clock
        died_s = at_s if self._last_s is None else self._last_s
        going_on = [
            (callid, index)
            for callid, call in self.open.items()
            for index, leg in enumerate(call.legs)
            if leg.open
        ]
        for callid, index in sorted(going_on):
            self._give_up(self.state.calls[callid], index, "switch_died", at_s)
        for seat_id, seat in self.state.seats.items():
            # A seat's time after the last sign of life of the switch is nobody's.
            self._settle(seat_id, seat, died_s)
            self._finish_wrap(st.end_wrap(seat, died_s))
            seat.counted_s = max(seat.counted_s, at_s)
            seat.queues, seat.left, seat.pauses, seat.observed, seat.reason = [], [], {}, False, ""
            st.rebase(seat, st.UNKNOWN, at_s)
        clock.started_s = at_s
        self._deadline_s = FOREVER
        self._wraps.clear()
        self._set_alarm()

    def _unknown(self, event: e.Unknown) -> None:
        unknown = self.state.clock.unknown
        verb = event.verb if event.verb in unknown or len(unknown) < UNKNOWN_VERBS else OTHER_VERBS
        unknown[verb] = unknown.get(verb, 0) + 1


def _talking(legs: list[Leg], queue: str, seat: str) -> int:
    """The index of the first leg of a queue that is in conversation with a seat; -1 where none is."""
    for index, leg in enumerate(legs):
        if leg.talking and leg.queue == queue and leg.seat == seat:
            return index
    return -1


def fold(rules: Rules, state: State, events: Iterable[e.Event]) -> tuple[State, Rows]:
    """The fold as a function: nothing that is given is changed.

    Args:
        rules: Of the hotline.
        state: Where to go on.
        events: In the order of their source.

    Returns:
        The state after them, and how the rows of counts grew (longest waits: as found in these events).
    """
    copy = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=State)
    run = Fold(rules, copy)
    run.feed(events)
    return run.state, run.rows
