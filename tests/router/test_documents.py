"""The texts of supervision as offices read them."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from router.documents import CLIMB, FORMS, Facts, First, Writer, number_of, share, span
from router.ladder import Level

ZONE = ZoneInfo("Asia/Shanghai")
NAMES = {
    "team": "某某社区", "bohai": "渤海街道", "cmo": "市城管办", "top": "市委市政府督查室", "sewage": "污水乱排",
    "litter": "垃圾乱扔",
}  # fmt: skip
WRITER = Writer(NAMES, ZONE, "cmo")


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE)


def facts(**more: Any) -> Facts:
    values: dict[str, Any] = {
        "number": "敦城督催〔2026〕12号", "addressee": "team", "copies": ("bohai", "top"), "department": "team",
        "case_no": "DH1", "labels": ("sewage", "litter"), "area": "bohai", "summary": "楼下有污水",
        "dispatched_at": local("11-23 08:00"), "due_at": local("11-27 18:00"), "used": "80%", "over": "1个工作日",
        "at": local("11-30 18:00"), "reply_by": local("12-01 18:00"),
    }  # fmt: skip
    return Facts(**(values | more))


def test_an_urge_has_the_official_form() -> None:
    assert WRITER.title(Level.URGE) == "催办通知书"
    assert WRITER.body(Level.URGE, facts()).splitlines() == [
        "敦城督催〔2026〕12号",
        "某某社区：",
        "　　你单位承办的案件DH1（污水乱排、垃圾乱扔，渤海街道），于2026年11月23日08:00派遣，应于2026年11月27日18:00前办结。"
        "截至2026年11月30日18:00，已超期1个工作日，仍未办结。",
        "　　请立即组织办理，并于2026年12月1日18:00前书面回复办理进展、未按期办结的原因和预计办结时间。",
        "市城管办",
        "2026年11月30日",
        "抄送：渤海街道、市委市政府督查室",
    ]  # fmt: skip


def test_who_does_not_hold_the_order_reads_who_does() -> None:
    text = WRITER.body(Level.URGE, facts(addressee="bohai", copies=()))
    assert "渤海街道：" in text
    assert "某某社区承办的案件" in text
    assert "你单位" not in text
    assert "抄送" not in text


def test_a_lamp_says_how_much_is_used_and_has_no_number() -> None:
    text = WRITER.body(Level.RED, facts(number="", reply_by=None, copies=()))
    assert text.splitlines()[0] == "某某社区："
    assert "办理时限已用去80%，应于2026年11月27日18:00前办结" in text


def test_a_letter_about_silence_names_the_document_and_who_was_silent() -> None:
    first = First("催办通知书", "敦城督催〔2026〕11号", "team", local("11-30 12:00"))
    text = WRITER.body(CLIMB, facts(addressee="bohai", first=first))
    assert WRITER.title(CLIMB) == "督促函"
    assert (
        "《催办通知书》（敦城督催〔2026〕11号）要求某某社区于2026年11月30日12:00前书面回复" in text
    )
    assert "请你单位督促某某社区立即办理并回复，于2026年12月1日18:00前" in text


def test_only_the_order_quotes_the_summary() -> None:
    first = First("催办通知书", "x", "team", local("11-30 12:00"))
    quoting = [f for f in FORMS if "楼下有污水" in WRITER.body(f, facts(first=first))]
    assert quoting == [Level.ORDER]


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_is_written_whole(form: str) -> None:
    first = First("催办通知书", "x", "team", local("11-30 12:00"))
    text = WRITER.body(form, facts(area="", summary="", first=first))
    assert not {"{", "}"} & set(text)
    assert "（污水乱排、垃圾乱扔）" in text
    assert set(Level) | {CLIMB} == set(FORMS)


def test_braces_of_a_citizen_stay_words() -> None:
    assert "{due}" in WRITER.body(Level.ORDER, facts(summary="{due}"))


@pytest.mark.parametrize(
    ("seconds", "urgent", "said"),
    [
        (-5, False, "不足1小时"),
        (3599, False, "不足1小时"),
        (3600, False, "1小时"),
        (28_800, False, "1个工作日"),
        (2 * 28_800 + 3 * 3600 + 59, False, "2个工作日3小时"),
        (28_800 - 1e-9, False, "1个工作日"),
        (28_800, True, "8小时"),
        (86_400 + 7200, True, "1天2小时"),
    ],
)
def test_times_in_words(seconds: float, urgent: bool, said: str) -> None:  # noqa: FBT001
    assert span(seconds, 28_800, urgent=urgent) == said


@pytest.mark.parametrize(("part", "said"), [(0.5, "50%"), (0.799, "79%"), (0.8, "80%"), (1.25, "125%")])  # fmt: skip
def test_shares_are_rounded_down(part: float, said: str) -> None:
    assert share(part) == said


def test_numbers_look_as_offices_write_them() -> None:
    assert number_of("敦城督", "催", 2026, 12) == "敦城督催〔2026〕12号"
