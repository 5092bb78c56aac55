"""What a web process knows: every source as it stands, kept up by one listener, and the view of the hall made of it.

One Redis listener a process. A commit's message is applied to what is in memory when it follows the last one;
anything else (a gap in the numbers, a new generation, a new day, Redis coming back) reads the source again. Each
second the numbers in memory are compared with those in Redis, in case a message was lost. The age of a source is
Redis's time less the Redis time of its last successful read, so one clock decides all ages.
"""

import logging
import random
import threading
import time
from collections.abc import Callable

import msgspec

from dashboard.config import UNASSIGNED, Config
from dashboard.core.calendar import Calendar
from dashboard.core.hall import NO_AVERAGES, Averages, HallSettings, SeatLine, hall_view
from dashboard.core.table import covered_s
from dashboard.core.views import Beat, HallView, SourceView, Standing
from dashboard.errors import StoreUnavailable, WallboardError
from dashboard.store import codec
from dashboard.store.comparable import comparable_averages
from dashboard.store.connect import ERROR, Client
from dashboard.store.keys import parse_field
from dashboard.store.reader import Day, Reader, Snapshot, extend_coverage, part_of, rules_of, take_beat

TICK_S = 1.0
STORE_AWAY_S = 2.5
"""A store that has not answered for so long is away: a stopped one sends no error."""
AVERAGES_EVERY_S = 600.0
AVERAGES_MISSING_S = 5.0

_log = logging.getLogger("wallboard.feed")


class Feed:
    """All sources of a hotline, live.

    Attributes:
        config: The hotline.
        clock: The hotline's clock, epoch seconds; a demonstration's may be moved.
    """

    def __init__(
        self,
        config: Config,
        connect: Callable[[], Client],
        *,
        clock: Callable[[], float] = time.time,
        moved_clock: bool = False,
        ensure: Callable[[], object] = lambda: None,
    ) -> None:
        """Connects only at `start`.

        Args:
            config: The hotline.
            connect: Makes a client.
            clock: The hotline's clock.
            moved_clock: Whether that is not the time of day.
            ensure: Brings an embedded server back, if there is one.
        """
        self.config, self.clock = config, clock
        self.rules = rules_of(config)
        self.settings = hall_settings(config, moved_clock=moved_clock)
        self.calendar = calendar_of(config)
        self._connect, self._ensure = connect, ensure
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._version = 0
        self._reading = threading.RLock()  # taken before `_lock`: a message must not overtake a reading
        self._followed = [source.name for source in config.sources]
        self._sources = {name: Snapshot(name) for name in self._followed}
        self._stored: dict[str, int] = {}
        self._deaf = threading.Event()
        self._beats: dict[str, dict[bytes, bytes]] = {}
        self._store_ok = False
        self._redis_ms = 0.0
        self._ticked_s = time.monotonic()
        self._averages: Averages = NO_AVERAGES
        self._averages_of: tuple[str, float, tuple[int, ...]] = ("", 0.0, ())
        self._day = ""
        self._stopped = threading.Event()

    # What pages ask --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to listen, in two threads (greenlets where the process is patched)."""
        for target in (self._listen, self._tick):
            threading.Thread(target=target, name=f"feed-{target.__name__}", daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        self._stopped.set()
        self._bump()

    def wait(self, seen: int, timeout_s: float) -> int:
        """Wait until something changed.

        Args:
            seen: The last number that the caller has seen.
            timeout_s: How long to wait at the most.

        Returns:
            The newest number.
        """
        with self._changed:
            if self._version == seen:
                self._changed.wait(timeout_s)
            return self._version

    def beat(self) -> Beat:
        """Ages and standing, now."""
        now_s = self.clock()
        offset = self.config.zone.local(int(now_s)).utcoffset()
        with self._lock:
            ages = {name: self._age_s(self._sources[name]) for name in self._followed}
            return Beat(
                now_s=now_s,
                offset_s=int(offset.total_seconds()) if offset else 0,
                ages=ages,
                store_ok=self._store_ok and time.monotonic() - self._ticked_s < STORE_AWAY_S,
                standing=self._standing(),
            )

    def hall(self) -> HallView:
        """The hall's view, now; made from memory."""
        now_s = self.clock()
        day = self.config.zone.day(int(now_s))
        with self._lock:
            snapshots = [s for s in self._sources.values() if self._counts_on(s, day)]
            parts = [part_of(snapshot, self.rules, now_s, [day]) for snapshot in snapshots]
            seats = [dict(snapshot.seats) for snapshot in snapshots]
            sources = [
                SourceView(
                    name=name,
                    age_s=self._age_s(self._sources[name]),
                    last_event_s=self._sources[name].clock.last_s,
                    problem=self._sources[name].problem,
                )
                for name in self._followed
            ]
            return hall_view(
                self.settings, self.calendar, parts, seats, self._averages, sources, now_s, self._standing()
            )

    def _counts_on(self, snapshot: Snapshot, day: str) -> bool:
        """Whether a source belongs to a day's figures: one that is not followed does where it covers some of it."""
        if snapshot.source in self._followed:
            return True
        from_s, to_s = self.config.zone.bounds(day)
        return covered_s(snapshot.coverage, to_s, from_s, to_s) > 0

    def _standing(self) -> Standing:
        standings = {snapshot.standing for snapshot in self._sources.values()}
        if "rebuilding" in standings:
            return "rebuilding"
        return "live" if "live" in standings else "no_data"

    def _age_s(self, snapshot: Snapshot) -> float | None:
        if snapshot.read_ms is None:
            return None
        at_tick_s = (self._redis_ms - snapshot.read_ms) / 1000
        return max(0.0, at_tick_s) + (time.monotonic() - self._ticked_s)

    # Following Redis -------------------------------------------------------------------------------------------

    def _bump(self) -> None:
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def _listen(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            client = self._connect()
            reader = Reader(client, self.config.hotline.id)
            pubsub = client.pubsub(ignore_subscribe_messages=True)
            try:
                pubsub.subscribe(reader.keys.channel)
                pubsub.get_message(timeout=1.0)
                self._reload(reader, list(self._sources))
                failures = 0
                self._deaf.clear()
                while not self._stopped.is_set() and not self._deaf.is_set():
                    message = pubsub.get_message(timeout=1.0)
                    if message is not None:
                        self._apply(reader, message["data"])
            except (*ERROR, StoreUnavailable) as exc:
                self._lost(exc)
                failures += 1
                self._stopped.wait(min(2.0, 0.1 * 2**failures) * random.uniform(0.5, 1.0))  # noqa: S311
            finally:
                pubsub.close()
                client.close()

    def _tick(self) -> None:
        client = self._connect()
        reader = Reader(client, self.config.hotline.id)
        while not self._stopped.is_set():
            begun_s = time.monotonic()
            try:
                self._ask(reader)
            except (*ERROR, StoreUnavailable) as exc:
                self._lost(exc)
                self._bring_back()
            self._stopped.wait(max(0.05, TICK_S - (time.monotonic() - begun_s)))
        client.close()

    def _ask(self, reader: Reader) -> None:
        """Look once: Redis's time, every source's beat, and whether what is in memory is what Redis has."""
        with self._lock:
            known = {name: (s.generation, s.seq, s.standing) for name, s in self._sources.items()}
        keys = reader.keys
        asked = [(keys.gens, "t"), (keys.gens, "h")]
        for name, (generation, _, _) in known.items():
            asked += [(keys.beat(name), "h"), (keys.source(name, generation).meta, "f:seq")]
        (seconds, micros), gens, *found = reader.at_once(asked)
        generations = {name.decode(): int(generation) for name, generation in gens.items()}
        stored = {name: int(seq) for name, seq in zip(known, found[1::2], strict=True) if seq is not None}
        day = self.config.zone.day(int(self.clock()))
        with self._lock:
            again = not self._store_ok or day != self._day
            self._redis_ms = int(seconds) * 1000 + int(micros) / 1000
            self._ticked_s = time.monotonic()
            for name, beat in zip(known, found[::2], strict=True):
                self._beats[name] = beat
                take_beat(self._sources[name], beat)
                extend_coverage(self._sources[name], beat)
        stale = [name for name in generations if name not in known]
        for name, (generation, seq, standing) in known.items():
            if again or standing != "live" or generations.get(name, 0) != generation:
                stale.append(name)
            elif stored.get(name, 0) < seq:
                stale.append(name)  # Redis went back
            elif self._stored.get(name, 0) > seq:
                # What it had a second ago has not been told: the listener hears nothing.
                stale.append(name)
                self._deaf.set()
        self._stored = stored
        self._day = day
        if stale:
            self._reload(reader, stale)
        if not self._store_ok:
            _log.info("redis: back")
        self._store_ok = True
        self._refresh_averages(reader, day)
        self._bump()

    def _bring_back(self) -> None:
        try:
            self._ensure()
        except WallboardError as exc:
            _log.warning("%s", exc)

    def _lost(self, exc: Exception) -> None:
        with self._lock:
            if self._store_ok:
                _log.warning("redis: lost (%s)", exc)
            self._store_ok = False
        self._bump()

    def _reload(self, reader: Reader, names: list[str]) -> None:
        day = self.config.zone.day(int(self.clock()))
        for name in names:
            with self._reading:
                snapshot = reader.snapshot(name, [day])
                with self._lock:
                    before = self._sources.get(name)
                    self._sources[name] = snapshot
            if before and before.generation == snapshot.generation and snapshot.seq < before.seq:
                # What Redis has now is what counts.
                _log.warning("%s: redis went back from commit %d to %d", name, before.seq, snapshot.seq)
        self._bump()

    def _apply(self, reader: Reader, message: bytes) -> None:
        with self._reading:
            try:
                change = codec.decode_change(message)
            except msgspec.MsgspecError:
                _log.warning("a message cannot be read: is the collector of another version?")
                return  # the next look at Redis finds what it told
            snapshot = self._sources.get(change.source)
            follows = snapshot is not None and change.generation == snapshot.generation
            if snapshot is None or change.reload or not follows or change.seq > snapshot.seq + 1:
                self._reload(reader, [change.source])
            elif change.seq == snapshot.seq + 1:
                self._apply_change(snapshot, change)

    def _apply_change(self, snapshot: Snapshot, change: codec.Change) -> None:
        zone = self.config.zone
        with self._lock:
            snapshot.seq = change.seq
            for name, row in change.rows.items():
                key = parse_field(name)
                day = snapshot.days.get(zone.day(key[2]))
                if day is not None:
                    day.rows[key] = row
            for callid, call in change.multi.items():
                snapshot.days.setdefault(zone.day(call.at_s), Day()).multi[callid] = call
            for callid, open_call in change.open.items():
                if open_call is None:
                    snapshot.open_calls.pop(callid, None)
                else:
                    snapshot.open_calls[callid] = open_call
            snapshot.seats.update(change.seats)
            if change.clock is not None:
                snapshot.clock = change.clock
            snapshot.coverage = list(change.coverage)
            snapshot.told, snapshot.late = change.told, change.late
            extend_coverage(snapshot, self._beats.get(change.source, {}))
        self._bump()

    # Averages --------------------------------------------------------------------------------------------------

    def _refresh_averages(self, reader: Reader, day: str) -> None:
        names = list(self._sources)
        generations = tuple(self._sources[name].generation for name in names)
        was_day, was_s, was_generations = self._averages_of
        every_s = AVERAGES_EVERY_S if self._averages.days else AVERAGES_MISSING_S
        if was_day == day and was_generations == generations and time.monotonic() - was_s < every_s:
            return
        snapshots = [reader.snapshot(name, []) for name in names]
        found = comparable_averages(reader, self.config, self.calendar, day, snapshots)
        with self._lock:
            self._averages = found
            self._averages_of = (day, time.monotonic(), generations)


def calendar_of(config: Config) -> Calendar:
    """The hotline's calendar as the configuration says it."""
    workweek = config.hotline.workweek
    if config.hotline.calendar == "weekdays" and workweek is not None:
        return Calendar("weekdays", workweek=workweek)
    return Calendar(config.hotline.calendar)


def hall_settings(config: Config, *, moved_clock: bool = False) -> HallSettings:
    """The hall's settings as the configuration says them."""
    hall = config.hall

    def line_of(seat: str, day: str) -> SeatLine:
        site = config.site_of_seat(seat, day)
        return SeatLine(
            id=seat,
            label=config.label_of_seat(seat, day),
            site=UNASSIGNED if site == UNASSIGNED else config.site_short(site),
        )

    return HallSettings(
        name=config.hotline.name,
        language=config.hotline.language,
        zone=config.zone,
        minutes=hall.minutes,
        threshold_s=hall.threshold_s,
        formula=hall.formula,
        short_s=hall.short_s,
        target_service_level=hall.target_service_level,
        target_wait_s=hall.target_wait_s,
        paused_too_long_s=hall.paused_too_long_s,
        hours_on=config.hours_on,
        always_open=config.hours is None,
        seat_lines=lambda day: [line_of(seat, day) for seat in config.seat_ids],
        line_of=line_of,
        known_queues=frozenset(config.queue_names),
        moved_clock=moved_clock,
    )
