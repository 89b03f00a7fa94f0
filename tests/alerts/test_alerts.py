"""From a stored document to a mail that arrived: what it says, to whom, how often."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

import db
from config import ConfigError
from db import immediate
from db.writer import Writer
from pipelines.alerts import hook as matching
from pipelines.alerts.render import link, plain
from pipelines.alerts.rules import check
from pipelines.alerts.sender import send
from tests.alerts.conftest import RULES, Hook, MailServer, Office

HOSTILE = "<script>alert(1)</script>\u202e出口信用保险\u0000新政 & 贷款"
# nine o'clock in Beijing of the day after tomorrow: messages that are queued now are due then, whatever the hour now
MORNING = datetime.combine(datetime.now(UTC).date() + timedelta(days=2), time(1), tzinfo=UTC)


def store(database: Any, config: Any, number: int, title: str, text: str = "正文", **more: Any) -> None:
    """A document as the processor stores it, found by a run that is not the source's first."""
    from db.documents import Document, Processed
    from db.journal import Exchange, apply

    run = more.pop("run", "r2")
    with immediate(database) as connection:
        for name, trigger, started in (
            ("r1", "schedule", "2026-11-01T00:00:00Z"),
            ("r2", "schedule", "2026-11-24T00:00:00Z"),
        ):
            connection.execute(
                "insert or ignore into source_runs(id, source, trigger, started_at, state) values (?, 'nfra', ?, ?, 'done')",
                (name, trigger, started),
            )
    url = f"https://www.nfra.gov.cn/{number}"
    apply(database, [Exchange(fetch_id=number, run=run, source="nfra", kind="document", url=url, entry=url,
                              fetched_at="2026-11-24T10:00:00Z", record_id=f"urn:{number}", archive_file="a", archive_offset=number)])  # fmt: skip
    document = Document(
        id=f"d{number:016x}", identity=f"url:{url}", url=url, canonical_url=url, urls=[url], source="nfra", title=title, text=text,
        language="zh", outlet="金融监管总局", published_on=more.pop("published_on", "2026-11-24"), first_seen_at="2026-11-24T10:00:00Z", **more,
    )  # fmt: skip
    writer = Writer(database, config, [matching.make(config, database)])
    assert writer.store([Processed(number, "nfra", url, document)]).failed == []


@pytest.fixture
def stocked(office: Office) -> Any:
    database = office.database()
    db.sync(database, office.config)
    yield database
    database.close()


def test_a_mail_arrives_with_evidence_and_key(office: Office, stocked: Any, mail: MailServer) -> None:
    from db.documents import Span, TaskLabel

    text = "中国信保扩大承保。出口信用保险覆盖一千家制造企业，保额八亿元。"
    start = text.index("出口信用保险")
    label = TaskLabel("foreign-trade", 0.9, spans=[Span("text", start, start + 6, "出口信用保险", "terms", 1.0)])
    store(stocked, office.config, 1, "信保支持制造业出口", text, tasks=[label], relevant=True, classifier="c1")
    done = send(office.config, stocked, clock=lambda: MORNING)
    assert len(done.sent) == 1
    [message] = mail.mails
    assert message["X-Circularwatch-Key"] == done.sent[0]
    assert "信保支持制造业出口" in str(decoded(message))
    parts = {
        part.get_content_type(): part.get_payload(decode=True).decode()
        for part in message.walk()
        if not part.is_multipart()
    }  # type: ignore[union-attr]
    assert set(parts) == {"text/plain", "text/html"}
    assert "<mark" in parts["text/html"] and "出口信用保险" in parts["text/html"]
    assert "优化制造业外贸金融供给" in parts["text/plain"]
    assert "https://www.nfra.gov.cn/1" in parts["text/html"]
    assert "https://www.nfra.gov.cn/1" in parts["text/plain"]
    assert "中国信保扩大承保" not in parts["text/plain"]


def decoded(message: Any) -> str:
    from email.header import decode_header, make_header

    return str(make_header(decode_header(message["Subject"])))


def test_hostile_titles_are_harmless(office: Office, stocked: Any, mail: MailServer) -> None:
    store(stocked, office.config, 1, HOSTILE)
    send(office.config, stocked, clock=lambda: MORNING)
    html = (
        next(p for p in mail.mails[0].walk() if p.get_content_type() == "text/html").get_payload(decode=True).decode()
    )  # type: ignore[union-attr]
    assert "<script>" not in html and "\u202e" not in html and "\u0000" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "https://a b", 'https://x/"onclick="', "ftp://x/y", "//x"]
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert link(url) == ""


def test_long_titles_are_cut() -> None:
    assert len(plain("字" * 1_000_000)) == 200


def test_a_stored_document_is_told_once(office: Office, stocked: Any, mail: MailServer) -> None:
    store(stocked, office.config, 1, "出口信用保险")
    store(stocked, office.config, 1, "出口信用保险")
    store(stocked, office.config, 2, "农业保险")
    send(office.config, stocked, clock=lambda: MORNING)
    send(office.config, stocked, clock=lambda: MORNING + timedelta(days=1))
    assert len(mail.mails) == 1


def test_a_mail_server_that_refuses_is_tried_again_with_the_same_key(
    office: Office, stocked: Any, mail: MailServer
) -> None:
    store(stocked, office.config, 1, "出口信用保险")
    mail.refuse = 1
    first = send(office.config, stocked, clock=lambda: MORNING)
    assert len(first.failed) == 1 and mail.mails == []
    second = send(office.config, stocked, clock=lambda: MORNING + timedelta(minutes=2))
    assert second.sent == first.failed
    assert mail.mails[0]["X-Circularwatch-Key"] == first.failed[0]


def test_webhook_waits_as_long_as_it_is_told(office: Office, stocked: Any, hook: Hook) -> None:
    store(stocked, office.config, 1, "贷款")
    hook.answers = [(429, {"Retry-After": "3600"})]
    assert len(send(office.config, stocked, clock=lambda: MORNING).failed) == 1
    assert send(office.config, stocked, clock=lambda: MORNING + timedelta(minutes=59)).sent == []
    assert len(send(office.config, stocked, clock=lambda: MORNING + timedelta(minutes=60)).sent) == 1
    assert hook.got[0][0] == hook.got[1][0]
    assert hook.got[1][1]["documents"][0]["title"] == "贷款"


def test_a_webhook_that_is_gone_is_given_up_and_shown(office: Office, stocked: Any, hook: Hook) -> None:
    store(stocked, office.config, 1, "贷款")
    hook.answers = [(410, {})]
    done = send(office.config, stocked, clock=lambda: MORNING)
    assert len(done.dead) == 1
    assert stocked.execute("select state, error from alert_messages where id = ?", done.dead).fetchone() == (
        "dead",
        "the webhook answered 410",
    )


def test_without_a_mail_server_messages_wait_and_the_remedy_is_named(
    office: Office, stocked: Any, mail: MailServer
) -> None:
    del office.env["CIRCULARWATCH_SMTP_URL"]
    store(stocked, office.config, 1, "出口信用保险")
    done = send(office.config, stocked, clock=lambda: MORNING)
    assert "CIRCULARWATCH_SMTP_URL" in done.blocked["mail:desk@example.org"]
    office.env["CIRCULARWATCH_SMTP_URL"] = mail.url
    assert len(send(office.config, stocked, clock=lambda: MORNING).sent) == 1


def test_digest_at_its_local_time_with_what_was_not_covered(
    office: Office, stocked: Any, mail: MailServer, hook: Hook
) -> None:
    store(stocked, office.config, 1, "贷款")
    store(stocked, office.config, 2, "贷款贷款")
    send(office.config, stocked, clock=lambda: MORNING - timedelta(hours=24))  # the digest of the day before
    store(stocked, office.config, 3, "贷款三")
    send(office.config, stocked, clock=lambda: MORNING - timedelta(minutes=31))  # 08:29 in Beijing: not yet
    before = len(mail.mails)
    send(office.config, stocked, clock=lambda: MORNING)  # 09:00
    send(office.config, stocked, clock=lambda: MORNING + timedelta(hours=3))
    digests = [m for m in mail.mails if "digest" in decoded(m)]
    assert (before, len(digests)) == (1, 2)
    text = next(p for p in digests[0].walk() if p.get_content_type() == "text/plain").get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "not covered" in text


def test_a_first_crawl_is_one_summary(office: Office, stocked: Any, mail: MailServer) -> None:
    for number in range(1, 20):
        store(stocked, office.config, number, f"出口信用保险第{number}批", run="r1")
    assert stocked.execute("select distinct reason from alert_matches where rule = 'trade'").fetchall() == [
        ("backfill",)
    ]
    send(office.config, stocked, clock=lambda: MORNING)
    send(office.config, stocked, clock=lambda: MORNING + timedelta(minutes=5))
    assert len([m for m in mail.mails if "Export credit" in decoded(m)]) == 1


def test_a_rule_that_cannot_run_stops_the_start(office: Office, stocked: Any) -> None:
    (office.folder / "config" / "alerts.yaml").write_text(
        RULES.replace("query: 贷款", "query: task:nothing"), encoding="utf-8"
    )
    with pytest.raises(ConfigError, match="there is no task 'nothing'"):
        matching.make(office.config, stocked)


def test_examples_are_run(office: Office) -> None:
    assert check(office.config) == []
    bad = RULES.replace("must_match: [出口信用保险扩面]", "must_match: [农业]\n    must_not_match: [出口信用保险]")
    (office.folder / "config" / "alerts.yaml").write_text(bad, encoding="utf-8")
    assert [str(fault) for fault in check(office.config)] == [
        "rule trade: must_match: '农业' is not found",
        "rule trade: must_not_match: '出口信用保险' is found (by \"出口信用保险\")",
    ]
