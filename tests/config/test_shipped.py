"""The configuration that is shipped: complete, honest about what is unverified, and counted."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from pydantic import BaseModel

import config
from config.options import ArticleOptions, FeedOptions, ListEntry, ListOptions, Paging, SitemapOptions
from config.reference import models, text
from config.selectors import LOOKUPS, path_fault, selector_fault
from config.sources import Source
from config.taxonomy import Measure

ROOT = Path(config.__file__).parent
SOURCES = config.load_sources(ROOT)
TAXONOMY = config.load_taxonomy(ROOT)

# The first forty sources; later ones may be added, none of these may vanish
FIRST = [
    "nfra",
    "miit_wjfb",
    "miit_search",
    "ndrc_zcfb",
    "ndrc_wjk",
    "govcn_zuixin",
    "govcn_library",
    "govcn_en",
    "pboc_lists",
    "pboc_rss",
    "mof_zcfb",
    "csrc_yw",
    "csrc_rules",
    "safe_zcfg",
    "mofcom_zcfb",
    "nbs_rss",
    "eximbank_news",
    "cdb_news",
    "sinosure_news",
    "xinhua_zh",
    "people_epaper",
    "people_finance",
    "ce_epaper",
    "stcn_list",
    "zqsb_epaper",
    "chinanews_rss",
    "yicai_zh",
    "caixin_zh",
    "cls_telegraph",
    "chinadaily_business",
    "chinadaily_rss",
    "xinhua_en",
    "globaltimes",
    "cgtn_rss",
    "cgtn_sitemap",
    "caixin_global",
    "yicai_global",
    "scmp_rss",
    "ecns_rss",
    "trulynews",
]
ON = [
    "nfra",
    "miit_wjfb",
    "miit_search",
    "ndrc_zcfb",
    "govcn_zuixin",
    "govcn_library",
    "govcn_en",
    "pboc_lists",
    "pboc_rss",
    "mof_zcfb",
    "csrc_yw",
    "csrc_rules",
    "safe_zcfg",
    "mofcom_zcfb",
    "nbs_rss",
    "xinhua_zh",
    "people_epaper",
    "ce_epaper",
    "stcn_list",
    "chinanews_rss",
    "yicai_zh",
    "caixin_zh",
    "chinadaily_business",
    "xinhua_en",
    "globaltimes",
    "cgtn_rss",
    "caixin_global",
    "scmp_rss",
    "trulynews",
]


def test_all_sources_came_over() -> None:
    assert len(FIRST) == 40
    assert set(FIRST) <= SOURCES.keys()


def test_what_is_on() -> None:
    assert sorted(ON) == sorted(s.id for s in SOURCES.values() if s.enabled)


@pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))
def test_source_is_honest(source: Source) -> None:
    assert source.evidence, "say what the certainty rests on"
    assert source.enabled or source.note, "say why it is off"
    assert source.certainty != "D" or not source.enabled or source.id == "trulynews"
    if source.enabled and source.id != "trulynews":
        assert not [entry.section for entry in source.lists if "unverified" in entry.note]
    assert source.expect.newest_max_age_h > 0
    assert source.type == "media" or source.issuer or source.id in ("govcn_en", "trulynews")
    assert all(note.note for note in source.lists_off)


@pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))
def test_source_may_ask_its_own_hosts(source: Source) -> None:
    for entry in source.lists:
        if entry.url:
            assert source.allows(entry.url)
    assert source.allows(source.base_url)
    assert not source.allows("https://www.example.com/")
    assert not any("localhost" in host or re.fullmatch(r"[\d.]+", host) for host in source.hosts)


def test_nothing_of_a_test_is_in_the_production_file() -> None:
    written = (ROOT / "sources.yaml").read_text(encoding="utf-8")
    for word in ("127.0.0.1", "localhost", "example.org", "example.com", "imitation"):
        assert word not in written


def selectors() -> list[tuple[str, str]]:
    """Every selector of every source with the place where it stands."""
    out = []
    for source in SOURCES.values():
        json_rows = source.kind == "json-api" and source.list.html_path is None
        json_article = source.article.format == "json"
        for block, options, is_json in (("list", source.list, json_rows), ("article", source.article, json_article)):
            for name in LOOKUPS:
                html = not is_json or name in ("body_css", "remove", "paywall_markers")
                out += [(f"{source.id}.{block}.{name}", t) for t in getattr(options, name, ()) if html]
    return out


def test_every_selector_compiles() -> None:
    found = selectors()
    assert len(found) > 400
    assert [(where, text) for where, text in found if selector_fault(text)] == []


def test_every_regular_expression_compiles() -> None:
    patterns = [p for s in SOURCES.values() for p in (*s.list.allow, *s.article.text_strip, *s.article.title_strip)]
    patterns += [s.paging.count_regex for s in SOURCES.values() if s.paging and s.paging.count_regex]
    assert len(patterns) > 20
    for pattern in patterns:
        re.compile(pattern)


@pytest.mark.parametrize("path", ["[]", "data.rows[]", "data[].docInfoVOList[]", "groupData.0.data", "a"])
def test_json_paths(path: str) -> None:
    assert path_fault(path) == ""


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a b", "a..b", "a[0]", "[][]"])
def test_broken_json_paths(path: str) -> None:
    assert path_fault(path)


def count(parts: list[Measure], block: str) -> tuple[int, int]:
    return sum(len(getattr(p, block).zh) for p in parts), sum(len(getattr(p, block).en) for p in parts)


def test_the_whole_taxonomy_came_over() -> None:
    measures = [measure for task in TAXONOMY.tasks for measure in task.measures]
    tasks = list(TAXONOMY.tasks)
    assert (len(tasks), len(measures)) == (12, 25)
    assert count(tasks, "terms") == (225, 223)
    assert count(measures, "terms") == (568, 533)
    assert count(tasks, "negative") == (77, 73)
    assert count(measures, "negative") == (157, 154)


def test_the_tasks_in_their_order() -> None:
    assert [(task.id, task.status, len(task.measures)) for task in TAXONOMY.tasks] == [
        ("supply-chain-security", "key-task", 2),
        ("sci-tech-innovation", "key-task", 3),
        ("industrial-upgrading", "key-task", 1),
        ("intelligent-green", "key-task", 2),
        ("medium-long-term-loans", "measure", 2),
        ("industry-finance-platform", "measure", 1),
        ("strategic-emerging", "measure", 2),
        ("foreign-trade", "measure", 2),
        ("insurance-funds", "measure", 0),
        ("manufacturing-credit", "measure", 5),
        ("risk-prevention", "measure", 2),
        ("institutional-mechanisms", "provisional", 3),
    ]
    assert [task.id for task in TAXONOMY.tasks if task.provisional] == ["institutional-mechanisms"]
    assert len({m.id for t in TAXONOMY.tasks for m in t.measures}) == 25


def test_facets_gates_and_references() -> None:
    facets = TAXONOMY.facets
    assert (len(facets.institutions), len(facets.industries), len(facets.instruments)) == (23, 16, 25)
    named = facets.institutions
    assert sum(len(i.aliases.zh) + len(i.aliases.en) for i in named) == 138 + 115
    assert sum(len(i.former.zh) + len(i.former.en) for i in named) == 18 + 15
    assert sum(len(i.ambiguous.zh) + len(i.ambiguous.en) for i in named) == 8 + 9
    assert sum(len(i.negative.zh) + len(i.negative.en) for i in named) == 56 + 39
    assert sum(len(i.terms.zh) + len(i.terms.en) for i in facets.industries) == 260 + 259
    assert sum(len(i.terms.zh) + len(i.terms.en) for i in facets.instruments) == 215 + 192
    assert {name: (len(g.zh), len(g.en)) for name, g in TAXONOMY.gates.items()} == {
        "finance": (15, 16),
        "manufacturing": (11, 10),
        "china": (0, 18),
        "circular": (5, 5),
    }
    assert (len(TAXONOMY.meta.references), len(TAXONOMY.meta.addressees)) == (16, 8)
    assert Counter(task.confidence for task in TAXONOMY.tasks)["high"] >= 9
    assert TAXONOMY.circular.doc_number == "金发〔2024〕5号"
    assert str(TAXONOMY.circular.published) == "2024-04-16"


def test_no_term_is_written_twice_in_one_list() -> None:
    for task in TAXONOMY.tasks:
        for part in (task, *task.measures):
            for terms in (part.terms.zh, part.terms.en):
                assert [t for t, n in Counter(terms).items() if n > 1] == []


def test_a_wrong_task_names_the_nearest() -> None:
    with pytest.raises(KeyError, match="did you mean 'foreign-trade'"):
        TAXONOMY.task("foreign-trades")


def test_the_written_reference_is_up_to_date() -> None:
    assert (ROOT / "README.md").read_text(encoding="utf-8") == text(), "run `python -m config.reference`"


def test_every_key_is_explained() -> None:
    todo, seen = list(models()), set()
    while todo:
        model = todo.pop()
        if model in seen:
            continue
        seen.add(model)
        for name, info in model.model_fields.items():
            assert info.description, f"{model.__name__}.{name} has no description"
    from config import options

    for model in vars(options).values():
        if isinstance(model, type) and hasattr(model, "model_fields") and model.__module__ == "config.options":
            for name, info in model.model_fields.items():
                assert info.description, f"{model.__name__}.{name} has no description"


@pytest.mark.parametrize("trap", [False, True], ids=["empty folder", "folder with its own config"])
def test_loading_from_any_folder(tmp_path: Path, trap: bool) -> None:
    if trap:
        (tmp_path / "config").mkdir()
        (tmp_path / "config" / "__init__.py").write_text("raise SystemExit('the wrong config')\n", encoding="utf-8")
        (tmp_path / "config" / "sources.yaml").write_text("version: 1\n", encoding="utf-8")
    env = {k: v for k, v in os.environ.items() if not k.startswith("CIRCULARWATCH_")}
    done = subprocess.run(
        [Path(sys.executable).with_name("circularwatch"), "config", "check", "--json"],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (len(found["sources"]), found["directory"]) == (len(SOURCES), str(ROOT))


def test_importing_the_package_is_light() -> None:
    command = (
        "import sys, config; print([m for m in ('pydantic', 'yaml', 'lxml', 'parsel', 'scrapy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_config_imports_nothing_of_the_house() -> None:
    for path in ROOT.glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not re.match(r"\s*(?:from|import) (?:crawler|pipelines|db)\b", line), f"{path.name}: {line}"


# For people, or the file's own machinery; everything else must be read by some room
FOR_PEOPLE = {"evidence_on", "lists_off", "note", "evidence"}


@pytest.mark.parametrize("model", [Source, ListEntry, Paging, ListOptions, ArticleOptions, FeedOptions, SitemapOptions])
def test_every_option_is_read_by_some_room(model: type[BaseModel]) -> None:
    rooms = [p for room in ("crawler", "pipelines", "db") for p in (ROOT.parent / room).rglob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in rooms)
    unread = [name for name in model.model_fields if not re.search(rf"[.\"']{name}\b", code)]
    assert set(unread) <= FOR_PEOPLE, "an option that nothing reads is a promise that nobody keeps"


def test_files_stay_readable() -> None:
    for path in ROOT.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path.name
