"""A caller's number -> where the call came from, without the number; and numbers out of any text.

Text from a switch comes in; what goes out never identifies a subscriber: a landline's area code and up
to four digits of its exchange, a mobile's prefecture. Only ASCII digits make a number. Keeps no number.
"""

import re
from functools import lru_cache

MOBILE = "手机"  # a mainland mobile whose prefecture is not known
ABROAD = "境外"

UNTOLD_DIGITS = 4  # of a landline's seven or eight, so that at most four are told
NUMBER_LENGTH = 32  # E.164 has 15 digits; more characters than this are not a number
PREFIXES_KEPT = 65_536

_SEPARATORS = str.maketrans("", "", " -.()")
# 010 and 02x are the large cities; x00 (0400, 0800) are services, not areas.
_AREA = r"(?:10|2[0-9]|[3-9](?!00)[0-9]{2})"
_LOCAL = r"[2-8][0-9]{6,7}"  # subscribers; 1 and 9 begin service numbers
_AREA_CODE = re.compile(f"0{_AREA}")
_LOCAL_NUMBER = re.compile(_LOCAL)
_LANDLINE = re.compile(rf"(?:(?:\+86|0086|86)0?|0)({_AREA})({_LOCAL})")
_MOBILE = re.compile(r"(?:\+86|0086|86)?0?(1[3-9][0-9]{5})[0-9]{4}")
_FOREIGN = re.compile(r"(?:\+|00)(?!86)[1-9][0-9]{6,14}")

# One space, hyphen or dot may stand between two digits of a number, in any of the usual scripts.
_DIGITS = re.compile(r"\+?\d(?:[ \u00a0\u3000.\uff0e\-\u2010-\u2015\uff0d]?\d){6,}")
_DIGITS_ASCII = re.compile(rb"\+?[0-9](?:[ .\-]?[0-9]){6,}")


def is_area_code(text: str) -> bool:
    """Tell whether a text is a mainland area code with its 0, such as "0591" or "010"."""
    return _AREA_CODE.fullmatch(text) is not None


def origin(number: str, home_area: str | None = None) -> str | None:
    """Tell where a call came from.

    Args:
        number: The caller's number as the switch wrote it. Spaces, hyphens, dots and brackets are
            overlooked; every other character makes it no number.
        home_area: The hotline's own area code, such as "0591", to which numbers of seven or eight
            digits belong; None leaves those unknown.

    Returns:
        "0591-8755" for a mainland landline: its area code and the first digits of its exchange, at most
        four and with at least four left out (so three of a seven-digit number); a mobile's prefecture
        as 福建省福州市, or 手机; 境外 for a number with a foreign country code (Hong Kong, Macao and
        Taiwan too); None where the number does not say.

    Raises:
        ValueError: `home_area` is not an area code; the operator corrects the configuration.

    Source: China's numbering plan (电信网编号计划); the prefectures are libphonenumber's.

    >>> origin("+86 591 8755 1234"), origin("87551234", "0591"), origin("anonymous")
    ('0591-8755', '0591-8755', None)
    """
    if home_area is not None and not is_area_code(home_area):
        raise ValueError(f'home area "{home_area[:20]}" is not an area code; write one such as "0591"')
    if len(number) > NUMBER_LENGTH:
        return None
    plain = number.translate(_SEPARATORS)
    if mobile := _MOBILE.fullmatch(plain):
        return _prefecture(mobile[1])
    if landline := _LANDLINE.fullmatch(plain):
        return _landline("0" + landline[1], landline[2])
    if home_area is not None and _LOCAL_NUMBER.fullmatch(plain):
        return _landline(home_area, plain)
    return ABROAD if _FOREIGN.fullmatch(plain) else None


def mask_digits(text: str) -> str:
    """Blank whatever may be a telephone number: every run of seven or more digits.

    A single space, hyphen or dot between digits does not end a run; decimal digits of every script
    count. So dates and epoch seconds go as well: the caller keeps those apart beforehand.

    Returns:
        A text of the same length, each character of a run (its separators and a leading + too) a "*".

    >>> mask_digits("12:30:05 from 138-0013-8000")
    '12:30:05 from *************'
    """
    return _DIGITS.sub(lambda run: "*" * len(run[0]), text)


def mask_digit_runs(line: bytes) -> bytes:
    """Blank every run of seven or more ASCII digits, as `mask_digits` does, in a line that is no text.

    Returns:
        A line of the same length.

    >>> mask_digit_runs(b"\\xff|13800138000|x")
    b'\\xff|***********|x'
    """
    return _DIGITS_ASCII.sub(lambda run: b"*" * len(run[0]), line)


def _landline(area: str, local: str) -> str:
    return f"{area}-{local[:-UNTOLD_DIGITS]}"


@lru_cache(PREFIXES_KEPT)
def _prefecture(prefix: str) -> str:
    """Return the prefecture to which a mobile's first seven digits are allotted."""
    # Loads 100 MB of the whole world's prefixes in 0.3 s: only where there is a mobile to look up.
    from phonenumbers import PhoneNumber
    from phonenumbers.geocoder import description_for_valid_number

    place = description_for_valid_number(
        PhoneNumber(country_code=86, national_number=int(prefix) * 10_000), "zh"
    )
    # Without a prefecture the geocoder answers with the country, or with nothing.
    return MOBILE if place in ("", "中国") else str(place)
