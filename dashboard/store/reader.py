"""Redis -> what a source has counted: whole days, and what is going on.

Reads only; the counts of an instant are made from it by `core.asof`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboard.config import Config
from dashboard.core.asof import as_of
from dashboard.core.calls import Call
from dashboard.core.days import Zone
from dashboard.core.fold import Clock, Rules, State
from dashboard.core.gaps import Gap, Span, gaps, overlap
from dashboard.core.opened import Calls
from dashboard.core.seats import Seat
from dashboard.core.table import Observes, Part
from dashboard.errors import StoreUnavailable
from dashboard.store import codec
from dashboard.store.connect import ERROR, Client, script
from dashboard.store.coverage import decode_known
from dashboard.store.keys import MULTI, HotlineKeys, SourceKeys, parse_field

DAYS_AT_ONCE = 100
TRIES = 5


def rules_of(config: Config) -> Rules:
    """The fold's rules as the configuration says them."""
    wrapup_s = {queue: config.queue_rule(queue)[0] for queue in config.queue_names}
    return Rules(
        zone=config.zone,
        wrapup_s={queue: seconds for queue, seconds in wrapup_s.items() if seconds is not None},
        waiting_limit_s=config.limits.waiting_s,
        talking_limit_s=config.limits.talking_s,
    )


@dataclass(slots=True)
class Day:
    """One day of one source: rows by (kind, id, slot), and its calls with more than one leg."""

    rows: dict[codec.Key, list[int]] = field(default_factory=dict)
    multi: dict[str, Call] = field(default_factory=dict)


@dataclass(slots=True)
class Snapshot:
    """One source as it is stored at one instant of Redis.

    Attributes:
        generation, seq, position: Which commit this is; generation 0: nothing is counted.
        standing: live, rebuilding (its counts are being made again) or no_data.
        clock, open_calls, seats: What is going on.
        coverage: Spans [from, to) in epoch seconds, the live one up to the last successful read.
        told, late: What gaps get their reasons from, and what was read later; see `store.coverage`.
        read_ms: Redis TIME of the last successful read, milliseconds; None if never.
        problem: What its collector says is wrong.
        days: The days that were asked for.
        stamps: Every day that is stored.
        calls: Calls of the days that were asked for, without what `open_calls` knows better.
    """

    source: str
    generation: int = 0
    seq: int = 0
    position: str = ""
    standing: codec.Standing = "no_data"
    clock: Clock = field(default_factory=Clock)
    open_calls: dict[str, Call] = field(default_factory=dict)
    seats: dict[str, Seat] = field(default_factory=dict)
    coverage: list[Span] = field(default_factory=list)
    told: list[Gap] = field(default_factory=list)
    late: list[Span] = field(default_factory=list)
    read_ms: int | None = None
    problem: str = ""
    days: dict[str, Day] = field(default_factory=dict)
    stamps: dict[str, codec.Stamp] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def covered_to_s(self) -> int | None:
        """The end of coverage; None where nothing is covered."""
        return self.coverage[-1][1] if self.coverage else None


class Reader:
    """Reads sources of one hotline."""

    def __init__(self, client: Client, hotline: str) -> None:
        self.client = client
        self.keys = HotlineKeys(hotline)
        self._read = client.register_script(script("read.lua"))

    def snapshot(self, source: str, days: Sequence[str], calls_of: Sequence[str] = ()) -> Snapshot:
        """A source with some of its days, all as of one commit.

        Args:
            source: Its name.
            days: Those whose rows are wanted.
            calls_of: Those whose calls are wanted.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        try:
            return self._snapshot(source, days, calls_of)
        except ERROR as exc:
            raise StoreUnavailable(f"Redis does not answer ({exc})") from exc

    def _snapshot(self, source: str, days: Sequence[str], calls_of: Sequence[str]) -> Snapshot:
        for _ in range(TRIES):
            found = self._attempt(source, days, calls_of)
            if found is not None:
                return found
        raise StoreUnavailable(f"the counts of {source} change faster than they can be read")

    def _attempt(self, source: str, days: Sequence[str], calls_of: Sequence[str]) -> Snapshot | None:
        """Read once; None where the counts changed under the reading."""
        found = Snapshot(source)
        pipe = self.client.pipeline(transaction=False)
        pipe.hget(self.keys.gens, source)
        pipe.exists(self.keys.rebuild(source))
        pipe.hgetall(self.keys.beat(source))
        generation, rebuilding, beat = pipe.execute()
        take_beat(found, beat)
        if rebuilding:
            found.standing = "rebuilding"
        if generation is None:
            return found
        keys = self.keys.source(source, int(generation))
        stamps = self._stamps(keys)
        # Open days go with the calls in progress, of one instant; closed ones are read before, in parts.
        closed = [day for day in days if day in stamps and stamps[day].closed]
        for start in range(0, len(closed), DAYS_AT_ONCE):
            found.days.update(self._days(keys, closed[start : start + DAYS_AT_ONCE]))
        closed_calls = [day for day in calls_of if day in stamps and stamps[day].closed]
        calls: dict[tuple[int, str], Call] = {}
        for start in range(0, len(closed_calls), DAYS_AT_ONCE):
            for packed in self.client.mget(
                [keys.callz(day) for day in closed_calls[start : start + DAYS_AT_ONCE]]
            ):
                calls.update(_calls(packed, {}))
        together = [day for day in days if day in stamps and not stamps[day].closed]
        calls_together = [day for day in calls_of if day in stamps and not stamps[day].closed]
        hashes = (keys.meta, keys.open, keys.seats, keys.days)
        asked = [(key, "h") for key in hashes]
        for day in together:
            asked += [(keys.day(day), "s"), (keys.rows(day), "h")]
        for day in calls_together:
            asked += [(keys.callz(day), "s"), (keys.calls(day), "h")]
        meta, open_calls, seats, stamped, *rest = self.at_once(asked)
        found.stamps = {day.decode(): codec.decode_stamp(data) for day, data in stamped.items()}
        if b"clock" not in meta:
            # Gone, or about to be: another generation took its place, or Redis was emptied.
            again = self.client.hget(self.keys.gens, source)
            return found if again == generation and not found.stamps else None
        if any(found.stamps.get(day) != stamps[day] for day in [*closed, *closed_calls]):
            return None
        if any(day in found.stamps and day not in stamps for day in [*days, *calls_of]):
            return None
        found.generation = int(generation)
        found.seq = int(meta[b"seq"])
        found.position = meta[b"position"].decode()
        if found.position == codec.UNFINISHED or b"half" in meta:
            found.standing = "rebuilding"
            found.days = {}
            return found
        found.standing = "live"
        found.clock = codec.decode_clock(meta[b"clock"])
        found.coverage = codec.decode_coverage(meta[b"coverage"])
        known = decode_known(meta.get(b"known", b"{}"))
        found.told, found.late = known.told, known.late
        extend_coverage(found, beat)
        found.open_calls = {name.decode(): codec.decode_call(data) for name, data in open_calls.items()}
        found.seats = {name.decode(): codec.decode_seat(data) for name, data in seats.items()}
        pairs = list(zip(rest[::2], rest[1::2], strict=True))
        for day, (packed, loose) in zip(together, pairs, strict=False):
            found.days[day] = _day(packed, loose)
        for packed, loose in pairs[len(together) :]:
            calls.update(_calls(packed, loose))
        for day in days:
            found.days.setdefault(day, Day())
        for call in found.open_calls.values():
            # One that went on in another queue is stored as it was before as well.
            calls.pop((call.at_s, call.callid), None)
        found.calls = list(calls.values())
        return found

    def _stamps(self, keys: SourceKeys) -> dict[str, codec.Stamp]:
        return {
            day.decode(): codec.decode_stamp(data) for day, data in self.client.hgetall(keys.days).items()
        }

    def _days(self, keys: SourceKeys, days: Sequence[str]) -> dict[str, Day]:
        pipe = self.client.pipeline(transaction=False)
        for day in days:
            _ask_day(pipe, keys, day)
        rest = pipe.execute()
        return {day: _day(*rest[index * 2 : index * 2 + 2]) for index, day in enumerate(days)}

    def sources(self) -> list[str]:
        """Every source that has counts."""
        try:
            return sorted(name.decode() for name in self.client.hkeys(self.keys.gens))
        except ERROR as exc:
            raise StoreUnavailable(f"Redis does not answer ({exc})") from exc

    def calls(self, source: str, generation: int, day: str) -> list[Call]:
        """The calls first offered on a day that are decided and over.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        keys = self.keys.source(source, generation)
        try:
            asked = [(keys.callz(day), "s"), (keys.calls(day), "h"), (keys.open, "h")]
            packed, loose, open_now = self.at_once(asked)
        except ERROR as exc:
            raise StoreUnavailable(f"Redis does not answer ({exc})") from exc
        calls = {call.callid: call for call in codec.unpack_calls(packed)} if packed else {}
        calls.update((name.decode(), codec.decode_call(data)) for name, data in loose.items())
        # One that went on in another queue is in progress again; what is stored here is how it was before.
        for call in map(codec.decode_call, open_now.values()):
            if call.open and call.callid in calls and calls[call.callid].at_s == call.at_s:
                del calls[call.callid]
        return list(calls.values())

    def at_once(self, asked: Sequence[tuple[str, str]]) -> list[Any]:
        """Read keys as of one instant: (key, what of it: see `read.lua`) each; a hash comes as a dict."""
        found = self._read(keys=[key for key, _ in asked], args=[kind for _, kind in asked])
        return [
            dict(zip(value[::2], value[1::2], strict=True)) if kind == "h" else value
            for value, (_, kind) in zip(found, asked, strict=True)
        ]


def _ask_day(pipe: Client, keys: SourceKeys, day: str) -> None:
    pipe.get(keys.day(day))
    pipe.hgetall(keys.rows(day))


def _day(packed: bytes | None, loose: dict[bytes, bytes]) -> Day:
    day = Day()
    if packed:
        unpacked = codec.unpack_day(packed)
        day.rows = {(kind, ident, slot): row for kind, ident, slot, row in unpacked.rows}
        day.multi = {call.callid: call for call in unpacked.multi}
    for name, data in loose.items():
        key = parse_field(name.decode())
        if key[0] == MULTI:
            day.multi[key[1]] = codec.decode_call(data)
        else:
            day.rows[key] = codec.decode_row(data)
    return day


def _calls(packed: bytes | None, loose: dict[bytes, bytes]) -> dict[tuple[int, str], Call]:
    calls = codec.unpack_calls(packed) if packed else []
    return {(call.at_s, call.callid): call for call in [*calls, *map(codec.decode_call, loose.values())]}


def take_beat(found: Snapshot, beat: dict[bytes, bytes]) -> None:
    """Take over what a source's collector said last of being alive."""
    found.read_ms = int(beat[b"read_ms"]) if b"read_ms" in beat else None
    found.problem = beat.get(b"problem", b"").decode()


def extend_coverage(found: Snapshot, beat: dict[bytes, bytes]) -> None:
    """The live span goes on to the last successful read, whether or not anything was new."""
    if b"covered_to_s" in beat and found.coverage:
        from_s, to_s = found.coverage[-1]
        found.coverage[-1] = (from_s, max(to_s, int(beat[b"covered_to_s"])))


def part_of(snapshot: Snapshot, rules: Rules, now_s: float, days: Iterable[str] | None = None) -> Part:
    """A source's counts as they stand now: stored rows, and what is still going on added.

    Args:
        snapshot: As read; not changed.
        rules: Of the hotline.
        now_s: The hotline's clock, epoch seconds.
        days: Which of its days; None for all of them.
    """
    rows: dict[codec.Key, list[int]] = {}
    multi: list[Call] = []
    chosen = list(snapshot.days if days is None else days)
    for day in chosen:
        if day in snapshot.days:
            rows.update(snapshot.days[day].rows)
            multi += snapshot.days[day].multi.values()
    covered_to_s = snapshot.covered_to_s()
    if covered_to_s is None:
        return Part(
            rows=rows,
            open_calls=(),
            multi=multi,
            coverage=(),
            as_of_s=None,
            observes=_observes(snapshot, rules),
        )
    at_s = min(int(now_s), covered_to_s)
    state, changed = as_of(rules, _state(snapshot), rows, at_s)
    rows.update(changed)
    return Part(
        rows=rows,
        open_calls=[call for call in state.calls.values() if call.open],
        multi=multi,
        coverage=snapshot.coverage,
        gaps=gaps_on(snapshot, rules.zone, chosen),
        backfilled=overlap(snapshot.coverage, snapshot.late),
        as_of_s=at_s,
        observes=_observes(snapshot, rules),
    )


def calls_of(snapshot: Snapshot, rules: Rules, now_s: float) -> Calls:
    """A source's calls as they stand now: those that time has decided since its last line included.

    Args:
        snapshot: As read, with the calls of some days; not changed.
        rules: Of the hotline.
        now_s: The hotline's clock, epoch seconds.
    """
    found = {(call.at_s, call.callid): call for call in snapshot.calls}
    covered_to_s = snapshot.covered_to_s()
    at_s = None if covered_to_s is None else min(int(now_s), covered_to_s)
    if at_s is not None:
        state, _ = as_of(rules, _state(snapshot), {}, at_s)
        found.update(((call.at_s, call.callid), call) for call in state.calls.values())
    return Calls(
        source=snapshot.source,
        calls=list(found.values()),
        as_of_s=at_s,
        worked_s=max(at_s or 0, snapshot.clock.last_s or 0),
    )


def _state(snapshot: Snapshot) -> State:
    return State(snapshot.clock, dict(snapshot.open_calls), snapshot.seats)


def gaps_on(snapshot: Snapshot, zone: Zone, days: Sequence[str]) -> list[Gap]:
    """The gaps that touch some days, in their order and whole."""
    if not days:
        return []
    within = zone.bounds(min(days))[0], zone.bounds(max(days))[1]
    return gaps(snapshot.coverage, snapshot.told, within)


def _observes(snapshot: Snapshot, rules: Rules) -> Observes:
    return Observes(hold=False, wrap=bool(rules.wrapup_s), refused_from_s=snapshot.clock.refused_from_s)


def zone_day(zone: Zone, now_s: float) -> str:
    """The hotline's local day at an instant."""
    return zone.day(int(now_s))
