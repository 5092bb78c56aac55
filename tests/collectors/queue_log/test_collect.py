"""The collector of queue_log: each line once, whatever was imported before, rotated, or broken in between."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hotline import AFTER_S, DAY, Recording, Stage, archived_lines, recording, stage, until

from collectors.queue_log.collect import follow, order, replayer
from dashboard.core.gaps import Gap
from dashboard.core.names import NO_NAMES
from dashboard.errors import SourceUnavailable
from dashboard.store.archive import Archive
from dashboard.store.numbers import Numbers
from dashboard.store.reader import part_of, rules_of

AT = 1795445100


@pytest.fixture
def played(shared_data: Path) -> Recording:
    return recording(shared_data, "rotate")


@pytest.fixture
def here(played: Recording, tmp_path: Path, redis_url: str) -> Stage:
    return stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log"))


@pytest.fixture
def whole(played: Recording, tmp_path: Path, redis_url: str) -> Callable[[bytes], dict[str, object]]:
    """The counts of a log that is collected in one go."""

    def collect(data: bytes) -> dict[str, object]:
        alone = stage(
            tmp_path / "alone",
            redis_url,
            played.toml(log=tmp_path / "alone" / "queue_log").replace("fuzhou", "alone"),
        )
        (tmp_path / "alone" / "queue_log").write_bytes(data)
        with alone.collecting() as drain:
            drain()
        return alone.counted()

    return collect


def log_of(here: Stage) -> Path:
    return Path(here.config.source("pbx1").path)


def take(here: Stage) -> None:
    """Collect what is there now, and stop."""
    with here.collecting() as drain:
        drain()


def lines_of(data: bytes, first: int, last: int | None = None) -> bytes:
    return b"\n".join(data.split(b"\n")[first:last]) + (b"\n" if last is not None else b"")


# Following ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [1500, 4001])
def test_a_collector_that_is_started_again_all_the_time_takes_each_line_once(
    step: int, here: Stage, played: Recording, whole: Callable[[bytes], object]
) -> None:
    """With the switch's rotations in between: some while it runs, some while it is off."""
    log = log_of(here)
    written = 0
    for number, path in enumerate(played.files):
        if number:
            for older in range(number - 1, 0, -1):
                log.with_name(f"queue_log.{older - 1}").rename(log.with_name(f"queue_log.{older}"))
            log.rename(log.with_name("queue_log.0"))
        data = path.read_bytes()
        for start in range(0, len(data), step):
            with log.open("ab") as file:
                file.write(data[start : start + step])
            if written % 3 != 2:
                take(here)
            written += 1
    take(here)
    assert here.counted() == whole(played.data)
    assert len([line for line in archived_lines(here.config) if line[0] == "L"]) == played.data.count(b"\n")


def test_another_key_does_not_make_the_log_look_new(
    here: Stage, played: Recording, whole: Callable[[bytes], object]
) -> None:
    """The operator gave the numbers up, and their key with them."""
    log = log_of(here)
    log.write_bytes(lines_of(played.data, 0, 60))
    take(here)
    log.rename(log.with_name("queue_log.0"))
    log.write_bytes(lines_of(played.data, 60, 150))
    take(here)
    for name in ("numbers.key", "numbers.db"):
        (here.config.data_dir / name).unlink()
    log.write_bytes(lines_of(played.data, 60))
    take(here)
    take(here)
    assert here.counted() == whole(played.data)


def test_a_log_that_cannot_be_read_is_told_and_read_when_it_can(here: Stage, played: Recording) -> None:
    log = log_of(here)
    log.mkdir()
    with here.tools() as tools:
        collector = follow(tools)
        step = collector.step()
        assert (step.busy, step.read) == (False, False)
        assert str(log) in step.problem and "\n" not in step.problem
        log.rmdir()
        assert "does not exist yet" in collector.step().problem
        log.write_bytes(played.data)
        until(lambda: collector.step().read)
        assert collector.step().problem == ""
        collector.close()


def test_a_truncated_log_leaves_a_gap_that_ends(here: Stage, played: Recording) -> None:
    log = log_of(here)
    log.write_bytes(played.data)
    here.now_s = AFTER_S
    with here.collecting() as drain:
        drain()
        log.write_bytes(b"")
        here.now_s = AFTER_S + 30
        drain()
        drain()
    kinds = [kind for kind, _ in archived_lines(here.config)]
    assert kinds[-1] == "G"
    coverage = here.reader.snapshot("pbx1", []).coverage
    assert [to_s - from_s for from_s, to_s in coverage][-1] == 0
    assert coverage[-1][0] == AFTER_S + 30
    assert any("truncated" in line for line in here.said)


def test_an_idle_log_covers_its_time(here: Stage, played: Recording) -> None:
    log = log_of(here)
    log.write_bytes(played.data)
    with here.collecting() as drain:
        for minute in range(4):
            here.now_s = AFTER_S + 60 * minute
            drain()
    assert here.reader.snapshot("pbx1", []).coverage[-1][1] == AFTER_S + 180
    assert len([1 for kind, _ in records_of(here) if kind == "C"]) == 4


def quality_of(here: Stage) -> tuple[list[Gap], list[tuple[int, int]]]:
    """Gaps, and what was read later, as a reader finds them; and as a rebuild finds them again."""
    found = []
    for again in (False, True):
        if again:
            writer = here.writer()
            writer.open(rebuild=True)
            writer.close()
        snapshot = here.reader.snapshot("pbx1", [DAY])
        part = part_of(snapshot, rules_of(here.config), here.now_s)
        found.append((list(part.gaps), list(part.backfilled)))
    assert found[0] == found[1]
    return found[0]


def waits_at(*times_s: int) -> bytes:
    return b"".join(b"%d|%d.1|consult|NONE|ENTERQUEUE||19900000000|1\n" % (at_s, at_s) for at_s in times_s)


def test_a_log_that_was_written_while_the_collector_was_off_is_read_later_and_marked(here: Stage) -> None:
    log = log_of(here)
    log.write_bytes(waits_at(AT, AT + 30))
    here.now_s = AT + 40
    take(here)
    with log.open("ab") as file:
        file.write(waits_at(AT + 1000, AT + 3000))
    here.now_s = AT + 3640
    take(here)
    here.now_s = AT + 3700
    take(here)
    # The last that the archive knows is the mark of 40 s.
    assert quality_of(here) == ([], [(AT + 40, AT + 3640)])
    assert here.reader.snapshot("pbx1", []).coverage == [(AT, AT + 3700)]


def test_a_short_rest_is_not_marked(here: Stage) -> None:
    log = log_of(here)
    log.write_bytes(waits_at(AT))
    for later_s in (5, 115, 200):
        here.now_s = AT + later_s
        take(here)
    assert quality_of(here) == ([], [])


def test_what_is_in_a_log_before_the_first_start_is_not_marked(here: Stage) -> None:
    log_of(here).write_bytes(waits_at(AT, AT + 3000))
    here.now_s = AT + 9000
    take(here)
    assert quality_of(here) == ([], [])


def test_a_log_that_could_not_be_read_for_a_while_is_marked(here: Stage) -> None:
    log = log_of(here)
    log.write_bytes(waits_at(AT))
    here.now_s = AT + 10
    with here.collecting() as drain:
        drain()
        log.rename(log.with_name("elsewhere"))
        log.mkdir()
        here.now_s = AT + 20
        drain()
        for later_s in (200, 400):
            here.now_s = AT + later_s
            drain()
    log.rmdir()
    log.with_name("elsewhere").rename(log)
    with log.open("ab") as file:
        file.write(waits_at(AT + 300))
    here.now_s = AT + 600
    take(here)
    gaps, later = quality_of(here)
    assert gaps == []
    assert [to_s for _, to_s in later][-1] == AT + 600


def test_a_log_truncated_while_the_collector_was_off_is_a_gap(here: Stage) -> None:
    log = log_of(here)
    log.write_bytes(waits_at(AT, AT + 30))
    here.now_s = AT + 40
    take(here)
    log.write_bytes(waits_at(AT + 3000))
    here.now_s = AT + 3640
    take(here)
    gaps, later = quality_of(here)
    assert [(gap.from_s, gap.to_s, gap.reason) for gap in gaps] == [(AT + 40, AT + 3000, "replaced")]
    assert later == [(AT + 3000, AT + 3640)]


def test_a_rotated_file_that_is_gone_leaves_a_gap_until_the_next_line(here: Stage) -> None:
    log = log_of(here)
    log.write_bytes(waits_at(AT, AT + 30))
    here.now_s = AT + 40
    take(here)
    with log.open("ab") as file:
        file.write(waits_at(AT + 60))
    log.unlink()
    log.write_bytes(waits_at(AT + 100))
    here.now_s = AT + 110
    take(here)
    gaps, later = quality_of(here)
    assert [(gap.from_s, gap.to_s, gap.reason) for gap in gaps] == [(AT + 40, AT + 100, "replaced")]
    assert str(log) in gaps[0].detail
    assert later == []


def records_of(here: Stage) -> list[tuple[str, bytes]]:
    return [record for chunk in Archive(here.config.data_dir, "pbx1").read_live() for record in chunk.records]


def test_a_line_that_cannot_be_read_is_kept_masked_and_counted_for_nothing(here: Stage) -> None:
    bad = f"{AT}|{AT}.1|consult|NONE|ENTERQUEUE||13800138000\n{AT}|x\n{AT + 5}|{AT}.1|consult|NONE|ABANDON|1|1|five\n"
    log_of(here).write_text(bad)
    take(here)
    kept = [payload for kind, payload in archived_lines(here.config) if kind == "R"]
    assert len(kept) == 3
    assert not any(b"13800138000" in payload for payload in kept)
    offsets = [int(payload.split(b"|")[0]) for payload in kept]
    assert offsets == [bad.index("\n") + 1, bad.index("x\n") + 2, len(bad)]
    assert here.show("total")["total"]["offered"] is None


def test_a_rejected_line_is_read_again_with_todays_names() -> None:
    replay = replayer(NO_NAMES)
    assert replay("R", b"7|why|%d|c|q|NONE|ABANDON|1|1|5" % AT) is not None
    assert replay("R", b"7|why|not a line") is None
    assert replay("C", b"%d" % AT) is None


def test_numbers_are_kept_for_open_queues_only(played: Recording, tmp_path: Path, redis_url: str) -> None:
    here = stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log", open_queues=["consult"]))
    text = "".join(
        f"{AT + n}|{AT}.{n}|{queue}|NONE|ENTERQUEUE||1990000000{n}|1\n"
        for n, queue in enumerate(["consult", "integrity", "consult", "new"])
    )
    # The third goes on to a secret queue: nobody may know who it was.
    text += f"{AT + 60}|{AT}.2|integrity|NONE|ENTERQUEUE||19900000002|1\n"
    log_of(here).write_text(text)
    take(here)
    numbers = Numbers(here.config.data_dir)
    numbers.open()
    assert [numbers.get("pbx1", f"{AT}.{n}") for n in range(4)] == ["19900000000", None, None, None]
    numbers.close()


# Importing ---------------------------------------------------------------------------------------------------------


def test_the_same_file_again_is_repeated_under_any_name(
    here: Stage, played: Recording, tmp_path: Path
) -> None:
    path = played.files[0]
    other = tmp_path / "copy.txt"
    shutil.copy(path, other)
    packed = tmp_path / "queue_log-old.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    first, *again = here.put(path, path, other, packed)
    assert (first.repeated, first.accepted, first.rejected) == (False, 134, 0)
    assert [done.repeated for done in again] == [True, True, True]
    assert len(Archive(here.config.data_dir, "pbx1").imports()) == 1


def test_files_in_any_order_give_the_counts_of_the_whole(
    here: Stage, played: Recording, whole: Callable[[bytes], object], tmp_path: Path, redis_url: str
) -> None:
    for number, files in enumerate(([2, 1, 0], [1, 2, 0], [2, 0, 1])):
        name = f"order{number}"
        toml = played.toml(log=tmp_path / "none").replace("fuzhou", name)
        one = stage(tmp_path / name, redis_url, toml)
        one.put(*(played.files[i] for i in files))
        assert one.counted() == whole(played.data)
    assert order(played.files[::-1]) == played.files


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((0, 70), id="its beginning"),
        pytest.param((0, 140), id="grown"),
        pytest.param((60, None), id="its end and more"),
        pytest.param((0, 1), id="its first line"),
        pytest.param((20, 40), id="its middle"),
    ],
)
def test_pieces_that_overlap_count_once_in_either_order(
    other: tuple[int, int | None],
    here: Stage,
    played: Recording,
    tmp_path: Path,
    redis_url: str,
    whole: Callable[[bytes], object],
) -> None:
    (tmp_path / "a").write_bytes(lines_of(played.data, 0, 129))
    (tmp_path / "b").write_bytes(lines_of(played.data, *other))
    expected = whole(lines_of(played.data, 0, max(129, other[1] or 10**6)))
    here.put(tmp_path / "a")
    here.put(tmp_path / "b")
    assert here.counted() == expected
    again = stage(
        tmp_path / "again", redis_url, played.toml(log=tmp_path / "again.log").replace("fuzhou", "again")
    )
    again.put(tmp_path / "b")
    again.put(tmp_path / "a")
    assert again.counted() == expected


def test_a_damaged_file_leaves_nothing_behind(here: Stage, played: Recording, tmp_path: Path) -> None:
    here.put(played.files[0])
    before = here.counted()
    packed = tmp_path / "bad.gz"
    packed.write_bytes(gzip.compress(played.files[1].read_bytes())[:-20])
    with pytest.raises(SourceUnavailable, match="damaged"):
        here.put(packed)
    assert here.counted() == before
    assert here.put(played.files[1])[0].accepted


# Importing and following -------------------------------------------------------------------------------------------


def test_a_file_that_was_imported_and_is_followed_counts_once(
    here: Stage, played: Recording, whole: Callable[[bytes], object]
) -> None:
    log = log_of(here)
    log.write_bytes(lines_of(played.data, 0, 150))
    here.put(log)
    take(here)
    log.write_bytes(lines_of(played.data, 0, 200))
    take(here)
    take(here)  # the place is known again, from the archive this time
    log.write_bytes(played.data)
    take(here)
    assert here.counted() == whole(played.data)
    assert any("going on behind it" in line for line in here.said)


def test_a_file_that_was_imported_packed_and_grew_is_followed_behind_it(
    here: Stage, played: Recording, tmp_path: Path, whole: Callable[[bytes], object]
) -> None:
    packed = tmp_path / "copy.gz"
    packed.write_bytes(gzip.compress(lines_of(played.data, 0, 150)))
    here.put(packed)
    log_of(here).write_bytes(played.data)
    take(here)
    assert here.counted() == whole(played.data)


def test_what_was_rotated_away_since_the_import_is_not_lost(
    here: Stage, played: Recording, whole: Callable[[bytes], object]
) -> None:
    log = log_of(here)
    log.write_bytes(lines_of(played.data, 0, 100))
    here.put(log)
    log.write_bytes(lines_of(played.data, 0, 150))
    log.rename(log.with_name("queue_log.0"))
    log.write_bytes(lines_of(played.data, 150))
    take(here)
    assert here.counted() == whole(played.data)


def test_rotated_files_that_were_imported_come_before_the_live_one(
    here: Stage, played: Recording, whole: Callable[[bytes], object]
) -> None:
    log = log_of(here)
    for path in played.files:
        shutil.copy(path, log.with_name(path.name))
    here.put(log.with_name("queue_log.1"), log.with_name("queue_log.0"))
    take(here)
    assert here.counted() == whole(played.data)


def test_the_half_line_at_the_end_of_the_live_log_is_left_for_the_collector(
    here: Stage, played: Recording, whole: Callable[[bytes], object]
) -> None:
    log = log_of(here)
    log.write_bytes(lines_of(played.data, 0, 150) + lines_of(played.data, 150, 151)[:30])
    done = here.put(log)
    assert done[0].accepted == 150
    log.write_bytes(played.data)
    take(here)
    assert here.counted() == whole(played.data)


@pytest.mark.parametrize("piece", [(50, 150), (200, None), (0, 60)])
def test_a_live_log_that_overlaps_an_import_counts_once(
    piece: tuple[int, int | None],
    here: Stage,
    played: Recording,
    tmp_path: Path,
    whole: Callable[[bytes], object],
) -> None:
    (tmp_path / "piece").write_bytes(lines_of(played.data, *piece))
    here.put(tmp_path / "piece")
    log_of(here).write_bytes(played.data)
    take(here)
    assert here.counted() == whole(played.data)


def test_a_rotated_file_is_imported_and_read_by_the_collector_and_counts_once(
    here: Stage, played: Recording, whole: Callable[[bytes], object]
) -> None:
    """Off while the log was rotated twice: the collector finds the files by itself."""
    log = log_of(here)
    for name, path in zip(("queue_log.1", "queue_log.0", "queue_log"), played.files, strict=True):
        if name == "queue_log.1":
            log.write_bytes(path.read_bytes())
            take(here)
            log.rename(log.with_name(name))
        else:
            shutil.copy(path, log.with_name(name))
    here.put(log.with_name("queue_log.0"))
    take(here)
    assert here.counted() == whole(played.data)


def test_an_older_file_imported_after_the_live_log_is_counted_before_it(
    here: Stage, played: Recording, whole: Callable[[bytes], object]
) -> None:
    log = log_of(here)
    log.write_bytes(played.files[1].read_bytes() + played.files[2].read_bytes())
    take(here)
    here.put(played.files[0])
    assert here.counted() == whole(played.data)
    take(here)
    assert here.counted() == whole(played.data)
