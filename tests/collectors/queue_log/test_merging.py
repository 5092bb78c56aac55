"""Pieces of a log, live or late, overlapping, in any order, any number of times: the counts of the whole log."""

import os
import random
from pathlib import Path
from typing import Any

import pytest
from hotline import NAMES, Recording, recording, stage

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
