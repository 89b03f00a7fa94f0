"""The query language: words, "phrases", AND OR NOT, parentheses, trailing *, and fields; read into a tree.

    贷款 "export credit"              both (a space means AND)
    设备更新 OR "equipment renewal"    either
    task:foreign-trade NOT 汽车        a field; without a word
    title:(loan* OR 贷款)              words or phrases within one field
    published:2024-04..2024-06        dates: a day, month, year, a range, or >=, >, <=, <
    relevance:>=0.8  firsthand:yes

Operators are upper case. Full-width forms （ＡＮＤ ： “ ”） are read as their half-width twins. A query that does not
parse, or names what does not exist, is refused with position and reason (`QueryError`), never guessed at.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping, Set
from dataclasses import dataclass
from difflib import get_close_matches

TEXT_FIELDS = {"title": "title", "text": "text", "issuer": "issuer", "region": "region"}
TAG_FIELDS = ("task", "measure", "source", "kind", "lang", "level", "industry", "instrument", "institution")
FIELDS = (*TEXT_FIELDS, *TAG_FIELDS, "doc_number", "published", "relevance", "firsthand")
MAX_TERMS, MAX_DEPTH, MAX_LENGTH = 400, 40, 10_000

# full-width ASCII, the ideographic space and curly quotes, one character for one: positions stay true
_WIDTH = {c: chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x201C: '"', 0x201D: '"'}
_TOKEN = re.compile(r'\s*(?:(?P<open>\()|(?P<close>\))|(?P<field>[A-Za-z_]+):|(?P<quote>")|(?P<word>[^\s()"]+))')
_DATE = re.compile(r"^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$")


class QueryError(ValueError):
    """A query that cannot be run: `position` (0-based character) and `reason` in words."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"position {position + 1}: {reason}")
        self.position = position
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase, in one text field or (field = "") anywhere in title, text and attachments."""

    text: str
    field: str = ""
    prefix: bool = False
    position: int = 0


@dataclass(frozen=True, slots=True)
class Tag:
    """A field that holds names from a fixed list, or an exact normalised value: task, source, kind, doc_number …"""

    field: str
    value: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class Dates:
    """Publication date between two civil dates, both included; "" = open."""

    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Relevance:
    """Relevance compared with a number from 0 to 1."""

    operator: str
    number: float


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


Node = Term | Tag | Dates | Relevance | And | Or | Not


@dataclass(frozen=True, slots=True)
class Query:
    """A query that parsed: the tree and, for showing back to the user, how it was understood."""

    text: str
    node: Node

    def __str__(self) -> str:
        return describe(self.node)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int
    end: int


def parse(text: str, names: Mapping[str, Set[str]] | None = None) -> Query:
    """Read a query; `names` gives the allowed values of tag fields (`{"task": {...}}`); fields not in it are not checked.

    Raises QueryError with the position and the reason.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(MAX_LENGTH, f"the query is longer than {MAX_LENGTH:,} characters; split it")
    return Query(text, _Parser(text, names or {}).query())


def _tokens(text: str) -> list[_Token]:
    text = text.translate(_WIDTH)
    out, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            break  # only white space is left
        kind = match.lastgroup or ""
        start = match.start(kind)
        position = match.end()
        if kind == "quote":
            close = text.find('"', position)
            if close < 0:
                raise QueryError(start, "this quotation mark is never closed")
            out.append(_Token("phrase", text[position:close], start, close + 1))
            position = close + 1
        elif kind == "word" and match[kind] in ("AND", "OR", "NOT"):
            out.append(_Token(match[kind], match[kind], start, position))
        else:
            out.append(_Token(kind, match[kind], start, position))
    return out


class _Parser:
    """Recursive descent: or := and (OR and)*; and := not ((AND)? not)*; not := NOT not | atom."""

    def __init__(self, text: str, names: Mapping[str, Set[str]]) -> None:
        self.text = text
        self.names = names
        self.tokens = _tokens(text)
        self.at = 0
        self.terms = 0

    def peek(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self) -> _Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def query(self) -> Node:
        if not self.tokens:
            raise QueryError(0, 'the query is empty; write a word, a "phrase" or a field such as task:foreign-trade')
        node = self.any_of("", 0)
        left = self.peek()
        if left:
            raise QueryError(left.position, "this bracket was never opened")
        return node

    def any_of(self, field: str, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise QueryError(self.tokens[self.at - 1].position, f"brackets are nested deeper than {MAX_DEPTH}")
        parts = [self.all_of(field, depth)]
        while (token := self.peek()) and token.kind == "OR":
            self.take()
            parts.append(self.all_of(field, depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def all_of(self, field: str, depth: int) -> Node:
        parts = [self.negated(field, depth)]
        while (token := self.peek()) and token.kind not in ("OR", "close"):
            if token.kind == "AND":
                self.take()
            parts.append(self.negated(field, depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def negated(self, field: str, depth: int) -> Node:
        token = self.peek()
        if token and token.kind == "NOT":
            if depth > MAX_DEPTH:
                raise QueryError(token.position, f"NOT is nested deeper than {MAX_DEPTH}")
            self.take()
            return Not(self.negated(field, depth + 1))
        return self.atom(field, depth)

    def atom(self, field: str, depth: int) -> Node:
        token = self.peek()
        if token is None:
            where = self.tokens[self.at - 1]
            raise QueryError(where.position, f"something must follow {where.text!r}")
        if token.kind in ("AND", "OR"):
            raise QueryError(token.position, f"{token.kind} needs a word or a bracket on both sides")
        if token.kind == "close":
            raise QueryError(
                token.position, "this bracket closes on nothing" if self.at else "this bracket was never opened"
            )
        self.take()
        if token.kind == "open":
            return self.bracket(token, field, depth)
        if token.kind == "field":
            return self.field(token, field, depth)
        return self.value(token, field)

    def bracket(self, opened: _Token, field: str, depth: int) -> Node:
        node = self.any_of(field, depth + 1)
        if self.peek() is None:
            raise QueryError(opened.position, "this bracket is never closed")
        self.take()
        return node

    def field(self, token: _Token, outer: str, depth: int) -> Node:
        name = token.text.lower()
        if outer:
            raise QueryError(
                token.position, f"the field {name!r} stands inside the field {outer!r}; a field holds words"
            )
        if name not in FIELDS:
            near = get_close_matches(name, FIELDS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "there are: " + ", ".join(FIELDS)
            raise QueryError(
                token.position, f"there is no field {token.text!r}; {hint} (to search for the word, quote it)"
            )
        after = self.peek()
        if after is None or after.position != token.end or after.kind not in ("word", "phrase", "open"):
            raise QueryError(token.position, f"the field {name!r} needs a value right after the colon")
        self.take()
        if after.kind == "open":
            return self.bracket(after, name, depth)
        return self.value(after, name)

    def value(self, token: _Token, field: str) -> Node:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise QueryError(token.position, f"the query has more than {MAX_TERMS} terms; split it")
        if field == "published":
            return _dates(token)
        if field == "relevance":
            return _relevance(token)
        if field == "firsthand":
            return Tag(field, _yes_no(token), token.position)
        if field in TAG_FIELDS:
            return self.tag(token, field)
        if field == "doc_number":
            return Tag(field, token.text, token.position)
        return _term(token, TEXT_FIELDS.get(field, ""))

    def tag(self, token: _Token, field: str) -> Node:
        allowed = self.names.get(field)
        if allowed is not None and token.text not in allowed:
            near = get_close_matches(token.text, allowed, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else "there are: " + ", ".join(sorted(allowed)[:20])
            raise QueryError(token.position, f"there is no {field} {token.text!r}; {hint}")
        return Tag(field, token.text, token.position)


def _term(token: _Token, field: str) -> Term:
    from db.search.fold import phrase_tokens

    text = token.text
    prefix = token.kind == "word" and text.endswith("*")
    if "*" in (text[:-1] if prefix else text) and token.kind == "word":
        raise QueryError(token.position + text.index("*"), "* stands only at the end of a word")
    text = text.rstrip("*") if prefix else text
    if not phrase_tokens(text):
        raise QueryError(token.position, f"{token.text!r} holds no letter, digit or character to search for")
    return Term(text, field, prefix, token.position)


def _yes_no(token: _Token) -> str:
    word = token.text.lower()
    if word not in ("yes", "no", "true", "false", "是", "否"):
        raise QueryError(token.position, f"firsthand is yes or no, not {token.text!r}")
    return "yes" if word in ("yes", "true", "是") else "no"


def _relevance(token: _Token) -> Relevance:
    match = re.match(r"^(>=|<=|>|<|=)?(\d(?:\.\d+)?)$", token.text)
    if not match or float(match[2]) > 1:
        raise QueryError(
            token.position, f"relevance takes a number from 0 to 1, as in relevance:>=0.8, not {token.text!r}"
        )
    return Relevance(match[1] or ">=", float(match[2]))


def _dates(token: _Token) -> Dates:
    text = token.text
    match = re.match(r"^(>=|<=|>|<)(.+)$", text)
    if match:
        first, last = _day(match[2], token)
        if match[1] in (">=", "<="):
            return Dates(first, "") if match[1] == ">=" else Dates("", last)
        return Dates(_shift(last, 1, token), "") if match[1] == ">" else Dates("", _shift(first, -1, token))
    if ".." in text:
        left, _, right = text.partition("..")
        first = _day(left, token)[0] if left else ""
        last = _day(right, token)[1] if right else ""
        if first and last and first > last:
            raise QueryError(token.position, f"the range {text} ends before it begins")
        return Dates(first, last)
    return Dates(*_day(text, token))


def _day(text: str, token: _Token) -> tuple[str, str]:
    """First and last civil day of a year, month or day."""
    match = _DATE.match(text)
    if match:
        year, month, day = int(match[1]), int(match[2] or 0), int(match[3] or 0)
        first_month, last_month = (month, month) if match[2] else (1, 12)
        if 1 <= first_month <= 12 and year > 0:
            days = monthrange(year, last_month)[1]
            if not match[3] or 1 <= day <= days:
                start, end = (day, day) if match[3] else (1, days)
                return f"{year:04}-{first_month:02}-{start:02}", f"{year:04}-{last_month:02}-{end:02}"
    raise QueryError(
        token.position, f"{text!r} is no date; write 2024, 2024-04, 2024-04-16 or a range 2024-04..2024-06"
    )


def _shift(day: str, days: int, token: _Token) -> str:
    from datetime import date, timedelta

    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except OverflowError:
        raise QueryError(token.position, f"no day lies beyond {day}; write a date nearer to ours") from None


def describe(node: Node) -> str:
    """The query as it was understood, with every bracket written out."""
    match node:
        case And(parts):
            return "(" + " AND ".join(map(describe, parts)) + ")"
        case Or(parts):
            return "(" + " OR ".join(map(describe, parts)) + ")"
        case Not(part):
            return "NOT " + describe(part)
        case Dates(first, last):
            return f"published:{first}..{last}"
        case Relevance(operator, number):
            return f"relevance:{operator}{number:g}"
        case Tag(field, value):
            return f'{field}:"{value}"' if re.search(r"[\s()\"]", value) else f"{field}:{value}"
        case Term(text, field, prefix):
            word = f"{text}*" if prefix else f'"{text}"'
            return f"{field}:{word}" if field else word
    raise TypeError(f"not a query: {node!r}")
