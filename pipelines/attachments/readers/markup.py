"""Text of HTML, MHTML and the XML of Office 2003, which all come under the name .doc or .xls."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from typing import Any

from pipelines import clean, content
from pipelines.attachments.limits import Limits, NotRead, damaged
from pipelines.attachments.package import local, parse_xml
from pipelines.attachments.readers import Text, docx

# what office programs write into the HTML that they save
_OFFICE = re.compile(
    r"urn:schemas-microsoft-com|mso-|ProgId|Generator[^>]{0,40}(?:Word|Excel|WPS|LibreOffice|OpenOffice)", re.I
)
# page headers and footers as LibreOffice saves them
_FURNITURE = re.compile(r'<div title="(?:header|footer)">.*?</div>', re.I | re.S)
_FILE_NAME = re.compile(r"\.(?:docx?|xlsx?|wps|et|rtf|html?|mht)(?:$|\?)", re.I)


def read(body: bytes, options: dict[str, Any], limits: Limits) -> Text:
    """By kind. Raises NotRead, also for the web page that a server sends instead of a missing PDF."""
    kind = options["kind"]
    if kind == "wordxml":
        root, fault = parse_xml(body, "the file")
        note = f"damaged, text may be missing ({fault})" if fault else ""
        return Text("\n".join(_office_xml(root)), "xml", note=note)
    if kind == "mhtml":
        body = _html_part(body)
    text = content.to_text(body).text
    if kind == "html" and not _OFFICE.search(text[:20_000]) and not _FILE_NAME.search(str(options.get("name", ""))):
        raise NotRead("a web page came instead of the file")
    return Text(clean.to_text(_FURNITURE.sub("", text)), "html")


def _html_part(body: bytes) -> bytes:
    """The HTML of a page saved as one file (.mht, "web archive")."""
    message = email.message_from_bytes(body, policy=email.policy.default)
    for part in message.walk():
        if part.get_content_type() in ("text/html", "text/plain"):
            data = part.get_payload(decode=True)
            if isinstance(data, bytes) and data.strip():
                return data
    raise damaged("it has no page in it")


def _office_xml(root: Any) -> Iterator[str]:
    """WordprocessingML 2003 and flat packages by their paragraphs, SpreadsheetML 2003 by its rows."""
    bodies = list(root.iter("{*}body"))
    for body in bodies:
        yield from docx.blocks(body)
    if not bodies:
        for row in root.iter("{*}Row"):
            yield "\t".join("".join(c.itertext()).strip() for c in row if local(c) == "Cell")
