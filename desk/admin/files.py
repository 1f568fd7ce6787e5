"""``/desk/admin/files``: the files of ``configs/``, checked as a whole before one of them is replaced."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from difflib import ndiff
from typing import Any

from aiohttp import web

from desk.accounts import User
from desk.admin import TABS, Files
from desk.pages import Pages, require, storable
from store.audit import audit
from store.db import Database
from store.errors import ConfigError, ConflictError, RejectedError

MEANINGS: Mapping[str, tuple[str, str]] = {
    "departments.toml": ("部门名录", "承办单位、通知地址、街道乡镇和社区的管辖范围"),
    "routing.toml": ("派遣规则", "什么诉求派给哪个单位，附样例；保存前可试算"),
    "taxonomy.toml": ("标签目录", "问题与行动的标签和名称、误判代价、自动派遣的把握程度"),
    "deadlines.toml": ("办理时限", "各类诉求的时限、工作时间和节假日"),
    "lifecycle.toml": ("办理流程", "撤销、退单、延期、重办的条件和次数"),
    "supervision.toml": ("督办阶梯", "亮灯、督办单和逐级上报"),
    "assessment.toml": ("考核指标", "每月考核各单位的指标和权重"),
    "grouping.toml": ("并案条件", "多近、多久、多像的诉求可能是同一件事"),
    "charges.toml": ("包保责任", "区域、街路、点位的包保责任单位"),
    "gazetteer.csv": ("地名表", "地名、别名、坐标和所属街道乡镇"),
    "indicators.toml": ("指标目录", "趋势和通报用的指标：公式、口径、排名的权重"),
    "trends.toml": ("趋势设置", "地图格子、行动起止、突增判断的松紧"),
    "topics.toml": ("话题目录", "长效机制、五个不等常年关注的话题，由哪些词和标签识别"),
    "bulletins.toml": ("通报种类", "哪些通报、何时起草、标题和发文字号、主送抄送和发送对象"),
    "alerts.toml": ("提醒对象", "突增提醒和通报发给哪些岗位、走哪个渠道、免打扰时段"),
    "targets.toml": ("目标责任书", "各行动和长效机制的年度目标：责任单位、时限、指标或节点"),
    "canned.toml": ("常用语", "调度台和收件箱的常用语"),
    "cues.toml": ("近义词", "分类时视为同类的词和否定词"),
    "lexicon.txt": ("城市词表", "分词时不拆开的词"),
}
"""What each file is called and decides, the ones edited most often first."""

LONGEST = 2_000_000
"""Characters of a file."""

DAYS = (7, 30, 90)
"""Days a trial looks back."""

SAID: Mapping[str, str] = {
    "readonly": "配置目录为只读，无法在网页保存。请由运维人员在服务器上修改该文件。",
    "changed": "保存前文件已被他人修改。下面是您的内容，请与最新内容核对后再保存。",
    "good": "检查通过，尚未保存。",
    "saved": "已保存，约五秒内生效；原文件已留存。",
    "waits": "已保存，重新启动平台后生效；原文件已留存。",
    "long": "内容过长。",
    "unreadable": "文件无法读取，请联系运维人员。",
}
_line = re.compile(r"line (\d+)")


def bad_line(error: str, text: str) -> tuple[int, str]:
    """(number, words) of the line an error names; (0, "") when it names none of this text."""
    found = _line.search(error)
    number = int(found[1]) if found else 0
    lines = text.split("\n")
    return (number, lines[number - 1]) if 0 < number <= len(lines) else (0, "")


def counted(before: str, after: str) -> str:
    """How many lines came and went: ``+2 −1``."""
    signs = [line[0] for line in ndiff(before.splitlines(), after.splitlines())]
    return f"+{signs.count('+')} −{signs.count('-')} lines"


class FilesPage:
    """``offices`` names what a trial moves between."""

    def __init__(
        self,
        db: Database,
        pages: Pages,
        files: Files,
        offices: Mapping[str, str],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._pages = pages
        self._files = files
        self._offices = offices
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        one = r"/desk/admin/files/{name:[a-z_]{1,40}\.(?:toml|csv|txt)}"
        return [
            web.get("/desk/admin/files", self._list),
            web.get(one, self._page),
            web.post(one, self._act),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        require(request, User.may_administer)
        rows = [
            (name, *MEANINGS[name], self._files.waits(name))
            for name in MEANINGS
            if name in self._files.names
        ]
        return self._pages.render("admin_files.html", request, tabs=TABS, rows=rows)

    def _name(self, request: web.Request) -> str:
        name = request.match_info["name"]
        if name not in self._files.names or name not in MEANINGS:
            raise web.HTTPNotFound(text="desk: no such file is edited here; choose one of the list")
        return name

    async def _page(self, request: web.Request) -> web.Response:
        require(request, User.may_administer)
        name = self._name(request)
        try:
            text, mark = await self._files.read(name)
        except ConfigError as error:
            return self._show(
                request, name, "", "", error=str(error), said="unreadable", status=409
            )
        return self._show(request, name, text, mark)

    def _show(
        self,
        request: web.Request,
        name: str,
        text: str,
        mark: str,
        *,
        said: str = "",
        error: str = "",
        status: int = 200,
        moves: Mapping[str, Any] | None = None,
        days: int = DAYS[1],
    ) -> web.Response:
        return self._pages.render(
            "admin_file.html",
            request,
            status=status,
            tabs=TABS,
            file=name,
            meaning=MEANINGS[name],
            text=text,
            mark=mark,
            said=SAID.get(said, ""),
            error=error,
            line=bad_line(error, text) if name in error else (0, ""),
            tries=self._files.tries(name),
            moves=moves,
            days=days,
            choices=DAYS,
            offices=self._offices,
        )

    async def _act(self, request: web.Request) -> web.Response:
        user = require(request, User.may_administer)
        name = self._name(request)
        form = {field: str(value) for field, value in (await request.post()).items()}
        text = storable(form.get("text", "")).replace("\r\n", "\n")
        mark, act = form.get("mark", ""), form.get("act", "")
        if len(text) > LONGEST:
            return self._show(request, name, "", mark, said="long", status=422)
        error = await self._files.check(name, text)
        if error:
            return self._show(request, name, text, mark, error=error, status=422)
        if act == "try" and self._files.tries(name):
            days = int(form["days"]) if form.get("days") in {str(one) for one in DAYS} else DAYS[1]
            moves = await self._files.try_out(name, text, days)
            return self._show(request, name, text, mark, said="good", moves=moves, days=days)
        if act == "save":
            return await self._save(request, user.name, name, text, mark)
        return self._show(request, name, text, mark, said="good")

    async def _save(
        self, request: web.Request, actor: str, name: str, text: str, mark: str
    ) -> web.Response:
        """One line of the audit before the act, one with the digests after it."""
        before, now_mark = await self._files.read(name)
        note = counted(before, text)
        await audit(self._db, actor=actor, act="config", target=name, note=note, at=self._clock())
        try:
            saved = await self._files.save(name, text, mark)
        except ConflictError:
            return self._show(request, name, text, now_mark, said="changed", status=409)
        except RejectedError as error:
            return self._show(
                request, name, text, mark, error=str(error), said="readonly", status=422
            )
        note = f"{saved.before[:12]} → {saved.after[:12]}; former version {saved.kept}"
        await audit(
            self._db, actor=actor, act="config_saved", target=name, note=note, at=self._clock()
        )
        said = "waits" if self._files.waits(name) else "saved"
        return self._show(request, name, text, saved.after, said=said)
