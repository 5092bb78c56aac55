"""What a source covers is folded from its records, however they are cut, and whenever something is imported."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.gaps import Gap, merged
from dashboard.store.coverage import Coverage, Known, decode_known
from dashboard.store.items import COVERED, FILE, GAP, LINE, Item, away, loss


class Times:
    """Reads records whose payload is their time."""

    def __call__(self, kind: str, payload: bytes) -> None:
        return None

    def line(self, kind: str, payload: bytes) -> tuple[int | None, bytes] | None:
        return (int(payload), payload) if kind == LINE else None


def covered(at_s: int) -> Item:
    return Item(COVERED, b"%d" % at_s)


times = st.integers(1_000, 300_000)
items = st.one_of(
    times.map(covered),
    st.just(loss("truncated", "the log was truncated")),
    st.tuples(times, times).map(lambda pair: away(min(pair), max(pair))),
    st.just(Item(FILE, b"a place")),
)
imports = st.lists(st.tuples(times, times).map(lambda pair: (min(pair), max(pair))), max_size=6)


def known(coverage: Coverage) -> Known:
    """As it is stored and read again."""
    return decode_known(msgspec.json.encode(coverage.known))


@given(st.lists(items, max_size=12), st.integers(0, 12))
def test_where_records_are_cut_changes_nothing(records: list[Item], cut: int) -> None:
    whole = Coverage()
    whole.add_live(records)
    first = Coverage()
    first.add_live(records[:cut])
    second = Coverage(known(first))
    second.add_live(records[cut:])
    assert known(second) == known(whole)
    assert (second.spans, second.gaps, second.backfilled) == (whole.spans, whole.gaps, whole.backfilled)


@given(st.lists(items, max_size=12))
def test_archived_records_tell_what_live_ones_told(records: list[Item]) -> None:
    """A rebuild knows the same gaps."""
    live, again = Coverage(), Coverage()
    live.add_live(records)
    again.add_archived([(item.kind, item.payload) for item in records], Times())
    assert known(again) == known(live)


@given(st.lists(items, max_size=12), imports, st.randoms(use_true_random=False), st.integers(0, 12))
def test_imports_in_any_order_give_the_same_gaps(
    records: list[Item], some: list[tuple[int, int]], chance: st.DataObject, at: int
) -> None:
    one, other = Coverage(), Coverage()
    one.add_live(records)
    for span in some:
        one.add_import(*span)
    mixed = list(some)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    other.add_live(records[:at])
    for span in mixed:
        other.add_import(*span)
    other.add_live(records[at:])
    assert (other.spans, other.gaps, other.backfilled) == (one.spans, one.gaps, one.backfilled)


@given(st.lists(items, max_size=12), imports)
def test_gaps_and_coverage_share_out_the_time(records: list[Item], some: list[tuple[int, int]]) -> None:
    coverage = Coverage()
    coverage.add_live(records)
    for span in some:
        coverage.add_import(*span)
    if coverage.spans:
        pieces = [*coverage.spans, *((gap.from_s, gap.to_s) for gap in coverage.gaps)]
        first, last = coverage.spans[0][0], coverage.spans[-1][1]
        assert merged(pieces) == [(first, last)]
        assert sum(to_s - from_s for from_s, to_s in pieces) == last - first


def test_a_loss_lasts_from_the_last_record_with_a_time_to_the_next() -> None:
    coverage = Coverage()
    coverage.add_live([covered(100), covered(160), loss("replaced", "gone")])
    assert coverage.gaps == [], "nobody knows yet how long it lasts"
    coverage.add_live([Item(GAP, b"once more"), covered(400)])
    coverage.add_archived([("L", b"460")], Times())
    assert coverage.spans == [(100, 160), (400, 460)]
    assert coverage.gaps == [Gap(160, 400, "replaced", "gone")]


def test_a_loss_of_an_older_archive_has_words_only() -> None:
    coverage = Coverage()
    coverage.add_live([covered(100), Item(GAP, b"the log was truncated"), covered(200)])
    assert coverage.gaps == [Gap(100, 200, "lost", "the log was truncated")]


def test_an_import_closes_or_shortens_a_gap() -> None:
    coverage = Coverage()
    coverage.add_live([covered(100), loss("replaced", "gone"), covered(400)])
    coverage.add_import(150, 300)
    assert coverage.gaps == [Gap(100, 150, "replaced", "gone"), Gap(300, 400, "replaced", "gone")]
    coverage.add_import(90, 400)
    assert coverage.gaps == []


def test_what_was_read_later_is_marked_as_far_as_it_was_read() -> None:
    coverage = Coverage()
    coverage.add_live([covered(100), away(100, 3700), covered(4000)])
    assert (coverage.gaps, coverage.backfilled) == ([], [(100, 3700)])
    coverage = Coverage()
    coverage.add_live([covered(100), away(100, 3700), loss("truncated", ""), covered(3000), covered(4000)])
    assert coverage.gaps == [Gap(100, 3000, "truncated", "")]
    assert coverage.backfilled == [(3000, 3700)]


def test_a_clock_that_was_ahead_covers_nothing_that_is_not_over() -> None:
    coverage = Coverage()
    coverage.add_live([covered(1_000), covered(900_000), covered(2_000)])
    assert coverage.spans == [(1_000, 2_000)]
