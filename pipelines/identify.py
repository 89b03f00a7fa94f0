"""Gives a document its identity: one canonical address for all twins of a page, and one id for one document on many hosts.

Identity is the normal key of the document number with its first issuer; where there is no number, the canonical address. The
id is "d" and 16 hex digits of its SHA-256, so links last and a rebuild in any order gives the same.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from db.documents import Document
from pipelines.recognise import doc_number, issuers

_TRACKING = re.compile(
    r"^(?:utm_\w+|spm|scm|from|isappinstalled|share\w*|fbclid|gclid|yclid|msclkid|mc_[ce]id|_hs\w+|ref|refer(?:r?er)?|src|source|"
    r"wx\w*|weixin\w*|nsukey|timestamp|_t|_r|v_?t|rnd|random|sessionid|jsessionid|phpsessid|sid|tdsourcetag|ivk_sa|scene|clicktime|enterid|bd_vid|"
    r"from_\w+|channel_?from|cid_from|track\w*|spss|cmpid|icid|ncid|ocid|s_cid|igshid|pk_\w+|print|big5|version)$",
    re.I,
)
_SESSION_PATH = re.compile(r";jsessionid=[^/?#]*", re.I)
_INDEX = re.compile(r"/(?:index|default)\.(?:html?|shtml|php|aspx?|jsp)$", re.I)
# sites whose http and https, with and without www, are known to be one (they redirect, or both were seen to serve the same)
_ONE_SITE = re.compile(
    r"(?:^|\.)(?:gov\.cn|people\.com\.cn|people\.cn|news\.cn|xinhuanet\.com|chinadaily\.com\.cn|globaltimes\.cn|cgtn\.com|chinanews\.com(?:\.cn)?|"
    r"ce\.cn|stcn\.com|caixin\.com|caixinglobal\.com|yicai\.com|scmp\.com|ecns\.cn|trulynews\.cn|eximbank\.gov\.cn|cdb\.com\.cn|cdb\.cn|sinosure\.com\.cn|"
    r"cls\.cn|gmw\.cn|21jingji\.com|cnstock\.com|financialnews\.com\.cn|cbimc\.cn)$"
)
_NFRA = re.compile(r"(?:^|\.)(?:nfra|cbirc)\.gov\.cn$")
_NFRA_ID = re.compile(r"(?:docId=|data_docId=|/)(\d{3,10})(?=\D|$)", re.I)


def stage(document: Document, context: Any) -> Document:
    """Fill canonical_url, urls, identity and id; drop what earlier stages left for each other."""
    document.canonical_url = canonical_url(document.url)
    document.urls = list(dict.fromkeys(u for u in [document.canonical_url, document.url, *document.urls] if u))
    document.identity = identity(document)
    document.id = document_id(document.identity)
    return document


def document_id(identity_text: str) -> str:
    """ "d" and 16 hex digits."""
    return "d" + hashlib.sha256(identity_text.encode("utf-8")).hexdigest()[:16]


def identity(document: Document) -> str:
    """`doc:<number key>|<first issuer>` or `url:<canonical address>`.

    Numbers of orders and announcements name their office in the key; other codes (金发, 银发) are joined with the canonical name of
    the first issuer, since local offices share short codes (财金). A number of an interpretation or of news is never an identity:
    it is the number of what they speak of.
    """
    number = doc_number.parse(document.doc_number) if document.doc_number else None
    if number is None or document.kind in ("interpretation", "news", "speech", "bank action"):
        return "url:" + (document.canonical_url or canonical_url(document.url))
    first = issuers.canonical(document.issuers[0]) if document.issuers else ""
    coded = issuers.by_code(number.text)
    if number.issuer:
        return f"doc:{number.key}"
    if re.match(r"(?:令|公告|通告)", number.key):
        key = number.key
        if first in issuers.SERIAL_ORDERS and key.startswith("令"):
            key = re.sub(r"〔\d{4}〕", "", key)
        return f"doc:{_office(first)}{key}"
    # an authority's own code says whose number it is, in whatever order a host lists the joint issuers; a local office that
    # uses the same letters (财办) is none of them
    signers = [_office(issuers.canonical(name)) for name in document.issuers]
    owner = coded if coded and (not signers or coded in signers) else _office(first)
    return f"doc:{number.key}|{owner}"


def _office(name: str) -> str:
    """The authority itself: its general office and departments number in its name."""
    return re.sub(r"(?:办公厅|办公室|综合司)$", "", name) or name


def canonical_url(url: str) -> str:
    """One form for all twins of an address.

    Lower-case scheme and host, no default port, fragment, session or tracking parameters, parameters in order, `https` and
    no `www.`-less twin where a site is known to be one, percent-encoding normal. NFRA's three forms of a document (public page,
    interface, static cache) become the public page. Text that is no http address comes back stripped.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError:
        return url
    if parts.scheme.lower() not in ("http", "https") or not host:
        return url
    if _NFRA.search(host) and (special := _nfra(parts.path, parts.query)):
        return special
    scheme = parts.scheme.lower()
    netloc = host if port in (None, 80, 443) else f"{host}:{port}"
    if _ONE_SITE.search(host) and port in (None, 80, 443):
        scheme, netloc = "https", _www(host)
    return urlunsplit((scheme, netloc, _path(parts.path), _query(parts.query), ""))


def _www(host: str) -> str:
    """`news.cn` and `www.news.cn` are one; sub-hosts stay. Hosts of two labels (or `x.gov.cn`, `x.com.cn`) get www."""
    host = host.removeprefix("www.")
    labels = host.split(".")
    short = len(labels) == 2 or (len(labels) == 3 and labels[1] in ("gov", "com", "org", "net") and labels[2] == "cn")
    if host == "gov.cn" or short:
        return f"www.{host}"
    return host


def _path(path: str) -> str:
    path = _SESSION_PATH.sub("", path or "/")
    trailing = path.endswith("/") and path != "/"
    path = re.sub(r"/{2,}", "/", path)
    if "/." in path:
        path = posixpath.normpath(path)
        path += "/" if trailing and path != "/" else ""
    path = quote(unquote(path), safe="/:@!$&'()*+,;=~-._")
    return (
        _INDEX.sub("/", path) if path.lower() in ("/index.html", "/index.htm", "/index.shtml", "/index.php") else path
    )


def _query(query: str) -> str:
    if not query:
        return ""
    if "=" not in query:
        # a bare query is a cache-buster (?123456) unless it is a name that the server needs
        return "" if query.isdigit() else query
    pairs = [(k, v) for k, v in parse_qsl(query, keep_blank_values=True) if not _TRACKING.match(k)]
    return urlencode(sorted(pairs))


def _nfra(path: str, query: str) -> str:
    pairs = {k.lower(): v for k, v in parse_qsl(query)}
    number = pairs.get("docid", "")
    if not number and re.search(r"SelectByDocId", path, re.I):
        match = _NFRA_ID.search(path)
        number = match.group(1) if match else ""
    if not number.isdigit():
        return ""
    return f"https://www.nfra.gov.cn/cn/view/pages/ItemDetail.html?docId={number}"
