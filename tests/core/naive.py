"""The counting rule once more, as slowly and as plainly as it can be written: what the fold has to agree with.

Made from DESIGN 4 and not from the fold: it keeps everything that ever happened, and counts from scratch. For logs
whose clock does not go back.
"""

from dataclasses import dataclass, field
from itertools import pairwise

from dashboard.core import events as e
from dashboard.core.counts import CALLS, EDGES_S, QUEUE, SEAT
from dashboard.core.fold import SILENCE_S, Rules


@dataclass
class Leg:
    queue: str
    offered: int | None
    fate: str = "waiting"
    reason: str = ""
    wait: int = 0
    until: int | None = None
    seat: str = ""
    ended: int | None = None
    talk: int = 0
    wrap: int = 0
    cut: int | None = None
    after_answer: bool = False

    @property
    def talking(self) -> bool:
        return self.fate == "answered" and self.ended is None and self.cut is None

    @property
    def open(self) -> bool:
        return self.fate == "waiting" or self.talking


@dataclass
class Call:
    seen: int
    legs: list[Leg] = field(default_factory=list)
    longest: int = 0

    @property
    def offers(self) -> list[Leg]:
        return [leg for leg in self.legs if leg.offered is not None]

    @property
    def at(self) -> int:
        return self.offers[0].offered if self.offers else self.seen


@dataclass
class Talk:
    leg: Leg
    since: int
    observed: bool


@dataclass
class Wrap:
    leg: Leg
    since: int
    until: int
    observed: bool
    over: bool = False


@dataclass
class Seat:
    bases: list[tuple[int, str]] = field(default_factory=list)
    observed: list[tuple[int, bool]] = field(default_factory=list)
    nobody: list[tuple[int, int]] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)
    wraps: list[Wrap] = field(default_factory=list)
    queues: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)

    @property
    def base(self) -> str:
        return self.bases[-1][1]

    @property
    def busy(self) -> list[Talk]:
        return [talk for talk in self.talks if talk.leg.talking]


class Naive:
    """A source's events, kept whole."""

    def __init__(self, rules: Rules, events: list[e.Event]) -> None:
        self.rules = rules
        self.calls: list[tuple[str, Call]] = []
        self.current: dict[str, Call] = {}
        self.seats: dict[str, Seat] = {}
        self.marks: list[tuple[str, str, int, str]] = []
        self.last = 0
        for event in events:
            self.take(event)
            for _, call in self.calls:
                call.longest = max(call.longest, known_wait(call.offers))

    # Events ------------------------------------------------------------------------------------------------------

    def take(self, event: e.Event) -> None:
        now = event.at_s
        last, self.last = self.last or now, now
        started = isinstance(event, e.SwitchStarted)
        for _, call in self.calls:
            for leg in call.legs:
                self.too_old(leg, now)
        for seat in self.seats.values():
            silent = now - last > SILENCE_S
            if silent:
                seat.nobody.append((last, now))
            for wrap in seat.wraps:
                if silent and not wrap.over:
                    wrap.until = min(wrap.until, last)
                wrap.over |= wrap.until <= (last if started else now)
        if started:
            self.start(last, now)
        elif isinstance(event, e.Offered):
            call = self.call(event.callid, now)
            call.legs.append(Leg(event.queue, now))
        elif isinstance(event, e.Answered):
            self.mark(QUEUE, event.queue, now, "answers")
            self.mark(SEAT, event.seat, now, "answers")
            leg = self.waiting(event.callid, event.queue)
            if leg is None:
                leg = Leg(event.queue, None)
                self.call(event.callid, now).legs.append(leg)
            seat = self.seat(event.seat, event.queue, now)
            for wrap in seat.wraps:
                if not wrap.over:
                    wrap.until, wrap.over = now, True
            observed = seat.busy[0].observed if seat.busy else seat.observed[-1][1]
            seat.talks.append(Talk(leg, now, observed))
            leg.fate, leg.wait, leg.until, leg.seat = "answered", event.wait_s, now, event.seat
        elif isinstance(event, e.Ended):
            leg = self.talking(event.callid, event.queue, event.seat)
            seat = self.seat(event.seat, event.queue, now)
            if leg is None:
                self.mark(QUEUE, event.queue, now, "orphan")
                return
            leg.ended, leg.talk = now, event.talk_s
            wrapup = self.rules.wrapup_s.get(event.queue)
            if wrapup is not None and not seat.busy:
                observed = next(talk.observed for talk in seat.talks if talk.leg is leg)
                seat.wraps.append(Wrap(leg, now, now + wrapup, observed))
        elif isinstance(event, e.Abandoned | e.Overflowed):
            leg = self.waiting(event.callid, event.queue)
            if leg is None:
                self.mark(QUEUE, event.queue, now, "orphan")
                return
            leg.wait, leg.until = event.wait_s, now
            if isinstance(event, e.Overflowed):
                leg.fate, leg.reason = "overflowed", event.reason
            else:
                leg.fate = "abandoned"
                call = self.current[event.callid]
                leg.after_answer = any(other.fate == "answered" for other in call.offers)
        elif isinstance(event, e.Refused):
            self.mark(QUEUE, event.queue, now, "refused")
        elif isinstance(event, e.RingMissed):
            self.seat(event.seat, event.queue, now)
            self.mark(SEAT, event.seat, now, "ring_no_answer")
        elif isinstance(event, e.SeatSeen):
            self.seat(event.seat, event.queue, now)
        elif isinstance(event, e.SignedIn | e.Paused | e.Unpaused):
            if event.seat in self.seats:
                self.seats[event.seat].left.discard(event.queue)
            seat = self.seat(event.seat, event.queue, now)
            if isinstance(event, e.SignedIn):
                seat.observed.append((now, True))
            if isinstance(event, e.Paused) or (isinstance(event, e.SignedIn) and event.paused):
                seat.paused.add(event.queue)
                seat.bases.append((now, "paused"))
            elif isinstance(event, e.Unpaused):
                seat.paused.discard(event.queue)
                if not seat.paused:
                    seat.bases.append((now, "ready"))
        elif isinstance(event, e.SignedOut):
            seat = self.seat(event.seat, event.queue, now)
            seat.queues.discard(event.queue)
            seat.paused.discard(event.queue)
            seat.left.add(event.queue)
            if not seat.queues:
                seat.paused.clear()
                seat.observed.append((now, False))
                seat.bases.append((now, "signed_out"))
            elif not seat.paused:
                seat.bases.append((now, "ready"))

    def mark(self, kind: str, ident: str, now: int, column: str) -> None:
        self.marks.append((kind, ident, now, column))
        if kind == QUEUE:
            self.marks.append((CALLS, "", now, column))

    def forgotten(self, call: Call, now: int) -> bool:
        if any(leg.open for leg in call.legs):
            return False
        zone, rules = self.rules.zone, self.rules
        of_day = zone.bounds(zone.day(call.at))[1] + rules.waiting_limit_s + rules.talking_limit_s
        longest_wrap = max(rules.wrapup_s.values(), default=0)
        return now >= of_day and all(now >= (leg.ended or 0) + longest_wrap for leg in call.legs)

    def call(self, callid: str, now: int) -> Call:
        call = self.current.get(callid)
        if call is None or self.forgotten(call, now):
            call = self.current[callid] = Call(now)
            self.calls.append((callid, call))
        return call

    def waiting(self, callid: str, queue: str) -> Leg | None:
        legs = self.current[callid].legs if callid in self.current else []
        return next((leg for leg in legs if leg.fate == "waiting" and leg.queue == queue), None)

    def talking(self, callid: str, queue: str, seat: str) -> Leg | None:
        legs = self.current[callid].legs if callid in self.current else []
        return next((leg for leg in legs if leg.talking and (leg.queue, leg.seat) == (queue, seat)), None)

    def too_old(self, leg: Leg, now: int) -> None:
        if leg.fate == "waiting" and leg.offered + self.rules.waiting_limit_s < now:
            leg.fate, leg.reason, leg.until = "lost", "no_end", leg.offered + self.rules.waiting_limit_s
        elif leg.talking and leg.until + self.rules.talking_limit_s < now:
            leg.cut = leg.until + self.rules.talking_limit_s

    def start(self, last: int, now: int) -> None:
        for _, call in self.calls:
            for leg in call.legs:
                if leg.fate == "waiting":
                    leg.fate, leg.reason, leg.until = "lost", "switch_died", now
                elif leg.talking:
                    leg.cut = now
        for seat in self.seats.values():
            for wrap in seat.wraps:
                if not wrap.over:
                    wrap.until, wrap.over = min(wrap.until, last), True
            seat.nobody.append((last, now))
            seat.queues, seat.left, seat.paused = set(), set(), set()
            seat.observed.append((now, False))
            seat.bases.append((now, "unknown"))

    def seat(self, ident: str, queue: str, now: int) -> Seat:
        seat = self.seats.get(ident)
        if seat is None:
            seat = self.seats[ident] = Seat(bases=[(now, "unknown")], observed=[(now, False)])
        if queue not in seat.left:
            seat.queues.add(queue)
            if seat.base in ("unknown", "signed_out"):
                seat.bases.append((now, "paused" if seat.paused else "ready"))
        return seat

    # Counts ------------------------------------------------------------------------------------------------------

    def rows(self) -> dict[tuple[str, str, int], dict[str, int]]:
        """Every row as it stands at the last event, zeros left out; what goes on counted up to it."""
        rows: dict[tuple[str, str, int], dict[str, int]] = {}

        def count(kind: str, ident: str, at: int, column: str, value: int = 1) -> None:
            row = rows.setdefault((kind, ident, at - at % 900), {})
            if column == "longest_wait_s":
                row[column] = max(row.get(column, 0), value)
            else:
                row[column] = row.get(column, 0) + value

        def work(kind: str, ident: str, start: int, end: int, column: str) -> None:
            border = start - start % 900 + 900
            while start < end:
                count(kind, ident, start, column, min(border, end) - start)
                start, border = border, border + 900

        for kind, ident, now, column in self.marks:
            count(kind, ident, now, column)
        for _, call in self.calls:
            for leg in call.legs:
                if leg.offered is not None:
                    for column, value in fate([leg]).items():
                        count(QUEUE, leg.queue, leg.offered, column, value)
                    count(QUEUE, leg.queue, leg.offered, "longest_wait_s", leg.wait)
                    if leg.after_answer:
                        count(QUEUE, leg.queue, leg.offered, "abandoned_after_answer")
                if leg.fate == "answered" and leg.cut is None:
                    for kind, ident in ((QUEUE, leg.queue), (CALLS, "")):
                        end = self.last if leg.ended is None else leg.ended
                        work(kind, ident, leg.until, end, "talk_done_s")
            if call.offers:
                for column, value in fate(call.offers).items():
                    count(CALLS, "", call.at, column, value)
                count(CALLS, "", call.at, "longest_wait_s", call.longest)
                later = sum(leg.after_answer for leg in call.legs)
                count(CALLS, "", call.at, "abandoned_after_answer", later)
        for ident, seat in self.seats.items():
            for wrap in seat.wraps:
                for kind, name in ((QUEUE, wrap.leg.queue), (CALLS, "")):
                    work(kind, name, wrap.since, min(wrap.until, self.last), "wrap_done_s")
                if wrap.leg.offered is not None and wrap.over:
                    count(QUEUE, wrap.leg.queue, wrap.leg.offered, "wrap_s", wrap.until - wrap.since)
            for start, end, columns in self.seat_time(seat):
                for column in columns:
                    work(SEAT, ident, start, end, column)
        for _, call in self.calls:
            talks = [leg for leg in call.offers if leg.fate == "answered"]
            if talks and all(leg.ended is not None for leg in talks):
                wraps = [wrap for seat in self.seats.values() for wrap in seat.wraps if wrap.over]
                spent = sum(wrap.until - wrap.since for wrap in wraps if wrap.leg in talks)
                count(CALLS, "", call.at, "wrap_s", spent)
        return {key: shown for key, row in rows.items() if (shown := {c: v for c, v in row.items() if v})}

    def seat_time(self, seat: Seat) -> list[tuple[int, int, list[str]]]:
        """A seat's life in pieces: from, to, the columns that the time counts in."""
        borders = {self.last, *(t for t, _ in seat.bases), *(t for t, _ in seat.observed)}
        borders |= {t for span in seat.nobody for t in span}
        borders |= {t for wrap in seat.wraps for t in (wrap.since, wrap.until)}
        spans = []
        for talk in seat.talks:
            end = talk.leg.ended if talk.leg.ended is not None else talk.leg.cut
            spans.append((talk.since, self.last if end is None else end, talk))
            borders |= {talk.since, self.last if end is None else end}
        pieces = []
        for start, end in pairwise(sorted(t for t in borders if t <= self.last)):
            talks = [talk for since, until, talk in spans if since <= start < until]
            wraps = [wrap for wrap in seat.wraps if wrap.since <= start < wrap.until]
            observed = [value for t, value in seat.observed if t <= start]
            base = [value for t, value in seat.bases if t <= start]
            if any(since <= start < until for since, until in seat.nobody):
                columns = []
            elif talks:
                known = [talk for talk in talks if talk.leg.cut is None]
                columns = ["talk_done_s"] if known else []
                if known and known[0].observed:
                    columns += ["signed_in_s", "busy_signed_in_s"]
            elif wraps:
                columns = ["wrap_done_s"]
                if wraps[0].observed:
                    columns += ["signed_in_s", "busy_signed_in_s"]
            elif base and base[-1] == "paused":
                columns = ["paused_s"]
                if observed[-1]:
                    columns += ["signed_in_s", "paused_signed_in_s"]
            else:
                signed_in = base and base[-1] == "ready" and observed[-1]
                columns = ["signed_in_s"] if signed_in else []
            pieces.append((start, end, columns))
        return pieces


def deciding(legs: list[Leg]) -> Leg:
    answered = [leg for leg in legs if leg.fate == "answered"]
    if answered:
        return min(answered, key=lambda leg: leg.until)
    waiting = [leg for leg in legs if leg.fate == "waiting"]
    if waiting:
        return waiting[0]
    latest = max(leg.until for leg in legs)
    return [leg for leg in legs if leg.until == latest][-1]


def known_wait(legs: list[Leg]) -> int:
    if not legs:
        return 0
    leg = deciding(legs)
    if leg.fate != "answered":
        return sum(other.wait for other in legs)
    before = [x for x in legs if x.fate not in ("answered", "waiting") and x.until <= leg.until]
    return leg.wait + sum(other.wait for other in before)


def fate(legs: list[Leg]) -> dict[str, int]:
    leg, wait = deciding(legs), known_wait(legs)
    if leg.fate == "waiting":
        return {"offered": 1}
    counts = {"offered": 1, leg.fate: 1}
    if leg.fate == "lost":
        return {**counts, "lost_" + leg.reason: 1}
    counts[{"answered": "answer", "abandoned": "abandon", "overflowed": "overflow"}[leg.fate] + "_wait_s"] = (
        wait
    )
    if leg.fate == "overflowed":
        return {**counts, "overflowed_" + leg.reason: 1}
    counts[f"{leg.fate}@{next((edge for edge in EDGES_S if wait <= edge), 'more')}"] = 1
    talks = [other for other in legs if other.fate == "answered"]
    if leg.fate == "answered" and any(talk.cut is not None for talk in talks):
        counts["cut"] = 1
    elif leg.fate == "answered" and all(talk.ended is not None for talk in talks):
        counts["finished"] = 1
        counts["talk_s"] = sum(talk.talk for talk in talks)
    return counts
