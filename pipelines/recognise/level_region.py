"""Says at which level an office stands and for which place: a provincial bureau of a central authority is not the authority."""

from __future__ import annotations

import re

from pipelines.recognise import issuers

PROVINCES = (
    "北京", "天津", "河北", "山西", "内蒙古", "辽宁", "吉林", "黑龙江", "上海", "江苏", "浙江", "安徽", "福建", "江西", "山东", "河南", "湖北",
    "湖南", "广东", "广西", "海南", "重庆", "四川", "贵州", "云南", "西藏", "陕西", "甘肃", "青海", "宁夏", "新疆", "香港", "澳门", "台湾",
)  # fmt: skip
# cities with their own bureaus of central authorities (计划单列市), provincial capitals, and other cities of industry
CITIES = (
    "深圳", "厦门", "宁波", "青岛", "大连", "广州", "武汉", "南京", "杭州", "成都", "西安", "沈阳", "长春", "哈尔滨", "济南", "郑州", "长沙",
    "合肥", "福州", "南昌", "昆明", "贵阳", "南宁", "海口", "太原", "石家庄", "兰州", "西宁", "银川", "乌鲁木齐", "拉萨", "呼和浩特", "苏州",
    "无锡", "常州", "南通", "徐州", "扬州", "镇江", "泰州", "盐城", "温州", "嘉兴", "绍兴", "湖州", "金华", "台州", "衢州", "舟山", "丽水",
    "泉州", "漳州", "莆田", "龙岩", "宁德", "烟台", "潍坊", "淄博", "威海", "临沂", "济宁", "东莞", "佛山", "珠海", "中山", "惠州", "江门",
    "汕头", "湛江", "肇庆", "芜湖", "马鞍山", "蚌埠", "滁州", "洛阳", "南阳", "宜昌", "襄阳", "株洲", "湘潭", "衡阳", "岳阳", "柳州", "桂林",
    "绵阳", "德阳", "宜宾", "宝鸡", "咸阳", "唐山", "保定", "沧州", "廊坊", "邯郸", "鞍山", "赣州", "九江", "雄安", "包头", "鄂尔多斯", "大庆",
    "遵义", "景德镇", "连云港", "淮安", "宿迁", "三明", "南平", "德州", "聊城", "泰安", "日照", "滨州", "菏泽", "枣庄", "东营", "开封", "新乡",
)  # fmt: skip
_BUREAU_CITIES = frozenset(("深圳", "厦门", "宁波", "青岛", "大连"))
_PLACE = re.compile("|".join(sorted((*PROVINCES, *CITIES), key=len, reverse=True)))
_ANY_CITY = re.compile(r"([一-鿿]{2,6}?)(?:市|地区|自治州|盟|监管分局)")
_MUNICIPAL_END = re.compile(r"监管分局|中心支行|[市州盟县区]\S{0,12}(?:局|政府|办公室|委|分行)")
# names that begin with a place and are no office of it
_INSTITUTION = re.compile(
    r"(?:银行|证券|保险|交易所|集团|公司|协会|学会|联合会|基金|信托|研究院|大学|中心)(?:股份)?(?:有限)?(?:责任)?(?:公司)?$"
)


def of(names: list[str], host: str = "") -> tuple[str, str]:
    """(`level`, `region`) of the first of the offices: central, provincial, municipal, institution; region "" for central."""
    if not names:
        return _of_host(host)
    name = issuers.canonical(names[0])
    for office in issuers.offices():
        if office.name == name or name in (office.name + "办公厅", office.name + "办公室", office.name + "综合司"):
            return office.level, ""
    stem = name
    for office in issuers.offices():
        if name.startswith(office.name):
            stem = name[len(office.name) :]
            break
    match = _PLACE.match(stem.removeprefix("中共").removeprefix("国家税务总局"))
    if match is None:
        return _unknown_place(name, stem)
    place = match.group()
    if stem == name and _INSTITUTION.search(name):
        return "institution", place
    return _local(stem, place)


def _unknown_place(name: str, stem: str) -> tuple[str, str]:
    """An office whose place is in no list: a bureau of a central authority still says its rank by its kind."""
    if stem != name:
        bureau = re.match(
            r"(?P<place>[一-鿿]{2,6}?)(?:省|市)?(?P<kind>监管分局|中心支行|支行|监管局|证监局|分行|总部|分局|税务局)$",
            stem,
        )
        if bureau:
            low = bureau.group("kind") in ("监管分局", "中心支行", "支行")
            return ("municipal" if low else "provincial"), bureau.group("place")
    other = _ANY_CITY.match(stem)
    if other and issuers.is_office(name):
        return "municipal", other.group(1)
    province = re.match(r"([一-鿿]{2,4})(?:省|自治区)", stem)
    if province and issuers.is_office(name):
        return "provincial", province.group(1)
    return ("institution", "") if _INSTITUTION.search(name) else ("central" if issuers.is_office(name) else "", "")


def _local(stem: str, place: str) -> tuple[str, str]:
    rest = stem[stem.find(place) + len(place) :]
    if place in PROVINCES:
        city = _PLACE.match(re.sub(r"^(?:省|市|自治区|壮族自治区|回族自治区|维吾尔自治区)", "", rest))
        if city and city.group() in CITIES and not rest.startswith("市"):
            return "municipal", city.group()
        return "provincial", place
    # the bureaus of central authorities in these five cities rank with those of the provinces
    if place in _BUREAU_CITIES and re.search(r"监管局|监管局办公室|^市?分行|证监局|外汇局", rest):
        return "provincial", place
    return "municipal", place


def _of_host(host: str) -> tuple[str, str]:
    """A host of a known authority says its level; a local government's host its place is not known from."""
    name = issuers.by_host(host)
    return (next((o.level for o in issuers.offices() if o.name == name), ""), "") if name else ("", "")
