"""Kind, language, index number; outlet and byline; first-hand page against reprint, with the original's outlet and day."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.recognise import index_number, kind, language, outlet


@pytest.mark.parametrize(
    ("title", "source_type", "number", "wanted"),
    [
        ("关于加强制造业中长期贷款的通知", "regulator", "金发〔2026〕17号", "circular"),
        ("科学技术部令第24号 科研失信调查规定", "regulator", "科学技术部令第24号", "circular"),
        ("《电网安全管理规定》 2026年第41号令", "regulator", "2026年第41号令", "circular"),
        ("关于公开征求《保险资金办法（征求意见稿）》意见的通知", "regulator", "", "draft"),
        ("《设备更新贷款贴息办法》政策解读", "regulator", "", "interpretation"),
        ("有关负责人就内贸险通知答记者问", "regulator", "", "interpretation"),
        ("丰屿监管分局行政处罚信息公开表（丰金罚决字〔2026〕31号）", "regulator", "丰金罚决字〔2026〕31号", "penalty"),
        ("关于某理财公司修改章程的批复", "regulator", "金复〔2026〕220号", "notice"),
        ("公开市场业务交易公告 [2026]第190号", "regulator", "公开市场业务交易公告〔2026〕第190号", "notice"),
        ("2026年第一季度金融机构贷款投向统计报告", "regulator", "", "data"),
        ("2026年9月份制造业采购经理指数运行情况", "statistics", "", "data"),
        ("在制造业金融论坛上的致辞", "regulator", "", "speech"),
        ("监管部门召开座谈会", "regulator", "", "news"),
        ("国家开发银行发放首笔设备更新贷款", "policy-bank", "", "bank action"),
        ("工商银行落地首单首台套保险贷款", "media", "", "bank action"),
        ("建设银行与三家船厂签约", "media", "", "bank action"),
        ("PMI回升说明了什么", "media", "", "news"),
        ("八部门将出台新方案", "media", "", "news"),
        ("ICBC launches equipment loans for loom makers", "media", "", "bank action"),
        ("China seeks public comments on insurance fund rules", "media", "", "draft"),
        ("Bank fined for diverted factory loans", "media", "", "penalty"),
        ("Explainer: what the relending quota means", "media", "", "interpretation"),
        ("Factories find cheaper money", "media", "", "news"),
    ],
)  # fmt: skip
def test_kind(title: str, source_type: str, number: str, wanted: str) -> None:
    assert kind.of(title, "正文" * 100, source_type=source_type, doc_number=number) == wanted


def test_a_circular_of_a_provincial_bureau_is_a_local_rule() -> None:
    assert kind.of("关于做好信贷工作的通知", "", source_type="regulator", level="provincial") == "local rule"


def test_a_reprinted_circular_stays_one() -> None:
    assert kind.of("关于做好信贷工作的通知", "", source_type="media", doc_number="金发〔2026〕17号") == "circular"


@pytest.mark.parametrize(
    ("title", "text", "wanted"),
    [
        ("制造业贷款", "余额增长", "zh"), ("Factory loans", "rose 5 percent", "en"), ("PBoC公告", "中国人民银行今天宣布", "zh"),
        ("NFRA (国家金融监督管理总局) notice", "The regulator told banks to lend more to factories.", "en"), ("2026", "12.5%", "zh"),
    ],
)  # fmt: skip
def test_language(title: str, text: str, wanted: str) -> None:
    assert language.of(title, text, "zh") == wanted


@pytest.mark.parametrize(
    ("field", "text", "wanted"),
    [
        ("000014349/2026-00074", "", "000014349/2026-00074"), (" 717804719 / 2026-309 ", "", "717804719/2026-309"), ("30650-2026-001", "", "30650-2026-001"),
        ("０００014349／2026－00074", "", "000014349/2026-00074"), ("无", "", ""), ("", "索 引 号：717804719/2026-301\n正文", "717804719/2026-301"), ("", "正文", ""),
    ],
)  # fmt: skip
def test_index_number(field: str, text: str, wanted: str) -> None:
    assert index_number.of(field, text) == wanted


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("来源：新华网", "新华网"), ("来源：新华网 国际军情", "新华网"), ("文章来源：规划局 　　发布时间：2025-06-06", "规划局"), ("来 源： 财政部网站", "财政部网站"),
        ("来源：人民网 原创稿", "人民网"), ("财产保险监管司（再保险监管司）", "财产保险监管司（再保险监管司）"), ("Source: Xinhua", "Xinhua"), ("2026-09-28", ""), ("无", ""),
        ("来源：证券时报 作者：某某", "证券时报"),
    ],
)  # fmt: skip
def test_outlet(raw: str, wanted: str) -> None:
    assert outlet.clean(raw) == wanted


@pytest.mark.parametrize(
    ("raw", "author", "named"),
    [
        ("By Ann Li and Bo Wu", "Ann Li and Bo Wu", ""), ("By Xinhua ", "Xinhua", "Xinhua"), ("ByTrulyNews", "TrulyNews", ""),
        ("By ANN LI | China Daily | Updated: 2026-07-13 09:19", "ANN LI", "China Daily"), ("By Ann Li in Suzhou, Jiangsu", "Ann Li", ""),
        ("China Daily", "", ""), ("", "", ""),
    ],
)  # fmt: skip
def test_byline(raw: str, author: str, named: str) -> None:
    assert outlet.byline(raw) == (author, named)


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("新华社某市9月15日电（记者甲一丙 乙二）据报道", "甲一丙 乙二"), ("本报讯（记者 甲一丙）昨日", "甲一丙"), ("报道内容。（编译/林某某）", "林某某"),
        ("正文内容很长。\n作者︱春某", "春某"), ("没有署名的文章。", ""),
    ],
)  # fmt: skip
def test_author_in_text(text: str, who: str) -> None:
    assert outlet.author_in_text(text) == who


def test_the_event_is_five_days_before_the_reprint() -> None:
    text = "China will do more for factories, according to a circular unveiled on Tuesday.\nIt names key tasks."
    assert outlet.origin(text, date(2024, 4, 21), "", "Truly News").on == date(2024, 4, 16)


@pytest.mark.parametrize(
    ("text", "published", "on", "who"),
    [
        ("新华社北京4月16日电（记者某某）三部门发布通知。", date(2024, 4, 17), date(2024, 4, 16), "新华社"),
        ("中新网4月16日电 三部门发布通知。", date(2024, 11, 23), date(2024, 4, 16), "中新网"),
        ("新华社北京12月30日电 三部门发布通知。", date(2025, 1, 2), date(2024, 12, 30), "新华社"),
        ("4月16日，金融监管总局等三部门联合印发《关于某事的通知》。", date(2024, 4, 18), date(2024, 4, 16), ""),
        ("BEIJING, April 16 (Xinhua) -- Regulators told banks", date(2024, 4, 17), date(2024, 4, 16), "Xinhua"),
        ("The guideline was jointly issued by seven departments on August 5.", date(2025, 8, 6), date(2025, 8, 5), ""),
    ],
)  # fmt: skip
def test_day_and_outlet_of_the_original(text: str, published: date, on: date, who: str) -> None:
    found = outlet.origin(text, published, "", "某某网")
    assert (found.on, found.outlet) == (on, who)


def test_a_dateline_that_contradicts_the_page_is_told() -> None:
    found = outlet.origin("中新网4月16日电 三部门发布通知。", date(2024, 11, 23), "", "某某网")
    assert "2024-04-16" in found.remark
    assert "2024-11-23" in found.remark


def test_the_sites_own_name_is_no_origin() -> None:
    assert outlet.origin("正文", date(2026, 9, 15), "新华社", "新华网").outlet == ""
    assert outlet.origin("正文", date(2026, 9, 15), "新华社", "人民网").outlet == "新华社"


@pytest.mark.parametrize(
    ("text", "who"),
    [("本文转载自《某某时报》。正文", "某某时报"), ("Body text. (Source: China Daily)", "China Daily"), ("正文，来源于生活。", "")],
)  # fmt: skip
def test_reprint_notes(text: str, who: str) -> None:
    assert outlet.origin(text, None, "", "某某网").outlet == who
