"""A case's history (办理经过) in the words of the screen: codes of verbs, reasons, actors and notes become Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from desk.asking import SATISFIED_NAMES
from router.ladder import LEVEL_NAMES
from router.workflow import STATUS_NAMES, VERB_NAMES

RELABELED = "relabeled: "
MODEL = re.compile(r"[0-9a-f]{12}")
FIELDS = MappingProxyType(
    {
        "area": "属地",
        "point": "责任点位",
        "kind": "诉求类型",
        "problems": "问题标签",
        "campaigns": "提升行动",
        "urgency": "紧急程度",
        "suggested": "推荐单位",
        "rule": "派遣规则",
        "decision": "是否自动派遣",
        "summary": "摘要",
    }
)
"""What a new reading of a message may change; anything else is not shown."""

MACHINES = MappingProxyType(
    {
        "citizen": "市民",
        "grouping": "系统自动归并",
        "supervision": "系统自动督办",
        "classify": "系统自动识别",
    }
)
"""Who acts without a login, by the actor's name before ``@``."""

STEPS = MappingProxyType(
    {
        "absorbed": "并入本案",
        "final": "最终认定",
        "answered": "市民已补充",
        "part": "由另一诉求拆分而来",
    }
)


@dataclass(frozen=True, slots=True)
class Words:
    """Names of this city by id, and of the people who acted."""

    people: Mapping[str, str]
    offices: Mapping[str, str]
    rules: Mapping[str, str]
    reasons: Mapping[str, str]


def told(events: Sequence[Mapping[str, Any]], words: Words) -> list[dict[str, str]]:
    """``at`` (ISO 8601), ``what``, ``who`` and ``why`` of each event."""
    return [_line(one, VERB_NAMES.get(one["verb"], one["verb"]), words) for one in events]


def _line(event: Mapping[str, Any], what: str, words: Words) -> dict[str, str]:
    said = (_reason(event["reason"], words), _note(event, words))
    why = "　".join(part for part in said if part and part != what)
    return {"at": event["at"], "what": what, "who": who(event["actor"], words), "why": why}


def who(actor: str, words: Words) -> str:
    """A person's display name, an office by the way it answered, or what the hub did by itself."""
    if actor in words.people:
        return words.people[actor]
    office, mark, way = actor.partition("/")
    if mark:
        how = "消息链接" if way.startswith("link:") else "系统对接"
        return f"{words.offices.get(office, office)}（{how}）"
    if MODEL.fullmatch(actor):
        return MACHINES["classify"]
    return MACHINES.get(actor.partition("@")[0], actor)


def _reason(reason: str, words: Words) -> str:
    known: tuple[Mapping[Any, str], ...] = (STEPS, words.reasons, LEVEL_NAMES, SATISFIED_NAMES)
    return next((names[reason] for names in known if reason in names), "")


def _note(event: Mapping[str, Any], words: Words) -> str:
    note: str = event["note"]
    if note.startswith(RELABELED):
        changed = (FIELDS.get(name, "") for name in note.removeprefix(RELABELED).split(", "))
        return "重新识别：" + "、".join(name for name in changed if name)
    known: tuple[Mapping[Any, str], ...] = (words.rules, words.offices, VERB_NAMES, STATUS_NAMES)
    return next((names[note] for names in known if note in names), note)
