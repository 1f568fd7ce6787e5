"""Edited files reach a whole running hub: the next message, the desk's pages, health and metrics."""

import itertools
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from people import case_of, log_in, submit

from desk.app import Desk
from hub.app import Hub
from hub.city import load_city
from hub.reload import State, digests_of, marks_of
from hub.web import build

CONFIGS = Path(__file__).parent.parent.parent / "configs"
LAMPS = (
    '[[rule]]\nname = "lamps"\nwhy = "路灯由交通运输局管"\nwhen = { words = ["路灯"] }\nlead = "transport"\n'
    '[[rule.example]]\ntext = "路灯不亮"\nexpect = "transport"\n\n'
)

Settle = Callable[[], Awaitable[State]]


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONFIGS, tmp_path / "configs"))


@pytest.fixture
def settle(hub: Hub, configs: Path) -> Settle:
    """Look, and look again when the files have rested."""
    reloader = hub.watch_configs(
        configs, lambda: load_city(configs), marks_of(configs), digests_of(configs)
    )
    seconds = itertools.count(step=10)
    reloader.monotonic = lambda: float(next(seconds))

    async def look() -> State:
        await reloader.look()
        await reloader.look()
        return reloader.state

    return look


def put(path: Path, text: str, *, first: bool = False) -> None:
    old = path.read_text(encoding="utf-8")
    path.write_text(f"{text}{old}" if first else f"{old}{text}", encoding="utf-8")


async def test_a_new_rule_moves_the_next_message_and_no_earlier_one(
    hub: Hub, client: TestClient[Any, Any], configs: Path, settle: Settle
) -> None:
    await submit(client, id="1", text="渤海街的路灯不亮了")
    before = await case_of(hub, "city:1")
    assert before.rule != "lamps"
    put(configs / "routing.toml", LAMPS, first=True)
    assert await settle() == State()
    await submit(client, id="2", text="翰章大街的路灯不亮了")
    after = await case_of(hub, "city:2")
    assert (after.rule, after.suggested) == ("lamps", "transport")
    assert await case_of(hub, "city:1") == before


async def test_a_new_place_is_in_the_next_verdict(
    hub: Hub, client: TestClient[Any, Any], configs: Path, settle: Settle
) -> None:
    await submit(client, id="1", text="月亮湖小区门口垃圾没人拉", place={"address": "月亮湖小区"})
    assert (await case_of(hub, "city:1")).area == ""
    put(configs / "gazetteer.csv", "月亮湖小区,compound,bohai,,,,,\n")
    assert await settle() == State()
    await submit(client, id="2", text="月亮湖小区污水横流", place={"address": "月亮湖小区"})
    assert (await case_of(hub, "city:2")).area == "bohai"


async def test_a_bad_set_is_shown_and_the_hub_works_on(
    hub: Hub, configs: Path, settle: Settle
) -> None:
    desk = Desk(
        db=hub.db, vault=hub.vault, commands=hub.commands, city="测试市民声", taxonomy=hub.city.taxonomy,
        directory=hub.city.directory, charges=hub.city.charges, replies=hub.routing.replies, reckoner=hub.routing.reckoner, numbers=hub.trends.numbers, bulletins=hub.reporting.bulletins, trends=hub.city.trends, topics=hub.city.topics, supervisor=hub.routing.supervisor(), admission=hub.admission, sources=(), lists={}, rules={},
        finder=hub.routing.finder, zone=hub.zone, clock=hub.clock, channels={}, notices=hub.notices,
    )  # fmt: skip
    for name, role in (("wang", "dispatcher"), ("lead", "official")):
        await desk.accounts.put(name, "correct horse", role=role, display=name)
    async with TestClient(TestServer(build(hub, mounts=(desk.mount,)))) as client:
        good = (configs / "routing.toml").read_text(encoding="utf-8")
        put(configs / "routing.toml", LAMPS.replace('"transport"', '"nowhere"'), first=True)
        refused = (await settle()).refused
        assert "rule lamps: nowhere is not in departments.toml" in refused
        assert "config: refused" in await (await client.get("/healthz")).text()
        assert 'minsheng_config_ok{of="hub"} 0.0' in await (await client.get("/metrics")).text()
        await submit(client, id="1", text="渤海街的路灯不亮了")
        assert (await case_of(hub, "city:1")).rule != "lamps"
        await log_in(client, "wang")
        page = await (await client.get("/desk")).text()
        assert "配置文件有误" in page
        assert "nowhere is not in departments.toml" in page
        await log_in(client, "lead")
        assert "配置文件有误" not in await (await client.get("/desk")).text()
        (configs / "routing.toml").write_text(good, encoding="utf-8")
        assert await settle() == State()
        assert await (await client.get("/healthz")).text() == "ok\n"
        assert 'minsheng_config_ok{of="hub"} 1.0' in await (await client.get("/metrics")).text()
    await desk.close()


async def test_everything_that_reads_the_city_reads_the_new_one(
    hub: Hub, configs: Path, settle: Settle
) -> None:
    """What a hub keeps of its city, one by one: none may be forgotten."""
    routing, heard = hub.routing, []
    hub.adopters.append(heard.append)
    for name, old, new in (
        ("lifecycle.toml", "undo_s = 8 ", "undo_s = 33 "),
        ("deadlines.toml", "amount = 5", "amount = 6"),
        ("grouping.toml", "automatic = true", "automatic = false"),
        ("departments.toml", "市交通运输局", "市交通局"),
        ("supervision.toml", "敦城督", "敦督"),
    ):
        text = (configs / name).read_text(encoding="utf-8")
        (configs / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    await settle()
    (city,) = heard
    assert hub.city is city
    planner = hub.commands.cases.planner
    assert routing.filer.planner is planner
    assert planner.rules is city.router
    assert planner.timekeeper.deadlines is city.deadlines
    assert routing.filer.hold_s == 33.25
    for one in (hub.commands.cases, hub.commands.orders, hub.commands.undoing):
        assert one.lifecycle is city.lifecycle
    assert not routing.finder.automatic
    assert routing.names["transport"] == routing.offices["transport"] == "市交通局"
    assert routing.speech.names is routing.names
