"""A configuration folder with rules, a small database, a mail server and a webhook, all on loopback."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

import config
import db

RULES = """
version: 1
channels:
  hook: {kind: webhook, variable: CIRCULARWATCH_CHANNEL_HOOK}
rules:
  - id: trade
    name: Export credit
    query: 出口信用保险 OR "export credit"
    to: [desk@example.org]
    must_match: [出口信用保险扩面]
  - id: hook
    name: Loans by webhook
    query: 贷款
    channels: [hook]
  - id: daily
    name: Loans daily
    query: 贷款
    to: [desk@example.org]
    pace: daily 08:30
"""


@dataclass
class MailServer:
    """A real SMTP server; `refuse` makes it answer 451 so many times."""

    mails: list[Message] = field(default_factory=list)
    refuse: int = 0
    port: int = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuse:
            self.refuse -= 1
            return "451 try again later"
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    # aiosmtpd connects to the port it was given to see that it runs, so port 0 is not for it
    with socket.create_server(("127.0.0.1", 0)) as probe:
        server.port = probe.getsockname()[1]
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    yield server
    controller.stop()


@dataclass
class Hook:
    """A webhook that answers with the statuses it was told, then with 200."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def hook() -> Iterator[Hook]:
    told = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.got.append((self.headers["X-Circularwatch-Key"], body))
            status, headers = told.answers.pop(0) if told.answers else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told.url = f"http://127.0.0.1:{server.server_port}/"
    yield told
    server.shutdown()
    server.server_close()


@dataclass
class Office:
    """A configuration with rules and a database to store documents in."""

    folder: Path
    env: dict[str, str]

    @property
    def config(self) -> config.Config:
        return config.load(self.folder / "config", self.env)

    def database(self) -> Any:
        return db.connect(self.folder / "circularwatch.db")


@pytest.fixture
def office(tmp_path: Path, mail: MailServer, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> Office:
    shutil.copytree(
        Path(config.__file__).parent,
        tmp_path / "config",
        ignore=shutil.ignore_patterns("*.py", "__pycache__", "model", "training"),
    )
    (tmp_path / "config" / "alerts.yaml").write_text(RULES, encoding="utf-8")
    env = {
        "CIRCULARWATCH_DB": str(tmp_path / "circularwatch.db"),
        "CIRCULARWATCH_CONTACT": "watch@example.org",
        "CIRCULARWATCH_SMTP_URL": mail.url,
        "CIRCULARWATCH_CHANNEL_HOOK": hook.url,
    }
    monkeypatch.setenv("CIRCULARWATCH_CHANNEL_HOOK", hook.url)
    return Office(tmp_path, env)
