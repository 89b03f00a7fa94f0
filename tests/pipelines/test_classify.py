"""The classifier as a whole: labels with proof, the same in every script and spelling, and what it must not claim."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opencc import OpenCC

import config
from config.taxonomy import load_taxonomy
from db.documents import Attachment, Document
from pipelines import explain
from pipelines.classify import Classifier
from pipelines.classify.digest import classifier_id
from tests.web.documents import load

CONFIG = Path(str(config.__file__)).parent


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(load_taxonomy(CONFIG))


def tasks(document: Document) -> set[str]:
    return {t.id for t in document.tasks}


# our own words; each must carry at least the tasks named
BEARING = [
    (
        "zh",
        "配套厂的货款",
        "六家农机整机厂与本地银行约定：零件入库扫码后，银行当天按货值七成付款给供货的小厂。链上一百二十家供应商凭应收账款拿到供应链"
        "金融贷款三亿元，产业链上的断点企业优先。",
        {"supply-chain-security"},
    ),
    (
        "zh",
        "出口机床有了保单",
        "机床厂要向挪威出口，对方账期四个月。中国信保批了买方信用限额，出口信用保险保单一到，银行凭单放款，外贸企业的货款有了着落。",
        {"foreign-trade"},
    ),
    (
        "zh",
        "保险资金投向芯片设备",
        "两家寿险公司以保险资金认购半导体设备私募股权基金份额，期限十年，投资七家战略性新兴产业的未上市企业。",
        {"insurance-funds"},
    ),
    (
        "en",
        "Longer loans for factories",
        "Outstanding medium and long-term loans to the manufacturing sector in China grew by 14 percent, the central bank "
        "said. Banks were told to raise the share of long maturities in manufacturing loans.",
        {"medium-long-term-loans"},
    ),
    (
        "en",
        "Platform finds a lender",
        "The national industry-finance cooperation platform matched 260 factories in Hunan with banks; financing needs are "
        "posted online and lenders must answer within two working days.",
        {"industry-finance-platform"},
    ),
    (
        "en",
        "Overcapacity worries lenders",
        "China's regulator warned banks against lending to duplicate battery plants: overcapacity has driven up bad loans to "
        "manufacturers, and misuse of loan funds will be punished.",
        {"risk-prevention"},
    ),
]

# finance without factories, factories without finance, other countries, slogans
LOOK_ALIKES = [
    ("房贷利率下调", "多家银行下调存量房贷利率，购房者每月少付四百元，首套房首付比例降到一成五。"),
    ("摩托车销量创新高", "车展上订单不断，大排量车型最受欢迎，协会估计全年产量超过两千万辆。"),
    ("个人消费贷款贴息", "居民装修、买车可享受消费贷款贴息，年贴息一个百分点，资金不得用于购房。"),
    ("险企买入运营商股票", "两家保险公司披露持有电信运营商股票，称看中每年派现，暂无继续买入的安排。"),
    ("茶园里的产业链", "农商行给三百户茶农发放春茶贷，茶企收购鲜叶后货款直接还贷，农户收入增加。"),
    ("软件供应链投毒", "安全公司发现两个开源组件被植入后门，软件供应链攻击影响上千家企业。"),
    ("Mortgage rates fall", "Home buyers in Shanghai queued overnight as four banks cut mortgage rates for new flats."),
    (
        "ISM index slips",
        "American factories shrank again in May, purchasing managers told the Institute for Supply Management.",
    ),
    (
        "Fire at a plant",
        "Firefighters put out a blaze in the paint shop of a machinery plant; two workers were injured.",
    ),
    (
        "Tokyo backs chips",
        "Japan adds subsidies for a chip plant on Hokkaido and three Japanese megabanks lend for the long run.",
    ),
    ("Car-park notes", "A life insurer bought notes paid from the fees of car parks at three airports."),
    (
        "Clock tower strikes again",
        "A watchmakers' guild repaired the clock of the town hall in Yantai, and the bank beside it paid for the paint.",
    ),
]


@pytest.mark.parametrize(("language", "title", "text", "wanted"), BEARING, ids=[b[1] for b in BEARING])
def test_bears_on_its_task(classifier: Classifier, language: str, title: str, text: str, wanted: set[str]) -> None:
    found = classifier.classify(Document(title=title, text=text))
    assert wanted <= tasks(found)
    assert found.relevant
    assert found.relation in ("same task", "names the circular")
    found.check_spans()


@pytest.mark.parametrize(("title", "text"), LOOK_ALIKES, ids=[x[0] for x in LOOK_ALIKES])
def test_look_alikes_carry_nothing(classifier: Classifier, title: str, text: str) -> None:
    found = classifier.classify(Document(title=title, text=text))
    assert tasks(found) == set()
    assert not found.relevant


# ten per task and language; each looks like the task named and is none of it
NEAR = [json.loads(line) for line in (Path(__file__).parent / "data/lookalikes.jsonl").read_text("utf-8").splitlines()]


def test_ten_look_alikes_for_every_task(classifier: Classifier) -> None:
    counted = Counter((row["lang"], row["task"]) for row in NEAR)
    assert counted == {(lang, t.id): 10 for lang in ("zh", "en") for t in classifier.taxonomy.tasks}


@pytest.mark.parametrize("row", NEAR, ids=[f"{r['task']}-{r['lang']}-{n}" for n, r in enumerate(NEAR)])
def test_look_alike_does_not_carry_its_task(classifier: Classifier, row: dict[str, str]) -> None:
    assert row["task"] not in tasks(classifier.classify(Document(text=row["text"])))


CHINESE = [(t, x) for lang, t, x, _ in BEARING if lang == "zh"]


@pytest.mark.parametrize("script", ["s2t", "s2tw", "s2twp", "s2hk"])
@pytest.mark.parametrize(("title", "text"), CHINESE, ids=[c[0] for c in CHINESE])
def test_same_labels_in_every_script(classifier: Classifier, title: str, text: str, script: str) -> None:
    convert = OpenCC(script).convert
    plain = classifier.classify(Document(title=title, text=text))
    other = classifier.classify(Document(title=convert(title), text=convert(text)))
    assert {t.id: t.score for t in plain.tasks} == {t.id: t.score for t in other.tasks}
    assert plain.relevance == other.relevance
    other.check_spans()


PIECES = st.sampled_from([x for _, _, x, _ in BEARING] + [x for _, x in LOOK_ALIKES])
WIDE = {c: c + 0xFEE0 for c in range(0x21, 0x7F)}


@given(st.lists(PIECES, min_size=1, max_size=4).map("\n".join))
@settings(max_examples=25, deadline=None)
def test_full_width_changes_nothing(classifier: Classifier, text: str) -> None:
    # spaces stay: a full-width text of English words keeps ordinary ones
    plain = classifier.classify(Document(text=text))
    wide = classifier.classify(
        Document(text="".join(chr(WIDE[ord(c)]) if c.isascii() and c.isalnum() else c for c in text))
    )
    assert {t.id: t.score for t in plain.tasks} == {t.id: t.score for t in wide.tasks}


SPELLINGS = [
    (
        "Banks in China finance the modernization of factory equipment; the program covers energy-saving retrofits of "
        "manufacturing centers and labor-saving smart factories.",
        "Banks in China finance the modernisation of factory equipment; the programme covers energy saving retrofits of "
        "manufacturing centres and labour-saving smart factories.",
    ),
    (
        "The lender finances industrialization projects and specialized manufacturers through re-lending.",
        "The lender finances industrialisation projects and specialised manufacturers through relending.",
    ),
]


@pytest.mark.parametrize(("american", "british"), SPELLINGS)
def test_british_and_american_spelling(classifier: Classifier, american: str, british: str) -> None:
    one, two = (classifier.classify(Document(text=t)) for t in (american, british))
    assert tasks(one) == tasks(two)
    assert one.relevance == pytest.approx(two.relevance, abs=0.02)


@given(
    st.lists(st.one_of(PIECES, st.text(max_size=30)), max_size=4).map(" ".join),
    st.text(max_size=20),
    st.one_of(st.none(), PIECES),
)
@settings(max_examples=40, deadline=None)
def test_every_claim_has_its_proof(classifier: Classifier, text: str, title: str, attached: str | None) -> None:
    document = Document(title=title, text=text, attachments=[Attachment(url="a.pdf", text=attached)])
    found = classifier.classify(document)
    found.check_spans()
    for label in found.tasks:
        assert label.spans
        assert 0 <= label.score <= 1
    assert 0 <= found.relevance <= 1
    assert not found.tasks or found.relevant
    assert sum(t.primary for t in found.tasks) == bool(found.tasks)
    json.dumps(found.explanation)


def test_attachments_count(classifier: Classifier) -> None:
    _, _title, text, wanted = BEARING[1]
    document = Document(
        title="通知", text="附件如下。", attachments=[Attachment(url="1"), Attachment(url="2", text=text)]
    )
    found = classifier.classify(document)
    assert wanted <= tasks(found)
    assert {s.field for t in found.tasks for s in t.spans} == {"attachment:1"}


def test_a_round_up_is_read_by_passage(classifier: Classifier) -> None:
    noise = [x for _, x in LOOK_ALIKES[:5]]
    text = "\n".join([*noise[:3], BEARING[1][2], *noise[3:]])
    assert "foreign-trade" in tasks(classifier.classify(Document(title="一周要闻", text=text)))


def test_empty_document(classifier: Classifier) -> None:
    found = classifier.classify(Document())
    assert (found.tasks, found.relevant, found.relation) == ([], False, "")


def test_same_document_twice_gives_the_same(classifier: Classifier) -> None:
    one, two = (classifier.classify(Document(title=BEARING[0][1], text=BEARING[0][2])) for _ in range(2))
    assert one.as_json() == two.as_json()


# the circular ------------------------------------------------------------------------------------------------------

REPORT = (
    "China will strengthen financial services for the manufacturing industry, a circular of the National Financial "
    "Regulatory Administration, the Ministry of Industry and Information Technology and the National Development and "
    "Reform Commission says. {rest}"
)


def test_names_the_circular(classifier: Classifier) -> None:
    text = REPORT.format(rest="Banks are to set up a separate credit plan for manufacturing.")
    found = classifier.classify(Document(text=text, published_on="2024-04-17"))
    assert found.relation == "names the circular"


@pytest.mark.parametrize("cited", ["金发〔2024〕5号", "《关于深化制造业金融服务 助力推进新型工业化的通知》"])
def test_local_rule_implements_it(classifier: Classifier, cited: str) -> None:
    text = f"为贯彻落实{cited}，现提出本市实施意见：各银行要单列制造业信贷计划，增加制造业信用贷款。"
    found = classifier.classify(Document(text=text, kind="local rule", level="municipal", published_on="2024-07-01"))
    assert found.relation == "implements it"


def test_before_it(classifier: Classifier) -> None:
    found = classifier.classify(Document(title=BEARING[1][1], text=BEARING[1][2], published_on="2023-05-05"))
    assert found.relation == "before it"


def test_risk_prevention_that_renders_cover_is_no_risk_task(classifier: Classifier) -> None:
    text = REPORT.format(
        rest="It asked to strengthen financial support and risk prevention and expand the scale of credit loans for the "
        "strategic emerging industries."
    )
    found = classifier.classify(Document(text=text))
    assert "risk-prevention" not in tasks(found)
    assert "strategic-emerging" in tasks(found)


def test_the_seed_page_carries_what_the_taxonomy_quotes_from_it(classifier: Classifier) -> None:
    seed = next(d for d in load()[0] if d["key"] == "trulynews-seed")
    found = classifier.classify(Document(title=seed["title"], text=seed["body"], published_on="2024-04-17"))
    # what the taxonomy quotes for risk-prevention is a formula, and "risk prevention" renders insurance cover there
    quoted = {t.id for t in classifier.taxonomy.tasks if t.seed_quote} - {"risk-prevention"}
    assert quoted <= tasks(found)
    assert "risk-prevention" not in tasks(found)
    assert found.relation == "names the circular"
    found.check_spans()


# versions and explanation --------------------------------------------------------------------------------------------


def test_id_changes_with_the_taxonomy() -> None:
    taxonomy = load_taxonomy(CONFIG)
    task = taxonomy.tasks[0]
    terms = task.terms.model_copy(update={"zh": (*task.terms.zh, "新词")})
    changed = taxonomy.model_copy(update={"tasks": (task.model_copy(update={"terms": terms}), *taxonomy.tasks[1:])})
    assert classifier_id(taxonomy, []) != classifier_id(changed, [])
    assert classifier_id(taxonomy, []) == classifier_id(load_taxonomy(CONFIG), [])


def test_explanation_says_why_and_why_not(classifier: Classifier) -> None:
    found = explain.stage(classifier.classify(Document(title=BEARING[1][1], text=BEARING[1][2])))
    said = "\n".join(explain.in_words(found))
    assert "foreign-trade: carried" in said
    assert "gate finance: met" in said
    assert found.explanation["sentences"]
    label = next(t for t in found.tasks if t.id == "foreign-trade")
    assert label.explanation["carried"] is True
    assert "not carried" in "\n".join(explain.in_words(found, "insurance-funds"))


def test_explanation_names_the_shut_gate(classifier: Classifier) -> None:
    found = classifier.classify(Document(text="产业链供应链韧性很重要，链主企业要带好头。"))
    clause = found.explanation["tasks"]["supply-chain-security"]
    assert clause["carried"] is False
    assert "finance" in clause["missing"]


def test_terms_alone_can_read_too() -> None:
    classifier = Classifier(load_taxonomy(CONFIG), readers="terms")
    found = classifier.classify(Document(title=BEARING[1][1], text=BEARING[1][2]))
    assert "foreign-trade" in tasks(found)
    assert {s.reader for t in found.tasks for s in t.spans} == {"terms"}


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        ("zh", "在依法合规、风险可控、商业可持续的前提下，", ""),
        ("zh", "", "做到风险可控、商业可持续。"),
        ("en", "With risks under control, ", ""),
        ("en", "On the premise of keeping risk controllable, ", ""),
    ],
)
def test_the_formula_of_caution_takes_no_task_away(
    classifier: Classifier, language: str, before: str, after: str
) -> None:
    for _, title, text, wanted in (b for b in BEARING if b[0] == language):
        found = tasks(classifier.classify(Document(title=title, text=before + text + after)))
        assert wanted <= found and "risk-prevention" not in found - wanted
