"""文号: every form maps to one key, the document's own number is told from cited ones."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from db.documents import Document
from pipelines import identify
from pipelines.recognise import doc_number

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "doc_numbers.jsonl").read_text(encoding="utf-8").splitlines()
]
BRACKETS = ["〔〕", "[]", "【】", "（）", "()", "［］", "〔]", "[〕", "（)", "〔）", "【］", "﹝﹞"]
CODES = [
    "金发",
    "金办发",
    "银发",
    "工信部联企业",
    "工信厅联重装",
    "发改财金规",
    "国办发",
    "财金",
    "财办会",
    "沪金规",
    "国市监标技发",
    "汇发",
    "粤府办",
]
ORDERS = {
    "证监会": ["证监会", "中国证监会", "中国证券监督管理委员会"],
    "商务部": ["商务部", "中华人民共和国商务部"],
    "中国人民银行": ["中国人民银行", "人民银行"],
    "国家发展改革委": ["国家发展改革委", "国家发展和改革委员会", "中华人民共和国国家发展和改革委员会"],
    "金融监管总局": ["金融监管总局", "国家金融监督管理总局"],
}


def _own(where: str, text: str) -> str:
    number = doc_number.own(
        text if where == "field" else "", text if where == "title" else "", text if where == "head" else ""
    )
    return number.text if number else ""


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 150
    assert sum(1 for c in CASES if c["cited"]) >= 35


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['where']}-{c['text'][:24]}")
def test_own_number(case: dict) -> None:
    assert _own(case["where"], case["text"]) == case["own"]


@pytest.mark.parametrize("case", [c for c in CASES if c["cited"]], ids=lambda c: c["text"][:24])
def test_cited_numbers_are_seen_but_not_taken(case: dict) -> None:
    found = [n.text for n in doc_number.find(case["text"])]
    assert set(case["cited"]) <= set(found)
    assert case["own"] not in case["cited"]


@pytest.mark.parametrize("case", [c for c in CASES if c["own"]], ids=lambda c: c["text"][:24])
def test_span_gives_the_number_back(case: dict) -> None:
    for number in doc_number.find(case["text"]):
        again = doc_number.parse(case["text"][number.start : number.end])
        assert again is not None
        assert again.serial == number.serial


def _variant(chance: random.Random, code: str, year: int, serial: int) -> str:
    """One way of writing code〔year〕serial号 that was met on pages."""

    def blank() -> str:
        return chance.choice(["", "", "", " ", "\u3000", "\u00a0", "  "])

    def wide(number: int, digits: int = 0) -> str:
        text = str(number).zfill(digits)
        return "".join(chr(ord(c) + 0xFEE0) for c in text) if chance.random() < 0.3 else text

    pair = chance.choice(BRACKETS)
    head = code
    if chance.random() < 0.15 and len(code) > 3:
        cut = chance.randrange(1, len(code))
        head = code[:cut] + " " + code[cut:]
    nth = chance.choice(["", "", "第"])
    padded = wide(serial, chance.choice([0, 0, 0, 3]))
    return f"{head}{blank()}{pair[0]}{blank()}{wide(year)}{blank()}{pair[1]}{blank()}{nth}{blank()}{padded}{blank()}号"


def test_ten_thousand_variants_have_one_key_each() -> None:
    chance = random.Random(20240416)
    keys: dict[tuple[str, int, int], str] = {}
    for _ in range(10_000):
        code, year, serial = chance.choice(CODES), chance.randrange(2003, 2030), chance.randrange(1, 400)
        variant = _variant(chance, code, year, serial)
        key = doc_number.key(variant)
        assert key, variant
        assert keys.setdefault((code, year, serial), key) == key, variant
    # and different numbers never share one
    assert len(set(keys.values())) == len(keys)


def test_orders_and_announcements_have_one_key_each() -> None:
    chance = random.Random(7)
    keys: dict[tuple[str, str, int, int], str] = {}
    for _ in range(2_000):
        office, kind = chance.choice(list(ORDERS)), chance.choice(["令", "公告"])
        year, serial = chance.randrange(2005, 2030), chance.randrange(1, 300)
        name, gap = chance.choice(ORDERS[office]), chance.choice(["", " ", "\u3000"])
        pair = chance.choice(BRACKETS)
        forms = [
            f"{name}{kind}{gap}{pair[0]}{year}{pair[1]}{gap}第{serial}号",
            f"{name}{kind}{gap}{year}年{gap}第{serial}号",
            f"{name}{kind}{gap}{year}年第 {serial} 号",
        ]
        key = doc_number.key(chance.choice(forms))
        assert key
        assert keys.setdefault((office, kind, year, serial), key) == key
    # serially numbered orders (证监会, 国家发展改革委) are the same in whichever year they are told
    assert len(set(keys.values())) <= len(keys)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026年第41号令", "中华人民共和国国家发展和改革委员会令第41号"),
        ("第41号令", "国家发展改革委令2026年第41号"),
    ],
)
def test_orders_of_one_office_are_one_document(one: str, other: str) -> None:
    def made(number: str) -> str:
        return identify.identity(
            Document(url="https://x.gov.cn/a", kind="circular", doc_number=number, issuers=["国家发展改革委"])
        )

    assert made(one) == made(other)


@pytest.mark.parametrize("text", ["第3号楼", "2026年第一季度", "12345号车厢", "号", "", "〔2026〕号", "令", "公告第"])
def test_what_is_no_number(text: str) -> None:
    assert doc_number.own("", text, text) is None
