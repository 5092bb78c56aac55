"""What it costs to prove the counts: an audit beside the import of the same lines, and bytes a call.

Thirty days of the simulated hotline of Fuzhou (17 seats, 12 queues) are imported and audited, each in a process of its
own with the embedded server's start and stop included; and so are a few days at a hundred times the volume (1,700
seats). Bytes are those of a server of the benchmark's own and of the
archive's files, with every day closed, divided by the calls that were offered.
"""

import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

import redis

from benchmarks.figures import Aim, Figure, Options, paired
from benchmarks.fold import import_s
from benchmarks.fresh import fresh
from benchmarks.redis_server import own_redis
from collectors.simulator.day import plain_load, plain_workday, simulate_day
from collectors.simulator.hotline import demo_toml, fuzhou, scaled
from dashboard.commands.audit import run_audit
from dashboard.commands.importing import run_import
from dashboard.commands.show import counts
from dashboard.config import load
from dashboard.store.reader import Reader

FIRST_DAY = date(2024, 1, 1)
DAYS, MANY_DAYS = 30, 3
TIMES = 100
ROUNDS = 3
RATIO_OF_IMPORT = 2.0


def run(options: Options) -> list[Figure]:
    """Measure; see the module."""
    days, many_days, times, rounds = (2, 1, 2, 1) if options.quick else (DAYS, MANY_DAYS, TIMES, ROUNDS)
    figures = []
    for volume, stretch, often in ((1, days, rounds), (times, many_days, 1)):
        name = f"{volume}x"
        log = options.folder / f"{name}.log"
        lines = write_log(log, stretch, volume)
        config = write_config(options.folder, name, log, volume)
        imported, audited = [], []
        for round_ in range(often):
            data = f"{name}-{round_}"
            imported.append(fresh(import_s, log, config, data))
            audited.append(fresh(audit_s, config.with_name(f"{data}.toml"), stretch))
            options.say(
                f"{lines:,} lines, round {round_ + 1} of {often}: imported {imported[-1]:.2f} s, "
                f"audited {audited[-1]:.2f} s"
            )
        aim = Aim(ratio=RATIO_OF_IMPORT)
        what = f"audit of {stretch} days at {volume} × the volume, {lines:,} lines"
        figures.append(paired(what, audited, "s", "import", imported, aim))
        in_redis, in_archive, calls = fresh(bytes_of, options.folder, name, log, volume, stretch)
        at = f"at {volume} × the volume, {calls:,} calls"
        figures.append(Figure(name=f"a call in Redis, {at}", value=in_redis, unit="bytes"))
        figures.append(Figure(name=f"a call in the archive, {at}", value=in_archive, unit="bytes"))
    return figures


def write_log(path: Path, days: int, times: int) -> int:
    """Write a simulated queue_log whose days are all over; returns its number of lines."""
    done = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line in _lines(days, times):
            file.write(line + "\n")
            done += 1
    return done


def _lines(days: int, times: int) -> Iterator[str]:
    hotline = scaled(fuzhou(), times)
    zone = ZoneInfo(hotline.zone)
    for n in range(days):
        day = FIRST_DAY + timedelta(days=n)
        workday, pull = plain_workday(day), plain_load(day)
        yield from simulate_day(hotline, day, zone=zone, seed=1, workday=workday, load=pull)
    after = datetime.combine(FIRST_DAY + timedelta(days=days + 1), datetime.min.time(), zone)
    yield f"{int(after.timestamp())}|NONE|NONE|NONE|CONFIGRELOAD|"


def write_config(folder: Path, name: str, log: Path, times: int) -> Path:
    """Write the configuration of the hotline."""
    path = folder / f"{name}.toml"
    text = demo_toml(scaled(fuzhou(), times), data_dir=str(folder / name), queue_log_path=str(log))
    path.write_text(text, "utf-8")
    return path


def _period(days: int) -> str:
    return f"{FIRST_DAY}..{FIRST_DAY + timedelta(days=days - 1)}"


def audit_s(config: Path, days: int) -> float:
    """Seconds of the clock of an audit, its server's start and stop included."""
    said: list[str] = []
    begun_s = time.perf_counter()
    code = run_audit(str(config), _period(days), source=None, as_json=False, out=said.append)
    taken_s = time.perf_counter() - begun_s
    if code or "no difference" not in "".join(said):
        raise RuntimeError(f"the audit went wrong: {said}")
    return taken_s


def bytes_of(folder: Path, name: str, log: Path, times: int, days: int) -> tuple[float, float, int]:
    """Bytes a call in Redis and in the archive, and how many calls there are."""
    with own_redis(folder) as url, redis.Redis.from_url(url) as client:
        path = write_config(folder, f"{name}-bytes", log, times)
        path.write_text(path.read_text("utf-8") + f'\n[redis]\nurl = "{url}"\n', "utf-8")
        config = load(path)
        before = client.info("memory")["used_memory"]
        said: list[str] = []
        run_import(str(path), "queue_log", [str(log)], source=None, strict=True, out=said.append)
        used = client.info("memory")["used_memory"] - before
        reader = Reader(client, config.hotline.id)
        calls = counts(config, reader, _period(days), time.time())["total"]["offered"]
    files = chain.from_iterable((config.data_dir / "archive").rglob(pattern) for pattern in ("*.seg", "*.gz"))
    return used / calls, sum(path.stat().st_size for path in files) / calls, calls
