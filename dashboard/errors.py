"""What can go wrong, and who must act. Every message is one line that says both.

WallboardError
├── ConfigError           the operator edits a file or an option; found without a network; exit 2
├── SourceError
│   ├── SourceUnavailable retried with capped, jittered backoff; the screen turns stale meanwhile
│   └── RecordMalformed   one record cannot be read: counted, kept aside masked, and the next one read
└── StoreError
    ├── StoreUnavailable  Redis or the data directory is away: retried
    └── PositionConflict  somebody else writes the same source: stop
"""


class WallboardError(Exception):
    """Anything that this project raises on purpose; `str()` is fit for the operator."""


class ConfigError(WallboardError):
    """The configuration or the use of a command is wrong; holds one problem a line."""


class SourceError(WallboardError):
    """A source of events cannot deliver."""


class SourceUnavailable(SourceError):
    """The source cannot be reached or read now; trying again may help."""


class RecordMalformed(SourceError):
    """One record cannot be read; the reason is in plain words, without a caller's number."""


class StoreError(WallboardError):
    """Redis or the archive cannot do its work."""


class StoreUnavailable(StoreError):
    """The store does not answer now; trying again may help."""


class PositionConflict(StoreError):
    """Another process holds the source's lease, or has moved its position."""
