"""Classifying documents of 2,000 characters on one core: the term reader, relevant documents, and a realistic mix."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from db.documents import Document
from tests.bench import Figure
from tests.web.documents import load

LENGTH = 2000
# one in five of what is crawled is relevant
IRRELEVANT = 4


def run(say: Callable[[str], None], count: int = 100) -> list[Figure]:
    """Documents a second of CPU time; the documents are the imitation web's, each lengthened by others of its kind."""
    from config import load_taxonomy
    from pipelines.classify import Classifier

    folder = _configuration()
    began = time.process_time()
    both = Classifier(load_taxonomy(folder))
    relevant, other = padded(True, count), padded(False, count)
    # the first sentence loads the encoder
    both.classify(_document(relevant[0]))
    loaded = time.process_time() - began
    terms = Classifier(load_taxonomy(folder), readers="terms")
    mix = [t for i in range(count // IRRELEVANT) for t in (relevant[i], *other[i * IRRELEVANT : (i + 1) * IRRELEVANT])]
    say(f"{len(mix)} documents of {LENGTH} characters; ready after {loaded:.2f} s of CPU time")
    return [
        Figure("term reader", _rate(terms.read, mix), "1/s of CPU", ">= 1000"),
        Figure("term reader with labels, proof and explanation", _rate(terms.classify, mix), "1/s of CPU"),
        Figure("both readers, four in five irrelevant", _rate(both.classify, mix), "1/s of CPU", ">= 30"),
        Figure("both readers, relevant documents", _rate(both.classify, relevant[: count // 2]), "1/s of CPU", ">= 8"),
        Figure("classifier and encoder loaded", loaded, "s CPU"),
    ]


def padded(relevant: bool, count: int) -> list[tuple[str, str]]:
    """(title, text) of exactly LENGTH characters: a document, then others of its language and kind until it is full."""
    kinds: dict[str, list[tuple[str, str]]] = {"zh": [], "en": []}
    for d in load()[0]:
        if len(d.get("body") or "") > 150 and d["gold"]["relevant"] == relevant:
            kinds[d["language"]].append((d["title"], d["body"]))
    rng = random.Random(2)
    out = []
    for n in range(count):
        pool = kinds["zh" if n % 2 else "en"]
        title, text = pool[n // 2 % len(pool)]
        while len(text) < LENGTH:
            text += "\n" + rng.choice(pool)[1]
        out.append((title, text[:LENGTH]))
    return out


def _document(text: tuple[str, str]) -> Document:
    return Document(title=text[0], text=text[1])


def _rate(read: Callable[[Document], object], texts: list[tuple[str, str]]) -> float:
    documents = [_document(t) for t in texts]
    read(_document(texts[0]))
    began = time.process_time()
    for document in documents:
        read(document)
    return len(documents) / (time.process_time() - began)


def _configuration() -> Path:
    import config

    return Path(str(config.__file__)).parent
