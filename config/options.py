"""The options of a source, as models: how its lists are read, how its articles are read, what a healthy poll looks like.

Selectors are text. CSS is the default; "xpath:…" is XPath, "re:…" a regular expression on the text of the page,
"re_url:…" one on the address. Where rows are JSON, dotted paths stand in their place ("data.rows[]", "[]" = each).
Where several are given, the first that gives a non-empty value counts, except where the description says otherwise.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.fields import Count, DateFormats, Filled, Model, Positive, Regex, Regexes, Texts, Url

Scalar = str | int | bool


class Condition(Model):
    """A JSON value that must be equal to something."""

    path: Filled = Field(description="dotted path of the value")
    equals: Scalar = Field(description='what it must be; compared as text, so that 1 equals "1"')


class AttachmentRows(Model):
    """Attachments that a JSON answer lists as objects."""

    path: Filled = Field(description="dotted path of the objects, with [] at the end")
    url: Filled = Field(description="key of the file's address")
    name: Texts = Field((), description="keys of the file's name")
    base: Url | None = Field(
        None, description="what relative addresses are joined to (default: the document's address)"
    )


class ListEntry(Model):
    """One list page or list interface of a source."""

    section: Filled = Field(description="the column's name as users see it")
    url: Url | None = Field(
        None,
        description="address of the first page; {yyyy} {mm} {dd} {yyyymm} become the day's date; "
        "null = it is read from page_url",
    )
    page_url: Url | None = Field(None, description="the page that shows this list to people, where it differs from url")
    item_id: Positive | None = Field(None, description="number of the column; fills {item_id} in addresses")
    fallback: bool = Field(False, description="read only when the lists before it gave no rows")
    xhr_json: bool = Field(False, description="this list answers JSON and is read by xhr_list")
    note: str = Field("", description="for people: what is unverified, why it is among lists_off")


class Paging(Model):
    """How the pages after the first are found. The first page is always the plain url of the list."""

    param: str | None = Field(None, description="query parameter that holds the page number")
    params: dict[str, Scalar] | None = Field(None, description="several query parameters; {n} becomes the page number")
    template: str | None = Field(None, description="address relative to the list's, {n} is the page number")
    next: Texts = Field((), description="selectors of the link to the next page on the page itself")
    start: Count = Field(2, description="the number that the second page has")
    step: Positive = Field(1, description="how far the number goes up from page to page")
    max: Positive = Field(3, description="how many pages are read at most, the first included")
    count_regex: Regex | None = Field(None, description="finds the number of pages in the first page")


class ExternalLink(Model):
    """Rows that are links to another site."""

    when: Condition = Field(description="how such a row is known")
    path: Filled = Field(description="where its address stands")


class NestedJson(Model):
    """JSON inside a text inside JSON: a text that holds an object, which holds a text that holds a list of fields."""

    path: Filled = Field(description="dotted path of the outer text")
    then: Filled = Field(description="key of the inner text")
    body_field: str = Field("", description="fieldName of the body's HTML")
    attachment_type: str = Field("", description="fieldType of the attachments")


class ListOptions(Model):
    """How rows are read from a list: `items` finds the rows, everything else is looked up inside a row."""

    items: Texts = Field((), description="selectors or JSON paths of the rows; JSON: the rows of all paths count")
    html_path: str | None = Field(None, description="JSON path of the HTML that holds the rows; the rest are selectors")
    ok: Condition | None = Field(None, description="JSON value that says whether the answer is good")
    node: Texts = Field((), description="JSON paths inside a row under which its fields lie")
    limit: Positive | None = Field(None, description="read only so many rows from the top")
    pages: Texts = Field((), description="e-paper: links to the other pages of the issue")
    id: Texts = Field((), description="the row's own number (also fills {id} and its own name in addresses)")
    link: Texts = Field((), description="the document's address")
    title: Texts = Field((), description="title")
    subtitle: Texts = Field((), description="second title, put after the first")
    published: Texts = Field((), description="date of publication")
    written: Texts = Field((), description="date of writing (成文日期)")
    summary: Texts = Field((), description="summary")
    source: Texts = Field((), description="the outlet that the row names")
    author: Texts = Field((), description="author")
    category: Texts = Field((), description="categories")
    doc_number: Texts = Field((), description="文号")
    index_number: Texts = Field((), description="索引号")
    issuer: Texts = Field((), description="issuing authorities")
    body_html: Texts = Field(
        (), description="JSON path of the whole text as HTML; then no page is fetched if it is there"
    )
    attachments: Texts = Field((), description="addresses of attachments")
    attachment_rows: AttachmentRows | None = Field(None, description="attachments listed as JSON objects")
    external_link: ExternalLink | None = Field(None, description="rows that are links to another site")
    nested_json: NestedJson | None = Field(None, description="JSON inside a text of the row")
    detail_url: str | None = Field(None, description="address that is fetched for a row; {name} is a field of the row")
    detail_url_fallback: str | None = Field(None, description="the same, tried after a time-out, 404 or 5xx")
    public_url: str | None = Field(None, description="address that people use; {name} is a field of the row")
    skip_when: Condition | None = Field(None, description="rows to leave out")
    free_when: Condition | None = Field(None, description="rows whose full text is not behind a paywall")
    allow: Regexes = Field((), description="the address of a row must match one of these; others are left out")
    strip_query: bool = Field(False, description="cut the query off the addresses")
    min_title_len: Count = Field(0, description="leave out rows with a shorter title (pictures, navigation)")
    date_formats: DateFormats = Field(
        (), description="strptime formats, rfc822, iso8601, epoch_s, epoch_ms; in this order"
    )
    date_strip: Regexes = Field((), description="cut off the text of a date before it is read")


class XhrList(ListOptions):
    """How a list that answers JSON only to script requests is read."""

    headers: dict[str, str] = Field(default_factory=dict, description="headers that such a request needs")


LabelName = Literal[
    "title", "index_number", "issuer", "doc_number", "source", "category", "doc_kind", "written", "published", "ignored"
]


class LabelTable(Model):
    """A table of labels and values at the head of a document."""

    rows: Texts = Field(description="selectors of the rows (or of the whole table)")
    exclude: Texts = Field((), description="parts of the page that repeat the table, taken out first")
    labels: dict[str, LabelName] = Field(description="label as the page writes it, and the field that its value fills")


class DateSanity(Model):
    """Distrust a date of the page that is far from the date in its address."""

    max_days: Positive = Field(3, description="further apart than this: the address is believed")


class RejectIf(Model):
    """Signs that the answer is not the article."""

    title_equals_section: bool = Field(
        False, description="the title is just the section's name: a section index came back"
    )


class ArticleOptions(Model):
    """How one document is read from its page (`format: html`) or from a JSON answer (`format: json`)."""

    format: Literal["html", "json"] = Field("html", description="what a document's address answers")
    skip: bool = Field(False, description="true = don't fetch documents; the list's row is all there is")
    root: str | None = Field(None, description="json: path under which the fields lie")
    title: Texts = Field(
        (), description="title; where none is given, every field is read by evidence, as on a page of an unknown site"
    )
    title_strip: Regexes = Field((), description="cut off the title")
    published: Texts = Field((), description="date of publication")
    modified: Texts = Field((), description="date of the last change")
    written: Texts = Field((), description="date of writing (成文日期)")
    date_formats: DateFormats = Field(
        (), description="strptime formats, rfc822, iso8601, epoch_s, epoch_ms; in this order"
    )
    date_strip: Regexes = Field((), description="cut off the text of a date before it is read")
    date_sanity: DateSanity | None = Field(None, description="distrust dates far from the one in the address")
    source: Texts = Field((), description="the outlet or office that the page names")
    source_strip: Regexes = Field((), description="cut off the source")
    author: Texts = Field((), description="author")
    author_strip: Regexes = Field((), description="cut off the author")
    category: Texts = Field((), description="categories")
    body: Texts = Field((), description="the element that holds the text; the first that has any text counts")
    body_html: Texts = Field((), description="json: path of the text as HTML")
    body_css: Texts = Field((), description="json: the element of that HTML that holds the text")
    remove: Texts = Field((), description="elements inside the body that are not text (captions, buttons)")
    text_strip: Regexes = Field((), description="cut out of the finished text, line by line (promotional lines)")
    doc_number: Texts = Field((), description="文号, where it has a place of its own")
    index_number: Texts = Field((), description="索引号")
    issuer: Texts = Field((), description="issuing authorities")
    label_table: LabelTable | None = Field(None, description="table of labels and values at the head")
    attachments: Texts = Field((), description="addresses of attachments; here all selectors count, not the first only")
    attachment_rows: AttachmentRows | None = Field(None, description="json: attachments listed as objects")
    next_page: Texts = Field((), description="link to the next page of the same document")
    js_redirect_regex: Regex | None = Field(None, description="finds the address that a script would go to")
    reject_if: RejectIf | None = Field(None, description="signs that the answer is not the article")
    paywall_markers: Texts = Field((), description="selectors that are there when the text is behind a paywall")
    full_text_api: str | None = Field(None, description="second call for the full text; {name} is a field of the row")
    full_text_path: str | None = Field(None, description="JSON path of the text in its answer")


class FeedOptions(Model):
    """What is unusual about a feed (RSS, Atom and JSON Feed need no options)."""

    date_tags: Texts = Field((), description="elements that hold the date, where it is not the usual one")
    date_formats: DateFormats = Field((), description="formats tried before the usual ones of feeds")
    link_prefix: str | None = Field(None, description="put before links that have no scheme")
    title_may_be_truncated: bool = Field(False, description="the article's own title wins over the feed's")


class SitemapOptions(Model):
    """What is read from sitemaps and sitemap indexes (plain or gzip)."""

    follow: Regexes = Field((), description="which sitemaps of an index are read; empty = the newest three")
    max_age_days: Positive = Field(7, description="leave out entries that are older")


class WordPressOptions(Model):
    """Where the fields lie in the answer of the WordPress REST interface; the defaults are WordPress's own."""

    id: Filled = Field("id", description="path of the number")
    link: Filled = Field("link", description="path of the address")
    title: Filled = Field("title.rendered", description="path of the title (HTML)")
    published_gmt: Filled = Field("date_gmt", description="path of the publication time in UTC")
    modified_gmt: Filled = Field("modified_gmt", description="path of the time of the last change in UTC")
    body_html: Filled = Field("content.rendered", description="path of the text (HTML)")
    summary: Filled = Field("excerpt.rendered", description="path of the summary (HTML)")
    total_header: Filled = Field("X-WP-TotalPages", description="header that holds the number of pages")


class Discover(Model):
    """How the address of a list interface is found in the page that people see (`url: null` in lists)."""

    css: Filled = Field(description="the element that holds it")
    url_attr: Filled = Field(description="its attribute with the address")
    query_attr: Filled = Field(description="its attribute with the query, a JavaScript object")


class HtmlFallback(Model):
    """A page of links that is read when the interface does not answer."""

    url: Url = Field(description="the page")
    items: Texts = Field(description="selectors of its links")
    title: Texts = Field((), description="title")
    published: Texts = Field((), description="date")


class Expect(Model):
    """What a healthy poll looks like; anything less is an event that users see."""

    min_items: Count = Field(1, description="at least so many rows in one poll, the first pages of all lists together")
    newest_max_age_h: Positive = Field(description="the newest row of the poll is at most so many hours old")


Certainty = Annotated[
    Literal["A", "B", "C", "D"],
    Field(
        description="A = seen in real captured bytes, B = working code or notes with a dated check, "
        "C = code only, older or undated, D = from memory, unverified"
    ),
]
