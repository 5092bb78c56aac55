"""A queue_log's lines -> items for the archive; callers' numbers aside, into their own table."""

from collectors.base import Tools
from collectors.queue_log import parse
from dashboard.core.events import Offered
from dashboard.store.items import LINE, REJECT, Item


class Reading:
    """Reads the lines of one source.

    Attributes:
        rejected: How many lines could not be read.
    """

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.names = tools.config.names()
        self.home_area = tools.config.hotline.home_area
        self.rejected = 0
        self._secret: dict[str, bool] = {}
        self._numbers: list[tuple[str, str, str, int]] = []
        self._dropped: list[str] = []
        self._dropped_s = 0

    def secret(self, queue: str) -> bool:
        """Whether a queue's callers must not be identifiable."""
        known = self._secret.get(queue)
        if known is None:
            known = self._secret[queue] = self.tools.config.queue_rule(queue)[1]
        return known

    def item(self, line: bytes, offset: int) -> Item:
        """What is archived of a line, and what it means.

        Args:
            line: Without its newline.
            offset: Bytes of its file up to its end.
        """
        record = parse.read(line, self.names, self.home_area, self.secret)
        if record.event is None:
            self.rejected += 1
            reason = (record.reject or "").partition(":")[0].replace("|", "/").replace("\n", " ")
            return Item(REJECT, b"%d|%s|%s" % (offset, reason.encode("utf-8", "replace"), record.line))
        if record.number is not None and record.callid is not None:
            self._numbers.append((self.tools.source, record.callid, record.number, record.event.at_s))
        elif type(record.event) is Offered and self.secret(record.event.queue):
            self._dropped.append(record.event.callid)
            self._dropped_s = record.event.at_s
        origin = (record.origin or "").replace("|", "/").encode()
        return Item(LINE, b"%d|%s|%s" % (offset, origin, record.line), record.event)

    def store_numbers(self) -> None:
        """Keep the numbers of the lines so far, before the lines are archived without them."""
        if self._numbers:
            self.tools.numbers.put(self._numbers)
            self._numbers = []
        if self._dropped:
            self.tools.numbers.drop(self.tools.source, self._dropped, self._dropped_s)
            self._dropped = []

    @property
    def waiting(self) -> int:
        """How many calls' numbers are not kept yet."""
        return len(self._numbers) + len(self._dropped)
