"""Pages of topics and places: what they list, what their buttons do, and what a script reads."""

import sys
from datetime import timedelta
from pathlib import Path

import pytest
from visitors import Browser, Office, Opens

from router.trends.tally import Tally

sys.path.append(str(Path(__file__).parents[1] / "router" / "trends"))

from speaking import ZONE, City
from test_emerging import planted


@pytest.fixture
async def office(open_office: Opens, sqlite_url: str) -> Office:
    return await open_office(sqlite_url, ("official", "dispatcher"))


@pytest.fixture
async def said(office: Office) -> City:
    """A topic rises, and one place comes back."""
    made = City(office.hub.db, office.hub.clock)
    made.series.adopt(office.hub.city.topics, made.series.spots)
    await made.usual()
    await made.hear_all([(one.text, n % 5) for n, one in enumerate(planted("直饮水机"))])
    closed = made.clock() - timedelta(days=3)
    await made.hear("翰章广场的 <b>路灯</b> 没人修", 9, status="closed", closed_at=closed)
    await made.hear("翰章广场还是没有人管", 1)
    await made.look()
    return made


@pytest.fixture
async def official(office: Office, said: City) -> Browser:
    return await office.browser("official")


async def text(browser: Browser, path: str, status: int = 200) -> str:
    answer = await browser.get(path)
    assert answer.status == status
    return await answer.text()


async def test_rising_topics_are_listed_with_why(official: Browser) -> None:
    page = await text(official, "/desk/topics")
    assert "直饮水机" in page
    assert "×11.0" in page
    assert "2026-11-20" in page
    assert "渤海街道" in page
    assert page.count('class="quote"') == 3
    told = await (await official.get("/desk/api/topics")).json()
    (topic,) = told["topics"]
    assert (topic["id"], topic["state"], topic["count"], topic["ratio"]) == ("1", "found", 11, 11.0)
    assert len(topic["samples"]) == 3


async def test_one_topic_is_told_whole(official: Browser) -> None:
    page = await text(official, "/desk/topics/1")
    assert "建专题" in page
    assert "<polyline" in page
    assert page.count("/desk?case=") == 11
    story = await (await official.get("/desk/api/topics/1")).json()
    assert sum(n for _, n in story["days"]) == 11
    assert story["channels"] == [
        {"id": "app", "name": "手机APP", "first_day": "2026-11-20", "lag": 0, "n": 11}
    ]
    assert [one["n"] for one in story["areas"]] == [11]


async def test_an_official_watches_and_names(official: Browser, said: City) -> None:
    for act, form in (("watch", {}), ("name", {"name": "直饮水"})):
        answer = await official.post(f"/desk/topics/1/{act}", form)
        assert (answer.status, answer.headers["Location"]) == (302, "/desk/topics/1")
    await said.settle()
    page = await text(official, "/desk/topics/1?days=365")
    assert "<h1>直饮水</h1>" in page
    assert page.count("/desk?case=") == 11
    assert "撤销专题" in page
    told = await (await official.get("/desk/api/topics?tab=watched")).json()
    link = told["topics"][0]["link"]
    assert "label=topic%3A1" in link
    assert "：11 件</h1>" in await text(official, link)


async def test_a_topic_is_made_and_merged(official: Browser) -> None:
    form = {"name": "饮水点", "phrases": "饮水点\n饮水 台\n"}
    answer = await official.post("/desk/topics/add", form)
    assert answer.headers["Location"] == "/desk/topics/2"
    assert "饮水 台" in await text(official, "/desk/topics/2")
    await official.post("/desk/topics/1/merge", {"into": "2"})
    assert "已合并" in await text(official, "/desk/topics?tab=hidden")


@pytest.mark.parametrize(
    ("path", "form", "status", "words"),
    [
        ("1/name", {"name": ""}, 422, "名称为空"),
        ("1/phrases", {"phrases": "\n"}, 422, "词语未保存"),
        ("1/merge", {"into": "1"}, 422, "不能并入"),
        ("1/merge", {"into": "x"}, 422, "没有这个话题"),
        ("1/show", {}, 409, "刚被他人修改"),
        ("77/hide", {}, 422, "没有这个话题"),
        ("add", {"name": "名", "phrases": ""}, 422, "词语未保存"),
    ],
)
async def test_what_can_not_be_done_is_said(
    official: Browser, path: str, form: dict[str, str], status: int, words: str
) -> None:
    answer = await official.post(f"/desk/topics/{path}", form)
    assert answer.status == status
    assert words in await answer.text()


async def test_topics_of_the_file_are_counted(official: Browser) -> None:
    page = await text(official, "/desk/topics?tab=configured")
    assert "街路路灯照明设施管理" in page
    assert "长效机制" in page
    story = await (await official.get("/desk/api/topics/street_lamps?days=30")).json()
    assert sum(n for _, n in story["days"]) == 11
    assert "街路路灯" in await text(official, "/desk/topics/street_lamps?days=30")


async def test_places_are_listed_with_their_relapses(official: Browser) -> None:
    page = await text(official, "/desk/places")
    assert "翰章广场" in page
    told = await (await official.get("/desk/api/places")).json()
    (place,) = told["places"]
    assert (place["counts"], place["open"], len(place["relapses"])) == ([2, 2, 2], 1, 1)
    assert place["relapses"][0]["case_id"] == place["cases"][0]
    assert place["owners"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/desk/topics?tab=x", 422),
        ("/desk/topics/99", 404),
        ("/desk/topics/none", 404),
        ("/desk/topics/1?days=7", 422),
        ("/desk/api/topics/99", 404),
    ],
)
async def test_what_is_not_there(official: Browser, path: str, status: int) -> None:
    await text(official, path, status)


async def test_an_empty_city_has_empty_pages(office: Office) -> None:
    await Tally(office.hub.db, ZONE, clock=office.hub.clock).settle()
    browser = await office.browser("dispatcher")
    for tab, said in (("found", "没有明显上升"), ("watched", "尚未建立"), ("hidden", "没有隐藏")):
        assert said in await text(browser, f"/desk/topics?tab={tab}")
    assert "没有反复发生" in await text(browser, "/desk/places")
