"""Tells by tag, class, id, role and style of an element what it is likely to hold: text, furniture, or nothing people see.

The words are those that web designers use for such boxes everywhere, English and pinyin. A name alone decides nothing about
a box that holds most of the page's sentences (`blocks.Page` weighs that).
"""

from __future__ import annotations

import re
from functools import lru_cache

# what an element is said to hold
TEXT, BOX, COMMENT, FOOT, HIDE, CAPTION, META, TITLE, FILES, PICTURE = (1 << bit for bit in range(10))

_COMMENT = re.compile(
    r"comment(?!ary|aries)|pinglun|disqus|livere|(?:^|[-_ ])(?:reply|replies|respond|discuss(?:ion)?|gentie|tie-?area|liuyan|guestbook)(?:$|[-_ ])"
)
# what publishing systems put on an article's element for its categories and tags (`tag-social-media`)
_FILED = re.compile(r"^(?:tag|category|cat|topic|author|format|series)[-_]")
_ENTRY = re.compile(r"(?:^| )(?:hentry|h-entry|type-[\w-]+|status-publish|post-\d+|post)(?: |$)")
# `section--has-ads` is a section
_MODIFIER = re.compile(r"--?(?:has|with|no|without|is)-.*$")
_FOOT = re.compile(
    r"(?:^|[-_ ])(?:g|site|page|global|main|the|m|pc)?[-_]?(?:foot|footer)(?:$|[-_ ]|er|bar|nav|\d)|^colophon$"
)
_BOX = re.compile(
    r"breadcrumb|crumbs?(?:$|[-_ ])|recommend|tuijian|(?:^|[-_ ])relat(?:ed|es?|ion)(?:$|[-_ ]|[a-z]*(?:news|article|post|list|read|content|box|link|item|stor))"
    r"|relatednews|relatedpost|relatedarticle|guess-?you|you-?may|also-?like|more-?(?:news|stories|articles|from|like|read)|(?:^|[-_ ])(?:xgxw|xgyd|xgwz|xgzx|xglj|xgjd|rdtj|tjyd|cnxh|hotnews|topnews)"
    r"|(?<![a-z])(?:bd)?share(?!hold)|sharebar|sharebox|sns(?:$|[-_ ])|social(?!ist|-?security)|addthis|jiathis|copyright|banquan|disclaim|shengming|mianze|statement(?:$|[-_ ])"
    r"|subscri(?:be|ption)|newsletter|sign-?up|signup|qr-?code|erweima|(?:^|[-_ ])(?:ewm|wx-?code)|weixin-?(?:code|qr|box)|app-?down|download-?app|paywall|regwall"
    r"|(?:^|[-_ ])(?:nav|navbar|navi|menu|topbar|hot|hots|rank|ranking|paihang|ads?|adv|adbox|advert\w*|gg|guanggao|promo\w*|sponsor\w*|banner|popup|pop|modal|cookie\w*|gdpr|consent|overlay"
    r"|toolbar|tools?|tags?|tag-?list|pager|pagination|paging|pagenav|page-?nav|prev|next|prevnext|shangxia|up-?down|login|register|search|widget|widgets|sidebar|side|aside|rail|right-?(?:bar|col|side)|toc"
    r"|fixed|float|dialog|toast|mask|tooltip|author-?(?:box|card|bio|info|profile)|about-?author|bio|bianji|editor(?:s|-?(?:box|info|line))?|zebian|article-?edit|jubao|report-?(?:abuse|btn|button|comment|error|form|icon|link|problem|this)|dianzan|like-?btn|vote|score|feedback|jiucuo"
    r"|(?<!content[-_])(?<!article[-_])print|font-?size|fontsize|read-?(?:more|next|also)|trending|most-?(?:read|popular|viewed)|popular|latest|outbrain|taboola|links|friend-?links?|youqing|skip|screen-?reader|end-?mark|article-?(?:tools?|tags?|nav|footer|share|foot|bottom)"
    r"|post-?(?:tags?|nav|navigation|meta-?bottom|footer|share)|entry-?(?:footer|tags?|utility))(?:$|[-_ ]|\d+$)"
    r"|^(?:list-?)?pages?(?:$|[-_](?:nav|num\w*|list|links?|bar|turn|box|item|index|btn|down|up)(?:$|[-_ ]))",
)
# a word that ends so is a place for text: `article-content`, but not `article-content-footer`
# a summary set apart from the text that repeats it
_SUMMARY = re.compile(
    r"(?:^|[-_])(?:intro|introduction|abstract|summary|zhaiyao|daodu|daoyu|tiyao|digest|key-?points?|takeaways?)(?:$|[-_]\d*$|[-_]?(?:box|txt|text|con|content|wrap))"
)
_TEXT = re.compile(
    r"(?:(?:content|main|news|post|entry|story|text|detail|page|doc|body|rich|blog|single|view|info)[-_]?)*(?:article|content|contents|body|text|detail|story|zhengwen|neirong|con|cont|para|nr|zw)(?:[-_]?\d+)?$"
    r"|^(?:trs_editor|trs_editor_view|zoom|ozoom|articlecontent|rich-?text|markdown-?body|e-content|bodytext|prose|wysiwyg|ueditor|editor-?content|xl-?content"
    r"|v_news_content|vsb_content\w*|article|story|main|entry|post)$"
)
_CAPTION = re.compile(
    r"caption|(?:^|[-_ ])(?:pic|img|image|photo|figure|tu)[-_]?(?:text|desc\w{0,8}|info|note|intro|shuo|zhu|title|alt|source|credit|cap)s?(?:$|[-_ \d])|tuzhu|tushuo|photo-?credit|media-?credit|(?:^|[-_ ])pictext"
)
# a box around a picture and the line that tells what it shows
_PICTURE = re.compile(
    r"(?:^|[-_ ])(?:pic|img|image|photo|figure)s?[-_]?(?:wrap(?:per)?|box|container|area|block|item)(?:$|[-_ ])"
)
_META = re.compile(
    r"(?:^|[-_ ])(?:time|date|pub\w*|publish\w*|source|laiyuan|ly|from|info|meta|byline|author|writer|msg|fbsj|shijian|riqi|dateline|timestamp|subline|post-?(?:date|meta|info|time)|article-?(?:info|meta|time|source|date)|titbar|xinxi|other|property|attr)(?:$|[-_ \d])"
    r"|time|date(?!ils?)|source|author|publish|byline"
)
_TITLE = re.compile(r"title|headline|biaoti|(?:^|[-_ ])(?:bt|tit|h1|hd1|subject|subj)(?:$|[-_ \d])")
_FILES = re.compile(
    r"^(?:attachment|attach|annex|fujian|fj|xgfj|down1|gu-download|file-?list|enclosure|appendix|content-head)s?$"
)
_UNSEEN = re.compile(
    r"(?:^| )(?:hide|hidden|d-none|is-hidden|visually-?hidden|sr-only|sr-text|screen-reader-text|screen-reader-only|u-hidden|displaynone|dn|undis|none|no-display|offscreen)(?: |$)"
)
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|(?<![-\w])font-size\s*:\s*(?:0(?:\.0+)?(?:px|pt|em|rem|%)?|1p[xt])\s*(?:;|!|$)"
    r"|(?<![-\w])opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)|text-indent\s*:\s*-\d{3,}|(?<![-\w])(?:left|top|right|margin-left)\s*:\s*-\d{4,}"
    r"|(?<![-\w])height\s*:\s*0(?:px)?\s*(?:;|!|$).*overflow\s*:\s*hidden|overflow\s*:\s*hidden.*(?<![-\w])height\s*:\s*0(?:px)?\s*(?:;|!|$)|(?<![-\w])clip\s*:\s*rect\(\s*[01](?:px)?[\s,]",
    re.I,
)
_WHITE = re.compile(
    r"(?<![-\w])color\s*:\s*(?:#fff(?:fff)?\b|white\b|rgb\(\s*255\s*,\s*255\s*,\s*255\s*\)|transparent\b)", re.I
)
_GROUND = re.compile(r"background", re.I)
_BRACES = re.compile(r"([{}])")
_REMARK = re.compile(r"/\*.{0,5000}?\*/|<!--|-->", re.S)
# style sheets beyond this are those of whole frameworks
_LONGEST_SHEET = 100_000
# characters of a heading that its class is compared with, of classes and of styles: more is an attack, and what is cached
# here must stay small
MOST_OF_HEADING, _MOST_OF_NAMES, _MOST_OF_STYLE = 300, 300, 2000
_PLAIN_SELECTOR = re.compile(r"^[a-z0-9]*([.#][\w-]+)$", re.I)


def kind(names: str) -> int:
    """What the class and id of an element (joined by a blank) say, as flags; a word made for text is no box."""
    return _kind(names[:_MOST_OF_NAMES])


@lru_cache(maxsize=8192)
def _kind(names: str) -> int:
    flags = 0
    low = _spread(names)
    filed = bool(_ENTRY.search(low))
    for word in low.split():
        if not (filed and _FILED.match(word)):
            flags |= _word(word)
    if _UNSEEN.search(low):
        flags |= HIDE
    return flags


def said(classes: str, identity: str, heading: str) -> str:
    """Class and id joined, without those of a heading that only repeat its words (`what-comes-next`)."""
    if not heading:
        return f"{classes} {identity}"
    begins = _letters(heading[:MOST_OF_HEADING])[:10]
    return " ".join(w for w in (*classes.split(), identity) if len(begins) < 10 or begins not in _letters(w))


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def summary(word: str) -> bool:
    """Whether a word of a class says summary or introduction."""
    return bool(_SUMMARY.search(word))


def box_word(names: str) -> str:
    """The first word of a class and id that says box: boxes of one word are weighed together."""
    return next((w for w in _spread(names[:_MOST_OF_NAMES]).split() if _word(w) & BOX), "")


@lru_cache(maxsize=8192)
def _word(word: str) -> int:
    flags = 0
    if word.startswith(("has-", "no-", "with-", "without-", "js-has")):
        return flags
    word = _MODIFIER.sub("", word)
    if _COMMENT.search(word):
        flags |= COMMENT | BOX
    if _FOOT.search(word):
        flags |= FOOT | BOX
    if _SUMMARY.search(word):
        flags |= BOX
    elif _TEXT.search(word):
        flags |= TEXT
    elif _BOX.search(word):
        flags |= BOX
    if _CAPTION.search(word):
        flags |= CAPTION
    if _PICTURE.search(word):
        flags |= PICTURE
    if _META.search(word):
        flags |= META
    if _TITLE.search(word):
        flags |= TITLE
    if _FILES.match(word):
        flags |= FILES
    return flags


def _spread(names: str) -> str:
    """`relatedNews` as `related-news`: words parted, lower case."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", names).lower()


def hiding(style: str) -> bool:
    """Whether an inline style takes an element out of sight."""
    return _style(style[:_MOST_OF_STYLE])[0]


def white(style: str) -> bool:
    """Whether an inline style writes in white on what may be white paper."""
    return _style(style[:_MOST_OF_STYLE])[1]


def ground(style: str) -> bool:
    """Whether an inline style lays a background."""
    return _style(style[:_MOST_OF_STYLE])[2]


@lru_cache(maxsize=4096)
def _style(style: str) -> tuple[bool, bool, bool]:
    """Whether a style hides, writes in white, lays a background."""
    ground = bool(_GROUND.search(style))
    return bool(_HIDING.search(style)), bool(_WHITE.search(style)) and not ground, ground


def hidden_by_sheet(sheets: str) -> frozenset[str]:
    """`.name` and `#id` that the page's own style sheets hide outright (rules for some screens only are left aside)."""
    found: set[str] = set()
    if "none" not in sheets and "hidden" not in sheets and "font-size" not in sheets:
        return frozenset()
    depth, before = 0, ""
    for piece in _BRACES.split(_REMARK.sub(" ", sheets[:_LONGEST_SHEET])):
        if piece == "{":
            depth += 1
        elif piece == "}":
            depth = max(0, depth - 1)
        elif depth == 1 and before and not before.lstrip().startswith("@") and _HIDING.search(piece[:600]):
            for selector in before.split(","):
                plain = _PLAIN_SELECTOR.match(selector.strip())
                if plain:
                    found.add(plain.group(1))
        elif depth == 0:
            before = piece[-400:]
    return frozenset(found)
