"""Three hundred random faults over thirty replays: at the end of each, totals as if nothing had happened.

One that failed runs again alone: WALLBOARD_FAULT_SEED=1234567 pytest tests/conformance/test_faults.py
"""

import os
import random
from pathlib import Path

import pytest
from conformance.faults import Replay, archived, difference, lines_differ, undisturbed
from conformance.feed import feeds_of

from collectors.registry import KINDS

REPLAYS = int(os.environ.get("WALLBOARD_FAULT_REPLAYS", "30"))
FAULTS_EACH = 10
SEED = os.environ.get("WALLBOARD_FAULT_SEED")


def seeds() -> list[str]:
    """By their number, so that processes which share the work agree; what each stands for is drawn in it."""
    return [f"again-{SEED}"] if SEED else [f"replay-{number}" for number in range(REPLAYS)]


@pytest.mark.slow
@pytest.mark.parametrize("name", seeds())
def test_faults_change_no_number(
    name: str, tmp_path: Path, redis_url: str, shared_or_none: Path | None
) -> None:
    feeds = [feed for kind in KINDS for feed in feeds_of(kind, shared_or_none)]
    # The last digits choose the recording, so that a seed says everything.
    number = int(name.rpartition("-")[2])
    seed = number if SEED else random.randrange(10**6) * 1000 + number
    feed = feeds[seed % 1000 % len(feeds)]
    expected, lines = undisturbed(feed, tmp_path / "alone", redis_url)
    replay = Replay(feed, tmp_path / "here", seed)
    try:
        with replay.running():
            replay.run(FAULTS_EACH)
            found = replay.finish()
        assert lines_differ(archived(replay.here), lines) == ""
        assert difference(found, expected) == ""
        assert found == expected
    except BaseException:
        print(f"WALLBOARD_FAULT_SEED={seed} on {feed}; faults:", *replay.told, sep="\n  ")
        print("it said:", replay.collector.text(), sep="\n")
        raise
