"""Opens zip packages (DOCX, XLSX, OFD, ZIP) within bounds: members counted before they are listed, sizes counted while unpacking."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

from lxml import etree

from pipelines.attachments.limits import ENCRYPTED, MB, Limits, NotRead, damaged

_CHUNK = 256 * 1024
_END, _ENTRY, _LOCATOR = b"PK\x05\x06", b"PK\x01\x02", b"PK\x06\x07"


class Package:
    """A zip of which members are read by name, never more than the limits allow together."""

    def __init__(self, body: bytes, limits: Limits) -> None:
        self.limits = limits
        self.left = limits.unpacked_all
        _refuse_crowd(body, limits)
        try:
            self.zip = zipfile.ZipFile(io.BytesIO(body))
        except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError) as error:
            raise damaged("its zip directory cannot be read") from error
        if len(self.zip.infolist()) > limits.members:  # by a directory that its end record did not tell of
            raise _crowd(len(self.zip.infolist()), limits)
        # what was read of a part that is not well-formed is kept, and said
        self.broken: list[str] = []
        # names are compared without case and with either slash: writers differ, and OFD paths are written by hand
        self.names = {normal(i.filename): i for i in self.zip.infolist()}

    def __contains__(self, name: str) -> bool:
        return normal(name) in self.names

    def read(self, name: str) -> bytes:
        """A member's bytes. Raises NotRead when it is missing, encrypted, damaged or too large."""
        info = self.names.get(normal(name))
        if info is None:
            raise damaged(f"{name} is missing")
        return self.read_member(info)

    def read_member(self, info: zipfile.ZipInfo) -> bytes:
        """Unpack chunk by chunk; what the directory says about sizes is not believed."""
        if info.flag_bits & 0x1:
            raise NotRead(ENCRYPTED)
        bound = min(self.limits.unpacked, self.left)
        parts, size = [], 0
        try:
            with self.zip.open(info) as stream:
                while chunk := stream.read(_CHUNK):
                    size += len(chunk)
                    if size > bound or size > MB + self.limits.ratio * max(1, info.compress_size):
                        raise NotRead(_too_large(self.limits, size, info))
                    parts.append(chunk)
        except NotRead:
            raise
        except RuntimeError as error:
            raise NotRead(ENCRYPTED if "encrypted" in str(error) else f"damaged ({error})") from error
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            ValueError,
            NotImplementedError,
            struct.error,
        ) as error:
            raise damaged(f"{info.filename[:80]}: {error}") from error
        finally:  # what was refused was unpacked all the same
            self.left = max(0, self.left - size)
        return b"".join(parts)

    def xml(self, name: str) -> Any:
        """The root element of an XML member; no entity is resolved and nothing is loaded."""
        root, fault = parse_xml(self.read(name), name)
        if fault:
            self.broken.append(f"{name.rpartition('/')[2]}: {fault}")
        return root

    @property
    def note(self) -> str:
        """What is to be said of parts that could be read as far as their fault only; "" if there were none."""
        if not self.broken:
            return ""
        more = f" and {len(self.broken) - 1} more" if len(self.broken) > 1 else ""
        return f"damaged, text may be missing ({self.broken[0]}{more})"


def parse_xml(data: bytes, name: str) -> tuple[Any, str]:
    """XML without entities, network, DTD; what is not well-formed is read as far as it goes, and its fault is the second."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise damaged(f"{name} is not XML") from error
    if root is None:
        raise damaged(f"{name} is not XML")
    fault = next((e for e in parser.error_log if e.level == etree.ErrorLevels.FATAL), None)
    return root, " ".join(fault.message.split()).partition(", ")[0][:100] if fault is not None else ""


def normal(name: str) -> str:
    """A member's name for comparison."""
    return name.replace("\\", "/").lstrip("/").lower()


def local(element: Any) -> str:
    """An element's name without its namespace; comments and instructions have none."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _too_large(limits: Limits, size: int, info: zipfile.ZipInfo) -> str:
    if size > limits.unpacked or size > limits.unpacked_all:
        return f"unpacks to more than {limits.unpacked // MB} MB"
    if size > MB + limits.ratio * max(1, info.compress_size):
        return f"a decompression bomb (unpacks to more than {limits.ratio} times its size)"
    return f"unpacks to more than {limits.unpacked_all // MB} MB in all"


def _crowd(members: int, limits: Limits) -> NotRead:
    return NotRead(f"{members:,} members, more than {limits.members:,} are not read")


def _refuse_crowd(body: bytes, limits: Limits) -> None:
    """Count members before a directory of a hundred thousand objects is built; what the end record says is not believed."""
    at = body.rfind(_END, max(0, len(body) - 66_000))
    if at < 0 or len(body) < at + 22:
        raise damaged("its end is missing")
    said, size = struct.unpack_from("<HI", body, at + 10)
    # the directory stands before the end record and has the size named there, unless Zip64 records come between
    zip64 = size == 0xFFFFFFFF or body[max(0, at - 20) : at].startswith(_LOCATOR)
    members = body.count(_ENTRY, 0 if zip64 else max(0, at - size), at)
    # more than 65,534 members need the Zip64 record; its field says 65,535 then
    members = max(said if said != 0xFFFF else 0, members)
    if members > limits.members:
        raise _crowd(members, limits)
