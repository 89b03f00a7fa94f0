"""The spellings under which one term of the taxonomy may stand in a text, already folded.

Chinese: with and without brackets. English: plurals, -ise/-ize, -our/-or, -re/-er, hyphen, space or nothing between
parts. All go into one automaton, whose speed does not depend on how many there are.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import product

from pipelines.classify.normalise import normalise

MOST = 96  # spellings of one term; a term of many words gets its plural only at the ends

_BRITISH = (
    (re.compile(r"iz(e|es|ed|er|ers|ing|ation|ations|able)$"), r"is\1"),
    (re.compile(r"yz(e|es|ed|er|ers|ing)$"), r"ys\1"),
    (re.compile(r"or$"), "our"),
    (re.compile(r"ors$"), "ours"),
    (re.compile(r"er$"), "re"),
    (re.compile(r"ers$"), "res"),
    (re.compile(r"ense$"), "ence"),
    (re.compile(r"am$"), "amme"),
    (re.compile(r"ams$"), "ammes"),
    (re.compile(r"eling$"), "elling"),
    (re.compile(r"eled$"), "elled"),
    (re.compile(r"ill$"), "il"),
    (re.compile(r"ment$"), "ement"),
)
_AMERICAN = (
    (re.compile(r"is(e|es|ed|er|ers|ing|ation|ations|able)$"), r"iz\1"),
    (re.compile(r"ys(e|es|ed|er|ers|ing)$"), r"yz\1"),
    (re.compile(r"our(s?)$"), r"or\1"),
    (re.compile(r"re(s?)$"), r"er\1"),
    (re.compile(r"ence$"), "ense"),
    (re.compile(r"amme(s?)$"), r"am\1"),
    (re.compile(r"elling$"), "eling"),
    (re.compile(r"elled$"), "eled"),
)
# only these change by -or, -er, -ense, -am: "investor" and "supplier" don't
_CHANGING = frozenset(
    [
        "labor",
        "labour",
        "favor",
        "favour",
        "color",
        "colour",
        "neighbor",
        "neighbour",
        "harbor",
        "harbour",
        "endeavor",
        "endeavour",
        "center",
        "centre",
        "centers",
        "centres",
        "fiber",
        "fibre",
        "fibers",
        "fibres",
        "meter",
        "metre",
        "meters",
        "metres",
        "theater",
        "theatre",
        "liter",
        "litre",
        "defense",
        "defence",
        "license",
        "licence",
        "offense",
        "offence",
        "program",
        "programme",
        "programs",
        "programmes",
        "modeling",
        "modelling",
        "labeling",
        "labelling",
        "traveled",
        "travelled",
        "fulfill",
        "fulfil",
        "judgment",
        "judgement",
    ]
)
# American, British, one after the other; these change as whole words
_SPELLED = (
    "mold mould molds moulds molded moulded molding moulding moldings mouldings molder moulder molders moulders "
    "aluminum aluminium tire tyre tires tyres sulfur sulphur sulfuric sulphuric gray grey plow plough "
    "plows ploughs airplane aeroplane airplanes aeroplanes armor armour armored armoured vapor vapour "
    "honor honour rumor rumour catalog catalogue catalogs catalogues analog analogue dialog dialogue "
    "installment instalment installments instalments enrollment enrolment canceled cancelled "
    "canceling cancelling fueled fuelled signaling signalling channeling channelling jewelry jewellery "
    "skeptical sceptical artifact artefact artifacts artefacts maneuver manoeuvre checkbook chequebook "
    "caliber calibre saber sabre luster lustre "
)
_PAIRS = dict(zip(_SPELLED.split()[::2], _SPELLED.split()[1::2], strict=True))
_OTHER = _PAIRS | {british: american for american, british in _PAIRS.items()}
_PREFIXES = (
    "re",
    "co",
    "non",
    "multi",
    "cyber",
    "micro",
    "inter",
    "over",
    "under",
    "sub",
    "mid",
    "pre",
    "post",
    "anti",
)
_FIXED = frozenset(
    [
        "the",
        "of",
        "and",
        "to",
        "for",
        "in",
        "on",
        "by",
        "with",
        "from",
        "at",
        "as",
        "a",
        "an",
        "or",
        "not",
        "is",
        "are",
        "be",
        "into",
        "under",
        "small",
        "medium",
        "long",
        "term",
        "high",
        "tech",
        "low",
        "new",
        "key",
        "core",
        "due",
        "full",
        "chain",
        "export",
        "china",
        "chinese",
        "finance",
        "green",
        "smart",
        "digital",
        "industrial",
        "financial",
        "national",
        "bank's",
        "insurance",
        "manufacturing",
    ]
)
# "loans for manufacturing" is said in all these ways, and not in the midst of a name ("manufacturing loans")
_SECTOR = re.compile(r"\b(for|to|in|of) (?:the )?manufacturing(?: industry| sector)?$")
_SECTORS = ("manufacturing", "the manufacturing industry", "the manufacturing sector", "manufacturing industry", "manufacturing sector")  # fmt: skip
_TERM = ("medium and long term", "medium to long term", "mid to long term", "mid and long term", "medium or long term")


# asked of the words of documents too, which never end
@lru_cache(maxsize=20_000)
def word_forms(word: str) -> tuple[str, ...]:
    """British and American spelling of one folded word, itself first."""
    forms = [word]
    if word in _OTHER:
        forms.append(_OTHER[word])
    elif len(word) > 4:
        for rules in (_BRITISH, _AMERICAN):
            for pattern, replacement in rules:
                generic = pattern.pattern.startswith(("iz", "yz", "is", "ys"))
                if pattern.search(word) and (generic or word in _CHANGING):
                    other = pattern.sub(replacement, word)
                    if generic or other in _CHANGING:
                        forms.append(other)
    return tuple(dict.fromkeys(forms))


@cache
def _number_forms(word: str) -> tuple[str, ...]:
    """Singular and plural of one folded word, itself first."""
    if len(word) < 3 or word in _FIXED or not word.isalpha():
        return (word,)
    if word.endswith("ies"):
        return (word, word[:-3] + "y")
    if word.endswith(("sses", "xes", "ches", "shes")):
        return (word, word[:-2])
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return (word, word[:-1])
    if word.endswith("y") and word[-2] not in "aeiou":
        return (word, word[:-1] + "ies")
    if word.endswith(("ss", "x", "ch", "sh")):
        return (word, word + "es")
    return (word, word + "s")


def _joined(term: str) -> list[str]:
    """The term with its hyphens as spaces, closed up, and with a space after a prefix that is usually written solid."""
    out = [normalise(term).text]
    if "-" in term:
        out.append(normalise(re.sub(r"(?<=\w)-(?=\w)", "", term)).text)
    for base in list(out):
        words = base.split(" ")
        for i, word in enumerate(words):
            for prefix in _PREFIXES:
                if word.startswith(prefix) and len(word) >= len(prefix) + 5:
                    out.append(" ".join([*words[:i], prefix, word[len(prefix) :], *words[i + 1 :]]))
    for base in list(out):
        for known in _TERM:
            if known in base:
                out += [base.replace(known, other) for other in _TERM]
    for base in list(out):
        if _SECTOR.search(base):
            out += [_SECTOR.sub(rf"\1 {sector}", base) for sector in _SECTORS]
    return list(dict.fromkeys(out))


def english(term: str) -> list[str]:
    """All folded spellings of an English term."""
    out: dict[str, None] = {}
    for base in _joined(term):
        words = base.split(" ")
        counted = [i for i, w in enumerate(words) if len(_number_forms(w)) > 1]
        if len(counted) > 3:
            counted = [counted[0], counted[-2], counted[-1]]
        choices = []
        for i, word in enumerate(words):
            numbers = _number_forms(word) if i in counted else (word,)
            choices.append(tuple(dict.fromkeys(f for n in numbers for f in word_forms(n))))
        for k, combination in enumerate(product(*choices)):
            if k >= MOST:
                break
            out[" ".join(combination)] = None
    return list(out)


def chinese(term: str) -> list[str]:
    """All folded spellings of a Chinese term."""
    base = normalise(term).text
    out = [base]
    if "(" in base:
        out.append(base.replace("(", "").replace(")", ""))
        out.append(re.sub(r"\([^)]*\)", "", base))
    return [o for o in dict.fromkeys(out) if len(o) > 1]


def is_exact(term: str) -> bool:
    """An acronym, to be matched in its own case: NFRA, SBOM, e-CNY; not a name of ordinary words."""
    letters = [c for c in term if c.isalpha()]
    return (
        " " not in term
        and len(term) <= 8
        and all(ord(c) < 128 for c in term)
        and sum(c.isupper() for c in letters) >= 2
    )
