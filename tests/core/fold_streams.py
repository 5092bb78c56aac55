"""Streams of events for the fold's tests: written by hand, and made up by Hypothesis.

Made-up ones are plausible most of the time (a call that waits is answered, one in conversation ends) and wrong for
the rest: ends without a beginning, doubled lines, call ids that come back, clocks that step.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from dashboard.core import events as e
from dashboard.core.asof import as_of
from dashboard.core.counts import CALLS, COLUMNS, EDGES_S, QUEUE, F, join
from dashboard.core.days import SLOT_S, Zone
from dashboard.core.fold import Fold, Rules, State
from dashboard.core.table import Observes, Part

Key = tuple[str, str, int]
RowMap = dict[Key, list[int]]

SHANGHAI = Zone("Asia/Shanghai")
RULES = Rules(zone=SHANGHAI, wrapup_s={"a": 10, "b": 300})
"""Queue a wraps up for 10 s, b for 5 minutes, c never (as far as one sees)."""

DAY_S = 86_400
H = 3600
EIGHT = SHANGHAI.bounds("2026-11-23")[0] + 8 * H
"""08:00 of a Monday, at a slot's border."""


def at(clock: str, day: int = 0) -> int:
    """The epoch second of "8:30" or "8:30:05" on that Monday, or so many days later."""
    hours, minutes, *seconds = (int(part) for part in clock.split(":"))
    return EIGHT + day * DAY_S + (hours - 8) * H + minutes * 60 + (seconds[0] if seconds else 0)


def folded(events: Iterable[e.Event], rules: Rules = RULES) -> Fold:
    """A fold that has taken the events."""
    fold = Fold(rules)
    fold.feed(events)
    return fold


def named(kind: str, values: list[int]) -> dict[str, int]:
    """A row as column -> value, zeros left out; a wait of 11 to 15 s before an answer as "answered@15"."""
    return {_column(column): value for column, value in zip(COLUMNS[kind], values, strict=True) if value}


def _column(column: str) -> str:
    fate, is_bin, place = column.partition("_wait_")
    return f"{fate}@{(*EDGES_S, 'more')[int(place)]}" if is_bin and place.isdigit() else column


def row(text: str) -> dict[str, int]:
    """The row that is meant: "offered answers:2" is one offered and two answers."""
    counts = {}
    for word in text.split():
        column, _, value = word.partition(":")
        counts[column] = int(value or 1)
    return counts


def told(rows: Mapping[Key, list[int]], zone: Zone = SHANGHAI) -> dict[str, dict[str, int]]:
    """Rows as "kind id hh:mm" -> column -> value: what hand-made cases are compared with, whole."""
    text = {}
    for (kind, ident, slot), values in rows.items():
        if any(values):
            text[f"{kind} {ident} {zone.local(slot):%H:%M}".replace("  ", " ")] = named(kind, values)
    return text


def plain(rows: Mapping[Key, list[int]]) -> RowMap:
    """Rows without those that are all zeros."""
    return {key: list(values) for key, values in rows.items() if any(values)}


def added(first: Mapping[Key, list[int]], second: Mapping[Key, list[int]]) -> RowMap:
    """Two maps of rows as one."""
    return plain(
        {
            key: join(key[0], [rows[key] for rows in (first, second) if key in rows])
            for key in {**first, **second}
        }
    )


def undecided(state: State) -> tuple[dict[tuple[str, int], int], dict[int, int]]:
    """Waiting legs by (queue, slot of offer), and undecided calls by slot: counted from the calls alone."""
    legs: dict[tuple[str, int], int] = {}
    calls: dict[int, int] = {}
    for call in state.calls.values():
        offers = [leg for leg in call.legs if leg.offered_s is not None]
        for leg in offers:
            if leg.fate == "waiting":
                key = (leg.queue, leg.offered_s // SLOT_S * SLOT_S)
                legs[key] = legs.get(key, 0) + 1
        fates = {leg.fate for leg in offers}
        if "waiting" in fates and "answered" not in fates:
            slot = offers[0].offered_s // SLOT_S * SLOT_S
            calls[slot] = calls.get(slot, 0) + 1
    return legs, calls


def unbalanced(rows: Mapping[Key, list[int]], state: State) -> list[Any]:
    """Rows in which offered is not answered + abandoned + overflowed + lost + waiting."""
    legs, calls = undecided(state)
    wrong = []
    for (kind, ident, slot), values in rows.items():
        if kind in (QUEUE, CALLS):
            decided = sum(values[F[fate]] for fate in ("answered", "abandoned", "overflowed", "lost"))
            waiting = calls.get(slot, 0) if kind == CALLS else legs.get((ident, slot), 0)
            if values[F["offered"]] != decided + waiting:
                wrong.append((kind, ident, slot, values[F["offered"]], decided, waiting))
    return wrong


def part(
    lines: Sequence[e.Event],
    until_s: int = EIGHT + 16 * H,
    coverage: Sequence[tuple[int, int]] | None = None,
    rules: Rules = RULES,
    **observes: Any,
) -> Part:
    """A source's counts as a reader has them: all of the days, as they stand."""
    run = folded(lines, rules)
    state, changed = as_of(rules, run.state, run.rows, until_s)
    stored = [call for call in run.touched_calls.values() if call is not None and len(call.legs) > 1]
    now = {(call.at_s, call.callid): call for call in state.calls.values()}
    return Part(
        rows={**run.rows, **changed},
        open_calls=[call for call in state.calls.values() if call.open],
        multi=[now.get((call.at_s, call.callid), call) for call in stored],
        coverage=[(SHANGHAI.bounds("2026-11-22")[0], until_s)] if coverage is None else coverage,
        as_of_s=until_s,
        observes=Observes(wrap=True, refused_from_s=run.state.clock.refused_from_s, **observes),
    )


# Made up ---------------------------------------------------------------------------------------------------------

PLACES = (
    ("Asia/Shanghai", "2026-11-23"),
    ("Europe/Berlin", "2026-10-25"),  # 25 hours
    ("Europe/Berlin", "2026-03-29"),  # 23 hours
    ("America/Sao_Paulo", "2018-11-04"),  # has no midnight
    ("America/Sao_Paulo", "2018-02-17"),  # has 23:00 to 24:00 twice
)
QUEUES, SEATS = ("a", "b", "c"), ("s1", "s2", "s3")
CALM_S = (
    *(0, 0, 0, 0, 1, 1, 2, 3, 5, 9, 10, 11, 14, 15, 16, 30, 61, 200, 299, 300, 301, 600, 899, 900, 901, 1800),
    *(3600, 7199, 7200, 7201, 28_799, 28_800, 28_801, 43_200, 90_000, 14 * DAY_S, 14 * DAY_S + 1),
)
WILD_S = (
    *CALM_S,
    *(-1, -1, -30, -60, -61, -900, -4000, -86_399, -86_401, -90_000, -40 * DAY_S),
    *(40 * DAY_S, 8 * 365 * DAY_S),
)
VERBS = (
    *("offered",) * 8,
    *("answered",) * 7,
    *("ended",) * 6,
    *("abandoned",) * 3,
    *("overflowed",) * 3,
    *("signed_in",) * 2,
    *("signed_out",) * 2,
    *("paused",) * 2,
    *("unpaused",) * 2,
    *("ring_missed", "seat_seen", "refused", "started", "started", "unknown", "skipped", "time"),
)
Step = tuple[str, int, int, int, int]
"""A verb, two choices, seconds since the last step, how sensible it is."""
REASONS = ("timeout", "key", "empty", "withdrawn", "moved")


SLOW_S = (1, 60, 3600, 7199, 7200, 7201, 20_000, 28_799, 28_800, 28_801, 36_000, 36_001, 43_200, 86_400)
SLOW_VERBS = ("offered", "offered", "answered", "answered", "ended", "ended", "abandoned", "started", "time")
"""Few calls that last for days: what is over a limit, and what is forgotten."""


def _steps(verbs: tuple[str, ...], since_s: tuple[int, ...], most: int) -> st.SearchStrategy[list[Step]]:
    small = st.integers(0, 11)
    step = st.tuples(st.sampled_from(verbs), small, small, st.sampled_from(since_s), st.integers(0, 9))
    return st.lists(step, max_size=most)


@st.composite
def streams(draw: st.DrawFn, *, wild: bool = True, most: int = 40) -> tuple[Rules, list[e.Event]]:
    """Rules of a zone, and events around a day on which its clock may change.

    Args:
        draw: Hypothesis.
        wild: The source's clock may step, and lines may make no sense.
        most: So many events at the most.
    """
    zone_name, day = draw(st.sampled_from(PLACES))
    zone = Zone(zone_name)
    start_s = zone.bounds(day)[0] + draw(st.sampled_from((-2, 0, 1, 8, 21, 23))) * H
    start_s += draw(st.integers(-1000, 1000))
    slow = draw(st.integers(0, 3)) == 0
    verbs, since_s = (SLOW_VERBS, SLOW_S) if slow else (VERBS, WILD_S if wild else CALM_S)
    steps = draw(_steps(verbs, since_s, most))
    return Rules(zone=zone, wrapup_s=RULES.wrapup_s), play(start_s, steps, wild=wild, few=slow)


def play(start_s: int, steps: Iterable[Step], *, wild: bool, few: bool = False) -> list[e.Event]:
    """Make events of drawn steps; few: of two seats and two calls only."""
    now_s = start_s
    waiting: list[tuple[str, str, int]] = []
    talking: list[tuple[str, str, str, int]] = []
    known: list[str] = []
    made: list[e.Event] = []
    for verb, a, b, since_s, sense in steps:
        now_s = min(max(now_s + since_s, 1_000_000_000), 4_000_000_000)
        queue, seat = QUEUES[a % 3], SEATS[b % (2 if few else 3)]
        callid = f"c{b // 9 if few else (a + b) % 4}"
        sensible = sense > (2 if wild else 0)
        wait_s = (0, 4, 15, 16, 61, 700)[b % 6]
        match verb:
            case "offered":
                if sensible and not few:
                    # Every third enters again: an overflow or a transfer.
                    callid = known[b % len(known)] if known and a % 3 == 0 else f"n{len(known)}"
                known.append(callid)
                waiting.append((callid, queue, now_s))
                made.append(e.Offered(now_s, callid, queue, None if b % 2 else "0591-8"))
            case "answered":
                if sensible and waiting:
                    callid, queue, since = waiting.pop(a % len(waiting))
                    wait_s = max(0, now_s - since)
                talking.append((callid, queue, seat, now_s))
                made.append(e.Answered(now_s, callid, queue, seat, wait_s))
            case "ended":
                talk_s = wait_s
                if sensible and talking:
                    callid, queue, seat, since = talking[a % len(talking)]
                    talk_s = max(0, now_s - since)
                    if b % 5:  # else it may end once more
                        talking.pop(a % len(talking))
                made.append(e.Ended(now_s, callid, queue, seat, talk_s))
            case "abandoned":
                if sensible and waiting:
                    callid, queue, since = waiting.pop(a % len(waiting))
                    wait_s = max(0, now_s - since)
                made.append(e.Abandoned(now_s, callid, queue, wait_s))
            case "overflowed":
                if sensible and waiting:
                    callid, queue, since = waiting.pop(a % len(waiting))
                    wait_s = max(0, now_s - since)
                made.append(e.Overflowed(now_s, callid, queue, wait_s, REASONS[b % 5]))
            case "signed_in":
                made.append(e.SignedIn(now_s, seat, queue, a % 4 == 0))
            case "signed_out":
                made.append(e.SignedOut(now_s, seat, queue))
            case "paused":
                made.append(e.Paused(now_s, seat, queue, ("", "培训", "小休")[b % 3]))
            case "unpaused":
                made.append(e.Unpaused(now_s, seat, queue))
            case "ring_missed":
                made.append(e.RingMissed(now_s, callid, seat, queue, 8000))
            case "seat_seen":
                made.append(e.SeatSeen(now_s, seat, queue))
            case "refused":
                made.append(e.Refused(now_s, callid, queue, "FULL"))
            case "started":
                made.append(e.SwitchStarted(now_s))
                waiting.clear()
                talking.clear()
            case "unknown":
                made.append(e.Unknown(now_s, f"V{a}"))
            case "skipped":
                made.append(e.Skipped(now_s, "CONFIGRELOAD"))
            case _:
                made.append(e.Event(now_s))
    return made
