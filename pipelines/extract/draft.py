"""What the readers of pages hand on: field values as the page wrote them, before anything is recognised in them."""

from __future__ import annotations

from dataclasses import dataclass, field

from db.documents import Attachment


@dataclass(slots=True)
class Draft:
    """Raw fields of one document. `body` is markup, everything else one line of text; "" and [] mean "not there".

    `published` holds all candidates, best first: a date of the day and a more exact one of the same day go together.
    `labels` are the values of label/value tables by the name of their field. `site` is who runs the site (SiteName).
    """

    url: str = ""
    title: str = ""
    body: str = ""
    published: list[str] = field(default_factory=list)
    written: str = ""
    modified: str = ""
    outlet: str = ""
    author: str = ""
    byline: str = ""
    category: str = ""
    doc_number: str = ""
    index_number: str = ""
    doc_kind: str = ""
    issuers: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    site: str = ""
    language: str = ""
    paywalled: bool = False
    public_url: str = ""
    remarks: list[str] = field(default_factory=list)
    # the source's own selectors found the body; where they did not, the page has changed or is of another make
    selected: bool = True

    def fill(self, other: Draft) -> Draft:
        """Take from another reading of the same page what is missing here."""
        for name in (
            "title", "body", "written", "modified", "outlet", "author", "byline", "category", "doc_number",
            "index_number", "doc_kind", "issuers", "site", "language", "public_url",
        ):  # fmt: skip
            if not getattr(self, name):
                setattr(self, name, getattr(other, name))
        self.published += [p for p in other.published if p not in self.published]
        known = {a.url for a in self.attachments}
        self.attachments += [a for a in other.attachments if a.url not in known]
        for name, value in other.labels.items():
            self.labels.setdefault(name, value)
        return self
