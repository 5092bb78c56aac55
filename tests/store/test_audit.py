"""What Redis has and what the archive says are the same, whatever the log, and wherever it was cut."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.core.events import Event
from dashboard.core.fold import Rules
from dashboard.store import codec
from dashboard.store.archive import Archive
from dashboard.store.audit import audited, outdated, refolded
from dashboard.store.connect import connect
from dashboard.store.items import LINE, Item
from dashboard.store.keys import HotlineKeys
from dashboard.store.reader import Reader
from dashboard.store.writer import Writer
from tests.core.fold_streams import streams


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="wba"))
    yield made
    shutil.rmtree(made)


@settings(max_examples=60)
@given(streams(wild=True), st.integers(1, 9))
def test_nothing_differs_whatever_the_log(
    redis_server: str, folder: Path, stream: tuple[Rules, list[Event]], size: int
) -> None:
    rules, events = stream
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    shutil.rmtree(folder / "archive", ignore_errors=True)
    client = connect(redis_server)
    writer = Writer(
        client=client,
        hotline=HotlineKeys("h"),
        source="s",
        rules=rules,
        archive=Archive(folder, "s"),
        replay=lambda _kind, payload: events[int(payload)],
        stamp=codec.Stamp(1, 1, ""),
        log=lambda _line: None,
        place=str(folder),
    )
    writer.open()
    for start in range(0, len(events), size):
        batch = list(enumerate(events))[start : start + size]
        writer.write([Item(LINE, b"%d" % index, event) for index, event in batch])
    writer.close()
    reader = Reader(client, "h")
    days = sorted(reader.snapshot("s", []).stamps)
    snapshot = reader.snapshot("s", days, days)
    again = refolded(
        Archive(folder, "s"), rules, writer.replay, snapshot.position, (0, 2**40), lambda _done: None
    )
    client.close()
    found = audited(snapshot, again, rules.zone)
    assert found.differences == []
    assert found.records == len(events)


def test_what_was_counted_by_other_rules_is_told_by_stretches() -> None:
    stamps = {f"2026-11-{day}": codec.Stamp(1, 1, "a") for day in (20, 21, 22)}
    stamps["2026-11-23"] = codec.Stamp(2, 1, "b")
    assert outdated(stamps, codec.Stamp(2, 1, "b")) == [
        "3 days, 2026-11-20 to 2026-11-22: counted with fold 1, this is 2: run `wallboard rebuild`",
        "3 days, 2026-11-20 to 2026-11-22: counted with other names or settings than the configuration's: "
        "run `wallboard rebuild`",
    ]
    assert outdated(stamps, codec.Stamp(2, 2, "b"), ["2026-11-23"]) == [
        "2026-11-23: counted with parser 1, this is 2: run `wallboard rebuild`"
    ]
