"""Learning in a live hub: decisions of the desk, a model on trial, a change without a restart, metrics."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from classify import learning
from classify.classifier import Classifier
from classify.engine import ProcessEngine, ThreadEngine
from classify.examples import Example
from classify.learning import current, train
from classify.registry import Registry
from hub.app import Hub
from hub.city import City
from hub.models import LEAST, Models, measure, retire, stability
from hub.telemetry import Telemetry
from router.deciding import Labels
from store.db import Tx
from store.errors import ConfigError
from store.learned import decisions, label_shares, trials
from store.model import Item
from store.tables import T

SEED = Path(__file__).parent.parent.parent / "classify" / "corpus" / "seed.jsonl"


@pytest.fixture
async def hub(sqlite_url: str, make_hub: Callable[..., Hub]) -> AsyncIterator[Hub]:
    made = make_hub(sqlite_url)
    await made.open()
    await made.start()
    yield made
    await made.close()


async def heard(hub: Hub, *texts: str) -> list[int]:
    """Admit messages and wait until each has its verdict and its case."""
    items = [Item(channel="app", channel_id=f"c{n}", text=text) for n, text in enumerate(texts)]
    ids = [told.item_id for told in await hub.admission.admit(items)]
    for _ in range(200):
        async with hub.db.read() as conn:
            count = (await conn.execute(select(func.count()).select_from(T.cases))).scalar_one()
        if count == len(texts):
            return ids
        await asyncio.sleep(0.05)
    pytest.fail("the messages got no cases")


async def version_of(hub: Hub, case_id: int) -> int:
    async with hub.db.read() as conn:
        where = T.cases.c.id == case_id
        return int((await conn.execute(select(T.cases.c.version).where(where))).scalar_one())


async def test_decision_is_kept_beside_what_the_model_said(
    hub: Hub, classifier: Classifier
) -> None:
    classifier.auto_min = 2.0
    try:
        (case_id,) = await heard(hub, "渤海街道北山公园里有人把被子搭在树上")
    finally:
        classifier.auto_min = 0.2
    await hub.commands.cases.dispatch(
        case_id,
        version=await version_of(hub, case_id),
        actor="wang",
        department="urban_enforcement",
        labels=Labels("complaint", ("laundry",), ("civility",), "normal"),
    )
    (one,) = await decisions(hub.db)
    assert (one.problems, one.campaigns) == (("laundry",), ("civility",))
    async with hub.db.read() as conn:
        verdict = (await conn.execute(select(T.verdicts))).one()
    assert verdict.area == "bohai"
    assert one.predicted["kind"] == verdict.kind
    assert one.model == verdict.model


async def test_place_of_a_message_reaches_its_case(hub: Hub) -> None:
    (case_id,) = await heard(hub, "大石头镇街里路灯不亮")
    async with hub.db.read() as conn:
        case = (await conn.execute(select(T.cases).where(T.cases.c.id == case_id))).one()
    assert (case.area, case.point) == ("dashitou", "大石头镇人民政府")


async def test_model_on_trial_is_compared_and_acted_on_by_nobody(
    hub: Hub, classifier: Classifier
) -> None:
    class Other(ThreadEngine):
        """A second engine under another name that calls everything praise."""

        async def judge(self, texts: list[str]) -> list[dict[str, object]]:  # type: ignore[override]
            return [
                row | {"kind": "praise", "model": self.name} for row in await super().judge(texts)
            ]

    shadow = Other(classifier)
    shadow.name = "on-trial"
    assert hub.models.engines is not None
    hub.models.engines.shadow = shadow
    await heard(hub, "火车站出口占道卖烤串", "化粪池冒粪水")
    (told,) = await trials(hub.db)
    assert (told["model"], told["beside"], told["verdicts"]) == ("on-trial", classifier.name, 2)
    assert told["agreed"] == 0
    async with hub.db.read() as conn:
        kinds = set((await conn.execute(select(T.cases.c.kind))).scalars())
    assert "praise" not in kinds


async def test_failing_trial_stops_nothing(hub: Hub, classifier: Classifier) -> None:
    class Broken(ThreadEngine):
        async def judge(self, texts: list[str]) -> list[dict[str, object]]:  # type: ignore[override]
            raise RuntimeError("broken")

    assert hub.models.engines is not None
    hub.models.engines.shadow = Broken(classifier)
    await heard(hub, "楼道里全是小广告")
    assert await trials(hub.db) == []


async def test_live_hub_follows_the_registry(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "own", lambda: [SEED])
    home = tmp_path / "models"
    base = current(home, city.taxonomy, city.language)
    few = [Example(id=str(n), text=f"霓虹招牌{n}太亮", problems=("flyposting",)) for n in range(60)]
    other = train(home, city.taxonomy, city.language, decisions=few).name
    models = Models(
        home=home, taxonomy=city.taxonomy, language=city.language, progress=lambda _: None
    )
    engines = await models.open()
    try:
        registry = Registry(home, city.taxonomy)
        registry.try_out(other)
        await models.change()
        assert engines.shadow is not None
        assert engines.shadow.name == other
        registry.promote(other)
        await models.change()
        assert engines.in_use.name == other
        assert engines.shadow is None
        assert isinstance(engines.in_use, ProcessEngine)
        (row,) = await engines.in_use.judge(["霓虹招牌7太亮"])
        assert row["model"] == other
        registry.rollback()
        await models.change()
        assert engines.in_use.name == base.name
    finally:
        models.close()


async def test_model_that_does_not_start_leaves_the_one_in_use(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "own", lambda: [SEED])
    home = tmp_path / "models"
    models = Models(
        home=home, taxonomy=city.taxonomy, language=city.language, progress=lambda _: None
    )
    engines = await models.open()
    before = engines.in_use
    try:
        Registry(home, city.taxonomy).promote("broken")
        with pytest.raises(ConfigError, match="model broken does not start"):
            await models.change()
        assert engines.in_use is before
        (row,) = await engines.in_use.judge(["楼道里全是小广告"])
        assert row["model"] == before.name
    finally:
        models.close()


async def test_batch_at_work_is_finished_before_its_engine_goes(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "own", lambda: [SEED])
    name = current(tmp_path, city.taxonomy, city.language).name
    engine = ProcessEngine(tmp_path / name, city.language.whole)
    await engine.ready()
    work = asyncio.create_task(engine.judge(["火车站出口占道卖烤串"] * 5000))
    await asyncio.sleep(0)  # it is sent
    await retire(engine)
    assert len(await work) == 5000


async def test_correction_rate_and_drift_are_measured(hub: Hub) -> None:
    now = hub.clock()
    base = {"kind": "complaint", "campaigns": "[]", "urgency": "normal", "model": "m"}
    said = '{"kind":"complaint","problems":["litter"],"campaigns":[],"urgency":"normal"}'
    seal = {"sealed": b"", "content_sha": "", "channel": "app", "received_at": now}

    async def fill(tx: Tx) -> None:
        for n in range(LEAST):
            right = n % 4 > 0
            item = {"id": n + 1, "channel_id": str(n), "title": "", "text": "t", **seal}
            await tx.run(insert(T.items).values(item))
            row = {"item_id": n + 1, "confirmed": right, "department": "d", "actor": "a", "at": now}
            problems = '["litter"]' if right else '["sewage"]'
            await tx.run(
                insert(T.corrections).values(
                    {**base, **row, "problems": problems, "predicted": said}
                )
            )
        for n in range(2 * LEAST):
            old = n >= LEAST
            at = now - timedelta(days=10 if old else 1)
            row = {"item_id": 1000 + n, "revision": 1, "decision": "desk", "trust": 0.5, "at": at}
            problems = '["litter"]' if old else "[]"
            await tx.run(insert(T.verdicts).values({**base, **row, "problems": problems}))

    await hub.db.write(fill)
    telemetry = Telemetry()
    await measure(hub.db, telemetry, ("litter", "stalls"), now)
    text = telemetry.render().decode()
    assert 'hub_label_correction_ratio{of="litter"} 0.25' in text
    assert 'hub_label_correction_ratio{of="stalls"}' not in text
    drift = float(text.split('hub_label_drift{of="litter"} ')[1].split()[0])
    assert drift > 0.25
    assert 'hub_label_drift{of="stalls"} 0.0' in text
    count, shares = await label_shares(
        hub.db, ["litter"], now - timedelta(days=7), now + timedelta(days=1)
    )
    assert (count, shares) == (LEAST, {"litter": 0})


def test_stability_is_zero_for_the_same_and_grows_with_distance() -> None:
    assert stability(0.2, 0.2) == 0
    assert stability(0.2, 0.25) < 0.05
    assert stability(0.2, 0.6) > 0.25
