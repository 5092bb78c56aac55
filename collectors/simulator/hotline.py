"""A hotline to simulate: its bureaus, queues and seats as data, and the configuration that fits it.

Comes in: nothing, or a number of copies. Goes out: `Hotline` values and the text of a wallboard.toml.
Never: files, a clock, randomness. Every person in it is invented.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri")
SHARED: Final = "shared"  # the site of a queue that belongs to no bureau


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A bureau."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A waiting line, how it is configured in the switch, and who calls it.

    Attributes:
        name: The switch's own name.
        label: The name on the screen.
        key: The key that a caller presses, 1 to 3.
        site: A site's id, or `shared`.
        secret: Its callers must never be identifiable.
        wrapup_s: A seat rests so long after each of its calls.
        timeout_s: A caller leaves the queue after so long.
        overflow: The queue that such a caller enters next; None says good-bye.
        weight: The heavier queue is served first by a free seat.
        mobile_ratio: Its part of all calls, from mobiles; over all queues both parts sum to 1.
        landline_ratio: Its part of all calls, from landlines.
    """

    name: str
    label: str
    key: int
    site: str
    secret: bool
    wrapup_s: int
    timeout_s: int
    overflow: str | None
    weight: int
    mobile_ratio: float
    landline_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A seat's place in a queue; the lower penalty rings first."""

    queue: str
    penalty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A position that answers.

    Attributes:
        id: Its extension.
        site: The id of the bureau that it sits in.
        interface: As the switch calls it, `PJSIP/2001`.
        name: The person on it, as the switch writes it; unique.
        members: The queues that it answers, in the order in which the switch logs them.
        no_answer_ratio: How often it rings in vain, 0 to 1.
    """

    id: str
    site: str
    interface: str
    name: str
    members: tuple[Member, ...]
    no_answer_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotline:
    """A hotline.

    Attributes:
        id: Its short name in keys and addresses.
        name: Its name on the screen.
        zone: IANA name of its time zone.
        calendar: Which days are workdays, as the configuration spells it.
        opened: Its first day.
        open_s: Opens on workdays at so many seconds after local midnight.
        close_s: Lets nobody in any more from then on.
        sites: All its bureaus.
        queues: All its queues.
        seats: All its seats.
        calls_a_day: First calls on an ordinary workday; those who ring again come on top.
    """

    id: str
    name: str
    zone: str
    calendar: str
    opened: date
    open_s: int
    close_s: int
    sites: tuple[Site, ...]
    queues: tuple[Queue, ...]
    seats: tuple[Seat, ...]
    calls_a_day: float


_CITY: Final = ("city", "市局")
# In the order of the extensions 2001 to 2014.
_BUREAUS: Final = (
    ("gulou", "鼓楼局", "林晓燕"),
    ("taijiang", "台江局", "郑海峰"),
    ("cangshan", "仓山局", "何敏"),
    ("jinan", "晋安局", "阿依古丽·买买提"),
    ("mawei", "马尾局", "黄雅琴"),
    ("changle", "长乐局", "高洁"),
    ("fuqing", "福清局", "薛文斌"),
    ("minhou", "闽侯局", "刘洋"),
    ("lianjiang", "连江局", "上官婉如"),
    ("luoyuan", "罗源局", "方圆"),
    ("minqing", "闽清局", "许丽萍"),
    ("yongtai", "永泰局", "蓝水生"),
    ("pingtan", "平潭局", "曹俊杰"),
    ("kaifaqu", "开发区局", "邱明"),
)
_CENTRAL_NAMES: Final = ("陈静", "王志远", "欧阳建华")
_KEY_RATIOS: Final = (0.80, 0.12, 0.08)  # of keys 1, 2 and 3
_LANDLINE_RATIO: Final = 0.35
# Who calls from a landline, by the bureau in charge; the small ones get a handful of calls a day.
_REGIONS: Final = (
    ("city", "市区", 0.42),
    ("changle", "长乐", 0.09),
    ("fuqing", "福清", 0.12),
    ("minhou", "闽侯", 0.10),
    ("lianjiang", "连江", 0.07),
    ("luoyuan", "罗源", 0.04),
    ("minqing", "闽清", 0.04),
    ("yongtai", "永泰", 0.04),
    ("pingtan", "平潭", 0.08),
)


def fuzhou() -> Hotline:
    """The hotline of the demo: Fuzhou's shape, invented people.

    >>> hotline = fuzhou()
    >>> len(hotline.sites), len(hotline.queues), len(hotline.seats)
    (15, 12, 17)
    >>> round(sum(q.mobile_ratio + q.landline_ratio for q in hotline.queues), 9)
    1.0
    """
    return Hotline(
        id="fuzhou",
        name="福州12366纳税服务热线",
        zone="Asia/Shanghai",
        calendar="cn",
        opened=date(2009, 4, 20),
        open_s=8 * 3600,
        close_s=18 * 3600,
        sites=(
            Site(id=_CITY[0], name=_CITY[1]),
            *(Site(id=site, name=name) for site, name, _ in _BUREAUS),
        ),
        queues=tuple(_queues()),
        seats=tuple(_seats()),
        calls_a_day=540.0,
    )


def scaled(hotline: Hotline, times: int) -> Hotline:
    """The same hotline with `times` as many seats and calls, for load.

    >>> big = scaled(fuzhou(), 100)
    >>> len(big.seats), len({seat.name for seat in big.seats}), big.calls_a_day
    (1700, 1700, 54000.0)
    """
    copies = (
        replace(
            seat,
            id=f"{seat.id}{copy:03d}",
            interface=f"{seat.interface}{copy:03d}",
            name=f"{seat.name}{copy:03d}",
        )
        for copy in range(1, times)
        for seat in hotline.seats
    )
    return replace(hotline, seats=(*hotline.seats, *copies), calls_a_day=hotline.calls_a_day * times)


def demo_toml(hotline: Hotline, *, data_dir: str, queue_log_path: str) -> str:
    """A complete wallboard.toml for a hotline whose switch writes one queue_log.

    Args:
        hotline: What to configure.
        data_dir: Where the wallboard keeps its own files.
        queue_log_path: The file that the simulator writes and the collector follows.

    Returns:
        The text, ended by a newline.
    """
    hours = f"{_clock(hotline.open_s)}-{_clock(hotline.close_s)}"
    parts = [
        "# The demo's hotline. Everybody in it is invented; the simulator writes the switch's log.",
        "",
        "[hotline]",
        f"id = {_quoted(hotline.id)}",
        f"name = {_quoted(hotline.name)}",
        f"zone = {_quoted(hotline.zone)}",
        f"calendar = {_quoted(hotline.calendar)}                 # statutory holidays and make-up workdays",
        f"opened = {hotline.opened.isoformat()}",
        "",
        "[hours]                         # a day that is not named is closed",
        *(f"{day} = {_quoted(hours)}" for day in WEEKDAYS),
        "",
        "[data]",
        f"dir = {_quoted(data_dir)}",
        "",
        "# Bureaus that own seats, and perhaps queues.",
    ]
    for site in hotline.sites:
        parts += ["[[sites]]", f"id = {_quoted(site.id)}", f"name = {_quoted(site.name)}", ""]
    parts.append("# The switch's queues. Callers of a secret queue are never identifiable.")
    for queue in hotline.queues:
        parts += [
            "[[queues]]",
            f"name = {_quoted(queue.name)}",
            f"label = {_quoted(queue.label)}",
            f"key = {queue.key}",
            f"site = {_quoted(queue.site)}",
            f"secret = {str(queue.secret).lower()}",
            f"wrapup_s = {queue.wrapup_s}",
            "",
        ]
    parts.append("# Seats; names as the switch writes them.")
    for seat in hotline.seats:
        parts += [
            "[[seats]]",
            f"id = {_quoted(seat.id)}",
            f"site = {_quoted(seat.site)}",
            f"interface = {_quoted(seat.interface)}",
            f"names = [{_quoted(seat.name)}]",
            "",
        ]
    parts += [
        "[[sources]]",
        'name = "pbx1"',
        'kind = "queue_log"',
        f"path = {_quoted(queue_log_path)}",
    ]
    return "\n".join(parts) + "\n"


def _queues() -> Iterator[Queue]:
    common = {"consult": ("纳税咨询", 1), "fraud_report": ("涉税举报", 2), "integrity": ("廉政效能投诉", 3)}
    for name, (label, key) in common.items():
        secret = key > 1
        yield Queue(
            name=name,
            label=label,
            key=key,
            site=SHARED,
            secret=secret,
            wrapup_s=30 if secret else 20,
            timeout_s=180,
            overflow=None,
            weight=3 if secret else 1,
            mobile_ratio=_KEY_RATIOS[key - 1] * (1 - _LANDLINE_RATIO),
            # Landlines that press 1 go to the bureau in charge of them.
            landline_ratio=_KEY_RATIOS[key - 1] * _LANDLINE_RATIO if secret else 0.0,
        )
    for site, place, ratio in _REGIONS:
        yield Queue(
            name=site,
            label=f"{place}咨询",
            key=1,
            site=site,
            secret=False,
            wrapup_s=20,
            timeout_s=45,
            overflow="consult",
            weight=1,
            mobile_ratio=0.0,
            landline_ratio=_KEY_RATIOS[0] * _LANDLINE_RATIO * ratio,
        )


def _seats() -> Iterator[Seat]:
    for number, name in enumerate(_CENTRAL_NAMES, start=1001):
        members = (("consult", 1), ("fraud_report", 0), ("integrity", 0), ("city", 0))
        yield _seat(number, _CITY[0], name, members, 0.02)
    counties = [site for site, _, _ in _REGIONS[1:]]
    for number, (site, _, name) in enumerate(_BUREAUS, start=2001):
        if site in counties:
            # A county has one seat: its neighbour stands in when that one is busy.
            neighbour = counties[(counties.index(site) + 1) % len(counties)]
            yield _seat(number, site, name, (("consult", 1), (site, 0), (neighbour, 1)), 0.07)
        else:
            yield _seat(number, site, name, (("consult", 0), ("city", 1)), 0.05)


def _seat(
    number: int, site: str, name: str, members: tuple[tuple[str, int], ...], no_answer_ratio: float
) -> Seat:
    return Seat(
        id=str(number),
        site=site,
        interface=f"PJSIP/{number}",
        name=name,
        members=tuple(Member(queue=queue, penalty=penalty) for queue, penalty in members),
        no_answer_ratio=no_answer_ratio,
    )


def _clock(of_day_s: int) -> str:
    return f"{of_day_s // 3600}:{of_day_s % 3600 // 60:02d}"


def _quoted(text: str) -> str:
    r"""A TOML basic string.

    >>> print(_quoted('C:\\data "1"\n'))
    "C:\\data \"1\"\u000a"
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'
