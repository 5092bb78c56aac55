"""Recordings of Asterisk's queue_log: small ones here, big ones in the shared folder."""

from pathlib import Path

from conformance.feed import Feed
from hotline import Recording

SMALL = Path(__file__).resolve().parents[2] / "recordings" / "asterisk"
BIG = ("busy-a", "chaos")
NUMBER = b"13905910001"
JUNK = (
    b"not a line of any log " + NUMBER,
    b"1795445200|junk-1|consult|NONE|ENTERQUEUE",
    b"\xff\xfe\x00 torn " + NUMBER + b"|x",
    b"1795445200|junk-2|consult|NONE|ABANDON|one|two|three|" + NUMBER,
)


def feeds(shared: Path | None) -> list[Feed]:
    folders = [path for path in sorted(SMALL.iterdir()) if path.is_dir()]
    if shared is not None:
        folders += [shared / "asterisk" / name for name in BIG]
    return [_feed(Recording(folder)) for folder in folders]


def _feed(played: Recording) -> Feed:
    return Feed(
        kind="queue_log",
        name=played.folder.name,
        data=played.data,
        toml=played.toml,
        junk=JUNK,
        number=NUMBER,
        is_end=lambda line: line.split(b"|")[4:5] in ([b"COMPLETECALLER"], [b"COMPLETEAGENT"]),
        rotate=_rotate,
    )


def _rotate(log: Path) -> None:
    """As Asterisk does it: older ones move up, the live one becomes .0; the next line begins a new one."""
    number = 0
    while log.with_name(f"{log.name}.{number}").exists():
        number += 1
    for older in range(number, 0, -1):
        log.with_name(f"{log.name}.{older - 1}").rename(log.with_name(f"{log.name}.{older}"))
    if log.exists():
        log.rename(log.with_name(f"{log.name}.0"))
