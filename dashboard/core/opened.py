"""Calls -> the figures that they make, and figures -> the calls behind them.

Pure. Every count of `core.table` that comes from calls is computed here a second time, from the calls alone and by
exact waits instead of histograms: what one call adds to a row is its contribution, and a row's figure is the sum of
them (of `longest_wait_s` the greatest). `EXEMPT` lists the columns that do not come from calls, and why.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dashboard.core.calls import (
    ABANDONED,
    ANSWERED,
    LOST,
    OVERFLOWED,
    WAITING,
    Call,
    Leg,
    call_counts,
    call_fate,
    call_wait_s,
    waited_s,
)
from dashboard.core.counts import FATE_COLUMNS, MAXIMA, bins_within
from dashboard.core.days import split
from dashboard.core.metrics import Waits, service_level
from dashboard.core.table import COUNT_COLUMNS, SEAT_ONLY, Ask

_BY_SEATS = "a seat's own time, whether or not there is a call"

EXEMPT: Mapping[str, str] = {
    "refused": "a caller who was not let into a queue left no call",
    "orphan": "an end that came after its call was given up has no effect on any call",
    "hold_s": "no source sees holds",
    "hold_done_s": "no source sees holds",
    "wrap_done_s": "a seat's own time: the call learns its wrap-up only when that is over",
    "gap_s": "of the coverage",
    "ring_no_answer": "a seat that did not answer has no leg of the call",
    **{column: _BY_SEATS for column in SEAT_ONLY if column != "ring_no_answer"},
}
"""Columns that no calls stand behind -> why. Ratios and averages are not here: they follow from the counts.

Where a source's clock stepped back, three more may differ from their calls: `longest_wait_s` (a wait that was seen is
not lowered), `abandoned_after_answer` by queue and site (of two lines of one second, which came first), and a seat's
`talk_done_s` (a second that was counted is not counted again). And where an id came twice on one day, half a day apart,
one call of the two is kept, and both are counted.
"""

WORK = ("answers", "talk_done_s")
"""Columns that count in the slot in which they were done."""

FATES = (
    *(column for column in COUNT_COLUMNS if column not in EXEMPT and column not in WORK),
    *("waiting", "abandoned_short", "service_level_within", "service_level_of"),
)
"""Columns that count in the slot of the offer."""

OUTCOMES = (*(column for column in FATES if not column.endswith("_s")), "answers")
"""What calls can be asked for by: those that add something to the column."""

_NOBODY = Waits(answered=0, abandoned=0, answered_within=0, abandoned_within=0, abandoned_short=0)

OF_TOTAL = ("legs", "multi_site")
"""Columns of the total alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """The calls of one source, as they stand at an instant.

    Attributes:
        source: Its name.
        calls: At least those with an offer or work in the period.
        as_of_s: The instant, epoch seconds; None where nothing is covered.
        worked_s: The same for conversations: not before the source's last line.
    """

    source: str
    calls: Sequence[Call]
    as_of_s: int | None
    worked_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A row of the table: whose calls are meant.

    Attributes:
        ask: The period, thresholds and sites; how rows are grouped is no matter.
        queue: Legs in this queue, each for itself.
        site: Legs in the queues of this site, those of a call together.
        seat: Answers by this seat; it has work and no fates.
    """

    ask: Ask
    queue: str | None = None
    site: str | None = None
    seat: str | None = None

    def covers(self, at_s: int | None) -> bool:
        """Whether an instant is in the period."""
        return at_s is not None and self.ask.from_s <= at_s < self.ask.to_s

    def has(self, leg: Leg, at_s: int) -> bool:
        """Whether a leg is in the row's queue and site, as they were at an instant."""
        if self.queue is not None and leg.queue != self.queue:
            return False
        return self.site is None or self.ask.site_of_queue(leg.queue, self.ask.zone.day(at_s)) == self.site


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A call behind a figure.

    Attributes:
        source: Of the call.
        call: As it stands.
        adds: Column -> what it adds to the row, zeros left out.
        meant: The indices of the legs whose fates the row is about.
        worked: The indices of the legs whose work it counts.
    """

    source: str
    call: Call
    adds: Mapping[str, int]
    meant: frozenset[int]
    worked: frozenset[int]


def opened(where: Where, sources: Iterable[Calls]) -> list[Opened]:
    """The calls that add something to a row, by the time of their first line.

    Raises:
        ValueError: A threshold is no edge of the histogram of `show`, or the formula is not known.
    """
    bins_within(where.ask.threshold_s)
    if where.ask.short_s:
        bins_within(where.ask.short_s)
    service_level(where.ask.formula, _NOBODY)
    found = []
    for one in sources:
        once = _once(where, one) if where.seat is not None else {}
        for call in one.calls:
            adds: dict[str, int] = {}
            meant: set[int] = set()
            if where.seat is None:
                meant = {
                    index
                    for index, leg in enumerate(call.legs)
                    if leg.offered_s is not None and where.has(leg, leg.offered_s)
                }
                for legs in _units(where, call, [call.legs[index] for index in sorted(meant)]):
                    if where.covers(_first_offer(legs)):
                        _add(adds, _fates(where.ask, legs, one.as_of_s or 0))
                adds.update(_by_leg(where, call, meant, adds))
            worked = _add_work(adds, where, call, one.worked_s, once)
            kept = {column: value for column, value in adds.items() if value}
            if kept:
                found.append(
                    Opened(
                        source=one.source,
                        call=call,
                        adds=kept,
                        meant=frozenset(meant),
                        worked=frozenset(worked),
                    )
                )
    return sorted(found, key=lambda one: (one.call.at_s, one.source, one.call.callid))


def figures(found: Iterable[Opened], *, seat: bool = False) -> dict[str, int]:
    """The sums of contributions, zeros included.

    Args:
        found: The calls.
        seat: They are of a seat's row, which has no fates.
    """
    total: dict[str, int] = dict.fromkeys(WORK if seat else (*FATES, *WORK), 0)
    for one in found:
        for column, value in one.adds.items():
            if column in MAXIMA:
                total[column] = max(total[column], value)
            else:
                total[column] = total.get(column, 0) + value
    return total


def _add(adds: dict[str, int], more: Mapping[str, int]) -> None:
    for column, value in more.items():
        adds[column] = max(adds.get(column, 0), value) if column in MAXIMA else adds.get(column, 0) + value


def _first_offer(legs: Sequence[Leg]) -> int | None:
    return next((leg.offered_s for leg in legs if leg.offered_s is not None), None)


def _units(where: Where, call: Call, meant: list[Leg]) -> list[list[Leg]]:
    """What counts once: each leg of a queue, all legs of a call at a site, a whole call."""
    if where.queue is not None:
        return [[leg] for leg in meant]
    return [meant] if where.site is not None else [call.legs]


def _fates(ask: Ask, legs: list[Leg], as_of_s: int) -> dict[str, int]:
    """What legs that count once add by their offers."""
    deciding = call_fate(legs)
    if deciding is None:
        return {}
    adds = {FATE_COLUMNS[index]: value for index, value in call_counts(legs).items()}
    adds = {column: value for column, value in adds.items() if column in FATES}
    fate, wait_s = deciding.fate, call_wait_s(legs, deciding)
    if fate == WAITING:
        adds["waiting"] = 1
    alone = Waits(
        answered=fate == ANSWERED,
        abandoned=fate == ABANDONED,
        overflowed=fate == OVERFLOWED,
        lost=fate == LOST,
        answered_within=fate == ANSWERED and wait_s <= ask.threshold_s,
        abandoned_within=fate == ABANDONED and wait_s <= ask.threshold_s,
        abandoned_short=fate == ABANDONED and ask.short_s > 0 and wait_s <= ask.short_s,
        waiting_beyond=fate == WAITING and waited_s(legs, as_of_s) > ask.threshold_s,
    )
    adds["abandoned_short"] = int(alone.abandoned_short)
    within, of = service_level(ask.formula, alone)
    adds["service_level_within"], adds["service_level_of"] = int(within), int(of)
    return adds


def _by_leg(where: Where, call: Call, meant: set[int], adds: Mapping[str, int]) -> dict[str, int]:
    """What counts legs even where calls are counted, in place of what the units said.

    Args:
        where: The row.
        call: The call.
        meant: Its legs in the row.
        adds: What the units said: they know only their own legs.
    """
    if where.queue is None and where.site is None:
        at_sites = {
            where.ask.site_of_queue(leg.queue, where.ask.zone.day(leg.offered_s))
            for leg in call.legs
            if leg.offered_s is not None
        }
        return {
            "legs": sum(where.covers(leg.offered_s) for leg in call.legs),
            "multi_site": int(len(at_sites) > 1 and where.covers(_first_offer(call.legs))),
        }
    answered_s = [leg.until_s or 0 for leg in call.legs if leg.fate == ANSWERED and leg.offered_s is not None]
    legs = [leg for leg in (call.legs[index] for index in meant) if where.covers(leg.offered_s)]
    late = sum(leg.fate == ABANDONED and min(answered_s) <= (leg.until_s or 0) for leg in legs if answered_s)
    longest_s = max((leg.wait_s or 0 for leg in legs), default=0)
    return {
        "abandoned_after_answer": late,
        # A caller who was answered, and waits again at the same site, is seen to wait there.
        "longest_wait_s": max(adds.get("longest_wait_s", 0), longest_s),
    }


def _add_work(
    adds: dict[str, int], where: Where, call: Call, worked_s: int, once: Mapping[tuple[int, str, int], int]
) -> set[int]:
    """Add a call's work; gives the legs in which it was done."""
    worked = set()
    for index, leg in enumerate(call.legs):
        if leg.fate != ANSWERED or leg.until_s is None:
            continue
        if where.site is not None and leg.seat is not None and where.covers(leg.until_s):
            day = where.ask.zone.day(leg.until_s)
            _add(adds, {"seat_answers": int(where.ask.site_of_seat(leg.seat, day) == where.site)})
        if where.seat not in (None, leg.seat):
            continue
        answers = int(where.covers(leg.until_s) and where.has(leg, leg.until_s))
        if where.seat is None:
            done_s = sum(
                seconds
                for slot, seconds in _talk(leg, worked_s)
                if where.covers(slot) and where.has(leg, slot)
            )
        else:
            done_s = once.get((call.at_s, call.callid, index), 0)
        if answers or done_s:
            worked.add(index)
            _add(adds, {"answers": answers, "talk_done_s": done_s})
    return worked


def _talk(leg: Leg, worked_s: int) -> Iterable[tuple[int, int]]:
    """A conversation's seconds by slot; none of one that was cut."""
    end_s = worked_s if leg.talking else leg.ended_s
    if leg.until_s is None or end_s is None:
        return ()
    return split(leg.until_s, end_s)


def _once(where: Where, one: Calls) -> dict[tuple[int, str, int], int]:
    """A seat's seconds of conversation by leg, a second with two of them only with the one that ended first."""
    talks = []
    for call in one.calls:
        for index, leg in enumerate(call.legs):
            end_s = one.worked_s if leg.talking else leg.ended_s
            if leg.seat == where.seat and leg.until_s is not None and end_s is not None:
                talks.append((end_s, leg.until_s, call.at_s, call.callid, index, leg))
    known: list[tuple[int, int]] = []
    found = {}
    for end_s, since_s, at_s, callid, index, leg in sorted(talks, key=lambda talk: talk[:5]):
        spans = list(_less(since_s, end_s, known))
        found[at_s, callid, index] = sum(
            seconds
            for from_s, to_s in spans
            for slot, seconds in split(from_s, to_s)
            if where.covers(slot) and where.has(leg, slot)
        )
        known += spans
    return found


def _less(from_s: int, to_s: int, known: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The parts of a stretch outside known ones."""
    for known_from_s, known_to_s in sorted(known):
        if known_to_s <= from_s or known_from_s >= to_s:
            continue
        if from_s < known_from_s:
            yield from_s, known_from_s
        from_s = max(from_s, known_to_s)
    if from_s < to_s:
        yield from_s, to_s
