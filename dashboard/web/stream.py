"""From the feed to every screen: one frame per page, built once, sent to all that watch it.

One thread (a greenlet under gunicorn's gevent worker) waits for changes, builds a page's frame at once for the
first of them and then at most 25 times a second, and at least each second, for time changes a view too. A watcher
is a generator of server-sent events; it takes the newest frame whenever it is ready and never has a queue: if it
missed nothing it gets the difference, else the whole frame.

Never ends because of a view that cannot be built: heartbeats go on and say how old the last frame is.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import msgspec

from dashboard.web.feed import Feed
from layouts.frame import Frame, difference

HUB = "wallboard.hub"
"""Where the Flask server keeps its hub."""

FRAMES_A_SECOND = 25
BEAT_S = 1.0
FRESH_S = 0.2
"""A frame younger than this need not be built again for somebody who has just come."""
_PATIENCE_S = 5.0

log = logging.getLogger(__name__)


class Built:
    """A frame in the forms in which it is sent; never changes, but for the whole form, made when first needed."""

    __slots__ = ("_whole", "change", "frame", "number")

    def __init__(self, number: int, frame: Frame, change: bytes | None) -> None:
        self.number = number
        self.frame = frame
        self.change = change
        self._whole: bytes | None = None

    def whole(self) -> bytes:
        """All of it as JSON."""
        if self._whole is None:
            self._whole = msgspec.json.encode(
                {key: part for key, part in self.frame.items() if key != "first"}
            )
        return self._whole

    def event(self, seen: int) -> bytes:
        """What brings a watcher from the frame that it has seen to this one; nothing if that is the same."""
        if seen == self.number:
            return b""
        if seen == self.number - 1 and self.change is not None:
            return b"event: change\ndata: " + self.change + b"\n\n"
        return b"event: frame\ndata: " + self.whole() + b"\n\n"


class Channel:
    """The newest frame of a page, and who watches it."""

    def __init__(self, build: Callable[[], Frame], clock: Callable[[], float]) -> None:
        self._build = build
        self._clock = clock
        self._lock = threading.Lock()
        self._trouble: str | None = None
        self._built_at_s: float | None = None
        self.newest: Built | None = None
        self.watchers = 0

    def update(self, *, older_than_s: float = 0.0) -> bool:
        """Build the frame again, if it is older; tell whether it changed."""
        with self._lock:
            age_s = self.age_s()
            if age_s is not None and age_s < older_than_s:
                return False
            try:
                frame = self._build()
            except Exception as exc:  # noqa: BLE001  a wall that stands still and says so is better than a dead one
                self._fail(exc)
                return False
            self._built_at_s = self._clock()
            if self._trouble is not None:
                log.warning("frames are built again")
                self._trouble = None
            old = self.newest
            if old is None:
                self.newest = Built(1, frame, None)
                return True
            change = difference(old.frame, frame)
            if change is None:
                return False
            self.newest = Built(old.number + 1, frame, msgspec.json.encode(change))
            return True

    def age_s(self) -> float | None:
        """Seconds since the frame was last built; None if it never was."""
        return None if self._built_at_s is None else self._clock() - self._built_at_s

    def _fail(self, exc: Exception) -> None:
        trouble = f"{type(exc).__name__}: {exc}"
        if trouble != self._trouble:
            log.error("no frame can be built: %s", trouble, exc_info=None if self._trouble else exc)
            self._trouble = trouble


class Hub:
    """Builds frames and heartbeats and hands them to watchers."""

    def __init__(
        self,
        feed: Feed,
        builders: Mapping[str, Callable[[], Frame]],
        version: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        """Make a hub; it does nothing until `start`.

        Args:
            feed: Where changes and heartbeats come from.
            builders: Page -> what builds its frame.
            version: The application's, so that screens know when to load themselves again.
            clock: Seconds that only ever go on.
            pause: Waits so many seconds, or until the hub stops.
        """
        self._feed = feed
        self._clock = clock
        self._version = version
        self._channels = {page: Channel(build, clock) for page, build in builders.items()}
        # Set, and replaced by another, whenever there is news: one object that a thousand greenlets wait for.
        self._news = threading.Event()
        self._stopped = threading.Event()
        self._pause = pause or self._stopped.wait
        self._seen = 0
        self._built_at_s = float("-inf")
        self._beat_due_s = float("-inf")
        self._pulses: dict[str, bytes] = {}
        self._beats = 0

    def start(self) -> None:
        """Begin to build."""
        threading.Thread(target=self._run, name="hub", daemon=True).start()

    def stop(self) -> None:
        """Tell every watcher to end; they come back to the next process."""
        self._stopped.set()
        self._tell()

    def pages(self) -> frozenset[str]:
        """The pages that can be watched."""
        return frozenset(self._channels)

    def watchers(self) -> int:
        """How many screens watch."""
        return sum(channel.watchers for channel in self._channels.values())

    def step(self) -> None:
        """Wait for a change or the next heartbeat, and build what that asks for."""
        now_s = self._clock()
        newest = self._feed.wait(self._seen, max(0.0, min(self._beat_due_s - now_s, BEAT_S)))
        # The first change is shown at once; those that follow closely are shown together.
        early_s = self._built_at_s + 1 / FRAMES_A_SECOND - self._clock()
        if newest != self._seen and early_s > 0:
            self._pause(early_s)
            newest = self._feed.wait(newest, 0.0)
        now_s = self._clock()
        # A heartbeat that would follow soon goes with the change, so that every screen is written to once.
        beat_due = now_s >= self._beat_due_s - (BEAT_S / 2 if newest != self._seen else 0)
        if newest == self._seen and not beat_due:
            return
        self._seen = newest
        self._built_at_s = now_s
        changed = False
        for channel in self._channels.values():
            if channel.watchers:
                changed = channel.update() or changed
        if beat_due:
            self._take_pulse(now_s)
        if changed or beat_due:
            self._tell()

    def heartbeat(self, page: str) -> bytes:
        """A heartbeat of this moment as JSON."""
        beat = self._feed.beat()
        frame_s = self._channels[page].age_s()
        return msgspec.json.encode(
            {
                "now_ms": round(beat.now_s * 1000),
                "offset_min": round(beat.offset_s / 60),
                "ages": beat.ages,
                "store_ok": beat.store_ok,
                "standing": beat.standing,
                "frame_s": None if frame_s is None else round(frame_s, 1),
                "version": self._version,
            }
        )

    def now(self, page: str) -> Built | None:
        """The newest frame, for whoever polls; None if none could be built yet."""
        channel = self._channels[page]
        channel.update(older_than_s=FRESH_S)
        return channel.newest

    def watch(self, page: str) -> Iterator[bytes]:
        """Server-sent events of a page, until the watcher goes or the hub stops."""
        channel = self._channels[page]
        channel.watchers += 1
        try:
            channel.update(older_than_s=FRESH_S)
            pulse: bytes | None = self.heartbeat(page)
            beats, seen = self._beats, 0
            while not self._stopped.is_set():
                # Taken before looking, so that news which comes meanwhile is not slept through.
                news = self._news
                chunk = b"" if pulse is None else b"event: beat\ndata: " + pulse + b"\n\n"
                built = channel.newest
                if built is not None:
                    chunk += built.event(seen)
                    seen = built.number
                if chunk:
                    yield chunk
                else:
                    news.wait(_PATIENCE_S)
                pulse = None
                if beats != self._beats:
                    beats, pulse = self._beats, self._pulses.get(page)
        finally:
            channel.watchers -= 1

    def _tell(self) -> None:
        """Wake every watcher."""
        news, self._news = self._news, threading.Event()
        news.set()

    def _take_pulse(self, now_s: float) -> None:
        self._pulses = {
            page: self.heartbeat(page) for page, channel in self._channels.items() if channel.watchers
        }
        self._beats += 1
        self._beat_due_s = now_s + BEAT_S

    def _run(self) -> None:
        trouble = None
        while not self._stopped.is_set():
            try:
                self.step()
                if trouble is not None:
                    log.warning("hub: back")
                trouble = None
            except Exception as exc:  # without heartbeats every screen turns stale, as it should
                if trouble is None:
                    log.exception("hub: lost")
                trouble = exc
                self._stopped.wait(0.5)
