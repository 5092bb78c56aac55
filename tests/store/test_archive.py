"""The book of record: what is written is read back, in order, whatever dies in between."""

import errno
import gzip
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.errors import ConfigError, PositionConflict, StoreError, StoreUnavailable
from dashboard.store.archive import BEGINNING, Archive, ImportInfo, Position, Record

DAYS = ["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"]
DAY = DAYS[0]
NEXT = DAYS[1]

PAYLOADS = st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b" "))
RECORDS = st.lists(st.tuples(st.sampled_from("LPXz"), PAYLOADS), max_size=6)
BATCHES = st.lists(st.tuples(RECORDS, st.sampled_from(DAYS)), max_size=8)
SOME: list[Record] = [("L", b"one"), ("L", b""), ("P", b"two 2"), ("L", "三".encode())]
laws = settings(deadline=None, max_examples=80)


class Place:
    """A data directory with one source's archive, opened for writing."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.live = directory / "archive" / "pbx1" / "live"
        self.imports = directory / "archive" / "pbx1" / "import"
        self.archive = Archive(directory, "pbx1")
        self.archive.open()

    def write(self, records: list[Record], day: str = DAY) -> Position:
        self.archive.append(records, day)
        return self.archive.flush()

    def reader(self) -> Archive:
        return Archive(self.directory, "pbx1")

    def read(self, after: Position | None = None, upto: Position | None = None) -> list[Record]:
        return [record for chunk in self.reader().read_live(after, upto) for record in chunk.records]

    def close(self) -> None:
        self.archive.close()

    def names(self) -> list[str]:
        return sorted(path.name for path in self.live.iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


class Fresh:
    """A place for one example of a law."""

    def __enter__(self) -> Place:
        self._directory = tempfile.TemporaryDirectory()
        self._place = Place(Path(self._directory.name))
        return self._place

    def __exit__(self, *_: object) -> None:
        self._place.close()
        self._directory.cleanup()


# --- what is on the disk ---


def test_a_segment_is_plain_lines_each_with_checksum_length_and_kind(place: Place) -> None:
    assert place.write([("L", b"hello world"), ("P", b"")]).text == f"{DAY}:000000000040"
    rests = [b"11 L hello world", b"0 P "]
    assert (place.live / f"{DAY}.seg").read_bytes() == b"".join(
        b"%08x %b\n" % (crc32(one), one) for one in rests
    )


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with_torn = Place(tmp_path / "data")
        with_torn.write(SOME)
        with_torn.write(SOME, NEXT)
        with_torn.archive.compress_closed()
        with_torn.archive.write_import({}, SOME)
        with_torn.close()
        with (with_torn.live / f"{NEXT}.seg").open("ab") as file:
            file.write(b"torn")
        with_torn.archive.open()
        with_torn.close()
    finally:
        os.umask(before)
    modes = {path.name: f"{path.stat().st_mode & 0o777:o}" for path in (tmp_path / "data").rglob("*")}
    assert modes == {
        **dict.fromkeys(("archive", "pbx1", "live", "import"), "700"),
        **dict.fromkeys((f"{DAY}.seg.gz", f"{NEXT}.seg", f"{NEXT}.seg.torn", "000001.seg.gz", "lock"), "600"),
    }
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a b", "热线", "a\n", "a\0"])
def test_a_source_that_cannot_name_a_directory_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="source name"):
        Archive(tmp_path, name)


# --- appending and reading ---


@given(BATCHES, st.lists(st.booleans(), min_size=8, max_size=8))
@laws
def test_what_is_appended_is_read_back_in_order(
    batches: list[tuple[list[Record], str]], press: list[bool]
) -> None:
    with Fresh() as place:
        wanted: list[Record] = []
        borders = [BEGINNING]
        for (records, day), compress in zip(batches, press, strict=False):
            appended = place.archive.append(iter(records), day)
            assert place.archive.flush() == appended == place.archive.end() == place.reader().end()
            if records:
                assert appended > borders[-1]
                assert appended.text > borders[-1].text
                borders.append(appended)
            else:
                assert appended == borders[-1]
            wanted += records
            if compress:
                place.archive.compress_closed()
            assert place.read() == wanted
        newest = max((day for records, day in batches if records), default=None)
        assert [info.closed for info in place.archive.segments()][-1:] == ([False] if newest else [])
        assert max((info.day for info in place.archive.segments()), default=None) == newest


@given(BATCHES, st.booleans())
@laws
def test_reading_after_a_border_gives_the_rest_and_upto_it_the_beginning(
    batches: list[tuple[list[Record], str]], compress: bool
) -> None:
    with Fresh() as place:
        for records, day in batches:
            place.write(records, day)
        if compress:
            place.archive.compress_closed()
        everything = place.read()
        chunks = list(place.archive.read_live())
        borders = [border for chunk in chunks for border in chunk.positions()]
        assert borders == sorted(set(borders))
        assert [chunk.end for chunk in chunks] == [chunk.positions()[-1] for chunk in chunks]
        assert len(borders) == len(everything)
        for i, border in enumerate(borders, 1):
            assert place.read(after=border) == everything[i:]
            assert place.read(upto=border) == everything[:i]
            assert place.read(after=borders[i // 2], upto=border) == everything[i // 2 + 1 : i]
            assert place.read(upto=Position(border.day, border.offset + 1)) == everything[:i]
            assert place.read(after=border, upto=borders[0]) == []
            assert Position.of_text(border.text) == border


def test_long_and_many_records_are_read_in_chunks(place: Place) -> None:
    records: list[Record] = [("L", b"%d" % i * (i % 50)) for i in range(20_000)] + [
        ("X", b"x" * 300_000),
        ("L", b""),
    ]
    end = place.write(records)
    place.write(SOME, NEXT)
    for _ in ("plain", "compressed"):
        chunks = list(place.archive.read_live(upto=Position.end_of(DAY)))
        assert 5 < len(chunks) < 100
        assert [record for chunk in chunks for record in chunk.records] == records
        assert chunks[0].start == Position(DAY, 0)
        assert [chunk.start for chunk in chunks[1:]] == [chunk.end for chunk in chunks[:-1]]
        assert chunks[-1].positions()[-1] == chunks[-1].end == end
        middle = chunks[len(chunks) // 2].positions()[7]
        rest = place.read(after=middle, upto=end)
        assert rest == records[-len(rest) :]
        assert place.read(after=Position(NEXT, 0)) == SOME
        place.archive.compress_closed()


def test_a_clock_stepping_back_stays_in_its_segment(place: Place) -> None:
    place.write([("L", b"1")], "2026-11-22")
    assert place.write([("L", b"2")], "2026-11-21").day == "2026-11-22"
    assert place.names() == ["2026-11-22.seg"]
    place.close()
    place.archive.open()
    assert place.write([("L", b"3")], "2026-11-20").day == "2026-11-22"
    assert [payload for _, payload in place.read()] == [b"1", b"2", b"3"]


def test_nothing_is_durable_before_a_flush_and_a_new_day_flushes(place: Place) -> None:
    place.archive.append(SOME, DAY)
    assert place.archive.end() == BEGINNING
    assert place.read() == []
    place.archive.append([("L", b"next")], NEXT)
    assert place.read() == SOME
    place.close()
    assert place.names() == [f"{DAY}.seg"]
    assert place.archive.end().day == DAY


@pytest.mark.parametrize(
    "wrong", [("L", b"a\nb"), ("LL", b""), ("", b""), ("1", b""), ("é", b""), ("\n", b"")]
)  # fmt: skip
def test_a_wrong_record_is_refused_with_its_whole_batch(place: Place, wrong: Record) -> None:
    with pytest.raises(ValueError, match="record"):
        place.archive.append([*SOME, wrong], NEXT)
    with pytest.raises(ValueError, match="record"):
        place.archive.write_import({}, [*SOME, wrong])
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        place.archive.append(SOME, "23.11.2026")
    assert place.archive.flush() == BEGINNING
    assert (place.names(), place.archive.imports()) == ([], [])
    assert [path.name for path in place.imports.iterdir()] == ["lock"]


def test_the_newest_record_of_a_kind_is_found_across_segments(place: Place) -> None:
    assert place.archive.last("P") is None
    place.write([("P", b"old"), ("P", b"here"), ("L", b"x")])
    place.write([("L", b"y")] * 3000, NEXT)
    place.write([("L", b"z"), ("S", b"now"), ("L", b"z")], DAYS[2])
    place.archive.compress_closed()
    place.archive.append([("S", b"not durable")], DAYS[2])
    found = {kind: place.archive.last(kind) for kind in "PSLX"}
    assert found == {"P": b"here", "S": b"now", "L": b"z", "X": None}


def test_an_archive_that_is_not_there_is_empty(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "none", "pbx1")
    assert list(archive.read_live()) == []
    assert (archive.end(), archive.segments(), archive.imports(), archive.last("L")) == (
        BEGINNING,
        [],
        [],
        None,
    )
    with pytest.raises(RuntimeError, match="open"):
        archive.append(SOME, DAY)
    with pytest.raises(RuntimeError, match="open"):
        archive.compress_closed()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text", ["", "2026-11-23", "2026-11-23:1", "2026-11-23:00000000000a", "２０26-11-23:000000000001"]
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(StoreError, match="wallboard rebuild"):
        Position.of_text(text)


@pytest.mark.parametrize("compress", [False, True])
def test_a_position_of_another_archive_is_told(place: Place, compress: bool) -> None:
    end = place.write(SOME)
    place.write(SOME, NEXT)
    if compress:
        place.archive.compress_closed()
    for wrong in (Position(DAY, end.offset - 1), Position(DAY, end.offset + 1), Position("2026-11-20", 5)):
        with pytest.raises(StoreError, match="wallboard rebuild"):
            place.read(after=wrong)
    assert place.read(after=Position("2026-11-20", 0)) == SOME * 2


# --- readers beside the writer ---


def test_a_reader_stops_before_a_line_that_is_being_written(place: Place) -> None:
    end = place.write(SOME)
    with (place.live / f"{DAY}.seg").open("ab") as file:
        file.write(b"0000")
    assert place.read() == SOME
    assert place.reader().end() == end


def test_a_reader_goes_on_while_segments_are_compressed(place: Place) -> None:
    place.write([("L", b"x" * 99)] * 5000)
    place.write([("L", b"y")], NEXT)
    place.write([("L", b"z")], DAYS[2])
    chunks = place.reader().read_live()
    read = next(chunks).records
    assert place.archive.compress_closed() == [DAY, NEXT]
    for chunk in chunks:
        read += chunk.records
    assert read == [("L", b"x" * 99)] * 5000 + [("L", b"y"), ("L", b"z")]


def test_only_one_process_writes(place: Place) -> None:
    other = Archive(place.directory, "pbx1")
    with pytest.raises(PositionConflict, match=f"^process {os.getpid()} already writes the archive of pbx1"):
        other.open()
    with pytest.raises(PositionConflict):
        place.archive.open()
    place.write(SOME)
    place.close()
    other.open()
    assert other.end() == place.archive.end()
    other.close()


# --- what breaks ---


@pytest.mark.slow
@given(BATCHES, st.data())
@laws
def test_cut_after_any_byte_it_opens_to_a_prefix_and_goes_on(
    batches: list[tuple[list[Record], str]], data: st.DataObject
) -> None:
    with Fresh() as place:
        end = BEGINNING
        for records, day in batches:
            end = place.write(records, day)
        if end == BEGINNING:
            return
        everything = place.read()
        place.close()
        path = place.live / f"{end.day}.seg"
        text = path.read_bytes()
        cut = data.draw(st.integers(0, len(text)), label="cut")
        path.write_bytes(text[:cut])
        whole = text.rfind(b"\n", 0, cut) + 1
        lost = text[whole:].count(b"\n")

        recovered = place.archive.open()
        assert recovered.end == place.archive.end()
        assert recovered.cut_bytes == cut - whole
        if recovered.kept_in is not None:
            assert recovered.kept_in.read_bytes() == text[whole:cut]
        assert (recovered.kept_in is None) == (cut == whole)
        assert path.read_bytes() == text[:whole]
        prefix = everything[: len(everything) - lost]
        assert place.read() == prefix
        assert place.write(SOME, end.day).day == end.day
        assert place.read() == prefix + SOME
        assert place.read(after=recovered.end) == SOME
        place.close()
        assert place.archive.open().cut_bytes == 0


def test_a_tail_torn_again_is_kept_behind_the_first(place: Place) -> None:
    path = place.live / f"{DAY}.seg"
    place.write(SOME)
    for torn in (b"00000000 5", b"0" * 70_000):
        place.close()
        with path.open("ab") as file:
            file.write(torn)
        assert place.archive.open().cut_bytes == len(torn)
    assert (place.live / f"{DAY}.seg.torn").read_bytes() == b"00000000 5" + b"0" * 70_000
    assert place.read() == SOME


@pytest.mark.parametrize("closed", [False, True])
def test_a_flipped_byte_is_never_read_as_a_record(place: Place, closed: bool) -> None:
    """Every byte of a segment, each with three masks; 0x20 turns a hex digit's case, 0x5e may make a newline."""
    end = place.write(SOME)
    path = place.live / f"{DAY}.seg"
    text = path.read_bytes()
    if closed:
        place.write([("L", b"next")], NEXT)
    last_line = text.rfind(b"\n", 0, -1) + 1
    for i in range(len(text)):
        for mask in (0x01, 0x20, 0x80, text[i] ^ 0x0A):
            if not mask:
                continue
            path.write_bytes(text[:i] + bytes([text[i] ^ mask]) + text[i + 1 :])
            good = text[: text.rfind(b"\n", 0, i) + 1]
            read: list[Record] = []
            if closed:
                with pytest.raises(StoreError, match=rf"{path} is damaged at byte {len(good)} of its text"):
                    for chunk in place.reader().read_live():
                        read += chunk.records
                assert read == SOME[: good.count(b"\n")]
                continue
            place.close()
            if i < last_line - 1:  # records that were durable follow: a person has to look
                with pytest.raises(StoreError, match=f"damaged at byte {len(good)}"):
                    place.archive.open()
            else:
                assert place.archive.open().end.offset == len(good)
                assert place.read() == SOME[: good.count(b"\n")]
    path.write_bytes(text)
    place.close()
    if not closed:
        assert place.archive.open().end == end


@pytest.mark.parametrize(
    "rest", [b"3 L four", b"-4 L four", b"x L four", b"4 LL four", b"4 1 four", b"4 L", b""]
)
def test_a_line_that_nobody_here_wrote_is_damage_though_its_checksum_is_right(
    place: Place, rest: bytes
) -> None:
    end = place.write(SOME)
    place.write(SOME, NEXT)
    with (place.live / f"{DAY}.seg").open("ab") as file:
        file.write(b"%08x %b\n" % (crc32(rest), rest))
    with pytest.raises(StoreError, match=f"damaged at byte {end.offset} "):
        place.read()


def test_blocks_that_a_power_cut_left_unwritten_are_a_torn_tail(place: Place) -> None:
    end = place.write(SOME)
    place.write([("L", b"x" * 9000)] * 3)
    place.close()
    path = place.live / f"{DAY}.seg"
    text = path.read_bytes()
    path.write_bytes(text[:200] + bytes(4096) + text[4296:])
    recovered = place.archive.open()
    assert (recovered.end, recovered.cut_bytes) == (end, len(text) - end.offset)
    assert place.read() == SOME


def test_a_flipped_byte_in_a_compressed_segment_is_told_or_does_no_harm(place: Place) -> None:
    """No harm: a gzip header holds a time that nobody reads, and a deflate stream ends in unused bits."""
    place.write(SOME * 3)
    place.write(SOME, NEXT)
    place.archive.compress_closed()
    place.archive.write_import({"name": "log"}, SOME * 3)

    def read_live() -> list[Record]:
        return place.read(upto=Position.end_of(DAY))

    def read_import() -> list[Record]:
        return [record for records in place.reader().read_import(1) for record in records]

    for path, read in (
        (place.live / f"{DAY}.seg.gz", read_live),
        (place.imports / "000001.seg.gz", read_import),
    ):
        packed = path.read_bytes()
        harmless = 0
        for i in range(len(packed)):
            for mask in (0x01, 0x80):
                path.write_bytes(packed[:i] + bytes([packed[i] ^ mask]) + packed[i + 1 :])
                try:
                    assert read() == SOME * 3
                    harmless += 1
                except StoreError as exc:
                    assert f"{path} is damaged" in str(exc)
        assert harmless < 40
        for cut in range(len(packed)):
            path.write_bytes(packed[:cut])
            with pytest.raises(StoreError, match="damaged"):
                read()
        path.write_bytes(packed)


def full_disk(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """Let the next writes take `room` bytes, then say that the disk is full."""
    write = os.pwrite
    left = [room]

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = write(fd, data[: left[0]], offset)
        left[0] -= done
        return done

    monkeypatch.setattr(os, "pwrite", pwrite)


@pytest.mark.parametrize("room", [0, 1, 30, 61, 90])
@pytest.mark.parametrize("day", [DAY, NEXT])
def test_a_full_disk_takes_back_what_was_not_durable(
    place: Place, monkeypatch: pytest.MonkeyPatch, room: int, day: str
) -> None:
    end = place.write(SOME)
    with monkeypatch.context() as patch:
        full_disk(patch, room)
        for _ in range(2):
            place.archive.append(SOME * 2, day)
            with pytest.raises(StoreUnavailable, match=rf"{day}\.seg: the disk is full: free some space"):
                place.archive.flush()
            assert place.archive.end() == place.reader().end() == end
            assert place.read() == SOME
            assert place.archive.flush() == end
    assert place.write([("L", b"after")], day) > end
    assert place.read() == [*SOME, ("L", b"after")]
    place.close()
    assert place.archive.open().cut_bytes == 0


def test_a_failed_taking_back_is_made_up_for(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write(SOME)

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        patch.setattr(os, "ftruncate", fail)
        place.archive.append([("L", b"longer than what comes after")], DAY)
        with pytest.raises(StoreUnavailable, match="cannot write"):
            place.archive.flush()
    place.write([("L", b"after")])
    assert place.read() == [*SOME, ("L", b"after")]


def test_a_file_that_may_not_grow_is_cut_back(place: Place) -> None:
    """The kernel's own limit: it takes a part of the bytes and then refuses."""
    end = place.write(SOME)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    place.archive.append([("L", b"x" * 100)] * 100, DAY)
    resource.setrlimit(resource.RLIMIT_FSIZE, (end.offset + 5000, hard))
    try:
        with pytest.raises(StoreUnavailable):
            place.archive.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (place.live / f"{DAY}.seg").stat().st_size == end.offset
    place.write(SOME)
    assert place.read() == SOME * 2


def test_a_segment_taken_from_under_the_writer_is_told(place: Place) -> None:
    place.write(SOME)
    path = place.live / f"{DAY}.seg"
    text = path.read_bytes()
    for harm in (lambda: os.truncate(path, 5), path.unlink):
        harm()
        place.archive.append(SOME, DAY)
        with pytest.raises(StoreError, match="cut or removed"):
            place.archive.flush()
        path.write_bytes(text)
        place.close()
        place.archive.open()


def test_a_newest_segment_that_somebody_compressed_is_told(place: Place) -> None:
    place.write(SOME)
    place.close()
    path = place.live / f"{DAY}.seg"
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    with pytest.raises(StoreError, match="gunzip"):
        place.archive.open()
    assert place.read() == SOME
    assert place.reader().end().day == DAY


WRITER = """
import sys
from pathlib import Path
from dashboard.store.archive import Archive
archive = Archive(Path(sys.argv[1]), "pbx1")
archive.open()
for i in range(10**9):
    archive.append([("L", b"%d" % n) for n in range(i * 7, i * 7 + 7)], f"2026-11-{20 + min(i // 40, 8)}")
    print(archive.flush().text, flush=True)
    archive.compress_closed()
"""


@pytest.mark.parametrize("lines", [1, 45, 170])
def test_what_was_flushed_survives_a_kill(tmp_path: Path, lines: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(lines):
            told = process.stdout.readline().strip()
        process.kill()
    place = Place(tmp_path)
    assert place.archive.end().text >= told
    numbers = [int(payload) for _, payload in place.read()]
    assert numbers == list(range(len(numbers)))
    assert len(place.read(upto=Position.of_text(told))) == 7 * lines
    place.close()


# --- compressing ---


@pytest.mark.parametrize("steps", range(1, 6))
def test_a_crash_at_any_step_of_compressing_loses_nothing(place: Place, steps: int) -> None:
    place.write(SOME)
    place.write([("L", b"x")] * 5000, NEXT)
    end = place.write(SOME, DAYS[2])
    everything = place.read()
    for path in sorted(place.live.glob("*.seg"))[:-1]:
        step = place.archive._compress(path)
        for _ in zip(range(steps), step, strict=False):
            assert place.read() == everything
            assert place.reader().end() == end
    place.close()

    assert place.archive.open().end == end
    assert place.read() == everything
    place.archive.compress_closed()
    assert place.names() == [f"{DAY}.seg.gz", f"{NEXT}.seg.gz", f"{DAYS[2]}.seg"]
    assert place.archive.compress_closed() == []
    assert place.read() == everything
    assert place.write(SOME, DAYS[2]) > end


def test_compressing_changes_no_segments_size(place: Place) -> None:
    end = place.write(SOME)
    place.write(SOME, NEXT)
    before = place.archive.segments()
    assert place.archive.compress_closed() == [DAY]
    after = place.archive.segments()
    assert [(one.day, one.closed, one.size) for one in before] == [
        (DAY, True, end.offset),
        (NEXT, False, end.offset),
    ]
    assert [(one.day, one.closed, one.size) for one in after] == [
        (DAY, True, end.offset),
        (NEXT, False, end.offset),
    ]
    assert [one.path.name for one in after] == [f"{DAY}.seg.gz", f"{NEXT}.seg"]
    with gzip.open(after[0].path) as file:
        assert len(file.read()) == end.offset


def test_where_both_forms_are_there_the_plain_one_is_right(place: Place) -> None:
    place.write(SOME)
    place.write(SOME, NEXT)
    (place.live / f"{DAY}.seg.gz").write_bytes(b"half a file")
    assert place.read() == SOME * 2
    assert place.archive.compress_closed() == [DAY]
    assert place.read() == SOME * 2


def test_a_compressed_file_that_reads_otherwise_does_not_replace_the_plain_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(SOME)
    place.write(SOME, NEXT)
    path = place.live / f"{DAY}.seg"
    steps = place.archive._compress(path)
    next(steps)
    (place.live / f"{DAY}.seg.gz.tmp").write_bytes(gzip.compress(path.read_bytes() + b"x"))
    with pytest.raises(StoreUnavailable, match="check the disk"):
        next(steps)
    assert place.names() == [f"{DAY}.seg", f"{NEXT}.seg"]


# --- imports ---


def test_an_import_is_a_numbered_segment_with_header_and_footer(place: Place) -> None:
    seen: list[Record] = []

    def records() -> Iterator[Record]:
        for record in SOME * 3000:
            seen.append(record)
            yield record

    header = {"name": "queue_log-20261101", "first_s": 5}
    assert (
        place.archive.write_import(header, records(), lambda: {"last_s": len(seen), "days": ["2026-11-01"]})
        == 1
    )
    assert Archive(place.directory, "pbx1").write_import({}, []) == 2
    footer = {"last_s": 12_000, "days": ["2026-11-01"], "records": 12_000}
    assert place.reader().imports() == [
        ImportInfo(number=1, header=header, footer=footer, records=12_000, first_s=5, last_s=12_000),
        ImportInfo(number=2, header={}, footer={"records": 0}, records=0, first_s=None, last_s=None),
    ]
    lists = list(place.reader().read_import(1))
    assert len(lists) > 3
    assert [record for records_ in lists for record in records_] == SOME * 3000
    assert list(place.reader().read_import(2)) == []
    with pytest.raises(StoreError, match="no import 3"):
        list(place.reader().read_import(3))
    with gzip.open(place.imports / "000001.seg.gz") as file:
        lines = file.read().split(b"\n")
    assert re.fullmatch(rb'[0-9a-f]{8} \d+ H {"name":"queue_log-20261101","first_s":5}', lines[0])
    assert re.fullmatch(
        rb'[0-9a-f]{8} \d+ F {"last_s":12000,"days":\["2026-11-01"\],"records":12000}', lines[-2]
    )


@given(st.lists(st.tuples(st.sampled_from("HFLz"), PAYLOADS), max_size=30))
@laws
def test_an_import_may_use_any_kind(records: list[Record]) -> None:
    with Fresh() as place:
        place.archive.write_import({}, records)
        assert [record for one in place.archive.read_import(1) for record in one] == records
        assert [info.records for info in place.archive.imports()] == [len(records)]


def test_a_long_footer_is_found(place: Place) -> None:
    for size in (65_000, 65_535, 131_070, 200_000):
        number = place.archive.write_import({}, SOME, lambda size=size: {"days": "x" * size})
        info = place.archive.imports()[-1]
        assert (info.number, len(info.footer["days"])) == (number, size)
        assert [record for one in place.archive.read_import(number) for record in one] == SOME


def test_an_import_that_fails_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def records() -> Iterator[Record]:
        yield from SOME * 50_000
        raise OSError(errno.EIO, "the log cannot be read")

    with pytest.raises(OSError, match="the log cannot be read"):
        place.archive.write_import({}, records())
    assert [path.name for path in place.imports.iterdir()] == ["lock"]

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
    try:
        with pytest.raises(StoreUnavailable, match="cannot write"):
            place.archive.write_import({}, [("L", os.urandom(4000).replace(b"\n", b""))] * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in place.imports.iterdir()] == ["lock"]
    assert place.archive.write_import({}, SOME) == 1
    size = (place.imports / "000001.seg.gz").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size - 3, hard))
    try:
        with pytest.raises(StoreUnavailable, match="cannot write"):
            place.archive.write_import({}, SOME)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [info.number for info in place.archive.imports()] == [1]


def test_opening_removes_what_a_killed_import_left_but_not_one_that_runs(place: Place) -> None:
    temp = place.imports / "000001.seg.gz.tmp"
    temp.write_bytes(b"half")
    place.close()
    place.archive.open()
    assert not temp.exists()

    def records() -> Iterator[Record]:
        yield from SOME
        place.close()
        place.archive.open()
        with pytest.raises(PositionConflict, match="import into pbx1"):
            place.archive.write_import({}, SOME)

    assert Archive(place.directory, "pbx1").write_import({}, records()) == 1
    assert [record for one in place.archive.read_import(1) for record in one] == SOME


def test_an_import_goes_on_beside_the_writer(place: Place) -> None:
    place.write(SOME)
    Archive(place.directory, "pbx1").write_import({}, SOME)
    place.write(SOME)
    assert place.read() == SOME * 2


def test_a_damaged_import_is_named(place: Place) -> None:
    place.archive.write_import({}, SOME)
    path = place.imports / "000001.seg.gz"
    packed = path.read_bytes()
    line = b"00000000 2 H {}\n"
    for wrong in (
        b"",
        packed[:-1],
        packed[:20],
        gzip.compress(b""),
        gzip.compress(line),
        packed + packed[:-20],
    ):
        path.write_bytes(wrong)
        with pytest.raises(StoreError, match=rf"{path} is damaged"):
            place.archive.imports()
        with pytest.raises(StoreError, match=rf"{path} is damaged"):
            list(place.archive.read_import(1))
    lines = gzip.decompress(packed).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:2] + lines[3:])))
    with pytest.raises(StoreError, match="counts other records"):
        list(place.archive.read_import(1))
