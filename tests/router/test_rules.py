"""Routing: first match, never nobody, and every mistake in the file named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.city import City, load_city
from router.departments import Directory
from router.rulecheck import check_rules
from router.rules import Matter, Router, Rules
from store.config import load, validate
from store.errors import ConfigError

CONFIGS = Path(__file__).parent.parent.parent / "configs"


def matter(**more: object) -> Matter:
    values: dict[str, object] = {
        "kind": "complaint", "problems": (), "campaigns": (), "urgency": "normal",
        "channel": "app", "hint": "", "text": "", "area": None,
    }  # fmt: skip
    return Matter(**(values | more))  # type: ignore[arg-type]


def test_examples_of_every_rule_hold(city: City) -> None:
    assert all(rule.example for rule in city.router.rules.rule)


def test_what_no_rule_places_has_the_named_default(city: City) -> None:
    route = city.router.route(matter())
    assert (route.lead, route.rule) == ("city_management_office", "default")


def test_territorial_duty_goes_to_the_named_place(city: City) -> None:
    text = "黄泥河镇村口垃圾没人管"
    area = city.directory.areas["huangnihe"]
    route = city.router.route(
        matter(campaigns=("urban_rural",), hint="township", text=text, area=area)
    )
    assert route.lead == "huangnihe"
    assert city.directory.names[route.lead] == "黄泥河镇"


def test_support_by_territory_only_where_the_place_is_known(city: City) -> None:
    sold = {"problems": ("stalls",), "hint": "urban_enforcement"}
    assert city.router.route(matter(**sold)).support == ()
    area = city.directory.areas["bohai"]
    assert city.router.route(matter(**sold, area=area)).support == ("bohai",)


@given(
    st.lists(st.sampled_from(["litter", "stalls", "sewage"])),
    st.sampled_from(["", "out_of_scope", "township", "public_security", "nonsense"]),
    st.sampled_from(["complaint", "request", "inquiry"]),
)
def test_nothing_is_without_an_owner(problems: list[str], hint: str, kind: str) -> None:
    city = load_city(CONFIGS)
    route = city.router.route(matter(problems=problems, hint=hint, kind=kind))
    assert route.lead in city.directory.names


def rules(**change: object) -> dict[str, object]:
    rule = {"name": "r", "why": "w", "when": {"problems": ["litter"]}, "lead": "transport"} | change
    return {"rule": [rule]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lead": "nobody"}, "rule r: nobody is not in departments.toml"),
        ({"when": {"problems": ["litre"]}}, "when.problems: litre is not in taxonomy.toml"),
        ({"when": {"problms": ["litter"]}}, "unknown key"),
        ({"example": [{"expect": "transport", "problems": ["pets"]}]}, "reorder the rules"),
    ],
)
def test_mistake_is_named_with_its_cure(
    city: City, change: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        check_rules(validate(rules(**change), Rules, "routing.toml"), city.directory, city.taxonomy)


def test_directory_refuses_strangers_and_twins() -> None:
    good = load(CONFIGS / "departments.toml", Directory).model_dump()
    with pytest.raises(ConfigError, match="used twice"):
        validate(
            good | {"department": [*good["department"], good["department"][0]]}, Directory, "f"
        )
    with pytest.raises(ConfigError, match="nowhere is not a department"):
        validate(good | {"default": "nowhere"}, Directory, "f")


def test_one_office_gets_one_work_order(city: City) -> None:
    rule = {"name": "r", "why": "w", "when": {}, "lead": "bohai"}
    rule |= {"support": ["subdistrict", "shengli", "transport"]}
    router = Router(Rules.model_validate({"rule": [rule]}), city.directory)
    areas = city.directory.areas
    assert router.route(matter(area=areas["bohai"])).support == ("shengli", "transport")
    assert router.route(matter(area=areas["shengli"])).support == ("shengli", "transport")
    assert router.route(matter()).support == ("shengli", "transport")
