"""Old Office files are all OLE: what lies at the top of the file says which program's reader it needs."""

from __future__ import annotations

import io
import struct
from typing import Any

import olefile

from pipelines.attachments.limits import ENCRYPTED, Limits, NotRead, damaged
from pipelines.attachments.readers import Text, doc, sheets


def read(body: bytes, options: dict[str, Any], limits: Limits) -> Text:
    """Word, WPS, Excel and ET files. Raises NotRead."""
    try:
        with olefile.OleFileIO(io.BytesIO(body)) as ole:
            if ole.exists("EncryptedPackage"):  # [MS-OFFCRYPTO] 2.3.4: an OOXML file with a password
                raise NotRead(ENCRYPTED)
            if ole.exists("WordDocument"):
                return doc.read_ole(ole, limits)
            if ole.exists("PowerPoint Document"):
                raise NotRead("the old PowerPoint format (.ppt) is not read")
            is_sheet = ole.exists("Workbook") or ole.exists("Book")
            names = ole.listdir()
    except NotRead:
        raise
    except (OSError, ValueError, IndexError, struct.error, TypeError, AttributeError) as error:
        raise damaged("its OLE structure cannot be read") from error
    if is_sheet or options["kind"] == "xls":
        return sheets.read(body, {**options, "kind": "xls"}, limits)
    raise NotRead("an OLE file of an unknown program") if names else damaged("its OLE structure is empty")
