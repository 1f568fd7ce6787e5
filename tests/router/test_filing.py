"""What a verdict asks for: who is dispatched at once, who waits, who is left alone."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.city import City
from router.clocking import Timekeeper
from router.filing import Filer, Understood
from router.planning import Planner
from router.workflow import CaseStatus

AT = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def understood(**more: Any) -> Understood:
    values: dict[str, Any] = {
        "item_id": 202611240000001, "channel": "app", "title": "", "text": "渤海街有人占道卖菜", "address": "",
        "received_at": AT, "replayed": True, "kind": "complaint", "problems": ("stalls",), "campaigns": (),
        "urgency": "normal", "decision": "auto", "hint": "urban_enforcement", "trust": 0.9, "model": "m",
        "area": "bohai", "point": "渤海街道办事处",
    }  # fmt: skip
    return Understood(**(values | more))


@pytest.fixture
def filer(city: City) -> Filer:
    planner = Planner(city.router, Timekeeper(city.deadlines, ZoneInfo("Asia/Shanghai")))
    return Filer(planner=planner, prefix="DH", clock=lambda: AT)


@pytest.mark.parametrize(
    ("kind", "decision", "hint", "status"),
    [
        ("complaint", "auto", "urban_enforcement", CaseStatus.DISPATCHED),
        ("complaint", "desk", "urban_enforcement", CaseStatus.RECEIVED),
        ("request", "auto", "urban_enforcement", CaseStatus.DISPATCHED),
        ("inquiry", "auto", "urban_enforcement", CaseStatus.DISPATCHED),
        ("praise", "auto", "out_of_scope", None),
        ("chatter", "auto", "out_of_scope", None),
        ("praise", "desk", "out_of_scope", CaseStatus.RECEIVED),
        ("chatter", "desk", "out_of_scope", CaseStatus.RECEIVED),
    ],
)
def test_only_the_certain_is_dispatched_and_nothing_uncertain_is_dropped(
    filer: Filer, kind: str, decision: str, hint: str, status: CaseStatus | None
) -> None:
    filing = filer.file_all([understood(kind=kind, decision=decision, hint=hint)])
    assert [case["status"] for case in filing.cases] == ([status] if status else [])
    assert bool(filing.work_orders) == bool(filing.notices) == (status is CaseStatus.DISPATCHED)


def test_what_is_out_of_scope_waits_at_the_desk_however_certain(filer: Filer) -> None:
    filing = filer.file_all([understood(problems=(), hint="out_of_scope")])
    assert (filing.cases[0]["status"], filing.cases[0]["suggested"]) == (
        CaseStatus.RECEIVED,
        "out_of_scope",
    )
    assert filing.work_orders == []


def test_lead_and_support_each_get_an_order(filer: Filer) -> None:
    filing = filer.file_all([understood()])
    assert [(o["department"], o["lead"], o["seq"]) for o in filing.work_orders] == [
        ("urban_enforcement", True, 1), ("bohai", False, 2),
    ]  # fmt: skip
    assert [e["verb"] for e in filing.events] == ["receive", "file", "dispatch", "dispatch"]
    assert {e["actor"] for e in filing.events} == {"m"}


def test_same_message_gives_the_same_rows(filer: Filer) -> None:
    assert filer.file_all([understood()]) == filer.file_all([understood()])
