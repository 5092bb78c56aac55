"""The ledger says what brings Redis to what is in memory, again and again until it is done."""

from typing import Any

import pytest
import redis
from hotline import faulty

from dashboard.core.days import Zone
from dashboard.core.events import Abandoned, Answered, Ended, Offered
from dashboard.core.fold import Rules
from dashboard.store import codec
from dashboard.store.keys import HotlineKeys
from dashboard.store.ledger import Ledger, Operation

AT = 1795445100
DAY = "2026-11-23"
DAY_S = 86_400
RULES = Rules(zone=Zone("Asia/Shanghai"), wrapup_s={"consult": 10})
KEYS = HotlineKeys("fuzhou").source("pbx1", 1)
STAMP = codec.Stamp(fold=1, parser=1, names="x")


def ledger_on(client: Any) -> Ledger:
    return Ledger(client, KEYS, RULES, STAMP)


def do(client: redis.Redis, operations: list[Operation]) -> None:
    for command, key, arguments in operations:
        client.execute_command(command, key, *arguments)


def commit(client: redis.Redis, ledger: Ledger) -> dict[str, Any]:
    batch = ledger.changes("p")
    do(client, batch.operations)
    client.hset(KEYS.meta, "clock", codec.encode(ledger.fold.state.clock))
    ledger.stored()
    return batch.published


def again(client: redis.Redis) -> Ledger:
    ledger = ledger_on(client)
    ledger.load(client.hgetall(KEYS.meta))
    return ledger


def test_what_is_loaded_is_what_was_in_memory(redis_client: redis.Redis) -> None:
    ledger = ledger_on(redis_client)
    ledger.fold.feed([Offered(AT, "c1", "consult"), Answered(AT + 3, "c1", "consult", "2001", 3)])
    commit(redis_client, ledger)
    ledger.fold.feed([Ended(AT + 60, "c1", "consult", "2001", 57), Offered(AT + 61, "c2", "city")])
    commit(redis_client, ledger)
    assert again(redis_client).fold.state == ledger.fold.state
    assert dict(again(redis_client).fold.rows) == dict(ledger.fold.rows)


def test_changes_asked_again_say_the_same(redis_client: redis.Redis) -> None:
    ledger = ledger_on(redis_client)
    ledger.fold.feed([Offered(AT, "c1", "consult")])
    commit(redis_client, ledger)
    ledger.fold.feed([Abandoned(AT + 5, "c1", "consult", 5)])
    first = ledger.changes("p").operations
    assert ("HDEL", KEYS.open, ["c1"]) in first
    assert ledger.changes("p").operations == first


def test_a_call_that_was_perhaps_stored_as_open_is_taken_out_when_it_ends(redis_client: redis.Redis) -> None:
    ledger = ledger_on(redis_client)
    ledger.fold.feed([Offered(AT, "c1", "consult")])
    do(redis_client, ledger.changes("p").operations)  # done, and nobody told
    ledger.fold.feed([Abandoned(AT + 5, "c1", "consult", 5)])
    commit(redis_client, ledger)
    assert not redis_client.exists(KEYS.open)
    assert [name.decode() for name in redis_client.hkeys(KEYS.calls(DAY))] == ["c1"]


def test_a_call_that_moves_to_its_first_offer_leaves_nothing_behind(redis_client: redis.Redis) -> None:
    """A log that begins in the middle: its connection comes first, its offer to another queue later."""
    ledger = ledger_on(redis_client)
    seen = [Answered(AT, "c1", "consult", "2001", 3), Answered(AT + 1, "c1", "consult", "2002", 3)]
    ledger.fold.feed(
        [*seen, Ended(AT + 9, "c1", "consult", "2001", 9), Ended(AT + 9, "c1", "consult", "2002", 9)]
    )
    commit(redis_client, ledger)
    ledger.fold.feed([Offered(AT + 900, "c1", "city"), Abandoned(AT + 905, "c1", "city", 5)])
    commit(redis_client, ledger)
    ledger.fold.feed([Offered(AT + 1000, "c9", "city")])  # wrap-ups are over
    commit(redis_client, ledger)
    fields = [name for name in redis_client.hkeys(KEYS.rows(DAY)) if name.startswith(b"m|")]
    assert fields == [b"m|%d|c1" % (AT + 900)]
    assert redis_client.hkeys(KEYS.calls(DAY)) == [b"c1"]


def test_a_day_that_could_not_be_read_is_read_again(redis_url: str) -> None:
    client, connection = faulty(redis_url)
    ledger = ledger_on(client)
    ledger.fold.feed([Offered(AT - 2 * DAY_S, "c1", "city"), Abandoned(AT - 2 * DAY_S + 5, "c1", "city", 5)])
    ledger.fold.feed([Offered(AT, "c2", "city")])
    commit(client, ledger)
    assert ledger.stamps["2026-11-21"].closed
    connection.fault = (connection.sent + 1, "answer")
    with pytest.raises(redis.ConnectionError):
        ledger.fold.feed([Offered(AT - 2 * DAY_S + 10, "c3", "city")])
    assert "2026-11-21" not in ledger.open_days
    key = ("c", "", (AT - 2 * DAY_S) // 900 * 900)
    assert ledger.fold.rows[key][0] == 1, "not zero"
    client.close()


def test_a_closed_day_is_one_value_and_gives_the_same_rows(redis_client: redis.Redis) -> None:
    ledger = ledger_on(redis_client)
    ledger.fold.feed([Offered(AT - 2 * DAY_S, "c1", "city"), Abandoned(AT - 2 * DAY_S + 5, "c1", "city", 5)])
    commit(redis_client, ledger)
    rows = {key: row for key, row in ledger.fold.rows.items() if any(row)}
    ledger.fold.feed([Offered(AT, "c2", "city")])
    commit(redis_client, ledger)
    assert "2026-11-21" not in ledger.open_days
    packed = redis_client.get(KEYS.day("2026-11-21"))
    unpacked = {(kind, ident, slot): row for kind, ident, slot, row in codec.unpack_day(packed).rows}
    assert unpacked == {key: codec.trimmed(row) for key, row in rows.items()}
    assert not redis_client.exists(KEYS.rows("2026-11-21"), KEYS.calls("2026-11-21"))
    again_late = again(redis_client)
    again_late.fold.feed([Offered(AT - 2 * DAY_S + 10, "c3", "city")])
    key = ("c", "", (AT - 2 * DAY_S) // 900 * 900)
    assert again_late.fold.rows[key][0] == 2


def test_a_day_with_a_call_in_progress_is_not_closed(redis_client: redis.Redis) -> None:
    ledger = ledger_on(redis_client)
    ledger.fold.feed([Offered(AT, "c1", "city")])
    commit(redis_client, ledger)
    # Its wait is over the limit only later than its day's end.
    ledger.fold.state.clock.latest_s = AT + DAY_S
    assert ledger._closing() == set()
    ledger.fold.feed([Offered(AT + DAY_S, "c2", "city")])
    assert ledger._closing() == {DAY}


def test_only_what_changed_is_sent(redis_client: redis.Redis) -> None:
    ledger = ledger_on(redis_client)
    ledger.fold.feed([Offered(AT + n, f"c{n}", "city") for n in range(50)])
    commit(redis_client, ledger)
    ledger.fold.feed([Abandoned(AT + 60, "c7", "city", 53)])
    published = ledger.changes("p").published
    assert published["open"] == {"c7": None}
    assert set(published["rows"]) == {f"q|{AT // 900 * 900}|city", f"c|{AT // 900 * 900}|"}
