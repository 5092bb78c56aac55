"""What three years of a hotline take in Redis, and how long a trend waits for them, by how they are laid out.

The simulated hotline of Fuzhou (17 seats, 12 queues) on every plain workday of 36 months is counted once; its rows and
calls are then stored in each of these ways, in a server of the benchmark's own:

    day in zlib       all rows of a day as JSON in zlib, all calls likewise: a closed day
    field a row       a hash a day with a field for each row (JSON), another for the calls: the open day
    field a counter   a hash a day with a field for each counter that is not zero; calls as before
    u32 a row         a hash a day with a field for each row, packed as 32-bit integers; calls as before
    u32 in zlib       all rows of a day packed as 32-bit integers, in zlib; calls as JSON in zlib
    month of totals   a hash a month with the totals of each day, queue and seat (JSON): no slots, no calls, so it can
                      only stand beside one of the others

Loading is: for each of 36 months, everything of it read and made into a pandas frame of one row per day, kind and id;
cold, that is with nothing kept from before. All ways must give the same frames, or the benchmark fails.
"""

import time
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pandas as pd
import redis

from benchmarks.figures import Aim, Figure, Options
from benchmarks.redis_server import own_redis
from collectors.queue_log.parse import parse_line
from collectors.simulator.day import plain_load, plain_workday, simulate_day
from collectors.simulator.hotline import demo_toml, fuzhou
from dashboard.config import load
from dashboard.core.calls import Call
from dashboard.core.counts import COLUMNS, join, trimmed, widened
from dashboard.core.fold import Fold
from dashboard.store import codec
from dashboard.store.keys import HotlineKeys, field, parse_field
from dashboard.store.reader import rules_of

MONTHS = 36
FIRST_DAY = date(2024, 1, 1)
ROUNDS = 3
MONTH_LIMIT_S = 0.36
"""What 36 months of daily totals took before this project began (a month hash, as here)."""

Rows = dict[codec.Key, list[int]]
Totals = dict[tuple[str, str, str], list[int]]
"""(day, kind, id) -> the day's total of each column."""


@dataclass(frozen=True, slots=True)
class DayData:
    """One counted day."""

    day: str
    rows: Rows
    calls: dict[str, Call]


class Layout(ABC):
    """A way to lay days out in Redis."""

    name: str
    rows_and_calls = True

    def __init__(self, client: Any) -> None:
        self.client = client

    @abstractmethod
    def store_rows(self, data: DayData) -> None:
        """Store a day's counts."""

    @abstractmethod
    def store_calls(self, data: DayData) -> None:
        """Store a day's calls."""

    @abstractmethod
    def load(self, days: list[str]) -> Totals:
        """The totals of a month's days."""

    def _fetch(self, ask: str, keys: Iterable[str]) -> list[Any]:
        pipe = self.client.pipeline(transaction=False)
        for key in keys:
            pipe.execute_command(ask, key)
        return list(pipe.execute())


class DayInZlib(Layout):
    """A closed day as this project keeps it."""

    name = "day in zlib"

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.keys = HotlineKeys("bench").source("zlib", 1)

    def store_rows(self, data: DayData) -> None:
        multi = [call for call in data.calls.values() if len(call.legs) > 1]
        self.client.set(self.keys.day(data.day), codec.pack_day(data.rows.items(), multi))

    def store_calls(self, data: DayData) -> None:
        self.client.set(self.keys.callz(data.day), codec.pack_calls(data.calls.values()))

    def load(self, days: list[str]) -> Totals:
        totals: Totals = {}
        for day, packed in zip(days, self._fetch("GET", map(self.keys.day, days)), strict=True):
            unpacked = codec.unpack_day(packed).rows
            totals.update(_totals(day, {(kind, ident, slot): row for kind, ident, slot, row in unpacked}))
        return totals


class FieldARow(Layout):
    """The open day as this project keeps it."""

    name = "field a row"

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.keys = HotlineKeys("bench").source("fields", 1)

    def store_rows(self, data: DayData) -> None:
        fields = {field(*_spelt(key)): self.packed(row) for key, row in data.rows.items()}
        self.client.hset(self.keys.rows(data.day), mapping=fields)

    def store_calls(self, data: DayData) -> None:
        calls = {callid: codec.encode(call) for callid, call in data.calls.items()}
        if calls:
            self.client.hset(self.keys.calls(data.day), mapping=calls)

    def load(self, days: list[str]) -> Totals:
        totals: Totals = {}
        for day, found in zip(days, self._fetch("HGETALL", map(self.keys.rows, days)), strict=True):
            rows = {parse_field(name.decode()): self.unpacked(row) for name, row in found.items()}
            totals.update(_totals(day, rows))
        return totals

    def packed(self, row: list[int]) -> bytes:
        """A row's value."""
        return codec.encode_row(row)

    def unpacked(self, data: bytes) -> list[int]:
        """A value's row."""
        return codec.decode_row(data)


class U32ARow(FieldARow):
    """A field a row, packed."""

    name = "u32 a row"

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.keys = HotlineKeys("bench").source("u32", 1)

    def packed(self, row: list[int]) -> bytes:
        return np.array(trimmed(row), dtype="<u4").tobytes()

    def unpacked(self, data: bytes) -> list[int]:
        found: list[int] = np.frombuffer(data, dtype="<u4").tolist()
        return found


class FieldACounter(FieldARow):
    """A field a counter, as one increments them."""

    name = "field a counter"

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.keys = HotlineKeys("bench").source("counters", 1)

    def store_rows(self, data: DayData) -> None:
        fields = {
            f"{COLUMNS[key[0]][index]}|{field(*_spelt(key))}": value
            for key, row in data.rows.items()
            for index, value in enumerate(row)
            if value
        }
        self.client.hset(self.keys.rows(data.day), mapping=fields)

    def load(self, days: list[str]) -> Totals:
        index = {kind: {name: i for i, name in enumerate(columns)} for kind, columns in COLUMNS.items()}
        totals: Totals = {}
        for day, found in zip(days, self._fetch("HGETALL", map(self.keys.rows, days)), strict=True):
            rows: Rows = {}
            for name, value in found.items():
                column, _, rest = name.decode().partition("|")
                key = parse_field(rest)
                row = rows.setdefault(key, [0] * len(COLUMNS[key[0]]))
                row[index[key[0]][column]] = int(value)
            totals.update(_totals(day, rows))
        return totals


class U32InZlib(DayInZlib):
    """A closed day packed as numbers of a fixed width."""

    name = "u32 in zlib"

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.keys = HotlineKeys("bench").source("packed", 1)

    def store_rows(self, data: DayData) -> None:
        keys = sorted(data.rows)
        head = msgspec.json.encode(keys)
        body = b"".join(np.array(data.rows[key], dtype="<u4").tobytes() for key in keys)
        self.client.set(
            self.keys.day(data.day), zlib.compress(len(head).to_bytes(4, "little") + head + body, 6)
        )

    def load(self, days: list[str]) -> Totals:
        totals: Totals = {}
        decode = msgspec.json.Decoder(list[tuple[str, str, int]]).decode
        for day, packed in zip(days, self._fetch("GET", map(self.keys.day, days)), strict=True):
            data = zlib.decompress(packed)
            start = 4 + int.from_bytes(data[:4], "little")
            for (kind, ident), group in groupby(decode(data[4:start]), key=lambda key: key[:2]):
                count, width = len(list(group)), len(COLUMNS[kind])
                rows = np.frombuffer(data, dtype="<u4", count=count * width, offset=start).reshape(
                    count, width
                )
                start += count * width * 4
                total = rows.sum(axis=0)
                for i, column in enumerate(COLUMNS[kind]):
                    if column == "longest_wait_s":
                        total[i] = rows[:, i].max()
                totals[day, kind, ident] = total.tolist()
        return totals


class MonthOfTotals(Layout):
    """Daily totals only."""

    name = "month of totals"
    rows_and_calls = False

    def store_rows(self, data: DayData) -> None:
        totals = _totals(data.day, data.rows)
        fields = {
            f"{day}|{kind}|{ident}": codec.encode_row(row) for (day, kind, ident), row in totals.items()
        }
        self.client.hset(f"month:{data.day[:7]}", mapping=fields)

    def store_calls(self, data: DayData) -> None:
        pass

    def load(self, days: list[str]) -> Totals:
        totals: Totals = {}
        [found] = self._fetch("HGETALL", [f"month:{days[0][:7]}"])
        for name, value in found.items():
            day, kind, ident = name.decode().split("|", 2)
            totals[day, kind, ident] = widened(kind, codec.decode_row(value))
        return totals


LAYOUTS = (DayInZlib, FieldARow, FieldACounter, U32ARow, U32InZlib, MonthOfTotals)


def run(options: Options) -> list[Figure]:
    """Measure; see the module."""
    months, rounds = (2, 1) if options.quick else (MONTHS, ROUNDS)
    every = count_days(options, months, every_day=1 if not options.quick else 10)
    cells = sum(1 for data in every for row in data.rows.values() for value in row if value) / len(every)
    options.say(
        f"{len(every)} days; a day has {sum(len(d.rows) for d in every) / len(every):.0f} rows, {cells:.0f} counters "
        f"that are not zero, {sum(len(d.calls) for d in every) / len(every):.0f} calls"
    )
    by_month = [list(group) for _, group in groupby([d.day for d in every], key=lambda day: day[:7])]
    with own_redis(options.folder) as url, redis.Redis.from_url(url) as client:
        sizes = {}
        for kind in LAYOUTS:
            layout = kind(client)
            before = _used(client)
            for data in every:
                layout.store_rows(data)
            between = _used(client)
            for data in every:
                layout.store_calls(data)
            sizes[kind.name] = (between - before, _used(client) - between)
        taken: dict[str, list[float]] = {kind.name: [] for kind in LAYOUTS}
        for round_ in range(rounds):
            for kind in LAYOUTS:
                with redis.Redis.from_url(url) as cold:
                    taken[kind.name].append(load_s(kind(cold), by_month))
            options.say(
                f"round {round_ + 1} of {rounds}: "
                + ", ".join(f"{name} {seconds[-1]:.2f} s" for name, seconds in taken.items())
            )
        _same([kind(client).load(by_month[-1]) for kind in LAYOUTS])
    return _figures(sizes, taken, len(every), months)


def count_days(options: Options, months: int, every_day: int) -> list[DayData]:
    """Simulate and count so many months, every day of them (or every tenth)."""
    hotline = fuzhou()
    path = options.folder / "hotline.toml"
    path.write_text(demo_toml(hotline, data_dir="data", queue_log_path="queue_log"), "utf-8")
    config = load(path)
    names, zone = config.names(), ZoneInfo(hotline.zone)
    fold = Fold(rules_of(config))
    found = []
    day = FIRST_DAY
    while (day.year - FIRST_DAY.year) * 12 + day.month - FIRST_DAY.month < months:
        if plain_workday(day) and day.toordinal() % every_day == 0:
            lines = simulate_day(hotline, day, zone=zone, seed=1, workday=True, load=plain_load(day))
            fold.feed([parse_line(line, names) for line in lines])
            text = day.isoformat()
            # The next day's first line counts what seats still did after this day's last one: nothing by then.
            rows = {key: fold.rows.pop(key) for key in fold.rows.touched if config.zone.day(key[2]) == text}
            calls = {callid: call for (_, callid), call in fold.touched_calls.items() if call is not None}
            found.append(DayData(text, {key: row for key, row in rows.items() if any(row)}, calls))
            fold.rows.touched.clear()
            fold.touched_calls.clear()
        day += timedelta(days=1)
    return found


def load_s(layout: Layout, by_month: list[list[str]]) -> float:
    """Seconds to load all months, one after the other."""
    begun_s = time.perf_counter()
    for days in by_month:
        frame_of(layout.load(days))
    return time.perf_counter() - begun_s


def frame_of(totals: Totals) -> pd.DataFrame:
    """One row per day, kind and id; a column a counter, those of seats padded with zeros."""
    width = max(map(len, COLUMNS.values()))
    values = np.zeros((len(totals), width), dtype="int64")
    for at, row in enumerate(totals.values()):
        values[at, : len(row)] = row
    return pd.DataFrame(values, index=pd.MultiIndex.from_tuples(totals, names=("day", "kind", "id")))


def _totals(day: str, rows: Rows) -> Totals:
    grouped: dict[tuple[str, str], list[list[int]]] = {}
    for (kind, ident, _), row in rows.items():
        grouped.setdefault((kind, ident), []).append(row)
    return {(day, kind, ident): join(kind, some) for (kind, ident), some in grouped.items()}


def _spelt(key: codec.Key) -> tuple[str, str, int]:
    return key[0], key[1], key[2]


def _used(client: Any) -> int:
    used: int = client.info("memory")["used_memory"]
    return used


def _same(loaded: list[Totals]) -> None:
    for totals in loaded[1:]:
        if totals != loaded[0]:
            raise RuntimeError("two layouts of the same days give different totals")


def _figures(
    sizes: dict[str, tuple[int, int]], taken: dict[str, list[float]], days: int, months: int
) -> list[Figure]:
    ours = DayInZlib.name
    figures = []
    for name, (rows, calls) in sizes.items():
        beside = {} if name == ours else {"peer": ours, "peer_value": sum(sizes[ours]) / days / 1000}
        both = "" if calls else ", no calls"
        figures.append(
            Figure(name=f"a day as {name}{both}", value=(rows + calls) / days / 1000, unit="kB", **beside)
        )
    for name, (rows, calls) in sizes.items():
        parts = f"counts {rows / 1e6:.1f}, calls {calls / 1e6:.1f}"
        figures.append(
            Figure(name=f"{months} months as {name} ({parts})", value=(rows + calls) / 1e6, unit="MB")
        )
    for name, seconds in taken.items():
        ratios = [one / other for one, other in zip(seconds, taken[ours], strict=True)]
        beside = (
            {} if name == ours else {"peer": ours, "peer_value": median(taken[ours]), "ratio": median(ratios)}
        )
        aim = Aim(value=MONTH_LIMIT_S) if name == MonthOfTotals.name and months == MONTHS else None
        figures.append(
            Figure(
                name=f"{months} months loaded by month, {name}",
                value=median(seconds),
                unit="s",
                aim=aim,
                **beside,
            )
        )
    return figures
