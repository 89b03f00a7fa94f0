"""The term reader: folding with its way back, spellings, and how a hit is weighed by where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opencc import OpenCC

import config
from config.taxonomy import load_taxonomy
from db.documents import Document
from pipelines.classify import classifier as whole
from pipelines.classify import variants
from pipelines.classify.evidence import weigh_tasks
from pipelines.classify.facets import _longest, read_facets
from pipelines.classify.gates import read_gates
from pipelines.classify.lexicon import Lexicon, Role, compile_lexicon
from pipelines.classify.normalise import language_of, normalise
from pipelines.classify.sentences import split
from pipelines.classify.terms import FieldReading, Hit, _Bars, read_field, weigh_hits


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return compile_lexicon(load_taxonomy(Path(str(config.__file__)).parent))


def read(lexicon: Lexicon, text: str, title: str = "") -> list[FieldReading]:
    readings = [read_field(lexicon, n, t) for n, t in (("title", title), ("text", text)) if t]
    weigh_hits(readings)
    return readings


def scores(lexicon: Lexicon, text: str, title: str = "") -> dict[str, float]:
    readings = read(lexicon, text, title)
    return {t: e.score for t, e in weigh_tasks(lexicon, readings, read_gates(lexicon, readings)).items()}


# folding ---------------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        "中国",
        "銀行",
        "制造业中长期贷款",
        "（首台（套））",
        "“专精特新”",
        "国家(guó",
        "jiā)",
        "ＡＢＣ",
        "人工智慧",
        "積體電路",
        "medium-",
        "and",
        "long-term",
        "",
        "loans",
        "buyer’s",
        "\n",
        "。",
        "，,",
        "\u3000",
        "\u200b",
        "資訊",
        "𠮷",
        "㈱",
        "ﬁ",
        "İ",
        "①",
        "5G+",
        "《通知》",
        "〔2024〕",
        "-",
        "—",
        "\t",
        "\r\n",
        "é",
    ]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=20).map("".join))
@settings(max_examples=200, deadline=None)
def test_every_folded_slice_has_an_original(text: str) -> None:
    folded = normalise(text)
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    for i in range(len(folded.text)):
        start, end = folded.original(i, i + 1)
        assert 0 <= start < end <= len(text)
    assert all(a <= b for a, b in zip(folded.starts, folded.starts[1:], strict=False))


@given(st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=20).map("".join))
@settings(max_examples=100, deadline=None)
def test_spans_quote_the_original(lexicon: Lexicon, text: str) -> None:
    for reading in read(lexicon, "银行 产业链 " + text):
        for hit in [*reading.hits, *reading.facets]:
            start, end = reading.folded.original(hit.start, hit.end)
            assert reading.original[start:end].strip()
            # a hit that begins inside a reworded piece (人工智慧) is quoted with the whole piece
            assert reading.folded.text[hit.start : hit.end] in normalise(reading.original[start:end]).text


@pytest.mark.parametrize("script", ["s2t", "s2tw", "s2twp", "s2hk"])
def test_scripts_and_regions_fold_alike(lexicon: Lexicon, script: str) -> None:
    text = (
        "金融监管总局要求银行优化制造业信贷结构，支持集成电路、人工智能、工业软件、互联网和信息技术企业的设备更新，"
        "通过国家产融合作平台发布项目，扩大出口信用保险，只要企业有复工的打算，就可凭知识产权质押借到十年期贷款。"
    )
    assert normalise(OpenCC(script).convert(text)).text == normalise(text).text


CHARACTERS = [chr(c) for c in range(0x4E00, 0x9FA6)]


@given(st.lists(st.sampled_from(CHARACTERS), min_size=1, max_size=30).map("".join))
@settings(max_examples=200, deadline=None)
def test_folding_is_stable(text: str) -> None:
    once = normalise(text).text
    assert normalise(once).text == once or len(normalise(normalise(once).text).text) <= len(once)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("首台（套）", "首台(套)"),
        ("“小巨人”企业", "小巨人企业"),
        ("制造业 中长期 贷款", "制造业中长期贷款"),
        ("ＰＳＬ", "psl"),
        ("medium- and long-term", "medium and long term"),
        ("re\u2010lending", "re lending"),
        ("the ‘buyer’s’ credit", "the buyer's credit"),
        ("产业(chǎn yè)链", "产业链"),
        ("监管总局(NFRA)", "监管总局(nfra)"),
        ("金发〔2024〕5号", "金发(2024)5号"),
        ("人工智慧", "人工智能"),
    ],
)
def test_folding(written: str, folded: str) -> None:
    assert normalise(written).text == folded


def test_language() -> None:
    assert language_of("银行向工厂放款 NFRA") == "zh"
    assert language_of("The bank lent to a factory (工厂)") == "en"
    assert language_of("2024 — 5") == "en"
    assert language_of("") == ""


# spellings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "spelling"),
    [
        ("medium and long-term loans", "medium to long term loan"),
        ("modernization", "modernisation"),
        ("manufacturing innovation center", "manufacturing innovation centres"),
        ("re-lending", "relending"),
        ("relending quota", "re lending quotas"),
        ("strategic emerging industries", "strategic emerging industry"),
        ("overcapacity", "over capacity"),
        ("special loan program", "special loan programme"),
        ("moulds", "mold"),
        ("aluminum smelter", "aluminium smelters"),
        ("instalment plan", "installment plans"),
    ],
)
def test_english_spellings(term: str, spelling: str) -> None:
    assert spelling in variants.english(term)


def test_spellings_stay_within_bounds() -> None:
    for term in ("credit loans for strategic emerging industries", "banks and insurers and companies and cities"):
        assert len(variants.english(term)) < 400


def test_acronyms_keep_their_case(lexicon: Lexicon) -> None:
    found = read_facets(read(lexicon, "The NFRA met banks. The word nfra means nothing."))
    assert [s.quote for f in found if f.value == "nfra" for s in f.spans] == ["NFRA"]


def test_latin_terms_need_word_boundaries(lexicon: Lexicon) -> None:
    gates = read_gates(lexicon, read(lexicon, "He reloaned nothing and went to the embankment of a chinaware shop."))
    assert gates.met["finance"] is False


# weighing ----------------------------------------------------------------------------------------------------------

PLAIN = "银行为重点产业链上的工厂发放供应链金融贷款2亿元。"


def test_a_specific_term_in_its_gates_scores(lexicon: Lexicon) -> None:
    assert scores(lexicon, PLAIN)["supply-chain-security"] > 0.6


def test_no_gate_no_score(lexicon: Lexicon) -> None:
    readings = read(lexicon, "产业链供应链韧性很重要。")
    found = weigh_tasks(lexicon, readings, read_gates(lexicon, readings))["supply-chain-security"]
    assert found.score == 0
    assert found.shut == ["finance"]


def test_negative_removes_the_hit_it_overlaps(lexicon: Lexicon) -> None:
    assert (
        scores(lexicon, "The bank fears an attack on its software supply chain security.")["supply-chain-security"] == 0
    )


def test_negation_discounts(lexicon: Lexicon) -> None:
    asserted = scores(lexicon, "银行的这笔贷款属于设备更新贷款，期限三年。")["industrial-upgrading"]
    denied = scores(lexicon, "银行的这笔贷款不属于设备更新贷款，期限三年。")["industrial-upgrading"]
    assert denied < asserted / 2


@pytest.mark.parametrize(
    ("plain", "stressed"),
    [
        (
            "Banks in China offer factories export credit insurance.",
            "Banks in China offer factories not only export credit insurance but hedging.",
        ),
        (
            "Banks in China gave factories export credit insurance.",
            "Banks in China gave factories no less than export credit insurance.",
        ),
        ("银行的贷款用于企业设备更新。", "银行的贷款不再局限于企业设备更新。"),
        ("银行的贷款用于企业设备更新。", "银行的贷款并非只用于企业设备更新。"),
    ],
)
def test_not_only_affirms(lexicon: Lexicon, plain: str, stressed: str) -> None:
    said, found = scores(lexicon, plain), scores(lexicon, stressed)
    assert max(said.values()) > 0.5
    assert found == said


def test_title_of_a_cited_document_discounts(lexicon: Lexicon) -> None:
    said = scores(lexicon, "银行按要求优化制造业信贷结构。")["manufacturing-credit"]
    cited = scores(lexicon, "银行学习了《关于优化制造业信贷结构若干问题的意见》。")["manufacturing-credit"]
    assert cited < said / 2


def test_list_of_slogans_discounts(lexicon: Lexicon) -> None:
    listed = "会议要求银行在产业链供应链安全稳定、科技金融、设备更新、产融合作、外贸金融服务上开创新局面。"
    found = scores(lexicon, listed)
    assert max(found.values()) < 0.55


def test_the_circular_itself_may_list(lexicon: Lexicon) -> None:
    text = (
        "The circular on financial services for manufacturing names industrial and supply chain security, sci-tech "
        "innovation, industrial upgrading and the intelligent and green development of industries; banks in China act."
    )
    found = scores(lexicon, text)
    assert min(found[t] for t in ("supply-chain-security", "sci-tech-innovation", "intelligent-green")) > 0.5


def test_formula_of_caution_is_no_risk_task(lexicon: Lexicon) -> None:
    text = "在风险可控、商业自愿、商业可持续前提下，银行加大对制造业企业的贷款。"
    assert scores(lexicon, text)["risk-prevention"] < 0.2


def test_risk_prevention_for_cover_is_no_risk_task(lexicon: Lexicon) -> None:
    text = "Insurers in China will strengthen financial support and risk prevention for manufacturing."
    assert scores(lexicon, text)["risk-prevention"] < 0.2


def test_short_names_inside_other_words_are_no_institution(lexicon: Lexicon) -> None:
    found = read_facets(read(lexicon, "加工行业整体向好，国家电网与财政部门联合行动。"))
    assert not [f for f in found if f.facet == "institution" and any(s.quote == "工行" for s in f.spans)]


# sentences ---------------------------------------------------------------------------------------------------------


@given(st.text(alphabet="ab 。！.?A1\n“”；U.S", max_size=80))
@settings(max_examples=200, deadline=None)
def test_sentences_are_ordered_and_inside(text: str) -> None:
    at = 0
    for sentence in split(text):
        assert at <= sentence.start < sentence.end <= len(text)
        assert text[sentence.start : sentence.end].strip() == text[sentence.start : sentence.end]
        at = sentence.end


def test_abbreviations_and_decimals_end_nothing() -> None:
    text = "Mr. Li of the U.S. Co. paid 3.2 percent. Then he left."
    assert [text[s.start : s.end] for s in split(text)] == ["Mr. Li of the U.S. Co. paid 3.2 percent.", "Then he left."]


spans = st.tuples(st.integers(0, 40), st.integers(1, 12)).map(lambda x: (x[0], x[0] + x[1]))


@given(st.lists(spans, max_size=12), spans)
def test_words_that_take_others_away_touch_them(bars: list[tuple[int, int]], hit: tuple[int, int]) -> None:
    assert _Bars(list(bars)).touch(*hit) == any(a < hit[1] and hit[0] < b for a, b in bars)


def test_a_dump_is_read_in_part_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "MOST_CHARACTERS", 60)
    classifier = whole.Classifier(load_taxonomy(Path(str(config.__file__)).parent), readers="terms")
    text = "制造业中长期贷款余额增长。" + "无关内容。" * 20 + "出口信用保险支持制造业。"
    found = classifier.classify(Document(title="简报", text=text))
    assert [t.id for t in found.tasks] == ["medium-long-term-loans"]
    assert found.explanation["read_in_part"] == {"text": 60}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 12), st.integers(1, 6), st.sampled_from(["institution:a", "institution:b", "industry:c"])
        )
    )
)
def test_a_name_within_a_longer_one_is_no_mention(found: list[tuple[int, int, str]]) -> None:
    hits = [Hit(Role("facet", key, "x"), start, start + length, 0) for start, length, key in found]
    named = {(h.start, h.end) for h in hits if h.role.key.startswith("institution")}

    def inner(hit: Hit) -> bool:
        return any((s, e) != (hit.start, hit.end) and s <= hit.start and hit.end <= e for s, e in named)

    expected = [h for h in hits if h.role.key.startswith("industry") or not inner(h)]
    assert _longest(hits) == sorted(expected, key=lambda h: (h.start, h.end, h.role.key))


def test_an_annual_report_that_names_its_bank_a_hundred_thousand_times_is_read() -> None:
    hits = [Hit(Role("facet", "institution:icbc", "工行"), 4 * i, 4 * i + 4, i) for i in range(100_000)]
    assert len(_longest(hits)) == 100_000


def test_brackets_that_never_close_are_folded_in_time() -> None:
    assert normalise("(" * 300_000 + "ā").text == "(" * 300_000 + "ā"
    assert normalise("高新(gāo xīn)技术(gāo").text == "高新技术(gāo"


def test_spellings_of_the_words_of_documents_are_not_kept_for_ever() -> None:
    assert variants.word_forms.cache_info().maxsize
