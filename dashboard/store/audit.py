"""What Redis has of a source, beside what its archive says: every difference.

The archive is counted again up to the position that the counts were stored with, in memory, beside whoever writes
them; nothing is written. The versions that both were counted with are told: where they differ, so may the counts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import zip_longest
from typing import Any, Literal

import msgspec

from dashboard.core.calls import Call
from dashboard.core.counts import CALLS, COLUMNS, QUEUE, SEAT, Rows, trimmed
from dashboard.core.days import Zone
from dashboard.core.fold import Clock, Fold, Rules, State
from dashboard.core.seats import Seat
from dashboard.errors import StoreError
from dashboard.store import codec, recovery
from dashboard.store.archive import Archive, Position, Record
from dashboard.store.reader import Snapshot

SHOWN = 200
"""Differences that are kept; of the others only the number is told."""

CHUNKS_A_SWEEP = 64

Kind = Literal["queue", "calls", "seat", "call", "seat_state", "clock"]
KINDS: dict[str, Kind] = {QUEUE: "queue", CALLS: "calls", SEAT: "seat"}


CallKey = tuple[str, str]
"""The day on which a call was first seen, and its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One value that is not the same.

    Attributes:
        day: Of the row or call; "" for what is of the position: what a seat does, the source's clock.
        kind: A row's kind; a single call; what a seat does; what is known of the source's time.
        id: The queue's name, the call's or the seat's id; "" for the row of calls and for the clock.
        slot: The row's slot, or when the call was first seen, epoch seconds; 0 for what is of the position.
        column: Which value; "" for a whole call.
        stored, archive: What Redis has, and what the archive says; None where there is none.
    """

    day: str
    kind: Kind
    id: str
    slot: int
    column: str
    stored: Any
    archive: Any

    def as_json(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {column.name: msgspec.to_builtins(getattr(self, column.name)) for column in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refolded:
    """An archive counted again.

    Attributes:
        rows: By (kind, id, slot), of the period.
        calls: By (day, id), of the period. Where a clock stepped back, and an id came twice on one day, the later
            call: Redis keeps one of each id and day.
        seats, clock: At the position.
        records: How many were counted.
    """

    rows: Mapping[codec.Key, list[int]]
    calls: Mapping[CallKey, Call]
    seats: Mapping[str, Seat]
    clock: Clock
    records: int


@dataclass(slots=True, kw_only=True)
class Audit:
    """What came of comparing one source.

    Attributes:
        source, position: What was compared, up to where.
        records, days, rows, calls: How many.
        total: How many differences there are.
        differences: The first of them.
    """

    source: str
    position: str
    records: int
    days: int
    rows: int = 0
    calls: int = 0
    total: int = 0
    differences: list[Difference] = field(default_factory=list)


def refolded(
    archive: Archive,
    rules: Rules,
    replay: recovery.Replay,
    upto: str,
    span: tuple[int, int],
    progress: Callable[[int], None],
) -> Refolded:
    """Count an archive again, in memory.

    Args:
        archive: Read, never written.
        rules: For the fold.
        replay: (kind, payload) of an archived record -> its event.
        upto: The position to stop at, as Redis keeps it.
        span: [from, to) in epoch seconds: what is kept of the counts.
        progress: Told how many records so far.

    Raises:
        StoreError: The archive is damaged, or ends before the position.
    """
    fold = Fold(rules, State(), Rows())
    calls: dict[CallKey, Call] = {}
    records = 0
    for number, chunk in enumerate(_records(archive, rules.zone, replay, upto), 1):
        fold.feed([event for kind, payload in chunk if (event := replay(kind, payload)) is not None])
        records += len(chunk)
        if number % CHUNKS_A_SWEEP == 0:
            _sweep(fold, calls, span)
            progress(records)
    _sweep(fold, calls, span)
    state = fold.state
    return Refolded(rows=fold.rows, calls=calls, seats=state.seats, clock=state.clock, records=records)


def _records(archive: Archive, zone: Zone, replay: recovery.Replay, upto: str) -> Iterator[Sequence[Record]]:
    """The archive's records in the order in which they are counted, up to a position."""
    text, _, number = upto.partition("#")
    live, imported = Position.of_text(text), int(number or 0)
    numbers = {info.number for info in archive.imports()}
    missing = sorted(set(range(1, imported + 1)) - numbers)
    end = archive.end()
    if missing or end < live:
        what = f"import {missing[0]} is missing" if missing else f"it ends at {end.text}"
        raise StoreError(
            f"the archive of {archive.source} is shorter than what is counted ({what}; counted is up to {upto}): "
            "restore it from a backup, or run `wallboard rebuild` to count what is left"
        )
    if live.offset:
        # Fails where no record ends at the position: the archive was cut or replaced.
        next(archive.read_live(after=live), None)
    for stretch in recovery.whole_log(archive, zone, replay, upto=live, imports=imported):
        yield stretch.records


def _sweep(fold: Fold, calls: dict[CallKey, Call], span: tuple[int, int]) -> None:
    """Let go of what is not asked for, so that memory stays flat."""
    from_s, to_s = span
    for row in fold.rows.touched:
        if not from_s <= row[2] < to_s:
            fold.rows.pop(row, None)
    fold.rows.touched.clear()
    zone = fold.rules.zone
    for (at_s, callid), call in fold.touched_calls.items():
        if from_s <= at_s < to_s:
            if call is None:
                calls.pop((zone.day(at_s), callid), None)
            else:
                calls[zone.day(at_s), callid] = call
    fold.touched_calls.clear()


def audited(snapshot: Snapshot, again: Refolded, zone: Zone) -> Audit:
    """Compare a source's counts with its archive's.

    Args:
        snapshot: With the rows and the calls of the days of the period.
        again: The archive, counted up to the snapshot's position, of the same days.
        zone: The hotline's.
    """
    found = Audit(
        source=snapshot.source,
        position=snapshot.position,
        records=again.records,
        days=len(
            {day for day in snapshot.days if day in snapshot.stamps}
            | {zone.day(key[2]) for key in again.rows}
        ),
    )
    stored = {key: row for day in snapshot.days.values() for key, row in day.rows.items()}
    found.rows = len(stored.keys() | again.rows.keys())
    _keep(found, _in_rows(stored, again.rows, zone))
    known = {(zone.day(call.at_s), call.callid): call for call in snapshot.calls}
    for call in snapshot.open_calls.values():
        day = zone.day(call.at_s)
        if day in snapshot.days:
            known[day, call.callid] = call
    found.calls = len(known.keys() | again.calls.keys())
    _keep(found, _in_calls(known, again.calls))
    _keep(found, _in_state(snapshot, again))
    return found


def _keep(found: Audit, differences: Iterable[Difference]) -> None:
    for one in differences:
        found.total += 1
        if len(found.differences) < SHOWN:
            found.differences.append(one)


def _in_rows(
    stored: Mapping[codec.Key, list[int]], again: Mapping[codec.Key, list[int]], zone: Zone
) -> Iterator[Difference]:
    keys = stored.keys() | again.keys()
    differing = [key for key in keys if trimmed(stored.get(key, [])) != trimmed(again.get(key, []))]
    for kind, ident, slot in sorted(differing, key=lambda key: (key[2], key)):
        pairs = zip_longest(
            stored.get((kind, ident, slot), ()), again.get((kind, ident, slot), ()), fillvalue=0
        )
        for column, (was, now) in zip(COLUMNS[kind], pairs, strict=False):
            if was != now:
                yield Difference(
                    day=zone.day(slot),
                    kind=KINDS[kind],
                    id=ident,
                    slot=slot,
                    column=column,
                    stored=was,
                    archive=now,
                )


def _in_calls(stored: Mapping[CallKey, Call], again: Mapping[CallKey, Call]) -> Iterator[Difference]:
    for day, callid in sorted(stored.keys() | again.keys()):
        was, now = stored.get((day, callid)), again.get((day, callid))
        if was != now:
            at_s = next(call.at_s for call in (was, now) if call is not None)
            yield Difference(day=day, kind="call", id=callid, slot=at_s, column="", stored=was, archive=now)


def _in_state(snapshot: Snapshot, again: Refolded) -> Iterator[Difference]:
    """What is of the position and of no day."""
    for seat_id in sorted(snapshot.seats.keys() | again.seats.keys()):
        yield from _in_fields("seat_state", seat_id, snapshot.seats.get(seat_id), again.seats.get(seat_id))
    yield from _in_fields("clock", "", snapshot.clock, again.clock)


def _in_fields(kind: Kind, ident: str, stored: object, archive: object) -> Iterator[Difference]:
    was, now = msgspec.to_builtins(stored) or {}, msgspec.to_builtins(archive) or {}
    for column in sorted(was.keys() | now.keys()):
        if was.get(column) != now.get(column):
            yield Difference(
                day="",
                kind=kind,
                id=ident,
                slot=0,
                column=column,
                stored=was.get(column),
                archive=now.get(column),
            )


def outdated(
    stamps: Mapping[str, codec.Stamp], stamp: codec.Stamp, days: Sequence[str] | None = None
) -> list[str]:
    """Say of which days the counts were made by other rules than this program's.

    Args:
        stamps: Day -> what it was counted with.
        stamp: What this program counts with.
        days: Only these; None for all.

    Returns:
        A sentence a difference, each with what to do.
    """
    found: dict[str, list[str]] = {}
    for day in sorted(stamps if days is None else stamps.keys() & set(days)):
        was = stamps[day]
        for what, before, here in (("fold", was.fold, stamp.fold), ("parser", was.parser, stamp.parser)):
            if before != here:
                found.setdefault(f"counted with {what} {before}, this is {here}", []).append(day)
        if was.names != stamp.names:
            found.setdefault("counted with other names or settings than the configuration's", []).append(day)
    return [
        f"{', '.join(some) if len(some) < 3 else f'{len(some)} days, {some[0]} to {some[-1]}'}: {text}: "
        "run `wallboard rebuild`"
        for text, some in found.items()
    ]
