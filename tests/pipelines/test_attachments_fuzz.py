"""Mutated fixtures: whatever is done to the bytes, there is a text or a reason, and the next file is read as before.

CIRCULARWATCH_FUZZ=1000 makes the examples a thousand each (the long form); CI takes the short one.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.attachments import Limits, read
from tests.pipelines.attachment_files import fixture
from tests.web import files

EXAMPLES = int(os.environ.get("CIRCULARWATCH_FUZZ", "60"))
NAMES = [
    "report.pdf",
    "report.doc",
    "report.docx",
    "report.rtf",
    "report.odt",
    "table.xls",
    "table.xlsx",
    "notice-html.doc",
]
LIMITS = Limits(cpu_s=5, wall_s=30)
bound = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


def settled(body: bytes, name: str) -> None:
    found = read(body, name, limits=LIMITS)
    assert (found.text is None) != (found.error == "")
    assert found.text is None or found.text.strip()
    assert "lost" not in found.error


@st.composite
def mutations(draw: st.DrawFn) -> tuple[bytes, str]:
    """A fixture with bytes overwritten, cut out, doubled, swapped, or its end missing."""
    name = draw(st.sampled_from([*NAMES, "made.ofd"]))
    body = bytearray(files.ofd(["标题", "内容" * 80]) if name == "made.ofd" else fixture(name))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(body) - 1)))
        end = at + draw(st.integers(0, 200))
        how = draw(st.sampled_from(["write", "cut", "double", "swap", "end", "bits"]))
        if how == "write":
            body[at:end] = draw(st.binary(max_size=60))
        elif how == "cut":
            del body[at:end]
        elif how == "double":
            body[at:at] = body[at:end] * draw(st.integers(1, 50))
        elif how == "swap":
            other = draw(st.integers(0, max(0, len(body) - 1)))
            body[at:end] = body[other : other + 40]
        elif how == "end" and draw(st.booleans()):
            del body[at:]
        else:
            for n in range(at, min(end, len(body)), 7):
                body[n] ^= 1 << draw(st.integers(0, 7))
    return bytes(body), name


@bound
@given(mutations())
def test_mutated_files(mutated: tuple[bytes, str]) -> None:
    settled(*mutated)


MAGIC = [
    b"%PDF-1.7\n",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"{\\rtf1",
    b"<html mso-",
    b"MIME-Version: 1.0\n",
    b"",
]


@bound
@given(st.sampled_from(MAGIC), st.binary(max_size=3000), st.sampled_from(["a.doc", "a.csv", "a.pdf", ""]))
def test_rubbish_behind_a_true_beginning(magic: bytes, rest: bytes, name: str) -> None:
    settled(magic + rest, name)


@bound
@given(st.text(max_size=400), st.sampled_from(["utf-8", "gb18030", "utf-16"]))
def test_text_files_of_any_characters(text: str, charset: str) -> None:
    settled(text.encode(charset, "ignore"), "a.txt")


def test_afterwards_a_sound_file_is_read() -> None:
    assert read(fixture("report.docx")).text
