"""Keeps one source's collector going: steps, heartbeats, Redis away and back, one line a change of state."""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from threading import Event as Flag

from collectors.base import Collector, Step, Tools
from collectors.registry import kind_of
from dashboard.config import Config
from dashboard.core.fold import VERSION
from dashboard.errors import StoreUnavailable, WallboardError
from dashboard.store import codec
from dashboard.store.archive import Archive
from dashboard.store.connect import Client
from dashboard.store.keys import HotlineKeys
from dashboard.store.numbers import Numbers
from dashboard.store.reader import rules_of
from dashboard.store.writer import Writer

IDLE_S = 0.01
BEAT_S = 1.0
RETRY_S = (0.2, 2.0)


def writer_for(
    config: Config, client: Client, source: str, kind_name: str, log: Callable[[str], None]
) -> Writer:
    """The writer of a source of a kind, not open yet."""
    kind = kind_of(kind_name)
    names = config.names()
    return Writer(
        client=client,
        hotline=HotlineKeys(config.hotline.id),
        source=source,
        rules=rules_of(config),
        archive=Archive(config.data_dir, source),
        replay=kind.replayer(names),
        stamp=stamp_of(config, kind_name),
        log=log,
        place=str(config.data_dir),
    )


def stamp_of(config: Config, kind_name: str) -> codec.Stamp:
    """What this program counts a source of a kind with."""
    return codec.Stamp(fold=VERSION, parser=kind_of(kind_name).PARSER_VERSION, names=config.fingerprint())


class Runner:
    """Runs one source until it is told to stop."""

    def __init__(
        self,
        config: Config,
        client: Client,
        source: str,
        *,
        clock: Callable[[], float],
        log: Callable[[str], None],
        ensure: Callable[[], object] = lambda: None,
        takeover: bool = False,
    ) -> None:
        self.config, self.source, self.clock, self.log, self.ensure = config, source, clock, log, ensure
        self.takeover = takeover
        self.kind = config.source(source).kind
        self.writer = writer_for(config, client, source, self.kind, log)
        self.problem = ""
        self.lost_s: float | None = None

    def run(self, stop: Flag) -> None:
        """Collect until `stop` is set.

        Raises:
            PositionConflict: Another process writes this source.
            ConfigError: The source cannot be collected as it is configured.
            StoreError: The archive is damaged.
        """
        if not self._open(stop):
            return
        with ExitStack() as cleaning:
            cleaning.callback(self.writer.close)
            numbers = Numbers(self.config.data_dir)
            if not self._try_until_done(numbers.open, stop):
                return
            cleaning.callback(numbers.close)
            tools = Tools(
                config=self.config,
                source=self.source,
                writer=self.writer,
                numbers=numbers,
                clock=self.clock,
                log=self.log,
            )
            collector = kind_of(self.kind).follow(tools)
            cleaning.callback(collector.close)
            self.log(f"{self.source}: collecting")
            self._collect(collector, stop)

    def _collect(self, collector: Collector, stop: Flag) -> None:
        beaten_s = 0.0
        while not stop.is_set():
            step = collector.step()
            self._say(step)
            now_s = time.monotonic()
            if now_s - beaten_s >= BEAT_S:
                beaten_s = now_s
                self._beat(step)
            if not step.busy:
                stop.wait(IDLE_S)

    def _open(self, stop: Flag) -> bool:
        return self._try_until_done(lambda: self.writer.open(takeover=self.takeover), stop)

    def _try_until_done(self, act: Callable[[], None], stop: Flag) -> bool:
        """Do what needs Redis and the disk, however long they are away; False where it was told to stop."""
        wait_s = RETRY_S[0]
        while not stop.is_set():
            try:
                act()
            except StoreUnavailable as exc:
                self._lost(exc)
                self._bring_back()
                stop.wait(wait_s * random.uniform(0.5, 1.0))  # noqa: S311
                wait_s = min(RETRY_S[1], wait_s * 2)
            else:
                return True
        return False

    def _beat(self, step: Step) -> None:
        try:
            self.writer.beat(int(self.clock()), read=step.read, problem=step.problem)
        except StoreUnavailable as exc:
            self._lost(exc)
            self._bring_back()
        else:
            if self.lost_s is not None:
                self.log(f"{self.source}: the store is back after {time.monotonic() - self.lost_s:.0f} s")
                self.lost_s = None

    def _lost(self, exc: Exception) -> None:
        if self.lost_s is None:
            self.lost_s = time.monotonic()
            self.log(f"{self.source}: the store is lost: {exc}")

    def _bring_back(self) -> None:
        try:
            self.ensure()
        except WallboardError as exc:
            self._lost(exc)

    def _say(self, step: Step) -> None:
        if step.problem != self.problem:
            self.log(f"{self.source}: {step.problem or 'read again'}")
            self.problem = step.problem
