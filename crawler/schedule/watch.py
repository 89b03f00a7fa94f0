"""Notices when the configuration's files change, and reads them again; a faulty one is told and the old one stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import config

ENDINGS = (".yaml", ".json", ".npz")


class ConfigWatch:
    """`look()` gives the new configuration when the files changed and are right, else None; faults go to `say`, once each."""

    def __init__(self, current: Any, env: Mapping[str, str], say: Callable[[str], None]) -> None:
        self.current, self.env, self.say = current, env, say
        self._seen = self._signature()

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
        self.current = fresh
        return fresh

    def _signature(self) -> tuple[tuple[str, int, int], ...]:
        folder = self.current.directory
        paths = [p for p in folder.rglob("*") if p.suffix in ENDINGS]
        paths.append(Path("circularwatch.yaml"))
        found = []
        for path in paths:
            try:
                stat = path.stat()
            except OSError:
                continue
            found.append((str(path), stat.st_mtime_ns, stat.st_size))
        return tuple(sorted(found))
