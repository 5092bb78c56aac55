"""Every key in Redis, and the fields in them: spelt here and nowhere else.

Keys begin `wb:{hotline}:`; the braces keep one hotline's keys in one slot of a Cluster.

    wb:{h}:gens             hash    source -> generation of its counts that screens read
    wb:{h}:lease:S          string  who may write the source S; expires
    wb:{h}:beat:S           hash    read_ms (Redis TIME of the last successful read), covered_to_s, problem
    wb:{h}:rebuild:S        string  its counts are being made again; expires
    wb:{h}:live             channel what each commit changed

of a source's generation `wb:{h}:S:G:`

    meta                    hash    position, seq, clock, coverage, known (what coverage and gaps are made of),
                                    reached_s, forgotten
    seats                   hash    seat id -> Seat
    open                    hash    call id -> Call that waits, talks, or whose wrap-up lasts (and what a clock that was
                                    ahead makes the fold remember of closed days)
    rows:DAY                hash    field of a row -> its values, while the day is open; multi-leg calls beside them
    calls:DAY               hash    call id -> Call, while the day is open
    days                    hash    DAY -> Stamp: what it was counted with, and whether it is closed
    day:DAY                 string  all rows of a closed day, JSON in zlib
    callz:DAY               string  all calls of a closed day, JSON in zlib
    borders                 hash    DAY -> the state in which that day began, JSON in zlib
    before:DAY              hash    field of an earlier day's row -> its values when DAY began, if they changed since
"""

from dataclasses import dataclass

MULTI = "m"
"""Kind of the fields that hold calls with more than one leg, which sites need to count calls rather than legs."""


@dataclass(frozen=True, slots=True)
class HotlineKeys:
    """The keys of one hotline."""

    hotline: str

    @property
    def gens(self) -> str:
        return f"wb:{{{self.hotline}}}:gens"

    @property
    def channel(self) -> str:
        return f"wb:{{{self.hotline}}}:live"

    def lease(self, source: str) -> str:
        return f"wb:{{{self.hotline}}}:lease:{source}"

    def beat(self, source: str) -> str:
        return f"wb:{{{self.hotline}}}:beat:{source}"

    def rebuild(self, source: str) -> str:
        return f"wb:{{{self.hotline}}}:rebuild:{source}"

    def source(self, source: str, generation: int) -> "SourceKeys":
        return SourceKeys(f"wb:{{{self.hotline}}}:{source}:{generation}:")


@dataclass(frozen=True, slots=True)
class SourceKeys:
    """The keys of one generation of one source's counts."""

    prefix: str

    @property
    def meta(self) -> str:
        return self.prefix + "meta"

    @property
    def seats(self) -> str:
        return self.prefix + "seats"

    @property
    def open(self) -> str:
        return self.prefix + "open"

    @property
    def days(self) -> str:
        return self.prefix + "days"

    @property
    def borders(self) -> str:
        return self.prefix + "borders"

    def before(self, day: str) -> str:
        return f"{self.prefix}before:{day}"

    def rows(self, day: str) -> str:
        return f"{self.prefix}rows:{day}"

    def calls(self, day: str) -> str:
        return f"{self.prefix}calls:{day}"

    def day(self, day: str) -> str:
        return f"{self.prefix}day:{day}"

    def callz(self, day: str) -> str:
        return f"{self.prefix}callz:{day}"


def field(kind: str, ident: str, slot: int | str) -> str:
    """The field of a row; the id stands last because it may hold anything.

    >>> field("q", "a|b", 1795445100)
    'q|1795445100|a|b'
    """
    return f"{kind}|{slot}|{ident}"


def parse_field(text: str) -> tuple[str, str, int]:
    """A row's key (kind, id, slot) from its field.

    >>> parse_field("q|1795445100|a|b")
    ('q', 'a|b', 1795445100)
    """
    kind, slot, ident = text.split("|", 2)
    return kind, ident, int(slot)
