"""Records of one source -> archive -> fold -> Redis, exactly once.

Every batch is on disk in the archive before it is counted, and counts are written as values together with the
position that they belong to. So whatever dies, and whenever: what the archive has beyond Redis's position is folded
again from there, and nothing twice. The archive decides; Redis holds only what can be made again from it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from dashboard.core.fold import Rules
from dashboard.errors import PositionConflict, StoreUnavailable
from dashboard.store import codec, recovery
from dashboard.store.archive import BEGINNING, Archive, Position, Record
from dashboard.store.connect import ERROR, Client, script
from dashboard.store.coverage import Coverage
from dashboard.store.items import COVERED, GAP, Item
from dashboard.store.keys import HotlineKeys
from dashboard.store.lease import LEASE_MS, Lease
from dashboard.store.ledger import Ledger, Operation

ARGUMENTS_AT_ONCE = 1000
KEYS_AT_ONCE = 1000
PUBLISHED_AT_MOST = 400
DAYS_IN_HAND = 10
ITEMS_AT_ONCE = 1024
CHUNKS_A_LEASE = 50

Progress = Callable[[int], None]
Tell = Literal["changes", "reload", "nothing"]


def _silent(_: int) -> None:
    """Nobody wants to know how far it is."""


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
        position: What Redis has, as far as its answers told.
        folded: What the ledger has; both are positions in the archive, with the number of the last import.
        sound: The ledger has all that the archive has, up to `folded`. Else it is read again before the next commit.
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
    generation: int = field(init=False, default=0)
    seq: int = field(init=False, default=0)
    position: str = field(init=False, default="")
    folded: str = field(init=False, default="")
    sound: bool = field(init=False, default=False)
    coverage: Coverage = field(init=False, default_factory=Coverage)
    ledger: Ledger = field(init=False)
    lease: Lease = field(init=False)
    _imported: int = field(init=False, default=0)
    _tried: tuple[str, int] = field(init=False, default=("", 0))
    _commit: Any = field(init=False)
    _beat: Any = field(init=False)

    def __post_init__(self) -> None:
        self.lease = Lease(self.client, self.hotline, self.source, self.place)
        self._commit = self.client.register_script(script("commit.lua"))
        self._beat = self.client.register_script(script("beat.lua"))

    # Beginning and end --------------------------------------------------------------------------------------------

    def open(self, *, takeover: bool = False, rebuild: bool = False, progress: Progress = _silent) -> None:
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
            self.archive.compress_closed()
            self._imported = max((info.number for info in self.archive.imports()), default=0)
            self._guard(lambda: self.lease.take(takeover=takeover))
            self._guard(lambda: self._recover(progress, rebuild=rebuild))
            self._guard(self._wipe_leftovers)
        except BaseException:
            self.archive.close()
            raise

    def close(self) -> None:
        """Give the lease back and let go of the archive."""
        try:
            if not self.lease.release():
                self.log(f"{self.source}: Redis is away; the lease runs out by itself in {LEASE_MS // 1000} s")
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

    def _write_day(self, items: list[Item], taken: int, day: str) -> None:
        begun = self.archive.end().day
        self.archive.append([(item.kind, item.payload) for item in islice(items, taken)], day)
        live = self.archive.flush()
        # Archived is counted, sooner or later: from here on these must not come again.
        batch, items[:taken] = items[:taken], []
        self.folded = self._position(live)
        if self.sound:
            try:
                self.ledger.fold.feed([item.event for item in batch if item.event is not None])
            except (ERROR, OSError) as exc:  # a day that it needed could not be read
                self.log(f"{self.source}: Redis does not answer ({exc}); counting again when it is back")
                self.sound = False
            else:
                self.coverage.add_live(batch)
        if day > begun:
            try:
                self.archive.compress_closed()
            except StoreUnavailable as exc:
                self.log(f"{self.source}: {exc}")
        if self.sound and len(self.ledger.open_days) > DAYS_IN_HAND:
            self._try_commit()

    def _try_commit(self) -> None:
        """Bring Redis up to the archive; if it is away, the next commit or heartbeat does, and tells."""
        try:
            self.commit()
        except PositionConflict:
            raise
        except StoreUnavailable:
            return

    def commit(self) -> None:
        """Write what is folded and not yet written.

        Raises:
            StoreUnavailable: Redis is away, or takes no writes.
            PositionConflict: Another process writes this source.
        """
        if not self.sound:
            self._guard(lambda: self._recover(_silent))
        if self.folded != self.position:
            self._guard(lambda: self._commit_now("changes"))

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
        self.commit()
        self._guard(lambda: self._beat_now(covered_to_s, read, problem))

    def _beat_now(self, covered_to_s: int, read: bool, problem: str) -> None:
        said = self._beat(
            keys=[self.lease.key, self.hotline.beat(self.source), self.ledger.keys.meta],
            args=[self.lease.holder, LEASE_MS, "1" if read else "0", covered_to_s, problem, self.position],
        )
        self.lease.refuse_other(said)
        if said[0] == b"position":
            self._differs(said[1].decode())

    # Imports ------------------------------------------------------------------------------------------------------

    def write_import(self, header: dict[str, Any], items: Iterable[Item], *, progress: Progress) -> int:
        """Archive a whole log as a segment of its own, and count it.

        Args:
            header: What the segment is: `kind`, `file`, `hash`; `first_s` and `last_s`, which its events lie between.
            items: Its records in the log's own order.
            progress: Told the number of records so far.

        Returns:
            The segment's number.

        Raises:
            StoreUnavailable: Redis or the disk is away; where only Redis is, the log is archived all the same.
        """
        self.commit()
        at_once = (header.get("first_s") or 0) >= self.ledger.fold.state.clock.latest_s
        span: list[int] = []

        def records() -> Iterator[Record]:
            done = 0
            source = iter(items)
            while some := list(islice(source, ITEMS_AT_ONCE)):
                events = [item.event for item in some if item.event is not None]
                for event in events:
                    if not span:
                        span.extend((event.at_s, event.at_s))
                    elif event.at_s > span[1]:
                        span[1] = event.at_s
                    elif event.at_s < span[0]:
                        span[0] = event.at_s
                if at_once:
                    self.ledger.fold.feed(events)
                    self._commit_on_the_way()
                done += len(some)
                progress(done)
                yield from ((item.kind, item.payload) for item in some)

        # Until the segment is there, what the ledger has of it is nobody's.
        self.sound = False
        number = self._guard(
            lambda: self.archive.write_import(
                header, records(), lambda: {"first_s": span[0], "last_s": span[1]} if span else {}
            )
        )
        self._imported = number
        self.folded = self._position(self.archive.end())
        if at_once:
            self.coverage.add_import(*(span or (None, None)))
            self.sound = True
            self._guard(lambda: self._commit_now("reload"))
        else:
            self._guard(lambda: self._recover(progress))
        return number

    def spans(self) -> tuple[list[tuple[int, int]], tuple[int, int] | None]:
        """The stretches of time that the archive holds: of each import, and of the live stream; None without one."""
        imports = [
            (info.first_s, info.last_s)
            for info in self.archive.imports()
            if info.first_s is not None and info.last_s is not None
        ]
        live = [piece for piece in self._pieces() if not piece.number]
        if not live:
            return imports, None
        return imports, (live[0].first_s, min(self.ledger.fold.state.clock.latest_s, live[-1].last_s))

    # Coming back --------------------------------------------------------------------------------------------------

    def _guard[T](self, act: Callable[[], T]) -> T:
        try:
            return act()
        except ERROR as exc:
            raise StoreUnavailable(f"Redis does not answer, or takes no writes ({exc})") from exc

    def _recover(self, progress: Progress, *, rebuild: bool = False) -> None:
        """Bring ledger and Redis to where the archive is, from whatever Redis has now."""
        self.sound = False
        self.folded = self._position(self.archive.end())
        found = self.client.hget(self.hotline.gens, self.source)
        latest = max(self.generation, int(found) if found else 0)
        if found and not rebuild and self._load(int(found)):
            self._catch_up(progress)
        elif rebuild or self._imported or self.archive.end() > BEGINNING:
            if not rebuild:
                self.log(f"{self.source}: Redis has no whole counts; making them again from the archive")
            self._rebuild(latest, progress)
        else:
            self._begin(latest + 1)
            self._wipe(latest + 1)
            self.sound = True
            self._commit_now("reload")

    def _begin(self, generation: int) -> None:
        self.generation = generation
        keys = self.hotline.source(self.source, generation)
        self.ledger = Ledger(self.client, keys, self.rules, self.stamp)
        self.position = ""
        self.coverage = Coverage()

    def _load(self, generation: int) -> bool:
        """Take over what Redis has; False where that is not whole."""
        meta = self.client.hgetall(self.hotline.source(self.source, generation).meta)
        position = meta.get(b"position", b"").decode()
        if not position or position.startswith(codec.UNFINISHED):
            return False
        self._begin(generation)
        self.position = position
        # Numbers never go back: a reader that has seen a later one must see that something happened.
        self.seq = max(self.seq, int(meta[b"seq"]))
        covered = meta.get(b"covered_s")
        self.coverage = Coverage(codec.decode_coverage(meta[b"coverage"]), int(covered) if covered else None)
        self.ledger.load(meta)
        return True

    def _differs(self, stored: str) -> None:
        """Redis has another position than its last answer told."""
        position, seq = self._tried
        if stored == position or stored == f"{codec.UNFINISHED}{self.lease.holder}":
            # The commit was done, or a part of it, and only the answer was lost.
            self.position, self.seq = stored, max(self.seq, seq)
            self._commit_now("changes")
            return
        self.log(
            f"{self.source}: Redis went back from {self.position} to {stored}; counting again from there"
            if stored
            else f"{self.source}: Redis was emptied"
        )
        self._recover(_silent)

    def _position(self, live: Position) -> str:
        return f"{live.text}#{self._imported:06d}"

    def _catch_up(self, progress: Progress) -> None:
        """Fold what the archive has beyond Redis's position."""
        text, _, number = self.position.partition("#")
        live, end = Position.of_text(text), self.archive.end()
        new = [info for info in self.archive.imports() if info.number > int(number)]
        latest_s = self.ledger.fold.state.clock.latest_s
        for info in new:
            if info.first_s is not None and info.last_s is not None:
                if info.first_s < latest_s:
                    break
                latest_s = info.last_s
        else:
            if live <= end and int(number) <= self._imported and not (new and live < end):
                for info in new:
                    self._count(self.archive.read_import(info.number), progress)
                    self.coverage.add_import(info.first_s, info.last_s)
                for chunk in self.archive.read_live(after=live, upto=end) if live < end else ():
                    self._count([chunk.records], progress, live=chunk.end)
                self.sound = True
                self._commit_now("reload")
                return
        self._rebuild(self.generation, progress)

    def _rebuild(self, old: int, progress: Progress) -> None:
        """Make all counts of this source again, under a new generation that screens see when it is whole."""
        self.client.set(self.hotline.rebuild(self.source), "1", px=3 * LEASE_MS)
        self._begin(old + 1)
        self._wipe(self.generation)
        done = 0
        for piece in self._pieces():
            base = done
            chunks = recovery.read_piece(self.archive, piece)
            if piece.number:
                done += self._count(chunks, lambda n, base=base: progress(base + n))
                self.coverage.add_import(piece.first_s, piece.last_s)
            else:
                done += self._count(chunks, lambda n, base=base: progress(base + n), live=BEGINNING)
        self.sound = True
        self._commit_now("reload")
        self.client.delete(self.hotline.rebuild(self.source))
        self._wipe(old)
        self.log(f"{self.source}: counts made again from {done} archived records")
