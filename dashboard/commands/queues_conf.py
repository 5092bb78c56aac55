"""Asterisk's queues.conf -> its queues, with their members and wrap-up time.

Bytes come in, because names need not be UTF-8. Files named by #include are told of, not followed. Pure.

Source: Asterisk's `main/config.c` (comments, templates), `main/app.c` (arguments), `apps/app_queue.c`.
"""

import re
from dataclasses import dataclass, field

_BLANKS = "".join(map(chr, range(33)))  # what Asterisk strips
_WHOLE = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Member:
    """A static member of a queue.

    Attributes:
        interface: The switch's name of its device.
        name: Its name in the log; None where it is written by its interface.
    """

    interface: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueConf:
    """A queue of the file.

    Attributes:
        name: The section's name.
        wrapup_s: Its `wrapuptime`; None where the file sets none.
        members: In the order of the file.
    """

    name: str
    wrapup_s: int | None
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuesConf:
    """What the file says, and what could not be read of it.

    Attributes:
        queues: In the order of the file.
        not_followed: The #include and #exec lines.
        unread: Numbers of lines that make no sense.
    """

    queues: tuple[QueueConf, ...] = ()
    not_followed: tuple[str, ...] = ()
    unread: tuple[int, ...] = ()


@dataclass(slots=True)
class _Section:
    name: str
    is_template: bool = False
    settings: list[tuple[str, str]] = field(default_factory=list)


def parse(data: bytes) -> QueuesConf:
    """Read a queues.conf."""
    sections: dict[str, _Section] = {}
    current: _Section | None = None
    not_followed: list[str] = []
    unread: list[int] = []
    depth = 0
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    for number, raw in enumerate(text.split("\n"), 1):
        line, depth = _uncomment(raw, depth)
        line = line.strip(_BLANKS)
        if not line:
            continue
        if line.startswith("#"):
            not_followed.append(line)
        elif line.startswith("["):
            current = _open(line, sections)
            if current is None:
                unread.append(number)
        else:
            key, found, value = line.partition("=")
            if not found or current is None:
                unread.append(number)
                continue
            value = value.removeprefix(">")
            # `+=` appends to what a template gave; for members that is what = does too.
            current.settings.append((key.rstrip("+").strip(_BLANKS).lower(), value.strip(_BLANKS)))
    queues = [_queue(s) for s in sections.values() if not s.is_template and s.name.lower() != "general"]
    return QueuesConf(queues=tuple(queues), not_followed=tuple(not_followed), unread=tuple(unread))


def separate(text: str) -> list[str]:
    r"""Split an application's arguments at commas, as Asterisk does.

    Quotes go, and a comma between them does not split; nor does one between brackets. A backslash goes, and
    what follows it has no meaning of its own.

    >>> separate(r'Local/3004@agents/n,0,"O\'Brien \"Bob\"",Custom:s3004')
    ['Local/3004@agents/n', '0', 'O\'Brien "Bob"', 'Custom:s3004']
    """
    parts = [""]
    quoted = False
    parens = brackets = 0
    characters = iter(text)
    for character in characters:
        match character:
            case '"':
                quoted = not quoted
                continue
            case "\\":
                parts[-1] += next(characters, "")
                continue
            case "," if not quoted and not parens and not brackets:
                parts.append("")
                continue
            case "(":
                parens += 1
            case ")":
                parens = max(0, parens - 1)
            case "[":
                brackets += 1
            case "]":
                brackets = max(0, brackets - 1)
        parts[-1] += character
    return parts


def _uncomment(line: str, depth: int) -> tuple[str, int]:
    r"""A line without its comments.

    Args:
        line: As it is in the file.
        depth: How many `;--` are open before it.

    Returns:
        What is left, `\;` as `;`, and how many are open after it.
    """
    kept = ""
    start = search = 0
    while (at := line.find(";", search)) >= 0:
        if at > search and line[at - 1] == "\\":
            line = line[: at - 1] + line[at:]
            search = at
        elif line.startswith(";--", at) and not line.startswith(";---", at):
            if not depth:
                kept += line[start:at]
            depth += 1
            search = at + 3
        elif depth:
            search = at + 1
            if at >= 2 and line[at - 2 : at] == "--":
                depth -= 1
                start = search
        else:
            return kept + line[start:at], 0
    return (kept + line[start:], 0) if not depth else (kept, depth)


def _open(line: str, sections: dict[str, _Section]) -> _Section | None:
    """The section that a header begins or goes on with; None where the header has no end."""
    name, found, options = line[1:].partition("]")
    if not found:
        return None
    words: list[str] = []
    if options.startswith("("):
        words = [word.strip(_BLANKS) for word in options[1:].partition(")")[0].split(",")]
    section = sections.setdefault(name, _Section(name))
    section.is_template = section.is_template or "!" in words
    for word in words:
        if word in sections and word != name:
            section.settings += sections[word].settings
    return section


def _queue(section: _Section) -> QueueConf:
    wrapup_s = None
    members: dict[Member, None] = {}
    for key, value in section.settings:
        if key == "wrapuptime" and _WHOLE.match(value):
            wrapup_s = int(_WHOLE.match(value)[0])  # type: ignore[index]
        elif key == "member" and value:
            interface, *rest = separate(value)
            # Blanks before the name stay, as Asterisk leaves them.
            name = rest[1].rstrip(_BLANKS) if len(rest) > 1 else ""
            members[Member(interface, name if name and name != interface else None)] = None
    return QueueConf(name=section.name, wrapup_s=wrapup_s, members=tuple(members))
