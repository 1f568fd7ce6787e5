"""包保: who has charge of a place on each level, and no place with two on one."""

from pathlib import Path

import pytest

from hub.city import City
from router.charges import Charges, Spot, load_charges
from store.errors import ConfigError

SPOTS = {
    "渤海大街": Spot("bohai", "渤海街道办事处"),
    "渤海广场": Spot("bohai", "渤海街道办事处"),
    "教师新村": Spot("bohai", "体育社区居民委员会"),
    "敖东大街": Spot("", ""),
    "六鼎山": Spot("jiangnan", "六鼎山文化旅游区管委会"),
}

LEADER = """
[[charge]]
level = "leader"
holder = "渤海街道包片领导"
covers = { areas = ["bohai"] }
"""
DEPARTMENT = """
[[charge]]
level = "department"
holder = "市住建局"
office = "housing_construction"
covers = { places = ["渤海大街", "教师新村"], points = ["六鼎山文化旅游区管委会"] }
"""
UNIT = """
[[charge]]
level = "unit"
holder = "市房产局"
office = "real_estate"
covers = { places = ["教师新村"] }
"""
SECOND = """
[[charge]]
level = "leader"
holder = "景区包片领导"
covers = { places = ["渤海广场"] }
"""


@pytest.fixture
def read(city: City, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Read a text as charges.toml."""

    def read(text: str) -> Charges:
        path = tmp_path / "charges.toml"
        path.write_text(text, encoding="utf-8")
        return load_charges(path, city.directory, SPOTS)

    return read


def holders(charges: Charges, *args: object) -> list[str]:
    return [charge.holder for charge in charges.of(*args)]  # type: ignore[arg-type]


def test_one_a_level_and_the_most_specific_first(read) -> None:  # type: ignore[no-untyped-def]
    charges = read(LEADER + DEPARTMENT + UNIT)
    assert holders(charges, "bohai", "", ["教师新村"]) == [
        "市房产局",
        "市住建局",
        "渤海街道包片领导",
    ]
    assert holders(charges, "bohai", "", ["渤海大街"]) == ["市住建局", "渤海街道包片领导"]
    assert holders(charges, "bohai", "渤海街道办事处") == ["渤海街道包片领导"]
    assert holders(charges, "jiangnan", "六鼎山文化旅游区管委会") == ["市住建局"]
    assert holders(charges, "", "", ()) == []


def test_the_place_named_first_counts(read) -> None:  # type: ignore[no-untyped-def]
    other = UNIT.replace('"教师新村"', '"渤海大街"').replace("市房产局", "市城管办")
    charges = read(UNIT + other)
    assert holders(charges, "bohai", "", ["渤海大街", "教师新村"]) == ["市城管办"]
    assert holders(charges, "bohai", "", ["敖东大街", "教师新村", "渤海大街"]) == ["市房产局"]


def test_a_place_left_out_is_somebody_elses(read) -> None:  # type: ignore[no-untyped-def]
    charges = read(LEADER.replace('["bohai"]', '["bohai"], but = ["渤海广场"]') + SECOND)
    assert holders(charges, "bohai", "", ["渤海广场"]) == ["景区包片领导"]
    assert holders(charges, "bohai", "", ["渤海大街"]) == ["渤海街道包片领导"]
    alone = read(LEADER.replace('["bohai"]', '["bohai"], but = ["渤海广场"]'))
    assert holders(alone, "bohai", "", ["渤海广场"]) == []


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (LEADER + LEADER, 7, "area bohai is held by 渤海街道包片领导 (line 2) on the level leader too"),
        (LEADER + SECOND, 7, "place 渤海广场 is held by"),
        (LEADER + SECOND.replace("places", "points").replace("渤海广场", "体育社区居民委员会"), 7, "place 教师新村 is held by"),
        (UNIT + UNIT, 8, "place 教师新村 is held by"),
        (UNIT + UNIT.replace("教师新村", "月球"), 8, "covers.places: 月球 is not in gazetteer.csv"),
        (LEADER.replace("bohai", "mars"), 2, "covers.areas: mars is not in departments.toml"),
        (SECOND.replace("places", "points"), 2, "covers.points: 渤海广场 is not in the column point"),
        (SECOND.replace("places", "areas = [\"bohai\"], but").replace("渤海广场", "月球"), 2, "covers.but: 月球"),
        (UNIT.replace("real_estate", "nobody"), 2, "office: nobody is not in departments.toml"),
        (UNIT.replace('office = "real_estate"\n', ""), 2, "office is missing; a unit needs"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_line(read, text: str, line: int, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).startswith(f"config: charges.toml: line {line}: ")
    assert says in str(caught.value)
    assert ";" in str(caught.value)


def test_a_charge_that_covers_nothing_is_refused(read) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError, match="covers nothing"):
        read(LEADER.replace('areas = ["bohai"]', ""))


def test_no_file_is_nobody_in_charge(city: City, tmp_path: Path) -> None:
    assert load_charges(tmp_path / "charges.toml", city.directory, SPOTS).charge == ()


def test_the_city_has_a_leader_for_every_territory(city: City) -> None:
    for area in city.directory.areas:
        assert [charge.level for charge in city.charges.of(area)] == ["leader"]
    found = city.charges.of("shengli", "胜利街道办事处", ["敦化站"])
    assert [str(charge.level) for charge in found] == ["unit", "department", "leader"]


def test_a_street_named_in_the_words_has_its_department(city: City) -> None:
    places = city.charges.places_in("翰章大街与光明路交叉口垃圾没人收")
    assert set(places) == {"翰章大街", "光明路"}
    held = city.charges.of("bohai", "", places)
    assert [charge.level for charge in held] == ["department", "leader"]
