"""What a short text of a citizen is: a receipt number, a question for progress, thanks, a bare place.

All are decided on the folded text (full-width digits and letters count as plain ones), in linear time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from ingest.normalize import clean, fold

_RECEIPT = re.compile(
    r"(?:受理号|受理编号|编号|单号|查询|进度)?[:,\s]?\s?(20\d{13})(?:\s?[-—–_ ]\s?([A-Z2-9]{12}))?[.。]?",
    re.ASCII,
)
_DASHES = str.maketrans("‐‑‒–—―−－﹣", "-" * 9)
_NOISE = re.compile(r"[\s,.!?:;~，。！？：；～、…“”\"'()（）]+")
_CODED_EMOJI = re.compile(r"\[[^\[\]\s]{1,8}\]|/:[!-~]{1,8}")
_PROGRESS = frozenset({
    "进度", "查询", "查进度", "查询进度", "进度查询", "办理进度", "查询办理进度", "查询结果", "办理情况", "处理进度",
    "PROGRESS", "STATUS",
})  # fmt: skip
_THANKS = re.compile(
    r"(?:非常|十分|太|真|的|好|收到|嗯|ok|了|啦|哦|您|你|们|大家|辛苦|麻烦|感谢|谢|多|知道)+",
    re.IGNORECASE,
)
"""No two of its words begin alike, so that it is matched in linear time."""

_UNSUPPORTED = re.compile(r"[\[【]收到不支持的消息类型.{0,20}")
_PLACE_CUE = re.compile(r"(?:地点|位置|地址|具体位置|具体地址|就?在|是)(?:是|在|为)?[:：,\s]?")
_PLACE_END = re.compile(
    r"(?:路|街|巷|道|里|弄|胡同|大道|街道|小区|花园|广场|公园|市场|大厦|学校|小学|中学|大学|医院|车站|地铁站|社区|村|镇|区|桥"
    r"|\d+[号栋幢楼室弄]|[号栋幢楼室]|单元)"
    r"(?:的?(?:正?门口|[东南西北]{1,2}[门口侧边面角]?|附近|旁边?|对面|路口|交叉口|交汇处|楼下|楼上|院内|里面|门前|前面|后面|这里|那里))*[.。!]?"
)
_SAYS = re.compile(r"[在了有没被把很着不]")
"""Characters of a statement; an address has none behind its cue."""

_LONGEST = 40


def receipt(text: str) -> tuple[str, str] | None:
    """Number and code (may be empty) when the text is a receipt and nothing else."""
    folded = fold(clean(text)).translate(_DASHES).upper()
    found = _RECEIPT.fullmatch(folded) if len(folded) <= _LONGEST else None
    return (found[1], found[2] or "") if found else None


def is_progress(text: str) -> bool:
    """Whether it only asks how things stand."""
    return _NOISE.sub("", fold(text)).upper() in _PROGRESS


def is_thanks(text: str) -> bool:
    """Whether it only thanks or acknowledges."""
    bare = _NOISE.sub("", _CODED_EMOJI.sub("", fold(text)))
    bare = "".join(c for c in bare if _is_spoken(c))
    return len(bare) <= _LONGEST and bool(_THANKS.fullmatch(bare))


def is_wordless(text: str) -> bool:
    """Whether it holds no letter and no digit: emoji, WeChat's own ones (``[微笑]``, ``/::)``), signs."""
    return not any(_is_spoken(c) for c in _CODED_EMOJI.sub("", text))


def is_unsupported(text: str) -> bool:
    """WeChat's own words in place of a message of a kind accounts do not get."""
    return bool(_UNSUPPORTED.match(text))


def is_place_only(text: str, has_place: Callable[[str], bool]) -> bool:
    """Whether it names a place of the city and says nothing else: an address from its first word to
    its last."""
    bare = fold(clean(text))
    if len(bare) > _LONGEST or not has_place(text):
        return False
    cue = _PLACE_CUE.match(bare)
    rest = bare[cue.end() :] if cue else bare
    if _SAYS.search(rest) or _NOISE.search(rest.rstrip("。.! ")):
        return False
    return any(found.end() == len(bare) for found in _PLACE_END.finditer(bare))


def _is_spoken(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN"
