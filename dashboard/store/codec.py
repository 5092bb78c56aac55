"""Rows, calls and days <-> the bytes that Redis keeps.

Open days are small: a field a row, a field a call. A closed day is one compressed value of rows and one of calls;
`docs/decisions/0002-layout-in-redis.md` has the measurements. JSON throughout, never pickle.
"""

import zlib
from collections.abc import Iterable
from typing import Literal

import msgspec

from dashboard.core.calls import Call
from dashboard.core.counts import trimmed
from dashboard.core.fold import Clock
from dashboard.core.gaps import Gap, Span
from dashboard.core.seats import Seat

_LEVEL = 6

Key = tuple[str, str, int]

Standing = Literal["live", "rebuilding", "no_data"]

UNFINISHED = "unfinished"
"""The position while counts are only partly written: whoever finds it shows none of them, or makes them again."""


class DayRows(msgspec.Struct):
    """A closed day: its rows as (kind, id, slot, values), and its calls with more than one leg."""

    rows: list[tuple[str, str, int, list[int]]]
    multi: list[Call] = []


class Stamp(msgspec.Struct):
    """What a day was counted with.

    Attributes:
        fold, parser: Versions of the rules and of the source's parser.
        names: Fingerprint of the names that settled its lines.
        upto: The archive's position when it was last written.
        closed: It is kept as one compressed value.
    """

    fold: int
    parser: int
    names: str
    upto: str = ""
    closed: bool = False


class Change(msgspec.Struct, omit_defaults=True):
    """What a commit changed, as published: enough for a reader that has the commit before it.

    Attributes:
        source, generation, seq: Which source, and the number of this commit in its generation.
        reload: It was too large to publish: read everything again.
        rows: Field -> values.
        open: Call id -> call that waits, talks or wraps up, None where it no longer does.
        multi: Calls with more than one leg that changed.
        seats: Seat id -> seat.
        clock: The source's clock.
        coverage: Spans [from, to] in epoch seconds that the source covers.
        told: Losses that were told, whether or not something covers them by now.
        late: Stretches in which nobody read the source, and which were read later.
    """

    source: str
    generation: int
    seq: int
    reload: bool = False
    rows: dict[str, list[int]] = {}
    open: dict[str, Call | None] = {}
    multi: dict[str, Call] = {}
    seats: dict[str, Seat] = {}
    clock: Clock | None = None
    coverage: list[Span] = []
    told: list[Gap] = []
    late: list[Span] = []


encode = msgspec.json.encode
decode_row = msgspec.json.Decoder(list[int]).decode
decode_call = msgspec.json.Decoder(Call).decode
decode_seat = msgspec.json.Decoder(Seat).decode
decode_clock = msgspec.json.Decoder(Clock).decode
decode_stamp = msgspec.json.Decoder(Stamp).decode
decode_change = msgspec.json.Decoder(Change).decode
decode_coverage = msgspec.json.Decoder(list[tuple[int, int]]).decode
decode_forgotten = msgspec.json.Decoder(list[tuple[int, str]]).decode
_decode_day = msgspec.json.Decoder(DayRows).decode
_decode_calls = msgspec.json.Decoder(list[Call]).decode


def encode_row(row: list[int]) -> bytes:
    """A row without its tail of zeros."""
    return encode(trimmed(row))


def pack_day(rows: Iterable[tuple[Key, list[int]]], multi: Iterable[Call]) -> bytes:
    """A closed day's rows, compressed; the same rows in any order give the same bytes."""
    flat = sorted((kind, ident, slot, trimmed(row)) for (kind, ident, slot), row in rows)
    return zlib.compress(encode(DayRows(flat, sorted(multi, key=lambda call: call.callid))), _LEVEL)


def unpack_day(data: bytes) -> DayRows:
    """The rows of `pack_day`."""
    return _decode_day(zlib.decompress(data))


def pack_calls(calls: Iterable[Call]) -> bytes:
    """A closed day's calls, compressed."""
    return zlib.compress(encode(sorted(calls, key=lambda call: (call.at_s, call.callid))), _LEVEL)


def unpack_calls(data: bytes) -> list[Call]:
    """The calls of `pack_calls`."""
    return _decode_calls(zlib.decompress(data))
