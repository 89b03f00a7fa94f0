"""Questions: the canned queries with their arguments, their rows page by page, and all rows as a file."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from datasette.utils import sqlite_timelimit

from db.datasette import text
from db.datasette.ask import Ask, Refused
from db.datasette.file import NAME
from db.datasette.questions import Parameter, Question

SIZE = 100
LIMIT_MS = 20_000
# columns that hold ids of the taxonomy or values with a name
_NAMED = ("task", "measure", "industry", "instrument", "institution", "source")
_VALUES = {"kind": "kind", "level": "level", "outcome": "outcome", "last_outcome": "outcome", "relation": "relation"}


def build(conn: sqlite3.Connection, ask: Ask) -> dict[str, Any]:
    """The list of questions."""
    return {"title": ask.t("questions_title"), "questions": list(ask.site.questions.values())}


def build_one(conn: sqlite3.Connection, ask: Ask) -> dict[str, Any]:
    """One question: its rows of one page, and how many there are in all."""
    question = ask.site.questions.get(ask.var("question"))
    if question is None:
        raise Refused(404, "no_question")
    asked = {p.name: ask.request.args.get(p.name, p.default).strip() for p in question.parameters}
    values = question.values(asked, ask.site)
    page = ask.page()
    try:
        with sqlite_timelimit(conn, LIMIT_MS):
            total = conn.execute(f"select count(*) from ({question.sql})", values).fetchone()[0]
            cursor = conn.execute(
                f"select * from ({question.sql}) limit :cw_limit offset :cw_offset",
                values | {"cw_limit": SIZE, "cw_offset": (page - 1) * SIZE},
            )
            columns, rows = [c[0] for c in cursor.description], cursor.fetchall()
    except sqlite3.Error as error:
        reason = str(ask.t("took_too_long")) if str(error) == "interrupted" else str(error)
        raise Refused(400, "sql_failed", reason=reason) from error
    given = {f"{key}_": str(value) for key, value in asked.items()}
    kept, table = shown(ask, columns, rows)
    return {
        "title": question.title[ask.lang],
        "question": question,
        "parameters": [(p, asked[p.name], choices(ask, p)) for p in question.parameters],
        "columns": [(c, heading(ask, c)) for c in kept],
        "rows": table,
        "total": total,
        "page": page,
        "pages": max(1, -(-total // SIZE)),
        "links": {
            name: ask.url(f"/export/question/{question.id}.{name}", **given)
            for name in ("csv", "xlsx", "json", "jsonl")
        },
        "sql_page": ask.url(f"/{NAME}/{question.id}", **given),
    }


def shown(ask: Ask, columns: list[str], rows: list[Any]) -> tuple[list[str], list[list[dict[str, Any]]]]:
    """Columns and cells as they are shown: where a row has a title and a document, the title leads there."""
    linked = "document" in columns and "title" in columns
    kept = [c for c in columns if not (linked and c == "document")]
    table = []
    for row in rows:
        cells = [cell(ask, c, row[c]) for c in kept]
        if linked and row["document"]:
            title = cells[kept.index("title")]
            title["link"], title["text"] = ask.url(f"/document/{row['document']}"), title["text"] or str(ask.t("open"))
        table.append(cells)
    return kept, table


def choices(ask: Ask, parameter: Parameter) -> list[tuple[str, str]]:
    """What a parameter may be, where that is a list."""
    if not parameter.choices:
        return []
    if parameter.choices == "level":
        return [(v, ask.v("level", v)) for v in ("central", "provincial", "municipal", "institution")]
    return [(id_, ask.name(parameter.choices, id_)) for id_ in ask.site.names.get(parameter.choices, {})]


def heading(ask: Ask, column: str) -> str:
    """The heading of a column in the page's language."""
    found = ask.site.columns.get(column)
    return found[ask.lang] if found else column


def cell(ask: Ask, column: str, value: Any) -> dict[str, Any]:
    """A cell as the template shows it: text, and where it leads."""
    out = {"text": "", "link": "", "number": False, "outside": False, "short": False}
    if value is None or value == "":
        return out
    if isinstance(value, int | float):
        return out | {"text": text.number(value), "number": True}
    value = str(value)
    link, shown = "", value
    if column in _NAMED:
        shown = ask.name(column, value)
        link = {"task": f"/task/{value}", "source": f"/sources/{value}"}.get(column, "")
    elif column in _VALUES:
        shown = ask.v(_VALUES[column], value)
    elif column == "document":
        link, shown = f"/document/{value}", str(ask.t("open"))
    elif column == "issuers":
        try:
            shown = "、".join(json.loads(value))
        except ValueError:
            shown = value
    elif column.endswith("_at"):
        shown = ask.site.local(value)
    elif column == "url" and text.safe_link(value):
        return out | {"text": text.clip(value, 80), "link": value, "outside": True}
    return out | {"text": text.clip(shown, 400), "link": ask.url(link) if link else "", "short": len(shown) <= 16}


__all__ = ["Question", "build", "build_one", "cell", "choices", "heading"]
