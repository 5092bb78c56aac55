"""The only place where callers' numbers are: a small encrypted table beside the archive.

In come (source, call, number); out comes one number, for whoever may call back. A call that touched a secret queue
loses its number and never gets one again, whichever was told first. Nothing here is logged, and no message holds
a number.

    DATA/numbers.db    SQLite, 0600: source, callid -> ciphertext (AES-256-GCM), keyed hash (BLAKE2b, 128 bits)
    DATA/numbers.key   32 random bytes in hex, 0600, made at the first start; without it the numbers are gone

A number is taken away by overwriting it where it stands; the row stays, as the mark that its call has none.
Deleting the row would not do: SQLite moves neighbouring rows between pages and leaves copies of them behind, which
`secure_delete` does not find when the row goes later. New rows go to the end of the table, so none is ever moved.
"""

import contextlib
import hashlib
import os
import re
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dashboard.errors import ConfigError, StoreError, StoreUnavailable

HASH_BYTES: Final = 16
"""Length of a number's keyed hash."""

_NONCE_BYTES: Final = 12
_ROWS_AT_ONCE: Final = 8192
_BUSY_S: Final = 5.0
_SCRUB_BUSY_MS: Final = 200
_DAY_S: Final = 86_400
"""No call is longer: after this long, the mark of a call whose numbers are too old to be kept has no use."""

_KEY: Final = re.compile(r"[0-9a-f]{64}\n?")
_DIALLED: Final = re.compile(r"\+?[0-9]{7,20}")
"""Seven digits make a number, as in masking; fewer are an extension or a public service."""

_SEPARATORS: Final = str.maketrans("", "", " \t-./()")
_NATIONAL_DIGITS: Final = 11
"""The longest number without a country's code and a leading 0."""

_COLUMNS: Final = """(
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    callid TEXT NOT NULL,
    offered_s INTEGER NOT NULL,
    kept INTEGER NOT NULL,  -- 0: overwritten, or never had a number
    number BLOB NOT NULL,   -- nonce, ciphertext, tag
    hash BLOB NOT NULL,
    UNIQUE (source, callid)
)"""
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS call " + _COLUMNS,
    "CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
)
_PUT: Final = """
    INSERT INTO call (source, callid, offered_s, kept, number, hash) VALUES (?, ?, ?, 1, ?, ?)
    ON CONFLICT (source, callid) DO NOTHING"""
_MARK: Final = """
    INSERT INTO call (source, callid, offered_s, kept, number, hash) VALUES (?, ?, ?, 0, x'', x'')
    ON CONFLICT (source, callid) DO NOTHING"""
# Values of the same length, so that SQLite writes them over the old ones.
_WIPE: Final = """
    UPDATE call SET kept = 0, number = zeroblob(length(number)), hash = zeroblob(length(hash)) WHERE kept AND """
_SET: Final = """
    INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"""


class Numbers:
    """The table of callers' numbers; for one thread, and beside other processes.

    Every method may raise StoreUnavailable (the disk is full, or another process holds the table for more than
    5 s) and StoreError (the table is damaged).
    """

    def __init__(self, data_dir: Path, country: str = "86") -> None:
        """Name the table; touches no file.

        Args:
            data_dir: The data directory.
            country: The country's calling code, by which two ways to write one number are known to be one.
        """
        self._path = data_dir / "numbers.db"
        self._key_path = data_dir / "numbers.key"
        self._country = country
        self._db: sqlite3.Connection | None = None
        self._scrub_is_due = False

    def open(self) -> None:
        """Open the table, making it and its key at the first start.

        Raises:
            ConfigError: A file is open to others, or the key is missing, malformed or another; the operator puts
                it right.
        """
        if self._db is not None:
            return
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            # Made here, because SQLite would make it, and the two files beside it, readable by others.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as exc:
            raise StoreUnavailable(f"{self._path}: cannot write ({exc.strerror})") from exc
        _refuse_if_open_to_others(self._path)
        self._db = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
        try:
            with self._answering() as db:
                db.execute("PRAGMA journal_mode = WAL").fetchone()
                db.execute("PRAGMA synchronous = NORMAL")
                db.execute("PRAGMA secure_delete = ON").fetchone()
                db.execute("PRAGMA temp_store = MEMORY")
                # The key in the same transaction: of two first starts, the second waits and finds the key.
                with self._change(survives=True):
                    for statement in _SCHEMA:
                        db.execute(statement)
                    self._take_key(db)
                self._scrub()  # a crash may have come between a wipe and its scrub
        except BaseException:
            self._db.close()
            self._db = None
            raise

    def close(self) -> None:
        """Close the table; `open` opens it again."""
        if self._db is not None:
            with self._answering() as db:
                if self._scrub_is_due:
                    self._scrub()
                db.close()
            self._db = None

    def put(self, rows: Iterable[tuple[str, str, str, int]]) -> int:
        """Keep callers' numbers.

        Left out are texts that are no number (anonymous, unknown, extensions), calls whose number is known already,
        was taken away or is secret, and calls older than the last `purge` allowed.

        Args:
            rows: (source, callid, number as the source wrote it, offered_s: epoch seconds UTC) each.

        Returns:
            How many were kept.
        """
        kept = 0
        source = iter(rows)
        with self._answering() as db:
            from_s = int(self._setting("kept_from_s", -(2**62)))
            # The caller's rows and the cipher take their time outside the transaction: others write here too.
            while batch := list(islice(source, _ROWS_AT_ONCE)):
                sealed = list(self._sealed(batch, from_s))
                with self._change():
                    kept += db.executemany(_PUT, sealed).rowcount if sealed else 0
            self._after_wipe(0)  # one that a reader was in the way of, if any
        return kept

    def drop(self, source: str, callids: Iterable[str], at_s: int) -> int:
        """Take the numbers of calls that touched a secret queue, and never keep one for them again.

        Survives a power cut when it returns: the archive will not tell again.

        Args:
            source: The calls' source.
            callids: Their ids.
            at_s: When the calls were in a secret queue, epoch seconds UTC, about; `purge` goes by it.

        Returns:
            How many numbers there were.
        """
        ids = [_storable(callid) for callid in callids]
        if not ids:
            return 0
        with self._answering() as db:
            with self._change(survives=True):
                wiped = db.executemany(
                    _WIPE + "source = ? AND callid = ?", ((source, callid) for callid in ids)
                ).rowcount
                db.executemany(_MARK, ((source, callid, at_s) for callid in ids))
            self._after_wipe(wiped)
        return wiped

    def get(self, source: str, callid: str) -> str | None:
        """A call's number, fit for dialling; None if there is none (any more).

        Raises:
            StoreError: The row was not written with this key, or not for this call.
        """
        callid = _storable(callid)
        with self._answering() as db:
            row = db.execute(
                "SELECT number FROM call WHERE source = ? AND callid = ? AND kept", (source, callid)
            ).fetchone()
        if row is None:
            return None
        nonce, sealed = row[0][:_NONCE_BYTES], row[0][_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, sealed, _bound_to(source, callid)).decode("ascii")
        except InvalidTag as exc:
            raise StoreError(
                f"{self._path}: call {callid[:80]!r} does not fit {self._key_path.name}"
            ) from exc

    def hash_of(self, number: str) -> bytes | None:
        """The keyed hash by which a repeat caller is known; None for a text that is no number.

        Two ways to write one number have one hash: with separators, with or without the country's code or a
        leading 0. A local number without its area code is another number.
        """
        dialled = _dialled(number)
        return None if dialled is None else self._hashed(dialled)

    def key_for(self, purpose: bytes) -> bytes:
        """A key of its own for another secret of this data directory, 32 bytes.

        Args:
            purpose: What for; at most 16 bytes.
        """
        if self._db is None:
            raise RuntimeError("open() comes first")
        return _derived(self._key, purpose)

    def purge(self, before_s: int) -> int:
        """Take the numbers of old calls, at the end of retention; later `put`s of such calls are left out.

        Args:
            before_s: Calls offered before this, epoch seconds UTC.

        Returns:
            How many numbers there were.
        """
        with self._answering() as db:
            with self._change():
                wiped = db.execute(_WIPE + "offered_s < ?", (before_s,)).rowcount
                db.execute(_SET, ("kept_from_s", before_s))
                useless_s = before_s - _DAY_S
                useless, rows = db.execute(
                    "SELECT count(*) FILTER (WHERE offered_s < ?), count(*) FROM call", (useless_s,)
                ).fetchone()
                if useless * 4 > rows:
                    # Into a new table, in its order, so that no row moves; the old one's pages are zeroed.
                    db.execute("CREATE TABLE copy " + _COLUMNS)
                    db.execute(
                        "INSERT INTO copy (source, callid, offered_s, kept, number, hash)"
                        " SELECT source, callid, offered_s, kept, number, hash FROM call"
                        " WHERE offered_s >= ? ORDER BY id",
                        (useless_s,),
                    )
                    db.execute("DROP TABLE call")
                    db.execute("ALTER TABLE copy RENAME TO call")
            self._after_wipe(wiped or useless)
        return wiped

    def forget(self, number: str) -> int:
        """Take a number from every call that has it, on its owner's request; those calls never get it back.

        Returns:
            How many calls had it.
        """
        hashed = self.hash_of(number)
        if hashed is None:
            return 0
        with self._answering() as db:
            with self._change(survives=True):
                wiped = db.execute(_WIPE + "hash = ?", (hashed,)).rowcount
            self._after_wipe(wiped)
        return wiped

    def count(self) -> int:
        """How many calls have a number."""
        with self._answering() as db:
            return int(db.execute("SELECT count(*) FROM call WHERE kept").fetchone()[0])

    # --- private ---

    @contextlib.contextmanager
    def _answering(self) -> Iterator[sqlite3.Connection]:
        if self._db is None:
            raise RuntimeError("open() comes first")
        try:
            yield self._db
        except sqlite3.OperationalError as exc:
            raise StoreUnavailable(
                f"{self._path}: {exc}; free the disk or stop what holds it, then it goes on"
            ) from exc
        except sqlite3.DatabaseError as exc:
            raise StoreError(f"{self._path} is damaged ({exc}): restore it from a backup") from exc

    @contextlib.contextmanager
    def _change(self, *, survives: bool = False) -> Iterator[None]:
        """One transaction; `survives` a power cut, where others may be lost and are told again by the source."""
        assert self._db is not None
        self._db.execute(f"PRAGMA synchronous = {'FULL' if survives else 'NORMAL'}")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # SQLite has rolled back by itself on a full disk
                self._db.execute("ROLLBACK")
            raise

    def _after_wipe(self, wiped: int) -> None:
        self._scrub_is_due = self._scrub_is_due or wiped > 0
        if self._scrub_is_due:
            self._scrub()

    def _scrub(self) -> None:
        """Empty the write-ahead log, which holds what was overwritten; if a reader is in the way, next time."""
        assert self._db is not None
        self._db.execute(f"PRAGMA busy_timeout = {_SCRUB_BUSY_MS}")
        busy, _, _ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._db.execute(f"PRAGMA busy_timeout = {int(_BUSY_S * 1000)}")
        self._scrub_is_due = bool(busy)

    def _setting(self, name: str, default: int | bytes) -> int | bytes:
        assert self._db is not None
        row = self._db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return default if row is None else row[0]

    def _take_key(self, db: sqlite3.Connection) -> None:
        held = self.count()
        if not self._key_path.exists():
            if held:
                raise ConfigError(
                    f"{self._key_path} is missing, and {self._path.name} holds {held} numbers that only it opens:"
                    f" restore it from a backup, or remove {self._path.name} to give them up"
                )
            _make_key(self._key_path)
        _refuse_if_open_to_others(self._key_path)
        try:
            text = self._key_path.read_text("ascii")
        except (OSError, UnicodeDecodeError):
            text = ""
        if _KEY.fullmatch(text) is None:
            raise ConfigError(
                f"{self._key_path} is not 64 hex digits, or unreadable: restore it from a backup"
            )
        self._key = key = bytes.fromhex(text)
        self._cipher = AESGCM(_derived(key, b"encrypt"))
        self._hasher = hashlib.blake2b(digest_size=HASH_BYTES, key=_derived(key, b"hash"))
        mark = _derived(key, b"check")
        if self._setting("key_check", mark) != mark and held:
            raise ConfigError(
                f"{self._key_path} is another key than the one that {self._path.name} was written with:"
                " restore the right one from a backup"
            )
        db.execute(_SET, ("key_check", mark))

    def _sealed(
        self, rows: list[tuple[str, str, str, int]], from_s: int
    ) -> Iterator[tuple[str, str, int, bytes, bytes]]:
        nonces = os.urandom(_NONCE_BYTES * len(rows))
        for i, (source, callid, number, offered_s) in enumerate(rows):
            dialled = _dialled(number)
            if dialled is None or offered_s < from_s:
                continue
            callid = _storable(callid)
            nonce = nonces[i * _NONCE_BYTES : (i + 1) * _NONCE_BYTES]
            sealed = self._cipher.encrypt(nonce, dialled.encode("ascii"), _bound_to(source, callid))
            yield source, callid, offered_s, nonce + sealed, self._hashed(dialled)

    def _hashed(self, dialled: str) -> bytes:
        hasher = self._hasher.copy()
        hasher.update(_same_for_all(dialled, self._country).encode("ascii"))
        return hasher.digest()


def _dialled(text: str) -> str | None:
    """What a source wrote as the caller -> digits that can be dialled, None if there is no number in it.

    >>> [_dialled(text) for text in ("0591-8765 4321", "sip:+8613800000000@10.0.0.1", "anonymous", "2001")]
    ['059187654321', '+8613800000000', None, None]
    """
    if _DIALLED.fullmatch(text):
        return text
    scheme, colon, rest = text.strip().partition(":")
    user = rest if colon and scheme.lower() in ("sip", "sips", "tel") else text
    user = user.partition("@")[0].partition(";")[0].translate(_SEPARATORS)
    return user if _DIALLED.fullmatch(user) else None


def _same_for_all(dialled: str, country: str) -> str:
    """The one way to write a number, among those in which switches and people do.

    >>> {_same_for_all(text, "86") for text in ("013800000000", "+8613800000000", "008613800000000")}
    {'13800000000'}
    >>> _same_for_all("00442079460000", "86")
    '+442079460000'
    """
    if dialled[0] not in "+0":
        # Some trunks write the country's code without a sign; then there are more digits than a number has.
        bare = len(dialled) > _NATIONAL_DIGITS and dialled.startswith(country)
        return dialled[len(country) :] if bare else dialled
    abroad = dialled[1:] if dialled[0] == "+" else dialled[2:] if dialled.startswith("00") else None
    if abroad is None:
        return dialled.lstrip("0")
    return abroad[len(country) :].lstrip("0") if abroad.startswith(country) else "+" + abroad


def _storable(callid: str) -> str:
    """A call's id, which is text of a stranger, as text that SQLite takes."""
    return callid if callid.isascii() else callid.encode("utf-8", "backslashreplace").decode("utf-8")


def _bound_to(source: str, callid: str) -> bytes:
    """What a ciphertext belongs to; a source's name holds no zero byte."""
    return b"%b\0%b" % (source.encode(), callid.encode())


def _derived(key: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(digest_size=32, key=key, person=purpose).digest()


def _make_key(path: Path) -> None:
    """Make the key file, whole or not at all."""
    temp = path.with_name(path.name + ".tmp")
    try:
        temp.unlink(missing_ok=True)
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, os.urandom(32).hex().encode("ascii") + b"\n")
            os.fsync(fd)
        finally:
            os.close(fd)
        temp.rename(path)
        directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)  # a number must not outlive its key
        finally:
            os.close(directory)
    except OSError as exc:
        raise StoreUnavailable(f"{path}: cannot write ({exc.strerror})") from exc


def _refuse_if_open_to_others(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ConfigError(f"{path} is open to other users ({mode:03o}): chmod 600 {path}")
