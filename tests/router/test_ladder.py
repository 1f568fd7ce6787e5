"""The ladder as a city sets it: what is refused, what a leader's instruction changes, who hears of a step."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from router.deadlines import Limit, Unit
from router.ladder import LEVEL_NAMES, Ladder, Level, check_ladder, recipients
from store.config import load, validate
from store.errors import ConfigError

CONFIG = Path(__file__).parents[2] / "configs" / "supervision.toml"
DAY = {"amount": 1, "unit": "work_days"}
NAMES = {"city_management_office": "", "supervision_office": "", "bohai": "", "team": ""}


def ladder(**more: Any) -> Ladder:
    return validate(tomllib.loads(CONFIG.read_text(encoding="utf-8")) | more, Ladder, "supervision.toml")  # fmt: skip


def steps(**changed: dict[str, Any]) -> list[dict[str, Any]]:
    """The city's steps with some keys of some levels changed; None removes a key."""
    listed = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["step"]
    merged = [step | changed.get(step["level"], {}) for step in listed]
    return [{key: value for key, value in step.items() if value is not None} for step in merged]


def test_the_citys_ladder_is_the_documented_one() -> None:
    found = [
        (s.level, s.share, s.after.amount if s.after else None) for s in load(CONFIG, Ladder).step
    ]
    assert found == [
        ("yellow", 0.5, None), ("red", 0.8, None), ("urge", None, 1), ("order", None, 3), ("circular", None, 5)
    ]  # fmt: skip
    assert set(LEVEL_NAMES) == set(Level)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"red": {"share": 0.4}}, "step red: share 0.4 must be more than yellow's 0.5"),
        ({"order": {"after": DAY}}, "step order: after 1 must be more than urge's 1"),
        ({"urge": {"reply_within": None}}, "urge: reply_within is missing"),
        ({"urge": {"word": None}}, "urge: word is missing"),
        ({"urge": {"share": 0.9}}, "urge: share and after: give exactly one"),
        ({"urge": {"after": None}}, "urge: share and after: give exactly one"),
        ({"urge": {"after": None, "share": 0.9}}, "urge: a document comes after the limit"),
        ({"order": {"word": "催"}}, "two documents have the same word"),
        ({"yellow": {"word": "黄"}}, "are for documents"),
        ({"circular": {"level": "urge"}}, "step urge: follows order"),
        ({"circular": {"document": False, "word": None, "reply_within": None}}, "only a document may follow"),
        ({"yellow": {"share": None, "after": DAY}}, "step red: comes before the limit, yellow after it"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=r"^config: supervision\.toml: ") as caught:
        ladder(step=steps(**changed))
    assert said in str(caught.value)


def test_an_instruction_must_leave_a_document() -> None:
    instruction = {"higher": 3, "horizon": DAY}
    with pytest.raises(ConfigError, match="leaves no document of 3; lower it"):
        ladder(instruction=instruction)
    assert ladder(instruction=instruction | {"higher": 2}).steps(instructed=True)[-1].level is Level.CIRCULAR  # fmt: skip


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"issuer": "x"}, "issuer"),
        ({"top": "superior"}, "top"),
        ({"step": steps(urge={"copies": ["x"]})}, "step urge: copies"),
        ({"step": steps(order={"addressee": "x"})}, "step order: addressee"),
    ],
)
def test_an_unknown_office_is_named_with_its_key(more: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"config: supervision\.toml: {key}: \w+ is no office"):
        check_ladder(ladder(**more), NAMES)
    check_ladder(ladder(), NAMES)


def test_an_instruction_begins_one_level_up_at_the_times_left_free() -> None:
    found = [(s.level, s.share, s.after) for s in ladder().steps(instructed=True)]
    days = [Limit(amount=n, unit=Unit.WORK_DAYS) for n in (1, 3)]
    assert found == [
        ("yellow", 0.3, None), ("red", 0.6, None), ("order", None, days[0]), ("circular", None, days[1])
    ]  # fmt: skip


def test_words_of_a_step_become_offices() -> None:
    chain = {"team": ("bohai", "city"), "bohai": ("city",)}
    city = ladder(step=steps(order={"copies": ["superior", "top", "bohai", "department"]}))
    found = recipients(city.step[3], "team", city, lambda office: chain.get(office, ()))
    assert (found.to, found.copies, found.lacks) == ("team", ("bohai", "supervision_office"), False)


def test_where_nobody_is_above_the_supervision_office_stands_in_and_it_is_said() -> None:
    city = ladder(step=steps(order={"addressee": "superior", "copies": ["top"]}))
    found = recipients(city.step[3], "bureau", city, lambda _: ())
    assert (found.to, found.copies, found.lacks) == ("supervision_office", (), True)
    assert not recipients(city.step[0], "bureau", city, lambda _: ()).lacks
