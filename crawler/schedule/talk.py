"""How the service tells what happens: a line with the operator's time for people, or one JSON object per line."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from db.health import instant


class Talk:
    """Call it with a line and facts. Lines go to standard error; with `as_json` facts go to standard output instead."""

    def __init__(self, zone: str, *, as_json: bool = False) -> None:
        self.zone, self.as_json = ZoneInfo(zone), as_json

    def __call__(self, line: str, **facts: Any) -> None:
        now = datetime.now(UTC)
        try:
            if self.as_json:
                value = {"at": now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z", "event": "log", **facts, "text": line}
                print(json.dumps(value, ensure_ascii=False), flush=True)
            else:
                print(f"{now.astimezone(self.zone):%m-%d %H:%M:%S} {line}", file=sys.stderr, flush=True)
        except (BrokenPipeError, ValueError):
            return  # nobody listens any more; the work goes on


def moment(text: str | None, zone: str) -> str:
    """An instant of the database in the operator's zone, to the second; "" for none."""
    return f"{instant(text).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}" if text else ""
