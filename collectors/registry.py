"""The one table of the kinds of sources."""

from importlib import import_module
from typing import cast

from collectors.base import Kind
from dashboard.errors import ConfigError

KINDS = {"queue_log": "collectors.queue_log.collect"}
"""Name in the configuration -> module."""


def kind_of(name: str) -> Kind:
    """The module of a kind; loaded when it is asked for.

    Raises:
        ConfigError: There is no such kind; the message lists them.
    """
    if name not in KINDS:
        raise ConfigError(f'"{name}" is not a kind of source; allowed: {", ".join(KINDS)}')
    return cast(Kind, import_module(KINDS[name]))
