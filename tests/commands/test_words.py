"""The command line: every command shows an example, and says what is wrong in one line."""

import socket
from pathlib import Path

import pytest

from dashboard.cli import COMMANDS, EXAMPLES, main

CONFIG = """
[hotline]
id = "fuzhou"
name = "福州12366"
zone = "Asia/Shanghai"
[[sources]]
name = "pbx1"
kind = "queue_log"
path = "queue_log"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a configuration, where commands are typed."""
    (tmp_path / "wallboard.toml").write_text(CONFIG, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WALLBOARD_CONFIG", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    return tmp_path


def said(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(words)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1 and "Traceback" not in err
    return code, err


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"simulate"}))
def test_help_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    assert left.value.code == 0
    assert f"example: {EXAMPLES[command]}" in capsys.readouterr().out
    assert EXAMPLES[command].startswith(f"wallboard {command}")


@pytest.mark.parametrize(
    "words", [["show", "today"], ["collect"], ["rebuild"], ["serve"], ["serve", "--collect"]]
)
def test_without_a_configuration(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WALLBOARD_CONFIG", raising=False)
    code, err = said(words, capsys)
    assert code == 2
    assert "wallboard.toml" in err


def test_an_unknown_source(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, err = said(["collect", "--source", "pbx9"], capsys)
    assert code == 2
    assert "pbx9" in err and "pbx1" in err


def test_nothing_to_collect(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "wallboard.toml").write_text(CONFIG[: CONFIG.index("[[sources]]")], "utf-8")
    code, err = said(["collect"], capsys)
    assert code == 2
    assert "[[sources]]" in err


def test_a_port_that_is_in_use(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = str(busy.getsockname()[1])
        code, err = said(["demo", "--dir", str(folder / "demo"), "--port", port], capsys)
        assert code == 2
        assert port in err and "in use" in err
        code, err = said(["serve", "--port", port], capsys)
        assert code == 2
        assert port in err


def test_words_that_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["frobnicate"], ["show"], ["import", "csv", "x"]):
        with pytest.raises(SystemExit) as left:
            main(words)
        assert left.value.code == 2
        assert "Traceback" not in capsys.readouterr().err
