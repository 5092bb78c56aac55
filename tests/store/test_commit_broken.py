"""An error after each write of the commit script: nothing half-counted is taken for whole, and the next one mends it."""

from pathlib import Path

import pytest
from hotline import DAY, Recording, Stage, batches_of, items_of, stage

from dashboard.store.connect import script
from dashboard.store.keeper import Keeper

PLAYED = Recording(Path(__file__).resolve().parents[1] / "recordings" / "asterisk" / "short-a")
HALF = 60


def broken(after: int) -> str:
    """The script, with an error behind its n-th write: 0 behind the lease, 1 behind the first operation, …"""
    text = script("commit.lua")
    behind = f" if done == {after} then error('broken here') end\n  done = done + 1\n"
    woven = text.replace("local i = 7\n", f"local done = 0\n{behind}local i = 7\n", 1)
    woven = woven.replace("  i = i + 3 + n\n", f"  i = i + 3 + n\n{behind}", 1)
    assert woven.count("broken here") == 2
    return woven


def put_script(keeper: Keeper, text: str) -> None:
    keeper._commit = keeper.client.register_script(text)


def operations_of(tools_stage: Stage) -> int:
    """How many operations the commit of the second half has."""
    with tools_stage.tools() as tools:
        items = items_of(tools, PLAYED.data)
        tools.writer.write(items[:HALF])
        keeper = tools.writer.keeper
        sent: list[int] = []
        real = keeper._commit

        def count(keys: list[str], args: list[object]) -> object:
            at, number = 6, 0
            while at < len(args):
                number, at = number + 1, at + 3 + int(str(args[at + 2]))
            sent.append(number)
            return real(keys=keys, args=args)

        keeper._commit = count
        tools.writer.write(items[HALF:])
        return sent[0]


@pytest.mark.parametrize("then", ["the same writer goes on", "another one begins"])
def test_an_error_between_any_two_writes_leaves_nothing_half_counted(
    then: str, tmp_path: Path, redis_url: str
) -> None:
    toml = PLAYED.toml(log=tmp_path / "none")
    alone = stage(tmp_path / "alone", redis_url, toml.replace("fuzhou", "alone"))
    operations = operations_of(alone)
    expected = alone.counted()
    assert operations > 5
    for after in range(operations + 1):
        name = f"h{after}"
        here = stage(tmp_path / name, redis_url, toml.replace("fuzhou", name))
        with here.tools() as tools:
            items = items_of(tools, PLAYED.data)
            for batch in batches_of(items[:HALF], 20):
                tools.writer.write(batch)
            keeper = tools.writer.keeper
            whole = keeper._commit
            put_script(keeper, broken(after))
            tools.writer.write(items[HALF:])
            snapshot = here.reader.snapshot("pbx1", [DAY])
            assert (snapshot.standing, snapshot.days) == ("rebuilding", {}), f"a half, {after} writes old"
            keeper._commit = whole
            if then == "the same writer goes on":
                tools.writer.commit()
                assert here.counted() == expected, f"broken after {after} writes"
        with here.tools():
            assert here.counted() == expected, f"broken after {after} writes, then begun again"
        here.client.close()
