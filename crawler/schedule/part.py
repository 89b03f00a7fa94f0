"""Runs one command of circularwatch as a part of a service: when the service is gone, however it went, the part ends too.

`python -m crawler.schedule.part process --follow`. Standard input is a pipe that only the service holds: when it closes,
this process asks itself to end, as SIGTERM does, and leaves after a while if that does not help.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

# A part that was orphaned gets as long to end as one that is asked to.
LEAVE_S = 15.0


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LEAVE_S)
    os._exit(1)


if __name__ == "__main__":
    from crawler.cli import main

    threading.Thread(target=_end_with_parent, daemon=True, name="parent").start()
    main(sys.argv[1:])
