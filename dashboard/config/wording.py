"""What is wrong in a file -> lines that an operator understands: file, key, line, mistake, what is allowed.

Pure. Pydantic's own messages are never shown; a test keeps its words out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dashboard.config.schema import MANY, TABLES, SeatName, Table, keys_of
from dashboard.config.toml import Path, toml_value
from dashboard.config.values import near

VALUE_LENGTH = 60  # characters of a wrong value that a message repeats

_WANTED = {
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "date_type": "a date such as 2026-11-01, without quotes",
    "model_type": 'a text or a table such as { name = "林晓燕", from = 2026-11-01 }',
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that the operator must change.

    Attributes:
        path: Where it is; indexes from 0.
        text: What is wrong and what is allowed.
    """

    path: Path
    text: str


def key_text(path: Path) -> str:
    """A path as messages write it; the tables of an array are counted from 1.

    >>> key_text(("queues", 1, "site"))
    'queues[2].site'
    """
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def line_of(path: Path, lines: Mapping[Path, int]) -> int | None:
    """The line of a key, or of the nearest thing around it that has one."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return None


def report(file: str, problems: Iterable[Problem], lines: Mapping[Path, int]) -> str:
    """All problems, a line each, in the order of the file."""
    told = []
    for found in problems:
        line = line_of(found.path, lines)
        where = f" (line {line})" if line is not None else ""
        told.append((line or 0, f"{file}: {key_text(found.path)}{where}: {found.text}"))
    return "\n".join(dict.fromkeys(text for _, text in sorted(told, key=lambda item: item[0])))


def shown(value: object) -> str:
    """A wrong value as the file writes it, cut where it is long."""
    text = toml_value(value)
    return text if len(text) <= VALUE_LENGTH else f"{text[:VALUE_LENGTH]}…"


def problems_of(table: str, at: Path, exc: ValidationError) -> list[Problem]:
    """What the schema found wrong in one table.

    Args:
        table: Its row in `TABLES`.
        at: Where the table is.
        exc: What its model raised.
    """
    return [
        Problem(at + error["loc"], _text(TABLES[table], error))
        for error in exc.errors()
        if error["type"] != "default_factory_not_called"  # it follows another key, which is told of
    ]


def unknown_table(key: str, value: object) -> str:
    """The message for a name at the top of the file that is no table of ours."""
    allowed = ", ".join(map(bracketed, TABLES))
    if not isinstance(value, dict | list):
        return f"stands above all tables; put it below the one that it belongs to: {allowed}"
    return f"is not a table of this file{near(key, map(bracketed, TABLES))}; allowed: {allowed}"


def needed(table: str) -> str:
    """What a table cannot be without, as one would write it."""
    fields = TABLES[table].model_fields
    return ", ".join(
        f"{field.alias or key} = {toml_value(field.examples[0])}"
        for key, field in fields.items()
        if field.is_required() and field.examples
    )


def bracketed(table: str) -> str:
    """A table's header.

    >>> bracketed("sites"), bracketed("hotline")
    ('[[sites]]', '[hotline]')
    """
    return f"[[{table}]]" if table in MANY else f"[{table}]"


def _text(model: type[Table], error: ErrorDetails) -> str:
    *inside, key = error["loc"]
    holder: type[Table] = SeatName if inside[:1] == ["names"] else model
    field = next((f for name, f in holder.model_fields.items() if key in (name, f.alias)), None)
    value: Any = error["input"]
    match error["type"]:
        case "plain":
            text: str = error["ctx"]["text"]
            return text if _tells_itself(text, key) else f"{shown(value)} {text}"
        case "missing":
            example = toml_value(field.examples[0]) if field is not None and field.examples else "…"
            return f"is missing; write {key} = {example}"
        case "extra_forbidden":
            allowed = keys_of(holder)
            return f"is not a key here{near(str(key), allowed)}; allowed: {', '.join(allowed)}"
        case "literal_error":
            values = get_args(field.annotation) if field is not None else ()
            return f"{shown(value)} is not allowed; allowed: {', '.join(map(toml_value, values))}"
        case kind if kind in _WANTED:
            what = "" if isinstance(value, bool) else f"{_kind(value)}, "
            return f"{shown(value)} is {what}not {_WANTED[kind]}"
        case _:
            return f"{shown(value)} cannot be taken"


def _tells_itself(text: str, key: object) -> bool:
    # "must be …" needs no value; an address may hold a password.
    return key == "url" or text.startswith("must be")


def _kind(value: object) -> str:
    kinds: list[tuple[type | tuple[type, ...], str]] = [
        (str, "a text"),
        (int, "a whole number"),
        (float, "a number"),
        (datetime, "a date with a time"),
        (date, "a date"),
        (time, "a time"),
        (list, "a list"),
        (dict, "a table"),
    ]
    return next((words for kind, words in kinds if isinstance(value, kind)), "something else")
