"""TOML as text: values written so that any reader takes them back, and the line on which each key stands.

Pure. `tomllib` reads TOML but neither writes it nor tells where a key was.
"""

import re
import tomllib
from datetime import date, datetime, time

Path = tuple[str | int, ...]
"""Where a value is: table and key names, and the 0-based index in an array of tables."""

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[\]{}=\n]"
    r"""|[^"'#\[\]{}=\n]+""",
    re.DOTALL,
)


def toml_string(text: str) -> str:
    r"""A text as a TOML basic string on one line; whatever does not print is escaped.

    Raises:
        ValueError: The text holds half a surrogate pair (bytes that were not UTF-8), which TOML cannot hold.

    >>> print(toml_string('O\'Brien "Bob" \\ 1\n'))
    "O'Brien \"Bob\" \\ 1\n"
    """
    return '"' + "".join(map(_escaped, text)) + '"'


def toml_value(value: object) -> str:
    """Any value that TOML can hold, as one would write it; for messages and generated tables.

    >>> toml_value({"names": ["林晓燕", True]})
    '{ names = ["林晓燕", true] }'
    """
    match value:
        case str():
            return toml_string(value)
        case bool():
            return "true" if value else "false"
        case datetime() | date() | time():
            return value.isoformat()
        case dict():
            inside = ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items())
            return f"{{ {inside} }}" if inside else "{}"
        case list() | tuple():
            return f"[{', '.join(map(toml_value, value))}]"
        case _:
            return str(value)


def key_lines(text: str) -> dict[Path, int]:
    """The line (from 1) of every table header and key.

    Args:
        text: A TOML document that `tomllib` accepts.

    Returns:
        Paths of headers and of the keys below them; what is inside an inline table or array has no entry,
        its key has.

    >>> key_lines("[[sites]]\\nid = 1\\n[[sites]]\\nid = 2")[("sites", 1, "id")]
    4
    """
    lines: dict[Path, int] = {}
    seen: dict[Path, int] = {}  # how many tables of each array came so far
    table: Path = ()
    for line, statement in _statements(text):
        if statement.startswith("["):
            many = statement.startswith("[[")
            table = _resolve(_keys(statement.strip("[] \t")), seen, many)
            lines.setdefault(table, line)
            lines.setdefault(table[:-1] if many else table, line)
        else:
            lines[table + _keys(statement)] = line
    return lines


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("text that is not UTF-8 cannot be written in TOML")
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _statements(text: str) -> list[tuple[int, str]]:
    """Each header, whole, and each key's name, with the line on which it begins."""
    found = []
    line = begin = 1
    depth, head, in_value = 0, "", False
    for piece in (*_TOKEN.findall(text), "\n"):
        if piece == "\n" and depth <= 0:
            if head.strip():
                found.append((begin, head.strip()))
            depth, head, in_value = 0, "", False
        elif piece.startswith("#"):
            pass
        else:
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(piece, 0)
            if piece == "=" and not head.lstrip().startswith("["):
                in_value = True
            elif not in_value:
                if not head.strip():
                    begin = line
                head += piece
        line += piece.count("\n")
    return found


def _keys(dotted: str) -> tuple[str, ...]:
    """`a."b c".d` -> its parts, read by TOML's own rules."""
    node = tomllib.loads(f"{dotted} = 0")
    keys = []
    while isinstance(node, dict):
        key, node = next(iter(node.items()))
        keys.append(key)
    return tuple(keys)


def _resolve(keys: tuple[str, ...], seen: dict[Path, int], many: bool) -> Path:
    """A header's path with the index of each array of tables it goes through; `many` begins a new one."""
    path: Path = ()
    for key in keys[:-1]:
        path += (key,)
        if path in seen:
            path += (seen[path] - 1,)
    path += (keys[-1],)
    if many:
        seen[path] = seen.get(path, 0) + 1
        path += (seen[path] - 1,)
    return path
