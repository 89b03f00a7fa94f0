"""English lines: sentences that begin like a label are text, labels are none."""

from __future__ import annotations

import pytest

from pipelines.clean import to_text
from pipelines.extract.anypage import lines

SENTENCES = (
    "Staff at two hospitals have been told to stay home after a fire, the council said.",
    "By Monday, the storm had moved far out to sea and the ports opened again.",
    "Source code of the engine was copied twice before the breach was found.",
    "Published figures show that exports fell by a third in May.",
    "Updated rules for the ports take effect in January, the ministry said.",
    "Date palms are planted along the whole road, which runs for nine miles.",
    "Previous attempts to build the bridge had failed.",
    "Next story in the series will be told by his sister, the director said.",
    "Copyright law in the north changes on Monday, after nine years of quarrels.",
    "Reporter John Dale was released from prison on Tuesday after nine months.",
    "Author Jane Rule, who wrote nine novels, has died at the age of 88.",
    "Created in 1990, the park attracts a million visitors a year.",
)
LABELS = (
    ("By Jane Doe and Joe Public in Norden", lines.CREDIT),
    ("Source: Harbour News Agency", lines.CREDIT),
    ("Updated 3 hours ago", lines.CREDIT),
    ("Published on May 3, 2026 by Admin", lines.CREDIT),
    ("Author Ben Knight", lines.CREDIT),
    ("Last updated on Mon 20 Jan 2026 06.07 GMT", lines.CREDIT),
    ("Previous post: The cat on the crane", lines.OTHER),
    ("More from Business", lines.OTHER),
    ("Subscribe to our newsletter to get the latest stories in your inbox every day.", lines.BUTTON),
    ("Header image: Boats have lain here since the dam was closed. Ada Holm/Agency (CC BY 2.0)", lines.BUTTON),
    ("(Credit: Ada Holm / Harbour News)", lines.BUTTON),
    ("Copyright 2026 Harbour News. All rights reserved.", lines.RIGHTS),
)
AROUND = (
    "<p>The paragraph before it is here, and it goes on for a while.</p><p>{}</p><p>The one behind it goes on, too.</p>"
)


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_is_no_label(text: str) -> None:
    assert lines.kind(text) == lines.PLAIN
    assert text in to_text(AROUND.format(text))


@pytest.mark.parametrize(("text", "kind"), LABELS)
def test_a_label_is_no_sentence(text: str, kind: str) -> None:
    assert lines.kind(text) == kind


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("Anna Lind is a senior reporter for the Harbour News and lives in Norden.", True),
        ("Anna Lind covers fishing and ports.", True),
        ("Larry Holm is not likely to sell the yard before his sons have finished school.", False),
        ("London was quiet on Sunday, and the shops stayed shut until the evening.", False),
    ],
)
def test_biographies_tell_of_a_profession(text: str, about: bool) -> None:
    assert lines.about_people(text) is about
