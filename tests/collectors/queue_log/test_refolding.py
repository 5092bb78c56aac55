"""Late lines change the days that they change, and no other: as if the whole log had been read in order."""

import os
import random
from pathlib import Path
from typing import Any

import pytest
from hotline import Stage, stage

from dashboard.store.borders import stored_before, unpack_state

TOML = """
[hotline]
id = "{id}"
name = "福州12366"
zone = "Asia/Shanghai"
[redis]
url = "{url}"
[data]
dir = "var"
[[queues]]
name = "a"
wrapup_s = 30
[[queues]]
name = "b"
wrapup_s = 600
[[sources]]
name = "pbx1"
kind = "queue_log"
path = "{log}"
"""
MONDAY_S = 1795363200  # 2026-11-23, midnight in Shanghai
DAY_S = 86_400
CASES = 10


def log_of(rng: random.Random, days: int, *, wild: bool) -> list[str]:
    """A log of a hotline that is open day and night: calls over midnight, seats that stay, a crash now and then."""
    lines: list[tuple[int, int, str]] = []
    number = 0

    def say(at_s: int, *fields: object) -> None:
        nonlocal number
        number += 1
        lines.append((at_s, number, "|".join(map(str, [at_s, *fields]))))

    for day in range(days):
        start_s = MONDAY_S + day * DAY_S
        if rng.random() < 0.2:
            continue  # a day without any line
        for _ in range(rng.randrange(1, 25)):
            # Near midnight more often than elsewhere.
            at_s = start_s + rng.choice(
                [rng.randrange(DAY_S), DAY_S - rng.randrange(1, 900), rng.randrange(900)]
            )
            callid, queue, seat = f"{at_s}.{number}", rng.choice("ab"), rng.choice(["s1", "s2", "s3"])
            say(at_s, callid, queue, "NONE", "ENTERQUEUE", "", "", 1)
            wait_s, talk_s = rng.randrange(200), rng.choice([20, 300, 4000, 40_000])
            match rng.randrange(7):
                case 0:
                    say(at_s + wait_s, callid, queue, "NONE", "ABANDON", 1, 1, wait_s)
                case 1:
                    say(at_s + wait_s, callid, queue, "NONE", "EXITWITHTIMEOUT", 1, 1, wait_s)
                    say(at_s + wait_s, callid, "b", "NONE", "ENTERQUEUE", "", "", 1)
                    say(at_s + wait_s + 60, callid, "b", "NONE", "ABANDON", 1, 1, 60)
                case 2:
                    pass  # its end is never told
                case _:
                    say(at_s + wait_s, callid, queue, seat, "CONNECT", wait_s, f"{at_s}.9", 2)
                    if rng.random() < 0.95:
                        say(at_s + wait_s + talk_s, callid, queue, seat, "COMPLETECALLER", wait_s, talk_s, 1)
        for seat in ("s1", "s2", "s3"):
            if rng.random() < 0.7:
                at_s = start_s + rng.randrange(DAY_S)
                say(at_s, "NONE", rng.choice("ab"), seat, "PAUSE", "lunch")
                if rng.random() < 0.8:
                    say(at_s + rng.choice([60, 4000, 80_000]), "NONE", rng.choice("ab"), seat, "UNPAUSE", "")
        if rng.random() < 0.3:
            say(start_s + rng.randrange(DAY_S), "NONE", "NONE", "NONE", "QUEUESTART", "")
    ordered = [text for _, _, text in sorted(lines)]
    if wild and len(ordered) > 4:
        for _ in range(rng.randrange(1, 3)):
            place = rng.randrange(len(ordered) - 1)
            late = ordered.pop(place)
            ordered.insert(min(len(ordered), place + rng.randrange(30)), late)
    return ordered


@pytest.mark.parametrize("wild", [False, True])
@pytest.mark.parametrize("case", range(CASES))
def test_late_lines_count_as_if_they_had_been_in_time(
    case: int, wild: bool, tmp_path: Path, redis_url: str
) -> None:
    seed = int(os.environ.get("WALLBOARD_SEED", random.randrange(10**6)))
    print(f"seed {seed}")
    rng = random.Random(seed)
    lines = log_of(rng, rng.randrange(2, 9), wild=wild)
    if len(lines) < 5:
        return
    expected = settled(at(tmp_path / "whole", redis_url, "whole"), [lines], [])
    # What the collector never saw comes later, in pieces that overlap what it saw.
    holes = []
    for _ in range(rng.randrange(1, 4)):
        begin = rng.randrange(len(lines))
        holes.append((begin, min(len(lines), begin + rng.choice([1, 5, 40]))))
    seen = [line for place, line in enumerate(lines) if not any(a <= place < b for a, b in holes)]
    # Where a clock went back, times do not tell where lines belong: lines that both have must.
    least = 2 if wild else 0
    pieces = [lines[max(0, a - rng.randrange(least, 5)) : b + rng.randrange(least, 5)] for a, b in holes]
    rng.shuffle(pieces)
    cut = rng.randrange(len(seen) + 1)
    live, before = [seen[:cut], seen[cut:]], rng.randrange(2)
    here = at(tmp_path / "here", redis_url, "here")
    if before and pieces:
        settled(here, [live[0]], [pieces[0]])
        found = settled(here, [live[1]], pieces[1:])
    else:
        found = settled(here, live, pieces)
    assert found == expected, f"seed {seed}"
    writer = here.writer()
    writer.open()
    from_s = MONDAY_S + rng.randrange(8) * DAY_S
    writer.keeper.count_again(from_s, from_s + rng.randrange(1, 4) * DAY_S, lambda _: None)
    writer.close()
    assert here.counted() == found, f"seed {seed}, again"
    borders = borders_of(here)
    writer = here.writer()
    writer.open(rebuild=True)
    writer.close()
    assert here.counted() == found, f"seed {seed}"
    again = borders_of(here)
    for day in borders.keys() & again.keys():
        assert borders[day] == again[day], f"seed {seed}, {day}"
    if not wild:
        assert borders.keys() == again.keys(), f"seed {seed}"


def at(folder: Path, url: str, name: str) -> Stage:
    return stage(
        folder,
        url,
        TOML.format(id=name, url=url, log=folder / "queue_log"),
        now_s=MONDAY_S + 10 * DAY_S,
    )


def settled(here: Stage, live: list[list[str]], pieces: list[list[str]]) -> dict[str, Any]:
    """Collect live lines, then import pieces."""
    log = Path(here.config.source("pbx1").path)
    for part in live:
        with log.open("a") as file:
            file.writelines(line + "\n" for line in part)
        with here.collecting() as drain:
            drain()
    for number, piece in enumerate(pieces):
        path = log.with_name(f"piece.{len(list(log.parent.iterdir()))}.{number}")
        path.write_text("".join(line + "\n" for line in piece))
        here.put(path)
    return here.counted()


def borders_of(here: Stage) -> dict[str, Any]:
    generation = here.reader.snapshot("pbx1", []).generation
    keys = here.reader.keys.source("pbx1", generation)
    found = {}
    for name, data in here.client.hgetall(keys.borders).items():
        state = unpack_state(data)
        state.clock.first_s = None
        rows = {key: row for key, row in stored_before(here.client, keys, name.decode()).items() if any(row)}
        found[name.decode()] = (state, rows)
    return found
