"""`wallboard collect`, and `wallboard serve --collect`: what runs all day."""

import signal
import threading
from collections.abc import Sequence

from collectors.runner import Runner
from dashboard.commands.context import configuration, open_store
from dashboard.commands.process import end_with_parent, hotline_clock, say
from dashboard.commands.supervise import Child, supervise
from dashboard.config import Config
from dashboard.errors import ConfigError


def run_collect(option: str | None, names: Sequence[str], *, takeover: bool) -> int:
    """Follow the configured sources (all of them, or those named) until told to stop.

    Raises:
        PositionConflict: Another process collects one of them.
        ConfigError: There is no such source, or none at all.
    """
    config = configuration(option)
    chosen = [config.source(name) for name in names] if names else list(config.sources)
    if not chosen:
        raise ConfigError(f"{config.path}: there is no [[sources]] to collect from")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    end_with_parent(stop.set)
    failures: list[Exception] = []
    with open_store(config) as store:
        clock = hotline_clock()

        def collect(name: str) -> None:
            client = store.connect()
            runner = Runner(
                config,
                client,
                name,
                clock=clock,
                log=say,
                ensure=store.ensure,
                takeover=takeover,
            )
            try:
                runner.run(stop)
            except Exception as exc:  # noqa: BLE001  a source that is not collected must not look as if it were
                failures.append(exc)
                stop.set()
            finally:
                client.close()

        threads = [
            threading.Thread(target=collect, args=(source.name,), name=source.name) for source in chosen
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)
    if failures:
        raise failures[0]
    return 0


def serve_children(config: Config, host: str | None, port: int | None) -> list[Child]:
    """The processes that a whole wallboard is made of."""
    option = ["--config", str(config.path)]
    web = ["serve", *option]
    if host is not None:
        web += ["--host", host]
    if port is not None:
        web += ["--port", str(port)]
    return [Child("collect", ["collect", *option]), Child("web", web)]


def run_all(option: str | None, *, host: str | None, port: int | None) -> int:
    """Run everything that a wallboard needs on one machine, until told to stop."""
    config = configuration(option)
    # Held here too, so that the embedded server outlives each of the processes that use it.
    with open_store(config):
        return supervise(serve_children(config, host, port), environ={})
