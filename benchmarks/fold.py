"""How much more counting a log costs than reading it, and a whole import than counting alone.

A queue_log of a million lines (the simulated hotline of Fuzhou: 17 seats, 12 queues, 436 days) is, in turn:

    split     for line in f: line.split("|")
    counted   every line parsed and folded, on one core, nothing stored
    imported  `wallboard import`: masked, archived, numbers kept apart, counted, written to Redis with its AOF on;
              once with all queues open (each call's number is kept, encrypted) and once with all of them secret

Split and counted are compared by processor time, which other work on the machine disturbs least; an import, which
also waits for the disk, for Redis and for the thread that compresses, by the clock, and so beside a count by the clock.
"""

import os
import time
from pathlib import Path

from benchmarks.figures import Aim, Figure, Options, paired
from benchmarks.fresh import fresh, on_one_core
from collectors.queue_log.parse import parse_line
from collectors.simulator.hotline import demo_toml, fuzhou
from collectors.simulator.load import simulate_lines
from dashboard.commands.importing import run_import
from dashboard.commands.process import rare_collections
from dashboard.config import load
from dashboard.core.fold import Fold
from dashboard.store.reader import rules_of

LINES = 1_000_000
ROUNDS = 3
RATIO_OF_COUNTED = 15
RATIO_OF_IMPORTED = 1.5


def run(options: Options) -> list[Figure]:
    """Measure; see the module."""
    lines, rounds = (3000, 1) if options.quick else (LINES, ROUNDS)
    log = options.folder / "queue_log"
    write_log(log, lines)
    opened = write_config(options.folder, "open", log, secret=False)
    secret = write_config(options.folder, "secret", log, secret=True)
    split, counted, counted_wall, imported, imported_secret = [], [], [], [], []
    for round_ in range(rounds):
        split.append(fresh(split_s, log))
        cpu_s, wall_s = fresh(count_s, log, opened)
        counted.append(cpu_s)
        counted_wall.append(wall_s)
        imported.append(fresh(import_s, log, opened, f"open{round_}"))
        imported_secret.append(fresh(import_s, log, secret, f"secret{round_}"))
        options.say(
            f"round {round_ + 1} of {rounds}: split {split[-1]:.2f} s, counted {counted[-1]:.1f} s, "
            f"imported {imported[-1]:.1f} s, secret {imported_secret[-1]:.1f} s"
        )
    aim = Aim(ratio=RATIO_OF_IMPORTED)
    return [
        paired(
            f"{lines:,} lines parsed and folded",
            counted,
            "s of one core",
            "split",
            split,
            Aim(ratio=RATIO_OF_COUNTED),
        ),
        paired("the same imported, all queues open", imported, "s", "counted", counted_wall, aim),
        paired("the same imported, all queues secret", imported_secret, "s", "counted", counted_wall, aim),
    ]


def write_log(path: Path, lines: int) -> None:
    """Write a simulated queue_log."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in simulate_lines(lines, seed=1))


def write_config(folder: Path, name: str, log: Path, *, secret: bool) -> Path:
    """Write the configuration of the simulated hotline with all of its queues secret, or none."""
    text = demo_toml(fuzhou(), data_dir=str(folder / name), queue_log_path=str(log))
    was = ("secret = true", "secret = false")
    text = text.replace(was[secret], was[not secret])
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    return path


def split_s(log: Path) -> float:
    """Seconds of the processor to split every line."""
    on_one_core()
    begun_s = time.process_time()
    with log.open(encoding="utf-8") as file:
        for line in file:
            line.split("|")
    return time.process_time() - begun_s


def count_s(log: Path, config_path: Path) -> tuple[float, float]:
    """Seconds of the processor, and of the clock, to parse and fold every line."""
    config = load(config_path)
    names, rules = config.names(), rules_of(config)
    on_one_core()
    begun_s, begun_wall_s = time.process_time(), time.perf_counter()
    fold = Fold(rules)
    with (
        log.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file,
        rare_collections(),  # as the import does
    ):
        fold.feed(parse_line(line[:-1], names) for line in file)
    return time.process_time() - begun_s, time.perf_counter() - begun_wall_s


def import_s(log: Path, config_path: Path, data: str) -> float:
    """Seconds of the clock of a whole import into an empty data directory, its server's start and stop included."""
    os.environ.pop("REDIS_URL", None)
    text = config_path.read_text("utf-8").replace(
        str(config_path.with_suffix("")), str(config_path.parent / data)
    )
    path = config_path.with_name(f"{data}.toml")
    path.write_text(text, "utf-8")
    said: list[str] = []
    begun_s = time.perf_counter()
    run_import(str(path), "queue_log", [str(log)], source=None, strict=True, out=said.append)
    taken_s = time.perf_counter() - begun_s
    if "rejected 0" not in "".join(said):
        raise RuntimeError(f"the import went wrong: {said}")
    return taken_s
