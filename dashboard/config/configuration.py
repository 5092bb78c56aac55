"""The checked configuration, and the questions that the rest of the house asks it.

Built by `load`; nothing changes it later. Days are local days of the hotline's zone, written YYYY-MM-DD.
Sites and labels are asked by day, so that a seat that moves does not rewrite last month; how a queue is
counted and kept is asked without, for it cannot change by date.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from dashboard.config.schema import (
    SECRET_KEYS,
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
    Web,
)
from dashboard.config.values import REDIS_SCHEMES, Ranges
from dashboard.core.calendar import WEEKDAYS
from dashboard.core.days import Zone
from dashboard.core.names import ALWAYS, Names, SeatNames
from dashboard.errors import ConfigError

SHARED = "shared"
"""The site of a queue that several sites' seats answer."""

UNASSIGNED = "unassigned"
"""The site of a queue or seat that the configuration does not name."""

RESERVED = frozenset({SHARED, UNASSIGNED})

ALL_DAY: Ranges = ((0, 24 * 60),)

_Entry = TypeVar("_Entry", Queue, Seat)


@dataclass(frozen=True, kw_only=True)
class Config:
    """One hotline's configuration.

    Attributes:
        path: The file it was read from.
        zone: The hotline's clock and days.
        hours: None where the hotline is always open.
        sites: In the order of the file, which screens keep.
        queues: Entries in the order of the file; a queue that moves has several, ascending by date.
        seats: Likewise.
    """

    path: Path
    zone: Zone
    hotline: Hotline
    hours: Hours | None
    sites: tuple[Site, ...]
    queues: tuple[Queue, ...]
    seats: tuple[Seat, ...]
    sources: tuple[Source, ...]
    redis: RedisTable
    data: Data
    web: Web
    limits: Limits
    hall: Hall
    _queue_entries: dict[str, list[Queue]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    _seat_entries: dict[str, list[Seat]] = field(init=False, repr=False, compare=False, default_factory=dict)
    _sites: dict[str, Site] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for queue in self.queues:
            self._queue_entries.setdefault(queue.name, []).append(queue)
        for seat in self.seats:
            self._seat_entries.setdefault(seat.id, []).append(seat)
        self._sites.update((site.id, site) for site in self.sites)

    @property
    def data_dir(self) -> Path:
        """Where the archive and everything else that lasts is; absolute, perhaps not there yet."""
        return self.data.dir

    @property
    def queue_names(self) -> tuple[str, ...]:
        """Every configured queue's own name, once, in the order of the file."""
        return tuple(self._queue_entries)

    @property
    def seat_ids(self) -> tuple[str, ...]:
        """Every configured seat's id, once, in the order of the file."""
        return tuple(self._seat_entries)

    def names(self) -> Names:
        """The names for a parser.

        An interface counts as a name too: Asterisk writes it where a member has none.
        """
        seats = []
        for seat_id, entries in self._seat_entries.items():
            named: dict[tuple[str, int], None] = {}  # ordered, each once
            interfaces = list(dict.fromkeys(entry.interface for entry in entries if entry.interface))
            for entry in entries:
                for item in entry.names:
                    since = item.from_day or entry.from_day
                    named[item.name, self._epoch_s(since.isoformat()) if since else ALWAYS] = None
            named |= dict.fromkeys((interface, ALWAYS) for interface in interfaces)
            seats.append(
                SeatNames(id=seat_id, interface=interfaces[0] if interfaces else None, names=tuple(named))
            )
            # The devices that a seat had at other times: known by interface, named above.
            seats += [SeatNames(id=seat_id, interface=interface) for interface in interfaces[1:]]
        return Names.of(self.queue_names, seats)

    def queue_rule(self, queue: str) -> tuple[int | None, bool]:
        """How a queue is counted and kept.

        Returns:
            Its wrap-up in seconds, None where that is not observed, and whether its callers are secret; those
            of a queue that the configuration does not name are.
        """
        entries = self._queue_entries.get(queue)
        if entries is None:
            return None, True
        first = entries[0]
        secret = first.secret if first.secret is not None else first.key in SECRET_KEYS
        return first.wrapup_s, secret

    def key_of_queue(self, queue: str) -> int | None:
        """The key that callers press for a queue; None where that is not said."""
        entries = self._queue_entries.get(queue)
        return entries[0].key if entries else None

    def site_of_queue(self, queue: str, day: str) -> str:
        """The site that a queue belonged to on a day: a site's id, SHARED or UNASSIGNED."""
        entries = _until(self._queue_entries.get(queue, ()), day)
        return next((e.site for e in entries if e.site is not None), SHARED if entries else UNASSIGNED)

    def site_of_seat(self, seat: str, day: str) -> str:
        """The site that a seat belonged to on a day: a site's id or UNASSIGNED."""
        entries = _until(self._seat_entries.get(seat, ()), day)
        return next((e.site for e in entries if e.site is not None), UNASSIGNED)

    def label_of_queue(self, queue: str, day: str) -> str:
        """What screens call a queue on a day; its own name where nothing else is said."""
        entries = _until(self._queue_entries.get(queue, ()), day)
        return next((e.label for e in entries if e.label is not None), queue)

    def label_of_seat(self, seat: str, day: str) -> str:
        """What screens call a seat on a day: its label, else its latest name, else its id."""
        for entry in _until(self._seat_entries.get(seat, ()), day):
            if entry.label is not None:
                return entry.label
            begin = [item.from_day or entry.from_day or date.min for item in entry.names]
            held = [
                (since.isoformat(), item.name)
                for since, item in zip(begin, entry.names, strict=True)
                if since.isoformat() <= day
            ]
            if held:
                return max(held, key=lambda item: item[0])[1]  # the first of several
        return seat

    def site_name(self, site: str) -> str:
        """A site's name; SHARED, UNASSIGNED and ids that are not configured as they are."""
        found = self._sites.get(site)
        return found.name if found else site

    def site_short(self, site: str) -> str:
        """A site's name as a tile has room for it."""
        found = self._sites.get(site)
        return found.short if found else site

    def hours_on(self, weekday: int) -> Ranges:
        """When the hotline is open on a weekday.

        Args:
            weekday: 0 is Monday, as `date.weekday()`.

        Returns:
            Pairs of minutes, ascending; none where it is closed, the whole day where it is always open.
        """
        if self.hours is None:
            return ALL_DAY
        ranges: Ranges = getattr(self.hours, WEEKDAYS[weekday])
        return ranges

    def source(self, name: str) -> Source:
        """A source by its name.

        Raises:
            ConfigError: There is none; the message lists them.
        """
        for source in self.sources:
            if source.name == name:
                return source
        known = ", ".join(source.name for source in self.sources) or "none"
        raise ConfigError(f"{self.path}: there is no source {name!r}; sources: {known}")

    def redis_url(self, environ: Mapping[str, str] = os.environ) -> str | None:
        """The store's address: [redis], else REDIS_URL; None where the embedded server is meant.

        Raises:
            ConfigError: REDIS_URL is no Redis address. (It is not repeated: it may hold a password.)
        """
        if self.redis.url is not None:
            return self.redis.url
        url = environ.get("REDIS_URL")
        if not url:
            return None
        if urlsplit(url).scheme not in REDIS_SCHEMES:
            raise ConfigError(
                "REDIS_URL is not a Redis address; it begins with redis://, rediss:// or unix://"
            )
        return url

    def fingerprint(self) -> str:
        """A short hash of all that counted values depend on; labels, sites and screens are not in it."""
        rules = sorted((queue, self.queue_rule(queue)) for queue in self.queue_names)
        limits = (self.limits.waiting_s, self.limits.talking_s)
        text = repr((self.zone.name, self.names().fingerprint(), rules, limits, self.hotline.home_area))
        return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()

    def _epoch_s(self, day: str) -> int:
        return self.zone.bounds(day)[0]


def _until(entries: Sequence[_Entry], day: str) -> list[_Entry]:
    """The entries that hold on a day or held before, latest first."""
    return [e for e in reversed(entries) if e.from_day is None or e.from_day.isoformat() <= day]
