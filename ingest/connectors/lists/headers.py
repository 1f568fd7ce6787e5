"""Find the header row and what its columns mean.

No national standard names the columns of a hotline's or a digital urban management (数字城管) export;
``SYNONYMS`` is the union of those seen. A header matches exactly, once blanks, colons, asterisks and
bracketed remarks are gone; what matches nothing is kept and shown as 未识别.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ingest.connectors.lists.sheet import MAX_COLUMNS, Cell, Sheet, shown
from ingest.normalize import clean

SYNONYMS: dict[str, tuple[str, ...]] = {
    "external_id": (
        "工单编号", "工单号", "工单编码", "受理编号", "受理单号", "案件编号", "案卷编号", "案件号", "案卷号",
        "任务号", "诉求编号", "事件编号", "事项编号", "流水号", "业务流水号", "信件编号", "编号",
    ),
    "received_at": (
        "来电时间", "受理时间", "诉求时间", "登记时间", "创建时间", "反映时间", "上报时间", "投诉时间",
        "举报时间", "来信时间", "提交时间", "案发时间", "发现时间", "受理日期", "来电日期", "登记日期",
    ),
    "source": (
        "诉求来源", "来源渠道", "受理渠道", "工单来源", "案件来源", "问题来源", "信息来源", "来源",
    ),
    "type": ("诉求类型", "工单类型", "诉求性质", "案件类型", "事件类型", "信件类型", "问题类型"),
    "title": ("诉求标题", "工单标题", "案件标题", "事件标题", "信件标题", "标题", "主题"),
    "content": (
        "诉求内容", "反映内容", "工单内容", "主要内容", "问题描述", "事项描述", "案件描述", "事件描述",
        "情况描述", "来电内容", "投诉内容", "举报内容", "受理内容", "信件内容", "具体内容", "内容", "描述",
    ),
    "category": (
        "一级分类", "二级分类", "三级分类", "四级分类", "问题分类", "事项分类", "诉求分类", "归口类别",
        "大类", "小类", "大类名称", "小类名称", "案件大类", "案件小类", "问题大类", "问题小类",
        "内容分类",
    ),
    "district": (
        "所属区县", "诉求区域", "区域", "行政区划", "所属区域", "所属街道", "所属社区", "所在区域",
        "所在街道", "所在社区", "区县", "街道", "社区", "所属网格", "事发区域",
    ),
    "address": (
        "诉求地址", "事发地址", "事发地点", "问题地点", "问题地址", "详细地址", "位置", "位置描述",
        "地址描述", "发生地址", "发生地点", "案发地址", "案发地点", "地址", "地点", "具体位置",
    ),
    "lat": ("纬度", "lat", "latitude"),
    "lon": ("经度", "lon", "lng", "longitude"),
    "point": ("坐标", "经纬度", "地理坐标"),
    "dept": (
        "承办单位", "主办单位", "责任单位", "办理单位", "处置部门", "处置单位", "主责部门", "责任部门",
        "专业部门", "主办部门", "承办部门", "涉及单位",
    ),
    "assigned_at": ("派单时间", "转办时间", "下发时间", "派遣时间", "交办时间"),
    "due_at": (
        "办结时限", "办理时限", "要求办结时间", "处理时限", "处置时限", "处置截止时间", "截止时间",
    ),
    "done_at": ("办结时间", "办理完成时间", "回复时间", "结案时间", "处置完成时间", "完成时间"),
    "status": ("工单状态", "办理状态", "案件状态", "当前状态", "状态", "当前阶段", "案件阶段"),
    "result": (
        "办理结果", "答复内容", "回复内容", "处理结果", "处置结果", "办理情况", "答复意见", "处置情况",
    ),
    "satisfaction": ("满意度", "回访结果", "评价结果", "满意情况", "是否满意"),
    "urgency": ("紧急程度", "优先级", "紧急等级"),
    "citizen": (
        "诉求人", "来电人", "市民姓名", "联系人", "诉求人姓名", "来电人姓名", "投诉人", "投诉人姓名",
        "反映人", "反映人姓名", "举报人", "举报人姓名", "联系人姓名", "姓名",
    ),
    "phone": (
        "联系电话", "来电号码", "联系方式", "手机号", "手机号码", "电话", "电话号码", "来电电话",
        "诉求人电话", "来电人电话", "联系人电话", "投诉人电话", "反映人电话", "举报人电话", "手机",
        "诉求人联系电话", "来电人联系电话", "诉求人联系方式", "来电人联系方式", "回拨号码",
    ),
    "secret": ("是否保密", "保密", "信息保密"),
    "public": ("是否公开", "公开"),
    "remark": ("备注", "备注信息"),
}  # fmt: skip
"""Canonical name → headers, in the form ``plain`` gives."""

ANY = {word: name for name, words in SYNONYMS.items() for word in words}
WITHIN = 20
"""The header row is looked for in the first so many rows."""

_STAFF = re.compile("承办|经办|办理|处置|坐席|话务|回访|受理人|监督员|采集员")
_REMARK = re.compile(r"[(（\[【<《][^()（）\[\]【】<>《》]{0,60}[)）\]】>》]")
_NOISE = re.compile(r"[\s:：*＊·、#]+")
_LABEL = 20
"""Characters a header that is part of two rows has at most."""


@dataclass(frozen=True)
class Column:
    """One column: ``at`` from 0, the header as shown, the canonical name or ``""`` (未识别)."""

    at: int
    header: str
    name: str


@dataclass(frozen=True)
class Header:
    """Where the header is (``first`` and ``last`` row, from 0) and its columns, left to right."""

    first: int
    last: int
    columns: tuple[Column, ...]

    def of(self, name: str) -> tuple[Column, ...]:
        """The columns of one canonical name."""
        return self._by_name.get(name, ())

    @cached_property
    def _by_name(self) -> dict[str, tuple[Column, ...]]:
        names = {column.name for column in self.columns}
        return {n: tuple(c for c in self.columns if c.name == n) for n in names}


def plain(header: Cell) -> str:
    """The header without what does not change its meaning."""
    text = unicodedata.normalize("NFKC", clean(shown(header)))
    return _NOISE.sub("", _REMARK.sub("", text)).lower()


def find(sheet: Sheet, own: Mapping[str, Sequence[str]]) -> Header | None:
    """The header of a sheet, or None. ``own`` maps canonical names to headers of the city's own."""
    known = _vocabulary(own)
    for at in range(min(WITHIN, len(sheet.rows))):
        names = [_named(cell, known) for cell in sheet.rows[at][: MAX_COLUMNS + 1]]
        if _is_header(names):
            return _read(sheet, at, known)
    return None


def _vocabulary(own: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Own headers replace the synonyms of their canonical name."""
    known = {word: name for word, name in ANY.items() if name not in own}
    return known | {plain(word): name for name, words in own.items() for word in words}


def _named(cell: Cell, known: Mapping[str, str]) -> str:
    return known.get(plain(cell), "") if isinstance(cell, str) else ""


def _is_header(names: Sequence[str]) -> bool:
    found = {name for name in names if name}
    return len(found) >= 3 or {"content", "external_id"} <= found  # noqa: PLR2004 - fewer happen by chance


def _read(sheet: Sheet, at: int, known: Mapping[str, str]) -> Header:
    """Columns of the header at ``at``, joined with a row of groups above or of details below."""
    here = _words(sheet, at)
    above, below = _words(sheet, at - 1), _words(sheet, at + 1)
    if _is_groups(above):
        return Header(at - 1, at, _join(above, _spread(sheet, at - 1), here, known))
    if _is_details(below, here, known):
        return Header(at, at + 1, _join(here, _spread(sheet, at), below, known))
    return Header(at, at, _join([], [], here, known))


def _words(sheet: Sheet, at: int) -> list[str]:
    if not 0 <= at < len(sheet.rows):
        return []
    return [clean(shown(cell)) for cell in sheet.rows[at][:MAX_COLUMNS]]


def _spread(sheet: Sheet, at: int) -> list[str]:
    """The row's words, each reaching right over the blanks it is merged with."""
    ends = {left: right for top, left, bottom, right in sheet.merges if top <= at <= bottom}
    row = _words(sheet, at)
    reach, word, spread = -1, "", []
    for n in range(MAX_COLUMNS):
        if n < len(row) and row[n]:
            word, reach = row[n], ends.get(n, n) if sheet.merges else MAX_COLUMNS
        spread.append(word if n <= reach else "")
    return spread


def _is_groups(row: Sequence[str]) -> bool:
    """Several short words, unlike a title or "导出时间：2026-11-24"."""
    words = [word for word in row if word]
    return len(words) > 1 and all(
        len(word) <= _LABEL and not re.search(r"[:：\d]", word) for word in words
    )


def _is_details(row: Sequence[str], above: Sequence[str], known: Mapping[str, str]) -> bool:
    """Known short words, at least one of them under no header of its own, none repeating one."""
    words = {n: word for n, word in enumerate(row) if word}
    named = sum(plain(word) in known for word in words.values())
    free = any(n >= len(above) or not above[n] for n in words)
    fits = all(len(word) <= _LABEL for word in words.values())
    return bool(words) and free and fits and named * 2 >= len(words)


def _join(
    above: Sequence[str], groups: Sequence[str], row: Sequence[str], known: Mapping[str, str]
) -> tuple[Column, ...]:
    columns = []
    for at in range(max(len(above), len(row))):
        name = row[at] if at < len(row) else ""
        if name:
            group = groups[at] if at < len(groups) else ""
            header = f"{group}/{name}" if group and group != name else name
            columns.append(Column(at, header, _meaning(group, name, known)))
        elif at < len(above) and above[at]:
            columns.append(Column(at, above[at], known.get(plain(above[at]), "")))
    return tuple(columns)


def _meaning(group: str, name: str, known: Mapping[str, str]) -> str:
    """A name under the people who handle a case is never the citizen's."""
    whole = known.get(plain(group + name), "")
    alone = known.get(plain(name), "")
    if whole or not (_STAFF.search(group) and alone in {"citizen", "phone"}):
        return whole or alone
    return ""
