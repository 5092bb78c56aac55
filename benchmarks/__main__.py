"""`python -m benchmarks [NAME …] [--quick]`: runs benchmarks, prints their figures, writes `RESULTS.md`.

Exit 0 when all was measured, whether or not every aim was reached: a busy machine is no fault of the code.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from benchmarks import fold, latency, layout, proof, refold, results, sse
from benchmarks.figures import Figure, Options
from benchmarks.redis_server import server_name

BENCHMARKS: dict[str, Callable[[Options], list[Figure]]] = {
    "fold": fold.run,
    "layout": layout.run,
    "proof": proof.run,
    "refold": refold.run,
    "latency": latency.run,
    "sse": sse.run,
}
"""Every benchmark, in the order in which they are run and told."""


def main(words: Sequence[str] | None = None, page: Path = results.PAGE) -> int:
    """Run benchmarks.

    Args:
        words: The command line.
        page: Where the figures are kept; a quick run is told on the screen only.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures what is promised.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="tiny data: shows that it works, not how fast")
    args = parser.parse_args(words)
    unknown = [name for name in args.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are: {', '.join(BENCHMARKS)}")
    chosen = [name for name in BENCHMARKS if name in args.names or not args.names]
    day = datetime.now().astimezone().date().isoformat()
    machine = results.machine_line(day, server_name())
    for name in chosen:
        folder = Path(tempfile.mkdtemp(prefix="wbb"))  # short: a socket's path is at most 100 bytes
        print(
            f"{name}: {(sys.modules[BENCHMARKS[name].__module__].__doc__ or '').splitlines()[0]}", flush=True
        )
        try:
            figures = BENCHMARKS[name](Options(quick=args.quick, folder=folder, say=_say))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        for figure in figures:
            print("  " + " | ".join(cell for cell in figure.cells() if cell), flush=True)
        if not args.quick:
            # After each: what was measured is not lost if the next one is stopped.
            results.write(page, list(BENCHMARKS), {name: figures}, machine, day)
    return 0


def _say(line: str) -> None:
    print(f"  … {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
