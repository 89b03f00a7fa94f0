"""`circularwatch extract FILE` reads files as it reads pages: the file is the document's text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler.cli.extract import command
from tests.pipelines.attachment_files import HERE, packed, source
from tests.web import files

NOTICE = source("notice.txt").split("\n")


def extract(path: Path) -> dict[str, object]:
    result = CliRunner().invoke(command, [str(path), "--url", f"https://files.example.org/{path.name}"])
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("ending", ["pdf", "doc", "docx", "rtf", "odt"])
def test_file_is_the_document(ending: str) -> None:
    found = extract(HERE / f"notice.{ending}")
    assert found["title"] == NOTICE[0]
    assert (found["doc_number"], found["written_on"], found["effective_on"]) == (
        "云政办发〔2025〕18号",
        "2025-06-12",
        "2025-07-01",
    )
    assert NOTICE[9] in str(found["text"])
    assert found["attachments"][0]["error"] == ""  # type: ignore[index]


@pytest.mark.parametrize("name", ["order.ofd", "table.xlsx", "pack.zip"])
def test_made_files(name: str, tmp_path: Path) -> None:
    made = {
        "order.ofd": lambda: files.ofd(NOTICE),
        "table.xlsx": lambda: (HERE / "table.xlsx").read_bytes(),
        "pack.zip": lambda: packed({"通知.docx": files.docx(NOTICE)}),
    }
    path = tmp_path / name
    path.write_bytes(made[name]())
    found = extract(path)
    assert found["text"] and found["attachments"][0]["text"] == found["text"]  # type: ignore[index]


def test_reason_is_shown(tmp_path: Path) -> None:
    found = extract(HERE / "encrypted.pdf")
    assert "attachment not read: encrypted (encrypted.pdf)" in found["remarks"]  # type: ignore[operator]
