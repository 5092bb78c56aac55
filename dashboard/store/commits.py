"""Operations -> the calls of `commit.lua` that do them.

Pure. A call names every key that it touches, at most a thousand; nearly every batch is one call. A larger one is
several, of which all but the last leave the position unfinished, so that nobody takes a half for the whole.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from dashboard.store.ledger import Operation

KEYS_AT_ONCE = 1000
ARGUMENTS_AT_ONCE = 1000
"""Of one command: what Lua's `unpack` takes with ease."""
ARGUMENTS_IN_ALL = 200_000


def commits_of(
    first: Sequence[str], operations: Sequence[Operation]
) -> Iterator[tuple[list[str], list[Any]]]:
    """Make the calls.

    Args:
        first: Keys that each call begins with.
        operations: In the order in which they are to be done.

    Yields:
        (KEYS, operations as ARGV from the seventh on) of each call; at least one.

    >>> list(commits_of(["m"], [("HSET", "h", ["a", 1]), ("DEL", "d", [])]))
    [(['m', 'h', 'd'], ['HSET', 2, 2, 'a', 1, 'DEL', 3, 0])]
    """
    keys = list(first)
    index = {key: i for i, key in enumerate(keys, 1)}
    flat: list[Any] = []
    for command, key, arguments in operations:
        for start in range(0, max(1, len(arguments)), ARGUMENTS_AT_ONCE):
            some = arguments[start : start + ARGUMENTS_AT_ONCE]
            if (key not in index and len(keys) == KEYS_AT_ONCE) or len(flat) + len(some) > ARGUMENTS_IN_ALL:
                yield keys, flat
                keys, flat = list(first), []
                index = {key: i for i, key in enumerate(keys, 1)}
            if key not in index:
                keys.append(key)
                index[key] = len(keys)
            flat += [command, index[key], len(some), *some]
    yield keys, flat
