"""Pieces of a log, live or late, overlapping, in any order, any number of times: the counts of the whole log."""

import os
import random
from pathlib import Path
from typing import Any

import pytest
from hotline import AFTER_S, NAMES, Recording, recording, stage

PIECES_OF_AT_LEAST = 25
CASES = 4


def pieces_of(lines: list[bytes], rng: random.Random) -> list[list[bytes]]:
    """Pieces that together are the log: some touch, some overlap by a little or by much."""
    most = max(1, min(6, len(lines) // PIECES_OF_AT_LEAST))
    cuts = sorted(rng.sample(range(PIECES_OF_AT_LEAST, len(lines)), rng.randrange(most)) if most > 1 else [])
    begun = [0, *cuts]
    ends = [*cuts, len(lines)]
    return [
        lines[max(0, begin - rng.choice([0, 1, 7, 60])) : min(len(lines), end + rng.choice([0, 0, 3, 40]))]
        for begin, end in zip(begun, ends, strict=True)
        if end > begin
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", range(CASES))
def test_pieces_of_a_log_are_the_log(
    case: int, name: str, shared_data: Path, tmp_path: Path, redis_url: str
) -> None:
    seed = int(os.environ.get("WALLBOARD_SEED", random.randrange(10**6)))
    print(f"seed {seed}")
    rng = random.Random(seed)
    played = recording(shared_data, name)
    lines = played.data.splitlines(keepends=True)
    pieces = pieces_of(lines, rng)
    expected = whole(played, tmp_path / "whole", redis_url)
    here = stage(
        tmp_path / "here", redis_url, played.toml(log=tmp_path / "here" / "queue_log", redis_url=redis_url)
    )
    log = tmp_path / "here" / "queue_log"
    live = pieces.pop(rng.randrange(len(pieces))) if rng.random() < 0.7 else []
    acts = [
        ("import", piece)
        for piece in [*pieces, *(rng.choices(pieces, k=rng.randrange(2)) if pieces else [])]
        if piece
    ]
    if live:
        cut = rng.randrange(len(live))
        acts += [("live", live[:cut]), ("live", live[cut:])]
    rng.shuffle(acts)
    if live:  # a live log grows in its own order
        order = iter([live[:cut], live[cut:]])
        acts = [(what, next(order) if what == "live" else piece) for what, piece in acts]
    for number, (what, piece) in enumerate(acts):
        if what == "live":
            with log.open("ab") as file:
                file.writelines(piece)
            with here.collecting() as drain:
                drain()
        else:
            path = tmp_path / f"piece.{number}"
            path.write_bytes(b"".join(piece))
            here.put(path)
    found = here.counted()
    assert found == expected, f"seed {seed}"
    writer = here.writer()
    writer.open(rebuild=True)
    writer.close()
    assert here.counted() == found, f"seed {seed}"


def whole(played: Recording, folder: Path, redis_url: str) -> dict[str, Any]:
    """The counts of the log, collected in one go."""
    alone = stage(
        folder,
        redis_url,
        played.toml(log=folder / "queue_log", redis_url=redis_url).replace("fuzhou", "whole"),
    )
    (folder / "queue_log").write_bytes(played.data)
    with alone.collecting() as drain:
        drain()
    return alone.counted()


def test_a_line_from_a_far_future_in_an_import_does_not_hold_up_what_is_collected(
    shared_data: Path, tmp_path: Path, redis_url: str
) -> None:
    """Live lines are counted as they come, as if they stood behind the imported ones in one log."""
    played = recording(shared_data, "short-a")
    lines = played.data.splitlines(keepends=True)
    half = len(lines) // 2
    wrong = b"2051222400|NONE|NONE|NONE|CONFIGRELOAD|\n"
    (tmp_path / "piece").write_bytes(b"".join([*lines[: half - 9], wrong, *lines[half - 9 : half]]))
    log = tmp_path / "here" / "queue_log"
    here = stage(tmp_path / "here", redis_url, played.toml(log=log, redis_url=redis_url))
    here.put(tmp_path / "piece")
    log.write_bytes(lines[half])
    with here.collecting() as drain:
        drain()
    here.said.clear()
    with here.collecting() as drain:
        for line in lines[half + 1 :]:
            with log.open("ab") as file:
                file.write(line)
            drain()
    assert not [said for said in here.said if "again" in said]
    found = here.counted()
    assert here.reader.snapshot("pbx1", []).covered_to_s() == AFTER_S
    writer = here.writer()
    writer.open(rebuild=True)
    writer.close()
    assert here.counted() == found
