"""What the third reader said of documents, as it is shown beside the verdict."""

from __future__ import annotations

import json
from typing import Any

from sqlite_utils import Database


def opinions(database: Database, document: str) -> list[dict[str, Any]]:
    """What the third reader said of a document, newest first: model, asked_at, tasks with quotes, error."""
    rows = database.conn.execute(
        "select model, asked_at, labels, dropped, error from third_opinions where document = ? order by asked_at desc",
        (document,),
    )
    return [
        {"model": m, "asked_at": at, "labels": json.loads(labels), "dropped": dropped, "error": error}
        for m, at, labels, dropped, error in rows.fetchall()
    ]
