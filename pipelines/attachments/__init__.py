"""Attachments are documents: their text, read in a confined process, or the reason in words why there is none.

`stage` is the fourth link of the chain. `read(body, name)` reads one file. Reading happens in children of a helper process
(`warden`), bounded in time, memory, pages and unpacked size (`limits`); the readers themselves are in `readers/`.
"""

from __future__ import annotations

from pipelines.attachments.filling import PREFIX, read, stage, take_text
from pipelines.attachments.limits import DEFAULT, Limits, NotRead
from pipelines.attachments.sandbox import Reading, stop

__all__ = ["DEFAULT", "PREFIX", "Limits", "NotRead", "Reading", "read", "stage", "stop", "take_text"]
