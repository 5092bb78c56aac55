"""The scripts: a batch is written whole, by its holder, from the position that it follows, or not at all."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from dashboard.store.commits import ARGUMENTS_AT_ONCE, KEYS_AT_ONCE, commits_of
from dashboard.store.connect import script
from dashboard.store.ledger import Operation

META, LEASE, BEAT = "m", "l", "b"

Commit = Callable[..., list[bytes]]


@pytest.fixture
def commit(redis_client: redis.Redis) -> Commit:
    run = redis_client.register_script(script("commit.lua"))

    def send(
        operations: list[Operation], *, who: str = "me", was: str = "", to: str = "1", message: str = ""
    ) -> Any:
        said = None
        for keys, flat in commits_of([META, LEASE, BEAT], operations):
            said = run(keys=keys, args=[who, was, to, 10_000, "news", message, *flat])
        return said

    return send


def test_a_batch_is_written_with_its_position_and_told(redis_client: redis.Redis, commit: Commit) -> None:
    listener = redis_client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("news")
    listener.get_message(timeout=1)
    said = commit([("HSET", "h", ["a", "1", "b", "2"]), ("SET", "s", ["x"])], message="hello")
    assert said == [b"ok"]
    assert redis_client.hgetall("h") == {b"a": b"1", b"b": b"2"}
    assert redis_client.hget(META, "position") == b"1"
    assert redis_client.get(LEASE) == b"me"
    assert 0 < redis_client.pttl(LEASE) <= 10_000
    message = listener.get_message(timeout=1)
    assert message is not None and message["data"] == b"hello"
    listener.close()


def test_another_holder_writes_nothing(redis_client: redis.Redis, commit: Commit) -> None:
    redis_client.set(LEASE, "other")
    assert commit([("SET", "s", ["x"])]) == [b"lease", b"other"]
    assert redis_client.keys() == [LEASE.encode()]


def test_a_batch_that_does_not_follow_writes_nothing(redis_client: redis.Redis, commit: Commit) -> None:
    redis_client.hset(META, "position", "7")
    assert commit([("SET", "s", ["x"])], was="6") == [b"position", b"7"]
    assert commit([("SET", "s", ["x"])], was="") == [b"position", b"7"]
    assert not redis_client.exists("s", LEASE)


def test_an_error_halfway_is_repeated_with_the_same_values(redis_client: redis.Redis, commit: Commit) -> None:
    operations: list[Operation] = [
        ("HSET", "rows", ["q|1|a", "[3]"]),
        ("HSET", "wrong", ["field", "1"]),
        ("HDEL", "open", ["c1"]),
        ("HSET", META, ["seq", 5]),
    ]
    redis_client.hset("open", "c1", "{}")
    redis_client.set("wrong", "is a string")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        commit(operations, was="", to="9")
    assert redis_client.hget(META, "position") is None, "the position is written last"
    redis_client.delete("wrong")
    assert commit(operations, was="", to="9") == [b"ok"]
    assert redis_client.hgetall("rows") == {b"q|1|a": b"[3]"}
    assert redis_client.hgetall(META) == {b"seq": b"5", b"position": b"9"}
    assert not redis_client.exists("open")


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 3 * ARGUMENTS_AT_ONCE).map(lambda n: n - n % 2)),
        max_size=30,
    )
)
def test_operations_are_told_whole_and_in_order_however_they_are_cut(sizes: list[tuple[int, int]]) -> None:
    operations: list[Operation] = [
        ("HSET", f"k{key}", [f"{key}.{n}" for n in range(size)]) for key, size in sizes if size
    ]
    found: list[tuple[str, Any]] = []
    for keys, flat in commits_of([META], operations):
        assert len(keys) <= KEYS_AT_ONCE
        at = 0
        while at < len(flat):
            _, index, size = flat[at : at + 3]
            assert size <= ARGUMENTS_AT_ONCE and size % 2 == 0
            found += [(keys[index - 1], argument) for argument in flat[at + 3 : at + 3 + size]]
            at += 3 + size
    assert found == [(key, argument) for _, key, arguments in operations for argument in arguments]


def test_a_beat_is_refused_where_redis_went_back(redis_client: redis.Redis) -> None:
    beat = redis_client.register_script(script("beat.lua"))
    redis_client.hset(META, "position", "7")

    def send(position: str, who: str = "me", read: str = "1") -> Any:
        return beat(keys=[LEASE, BEAT, META], args=[who, 10_000, read, 123, "trouble", position])

    assert send("8") == [b"position", b"7"]
    assert not redis_client.exists(BEAT)
    assert send("7", read="0") == [b"ok"]
    assert redis_client.hgetall(BEAT) == {b"problem": b"trouble"}
    assert send("7") == [b"ok"]
    seconds, micros = redis_client.time()
    read_ms = int(redis_client.hget(BEAT, "read_ms") or 0)
    assert 0 <= seconds * 1000 + micros // 1000 - read_ms < 5000
    assert redis_client.hget(BEAT, "covered_to_s") == b"123"
    assert send("7", who="other") == [b"lease", b"me"]


def test_a_lease_is_taken_from_the_named_holder_only(redis_client: redis.Redis) -> None:
    take = redis_client.register_script(script("lease.lua"))
    assert take(keys=[LEASE], args=["me", 10_000, ""]) == [b"ok"]
    assert take(keys=[LEASE], args=["other", 10_000, ""]) == [b"lease", b"me"]
    assert take(keys=[LEASE], args=["other", 10_000, "third"]) == [b"lease", b"me"]
    assert take(keys=[LEASE], args=["other", 10_000, "me"]) == [b"ok"]
    assert redis_client.get(LEASE) == b"other"


def test_reading_at_once_needs_no_memory(redis_client: redis.Redis) -> None:
    read = redis_client.register_script(script("read.lua"))
    redis_client.hset("h", "a", "1")
    redis_client.set("s", "x")
    redis_client.config_set("maxmemory-policy", "noeviction")
    with contextlib.ExitStack() as later:
        later.callback(redis_client.config_set, "maxmemory", "0")
        redis_client.config_set("maxmemory", "1")
        assert read(keys=["h", "s", "none", "no"], args=["h", "s", "h", "s"]) == [
            [b"a", b"1"],
            b"x",
            [],
            None,
        ]
