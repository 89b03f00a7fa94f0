"""Notices when the configuration's files change, and reads them again; a faulty one is told and the old one stays.

It stays for every process of the service: crawls and parts are given a copy of the last good configuration, since a
process that begins while somebody is editing would read the half-edited files.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import config

ENDINGS = (".yaml", ".json", ".npz")
LOCAL = "circularwatch.yaml"
# Copies that are kept: a process may still read the one before.
KEPT = 3


class ConfigWatch:
    """`look()` gives the new configuration when the files changed and are right, else None; faults go to `say`, once each.

    `copy` is a folder with the files of the configuration that holds, and ./circularwatch.yaml: for `--config` and as the
    current folder of a process. `name` tells the copies of several watches of one database apart.
    """

    def __init__(self, current: Any, env: Mapping[str, str], say: Callable[[str], None], name: str) -> None:
        self.current, self.env, self.say, self.name = current, env, say, name
        self.folder = Path(f"{current.settings.database.absolute()}.config")
        self._number = 0
        self._seen: tuple[tuple[str, int, int], ...] = self._signature()
        for old in self._copies():
            shutil.rmtree(old, ignore_errors=True)
        self.copy = self._take()

    def look(self, *, force: bool = False) -> Any | None:
        """Read again if anything changed (with `force`, in any case). Blocks for as long as reading takes."""
        now = self._signature()
        if now == self._seen and not force:
            return None
        self._seen = now
        try:
            fresh = config.load(self.current.directory, self.env)
        except config.ConfigError as e:
            more = len(e.further)
            tail = f" (and {more} more faults; `circularwatch config check` shows all)" if more else ""
            self.say(f"the changed configuration has a fault and is not used, the old one stays: {e}{tail}")
            return None
        except OSError as e:
            self.say(f"the changed configuration cannot be read, the old one stays: {e}")
            return None
        try:
            copy = self._take()
        except OSError as e:  # a full disk must not end the watch
            self._seen = ()
            self.say(f"the changed configuration cannot be copied, the old one stays until it can be: {e}")
            return None
        if self._signature() != now:  # changed while it was read: look again
            self._seen = ()
            return None
        self.current, self.copy = fresh, copy
        return fresh

    def environment(self) -> dict[str, str]:
        """For a process whose current folder is the copy: what in the settings is relative to the real one, absolute."""
        settings = self.current.settings
        found = {
            "CIRCULARWATCH_DB": str(settings.database.absolute()),
            "CIRCULARWATCH_ARCHIVE": str(settings.archive.absolute()),
        }
        if settings.ca_file is not None:
            found["CIRCULARWATCH_CA_FILE"] = str(settings.ca_file.absolute())
        return found | {"CIRCULARWATCH_CONFIG": str(self.copy)}

    def close(self) -> None:
        """Remove the copies."""
        for old in self._copies():
            shutil.rmtree(old, ignore_errors=True)
        with contextlib.suppress(OSError):  # another watch has some in it
            self.folder.rmdir()

    def _copies(self) -> list[Path]:
        return sorted(self.folder.glob(f"{self.name}-*"), key=lambda p: p.name)

    def _take(self) -> Path:
        self._number += 1
        target = self.folder / f"{self.name}-{os.getpid()}-{self._number:06}"
        skipped = shutil.ignore_patterns("*.py", "*.pyc", "__pycache__", "training", "*.md")
        shutil.copytree(self.current.directory, target, ignore=skipped, dirs_exist_ok=True)
        if Path(LOCAL).is_file():
            shutil.copyfile(LOCAL, target / LOCAL)
        for old in self._copies()[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
        return target

    def _signature(self) -> tuple[tuple[str, int, int], ...]:
        folder = self.current.directory
        paths = [p for p in folder.rglob("*") if p.suffix in ENDINGS]
        paths.append(Path(LOCAL))
        found = []
        for path in paths:
            try:
                stat = path.stat()
            except OSError:
                continue
            found.append((str(path), stat.st_mtime_ns, stat.st_size))
        return tuple(sorted(found))
