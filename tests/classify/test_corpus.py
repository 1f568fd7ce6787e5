"""The corpus: as large and as varied as it claims, labelled inside the taxonomy, and no templates."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import pytest

from classify.examples import HOME, Example, own, read
from classify.tokens import Tokenizer
from hub.city import City

SHINGLE = 9
"""Chinese characters of a run that two messages should rarely share."""

COMMONPLACE = 0.004
"""Share of all messages that may have the same run of 9 characters (a greeting, a way to begin)."""

ALIKE = 0.35
"""Jaccard similarity of their runs from which two messages are the same one."""


@pytest.fixture(scope="module")
def corpus(city: City) -> list[Example]:
    return read(own(), city.taxonomy)


def runs(text: str) -> set[str]:
    chinese = re.sub(r"[^\u4e00-\u9fff]", "", text)
    return {chinese[i : i + SHINGLE] for i in range(len(chinese) - SHINGLE + 1)}


def commonest(texts: Iterable[str]) -> tuple[str, int]:
    """The run that most texts share, and how many do."""
    return Counter(run for text in texts for run in runs(text)).most_common(1)[0]


def near_duplicates(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of texts whose runs are alike."""
    shingles = [runs(text) for text in texts]
    where = defaultdict(list)
    for n, found in enumerate(shingles):
        for run in found:
            where[run].append(n)
    shared: Counter[tuple[int, int]] = Counter()
    for holders in where.values():
        for i, a in enumerate(holders[:60]):
            for b in holders[i + 1 : 60]:
                shared[a, b] += 1
    return [
        (a, b)
        for (a, b), both in shared.items()
        if both / (len(shingles[a]) + len(shingles[b]) - both) >= ALIKE
    ]


def test_size_and_share_of_each_label(corpus: list[Example], city: City) -> None:
    assert len(corpus) >= 5000
    problems = Counter(p for e in corpus for p in e.problems)
    campaigns = Counter(c for e in corpus for c in e.campaigns)
    assert all(problems[p] >= 400 for p in city.taxonomy.problems), problems
    assert all(campaigns[c] >= 300 for c in city.taxonomy.campaigns), campaigns
    assert sum(len(e.problems) + len(e.campaigns) > 1 for e in corpus) >= 700
    assert sum(not e.problems for e in corpus) >= 1500
    assert {e.kind for e in corpus} == set(city.taxonomy.kinds)
    assert {e.urgency for e in corpus} == set(city.taxonomy.urgencies)


def test_channels_lengths_and_offices_are_those_of_a_city(
    corpus: list[Example], city: City
) -> None:
    channels = Counter(e.channel for e in corpus)
    assert {"hotline", "letter", "forum", "weibo", "wechat", "app"} <= set(channels)
    assert all(e.dept in city.directory.names for e in corpus)
    lengths = sorted(len(e.text) for e in corpus)
    assert lengths[len(lengths) // 20] <= 30
    assert 60 <= lengths[len(lengths) // 2] <= 160
    assert lengths[-1] >= 500


def test_ids_are_unique(corpus: list[Example]) -> None:
    assert len({e.id for e in corpus}) == len(corpus)


def test_no_two_messages_are_nearly_the_same(corpus: list[Example]) -> None:
    texts = [e.text for e in corpus]
    assert [(corpus[a].id, corpus[b].id) for a, b in near_duplicates(texts)] == []


def test_no_run_of_characters_is_a_template(corpus: list[Example]) -> None:
    run, count = commonest(e.text for e in corpus)
    assert count <= COMMONPLACE * len(corpus), (run, count)


def test_a_corpus_of_templates_would_be_found_out() -> None:
    filled = [
        f"市民来电反映{place}路口长期有人随意倾倒生活垃圾无人清理" for place in "甲乙丙丁戊己"
    ]
    assert near_duplicates(filled)
    assert commonest(filled)[1] == len(filled)


def test_many_problems_are_told_without_their_textbook_words(corpus: list[Example]) -> None:
    textbook = {
        "litter": "垃圾", "flyposting": "广告|牛皮癣|传单", "stalls": "占道经营|摆摊|摊贩|小贩|摊位",
        "sewage": "污水", "laundry": "晾|晒", "pets": "狗|犬|宠物",
    }  # fmt: skip
    for problem, words in textbook.items():
        having = [e for e in corpus if problem in e.problems]
        without = sum(re.search(words, e.text) is None for e in having)
        assert without >= 0.1 * len(having), problem


def test_both_engines_cut_the_corpus_alike(corpus: list[Example], city: City) -> None:
    words = city.language.whole
    fast, plain = Tokenizer(words), Tokenizer(words, fast=False)
    for example in corpus[::2]:
        assert fast.spans(example.text) == plain.spans(example.text), example.text


def test_every_group_is_described() -> None:
    guide = (HOME / "LABELING.md").read_text(encoding="utf-8")
    assert [p.name for p in own() if f"`{p.name}`" not in guide] == []
