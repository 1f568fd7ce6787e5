"""Verdicts for any text at all, inside the taxonomy, with reasons that point at the text."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from classify.bank import LinearBank
from classify.classifier import Classifier
from classify.evaluate import evaluate
from classify.examples import read
from classify.features import TextFeatures
from classify.tokens import Tokenizer, fold
from hub.city import City
from store.config import Costs, Taxonomy, validate
from store.errors import ConfigError
from store.model import Decision, Kind, Urgency

ROOT = Path(__file__).parent.parent.parent
SEED = ROOT / "classify" / "corpus" / "seed.jsonl"

STRANGE = {
    "one word 5,000 times": "垃圾" * 5000,
    "traditional": "樓下垃圾堆積如山，無人清理",
    "english": "The sewage is overflowing in front of building 3",
    "emoji": "😡😡😡🐶💩",
    "zero width": "垃\u200b圾\u200b没\u200b人\u200b收",
    "full width": "ＡＢＣ　１２３４５６７８",
    "html": "<p>小广告<script>alert(1)</script></p>",
    "control": "\x00\x01\x02垃圾\x7f",
    "mixed": "ゴミ가득 垃圾 مرحبا",
    "one character": "脏",
    "10,001 characters": "臭" * 10_001,
    "surrogate": "臭\ud800水",
    "empty": "",
}


def test_labels_stay_inside_the_taxonomy(classifier: Classifier, city: City) -> None:
    for verdict in classifier.predict([e.text for e in read([SEED], city.taxonomy)]):
        assert set(verdict.problems) <= set(city.taxonomy.problems)
        assert set(verdict.campaigns) <= set(city.taxonomy.campaigns)
        assert isinstance(verdict.kind, Kind)
        assert isinstance(verdict.urgency, Urgency)
        assert all(0 <= p <= 1 for p in verdict.confidence.values())


def test_what_was_learned_is_recognized(classifier: Classifier) -> None:
    texts = [
        "楼道里全是开锁贷款的小广告",
        "化粪池冒粪水流到院里",
        "三轮车在校门口占道卖炸串",
        "邻居家大狗不拴绳",
    ]
    wanted = ["flyposting", "sewage", "stalls", "pets"]
    scores = [v.confidence for v in classifier.predict(texts)]
    assert [max(wanted, key=lambda label: s[label]) for s in scores] == wanted


def test_reasons_point_at_the_words(classifier: Classifier, city: City) -> None:
    found = 0
    for example, verdict in (
        (e, classifier.predict([e.text])[0]) for e in read([SEED], city.taxonomy)[:60]
    ):
        for reason in verdict.reasons:
            found += 1
            assert reason.label in (*verdict.problems, *verdict.campaigns)
            assert example.text[reason.start : reason.end].strip()
            assert reason.weight > 0
    assert found


@pytest.mark.parametrize("name", STRANGE)
def test_strange_text_gets_a_verdict_or_an_abstention(classifier: Classifier, name: str) -> None:
    (verdict,) = classifier.predict([STRANGE[name]])
    assert verdict.kind in Kind


@pytest.mark.parametrize("name", ["empty", "emoji"])
def test_text_without_known_features_abstains(classifier: Classifier, name: str) -> None:
    assert classifier.predict([STRANGE[name]])[0].decision is Decision.DESK


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text(max_size=200), max_size=5))
def test_any_batch_gets_one_verdict_each(classifier: Classifier, texts: list[str]) -> None:
    assert len(classifier.predict(texts)) == len(texts)


def test_batch_and_single_agree(classifier: Classifier, city: City) -> None:
    texts = [e.text for e in read([SEED], city.taxonomy)][:40]
    for together, text in zip(classifier.predict(texts), texts, strict=True):
        (alone,) = classifier.predict([text])
        assert (alone.problems, alone.campaigns, alone.kind) == (
            together.problems, together.campaigns, together.kind,
        )  # fmt: skip


@pytest.mark.parametrize(
    "line", ["not json", '{"id": "1"}', '{"id":"1","text":"t","problems":["litre"]}']
)
def test_bad_corpus_line_is_named(city: City, tmp_path: Path, line: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"id":"0","text":"t"}\n' + line, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"c\.jsonl:2"):
        read([path], city.taxonomy)


def test_estimators_follow_scikit_learn() -> None:
    features = TextFeatures(tokenizer=Tokenizer(), min_df=1, title=1.0)
    assert clone(LinearBank(c=3.0)).get_params() == LinearBank(c=3.0).get_params()
    assert clone(features).get_params()["min_df"] == 1
    texts = ["垃圾没人收", "狗叫扰民", "小广告乱贴", "谢谢"]
    x = features.fit_transform(texts)
    assert x.shape == (4, len(features.idf_))
    assert (x != features.transform(texts)).nnz == 0
    assert (x[1] != features.transform(["狗叫扰民"])).nnz == 0


def test_grams_count_each_time_and_more_in_the_title() -> None:
    features = TextFeatures(tokenizer=Tokenizer(), min_df=1).fit(["狗叫", "垃圾"])
    texts = ["狗叫", "狗叫，狗叫", "狗叫，没有学过的别的字句", "狗叫\n没有学过的别的字句"]
    once, twice, plain, titled = np.asarray(features.transform(texts).sum(axis=1)).ravel()
    assert twice == pytest.approx(once * 2**0.5)
    assert plain < titled


def test_reasons_are_the_words_the_score_is_made_of(classifier: Classifier) -> None:
    text = "楼道里全是开锁贷款的小广告，墙上贴满小广告"
    (verdict,) = classifier.predict([text])
    (reason, *_) = [r for r in verdict.reasons if r.label == "flyposting"]
    without = text[: reason.start] + "某某" + text[reason.end :]
    (less,) = classifier.predict([without])
    assert less.confidence["flyposting"] < verdict.confidence["flyposting"]


def test_reasons_point_at_the_text_as_it_was_written(classifier: Classifier) -> None:
    text = "楼道里全是开锁贷款的小\u200b广\u200b告，墙上贴\u200b满小\u200b广告"
    (verdict,) = classifier.predict([text])
    shown = {text[r.start : r.end].replace("\u200b", "") for r in verdict.reasons}
    assert any("广告" in words for words in shown)


def test_traditional_and_full_width_read_as_simplified(classifier: Classifier) -> None:
    plain, other = classifier.predict(["楼下垃圾堆积如山3天了", "樓下垃圾堆積如山３天了"])
    assert plain.confidence == other.confidence


def test_label_on_the_edge_teaches_more_than_a_sure_one(classifier: Classifier) -> None:
    p = np.zeros((2, len(classifier.layout.labels)), dtype=np.float32)
    p[:, 0] = 0.5, 0.98
    edge, sure = classifier.decide(p).teach
    assert sure < edge


def test_rare_label_teaches_more_than_a_common_one(classifier: Classifier) -> None:
    layout, support = classifier.layout, classifier.bank.support_
    many = [*layout.group("problems"), *layout.group("campaigns")]
    rare, common = min(many, key=lambda j: support[j]), max(many, key=lambda j: support[j])
    p = np.zeros((2, len(layout.labels)), dtype=np.float32)
    p[0, rare] = p[1, common] = 0.5
    teach = classifier.decide(p).teach
    assert teach[1] < teach[0]


def test_cost_table_sets_the_threshold_of_each_label(city: City) -> None:
    costs = Costs.model_validate({"miss": 3, "label": {"litter": {"false_alarm": 4, "miss": 1}}})
    assert costs.threshold_of("stalls") == pytest.approx(0.25)
    assert costs.threshold_of("litter") == pytest.approx(0.8)
    wrong = city.taxonomy.model_dump() | {"costs": {"label": {"litre": {}}}}
    with pytest.raises(ConfigError, match=r"costs\.label\.litre is no label"):
        validate(wrong, Taxonomy, "taxonomy.toml")


def test_evaluation_of_perfect_verdicts_is_perfect(classifier: Classifier, city: City) -> None:
    examples = read([SEED], city.taxonomy)
    verdicts = classifier.predict([e.text for e in examples])
    told = [
        type(e)(
            id=e.id,
            text=e.text,
            kind=v.kind,
            problems=v.problems,
            campaigns=v.campaigns,
            urgency=v.urgency,
        )
        for e, v in zip(examples, verdicts, strict=True)
    ]
    result = evaluate(told, verdicts, city.taxonomy)
    assert result["kind_accuracy"] == result["auto_right"] == result["actionable_f1"] == 1.0


@given(st.text(max_size=200))
def test_words_cover_the_text_in_order(text: str) -> None:
    spans = Tokenizer().spans(text)
    assert all(0 <= a < b <= len(text) for _, a, b in spans)
    assert all(before[2] <= after[1] for before, after in pairwise(spans))
    assert len(fold(text)) == len(text)
