"""Where a call came from says no more than it may; and no number survives masking."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.places import ABROAD, MOBILE, is_area_code, mask_digit_runs, mask_digits, origin

PREFIXES = ("0", "+86", "+860", "0086", "00860", "86", "860")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")

areas = st.from_regex(r"(10|2[0-9]|[3-9][1-9][0-9])", fullmatch=True)
subscribers = st.from_regex(r"[2-8][0-9]{6,7}", fullmatch=True)
mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)


@pytest.mark.parametrize(
    "number",
    [
        "059187551234",
        "+8659187551234",
        "+86059187551234",
        "008659187551234",
        "8659187551234",
        "0591-87551234",
        "0591 8755 1234",
        "(0591)8755-1234",
        "+86-591-8755.1234",
    ],
)
def test_a_landline_is_its_area_code_and_the_first_four_digits_of_its_exchange(number: str) -> None:
    assert origin(number, None) == "0591-8755"


@pytest.mark.parametrize(
    ("number", "place"),
    [
        ("01065551234", "010-6555"),
        ("+861065551234", "010-6555"),
        ("861065551234", "010-6555"),
        ("02165551234", "021-6555"),
        ("+862865551234", "028-6555"),
        ("08772345678", "0877-234"),  # seven digits: four are left out, so three are told
        ("868772345678", "0877-234"),
    ],
)
def test_area_codes_have_two_or_three_digits_after_their_zero(number: str, place: str) -> None:
    assert origin(number, None) == place


def test_a_local_number_is_known_only_with_a_home_area() -> None:
    assert origin("87551234", "0591") == "0591-8755"
    assert origin("8755-1234", "0591") == "0591-8755"
    assert origin("2345678", "0877") == "0877-234"
    assert origin("65551234", "010") == "010-6555"
    assert origin("87551234", None) is None
    assert origin("86551234", "0591") == "0591-8655"  # 86 begins an exchange here, not a country code


@pytest.mark.parametrize("prefix", ["", "0", "+86", "+860", "0086", "86", "860"])
def test_a_mobile_is_its_prefecture(prefix: str) -> None:
    assert origin(prefix + "13805910001", "0591") == "福建省泉州市"
    assert origin(prefix + "15259112345", None) == "福建省福州市"
    assert origin(prefix + "18600000000", None) == "北京市"


def test_a_mobile_whose_prefecture_is_not_known_is_a_mobile() -> None:
    assert origin("19259112345", "0591") == MOBILE == "手机"


@pytest.mark.parametrize("number", ["+85225551234", "+886225551234", "+12025550123", "0085225551234"])
def test_a_foreign_country_code_is_abroad_and_no_more(number: str) -> None:
    assert origin(number, "0591") == ABROAD == "境外"


@pytest.mark.parametrize(
    "number",
    [
        "",
        " ",
        "+",
        "anonymous",
        "unknown",
        "<unknown>",
        "Restricted",
        "0",
        "00",
        "+86",
        "+1",
        "110",
        "12366",
        "95588",
        "059112366",  # a service number of the city
        "+8612366",
        "2001",  # an extension
        "4008123456",
        "04008123456",
        "+864008123456",
        "08008101234",
        "8008101234",
        "1380591000",  # a mobile with a digit too few
        "138059100011",  # and with one too many
        "12805910001",
        "0591875512345",
        "059117551234",
        "0591",
        "59187551234",
        "+8699999",
        "+0591875512",
        "++8659187551234",
        "059187551234x",
        "0591_87551234",
        "sip:059187551234@10.0.0.1",
        "059187551234\n",
        "0591" + " " * 40 + "87551234",
        "０５９１８７５５１２３４",
    ],
)
def test_what_does_not_say_where_it_came_from_has_no_origin(number: str) -> None:
    assert origin(number, "0591") is None


@given(mobiles | subscribers.map("0591{}".format), st.sampled_from([ARABIC, FULL_WIDTH]))
def test_digits_of_other_scripts_make_no_number(number: str, script: dict[int, int]) -> None:
    assert origin(number.translate(script), "0591") is None
    assert origin(number[:-1] + number[-1].translate(script), "0591") is None


@given(st.sampled_from(PREFIXES), areas, subscribers)
def test_a_landline_keeps_at_least_four_of_its_digits_to_itself(prefix: str, area: str, local: str) -> None:
    place = origin(prefix + area + local, None)
    assert place is not None
    code, exchange = place.split("-")
    assert code == "0" + area
    assert local.startswith(exchange)
    assert 3 <= len(exchange) <= min(4, len(local) - 4)
    # So ten thousand subscribers have the same.
    assert origin(prefix + area + local[:-4] + "0000", None) == place


@given(st.sampled_from(("", *PREFIXES)), mobiles)
def test_a_mobile_never_shows_a_digit(prefix: str, number: str) -> None:
    place = origin(prefix + number, "0591")
    assert place
    assert not re.search(r"\d", place)
    assert place == origin(number[:7] + "0000", None)


@given(
    st.text() | st.from_regex(r"\+?[0-9 .()\-]{0,30}", fullmatch=True), st.sampled_from([None, "0591", "010"])
)
def test_no_text_gives_more_than_an_area_and_four_digits(number: str, home_area: str | None) -> None:
    place = origin(number, home_area)
    if place is not None and re.search(r"\d", place):
        assert re.fullmatch(r"0[0-9]{2,3}-[0-9]{3,4}", place)
        assert len(re.sub(r"\D", "", number)) - len(place.split("-")[1]) >= 4


@pytest.mark.parametrize("home_area", ["", "591", "05911", "0400", "013", "0", "０５９１", "0591 "])
def test_a_home_area_that_is_no_area_code_is_refused(home_area: str) -> None:
    assert not is_area_code(home_area)
    with pytest.raises(ValueError, match='write one such as "0591"'):
        origin("87551234", home_area)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("13800138000", "***********"),
        ("call 138-0013-8000 back", "call ************* back"),
        ("138 0013 8000", "*************"),
        ("138.0013.8000", "*************"),
        ("+8613800138000", "**************"),
        ("(0591)8755-1234", "(0591)*********"),
        ("１３８００１３８０００", "***********"),
        ("١٣٨٠٠١٣٨٠٠٠", "***********"),
        ("1380013" + "८०००", "***********"),
        ("138\u30000013\u20118000", "*************"),
        ("1234567", "*******"),
        ("1-2-3-4-5-6-7", "*************"),
        ("x1234567y7654321z", "x*******y*******z"),
    ],
)
def test_what_may_be_a_number_is_blanked(text: str, masked: str) -> None:
    assert mask_digits(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12:30:05",
        "seat 2001",
        "123456",
        "+123456",
        "123-456",
        "PJSIP/2001-00a3",
        "123456|654321",
        "c1|4|c2|12",
    ],
)
def test_short_runs_stay(text: str) -> None:
    assert mask_digits(text) == text
    assert mask_digit_runs(text.encode()) == text.encode()


def test_a_line_that_is_no_text_is_blanked_in_its_bytes() -> None:
    line = b"1700000000|c1|\xb8\xa3\xd6\xdd|138-0013-8000|+8613800138000|\xff12:30:05"
    assert (
        mask_digit_runs(line)
        == b"**********|c1|\xb8\xa3\xd6\xdd|" + b"*" * 13 + b"|" + b"*" * 14 + b"|\xff12:30:05"
    )


def blanked(text: str, separators: str) -> str:
    """Mask character by character: the rule, without a regular expression."""
    shown = list(text)
    at = 0
    while at < len(text):
        end, count = at, 0
        while end < len(text):
            if text[end].isdecimal():
                end, count = end + 1, count + 1
            elif count and text[end] in separators and text[end + 1 : end + 2].isdecimal():
                end += 1
            else:
                break
        if count >= 7:
            start = at - 1 if at and text[at - 1] == "+" else at
            shown[start:end] = "*" * (end - start)
        at = max(end, at + 1)
    return "".join(shown)


SEPARATORS = " \u00a0\u3000.．-\u2010\u2011\u2012\u2013\u2014\u2015－"
digit_heavy = st.text(
    st.sampled_from("0123456789012345678901234567890123456789٣５८" + SEPARATORS + "+|:*ax²")
)


@given(digit_heavy | st.text())
def test_masking_blanks_every_run_of_seven_digits_and_nothing_else(text: str) -> None:
    masked = mask_digits(text)
    assert masked == blanked(text, SEPARATORS)
    assert len(masked) == len(text)
    assert mask_digits(masked) == masked
    assert not re.search(r"\d{7}", masked)


@given(st.text(st.sampled_from("01234567890123456789 .-+|:*a")).map(str.encode) | st.binary())
def test_masking_bytes_is_masking_text_for_ascii(line: bytes) -> None:
    # Latin-1 keeps one character a byte and has no other decimal digits than ASCII's.
    expected = blanked(line.decode("latin-1"), " .-").encode("latin-1")
    assert mask_digit_runs(line) == expected
