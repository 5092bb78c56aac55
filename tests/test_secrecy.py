"""No caller's number, and no caller's name, is anywhere but encrypted in its table, and there for open queues only."""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from hotline import NAMES, Recording, Stage, gunzipped, recording, stage, start, until

from collectors.queue_log.collect import import_file
from dashboard.store.archive import Archive
from dashboard.store.connect import connect
from dashboard.store.embedded import Embedded
from dashboard.store.numbers import Numbers
from dashboard.store.reader import Reader

OPEN = ("consult", "city", "咨询", "comma,q", "a|b")
"""Queues that are not secret in half of the tests; where a recording has them."""


def secrets_of(played: Recording) -> list[bytes]:
    # "059100001234,8001" is a number with an extension.
    found = {call["caller"].partition(",")[0] for call in played.truth["calls"] if "," in call["caller"]}
    found |= played.numbers() | played.caller_names()
    assert len(found) > 5
    return [text.encode() for text in found]


def everything_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a directory, as it lies there and as text."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            yield str(path), data
            if data.startswith(b"\x1f\x8b"):
                yield f"{path} (gunzipped)", gunzipped(path)


def everything_in_redis(client: redis.Redis) -> Iterator[tuple[str, bytes]]:
    """Every key, field and value, as they are and decompressed."""

    def forms(where: str, data: bytes) -> Iterator[tuple[str, bytes]]:
        yield where, data
        if data[:1] == b"\x78":
            yield f"{where} (decompressed)", zlib.decompress(data)

    for key in client.scan_iter():
        where = key.decode()
        yield "a key", key
        kind = client.type(key)
        if kind == b"hash":
            for name, value in client.hgetall(key).items():
                yield f"a field of {where}", name
                yield from forms(f"{where} {name!r}", value)
        else:
            assert kind == b"string", "what kind is this?"
            yield from forms(where, client.get(key))


def assert_none_of(secrets: list[bytes], places: Iterator[tuple[str, bytes]]) -> None:
    looked = 0
    for where, data in places:
        looked += 1
        found = [secret for secret in secrets if secret in data]
        assert not found, f"{found[0].decode()} stands in {where}"
    assert looked > 3


def secret_calls(played: Recording, open_queues: list[str]) -> tuple[dict[str, str], set[str]]:
    """Calls whose number may be kept, with it; and those that touched a secret queue."""
    kept, secret = {}, set()
    for call in played.truth["calls"]:
        queues = {
            offer["queue"]
            for offer in call["offers"]
            if not str(offer.get("outcome")).startswith(("refused", "status"))
        }
        if not queues:
            continue
        if queues <= set(open_queues):
            if call["caller"] in played.numbers():
                kept[call["uniqueid"]] = call["caller"]
        else:
            secret.add(call["uniqueid"])
    return kept, secret


@pytest.fixture
def played(shared_data: Path, request: pytest.FixtureRequest) -> Recording:
    return recording(shared_data, request.param)


Make = Callable[[str], Stage]


@pytest.mark.parametrize("opened", [False, True], ids=["all secret", "some open"])
@pytest.mark.parametrize("played", NAMES, indirect=True)
def test_after_collecting_and_importing_no_number_is_found(
    played: Recording, opened: bool, tmp_path: Path
) -> None:
    open_queues = [queue for queue in OPEN if queue in played.truth["per_queue"]] if opened else []
    log = tmp_path / "queue_log"
    # A line of no known kind, a torn one and one that cannot be read hold numbers too.
    number = max(played.numbers(), key=len)
    bad = f"1795445500|{number}\n1795445501|1795445501.1|consult|NONE|ENTERQUEUE||{number}\n"
    bad += f"1795445502|NONE|consult|x|CALLBACK|{number}|please\n1795445503|NONE|NONE|NONE|PAUSE{number}"
    log.write_bytes(played.data + bad.encode())
    secrets = secrets_of(played)
    with Embedded(tmp_path / "var") as embedded:
        toml = played.toml(log=log, open_queues=open_queues, named=opened)
        here = stage(tmp_path, embedded.url, toml)
        with here.collecting() as drain:
            drain()
        other = Stage(here.config, connect(embedded.url), said=here.said, source="imported")
        with other.tools() as tools:
            for path in played.files:
                import_file(tools, path, lambda _: None)
        # A day later everything is closed, packed and compressed.
        with log.open("ab") as file:
            file.write(b"\n1795545600|NONE|NONE|NONE|CONFIGRELOAD|\n")
        with here.collecting() as drain:
            drain()
        assert here.reader.snapshot("pbx1", []).stamps["2026-11-23"].closed
        assert_none_of(secrets, everything_in_redis(embedded_client(embedded)))
        assert_none_of(secrets, everything_in(tmp_path / "var"))
        assert not [line for line in here.said for secret in secrets if secret.decode() in line]
    assert list((tmp_path / "var").rglob("*.aof")), "the server's own file was looked through"
    assert_none_of(secrets, everything_in(tmp_path / "var"))

    numbers = Numbers(here.config.data_dir)
    numbers.open()
    kept, secret = secret_calls(played, open_queues)
    assert bool(kept) == opened
    for source in ("pbx1", "imported"):
        assert {callid: numbers.get(source, callid) for callid in kept} == kept
        assert not [callid for callid in secret if numbers.get(source, callid) is not None]
    numbers.close()


def embedded_client(embedded: Embedded) -> redis.Redis:
    return redis.Redis.from_url(embedded.url)


@pytest.mark.parametrize("played", ["short-a"], indirect=True)
def test_what_a_file_is_recognised_by_tells_nobody_its_numbers(
    played: Recording, tmp_path: Path, redis_url: str
) -> None:
    """A hash of a line whose only unknown is a number is as good as the number, unless it is keyed."""
    line = b"1795445190|1795445190.1|consult|NONE|ENTERQUEUE||19900001234|1\n"
    log = tmp_path / "queue_log"
    log.write_bytes(line)
    here = stage(tmp_path, redis_url, played.toml(log=log))
    with here.tools() as tools:
        import_file(tools, log, lambda _: None)
    log.write_bytes(line + line.replace(b".1|", b".2|"))
    with here.collecting() as drain:
        drain()
    guesses = [line[:n] for n in range(1, len(line) + 1)]
    hashes = {
        hashlib.new(name, guess).hexdigest().encode() if name != "blake2b" else guess
        for guess in guesses
        for name in ("md5", "sha1", "sha256")
    }
    for size in (4, 8, 16, 20, 32, 64):
        hashes |= {hashlib.blake2b(guess, digest_size=size).hexdigest().encode() for guess in guesses}
    assert_none_of([*hashes], everything_in(here.config.data_dir))
    kinds = {kind for chunk in Archive(here.config.data_dir, "pbx1").read_live() for kind, _ in chunk.records}
    assert "F" in kinds, "there is a mark to look at"


@pytest.mark.slow
@pytest.mark.parametrize("played", ["chaos", "names"], indirect=True)
def test_a_real_collector_says_no_number(played: Recording, tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    (tmp_path / "wallboard.toml").write_text(played.toml(log=log, open_queues=["consult", "咨询"]), "utf-8")
    secrets = secrets_of(played)
    with (tmp_path / "said").open("wb") as said:
        process = start("collect", cwd=tmp_path, stdout=said, stderr=said)
        try:
            until(lambda: b"collecting" in (tmp_path / "said").read_bytes())
            log.write_bytes(played.data + b"1795445500|" + secrets[0] + b"\n")
            with Embedded(tmp_path / "var") as embedded:
                reader = Reader(embedded_client(embedded), "fuzhou")
                until(lambda: reader.snapshot("pbx1", []).clock.last_s)
                until(lambda: reader.snapshot("pbx1", []).read_ms)
                assert_none_of(secrets, everything_in_redis(reader.client))
        finally:
            process.terminate()
            process.wait(20)
    assert_none_of(secrets, everything_in(tmp_path / "var"))
    text = (tmp_path / "said").read_bytes()
    assert not [secret for secret in secrets if secret in text]
    assert b"Traceback" not in text
