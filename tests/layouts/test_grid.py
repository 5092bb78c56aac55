"""The seats' grid: whatever the names, every text has room, or the page is told to turn."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.core.seats import STATES
from layouts.grid import GAP_U, SIZES, Box, Need, _pack, arrange, height, need
from layouts.measure import em, lines
from layouts.seats import CROWDED, ROOMY
from layouts.text import speaker

WORD_EM = {language: max(em(speaker(language)(f"state.{s}")) for s in STATES) for language in ("zh-CN", "en")}
labels = st.text(st.sampled_from("王W林晓i燕m欧 阳x·"), max_size=30)
needs = st.lists(
    st.builds(need, labels, st.sampled_from(["市局", "开发区局", "Cangshan"]), labels, st.just(2.0)),
    max_size=60,
)


@settings(max_examples=60)
@given(
    needs, st.sampled_from([ROOMY.wide, ROOMY.tall, CROWDED.wide, CROWDED.tall]), st.sampled_from([2.0, 4.3])
)
def test_what_is_arranged_fits(wanted: list[Need], box: Box, word_em: float) -> None:
    found = arrange(tuple(wanted), box, word_em)
    if found is None or not wanted:
        return
    assert found.rows == _pack(found.places, found.columns)
    row_u = height(box, found.rows)
    assert found.rows * row_u + (found.rows - 1) * GAP_U <= box.height_u + 0.01
    column_u = found.width_u + found.size.across_u
    assert found.columns * column_u + (found.columns - 1) * GAP_U <= box.width_u + 0.01
    for one, place in zip(wanted, found.places, strict=True):
        wide_u = place.columns * column_u + (place.columns - 1) * GAP_U - found.size.across_u
        high_u = place.rows * row_u + (place.rows - 1) * GAP_U - found.size.down_u
        name_u, site_u = em(one.label) * found.size.name_u, em(one.site) * found.size.detail_u
        if place.mode == "two":
            assert name_u + site_u <= wide_u
            assert 1.2 * (found.size.name_u + found.size.detail_u) <= high_u + 0.01
        elif place.mode == "three":
            assert name_u <= wide_u
            assert 1.2 * (found.size.name_u + 2 * found.size.detail_u) <= high_u + 0.01
        else:
            text_lines = lines(one.label, found.size.name_u, wide_u)
            assert 1.2 * (text_lines * found.size.name_u + 2 * found.size.detail_u) <= high_u + 0.01


def test_the_sizes_of_type_end_at_the_floor() -> None:
    assert min(SIZES[-1].name_u, SIZES[-1].detail_u) == 22
    assert [size.name_u for size in SIZES] == sorted((size.name_u for size in SIZES), reverse=True)


def test_sixty_seats_of_ordinary_names_fit_on_both_shapes_of_screen() -> None:
    wanted = tuple(need("欧阳建华", "开发区局", "培训", 2) for _ in range(60))
    assert arrange(wanted, CROWDED.wide, WORD_EM["zh-CN"]) is not None
    assert arrange(wanted, CROWDED.tall, WORD_EM["zh-CN"]) is not None


def test_few_seats_get_large_type() -> None:
    found = arrange((need("陈静", "市局", "", 2),) * 3, ROOMY.wide, WORD_EM["zh-CN"])
    assert found is not None
    assert (found.size.name, found.rows * found.columns) == ("xl", 3)


def test_a_short_reason_moves_nobody() -> None:
    before = tuple(need("欧阳建华", "连江局", "", 2) for _ in range(17))
    after = (need("欧阳建华", "连江局", "培训", 2), *before[1:])
    assert after == before


def test_a_name_of_79_bytes_gets_a_cell_of_its_own_size() -> None:
    wanted = tuple(need("W" * 79 if n == 3 else "王芳", "鼓楼局", "", 2) for n in range(17))
    found = arrange(wanted, CROWDED.wide, WORD_EM["zh-CN"])
    assert found is not None
    assert found.places[3].mode == "tall"
    assert {place.columns * place.rows for n, place in enumerate(found.places) if n != 3} == {1}
