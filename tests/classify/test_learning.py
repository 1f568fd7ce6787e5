"""A model on disk: saved, loaded, compared, promoted only when better, rolled back, tried out."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from classify import learning
from classify.artifact import load, read_card
from classify.cues import Language
from classify.examples import Example, read
from classify.learning import current, is_held_out, train
from classify.registry import Registry
from classify.tokens import Tokenizer
from hub.city import City
from store.config import Taxonomy
from store.errors import ConfigError

ROOT = Path(__file__).parent.parent.parent
SEED = ROOT / "classify" / "corpus" / "seed.jsonl"


@pytest.fixture(autouse=True)
def small_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """The base model of these tests learns from the first seed only, so that it takes a second."""
    monkeypatch.setattr(learning, "own", lambda: [SEED])


def decided(count: int, *, problem: str, start: int = 0) -> list[Example]:
    """Decisions of a desk that calls every message about a neon sign ``problem``."""
    return [
        Example(id=f"d{n}", text=f"霓虹招牌第{n}号整夜闪烁照进卧室", problems=(problem,))
        for n in range(start, start + count)
    ]


def test_base_is_trained_once_and_then_loaded(city: City, tmp_path: Path) -> None:
    said: list[str] = []
    first = current(tmp_path, city.taxonomy, city.language, progress=said.append)
    assert said
    said.clear()
    again = current(tmp_path, city.taxonomy, city.language, progress=said.append)
    assert not said
    assert first is not again
    texts = ["楼道里小广告", "路灯坏了", "谢谢你们"]
    assert again.predict(texts) == first.predict(texts)


def test_card_says_what_it_learned_from_and_how_it_does(city: City, tmp_path: Path) -> None:
    name = current(tmp_path, city.taxonomy, city.language).name
    card = read_card(tmp_path / name)
    examples = read([SEED], city.taxonomy)
    assert card.examples == len(examples)
    assert card.sources[0].name == "seed.jsonl"
    assert set(card.labels) == {*city.taxonomy.problems, *city.taxonomy.campaigns}
    litter = card.labels["litter"]
    assert litter.examples == sum("litter" in e.problems for e in examples)
    assert 0 < litter.precision <= 1
    assert {"auto_share", "auto_right", "ece_problems"} <= set(card.held_out)


def test_altered_model_is_not_loaded_and_trained_again(city: City, tmp_path: Path) -> None:
    name = current(tmp_path, city.taxonomy, city.language).name
    weights = tmp_path / name / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ConfigError, match="altered"):
        load(tmp_path / name, Tokenizer(city.language.whole))
    said: list[str] = []
    current(tmp_path, city.taxonomy, city.language, progress=said.append)
    assert "altered" in said[0]
    load(tmp_path / name, Tokenizer(city.language.whole))


def test_model_folder_can_be_deleted_any_time(city: City, tmp_path: Path) -> None:
    name = current(tmp_path, city.taxonomy, city.language).name
    shutil.rmtree(tmp_path / name)
    assert current(tmp_path, city.taxonomy, city.language).name == name


def test_damaged_registry_is_named_with_its_cure(city: City, tmp_path: Path) -> None:
    (tmp_path / "registry.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="delete it"):
        current(tmp_path, city.taxonomy, city.language)


def test_decisions_make_a_better_model_that_is_promoted(city: City, tmp_path: Path) -> None:
    base = current(tmp_path, city.taxonomy, city.language)
    decisions = decided(300, problem="flyposting")
    outcome = train(tmp_path, city.taxonomy, city.language, decisions=decisions)
    assert outcome.promoted, outcome.why
    assert "held-out decisions" in outcome.why
    now = current(tmp_path, city.taxonomy, city.language)
    assert now.name == outcome.name != base.name
    unseen = [e.text for e in decisions if is_held_out(e)]
    assert all("flyposting" in v.problems for v in now.predict(unseen))


def test_worse_model_is_not_promoted(city: City, tmp_path: Path) -> None:
    train(tmp_path, city.taxonomy, city.language, decisions=decided(300, problem="flyposting"))
    good = Registry(tmp_path, city.taxonomy).read().in_use
    held = [e for e in decided(300, problem="flyposting") if is_held_out(e)]
    poison = [e for e in decided(300, problem="litter", start=1000) if not is_held_out(e)]
    outcome = train(tmp_path, city.taxonomy, city.language, decisions=[*held, *poison])
    assert not outcome.promoted, outcome.why
    assert Registry(tmp_path, city.taxonomy).read().in_use == good


def test_too_few_decisions_promote_nothing_unless_asked(city: City, tmp_path: Path) -> None:
    base = current(tmp_path, city.taxonomy, city.language).name
    few = decided(20, problem="litter")
    outcome = train(tmp_path, city.taxonomy, city.language, decisions=few)
    assert not outcome.promoted
    assert "too few to compare" in outcome.why
    forced = train(tmp_path, city.taxonomy, city.language, decisions=few, force=True)
    assert forced.promoted
    registry = Registry(tmp_path, city.taxonomy)
    assert registry.read().in_use == forced.name
    assert registry.rollback() == base
    with pytest.raises(ConfigError, match="no earlier model"):
        registry.rollback()


def test_held_out_decisions_are_never_learned_from(city: City, tmp_path: Path) -> None:
    decisions = decided(100, problem="litter")
    kept = sum(not is_held_out(e) for e in decisions)
    assert 60 < kept < 95
    outcome = train(tmp_path, city.taxonomy, city.language, decisions=decisions)
    assert read_card(tmp_path / outcome.name).sources[-1].examples == kept


def test_model_that_learned_from_the_desk_outlives_a_new_corpus(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    current(tmp_path, city.taxonomy, city.language)
    decisions = decided(300, problem="flyposting")
    name = train(tmp_path, city.taxonomy, city.language, decisions=decisions).name
    other = tmp_path / "other.jsonl"
    other.write_text("".join(SEED.read_text("utf-8").splitlines(keepends=True)[:150]), "utf-8")
    monkeypatch.setattr(learning, "own", lambda: [other])
    said: list[str] = []
    assert current(tmp_path, city.taxonomy, city.language, progress=said.append).name == name
    assert "minsheng train" in said[0]


def test_only_a_trained_model_can_be_tried_out(city: City, tmp_path: Path) -> None:
    name = current(tmp_path, city.taxonomy, city.language).name
    registry = Registry(tmp_path, city.taxonomy)
    registry.try_out(name)
    assert registry.read().shadow == name
    registry.try_out("")
    assert registry.read().shadow == ""
    with pytest.raises(ConfigError, match="no model nothing"):
        registry.try_out("nothing")


def test_other_taxonomy_is_learned_from_a_table(city: City, tmp_path: Path) -> None:
    taxonomy = Taxonomy.model_validate(
        {
            "version": 1,
            "problem": [{"id": "noise", "name": "噪声"}, {"id": "smell", "name": "异味"}],
            "kinds": city.taxonomy.kinds,
            "urgencies": city.taxonomy.urgencies,
        }
    )
    path = tmp_path / "train.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["id", "title", "text", "problems"])
        for n in range(60):
            writer.writerow([f"a{n}", "太吵了", f"{n}号楼半夜机器轰鸣睡不着", "noise"])
            writer.writerow([f"b{n}", "", f"{n}号楼一股臭鸡蛋味儿", "smell"])
            writer.writerow([f"c{n}", "", f"{n}号楼又吵又臭", "noise、smell"])
    outcome = train(tmp_path, taxonomy, Language(), files=[path])
    assert outcome.promoted
    model = load(tmp_path / outcome.name, Tokenizer())
    found = model.predict(["太吵了\n88号楼半夜机器轰鸣睡不着", "99号楼一股臭鸡蛋味儿"])
    assert [v.problems for v in found] == [("noise",), ("smell",)]
    assert Registry(tmp_path, city.taxonomy).read().in_use == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,problems\n1,litter\n", "there is no column text"),
        ("text,problems\n,litter\n", r"t\.csv:2: text is empty"),
        ("text,problems\n脏,litre\n", "litre is not in the taxonomy"),
        ("text,kind\n脏,grumble\n", "grumble is not in the taxonomy"),
    ],
)
def test_mistake_in_a_table_is_named(
    city: City, tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read([path], city.taxonomy)


def test_too_few_examples_are_refused(city: City, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text(json.dumps({"id": "1", "text": "脏"}), encoding="utf-8")
    with pytest.raises(ConfigError, match="too few"):
        train(tmp_path, city.taxonomy, city.language, files=[few])
