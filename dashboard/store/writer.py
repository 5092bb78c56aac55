"""Records of one source -> archive -> fold -> Redis, exactly once.

Every batch is on disk in the archive before it is counted, and counts are written as values together with the
position that they belong to. So whatever dies, and whenever: what the archive has beyond Redis's position is folded
again from there, and nothing twice. The archive decides; Redis holds only what can be made again from it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from dashboard.core.fold import Rules
from dashboard.errors import StoreUnavailable
from dashboard.store import codec, recovery
from dashboard.store.archive import BEGINNING, Archive, Record
from dashboard.store.connect import Client
from dashboard.store.items import COVERED, FILE, GAP, LINE, REJECT, Item
from dashboard.store.keeper import Keeper, Progress, silent
from dashboard.store.keys import HotlineKeys
from dashboard.store.lease import LEASE_MS, Lease

__all__ = ["COVERED", "FILE", "GAP", "LINE", "REJECT", "Item", "Writer"]

ITEMS_AT_ONCE = 1024


@dataclass(slots=True, kw_only=True)
class Writer:
    """The only writer of one source.

    Attributes:
        client: Redis.
        hotline: Its keys.
        source: The source's name.
        rules: For the fold.
        archive: The source's archive.
        replay: (kind, payload) of an archived record -> its event, None for what does not count.
        stamp: Versions and names that this process counts with.
        log: Takes one line for the operator.
        place: The data directory: whoever holds its lock and finds a lease of the same place knows its holder dead.
        keeper: Counts what is archived.
    """

    client: Client
    hotline: HotlineKeys
    source: str
    rules: Rules
    archive: Archive
    replay: recovery.Replay
    stamp: codec.Stamp
    log: Callable[[str], None]
    place: str
    keeper: Keeper = field(init=False)

    def __post_init__(self) -> None:
        self.keeper = Keeper(
            client=self.client,
            hotline=self.hotline,
            source=self.source,
            rules=self.rules,
            archive=self.archive,
            replay=self.replay,
            stamp=self.stamp,
            log=self.log,
            lease=Lease(self.client, self.hotline, self.source, self.place),
        )

    @property
    def position(self) -> str:
        """What Redis has, as far as its answers told."""
        return self.keeper.position

    # Beginning and end --------------------------------------------------------------------------------------------

    def open(self, *, takeover: bool = False, rebuild: bool = False, progress: Progress = silent) -> None:
        """Take the archive and the lease, and bring Redis to where the archive is.

        Args:
            takeover: Take the lease from whoever holds it.
            rebuild: Make all counts again, even where they seem to be right.
            progress: Told how many records have been counted so far, where it is many.

        Raises:
            PositionConflict: Another process writes this source.
            StoreUnavailable: Redis or the disk is away.
        """
        recovered = self.archive.open()
        try:
            if recovered.cut_bytes:
                self.log(
                    f"{self.source}: the archive ended in {recovered.cut_bytes} torn bytes; "
                    f"they were cut off and are kept in {recovered.kept_in}"
                )
            self._compress()
            self.keeper.open(takeover=takeover, rebuild=rebuild, progress=progress)
        except BaseException:
            self.archive.close()
            raise

    def close(self) -> None:
        """Give the lease back and let go of the archive."""
        try:
            if not self.keeper.lease.release():
                self.log(
                    f"{self.source}: Redis is away; the lease runs out by itself in {LEASE_MS // 1000} s"
                )
        finally:
            self.archive.close()

    # What the collector does --------------------------------------------------------------------------------------

    def write(self, items: list[Item]) -> None:
        """Archive a batch, fold it, and write what changed.

        Args:
            items: Emptied as they are archived; what an error leaves in it must come again.

        Raises:
            StoreUnavailable: The disk is full or failing. (Redis being away is no error here: what is archived is
                written when it is back.)
            PositionConflict: Another process writes this source.
        """
        end = self.archive.end()
        zone = self.rules.zone
        times = (item.at_s for item in items)
        day = end.day if end > BEGINNING else zone.day(next((s for s in times if s is not None), 0))
        while items:
            # A day at a time: a new day begins a new segment, and a segment is written whole or not at all.
            later = (
                i for i, item in enumerate(items) if (at_s := item.at_s) is not None and zone.day(at_s) > day
            )
            taken = next(later, len(items))
            if taken:
                self._write_day(items, taken, day)
            if items:
                day = zone.day(items[0].at_s or 0)
        self._try_commit()
        if self.archive.end().day != end.day:
            self._compress()

    def _write_day(self, items: list[Item], taken: int, day: str) -> None:
        self.archive.append([(item.kind, item.payload) for item in islice(items, taken)], day)
        live = self.archive.flush()
        # Archived is counted, sooner or later: from here on these must not come again.
        batch, items[:taken] = items[:taken], []
        self.keeper.add_live(batch, live)
        if self.keeper.many_days:
            self._try_commit()

    def _compress(self) -> None:
        try:
            self.archive.compress_closed()
        except StoreUnavailable as exc:  # it can be done another day
            self.log(f"{self.source}: {exc}")

    def _try_commit(self) -> None:
        # If Redis is away, the next commit or heartbeat brings it up to the archive, and tells.
        with suppress(StoreUnavailable):
            self.commit()

    def commit(self, progress: Progress = silent) -> None:
        """Write what is archived and not yet in Redis.

        Raises:
            StoreUnavailable: Redis is away, or takes no writes.
            PositionConflict: Another process writes this source.
        """
        self.keeper.commit(progress)

    def beat(self, covered_to_s: int, *, read: bool, problem: str = "") -> None:
        """Tell that the source was (or was not) read just now, and keep the lease.

        Args:
            covered_to_s: Epoch second, by the source's clock, up to which the source is known.
            read: Whether the source could be read.
            problem: What is wrong, in a sentence for the screen.

        Raises:
            StoreUnavailable: Redis is away, or takes no writes.
            PositionConflict: Another process writes this source.
        """
        self.keeper.beat(covered_to_s, read=read, problem=problem)

    # Imports ------------------------------------------------------------------------------------------------------

    def write_import(self, header: dict[str, Any], items: Iterable[Item], *, progress: Progress) -> int:
        """Archive a whole log as a segment of its own. Needs no `open`, and counts only with it.

        What is later than all that is counted is counted while it is read; else all imports so far are counted by the
        next `commit`, together with what they overlap.

        Args:
            header: What the segment is: `kind`, `file`, `hash`; `first_s` and `last_s`, which its events lie between.
            items: Its records in the log's own order.
            progress: Told the number of records so far.

        Returns:
            The segment's number.

        Raises:
            StoreUnavailable: Redis or the disk is away; where only Redis is, the log is archived all the same.
        """
        keeper = self.keeper
        items = iter(items)
        begun: list[Item] = []
        first_s = header.get("first_s") or 0
        for item in items:
            begun.append(item)
            if item.at_s not in (None, first_s):
                break
        lines = (self.replay.line(item.kind, item.payload) for item in begun)
        at_once = keeper.follows(first_s, {line[1] for line in lines if line is not None})
        if at_once:
            keeper.commit()
        span: list[int] = []
        end_s = 0

        def records() -> Iterator[Record]:
            nonlocal end_s
            done = 0
            source = chain(begun, items)
            while some := list(islice(source, ITEMS_AT_ONCE)):
                events = [item.event for item in some if item.event is not None]
                for event in events:
                    if not span:
                        span.extend((event.at_s, event.at_s))
                    elif event.at_s > span[1]:
                        span[1] = event.at_s
                    elif event.at_s < span[0]:
                        span[0] = event.at_s
                if events:
                    end_s = events[-1].at_s
                if at_once:
                    keeper.add_ahead(events, done // ITEMS_AT_ONCE)
                done += len(some)
                progress(done)
                yield from [(item.kind, item.payload) for item in some]

        def footer() -> dict[str, int]:
            return {"first_s": span[0], "last_s": span[1], "end_s": end_s} if span else {}

        # Until the segment is there, what the ledger has of it is nobody's.
        keeper.sound = False
        try:
            number = self.archive.write_import(header, records(), footer)
        except BaseException:
            if keeper.position == codec.UNFINISHED:
                keeper.commit()
            raise
        if at_once:
            keeper.has_counted(number)
            keeper.commit(progress)
        return number
