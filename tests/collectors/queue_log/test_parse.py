"""Lines of a real Asterisk become the right events, nothing is guessed, and no caller's number survives."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.queue_log.files import order_files, read_whole
from collectors.queue_log.parse import LONGEST_LINE, Masked, Record, mask, parse_line, read, replay
from dashboard.core.events import (
    Abandoned,
    Answered,
    Ended,
    Event,
    Offered,
    Overflowed,
    Paused,
    Refused,
    RingMissed,
    SeatSeen,
    SignedIn,
    SignedOut,
    Skipped,
    SwitchStarted,
    Unknown,
    Unpaused,
)
from dashboard.core.names import NO_NAMES, Names, SeatNames, cut, readable
from dashboard.errors import RecordMalformed

RECORDINGS = Path(__file__).parents[2] / "recordings" / "asterisk"
AT = 1795445265
SEVEN_DIGITS = re.compile(rb"[0-9]{7}")

ONE = Names.of(
    ["consult", "举报'q'", "05918888888"],
    [
        SeatNames(id="2001", interface="PJSIP/2001", names=(("林晓燕", 0),)),
        SeatNames(id="2002", interface="PJSIP/2002", names=(("陈静", 0),)),
    ],
)
PIPED = Names.of(
    ["a", "a|b", "consult"],
    [
        SeatNames(id="3003", interface="PJSIP/3003", names=(("a|b|c", 0), ("a|b|c·动态", 0))),
        SeatNames(id="3010", interface="PJSIP/3010", names=(("COMPLETECALLER", 0),)),
        SeatNames(id="3011", interface="PJSIP/3011", names=(("NONE", 0),)),
        SeatNames(id="3001", interface="PJSIP/3001", names=(("王芳", 0),)),
    ],
)


def line(text: str) -> str:
    """A line at AT of call c1: written here from its queue on."""
    return f"{AT}|1795445260.1|{text}"


def parse(text: str, names: Names = ONE) -> Event:
    return parse_line(line(text), names)


def rejected(text: str, names: Names = ONE) -> str:
    with pytest.raises(RecordMalformed) as caught:
        parse_line(text, names)
    return str(caught.value)


def never(queue: str) -> bool:
    return False


# --- Every verb --------------------------------------------------------------------------------------------

CALL = "1795445260.1"
VERBS: list[tuple[str, Event]] = [
    ("consult|NONE|ENTERQUEUE||19900001255|1", Offered(AT, CALL, "consult")),
    ("consult|NONE|ENTERQUEUE|http://x/?a=1|19900001255|1|张三", Offered(AT, CALL, "consult")),
    ("consult|NONE|ENTERQUEUE||12|34|1", Offered(AT, CALL, "consult")),
    ("consult|NONE|ENTERQUEUE||1|2|3|4|名", Offered(AT, CALL, "consult")),
    ("consult|林晓燕|CONNECT|12|1795445262.6|4", Answered(AT, CALL, "consult", "2001", 12)),
    ("consult|林晓燕|COMPLETECALLER|12|70|1", Ended(AT, CALL, "consult", "2001", 70)),
    ("consult|林晓燕|COMPLETEAGENT|12|70|1", Ended(AT, CALL, "consult", "2001", 70)),
    ("consult|林晓燕|BLINDTRANSFER|6002|xfer|12|70|1", Ended(AT, CALL, "consult", "2001", 70)),
    ("consult|林晓燕|TRANSFER|6002|xfer|12|70|1", Ended(AT, CALL, "consult", "2001", 70)),
    ("consult|林晓燕|ATTENDEDTRANSFER|BRIDGE|11db-ce|12|70|1", Ended(AT, CALL, "consult", "2001", 70)),
    ("consult|林晓燕|ATTENDEDTRANSFER|APP|Queue|12|70|1", Ended(AT, CALL, "consult", "2001", 70)),
    ("consult|林晓燕|ATTENDEDTRANSFER|LINK|SIP/1-1|SIP/2-1|12|70|1", Ended(AT, CALL, "consult", "2001", 70)),
    ("consult|NONE|ABANDON|1|2|6", Abandoned(AT, CALL, "consult", 6)),
    ("consult|林晓燕|ABANDON|1|2|6", Abandoned(AT, CALL, "consult", 6)),
    ("consult|NONE|EXITWITHTIMEOUT|1|2|60", Overflowed(AT, CALL, "consult", 60, "timeout")),
    ("consult|NONE|EXITWITHKEY|9|1|2|60", Overflowed(AT, CALL, "consult", 60, "key")),
    ("consult|NONE|EXITEMPTY|1|2|60", Overflowed(AT, CALL, "consult", 60, "empty")),
    ("consult|NONE|WITHDRAW|1|2|60|转人工|回拨", Overflowed(AT, CALL, "consult", 60, "withdrawn")),
    ("consult|NONE|REFUSED|JOINEMPTY", Refused(AT, CALL, "consult", "JOINEMPTY")),
    ("consult|林晓燕|RINGNOANSWER|8000", RingMissed(AT, CALL, "2001", "consult", 8000)),
    ("consult|林晓燕|RINGCANCELED|1706", SeatSeen(AT, "2001", "consult")),
    ("consult|林晓燕|AGENTDUMP|", SeatSeen(AT, "2001", "consult")),
    ("consult|PJSIP/2001|ADDMEMBER|", SignedIn(AT, "2001", "consult", False)),
    ("consult|PJSIP/2001|ADDMEMBER|PAUSED", SignedIn(AT, "2001", "consult", True)),
    ("consult|林晓燕|ADDMEMBER|", SignedIn(AT, "2001", "consult", False)),  # log_membername_as_agent
    ("consult|PJSIP/9|ADDMEMBER|", Skipped(AT, "ADDMEMBER")),
    ("consult|PJSIP/2001|REMOVEMEMBER|", SignedOut(AT, "2001", "consult")),
    ("consult|PJSIP/9|REMOVEMEMBER|", Skipped(AT, "REMOVEMEMBER")),
    ("consult|林晓燕|PAUSE|会议|培训", Paused(AT, "2001", "consult", "会议|培训")),
    ("consult|林晓燕|PAUSE|", Paused(AT, "2001", "consult", "")),
    ("consult|林晓燕|PAUSE|PAUSE", Paused(AT, "2001", "consult", "PAUSE")),
    ("consult|林晓燕|UNPAUSE|Auto-Unpause", Unpaused(AT, "2001", "consult")),
    ("NONE|NONE|QUEUESTART|", SwitchStarted(AT)),
    ("NONE|NONE|CONFIGRELOAD|", Skipped(AT, "CONFIGRELOAD")),
    ("NONE|林晓燕|PAUSEALL|会议", Skipped(AT, "PAUSEALL")),
    ("NONE|林晓燕|UNPAUSEALL|", Skipped(AT, "UNPAUSEALL")),
    ("consult|PJSIP/2001|PENALTY|3", Skipped(AT, "PENALTY")),
    ("consult|PJSIP/2001|RINGINUSE|1", Skipped(AT, "RINGINUSE")),
    ("NONE|8001|AGENTLOGIN|Local/8001@agentpool-00000046;2", Skipped(AT, "AGENTLOGIN")),
    ("NONE|8001|AGENTLOGOFF|Local/8001@agentpool-00000046;2|30", Skipped(AT, "AGENTLOGOFF")),
    ("NONE|8001|AGENTCALLBACKLOGIN|1@x", Skipped(AT, "AGENTCALLBACKLOGIN")),
    ("NONE|8001|AGENTCALLBACKLOGOFF|1@x|30|CommandLogoff", Skipped(AT, "AGENTCALLBACKLOGOFF")),
    ("consult|林晓燕|SYSCOMPAT|", Skipped(AT, "SYSCOMPAT")),
    ("consult|林晓燕|OUTCALL|ANSWER|30|x", Skipped(AT, "OUTCALL")),
    ("consult|NONE|INFO|anything|at|all", Skipped(AT, "INFO")),
    ("consult|NONE|DID|12366", Skipped(AT, "DID")),
    ("consult|王芳|SHIFTNOTE|换班|白班|夜班", Unknown(AT, "SHIFTNOTE")),
    ("05918888888|林晓燕|CONNECT|12|1795445262.6|4", Answered(AT, CALL, "05918888888", "2001", 12)),
    ("new|new|CONNECT|12|1795445262.6|4", Answered(AT, CALL, "new", "new", 12)),
    ("new|PJSIP/2002|CONNECT|12|1795445262.6|4", Answered(AT, CALL, "new", "2002", 12)),  # no member name
]


@pytest.mark.parametrize(("text", "event"), VERBS, ids=[text for text, _ in VERBS])
def test_every_verb_is_one_event_and_masked_it_still_is(text: str, event: Event) -> None:
    assert parse(text) == event
    assert parse_line(line(text) + "\r", ONE) == event
    masked = mask(line(text).encode(), ONE).line
    assert replay(masked, None, ONE) == event
    assert mask(masked, ONE).line is masked or mask(masked, ONE).line == masked


def test_where_a_call_came_from_is_told_beside_its_line() -> None:
    text = line("consult|NONE|ENTERQUEUE||19900001255|1")
    assert parse_line(text, ONE, "福建省福州市") == Offered(AT, CALL, "consult", "福建省福州市")
    assert parse_line(line("consult|NONE|ABANDON|1|2|6"), ONE, "x") == Abandoned(AT, CALL, "consult", 6)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0\0\0\0",
        "1795445265",
        "1795445265|c|consult|NONE",
        "|c|consult|NONE|ABANDON|1|1|1",
        "179544526|c|consult|NONE|ABANDON|1|1|1",
        "17954452650|c|consult|NONE|ABANDON|1|1|1",
        "0999999999|c|consult|NONE|ABANDON|1|1|1",
        "4000000001|c|consult|NONE|ABANDON|1|1|1",
        "1795445265.5|c|consult|NONE|ABANDON|1|1|1",
        "+795445265|c|consult|NONE|ABANDON|1|1|1",
        "１７９５４４５２６５|c|consult|NONE|ABANDON|1|1|1",
        "1_95445265|c|consult|NONE|ABANDON|1|1|1",
        line("consult|NONE||"),
        line("consult|NONE|ENTERQUEUE||05910000"),  # cut off
        line("consult|NONE|ENTERQUEUE||0591|"),
        line("consult|NONE|ENTERQUEUE||0591|123456"),
        line("consult|林晓燕|ENTERQUEUE||0591|1"),
        line("|NONE|ENTERQUEUE||0591|1"),
        f"{AT}|NONE|consult|NONE|ENTERQUEUE||0591|1",
        f"{AT}||consult|NONE|ENTERQUEUE||0591|1",
        line("consult|林晓燕|CONNECT|12|1795445262.6|"),
        line("consult|林晓燕|CONNECT|-1|1795445262.6|1"),
        line("consult|林晓燕|CONNECT| 1|1795445262.6|1"),
        line("consult|林晓燕|CONNECT|٣|1795445262.6|1"),
        line("consult|林晓燕|CONNECT|1234567890|1795445262.6|1"),
        line("consult||CONNECT|1|1795445262.6|1"),
        line("consult|林晓燕|COMPLETECALLER|12|70"),
        line("consult|林晓燕|COMPLETECALLER|12|7.5|1"),
        line("consult|林晓燕|BLINDTRANSFER|12|70|1"),
        line("consult|林晓燕|ATTENDEDTRANSFER|BRIDGE|12|70"),
        line("consult|NONE|ABANDON|1|1"),
        line("consult|NONE|EXITWITHKEY|1|1|1"),
        line("consult|NONE|WITHDRAW|1|1|1"),
        line("consult|NONE|REFUSED|"),
        line("consult|NONE|REFUSED|FULL|x"),
        line("consult|林晓燕|REFUSED|FULL"),
        line("consult|林晓燕|RINGNOANSWER|"),
        line("consult|PJSIP/2001|ADDMEMBER|PAU"),
        line("consult|林晓燕|PAUSE"),
        line("consult|NONE|QUEUESTART|"),
        line("NONE|NONE|QUEUESTART|x"),
        line("consult|NONE|" + "x" * LONGEST_LINE),
        line("PAUSE|" * 2000),
    ],
)
def test_what_does_not_fit_is_rejected_and_stays_so_masked(text: str) -> None:
    message = rejected(text)
    assert 0 < len(message) <= 200
    raw = text.encode()
    assert rejected(mask(raw, ONE).line.decode()).partition(": ")[0] == message.partition(": ")[0]
    record = read(raw, ONE, None, never)
    assert (record.event, record.reject, record.number, record.callid) == (None, message, None, None)


def test_a_message_shows_no_number_and_no_control_character() -> None:
    message = rejected(line("consult|NONE|ENTERQUEUE|\x1b[31m|138 0000 1111|x|张三"))
    assert message == (
        "ENTERQUEUE ends too early, or has no position: 1795445265|1795445260.1|consult|NONE|ENTERQUEUE|�[31m|||"
    )
    message = rejected("13800001111|13800001111|consult|13800001111|CONNECT")
    assert message.endswith(": ***********|***********|consult|***********|CONNECT")


def test_the_zeros_of_a_power_cut_do_not_hide_the_start_after_it() -> None:
    assert parse_line("\0" * 300 + f"{AT}|NONE|NONE|NONE|QUEUESTART|", ONE) == SwitchStarted(AT)
    assert read(b"\0" * 300 + b"%d|NONE|NONE|NONE|QUEUESTART|\r" % AT, ONE, None, never) == Record(
        b"%d|NONE|NONE|NONE|QUEUESTART|" % AT, SwitchStarted(AT), None, None, None, None
    )


def test_a_name_is_a_seats_from_its_day_on() -> None:
    names = Names.of(
        [],
        [
            SeatNames(id="1", names=(("王芳", 0),)),
            SeatNames(id="2", names=(("王芳", AT),)),
        ],
    )
    assert parse("q|王芳|RINGCANCELED|1", names) == SeatSeen(AT, "2", "q")
    assert parse_line(f"{AT - 1}|c|q|王芳|RINGCANCELED|1", names) == SeatSeen(AT - 1, "1", "q")


# --- The recordings' quirks, by their numbers --------------------------------------------------------------


def test_quirk_1_a_refused_call_is_only_in_the_dial_plans_own_line() -> None:
    offered = {e.queue for e in events("names") if isinstance(e, Offered)}
    unknown = {q for q, counts in truth("names")["per_queue"].items() if "status_UNKNOWN" in counts}
    assert unknown and not offered & unknown
    assert parse("consult|NONE|REFUSED|FULL") == Refused(AT, CALL, "consult", "FULL")


def test_quirk_6_a_call_may_enter_queues_again() -> None:
    offers = Counter(e.callid for e in events("restart") if isinstance(e, Offered))
    again = [e for e in events("restart") if isinstance(e, Offered) and e.callid == "1795445266.119"]
    assert [e.queue for e in again] == ["fuqing", "integrity"]
    assert sum(offers.values()) == 112 and len(offers) == 108


def test_quirk_7_a_transfer_ends_the_conversation_of_its_seat() -> None:
    call = [e for e in events("names") if getattr(e, "callid", None) == "1795445275.53"]
    assert call == [
        Offered(1795445276, "1795445275.53", "举报'q'"),
        Answered(1795445280, "1795445275.53", "举报'q'", "3001", 4),
        Ended(1795445285, "1795445275.53", "举报'q'", "3001", 5),
    ]


def test_quirk_8_a_killed_switch_leaves_calls_without_an_end() -> None:
    open_legs: dict[tuple[str, str], str] = {}
    left: list[str] = []
    for event in events("restart"):
        match event:
            case Offered():
                open_legs[event.callid, event.queue] = "waiting"
            case Answered():
                open_legs[event.callid, event.queue] = "talking"
            case Ended() | Abandoned() | Overflowed():
                open_legs.pop((event.callid, event.queue), None)
            case SwitchStarted():
                left += open_legs.values()
                open_legs.clear()
            case _:
                pass
    assert Counter(left) == {"talking": 11, "waiting": 6}
    assert not open_legs


def test_quirk_9_rotated_files_are_in_order_and_begin_with_a_reload() -> None:
    paths = order_files((RECORDINGS / "rotate").glob("queue_log*"))
    assert [path.name for path in paths] == ["queue_log.1", "queue_log.0", "queue_log"]
    firsts = [parse_line(next(read_whole(path))[1].decode(), ONE) for path in paths]
    assert firsts == [
        SwitchStarted(1795445183),
        Skipped(1795445259, "CONFIGRELOAD"),
        Skipped(1795445331, "CONFIGRELOAD"),
    ]


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("a|b|NONE|ENTERQUEUE||17700005799|1|a_b", Offered(AT, CALL, "a|b")),
        ("a|b|王芳|CONNECT|4|1795445276.56|3", Answered(AT, CALL, "a|b", "3001", 4)),
        ("a|b|新人|CONNECT|4|1795445276.56|3", Answered(AT, CALL, "a|b", "新人", 4)),
        ("a|王芳|CONNECT|4|1795445276.56|3", Answered(AT, CALL, "a", "3001", 4)),
        ("consult|a|b|c|CONNECT|4|1795445276.56|3", Answered(AT, CALL, "consult", "3003", 4)),
        ("new|a|b|c|CONNECT|4|1795445276.56|3", Answered(AT, CALL, "new", "3003", 4)),
        ("a|b|a|b|c·动态|PAUSE|培训|室", Paused(AT, "3003", "a|b", "培训|室")),
        ("a|b|COMPLETECALLER|CONNECT|4|u.1|3", Answered(AT, CALL, "a|b", "3010", 4)),
        ("consult|COMPLETECALLER|COMPLETECALLER|4|9|3", Ended(AT, CALL, "consult", "3010", 9)),
        ("consult|NONE|COMPLETEAGENT|4|9|3", Ended(AT, CALL, "consult", "3011", 9)),
        ("a|b|NONE|PAUSE|", Paused(AT, "3011", "a|b", "")),
        ("a|b|PJSIP/3001|ADDMEMBER|", SignedIn(AT, "3001", "a|b", False)),
        ("NONE|a|b|c|PAUSEALL|培训", Skipped(AT, "PAUSEALL")),
        ("a|b|王芳|SHIFTNOTE|x|y", Unknown(AT, "SHIFTNOTE")),
        ("consult|a|b|c|SHIFTNOTE|x|y", Unknown(AT, "SHIFTNOTE")),
    ],
)
def test_quirk_10_a_bar_in_a_name_is_settled_by_the_configured_names(text: str, event: Event) -> None:
    assert parse(text, PIPED) == event
    assert replay(mask(line(text).encode(), PIPED).line, None, PIPED) == event


@pytest.mark.parametrize(
    "text",
    [
        "a|b|王芳|CONNECT|4|1795445276.56|3",
        "a|b|COMPLETECALLER|CONNECT|4|1795445276.56|3",
        "a|b|NONE|COMPLETECALLER|4|9|3",
        "consult|a|b|c|PAUSE|培训",
        "a|b|PAUSE|UNPAUSE|",
        "a|b|PENALTY|CONNECT|4|1795445276.56|3",
        "a|b|NONE|CONNECT|4",
    ],
)
def test_quirk_10_a_bar_in_a_name_that_nobody_configured_is_not_guessed(text: str) -> None:
    assert rejected(line(text), NO_NAMES).startswith(
        "a name in it contains |; name that queue or seat in the configuration: 1795445265|1795445260.1|"
    )


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("a|b|NONE|ENTERQUEUE||17700005799|1|a_b", Offered(AT, CALL, "a|b")),
        ("a|b|NONE|ABANDON|1|1|6", Abandoned(AT, CALL, "a|b", 6)),
        ("a|b|NONE|EXITWITHTIMEOUT|1|1|6", Overflowed(AT, CALL, "a|b", 6, "timeout")),
        ("a|b|PJSIP/3001|ADDMEMBER|", Skipped(AT, "ADDMEMBER")),
        ("NONE|a|b|c|PAUSEALL|培训", Skipped(AT, "PAUSEALL")),
    ],
)
def test_quirk_10_an_unconfigured_bar_is_taken_where_every_reading_is_the_same(
    text: str, event: Event
) -> None:
    assert parse(text, NO_NAMES) == event


def test_quirk_10_what_was_not_guessed_is_read_once_the_name_is_configured() -> None:
    record = read(line("a|b|王芳|CONNECT|4|1795445276.56|3").encode(), NO_NAMES, None, never)
    assert record.event is None
    assert replay(record.line, None, PIPED) == Answered(AT, CALL, "a|b", "3001", 4)


def test_quirk_10_names_that_cannot_be_told_apart_are_rejected() -> None:
    names = Names.of(
        ["q", "q|x"], [SeatNames(id="1", names=(("x|y", 0),)), SeatNames(id="2", names=(("y", 0),))]
    )
    assert rejected(line("q|x|y|CONNECT|4|u.1|3"), names).startswith(
        "it fits several of the configured names; names with | in them must be distinct"
    )


def test_quirk_10_the_recording_with_bars_counts_as_its_driver_does() -> None:
    assert sum(isinstance(e, Unknown) for e in events("names")) == 0
    assert sum(isinstance(e, Offered) and e.queue == "a|b" for e in events("names")) == 6


def test_quirk_11_a_long_name_is_cut_in_the_middle_of_a_character() -> None:
    long = "超长名字" * 30
    raw = f"{AT}|c|comma,q|".encode() + long.encode()[:79] + b"|CONNECT|3|1795445269.22|2"
    named = Names.of([], [SeatNames(id="3007", names=((long, 0),))])
    assert read(raw, named, None, never).event == Answered(AT, "c", "comma,q", "3007", 3)
    unnamed = read(raw, NO_NAMES, None, never)
    assert unnamed.line is raw
    assert unnamed.event == Answered(AT, "c", "comma,q", "超长名字" * 6 + "超长�", 3)


def test_quirk_12_waits_and_talks_agree_with_the_driver_within_a_second_or_two() -> None:
    for name in ("short-a", "rotate"):
        answered = {(e.callid, e.queue): e.wait_s for e in events(name) if isinstance(e, Answered)}
        talked = {(e.callid, e.queue): e.talk_s for e in reversed(events(name)) if isinstance(e, Ended)}
        compared = 0
        for call in truth(name)["calls"]:
            offers = Counter(offer["queue"] for offer in call["offers"])
            for offer in call["offers"]:
                key = call["uniqueid"], offer["queue"]
                if offer.get("outcome") != "answered" or offers[offer["queue"]] > 1:
                    continue
                compared += 1
                assert abs(answered[key] - (offer["t_answer"] - offer["t_offer"])) < 2
                assert abs(talked[key] - (offer["t_agent_end"] - offer["t_answer"])) < 2
        assert compared > 30


def test_quirk_13_a_sign_in_names_only_the_interface() -> None:
    known = [e for e in events("short-a") if isinstance(e, SignedIn)]
    assert len(known) == 14 and {e.seat for e in known} <= set(truth("short-a")["per_seat"])
    unconfigured = [parse_line(text, NO_NAMES) for text in texts("short-a")]
    assert not any(isinstance(e, SignedIn | SignedOut) for e in unconfigured)
    assert sum(e.verb == "ADDMEMBER" for e in unconfigured if isinstance(e, Skipped)) == 14


def test_quirk_15_a_seat_signed_out_in_a_conversation_still_ends_it() -> None:
    assert [
        parse("consult|PJSIP/2001|REMOVEMEMBER|"),
        parse("consult|林晓燕|COMPLETEAGENT|2|30|1"),
    ] == [SignedOut(AT, "2001", "consult"), Ended(AT, CALL, "consult", "2001", 30)]


def test_quirk_16_a_pause_may_be_said_twice() -> None:
    pauses = [e for e in events("names") if isinstance(e, Paused | Unpaused) and e.seat == "3006"]
    queue = [e for e in pauses if e.queue == '队列"x"']
    assert [type(e) for e in queue][:3] == [Paused, Paused, Unpaused]


def test_quirk_17_callers_who_give_up_at_once_have_waited_zero_seconds() -> None:
    assert Abandoned(1795445307, "1795445305.137", "consult east", 0) in events("names")


def test_quirk_20_a_system_name_is_part_of_the_call_id() -> None:
    raw = b"1795445257|hotline-1795445252.217|fraud_report|NONE|EXITEMPTY|2|2|3"
    assert read(raw, ONE, None, never) == Record(
        raw,
        Overflowed(1795445257, "hotline-1795445252.217", "fraud_report", 3, "empty"),
        None,
        None,
        "hotline-1795445252.217",
        None,
    )
    odd = mask(b"1795445257|hotline-1795445252.217|q|x|NOTE|13800001111", ONE).line
    assert odd == b"1795445257|hotline-1795445252.217|q|x|NOTE|***********"


def test_quirk_21_a_name_mangled_by_a_restart_is_kept_as_it_is_written() -> None:
    assert parse("a|b|a|CONNECT|4|u.1|3", PIPED) == Answered(AT, CALL, "a|b", "a", 4)
    assert parse("consult|0|CONNECT|4|u.1|3", PIPED) == Answered(AT, CALL, "consult", "0", 4)


def test_quirk_24_two_ends_of_one_call_are_two_events() -> None:
    ends = [e for e in events("restart") if isinstance(e, Ended) and e.callid == "1795445240.73"]
    assert [(e.at_s, e.talk_s) for e in ends] == [(1795445276, 28), (1795445276, 28)]


# --- Whole recordings --------------------------------------------------------------------------------------


def truth(name: str, folder: Path = RECORDINGS) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name / "truth.json").read_text("utf-8"))
    return found


def raw_lines(name: str, folder: Path = RECORDINGS) -> list[bytes]:
    paths = order_files((folder / name).glob("queue_log*"))
    return [text for path in paths for _, text in read_whole(path)]


def texts(name: str) -> list[str]:
    return [text.decode("utf-8", "surrogateescape") for text in raw_lines(name)]


def names_of(name: str, folder: Path = RECORDINGS) -> Names:
    """The recording's configuration: its driver's seats under their names, also those signed in at run time."""
    known = truth(name, folder)
    seats = {
        seat: SeatNames(
            id=seat,
            interface=f"Local/{seat}@agents/n",
            names=((about["name"], 0), (about["name"] + "·动态", 0)),
        )
        for seat, about in known["per_seat"].items()
    }
    queues = re.findall(r"^\[(.+)\]$", (folder / name / "queues.conf").read_text("utf-8"), re.MULTILINE)
    return Names.of({*queues, *known["per_queue"]} - {"general"}, seats.values())


def events(name: str) -> list[Event]:
    names = names_of(name)
    return [parse_line(text, names) for text in texts(name)]


@pytest.mark.parametrize("name", ["short-a", "names", "restart", "rotate"])
def test_a_recording_counts_as_its_driver_does(name: str) -> None:
    known = truth(name)["per_queue"]
    by_kind = {kind: Counter[str]() for kind in (Offered, Answered, Abandoned, Overflowed)}
    reasons: Counter[tuple[str, str]] = Counter()
    for event in events(name):
        if isinstance(event, Offered | Answered | Abandoned | Overflowed):
            by_kind[type(event)][event.queue] += 1
        if isinstance(event, Overflowed):
            reasons[event.queue, event.reason] += 1
    for queue, counts in known.items():
        refused = sum(n for key, n in counts.items() if key.startswith(("refused_", "status_")))
        assert by_kind[Offered][queue] == counts.get("offered", 0) - refused, queue
        cut_by_crash = counts.get("answered_but_cut_by_crash", 0)
        assert by_kind[Answered][queue] in (
            counts.get("answered", 0),
            counts.get("answered", 0) + cut_by_crash,
        )
        assert by_kind[Abandoned][queue] == counts.get("abandoned", 0), queue
        assert reasons[queue, "timeout"] == counts.get("timeout", 0), queue
        assert reasons[queue, "withdrawn"] == counts.get("withdrawn", 0), queue
        keys = sum(n for key, n in counts.items() if key.startswith("exit_key_"))
        assert reasons[queue, "key"] == keys, queue


@pytest.mark.parametrize("name", ["short-a", "names", "restart", "rotate"])
def test_a_recordings_seats_answer_as_its_driver_says(name: str) -> None:
    answered = Counter(e.seat for e in events(name) if isinstance(e, Answered))
    assert answered == {
        seat: about["answered"] for seat, about in truth(name)["per_seat"].items() if about.get("answered")
    }


def check_masking(name: str, folder: Path) -> None:
    names = names_of(name, folder)
    callers = {c["caller"].encode() for c in truth(name, folder)["calls"]} - {b"", b"anonymous"}
    people = {c["caller_name"].encode() for c in truth(name, folder)["calls"]} - {b"", b"a_b"}
    seen = set()
    for raw in raw_lines(name, folder):
        masked = mask(raw, names)
        record = read(raw, names, "0591", never)
        assert record.line == masked.line
        assert not any(caller in masked.line for caller in callers)
        data = masked.line.split(b"|ENTERQUEUE|")
        assert len(data) == 1 or not any(person in data[1] for person in people)
        event = parse_line(raw.decode("utf-8", "surrogateescape"), names)
        assert record.event == replay(masked.line, record.origin, names)
        assert replay(masked.line, None, names) == event
        msgspec.json.encode(event)  # no lone surrogate is left
        if type(event) is Offered:
            assert (masked.callid, masked.queue) == (event.callid, event.queue)
            seen.add(masked.number)
        elif type(event) not in (Ended, Overflowed, Unknown, Skipped, Paused, Unpaused):
            assert masked.line is raw
    numbers = {caller.decode() for caller in callers}
    assert seen - {None} <= {n for c in numbers for n in (c, c.partition(",")[0])}
    assert seen - {None}


@pytest.mark.parametrize("name", ["short-a", "names", "restart", "rotate"])
def test_no_callers_number_is_left_in_a_recording_and_it_reads_the_same(name: str) -> None:
    check_masking(name, RECORDINGS)


@pytest.mark.parametrize("name", ["busy-a", "chaos"])
def test_no_callers_number_is_left_in_a_shared_recording(name: str, shared_data: Path) -> None:
    check_masking(name, shared_data / "asterisk")


# --- Masking, one by one -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("consult|NONE|ENTERQUEUE||19900001255|1", "consult|NONE|ENTERQUEUE|||1"),
        ("consult|NONE|ENTERQUEUE||+8619900001255|2|张三", "consult|NONE|ENTERQUEUE|||2|"),
        ("consult|NONE|ENTERQUEUE||0591,8001|2|", "consult|NONE|ENTERQUEUE|||2|"),
        (
            "consult|NONE|ENTERQUEUE|http://x/13800001111|12|3",
            "consult|NONE|ENTERQUEUE|http://x/***********||3",
        ),
        ("consult|NONE|ENTERQUEUE||1380|0001|111|5|名", "consult|NONE|ENTERQUEUE|||0|||"),
        ("05918888888|NONE|ENTERQUEUE||05918888888|1", "05918888888|NONE|ENTERQUEUE|||1"),
        ("consult|林晓燕|BLINDTRANSFER|6002|xfer|4|5|1", "consult|林晓燕|BLINDTRANSFER||xfer|4|5|1"),
        ("consult|林晓燕|TRANSFER|13800001111|x|4|5|1", "consult|林晓燕|TRANSFER||x|4|5|1"),
        (
            "consult|林晓燕|ATTENDEDTRANSFER|LINK|Local/13800001111@x|SIP/1|4|5|1",
            "consult|林晓燕|ATTENDEDTRANSFER|LINK|||4|5|1",
        ),
        ("consult|NONE|EXITWITHKEY|9|1|1|3", "consult|NONE|EXITWITHKEY|9|1|1|3"),
        ("consult|NONE|EXITWITHKEY|13800001111|1|1|3", "consult|NONE|EXITWITHKEY|***********|1|1|3"),
        ("consult|NONE|WITHDRAW|1|1|4|回拨13800001111", "consult|NONE|WITHDRAW|1|1|4|回拨***********"),
        ("consult|林晓燕|PAUSE|回拨 138-0000-1111", "consult|林晓燕|PAUSE|回拨 *************"),
        ("consult|林晓燕|OUTCALL|ANSWER|3|13800001111", "consult|林晓燕|OUTCALL|ANSWER|3|***********"),
        ("consult|13800001111|NOTE|13800001111", "consult|***********|NOTE|***********"),
        ("consult|NONE|NOTE|12|3", "consult|NONE|NOTE|12|3"),
        ("consult|Local/13800001111@x|ADDMEMBER|", "consult|Local/13800001111@x|ADDMEMBER|"),
        ("consult|NONE|ENTERQUEUE||12345|x|张三", "consult|NONE|ENTERQUEUE||||"),
        ("consult|ENTERQUEUE|CONNECT|1|u.1|2", "consult|ENTERQUEUE|CONNECT|1|u.1|2"),
    ],
)
def test_a_line_is_archived_without_what_may_identify_its_caller(text: str, masked: str) -> None:
    assert mask(line(text).encode(), ONE).line.decode() == line(masked)
    assert mask(line(masked).encode(), ONE).line.decode() == line(masked)


def test_masking_tells_what_it_took_out() -> None:
    raw = line("consult|NONE|ENTERQUEUE||059100001621|1|张三").encode()
    assert mask(raw, ONE) == Masked(
        line("consult|NONE|ENTERQUEUE|||1|").encode(), CALL, "059100001621", "consult"
    )
    for withheld in ("", "anonymous", "<unknown>", "1|2|3"):
        raw = line(f"consult|NONE|ENTERQUEUE||{withheld}|1|张三").encode()
        assert mask(raw, ONE).number is None


def test_a_pauses_reason_is_told_without_a_number() -> None:
    assert parse("consult|林晓燕|PAUSE|回拨13800001111") == Paused(AT, "2001", "consult", "回拨***********")


def test_a_line_that_carries_no_number_is_the_same_object() -> None:
    for text in ("consult|林晓燕|CONNECT|1|u.1|2", "consult|NONE|ABANDON|1|1|1", "consult|林晓燕|PAUSE|会议"):
        raw = line(text).encode()
        assert mask(raw, ONE).line is raw
        assert read(raw, ONE, None, never).line is raw


def test_an_offer_is_read_with_its_number_and_where_it_came_from() -> None:
    raw = line("consult|NONE|ENTERQUEUE||059187551234|1").encode()
    assert read(raw, ONE, "0591", never) == Record(
        line("consult|NONE|ENTERQUEUE|||1").encode(),
        Offered(AT, CALL, "consult", "0591-8755"),
        None,
        "059187551234",
        CALL,
        "0591-8755",
    )


def test_a_secret_queues_caller_has_neither_number_nor_origin() -> None:
    raw = line("举报'q'|NONE|ENTERQUEUE||059187551234|1").encode()
    asked = []

    def secret(queue: str) -> bool:
        asked.append(queue)
        return queue != "consult"

    assert read(raw, ONE, "0591", secret) == Record(
        line("举报'q'|NONE|ENTERQUEUE|||1").encode(),
        Offered(AT, CALL, "举报'q'"),
        None,
        None,
        CALL,
        None,
    )
    assert asked == ["举报'q'"]


# --- Laws --------------------------------------------------------------------------------------------------

KNOWN_VERBS = sorted({text.split("|")[2] for text, _ in VERBS} - {""})
words = st.sampled_from(
    [*KNOWN_VERBS, "NONE", "PAUSED", "", "0", "12", "a", "b", "a|b", "1795445262.6", "张三"]
)
scraps = st.lists(st.one_of(words, st.text(max_size=8)), max_size=14).map("|".join)


@given(st.one_of(st.text(), scraps, scraps.map(line)))
def test_the_parser_raises_nothing_but_malformed(text: str) -> None:
    for names in (ONE, PIPED, NO_NAMES):
        try:
            parse_line(text, names)
        except RecordMalformed as exc:
            assert 0 < len(str(exc)) <= 200


@given(st.one_of(st.binary(), scraps.map(lambda text: line(text).encode())))
def test_any_bytes_give_a_record_that_masks_and_reads_the_same_again(raw: bytes) -> None:
    for names in (ONE, PIPED, NO_NAMES):
        record = read(raw, names, "0591", never)
        assert (record.event is None) == (record.reject is not None)
        masked = mask(raw, names)
        assert masked.line == record.line
        assert mask(masked.line, names).line == masked.line
        again = read(masked.line, names, "0591", never)
        assert again.line == masked.line
        assert again.event == (record.event if type(record.event) is not Offered else again.event)
        if record.event is None:
            assert again.event is None
            time_and_call = masked.line.split(b"|", 2)
            behind = time_and_call[2] if len(time_and_call) == 3 else b""
            assert not SEVEN_DIGITS.search(behind)
        else:
            msgspec.json.encode(record.event)


around = st.text(alphabet="0123456789+-. |,abc", max_size=12)


@given(st.tuples(around, st.from_regex(r"[0-9]{7,11}", fullmatch=True), around).map("".join), st.booleans())
def test_no_number_of_seven_digits_survives_whatever_its_caller_makes_of_it(number: str, named: bool) -> None:
    raw = line(f"consult|NONE|ENTERQUEUE||{number}|1" + ("|" + number.replace("|", "_") if named else ""))
    assert not SEVEN_DIGITS.search(read(raw.encode(), ONE, None, never).line.split(b"|", 2)[2])


name_texts = st.one_of(
    st.sampled_from([*KNOWN_VERBS, "NONE", "a", "a|b", "a|b|c", "b", "b|c", "c", "|", "||", "PAUSE|PAUSE|x"]),
    st.text(st.sampled_from("ab|林,'\" 😀"), min_size=1, max_size=12),
    st.text(st.sampled_from("林|x"), min_size=20, max_size=40),
    st.sampled_from(["Q" * 200, "超长名字" * 25 + "|z", "x|" * 100]),
)

Shape = tuple[str, str]
SHAPES: list[Shape] = [  # (verb and data, whether it names a seat)
    ("ENTERQUEUE||19900001255|1|x", ""),
    ("CONNECT|4|1795445276.56|3", "seat"),
    ("COMPLETECALLER|4|9|1", "seat"),
    ("ATTENDEDTRANSFER|BRIDGE|d|4|9|1", "seat"),
    ("ABANDON|1|1|6", ""),
    ("EXITWITHKEY|0|1|1|3", ""),
    ("REFUSED|FULL", ""),
    ("RINGNOANSWER|6000", "seat"),
    ("PAUSE|reason|with|bars", "seat"),
    ("UNPAUSE|", "seat"),
    ("ADDMEMBER|PAUSED", "seat"),
]


@given(
    st.lists(name_texts, min_size=1, max_size=4, unique=True),
    st.lists(name_texts, min_size=1, max_size=4, unique_by=cut),
    st.sampled_from(SHAPES),
    st.data(),
)
def test_a_line_of_configured_names_reads_as_them_or_not_at_all(
    queues: list[str], members: list[str], shape: Shape, data: st.DataObject
) -> None:
    names = Names.of(queues, [SeatNames(id=f"s{i}", names=((m, 0),)) for i, m in enumerate(members)])
    queue = data.draw(st.sampled_from(queues))
    verb, seated = shape
    member = cut(data.draw(st.sampled_from(members))) if seated else "NONE"
    try:
        event = parse_line(line(f"{queue}|{member}|{verb}"), names)
    except RecordMalformed:
        behind = f"{queue}|{member}|{verb}"
        others = [
            (q, m)
            for q in queues
            for m in [*map(cut, members), "NONE"]
            if (q, m) != (queue, member)
            and behind.startswith(f"{q}|{m}|")
            and behind.removeprefix(f"{q}|{m}|").split("|")[0] in KNOWN_VERBS
        ]
        assert others, "only what fits several configured names is not read"
        return
    assert getattr(event, "queue", None) == queue
    if seated:
        assert getattr(event, "seat", None) == names.seat(member, AT)
    masked = mask(line(f"{queue}|{member}|{verb}").encode("utf-8", "surrogateescape"), names)
    assert replay(masked.line, None, names) == event


def test_readable_names_are_what_the_events_hold() -> None:
    raw = b"%d|\xffc|\xe6\x9d|NONE|ABANDON|1|1|1" % AT
    event = read(raw, NO_NAMES, None, never).event
    assert event == Abandoned(AT, "�c", readable(b"\xe6\x9d".decode("utf-8", "surrogateescape")), 1)
