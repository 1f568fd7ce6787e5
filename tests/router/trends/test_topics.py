"""Topics told by labels and words."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.trends.topics import Matcher, Topics, check_phrases, load_topics, plain
from store.errors import RejectedError

MADE = Topics.model_validate(
    {
        "topic": [
            {"id": "lamps", "name": "路灯", "words": [["路灯"], ["灯", "不亮"]], "not_words": ["红绿灯"]},
            {"id": "ads", "name": "小广告", "labels": ["flyposting"], "words": [["ABC贴纸"]]},
        ]
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("门口路灯坏了", (), ("topic:lamps",)),
        ("楼道的灯又不亮了", (), ("topic:lamps",)),
        ("不亮就算了", (), ()),
        ("路灯旁的红绿灯坏了", (), ()),
        ("墙上都是", ("*", "flyposting"), ("topic:ads",)),
        ("满墙ＡＢＣ 贴 纸", (), ("topic:ads",)),
        ("路 灯\n坏了，abc贴纸", ("flyposting",), ("topic:ads", "topic:lamps")),
        ("红绿灯边贴的", ("flyposting",), ("topic:ads",)),
        ("", (), ()),
    ],
)
def test_a_message_is_told_by_labels_or_words(
    text: str, labels: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert Matcher(MADE).labels(text, labels) == expected


def test_watched_topics_are_told_beside_the_configured() -> None:
    matcher = Matcher(MADE, {7: (("充电桩", "跳闸"), ("充电", "断电")), 8: (("路灯",),)})
    assert matcher.labels("充电桩一用就跳闸，路灯也灭", ()) == (
        "topic:7",
        "topic:8",
        "topic:lamps",
    )
    assert matcher.labels("充电桩坏了", ()) == ()


@given(st.text(alphabet="路灯不亮红绿ＡＢＣ贴纸 ，", max_size=30))
def test_what_is_told_is_what_the_words_say(text: str) -> None:
    said = plain(text)
    lamps = ("路灯" in said or ("灯" in said and "不亮" in said)) and "红绿灯" not in said
    expected = ("topic:ads",) * ("abc贴纸" in said) + ("topic:lamps",) * lamps
    assert Matcher(MADE).labels(text, ()) == expected


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("文化路有十几盏路灯不亮", "street_lamps"),
        ("装修垃圾在楼下堆了半个月", "construction_waste"),
        ("公厕没水，味道大", "public_toilets"),
        ("广场上有人随地吐痰", "no_spitting"),
        ("行人闯红灯没人管", "no_red_light"),
        ("人行道上乱停车", "no_chaotic_parking"),
        ("店门前堆杂物，门前四包没落实", "four_duties"),
    ],
)
def test_shipped_topics_know_their_words(city: Any, text: str, topic: str) -> None:
    assert f"topic:{topic}" in Matcher(city.topics).labels(text, ())


def test_the_opinion_is_shipped(city: Any) -> None:
    groups = [topic.group for topic in city.topics.topic]
    assert (groups.count("mechanism"), groups.count("civic")) == (9, 5)
    assert set(groups) <= set(city.topics.groups)


def test_a_city_may_have_no_topics(tmp_path: Path) -> None:
    assert load_topics(tmp_path / "topics.toml", (), ()) == Topics()


def test_phrases_of_a_person_are_cleaned() -> None:
    assert check_phrases([["充电桩", " 充电桩 "], [" "], ["ＡＢ", "c"], ["充电桩"]]) == (
        ("充电桩",),
        ("ab", "c"),
    )


@pytest.mark.parametrize(
    ("ways", "cure"),
    [
        ([], "at least one"),
        ([["  "]], "at least one"),
        ([["灯"]], "one character"),
        ([["字" * 21]], "20 characters"),
        ([["一", "二", "三", "四", "五"]], "at most 4 words"),
        ([[f"词语{n}"] for n in range(25)], "at most 24"),
    ],
)
def test_phrases_that_can_not_be_kept_are_refused(ways: list[list[str]], cure: str) -> None:
    with pytest.raises(RejectedError, match=cure):
        check_phrases(ways)
