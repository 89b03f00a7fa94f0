"""Writes the chosen blocks as plain markup: a paragraph a block, a table where cells stand side by side."""

from __future__ import annotations

from html import escape
from itertools import groupby

from pipelines.extract.anypage import blocks as cut
from pipelines.extract.anypage import elements
from pipelines.extract.anypage.blocks import Block

# a cell longer than this is layout and not data
_LAYOUT_CELL = 300


def write(found: list[Block]) -> str:
    """Markup of blocks, in order."""
    out: list[str] = []
    for in_table, group in groupby(found, key=lambda b: b.has(cut.TABLE)):
        members = list(group)
        if in_table:
            out.append(_table(members))
        else:
            out += [_line(b) for b in members]
    return "".join(out)


def _line(block: Block) -> str:
    tag = block.node.tag if block.has(cut.HEADING) and block.node.tag in ("h1", "h2", "h3", "h4", "h5", "h6") else "p"
    return f"<{tag}>{escape(block.text, quote=False)}</{tag}>"


def _table(members: list[Block]) -> str:
    out, open_ = [], False
    for _, group in groupby(members, key=lambda b: b.row):
        row = list(group)
        cells: list[list[Block]] = [list(g) for _, g in groupby(row, key=_cell)]
        data = len(cells) > 1 and all(sum(len(b.text) for b in c) <= _LAYOUT_CELL for c in cells)
        if data and not open_:
            out.append("<table>")
        elif open_ and not data:
            out.append("</table>")
        open_ = data
        if data:
            shown = "".join(
                f"<td>{''.join(_line(b) for b in c) if len(c) > 1 else escape(c[0].text, quote=False)}</td>"
                for c in cells
            )
            out.append(f"<tr>{shown}</tr>")
        else:
            out += [_line(b) for b in row]
    return "".join(out) + ("</table>" if open_ else "")


def _cell(block: Block) -> int:
    """Which cell a block stands in."""
    if block.node.tag in ("td", "th"):
        return id(block.node)
    return next((id(n) for n in elements.ancestors(block.node, 12) if n.tag in ("td", "th")), id(block.node))
