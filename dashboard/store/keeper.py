"""One source's counts in Redis, kept equal to its archive.

What the archive has is folded and committed: values, and the position that they belong to, in one script. Whatever
Redis has when somebody comes (an older position, nothing, half of something), it is brought to where the archive is.
Never writes to the archive.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from dashboard.core.events import Event
from dashboard.core.fold import FOREVER, Rules
from dashboard.errors import PositionConflict, StoreError, StoreUnavailable
from dashboard.store import codec, recovery
from dashboard.store.archive import BEGINNING, Archive, ImportInfo, Position, Record
from dashboard.store.commits import commits_of
from dashboard.store.connect import ERROR, Client, script
from dashboard.store.coverage import Coverage, decode_known
from dashboard.store.items import Item
from dashboard.store.keys import HotlineKeys
from dashboard.store.lease import LEASE_MS, Lease
from dashboard.store.ledger import Ledger, Operation, wipe
from dashboard.store.recovery import Known
from dashboard.store.refold import CannotRefold, Refold

REBUILD_MS = 3 * LEASE_MS
PUBLISHED_AT_MOST = 400
DAYS_IN_HAND = 10
CHUNKS_A_LEASE = 50
RECORDS_AT_ONCE = 1024
TRIES = 5

Progress = Callable[[int], None]
Tell = Literal["changes", "reload", "nothing"]


def silent(_: int) -> None:
    """Nobody wants to know how far it is."""


class _Differs(Exception):
    """Redis has another position than its last answer told: it was emptied, or an older copy came back."""


@dataclass(slots=True, kw_only=True)
class Keeper:
    """Keeps one source's counts.

    Attributes:
        client: Redis.
        hotline: Its keys.
        source: The source's name.
        rules: For the fold.
        archive: The source's archive; somebody else writes it.
        replay: (kind, payload) of an archived record -> its event, None for what does not count.
        stamp: Versions and names that this process counts with.
        log: Takes one line for the operator.
        lease: The right to write, held.
        generation, seq: Which counts, and the number of their last commit.
        position: What Redis has, as far as its answers told; `UNFINISHED` while counts are only partly there.
        folded: What the archive has; both are positions in the live stream with the number of the last import.
        sound: The ledger has all that the archive has. Else it is read again before the next commit.
        imported: The number of the last import.
        imported_to_s: The latest time in any import; a live line not later may be in one of them, too.
        overlapping: The live stream and imports overlap at its end: counts wait until the source is read to its end.
        coverage: What is covered, up to `folded`.
        _unsure: Position -> number of commits whose answers were lost: Redis may have done the last of them.
    """

    client: Client
    hotline: HotlineKeys
    source: str
    rules: Rules
    archive: Archive
    replay: recovery.Replay
    stamp: codec.Stamp
    log: Callable[[str], None]
    lease: Lease
    generation: int = field(init=False, default=0)
    seq: int = field(init=False, default=0)
    position: str = field(init=False, default="")
    folded: str = field(init=False, default="")
    sound: bool = field(init=False, default=False)
    imported: int = field(init=False, default=0)
    imported_to_s: int = field(init=False, default=0)
    overlapping: bool = field(init=False, default=False)
    coverage: Coverage = field(init=False, default_factory=Coverage)
    ledger: Ledger = field(init=False)
    _unsure: dict[str, int] = field(init=False, default_factory=dict)
    _shown: bool = field(init=False, default=False)
    _commit: Any = field(init=False)
    _beat: Any = field(init=False)

    def __post_init__(self) -> None:
        self._commit = self.client.register_script(script("commit.lua"))
        self._beat = self.client.register_script(script("beat.lua"))

    # What the writer asks -----------------------------------------------------------------------------------------

    def open(self, *, takeover: bool, rebuild: bool, progress: Progress) -> None:
        """Take the lease, and bring Redis to where the archive is.

        Raises:
            PositionConflict: Another process writes this source.
            StoreUnavailable: Redis is away, or takes no writes.
        """
        with guarded():
            self.lease.take(takeover=takeover)
            self._bring_up(progress, rebuild=rebuild)
            # What a process left behind that died while it made counts again.
            for generation in (self.generation - 1, self.generation + 1):
                wipe(self.client, self.hotline.source(self.source, generation))

    def commit(self, progress: Progress = silent) -> None:
        """Make Redis equal to the archive; not yet while lines are coming that imports have, too.

        Raises:
            StoreUnavailable: Redis is away, or takes no writes.
            PositionConflict: Another process writes this source.
        """
        if self.overlapping:
            return
        with guarded():
            self._bring_up(progress)

    def count_again(self, from_s: int, to_s: int, progress: Progress) -> bool:
        """Count again the days of a period, whatever is stored of them, and what follows from them.

        Args:
            from_s, to_s: The first second of a day, and that behind the last one.
            progress: Told how many days so far.

        Returns:
            False where it had to be everything.

        Raises:
            StoreUnavailable: Redis is away, or takes no writes.
            PositionConflict: Another process writes this source.
        """
        with guarded():
            self._bring_up(progress)
            live = Position.of_text(self.position.partition("#")[0])
            try:
                self._refold([], live, live, self.imported, progress, (from_s, to_s))
            except CannotRefold:
                self._bring_up(progress, rebuild=True)
                return False
        return True

    def beat(self, covered_to_s: int, *, read: bool, problem: str) -> None:
        """Tell that the source was (or was not) read just now, and keep the lease; see `Writer.beat`."""
        if read:
            self.overlapping = False
        if self.archive.last_import() > self.imported:
            self.log(f"{self.source}: there is a new import; counting it")
            self.sound = False
        self.commit()
        with guarded():
            said = self._beat(
                keys=[self.lease.key, self.hotline.beat(self.source), self.ledger.keys.meta],
                args=[
                    self.lease.holder,
                    LEASE_MS,
                    "1" if read else "0",
                    covered_to_s,
                    problem,
                    self.position,
                ],
            )
            # With a lease of the dead an older copy came back: what it has will not be what was believed.
            if self.lease.taken_back(said) or said[0] == b"position":
                self.sound = False
                self._bring_up(silent)

    def add_live(self, items: Sequence[Item], live: Position) -> None:
        """Count what was just archived.

        Args:
            items: Of the live stream.
            live: The position after them.
        """
        self.folded = self.position_at(live)
        if any(item.event is not None and item.event.at_s <= self.imported_to_s for item in items):
            self.sound, self.overlapping = False, True
        if not self.sound:
            return
        try:
            self.ledger.feed([item.event for item in items if item.event is not None])
        except ERROR as exc:  # a day that it needed could not be read
            self.log(f"{self.source}: Redis does not answer ({exc}); counting again when it is back")
            self.sound = False
        else:
            self.coverage.add_live(items)

    def add_ahead(self, events: Sequence[Event], number: int) -> None:
        """Count what is not archived yet; `sound` tells that nobody may take it for counted.

        Args:
            events: Of an import that is later than everything else.
            number: How many batches there were before.
        """
        with guarded():
            self.ledger.feed(events)
            self._on_the_way(number, codec.UNFINISHED)

    def follows(self, first_s: int, texts: set[bytes]) -> bool:
        """Whether a log comes after all that is counted, and may be counted without looking back.

        Args:
            first_s: Its earliest time.
            texts: Its lines in the second in which it begins, as `Replay.line` gives them.
        """
        if not self.sound or first_s != self.ledger.reached_s:
            return self.sound and first_s > self.ledger.reached_s
        # A log and the one after it often share a second, as when it was rotated; then no line may be in both.
        records = [
            self.archive.read_import(info.number) for info in self.archive.imports() if info.last_s == first_s
        ]
        records.append(
            chunk.records for chunk in self.archive.read_live(after=Position(self.rules.zone.day(first_s), 0))
        )
        lines = (self.replay.line(*record) for chunks in records for chunk in chunks for record in chunk)
        return not any(line is not None and line[0] == first_s and line[1] in texts for line in lines)

    def has_counted(self, number: int) -> None:
        """The import that was counted ahead is archived now, under this number."""
        self._look_at_imports()
        self.imported = number
        self.folded = self.position_at(self.archive.end())
        for info in self.archive.imports():
            if info.number == number:
                self.coverage.add_import(info.first_s, info.until_s)
        self.sound = True

    def position_at(self, live: Position) -> str:
        """A position as Redis keeps it."""
        return f"{live.text}#{self.imported:06d}"

    @property
    def many_days(self) -> bool:
        """There are days in hand that should go to Redis."""
        return self.sound and len(self.ledger.open_days) > DAYS_IN_HAND

    def _look_at_imports(self) -> None:
        imports = self.archive.imports()
        self.imported = max((info.number for info in imports), default=0)
        self.imported_to_s = max((info.until_s or 0 for info in imports), default=0)

    # Coming back --------------------------------------------------------------------------------------------------

    def _bring_up(self, progress: Progress, *, rebuild: bool = False) -> None:
        """Make Redis equal to the archive."""
        for _ in range(TRIES):
            try:
                if rebuild or not self.sound:
                    self._recover(progress, rebuild=rebuild)
                elif self.folded != self.position:
                    self._commit_now("changes")
            except _Differs:
                self.sound = False
            else:
                return
        raise StoreUnavailable(f"Redis loses again and again what is written of {self.source}")

    def _recover(self, progress: Progress, *, rebuild: bool = False) -> None:
        """Bring ledger and Redis to where the archive is, from whatever Redis has now."""
        self.sound = False
        self._look_at_imports()
        self.folded = self.position_at(self.archive.end())
        was = self.position
        found = self.client.hget(self.hotline.gens, self.source)
        latest = max(self.generation, int(found) if found else 0)
        if found and not rebuild and self._load(int(found)):
            if was not in ("", self.position, codec.UNFINISHED):
                self.log(f"{self.source}: Redis went back from {was} to {self.position}; counting from there")
            self._catch_up(progress)
        elif rebuild or self.imported or self.archive.end() > BEGINNING:
            if not rebuild:
                why = "has only a part of the counts" if found else "has no counts" + (was and " any more")
                self.log(f"{self.source}: Redis {why}; making them again from the archive")
            self._rebuild(latest, progress)
        else:
            self._begin(latest + 1)
            self._commit_now("reload")
        self.sound = True

    def _begin(self, generation: int) -> None:
        """Begin an empty generation."""
        self.generation = generation
        wipe(self.client, self.hotline.source(self.source, generation))
        self._take_up(generation, "", Coverage())

    def _take_up(self, generation: int, position: str, coverage: Coverage) -> None:
        keys = self.hotline.source(self.source, generation)
        self.ledger = Ledger(self.client, keys, self.rules, self.stamp)
        self.generation, self.position, self.coverage = generation, position, coverage
        self._unsure = {}
        self._shown = position != ""

    def _load(self, generation: int) -> bool:
        """Take over what Redis has; False where that is not whole."""
        meta = self.client.hgetall(self.hotline.source(self.source, generation).meta)
        position = meta.get(b"position", b"").decode()
        if not position or position.startswith(codec.UNFINISHED) or b"half" in meta:
            return False
        if b"known" not in meta:
            return False  # of a version that did not know gaps
        self._take_up(generation, position, Coverage(decode_known(meta[b"known"])))
        # Numbers never go back: a reader that has seen a later one must see that something happened.
        self.seq = max(self.seq, int(meta[b"seq"]))
        self.ledger.load(meta)
        return True

    def _catch_up(self, progress: Progress) -> None:
        """Fold what the archive has beyond Redis's position."""
        if self.position == self.folded:
            return
        text, _, number = self.position.partition("#")
        live, end = Position.of_text(text), self.archive.end()
        new = [info for info in self.archive.imports() if info.number > int(number)]
        if live > end or int(number) > self.imported:
            self._rebuild(self.generation, progress)
            return
        try:
            self._count_on(new, live, end, int(number), progress)
        except CannotRefold:
            self._rebuild(self.generation, progress)
        except (PositionConflict, StoreUnavailable):
            raise
        except StoreError as exc:  # the archive was cut since; where it is damaged, this is told again
            self.log(f"{self.source}: cannot go on from {self.position} ({exc}); counting again")
            self._rebuild(self.generation, progress)

    def _count_on(
        self, new: list[ImportInfo], live: Position, end: Position, imported: int, progress: Progress
    ) -> None:
        """Count what is new, and again what it changes.

        Raises:
            CannotRefold: It has to be everything.
            StoreError: The archive does not go on from there.
        """
        if (new and live < end) or not self._follow(new) or self._overlaps(live, end):
            self._refold(new, live, end, imported, progress)
            return
        for info in new:
            self._count(self.archive.read_import(info.number), progress)
            self.coverage.add_import(info.first_s, info.until_s)
        for chunk in self.archive.read_live(after=live, upto=end) if live < end else ():
            self._count([chunk.records], progress, live=True, upto=self.position_at(chunk.end))
        self._commit_now("reload")

    def _refold(
        self,
        new: list[ImportInfo],
        live: Position,
        end: Position,
        imported: int,
        progress: Progress,
        distrusted: tuple[int, int] | None = None,
    ) -> None:
        """Count again the days that something new changes, or those of a time of which nothing stored is believed.

        Raises:
            CannotRefold: It has to be everything.
        """
        chunks = list(self.archive.read_live(after=live, upto=end)) if live < end else []
        lines = (self.replay.line(*record) for chunk in chunks for record in chunk.records)
        times = [line[0] for line in lines if line is not None and line[0] is not None]
        times += [at_s for info in new for at_s in (info.first_s, info.last_s) if at_s is not None]
        times += distrusted or ()
        days: list[str] = []
        first_s = self.ledger.fold.state.clock.first_s
        if times:
            again = Refold(
                client=self.client,
                keys=self.ledger.keys,
                rules=self.rules,
                archive=self.archive,
                replay=self.replay,
                stamp=self.stamp,
                known=Known(live, imported),
                since_s=min(times),
                to_s=max(times),
                upto=self.folded,
                distrusted=distrusted is not None,
            )
            for run in again.runs():
                progress(len(days))
                self._replace(run.operations)
                days += run.days
                first_s = min(first_s or FOREVER, run.first_s or FOREVER)
        # What is counted otherwise now is taken up again as it is stored.
        if not self._load(self.generation):
            raise CannotRefold
        self.ledger.fold.state.clock.first_s = first_s
        if distrusted is None:
            self.ledger.reached_s = max(self.ledger.reached_s, *times, 0)
        for info in new:
            self.coverage.add_import(info.first_s, info.until_s)
        for chunk in chunks:
            self.coverage.add_archived(chunk.records, self.replay)
        self._commit_now("reload")
        if days:
            span = days[0] if len(days) == 1 else f"{len(days)} days, {days[0]} to {days[-1]}"
            self.log(f"{self.source}: counted again: {span}")

    def _replace(self, operations: list[Operation]) -> None:
        """Write what replaces days; what is counted does not change with it.

        Raises:
            _Differs: Redis has another position than this process believes.
        """
        self.lease.take()
        seq = self.seq + 1
        change = codec.encode(codec.Change(self.source, self.generation, seq, reload=True))
        operations = [*operations, ("HSET", self.ledger.keys.meta, ["seq", seq])]
        if (stored := self._send(operations, self.position, change, seq)) is not None:
            raise _Differs(f"Redis went back to {stored or 'nothing'}")
        self.seq = seq

    def _follow(self, imports: list[ImportInfo]) -> bool:
        """Whether imports come after all that is counted, one after the other, and share no second with it."""
        latest_s = self.ledger.reached_s
        for info in imports:
            if info.first_s is not None and info.last_s is not None:
                if info.first_s <= latest_s:
                    return False
                latest_s = info.last_s
        return True

    def _overlaps(self, live: Position, end: Position) -> bool:
        """Whether a live line that is not counted yet may be in an import, too."""
        if not self.imported_to_s or live >= end:
            return False
        lines = (
            self.replay.line(kind, payload)
            for chunk in self.archive.read_live(after=live, upto=end)
            for kind, payload in chunk.records
        )
        return any(line is not None and (line[0] or 0) <= self.imported_to_s for line in lines)

    def _rebuild(self, old: int, progress: Progress) -> None:
        """Make all counts of this source again, under a new generation that screens see when it is whole."""
        self.client.set(self.hotline.rebuild(self.source), "1", px=REBUILD_MS)
        self._begin(old + 1)
        for info in self.archive.imports():
            self.coverage.add_import(info.first_s, info.until_s)
        log = recovery.whole_log(self.archive, self.rules.zone, self.replay)
        done = self._count_log(log, progress)
        self._commit_now("reload")
        self.client.delete(self.hotline.rebuild(self.source))
        wipe(self.client, self.hotline.source(self.source, old))
        self.log(f"{self.source}: counts made again from {done} archived records")

    def _count_log(self, log: Iterable[recovery.Stretch], progress: Progress) -> int:
        """Fold the whole log; returns how many records there were."""
        done = 0
        replay = self.replay
        for stretch in log:
            for start in range(0, len(stretch.records), RECORDS_AT_ONCE):
                some = stretch.records[start : start + RECORDS_AT_ONCE]
                self.ledger.feed(e for kind, payload in some if (e := replay(kind, payload)) is not None)
                done += len(some)
                progress(done)
                self._on_the_way(done // RECORDS_AT_ONCE, codec.UNFINISHED)
            if stretch.live:
                self.coverage.add_archived(stretch.live, replay)
        return done

    def _count(
        self,
        chunks: Iterable[list[Record]],
        progress: Progress,
        *,
        live: bool = False,
        upto: str = codec.UNFINISHED,
    ) -> None:
        """Fold archived records that come after all that is counted.

        Args:
            chunks: The records, in lists of neighbours.
            progress: Told how many so far.
            live: They are of the live stream: what lies between them is covered.
            upto: The position after each chunk, if there is one.
        """
        done = 0
        replay = self.replay
        for number, records in enumerate(chunks):
            self.ledger.feed(e for kind, payload in records if (e := replay(kind, payload)) is not None)
            if live:
                self.coverage.add_archived(records, replay)
            done += len(records)
            progress(done)
            self._on_the_way(number, upto)

    def _on_the_way(self, number: int, upto: str) -> None:
        """Days that are over go to Redis, so that memory stays flat; and the lease is kept."""
        if len(self.ledger.open_days) > DAYS_IN_HAND:
            self._commit_now("nothing", upto)
        elif number % CHUNKS_A_LEASE == CHUNKS_A_LEASE - 1:
            self.lease.take()
            self.client.pexpire(self.hotline.rebuild(self.source), REBUILD_MS)

    # To Redis -----------------------------------------------------------------------------------------------------

    def _commit_now(self, tell: Tell, upto: str = "") -> None:
        """Write what is folded.

        Args:
            tell: What to publish of it.
            upto: The position after it, `folded` if not given; `UNFINISHED` where there is none.

        Raises:
            _Differs: Redis has another position than this process believes.
        """
        upto = upto or self.folded
        while (stored := self._send_all(tell, upto)) is not None:
            if stored not in self._unsure:
                raise _Differs(f"Redis went back to {stored or 'nothing'}")
            # That commit was done, or a part of it, and only its answer was lost: once more, with what came since.
            self.position, self.seq = stored, max(self.seq, self._unsure[stored])

    def _send_all(self, tell: Tell, upto: str) -> str | None:
        """Send what is folded; returns the position that Redis has instead of the one that was believed."""
        batch = self.ledger.changes(upto)
        seq = self.seq + 1
        keys, whole = self.ledger.keys, upto != codec.UNFINISHED
        meta = ["seq", seq, "clock", codec.encode(self.ledger.fold.state.clock)]
        meta += ["reached_s", self.ledger.reached_s]
        meta += ["coverage", codec.encode(self.coverage.spans)]
        meta += ["known", codec.encode(self.coverage.known)]
        batch.operations.append(("HSET", keys.meta, meta))
        if whole and not self._shown:
            batch.operations.append(("HSET", self.hotline.gens, [self.source, self.generation]))
        change = codec.Change(self.source, self.generation, seq, reload=True)
        if tell == "changes" and batch.size <= PUBLISHED_AT_MOST:
            change = codec.Change(
                self.source, self.generation, seq, **self.coverage.published, **batch.published
            )
        message = b"" if tell == "nothing" else codec.encode(change)
        if (stored := self._send(batch.operations, upto, message, seq)) is not None:
            return stored
        self.seq = seq
        self._shown = self._shown or whole
        self.ledger.stored()
        return None

    def _send(self, operations: Sequence[Operation], upto: str, message: bytes, seq: int) -> str | None:
        first = [self.ledger.keys.meta, self.lease.key, self.hotline.beat(self.source)]
        commits = list(commits_of(first, operations))
        for number, (names, flat) in enumerate(commits, 1):
            last = number == len(commits)
            to = upto if last else codec.UNFINISHED
            self._unsure[to] = seq
            said = self._commit(
                keys=names,
                args=[
                    self.lease.holder,
                    self.position,
                    to,
                    LEASE_MS,
                    self.hotline.channel,
                    message if last else b"",
                    *flat,
                ],
            )
            if self.lease.taken_back(said):
                return self._send(operations, upto, message, seq)
            if said[0] == b"position":
                return str(said[1].decode())
            self.position = to
            self._unsure = {}
        return None


@contextmanager
def guarded() -> Iterator[None]:
    """Say in plain words that Redis is away.

    Raises:
        StoreUnavailable: It does not answer, or takes no writes.
    """
    try:
        yield
    except (*ERROR, _Differs) as exc:
        raise StoreUnavailable(f"Redis does not answer, or takes no writes ({exc})") from exc
