"""Where it is: names, numbers, nicknames, neighbors and coordinates of the city."""

from pathlib import Path

import pytest

from classify.places import NOWHERE, Gazetteer, read_gazetteer
from hub.city import City
from store.coords import from_wgs84
from store.errors import ConfigError
from store.model import CoordType, Place

HEADER = "name,kind,area,aliases,lat,lon,point,checked\n"


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("胜利大街12号楼下堆着装修砖头", "shengli"),
        ("大石头林业局门口路灯不亮", "dashitou"),
        ("黄泥河镇通往林场的路坏了", "huangnihe"),
        ("火车站出站口黑车拉客", "shengli"),
        ("北山早市散了以后一地菜叶", "bohai"),
        ("市医院对面的烧烤摊冒烟，就在新华路上", "minzhu"),
        ("官地镇官地村三组的井盖没了", "guandi"),
        ("实小放学堵车，校门口在文化路", "minzhu"),
        ("江滨公园健步道狗屎多，丹江社区管不管", "danjiang"),
        ("六鼎山景区停车场收费乱", "jiangnan"),
        ("雁鸣湖湿地边上有人倒渣土", "yanminghu"),
        ("铁路家属楼三单元下水堵了", "shengli"),
        ("不是渤海街道，是丹江街道南环路这边", "danjiang"),
    ],
)
def test_a_named_place_gives_its_territory(city: City, text: str, area: str) -> None:
    found = city.gazetteer.locate(text)
    assert found.area == area
    assert not found.ask
    assert found.point


@pytest.mark.parametrize(
    "text",
    [
        "楼下垃圾没人管",
        "敖东大街全线路灯都不亮",
        "江边有人烧烤",
        "一中队的人来过了",
        "从渤海街道到丹江街道、胜利街道、民主街道都一样脏",
        "",
    ],
)
def test_what_does_not_say_where_asks_the_citizen(city: City, text: str) -> None:
    found = city.gazetteer.locate(text)
    assert found.ask
    assert (found.area, found.point) == ("", "")


def test_road_and_number_are_read_as_one_address(city: City) -> None:
    text = "我住胜利大街12号，天天有人占道"
    found = city.gazetteer.locate(text)
    assert found.address == "胜利大街12号"
    assert [text[a:b] for a, b in found.spans] == ["胜利大街12号"]


def test_opposite_and_near_make_less_sure(city: City) -> None:
    at, beside = (city.gazetteer.locate(t) for t in ("市医院门口乱停车", "市医院附近乱停车"))
    assert beside.confidence < at.confidence


@pytest.mark.parametrize("datum", list(CoordType))
def test_coordinates_of_every_datum_give_the_same_place(city: City, datum: CoordType) -> None:
    lat, lon = from_wgs84(43.3690, 128.2410, datum)
    found = city.gazetteer.locate("这里脏", Place(lat=lat, lon=lon, coord_type=datum))
    assert found.area == "shengli"
    assert found.point == "胜利街道办事处"


def test_coordinates_far_outside_the_city_are_nowhere(city: City) -> None:
    assert city.gazetteer.locate("这里脏", Place(lat=39.9, lon=116.4)) == NOWHERE


def test_text_and_coordinates_that_disagree_are_less_sure(city: City) -> None:
    text = "丹江街道这边脏"
    alone = city.gazetteer.locate(text)
    torn = city.gazetteer.locate(text, Place(lat=43.3120, lon=128.5010))
    assert torn.confidence < alone.confidence


def test_channels_own_address_counts(city: City) -> None:
    assert city.gazetteer.locate("没人管", Place(address="贤儒镇北街")).area == "xianru"


def test_every_name_is_found_in_its_own_territory(city: City) -> None:
    for entry in city.gazetteer.entries:
        if entry.area:
            found = city.gazetteer.locate(f"反映{entry.name}的问题")
            assert found.area == entry.area, entry.name


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("甲路,road,,,,,,no", "line 2: kind: 'road' is none of"),
        (",street,,,,,,no", "line 2: name is empty"),
        ("甲路,street,,,x,1,,no", "line 2: lat, lon: 'x', '1' are no degrees"),
        ("甲路,street,,,95,1,,no", "line 2: lat, lon: '95', '1' are no degrees"),
        ("甲路,street", "line 2: 2 columns instead of 8"),
    ],
)
def test_mistake_in_the_list_is_named_with_its_cure(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "gazetteer.csv"
    path.write_text(HEADER + row + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_gazetteer(path)


def test_city_without_a_list_asks_always(tmp_path: Path) -> None:
    nowhere = read_gazetteer(tmp_path / "none.csv")
    assert isinstance(nowhere, Gazetteer)
    assert nowhere.locate("胜利大街").ask
