"""Rising topics: planted ones are found and named, chance is not, and why they moved is told."""

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from router.trends.emerging import Found, days_apart, emerging
from router.trends.phrases import bound, growth, surprise
from router.trends.telling import Cause, Said, repeats, sentence_of, words_of

CORPUS = Path(__file__).parents[3] / "classify" / "corpus"
AREAS = {"bohai": "渤海街道", "danjiang": "丹江街道", "shengli": "胜利街道"}
CHANNELS = ("app", "wechat", "hotline")

PLANTED = {
    "直饮水机": """新装的直饮水机出来的水一股塑料味|公园里直饮水机坏了好几台，按了不出水|直饮水机的滤芯多久换一次，没人说得清
        孩子喝了广场直饮水机的水拉肚子|体育公园的直饮水机漏水，地上全是水|建议直饮水机贴上水质检测报告
        直饮水机旁边都长青苔了，谁敢喝|直饮水机水压太小，接半天接不满一杯|那几台直饮水机到底归哪个单位管
        直饮水机按键失灵，晚上也不亮灯|直饮水机的水喝着有漂白粉味道，滤芯该换了|直饮水水质有没有人检测过""",
    "延时服务": """学校延时服务突然取消，双职工怎么接孩子|延时班说停就停，三点半放学没人管|小学课后延时服务取消了，也不通知一声
        延时服务费交了一学期，现在停了退不退|家长群里都在问延时班什么时候恢复|课后服务停办，老人接不了孩子
        取消延时服务前能不能征求家长意见|放学太早，延时服务又没了，上班族太难了|二小的延时服务停了两周了
        恢复课后延时服务吧，孩子没地方去|延时班收费标准变了，也没有公示|延时服务停了，托管班趁机涨价""",
    "调度费": """共享单车还车点太少，骑到家门口不让锁|共享单车停在运营区外要扣二十块调度费|骑共享单车被乱扣调度费，客服打不通
        新来的共享单车怎么定位不准，停好了还说我违规|调度费太坑了，共享单车停车点地图上有实际没有|共享电单车扣了我调度费，申诉没人理
        单车还不了车，一直计费|说是还车点，走到跟前又说不在区域，扣调度费|共享单车调度费收得不合理，请物价部门查
        江边骑共享单车还车点只有一个|还车点牌子没有，全靠猜，扣费三次了|这共享单车的调度费比打车还贵""",
}  # fmt: skip


@cache
def corpus() -> list[dict[str, Any]]:
    lines = (
        line
        for path in sorted(CORPUS.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    )
    found = [json.loads(line) for line in lines]
    random.Random(3).shuffle(found)
    return found


def background(first: int, count: int, day: int) -> list[Said]:
    """Messages of the corpus, each of another citizen, through days, areas and channels."""
    return [
        Said(
            n,
            day + n % 7,
            list(AREAS)[n % 3],
            CHANNELS[n % 3],
            f"c{n}",
            n,
            "",
            one["text"],
            "",
            (one["problems"] + one["campaigns"] + [one["kind"]])[0],
        )
        for n, one in enumerate(corpus()[first : first + count], first)
    ]


def planted(name: str) -> list[Said]:
    """Twelve citizens, three in four in one area, on Weibo first."""
    texts = [text.strip() for text in PLANTED[name].replace("|", "\n").split("\n")]
    assert len(texts) == 12
    channel = ("weibo", "app", "hotline")
    return [
        Said(
            10**6 + n,
            20261119 + n // 4,
            "danjiang" if n % 4 else "bohai",
            channel[n // 4],
            f"p{n}",
            10**6 + n,
            "",
            text,
            "",
            "request",
        )
        for n, text in enumerate(texts)
    ]


@pytest.fixture(scope="module")
def generic(city: Any) -> tuple[str, ...]:
    return tuple(city.topics.generic)


@pytest.fixture(scope="module")
def before() -> list[Said]:
    return background(300, 1200, 20261020)


@pytest.fixture(scope="module")
def usual() -> list[Said]:
    return background(0, 300, 20261117)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_topic_is_found_named_and_alone(
    name: str, usual: list[Said], before: list[Said], generic: tuple[str, ...]
) -> None:
    (topic,) = emerging([*usual, *planted(name)], before, areas=AREAS, generic=generic)
    assert name in topic.name
    assert "丹江街道" in topic.name
    assert topic.told.count >= 10
    assert topic.told.ratio >= 8
    assert topic.told.expected <= 1
    assert topic.excess == pytest.approx(topic.told.count - topic.told.expected)
    assert any(phrase in topic.sentence for phrase in topic.phrases)
    assert len(topic.sentence) <= 60
    ids = {one.id for one in planted(name)}
    assert len(ids & set(topic.told.samples)) >= 2
    assert len(ids & set(topic.told.cases)) >= 10


def test_how_it_went_through_the_channels(
    usual: list[Said], before: list[Said], generic: tuple[str, ...]
) -> None:
    (topic,) = emerging([*usual, *planted("直饮水机")], before, areas=AREAS, generic=generic)
    told = [(one.channel, one.first_day, one.lag) for one in topic.told.routes]
    assert told == [("weibo", 20261119, 0), ("app", 20261120, 1), ("hotline", 20261121, 2)]
    assert topic.told.first_day == 20261119
    assert sum(topic.told.days.values()) == topic.told.count
    assert Cause("area", "danjiang", 8, pytest.approx(0.727)) in topic.told.causes


@pytest.mark.parametrize("seed", range(4))
def test_chance_makes_hardly_a_topic(seed: int, generic: tuple[str, ...]) -> None:
    now = background(2000 + seed * 1600, 300, 20261117)
    past = background(2300 + seed * 1600, 1200, 20261020)
    assert len(emerging(now, past, areas=AREAS, generic=generic)) <= 1


POST = "转发微博：昨天下午我在步行街被一个摆摊卖烤冷面的追着骂了整条街，就因为我拍了他占盲道的照片，大家评评理"


def posts(*, thread: str = "") -> list[Said]:
    """One post, shared by twenty."""
    ends = ("太过分了", "支持你", "", "顶一下", "我也遇到过")
    return [
        Said(
            2 * 10**6 + n, 20261120, "", "weibo", f"w{n}", 0, thread, f"{POST} {ends[n % 5]}{n % 3}"
        )
        for n in range(20)
    ]


def test_a_post_that_is_shared_is_explained(
    usual: list[Said], before: list[Said], generic: tuple[str, ...]
) -> None:
    mixed = [*before, *(one._replace(channel="weibo") for one in before[:40])]
    (topic,) = emerging([*usual, *posts()], mixed, areas=AREAS, generic=generic)
    causes = {one.kind: one for one in topic.told.causes}
    assert causes["repeat"].n == 20
    assert causes["repeat"].share == 1
    assert topic.name == "“转发微博：昨天下午我在步行街被一…”"
    said = words_of(topic.told.causes, {"weibo": "微博"})
    assert "其中20件为同一内容反复转发" in said
    assert "微博渠道" in said


def test_one_thread_is_a_cause() -> None:
    said = [one._replace(text=f"说法{n}不同，各说各的", author_key=f"x{n}") for n, one in enumerate(posts(thread="t1"))]  # fmt: skip
    assert repeats(said) == []
    told = emerging(said, background(0, 100, 20261020))
    assert [(one.kind, one.key, one.n) for one in told[0].told.causes][:1] == [("thread", "t1", 20)]


def topics_of(now: list[Said], past: list[Said]) -> list[Found]:
    return emerging(now, past)


@pytest.mark.parametrize(
    ("now", "past"),
    [
        ([], []),
        ([], background(0, 50, 20261020)),
        (planted("直饮水机")[:1], background(0, 50, 20261020)),
        (planted("直饮水机"), []),
        ([one._replace(author_key="same") for one in planted("直饮水机")], background(0, 200, 20261020)),
        (planted("直饮水机")[:2], background(0, 200, 20261020)),
        ([one._replace(text="") for one in planted("直饮水机")], background(0, 200, 20261020)),
    ],
    ids=["empty city", "nothing new", "one item", "no past", "one citizen", "two voices", "no words"],
)  # fmt: skip
def test_what_is_no_topic(now: list[Said], past: list[Said]) -> None:
    assert topics_of(now, past) == []


def test_the_same_words_by_many_are_one_topic() -> None:
    now = [one._replace(text="自来水发黄") for one in planted("直饮水机")]
    (topic,) = topics_of(now, background(0, 200, 20261020))
    assert (topic.told.count, topic.told.voices) == (12, 12)


def test_the_usual_words_of_a_label_that_rises_are_no_topic(generic: tuple[str, ...]) -> None:
    """Three times as much of one label, in its usual words."""
    of_label = [one for one in background(0, 9000, 20261117) if one.label == "sewage"]
    others = [one for one in background(0, 9000, 20261117) if one.label != "sewage"]
    now = others[:300] + of_label[:90]
    past = others[300:1500] + of_label[90:210]
    assert emerging(now, past, generic=generic) == []


def test_a_channel_just_connected_makes_no_topic_of_its_manners() -> None:
    new = [
        one._replace(channel="fresh", text=f"来件摘要如下：{one.text}")
        for one in background(0, 60, 20261117)
    ]
    assert topics_of([*background(100, 100, 20261117), *new], background(300, 600, 20261020)) == []


def test_surprise_is_dunnings() -> None:
    """Ten of 100 against ten of 1000: 2·(10·ln(10/1.818)+10·ln(10/18.18))."""
    score = surprise(np.array([10.0]), np.array([10.0]), np.array([0.1]))[0]
    assert score == pytest.approx(2 * (10 * np.log(5.5) + 10 * np.log(0.55)), abs=1e-9)
    assert surprise(np.array([1.0]), np.array([20.0]), np.array([0.1]))[0] == 0


def test_the_bound_grows_with_what_is_tested() -> None:
    assert bound(0) < bound(10) < bound(10_000)


def test_growth_is_that_of_the_stratum() -> None:
    now, past = np.repeat([0, 1], [300, 100]), np.repeat([0, 1], [1000, 1000])
    first, second = growth(now, past)
    assert second < 0.2 < first < 0.3


def test_a_sentence_is_cut() -> None:
    long = planted("直饮水机")[0]._replace(text="直饮水机" * 40)
    assert len(sentence_of([long], ("直饮水机",))) == 60
    assert sentence_of([], ()) == ""


@pytest.mark.parametrize(
    ("first", "second", "days"), [(20261130, 20261202, 2), (20261231, 20270101, 1), (20240229, 20240229, 0)]
)  # fmt: skip
def test_days_between(first: int, second: int, days: int) -> None:
    assert days_apart(first, second) == days


def test_no_single_source_is_said() -> None:
    assert words_of((), {}) == "各渠道、各区域普遍上升，没有单一来源。"
