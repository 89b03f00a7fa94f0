"""Reads the tables of labels and values that ministries put at the head of a document (发文字号, 成文日期, 索引号 …).

Labels are written with blanks, no-break spaces and colons inside (`索 引 号：`), stand in `<td><b>` or beside their value in
one `<li>`; what counts is the label's characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from lxml import etree, html

from pipelines.extract.select import compiled, short_text

# labels of ministries' and provinces' pages, and the field of the document that their value fills
KNOWN: Mapping[str, str] = {
    "标题": "title", "文件名称": "title", "信息名称": "title", "名称": "title",
    "索引号": "index_number", "索引号码": "index_number", "信息索引号": "index_number", "索取号": "index_number",
    "发文机关": "issuer", "发文机构": "issuer", "发布机构": "issuer", "发文单位": "issuer", "发布机关": "issuer",
    "制发机关": "issuer", "印发机关": "issuer", "发布单位": "issuer", "制定机关": "issuer",
    "发文字号": "doc_number", "文号": "doc_number", "文件编号": "doc_number", "发文文号": "doc_number", "文件文号": "doc_number",
    "字号": "doc_number", "文件字号": "doc_number", "公文文号": "doc_number",
    "成文日期": "written", "成文时间": "written", "发文日期": "written", "发文时间": "written", "生成日期": "written", "印发日期": "written",
    "签发日期": "written",
    "发布日期": "published", "发布时间": "published", "公开日期": "published", "公布日期": "published", "发稿时间": "published",
    "来源": "source", "信息来源": "source", "文章来源": "source", "稿件来源": "source",
    "公文种类": "doc_kind", "文种": "doc_kind", "体裁分类": "doc_kind", "公文体裁": "doc_kind",
    "主题分类": "category", "主题词": "category", "分类": "category",
    "施行日期": "effective", "实施日期": "effective", "生效日期": "effective",
    "失效日期": "expires", "废止日期": "expires", "有效期至": "expires", "有效期": "validity",
    "有效性": "status", "时效性": "status",
}  # fmt: skip
# a page without any of these characters has no such table: nothing is searched
MARKS = ("发文字号", "索", "文号", "成文", "发文机", "发布机", "字号")
_PAIR = re.compile(r"^\s*([\u4e00-\u9fff][\u4e00-\u9fff\s\u00a0\u3000]{0,12}?)\s*[:：]\s*(.*)$", re.S)
_NOISE = re.compile(r"[\s\u00a0\u3000\u200b:：【】\[\]|]+")
_LONGEST_VALUE = 300
# real tables have some dozens of cells
_MOST_CELLS = 4000
_CELLS = etree.XPath(".//td|.//th|.//dt|.//li|.//p|.//span|.//b|.//strong|.//label|.//div[not(div)]|.//font|.//em|.//i")


def bare(label: str) -> str:
    """A label without blanks, colons and brackets: `发文字号：` and `发 文 字 号` are the same."""
    return _NOISE.sub("", label)


def read(rows: Iterable[html.HtmlElement], labels: Mapping[str, str] = KNOWN) -> dict[str, str]:
    """Field values of all labels in these elements; the first non-empty value of a field counts."""
    wanted = _normal(tuple(labels.items()))
    found: dict[str, str] = {}
    for label, value in pairs(rows, wanted):
        name = wanted[label]
        if value and name != "ignored":
            found.setdefault(name, value)
    return found


@lru_cache(maxsize=64)
def _normal(items: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {bare(label): name for label, name in items}


def pairs(rows: Iterable[html.HtmlElement], wanted: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Labels that are wanted, with their values: in the same element after a colon, or in the next element."""
    left = _MOST_CELLS
    for row in rows:
        cells = _CELLS(row) or [row]
        left -= len(cells)
        if left < 0:
            return
        for cell in cells:
            text = short_text(cell)
            if not text or len(text) > _LONGEST_VALUE:
                continue
            label = bare(text)
            if label in wanted:
                yield label, _beside(cell, wanted)
                continue
            match = _PAIR.match(text)
            if match and bare(match.group(1)) in wanted:
                value = match.group(2).strip()
                # two labels in one cell: the value ends where the next begins
                yield bare(match.group(1)), _until_next(value, wanted)


def _beside(cell: html.HtmlElement, wanted: Mapping[str, str]) -> str:
    """The value that belongs to a cell that is only a label: what follows it, or what follows its wrapper."""
    node = cell
    for _ in range(3):
        tail = bare(node.tail or "")
        if tail:
            return " ".join((node.tail or "").split()).strip(":： ")
        following = node.getnext()
        if following is not None and isinstance(following.tag, str):
            value = short_text(following)
            return "" if bare(value) in wanted or len(value) > _LONGEST_VALUE else value.strip(":： ")
        parent = node.getparent()
        if (
            parent is None
            or node.tag in ("td", "th", "li", "dt", "p", "tr")
            or bare(short_text(parent)) != bare(short_text(cell))
        ):
            return ""
        node = parent
    return ""


def _until_next(value: str, wanted: Mapping[str, str]) -> str:
    for match in re.finditer(r"\s([\u4e00-\u9fff]{2,6})\s*[:：]", value):
        if match.group(1) in wanted:
            return value[: match.start()].strip()
    return value


def without(root: html.HtmlElement, selectors: Iterable[str]) -> None:
    """Take out the parts of a page that repeat the table (a second one for telephones)."""
    for raw in selectors:
        for node in compiled(raw).nodes(root):
            if node.getparent() is not None:
                node.drop_tree()
