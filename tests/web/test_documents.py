"""The documents of the imitation web: enough of them, of every kind, honestly labelled, and none a copy of another."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import config
from tests.web.documents import FOLDER, build, load

CHINA = ZoneInfo("Asia/Shanghai")
SOURCES = config.load_sources()
TASKS = {task.id: task for task in config.load_taxonomy().tasks}
#: told second-hand only, so not among the evaluated tasks
PROVISIONAL = "institutional-mechanisms"
RAW, PROBLEMS = load()
BY_KEY = {raw["key"]: raw for raw in RAW}
#: the least number of documents of the hosts that matter most
LEAST = {"nfra": 12, "ndrc_zcfb": 12, "miit_wjfb": 10, "govcn_library": 10, "pboc_lists": 10, "trulynews": 6}
#: a Chinese run of this many characters, or an English one of this many words, is a copied sentence; English names of
#: authorities and tasks alone are longer than 25 letters, so English is counted in words
RUN_CHARACTERS, RUN_WORDS = 25, 9


def text_of(raw: dict[str, Any]) -> str:
    """What a reader of the document sees: body, or the feed's summary, and the attachments."""
    parts = [raw.get("body") or raw.get("summary") or ""]
    parts += [attachment["text"] for attachment in raw.get("attachments") or []]
    return "\n".join(parts)


def stands_on(raw: dict[str, Any]) -> set[tuple[str, str]]:
    return {(site["source"], site["section"]) for site in raw["sites"]}


def runs(raw: dict[str, Any]) -> set[str]:
    if raw["language"] == "zh":
        text = re.sub(r"\s", "", raw["title"]) + "|" + re.sub(r"\s", "", text_of(raw))
        return {text[i : i + RUN_CHARACTERS] for i in range(len(text) - RUN_CHARACTERS + 1)}
    words = re.findall(r"[\w']+", f"{raw['title']} {text_of(raw)}".lower())
    return {" ".join(words[i : i + RUN_WORDS]) for i in range(len(words) - RUN_WORDS + 1)}


def test_every_file_is_read_without_a_problem() -> None:
    """The loader leaves out broken files and doubled keys, so nothing may be left out."""
    assert PROBLEMS == []


@pytest.mark.parametrize("raw", RAW, ids=[raw["key"] for raw in RAW])
def test_a_document_is_whole(raw: dict[str, Any]) -> None:
    now = dt.datetime.now(CHINA)
    document = build(raw, now.date(), now)
    assert document.published <= now
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", raw["key"])
    assert ("published" in raw) != ("days_ago" in raw), "one date, fixed or relative"
    assert set(raw["gold"]) == {"relevant", "tasks"} and isinstance(raw["gold"]["relevant"], bool)
    assert set(raw["gold"]["tasks"]) <= set(TASKS)
    assert len(raw["gold"]["tasks"]) == len(set(raw["gold"]["tasks"]))
    if raw["lookalike"]:
        assert raw["gold"] == {"relevant": False, "tasks": []}
    else:
        assert raw["gold"]["relevant"] and raw["gold"]["tasks"]


@pytest.mark.parametrize("raw", RAW, ids=[raw["key"] for raw in RAW])
def test_a_document_is_in_its_language_and_of_a_real_length(raw: dict[str, Any]) -> None:
    text = text_of(raw)
    letters = len(re.findall(r"[一-鿿]", text))
    if raw["language"] == "en":
        assert letters == 0
        assert 80 <= len(text.split()) <= 600
    else:
        assert letters > len(text) / 3
        assert 150 <= len(re.sub(r"\s", "", text)) <= 2500


@pytest.mark.parametrize("raw", RAW, ids=[raw["key"] for raw in RAW])
def test_a_document_stands_where_its_language_is_read(raw: dict[str, Any]) -> None:
    for source, section in stands_on(raw):
        assert source in SOURCES
        assert section in {entry.section for entry in SOURCES[source].lists}
        assert SOURCES[source].language == raw["language"]


def test_every_enabled_list_has_a_document() -> None:
    taken = {place for raw in RAW for place in stands_on(raw)}
    missing = [
        (source.id, entry.section)
        for source in SOURCES.values()
        if source.enabled
        for entry in source.lists
        if not entry.fallback and (source.id, entry.section) not in taken
    ]
    assert missing == []


def test_the_main_hosts_have_enough() -> None:
    count = Counter(source for raw in RAW for source in {source for source, _ in stands_on(raw)})
    assert {source: count[source] for source, least in LEAST.items() if count[source] < least} == {}


@pytest.mark.parametrize("hour", [0, 9, 23])
@pytest.mark.parametrize("source", [s.id for s in SOURCES.values() if s.enabled])
def test_a_host_looks_alive_at_any_hour(source: str, hour: int) -> None:
    """Each source's newest document is younger than the age at which the health ledger calls the source stale."""
    now = dt.datetime(2026, 11, 25, hour, 55, tzinfo=CHINA)
    here = [raw for raw in RAW if any(place == source for place, _ in stands_on(raw))]
    newest = max(build(raw, now.date(), now).published for raw in here)
    assert now - newest <= dt.timedelta(hours=SOURCES[source].expect.newest_max_age_h)


def test_there_are_enough_of_both_languages_and_look_alikes() -> None:
    relevant = sum(raw["gold"]["relevant"] for raw in RAW)
    lookalikes = sum(raw["lookalike"] for raw in RAW)
    english = sum(raw["language"] == "en" for raw in RAW)
    assert len(RAW) >= 150
    assert relevant >= 75
    assert lookalikes >= len(RAW) / 3
    assert 0.33 <= english / len(RAW) <= 0.47
    for language in ("zh", "en"):
        assert sum(raw["lookalike"] for raw in RAW if raw["language"] == language) >= 20


@pytest.mark.parametrize("task", sorted(TASKS))
@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_task_is_carried_in_each_language(task: str, language: str) -> None:
    carriers = [raw["key"] for raw in RAW if raw["language"] == language and task in raw["gold"]["tasks"]]
    assert len(carriers) >= (3 if task == PROVISIONAL else 5), carriers


def test_no_document_copies_another() -> None:
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for raw in RAW:
        for run in runs(raw):
            owners[run].add(raw["key"])
    shared = {run: keys for run, keys in owners.items() if len(keys) > 1}
    assert shared == {}


def test_the_circular_stands_on_its_issuers_hosts() -> None:
    circular = next(raw for raw in RAW if raw.get("doc_number") == "金发〔2024〕5号")
    assert str(circular["published"]).startswith("2024-04-16")
    assert {"nfra", "miit_wjfb", "ndrc_zcfb", "govcn_library"} <= {source for source, _ in stands_on(circular)}
    assert set(TASKS) == set(circular["gold"]["tasks"])


def test_one_document_number_is_one_document() -> None:
    numbers = Counter((raw["doc_number"], raw["issuers"][0]) for raw in RAW if raw.get("doc_number"))
    assert [number for number, times in numbers.items() if times > 1] == []


def test_the_seed_bears_on_every_task_that_the_taxonomy_quotes() -> None:
    """But for `risk-prevention`: "risk prevention" renders insurance cover there, and the other quotation is a formula."""
    seed = BY_KEY["trulynews-seed"]
    assert stands_on(seed) == {("trulynews", "REST posts")}
    assert seed["published"] == "2024-04-21 09:00"
    quoted = {task.id for task in TASKS.values() if task.seed_quote}
    assert set(seed["gold"]["tasks"]) == quoted - {"risk-prevention"}
    assert "risk prevention" in seed["body"]


def test_orders_that_exist_only_as_files() -> None:
    stubs = [raw for raw in RAW if raw.get("stub")]
    assert len(stubs) >= 3
    for raw in stubs:
        assert {attachment["kind"] for attachment in raw["attachments"]} == {"pdf", "ofd"}
        assert len(raw["body"]) < 80 < len(raw["attachments"][0]["text"])
        assert ("ndrc_zcfb", "发展改革委令") in stands_on(raw)


def test_some_are_in_traditional_script_or_of_mixed_width() -> None:
    traditional = [raw["key"] for raw in RAW if re.search("[銀業貸機]", raw.get("body") or "")]
    wide = [raw["key"] for raw in RAW if re.search("[０-９]", raw.get("body") or "")]
    assert len(traditional) >= 2
    assert wide


def test_several_circulars_stand_on_several_hosts() -> None:
    many = [raw["key"] for raw in RAW if raw.get("doc_number") and len({s for s, _ in stands_on(raw)}) >= 3]
    assert len(many) >= 4, many


def test_the_folder_stays_small_enough_to_load_at_every_start() -> None:
    """Bytes, not seconds: the C loader reads about 10 MB/s, and every start of the imitation web reads all of it."""
    assert sum(file.stat().st_size for file in FOLDER.glob("*.yaml")) < 600_000
