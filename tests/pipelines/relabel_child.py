"""A pass in a process of its own, for tests that kill it: `python -m tests.pipelines.relabel_child FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines.reclassify import Summary, reclassify
from tests.pipelines import readers
from tests.pipelines.relabel import Toy


def main(folder: Path) -> None:
    """Label all again, and say after each batch how many are done."""

    def told(summary: Summary) -> None:
        print(summary.read, flush=True)

    reclassify(
        readers.config(str(folder)),
        folder / "x.db",
        workers=1,
        setup_name="tests.pipelines.relabel:setup",
        classifier=Toy(folder / "toy.json").id,
        progress=told,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
