"""Where a message stands, in one line a citizen reads in a chat (办理进度)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from router.workflow import STATUS_NAMES
from store.receipts import Receipts


class Standing:
    """Answers for the channels that let citizens ask."""

    def __init__(self, receipts: Receipts, offices: Mapping[str, str], zone: ZoneInfo) -> None:
        self._receipts = receipts
        self._offices = offices
        self._zone = zone

    async def of(self, item_id: int) -> str:
        """The line about one of the citizen's own items."""
        return self._line(await self._receipts.of(item_id)) or "暂未查到您反映的问题。"

    async def by_receipt(self, receipt: str) -> str | None:
        """The line about whoever's receipt; None when number or code is wrong."""
        return self._line(await self._receipts.status(receipt)) or None

    def _line(self, found: Mapping[str, Any] | None) -> str:
        if found is None:
            return ""
        status = STATUS_NAMES.get(found["status"], found["status"])
        parts = [f"您反映的问题于{self._day(found['received_at'])}受理，目前：{status}"]
        if found["department"]:
            parts.append(f"承办单位：{self._offices.get(found['department'], found['department'])}")
        if found["closed_at"]:
            parts.append(f"办结时间：{self._day(found['closed_at'])}")
        elif found["due_at"] and found["department"]:
            parts.append(f"预计{self._day(found['due_at'])}前答复")
        return "；".join(parts) + "。"

    def _day(self, at: str) -> str:
        local = datetime.fromisoformat(at).astimezone(self._zone)
        return f"{local.month}月{local.day}日"
