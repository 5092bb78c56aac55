"""A source's state, and an instant -> the counts as they stand then.

Pure. What is stored are counts of what has ended. What is still going on (a seat signed in, a conversation, a
wrap-up, a caller who has waited too long to be still there) is added here, by the fold's own rules, when somebody
looks; nothing of it is stored.
"""

from collections.abc import Mapping

import msgspec

from dashboard.core import seats as st
from dashboard.core.counts import CALLS, QUEUE, SEAT, F, Rows, S
from dashboard.core.days import split
from dashboard.core.fold import Fold, Rules, State

RowMap = Mapping[tuple[str, str, int], list[int]]

_state_codec = msgspec.msgpack.Decoder(State)


def as_of(
    rules: Rules, state: State, base: RowMap, at_s: int
) -> tuple[State, dict[tuple[str, str, int], list[int]]]:
    """Bring a source's counts up to an instant.

    Args:
        rules: Of the hotline.
        state: The source's open calls and seats; not changed.
        base: The stored rows, by (kind, id, slot).
        at_s: min(now, end of coverage) of this source, epoch seconds; not before its last line is looked at.

    Returns:
        The state at the instant, calls included that have just been decided by the time that passed; and the rows
        that differ from the stored ones, whole.
    """
    copy = _state_codec.decode(msgspec.msgpack.encode(state))
    rows = Rows(base.get)
    run = Fold(rules, copy, rows)
    if copy.clock.last_s is not None:
        at_s = max(at_s, copy.clock.last_s)
    run.pass_to(at_s)
    # Those that time has decided may have been forgotten in the same breath; whoever looks wants to see them.
    copy.calls.update((call.callid, call) for call in run.touched_calls.values() if call is not None)
    for seat_id, seat in copy.seats.items():
        _add_open_talks(seat, seat_id, at_s, rows)
    return copy, {key: rows[key] for key in rows.touched}


def _add_open_talks(seat: st.Seat, seat_id: str, at_s: int, rows: Rows) -> None:
    if not seat.talks:
        return
    for start_s, end_s in st.untalked(seat, min(talk.since_s for talk in seat.talks), at_s):
        for slot, seconds in split(start_s, end_s):
            row = rows.touch((SEAT, seat_id, slot))
            row[S["talk_done_s"]] += seconds
            if seat.busy_observed:
                row[S["signed_in_s"]] += seconds
                row[S["busy_signed_in_s"]] += seconds
    for talk in seat.talks:
        for slot, seconds in split(talk.since_s, at_s):
            rows.touch((QUEUE, talk.queue, slot))[F["talk_done_s"]] += seconds
            rows.touch((CALLS, "", slot))[F["talk_done_s"]] += seconds
