"""Days whose counts were made by an older parser or fold, or with other names: said by `show` and `check`."""

from collections.abc import Iterator

from collectors.runner import stamp_of
from dashboard.commands.importing import kind_in
from dashboard.config import Config
from dashboard.store.audit import outdated
from dashboard.store.reader import Reader


def outdated_counts(
    config: Config, reader: Reader, first: str = "", last: str = "9999-12-31"
) -> Iterator[tuple[str, str]]:
    """What to tell of each source.

    Args:
        config: The hotline, as this program counts it.
        reader: Where the counts are.
        first, last: The days to look at.

    Yields:
        The source, and a sentence with what to do.

    Raises:
        StoreUnavailable: Redis does not answer.
    """
    for name in reader.sources():
        kind = kind_in(config, name)
        if kind is not None:
            stamps = reader.snapshot(name, []).stamps
            days = [day for day in stamps if first <= day <= last]
            for sentence in outdated(stamps, stamp_of(config, kind), days):
                yield name, sentence
