"""Reads lists that are JSON: rows by path, several arrays in one answer, HTML inside JSON, JSON inside JSON strings."""

from __future__ import annotations

import string
from typing import Any
from urllib.parse import quote, urljoin

from pipelines.lists import json_paths
from pipelines.lists.html_list import FIELDS, read_html
from pipelines.lists.json_paths import as_text, get, holds, parse_json
from pipelines.lists.model import ListPage
from pipelines.lists.options import as_list, option, texts
from pipelines.lists.rows import Reading
from pipelines.lists.selectors import first

Above = tuple[dict[str, Any], ...]


def read_json(reading: Reading, text: str) -> ListPage:
    """The rows of a JSON list; what is not JSON, or says that it failed, is an outcome with its words."""
    page, options = reading.page, reading.options
    try:
        data = parse_json(text)
    except ValueError:
        what = "HTML" if "<" in text[:200] else "something else" if text.strip() else "nothing"
        return page.fail("unreadable", f"the list should answer JSON and answered {what}; open the URL and compare")
    ok = option(options, "ok")
    if ok is not None and not holds(data, ok):
        return page.fail("unreadable", _refusal(data, ok))
    html_path = option(options, "html_path")
    if html_path:
        markup = get(data, str(html_path))
        if not isinstance(markup, str):
            return page.fail("empty-list", f"the answer has no HTML at {html_path}: its form has probably changed")
        return read_html(reading, markup)
    paths = texts(options, "items") or ["[]"]
    rows = json_paths.items(data, paths)
    limit = option(options, "limit")
    for row, above in rows[: int(limit)] if limit else rows:
        _read_row(reading, row, above)
    return reading.finish(len(rows), f"`items` ({' and '.join(paths)})")


def _refusal(data: Any, ok: Any) -> str:
    path = str(option(ok, "path"))
    words = next((as_text(get(data, p)) for p in ("msg", "message", "error", "errorMsg") if get(data, p)), "")
    return f"the list answers {path} = {get(data, path)!r} where {option(ok, 'equals')!r} means success" + (
        f" ({words})" if words else ""
    )


def _read_row(reading: Reading, row: dict[str, Any], above: Above) -> None:
    options = reading.options
    node = next((n for n in (get(row, p) for p in texts(options, "node")) if isinstance(n, dict)), None)
    row = node or row
    skip = option(options, "skip_when")
    if skip is not None and holds(row, skip):
        reading.dropped["links to another site (skip_when)"] += 1
        return
    said = row_fields(row, options)
    known = _Variables(row, above, reading.list_config, said)
    url = _address(reading, row, said, known)
    for name in ("published", "written"):
        paths = texts(options, name)
        if paths:
            reading.dated(said, _texts(row, paths, url), name)
    body = said.pop("body_html", "")
    inline = row if body or said.get("external_url") or option(option(reading.source, "article"), "skip") else None
    reading.add(url, said, inline)


def _address(reading: Reading, row: dict[str, Any], said: dict[str, Any], known: _Variables) -> str:
    """What to fetch for a row, with the public and external addresses noted in `said`."""
    options = reading.options
    external = option(options, "external_link")
    if external is not None and holds(row, option(external, "when")):
        url = reading.link(as_text(get(row, str(option(external, "path")))))
        if url and not reading.allowed(url):
            said["external_url"] = url
        if url:
            return url
    detail, public = option(options, "detail_url"), option(options, "public_url")
    if public and (filled := known.fill(str(public))):
        said["public_url"] = filled
    other = option(options, "detail_url_fallback")
    if other and (filled := known.fill(str(other))):
        said["fallback_url"] = reading.link(filled)
    if detail and (files := said.pop("attachments", None)):
        said["copies"] = files  # the document names its own files; the row only has other forms of the text
    if detail and (filled := known.fill(str(detail))):
        return reading.link(filled)
    return next((u for u in (reading.link(t) for t in _texts(row, texts(options, "link"))) if u), "")


def row_fields(row: dict[str, Any], options: Any) -> dict[str, Any]:
    """What a row says apart from dates and addresses; `body_html` and `attachments` with their markup and URLs as given.

    Also for readers of archived rows (`inline`): the same options give the same fields.
    """
    said: dict[str, Any] = {}
    title = json_paths.text(row, texts(options, "title"))
    if title:
        said["title"] = title
    for name, option_name in {**FIELDS, "id": "id"}.items():
        value = json_paths.text(row, texts(options, option_name))
        if value:
            said[name] = value[:2000]
    free = option(options, "free_when")
    if free is not None:
        said["free"] = holds(row, free)
    body = json_paths.raw(row, texts(options, "body_html"))
    attachments = _attachments(row, options)
    nested = option(options, "nested_json")
    if nested is not None:
        deep_body, deep_files = _nested(row, nested)
        body, attachments = body or deep_body, attachments + deep_files
    if body:
        said["body_html"] = body
    if attachments:
        said["attachments"] = attachments
    return said


def _attachments(row: Any, options: Any) -> list[dict[str, str]]:
    """Files of a row: paths that hold addresses, and `attachment_rows` for an array of objects."""
    out = []
    for path in texts(options, "attachments"):
        out += [{"url": v, "name": ""} for v, _ in json_paths.walk(row, path) if isinstance(v, str) and v.strip()]
    config = option(options, "attachment_rows")
    if config is None:
        return out
    base = str(option(config, "base", ""))
    for item, _ in json_paths.walk(row, str(option(config, "path"))):
        url = json_paths.text(item, texts(config, "url"))
        if url:
            out.append(
                {"url": urljoin(base, url) if base else url, "name": json_paths.text(item, texts(config, "name"))}
            )
    return out


def _nested(row: Any, config: Any) -> tuple[str, list[dict[str, str]]]:
    """Body and files that stand in a JSON string within a JSON string (MIIT's `infoextends.infoContent`)."""
    value = _loads(get(_loads(get(row, str(option(config, "path")))), str(option(config, "then"))))
    body_field, file_type, body = option(config, "body_field"), option(config, "attachment_type"), ""
    files: list[dict[str, str]] = []
    for item in value if isinstance(value, list) else []:
        if not isinstance(item, dict):
            continue
        content = item.get("fieldValue")
        if body_field and item.get("fieldName") == body_field and isinstance(content, str):
            body = body or content
        if file_type and item.get("fieldType") == file_type:
            files += _nested_files(_loads(content))
    return body, files


def _nested_files(value: Any) -> list[dict[str, str]]:
    files = []
    for file in as_list(value):
        if isinstance(file, dict):
            url = json_paths.text(file, ("url", "filePath", "path", "fileUrl", "value"))
            name = json_paths.text(file, ("name", "title", "fileName", "oldName"))
        else:
            url, name = (file if isinstance(file, str) else ""), ""
        if url.strip():
            files.append({"url": url, "name": name})
    return files


def _loads(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except ValueError:
        return value


def _texts(row: Any, paths: list[str], url: str = "") -> list[str]:
    """The values at the paths; `re_url:` reads the row's address."""
    found = [first(None, [p], url) if p.startswith("re_url:") else json_paths.text(row, [p]) for p in paths]
    return [t for t in found if t and t != "0"]  # 0 is how gov.cn says that there is no date


class _Variables:
    """The values that `{…}` in an address template may name: the row's, else those of the objects above, else the list's."""

    def __init__(self, row: dict[str, Any], above: Above, list_config: Any, said: dict[str, Any]) -> None:
        self.layers = [row, *reversed(above)]
        self.list_config, self.said = list_config, said

    def value(self, name: str) -> str:
        """The value of one variable; `item_id` is the row's own itemId where it has one."""
        names = (name, "itemId") if name == "item_id" else (name,)
        for layer in self.layers:
            for n in names:
                value = layer.get(n)
                if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
                    return str(value)
        found = option(self.list_config, name)
        if found is None:
            found = self.said.get(name)
        return "" if found is None else str(found)

    def fill(self, template: str) -> str:
        """The template filled in; empty when a variable has no value (generaltype: NFRA's default 0)."""
        out = []
        for literal, name, _, _ in string.Formatter().parse(template):
            out.append(literal)
            if name:
                value = self.value(name) or ("0" if name == "generaltype" else "")
                if not value:
                    return ""
                out.append(quote(value, safe="") if not value.startswith("http") else quote(value, safe=":/"))
        return "".join(out)
