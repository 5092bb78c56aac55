"""The configuration: one `wallboard.toml` -> a checked, frozen `Config`.

    find(option) -> Path          which file: --config, WALLBOARD_CONFIG, ./wallboard.toml
    load(path) -> Config          every problem of the file in one ConfigError, a line each
    unreadable(path) -> str|None  what stops this process from reading a file, and who can mend it

It reads that one file and the time zones; it never opens a source, a store or the network.
"""

from dashboard.config.access import unreadable, unwritable
from dashboard.config.configuration import SHARED, UNASSIGNED, Config
from dashboard.config.load import FILE_NAME, VARIABLE, find, load
from dashboard.config.schema import (
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
    SeatName,
    Site,
    Source,
    Web,
)
from dashboard.config.toml import toml_string

__all__ = [
    "FILE_NAME",
    "SHARED",
    "SOURCE_KINDS",
    "TABLES",
    "UNASSIGNED",
    "VARIABLE",
    "Config",
    "Data",
    "Hall",
    "Hotline",
    "Hours",
    "Limits",
    "Queue",
    "RedisTable",
    "Seat",
    "SeatName",
    "Site",
    "Source",
    "Web",
    "find",
    "load",
    "toml_string",
    "unreadable",
    "unwritable",
]
