"""A monthly bulletin."""

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from desk.papers.document import Paper

sys.path.insert(0, str(Path(__file__).parent))

from bulletins import BLOCKS


@pytest.fixture
def bulletin() -> Callable[..., Paper]:
    def make(**other: Any) -> Paper:
        facts: dict[str, Any] = {
            "kind_name": "民声月报", "title": "关于2026年11月民声诉求办理情况的通报", "issuer": "敦化市城市管理联席会议办公室",
            "number": "敦联办〔2026〕11号", "dated": date(2026, 12, 1), "to": "各街道办事处：", "copied_to": "市政府办公室。",
            "note": "按受理时间统计；数据截至2026年12月1日8时", "period": "2026年11月1日至30日", "blocks": BLOCKS,
        }  # fmt: skip
        return Paper(**facts | other)

    return make
