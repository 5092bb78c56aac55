"""Which file, and what is in it: finds wallboard.toml, reads it, and tells all that is wrong at once."""

import contextlib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from dashboard.config import checks
from dashboard.config.access import unreadable
from dashboard.config.configuration import Config
from dashboard.config.schema import (
    MANY,
    SOURCE_KINDS,
    TABLES,
    Data,
    Hall,
    Hotline,
    Hours,
    Limits,
    Queue,
    RedisTable,
    Seat,
    Site,
    Source,
    Table,
    Web,
)
from dashboard.config.toml import key_lines
from dashboard.config.wording import Problem, bracketed, needed, problems_of, report, unknown_table
from dashboard.core.days import Zone
from dashboard.errors import ConfigError

FILE_NAME = "wallboard.toml"
VARIABLE = "WALLBOARD_CONFIG"

_AT = re.compile(r"^(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)
_T = TypeVar("_T", bound=Table)


def find(
    option: str | Path | None, environ: Mapping[str, str] = os.environ, folder: Path | None = None
) -> Path:
    """Which configuration file is meant: the option, else the variable, else the one in the folder.

    Args:
        option: What `--config` said, None where it was not given.
        environ: The environment.
        folder: Where to look last; the working directory by default.

    Raises:
        ConfigError: Nothing was said and the folder has none.
    """
    if option is not None:
        return Path(option)
    if environ.get(VARIABLE):
        return Path(environ[VARIABLE])
    path = (folder / FILE_NAME) if folder is not None else Path(FILE_NAME)
    if not path.is_file():
        raise ConfigError(
            f"there is no {FILE_NAME} here; make one with `wallboard init`, "
            f"or name one with --config or {VARIABLE}"
        )
    return path


def load(path: str | Path, *, kinds: Sequence[str] = SOURCE_KINDS) -> Config:
    """Read and check a configuration file.

    Args:
        path: The file; relative paths in it are taken from its directory.
        kinds: The kinds of source that can be collected.

    Raises:
        ConfigError: Something is wrong; the message has a line for each problem.
    """
    path = Path(path)
    text = _read(path)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{path}: {_syntax(str(exc))}") from exc
    reader = _Reader(raw, path.absolute().parent)
    config = reader.config(path, kinds)
    if config is None:
        raise ConfigError(report(str(path), reader.problems, key_lines(text)))
    return config


class _Reader:
    """Reads a document's tables and keeps what is wrong with them."""

    def __init__(self, raw: Mapping[str, Any], base: Path) -> None:
        self.problems: list[Problem] = []
        self._raw = raw
        self._context = {"base": str(base)}

    def config(self, path: Path, kinds: Sequence[str]) -> Config | None:
        """The configuration; None where there are problems."""
        for key, value in self._raw.items():
            if key not in TABLES:
                self._add((key,), unknown_table(key, value))
        hotline = self._one("hotline", Hotline)
        hours = self._one("hours", Hours) if "hours" in self._raw else None
        sites, queues = self._many("sites", Site), self._many("queues", Queue)
        seats, sources = self._many("seats", Seat), self._many("sources", Source)
        redis, data, web = self._one("redis", RedisTable), self._one("data", Data), self._one("web", Web)
        limits, hall = self._one("limits", Limits), self._one("hall", Hall)

        told = {problem.path for problem in self.problems}
        across = chain(
            checks.check_hotline(hotline) if hotline is not None else (),
            checks.check_hours(hours) if hours is not None else (),
            checks.check_sites(sites),
            checks.check_site_ids("queues", queues, self._site_ids()),
            checks.check_site_ids("seats", seats, self._site_ids()),
            checks.check_queues(queues),
            checks.check_seats(seats),
            checks.check_sources(sources, kinds),
        )
        self.problems += [problem for problem in across if problem.path not in told]
        if self.problems:
            return None
        assert hotline and redis and data and web and limits and hall  # each wrong one left a problem
        return Config(
            path=path,
            zone=Zone(hotline.zone),
            hotline=hotline,
            hours=hours,
            sites=tuple(sites.values()),
            queues=tuple(queues.values()),
            seats=tuple(seats.values()),
            sources=tuple(sources.values()),
            redis=redis,
            data=data,
            web=web,
            limits=limits,
            hall=hall,
        )

    def _one(self, table: str, model: type[_T]) -> _T | None:
        value = self._raw.get(table, {})
        if not isinstance(value, dict):
            self._add((table,), f"is not a table; write {bracketed(table)}, once, and its keys below")
            return None
        if table not in self._raw and needed(table):
            self._add((table,), f"is missing; write {bracketed(table)} and below it {needed(table)}")
            return None
        return self._read((table,), table, model, value)

    def _many(self, table: str, model: type[_T]) -> dict[int, _T]:
        values = self._raw.get(table, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self._add((table,), f"is not a list of tables; write {bracketed(table)}, once for each of them")
            return {}
        read = {i: self._read((table, i), table, model, value) for i, value in enumerate(values)}
        return {i: value for i, value in read.items() if value is not None}

    def _read(
        self, at: tuple[str | int, ...], table: str, model: type[_T], value: dict[str, Any]
    ) -> _T | None:
        try:
            return model.model_validate(value, context=self._context)
        except ValidationError as exc:
            self.problems += problems_of(table, at, exc)
            if table not in MANY:
                return None
            wrong = {error["loc"][0] for error in exc.errors()}
        # What is right in an entry is still compared with the others, so that one run tells everything.
        with contextlib.suppress(ValidationError):
            right = {key: item for key, item in value.items() if key not in wrong}
            return model.model_validate(right, context=self._context)
        return None

    def _site_ids(self) -> set[str]:
        # Of the sites that are wrong too: a queue of theirs is not.
        sites = self._raw.get("sites", [])
        ids = [site.get("id") for site in sites if isinstance(site, dict)] if isinstance(sites, list) else []
        return {site for site in ids if isinstance(site, str)}

    def _add(self, at: tuple[str | int, ...], text: str) -> None:
        self.problems.append(Problem(at, text))


def _read(path: Path) -> str:
    if (reason := unreadable(path)) is not None:
        hint = "; `wallboard init` makes one" if reason.endswith("does not exist") else ""
        raise ConfigError(f"{reason}{hint}")
    try:
        # An editor on Windows puts a mark in front, which TOML does not know.
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        raise ConfigError(f"{path}: line {line} is not UTF-8; save the file as UTF-8") from exc


def _syntax(message: str) -> str:
    found = _AT.match(message)
    if found is None:
        return f"is not TOML: {message}"
    what, line, column = found.groups()
    where = f"line {line}, column {column}" if line else "the end of the file"
    return f"{where}: {what[:1].lower()}{what[1:]}"
