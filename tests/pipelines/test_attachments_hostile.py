"""Hostile, damaged and locked attachments end with their text or with a reason in words, within the limits."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import textwrap
import zipfile

import psutil
import pytest

from pipelines.attachments import Limits, read, sandbox
from tests.pipelines import attachment_files as make
from tests.pipelines.attachment_files import fixture
from tests.web import ole

MB = 1024 * 1024


@pytest.mark.parametrize("ending", ["pdf", "doc", "docx", "odt", "xls", "xlsx", "zip"])
def test_encrypted(ending: str) -> None:
    assert read(fixture(f"encrypted.{ending}")).error == "encrypted"


@pytest.mark.parametrize("name", ["notice.pdf", "notice.doc", "notice.docx", "table.xls", "table.xlsx", "notice.odt"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_cut_off(name: str, share: float) -> None:
    whole = fixture(name)
    found = read(whole[: int(len(whole) * share)], name)
    assert found.error.startswith("damaged") or (found.text and not found.error)


@pytest.mark.parametrize("name", ["notice.pdf", "notice.docx", "table.xlsx", "notice.doc"])
def test_zeros_inside(name: str) -> None:
    whole = fixture(name)
    broken = whole[:100] + bytes(len(whole) - 200) + whole[-100:]
    assert read(broken, name).error


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the file is empty"),
        (bytes(5000), "the file is empty"),
        (b"Rar!\x1a\x07\x00" + bytes(range(200)), "RAR"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(range(200)), "7z"),
        (bytes(range(256)) * 20, "of an unknown kind"),
        (b" " * (50 * MB + 1), "larger than 50 MB"),
        (ole.compound({"Strange": b"x" * 5000}), "an OLE file of an unknown program"),
    ],
)
def test_reason(body: bytes, reason: str) -> None:
    assert reason in read(body).error


@pytest.mark.parametrize(
    ("name", "error"), [("a.ofd", "plain text came"), ("a.PDF?x=1", "plain text came"), ("a.doc", "")]
)
def test_an_excuse_in_place_of_a_file_is_no_text(name: str, error: str) -> None:
    assert read(b"The file does not exist.", name).error.startswith(error)


def test_bombs_of_zip() -> None:
    for name in ("a.txt", "word/document.xml", "xl/workbook.xml", "OFD.xml", "content.xml"):
        error = read(make.bomb(name, 110 * MB)).error
        assert "unpacks to more than 100 MB" in error or "a decompression bomb" in error
    assert "a decompression bomb" in read(make.bomb("word/document.xml", 60 * MB)).error


def test_archive_in_archive_in_archive() -> None:
    body = make.packed({"a.txt": "在最里面的文字。"})
    twice = make.packed({"b.zip": body})
    assert "在最里面的文字。" in (read(twice).text or "")
    for _ in range(40):
        twice = make.packed({"c.zip": twice})
    assert "depth of 2" in read(twice).error


@pytest.mark.parametrize("members", [2_001, 60_000, 100_000])
def test_crowd_of_members(members: int) -> None:
    assert read(make.crowd(members)).error == f"{members:,} members, more than 2,000 are not read"


@pytest.mark.parametrize("members", [2_001, 65_000])
def test_crowd_that_its_end_record_denies(members: int) -> None:
    body = bytearray(make.crowd(members))
    struct.pack_into("<HH", body, body.rfind(b"PK\x05\x06") + 8, 3, 3)
    assert read(bytes(body)).error == f"{members:,} members, more than 2,000 are not read"


def test_members_of_stored_archives_do_not_count_as_the_archive_s_own() -> None:
    inner = make.packed({f"{n}.txt": f"第{n}段文字" for n in range(60)})
    outer = make.packed({f"{n}.zip": inner for n in range(40)}, zipfile.ZIP_STORED)
    assert "第59段文字" in (read(outer).text or "")


def test_members_that_are_refused_count_to_what_is_unpacked() -> None:
    """A directory that names the same bomb a thousand times: what was unpacked in vain is counted, too."""
    packed = make.packed({"a.txt": b"a" * (60 * MB)})
    start, end = packed.find(b"PK\x01\x02"), packed.rfind(b"PK\x05\x06")
    entries = packed[start:end] * 1_000
    tail = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1_000, 1_000, len(entries), start, 0)
    found = read(packed[:start] + entries + tail, limits=Limits(unpacked_all=60 * MB))
    assert "none of its 1000 files could be read" in found.error and "a decompression bomb" in found.error
    assert "unpacks to more than 60 MB in all" in found.error


@pytest.mark.parametrize("reader", ["docx", "odt"])
def test_text_that_breaks_off_says_so(reader: str) -> None:
    if reader == "docx":
        body = make.docx(make.paragraph("前面的文字。") + "<w:p></w:q>" + make.paragraph("\x00"))
    else:
        text = "<o:body xmlns:o='urn:oasis:names:tc:opendocument:xmlns:office:1.0'><p>前面的文字。</p><p></o:body>"
        body = make.packed({"mimetype": "x", "content.xml": text})
    found = read(body)
    assert "前面的文字。" in (found.text or "") and found.note.startswith("damaged, text may be missing")
    assert read(make.docx(make.paragraph("完整。"))).note == ""


def test_nothing_read_for_a_fault_is_damage_and_not_emptiness() -> None:
    assert read(make.docx("<w:tbl><w:tr><w:tc>" * 100_000 + make.paragraph("深"))).error.startswith(
        "damaged (document.xml"
    )


@pytest.mark.parametrize("name", ["../../etc/a.txt", "/etc/a.txt", "C:\\a.txt", "x/../../a.txt", "..\\a.txt"])
def test_names_that_leave_the_archive(name: str) -> None:
    assert "leads out of the archive" in read(make.packed({name: "内容"})).error


def test_entities_are_not_resolved() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    head = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    found = read(make.docx(make.paragraph("前&l9;&f;后"), head))
    assert (found.text or "").startswith("前")
    assert "ha" not in (found.text or "") and "root" not in (found.text or "")
    assert read(make.docx(make.paragraph("文"), '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">')).text == "文"


@pytest.mark.parametrize("depth", [500, 100_000])
def test_deep_nesting(depth: int) -> None:
    bodies = [
        make.docx("<w:sdt>" * depth + make.paragraph("深") + "</w:sdt>" * depth),
        b"{\\rtf1 " + b"{" * depth + b"deep" + b"}" * depth + b"}",
        b"<html mso-x><body>" + b"<div>" * depth + b"deep" + b"</div>" * depth,
        make.pdf(make.page_objects(make.stream(b"[" * depth + b"]" * depth))),
        make.pdf([b"<< /Type /Catalog /Pages " + b"<< /Kids [" * depth + b"]>>" * depth + b" >>"]),
    ]
    for n, body in enumerate(bodies):
        found = read(body, "a.doc")
        assert found.error or found.text, n


def test_pdf_bomb() -> None:
    data = make.deflated(512 * MB, times=2)
    body = make.pdf(make.page_objects(make.stream(data, b"/Filter [/FlateDecode /FlateDecode]")))
    found = read(body, limits=Limits(memory=400 * MB))
    assert found.error


def test_pdf_loops() -> None:
    text = b"BT /F 12 Tf 50 700 Td (Loan) Tj ET /X Do"
    form = make.stream(
        text,
        b"/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /XObject << /X 6 0 R >> /Font << /F 5 0 R >> >>",
    )
    assert read(make.pdf([*make.page_objects(make.stream(text)), form])).text
    tree = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 99999999 >>"]
    assert read(make.pdf(tree)).error
    body = make.pdf(make.page_objects(make.stream(text)))
    at = int(body.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    found = read(body.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %d" % at))
    assert found.text or found.error
    assert read(make.pdf([b"2 0 R", b"1 0 R"])).error


def test_time_limit_of_computing() -> None:
    body = b"{\\rtf1 " + b"\\u20013 ?{a}" * 1_500_000 + b"}"
    assert read(body, limits=Limits(cpu_s=1)).error == "time limit of 1 s"


def test_time_limit_of_the_clock() -> None:
    body = b"{\\rtf1 " + b"\\u20013 ?{a}" * 1_500_000 + b"}"
    assert read(body, limits=Limits(wall_s=0.2)).error == "time limit of 0.2 s"


def test_memory_limit() -> None:
    found = read(make.docx(make.paragraph("文字") * 400_000), limits=Limits(memory=260 * MB, ratio=100_000))
    assert "memory" in found.error or "damaged" in found.error


def test_text_is_cut_at_its_limit() -> None:
    found = read("制造业贷款".encode() * 1000, limits=Limits(characters=100))
    assert len(found.text or "") == 100 and "first 100 characters" in found.note


def test_sheet_that_claims_to_be_endless() -> None:
    import io

    import openpyxl

    book = openpyxl.Workbook()
    book.active["A1"] = "真"
    buffer = io.BytesIO()
    book.save(buffer)
    package = make.zipfile.ZipFile(buffer)
    members = {n: package.read(n) for n in package.namelist()}
    sheet = members["xl/worksheets/sheet1.xml"]
    sheet = sheet.replace(b'ref="A1:A1"', b'ref="A1:XFD1048576"').replace(b'ref="A1"', b'ref="A1:XFD1048576"')
    sheet = sheet.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>7</v></c></row></sheetData>')
    members["xl/worksheets/sheet1.xml"] = sheet
    assert (read(make.packed(members)).text or "").startswith("真")


def test_word_file_with_a_piece_table_of_lies() -> None:
    body = bytearray(ole.word_document(["内容" * 50]))
    plc = struct.pack("<II", 0, 101)
    at = bytes(body).index(b"\x02" + struct.pack("<I", 16) + plc) + 5
    body[at + 4 : at + 8] = struct.pack("<I", 0x7FFFFFFF)
    assert read(bytes(body)).error.startswith("damaged")


# ------------------------------------------------------------------------------------------ processes


def test_reader_comes_back_after_its_process_was_killed() -> None:
    assert read(fixture("report.docx")).text
    held = sandbox._held
    assert held is not None
    os.kill(held.process.pid, signal.SIGKILL)
    held.process.wait()
    assert read(fixture("report.docx")).text


def test_no_process_is_left() -> None:
    read(fixture("report.docx"))
    held = sandbox._held
    assert held is not None
    pid = held.process.pid
    sandbox.stop()
    assert not psutil.pid_exists(pid)


def test_helper_ends_when_its_owner_is_killed() -> None:
    code = """
        import os, sys
        from pipelines.attachments import read, sandbox
        read(b"text", "a.txt")
        print(sandbox._held.process.pid, flush=True)
        sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    owner = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    helper = psutil.Process(int(owner.stdout.readline()))
    owner.kill()
    owner.communicate()
    gone, _ = psutil.wait_procs([helper], timeout=30)
    assert gone


def _in_worker(pipe: object) -> None:
    found = read(fixture("notice.pdf"))
    pipe.send((found.text or found.error)[:20])  # type: ignore[attr-defined]


def test_works_inside_a_daemonic_worker() -> None:
    """The processor's workers are daemonic, and such processes may not have children by `multiprocessing`."""
    import multiprocessing

    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    worker = context.Process(target=_in_worker, args=(theirs,), daemon=True)
    worker.start()
    assert ours.poll(120) and ours.recv() == make.source("notice.txt")[:20]
    worker.join(30)
    assert worker.exitcode == 0


def test_child_can_open_neither_files_nor_sockets() -> None:
    code = """
        import os, socket, sys
        from pipelines.attachments import warden
        from pipelines.attachments.limits import DEFAULT
        warden._confine(DEFAULT, False)
        for attempt in (lambda: open("/etc/passwd"), lambda: socket.socket(), lambda: os.system("true")):
            try:
                attempt()
                print("opened")
            except OSError:
                print("refused")
    """
    found = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert found.stdout.split() == ["refused"] * 3


def test_secrets_of_the_environment_stay_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.stop()
    monkeypatch.setenv("CIRCULARWATCH_SMTP_PASSWORD", "secret")
    read(b"text", "a.txt")
    held = sandbox._held
    assert held is not None
    assert "CIRCULARWATCH_SMTP_PASSWORD" not in psutil.Process(held.process.pid).environ()
