"""Bodies to text: paragraphs, breaks and tables as lines; what is not the document's is left out, its words never."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.documents import Attachment, Document
from pipelines import clean


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<div><p>一</p><p>二</p></div>", "一\n二"),
        ("<div>one<br/><br/>two<br>three</div>", "one\ntwo\nthree"),
        ("<p>　　为贯彻<b>落实</b>，现通知如下：&nbsp;</p>", "为贯彻落实，现通知如下："),
        ("<p>制造业\n   贷款</p>", "制造业贷款"),
        ("<p>factory\n   loans</p>", "factory loans"),
        ("<p>a<!-- no -->b</p>", "ab"),
        ("<p>利<ruby>率<rt>lǜ</rt></ruby>下调</p>", "利率下调"),
        ("<ul><li>一</li><li>二</li></ul>", "一\n二"),
        ("<p>x\u200b\ufeffy\u00adz</p>", "xyz"),
        ("<p>e\u0301</p>", "é"),
        ("<table><tr><th>科目</th><th>金额</th></tr><tr><td><p>贷款</p></td><td><p>5亿元</p></td></tr></table>", "科目\t金额\n贷款\t5亿元"),
        ("<table><tr><td>甲</td><td></td><td>乙</td></tr></table>", "甲\t乙"),
        ("<table><tr><td><p>一段</p><p>又一段</p></td></tr></table>", "一段\n又一段"),
        ("<table><tr><td><table><tr><td>内</td><td>表</td></tr></table></td></tr></table>", "内\t表"),
        ("<p>见</p><script>var a='贷款';</script><style>.x{}</style><noscript>打开脚本</noscript><p>此</p>", "见\n此"),
        ("<div><p>文</p><p style='display:none'>藏</p><span hidden>匿</span><p style='font-size:0'>零</p></div>", "文"),
        ("<div id='js_content' style='visibility: hidden;'><p>微信正文</p></div>", "微信正文"),
        ("<p>金<font face='x'>发</font><span>〔</span><span>2026</span><span>〕</span>17<span>号</span></p>", "金发〔2026〕17号"),
        ("", ""),
        ("   ", ""),
    ],
)  # fmt: skip
def test_lines(markup: str, text: str) -> None:
    assert clean.to_text(markup) == text


@pytest.mark.parametrize(
    "line",
    [
        "【纠错】【责任编辑：某某】", "【责任编辑:某某】", "责任编辑：某某", "（责编：某某、某某某）", "编辑：某某", "分享让更多人看到", "扫一扫在手机打开当前页",
        "打印本页", "[关闭窗口]", "【 打印 】", "字号：大 中 小", "版权声明：凡本网注明来源的作品，均为本网所有。", "版权所有：某某网", "未经授权，不得转载。",
        "下载客户端", "关注某某公众号", "点击下载附件", "Share this article", "Read more:", "Editor: A. B.", "All rights reserved.", "上一篇：另一件事",
        "[Photo/Xinhua]", "A clerk counts banknotes. [Photo/Agency]", "A view of the plant. Photo: VCG",
    ],
)  # fmt: skip
def test_furniture_goes(line: str) -> None:
    markup = f"<div><p>银行要增加制造业中长期贷款。</p><p>保险公司要提供保障。</p><p>{line}</p></div>"
    assert clean.to_text(markup) == "银行要增加制造业中长期贷款。\n保险公司要提供保障。"


@pytest.mark.parametrize(
    "line",
    [
        "银行应当与客户分享到期提醒，编辑：部门应当及时更新台账并保存影像资料，不得以任何理由延期报送有关材料，违者按规定处理，情节严重的移送司法机关。",
        "打印设备制造企业可以申请设备更新贷款。", "关闭窗口期为三个月，期满恢复受理。", "版权质押贷款余额增长两成。", "The editor of the list is the ministry.",
        "联系电话：010-12345678", "附件：1.项目清单", "财政部办公厅", "2026年9月17日", "图为先导，数为支撑。",
    ],
)  # fmt: skip
def test_sentences_that_only_look_like_furniture_stay(line: str) -> None:
    assert clean.to_text(f"<div><p>{line}</p><p>正文继续。</p></div>").startswith(line)


def test_captions_go_by_their_element_and_by_their_place() -> None:
    markup = (
        "<div><img src='a.jpg'><p class='picture'>工人在车间作业。</p><p>正文一。</p>"
        "<p><img src='b.jpg'></p><p>图为某厂车间。某某 摄</p><p>正文二。</p><figure><img><figcaption>说明</figcaption></figure></div>"
    )
    assert clean.to_text(markup) == "正文一。\n正文二。"


def test_boxes_of_buttons_and_related_links_go() -> None:
    body = "<p>" + "银行要增加制造业中长期贷款。" * 10 + "</p>"
    boxes = "<div class='share'>微信 微博</div><div class='related-news'><a>另一件事</a></div><div id='articleEdit'>【纠错】</div>"
    assert clean.to_text(f"<div>{body}{boxes}</div>") == "银行要增加制造业中长期贷款。" * 10


def test_a_box_that_is_the_text_stays() -> None:
    assert clean.to_text("<div class='share-content'><p>全部正文在此。</p></div>") == "全部正文在此。"


def test_headlines_under_related_go() -> None:
    markup = "<div><p>正文。</p><p>相关链接：</p><p><a>别的新闻</a></p><p><a>又一条</a></p></div>"
    assert clean.to_text(markup) == "正文。"


def test_the_title_is_not_repeated() -> None:
    assert clean.to_text("<div><h3>关于某事的通知</h3><p>正文。</p></div>", title="关于某事的 通知") == "正文。"


def test_nested_ten_thousand_deep() -> None:
    assert "深" in clean.to_text("<div>" * 10_000 + "深" + "</div>" * 10_000)


WORDS = (
    st.text(alphabet="制造业贷款余额增长银行保险，。abcdefg 12", min_size=1, max_size=30).map(str.strip).filter(bool)
)


@given(paragraphs=st.lists(WORDS, min_size=1, max_size=8))
def test_every_word_stays_and_none_is_added(paragraphs: list[str]) -> None:
    markup = "<div>" + "".join(f"<p>{p}</p>" for p in paragraphs) + "</div>"
    assert clean.to_text(markup) == "\n".join(re.sub(r" +", " ", p) for p in paragraphs)


@given(rows=st.lists(st.lists(WORDS, min_size=2, max_size=4), min_size=1, max_size=5))
def test_tables_keep_every_cell(rows: list[list[str]]) -> None:
    markup = "<table>" + "".join("<tr>" + "".join(f"<td>{c}</td>" for c in r) + "</tr>" for r in rows) + "</table>"
    assert clean.to_text(markup) == "\n".join("\t".join(re.sub(r" +", " ", c) for c in r) for r in rows)


@pytest.mark.parametrize(
    ("text", "files", "stub"),
    [
        ("《规定》已经审议通过，现予公布，自2026年7月1日起施行。", 1, True), ("《规定》已经审议通过，现予公布，自2026年7月1日起施行。", 0, False),
        ("", 1, True), ("你公司应按照有关规定及时办理变更事宜，核准你公司修改后的章程。", 1, False), ("现将方案印发给你们，请认真贯彻执行。" + "段" * 500, 1, False),
    ],
)  # fmt: skip
def test_stub(text: str, files: int, stub: bool) -> None:
    document = Document(text=text, attachments=[Attachment(url=f"https://a.cn/{n}.pdf") for n in range(files)])
    assert clean.is_stub(document) is stub


@pytest.mark.parametrize("depth", [3, 400])
def test_cells_in_cells_give_every_word_once(depth: int) -> None:
    """Broken pages nest cells by the thousand (a `div` between them keeps the parser from closing them)."""
    inner = "".join(f"<tr><td>格{i}<div><tr><td>子{i}<div>" for i in range(depth))
    text = clean.to_text(f"<table><tr><td>甲</td><td>乙</td></tr>{inner}</table>")
    assert all(len(re.findall(rf"[格子]{i}(?!\d)", text)) == 2 for i in range(depth))
    assert len(text) < 20 * depth + 20


def test_a_text_where_the_headline_should_be_is_cut_and_that_is_said() -> None:
    document = Document(title="金发〔2026〕1号文件" * 200, author="甲" * 300)
    source = SimpleNamespace(article=SimpleNamespace(text_strip=()))
    clean.stage(document, SimpleNamespace(scratch={"body": "<p>正文。</p>"}, source=source))
    assert len(document.title) == 1000 and len(document.author) == 300
    assert document.remarks == ["the title on the page has 2400 characters: only the first 1000 were kept"]
