"""What several tests need to play a recording: its configuration, what its truth says, a source in this process.

Everybody in the recordings is invented.
"""

import functools
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from collectors.base import Imported, Tools
from collectors.queue_log.collect import follow, import_file
from collectors.queue_log.reading import Reading
from collectors.runner import writer_for
from dashboard.config import Config, load
from dashboard.core.table import Ask, By, table
from dashboard.store.connect import Client, connect
from dashboard.store.items import Item
from dashboard.store.numbers import Numbers
from dashboard.store.reader import Reader, part_of, rules_of
from dashboard.store.writer import Writer

NAMES = ("busy-a", "chaos", "names", "restart", "rotate", "short-a")
DAY = "2026-11-23"
AFTER_S = 1795446000
"""Some minutes behind the last line of each recording."""
ROOT = Path(__file__).resolve().parents[1]
OVERFLOWS = ("timeout", "left_empty", "withdrawn")


@dataclass(frozen=True)
class Recording:
    """A recording of a real switch, and what its driver says of it."""

    folder: Path

    @property
    def truth(self) -> dict[str, Any]:
        return json.loads((self.folder / "truth.json").read_text("utf-8"))

    @property
    def files(self) -> list[Path]:
        """Its log's files, oldest first."""
        rotated = sorted(self.folder.glob("queue_log.*"), key=lambda path: -int(path.suffix[1:]))
        return [*rotated, self.folder / "queue_log"]

    @property
    def data(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.files)

    def queues(self) -> dict[str, dict[str, int]]:
        """Queue -> what entered it and how that ended, as the driver counted it."""
        found = {}
        for queue, of in self.truth["per_queue"].items():
            refused = sum(n for key, n in of.items() if key.startswith(("refused_", "status_")))
            counts = {
                "offered": of["offered"] - refused,
                "answered": of.get("answered", 0),
                "abandoned": of.get("abandoned", 0),
                "overflowed": sum(
                    n for key, n in of.items() if key in OVERFLOWS or key.startswith("exit_key_")
                ),
                "lost": of.get("lost_in_crash", 0),
                "cut": of.get("answered_but_cut_by_crash", 0),
            }
            if any(counts.values()):
                found[queue] = counts
        return found

    def seats(self) -> dict[str, int]:
        """Seat -> answers, as the driver counted them."""
        return {seat: n for seat, of in self.truth["per_seat"].items() if (n := of.get("answered", 0))}

    def numbers(self) -> set[str]:
        """Every caller's number."""
        found = {call["caller"] for call in self.truth["calls"]}
        return {number for number in found if len(number) >= 7 and number.strip("+").isdigit()}

    def caller_names(self) -> set[str]:
        """Every caller's name that is not a seat's or a queue's as well."""
        truth = self.truth
        known = "\n".join([*truth["per_queue"], *(of["name"] for of in truth["per_seat"].values())])
        return {name for call in truth["calls"] if (name := call["caller_name"]) and name not in known}

    def toml(
        self,
        *,
        log: Path,
        redis_url: str | None = None,
        open_queues: Sequence[str] = (),
        named: bool = True,
        more: str = "",
    ) -> str:
        """A configuration for it.

        Args:
            log: The live file.
            redis_url: Without it the embedded server is used.
            open_queues: The queues that are not secret.
            named: Name its queues and seats; else everything is discovered, and secret.
            more: Added at the end.
        """
        q = functools.partial(json.dumps, ensure_ascii=False)
        lines = ['[hotline]\nid = "fuzhou"\nname = "福州12366"\nzone = "Asia/Shanghai"\nhome_area = "0591"']
        if redis_url:
            lines.append(f"[redis]\nurl = {q(redis_url)}")
        lines.append('[data]\ndir = "var"')
        if named:
            for queue in self.truth["per_queue"]:
                secret = "false" if queue in open_queues else "true"
                lines.append(f"[[queues]]\nname = {q(queue)}\nsecret = {secret}\nwrapup_s = 10")
            for seat, of in self.truth["per_seat"].items():
                # A seat that is added to a second queue at run time goes by another name there.
                names = [of["name"], of["name"] + "·动态"] if of["name"] else []
                lines.append(
                    f'[[seats]]\nid = "{seat}"\ninterface = "Local/{seat}@agents/n"\nnames = {q(names)}'
                )
        lines.append(f'[[sources]]\nname = "pbx1"\nkind = "queue_log"\npath = {q(str(log))}')
        return "\n".join([*lines, more, ""])


def recording(shared_data: Path, name: str) -> Recording:
    """One of the shared recordings."""
    return Recording(shared_data / "asterisk" / name)


@dataclass
class Stage:
    """One source in this process, step by step: writer, numbers and collector on a data directory.

    Attributes:
        config: The hotline.
        client: Redis.
        said: What it told the operator.
        now_s: The hotline's clock.
    """

    config: Config
    client: Client
    said: list[str] = field(default_factory=list)
    now_s: float = AFTER_S
    source: str = "pbx1"
    client_url: str = ""

    def writer(self) -> Writer:
        """A writer of the source, not open."""
        return writer_for(self.config, self.client, self.source, "queue_log", self.said.append)

    @contextmanager
    def tools(self) -> Iterator[Tools]:
        """What a collector works with."""
        writer, numbers = self.writer(), Numbers(self.config.data_dir)
        writer.open()
        numbers.open()
        try:
            yield Tools(
                config=self.config,
                source=self.source,
                writer=writer,
                numbers=numbers,
                clock=lambda: self.now_s,
                log=self.said.append,
            )
        finally:
            numbers.close()
            writer.close()

    @contextmanager
    def collecting(self) -> Iterator[Callable[[], Writer]]:
        """A collector; calling what is given takes all that is new."""
        with self.tools() as tools:
            collector = follow(tools)

            def drain() -> Writer:
                while collector.step().busy:
                    pass
                if tools.writer.keeper.overlapping:  # what the runner's next heartbeat would do
                    tools.writer.keeper.overlapping = False
                    tools.writer.commit()
                return tools.writer

            try:
                yield drain
            finally:
                collector.close()

    def put(self, *paths: Path) -> list[Imported]:
        """Import files, in the order given."""
        with self.tools() as tools:
            done = [import_file(tools, path, lambda _: None) for path in paths]
            tools.writer.commit()
            return done

    @property
    def reader(self) -> Reader:
        return Reader(self.client, self.config.hotline.id)

    def counted(self) -> dict[str, Any]:
        """All that Redis has of the source, in a form that equal counts have in common."""
        return counted(self.reader, self.source)

    def show(self, by: By, **asked: Any) -> dict[str, Any]:
        """The table of the recordings' day."""
        zone = self.config.zone
        from_s, to_s = zone.bounds(DAY)
        parts = []
        for name in self.reader.sources():
            snapshot = self.reader.snapshot(name, [DAY])
            parts.append(part_of(snapshot, rules_of(self.config), self.now_s))
        return table(Ask(zone=zone, from_s=from_s, to_s=to_s, by=by, **asked), parts)


def stage(folder: Path, url: str, toml: str, **more: Any) -> Stage:
    """A source of a configuration given as text."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wallboard.toml").write_text(toml, "utf-8")
    return Stage(load(folder / "wallboard.toml"), connect(url), client_url=url, **more)


def counted(reader: Reader, source: str) -> dict[str, Any]:
    """All that Redis has of a source, in a form that equal counts have in common."""
    days = sorted(reader.snapshot(source, []).stamps)
    snapshot = reader.snapshot(source, days)
    assert snapshot.standing == "live"
    rows = {}
    multi = {}
    for name, day in snapshot.days.items():
        rows.update({key: trimmed for key, row in day.rows.items() if any(trimmed := _trimmed(row))})
        multi.update({(name, callid): call for callid, call in day.multi.items()})
    return {
        "rows": rows,
        "multi": multi,
        "open": {callid: call for callid, call in snapshot.open_calls.items() if call.open},
        "seats": snapshot.seats,
        "clock": snapshot.clock,
        "calls": {
            (day, call.callid): call
            for day in days
            for call in reader.calls(source, snapshot.generation, day)
        },
        "days": {day: (stamp.fold, stamp.parser, stamp.names) for day, stamp in snapshot.stamps.items()},
    }


def _trimmed(row: list[int]) -> list[int]:
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return row[:end]


def archived_lines(config: Config, source: str = "pbx1") -> list[tuple[str, bytes]]:
    """The archive's own lines of the live stream: what was read, not when."""
    from dashboard.store.archive import Archive

    chunks = Archive(config.data_dir, source).read_live()
    return [record for chunk in chunks for record in chunk.records if record[0] in "LRG"]


def until(done: Callable[[], Any], within_s: float = 20.0, what: str = "") -> Any:
    """Ask again and again; the first true answer.

    Raises:
        AssertionError: There was none in time.
    """
    deadline = time.monotonic() + within_s
    while True:
        answer = done()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what or done}")
        time.sleep(0.01)


def wallboard(
    *words: str, cwd: Path, ahead_s: float | None = None, **more: Any
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, as an operator would."""
    return subprocess.run(
        [sys.executable, "-m", "dashboard.cli", *words],
        cwd=cwd,
        env=environ(ahead_s),
        capture_output=True,
        text=True,
        timeout=60,
        **more,
    )


def start(
    *words: str, cwd: Path, ahead_s: float | None = None, strict: bool = True, **more: Any
) -> subprocess.Popen[bytes]:
    """Start one command."""
    more.setdefault("stdout", subprocess.DEVNULL)
    more.setdefault("stderr", subprocess.PIPE)
    return subprocess.Popen(
        [sys.executable, "-m", "dashboard.cli", *words],
        cwd=cwd,
        env=environ(ahead_s, strict=strict),
        **more,
    )


def environ(ahead_s: float | None = None, *, strict: bool = True) -> dict[str, str]:
    """The environment of a command: this checkout's code, no configuration but its own.

    Args:
        ahead_s: How far the hotline's clock is moved.
        strict: Warnings are errors; gunicorn gives one that is not ours.
    """
    keep = {key: value for key, value in os.environ.items() if not key.startswith(("WALLBOARD_", "REDIS_"))}
    if ahead_s is not None:
        keep["WALLBOARD_CLOCK_OFFSET_S"] = repr(ahead_s)
    return {**keep, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error" if strict else "ignore"}


def to_after_s() -> float:
    """How far the clock has to be moved to lie behind the recordings."""
    return AFTER_S - time.time()


def gunzipped(path: Path) -> bytes:
    """A file's text, compressed or not."""
    data = path.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def items_of(tools: Tools, data: bytes) -> list[Item]:
    """A log's lines as the collector gives them to the writer."""
    reading = Reading(tools)
    items = []
    offset = 0
    for line in data.splitlines():
        offset += len(line) + 1
        items.append(reading.item(line, offset))
    reading.store_numbers()
    return items


def batches_of(items: list[Item], size: int) -> Iterator[list[Item]]:
    """Items in batches of a size; each is new, for the writer empties it."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def copy_of(client: Client) -> dict[bytes, bytes]:
    """Everything in Redis, as an older copy to come back to."""
    return {key: client.dump(key) for key in client.scan_iter()}


def put_back(client: Client, copy: dict[bytes, bytes]) -> None:
    """Redis as it was when it was copied: what a failover to a late replica looks like."""
    pipe = client.pipeline(transaction=True)
    pipe.flushall()
    for key, value in copy.items():
        if b":lease:" not in key:
            pipe.restore(key, 0, value)
    pipe.execute()


class FaultyConnection(redis.UnixDomainSocketConnection):
    """A connection that breaks once: before its n-th command is sent, or after the answer to it has come.

    Attributes:
        fault: (number of the command, "request" or "answer"), for all connections together; None for never.
        sent: How many commands there were.
    """

    fault: tuple[int, str] | None = None
    sent = 0
    _drop = False

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        cls = type(self)
        cls.sent += 1
        hit = cls.fault is not None and cls.sent == cls.fault[0]
        if hit and cls.fault is not None and cls.fault[1] == "request":
            self.disconnect()
            raise redis.ConnectionError("cut before the request")
        super().send_packed_command(command, check_health)
        self._drop = hit

    def read_response(self, *args: Any, **more: Any) -> Any:
        answer = super().read_response(*args, **more)
        if self._drop:
            self._drop = False
            self.disconnect()
            raise redis.ConnectionError("cut before the answer")
        return answer


def faulty(url: str) -> tuple[Client, type[FaultyConnection]]:
    """A client whose connection breaks where its class says."""

    class Faulty(FaultyConnection):
        pass

    client = connect(url)
    options = dict(client.connection_pool.connection_kwargs)
    pool = redis.ConnectionPool(connection_class=Faulty, **options)
    client.close()
    return redis.Redis(connection_pool=pool), Faulty
