"""`wallboard init` makes a file that `load` takes and that knows every name of the switch."""

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.commands.init import run_init
from dashboard.commands.plan import completed, make_plan, pair
from dashboard.commands.queues_conf import Member, QueueConf, QueuesConf, parse, separate
from dashboard.commands.starter import write
from dashboard.commands.survey import Survey, log_lines, look_through
from dashboard.config import Config, load
from dashboard.core.names import cut
from dashboard.errors import ConfigError

RECORDINGS = ("short-a", "busy-a", "restart", "rotate", "names", "chaos")

CONF = """\
[general]
persistentmembers = yes
[consult]
wrapuptime = 4
member => Local/1001@agents/n,0,王芳,Custom:s1001
member => PJSIP/2001,0
[fraud_report]
member => Local/1001@agents/n,0,王芳
"""

LOG = """\
1795445187|MANAGER|consult|Local/2004@agents/n|ADDMEMBER|
1795445188|1795445187.1|consult|NONE|ENTERQUEUE||059100004866|1
1795445190|1795445187.1|consult|吴丽萍|CONNECT|2|1795445189.3|1
1795445199|1795445187.1|consult|吴丽萍|COMPLETECALLER|2|9|1
"""


class Session:
    """One run of `init` in an empty directory; holds what it said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "wallboard.toml"
        self.said: list[str] = []

    def file(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def run(self, **options: object) -> Config:
        options = {"output": self.output, "root": self.folder / "root", "out": self.said.append} | options
        assert run_init(**options) == 0
        return load(self.output)

    def answers(self, *answers: str) -> Callable[[str], str]:
        left: Iterator[str] = iter(answers)
        return lambda _: next(left)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path)


def test_queues_seats_and_interfaces_are_found(session: Session) -> None:
    found = session.run(
        queues_conf=session.file("q.conf", CONF), queue_logs=[session.file("log", LOG)], yes=True
    )
    assert found.queue_names == ("consult", "fraud_report")
    assert found.queue_rule("consult") == (4, True)
    assert found.queue_rule("fraud_report") == (None, True)
    assert [(s.id, s.interface, [n.name for n in s.names], s.site) for s in found.seats] == [
        ("1001", "Local/1001@agents/n", ["王芳"], "main"),
        ("2001", "PJSIP/2001", [], "main"),
        ("2004", None, ["吴丽萍"], "main"),
    ]
    assert found.sources[0].path == session.folder / "log"
    text = session.output.read_text(encoding="utf-8")
    assert '# interface = "Local/2004@agents/n"' in text
    assert session.said == [
        f"found 2 queues and 3 seats in {session.folder / 'q.conf'} and {session.folder / 'log'}",
        "1 seat with an interface that fits the log, as a comment: confirm it there",
        f"wrote {session.output}, time zone Asia/Shanghai",
        "all queues remain secret; where one is not, write `secret = false` in its table",
        "next:",
        f"  1. edit {session.output}: the hotline's id and name, the sites, the hours",
        f"  2. wallboard check --config {session.output}",
        f"  3. wallboard serve --collect --config {session.output}",
    ]


def test_every_comment_taken_away_gives_a_file_that_is_taken_too(session: Session) -> None:
    session.run(queues_conf=session.file("q.conf", CONF), queue_logs=[session.file("log", LOG)], yes=True)
    lines = session.output.read_text(encoding="utf-8").splitlines()
    uncommented = [line[2:] if re.match(r"# (\[|\w+ = )", line) else line for line in lines]
    session.output.write_text("\n".join(uncommented), encoding="utf-8")
    found = load(session.output)
    assert found.hours_on(0) and found.hotline.home_area == "0591"
    assert found.redis_url({}) == "redis://localhost:6379/0"
    assert found.names().seat_of_interface("Local/2004@agents/n", 0) == "2004"


@pytest.mark.parametrize("recording", RECORDINGS)
@pytest.mark.parametrize("from_conf", [True, False], ids=["queues.conf and log", "log alone"])
def test_a_file_made_from_a_recording_knows_all_its_names(
    recording: str, from_conf: bool, session: Session, shared_data: Path
) -> None:
    folder = shared_data / "asterisk" / recording
    logs = sorted(folder.glob("queue_log*"))
    conf_path = folder / "queues.conf"
    found = session.run(queues_conf=conf_path if from_conf else None, queue_logs=logs, yes=True)
    names = found.names()
    conf = parse(conf_path.read_bytes())

    assert {q.name for q in conf.queues} <= names.queues or not from_conf
    if from_conf:
        for member in {m for q in conf.queues for m in q.members}:
            assert names.seat_of_interface(member.interface, 0) is not None
            assert names.seat(member.name, 0) == names.seat_of_interface(member.interface, 0)
    for log in logs:
        survey = look_through(log_lines(log), names.queues, names.by_name)
        assert set(survey.queues) <= names.queues
        assert set(survey.members) <= set(names.by_name)


def test_hostile_names_are_told_apart_by_the_lines_of_the_log_alone(shared_data: Path) -> None:
    survey = look_through(log_lines(shared_data / "asterisk" / "names" / "queue_log"))
    long = "超长名字" * 20
    assert set(survey.queues) == {
        "咨询", "consult east", "a|b", "<b>q</b>", "举报'q'", '队列"x"', "comma,q", "Q" * 60
    }  # fmt: skip
    assert set(survey.members) == {
        "王芳", "王 芳 (夜班)", "a|b|c", "O'Brien \"Bob\"", "<script>alert(1)</script>", "李,强", cut(long),
        "😀坐席&amp;#39;", "=1+1", "COMPLETECALLER", "NONE", "L" * 79, "王芳·动态", "王 芳 (夜班)·动态",
        "a|b|c·动态", "O'Brien \"Bob\"·动态", "<script>alert(1)</script>·动态", "李,强·动态"
    }  # fmt: skip
    assert set(survey.interfaces) == {f"Local/300{n}@agents/n" for n in range(1, 7)}


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=90)
interfaces = st.builds("{}/{}".format, st.sampled_from(["PJSIP", "Local", "SIP"]), names)


@given(
    queues=st.lists(
        st.tuples(names, st.lists(st.tuples(interfaces, st.none() | names), max_size=4)), max_size=4
    ),
    members=st.lists(names, max_size=4),
    added=st.lists(names | interfaces, max_size=4),
)
def test_whatever_the_names_the_file_is_taken_and_knows_them(
    queues: list[tuple[str, list[tuple[str, str | None]]]],
    members: list[str],
    added: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    conf = QueuesConf(
        queues=tuple(
            QueueConf(name=name, wrapup_s=None, members=tuple(Member(i, n) for i, n in static))
            for name, static in queues
        )
    )
    survey = Survey()
    survey.members.update(members)
    survey.interfaces.update(added)
    plan = make_plan(conf, survey)
    text = write(
        plan, name="n", zone="UTC", secret=[q.name for q in plan.queues], log_path="/q", found_in=["x"]
    )
    path = tmp_path_factory.mktemp("c") / "w.toml"
    path.write_text(text, encoding="utf-8")
    known = load(path).names()
    assert known.queues == {name for name, _ in queues}
    assert {m.name for q in conf.queues for m in q.members if m.name} | set(members) <= set(known.by_name)
    assert {m.interface for q in conf.queues for m in q.members} <= set(known.by_interface)
    assert all(known.queues) and not plan.unwritable


@given(names)
def test_a_name_cut_by_the_switch_is_completed_to_one_that_it_cuts_alike(name: str) -> None:
    written = cut(name + "长" * 30)
    whole = completed(written)
    assert whole is not None and cut(whole) == written
    whole.encode("utf-8")


def test_a_name_that_is_not_utf_8_is_left_out_and_said_so(session: Session) -> None:
    log = LOG.encode() + "1795445190|1795445187.1|consult|吴丽萍|CONNECT|2|1795445189.3|1\n".encode("gbk")
    found = session.run(queue_logs=[session.file("log", log)], yes=True)
    assert found.seat_ids == ("seat-1",)
    assert any(
        line.startswith("left out: ") and line.endswith("let the switch write UTF-8") for line in session.said
    )


def test_one_name_on_two_devices_goes_to_the_first_and_the_second_is_remarked(session: Session) -> None:
    conf = "[a]\nmember => SIP/1,0,王芳\nmember => SIP/2,0,王芳\nmember => PJSIP/1,0,x\n"
    found = session.run(queues_conf=session.file("q.conf", conf), yes=True)
    assert {s.id: [n.name for n in s.names] for s in found.seats} == {
        "SIP-1": ["王芳"],
        "2": [],
        "PJSIP-1": ["x"],
    }
    assert 'The name "王芳" is seat "SIP-1"\'s already' in session.output.read_text(encoding="utf-8")


def test_a_persons_own_number_is_no_id(session: Session) -> None:
    conf = "[a]\nmember => Local/19900001234@out/n,0,王芳\n"
    found = session.run(queues_conf=session.file("q.conf", conf), yes=True)
    assert found.seat_ids == ("seat-1",)


def test_where_two_names_have_only_one_device_left_neither_gets_it() -> None:
    fits = {"a": {"L/1"}, "b": {"L/1"}, "c": {"L/1", "L/2"}, "d": {"L/3", "L/4"}}
    assert pair(fits, ["L/1", "L/2", "L/3", "L/4"], "abcd") == {}
    assert pair({"a": {"L/9"}}, ["L/1"], "a") == {}  # the device is somebody's already


# --- What is asked ------------------------------------------------------------------------------------------


def test_which_queues_are_secret_is_asked_until_the_answer_makes_sense(session: Session) -> None:
    found = session.run(
        queues_conf=session.file("q.conf", CONF), ask=session.answers("consult", "0", "3", "2")
    )
    assert [found.queue_rule(q)[1] for q in found.queue_names] == [False, True]
    assert session.said.count("Please answer with numbers from 1 to 2, such as 2,3.") == 3
    assert '  2  "fraud_report"' in session.said
    assert 'secret: "fraud_report"' in session.said


@pytest.mark.parametrize(
    ("answer", "secret"),
    [
        ("", [True, True]),
        ("all", [True, True]),
        ("none", [False, False]),
        ("1，2", [True, True]),
        ("1", [True, False]),
    ],
)
def test_an_answer_is_numbers_none_or_all(answer: str, secret: list[bool], session: Session) -> None:
    found = session.run(queues_conf=session.file("q.conf", CONF), ask=session.answers(answer))
    assert [found.queue_rule(q)[1] for q in found.queue_names] == secret


def test_an_end_of_input_leaves_all_secret(session: Session) -> None:
    def ask(_: str) -> str:
        raise EOFError

    found = session.run(queues_conf=session.file("q.conf", CONF), ask=ask)
    assert all(found.queue_rule(q)[1] for q in found.queue_names)


def test_secret_queues_can_be_named_beforehand_commas_in_names_too(session: Session) -> None:
    conf = session.file("q.conf", "[a,b]\n[c]\n[d]\n[e]\n")
    found = session.run(queues_conf=conf, secret=["a,b", "c, d"])
    assert [q for q in found.queue_names if found.queue_rule(q)[1]] == ["a,b", "c", "d"]
    with pytest.raises(ConfigError, match=r'^--secret: there is no queue "x"; queues: "a,b", "c", "d", "e"$'):
        session.run(queues_conf=conf, secret=["x"], force=True)


# --- Files ----------------------------------------------------------------------------------------------------


def test_a_file_that_is_there_is_overwritten_only_by_force(session: Session) -> None:
    session.output.write_text("mine")
    with pytest.raises(
        ConfigError, match=r"is there already; name another with --output, or overwrite it with --f"
    ):
        session.run(yes=True)
    assert session.output.read_text() == "mine"
    assert session.run(yes=True, force=True).seats == ()
    assert [path.name for path in session.folder.iterdir()] == ["wallboard.toml"]


def test_a_named_file_that_cannot_be_read_ends_it_before_anything_is_written(session: Session) -> None:
    with pytest.raises(ConfigError, match=r"no\.conf does not exist$"):
        session.run(queues_conf=session.folder / "no.conf", yes=True)
    with pytest.raises(ConfigError, match=r"no_log does not exist$"):
        session.run(queue_logs=[session.folder / "no_log"], yes=True)
    torn = gzip.compress(LOG.encode() * 100)[:-20]
    with pytest.raises(ConfigError, match=r"queue_log\.1\.gz cannot be read to its end: "):
        session.run(queue_logs=[session.file("queue_log.1.gz", torn)], yes=True)
    with pytest.raises(ConfigError, match=r"^--zone: time zone"):
        session.run(zone="Asia/Fuzhou", yes=True)
    assert not session.output.exists()


def test_without_files_named_the_usual_places_are_looked_at(session: Session) -> None:
    conf = session.file("root/etc/asterisk/queues.conf", CONF)
    log = session.file("root/var/log/asterisk/queue_log", LOG)
    found = session.run(yes=True)
    assert found.seat_ids == ("1001", "2001", "2004")
    assert found.sources[0].path == log
    assert session.said[0] == f"found 2 queues and 3 seats in {conf} and {log}"


def test_without_anything_a_file_to_fill_in_is_written(session: Session) -> None:
    found = session.run(ask=session.answers())
    assert (found.queues, found.seats) == ((), ())
    assert found.sources[0].path == Path("/var/log/asterisk/queue_log")
    assert (
        session.said[0]
        == "found 0 queues and 0 seats in no file: name them with --queues-conf and --queue-log"
    )


def test_rotated_and_compressed_logs_are_read_in_the_order_of_time(session: Session) -> None:
    added, *rest = LOG.splitlines(keepends=True)
    old = session.file("queue_log.1.gz", gzip.compress(added.encode()))
    new = session.file("queue_log.0", "".join(rest))
    found = session.run(queue_logs=[new, old], yes=True)
    assert found.seat_ids == ("2004",)  # only in this order was the device there when the name answered
    assert found.sources[0].path == session.folder / "queue_log"
    assert f"queue_log.0 is a rotated file; the source is {session.folder / 'queue_log'}" in session.said


def test_the_machines_zone_is_taken_unless_it_is_a_servers_utc(session: Session) -> None:
    etc = session.folder / "root" / "etc"
    etc.mkdir(parents=True)
    (etc / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    assert session.run(yes=True).zone.name == "Europe/Berlin"
    (etc / "localtime").unlink()
    (etc / "localtime").symlink_to("/usr/share/zoneinfo/Etc/UTC")
    assert session.run(yes=True, force=True).zone.name == "Asia/Shanghai"
    assert session.run(zone="America/New_York", yes=True, force=True).zone.name == "America/New_York"


# --- queues.conf -----------------------------------------------------------------------------------------------


def test_comments_templates_and_includes_are_read_as_asterisk_reads_them() -> None:
    conf = parse(
        b"""\xef\xbb\xbf; a comment
member => SIP/0,0,nobody's
[General]
wrapuptime = 99
#include "more.conf"
[base](!)
wrapuptime = 7     ; seconds
member => SIP/1,0,Anna
[one](base)
MEMBER = SIP/2,0,semi\\;colon ; and a comment
wrapuptime => 8
;-- member => SIP/3
[hidden]
 --; member => SIP/4,0,Dora
;--- one line
[two](base,!)
[three]
wrapuptime = soon
strategy
member =>
[one](+)
member => SIP/5,0,"Eve, the \\"boss\\"",x
[broken
"""
    )
    assert conf == QueuesConf(
        queues=(
            QueueConf(
                name="one",
                wrapup_s=8,
                members=(
                    Member("SIP/1", "Anna"),
                    Member("SIP/2", "semi;colon"),
                    Member("SIP/4", "Dora"),
                    Member("SIP/5", 'Eve, the "boss"'),
                ),
            ),
            QueueConf(name="three", wrapup_s=None, members=()),
        ),
        not_followed=('#include "more.conf"',),
        unread=(2, 19, 23),
    )


def test_what_is_included_is_said_not_to_be_followed(session: Session) -> None:
    session.run(queues_conf=session.file("q.conf", '#include "queues_additional.conf"\n[a]\n'), yes=True)
    assert (
        'not followed: "#include \\"queues_additional.conf\\""; '
        "if it names queues, give that file with --queues-conf too" in session.said
    )


@given(st.lists(st.text(st.characters(exclude_characters="\n")), min_size=1))
def test_arguments_that_are_quoted_come_back(arguments: list[str]) -> None:
    quoted = ['"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"')) for text in arguments]
    brackets = "".join(arguments).count
    if brackets("(") == brackets("[") == 0:
        assert separate(",".join(quoted)) == arguments


@given(st.binary())
def test_no_bytes_stop_the_readers(data: bytes) -> None:
    parse(data)
    look_through(data.split(b"\n"))
