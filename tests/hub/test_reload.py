"""What a running hub makes of its edited files: a whole good set or nothing, once it has come to rest."""

import asyncio
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from hub.city import City, load_city
from hub.reload import Reloader, Rest, State, digests_of, marks_of
from store.errors import ConfigError
from store.turns import Turns

CONFIGS = Path(__file__).parent.parent.parent / "configs"


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONFIGS, tmp_path / "configs"))


def edit(configs: Path, name: str, old: str, new: str) -> None:
    path = configs / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


class Watched:
    """A reloader over a folder, with a clock of its own and a list of what was put into force."""

    def __init__(self, configs: Path) -> None:
        self.now = 0.0
        self.adopted: list[City] = []
        self.told: list[State] = []
        self.waiting: dict[str, int] = {}
        self.refuses = ""
        self.reloader = Reloader(
            configs=configs,
            read=lambda: load_city(configs),
            adopt=self._adopt,
            count=self._count,
            tell=self.told.append,
            city=load_city(configs),
            marks=marks_of(configs),
            digests=digests_of(configs),
            monotonic=lambda: self.now,
        )

    async def _adopt(self, city: City) -> None:
        if self.refuses:
            raise ConfigError(self.refuses)
        self.adopted.append(city)

    async def _count(self) -> Mapping[str, int]:
        return self.waiting

    async def look(self, after_s: float = 0.0) -> None:
        self.now += after_s
        await self.reloader.look()

    async def settle(self) -> State:
        """The change is seen, and then a second without another."""
        await self.look()
        await self.look(1.0)
        return self.reloader.state


@pytest.fixture
def watched(configs: Path) -> Watched:
    return Watched(configs)


def test_files_are_read_once_they_have_rested_and_once_only() -> None:
    rest = Rest({"a": 1}, 1.0)
    assert not rest.ripe({"a": 1}, 5.0)
    assert not rest.ripe({"a": 2}, 6.0)
    assert not rest.ripe({"a": 3}, 6.9)
    assert not rest.ripe({"a": 3}, 7.8)
    assert rest.ripe({"a": 3}, 7.9)
    assert not rest.ripe({"a": 3}, 9.0)


def test_a_file_that_goes_is_a_change() -> None:
    rest = Rest({"a": 1, "b": 1}, 1.0)
    assert not rest.ripe({"a": 1}, 0.0)
    assert rest.ripe({"a": 1}, 1.0)


async def test_nothing_changed_means_nothing_done(watched: Watched) -> None:
    await watched.settle()
    assert (watched.adopted, watched.told) == ([], [])


async def test_a_good_set_is_adopted_once(configs: Path, watched: Watched) -> None:
    edit(configs, "lifecycle.toml", "undo_s = 8 ", "undo_s = 20 ")
    await watched.look()
    assert watched.adopted == []
    await watched.look(1.0)
    await watched.look(9.0)
    assert [city.lifecycle.undo_s for city in watched.adopted] == [20]
    assert watched.reloader.state == State()


async def test_half_a_save_does_not_count(configs: Path, watched: Watched) -> None:
    path = configs / "routing.toml"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole[:300], encoding="utf-8")
    await watched.look()
    await watched.look(0.9)
    path.write_text(whole.replace("咨询由服务窗口答复", "咨询由窗口答复"), encoding="utf-8")
    await watched.look(0.2)
    assert watched.adopted == []
    await watched.look(1.0)
    assert len(watched.adopted) == 1
    assert watched.told == []


async def test_a_file_that_moves_while_it_is_read_is_read_again(
    configs: Path, watched: Watched
) -> None:
    edit(configs, "lifecycle.toml", "undo_s = 8 ", "undo_s = 20 ")
    read = watched.reloader.read

    def moving() -> City:
        city = read()
        edit(configs, "lifecycle.toml", "undo_s = 20 ", "undo_s = 300 ")
        watched.reloader.read = read
        return city

    watched.reloader.read = moving
    await watched.settle()
    assert watched.adopted == []
    await watched.settle()
    assert [city.lifecycle.undo_s for city in watched.adopted] == [300]


async def test_a_bad_set_changes_nothing_and_is_told_once(
    configs: Path, watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    edit(configs, "lifecycle.toml", "undo_s = 8 ", "undo_s = 20 ")
    edit(configs, "deadlines.toml", "amount = 5", "amount = 0")
    with caplog.at_level(logging.ERROR):
        state = await watched.settle()
        (configs / "deadlines.toml").touch()
        await watched.settle()
    assert watched.adopted == []
    assert "deadlines.toml" in state.refused
    assert "default.amount" in state.refused
    assert [r.__dict__["event"] for r in caplog.records] == ["config_refused"]
    assert state.refused in caplog.records[0].getMessage()
    assert "配置文件有误" in state.sentences({})[0]


async def test_restoring_the_files_ends_the_refusal(configs: Path, watched: Watched) -> None:
    edit(configs, "routing.toml", "[[rule]]", "[[rule")
    assert (await watched.settle()).refused
    edit(configs, "routing.toml", "[[rule", "[[rule]]")
    assert not (await watched.settle()).refused
    assert watched.adopted == []


async def test_several_changes_in_a_row(configs: Path, watched: Watched) -> None:
    for before, after in ((8, 20), (20, -1), (-1, 30), (30, 40)):
        edit(configs, "lifecycle.toml", f"undo_s = {before} ", f"undo_s = {after} ")
        await watched.settle()
    assert [city.lifecycle.undo_s for city in watched.adopted] == [20, 30, 40]


async def test_a_missing_file_is_refused_and_its_return_is_not(
    configs: Path, watched: Watched
) -> None:
    (configs / "lifecycle.toml").rename(configs / "away")
    assert "is missing" in (await watched.settle()).refused
    (configs / "away").rename(configs / "lifecycle.toml")
    assert (await watched.settle()).refused == ""


async def test_what_lacks_a_setting_is_refused(configs: Path, watched: Watched) -> None:
    watched.refuses = "router: transport: email is set but no mail server; set [mail] in hub.toml"
    edit(configs, "lifecycle.toml", "undo_s = 8 ", "undo_s = 20 ")
    assert (await watched.settle()).refused == watched.refuses


async def test_new_words_wait_for_a_restart_and_the_rest_does_not(
    configs: Path, watched: Watched
) -> None:
    with (configs / "lexicon.txt").open("a", encoding="utf-8") as file:
        file.write("月亮湖\n")
    edit(configs, "lifecycle.toml", "undo_s = 8 ", "undo_s = 20 ")
    state = await watched.settle()
    assert state.restart == ("lexicon.txt",)
    assert "重新启动" in state.sentences({})[0]
    assert "月亮湖" not in watched.adopted[0].language.words
    assert watched.adopted[0].lifecycle.undo_s == 20


async def test_new_labels_hold_everything_until_the_restart(
    configs: Path, watched: Watched
) -> None:
    path = configs / "taxonomy.toml"
    before = path.read_text(encoding="utf-8")
    edit(configs, "taxonomy.toml", "[[problem]]", '[[problem]]\nid = "lamps"\nname = "路灯"\n\n[[problem]]')  # fmt: skip
    edit(configs, "lifecycle.toml", "undo_s = 8 ", "undo_s = 20 ")
    assert (await watched.settle()).restart == ("taxonomy.toml",)
    assert watched.adopted == []
    path.write_text(before, encoding="utf-8")
    assert (await watched.settle()).restart == ()
    assert watched.adopted[0].lifecycle.undo_s == 20


async def test_the_banner_names_whose_messages_wait(configs: Path, watched: Watched) -> None:
    watched.waiting = {"transport/wecom": 3}
    edit(configs, "lifecycle.toml", "undo_s = 8 ", "undo_s = 20 ")
    state = await watched.settle()
    (line,) = state.sentences({"transport": "市交通运输局"})
    assert "市交通运输局" in line
    assert "3 条" in line


async def test_who_is_alone_meets_nobody_who_has_begun() -> None:
    turns, go, seen = Turns(), asyncio.Event(), []

    async def decide(name: str) -> None:
        async with turns.among():
            seen.append(f"{name} begins")
            await go.wait()
            seen.append(f"{name} ends")

    async def change() -> None:
        async with turns.alone():
            seen.append("change")

    first = asyncio.create_task(decide("first"))
    await asyncio.sleep(0)
    changing = asyncio.create_task(change())
    await asyncio.sleep(0)
    second = asyncio.create_task(decide("second"))
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(first, changing, second)
    assert seen == ["first begins", "first ends", "change", "second begins", "second ends"]
