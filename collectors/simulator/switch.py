"""An Asterisk 22 in small: calls, queues and seats in, the lines of its queue_log out.

Comes in: events pushed by time in epoch seconds. Goes out: `lines`, in order of time.
Never: a clock, files. Seconds are whole, so that the differences in a line equal those of the lines' times.

Rules kept: a seat handles one call at a time and rests `wrapup_s` after it; of the free seats with the lowest
penalty the longest idle rings; callers wait first come, first rung; a free seat serves the heaviest queue,
in it the oldest caller. No queue ever has both a caller to ring for and a seat to ring.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from heapq import heapify, heappop, heappush
from random import Random
from typing import Any, Final
from uuid import UUID

from collectors.simulator.hotline import Hotline, Seat

_RING_TIMEOUT_S: Final = 12
_RETRY_S: Final = 1  # between two seats tried for one caller
_TALK_LEAST_S: Final = 6
_TALK_MOST_S: Final = 1200  # so that the last call ends before half past closing
_LAST_FORWARD_S: Final = 1800  # before closing; later a seat forwards to no queue
_DEPARTMENTS: Final = 12  # business departments, extensions 5001 to 5012


class _State(Enum):
    OUT = auto()
    FREE = auto()
    RINGING = auto()
    BUSY = auto()  # talking, or wrapping up
    PAUSED = auto()


@dataclass(slots=True, kw_only=True, eq=False)
class _Seat:
    seat: Seat
    members: tuple[tuple[int, int], ...]  # (queue's number, penalty)
    number: int
    state: _State = _State.OUT
    turn: int = 0  # grows with each change of state: an older entry of an idle heap is void
    pause_due: tuple[str, int] | None = None  # (reason, seconds), waiting for the end of a call


@dataclass(slots=True, kw_only=True, eq=False)
class _Call:
    caller: str
    queue: int  # the number of the queue it is in or asks for
    callid: str = ""
    leg: int = 0  # grows with each entry and at each exit: an older event is void
    waits: bool = False
    entered_s: int = 0
    entry: int = 0  # the order among all entries
    position: int = 0
    rings: _Seat | None = None
    ring_s: int = 0
    ring_channel: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class _Line:
    """A queue: who waits (all, in order), whom to ring for, whom to ring; the heaps hold void entries."""

    waiting: list[_Call] = field(default_factory=list)
    unserved: list[tuple[int, _Call]] = field(default_factory=list)
    idle: list[tuple[int, int, int, int, _Seat]] = field(default_factory=list)


class Switch:
    """One day of one switch. Push arrivals, shifts and pauses, then `run`.

    Attributes:
        lines: What the queue_log says so far, without newlines.
    """

    def __init__(self, hotline: Hotline, rng: Random, *, close_at_s: int, first_channel: int) -> None:
        """Nobody is signed in.

        Args:
            hotline: Queues and seats.
            rng: Decides everything that is left to chance.
            close_at_s: Closing time, epoch seconds; nobody rings again after it.
            first_channel: The number in the first channel's unique id.
        """
        numbers = {queue.name: number for number, queue in enumerate(hotline.queues)}
        self.lines: list[str] = []
        self._queues = hotline.queues
        self._overflow = [None if q.overflow is None else numbers[q.overflow] for q in hotline.queues]
        self._secret = [number for number, queue in enumerate(hotline.queues) if queue.secret]
        self._rng = rng
        self._close_at_s = close_at_s
        self._channel = first_channel
        self._waits = [_Line() for _ in hotline.queues]
        self._seats = [
            _Seat(
                seat=seat, number=number, members=tuple((numbers[m.queue], m.penalty) for m in seat.members)
            )
            for number, seat in enumerate(hotline.seats)
        ]
        # Each event is (time, order, what to do, two arguments); the order keeps ties as they were pushed.
        self._events: list[tuple[int, int, Callable[[Any, Any], None], Any, Any]] = []
        self._order = 0
        self._now_s = 0

    def start(self, at_s: int) -> None:
        """The switch has booted; nobody is on a call."""
        self._push(at_s, self._boot, None, None)

    def call(self, at_s: int, caller: str, queue: int) -> None:
        """A caller reaches the switch and will ask for the queue of that number."""
        self._push(at_s, self._arrive, _Call(caller=caller, queue=queue), None)

    def sign_in(self, at_s: int, seat: int) -> None:
        """The seat of that number comes."""
        self._push(at_s, self._come, self._seats[seat], None)

    def sign_out(self, at_s: int, seat: int) -> None:
        """The seat goes, once it is free and nobody waits in its queues."""
        self._push(at_s, self._go, self._seats[seat], None)

    def pause(self, at_s: int, seat: int, reason: str, for_s: int) -> None:
        """The seat pauses for so many seconds, once it is free."""
        self._push(at_s, self._pause, self._seats[seat], (reason, for_s))

    def run(self) -> None:
        """Let everything happen that was pushed, and what follows from it."""
        events = self._events
        heapify(events)
        while events:
            self._now_s, _, act, one, two = heappop(events)
            act(one, two)

    def _push(self, at_s: int, act: Callable[[Any, Any], None], one: Any, two: Any) -> None:
        self._order += 1
        heappush(self._events, (at_s, self._order, act, one, two))

    def _new_channel(self) -> str:
        self._channel += 1
        return f"{self._now_s}.{self._channel}"

    def _boot(self, _one: None, _two: None) -> None:
        self.lines.append(f"{self._now_s}|NONE|NONE|NONE|QUEUESTART|")

    # Seats: signing in and out, pauses.

    def _come(self, seat: _Seat, _two: None) -> None:
        self._log_members(seat, "ADDMEMBER")
        self._set_free(seat)

    def _go(self, seat: _Seat, _two: None) -> None:
        if seat.state is not _State.FREE or any(self._waits[queue].waiting for queue, _ in seat.members):
            self._push(self._now_s + 10, self._go, seat, None)
            return
        self._log_members(seat, "REMOVEMEMBER")
        self._turn(seat, _State.OUT)

    def _pause(self, seat: _Seat, pause: tuple[str, int]) -> None:
        if seat.state is _State.FREE:
            self._set_paused(seat, *pause)
        elif seat.state is not _State.OUT:
            seat.pause_due = pause

    def _set_paused(self, seat: _Seat, reason: str, for_s: int) -> None:
        self._turn(seat, _State.PAUSED)
        self._log_pause(seat, "PAUSE", reason)
        self._push(self._now_s + for_s, self._unpause, seat, None)

    def _unpause(self, seat: _Seat, _two: None) -> None:
        self._log_pause(seat, "UNPAUSE", "")
        self._set_free(seat)

    def _log_members(self, seat: _Seat, verb: str) -> None:
        for queue, _ in seat.members:
            name = self._queues[queue].name
            self.lines.append(f"{self._now_s}|MANAGER|{name}|{seat.seat.interface}|{verb}|")

    def _log_pause(self, seat: _Seat, verb: str, reason: str) -> None:
        name = seat.seat.name
        self.lines.append(f"{self._now_s}|NONE|NONE|{name}|{verb}ALL|{reason}")
        for queue, _ in seat.members:
            self.lines.append(f"{self._now_s}|NONE|{self._queues[queue].name}|{name}|{verb}|{reason}")

    def _turn(self, seat: _Seat, state: _State) -> None:
        seat.state = state
        seat.turn += 1

    def _set_free(self, seat: _Seat) -> None:
        if seat.pause_due is not None:
            pause, seat.pause_due = seat.pause_due, None
            self._set_paused(seat, *pause)
            return
        self._turn(seat, _State.FREE)
        oldest: _Call | None = None
        rank = (0, 0)
        for queue, penalty in seat.members:
            heappush(self._waits[queue].idle, (penalty, self._now_s, seat.number, seat.turn, seat))
            call = self._next_call(queue)
            if call is not None:
                of_call = (-self._queues[queue].weight, call.entry)
                if oldest is None or of_call < rank:
                    oldest, rank = call, of_call
        if oldest is not None:
            self._offer(oldest.queue)

    # Calls: from the switch's door to the last leg's end.

    def _arrive(self, call: _Call, _two: None) -> None:
        call.callid = self._new_channel()
        menu_s = 2 + int(self._rng.random() * 10)  # the welcome, and a key pressed
        if self._now_s + menu_s < self._close_at_s:
            self._push(self._now_s + menu_s, self._enter, call, call.queue)

    def _enter(self, call: _Call, queue: int) -> None:
        now_s = self._now_s
        line = self._waits[queue]
        line.waiting.append(call)
        call.queue = queue
        call.leg += 1
        call.waits = True
        call.entered_s = now_s
        call.position = len(line.waiting)
        self._order += 1
        call.entry = self._order
        config = self._queues[queue]
        self.lines.append(
            f"{now_s}|{call.callid}|{config.name}|NONE|ENTERQUEUE||{call.caller}|{call.position}"
        )
        after_s, leave = self._patience(config.timeout_s)
        self._push(now_s + after_s, leave, call, call.leg)
        heappush(line.unserved, (call.entry, call))
        self._offer(queue)

    def _patience(self, timeout_s: int) -> tuple[int, Callable[[_Call, int], None]]:
        """How long a caller waits if nobody answers, and how it leaves then."""
        rng = self._rng
        kind = rng.random()
        if kind < 0.012:  # changed their minds at once
            return 1 + int(rng.random() * 4), self._abandon
        if kind < 0.05:
            after_s = 8 + int(rng.random() * 40)
            if after_s < timeout_s:
                return after_s, self._press_key
        after_s = 2 + int(rng.weibullvariate(110.0, 1.5))
        return (after_s, self._abandon) if after_s < timeout_s else (timeout_s, self._time_out)

    def _next_call(self, queue: int) -> _Call | None:
        unserved = self._waits[queue].unserved
        while unserved:
            entry, call = unserved[0]
            if call.waits and call.entry == entry:
                return call
            heappop(unserved)
        return None

    def _next_seat(self, queue: int) -> _Seat | None:
        idle = self._waits[queue].idle
        while idle:
            turn, seat = idle[0][3:]
            if seat.turn == turn:
                return seat
            heappop(idle)
        return None

    def _offer(self, queue: int) -> None:
        """Ring seats for the callers of a queue, while it has both."""
        while (call := self._next_call(queue)) is not None and (seat := self._next_seat(queue)) is not None:
            heappop(self._waits[queue].unserved)
            heappop(self._waits[queue].idle)
            self._ring(call, seat)

    def _ring(self, call: _Call, seat: _Seat) -> None:
        self._turn(seat, _State.RINGING)
        call.rings = seat
        call.ring_s = self._now_s
        call.ring_channel = self._new_channel()
        chance = self._rng.random()
        if chance < seat.seat.no_answer_ratio:
            refused = chance < seat.seat.no_answer_ratio * 0.15
            for_s = int(self._rng.random() * 2) if refused else _RING_TIMEOUT_S
            self._push(self._now_s + for_s, self._no_answer, call, (call.leg, call.ring_channel))
        else:
            for_s = 2 + int(self._rng.random() ** 2 * 8)
            self._push(self._now_s + for_s, self._connect, call, (call.leg, call.ring_channel))

    def _no_answer(self, call: _Call, ring: tuple[int, str]) -> None:
        seat = call.rings
        if ring != (call.leg, call.ring_channel) or seat is None:
            return
        self._log_no_answer(call, seat)
        call.rings = None
        self._push(self._now_s + _RETRY_S, self._retry, call, call.leg)
        self._set_free(seat)

    def _retry(self, call: _Call, leg: int) -> None:
        if call.leg == leg:
            heappush(self._waits[call.queue].unserved, (call.entry, call))
            self._offer(call.queue)

    def _connect(self, call: _Call, ring: tuple[int, str]) -> None:
        seat = call.rings
        if ring != (call.leg, call.ring_channel) or seat is None:
            return
        now_s = self._now_s
        self._depart(call)
        self._turn(seat, _State.BUSY)
        self.lines.append(
            f"{now_s}|{call.callid}|{self._queues[call.queue].name}|{seat.seat.name}|CONNECT"
            f"|{now_s - call.entered_s}|{call.ring_channel}|{now_s - call.ring_s}"
        )
        talk_s = int(self._rng.lognormvariate(5.4, 0.7))  # median 221 s, mean 283 s
        talk_s = min(max(talk_s, _TALK_LEAST_S), _TALK_MOST_S)
        self._push(now_s + talk_s, self._hang_up, (call, seat), (now_s - call.entered_s, talk_s))

    def _hang_up(self, pair: tuple[_Call, _Seat], times: tuple[int, int]) -> None:
        call, seat = pair
        hold_s, talk_s = times
        rng = self._rng
        queue = self._queues[call.queue]
        forward_to: int | None = None
        chance = rng.random()
        if chance < 0.62:
            end = "COMPLETECALLER"
        elif chance < 0.93:
            end = "COMPLETEAGENT"
        elif chance < 0.97:
            exten = 5001 + int(rng.random() * _DEPARTMENTS)
            open_still = self._now_s < self._close_at_s - _LAST_FORWARD_S
            if open_still and not queue.secret and self._secret and rng.random() < 0.3:
                which = int(rng.random() * len(self._secret))
                exten, forward_to = 6001 + which, self._secret[which]
            end = f"BLINDTRANSFER|{exten}|departments"
        else:
            end = f"ATTENDEDTRANSFER|BRIDGE|{UUID(int=rng.getrandbits(128), version=4)}"
        self.lines.append(
            f"{self._now_s}|{call.callid}|{queue.name}|{seat.seat.name}|{end}|{hold_s}|{talk_s}|{call.position}"
        )
        self._push(self._now_s + queue.wrapup_s, self._wrapped_up, seat, None)
        if forward_to is not None:
            self._push(self._now_s + 1, self._enter, call, forward_to)

    def _wrapped_up(self, seat: _Seat, _two: None) -> None:
        self._set_free(seat)

    # Ways out of a queue without an answer.

    def _abandon(self, call: _Call, leg: int) -> None:
        if call.leg != leg:
            return
        self._leave(call, "ABANDON", cancelled=True)
        again_at_s = self._now_s + 30 + int(self._rng.random() * 400)
        if again_at_s < self._close_at_s and self._rng.random() < 0.35:
            again = _Call(caller=call.caller, queue=call.queue)
            self._push(again_at_s, self._arrive, again, None)

    def _press_key(self, call: _Call, leg: int) -> None:
        if call.leg != leg:
            return
        overflow = self._overflow[call.queue]  # 0 asks for anybody; 9 leaves a message
        self._leave(call, "EXITWITHKEY|9" if overflow is None else "EXITWITHKEY|0", cancelled=True)
        if overflow is not None:
            self._enter(call, overflow)

    def _time_out(self, call: _Call, leg: int) -> None:
        if call.leg != leg:
            return
        overflow = self._overflow[call.queue]
        self._leave(call, "EXITWITHTIMEOUT", cancelled=False)
        if overflow is not None:
            self._enter(call, overflow)

    def _leave(self, call: _Call, end: str, *, cancelled: bool) -> None:
        seat = call.rings
        if seat is not None:
            if cancelled:
                self._log_ring_cancelled(call, seat)
            else:
                self._log_no_answer(call, seat)
        position = self._depart(call)
        self.lines.append(
            f"{self._now_s}|{call.callid}|{self._queues[call.queue].name}|NONE|{end}"
            f"|{position}|{call.position}|{self._now_s - call.entered_s}"
        )
        if seat is not None:
            # Only after this second's lines of the call, so that its next entry follows at once.
            self._turn(seat, _State.BUSY)
            self._push(self._now_s, self._wrapped_up, seat, None)

    def _depart(self, call: _Call) -> int:
        """Take a call out of its queue; the position that it had."""
        waiting = self._waits[call.queue].waiting
        position = waiting.index(call) + 1
        del waiting[position - 1]
        call.leg += 1
        call.waits = False
        call.rings = None
        return position

    def _log_no_answer(self, call: _Call, seat: _Seat) -> None:
        self._log_ring(call, seat, "RINGNOANSWER", (self._now_s - call.ring_s) * 1000)

    def _log_ring_cancelled(self, call: _Call, seat: _Seat) -> None:
        rung_ms = max(0, (self._now_s - call.ring_s) * 1000 - 500) + int(self._rng.random() * 500)
        self._log_ring(call, seat, "RINGCANCELED", rung_ms)

    def _log_ring(self, call: _Call, seat: _Seat, verb: str, rung_ms: int) -> None:
        queue = self._queues[call.queue].name
        self.lines.append(f"{self._now_s}|{call.callid}|{queue}|{seat.seat.name}|{verb}|{rung_ms}")
