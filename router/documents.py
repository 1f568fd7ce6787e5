"""The documents of supervision (催办通知书, 督办单, 督查通报) in their official form, as texts to keep.

A document is written once, when it goes out, and kept as it was: forms may change, letters do not. It says
what a case is about by its labels and place; only the 督办单 quotes the summary, which is redacted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from router.ladder import Level

CLIMB = "climb"
"""The form of a document about one that nobody answered."""

_SUBJECT = "案件{case_no}（{what}）"


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of document: its title, and its paragraphs with the fields of ``Facts``."""

    title: str
    paragraphs: tuple[str, ...]


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        Level.YELLOW: Form(
            "办理时限提醒（黄灯）",
            (
                f"{{holder}}承办的{_SUBJECT}，办理时限已用去{{used}}，应于{{due}}前办结。请抓紧办理。",
            ),
        ),
        Level.RED: Form(
            "办理时限预警（红灯）",
            (
                f"{{holder}}承办的{_SUBJECT}，办理时限已用去{{used}}，应于{{due}}前办结。",
                "请立即办理；确需延长时限的，须在到期前申请延期并说明理由。",
            ),
        ),
        Level.URGE: Form(
            "催办通知书",
            (
                f"{{holder}}承办的{_SUBJECT}，于{{dispatched}}派遣，应于{{due}}前办结。"
                "截至{now}，{standing}。",
                "请立即组织办理，并于{reply_by}前书面回复办理进展、未按期办结的原因和预计办结时间。",
            ),
        ),
        Level.ORDER: Form(
            "督办单",
            (
                f"督办事项：{_SUBJECT}",
                "事项摘要：{summary}",
                "承办单位：{department}",
                "派遣时间：{dispatched}",
                "办理期限：{due}",
                "办理情况：截至{now}，{standing}",
                "督办要求：请承办单位主要负责人牵头，立即组织办理；因客观原因暂时无法办结的，"
                "按规定申请延期或者挂账。请于{reply_by}前书面报送办理情况。",
            ),
        ),
        Level.CIRCULAR: Form(
            "督查通报",
            (
                f"经督查，{{department}}承办的{_SUBJECT}，应于{{due}}前办结，经督办，截至{{now}}"
                "{standing}。现予通报。",
                "请{department}查明原因，落实责任，立即整改，并于{reply_by}前书面报送整改情况。"
                "问题整改情况纳入年度绩效考核。",
            ),
        ),
        CLIMB: Form(
            "督促函",
            (
                "《{first_title}》（{first_number}）要求{asked}于{first_reply_by}前书面回复，"
                "截至{now}未收到回复。",
                f"该文书涉及{{department}}承办的{_SUBJECT}，应于{{due}}前办结，{{standing}}。",
                "请你单位督促{asked}立即办理并回复，于{reply_by}前将督促情况书面回复。",
            ),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class First:
    """The document that was not answered."""

    title: str
    number: str
    asked: str
    reply_by: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What a document says. Offices and labels are ids; ``used`` and ``over`` are words of ``share``, ``span``;
    ``over`` is empty while the limit runs."""

    number: str
    addressee: str
    copies: Sequence[str]
    department: str
    case_no: str
    labels: Sequence[str]
    area: str
    summary: str
    dispatched_at: datetime
    due_at: datetime
    used: str
    over: str
    at: datetime
    reply_by: datetime | None = None
    first: First | None = None


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes documents for this city. ``names`` shows offices and labels by id; ``issuer`` is an office."""

    names: Mapping[str, str]
    zone: ZoneInfo
    issuer: str

    def title(self, form: str) -> str:
        """What a document of this form is called."""
        return FORMS[form].title

    def body(self, form: str, facts: Facts) -> str:
        """The text below the title, a paragraph a line; copies below the signature, as GB/T 9704 has them."""
        fields = self._fields(facts)
        lines = [facts.number] if facts.number else []
        lines.append(f"{self._called(facts.addressee)}：")
        lines += [f"　　{part.format_map(fields)}" for part in FORMS[form].paragraphs]
        lines += [self._called(self.issuer), self._day(facts.at)]
        if facts.copies:
            lines.append(f"抄送：{'、'.join(map(self._called, facts.copies))}")
        return "\n".join(lines)

    def _fields(self, facts: Facts) -> dict[str, str]:
        department = self._called(facts.department)
        what = "、".join(map(self._called, facts.labels))
        place = self._called(facts.area) if facts.area else ""
        fields = {
            "holder": "你单位" if facts.addressee == facts.department else department,
            "department": department,
            "case_no": facts.case_no,
            "what": "，".join(part for part in (what, place) if part),
            "summary": facts.summary or "（无）",
            "dispatched": self._time(facts.dispatched_at),
            "due": self._time(facts.due_at),
            "used": facts.used,
            "standing": f"已超期{facts.over}，仍未办结" if facts.over else "尚未办结",
            "now": self._time(facts.at),
            "reply_by": self._time(facts.reply_by) if facts.reply_by else "",
        }
        return fields | (self._of_first(facts.first) if facts.first else {})

    def _of_first(self, first: First) -> dict[str, str]:
        return {
            "first_title": first.title,
            "first_number": first.number,
            "first_reply_by": self._time(first.reply_by),
            "asked": self._called(first.asked),
        }

    def _called(self, one: str) -> str:
        return self.names.get(one, one)

    def _day(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        return f"{local.year}年{local.month}月{local.day}日"

    def _time(self, at: datetime) -> str:
        return f"{self._day(at)}{at.astimezone(self.zone):%H:%M}"


def number_of(prefix: str, word: str, year: int, n: int) -> str:
    """发文字号, as 敦城督催〔2026〕12号."""
    return f"{prefix}{word}〔{year}〕{n}号"


def share(part: float) -> str:
    """A share of the limit in whole percent, rounded down."""
    return f"{int(part * 100 + 1e-6)}%"


def span(seconds: float, day_s: float, *, urgent: bool) -> str:
    """A time in words: whole working days and hours, or days and hours as they pass; under an hour is said so."""
    length, unit = (86_400.0, "天") if urgent else (day_s, "个工作日")
    whole = int(max(0.0, seconds) + 1e-6)
    days, hours = divmod(whole, int(length))
    parts = [f"{days}{unit}" if days else "", f"{hours // 3600}小时" if hours >= 3600 else ""]  # noqa: PLR2004
    return "".join(parts) or "不足1小时"
