"""Who may load what: a collector runs on a machine that has none of what draws screens."""

import subprocess
import sys
from pathlib import Path

import pytest
from hotline import ROOT, environ, recording

SCREENS = ("dash", "plotly", "flask", "pandas", "layouts", "gevent", "gunicorn", "dashboard.web")

LOADED = """
import sys
found = sorted({{name for name in sys.modules for one in {names!r} if name == one or name.startswith(one + ".")}})
print(found, file=sys.stderr)
assert not found, found
"""

FORBIDDING = """
import importlib.abc, sys
class Forbid(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        for one in {names!r}:
            if name == one or name.startswith(one + "."):
                raise ImportError(f"{{name}} may not be loaded here")
sys.meta_path.insert(0, Forbid())
"""


def python(code: str, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        env=environ(),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
    )


def modules(package: str) -> list[str]:
    files = (ROOT / package).rglob("*.py")
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files)


def test_no_collector_loads_the_screens() -> None:
    code = FORBIDDING.format(names=SCREENS)
    code += "import importlib\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    done = python(code + LOADED.format(names=SCREENS), *modules("collectors"))
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_collect_command_never_loads_the_screens(shared_data: Path, tmp_path: Path) -> None:
    """The whole command, from its words to its end, over a recording."""
    played = recording(shared_data, "short-a")
    log = tmp_path / "queue_log"
    log.write_bytes(played.data)
    (tmp_path / "wallboard.toml").write_text(played.toml(log=log), "utf-8")
    code = FORBIDDING.format(names=SCREENS)
    code += """
import threading, time, os, signal
from dashboard.cli import main
def end():
    from pathlib import Path
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if sum(path.stat().st_size for path in Path("var/archive/pbx1/live").glob("*.seg*")) > 1_000:
            break
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=end, daemon=True).start()
assert main(["collect"]) == 0
"""
    done = python(code + LOADED.format(names=SCREENS), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "pbx1: collecting" in done.stderr


@pytest.mark.parametrize(
    "package", ["dashboard", "dashboard.store", "dashboard.core", "collectors", "layouts"]
)
def test_importing_a_package_loads_nothing(package: str) -> None:
    code = f"""
import sys
before = set(sys.modules)
import {package}
found = set(sys.modules) - before
allowed = {{"dashboard", "collectors", "layouts", {package!r}}}
assert found <= allowed, sorted(found - allowed)
"""
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_the_words_of_the_command_line_load_no_redis_and_no_screens() -> None:
    names = (*SCREENS, "redis", "cryptography", "msgspec", "pydantic")
    done = python("import dashboard.cli" + LOADED.format(names=names))
    assert done.returncode == 0, done.stderr


def test_the_core_loads_nothing_that_reaches_out() -> None:
    names = ("redis", "socket", "sqlite3", "subprocess", "flask", "dash")
    code = FORBIDDING.format(names=names[:1] + names[2:])
    code += "import importlib\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    done = python(code, *modules("dashboard/core"))
    assert done.returncode == 0, done.stderr
