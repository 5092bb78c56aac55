"""What a process of the wallboard needs of its surroundings: the hotline's clock, its parent, one line to the operator.

Loads nothing of Redis, so that the web worker can patch the standard library first.
"""

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CLOCK = "WALLBOARD_CLOCK_OFFSET_S"
"""Seconds that a demonstration's clock is moved by; set for the processes that `wallboard demo` starts."""

PARENT = "WALLBOARD_PARENT"
"""The process whose end is this one's end too."""

BULK_THRESHOLD = 50_000
"""Objects made between two searches for garbage in bulk work; Python's own 700 is meant for small heaps."""


def offset_s() -> float:
    """What the hotline's clock is ahead of the time of day."""
    return float(os.environ.get(CLOCK, "0") or 0)


def hotline_clock() -> Callable[[], float]:
    """The hotline's clock: the time of day, unless a demonstration has moved it."""
    ahead_s = offset_s()
    return lambda: time.time() + ahead_s


def say(line: str) -> None:
    """One line to the operator."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Search for garbage rarely while a whole log is counted: its calls and rows refer to nothing in a circle."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(BULK_THRESHOLD, 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def end_with_parent(stop: Callable[[], None]) -> None:
    """Stop when the process that started this one has gone, however it went."""
    parent = os.environ.get(PARENT)
    if parent is None:
        return

    def watch() -> None:
        while os.getppid() == int(parent):
            time.sleep(0.5)
        stop()

    threading.Thread(target=watch, name="parent", daemon=True).start()
