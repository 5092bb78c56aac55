"""Several commands as one: started together, started again when one dies, stopped together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dashboard.commands.process import PARENT, say

GIVE_UP_CODE = 2
"""Exit code of wrong use or configuration: starting again would not help."""

BACKOFF_S = (0.5, 10.0)
STEADY_S = 30.0
GRACE_S = 6.0


@dataclass(slots=True)
class Child:
    """One command.

    Attributes:
        name: For the operator.
        words: Its arguments after `wallboard`.
    """

    name: str
    words: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    begun_s: float = 0.0
    wait_s: float = BACKOFF_S[0]
    due_s: float = field(default=0.0)


def supervise(
    children: Sequence[Child],
    *,
    environ: Mapping[str, str],
    once_started: Callable[[], None] = lambda: None,
) -> int:
    """Run commands until Ctrl-C, SIGTERM, or one of them cannot run at all.

    Args:
        children: What to run.
        environ: Added to their environment.
        once_started: Called when all have been started for the first time.

    Returns:
        An exit code.
    """
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: stopping.append(received))
    code = 0
    try:
        for child in children:
            _start(child, environ)
        once_started()
        while not stopping:
            gave_up = _look_after(children, environ)
            if gave_up is not None:
                code = gave_up
                break
            time.sleep(0.1)
    finally:
        _stop(children)
    return code


def _start(child: Child, environ: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "dashboard.cli", *child.words]
    # A session of its own: Ctrl-C reaches the parent alone, which stops them in order.
    child.process = subprocess.Popen(
        command, env={**os.environ, **environ, PARENT: str(os.getpid())}, start_new_session=True
    )
    child.begun_s = time.monotonic()


def _look_after(children: Sequence[Child], environ: Mapping[str, str]) -> int | None:
    now_s = time.monotonic()
    for child in children:
        if child.process is None:
            if now_s >= child.due_s:
                _start(child, environ)
            continue
        code = child.process.poll()
        if code is None:
            continue
        if code == GIVE_UP_CODE:
            return GIVE_UP_CODE
        steady = now_s - child.begun_s > STEADY_S
        child.wait_s = BACKOFF_S[0] if steady else min(BACKOFF_S[1], child.wait_s * 2)
        child.due_s = now_s + child.wait_s
        child.process = None
        say(f"{child.name}: ended with code {code}; starting it again in {child.wait_s:.1f} s")
    return None


def _stop(children: Sequence[Child]) -> None:
    running = [child.process for child in children if child.process is not None]
    for process in running:
        if process.poll() is None:
            process.terminate()
    until_s = time.monotonic() + GRACE_S
    for process in running:
        try:
            process.wait(max(0.1, until_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
