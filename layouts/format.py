"""Values -> the characters that a screen shows. None is unknown and shows as "—", never as 0."""

from datetime import date
from typing import Final, NamedTuple

from dashboard.core.days import Zone
from dashboard.core.metrics import wilson

UNKNOWN: Final = "—"
FEW_CALLS: Final = 20
"""A share of fewer calls than this is shown as counts, "4 / 5"."""

_WEEKDAYS: Final = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


class Share(NamedTuple):
    """A share as a screen shows it.

    Attributes:
        figure: "93.6", or "4 / 5" where there are few calls, or "—".
        percent: The figure is in percent.
        interval: The 95 % Wilson interval in whole percent, where few calls were counted.
    """

    figure: str
    percent: bool
    interval: tuple[int, int] | None


def number(value: int | None) -> str:
    """A count.

    >>> number(1234), number(None)
    ('1,234', '—')
    """
    return UNKNOWN if value is None else f"{value:,}"


def shortened(value: int, unit: str) -> str:
    """A large count in its language's unit: ten thousands in Chinese, thousands in English.

    >>> shortened(138900, "万次"), shortened(138900, "k")
    ('13.9', '139')
    """
    return f"{value / 1000:,.0f}" if unit == "k" else f"{value / 10_000:.1f}"


def decimal(value: float | None) -> str:
    """A mean, to one place; a mean of 1,000 and more needs none.

    >>> decimal(46.4), decimal(0.0), decimal(1234.5), decimal(None)
    ('46.4', '0.0', '1,234', '—')
    """
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if value >= 999.95 else f"{value:.1f}"


def rounded(value: float | None) -> str:
    """A mean among counts: whole, but for one below 1, which would look like nothing.

    >>> rounded(158.6), rounded(0.4), rounded(0.99), rounded(0.0), rounded(None)
    ('159', '0.4', '1', '0', '—')
    """
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if value >= 0.95 else f"{value:.1f}".removesuffix(".0")


def duration(seconds: float | None) -> str:
    """A length of time as m:ss, from an hour on h:mm:ss. `assets/10-draw.js` writes it likewise.

    >>> duration(7.9), duration(1575), duration(4324), duration(-3), duration(None)
    ('0:07', '26:15', '1:12:04', '0:00', '—')
    """
    if seconds is None:
        return UNKNOWN
    whole = max(0, int(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def age(seconds: float | None) -> str:
    """An age in seconds: with tenths while it is small. `assets/40-hall.js` writes it likewise.

    >>> age(0.34), age(12.7), age(-0.1), age(None)
    ('0.3', '13', '0.0', '—')
    """
    if seconds is None:
        return UNKNOWN
    return f"{max(0.0, seconds):.1f}" if seconds < 9.95 else f"{seconds:.0f}"


def share(counted: tuple[int, int] | None) -> Share:
    """(within, of) as a percentage; as counts where there are few; unknown where there is nothing.

    >>> share((145, 155)).figure, share((0, 0)).figure, share((4, 5))
    ('93.5', '—', Share(figure='4 / 5', percent=False, interval=(38, 96)))
    """
    if counted is None or counted[1] == 0:
        return Share(UNKNOWN, False, None)
    within, of = counted
    if of < FEW_CALLS:
        interval = wilson(within, of)
        low, high = interval if interval else (0.0, 1.0)
        return Share(f"{within} / {of}", False, (round(100 * low), round(100 * high)))
    percent = 100 * within / of
    return Share("100" if within == of else f"{min(percent, 99.9):.1f}", True, None)


def percent(ratio: float) -> str:
    """A target, 0 to 1, in percent without needless zeros.

    >>> percent(0.9), percent(0.925)
    ('90%', '92.5%')
    """
    return f"{round(100 * ratio, 1):g}%"


def time_of_day(at_s: int, zone: Zone) -> str:
    """An instant by the hotline's wall clock, to the minute.

    >>> time_of_day(1795395600, Zone("Asia/Shanghai"))
    '9:00'
    """
    local = zone.local(at_s)
    return f"{local.hour}:{local.minute:02d}"


def clock(at_s: float, zone: Zone) -> str:
    """An instant by the hotline's wall clock, to the second.

    >>> clock(1795395605.9, Zone("Asia/Shanghai"))
    '09:00:05'
    """
    return zone.local(int(at_s)).strftime("%H:%M:%S")


def day(text: str, language: str) -> str:
    """A local day with its weekday.

    >>> day("2026-11-23", "zh-CN"), day("2026-11-23", "en")
    ('11月23日 周一', 'Mon 23 November')
    """
    of = date.fromisoformat(text)
    if language == "en":
        return f"{_DAYS[of.weekday()]} {of.day} {_MONTHS[of.month - 1]}"
    return f"{of.month}月{of.day}日 {_WEEKDAYS[of.weekday()]}"
