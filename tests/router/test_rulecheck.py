"""Every mistake in routing.toml is named with its line and cure."""

import re
import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from hub.city import City
from router.charges import Charge, Covers
from router.lines import Lines
from router.rulecheck import check_rules
from router.rules import Example, Matter, Route, Router, Rule, Rules, When
from store.config import validate
from store.errors import ConfigError

GOOD = """
# [[rule]] in a comment
[[rule]]
name = "pets"
why = "宠物"
when = { problems = ["pets"] }
lead = "public_security"
[[rule.example]]
problems = ["pets"]
expect = "public_security"
"""

LITTER = """
[[rule]]
name = "litter"
why = '''
[[rule]]
'''
when = { problems = ["litter"] }
lead = "transport"
[[rule.example]]
problems = ["litter"]
expect = "transport"
"""


def checked(city: City, text: str, **more: object) -> Router:
    rules = validate(tomllib.loads(text), Rules, "routing.toml")
    return check_rules(rules, city.directory, city.taxonomy, text=text, **more)  # type: ignore[arg-type]


def rule(
    name: str, when: str, *, lead: str = "transport", more: str = "", example: str = ""
) -> str:
    """One rule; its example has no keys unless given."""
    return f"""
[[rule]]
name = "{name}"
why = "w"
when = {{ {when} }}
lead = "{lead}"
{more}
[[rule.example]]
{example}
expect = "{lead}"
"""


def refused(city: City, text: str, says: str, **more: object) -> None:
    with pytest.raises(ConfigError) as caught:
        checked(city, text, **more)
    assert says in str(caught.value)
    assert str(caught.value).startswith("config: routing.toml: line ")
    assert ";" in str(caught.value)


def test_lines_are_those_of_headers_only() -> None:
    text = GOOD + LITTER
    assert [Lines(text).of("rule", n) for n in range(3)] == [3, 12, 0]
    assert Lines(text).of("rule.example", 1) == 19
    assert (
        Lines("x = '''\n[[a]]\n'''\n  [[ \"a\" ]] # one\ny = \"[[a]]\\\"\"\n[[a]]").of("a", 1) == 6
    )
    assert Lines().say("rule", 0) == ""


def test_the_line_is_that_of_the_wrong_rule(city: City) -> None:
    refused(city, GOOD + rule("b", 'kinds = ["request"]', lead="nobody"), "line 12: rule b: nobody")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (rule("b", 'hint = ["nobody"]'), "when.hint: nobody is not in departments.toml"),
        (rule("b", 'areas = ["mars"]'), "when.areas: mars is not in departments.toml"),
        (rule("b", 'urgencies = ["soon"]'), "when.urgencies: soon is not in taxonomy.toml"),
        (rule("b", 'points = ["月球"]'), "when.points: 月球 is not in the column point"),
        (rule("b", 'channels = ["telex"]'), "when.channels: telex is not in hub.toml"),
        (
            rule("b", 'kinds = ["request"]', more='support = ["transport"]'),
            "support: transport leads already",
        ),
        (
            rule("b", 'kinds = ["request"]', more='support = ["township", "township"]'),
            "support: township is named twice",
        ),
        (rule("b", 'kinds = ["request"]', more='support = ["@hint"]'), "@hint is for lead only"),
        (rule("b", 'kinds = ["request"]', more="joint = true"), "joint: there is no support"),
        (
            rule("b", "", more='support_deadline = { amount = 1, unit = "work_days" }'),
            "support_deadline: there is no support",
        ),
        (
            rule("b", 'words = ["摆摊", "摊位"], unless_words = ["摊"]'),
            "it never holds",
        ),
        (
            rule("b", 'points = ["渤海街道办事处"], areas = ["shengli"]'),
            "none of points lies in one of areas",
        ),
        (
            rule("b", 'problems = ["pets"]'),
            "line 12: rule b: has the same when as pets (line 3) and another lead, transport",
        ),
        (
            rule("b", 'problems = ["pets"], words = ["狗"]', example='text = "狗"\nproblems = ["pets"]'),
            "line 12: rule b: is never reached, as pets (line 3) before it",
        ),
        (
            rule("b", 'problems = "none"')
            + rule("c", 'problems = ["litter", "flyposting", "stalls", "sewage", "laundry"]')
            + rule("d", 'channels = ["app"]'),
            "is never reached, as pets (line 3), b (line 12), c (line 22) before it",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_its_cure(city: City, text: str, says: str) -> None:
    points = {"渤海街道办事处": ["bohai"]}
    refused(city, GOOD + text, says, channels=["app"], points=points)


def test_a_rule_without_example_is_refused(city: City) -> None:
    refused(city, GOOD.split("[[rule.example]]", maxsplit=1)[0], "rule pets: has no example; add")


def test_an_example_in_no_territory_is_refused(city: City) -> None:
    refused(city, GOOD + 'area = "mars"\n', "example: area mars is not in departments.toml")


def test_what_is_not_known_is_not_checked(city: City) -> None:
    text = GOOD + rule("b", 'channels = ["telex"]', example='channel = "telex"')
    assert checked(city, text).rules.rule[1].name == "b"


def test_examples_use_the_new_conditions(city: City) -> None:
    text = rule(
        "night",
        'hours = [["22:00", "06:00"]], weekdays = ["friday"], months = [5], unless_words = ["站"]',
        example='at = 2026-05-01T23:30:00\ntext = "早市噪音"',
    )
    checked(city, text)
    refused(city, text.replace("噪音", "站噪音"), "goes to city_management_office by rule default")
    refused(city, text.replace("23:30", "21:30"), "goes to city_management_office by rule default")
    refused(
        city, text.replace("-05-01", "-05-02"), "goes to city_management_office by rule default"
    )


def test_hours_that_never_hold_are_refused(city: City) -> None:
    with pytest.raises(ConfigError, match="06:00 to 06:00 never holds; write two different times"):
        checked(city, rule("b", 'hours = [["06:00", "06:00"]]'))
    with pytest.raises(ConfigError, match="to the minute"):
        checked(city, rule("b", 'hours = [["06:00:30", "07:00"]]'))


DOC = (Path(__file__).parent.parent.parent / "docs" / "routing.md").read_text("utf-8")


@pytest.mark.parametrize("model", [When, Rule, Example, Charge, Covers])
def test_every_key_is_in_the_docs(model: type[When]) -> None:
    cells = re.sub(r"`(covers)?\.", "`", DOC)
    missing = {key for key in model.model_fields if f"`{key}`" not in cells}
    assert missing <= {"name", "why", "when", "covers"}


def test_the_rule_in_the_docs_is_a_good_one(city: City) -> None:
    text = DOC.split("```toml\n")[1].split("```")[0]
    router = checked(city, text)
    route = router.route(
        Matter("complaint", ("stalls",), (), "normal", "app", "", "", city.directory.areas["bohai"],
               at=datetime(2026, 8, 1, 1, 59))
    )  # fmt: skip
    assert (route.lead, route.joint) == ("urban_enforcement", True)
    assert route.support == ("bohai", "public_security", "market_regulation")
    matter = Matter("complaint", ("stalls",), (), "urgent", "app", "", "", None)
    assert route.limit_of(matter, city.deadlines).amount == 4
    assert route.support_limit_of(matter, city.deadlines).unit == "work_days"
    plain = Route("transport", (), "r")
    assert plain.support_limit_of(matter, city.deadlines) == city.deadlines.problem["stalls"]
