"""The pages say what is in the database, in both languages: ledger, task, document, search, sources, about."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest

from db.connection import immediate
from db.search.language import parse
from tests.db import shelf
from tests.db.shelf import document, file, get, page

ROOT = Path(__file__).parents[2] / "db" / "datasette"
TRADE = "foreign-trade/export-credit-insurance"


class Links(HTMLParser):
    """Every link, mark and class of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.marks: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if "href" in found:
            self.hrefs.append(found["href"] or "")
        if tag == "mark":
            self._open.append(found.get("class") or "")
            self.marks.append((" ".join((found.get("class") or "").split()), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "mark":
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open:
            self.marks[-1] = (self.marks[-1][0], self.marks[-1][1] + data)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("pages") / "shelf.db"
    one = document(
        1, "关于出口信用保险的通知", "一、扩大出口信用保险覆盖面。二、设备更新贷款由银行发放。自2026年12月1日起施行。",
        {TRADE: "出口信用保险", "industrial-upgrading": "设备更新贷款"}, kind="circular", doc_number="金发〔2026〕9号",
        issuers=["国家金融监督管理总局", "商务部"], level="central", firsthand=True, effective_on="2026-12-01",
    )  # fmt: skip
    one.findings = [shelf.finding(one, "effective_on", "2026-12-01", "自2026年12月1日起施行")]
    one.attachments = [file("附件正文：出口信用保险费率表。"), file(None, "attachment not read: encrypted", "b.pdf")]
    one.tasks[0].spans.append(shelf.span(one, "出口信用保险", "attachment:0"))
    two = document(2, "Banks lend for equipment renewal", "The bank gives equipment renewal loans. It likes factories.",
                   {"industrial-upgrading": "equipment renewal"}, language="en", source="xinhua_en", outlet="Xinhua",
                   published_on="2026-11-10", published_at="2026-11-10T01:00:00Z")  # fmt: skip
    three = document(3, "國家隊出手", "銀行貸款利率下降。", None, published_on="2026-11-24")
    # more words in the newest sentence; the number belongs to the same circular elsewhere
    again = document(4, "关于出口信用保险的通知（转载）", one.text, {TRADE: "出口信用保险"}, doc_number="金发〔2026〕9号",
                     source="xinhua_zh", url="https://reprint.example/4")  # fmt: skip
    one.identity = again.identity = "doc:金发〔2026〕9号|国家金融监督管理总局"
    one.id = again.id = "d00000000000000aa"
    database = shelf.shelf(where, [one, two, three, again])
    shelf.watched(database, 30)
    with immediate(database) as conn:
        conn.execute("delete from source_runs where source = 'caixin_zh'")
        conn.execute("delete from source_days where source = 'caixin_zh'")
    shelf.run(database, "caixin_zh", "2026-11-20T00:00:00Z", list_rows=5, new=2)
    shelf.run(database, "caixin_zh", "2026-11-26T02:00:00Z", outcome="timeout", reason="no answer came in 60 s")
    database.close()
    return where


EVERY = ("/", "/task/foreign-trade", "/task/insurance-funds", "/document/d00000000000000aa", "/document/d00000000000000aa/file/0",
         "/search", "/search?q=" + quote("贷款"), "/search?q=%28", "/sources", "/sources/caixin_zh", "/sources/cdb_news",
         "/questions", "/questions/newest_circulars", "/about")  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("address", EVERY)
def test_every_page_is_there_in_both_languages(path: Path, address: str, lang: str) -> None:
    (answer,) = get(path, address, headers={"accept-language": f"{lang};q=0.9, fr"})
    assert answer.status_code == 200, answer.text[-800:]
    assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}">' in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "script" not in answer.headers["content-security-policy"]
    assert "<script" not in answer.text and "style=" not in answer.text
    assert {part.strip().lower() for part in answer.headers["vary"].split(",")} >= {"accept-language", "cookie"}
    assert not re.search(r"[{}]|Undefined|None<", re.sub(r"<pre>.*?</pre>", "", answer.text, flags=re.DOTALL))
    # nothing is fetched from elsewhere
    assert not re.search(r'(?:src|srcset|data|action)="https?:', answer.text)
    assert not re.search(r'<link[^>]+href="https?:', answer.text)


def test_the_language_can_be_chosen_and_is_remembered(path: Path) -> None:
    asked, kept = get(path, "/?hl=zh", "/about")
    assert "任务台账" in asked.text and "cw_lang=zh" in asked.headers["set-cookie"]
    assert "About and coverage" in kept.text
    (again,) = get(path, "/about", headers={"cookie": "cw_lang=zh", "accept-language": "en"})
    assert "说明与观察范围" in again.text


def test_every_sentence_that_a_template_says_exists_and_every_one_that_exists_is_said() -> None:
    from db.datasette.words import Words

    words = Words.load(ROOT / "words.yaml")
    code = "".join(p.read_text("utf-8") for p in [*ROOT.rglob("*.html"), *ROOT.rglob("*.py")])
    said = set(re.findall(r"""\bt\(\s*["']([a-z_0-9]+)["']""", code)) | set(
        re.findall(r'Refused\(\d+, "([a-z_]+)"', code)
    )
    assert {key for key in said if not key.endswith("_")} <= words.sentences.keys()
    quoted = set(re.findall(r"""["']([a-z_0-9]+)["']""", code))
    built = {k for k in words.sentences if k.startswith(("nav_", "filter_"))}
    assert not [k for k in words.sentences if k not in quoted and k not in built]


def test_the_ledger_tells_this_week_from_the_month_and_shows_the_newest_words(path: Path) -> None:
    text = page(path, "/")
    row = re.search(r'<tr class="some">(?:(?!</tr>).)*foreign-trade.*?</tr>', text, re.DOTALL)
    assert row
    assert "金发" not in row.group() and "测试社" in row.group() and "2026-11-25" in row.group()
    assert '<mark class="mevidence ">出口信用保险</mark>' in row.group()
    numbers = re.findall(r'<td class="n[^>]*>(?:<span[^>]*>)?([^<]*)', row.group())
    assert numbers == ["1", "0", "1", "1"]


def test_no_evidence_is_told_from_not_watched(tmp_path: Path) -> None:
    empty = shelf.shelf(tmp_path / "a.db")
    assert "Not watched: no source was read in 30 days" in page(tmp_path / "a.db", "/")
    shelf.watched(empty, 3)
    partly = page(tmp_path / "a.db", "/")
    assert "but only 10% of it was watched" in partly and "Not watched: no source" not in partly
    shelf.watched(shelf.shelf(tmp_path / "b.db"), 30)
    whole = page(tmp_path / "b.db", "/")
    assert "No evidence so far" in whole and "100% of source-days read" in whole
    old = shelf.shelf(
        tmp_path / "c.db", [document(1, "旧闻", "出口信用保险", {TRADE: "出口信用保险"}, published_on="2026-01-05")]
    )
    shelf.watched(old, 30)
    row = re.search(r'<tr class="none-month">.*?</tr>', page(tmp_path / "c.db", "/"), re.DOTALL)
    assert row and "No evidence in 30 days" in row.group() and "2026-01-05" in row.group()


def test_a_source_that_was_not_reached_is_named_with_its_gap_and_reason(path: Path) -> None:
    home, sources, one = (page(path, a) for a in ("/", "/sources", "/sources/caixin_zh"))
    for text in (home, sources, one):
        assert "no answer came in 60 s" in text and "Not read since 2026-11-26 10:00" in text
    assert "2026-11-21 to 2026-11-25" in one and "2026-11-21 to 2026-11-25" in home
    assert page(path, "/sources/cdb_news").count("Switched off: row selectors") == 1


def test_a_paused_source_is_shown_as_paused_since_when_and_why(tmp_path: Path) -> None:
    database = shelf.shelf(tmp_path / "p.db")
    shelf.watched(database, 3)
    with immediate(database) as conn:
        conn.execute(
            "insert into schedule (source, paused_at, paused_why) values ('nfra', '2026-11-24T01:00:00Z', '<b>moving</b>')"
        )
    for address in ("/", "/sources", "/sources/nfra", "/about"):
        text = page(tmp_path / "p.db", address)
        assert 'class="state paused">paused<' in text
        if address != "/about":
            assert "Paused by somebody since 2026-11-24 09:00, and not read: &lt;b&gt;moving&lt;/b&gt;" in text
    assert "已暂停" in page(tmp_path / "p.db", "/sources?hl=zh")


def test_times_are_those_of_the_operator(path: Path) -> None:
    assert "2026-11-25 12:30" in page(path, "/document/d00000000000000aa")


def test_a_document_shows_facts_evidence_files_reasons_and_every_address(path: Path) -> None:
    text = page(path, "/document/d00000000000000aa")
    for words in ("金发〔2026〕9号", "国家金融监督管理总局、商务部", "2026-12-01", "附件正文", "not read: attachment not read: encrypted",
                  "Nearest miss", "alone is too weak", "0.93", "Relevant: 0.93 (it takes 0.55)"):  # fmt: skip
        assert words in text, words
    marks = Links(text).marks
    assert ("m1", "1出口信用保险") in marks and ("m2", "2设备更新贷款") in marks
    assert marks.count(("m1", "1出口信用保险")) == 2  # in the text and in the file
    urls = re.findall(r'<ol class="urls">.*?</ol>', text, re.DOTALL)[0]
    assert urls.index("https://shelf.example/1") < urls.index("https://reprint.example/4")
    assert urls.index("original") < urls.index("reprint")


def test_marks_can_be_switched_task_by_task_without_a_script(path: Path) -> None:
    address = "/document/d00000000000000aa"
    only = Links(page(path, f"{address}?task=industrial-upgrading"))
    assert [m for m in only.marks if m[1].startswith(("1出", "2设"))] == [("m2", "2设备更新贷款")]
    none = Links(page(path, f"{address}?task=none"))
    assert not [m for m in none.marks if m[1].startswith(("1出", "2设"))]
    found = Links(page(path, f"{address}?task=findings&task=none"))
    assert ("mf", "自2026年12月1日起施行") in found.marks
    toggles = [h for h in Links(page(path, address)).hrefs if "task=" in h and h.startswith(address)]
    assert f"{address}?task=industrial-upgrading#text" in toggles and f"{address}?task=none#text" in toggles


def test_a_document_is_reached_by_whatever_names_it(path: Path) -> None:
    for key in ("1", quote("金发〔2026〕9号"), "?key=" + quote("https://reprint.example/4")):
        (answer,) = get(path, f"/document{'' if key.startswith('?') else '/'}{key}")
        assert (answer.status_code, answer.headers["location"]) == (302, "/document/d00000000000000aa"), key


@pytest.mark.parametrize(
    "address",
    ["/document/dnone", "/task/none", "/sources/none", "/questions/none", "/document/d00000000000000aa/file/9"],
)
def test_what_does_not_exist_is_said_in_a_sentence(path: Path, address: str) -> None:
    (answer,) = get(path, address, headers={"accept-language": "en"})
    assert answer.status_code == 404
    assert re.search(r'<p class="verdict bad" role="alert"><bdi>There is no |This document has no', answer.text)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("贷款", ["关于出口信用保险的通知", "國家隊出手"]),
        ("貸款 -利率", ["國家隊出手"]),
        ('"equipment renewal"', ["Banks lend for equipment renewal"]),
        ("loan", ["Banks lend for equipment renewal"]),
        ("task:foreign-trade", ["关于出口信用保险的通知"]),
        ("不存在的词", []),
    ],
)
def test_search_finds_marks_and_counts(path: Path, query: str, titles: list[str]) -> None:
    text = page(path, "/search?q=" + quote(query))
    found = [re.sub("<[^>]+>", "", t) for t in re.findall(r"<h3><a[^>]*>(.*?)</a></h3>", text, re.DOTALL)]
    assert found == titles
    count = {0: "No documents", 1: "1 document"}.get(len(titles), f"{len(titles)} documents")
    assert f"<b>{count}</b>" in text


def test_what_a_search_found_is_marked_in_its_own_script(path: Path) -> None:
    marks = Links(page(path, "/search?q=" + quote("贷款"))).marks
    assert ("mhit", "贷款") in marks and ("mhit", "貸款") in marks
    assert ("mhit", "loans") in Links(page(path, "/search?q=loan")).marks


@pytest.mark.parametrize(
    "query", ["task:foreign-trad AND x", "(贷款", '贷款 "x', "published:2026-13", "贷款 AND", "x" * 11_000]
)
def test_a_bad_query_is_refused_with_its_place(path: Path, query: str) -> None:
    from db.search import QueryError
    from db.search.names import allowed

    with pytest.raises(QueryError) as caught:
        parse(query, allowed(shelf.house()))
    text = page(path, "/search?q=" + quote(query))
    assert f"Character {caught.value.position + 1}: " in text
    assert "The query was not run" in text


def test_the_task_page_narrows_and_says_the_same_as_a_search(path: Path) -> None:
    def count(address: str) -> str:
        return re.search(r'<p class="count"><b>([^<]*)</b>', page(path, address)).group(1)  # type: ignore[union-attr]

    task = "/task/industrial-upgrading"
    assert count(task) == "2 documents"
    assert (
        count(f"{task}?lang=en") == count(f"{task}?source=xinhua_en") == count(f"{task}?to=2026-11-10") == "1 document"
    )
    assert count(f"{task}?q={quote('银行')}&level=central&kind=circular") == "1 document"
    assert count(f"{task}?from=2027") == "No documents"
    assert "there is no lang" in page(path, f"{task}?lang=xx")
    assert count("/task/foreign-trade?measure=export-credit-insurance") == "1 document"
    (answer,) = get(path, "/task/export-credit-insurance")
    assert answer.headers["location"] == "/task/foreign-trade?measure=export-credit-insurance"


def test_an_irrelevant_document_with_a_label_is_not_counted(tmp_path: Path) -> None:
    odd = document(1, "标题", "出口信用保险", {TRADE: "出口信用保险"}, relevant=False)
    shelf.shelf(tmp_path / "x.db", [odd])
    for address in ("/task/foreign-trade", f"/task/foreign-trade?q={quote('保险')}", "/task/foreign-trade?lang=zh"):
        assert "No documents" in page(tmp_path / "x.db", address)


def test_long_lists_are_paged_and_every_page_is_reached(tmp_path: Path) -> None:
    shelf.shelf(
        tmp_path / "x.db", [document(n, f"标题{n}", "出口信用保险", {TRADE: "出口信用保险"}) for n in range(1, 61)]
    )
    seen: list[str] = []
    for address in ("/task/foreign-trade", "/search?q=" + quote("保险")):
        glue = "&" if "?" in address else "?"
        titles: list[str] = []
        for number in (1, 2, 3):
            text = page(tmp_path / "x.db", f"{address}{glue}page={number}")
            assert f"Page {number} of 3" in text and "60 documents" in text
            titles += re.findall(r"<h3><a[^>]*><bdi>(标题\d+)", text)
        seen.append(" ".join(titles))
        assert len(set(titles)) == 60
    assert seen[0] == seen[1]


def test_a_long_text_is_shown_whole_in_parts(tmp_path: Path) -> None:
    text = "".join(f"第{n}段文字内容。\n" for n in range(20_000)) + "出口信用保险"
    shelf.shelf(tmp_path / "x.db", [document(1, "长文", text, {TRADE: "出口信用保险"})])
    id_ = f"d{1:016x}"
    first = page(tmp_path / "x.db", f"/document/{id_}")
    parts = int(re.search(r"part 1 of (\d+)", first).group(1))  # type: ignore[union-attr]
    assert parts > 2
    whole = "".join(
        "".join(
            re.findall(r'<div class="text".*?</div>', page(tmp_path / "x.db", f"/document/{id_}?part={n}"), re.DOTALL)
        )
        for n in range(1, parts + 1)
    )
    plain = re.sub(r"<[^>]+>|\s", "", whole)
    assert plain.replace("1出口", "出口") == re.sub(r"\s", "", text)


@pytest.mark.parametrize("part", ["²", "x", "0", "-1", "9" * 5000, "99"])
def test_a_part_that_is_no_number_is_the_first_or_the_last(path: Path, part: str) -> None:
    for address in ("/document/d00000000000000aa", "/document/d00000000000000aa/file/0"):
        assert get(path, f"{address}?part={quote(part)}")[0].status_code in (200, 404)


def test_the_site_works_below_another_address(path: Path) -> None:
    home, task = get(path, "/", "/task/foreign-trade", headers={"accept-language": "en"}, base_url="/watch/")
    for answer in (home, task):
        assert answer.status_code == 200
        inside = [h for h in Links(answer.text).hrefs if h.startswith("/")]
        assert inside and all(h.startswith("/watch/") for h in inside)


def test_why_shows_what_each_reader_saw_the_sentences_and_the_provisional_grade(tmp_path: Path) -> None:
    made = document(1, "支行", "客户经理尽职免责。别的句子。", {"institutional-mechanisms": "尽职免责", TRADE: "句子"})
    made.attachments = [file("附件里的一句。支行<b>单列</b>额度。")]
    made.explanation["tasks"]["institutional-mechanisms"] |= {"model": 0.83, "term_reader": 0.41}
    made.explanation["sentences"] = [
        {"field": "attachment:0", "start": 7, "end": 21, "tasks": {"institutional-mechanisms": 0.91}},
        {"field": "text", "start": 0, "end": 9, "tasks": {"institutional-mechanisms": 0.7, "foreign-trade": 0.35}},
    ]
    shelf.shelf(tmp_path / "x.db", [made]).close()
    text = page(tmp_path / "x.db", f"/document/{made.id}")
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))
    assert "Trained reader 0.83 · Words alone 0.41" in plain
    assert "支行&lt;b&gt;单列&lt;/b&gt;额度。" in plain
    assert plain.index("支行&lt;b&gt;") < plain.index(
        "客户经理尽职免责。 Institutions and mechanisms that carry the work 0.70 ·"
    )
    legend = text[text.index('class="legend"') : text.index("</ol>")]
    graded = [item for item in legend.split("<li")[1:] if "Provisional" in item]
    assert len(graded) == 1 and "/task/institutional-mechanisms" in graded[0]
