"""The law that opens a number: whatever the table says, its calls say."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from dashboard.core.days import SLOT_S, regroup
from dashboard.core.opened import FATES, OF_TOTAL, WORK, Calls, Where, figures, opened
from dashboard.core.table import Ask, Part, table


def differences(ask: Ask, parts: Sequence[Part], calls: Sequence[Calls]) -> list[Any]:
    """(row, column, as shown, from its calls) of every figure of a table that its calls do not make."""
    made = table(ask, parts)
    wrong: list[Any] = []
    whole = Where(ask=ask)
    wrong += _compared("total", made["total"], whole, calls, (*FATES, *WORK, *OF_TOTAL))
    for row in made["rows"]:
        key = row["key"]
        columns: tuple[str, ...] = (*FATES, *WORK)
        match ask.by:
            case "queue":
                where = Where(ask=ask, queue=key)
            case "site":
                where, columns = Where(ask=ask, site=key), (*columns, "seat_answers")
            case "seat":
                where, columns = Where(ask=ask, seat=key), WORK
            case "slot":
                where = Where(ask=_slot(ask, int(datetime.fromisoformat(key).timestamp())))
            case "day":
                from_s, to_s = ask.zone.bounds(key)
                where = Where(ask=replace(ask, from_s=from_s, to_s=to_s))
            case _:
                where = whole
        wrong += _compared(key, row, where, calls, columns)
    return wrong


def _slot(ask: Ask, start_s: int) -> Ask:
    end_s = start_s
    while end_s < ask.to_s and regroup(end_s, ask.minutes, ask.zone) == start_s:
        end_s += SLOT_S
    return replace(ask, from_s=start_s, to_s=end_s)


def _compared(
    key: str, row: dict[str, Any], where: Where, calls: Sequence[Calls], columns: Sequence[str]
) -> list[Any]:
    found = figures(opened(where, calls), seat=where.seat is not None)
    return [
        (key, column, row[column], found.get(column, 0))
        for column in columns
        if (row[column] or 0) != found.get(column, 0)
    ]
