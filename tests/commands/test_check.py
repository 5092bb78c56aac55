"""`wallboard check` finds what an operator must mend, all of it, and gives the lines to add."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard.commands.check import run_check
from dashboard.commands.init import run_init

LOG = """\
1795445187|MANAGER|consult|Local/2004@agents/n|ADDMEMBER|
1795445187|MANAGER|consult|Local/2006@agents/n|ADDMEMBER|PAUSED
1795445188|1795445187.1|consult|NONE|ENTERQUEUE||059100004866|1
1795445190|1795445187.1|consult|林晓燕|CONNECT|2|1795445189.3|1
1795445199|1795445187.1|consult|林晓燕|COMPLETECALLER|2|9|1
"""

CONFIG = """\
[hotline]
id = "fuzhou"
name = "福州12366"
zone = "Asia/Shanghai"
[[sites]]
id = "city"
name = "市局"
[[queues]]
name = "consult"
[[seats]]
id = "2004"
interface = "Local/2004@agents/n"
names = ["林晓燕"]
[[seats]]
id = "2006"
interface = "Local/2006@agents/n"
[[sources]]
name = "pbx1"
kind = "queue_log"
path = "queue_log"
"""

Run = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def check(tmp_path: Path) -> Run:
    """Checks a configuration and a log given as texts; the exit code and the lines said."""

    def run(config: str = CONFIG, log: str | bytes | None = LOG, **options: object) -> tuple[int, list[str]]:
        (tmp_path / "wallboard.toml").write_text(config, encoding="utf-8")
        if log is not None:
            (tmp_path / "queue_log").write_bytes(log.encode() if isinstance(log, str) else log)
        said: list[str] = []
        code = run_check(folder=tmp_path, environ={}, out=said.append, **options)
        return code, said

    return run


def test_a_configuration_that_fits_its_log_is_good(check: Run, tmp_path: Path) -> None:
    assert check() == (0, [f"{tmp_path / 'wallboard.toml'}: good; queues: 1, seats: 2, sources: 1"])


def test_mistakes_in_the_file_are_all_told_and_make_the_exit_code_2(check: Run, tmp_path: Path) -> None:
    code, said = check(CONFIG.replace('"fuzhou"', '"Fuzhou"').replace("[[seats]]", "[[seats]]\nsite = 'x'"))
    file = tmp_path / "wallboard.toml"
    assert code == 2
    assert said == [
        f'{file}: hotline.id (line 2): "Fuzhou" is not an id; allowed: 1 to 64 of a-z, 0-9 and -',
        f'{file}: seats[1].site (line 11): "x" is not a site id; allowed: city',
        f'{file}: seats[2].site (line 16): "x" is not a site id; allowed: city',
        "to mend: 3 in the configuration; nothing else was checked",
    ]


def test_no_configuration_at_all_is_told_with_what_to_do(tmp_path: Path) -> None:
    said: list[str] = []
    assert run_check(folder=tmp_path, environ={}, out=said.append) == 2
    assert "make one with `wallboard init`" in said[0]
    assert run_check(tmp_path / "no.toml", out=said.append) == 2
    assert f"{tmp_path / 'no.toml'} does not exist" in said[2]


def test_names_that_no_seat_has_come_with_the_lines_to_add(check: Run, tmp_path: Path) -> None:
    log = LOG + (
        "1795445300|MANAGER|tax|SIP/3001|ADDMEMBER|\n"
        "1795445301|1795445300.1|tax|NONE|ENTERQUEUE||19900001234|1\n"
        '1795445302|1795445300.1|tax|O\'Brien "B"|CONNECT|1|1795445301.2|1\n'
        '1795445303|1795445300.1|tax|O\'Brien "B"|COMPLETEAGENT|1|1|1\n'
        "1795445304|1795445304.1|tax|2005|CONNECT|1|1795445301.2|1\n"
    )
    code, said = check(log=log)
    assert code == 1
    assert said == [
        'failed: pbx1: queue "tax" (5 lines) is not configured: it stays secret, and unassigned',
        "    [[queues]]",
        '    name = "tax"',
        "    secret = true",
        'failed: pbx1: member "2005" (1 line) is no configured seat: shown by that name, unassigned',
        "    [[seats]]",
        '    id = "2005"',
        '    site = "city"',
        '    names = ["2005"]',
        'failed: pbx1: member "O\'Brien \\"B\\"" (2 lines) is no configured seat: shown by that name, unassigned',
        "    [[seats]]",
        '    id = "seat-1"',
        '    site = "city"',
        '    names = ["O\'Brien \\"B\\""]',
        'failed: pbx1: interface "SIP/3001" (1 line) is no configured seat\'s, so it makes no seat; '
        "add this to the table of the seat that has it",
        '    interface = "SIP/3001"',
        f"to mend: 4; indented lines are for {tmp_path / 'wallboard.toml'}",
    ]


def test_the_lines_to_add_mend_it(check: Run) -> None:
    log = LOG.replace("consult", "a|b").replace("2004", "7001").replace("林晓燕", "王|芳")
    config = CONFIG
    for _ in range(3):
        code, said = check(config, log)
        config += "\n".join(line.strip() for line in said if line.startswith("    ")) + "\n"
    assert (code, len(said)) == (0, 1)


def test_an_interface_is_given_to_the_seat_that_it_fits(check: Run) -> None:
    config = CONFIG.replace('interface = "Local/2004@agents/n"\n', "").replace('"2004"', '"lin"')
    code, said = check(config)
    assert code == 1
    assert said[:2] == [
        'failed: pbx1: interface "Local/2004@agents/n" (1 line) is no configured seat\'s, so it makes no seat; '
        'it fits seat "lin": if it is that seat\'s, add this to its table',
        '    interface = "Local/2004@agents/n"',
    ]


def test_an_interface_that_may_be_any_seats_lists_those_without_one(check: Run) -> None:
    config = CONFIG.replace('interface = "Local/2006@agents/n"\n', 'names = ["王芳"]\n').replace("2006", "w")
    log = LOG.replace("2006", "2007")
    _, said = check(config, log)
    assert said[0].endswith("add this to the table of the seat that has it (without one: w)")


def test_a_source_that_is_not_there_yet_fails_the_check_but_is_no_config_error(
    check: Run, tmp_path: Path
) -> None:
    code, said = check(log=None)
    assert (code, said[0]) == (1, f"failed: pbx1: {tmp_path / 'queue_log'} does not exist")


def test_an_empty_log_and_no_source_are_only_noted(check: Run, tmp_path: Path) -> None:
    code, said = check(log="")
    assert (code, said[0]) == (0, f"note: pbx1: {tmp_path / 'queue_log'} holds no line yet")
    code, said = check(CONFIG[: CONFIG.index("[[sources]]")])
    assert (code, said[0]) == (0, "note: sources: there is no [[sources]] table: nothing is collected")


def test_lines_that_the_collector_cannot_read_are_shown_without_numbers(check: Run) -> None:
    code, said = check(log=LOG + "1795445300|x|consult|NONE|ENTERQUEUE||19900001234\nrubbish 19900001234\n")
    assert code == 1
    assert said[0].startswith("failed: pbx1: 2 lines cannot be read, such as: ")
    assert "1990000" not in said[0]


def test_a_half_written_last_line_is_no_mistake(check: Run) -> None:
    assert check(log=LOG + "1795445300|1795445300.1|cons")[0] == 0


def test_long_names_and_unknown_events_are_noted(check: Run) -> None:
    name = "林" * 27
    log = LOG.replace("林晓燕", name).encode()
    cut_log = log.replace(name.encode(), name.encode()[:79])
    code, said = check(CONFIG.replace("林晓燕", name), cut_log + b"1795445300|NONE|consult|x|SHIFTNOTE|a|b\n")
    assert code == 0
    assert said[:2] == [
        'note: pbx1: unknown event "SHIFTNOTE" (1 line): counted and shown, without effect',
        f'note: configuration: the name "{name}" of seat "2004" has 81 bytes: the switch cuts it after 79; '
        "both forms are known",
    ]


def test_a_name_that_is_not_utf_8_cannot_be_configured_and_says_so(check: Run) -> None:
    code, said = check(log=LOG.encode().replace("林晓燕".encode(), "林晓燕".encode("gbk")))
    assert code == 1
    assert any(
        line.endswith("is not UTF-8 and cannot be configured; let the switch write UTF-8") for line in said
    )


def test_a_data_directory_that_cannot_be_made_fails_the_check(check: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, said = check(CONFIG + '[data]\ndir = "file/var"\n')
    assert code == 1
    assert said[0].startswith(f"failed: data directory: {tmp_path / 'file/var'} cannot be made: ")


def test_nothing_is_made_or_changed(check: Run, tmp_path: Path) -> None:
    check()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["queue_log", "wallboard.toml"]


def test_json_says_the_same_to_a_program(check: Run, tmp_path: Path) -> None:
    code, said = check(
        log=LOG + "1795445300|NONE|consult|x|SHIFTNOTE|a\n1|NONE|tax|NONE|EXITEMPTY|1|1|1\n", as_json=True
    )
    assert code == 1 and len(said) == 1
    whole = json.loads(said[0])
    assert (whole["config"], whole["exit"]) == (str(tmp_path / "wallboard.toml"), 1)
    assert whole["findings"][0] == {
        "level": "failed",
        "where": "pbx1",
        "text": 'queue "tax" (1 line) is not configured: it stays secret, and unassigned',
        "add": '[[queues]]\nname = "tax"\nsecret = true',
    }
    assert {finding["level"] for finding in whole["findings"]} == {"failed", "note"}
    code, said = check("[hotline]\n", as_json=True)
    assert (code, json.loads(said[0])["exit"]) == (2, 2)
    assert len(json.loads(said[0])["findings"]) == 3


@pytest.mark.parametrize("recording", ["short-a", "busy-a", "restart", "rotate", "names", "chaos"])
def test_what_init_made_of_a_recording_lacks_only_interfaces(
    recording: str, tmp_path: Path, shared_data: Path
) -> None:
    folder = shared_data / "asterisk" / recording
    output = tmp_path / "wallboard.toml"
    logs = sorted(folder.glob("queue_log*"))
    run_init(queues_conf=folder / "queues.conf", queue_logs=logs, output=output, yes=True, out=lambda _: None)
    said: list[str] = []
    run_check(output, as_json=True, out=said.append)
    findings = json.loads(said[0])["findings"]
    failed = [finding["text"] for finding in findings if finding["level"] == "failed"]
    assert all(text.startswith('interface "Local/') for text in failed)
    assert "199000" not in said[0] and "0591000" not in said[0]


def test_the_file_of_init_is_good_once_its_suggestions_are_confirmed(
    tmp_path: Path, shared_data: Path
) -> None:
    folder = shared_data / "asterisk" / "restart"
    output = tmp_path / "wallboard.toml"
    run_init(
        queues_conf=folder / "queues.conf",
        queue_logs=[folder / "queue_log"],
        output=output,
        yes=True,
        out=lambda _: None,
    )
    text = output.read_text(encoding="utf-8")
    assert text.count("# interface = ") == 6
    output.write_text(text.replace("# interface = ", "interface = "), encoding="utf-8")
    assert run_check(output, out=lambda _: None) == 0
