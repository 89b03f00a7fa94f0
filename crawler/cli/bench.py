"""`circularwatch bench`: the benchmarks of a checkout (they need the imitation web, which is not installed)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from crawler.cli.common import CommandError


@click.command("bench", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, metavar="[NAME]… [--json]")
@click.pass_context
def command(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Figures as ratios and CPU time, measured in one run: download, processing, classifying, rules, search, pages."""
    root = Path(__file__).resolve().parent.parent.parent
    if not (root / "tests" / "bench").is_dir():
        raise CommandError("the benchmarks come with the source: clone the repository and run `make bench` there")
    env = os.environ | {"PYTHONPATH": str(root)}
    ctx.exit(subprocess.run([sys.executable, "-m", "tests.bench", *arguments], cwd=root, env=env).returncode)
