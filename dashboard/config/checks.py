"""What no table can tell by itself: ids said twice, sites that are not there, entries out of order.

Pure. What is wrong in itself has been left out of the entries, so that each mistake is told once.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date

from dashboard.config.configuration import RESERVED, SHARED
from dashboard.config.schema import Hotline, Hours, Queue, Seat, Site, Source
from dashboard.config.toml import toml_string
from dashboard.config.values import near
from dashboard.config.wording import Problem
from dashboard.core.names import cut

Entries = Mapping[int, "Site | Queue | Seat | Source"]

NEVER_TWICE = ("key", "secret", "wrapup_s")


def check_hotline(hotline: Hotline) -> Iterator[Problem]:
    """A workweek that nothing reads."""
    if "workweek" in hotline.model_fields_set and hotline.calendar != "weekdays":
        yield Problem(
            ("hotline", "workweek"),
            'is read only with calendar = "weekdays"; write that too, or take workweek away',
        )


def check_hours(hours: Hours) -> Iterator[Problem]:
    """A table that never opens."""
    if not any(ranges for _, ranges in hours):
        yield Problem(("hours",), "never opens; a hotline that is always open has no [hours] table")


def check_sites(sites: Mapping[int, Site]) -> Iterator[Problem]:
    """Ids and names said twice, ids that mean something already."""
    for index, site in sites.items():
        if site.id in RESERVED:
            yield Problem(
                ("sites", index, "id"), f"{toml_string(site.id)} has a meaning already; choose another"
            )
    yield from _twice("sites", "id", {index: site.id for index, site in sites.items()})
    yield from _twice("sites", "name", {index: site.name for index, site in sites.items()})


def check_site_ids(
    table: str, entries: Mapping[int, Queue] | Mapping[int, Seat], ids: Set[str]
) -> Iterator[Problem]:
    """Sites that are not in the file.

    Args:
        table: "queues" or "seats".
        entries: The entries of that table by index.
        ids: Every site's id.
    """
    allowed = [*([SHARED] if table == "queues" else []), *sorted(ids)]
    for index, entry in entries.items():
        if entry.site is not None and entry.site not in allowed:
            told = f"allowed: {', '.join(allowed)}" if allowed else "there is no [[sites]] table yet"
            yield Problem(
                (table, index, "site"),
                f"{toml_string(entry.site)} is not a site id{near(entry.site, allowed)}; {told}",
            )


def check_queues(queues: Mapping[int, Queue]) -> Iterator[Problem]:
    """A queue's later entries: in order, and with nothing that cannot change by date."""
    yield from _in_order("queues", {i: (q.name, q.from_day) for i, q in queues.items()})
    first: set[str] = set()
    for index, queue in queues.items():
        if queue.name in first:
            for key in NEVER_TWICE:
                if key in queue.model_fields_set:
                    yield Problem(
                        ("queues", index, key),
                        f"belongs in the first entry of {toml_string(queue.name)}; from a date on, "
                        "only label and site change",
                    )
        first.add(queue.name)


def check_seats(seats: Mapping[int, Seat]) -> Iterator[Problem]:
    """A seat's later entries in order; interfaces and names that belong to one seat at a time."""
    yield from _in_order("seats", {i: (s.id, s.from_day) for i, s in seats.items()})
    owner: dict[str, str] = {}
    for index, seat in seats.items():
        if seat.interface is None:
            continue
        other = owner.setdefault(seat.interface, seat.id)
        if other != seat.id:
            yield Problem(
                ("seats", index, "interface"),
                f"{toml_string(seat.interface)} is the interface of seat {toml_string(other)} already",
            )
    named: dict[tuple[str, date | None], tuple[str, str]] = {}
    for index, seat in seats.items():
        for position, item in enumerate(seat.names):
            at = ("seats", index, "names", position)
            since = item.from_day or seat.from_day
            if owner.get(item.name, seat.id) != seat.id:
                yield Problem(
                    at, f"{toml_string(item.name)} is the interface of seat {toml_string(owner[item.name])}"
                )
            for form in sorted({item.name, cut(item.name)}):
                other, written = named.setdefault((form, since), (seat.id, item.name))
                if other != seat.id:
                    yield Problem(at, _named_twice(item.name, written, other, since))
                    break


def check_sources(sources: Mapping[int, Source], kinds: Sequence[str]) -> Iterator[Problem]:
    """Kinds that nobody can read, sources that are one."""
    for index, source in sources.items():
        if source.kind not in kinds:
            yield Problem(
                ("sources", index, "kind"),
                f"{toml_string(source.kind)} is not a kind of source{near(source.kind, kinds)}; "
                f"allowed: {', '.join(kinds)}",
            )
    yield from _twice("sources", "name", {index: source.name for index, source in sources.items()})
    yield from _twice("sources", "path", {index: str(source.path) for index, source in sources.items()})


def _twice(table: str, key: str, values: Mapping[int, str]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, value in values.items():
        earlier = first.setdefault(value, index)
        if earlier != index:
            yield Problem(
                (table, index, key),
                f"{toml_string(value)} is the {key} of {table}[{earlier + 1}] already; each needs its own",
            )


def _in_order(table: str, entries: Mapping[int, tuple[str, date | None]]) -> Iterator[Problem]:
    latest: dict[str, tuple[int, date | None]] = {}
    for index, (name, since) in entries.items():
        if name in latest:
            earlier, before = latest[name]
            if since is None or (before is not None and since <= before):
                after = f", later than {before}" if before is not None else ""
                yield Problem(
                    (table, index, "from"),
                    f"{toml_string(name)} is in {table}[{earlier + 1}] already; a second entry needs the day "
                    f"from which it holds{after}",
                )
                continue
        latest[name] = (index, since)


def _named_twice(name: str, written: str, seat: str, since: date | None) -> str:
    same = "" if name == written else ", whose first 79 bytes are the same and the switch writes no more,"
    told = f"{toml_string(written)}{same}" if same else toml_string(name)
    when = f"from {since} too" if since is not None else "at all times"
    return (
        f"{told} is a name of seat {toml_string(seat)} {when}; "
        'where a name moves, write { name = "…", from = <the day> }'
    )
