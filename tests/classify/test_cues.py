"""Cues: groups stand for their words, clause by clause, and a clause may be turned around."""

from pathlib import Path

import numpy as np
import pytest

from classify.cues import NO_CUES, PLACES, SCOPES, CueFinder, Cues, Language, read_language
from classify.features import TextFeatures
from classify.tokens import Tokenizer
from store.config import validate
from store.errors import ConfigError

CUES = Cues.model_validate(
    {
        "group": {"dog": "金毛 藏獒 泰迪", "noise": "狂叫 吵闹", "leash": "牵绳 拴绳"},
        "scope": {"negated": "没有 不是", "supposed": "如果", "quoted": "答复"},
    }
)
DOG, NOISE, LEASH = range(3)
SIZE = 3


def features_of(*texts: str) -> list[set[int]]:
    """Cue features of each text, by number."""
    features = TextFeatures(tokenizer=Tokenizer(CUES.words), cues=CUES, min_df=1).fit(texts)
    found: list[set[int]] = []
    for text in texts:
        codes, _, row, _ = features._join([text])
        cut = features.tokenizer.cut(codes)
        _, group, scope = features._look_up(cut)
        found.append(set(features._cues(codes, cut, group, scope, row).feature.tolist()))
    return found


def alone(group: int, scope: str = "") -> int:
    return group + SIZE * (SCOPES.index(scope) + 1 if scope else 0)


def at(place: str, group: int) -> int:
    return SIZE * (len(SCOPES) + 1 + PLACES.index(place)) + group


def pair(a: int, b: int) -> int:
    return SIZE * (len(SCOPES) + 1 + len(PLACES)) + max(a, b) * SIZE + min(a, b)


def test_words_of_a_group_are_the_same_feature() -> None:
    one, other = features_of("楼上的金毛", "楼上的藏獒")
    assert one == other
    assert alone(DOG) in one


@pytest.mark.parametrize(
    ("text", "scope"),
    [("这不是金毛", "negated"), ("如果养金毛", "supposed"), ("城管答复金毛", "quoted")],
)
def test_turned_clause_makes_another_feature(text: str, scope: str) -> None:
    (found,) = features_of(text)
    assert alone(DOG, scope) in found
    assert alone(DOG) not in found


def test_scope_ends_with_its_clause() -> None:
    (found,) = features_of("不是邻居，是金毛")
    assert alone(DOG) in found


def test_pairs_meet_in_a_clause_only() -> None:
    together, apart = features_of("金毛半夜狂叫", "金毛很大，工地吵闹")
    assert pair(DOG, NOISE) in together
    assert pair(DOG, NOISE) not in apart


def test_opening_and_closing_clauses_are_told_apart() -> None:
    (found,) = features_of("金毛扰人，半夜没睡，请管管牵绳")
    assert {at("opening", DOG), at("closing", LEASH)} <= found
    assert at("closing", DOG) not in found
    assert at("opening", LEASH) not in found


def test_each_text_of_a_batch_has_its_own_ends() -> None:
    features = TextFeatures(tokenizer=Tokenizer(CUES.words), cues=CUES, min_df=1)
    texts = ["金毛。牵绳", "", "牵绳。金毛", "！！"]
    features.fit(texts)
    x = features.transform(texts)
    for n, text in enumerate(texts):
        assert np.allclose((x[n] - features.transform([text])).toarray(), 0)


def test_no_cues_find_nothing() -> None:
    finder = CueFinder(NO_CUES)
    none = np.zeros(0, dtype=np.int64)
    assert len(finder.find(none, none, none, none, none).feature) == 0
    assert finder.width == 0


def test_empty_group_is_named() -> None:
    with pytest.raises(ConfigError, match="group dog has no words"):
        validate({"group": {"dog": " "}}, Cues, "cues.toml")


def test_language_of_a_city_without_files_is_empty(tmp_path: Path) -> None:
    assert read_language(tmp_path) == Language()
