"""Floors of the trained model, on corpus messages its weights had not seen (5-fold)."""

from pathlib import Path

import pytest

from classify.artifact import Card, load, read_card
from classify.registry import Registry
from classify.tokens import Tokenizer
from hub.city import City

pytestmark = [pytest.mark.model, pytest.mark.slow]


@pytest.fixture(scope="module")
def card(trained: Path, city: City) -> Card:
    return read_card(trained / Registry(trained, city.taxonomy).read().in_use)


@pytest.mark.parametrize(
    ("measure", "floor"),
    [
        ("problems_macro_f1", 0.80),
        ("campaigns_macro_f1", 0.72),
        ("actionable_f1", 0.96),
        ("kind_accuracy", 0.90),
    ],
)
def test_held_out_quality_has_a_floor(card: Card, measure: str, floor: float) -> None:
    assert card.held_out[measure] >= floor


@pytest.mark.parametrize("axis", ["problems", "campaigns"])
def test_probabilities_are_calibrated(card: Card, axis: str) -> None:
    assert card.held_out[f"ece_{axis}"] <= 0.05


def test_every_label_is_found_more_often_than_not(card: Card) -> None:
    assert {n: c.f1 for n, c in card.labels.items() if c.f1 < 0.5} == {}


HARD = {
    "litter": [
        "垃圾处理费怎么从每月五元涨到八元了，请问依据是什么",
        "这破游戏就是垃圾，再也不玩了",
    ],
    "flyposting": ["电视台天天播虚假药品广告，没人查吗", "楼顶的户外大广告牌太亮，晃得睡不着"],
    "stalls": ["菜市场里的白菜三块钱一斤太贵了", "货车天天占着非机动车道停"],
    "sewage": ["家里自来水发黄，烧开有沉淀", "楼上卫生间漏水把我家天花板泡了"],
    "laundry": ["干洗店把我的羽绒服洗坏了不赔钱", "今天在朋友圈晒了晒新买的车"],
    "pets": ["单身狗的周末就是加班", "宠物医院给猫做手术收费太高不退钱"],
}


def test_nearly_all_hard_negatives_stay_without_the_label(
    trained: Path, card: Card, city: City
) -> None:
    model = load(trained / card.name, Tokenizer(city.language.whole))
    wrong = [
        text
        for label, texts in HARD.items()
        for text, verdict in zip(texts, model.predict(texts), strict=True)
        if label in verdict.problems
    ]
    assert len(wrong) <= 2, wrong
