"""Callers' numbers: kept for those who may call back, gone for good for those whom nobody may know."""

import itertools
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.errors import ConfigError, StoreError, StoreUnavailable
from dashboard.store.numbers import HASH_BYTES, Numbers

AT_S = 1_795_000_000
MOBILE = "13800000000"


@pytest.fixture
def numbers(tmp_path: Path) -> Iterator[Numbers]:
    table = Numbers(tmp_path)
    table.open()
    yield table
    table.close()


def sealed(directory: Path) -> dict[str, bytes]:
    """Call id -> what the file holds for it."""
    db = sqlite3.connect(directory / "numbers.db")
    try:
        return dict(db.execute("SELECT callid, number FROM call WHERE kept"))
    finally:
        db.close()


def on_disk(directory: Path) -> bytes:
    """The bytes of the table and of SQLite's files beside it."""
    return b"".join(path.read_bytes() for path in sorted(directory.glob("numbers.db*")))


def traces(ciphertexts: list[bytes], bytes_: bytes) -> int:
    """How many ciphertexts left any of three pieces of eight bytes."""
    pieces = {one[i : i + 8] for one in ciphertexts for i in (0, 12, len(one) - 8)}
    found = {bytes_[i : i + 8] for i in range(len(bytes_))} & pieces
    return sum(any(one[i : i + 8] in found for i in (0, 12, len(one) - 8)) for one in ciphertexts)


def test_a_number_comes_back_fit_for_dialling_after_a_restart(tmp_path: Path, numbers: Numbers) -> None:
    written = {
        "c1": MOBILE,
        "c2": "0591-8765 4321",
        "c3": "sip:+8613800000000@10.0.0.1;user=phone",
        "通": MOBILE,
    }
    assert numbers.put(("pbx1", callid, number, AT_S) for callid, number in written.items()) == 4
    numbers.close()
    numbers.open()
    assert [numbers.get("pbx1", callid) for callid in (*written, "c9")] == [
        MOBILE,
        "059187654321",
        "+8613800000000",
        MOBILE,
        None,
    ]
    assert numbers.get("pbx2", "c1") is None
    assert numbers.count() == 4


@pytest.mark.parametrize(
    "text", ["", " ", "anonymous", "unknown", "Anonymous", "2001", "12366", "110", "sip:anonymous@10.0.0.1:5060",
             "1380000000a", "１３８００００００００", "138000000001380000000013800000000", "\udcff", "<unknown>"]
)  # fmt: skip
def test_what_is_no_number_is_not_kept(numbers: Numbers, text: str) -> None:
    assert numbers.put([("pbx1", "c1", text, AT_S)]) == 0
    assert (numbers.hash_of(text), numbers.forget(text), numbers.count()) == (None, 0, 0)


def test_the_first_number_told_for_a_call_stays(numbers: Numbers) -> None:
    assert numbers.put([("pbx1", "c1", MOBILE, AT_S), ("pbx1", "c1", "13900000000", AT_S)]) == 1
    assert numbers.put([("pbx1", "c1", "13900000000", AT_S)]) == 0
    assert numbers.get("pbx1", "c1") == MOBILE


def test_a_strangers_call_id_is_taken_as_it_is(numbers: Numbers) -> None:
    for callid in ("", "\0", "'; DROP TABLE call; --", "\udcff", "x" * 10_000):
        numbers.put([("pbx1", callid, MOBILE, AT_S)])
        assert numbers.get("pbx1", callid) == MOBILE
        assert numbers.drop("pbx1", [callid], AT_S) == 1
        assert numbers.get("pbx1", callid) is None


CALLS = st.sampled_from(["c1", "c2", "c3", "c4"])
PUT = st.tuples(st.just("put"), st.lists(CALLS, max_size=4))
DROP = st.tuples(st.just("drop"), st.lists(CALLS, max_size=2))
OTHER = st.tuples(st.sampled_from(["reopen", "purge"]), st.just([]))


@given(st.lists(PUT | DROP | OTHER, max_size=12))
@settings(max_examples=60, deadline=None)
def test_in_any_order_a_secret_call_has_no_number(steps: list[tuple[str, list[str]]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        table = Numbers(Path(name))
        table.open()
        put: set[str] = set()
        secret: set[str] = set()
        for step, callids in steps:
            match step:
                case "put":
                    table.put(("pbx1", callid, MOBILE, AT_S) for callid in callids)
                    put |= set(callids)
                case "drop":
                    table.drop("pbx1", callids, AT_S)
                    secret |= set(callids)
                case "reopen":
                    table.close()
                    table.open()
                case "purge":
                    table.purge(AT_S)
            assert {callid for callid in put | secret if table.get("pbx1", callid)} == put - secret
            assert table.count() == len(put - secret)
        table.close()


def test_a_call_of_another_source_keeps_its_number(numbers: Numbers) -> None:
    numbers.put([("pbx1", "c1", MOBILE, AT_S), ("pbx2", "c1", MOBILE, AT_S)])
    assert numbers.drop("pbx1", ["c1"], AT_S) == 1
    assert (numbers.get("pbx1", "c1"), numbers.get("pbx2", "c1")) == (None, MOBILE)


def test_no_number_is_readable_on_the_disk(tmp_path: Path, numbers: Numbers) -> None:
    numbers.put([("pbx1", f"c{i}", f"138{i:08d}", AT_S) for i in range(1000)])
    bytes_ = on_disk(tmp_path)
    numbers.close()
    assert not any(f"138{i:08d}".encode() in bytes_ + on_disk(tmp_path) for i in range(1000))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_wiped_ciphertext_is_nowhere_on_the_disk(tmp_path: Path, seed: int) -> None:
    """With enough calls for SQLite to split pages; rows that are deleted one by one do leave copies."""
    table = Numbers(tmp_path)
    table.open()
    # An order without luck: ids jump about, as they do when two switches or an import are merged.
    callids = [f"{(i * 7919 + seed * 31) % 4000:06d}" for i in range(4000)]
    gone: list[bytes] = []
    old = AT_S - 500 * 86_400
    for part in range(0, 4000, 250):
        batch = callids[part : part + 250]
        times = [old if part < 2000 and i % 3 else AT_S for i in range(250)]
        table.put(
            ("pbx1", callid, f"138{callid}{i % 10:02d}", at_s)
            for i, (callid, at_s) in enumerate(zip(batch, times, strict=True))
        )
        held = sealed(tmp_path)
        victims = [callid for callid in callids[: part + 250 : 5 + seed] if callid in held]
        assert table.drop("pbx1", victims + [callid + "x" for callid in victims], AT_S) == len(victims)
        gone += [held[callid] for callid in victims]
        assert traces(gone, on_disk(tmp_path)) == 0
    held = sealed(tmp_path)
    wiped = table.purge(AT_S - 1)
    kept = sealed(tmp_path)
    assert wiped == len(held) - len(kept) > 500
    gone += [one for callid, one in held.items() if callid not in kept]
    assert traces(gone, on_disk(tmp_path)) == 0
    # What was copied by the purge must not stay behind either, when it goes later.
    later = list(kept)[::2]
    table.drop("pbx1", later, AT_S)
    gone += [kept[callid] for callid in later]
    [(callid, _)] = itertools.islice(sealed(tmp_path).items(), 1)
    number = table.get("pbx1", callid)
    assert number is not None
    assert table.forget(number) >= 1
    gone.append(kept[callid])
    assert traces(gone, on_disk(tmp_path)) == 0
    table.close()
    left = list(sealed(tmp_path).values())
    assert traces(gone, on_disk(tmp_path)) == 0
    assert traces(left, on_disk(tmp_path)) == len(left) > 100


def test_a_reader_in_the_way_only_delays_the_scrub(tmp_path: Path, numbers: Numbers) -> None:
    numbers.put([("pbx1", "c1", MOBILE, AT_S)])
    gone = [*sealed(tmp_path).values()]
    reader = sqlite3.connect(tmp_path / "numbers.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM call").fetchone()
    numbers.drop("pbx1", ["c1"], AT_S)
    assert numbers.get("pbx1", "c1") is None
    assert traces(gone, on_disk(tmp_path)) == 1
    reader.close()
    numbers.put([("pbx1", "c2", MOBILE, AT_S)])
    assert traces(gone, on_disk(tmp_path)) == 0


def test_the_end_of_retention_takes_old_numbers_and_no_import_brings_them_back(numbers: Numbers) -> None:
    rows = [("pbx1", f"c{i}", MOBILE, AT_S + i * 86_400) for i in range(10)]
    numbers.put(rows)
    assert numbers.purge(AT_S + 8 * 86_400) == 8
    assert numbers.count() == 2
    assert numbers.purge(AT_S + 8 * 86_400) == 0
    assert numbers.put(rows) == 0
    assert [numbers.get("pbx1", f"c{i}") for i in range(10)] == [None] * 8 + [MOBILE] * 2


def test_on_request_a_number_goes_however_it_is_written(numbers: Numbers) -> None:
    rows = [
        ("pbx1", "c1", MOBILE, AT_S),
        ("pbx1", "c2", "+86 138 0000 0000", AT_S),
        ("pbx1", "c3", "13900000000", AT_S),
    ]
    numbers.put(rows)
    assert numbers.forget("0138-0000-0000") == 2
    assert numbers.forget("0138-0000-0000") == 0
    assert numbers.put(rows) == 0
    assert [numbers.get("pbx1", callid) for callid in ("c1", "c2", "c3")] == [None, None, "13900000000"]


def test_a_repeat_caller_has_one_hash_that_only_this_key_makes(tmp_path: Path, numbers: Numbers) -> None:
    ways = [
        "13800000000",
        "013800000000",
        "+8613800000000",
        "008613800000000",
        "8613800000000",
        "138-0000-0000",
    ]
    assert len({numbers.hash_of(way) for way in ways}) == 1
    landline = ["059187654321", "+8659187654321", "0591 8765 4321", "8659187654321"]
    assert len({numbers.hash_of(way) for way in landline}) == 1
    others = ["87654321", "13800000001", "+4413800000000", "86541234"]
    hashes = {numbers.hash_of(number) for number in (ways[0], landline[0], *others)}
    assert len(hashes) == 6
    assert {len(hashed) for hashed in hashes if hashed} == {HASH_BYTES}
    other = Numbers(tmp_path / "other")
    other.open()
    assert other.hash_of(MOBILE) != numbers.hash_of(MOBILE)
    other.close()


def test_the_files_are_for_their_owner_only(tmp_path: Path, numbers: Numbers) -> None:
    numbers.put([("pbx1", "c1", MOBILE, AT_S)])
    modes = {path.name: f"{path.stat().st_mode & 0o777:o}" for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("numbers.db", "numbers.db-wal", "numbers.db-shm", "numbers.key"), "600")
    assert len(bytes.fromhex((tmp_path / "numbers.key").read_text())) == 32


def refusal(directory: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        Numbers(directory).open()
    return str(caught.value).replace(str(directory), "DATA")


def test_a_key_that_is_not_as_it_was_made_is_refused(tmp_path: Path, numbers: Numbers) -> None:
    numbers.put([("pbx1", "c1", MOBILE, AT_S)])
    numbers.close()
    key = tmp_path / "numbers.key"
    good = key.read_text()
    key.chmod(0o640)
    assert refusal(tmp_path) == "DATA/numbers.key is open to other users (640): chmod 600 DATA/numbers.key"
    key.chmod(0o600)
    malformed = "DATA/numbers.key is not 64 hex digits, or unreadable: restore it from a backup"
    for text in ("", good[:-2], good.strip() + "0", "g" * 64, "\xff" * 64):
        key.write_text(text, "latin-1")
        assert refusal(tmp_path) == malformed
    key.write_text("0" * 64)
    assert refusal(tmp_path) == (
        "DATA/numbers.key is another key than the one that numbers.db was written with:"
        " restore the right one from a backup"
    )
    key.unlink()
    assert refusal(tmp_path) == (
        "DATA/numbers.key is missing, and numbers.db holds 1 numbers that only it opens:"
        " restore it from a backup, or remove numbers.db to give them up"
    )
    assert not key.exists()
    key.touch(0o600)
    key.write_text(good)
    numbers.open()
    assert numbers.get("pbx1", "c1") == MOBILE


def test_a_key_without_numbers_may_be_made_again(tmp_path: Path, numbers: Numbers) -> None:
    numbers.put([("pbx1", "c1", MOBILE, AT_S)])
    numbers.drop("pbx1", ["c1", "c2"], AT_S)
    numbers.close()
    (tmp_path / "numbers.key").unlink()
    numbers.open()
    assert numbers.put([("pbx1", "c1", MOBILE, AT_S), ("pbx1", "c3", MOBILE, AT_S)]) == 1
    assert numbers.get("pbx1", "c3") == MOBILE


def test_a_table_open_to_others_is_refused(tmp_path: Path, numbers: Numbers) -> None:
    numbers.close()
    (tmp_path / "numbers.db").chmod(0o644)
    assert refusal(tmp_path) == "DATA/numbers.db is open to other users (644): chmod 600 DATA/numbers.db"


def test_a_ciphertext_opens_for_its_own_call_only(tmp_path: Path, numbers: Numbers) -> None:
    numbers.put([("pbx1", "c1", MOBILE, AT_S), ("pbx1", "c2", "13900000000", AT_S)])
    db = sqlite3.connect(tmp_path / "numbers.db")
    db.execute("UPDATE call SET number = (SELECT number FROM call WHERE callid = 'c1') WHERE callid = 'c2'")
    db.commit()
    db.close()
    assert numbers.get("pbx1", "c1") == MOBILE
    with pytest.raises(StoreError, match=r"call 'c2' does not fit numbers\.key$"):
        numbers.get("pbx1", "c2")


def test_two_processes_agree(tmp_path: Path, numbers: Numbers) -> None:
    other = Numbers(tmp_path)
    other.open()
    other.drop("pbx1", ["c1"], AT_S)
    assert numbers.put([("pbx1", "c1", MOBILE, AT_S), ("pbx1", "c2", MOBILE, AT_S)]) == 1
    assert other.get("pbx1", "c2") == MOBILE
    assert other.drop("pbx1", ["c2"], AT_S) == 1
    assert numbers.get("pbx1", "c2") is None
    other.close()


def test_a_full_disk_is_said_and_afterwards_it_goes_on(numbers: Numbers) -> None:
    rows = [("pbx1", f"c{i}", MOBILE, AT_S) for i in range(1000)]
    db = numbers._db
    assert db is not None
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages + 2}").fetchone()
    with pytest.raises(StoreUnavailable, match="disk is full"):
        numbers.put(rows)
    assert numbers.count() == 0
    db.execute("PRAGMA max_page_count = 1000000").fetchone()
    assert numbers.put(rows) == 1000


def test_a_damaged_table_is_said(tmp_path: Path) -> None:
    (tmp_path / "numbers.db").touch(0o600)
    (tmp_path / "numbers.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError, match="is damaged"):
        Numbers(tmp_path).open()


def test_a_table_that_is_not_open_says_so(tmp_path: Path) -> None:
    table = Numbers(tmp_path)
    table.close()
    with pytest.raises(RuntimeError, match="open"):
        table.count()
    assert not list(tmp_path.iterdir())
