"""What a late line costs, and what a commit does.

late      ten days of about 3,000 calls (six times the simulated hotline of Fuzhou) are counted, but for 200 lines in the
          morning of one in the middle; these are archived as an import, and counted again in one commit is what they
          change: that day, and some after it where conversations of the stretch had no end. The time is that of a day.
          Beside it: all ten days counted again from the archive.
commit    100 events a second, each archived, folded and committed alone; the time of the commit's script, its arguments
          packed and its answer read. Beside it: a script that does nothing, called with the same keys and arguments.
"""

import itertools
import re
import time
from pathlib import Path
from typing import Any

import redis

from benchmarks.figures import Aim, Figure, Options, paired, percentile
from benchmarks.fresh import fresh
from benchmarks.proof import write_config, write_log
from benchmarks.redis_server import own_redis
from collectors.base import Tools
from collectors.queue_log.collect import import_file
from collectors.queue_log.reading import Reading
from collectors.runner import writer_for
from dashboard.config import load
from dashboard.store.connect import connect
from dashboard.store.numbers import Numbers

TIMES, DAYS, HOLE = 6, 10, 200
ROUNDS = 5
EVENTS, EACH_S = 1000, 0.01
ONE_DAY_S = 0.5


def run(options: Options) -> list[Figure]:
    """Measure; see the module."""
    days, rounds, events = (3, 1, 50) if options.quick else (DAYS, ROUNDS, EVENTS)
    log = options.folder / "refold.log"
    write_log(log, days, TIMES)
    again, whole = [], []
    for round_ in range(rounds):
        one, everything = fresh(late_s, options.folder, log, round_, days)
        again.append(one)
        whole.append(everything)
        options.say(f"round {round_ + 1} of {rounds}: a day {one:.2f} s, {days} days {everything:.2f} s")
    ours, bare = fresh(commits_ms, options.folder, log, events)
    pairs = list(zip(ours, bare, strict=True))
    options.say(f"{len(pairs)} commits")
    return [
        paired("a day of 3,000 calls counted again", again, "s", f"{days} days", whole, Aim(value=ONE_DAY_S)),
        Figure(
            name="a commit at 100 events a second, median",
            value=percentile(ours, 50),
            unit="ms",
            peer="bare EVALSHA",
            peer_value=percentile(bare, 50),
        ),
        Figure(
            name="the same, p99",
            value=percentile(ours, 99),
            unit="ms",
            peer="bare EVALSHA",
            peer_value=percentile(bare, 99),
        ),
    ]


def late_s(folder: Path, log: Path, round_: int, days: int) -> tuple[float, float]:
    """Seconds to count a day again, and to count all again."""
    lines = log.read_bytes().splitlines(keepends=True)
    middle = len(lines) * (days // 2) // days + len(lines) // (
        4 * days
    )  # in the morning of a day in the middle
    late, seen = folder / "late.log", folder / "seen.log"
    late.write_bytes(b"".join(lines[middle : middle + HOLE]))
    seen.write_bytes(b"".join(lines[:middle] + lines[middle + HOLE :]))
    with own_redis(folder) as url, opened(folder, f"late{round_}", log, url) as tools:
        import_file(tools, seen, lambda _: None)
        tools.writer.commit()
        import_file(tools, late, lambda _: None)
        begun_s = time.perf_counter()
        tools.writer.commit()
        one = time.perf_counter() - begun_s
        keeper = tools.writer.keeper
        generation = keeper.generation
        begun_s = time.perf_counter()
        keeper._bring_up(lambda _: None, rebuild=True)
        everything = time.perf_counter() - begun_s
        again = re.search(r"counted again: (?:(\d+) days|\S+$)", SAID[-2])
        if keeper.generation != generation + 1 or again is None:
            raise RuntimeError(f"the late lines were counted in another way: {SAID}")
    return one / int(again[1] or 1), everything


def commits_ms(folder: Path, log: Path, events: int) -> tuple[list[float], list[float]]:
    """Milliseconds of commits, and of calls of a script that does nothing."""
    calls: list[tuple[list[Any], list[Any]]] = []
    ours, bare = [], []
    with own_redis(folder) as url, opened(folder, "commits", log, url) as tools:
        keeper = tools.writer.keeper
        script, nothing = keeper._commit, keeper.client.register_script("return 1")

        def timed(*, keys: list[Any], args: list[Any]) -> Any:
            calls.append((keys, args))
            begun_s = time.perf_counter()
            said = script(keys=keys, args=args)
            ours.append(1000 * (time.perf_counter() - begun_s))
            return said

        keeper._commit = timed
        reading = Reading(tools)
        with log.open("rb") as file:
            for number, line in enumerate(itertools.islice(file, events)):
                tools.writer.write([reading.item(line.rstrip(b"\n"), number)])
                keys, args = calls[-1]
                begun_s = time.perf_counter()
                nothing(keys=keys, args=args)
                bare.append(1000 * (time.perf_counter() - begun_s))
                time.sleep(EACH_S)
    return ours[-len(bare) :], bare


SAID: list[str] = []


class opened:
    """A source's writer on a server of the benchmark's own."""

    def __init__(self, folder: Path, name: str, log: Path, url: str) -> None:
        path = write_config(folder, name, log, TIMES)
        path.write_text(path.read_text("utf-8") + f'\n[redis]\nurl = "{url}"\n', "utf-8")
        self.config = load(path)
        with redis.Redis.from_url(url) as client:
            client.flushall()
        source = self.config.sources[0].name
        self.writer = writer_for(self.config, connect(url), source, "queue_log", SAID.append)
        self.numbers = Numbers(self.config.data_dir)
        self.source = source

    def __enter__(self) -> Tools:
        self.writer.open()
        self.numbers.open()
        return Tools(
            config=self.config,
            source=self.source,
            writer=self.writer,
            numbers=self.numbers,
            clock=time.time,
            log=SAID.append,
        )

    def __exit__(self, *_: object) -> None:
        self.numbers.close()
        self.writer.close()
