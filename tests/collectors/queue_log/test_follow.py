"""Every line of a growing log is taken once and in order, however its files are moved about."""

import bz2
import gzip
import lzma
import os
import random
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collectors.queue_log.files import LONGEST_LINE, denied, first_time
from collectors.queue_log.follow import Follower, Place, head_info, order_files, read_whole
from dashboard.errors import SourceUnavailable

RECORDINGS = Path(__file__).parents[2] / "recordings" / "asterisk"
OPENERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def text(second: int, what: str = "x") -> bytes:
    return b"%d|c|q|NONE|%s" % (1_795_445_000 + second, what.encode())


def write(path: Path, *lines: bytes, end: bytes = b"\n") -> None:
    with path.open("ab") as out:
        out.write(b"\n".join(lines) + end)


def drain(follower: Follower, limit: int = 1 << 20) -> list[bytes]:
    taken = []
    while pieces := follower.poll(limit):
        taken += [piece.line for piece in pieces]
    return taken


def kinds(follower: Follower) -> list[str]:
    return [note.kind for note in follower.take_notes()]


def again(follower: Follower) -> Follower:
    """The follower, stopped and started from its place as it was stored."""
    follower.close()
    place = follower.place
    return Follower(follower._path, None if place is None else Place.from_text(place.to_text()))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "queue_log"


# --- One file ----------------------------------------------------------------------------------------------


def test_a_file_that_does_not_exist_yet_is_waited_for(log: Path) -> None:
    follower = Follower(log)
    assert follower.poll() == [] and follower.poll() == []
    assert not follower.reading
    assert [(note.kind, note.text, note.place) for note in follower.take_notes()] == [
        ("missing", f"{log} does not exist (yet)", None)
    ]
    write(log, text(1), text(2))
    assert drain(follower) == [text(1), text(2)]
    assert follower.reading
    assert kinds(follower) == ["appeared"]
    assert follower.poll() == []


def test_a_folder_that_does_not_exist_yet_is_waited_for(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "asterisk" / "queue_log")
    assert follower.poll() == []
    assert kinds(follower) == ["missing"]


def test_half_a_line_waits_for_its_other_half(log: Path) -> None:
    write(log, text(1), b"17954", end=b"")
    follower = Follower(log)
    assert drain(follower) == [text(1)]
    assert follower.poll() == []
    write(log, b"45002|c|q|NONE|x", end=b"")
    assert follower.poll() == []
    follower = again(follower)
    write(log, b"", text(3))
    assert drain(follower) == [text(2), text(3)]


def test_lines_come_out_as_the_bytes_they_are(log: Path) -> None:
    odd = [b"\xff\xfe|\x00", b"", b"\r", "咨询".encode()[:4]]
    write(log, *odd)
    follower = Follower(log)
    assert drain(follower) == odd
    assert [line for _, line in read_whole(log)] == odd


def test_each_place_is_behind_its_line(log: Path) -> None:
    lines = [text(second, "y" * second) for second in range(30)]
    write(log, *lines)
    pieces = Follower(log).poll()
    assert [piece.line for piece in pieces] == lines
    for at, piece in enumerate(pieces):
        assert drain(Follower(log, piece.place)) == lines[at + 1 :]
    assert {piece.place.offset: piece.line for piece in pieces} == dict(read_whole(log))


def test_a_place_is_the_same_text_however_the_file_was_read(log: Path) -> None:
    lines = [text(second) for second in range(30)]
    slow = Follower(log)
    places = []
    for line in lines:
        write(log, line)
        places += [piece.place.to_text() for piece in slow.poll()]
    assert places == [piece.place.to_text() for piece in Follower(log).poll()]
    assert len(set(places)) == 30


@pytest.mark.parametrize(
    "broken", ["", "1:2:3", "2:1:1:1:aa:1:1", "1:1:1:1:aa:1:1\n", "1:1:1:1:aa:x:1", "１:1:1:1:aa:1:1"]
)
def test_what_is_no_place_is_not_taken_for_one(broken: str) -> None:
    with pytest.raises(ValueError, match="no place in a log file"):
        Place.from_text(broken)


def test_a_line_without_end_is_cut_and_the_next_one_found(log: Path) -> None:
    long = b"z" * (3 * LONGEST_LINE + 17)
    write(log, text(1), long, end=b"")
    follower = Follower(log)
    assert drain(follower, 1) == [text(1)]
    assert follower._long is not None and len(follower._long) == LONGEST_LINE
    write(log, b"zz", text(2), b"y" * (LONGEST_LINE - 1), b"y" * (LONGEST_LINE + 1), text(3))
    expected = [long[:LONGEST_LINE], text(2), b"y" * (LONGEST_LINE - 1), b"y" * LONGEST_LINE, text(3)]
    assert drain(follower, 1) == expected
    assert "long_line" in kinds(follower)
    offsets, lines = zip(*read_whole(log), strict=True)
    assert list(lines) == [text(1), *expected]
    assert offsets[-1] == log.stat().st_size == (follower.place or pytest.fail()).offset


def test_reading_whole_keeps_little_of_a_line_longer_than_its_chunks(log: Path) -> None:
    write(log, b"z" * (3 << 20), text(2), b"half", end=b"")
    found = list(read_whole(log))
    assert [line for _, line in found] == [b"z" * LONGEST_LINE, text(2), b"half"]
    assert [offset for offset, _ in found] == [(3 << 20) + 1, log.stat().st_size - 4, log.stat().st_size]


def test_an_idle_poll_asks_only_for_the_state_of_two_files(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(log, text(1))
    follower = Follower(log)
    drain(follower)
    calls: list[str] = []

    def counting(name: str) -> None:
        real: Callable[..., object] = getattr(os, name)

        def counted(*args: object, **options: object) -> object:
            calls.append(name)
            return real(*args, **options)

        monkeypatch.setattr(os, name, counted)

    for name in ("open", "pread", "fstat", "stat", "scandir", "listdir"):
        counting(name)
    assert follower.poll() == []
    assert calls == ["fstat", "stat"]


def test_a_short_read_only_delays(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [text(second) for second in range(50)]
    write(log, *lines)
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, offset: real(fd, min(size, 37), offset))
    follower = Follower(log)
    assert drain(follower) == lines
    assert [line for _, line in read_whole(log)] == lines
    assert drain(Follower(log, follower.place)) == []


# --- Rotation ----------------------------------------------------------------------------------------------


def test_a_renamed_file_is_read_to_its_end_then_the_new_one(log: Path) -> None:
    write(log, text(1))
    follower = Follower(log)
    drain(follower)
    kinds(follower)
    write(log, text(2))
    log.rename(log.with_name("queue_log.0"))
    write(log, text(3))
    assert drain(follower) == [text(2), text(3)]
    assert kinds(follower) == ["rotated"]


def test_the_old_file_is_read_on_while_the_new_one_is_empty(log: Path) -> None:
    write(log, text(1))
    follower = Follower(log)
    drain(follower)
    log.rename(log.with_name("queue_log.1"))
    log.touch()  # logrotate's `create`; the switch has not been told yet
    write(log.with_name("queue_log.1"), text(2))
    assert drain(follower) == [text(2)]
    follower = again(follower)
    write(log.with_name("queue_log.1"), text(3))
    assert drain(follower) == [text(3)]
    write(log, text(4))
    assert drain(follower) == [text(4)]


def test_a_file_removed_under_the_switch_is_read_on_and_said_so(log: Path) -> None:
    with log.open("ab", buffering=0) as out:
        out.write(text(1) + b"\n")
        follower = Follower(log)
        drain(follower)
        kinds(follower)
        log.unlink()
        out.write(text(2) + b"\n")
        assert drain(follower) == [text(2)]
        assert follower.poll() == [] == follower.poll()
        assert [note.text for note in follower.take_notes()] == [
            f"{log} was removed while it is written; reload the switch's logger"
        ]
        write(log, text(3))
        assert drain(follower) == [text(3)]


def test_half_a_line_before_a_rotation_is_a_line_once_the_new_file_has_one(log: Path) -> None:
    write(log, text(1), b"torn", end=b"")
    follower = Follower(log)
    drain(follower)
    log.rename(log.with_name("queue_log.1"))
    assert follower.poll() == []
    write(log, text(2))
    assert drain(follower) == [b"torn", text(2)]
    assert "half_line" in kinds(follower)


def test_half_a_line_is_taken_once_when_the_follower_stops_behind_it(log: Path) -> None:
    write(log, text(1), b"torn", end=b"")
    follower = Follower(log)
    drain(follower)
    log.rename(log.with_name("queue_log.1"))
    write(log, text(2))
    assert [piece.line for piece in follower.poll()] == [b"torn"]
    assert drain(again(follower)) == [text(2)]


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz"])
def test_a_copied_and_truncated_file_is_read_on_in_its_copy(log: Path, suffix: str) -> None:
    write(log, *[text(second) for second in range(20)])
    follower = Follower(log)
    drain(follower)
    kinds(follower)
    write(log, text(20), text(21))
    copy = log.with_name("queue_log-20261123" + suffix)
    copy.write_bytes(OPENERS.get(suffix, bytes)(log.read_bytes()))
    os.truncate(log, 0)
    running, restarted = follower, Follower(log, follower.place)
    assert drain(running) == [text(20), text(21)] == drain(restarted)
    assert kinds(running) == ["truncated"]
    write(log, *[text(second, "longer than before") for second in range(30, 60)])
    for each in (running, restarted):
        assert drain(each) == [text(second, "longer than before") for second in range(30, 60)]
        assert "gap" not in kinds(each)


def test_a_truncation_is_seen_when_the_file_has_outgrown_its_old_size(log: Path) -> None:
    write(log, text(1), text(2))
    follower = Follower(log)
    drain(follower)
    shutil.copy(log, log.with_name("queue_log.1"))
    os.truncate(log, 0)
    new = [text(second) for second in range(10, 20)]
    write(log, *new)
    assert drain(follower) == new
    assert kinds(follower)[-1] == "truncated"


def test_a_truncation_without_a_copy_is_a_gap(log: Path) -> None:
    write(log, text(1), text(2))
    follower = Follower(log)
    drain(follower)
    kinds(follower)
    place = follower.place
    write(log, text(3))
    os.truncate(log, 0)
    assert follower.poll() == []
    note = follower.take_notes()[0]
    assert (note.kind, note.place) == ("gap", place)
    assert note.text == f"{log} was truncated and there is no copy of it; what was written last may be lost"
    write(log, text(4))
    assert drain(follower) == [text(4)]
    assert kinds(follower) == []


def test_a_copy_that_misses_what_was_read_is_a_gap_and_not_read_again(log: Path) -> None:
    write(log, text(1), text(2))
    shutil.copy(log, log.with_name("queue_log.1"))
    write(log, text(3))
    follower = Follower(log)
    assert drain(follower) == [text(1), text(2), text(3)]
    os.truncate(log, 0)
    write(log, text(4))
    assert drain(follower) == [text(4)]
    assert kinds(follower) == ["appeared", "gap"]


def test_a_file_copied_and_truncated_before_anything_was_taken_of_it_is_read_first(log: Path) -> None:
    log.touch()
    follower = Follower(log)
    assert follower.poll() == []
    write(log, text(1))
    shutil.copy(log, log.with_name("queue_log.1"))
    os.truncate(log, 0)
    write(log, text(2))
    assert drain(follower) == [text(1), text(2)]


def test_a_file_put_back_or_kept_up_to_date_by_a_copy_is_the_same_file(log: Path) -> None:
    write(log, text(1), b"17954", end=b"")
    follower = Follower(log)
    assert drain(follower) == [text(1)]
    fresh = log.with_name(".queue_log.Xy12")  # as rsync does it
    write(fresh, text(1), text(2), text(3))
    fresh.replace(log)
    assert drain(follower) == [text(2), text(3)]
    assert "gap" not in kinds(follower)
    assert drain(again(follower)) == []


def test_a_file_that_is_another_now_is_a_gap(log: Path) -> None:
    write(log, text(10), text(11))
    write(log.with_name("queue_log.1"), text(1))
    follower = Follower(log)
    drain(follower)
    follower.close()
    log.unlink()
    write(log, text(20))
    follower = again(follower)
    assert drain(follower) == [text(20)]
    assert kinds(follower) == ["gap"]


def test_what_came_after_a_file_that_is_gone_is_still_read(log: Path) -> None:
    write(log.with_name("queue_log.9"), text(1))
    write(log, text(10))
    follower = Follower(log)
    drain(follower)
    log.unlink()
    write(log.with_name("queue_log.2"), text(20))
    write(log.with_name("queue_log.1"), text(30))
    write(log, text(40))
    assert drain(again(follower)) == [text(20), text(30), text(40)]


def test_a_file_that_got_shorter_is_read_on_from_its_end(log: Path) -> None:
    write(log, *[text(second) for second in range(30)])
    follower = Follower(log)
    drain(follower)
    kinds(follower)
    os.truncate(log, 20 * (len(text(1)) + 1))
    restarted = Follower(log, follower.place)
    for each in (follower, restarted):
        assert each.poll() == []
        assert kinds(each) == ["gap"]
    write(log, text(4))
    assert drain(follower) == drain(restarted) == [text(4)]


def test_a_short_file_that_got_shorter_is_read_on_from_its_end(log: Path) -> None:
    write(log, text(1), text(2), text(3))
    follower = Follower(log)
    drain(follower)
    kinds(follower)
    os.truncate(log, len(text(1)) + 1)
    assert follower.poll() == []
    assert kinds(follower) == ["gap"]
    write(log, text(4))
    assert drain(follower) == [text(4)]


def test_an_old_backup_is_not_taken_for_the_file(log: Path) -> None:
    write(log, text(1))
    shutil.copy(log, log.with_name("queue_log.bak"))
    shutil.copy(log, log.with_name("queue_log-1.orig"))
    write(log, text(2))
    follower = Follower(log)
    drain(follower)
    follower.close()
    write(log, text(3))
    log.rename(log.with_name("queue_log.1"))
    write(log.with_name("queue_log.old"), text(4))  # a name that no rotation gives
    write(log, text(5))
    assert drain(again(follower)) == [text(3), text(5)]


def test_two_rotations_within_a_second_are_told_by_their_numbers(log: Path) -> None:
    write(log, text(1))
    follower = Follower(log)
    drain(follower)
    log.rename(log.with_name("queue_log.2"))
    write(log.with_name("queue_log.1"), text(5, "CONFIGRELOAD|"), text(5, "a"))
    write(log.with_name("queue_log.0"), text(5, "CONFIGRELOAD|"), text(5, "b"))
    write(log, text(5, "CONFIGRELOAD|"))
    expected = [text(5, "CONFIGRELOAD|"), text(5, "a"), text(5, "CONFIGRELOAD|"), text(5, "b")]
    expected.append(text(5, "CONFIGRELOAD|"))
    assert drain(Follower(log, follower.place)) == expected
    assert drain(follower) == expected


def test_a_damaged_rotated_file_is_a_gap_and_the_rest_goes_on(log: Path) -> None:
    lines = [os.urandom(300).hex().encode() for _ in range(2000)]
    write(log, text(1), *lines)
    whole = gzip.compress(log.read_bytes())
    follower = Follower(log)
    first = follower.poll(1)
    follower.close()
    log.with_name("queue_log.1.gz").write_bytes(whole[: len(whole) // 2])
    log.unlink()
    write(log, text(9))
    follower = again(follower)
    taken = drain(follower)
    assert taken[-1] == text(9)
    assert taken[:-1] == lines[len(first) - 1 : len(first) - 2 + len(taken)]
    assert len(first) + len(taken) > 500
    assert "gap" in kinds(follower)


def test_every_recorded_line_of_a_real_rotation_is_taken_once(log: Path) -> None:
    folder = RECORDINGS / "rotate"
    parts = [path.read_bytes() for path in order_files(folder.glob("queue_log*"))]
    expected = b"".join(parts).splitlines()
    log.write_bytes(parts[0][:5000])
    follower = Follower(log)
    taken = drain(follower)
    for name in ("queue_log", "queue_log.0", "queue_log.1"):
        log.with_name(name).write_bytes((folder / name).read_bytes())
    assert taken + drain(follower) == expected  # the first file lies under a new inode, too
    stopped = Follower(log, Follower(log.with_name("queue_log.1")).poll()[9].place)
    assert drain(stopped) == expected[10:]


# --- Order, heads, whole files -----------------------------------------------------------------------------


def test_files_are_ordered_by_their_first_line(tmp_path: Path) -> None:
    for name, second in {
        "queue_log.2": 1,
        "queue_log.10": 0,
        "queue_log-20261123": 9,
        "queue_log": 12,
    }.items():
        write(tmp_path / name, text(second))
    (tmp_path / "queue_log.1.gz").write_bytes(gzip.compress(b"torn\n" + text(5) + b"\n"))
    (tmp_path / "queue_log.0").touch()
    names = [path.name for path in order_files(tmp_path.iterdir())]
    expected = [
        "queue_log.0",
        "queue_log.10",
        "queue_log.2",
        "queue_log.1.gz",
        "queue_log-20261123",
        "queue_log",
    ]
    assert names == expected


@pytest.mark.parametrize(
    ("first_seconds", "order"),
    [
        ({"q.0": 5, "q.1": 5, "q": 5}, ["q.1", "q.0", "q"]),
        ({"q.0": 1, "q.1": 5, "q.2": 5, "q": 5}, ["q.0", "q.1", "q.2", "q"]),  # rotatestrategy = sequential
        ({"q-20261123": 5, "q-20261124": 5, "q": 5}, ["q-20261123", "q-20261124", "q"]),
        ({"q.1795445200": 5, "q.1795445100": 5}, ["q.1795445100", "q.1795445200"]),
    ],
)
def test_files_of_the_same_second_are_ordered_by_number(
    tmp_path: Path, first_seconds: dict[str, int], order: list[str]
) -> None:
    for name, second in first_seconds.items():
        write(tmp_path / name, text(second))
    assert [path.name for path in order_files(tmp_path.iterdir())] == order


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz"])
def test_a_file_is_read_whole_whatever_it_is_compressed_with(tmp_path: Path, suffix: str) -> None:
    original = (RECORDINGS / "short-a" / "queue_log").read_bytes()
    path = tmp_path / "anything"
    path.write_bytes(OPENERS.get(suffix, bytes)(original))
    found = list(read_whole(path))
    assert b"".join(line + b"\n" for _, line in found) == original
    assert all(original[:offset].endswith(line + b"\n") for offset, line in found)
    assert head_info(path) == (1795445183, original[:256])


def test_a_file_without_a_time_has_none() -> None:
    assert first_time(b"") is None
    assert first_time(b"x|1795445183|\n") is None
    assert first_time(b"\0\0\x001795445183|c|") == 1795445183
    assert first_time(b"445183|c|q|\n1795445184|c|q") == 1795445184


@pytest.mark.parametrize(
    "read", [head_info, lambda path: list(read_whole(path)), lambda path: order_files([path])]
)
def test_what_cannot_be_read_says_why(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(SourceUnavailable, match="does not exist"):
        read(tmp_path / "none")
    with pytest.raises(SourceUnavailable, match="is no regular file"):
        read(tmp_path)


def test_a_damaged_file_gives_what_stands_before_the_damage(tmp_path: Path) -> None:
    lines = [os.urandom(100).hex().encode() for _ in range(3000)]
    packed = gzip.compress(b"\n".join(lines))
    path = tmp_path / "queue_log.1.gz"
    path.write_bytes(packed[: len(packed) // 2])
    taken = []
    with pytest.raises(SourceUnavailable, match="is damaged, or not compressed to its end"):
        for _, line in read_whole(path):
            taken.append(line)
    assert 1000 < len(taken) < 2000 and taken == lines[: len(taken)]


# --- Who may read it ---------------------------------------------------------------------------------------


@pytest.fixture
def nobodys_log() -> Iterator[Path]:
    """A log in a folder that everybody may enter; root becomes nobody for the test, and back."""
    folder = Path(tempfile.mkdtemp(prefix="wb"))
    folder.chmod(0o755)
    log = folder / "queue_log"
    write(log, text(1))
    log.chmod(0o600)
    was_root = os.geteuid() == 0
    groups = os.getgroups()
    if was_root:
        os.setgroups([])
        os.setegid(65534)
        os.seteuid(65534)
    else:
        log.chmod(0)
    yield log
    if was_root:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_file_that_may_not_be_read_says_whose_it_is_and_which_group_to_join(nobodys_log: Path) -> None:
    follower = Follower(nobodys_log)
    with pytest.raises(SourceUnavailable) as caught:
        follower.poll()
    if os.geteuid() == 65534:
        assert str(caught.value) == (
            f"cannot read {nobodys_log}: it belongs to root:root (mode 600). "
            "Add this user to the group: sudo usermod -aG root nobody, then log in again. "
            f"Let the group in: sudo chmod g+r {nobodys_log}."
        )
    else:
        pattern = rf"cannot read {nobodys_log}: it belongs to \S+:\S+ \(mode 0\)\. Let the group in: sudo chmod g\+r"
        assert re.match(pattern, str(caught.value))
    assert not follower.reading
    with pytest.raises(SourceUnavailable):
        follower.poll()


def test_a_folder_that_may_not_be_entered_is_named(
    nobodys_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = nobodys_log.parent
    if os.geteuid() == 65534:
        os.seteuid(0)
        folder.chmod(0o700)
        os.seteuid(65534)
    else:
        folder.chmod(0)
    with pytest.raises(
        SourceUnavailable, match=rf"cannot read {nobodys_log}: {folder} belongs to .*chmod g\+x"
    ):
        Follower(nobodys_log).poll()


def test_a_rotated_file_that_may_not_be_read_is_not_declared_lost(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(log, text(1))
    follower = Follower(log)
    drain(follower)
    old = log.with_name("queue_log.1")
    write(log, text(2))
    log.rename(old)
    write(log, text(3))
    real = os.open

    def refusing(path: Path, flags: int) -> int:
        if path == old:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, flags)

    restarted = again(follower)
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refusing)
        for _ in range(2):
            with pytest.raises(SourceUnavailable, match=r"cannot read .*queue_log\.1"):
                restarted.poll()
    assert drain(restarted) == [text(2), text(3)]
    assert "gap" not in kinds(restarted)


def test_a_disk_error_is_told_and_tried_again(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(log, text(1))
    follower = Follower(log)
    drain(follower)
    write(log, text(2))

    def failing(fd: int, size: int, offset: int) -> bytes:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", failing)
        with pytest.raises(SourceUnavailable, match=f"cannot read {log}: Input/output error"):
            follower.poll()
    assert drain(follower) == [text(2)]


def test_a_pipe_is_no_log(log: Path) -> None:
    os.mkfifo(log)
    with pytest.raises(SourceUnavailable, match="is no regular file"):
        Follower(log).poll()


def test_denial_of_a_file_that_is_gone_says_so(log: Path) -> None:
    assert denied(log) == f"cannot read {log}: No such file or directory at {log}"


# --- Any schedule ------------------------------------------------------------------------------------------


class Switch:
    """Writes a log as a switch does, and rotates it as its operator's tools do.

    Lines are written in pieces; rotations happen where a real switch lets them: between two lines.
    """

    def __init__(self, path: Path, rng: random.Random) -> None:
        self.path = path
        self.rng = rng
        self.naming = rng.choice(["shift", "sequential", "dated", "dated-dash"])
        self.first = rng.choice([0, 1])
        self.out = path.open("ab", buffering=0)
        self.second = 0
        self.count = 0
        self.written: list[bytes] = []
        self.rest = b""
        self.uncompressed: list[Path] = []

    def write(self) -> None:
        """Some lines, and perhaps a part of the next."""
        self.finish()
        data = b""
        for _ in range(self.rng.randrange(1, 6)):
            self.count += 1
            self.second += self.rng.choice([0, 0, 0, 1])
            line = text(self.second, f"{self.count}|" + "y" * self.rng.choice([0, 5, 300]))
            self.written.append(line)
            data += line + b"\n"
        cut = self.rng.choice([0, 0, self.rng.randrange(len(data))])
        self.rest = data[len(data) - cut :]
        self.out.write(data[: len(data) - cut])

    def finish(self) -> None:
        """The rest of the line that is half written."""
        self.out.write(self.rest)
        self.rest = b""

    def rotate(self) -> None:
        """By renaming or copying; the moved file may be compressed, at once or at the next time."""
        self.finish()
        if os.fstat(self.out.fileno()).st_size == 0:
            return
        compress = self.rng.choice([None, ".gz", ".bz2", ".xz"])
        if compress and self.rng.random() < 0.5:
            for path in self.uncompressed:
                self.compress(path, compress)
            self.uncompressed = []
        target = self.make_room()
        if self.rng.random() < 0.4:
            shutil.copy(self.path, target)
            os.truncate(self.path, 0)
        else:
            self.path.rename(target)
            if self.rng.random() < 0.5:
                self.path.touch()
                for _ in range(self.rng.randrange(3)):
                    self.write()  # still into the old file
                    self.finish()
            self.out.close()
            self.out = self.path.open("ab", buffering=0)
        self.second += 1
        if compress and self.rng.random() < 0.5:
            self.compress(target, compress)
        else:
            self.uncompressed.append(target)

    def make_room(self) -> Path:
        """The rotated file's name, the others moved up as the naming wants it."""
        taken = {}
        for path in self.path.parent.iterdir():
            if match := re.fullmatch(r"queue_log[.-](\d+)(\.\w+)?", path.name):
                taken[int(match[1])] = (path, match[2] or "")
        if self.naming == "shift":
            for number in sorted(taken, reverse=True):
                path, suffix = taken[number]
                moved = self.path.with_name(f"queue_log.{number + 1}{suffix}")
                path.rename(moved)
                self.uncompressed = [moved if p == path else p for p in self.uncompressed]
            return self.path.with_name(f"queue_log.{self.first}")
        if self.naming == "sequential":
            return self.path.with_name(f"queue_log.{max(taken, default=self.first - 1) + 1}")
        mark = "." if self.naming == "dated" else "-"
        return self.path.with_name(f"queue_log{mark}{1_795_445_000 + self.second + self.count * 10}")

    @staticmethod
    def compress(path: Path, suffix: str) -> None:
        packed = path.with_name(path.name + suffix)
        packed.write_bytes(OPENERS[suffix](path.read_bytes()))
        path.unlink()


def check_schedule(folder: Path, seed: int) -> None:
    rng = random.Random(seed)
    switch = Switch(folder / "queue_log", rng)
    follower = Follower(switch.path)
    taken: list[bytes] = []
    notes: list[str] = []

    def take(polls: int) -> None:
        for _ in range(polls):
            taken.extend(piece.line for piece in follower.poll(1 if rng.random() < 0.3 else 1 << 20))
            notes.extend(kinds(follower))

    switch.write()
    switch.finish()
    take(1)  # a place to start again from
    for _ in range(rng.randrange(10, 60)):
        act = rng.random()
        if act < 0.45:
            switch.write()
        elif act < 0.6:
            switch.rotate()
        elif act < 0.7:
            follower = again(follower)
        else:
            take(rng.randrange(1, 4))
    switch.finish()
    switch.write()
    switch.finish()
    while (before := len(taken)) >= 0:
        take(3)
        if len(taken) == before:
            break
    follower.close()
    switch.out.close()
    assert taken == switch.written
    assert not set(notes) & {"gap", "half_line", "long_line", "missing"}


@pytest.mark.parametrize("seed", range(150))
def test_whatever_the_schedule_every_line_is_taken_once_and_in_order(tmp_path: Path, seed: int) -> None:
    check_schedule(tmp_path, seed)


def test_a_rotation_in_the_middle_of_a_poll_loses_nothing(tmp_path: Path) -> None:
    rng = random.Random(7)
    switch = Switch(tmp_path / "queue_log", rng)
    switch.write()
    switch.finish()
    follower = Follower(switch.path)
    taken = [piece.line for piece in follower.poll()]

    def work() -> None:
        for _ in range(120):
            for _ in range(5):
                switch.write()
            # A copy made while lines are being read may be shorter than what was read: only renaming here.
            switch.finish()
            target = switch.make_room()
            switch.path.rename(target)
            switch.out.close()
            switch.out = switch.path.open("ab", buffering=0)
            switch.second += 1
        switch.write()
        switch.finish()

    writer = threading.Thread(target=work)
    writer.start()
    idle = 0
    while idle < 5:
        pieces = follower.poll()
        idle = 0 if pieces or writer.is_alive() else idle + 1
        taken += [piece.line for piece in pieces]
        if rng.random() < 0.02:
            follower = again(follower)
    writer.join()
    switch.out.close()
    follower.close()
    assert taken == switch.written


def test_the_random_schedules_do_meet_every_kind_of_file(tmp_path: Path) -> None:
    seen = set()
    for seed in range(40):
        folder = tmp_path / str(seed)
        folder.mkdir()
        check_schedule(folder, seed)
        seen |= {re.sub(r"(?<=[.-])\d+", "N", path.name) for path in folder.iterdir()}
    packed = {f"queue_log{mark}N{suffix}" for mark in ".-" for suffix in ("", ".gz", ".bz2", ".xz")}
    assert packed <= seen
