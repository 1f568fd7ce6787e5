"""How fast a list is understood: 20,000 rows of a hotline export, as XLSX and as CSV, once each.

Run from the project's root: ``python tests/bench/lists.py``. Prints seconds of this process and its reader.
"""

import csv
import io
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import openpyxl

from ingest.connectors.lists import ListConfig, Lists
from ingest.protocol import Payload

ROWS = 20_000
HEADER = [
    "工单编号",
    "受理时间",
    "诉求来源",
    "诉求类型",
    "诉求标题",
    "诉求内容",
    "一级分类",
    "所属区县",
    "诉求地址",
    "来电人",
    "联系电话",
    "承办单位",
    "办结时限",
    "工单状态",
]


def rows() -> list[list[object]]:
    start = datetime(2026, 11, 1)
    return [
        [
            f"GD2026{n:08}", start + timedelta(minutes=n), "电话", "投诉", "路灯不亮",
            f"解放路{n}号门前路灯坏了三天，晚上看不清路，请尽快修理", "市政设施", "东城区", f"解放路{n}号",
            "王某", 13_800_000_000 + n, "城管局", start + timedelta(days=5, minutes=n), "办理中",
        ]
        for n in range(ROWS)
    ]  # fmt: skip


def main() -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("工单")
    text = io.StringIO()
    writer = csv.writer(text)
    for row in [HEADER, *rows()]:
        sheet.append(row)
        writer.writerow(row)
    packed = io.BytesIO()
    book.save(packed)
    lists = Lists("hotline", ListConfig())
    for kind, body in (
        ("xlsx", packed.getvalue()),
        ("csv gb18030", text.getvalue().encode("gb18030")),
    ):
        begun = time.perf_counter()
        parsed = lists.parse(Payload(body))
        spent = time.perf_counter() - begun
        print(f"{kind}: {len(parsed.items)} rows, {len(parsed.failures)} bad, {spent:.2f} s")


if __name__ == "__main__":
    main()
