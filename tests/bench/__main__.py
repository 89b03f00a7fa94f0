"""`make bench`, or `python -m tests.bench [NAME…] [--json]`: runs the benchmarks and prints their figures."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from datetime import UTC, datetime

from tests.bench import Figure

NAMES = ("download", "processing", "classifying", "rules", "search", "pages", "extraction")


def main() -> int:
    parser = argparse.ArgumentParser(prog="circularwatch bench", description="Figures as ratios, measured in one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are: {', '.join(NAMES)}")
    about = {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }
    found: dict[str, list[Figure]] = {}
    for name in options.names or NAMES:
        print(f"bench: {name}", file=sys.stderr)
        run = importlib.import_module(f"tests.bench.{name}").run
        found[name] = run(lambda text: print(f"  {text}", file=sys.stderr))
    if options.json:
        print(
            json.dumps(
                about | {"figures": {n: [f.as_json() for f in fs] for n, fs in found.items()}}, ensure_ascii=False
            )
        )
    else:
        show(about, found)
    return 0


def show(about: dict[str, object], found: dict[str, list[Figure]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 120)
    title = f"{about['date']}, Python {about['python']}, {about['machine']}, {about['cores']} cores"
    table = Table("benchmark", "figure", "value", "bar", title=title, title_justify="left")
    for name, figures in found.items():
        for figure in figures:
            table.add_row(name, figure.name, f"{figure.value:.3g} {figure.unit}", figure.bar)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
