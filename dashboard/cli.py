"""`wallboard`: the words of the command line -> the command that does it. Exit 0 good, 1 a check failed, 2 wrong use."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dashboard.errors import ConfigError, WallboardError

EXAMPLES = {
    "init": "wallboard init --queues-conf /etc/asterisk/queues.conf --queue-log /var/log/asterisk/queue_log",
    "check": "wallboard check --config wallboard.toml",
    "demo": "wallboard demo --port 8050",
    "serve": "wallboard serve --collect",
    "collect": "wallboard collect --source pbx1",
    "import": "wallboard import queue_log /var/log/asterisk/queue_log.*",
    "replay": "wallboard replay queue_log --to /tmp/queue_log --speed 10 --now",
    "show": "wallboard show 2026-11 --by queue --threshold 20 --json",
    "calls": "wallboard calls 2026-11-23 --queue consult --outcome abandoned",
    "audit": "wallboard audit 2026-11",
    "rejects": "wallboard rejects 2026-11 --source pbx1",
    "rebuild": "wallboard rebuild --source pbx1",
}
"""An example of each command, shown by its --help."""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="wallboard", description="A real-time wallboard for telephone hotlines."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, *, config: bool = True) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=text,
            description=text,
            epilog=f"example: {EXAMPLES[name]}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if config:
            made.add_argument(
                "--config", metavar="FILE", help="default: WALLBOARD_CONFIG, else ./wallboard.toml"
            )
        return made

    init = command("init", "write a commented wallboard.toml for your own hotline", config=False)
    init.add_argument("--queues-conf", metavar="FILE", help="Asterisk's queues.conf")
    init.add_argument("--queue-log", metavar="FILE", action="append", default=[], help="Asterisk's queue_log")
    init.add_argument("--output", metavar="FILE", default="wallboard.toml")
    init.add_argument(
        "--secret", metavar="Q1,Q2", help="the queues whose callers are secret; asks if not given"
    )
    init.add_argument("--yes", action="store_true", help="ask nothing: every queue stays secret")
    init.add_argument("--force", action="store_true", help="overwrite the file")

    check = command("check", "find everything that is wrong with the configuration and the sources")
    check.add_argument("--json", action="store_true")

    demo = command("demo", "run a simulated hotline with everything; needs no configuration", config=False)
    demo.add_argument("--dir", default="var/demo", help="where its state is kept (default: %(default)s)")
    demo.add_argument("--port", type=int, default=8050)

    serve = command("serve", "serve the pages")
    serve.add_argument("--collect", action="store_true", help="run the collectors too: all on one machine")
    serve.add_argument("--host")
    serve.add_argument("--port", type=int)

    collect = command("collect", "follow the configured sources")
    collect.add_argument("--source", action="append", default=[], help="only this one; may be repeated")
    collect.add_argument("--takeover", action="store_true", help="take a source from whoever writes it")

    imports = command("import", "count whole log files")
    imports.add_argument("kind", choices=["queue_log"])
    imports.add_argument("files", nargs="+", metavar="FILE", help="plain or compressed")
    imports.add_argument("--source", help="default: the only configured one of this kind")
    imports.add_argument("--strict", action="store_true", help="exit 1 if any line is rejected")

    replay = command("replay", "append a recording's lines to a file in their rhythm", config=False)
    replay.add_argument("file", metavar="FILE")
    replay.add_argument("--to", required=True, metavar="PATH")
    replay.add_argument("--speed", type=float, default=1.0, help="times faster; 0: at once")
    replay.add_argument("--now", action="store_true", help="shift the times so that the first line is now")

    show = command("show", "print the counts of a period")
    show.add_argument("period", help="today, 2026-11-23, 2026-11, or A..B with both ends")
    show.add_argument("--by", choices=["total", "queue", "seat", "site", "slot", "day"], default="total")
    _add_how(show)

    calls = command("calls", "list the calls behind a number of show")
    calls.add_argument("period", help="today, 2026-11-23, 2026-11, or A..B with both ends")
    calls.add_argument(
        "--outcome", metavar="COLUMN", help="a count of show, such as answered, abandoned_short or lost"
    )
    calls.add_argument("--queue", metavar="Q", help="its legs")
    calls.add_argument("--seat", metavar="S", help="its answers, by the time of the answer")
    calls.add_argument("--site", metavar="SITE", help="legs in the queues of that site")
    calls.add_argument("--slot", metavar="TIME", help="09:00 of one day, or as show --by slot prints it")
    calls.add_argument("--by-work", action="store_true", help="by when they were answered, not offered")
    _add_how(calls)

    audit = command("audit", "compare the counts of a period with the archive; exit 1 if anything differs")
    audit.add_argument("period", help="today, 2026-11-23, 2026-11, or A..B with both ends")
    audit.add_argument("--source", help="only this one")
    audit.add_argument("--json", action="store_true")

    rejects = command("rejects", "list the lines that could not be read, masked, and why")
    rejects.add_argument("period", nargs="?", help="default: all that is archived")
    rejects.add_argument("--source", help="only this one")
    rejects.add_argument("--json", action="store_true")

    rebuild = command("rebuild", "make the counts again from the archive")
    rebuild.add_argument(
        "period", nargs="?", help="only these days, and what follows from them; default: all"
    )
    rebuild.add_argument("--source", help="only this one")

    simulate = commands.add_parser("simulate")  # what `demo` starts; of no use to anybody else
    simulate.add_argument("--dir", required=True)
    return top


def _add_how(command: argparse.ArgumentParser) -> None:
    """How counts are made and printed."""
    command.add_argument("--minutes", type=int, choices=[15, 30, 60], help="length of the slots")
    command.add_argument("--threshold", type=int, metavar="S", help="T of the service level, seconds")
    command.add_argument("--formula", metavar="KEY", help="of the service level; see docs/metrics.md")
    command.add_argument("--short", type=int, metavar="S", help="short abandons, seconds; 0: none")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", default="table")
    form.add_argument("--csv", dest="form", action="store_const", const="csv")


def _init(args: argparse.Namespace) -> int:
    from dashboard.commands.init import run_init

    return run_init(
        queues_conf=Path(args.queues_conf) if args.queues_conf else None,
        queue_logs=[Path(path) for path in args.queue_log],
        output=Path(args.output),
        secret=args.secret.split(",") if args.secret is not None else None,
        yes=args.yes,
        force=args.force,
        ask=input if sys.stdin.isatty() else None,
    )


def _check(args: argparse.Namespace) -> int:
    from dashboard.commands.check import run_check

    return run_check(args.config, as_json=args.json)


def _demo(args: argparse.Namespace) -> int:
    from dashboard.commands.demo import run_demo

    return run_demo(args.dir, port=args.port)


def _simulate(args: argparse.Namespace) -> int:
    from dashboard.commands.demo import run_simulate

    return run_simulate(args.dir)


def _serve(args: argparse.Namespace) -> int:
    if args.collect:
        from dashboard.commands.run import run_all

        return run_all(args.config, host=args.host, port=args.port)
    from dashboard.commands.process import offset_s
    from dashboard.commands.serve import run_serve

    return run_serve(args.config, host=args.host, port=args.port, ahead_s=offset_s())


def _collect(args: argparse.Namespace) -> int:
    from dashboard.commands.run import run_collect

    return run_collect(args.config, args.source, takeover=args.takeover)


def _import(args: argparse.Namespace) -> int:
    from dashboard.commands.importing import run_import

    return run_import(args.config, args.kind, args.files, source=args.source, strict=args.strict)


def _replay(args: argparse.Namespace) -> int:
    from dashboard.commands.importing import run_replay

    return run_replay(args.file, args.to, speed=args.speed, now=args.now)


def _show(args: argparse.Namespace) -> int:
    from dashboard.commands.show import run_show

    return run_show(
        args.config,
        args.period,
        by=args.by,
        minutes=args.minutes,
        threshold_s=args.threshold,
        formula=args.formula,
        short_s=args.short,
        form=args.form,
    )


def _calls(args: argparse.Namespace) -> int:
    from dashboard.commands.calls import Wanted, run_calls

    wanted = Wanted(
        outcome=args.outcome,
        queue=args.queue,
        seat=args.seat,
        site=args.site,
        slot=args.slot,
        by_work=args.by_work,
    )
    return run_calls(
        args.config,
        args.period,
        wanted,
        form=args.form,
        minutes=args.minutes,
        threshold_s=args.threshold,
        formula=args.formula,
        short_s=args.short,
    )


def _audit(args: argparse.Namespace) -> int:
    from dashboard.commands.audit import run_audit

    return run_audit(args.config, args.period, source=args.source, as_json=args.json)


def _rejects(args: argparse.Namespace) -> int:
    from dashboard.commands.rejects import run_rejects

    return run_rejects(args.config, args.period, source=args.source, as_json=args.json)


def _rebuild(args: argparse.Namespace) -> int:
    from dashboard.commands.importing import run_rebuild

    return run_rebuild(args.config, source=args.source, text=args.period)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "init": _init,
    "check": _check,
    "demo": _demo,
    "serve": _serve,
    "collect": _collect,
    "import": _import,
    "replay": _replay,
    "show": _show,
    "calls": _calls,
    "audit": _audit,
    "rejects": _rejects,
    "rebuild": _rebuild,
    "simulate": _simulate,
}


def main(words: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        Its exit code: 0 good, 1 a check failed or something was not to be had, 2 wrong use or configuration.
    """
    args = parser().parse_args(words)
    try:
        return COMMANDS[args.command](args)
    except ConfigError as exc:
        print(exc, file=sys.stderr)
        return 2
    except WallboardError as exc:
        print(exc, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
