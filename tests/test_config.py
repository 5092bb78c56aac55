"""A wallboard.toml is either taken whole, or every mistake in it is told in plain words."""

import os
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.config import TABLES, Config, find, load, toml_string, unreadable, unwritable
from dashboard.config.load import _Reader
from dashboard.config.reference import reference
from dashboard.config.toml import key_lines
from dashboard.core.names import NO_NAMES
from dashboard.errors import ConfigError

PAGE = Path(__file__).parents[1] / "docs" / "configure.md"
BEGIN = "<!-- made from the schema by `make golden`; change dashboard/config/schema.py instead -->"
END = "<!-- end of what is made from the schema -->"

HOTLINE = '[hotline]\nid = "fuzhou"\nname = "福州12366"\nzone = "Asia/Shanghai"\n'

ISSUE = """
[hotline]
id = "fuzhou"
name = "福州12366"
zone = "Asia/Shanghai"
[redis]
url = "redis://localhost:6379/0"
[data]
dir = "var"
[[sources]]
name = "pbx1"
kind = "queue_log"
path = "/var/log/asterisk/queue_log"
"""

DESIGN = """
[hotline]
id = "fuzhou"
name = "福州12366纳税服务热线"
zone = "Asia/Shanghai"
calendar = "cn"                 # or "weekdays", with workweek = ["sun", "mon", "tue", "wed", "thu"]
opened = 2009-04-20
[hours]
mon = "8:30-12:00,14:00-17:30"  # … one line a day
[[sites]]
id = "gulou"
name = "鼓楼局"
[[queues]]
name = "consult"                # the switch's own name
label = "纳税咨询"
key = 1
site = "shared"
secret = false
wrapup_s = 10
[[seats]]
id = "2001"
site = "gulou"
interface = "PJSIP/2001"
names = ["林晓燕"]               # as the switch writes them; from = 2026-11-01 where it changed
[[sources]]
name = "pbx1"
kind = "queue_log"
path = "/var/log/asterisk/queue_log"
"""


@pytest.fixture
def config(tmp_path: Path):
    """Loads a configuration from its text."""

    def loaded(text: str) -> Config:
        path = tmp_path / "wallboard.toml"
        path.write_text(text, encoding="utf-8")
        return load(path)

    return loaded


@pytest.fixture
def problems(config, tmp_path: Path):
    """The lines of what is wrong with a configuration, without the file's name."""

    def told(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            config(text)
        lines = str(caught.value).splitlines()
        prefix = f"{tmp_path / 'wallboard.toml'}: "
        assert all(line.startswith(prefix) for line in lines)
        return [line.removeprefix(prefix) for line in lines]

    return told


def test_the_small_complete_one_of_the_issue_is_taken(config, tmp_path: Path) -> None:
    found = config(ISSUE)
    assert found.hotline.id == "fuzhou"
    assert found.redis_url({}) == "redis://localhost:6379/0"
    assert found.data_dir == tmp_path / "var"
    assert [(s.name, s.kind, s.path) for s in found.sources] == [
        ("pbx1", "queue_log", Path("/var/log/asterisk/queue_log"))
    ]
    assert found.hours is None and found.hours_on(6) == ((0, 1440),)
    assert (found.web.host, found.web.port) == ("127.0.0.1", 8050)
    assert (found.limits.waiting_s, found.limits.talking_s) == (7200, 28800)
    hall = found.hall
    assert (hall.minutes, hall.threshold_s, hall.formula, hall.short_s) == (30, 15, "of_offered", 5)
    assert (hall.target_service_level, hall.target_wait_s, hall.paused_too_long_s) == (0.9, 15, 1500)
    assert (found.hotline.calendar, found.hotline.language, found.hotline.home_area) == ("cn", "zh-CN", None)
    assert found.names() == NO_NAMES


def test_the_one_of_the_design_is_taken(config) -> None:
    found = config(DESIGN)
    assert found.hotline.opened == date(2009, 4, 20)
    assert found.hours_on(0) == ((510, 720), (840, 1050))
    assert found.hours_on(1) == ()
    assert found.queue_rule("consult") == (10, False)
    assert found.names().seat("林晓燕", 0) == "2001"
    assert found.names().seat_of_interface("PJSIP/2001", 0) == "2001"
    assert found.site_of_seat("2001", "2026-11-23") == "gulou"
    assert found.site_name("gulou") == found.site_short("gulou") == "鼓楼局"


def test_a_member_without_a_name_is_known_by_its_interface(config) -> None:
    found = config(HOTLINE + '[[seats]]\nid = "2001"\ninterface = "PJSIP/2001"\n')
    assert found.names().seat("PJSIP/2001", 0) == "2001"
    assert found.label_of_seat("2001", "2026-11-23") == "2001"


def test_a_wait_target_that_is_not_said_follows_the_threshold(config) -> None:
    assert config(HOTLINE + "[hall]\nthreshold_s = 20\n").hall.target_wait_s == 20


def test_queues_of_keys_2_and_3_and_those_that_nobody_names_are_secret(config) -> None:
    found = config(
        HOTLINE
        + '[[queues]]\nname = "a"\nkey = 1\n[[queues]]\nname = "b"\nkey = 2\n[[queues]]\nname = "c"\nkey = 3\n'
        + '[[queues]]\nname = "d"\n[[queues]]\nname = "e"\nkey = 2\nsecret = false\n'
    )
    assert {q: found.queue_rule(q)[1] for q in "abcdex"} == {
        "a": False,
        "b": True,
        "c": True,
        "d": False,
        "e": False,
        "x": True,
    }
    assert found.queue_rule("x") == (None, True)
    assert found.key_of_queue("b") == 2 and found.key_of_queue("x") is None


def test_a_seat_that_moves_does_not_rewrite_last_month(config) -> None:
    found = config(
        HOTLINE
        + """
[[sites]]
id = "gulou"
name = "鼓楼局"
[[sites]]
id = "taijiang"
name = "台江局"
short = "台江"
[[queues]]
name = "consult"
[[queues]]
name = "consult"
from = 2026-12-01
label = "咨询"
site = "gulou"
[[seats]]
id = "2001"
site = "gulou"
interface = "PJSIP/2001"
names = ["林晓燕", { name = "王芳", from = 2026-11-01 }]
[[seats]]
id = "2001"
from = 2026-12-01
site = "taijiang"
[[seats]]
id = "2001"
from = 2027-01-01
names = ["李强"]
interface = "PJSIP/9001"
[[seats]]
id = "2002"
from = 2026-12-01
site = "gulou"
names = ["林晓燕"]
"""
    )
    days = ["2026-10-31", "2026-11-01", "2026-12-01", "2027-01-01"]
    assert [found.site_of_seat("2001", d) for d in days] == ["gulou", "gulou", "taijiang", "taijiang"]
    assert [found.label_of_seat("2001", d) for d in days] == ["林晓燕", "王芳", "王芳", "李强"]
    assert [found.site_of_seat("2002", d) for d in days] == ["unassigned", "unassigned", "gulou", "gulou"]
    assert [found.site_of_queue("consult", d) for d in days] == ["shared", "shared", "gulou", "gulou"]
    assert [found.label_of_queue("consult", d) for d in days] == ["consult", "consult", "咨询", "咨询"]
    assert found.site_of_queue("other", days[0]) == "unassigned"
    assert found.label_of_queue("other", days[0]) == "other"
    assert found.seat_ids == ("2001", "2002") and found.queue_names == ("consult",)

    names = found.names()
    midnight = int(datetime(2026, 12, 1, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp())
    assert names.seat("林晓燕", midnight - 1) == "2001"
    assert names.seat("林晓燕", midnight) == "2002"
    assert names.seat("王芳", midnight - 40 * 86400) == "王芳"  # before it was anybody's
    assert names.seat_of_interface("PJSIP/2001", 0) == names.seat_of_interface("PJSIP/9001", 0) == "2001"


def test_hours_are_sorted_and_may_end_at_midnight(config) -> None:
    found = config(HOTLINE + '[hours]\nmon = "14:00-24:00, 0:00-8:30,8:30-9:05"\nsun = ""\n')
    assert found.hours_on(0) == ((0, 510), (510, 545), (840, 1440))
    assert found.hours_on(6) == ()


def test_the_table_beats_the_variable_and_without_both_the_server_is_embedded(config) -> None:
    variable = {"REDIS_URL": "redis://elsewhere:6379/1"}
    assert config(ISSUE).redis_url(variable) == "redis://localhost:6379/0"
    assert config(HOTLINE).redis_url(variable) == "redis://elsewhere:6379/1"
    assert config(HOTLINE + "[redis]\n").redis_url(variable) == "redis://elsewhere:6379/1"
    assert config(HOTLINE).redis_url({}) is None
    with pytest.raises(ConfigError, match=r"^REDIS_URL is not a Redis address; it begins with redis://"):
        config(HOTLINE).redis_url({"REDIS_URL": "http://:secret@host"})


def test_the_option_beats_the_variable_beats_the_folder(tmp_path: Path) -> None:
    variable = {"WALLBOARD_CONFIG": "/etc/wallboard.toml"}
    assert find("x.toml", variable, tmp_path) == Path("x.toml")
    assert find(None, variable, tmp_path) == Path("/etc/wallboard.toml")
    with pytest.raises(ConfigError, match="make one with `wallboard init`, or name one with --config"):
        find(None, {}, tmp_path)
    (tmp_path / "wallboard.toml").touch()
    assert find(None, {}, tmp_path) == tmp_path / "wallboard.toml"


def test_relative_paths_are_taken_from_the_file(config, tmp_path: Path) -> None:
    text = HOTLINE + '[data]\ndir = "../d"\n[[sources]]\nname = "a"\nkind = "queue_log"\npath = "logs/q"\n'
    found = config(text)
    assert found.data_dir == tmp_path / "../d"
    assert found.source("a").path == tmp_path / "logs/q"
    with pytest.raises(ConfigError, match="there is no source 'b'; sources: a"):
        found.source("b")


def test_the_fingerprint_follows_what_is_counted_and_nothing_else(config) -> None:
    queue = '[[queues]]\nname = "consult"\n'
    plain = config(HOTLINE + queue).fingerprint()
    assert config(HOTLINE + queue + 'label = "咨询"\n[hall]\nminutes = 60\n').fingerprint() == plain
    changed = [
        config(text).fingerprint()
        for text in (
            HOTLINE + queue + "secret = true\n",
            HOTLINE + queue + "wrapup_s = 5\n",
            HOTLINE + queue + "[limits]\nwaiting_h = 1\n",
            HOTLINE + queue + '[[seats]]\nid = "1"\nnames = ["x"]\n',
            HOTLINE.replace("Shanghai", "Urumqi") + queue,
        )
    ]
    assert len({plain, *changed}) == 1 + len(changed)


def test_an_editor_on_windows_may_have_saved_it(tmp_path: Path) -> None:
    path = tmp_path / "w.toml"
    path.write_bytes(b"\xef\xbb\xbf" + HOTLINE.replace("\n", "\r\n").encode())
    assert load(path).hotline.name == "福州12366"


# --- What is wrong -------------------------------------------------------------------------------------------

MISTAKES = {
    "an unknown site": (
        '[[sites]]\nid = "gulou"\nname = "鼓楼局"\n[[queues]]\nname = "a"\n[[queues]]\nname = "b"\nsite = "gulo"',
        'queues[2].site (line 12): "gulo" is not a site id; perhaps "gulou" is meant; allowed: shared, gulou',
    ),
    "a site where there is none": (
        '[[seats]]\nid = "1"\nsite = "gulou"',
        'seats[1].site (line 7): "gulou" is not a site id; there is no [[sites]] table yet',
    ),
    "an unknown key": (
        "[web]\nprot = 80",
        'web.prot (line 6): is not a key here; perhaps "port" is meant; allowed: host, port',
    ),
    "an unknown table": (
        "[site]",
        'site (line 5): is not a table of this file; perhaps "[[sites]]" is meant; allowed: [hotline], '
        "[hours], [[sites]], [[queues]], [[seats]], [[sources]], [redis], [data], [web], [limits], [hall]",
    ),
    "one bracket for two": (
        '[sites]\nid = "a"',
        "sites (line 5): is not a list of tables; write [[sites]], once for each of them",
    ),
    "two brackets for one": (
        "[[web]]\nport = 80",
        "web (line 5): is not a table; write [web], once, and its keys below",
    ),
    "a number in quotes": ('[web]\nport = "80"', 'web.port (line 6): "80" is a text, not a whole number'),
    "a truth for a number": ("[web]\nport = true", "web.port (line 6): true is not a whole number"),
    "a port that is none": ("[web]\nport = 0", "web.port (line 6): 0 is out of range; allowed: 1 to 65535"),
    "a percentage": (
        "[hall]\ntarget_service_level = 90",
        "hall.target_service_level (line 6): 90 is out of range; allowed: 0 to 1; 90 % is 0.9",
    ),
    "a threshold between the edges": (
        "[hall]\nthreshold_s = 14",
        "hall.threshold_s (line 6): 14 is not an edge of the wait histogram; allowed: 1, 2, 3, 5, 10, 15, "
        "20, 25, 30, 45, 60, 90, 120, 180, 240, 300, 600",
    ),
    "a formula of somebody else": (
        '[hall]\nformula = "sl"',
        'hall.formula (line 6): "sl" is not a formula; allowed: of_offered, of_answered_abandoned, '
        "abandons_within_count, of_answered, abandons_within_ignored, short_abandons_count",
    ),
    "a choice that is not offered": (
        "[hall]\nminutes = 20",
        "hall.minutes (line 6): 20 is not allowed; allowed: 15, 30, 60",
    ),
    "hours that overlap": (
        '[hours]\nmon = "8:00-12:00,11:00-13:00"',
        'hours.mon (line 6): "8:00-12:00,11:00-13:00" has hours that overlap',
    ),
    "hours through midnight": (
        '[hours]\nmon = "20:00-6:00"',
        'hours.mon (line 6): "20:00-6:00" goes backwards in 20:00-6:00; for a night write to 24:00, '
        "and from 0:00 on the next day",
    ),
    "a minute that no clock shows": (
        '[hours]\nmon = "8:60-9:00"',
        'hours.mon (line 6): "8:60-9:00" has a time that no clock shows in 8:60-9:00; allowed: 0:00 to 24:00',
    ),
    "hours with other digits": (
        '[hours]\nmon = "８:00-9:00"',
        'hours.mon (line 6): "８:00-9:00" cannot be read; write hours such as "8:30-12:00,14:00-17:30", '
        '"" for a closed day',
    ),
    "hours that never open": (
        "[hours]",
        "hours (line 5): never opens; a hotline that is always open has no [hours] table",
    ),
    "an address of something else": (
        '[redis]\nurl = "http://:s3cret@host"',
        "redis.url (line 6): is not a Redis address; it begins with redis://, rediss:// or unix://",
    ),
    "an id said twice": (
        '[[sites]]\nid = "a"\nname = "A"\n[[sites]]\nid = "a"\nname = "B"',
        'sites[2].id (line 9): "a" is the id of sites[1] already; each needs its own',
    ),
    "an id with a meaning": (
        '[[sites]]\nid = "shared"\nname = "A"',
        'sites[1].id (line 6): "shared" has a meaning already; choose another',
    ),
    "a source said twice": (
        '[[sources]]\nname = "a"\nkind = "queue_log"\npath = "/q"\n'
        '[[sources]]\nname = "b"\nkind = "queue_log"\npath = "/q"',
        'sources[2].path (line 12): "/q" is the path of sources[1] already; each needs its own',
    ),
    "an unknown kind": (
        '[[sources]]\nname = "a"\nkind = "queuelog"\npath = "/q"',
        'sources[1].kind (line 7): "queuelog" is not a kind of source; perhaps "queue_log" is meant; '
        "allowed: queue_log",
    ),
    "a path that is missing": (
        '[[sources]]\nname = "a"\nkind = "queue_log"',
        'sources[1].path (line 5): is missing; write path = "/var/log/asterisk/queue_log"',
    ),
    "a queue said twice": (
        '[[queues]]\nname = "a"\n[[queues]]\nname = "a"',
        'queues[2].from (line 7): "a" is in queues[1] already; a second entry needs the day from which it holds',
    ),
    "secrecy that changes by date": (
        '[[queues]]\nname = "a"\n[[queues]]\nname = "a"\nfrom = 2026-12-01\nsecret = false',
        'queues[2].secret (line 10): belongs in the first entry of "a"; from a date on, only label and site change',
    ),
    "a seat's entries out of order": (
        '[[seats]]\nid = "1"\nfrom = 2026-12-01\n[[seats]]\nid = "1"\nfrom = 2026-11-01',
        'seats[2].from (line 10): "1" is in seats[1] already; a second entry needs the day from which it holds, '
        "later than 2026-12-01",
    ),
    "an interface of two": (
        '[[seats]]\nid = "1"\ninterface = "SIP/1"\n[[seats]]\nid = "2"\ninterface = "SIP/1"',
        'seats[2].interface (line 10): "SIP/1" is the interface of seat "1" already',
    ),
    "a name of two": (
        '[[seats]]\nid = "1"\nnames = ["x"]\n[[seats]]\nid = "2"\nnames = ["y", "x"]',
        'seats[2].names[2] (line 10): "x" is a name of seat "1" at all times; where a name moves, '
        'write { name = "…", from = <the day> }',
    ),
    "a name of two from the same day": (
        '[[seats]]\nid = "1"\nfrom = 2026-12-01\nnames = ["x"]\n'
        '[[seats]]\nid = "2"\nnames = [{ name = "x", from = 2026-12-01 }]',
        'seats[2].names[1] (line 11): "x" is a name of seat "1" from 2026-12-01 too; where a name moves, '
        'write { name = "…", from = <the day> }',
    ),
    "two names that the switch writes alike": (
        f'[[seats]]\nid = "1"\nnames = ["{"林" * 27}"]\n[[seats]]\nid = "2"\nnames = ["{"林" * 28}"]',
        f'seats[2].names[1] (line 10): "{"林" * 27}", whose first 79 bytes are the same and the switch writes '
        'no more, is a name of seat "1" at all times; where a name moves, write { name = "…", from = <the day> }',
    ),
    "a name that is another's interface": (
        '[[seats]]\nid = "1"\ninterface = "SIP/1"\n[[seats]]\nid = "2"\nnames = ["SIP/1"]',
        'seats[2].names[1] (line 10): "SIP/1" is the interface of seat "1"',
    ),
    "a date in quotes": (
        '[[seats]]\nid = "1"\nfrom = "2026-12-01"',
        'seats[1].from (line 7): "2026-12-01" is a text, not a date such as 2026-11-01, without quotes',
    ),
    "a blank label": (
        '[[queues]]\nname = "a"\nlabel = " "',
        'queues[1].label (line 7): " " is blank; write a text',
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_file_key_line_and_what_is_allowed(mistake: str, problems) -> None:
    text, told = MISTAKES[mistake]
    assert problems(HOTLINE + text + "\n") == [told]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(problems) -> None:
    told = problems(
        """stray = 1
[hotline]
id = "Fuzhou!"
name = ""
zone = "Asia/Shangai"
calender = "cn"
language = "fr"
workweek = []
home_area = "591"
opened = 2009-04-20T00:00:00
[[queues]]
name = "a"
site = "gulo"
wrapup_s = -1
[[seats]]
id = "李"
names = ["", 5, { nam = "x" }]
"""
    )
    assert [line.split(":")[0] for line in told] == [
        "stray (line 1)",
        "hotline.id (line 3)",
        "hotline.name (line 4)",
        "hotline.zone (line 5)",
        "hotline.calender (line 6)",
        "hotline.language (line 7)",
        "hotline.workweek (line 8)",
        "hotline.home_area (line 9)",
        "hotline.opened (line 10)",
        "queues[1].site (line 13)",
        "queues[1].wrapup_s (line 14)",
        "seats[1].id (line 16)",
        "seats[1].names[1].name (line 17)",
        "seats[1].names[2] (line 17)",
        "seats[1].names[3].name (line 17)",
        "seats[1].names[3].nam (line 17)",
    ]
    assert told[3].endswith(
        '"Asia/Shangai" is not a time zone of the IANA list; perhaps "Asia/Shanghai" is meant'
    )


def test_a_file_without_a_hotline_is_told_what_to_write(problems) -> None:
    assert problems("") == [
        'hotline: is missing; write [hotline] and below it id = "fuzhou", name = "福州12366纳税服务热线", '
        'zone = "Asia/Shanghai"'
    ]


def test_what_is_not_toml_is_told_with_its_line(problems) -> None:
    assert problems('[hotline]\nid = fuzhou"\n') == ["line 2, column 6: invalid value"]
    assert problems(HOTLINE + "[hotline]\n") == ["line 5, column 9: cannot declare ('hotline',) twice"]


def test_a_file_that_is_missing_or_not_utf_8_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml does not exist; `wallboard init` makes one$"):
        load(tmp_path / "no.toml")
    with pytest.raises(ConfigError, match=r" is a directory; name a file$"):
        load(tmp_path)
    path = tmp_path / "gbk.toml"
    path.write_bytes(HOTLINE.encode("gbk"))
    with pytest.raises(ConfigError, match=r"gbk\.toml: line 3 is not UTF-8; save the file as UTF-8$"):
        load(path)


def test_a_long_wrong_value_is_cut_in_the_message(problems) -> None:
    assert problems(HOTLINE + f'[web]\nport = "{"x" * 500}"\n') == [
        f'web.port (line 6): "{"x" * 59}… is a text, not a whole number'
    ]


scalars = st.one_of(
    st.booleans(), st.integers(-5, 10**6), st.floats(allow_nan=False), st.text(max_size=5), st.dates()
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["id", "name", "from", "x"]), inner, max_size=3),
    ),
    max_leaves=4,
)
JARGON = re.compile(
    r"pydantic|Undefined|str_|string_type|validat|Input should|Extra inputs|Field required|None|<class|instance"
)


@given(st.sampled_from(sorted(TABLES)), st.data())
def test_whatever_stands_at_a_key_the_answer_is_a_config_error_in_plain_words(table: str, data) -> None:
    """No input makes anything but a Config or a ConfigError, and no message speaks the library's language."""
    model = TABLES[table]
    keys = [field.alias or name for name, field in model.model_fields.items()]
    row = data.draw(st.dictionaries(st.sampled_from(keys), values, max_size=4))
    whole = data.draw(st.sampled_from([row, [row], [row, row], 5]))
    raw = {"hotline": {"id": "a", "name": "b", "zone": "UTC"}} | {table: whole}
    reader = _Reader(raw, Path("/x"))
    if reader.config(Path("w.toml"), ("queue_log",)) is None:
        assert reader.problems
        for problem in reader.problems:
            # What the operator wrote is repeated in the message; the rest is ours.
            assert not JARGON.search(re.sub(r'"(?:[^"\\]|\\.)*"', "", problem.text)), problem


# --- Lines, strings, the page --------------------------------------------------------------------------------


def test_lines_are_found_through_strings_comments_and_arrays() -> None:
    text = '''# [x]
[a]   # ]
"k = [" = "# no"   # c
text = """
[b]
k = 1
"""
list = [
  "]", # ]
  { c = 1 },
]
last.inner = 1
[[t]]
[[t]]
id = 2
[t.sub]
x = 'a # " b'
'''
    assert key_lines(text) == {
        ("a",): 2,
        ("a", "k = ["): 3,
        ("a", "text"): 4,
        ("a", "list"): 8,
        ("a", "last", "inner"): 12,
        ("t",): 13,
        ("t", 0): 13,
        ("t", 1): 14,
        ("t", 1, "id"): 15,
        ("t", 1, "sub"): 16,
        ("t", 1, "sub", "x"): 17,
    }


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_written_as_a_toml_string_is_read_back(text: str) -> None:
    written = toml_string(text)
    assert tomllib.loads(f"k = {written}") == {"k": text}
    assert written.isprintable()


def test_text_that_is_not_utf_8_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="not UTF-8"):
        toml_string("\udcff")


def test_every_key_of_the_schema_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, made, after = re.split(f"{re.escape(BEGIN)}\n\n|\n\n{re.escape(END)}", page)
    if os.environ.get("WALLBOARD_GOLDEN"):
        PAGE.write_text(f"{before}{BEGIN}\n\n{reference()}\n\n{END}{after}", encoding="utf-8")
        made = reference()
    assert made == reference()
    for table, model in TABLES.items():
        assert f"[{table}]" in made
        for name, field in model.model_fields.items():
            assert f"| `{field.alias or name}` |" in made
            assert field.title and field.description and field.examples, (table, name)


def test_the_examples_on_the_page_are_taken(config) -> None:
    page = PAGE.read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 3
    config(examples[0])
    sites = '[[sites]]\nid = "gulou"\nname = "a"\n[[sites]]\nid = "taijiang"\nname = "b"\n'
    for example in examples[1:]:
        config(HOTLINE + sites + example)


def test_every_example_in_the_schema_is_itself_allowed() -> None:
    context = {"base": "/"}
    for model in TABLES.values():
        row = {f.alias or n: f.examples[0] for n, f in model.model_fields.items() if f.examples}
        model.model_validate(row, context=context)


# --- Who may read -------------------------------------------------------------------------------------------


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everybody may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def as_nobody() -> Iterator[None]:
    """This process as a user without rights."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("only root can become somebody else, and ids are Linux's")
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(65534)
    os.seteuid(65534)
    yield
    os.seteuid(0)
    os.setegid(0)
    os.setgroups(groups)


def _log(place: Path, mode: int, group: int) -> Path:
    path = place / "queue_log"
    path.touch()
    os.chown(path, 1, group)  # 1 is daemon
    path.chmod(mode)
    return path


def test_a_log_that_cannot_be_read_names_its_owner_and_the_group_to_join(place: Path, request) -> None:
    path = _log(place, 0o640, 4) if os.geteuid() == 0 else place
    request.getfixturevalue("as_nobody")
    assert unreadable(path) == (
        f"{path} cannot be read by nobody: it belongs to daemon:adm (mode 640); "
        "join its group: sudo usermod -aG adm nobody, then log in again"
    )


def test_a_log_that_its_group_cannot_read_either_says_so(place: Path, request) -> None:
    path = _log(place, 0o600, 4) if os.geteuid() == 0 else place
    request.getfixturevalue("as_nobody")
    assert unreadable(path) == (
        f"{path} cannot be read by nobody: it belongs to daemon:adm (mode 600); open it to its group: "
        f"sudo chmod g+r {path}; and join its group: sudo usermod -aG adm nobody, then log in again"
    )


def test_nobody_is_sent_into_the_group_root(place: Path, request) -> None:
    path = _log(place, 0o640, 0) if os.geteuid() == 0 else place
    request.getfixturevalue("as_nobody")
    assert unreadable(path) == (
        f"{path} cannot be read by nobody: it belongs to daemon:root (mode 640); "
        f"let nobody in: sudo setfacl -m u:nobody:r {path}"
    )


def test_a_directory_on_the_way_that_cannot_be_entered_is_the_one_that_is_named(place: Path, request) -> None:
    folder = place / "asterisk"
    folder.mkdir()
    path = folder / "queue_log"
    path.touch()
    if os.geteuid() == 0:
        os.chown(folder, 1, 4)
    folder.chmod(0o750)
    request.getfixturevalue("as_nobody")
    assert unreadable(path) == (
        f"{path} cannot be read by nobody: {folder} cannot be entered; it belongs to daemon:adm (mode 750); "
        "join its group: sudo usermod -aG adm nobody, then log in again"
    )


def test_a_data_directory_that_cannot_be_made_says_who_must_do_what(place: Path, request) -> None:
    assert unwritable(place / "a" / "b") is None
    (place / "file").touch()
    assert (
        unwritable(place / "file" / "b")
        == f"{place / 'file' / 'b'} cannot be made: {place / 'file'} is not a directory"
    )
    request.getfixturevalue("as_nobody")
    assert unwritable(place / "var") == (
        f"{place / 'var'} cannot be made: {place} cannot be written by nobody; it belongs to root:root (mode 755): "
        f"sudo chown nobody {place}, or choose another [data] dir"
    )


def test_what_is_no_plain_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert unreadable(tmp_path / "pipe") == f"{tmp_path / 'pipe'} is not a plain file; name a file"
    assert unreadable(tmp_path) == f"{tmp_path} is a directory; name a file"
    (tmp_path / "log").touch()
    assert unreadable(tmp_path / "log") is None
