"""Masks give what the plain loop gives; no rule is called unreached that something reaches."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from conftest_rules import (
    CAMPAIGNS,
    HINTS,
    KINDS,
    PROBLEMS,
    URGENCIES,
    matters,
    reference,
    whens,
)
from hypothesis import given
from hypothesis import strategies as st

from router.cover import Cover, Known
from router.masks import Compiled
from router.rules import HINT, Matter, Rule, When

KNOWN = Known(KINDS, URGENCIES, PROBLEMS, CAMPAIGNS, HINTS)


@given(st.lists(whens, max_size=8), st.lists(matters, min_size=1, max_size=8))
def test_masks_say_what_the_plain_loop_says(
    written: list[dict[str, Any]], asked: list[Matter]
) -> None:
    rules = [When.model_validate(one) for one in written]
    compiled = Compiled(rules)
    for matter in asked:
        plain = [n for n, when in enumerate(rules) if reference(when, matter)]
        assert list(compiled.matching(matter)) == plain


def test_more_rules_than_bits_in_a_machine_word() -> None:
    rules = [When(channels=(f"c{n}",)) for n in range(500)]
    compiled = Compiled(rules)
    blank = Matter("complaint", (), (), "normal", "", "", "", None)
    assert [list(compiled.matching(replace(blank, channel=f"c{n}"))) for n in (0, 64, 499)] == [
        [0],
        [64],
        [499],
    ]
    assert list(compiled.matching(replace(blank, channel="c500"))) == []


@pytest.mark.parametrize(
    ("clock", "holds"), [("21:59", False), ("22:00", True), ("05:59", True), ("06:00", False)]
)
def test_hours_go_through_midnight(clock: str, *, holds: bool) -> None:
    compiled = Compiled([When.model_validate({"hours": [["22:00", "06:00"]]})])
    at = datetime.fromisoformat(f"2026-05-01T{clock}:30")
    matter = Matter("complaint", (), (), "normal", "app", "", "", None, at=at)
    assert list(compiled.matching(matter)) == [0] * holds


def test_where_the_time_is_unknown_no_time_holds() -> None:
    compiled = Compiled([When(months=tuple(range(1, 13))), When()])
    assert list(compiled.matching(Matter("complaint", (), (), "normal", "", "", "", None))) == [1]


def rules_of(written: list[dict[str, Any]], leads: list[str]) -> list[Rule]:
    values = [
        {"name": f"r{n}", "why": "w", "when": when, "lead": lead}
        for n, (when, lead) in enumerate(zip(written, leads, strict=False))
    ]
    return [Rule.model_validate(one) for one in values]


def taken_by(rules: list[Rule], matter: Matter) -> int | None:
    for n, rule in enumerate(rules):
        lead = matter.hint if rule.lead == HINT else rule.lead
        if reference(rule.when, matter) and lead in HINTS:
            return n
    return None


@given(
    st.lists(whens, min_size=2, max_size=7),
    st.lists(st.sampled_from((HINT, *HINTS)), min_size=7, max_size=7),
    st.lists(matters, min_size=1, max_size=20),
)
def test_what_something_reaches_is_never_called_unreached(
    written: list[dict[str, Any]], leads: list[str], asked: list[Matter]
) -> None:
    rules = rules_of(written, leads)
    cover = Cover(rules, KNOWN)
    reached = {taken_by(rules, matter) for matter in asked if matter.at is not None} - {None}
    for n in reached:
        assert n is not None
        assert (cover.alone(n), cover.together(n)) == (None, ())


@pytest.mark.parametrize(
    ("earlier", "last", "takers"),
    [
        ([{"problems": ["pets"]}, {"problems": ["litter"]}], {"problems": ["litter", "pets"]}, (0, 1)),
        ([{"problems": ["pets"]}, {"problems": "none"}], {"problems": ["pets"]}, (0,)),
        ([{"problems": list(PROBLEMS)}, {"problems": "none"}], {}, (0, 1)),
        ([{"problems": list(PROBLEMS[1:])}, {"problems": "none"}], {}, ()),
        ([{"words": ["摊"]}, {"unless_words": ["摊"]}], {"channels": ["app"]}, (0, 1)),
        ([{"words": ["摊"]}, {"unless_words": ["摆摊"]}], {"channels": ["app"]}, (0, 1)),
        ([{"words": ["摆摊"]}, {"unless_words": ["摊"]}], {"channels": ["app"]}, ()),
        ([{"hours": [["06:00", "22:00"]]}, {"hours": [["22:00", "06:00"]]}], {}, (0, 1)),
        ([{"hours": [["06:00", "22:00"]]}, {"hours": [["22:01", "06:00"]]}], {}, ()),
        ([{"months": [1, 2, 3, 4, 5, 6]}, {"months": [7, 8, 9, 10, 11, 12]}], {}, (0, 1)),
        ([{"channels": ["app"]}, {"channels": ["forum"]}], {}, ()),
        ([{"kinds": list(KINDS[:3])}, {"kinds": list(KINDS[3:])}], {}, (0, 1)),
        ([{"areas": ["bohai"], "hint": "any"}, {"areas": ["bohai"]}], {"areas": ["bohai"]}, (0, 1)),
        ([{"words": [f"字{n}"]} for n in range(14)], {"words": ["字1"]}, (1,)),
    ],
)  # fmt: skip
def test_rules_that_take_all_together(
    earlier: list[dict[str, Any]], last: dict[str, Any], takers: tuple[int, ...]
) -> None:
    rules = rules_of([*earlier, last], ["transport"] * 15)
    cover, n = Cover(rules, KNOWN), len(earlier)
    alone = cover.alone(n)
    found = cover.together(n) if alone is None else (alone,)
    assert found == takers or (found and set(found) < set(takers))


@pytest.mark.parametrize(
    ("earlier", "last", "taken"),
    [
        ({"words": ["摊"]}, {"words": ["摆摊", "早市摆摊"]}, True),
        ({"words": ["摆摊"]}, {"words": ["摊"]}, False),
        ({"words": ["摊"]}, {"words": ["摆摊", "垃圾"]}, False),
        ({"unless_words": ["摆摊"]}, {"unless_words": ["摊"]}, True),
        ({"unless_words": ["摊"]}, {"unless_words": ["摆摊"]}, False),
        ({"problems": ["pets", "litter"]}, {"problems": ["pets"], "words": ["狗"]}, True),
        ({"problems": ["pets"]}, {"problems": ["pets", "litter"]}, False),
        ({"problems": ["pets"]}, {"problems": "none"}, False),
        ({"hint": "any"}, {"hint": ["transport"]}, True),
        ({"hint": ["transport"]}, {"hint": "any"}, False),
        ({"hours": [["22:00", "06:00"]]}, {"hours": [["23:00", "05:00"]]}, True),
        ({}, {"kinds": ["inquiry"]}, True),
    ],
)
def test_a_rule_that_takes_all_of_another(
    earlier: dict[str, Any], last: dict[str, Any], *, taken: bool
) -> None:
    rules = rules_of([earlier, last], ["transport", "transport"])
    assert (Cover(rules, KNOWN).alone(1) == 0) is taken


def test_a_lead_by_hint_takes_only_hints_that_are_offices() -> None:
    rules = rules_of([{}, {}, {"hint": ["transport"]}, {"hint": "any"}], [HINT, *["transport"] * 3])
    cover = Cover(rules, KNOWN)
    assert [cover.alone(n) for n in (1, 2, 3)] == [None, 0, 1]
    assert Cover([rules[0], rules[3]], KNOWN).alone(1) is None  # an unknown hint is left to it
