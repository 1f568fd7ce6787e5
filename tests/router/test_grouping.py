"""Which messages are one matter: measured on 854 written pairs, and what must never happen on any."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classify.places import read_gazetteer
from router.matching import Facts, Match
from router.matters import Grouping
from router.similarity import Matcher
from router.spots import Name, Spots
from store.config import load

ROOT = Path(__file__).parent.parent.parent


def written(name: str) -> list[dict[str, Any]]:
    """The pairs of one file."""
    lines = (Path(__file__).parent / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


PAIRS = written("pairs")
FRESH = {
    name: written(name) for name in ("pairs_fresh", "pairs_blind", "pairs_blind2", "pairs_blind3")
}
AT = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def matcher() -> Matcher:
    gazetteer = read_gazetteer(ROOT / "configs" / "gazetteer.csv")
    names = {
        word: Name(entry.name, str(entry.kind))
        for entry in gazetteer.entries
        for word in (entry.name, *entry.aliases)
    }
    labels = {"litter": "垃圾乱扔", "sewage": "污水乱排"}
    return Matcher(load(ROOT / "configs" / "grouping.toml", Grouping), Spots(names), labels)


MATCHER = matcher()


def facts(side: dict[str, Any], number: int) -> Facts:
    """One side of a written pair."""
    values = {
        k: v for k, v in side.items() if k not in {"lat", "lon", "problems", "at", "closed_at"}
    }
    closed = side.get("closed_at")
    return Facts(
        id=number,
        at=datetime.fromisoformat(side["at"]),
        here=(side["lat"], side["lon"]) if "lat" in side else None,
        problems=frozenset(side["problems"]),
        closed_at=datetime.fromisoformat(closed) if closed else None,
        **values,
    )


def judged(pairs: list[dict[str, Any]] = PAIRS) -> list[tuple[dict[str, Any], Match]]:
    return [(p, MATCHER.compare(facts(p["a"], 1), facts(p["b"], 2))) for p in pairs]


def test_pairs_are_what_they_should_be() -> None:
    same = sum(pair["same"] for pair in PAIRS)
    assert len(PAIRS) == 500
    assert 0.4 < same / len(PAIRS) < 0.5
    every = [pair for pairs in (PAIRS, *FRESH.values()) for pair in pairs]
    assert not [pair for pair in every if pair["same"] and pair["relapse"]]
    kinds = {
        name: [pair["kind"] for pair in pairs].count("natural") for name, pairs in FRESH.items()
    }
    assert kinds == {"pairs_fresh": 90, "pairs_blind": 40, "pairs_blind2": 30, "pairs_blind3": 24}
    assert [len(pairs) for pairs in FRESH.values()] == [160, 80, 60, 54]


@pytest.mark.parametrize(
    ("name", "kind", "floor"),
    [
        ("pairs", None, 0.10),
        ("pairs_fresh", "natural", 0.20),
        ("pairs_fresh", "adversarial", 0.75),
        ("pairs_blind", "natural", 0.15),
        ("pairs_blind", "adversarial", 0.35),
        ("pairs_blind2", "natural", 0.25),
        ("pairs_blind2", "adversarial", 0.40),
        ("pairs_blind3", "natural", 0.55),
        ("pairs_blind3", "adversarial", 0.75),
    ],
)
def test_what_is_joined_unseen_is_one_matter(
    name: str, kind: str | None, floor: float, record_property: Any
) -> None:
    pairs = [p for p in FRESH.get(name, PAIRS) if p.get("kind") == kind]
    certain = [pair["same"] for pair, match in judged(pairs) if match.certain]
    precision = sum(certain) / len(certain)
    recall = sum(certain) / sum(pair["same"] for pair in pairs)
    record_property("precision of certain", precision)
    record_property("recall of certain", recall)
    assert precision >= 0.95
    assert recall >= floor


def test_score_ranks_and_is_a_probability(record_property: Any) -> None:
    scored = [(match.score, pair["same"]) for pair, match in judged() if not pair["relapse"]]
    same = [score for score, is_same in scored if is_same]
    other = [score for score, is_same in scored if not is_same]
    wins = sum((x > y) + (x == y) / 2 for x in same for y in other)
    area = wins / len(same) / len(other)
    brier = sum((score - is_same) ** 2 for score, is_same in scored) / len(scored)
    record_property("area under ROC", area)
    record_property("Brier score", brier)
    assert area >= 0.93
    assert brier <= 0.09


def test_one_matter_is_suggested_at_least() -> None:
    shown = [m.score >= MATCHER.settings.suggest_min for pair, m in judged() if pair["same"]]
    assert sum(shown) / len(shown) >= 0.97


def test_closed_before_is_a_relapse_and_never_joined() -> None:
    relapses = [match for pair, match in judged() if pair["relapse"]]
    assert len(relapses) >= 20
    assert all(match.relapse and not match.certain for match in relapses)


def make(text: str, **more: Any) -> Facts:
    values: dict[str, Any] = {
        "id": 1,
        "at": AT,
        "area": "minzhu",
        "problems": frozenset({"litter"}),
    }
    return Facts(text=text, **(values | more))


WORDS = (
    "垃圾桶满了好几天没人清运，味道特别大，苍蝇乱飞，请尽快派人处理一下，老人孩子都没法出门，谢谢"
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("林业家属院3号楼", "林业家属院5号楼"),
        ("林业家属院3号楼1单元", "林业家属院3号楼2单元"),
        ("林业家属院东门", "林业家属院西门"),
        ("林业家属院一期", "林业家属院二期"),
        ("林业家属院", "松江佳苑"),
        ("新华路58号", "新华路85号"),
        ("新华路", "民主街"),
        ("林业家属院A座", "林业家属院B座"),
    ],
)
def test_two_places_with_the_same_words_are_two_matters(one: str, other: str) -> None:
    match = MATCHER.compare(make(one + WORDS, author="k"), make(other + WORDS, id=2, author="k"))
    assert not match.certain
    assert match.score < 0.5


def test_the_same_spot_under_two_names_is_one() -> None:
    match = MATCHER.compare(make("林业小区三号楼" + WORDS), make("林业局家属楼３栋" + WORDS, id=2))
    assert match.certain
    assert "同一地点：林业家属院3号楼" in [reason.text for reason in match.reasons]


@pytest.mark.parametrize(
    ("change", "certain"),
    [
        ({}, True),
        ({"problems": frozenset({"sewage"})}, False),
        ({"area": "bohai"}, False),
        ({"area": ""}, False),
        ({"at": AT - timedelta(days=4)}, False),
        ({"at": AT - timedelta(days=2)}, True),
        ({"closed_at": AT - timedelta(hours=1)}, False),
        ({"closed_at": AT + timedelta(hours=1)}, True),
        ({"here": (43.40, 128.30)}, False),
        ({"here": (43.3633, 128.2262)}, True),
    ],
)
def test_one_difference_decides(change: dict[str, Any], *, certain: bool) -> None:
    new = make("林业小区3号楼" + WORDS, here=(43.3634, 128.2262))
    case = make("林业小区3号楼" + WORDS, **({"id": 2} | change))
    assert MATCHER.compare(new, case).certain is certain


def test_other_words_at_a_whole_compound_are_only_suggested() -> None:
    match = MATCHER.compare(
        make("林业小区垃圾成山没人管"), make("林业家属院保洁员好久没来，臭气熏天", id=2)
    )
    assert not match.certain
    assert match.score > MATCHER.settings.suggest_min


def test_words_without_a_place_join_only_one_citizen_s_or_one_post_s() -> None:
    for words in ("小区没人管，到处是垃圾", WORDS):
        assert not MATCHER.compare(make(words), make(words, id=2)).certain
    for tie in ({"author": "k"}, {"thread": "t"}, {"url": "https://forum.example/1"}):
        assert MATCHER.compare(make(WORDS, **tie), make(WORDS, id=2, **tie)).certain


def test_a_long_copy_that_names_a_street_is_certain() -> None:
    long = "新华路" + WORDS
    assert MATCHER.compare(make(long), make(long, id=2)).certain
    assert not MATCHER.compare(make("新华路垃圾没人清"), make("新华路垃圾没人清", id=2)).certain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("煎饼摊堵住出口", "麻辣烫摊堵住出口"),
        ("左侧树上晾被子没人管", "右侧树上晾被子没人管"),
        ("鱼摊倒脏水", "鸡摊倒脏水"),
        ("狗半夜一直叫", "平房狗半夜一直叫"),
        ("黑狗没拴扑人", "白狗没拴扑人"),
        ("602往下扔垃圾", "301往下扔垃圾"),
        ("对面垃圾没人清运", "垃圾没人清运"),
        ("北墙小广告喷涂得到处都是没人管", "南墙小广告喷涂得到处都是没人管"),
    ],
)
def test_one_word_exchanged_is_no_copy(one: str, other: str) -> None:
    a, b = make("林业家属院3号楼" + one), make("林业家属院3号楼" + other, id=2)
    assert not MATCHER.compare(a, b).certain
    assert MATCHER.compare(a, make(a.text, id=2)).certain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("垃圾桶满了没人收", "您好，垃圾箱都满了，太臭了，请尽快处理，谢谢！"),
        ("下水堵了，污水往外冒", "下水道堵塞好几天，脏水横流"),
        ("有人养鸽子", "养鸽子，又脏又臭"),
    ],
)
def test_words_for_one_thing_and_words_that_add_nothing_are_certain(one: str, other: str) -> None:
    a, b = make("林业家属院3号楼" + one), make("林业小区三号楼" + other, id=2)
    assert MATCHER.compare(a, b).certain
    assert MATCHER.compare(b, a).certain


@pytest.mark.parametrize(
    "added",
    [
        "也有人倒",
        "刚清完又有",
        "不满了",
        "还有一个也满了",
        "左边那个",
        "可回收的",
        "是环卫弄的",
        "里",
    ],
)
def test_one_word_more_is_only_suggested(added: str) -> None:
    a = make("林业家属院3号楼垃圾桶满了没人收", author="k")
    b = make(f"林业家属院3号楼垃圾桶满了没人收，{added}", id=2, author="k")
    match = MATCHER.compare(a, b)
    assert not match.certain
    assert match.score > MATCHER.settings.suggest_min


def test_the_same_citizen_may_leave_something_out_and_another_may_not() -> None:
    more, less = "林业家属院3号楼垃圾桶满了没人收", "林业家属院3号楼垃圾桶还没人收"
    assert MATCHER.compare(make(more, author="k"), make(less, id=2, author="k")).certain
    assert not MATCHER.compare(make(more, author="k"), make(less, id=2, author="j")).certain


def test_morning_and_evening_are_two_matters() -> None:
    one, other = "林业家属院3号楼早上卖菜的占道", "林业家属院3号楼晚上卖菜的占道"
    assert not MATCHER.compare(make(one), make(other, id=2)).certain
    assert MATCHER.compare(make(one), make(one.replace("早上", ""), id=2)).certain


def test_two_buildings_in_one_message_leave_open_which_does_what() -> None:
    one, other = "林业家属院3号楼的水淹了5号楼", "林业家属院5号楼的水淹了3号楼"
    assert not MATCHER.compare(make(one), make(other, id=2)).certain


def test_a_typing_error_is_only_suggested() -> None:
    a = make("林业家属院3号楼鱼摊" + WORDS)
    match = MATCHER.compare(a, make(a.text.replace("鱼", "渔"), id=2))
    assert not match.certain
    assert match.score >= MATCHER.settings.certain_min


def test_no_word_of_the_lists_is_in_two_of_them() -> None:
    lists = MATCHER.settings
    words = [*lists.harmless, *lists.apart, *(word for one in lists.alike for word in one.words)]
    assert sorted({word for word in words if words.count(word) > 1}) == []


@pytest.mark.parametrize(
    ("text", "names", "details"),
    [
        ("民主街林业小区三号楼", ("林业家属院", "民主街"), {("building", "3")}),
        ("锦绣花园二十一栋2单元", ("锦绣花园",), {("building", "21"), ("unit", "2")}),
        ("反映锦绣花园北门", ("锦绣花园",), {("gate", "北")}),
        ("幸福里小区", ("幸福里小区",), set()),
        ("渤海大街１２８号", ("渤海大街",), {("house", "128")}),
        ("长安路加油站旁", ("长安路",), {("by", "加油站")}),
        ("12月3号早上实小门口", ("实验小学",), set()),
        ("占用马路，路边摆摊", (), set()),
        ("渤海街道渤海社区", (), set()),
        ("站前大街31号楼道", ("站前大街",), {("house", "31"), ("beside", "楼道")}),
    ],
)
def test_spots_are_read(text: str, names: tuple[str, ...], details: set[tuple[str, str]]) -> None:
    spot = MATCHER.spots.read(text, "")
    assert spot.names == names
    assert spot.details == details


def test_reasons_are_for_the_screen_and_strongest_first() -> None:
    match = MATCHER.compare(
        make(
            WORDS,
            title="林业家属院垃圾没人管",
            url="https://forum.example/1",
            author="k",
            campaigns=frozenset({"civility"}),
        ),
        make(
            WORDS,
            id=2,
            title="林业家属院垃圾没人管",
            url="https://forum.example/1",
            author="k",
            campaigns=frozenset({"civility"}),
        ),
    )
    texts = [reason.text for reason in match.reasons]
    assert {
        "问题相同：垃圾乱扔",
        "同一帖子",
        "同一市民再次反映",
        "原文相同",
        "同一地点：林业家属院",
        "说的都是垃圾清运",
    } <= set(texts)
    weights = [abs(reason.weight) for reason in match.reasons]
    assert weights == sorted(weights, reverse=True)


SIDES = st.sampled_from([side for pair in PAIRS for side in (pair["a"], pair["b"])])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(SIDES, SIDES)
def test_the_order_of_two_messages_does_not_matter(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    a, b = (replace(facts(side, n), closed_at=None) for n, side in enumerate((one, other)))
    there, back = MATCHER.compare(a, b), MATCHER.compare(b, a)
    assert there.score == pytest.approx(back.score, abs=2e-4)
    assert {r.text for r in there.reasons} == {r.text for r in back.reasons}
    assert there.certain == back.certain
    assert not (there.certain and a.area != b.area)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=60), st.text(max_size=20), SIDES)
def test_any_text_is_itself(text: str, address: str, side: dict[str, Any]) -> None:
    one = make(text, address=address)
    assert MATCHER.compare(one, one).score == 1.0
    other = facts(side, 2)
    assert MATCHER.compare(one, other).score == pytest.approx(
        MATCHER.compare(other, one).score, abs=2e-4
    )


GROWN = (
    "林业家属院3号楼" * 1_200,
    "一" * 10_000,
    "东" * 10_000,
    "路" * 10_000,
    "小区" * 5_000,
    "1" * 10_000,
)


@pytest.mark.parametrize("text", GROWN, ids=lambda t: t[:4])
def test_the_longest_messages_are_read(text: str) -> None:
    assert MATCHER.compare(make(text), make(text, id=2)).score > 0
