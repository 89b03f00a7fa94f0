"""Offices: joint ones in order, former names, bureaus apart from authorities, level and region."""

from __future__ import annotations

import pytest

from pipelines.recognise import issuers, level_region

NFRA = "国家金融监督管理总局"


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("国家金融监督管理总局 工业和信息化部 国家发展改革委关于加强供应链金融的通知", [NFRA, "工业和信息化部", "国家发展改革委"]),
        ("财政部、税务总局关于延长抵扣期的公告", ["财政部", "税务总局"]),
        ("财政部税务总局关于延长抵扣期的公告", ["财政部", "税务总局"]),
        ("工业和信息化部办公厅 财政部办公厅关于开展试点的通知", ["工业和信息化部办公厅", "财政部办公厅"]),
        ("中国人民银行等八部门关于金融支持服务业的意见", ["中国人民银行"]),
        ("上海市人民政府办公厅关于印发行动方案的通知", ["上海市人民政府办公厅"]),
        ("国家金融监督管理总局上海监管局关于做好信贷工作的通知", ["国家金融监督管理总局上海监管局"]),
        ("国务院关于修改部分行政法规的决定", ["国务院"]),
        ("关于做好信贷工作的通知", []),
        ("制造业企业关于贷款难的反映", []),
        ("银行如何看待关于首贷的新规", []),
    ],
)  # fmt: skip
def test_in_title(title: str, names: list[str]) -> None:
    assert issuers.in_title(title) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("正文。\n国家金融监督管理总局　工业和信息化部\n国家发展改革委\n2024年4月3日", [NFRA, "工业和信息化部", "国家发展改革委"]),
        ("正文。\n财　政　部\n2026年4月3日", ["财政部"]),
        ("正文。\n中国人民银行公开市场业务操作室\n二〇二五年五月七日", ["中国人民银行公开市场业务操作室"]),
        ("正文。\n国家金融监督管理总局2026年4月20日", [NFRA]),
        ("正文。\n工业和信息化部办公厅（代章）\n2026年4月3日\n附件：名单", ["工业和信息化部办公厅"]),
        ("正文。\n主任：某某某\n2026年3月18日", []),
        ("会议于昨日召开。\n2026年3月18日", []),
    ],
)  # fmt: skip
def test_in_signature(text: str, names: list[str]) -> None:
    assert issuers.in_signature(text) == names


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("金融监管总局 商务部", ["金融监管总局", "商务部"]),
        ("中国人民银行 金融监管总局 中国证监会 国家发展改革委", ["中国人民银行", "金融监管总局", "中国证监会", "国家发展改革委"]),
        ("财政部；海关总署；税务总局", ["财政部", "海关总署", "税务总局"]),
        ("科技部", ["科技部"]),
        ("中华人民共和国工业和信息化部", ["工业和信息化部"]),
        ("浙江省财政厅 中国人民银行浙江省分行", ["浙江省财政厅", "中国人民银行浙江省分行"]),
    ],
)  # fmt: skip
def test_field_of_joint_issuers(field: str, names: list[str]) -> None:
    assert issuers.names_in(field) == names


@pytest.mark.parametrize(
    ("name", "official"),
    [
        ("银保监会", NFRA), ("中国银保监会", NFRA), ("中国银行保险监督管理委员会", NFRA), ("银监会", NFRA), ("保监会", NFRA), ("金融监管总局", NFRA),
        ("发展改革委", "国家发展和改革委员会"), ("国家发展改革委", "国家发展和改革委员会"), ("国家发改委", "国家发展和改革委员会"),
        ("工信部", "工业和信息化部"), ("人民银行", "中国人民银行"), ("证监会", "中国证券监督管理委员会"), ("科技部", "科学技术部"),
        ("银保监会办公厅", f"{NFRA}办公厅"), ("丰屿监管分局", f"{NFRA}丰屿监管分局"), ("上海金融监管局", f"{NFRA}上海监管局"),
        ("市场监管局", "市场监管局"), ("义乌市人民政府", "义乌市人民政府"),
    ],
)  # fmt: skip
def test_canonical(name: str, official: str) -> None:
    assert issuers.canonical(name) == official


@pytest.mark.parametrize("name", ["银保监会", "中国银保监会", "保监会"])
def test_bodies_that_are_gone_lead_to_their_successor(name: str) -> None:
    assert issuers.current(name) == NFRA


@pytest.mark.parametrize("name", ["国家发展改革委", "科技部", "税务总局"])
def test_what_a_living_office_calls_itself_stays(name: str) -> None:
    assert issuers.current(name) == name


@pytest.mark.parametrize("name", ["金融机构准入司", "法规司", "办公厅", "财产保险监管司（再保险监管司）", "综合处"])
def test_departments_are_no_issuers(name: str) -> None:
    assert issuers.is_department(name)


@pytest.mark.parametrize("name", ["全部", "干部", "格局", "布局", "我部", "各市场监管局负责人说"])
def test_words_that_only_end_like_offices(name: str) -> None:
    assert not issuers.is_office(name)


@pytest.mark.parametrize(
    ("name", "level", "region"),
    [
        (NFRA, "central", ""), ("国家发展改革委", "central", ""), ("财政部办公厅", "central", ""), ("中国人民银行公开市场业务操作室", "central", ""),
        ("国家金融监督管理总局上海监管局", "provincial", "上海"), ("上海金融监管局", "provincial", "上海"),
        ("国家金融监督管理总局宁波监管局", "provincial", "宁波"), ("国家金融监督管理总局温州监管分局", "municipal", "温州"),
        ("中国人民银行浙江省分行", "provincial", "浙江"), ("浙江省财政厅", "provincial", "浙江"), ("广东省人民政府办公厅", "provincial", "广东"),
        ("深圳市工业和信息化局", "municipal", "深圳"), ("浙江省杭州市人民政府", "municipal", "杭州"), ("义乌市人民政府", "municipal", "义乌"),
        ("上海证券交易所", "institution", ""), ("国家开发银行", "institution", ""), ("江苏银行股份有限公司", "institution", "江苏"),
        ("银保监会", "central", ""),
    ],
)  # fmt: skip
def test_level_and_region(name: str, level: str, region: str) -> None:
    assert level_region.of([name]) == (level, region)


@pytest.mark.parametrize(
    ("host", "name"),
    [("www.nfra.gov.cn", NFRA), ("jrs.mof.gov.cn", "财政部"), ("www.pbc.gov.cn", "中国人民银行"), ("xiamen.pbc.gov.cn", ""), ("www.example.org", "")],
)  # fmt: skip
def test_owner_of_a_host(host: str, name: str) -> None:
    assert issuers.by_host(host) == name


def test_every_entry_of_the_list_is_whole() -> None:
    names = [n for o in issuers.offices() for n in (*o.names, *o.former)]
    assert len(names) == len(set(names))
    assert all(o.level in ("central", "institution") for o in issuers.offices())
