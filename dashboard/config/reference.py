"""The schema -> the tables of docs/configure.md. Pure; a test compares the page with what this makes."""

from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from dashboard.config.schema import TABLES, SeatName, Table
from dashboard.config.toml import toml_value
from dashboard.config.wording import bracketed


def reference() -> str:
    """A section for each table of the file: what it is for, and a row for each key."""
    parts = []
    for name, table in TABLES.items():
        parts.append(_section(f"`{bracketed(name)}`", table))
        if name == "seats":
            parts.append(_section("An item of `names` in `[[seats]]`", SeatName))
    return "\n\n".join(parts)


def _section(title: str, table: type[Table]) -> str:
    about = (table.__doc__ or "").split(":", 1)[1].strip()
    rows = [_row(field.alias or key, field) for key, field in table.model_fields.items()]
    head = ["| key | what to write | default | what it decides |", "| --- | --- | --- | --- |"]
    return "\n".join([f"### {title}", "", about[:1].upper() + about[1:], "", *head, *rows])


def _row(key: str, field: FieldInfo) -> str:
    example = f"; `{toml_value(field.examples[0])}`" if field.examples else ""
    return f"| `{key}` | {field.title}{example} | {_default(field)} | {field.description} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value: Any = field.default
    if value is None or value is PydanticUndefined or value == ():
        return "–"
    return f"`{toml_value(value)}`"
