"""A call and its legs: what is known of them, and what a whole call counts as.

Pure. A leg is a caller's stay in one queue; a call is the visit, through however many queues. Legs are counted by
the fold as their events come; `call_counts` says what a call counts as from its legs alone, so that a call's fate
can be taken back and given anew when it enters another queue.
"""

import msgspec

from dashboard.core.counts import ABANDONED_WAIT, ANSWERED_WAIT, F, bin_of

WAITING = "waiting"
ANSWERED = "answered"
ABANDONED = "abandoned"
OVERFLOWED = "overflowed"
LOST = "lost"


Counted = dict[int, int]
"""What a call counts as: column index -> value, zeros left out."""


class Leg(msgspec.Struct, array_like=True, gc=False):
    """A caller's stay in one queue.

    Attributes:
        queue: The queue's name.
        offered_s: When it entered, epoch seconds; None where that was not seen (a log that begins in the middle).
            Such a leg is work for its seat and nobody's fate.
        fate: `waiting` until decided; then `answered`, `abandoned`, `overflowed` or `lost`.
        reason: Which way it overflowed or was lost; None else.
        wait_s: Seconds waited, by the source's own field; None while waiting and where it is lost.
        until_s: When the waiting ended, epoch seconds; None while waiting.
        seat: Who answered; None else.
        ended_s: When the conversation ended; None while it lasts, or was cut.
        talk_s: Seconds of the conversation, by the source's own field; None until it ends, or was cut.
        wrap_s: Seconds of wrap-up after it; None until that is over, or is not observed.
        cut: The conversation's end was never seen.
    """

    queue: str
    offered_s: int | None
    fate: str = WAITING
    reason: str | None = None
    wait_s: int | None = None
    until_s: int | None = None
    seat: str | None = None
    ended_s: int | None = None
    talk_s: int | None = None
    wrap_s: int | None = None
    cut: bool = False

    @property
    def talking(self) -> bool:
        """In conversation now."""
        return self.fate == ANSWERED and self.ended_s is None and not self.cut

    @property
    def open(self) -> bool:
        """Still waiting or in conversation."""
        return self.fate == WAITING or (self.fate == ANSWERED and self.ended_s is None and not self.cut)


class Call(msgspec.Struct, array_like=True, gc=False):
    """A caller's visit to the hotline.

    Attributes:
        callid: Its id in the source.
        at_s: When it was first seen, epoch seconds; its first offer where that was seen. Its day is this time's.
        legs: In the order in which they began.
        origin: Where it came from, without the number; None where unknown, or where any queue was secret.
    """

    callid: str
    at_s: int
    legs: list[Leg]
    origin: str | None = None

    @property
    def offered(self) -> bool:
        """Whether its fate counts: some leg's offer was seen."""
        return any(leg.offered_s is not None for leg in self.legs)

    @property
    def open(self) -> bool:
        """Whether any leg is waiting or in conversation."""
        return any(leg.open for leg in self.legs)


def call_fate(legs: list[Leg]) -> Leg | None:
    """The leg that decides a call's fate.

    Args:
        legs: Legs of one call, or those of one call in the queues of one site.

    Returns:
        The first answered leg; else a waiting one; else the one that ended last; None where no offer was seen.
    """
    counted = [leg for leg in legs if leg.offered_s is not None]
    answered = [leg for leg in counted if leg.fate == ANSWERED]
    if answered:
        return min(answered, key=lambda leg: leg.until_s or 0)
    deciding = None
    for leg in counted:
        if leg.fate == WAITING:
            return leg
        if deciding is None or (leg.until_s or 0) >= (deciding.until_s or 0):
            deciding = leg
    return deciding


def call_wait_s(legs: list[Leg], deciding: Leg) -> int:
    """Seconds a call waited in all: its decided legs' waits up to the first answer, or to the end.

    Of a call that waits again, or was lost, it is what is known of its wait.
    """
    end_s = deciding.until_s if deciding.fate == ANSWERED and deciding.until_s is not None else None
    total = deciding.wait_s or 0
    for leg in legs:
        if leg is deciding or leg.offered_s is None or leg.wait_s is None or leg.fate == ANSWERED:
            continue
        if end_s is None or (leg.until_s is not None and leg.until_s <= end_s):
            total += leg.wait_s
    return total


def waited_s(legs: list[Leg], at_s: int) -> int:
    """Seconds that a call which is waiting has waited by an instant, in all its queues so far.

    Of a call that was answered before, and waits again, only what came after the answer.
    """
    answered_s = max((leg.until_s or 0 for leg in legs if leg.fate == ANSWERED), default=0)
    since_s = at_s
    before_s = 0
    for leg in legs:
        if leg.offered_s is not None and leg.offered_s >= answered_s:
            if leg.fate == WAITING:
                since_s = min(since_s, leg.offered_s)
            elif leg.fate != ANSWERED:
                before_s += leg.wait_s or 0
    return before_s + at_s - since_s


def call_counts(legs: list[Leg]) -> Counted:
    """What a call counts as, in the row of the slot of its first offer.

    Args:
        legs: Legs of one call, or those of one call in the queues of one site.

    Returns:
        Column index -> value, zeros left out; empty where no offer was seen. `longest_wait_s` is a maximum.
    """
    leg = call_fate(legs)
    if leg is None:
        return {}
    counts = {F["offered"]: 1}
    wait_s = call_wait_s(legs, leg)
    if wait_s:
        counts[F["longest_wait_s"]] = wait_s
    if leg.fate == WAITING:
        return counts
    counts[F[leg.fate]] = 1
    if leg.fate == LOST:
        counts[F["lost_" + (leg.reason or "no_end")]] = 1
        return counts
    if leg.fate == ABANDONED:
        counts[F["abandon_wait_s"]] = wait_s
        counts[ABANDONED_WAIT + bin_of(wait_s)] = 1
    elif leg.fate == OVERFLOWED:
        counts[F["overflow_wait_s"]] = wait_s
        counts[F["overflowed_" + (leg.reason or "moved")]] = 1
    else:
        counts[F["answer_wait_s"]] = wait_s
        counts[ANSWERED_WAIT + bin_of(wait_s)] = 1
        later = sum(1 for x in legs if x.fate == ABANDONED and (x.until_s or 0) >= (leg.until_s or 0))
        if later:
            counts[F["abandoned_after_answer"]] = later
        talks = [x for x in legs if x.fate == ANSWERED and x.offered_s is not None]
        if any(x.cut for x in talks):
            counts[F["cut"]] = 1
        elif all(x.ended_s is not None for x in talks):
            counts[F["finished"]] = 1
            counts[F["talk_s"]] = sum(x.talk_s or 0 for x in talks)
            counts[F["wrap_s"]] = sum(x.wrap_s or 0 for x in talks)
    return counts


def apply_counts(row: list[int], before: Counted, after: Counted) -> None:
    """Replace in a row what a call counted as by what it counts as now."""
    longest = F["longest_wait_s"]
    for column, value in before.items():
        if column != longest:
            row[column] -= value
    for column, value in after.items():
        if column == longest:
            # A call's wait only grows until it is answered, and stays then: the maximum never has to go back.
            row[column] = max(row[column], value)
        else:
            row[column] += value
