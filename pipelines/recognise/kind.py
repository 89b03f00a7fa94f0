"""Says what a document is: circular, local rule, draft, interpretation, notice, bank action, penalty, data, speech, news.

The title decides, because offices name their documents by rule (通知, 意见, 公告, 批复 …); who speaks decides where it does not.
"""

from __future__ import annotations

import re

from db.documents import Kind

_PENALTY = re.compile(
    r"行政处罚|处罚决定|处罚信息|罚单|行政监管措施决定|被罚|(?:\bfine[ds]\b|penalt(?:y|ies)|punish)", re.I
)
_DRAFT = re.compile(
    r"征求意见|意见稿|公开征求|草案|修订稿\)?征|公开征集.{0,12}意见|(?:exposure )?draft (?:rule|measure|guideline|regulation|for)|(?:seeks?|solicit\w*|invit\w+) (?:public )?(?:comments?|opinions?|feedback)|public consultation",
    re.I,
)
_INTERPRETATION = re.compile(
    r"解读|答记者问|答\S{0,6}记者|问答|一图|图解|图说|政策说明|政策问答|读懂|专家谈|负责人就|有关情况说明|\bQ\s?&\s?A\b|explain(?:er|ed)|what you need to know|interpret",
    re.I,
)
_SPEECH = re.compile(
    r"讲话|致辞|致词|演讲|发言|署名文章|(?:在.{2,40}上的(?:讲|发言|主旨))|^speech|remarks (?:by|at)|address (?:by|at|to)\b|keynote",
    re.I,
)
_DATA = re.compile(
    r"统计(?:数据|报告|公报|表)|投向统计|运行情况|监管指标|情况表|采购经理指数|价格指数|社会融资规模|货币供应量|金融统计|主要经济指标|"
    r"(?:规模以上|工业)企业利润|增加值(?:增长|数据)|(?:\d{1,4}年)?(?:一|二|三|四|前[一二三]|上半年|[1-9１-９]|1[0-2])?(?:季度|月份?|季度末|月末)?.{0,12}(?:数据|统计)(?:公布|发布|出炉)?$|"
    r"\bPMI\b|\bCPI\b|\bPPI\b|statistical (?:data|report|communique)|data release",
    re.I,
)
_RULE = re.compile(
    r"(?:通知|意见|办法|规定|细则|指引|方案|条例|决定|规划|准则|目录|措施|纲要|计划|守则|规则|规程|标准|法|解释|要点|意见的函|规范|令|若干政策)(?:[（(].{0,24}[）)])?(?:\s*(?:第\d+号令|\d{4}年第\d+号令?).{0,4})?$|^关于.{4,80}(?:通知|意见|决定)|(?:指引|准则|规则|解释)第\s*\d+\s*号|令第\d+号|第\d+号令"
)
_NOTICE = re.compile(
    r"公告|公示|通告|批复|任职资格|招标|采购|名单|通报|招聘|结果|启事|公开市场|交易公告|中标|拍卖|receiv|announcement|tender",
    re.I,
)
_MINOR_NUMBERED = re.compile(
    r"公开市场|交易公告|业务公告|(?:招标|中标|采购)(?:公告|公示|结果)|任职资格|修改.{0,10}章程|批复|发行公告"
)
_BANK = re.compile(
    r"(?:(?:工商|农业|中国|建设|交通|邮储|邮政储蓄|招商|中信|光大|民生|浦发|兴业|平安|华夏|广发|浙商|渤海|恒丰|北京|上海|江苏|宁波|南京|徽商|杭州|成都)银行|工行|农行|中行|建行|交行|国开行|"
    r"国家开发银行|进出口银行|农发行|中国信保|中国出口信用保险|人保|太保|太平洋保险|平安财险|国寿|泰康|[一-鿿]{2,6}(?:农商|城商|商业)银行|[一-鿿]{2,8}分行)"
)
_BANK_ANY = re.compile(
    r"^(?!多家|中小|各|商业|外资|中央|人民|世界|亚洲|开发|政策|国有|大型|民营|数字)[一-鿿]{2,4}银行(?!业|间|系|们|卡|股|家)"
)
_BANK_EN = re.compile(
    r"\b(?:ICBC|CCB|ABC|BOC|BoCom|PSBC|Bank of (?:China|Communications|Beijing|Shanghai)|China Construction Bank|Agricultural Bank|Industrial and Commercial Bank|China Merchants Bank|CITIC|CDB|China Development Bank|Exim\w*|Export-Import Bank|Sinosure|Ping An|PICC)\b"
)
_ACTS = re.compile(
    r"发放|落地|投放|签约|签署|推出|办成|办理|授信|承保|支持|助力|放款|发行|设立|赋能|护航|服务|上线|创新|成功|完成|举办|召开|走访|对接|贷|"
    r"\b(?:lends?|grants?|launch\w*|issues?|signs?|provid\w+|support\w*|offers?|extends?|underwr\w+|sets? up|pledg\w+|step\w* up)\b",
    re.I,
)
_OFFICIAL = ("regulator", "government", "statistics")


def of(
    title: str,
    text: str,
    *,
    source_type: str = "",
    doc_kind: str = "",
    doc_number: str = "",
    level: str = "",
    issued: bool = False,
) -> Kind:
    """The kind of a document. `doc_kind` is the page's own word (公文种类), `issued` says that an office signs it."""
    official = source_type in _OFFICIAL
    if _PENALTY.search(title):
        return "penalty"
    if _INTERPRETATION.search(title):
        return "interpretation"
    if _DRAFT.search(title):
        return "draft"
    if _SPEECH.search(title):
        return "speech"
    if (official or source_type in ("policy-bank", "")) and _DATA.search(title) and not _RULE.search(title):
        return "data"
    if official or doc_number or issued:
        kind = _official(title, text, doc_kind, doc_number, issued, source_type)
        if kind == "circular" and level in ("provincial", "municipal"):
            return "local rule"
        if kind:
            return kind
    if source_type == "policy-bank":
        return "bank action"
    if (
        not official
        and (_BANK.search(title) or _BANK_ANY.match(title) or _BANK_EN.search(title))
        and _ACTS.search(title)
    ):
        return "bank action"
    return "news"


def _official(title: str, text: str, doc_kind: str, doc_number: str, issued: bool, source_type: str) -> Kind | None:
    if _MINOR_NUMBERED.search(title):
        return "notice"
    if doc_kind and re.search(r"通知|意见|决定|令|函|方案|规划|办法", doc_kind):
        return "circular"
    if _RULE.search(title):
        # media name plans in headlines too: a headline alone makes no circular there
        return "circular" if source_type in _OFFICIAL or doc_number or issued else None
    if _NOTICE.search(title):
        return "circular" if doc_number and "公告" in title and len(text) > 600 else "notice"
    if doc_number:
        return "notice" if re.search(r"公告|通告", doc_number) and len(text) < 600 else "circular"
    return None
