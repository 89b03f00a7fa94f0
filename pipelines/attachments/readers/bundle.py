"""Text of the files inside a ZIP: each under its name, two levels deep at most; nothing is ever written to disk."""

from __future__ import annotations

import time
import zipfile
from dataclasses import replace
from typing import Any

from pipelines.attachments import sniff
from pipelines.attachments.limits import ENCRYPTED, Limits, NotRead
from pipelines.attachments.package import Package
from pipelines.attachments.readers import Text, read_kind

_RUBBISH = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")
# the share of the time limit after which no further member is begun: what was read until then is kept
_SHARE = 0.6


def read(body: bytes, options: dict[str, Any], limits: Limits) -> Text:
    """All readable members. Raises NotRead when there is none: with the members' own reasons."""
    depth = int(options.get("depth", 0)) + 1
    if depth > limits.depth:
        raise NotRead(f"archives in archives are read to a depth of {limits.depth}")
    package = Package(body, limits)
    texts: list[str] = []
    failed: list[tuple[str, str]] = []
    members = [i for i in package.zip.infolist() if not _is_rubbish(i)]
    if not members:
        raise NotRead("the archive is empty")
    for info in members:
        name = shown_name(info)
        try:
            texts.append(f"{name}\n{_member(package, info, name, {**options, 'depth': depth}, limits)}")
        except NotRead as error:
            failed.append((name, str(error)))
    if not texts:
        raise NotRead(_reason(failed))
    note = f"{len(failed)} of {len(members)} files in it were not read: {_listed(failed)}" if failed else ""
    return Text("\n".join(texts), "zip", note=note)


def _member(package: Package, info: zipfile.ZipInfo, name: str, options: dict[str, Any], limits: Limits) -> str:
    if is_outside(name):
        raise NotRead("its name leads out of the archive")
    cpu = limits.ocr_cpu_s if options.get("ocr") else limits.cpu_s
    if time.process_time() > _SHARE * cpu:
        raise NotRead(f"time limit of {cpu} s for the archive")
    data = package.read_member(info)
    kind = sniff.kind_of(data, name)
    if kind == "html" and not options.get("name"):
        options = {**options, "name": name}
    # what is unpacked counts for all levels together
    found = read_kind(kind, data, {**options, "kind": kind, "name": name}, replace(limits, unpacked_all=package.left))
    return found.text


def shown_name(info: zipfile.ZipInfo) -> str:
    """A member's name; Chinese tools write GBK without saying so, which zipfile takes for code page 437."""
    name = info.filename
    if not info.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("gb18030")
        except UnicodeError:
            name = info.filename
    return name.replace("\\", "/")


def is_outside(name: str) -> bool:
    """Whether a name is absolute or climbs out of its folder."""
    return name.startswith("/") or name[1:2] == ":" or ".." in name.split("/")


def _is_rubbish(info: zipfile.ZipInfo) -> bool:
    name = info.filename.lower()
    return info.is_dir() or name.startswith(_RUBBISH[0]) or name.rpartition("/")[2] in _RUBBISH


def _reason(failed: list[tuple[str, str]]) -> str:
    reasons = {reason for _, reason in failed}
    if reasons == {ENCRYPTED} or reasons == {"scanned"}:
        return reasons.pop()
    if len(failed) == 1:
        return f"{failed[0][0][:80]} in it: {failed[0][1]}"
    return f"none of its {len(failed)} files could be read: {_listed(failed)}"


def _listed(failed: list[tuple[str, str]]) -> str:
    shown = "; ".join(f"{name[-60:]} ({reason})" for name, reason in failed[:5])
    return shown + (" …" if len(failed) > 5 else "")
