"""What every kind of source has to keep, over each of its recordings. A new kind only needs `feeds/KIND.py`."""

import random
import time
from pathlib import Path

import pytest
from conformance.faults import Process, archived, audit, difference, lines_differ, undisturbed
from conformance.feed import Feed, feeds_of
from hotline import Stage, stage, until

from collectors.registry import KINDS, kind_of
from dashboard.core.counts import QUEUE, SEAT, F
from dashboard.store.archive import Archive

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def feeds() -> list[Feed]:
    shared = SHARED if SHARED.is_dir() else None
    found = []
    for kind in KINDS:
        try:
            found += feeds_of(kind, shared)
        except ModuleNotFoundError:
            continue  # `test_every_kind_has_a_feed` tells
    return found


each_feed = pytest.mark.parametrize("feed", feeds(), ids=str)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_feed(kind: str) -> None:
    assert feeds_of(kind, None), f"tests/conformance/feeds/{kind}.py has no recording"


def at(feed: Feed, tmp_path: Path, url: str) -> tuple[Stage, Path]:
    log = tmp_path / "here" / "log"
    return stage(tmp_path / "here", url, feed.toml(log=log, redis_url=url)), log


def same(here: Stage, expected: tuple[object, list[bytes]]) -> None:
    counts, lines = expected
    assert lines_differ(archived(here), lines) == ""
    assert difference(here.counted(), counts) == ""  # type: ignore[arg-type]
    audit(here)


@each_feed
def test_cut_at_any_byte(feed: Feed, tmp_path: Path, redis_url: str) -> None:
    expected = undisturbed(feed, tmp_path / "alone", redis_url)
    here, log = at(feed, tmp_path, redis_url)
    rng = random.Random(feed.name)
    with here.collecting() as drain:
        done = 0
        while done < len(feed.data):
            size = rng.choice((1, 7, 90, 1500)) + rng.randrange(200)
            with log.open("ab") as file:
                file.write(feed.data[done : done + size])
            done += size
            drain()
    same(here, expected)


@each_feed
def test_stopped_and_gone_on(feed: Feed, tmp_path: Path, redis_url: str) -> None:
    expected = undisturbed(feed, tmp_path / "alone", redis_url)
    here, log = at(feed, tmp_path, redis_url)
    size = len(feed.data) // 9 + 1
    for done in range(0, len(feed.data), size):
        with log.open("ab") as file:
            file.write(feed.data[done : done + size])
        with here.collecting() as drain:
            drain()
    same(here, expected)


@pytest.mark.slow
@each_feed
def test_killed_at_random_moments(feed: Feed, tmp_path: Path, redis_url: str) -> None:
    expected = undisturbed(feed, tmp_path / "alone", redis_url)
    here, log = at(feed, tmp_path, redis_url)
    seed = random.randrange(10**6)
    rng = random.Random(seed)
    process = Process(tmp_path / "here")
    try:
        for done in range(0, len(feed.data), len(feed.data) // 5 + 1):
            process.start()
            with log.open("ab") as file:
                file.write(feed.data[done : done + len(feed.data) // 5 + 1])
            time.sleep(rng.uniform(0.3, 1.2))
            process.kill()
        process.start()
        until(lambda: len(archived(here)) == len(expected[1]), 90, f"seed {seed}: {process.text()}")
        assert process.stop() == 0, process.text()
    finally:
        process.kill()
    same(here, expected)


@each_feed
def test_the_same_bytes_again_add_nothing(feed: Feed, tmp_path: Path, redis_url: str) -> None:
    expected = undisturbed(feed, tmp_path / "alone", redis_url)
    here, log = at(feed, tmp_path, redis_url)
    file = tmp_path / "whole"
    file.write_bytes(feed.data)
    kind = kind_of(feed.kind)
    with here.tools() as tools:
        first = kind.import_file(tools, file, lambda _: None)
        again = kind.import_file(tools, file.rename(tmp_path / "other"), lambda _: None)
    assert (first.repeated, again.repeated) == (False, True)
    assert difference(here.counted(), expected[0]) == ""
    # A live log that was imported: read again, it counts once.
    log.write_bytes(feed.data)
    with here.collecting() as drain:
        drain()
    assert difference(here.counted(), expected[0]) == ""


@each_feed
def test_junk_between_lines_is_kept_masked_and_counts_nothing(
    feed: Feed, tmp_path: Path, redis_url: str
) -> None:
    expected = undisturbed(feed, tmp_path / "alone", redis_url)
    here, log = at(feed, tmp_path, redis_url)
    lines = feed.data.splitlines(keepends=True)
    rng = random.Random(feed.name)
    for number in range(20):
        lines.insert(rng.randrange(len(lines)), feed.junk[number % len(feed.junk)] + b"\n")
    log.write_bytes(b"".join(lines))
    with here.collecting() as drain:
        drain()
    assert difference(here.counted(), expected[0]) == ""
    chunks = Archive(here.config.data_dir, "pbx1").read_live()
    rejects = [payload for chunk in chunks for kind, payload in chunk.records if kind == "R"]
    assert len(rejects) == 20 + rejected(expected[1], here)
    for path in (tmp_path / "here" / "var").rglob("*"):
        assert not path.is_file() or feed.number not in path.read_bytes(), path


def rejected(lines: list[bytes], here: Stage) -> int:
    """Lines of the recording itself that cannot be read."""
    alone = here.config.data_dir.parent.parent / "alone" / "var"
    chunks = Archive(alone, "pbx1").read_live()
    return sum(kind == "R" for chunk in chunks for kind, _ in chunk.records)


@each_feed
def test_an_end_that_comes_twice_is_an_orphan(feed: Feed, tmp_path: Path, redis_url: str) -> None:
    counts, _ = undisturbed(feed, tmp_path / "alone", redis_url)
    here, log = at(feed, tmp_path, redis_url)
    ends = 0
    lines: list[bytes] = []
    for line in feed.data.splitlines(keepends=True):
        lines.append(line)
        if feed.is_end(line):
            lines.append(line)
            ends += 1
    assert ends
    log.write_bytes(b"".join(lines))
    with here.collecting() as drain:
        drain()
    found = here.counted()
    assert orphans(found) == orphans(counts) + ends
    for part in ("calls", "open", "multi"):
        assert found[part] == counts[part]
    assert without_orphans(found) == without_orphans(counts)


def orphans(counts: dict[str, dict[tuple[str, str, int], list[int]]]) -> int:
    """In rows of queues."""
    return sum(
        row[F["orphan"]]
        for (kind, _, _), row in counts["rows"].items()
        if kind == QUEUE and len(row) > F["orphan"]
    )


def without_orphans(counts: dict[str, dict[tuple[str, str, int], list[int]]]) -> dict[object, list[int]]:
    found = {}
    for key, row in counts["rows"].items():
        kept = [n for i, n in enumerate(row) if key[0] == SEAT or i != F["orphan"]]
        while kept and not kept[-1]:
            kept.pop()
        if kept:
            found[key] = kept
    return found
