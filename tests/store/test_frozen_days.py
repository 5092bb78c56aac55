"""Days that are unlike others, through the whole path: their slots sum to the day, and neighbours get nothing of it."""

from pathlib import Path

import pytest
from hotline import items_of, stage, until

from dashboard.core.days import Zone
from dashboard.core.table import Ask, table
from dashboard.store.connect import connect
from dashboard.store.feed import Feed
from dashboard.store.reader import part_of, rules_of

DAYS = {
    "an unknown year": ("Asia/Shanghai", "2027-01-04", 24),
    "25 hours": ("Europe/Berlin", "2026-10-25", 25),
    "23 hours": ("Europe/Berlin", "2027-03-28", 23),
    "a month's end": ("Asia/Shanghai", "2026-11-30", 24),
    "the day before a leap day": ("Asia/Shanghai", "2028-02-28", 24),
    "a leap day": ("Asia/Shanghai", "2028-02-29", 24),
}
SUMMED = ("offered", "answered", "abandoned", "overflowed", "lost", "waiting", "answers", "talk_s")


def log_of(from_s: int, to_s: int) -> bytes:
    """A call each half hour, from the day's first second to its last; every third is abandoned."""
    lines = []
    for number, at_s in enumerate([*range(from_s, to_s, 1800), to_s - 1]):
        callid = f"{at_s}.{number}"
        lines.append((at_s, f"{callid}|consult|NONE|ENTERQUEUE||05910000000|1"))
        if number % 3 == 2:
            lines.append((at_s + 9, f"{callid}|consult|NONE|ABANDON|1|1|9"))
        else:
            lines.append((at_s + 4, f"{callid}|consult|Anna|CONNECT|4|{callid}9|3"))
            lines.append((at_s + 64, f"{callid}|consult|Anna|COMPLETECALLER|4|60|1"))
    return "".join(f"{at_s}|{text}\n" for at_s, text in sorted(lines)).encode()


def toml_of(zone: str) -> str:
    return f"""
[hotline]
id = "fuzhou"
name = "x"
zone = "{zone}"
calendar = "cn"
[data]
dir = "var"
[[queues]]
name = "consult"
wrapup_s = 10
[[seats]]
id = "2001"
interface = "Local/2001"
names = ["Anna"]
[[sources]]
name = "pbx1"
kind = "queue_log"
path = "none"
"""


@pytest.mark.parametrize("case", DAYS)
@pytest.mark.parametrize("minutes", [15, 60])
def test_slots_of_an_unusual_day_sum_to_it(case: str, minutes: int, tmp_path: Path, redis_url: str) -> None:
    name, day, hours = DAYS[case]
    zone = Zone(name)
    from_s, to_s = zone.bounds(day)
    assert to_s - from_s == hours * 3600
    here = stage(tmp_path, redis_url, toml_of(name), now_s=to_s + 600)
    with here.tools() as tools:
        tools.writer.write(items_of(tools, log_of(from_s, to_s)))
        tools.writer.beat(to_s + 600, read=True)

    def asked(which: str, by: str) -> dict[str, object]:
        snapshot = here.reader.snapshot("pbx1", [which])
        start_s, end_s = zone.bounds(which)
        ask = Ask(zone=zone, from_s=start_s, to_s=end_s, by=by, minutes=minutes)  # type: ignore[arg-type]
        return table(ask, [part_of(snapshot, rules_of(here.config), here.now_s)])

    by_day, by_slot = asked(day, "day"), asked(day, "slot")
    (row,) = by_day["rows"]  # type: ignore[misc]
    calls = hours * 2 + 1
    assert (row["key"], row["offered"], row["answered"]) == (day, calls, calls - calls // 3)
    assert len(by_slot["rows"]) == hours * 60 // minutes  # type: ignore[arg-type]
    for column in SUMMED:
        assert sum(slot[column] or 0 for slot in by_slot["rows"]) == row[column]  # type: ignore[attr-defined]
    # What the day's last caller had as work after midnight is the next day's; nothing else is.
    (after,) = asked(zone.shift_days(day, 1), "day")["rows"]  # type: ignore[misc]
    assert (after["offered"], after["answers"]) == (0, 1 if (calls - 1) % 3 != 2 else 0)


@pytest.mark.parametrize(("day", "known"), [("2026-11-30", True), ("2027-01-04", False)])
def test_a_year_that_the_calendar_does_not_know_is_marked_and_counted(
    day: str, known: bool, tmp_path: Path, redis_url: str
) -> None:
    zone = Zone("Asia/Shanghai")
    from_s, _ = zone.bounds(day)
    now_s = from_s + 12 * 3600
    here = stage(tmp_path, redis_url, toml_of("Asia/Shanghai"), now_s=now_s)
    feed = Feed(here.config, lambda: connect(redis_url), clock=lambda: now_s)
    with here.tools() as tools:
        tools.writer.write(items_of(tools, log_of(from_s, now_s)))
        tools.writer.beat(now_s, read=True)
        feed.start()
        until(lambda: feed.hall().answers_today)
        view = feed.hall()
    feed.stop()
    assert (view.calendar_known, view.answers_today) == (known, 17)
