# ruff: noqa: E501 - markup
"""The pages of the simulated forum, written to look like Discuz! X3.5's to a reader of its HTML."""

from __future__ import annotations

import html
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

WEEK = timedelta(days=7)
PHRASES = ("7 p* J# o8 K! v", "q2 ~ X, w: e9 T", "& Z5 f; m1 S* h")
"""What "jammer" boards mix into a post against copying."""


@dataclass
class SimPost:
    """One post of the simulated forum."""

    pid: int
    tid: int
    author: str
    uid: int
    text: str
    at: datetime
    images: tuple[str, ...] = ()
    edited: datetime | None = None
    quoted: str = ""
    blocked: bool = False


@dataclass
class SimThread:
    """One thread and its posts, oldest first."""

    tid: int
    fid: int
    title: str
    posts: list[SimPost] = field(default_factory=list)
    sticky: bool = False


@dataclass(frozen=True)
class Look:
    """How this site shows itself."""

    root: str
    site: str
    charset: str
    zone: ZoneInfo
    now: datetime
    jammer: bool = False
    rewritten: bool = False
    changed: bool = False

    def thread_link(self, tid: int, page: int = 1) -> str:
        """A thread's address as this site writes it."""
        if self.rewritten:
            return f"thread-{tid}-{page}-1.html"
        return f"forum.php?mod=viewthread&amp;tid={tid}&amp;extra=page%3D1"

    def time(self, at: datetime, form: str = "%Y-%m-%d %H:%M:%S") -> str:
        """``dgmdate()``: words with the time as title for a week, then the plain time."""
        local = at.astimezone(self.zone)
        exact = f"{local.year}-{local.month}-{local.day}{local.strftime(form[8:])}"
        if self.now - at >= WEEK:
            return exact
        return f'<span title="{exact}">{_ago(self.now - at)}</span>'


def _ago(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    steps = ((60, 1, "秒前"), (3600, 60, "分钟前"), (86400, 3600, "小时前"))
    for limit, unit, words in steps:
        if seconds < limit:
            return f"{seconds // unit}&nbsp;{words}"
    return f"{seconds // 86400}&nbsp;天前"


def page(look: Look, title: str, body: str) -> str:
    """The frame around every page."""
    text = f"""<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN">
<html xmlns="http://www.w3.org/1999/xhtml"><head>
<meta http-equiv="Content-Type" content="text/html; charset={look.charset}" />
<title>{html.escape(title)} - {look.site} - Powered by Discuz!</title>
<meta name="generator" content="Discuz! X3.5" /><base href="{look.root}" />
</head><body id="nv_forum"><div id="hd"><a href="./">{look.site}</a></div><div id="wp" class="wp">
{body}
</div><div id="ft" class="wp cl">Powered by <strong>Discuz!</strong></div></body></html>"""
    if look.changed:
        for old, new in (
            ("thread_", "topic-"),
            ("postmessage_", "content-"),
            ('"post_', '"floor-'),
        ):
            text = text.replace(old, new)
    return text


def message(look: Look, words: str) -> str:
    """A page that only says something (``showmessage()``)."""
    body = f'<div class="nfl"><div id="messagetext" class="alert_error"><p>{words}</p></div></div>'
    return page(look, "提示信息", body)


def pager(current: int, last: int, link: str) -> str:
    """``multi()``: nothing when all is on one page."""
    if last < 2:  # noqa: PLR2004 - one page needs no pager
        return ""
    shown = "".join(
        f"<strong>{n}</strong>" if n == current else f'<a href="{link}&amp;page={n}">{n}</a>'
        for n in range(1, min(last, 10) + 1)
    )
    more = f'<a href="{link}&amp;page={last}" class="last">... {last}</a>'
    return f'<div class="pg">{shown}{more}<label><span title="共 {last} 页"> / {last} 页</span></label></div>'


def board(look: Look, fid: int, threads: Sequence[SimThread], current: int, last: int) -> str:
    """``forumdisplay``."""
    rows = "".join(_row(look, thread) for thread in threads)
    empty = '<tbody class="bw0_all"><tr><th colspan="5"><p class="emp">本版块或指定的范围内尚无主题</p></th></tr></tbody>'
    more = pager(current, last, f"forum.php?mod=forumdisplay&amp;fid={fid}")
    return page(look, "市民论坛", f'<table summary="forum_{fid}">{rows or empty}</table>{more}')


def _row(look: Look, thread: SimThread) -> str:
    first, latest = thread.posts[0], thread.posts[-1]
    kind = "stick" if thread.sticky else "normal"
    day = look.time(first.at, "%Y-%m-%d")
    return f"""<tbody id="{kind}thread_{thread.tid}"><tr><td class="icn"><a href="#"></a></td>
<th class="common"><a href="{look.thread_link(thread.tid)}" class="s xst">{html.escape(thread.title)}</a></th>
<td class="by"><cite><a href="home.php?mod=space&amp;uid={first.uid}">{first.author}</a></cite><em><span>{day}</span></em></td>
<td class="num"><a href="{look.thread_link(thread.tid)}" class="xi2">{len(thread.posts) - 1}</a><em>17</em></td>
<td class="by"><cite><a href="#">{latest.author}</a></cite><em><a href="forum.php?mod=redirect&amp;tid={thread.tid}&amp;goto=lastpost#lastpost">{look.time(latest.at, "%Y-%m-%d %H:%M")}</a></em></td>
</tr></tbody>
"""


def thread(look: Look, shown: SimThread, posts: Sequence[SimPost], current: int, last: int) -> str:
    """``viewthread``."""
    link = f"forum.php?mod=viewthread&amp;tid={shown.tid}"
    body = "".join(_post(look, post) for post in posts)
    head = f'<h1 class="ts"><span id="thread_subject">{html.escape(shown.title)}</span></h1>'
    script = f"<script>var fid = parseInt('{shown.fid}'), tid = parseInt('{shown.tid}');</script>"
    return page(
        look,
        shown.title,
        f'{script}{head}<div id="postlist">{body}</div>{pager(current, last, link)}',
    )


def _post(look: Look, post: SimPost) -> str:
    who = f'<a href="home.php?mod=space&amp;uid={post.uid}" target="_blank" class="xw1">{post.author}</a>'
    message = f'<td class="t_f" id="postmessage_{post.pid}">\n{body(look, post)}</td>'
    if post.blocked:
        message = '<div class="locked">提示: <em>该帖被管理员或版主屏蔽</em></div>'
    return f"""<div id="post_{post.pid}"><table id="pid{post.pid}"><tr><td class="pls"><div class="pi"><div class="authi">{who}</div></div></td>
<td class="plc"><div class="pi"><div class="pti"><div class="authi"><em id="authorposton{post.pid}">发表于 {look.time(post.at)}</em></div></div></div>
<div class="pct"><div class="pcb"><div class="t_fsz"><table><tr>{message}</tr></table></div></div></div></td></tr></table></div>
<script>replyreload += ',' + {post.pid};</script>
"""


def body(look: Look, post: SimPost) -> str:
    """One post's HTML: notice of editing, quote, words, noise, pictures."""
    lines = html.escape(post.text, quote=False).split("\n")
    if look.jammer:
        noise = PHRASES[post.pid % 3]
        lines = [
            f'{line}<font class="jammer">{noise}</font><span style="display:none">{noise}</span>'
            for line in lines
        ]
    edited = ""
    if post.edited:
        edited = f'<i class="pstatus"> 本帖最后由 {post.author} 于 {look.time(post.edited)} 编辑 </i><br />\n<br />\n'
    quote = ""
    if post.quoted:
        quote = (
            f'<div class="quote"><blockquote>{html.escape(post.quoted)}</blockquote></div><br />\n'
        )
    return edited + quote + "<br />\n".join(lines) + "".join(map(_image, post.images))


def _image(name: str) -> str:
    number = zlib.crc32(name.encode()) % 10_000
    file = f"data/attachment/forum/202611/24/{name}"
    return f"""<br />
<ignore_js_op><img id="aimg_{number}" aid="{number}" src="static/image/common/none.gif" zoomfile="{file}" file="{file}" class="zoom" />
<div class="tip tip_4 aimg_tip" id="aimg_{number}_menu"><p><strong>{name}</strong> <em class="xg1">(12 KB, 下载次数: 0)</em></p></div></ignore_js_op>"""


def rss(look: Look, fid: int, threads: Sequence[SimThread]) -> str:
    """``mod=rss``: no guid, text cut at the first "<" and after 250 characters."""
    items = "".join(_rss_item(look, thread) for thread in threads)
    return f"""<?xml version="1.0" encoding="{look.charset}"?>
<rss version="2.0"><channel><title>{look.site} - 市民论坛</title><link>{look.root}forum.php?mod=forumdisplay&amp;fid={fid}</link>
<description>Latest threads</description><generator>Discuz! Board by Comsenz Inc.</generator><ttl>60</ttl>
{items}</channel></rss>"""


def _rss_item(look: Look, thread: SimThread) -> str:
    first = thread.posts[0]
    words = html.escape(first.text.split("<")[0][:250])
    return f"""<item><title>{html.escape(thread.title)}</title><link>{look.root}{look.thread_link(thread.tid)}</link>
<description><![CDATA[{words}]]></description><category>市民论坛</category><author>{first.author}</author>
<pubDate>{format_datetime(first.at)}</pubDate></item>
"""
