"""Compiles every selector of a source once at load, so that a mistyped one stops the start and not the night's crawl."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from config.checking import fault
from config.errors import ConfigError, hint
from config.fields import check_regex
from config.options import ArticleOptions, ListEntry, ListOptions, Paging
from config.sources import Source

# Fields of a list or article whose texts find something in a page or a row
LOOKUPS = (
    "items", "pages", "id", "link", "title", "subtitle", "published", "modified", "written", "summary", "source",
    "author", "category", "doc_number", "index_number", "issuer", "body_html", "body", "body_css", "remove",
    "attachments", "next_page", "paywall_markers", "node",
)  # fmt: skip
# Always CSS or XPath, also where the other fields are JSON paths
ALWAYS_HTML = ("body_css", "remove", "paywall_markers")
JSON_ONLY = (
    "ok",
    "node",
    "id",
    "body_html",
    "attachment_rows",
    "external_link",
    "nested_json",
    "skip_when",
    "free_when",
)
DAY_FIELDS = ("yyyy", "mm", "dd", "yyyymm", "yyyymmdd")
PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
JSON_PATH = re.compile(r"^(\[\]|[^\s.\[\]]+(\[\])?)(\.(\[\]|[^\s.\[\]]+(\[\])?))*$")


@lru_cache(maxsize=4096)
def selector_fault(text: str) -> str:
    """What is wrong with a CSS, "xpath:", "re:" or "re_url:" selector; "" if nothing is."""
    for prefix in ("re:", "re_url:"):
        if text.startswith(prefix):
            try:
                check_regex(text.removeprefix(prefix))
            except ValueError as error:
                return str(error)
            return ""
    if text.startswith("xpath:"):
        return _xpath_fault(text.removeprefix("xpath:"))
    return _css_fault(text)


def _xpath_fault(expression: str) -> str:
    from lxml import etree

    try:
        etree.XPath(expression, namespaces={"re": "http://exslt.org/regular-expressions"})
    except (etree.XPathError, ValueError, TypeError) as error:
        return f"{expression!r} is not an XPath expression: {error}"
    return ""


def _css_fault(text: str) -> str:
    from cssselect import SelectorError
    from parsel.csstranslator import HTMLTranslator

    if re.search(r":has\(\s*[>+~]", text):
        # cssselect translates it to an expression that is valid and finds nothing (seen on the central bank's lists)
        return f"{text!r} would find nothing: ':has(>' is not supported; write it as xpath:"
    try:
        _xpath = HTMLTranslator().css_to_xpath(text)
    except (SelectorError, ValueError, RecursionError, OverflowError) as error:
        return f"{text!r} is not a CSS selector: {error}"
    problem = _xpath_fault(_xpath)
    return f"{text!r} is not a CSS selector that can be run" if problem else ""


def path_fault(text: str) -> str:
    """What is wrong with a JSON path such as `data.rows[]`; "" if nothing is."""
    if JSON_PATH.match(text):
        return ""
    return f"{text!r} is not a JSON path; write names with dots between them and [] for each item, such as data.rows[]"


def check_source(source: Source, data: Any, file: str) -> Iterator[ConfigError]:
    """The faults of a source that its model cannot see: selectors, JSON paths, placeholders, what goes with which kind."""
    for loc, message in _faults(source):
        yield fault(data, loc, file, source.id, message)


def _faults(source: Source) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if source.spider != "generic" and not re.fullmatch(r"custom:[A-Z][A-Za-z0-9]+", source.spider):
        yield (
            ("spider",),
            f"{source.spider!r} is neither 'generic' nor 'custom:' with a class name{hint(source.spider, ['generic'])}",
        )
    if not source.lists:
        yield ("lists",), "the list is empty; a source needs at least one"
    rows_are_json = source.kind == "json-api" and source.list.html_path is None
    yield from _lookups(source.list, "list", rows_are_json)
    if source.kind != "json-api":
        for name in JSON_ONLY:
            if getattr(source.list, name):
                yield ("list", name), f"goes with kind json-api only, and this source is {source.kind}"
    if source.kind in ("html-list", "json-api") and not source.list.items:
        yield ("list",), f"a source of kind {source.kind} needs list.items, where the rows are"
    if source.xhr_list:
        yield from _lookups(source.xhr_list, "xhr_list", True)
    yield from _lookups(source.article, "article", source.article.format == "json")
    if source.article.label_table:
        for name in ("rows", "exclude"):
            yield from _texts(getattr(source.article.label_table, name), ("article", "label_table", name), False)
    if source.html_fallback:
        for name in ("items", "title", "published"):
            yield from _texts(getattr(source.html_fallback, name), ("html_fallback", name), False)
    if source.discover_unit and (problem := selector_fault(source.discover_unit.css)):
        yield ("discover_unit", "css"), problem
    if source.paging:
        yield from _paging(source.paging)
    for index, entry in enumerate(source.lists):
        yield from _entry(entry, index, source)
    for index, template in enumerate(source.list_fallbacks):
        yield from _fallback(template, ("list_fallbacks", index))


def _lookups(
    options: ListOptions | ArticleOptions, block: str, is_json: bool
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name in LOOKUPS:
        yield from _texts(getattr(options, name, ()), (block, name), is_json and name not in ALWAYS_HTML)
    for name in ("html_path", "root", "full_text_path"):
        path = getattr(options, name, None)
        if path and (problem := path_fault(path)):
            yield (block, name), problem
    for name in ("ok", "skip_when", "free_when"):
        condition = getattr(options, name, None)
        if condition and (problem := path_fault(condition.path)):
            yield (block, name, "path"), problem
    for name in ("detail_url", "detail_url_fallback", "public_url", "full_text_api"):
        template = getattr(options, name, None)
        if template and not template.startswith(("http://", "https://", "/")):
            yield (block, name), f"{template!r} is not an address; begin it with https:// or /"


def _texts(
    texts: tuple[str, ...], loc: tuple[str | int, ...], is_json: bool
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for index, text in enumerate(texts):
        # "re_url:" reads the row's address, which JSON rows have too
        problem = path_fault(text) if is_json and not text.startswith("re_url:") else selector_fault(text)
        if problem:
            yield (*loc, index), problem


def _paging(paging: Paging) -> Iterator[tuple[tuple[str | int, ...], str]]:
    ways = [name for name in ("param", "params", "template", "next") if getattr(paging, name)]
    if len(ways) != 1:
        yield ("paging",), f"needs exactly one of param, params, template, next; it has {' and '.join(ways) or 'none'}"
    if paging.template and "{n}" not in paging.template:
        yield ("paging", "template"), f"{paging.template!r} lacks {{n}}, the page number"
    if paging.params and not any("{n}" in str(value) for value in paging.params.values()):
        yield ("paging", "params"), "none of the values holds {n}, the page number"
    yield from _texts(paging.next, ("paging", "next"), False)


def _entry(entry: ListEntry, index: int, source: Source) -> Iterator[tuple[tuple[str | int, ...], str]]:
    loc = ("lists", index)
    if entry.url is None and not (entry.page_url and source.discover_unit):
        yield loc, "lacks the key 'url' (null is possible only with page_url and discover_unit)"
    if entry.xhr_json and source.xhr_list is None:
        yield (*loc, "xhr_json"), "needs the block xhr_list, which says how its rows are read"
    allowed = (*DAY_FIELDS, *source.secrets)
    for name in PLACEHOLDER.findall(entry.url or ""):
        if name not in allowed:
            yield (*loc, "url"), f"nothing fills {{{name}}}{hint(name, allowed)}"


def _fallback(template: str, loc: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """An address that is asked for in the night when a list fails: it must be one, and all in it must be filled."""
    if not template.startswith(("http://", "https://")):
        yield loc, f"{template!r} is not an address; begin it with https://"
    for name in PLACEHOLDER.findall(template):
        if name not in ("item_id", "page"):
            yield loc, f"nothing fills {{{name}}}{hint(name, ('item_id', 'page'))}"
