"""Words of changes, periods by name, cases without anybody in them, drafts when they are due."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from bureau import ZONE, Bureau, kind
from hypothesis import given
from hypothesis import strategies as st

from desk.papers.page import paper_html
from desk.reports.paper import paper_of
from desk.reports.periods import Cycle, last_of, read_span, span_of
from desk.reports.schedule import due_span, next_due
from desk.reports.settings import BulletinSettings
from desk.reports.stories import anonymous, is_clean
from desk.reports.words import joined, shown_change, shown_step
from router.trends.catalogue import Unit
from store.errors import RejectedError
from store.tables import T


@pytest.mark.parametrize(
    ("change", "unit", "shown"),
    [
        (0.123, Unit.PIECES, "增12.3%"), (-0.5, Unit.PIECES, "减50.0%"), (0.0004, Unit.PIECES, "持平"),
        (-0.012, Unit.PERCENT, "减1.2个百分点"), (0.0, Unit.PERCENT, "持平"), (3.14, Unit.HOURS, "增3.1小时"), (12.5, Unit.PIECES, "增1,250.0%"),
    ],
)  # fmt: skip
def test_a_change_says_its_direction(change: float, unit: Unit, shown: str) -> None:
    assert shown_change(change, unit) == shown


def test_steps_and_lists() -> None:
    assert [shown_step(n) for n in (3, -1200, 0)] == ["增加3件", "减少1,200件", "持平"]
    assert [joined(list(one)) for one in ("", "甲", "甲乙", "甲乙丙")] == [
        "",
        "甲",
        "甲和乙",
        "甲、乙和丙",
    ]


@pytest.mark.parametrize(
    ("cycle", "name", "shown", "days"),
    [
        (Cycle.WEEK, "2026-W53", "2026年第53周", ("2026-12-28", "2027-01-03")),
        (Cycle.MONTH, "2028-02", "2028年2月", ("2028-02-01", "2028-02-29")),
        (Cycle.QUARTER, "2026-Q4", "2026年第四季度", ("2026-10-01", "2026-12-31")),
        (Cycle.YEAR, "2026", "2026年", ("2026-01-01", "2026-12-31")),
    ],
)
def test_periods_by_name(cycle: Cycle, name: str, shown: str, days: tuple[str, str]) -> None:
    span = read_span(cycle, name)
    assert (span.shown, str(span.period.start), str(span.period.end)) == (shown, *days)


@given(st.sampled_from(Cycle), st.dates(date(2001, 1, 1), date(2998, 1, 1)))
def test_a_day_is_in_its_period_which_its_name_gives_again(cycle: Cycle, day: date) -> None:
    span = span_of(cycle, day)
    assert span.period.start <= day <= span.period.end
    assert read_span(cycle, span.name) == span
    assert last_of(cycle, day).period.end < span.period.start


@pytest.mark.parametrize(
    "name", ["2026-W54", "2026-00", "2026-Q5", "26", "2026-W4７", "1999", "３０２６", "2026-11-01"]
)
def test_no_period(name: str) -> None:
    for cycle in Cycle:
        with pytest.raises(RejectedError, match="period"):
            read_span(cycle, name)


SECRETS = {
    "我叫李明，电话13812345678，住翰林苑3号楼2单元501室，楼下污水横流": (
        "李明",
        "138",
        "翰林苑",
        "501",
        "3号楼",
    ),
    "吉HA1234这辆车天天堵在幸福小区门口，请处理一下": ("吉H", "1234", "幸福小区"),
    "张先生反映家门口垃圾成堆，微信：abc_12345": ("张先生"[:1] + "先生", "abc", "12345"),
    "十二号楼三单元夜里施工，投诉人：王小二": ("十二号", "三单元", "王小二"),
    "网站 https://a.example/x 上说的 @某网友 路灯不亮": ("http", "example", "@"),
}


@pytest.mark.parametrize("text", SECRETS)
def test_nobody_is_in_a_printed_case(text: str) -> None:
    said = anonymous(text, {"翰林苑": "渤海街道"})
    assert not [secret for secret in SECRETS[text] if secret in said], said
    assert is_clean(said)
    assert not is_clean(text)


async def test_typical_cases_are_printed_when_ticked_only(bureau: Bureau) -> None:
    now = datetime(2026, 11, 12, tzinfo=UTC)
    text = "翰林苑3号楼下水道堵塞，联系人：李明，13812345678，请尽快处理，谢谢你们了"
    case = {
        "id": 9, "case_no": "N9", "status": "closed", "channel": "app", "kind": "complaint", "problems": '["sewage"]',
        "campaigns": "[]", "urgency": "normal", "decision": "desk", "confidence": 0.5, "department": "a", "suggested": "a",
        "rule": "r", "area": "bohai", "received_at": now, "closed_at": now,
    }  # fmt: skip
    item = {
        "id": 9,
        "channel": "app",
        "channel_id": "9",
        "content_sha": "x",
        "text": text,
        "received_at": now,
        "sealed": b"",
    }
    rating = {
        "item_id": 9,
        "case_id": 9,
        "solved": "solved",
        "satisfied": "satisfied",
        "via": "page",
        "actor": "x",
        "at": now,
    }
    await bureau.insert(T.cases, case)
    await bureau.insert(T.items, item)
    await bureau.insert(T.ratings, rating)
    bulletin = await bureau.made("cases")
    with pytest.raises(RejectedError, match="tick"):
        await bureau.move(bulletin, "submit")
    (story,) = [one for one in (await bureau.content(bulletin)).stories if one.case == "9"]
    dirty = {"tick.9": "on", "said.9": "打13812345678"}
    with pytest.raises(RejectedError, match="案例"):
        await bureau.bulletins.edit(bulletin, 1, dirty, "wang")
    await bureau.bulletins.edit(bulletin, 1, {"tick.9": "on", "said.9": story.said}, "wang")
    await bureau.move(bulletin, "submit", "sign")
    page = str(
        paper_html(paper_of(await bureau.row(bulletin), zone=ZONE, today=bureau.bulletins.today()))
    )
    assert "下水道堵塞" in page
    assert not [one for one in ("李明", "138", "翰林苑", "3号楼") if one in page]


async def test_drafts_are_made_when_due_and_once(bureau: Bureau) -> None:
    """The hub was down when November ended, and long before; only the last of each kind is made up for."""
    await bureau.insert(
        T.item_days, {"label": "*", "area": "*", "channel": "*", "day": 20250101, "n": 3}
    )
    settings = BulletinSettings(
        kind=(kind("monthly", hour=9), kind("express", day=3), kind("joint", enabled=False))
    )
    bureau.bulletins.settings = settings
    bureau.clock.forward(seconds=-600)
    assert await bureau.schedule.run() == 600.0
    made = [(row.kind, row.period) for row in await bureau.rows(T.bulletins)]
    assert made == [("monthly", "2026-10"), ("express", "2026-W47")]
    bureau.clock.forward(seconds=600)
    await bureau.schedule.run()
    await bureau.schedule.run()
    made = [(row.kind, row.period) for row in await bureau.rows(T.bulletins)]
    assert made[2:] == [("monthly", "2026-11")]
    tasks = [(row.kind, row.role) for row in await bureau.rows(T.tasks)]
    assert tasks == [("bulletin_drafted", "supervisor")] * 3


async def test_a_city_without_messages_gets_no_drafts(bureau: Bureau) -> None:
    await bureau.schedule.run()
    assert await bureau.rows(T.bulletins) == []


@given(
    st.sampled_from(Cycle),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    st.integers(1, 7),
    st.integers(0, 23),
)
def test_the_last_due_period_is_followed_by_one_that_is_not(
    cycle: Cycle, at: datetime, day: int, hour: int
) -> None:
    now = at.replace(tzinfo=ZONE)
    one = kind("monthly", cycle=cycle, day=day, hour=hour)
    span = due_span(one, now, ZONE)
    assert one.due(span, ZONE) <= now < next_due(one, span, ZONE)


Bad = dict[str, Any]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"number": "{year}"}, "needs"), ({"number": "{n}号{month}"}, "not a pattern"), ({"title": "{period.x}"}, "not a pattern"),
        ({"day": 29}, "at most 28"), ({"closing": ["{{f:items}}"]}, "words only"),
    ],
)  # fmt: skip
def test_a_kind_that_can_not_be(more: Bad, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        kind("monthly", **more)


def test_two_kinds_never_share_numbers() -> None:
    with pytest.raises(ValueError, match="counts its own"):
        BulletinSettings(kind=(kind("monthly"), kind("joint", number=kind("monthly").number)))
