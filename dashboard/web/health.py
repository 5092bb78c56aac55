"""Whether this process serves (`/healthz`), and whether what it serves is right (`/readyz`), for a machine to read."""

from typing import TypedDict

from dashboard.web.feed import Beat
from layouts.theme import STALE_AFTER_S


class Reason(TypedDict):
    """Why the screens cannot be trusted: a word for a program, the source where it is one's, a line to read."""

    code: str
    source: str | None
    text: str


def reasons(beat: Beat) -> list[Reason]:
    """Everything that is wrong with the data; empty when all is well.

    Args:
        beat: A heartbeat of this moment.

    >>> reasons(Beat(now_s=0, offset_s=0, ages={"pbx1": 9.0}, store_ok=True, standing="live"))[0]["text"]
    'source pbx1 was last read 9.0 s ago'
    """
    found: list[Reason] = []
    if not beat.store_ok:
        found.append({"code": "store", "source": None, "text": "the store (Redis) does not answer"})
    if beat.standing == "rebuilding":
        found.append(
            {"code": "rebuilding", "source": None, "text": "counts are being rebuilt from the archive"}
        )
    if beat.standing == "no_data":
        found.append({"code": "no_data", "source": None, "text": "no source has delivered anything yet"})
    for source, age_s in beat.ages.items():
        if age_s is None:
            text = f"source {source} has never been read, or its age is not known"
            found.append({"code": "unread", "source": source, "text": text})
        elif age_s > STALE_AFTER_S:
            text = f"source {source} was last read {age_s:.1f} s ago"
            found.append({"code": "stale", "source": source, "text": text})
    return found
