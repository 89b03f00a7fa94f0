"""Makes a database of N stored documents, quickly and always the same, for benchmarks and for tests that need many rows.

Texts are strings of common words with terms of the taxonomy among them, seven of ten in Chinese; every label has a span
that gives its quote. Written straight into the tables (the stages and the writer have benchmarks of their own), and
indexed as the writer does it.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlite_utils import Database

import config
import db
from db.connection import immediate

TODAY = date(2026, 11, 26)
BATCH = 2_000
DAYS = 900
_ZH = (
    "企业 发展 工作 服务 支持 推进 加强 建设 管理 经济 市场 项目 政策 资金 投资 增长 技术 创新 产业 改革 国家 地方 部门 机构 银行 客户 "
    "产品 业务 风险 监管 质量 标准 平台 数据 信息 系统 能力 水平 规模 结构 需求 供给 成本 收入 价格 利率 期限 额度 审批 流程 材料 设备 "
    "工厂 车间 工人 工程 城市 农村 区域 园区 港口 交通 能源 电力 环境 绿色 低碳 数字 智能 机器 汽车 船舶 钢铁 化工 纺织 食品 医药 电子 "
    "出口 进口 贸易 海外 订单 合同 保险 理赔 保费 债券 股权 基金 担保 信用 评级 贷款 融资 存款 余额 比例 同比 环比 季度 年度 今年 去年 "
    "目前 近日 同时 此外 其中 通过 实现 完善 提高 扩大 促进 落实 探索 开展 组织 协调 指导 鼓励 引导 会议 负责人 记者 表示 介绍 了解 认为"
)
_EN = (
    "the of and to in for on with as by from at is was are has have will that this its their more new bank banks loan loans credit "
    "company companies factory factories industry industrial manufacturing market growth policy support project projects investment "
    "capital funds insurance export exports trade orders rate rates term quarter year billion yuan million percent province city "
    "officials ministry regulator plan measures equipment technology green digital smart energy cars ships steel chemicals semiconductor "
    "suppliers chain small firms lending balance rose fell said told reporters according data report annual national local foreign"
)
ZH, EN = _ZH.split(), _EN.split()
KINDS = (
    "news",
    "news",
    "news",
    "news",
    "circular",
    "notice",
    "interpretation",
    "local rule",
    "data",
    "speech",
    "draft",
)
LEVELS = ("central", "provincial", "municipal", "institution", "")
REGIONS = ("", "", "", "浙江省", "广东省", "江苏省", "湖北省", "重庆市", "上海市")
ISSUERS = ("国家金融监督管理总局", "工业和信息化部", "国家发展改革委", "中国人民银行", "财政部", "商务部")


@dataclass(slots=True)
class _Made:
    """One document in the making: its text, and (kind, ref, measure, start, end, quote) of what was put into it."""

    text: str
    spans: list[tuple[str, str, str, int, int, str]]


def build(
    path: Path,
    documents: int,
    *,
    seed: int = 1,
    today: date = TODAY,
    runs_per_day: int = 6,
    run_days: int = 84,
    say: Callable[[str], None] | None = None,
) -> Database:
    """An open database at `path` with that many documents, of the days up to `today`, and the runs that brought them."""
    house = config.load()
    database = db.connect(path)
    db.sync(database, house)
    sources = [s.id for s in house.sources.values() if s.enabled]
    terms = _terms(house)
    chance = random.Random(seed)
    _runs(database, sources, today, runs_per_day, run_days, chance)
    for start in range(1, documents + 1, BATCH):
        with immediate(database) as conn:
            for pk in range(start, min(start + BATCH, documents + 1)):
                _document(conn, pk, documents, chance, sources, terms, today)
        if say and (start - 1) % (10 * BATCH) == 0:
            say(f"corpus: {start - 1 + min(BATCH, documents):,} of {documents:,} documents")
    database.execute("analyze")
    return database


def _terms(house: Any) -> dict[str, list[tuple[str, str, str]]]:
    """language -> (task, measure, term): one list, from which labels are drawn."""
    found: dict[str, list[tuple[str, str, str]]] = {"zh": [], "en": []}
    for task in house.taxonomy.tasks:
        for measure, owner in (("", task), *((m.id, m) for m in task.measures)):
            for lang in found:
                found[lang] += [(task.id, measure, term) for term in getattr(owner.terms, lang)[:8] if "*" not in term]
    return found


def _runs(database: Database, sources: list[str], today: date, per_day: int, days: int, chance: random.Random) -> None:
    rows = []
    for number, source in enumerate(sources):
        for day in range(days):
            if chance.random() < 0.02:
                continue
            for hour in range(per_day):
                at = datetime.combine(today - timedelta(days=day), datetime.min.time()) + timedelta(
                    hours=hour * 24 // per_day, minutes=number
                )
                if day == 0 and hour:
                    continue
                bad = chance.random() < 0.03
                rows.append({
                    "id": f"{at:%Y%m%dT%H%M%SZ}-{source}", "source": source, "trigger": "schedule",
                    "started_at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "finished_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                    "state": "done", "outcome": "timeout" if bad else "ok", "reason": "no answer came in 60 s" if bad else "",
                    "list_rows": 0 if bad else 20, "seen": 20, "new": 0 if bad else chance.choice((0, 0, 1, 3)),
                })  # fmt: skip
    with immediate(database):
        database.table("source_runs").insert_all(rows, batch_size=500)


def _sentence(chance: random.Random, lang: str, length: int) -> str:
    if lang == "zh":
        return "".join(chance.choices(ZH, k=length)) + "。"
    words = chance.choices(EN, k=length)
    return words[0].capitalize() + " " + " ".join(words[1:]) + ". "


def _make(chance: random.Random, lang: str, labels: list[tuple[str, str, str]]) -> _Made:
    text, spans = "", []
    pieces = chance.randint(6, 24)
    places = sorted(chance.sample(range(pieces), min(len(labels), pieces)))
    waiting = list(labels)
    for piece in range(pieces):
        if piece in places and waiting:
            task, measure, term = waiting.pop()
            head = (
                "".join(chance.choices(ZH, k=4))
                if lang == "zh"
                else " ".join(chance.choices(EN, k=5)).capitalize() + " "
            )
            start = len(text) + len(head)
            text += head + term + ("，" if lang == "zh" else ", ")
            spans.append(("task", task, measure, start, start + len(term), term))
        text += _sentence(chance, lang, chance.randint(6, 16))
        if piece % 4 == 3:
            text += "\n"
    return _Made(text, spans)


def _document(
    conn: Any, pk: int, total: int, chance: random.Random, sources: list[str], terms: Any, today: date
) -> None:
    lang = "zh" if chance.random() < 0.7 else "en"
    relevant = chance.random() < 0.55
    labels = chance.sample(terms[lang], chance.randint(1, 3)) if relevant else []
    made = _make(chance, lang, labels)
    title = _sentence(chance, lang, 5 if lang == "zh" else 8).strip("。. ")
    day = today - timedelta(days=int(DAYS * (1 - pk / total) ** 1.2))
    source, id_ = chance.choice(sources), "d" + hashlib.sha256(str(pk).encode()).hexdigest()[:16]
    url = f"https://{source.replace('_', '-')}.example/{pk}.html"
    seen = f"{day.isoformat()}T{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:00Z"
    kind = chance.choice(KINDS)
    number = f"金发〔{day.year}〕{pk}号" if kind == "circular" else ""
    row = {
        "pk": pk, "id": id_, "identity": f"url:{url}", "url": url, "canonical_url": url, "source": source, "kind": kind,
        "title": title, "text": made.text, "language": lang, "outlet": source, "firsthand": int(kind == "circular"),
        "published_at": seen, "published_on": day.isoformat(), "published_precision": "minute", "first_seen_at": seen,
        "doc_number": number, "issuers": json.dumps(chance.sample(ISSUERS, 2) if number else [], ensure_ascii=False),
        "level": chance.choice(LEVELS), "region": chance.choice(REGIONS), "relevant": int(relevant),
        "relevance": round(chance.uniform(0.55, 1) if relevant else chance.uniform(0, 0.5), 3), "classifier": "bench",
        "deadline_on": (day + timedelta(days=40)).isoformat() if kind == "draft" else None, "fetch": pk,
        "explanation": json.dumps({"relevance": {"score": 0.8, "threshold": 0.55, "relevant": relevant}}),
    }  # fmt: skip
    _insert(conn, "documents", row)
    _insert(conn, "document_urls", {
        "canonical_url": url, "url": url, "document": pk, "source": source, "firsthand": row["firsthand"], "title": title,
        "published_on": row["published_on"], "first_seen_at": seen, "fetch": pk,
    })  # fmt: skip
    for place, (kind_, ref, measure, start, end, quote) in enumerate(made.spans):
        label = {"document": pk, "task": ref, "measure": measure, "classifier": "bench", "score": 0.9 - place / 10,
                 "is_primary": int(place == 0)}  # fmt: skip
        _insert(conn, "document_tasks", label, "or ignore ")
        span = {"document": pk, "kind": kind_, "ref": ref, "measure": measure, "field": "text", "start": start, "end": end,
                "reader": "terms", "classifier": "bench", "quote": quote, "weight": 0.9}  # fmt: skip
        _insert(conn, "document_spans", span, "or ignore ")


def _insert(conn: Any, table: str, row: dict[str, Any], how: str = "") -> None:
    conn.execute(f"insert {how}into {table}({', '.join(row)}) values ({', '.join('?' * len(row))})", list(row.values()))
