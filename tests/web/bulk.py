"""Generated documents: filler that makes lists as long as healthy ones, and bulk for benchmarks and volume tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .world import World

#: how many rows sources.yaml expects at least (expect.min_items) of the sources that are on
EXPECTED = {
    "nfra": 10, "miit_wjfb": 5, "miit_search": 10, "ndrc_zcfb": 15, "govcn_zuixin": 100, "govcn_library": 15,
    "govcn_en": 10, "pboc_lists": 10, "pboc_rss": 4, "mof_zcfb": 15, "csrc_yw": 10, "csrc_rules": 15, "safe_zcfg": 10,
    "mofcom_zcfb": 10, "nbs_rss": 10, "xinhua_zh": 50, "people_epaper": 40, "ce_epaper": 30, "stcn_list": 10,
    "chinanews_rss": 20, "yicai_zh": 20, "caixin_zh": 10, "chinadaily_business": 10, "xinhua_en": 10, "globaltimes": 10,
    "cgtn_rss": 20, "caixin_global": 10, "scmp_rss": 20, "trulynews": 5,
}  # fmt: skip
ENGLISH = {
    "govcn_en",
    "chinadaily_business",
    "xinhua_en",
    "globaltimes",
    "cgtn_rss",
    "caixin_global",
    "scmp_rss",
    "trulynews",
}
DAILY = {"people_epaper", "ce_epaper"}  # one issue a day: all of it is of today

PLACES = ("青石", "临江", "白沙", "云溪", "长岭", "柳河", "东湖", "南屏", "望海", "金山")
THEMES = ("图书馆", "湿地公园", "城市步道", "体育场馆", "古籍馆", "气象站", "植物园", "老年食堂", "社区书屋", "水文站")
EVENTS = (
    "向公众开放",
    "完成修缮",
    "举办开放日",
    "延长服务时间",
    "启用新预约系统",
    "公布年度安排",
    "征集志愿者",
    "更换标识",
)
ZH = (
    "{place}{theme}日前{event}，当天共接待市民{n}人次，现场秩序良好。",
    "工作人员介绍，场地面积约{m}平方米，设有{k}个服务点，周末开放至晚间九时。",
    "附近居民表示，步行{k}分钟即可到达，希望增加夜间照明和休息座椅。",
    "按照安排，第二批设施将在{k}个月内投入使用，具体时间以现场公告为准。",
    "管理单位提醒，雨雪天气请留意临时闭馆信息，入场时配合查验预约凭证。",
    "此次活动由{place}文化服务中心组织，{k}所学校的学生参加了讲解比赛。",
)
PLACES_EN = ("Qingshi", "Linjiang", "Baisha", "Yunxi", "Changling", "Liuhe", "Donghu", "Nanping", "Wanghai", "Jinshan")
THEMES_EN = (
    "library",
    "wetland park",
    "riverside trail",
    "sports hall",
    "archive",
    "weather station",
    "botanic garden",
)
EVENTS_EN = ("opens to visitors", "finishes repairs", "holds an open day", "extends its hours", "looks for volunteers")
EN = (
    "The {theme} of {place} {event} this week, and {n} people came on the first day, its staff said.",
    "It covers about {m} square meters, has {k} service desks and stays open until nine on weekends.",
    "People who live nearby said they walk there in {k} minutes and would like more benches and lamps.",
    "A second part is to follow within {k} months; the date will be posted at the entrance.",
    "Visitors are asked to look out for short closures in bad weather and to bring their booking slips.",
    "Pupils of {k} schools took part in a contest for young guides, which the town's culture center had arranged.",
)


def generate(
    source: str, count: int, sections: tuple[str, ...], language: str, mark: str, **more: Any
) -> Iterator[dict[str, Any]]:
    """Raw documents, the same in every run, over `sections` in turn (all of them for filler)."""
    places, themes, events = (PLACES, THEMES, EVENTS) if language == "zh" else (PLACES_EN, THEMES_EN, EVENTS_EN)
    for i in range(count):
        seed = int(hashlib.sha1(f"{mark}/{source}/{i}".encode()).hexdigest()[:12], 16)
        words = {
            "place": places[seed % len(places)],
            "theme": themes[seed // 10 % len(themes)],
            "event": events[seed // 100 % len(events)],
            "n": 100 + seed % 900,
            "m": 500 + seed % 7000,
            "k": 3 + seed % 17,
        }
        sentences = [form.format(**words) for form in (ZH if language == "zh" else EN)]
        turned = sentences[seed % 3 :] + sentences[: seed % 3]
        tail = f"（{i + 1}）" if language == "zh" else f" ({i + 1})"
        title = ("{place}{theme}{event}" if language == "zh" else "{theme} of {place} {event}").format(**words) + tail
        shown = sections if mark == "filler" else (sections[i % len(sections)],)
        yield {
            "key": f"{mark}-{source}-{i + 1}",
            "sites": [{"source": source, "section": section} for section in shown],
            "language": language,
            "title": title if language == "zh" else title[0].upper() + title[1:],
            "body": "\n\n".join(turned),
            "gold": {"relevant": False, "tasks": []},
            "filler": True,
            **_when(i, source, mark),
            **more,
        }


def _when(i: int, source: str, mark: str) -> dict[str, Any]:
    """The first of a filler is of this morning, so that no list is stale; then two a day, back from yesterday."""
    if mark == "filler" and (i == 0 or source in DAILY):
        return {"days_ago": 0, "time": f"00:{5 + i % 50:02d}"}
    return {"days_ago": 1 + i // 2 % 700, "time": f"{8 + i % 10:02d}:{i * 7 % 60:02d}"}


def bulk(source: str, count: int, world: World, section: str | None = None) -> Iterator[dict[str, Any]]:
    language = "en" if source in ENGLISH else "zh"
    return generate(source, count, (section,) if section else world.sections[source], language, "bulk")


def filler(world: World) -> Iterator[dict[str, Any]]:
    for source, count in EXPECTED.items():
        if source in world.sections:
            yield from generate(
                source, count + 2, world.sections[source], "en" if source in ENGLISH else "zh", "filler"
            )
