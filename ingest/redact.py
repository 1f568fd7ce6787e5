"""Mask what names a person in free text, keeping every other character where it was.

Each match is overwritten by ``*`` of the same length, so spans found later in the masked text are
spans of the cleaned original too. Masked: identity numbers, mobile and landline phones (also in
full-width, spaced or Chinese numerals), plates, e-mail, bank cards, accounts after a cue word,
flat numbers, names after a cue or before a form of address. Streets, compounds and buildings stay:
routing needs them. Patterns are linear-time; ``tests/ingest/test_redact.py`` measures that.
"""

from __future__ import annotations

import re

from ingest.normalize import fold

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕"
    "丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付傅方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱"
    "戴严莫孔向常汤康易乔赖文葛洪温季鲁柳詹管申耿关焦左柴祝甘盛霍庄宫池"
)
_PLATE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_NAME = f"[{_SURNAMES}][\u4e00-\u9fa5某]{{1,2}}"

_PATTERNS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern)
    for pattern in (
        # identity number: 18 digits with a plausible date, checksum or not, and the old 15
        r"(?<![0-9A-Za-z])[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx](?![0-9A-Za-z])",
        r"(?<![0-9A-Za-z])[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?![0-9A-Za-z])",
        # mobile and landline
        r"(?<!\d)(?:(?:\+|00)?86[-\s]?)?1[3-9]\d(?:[-\s.·]?\d{4}){2}(?!\d)",
        r"(?<!\d)\(?0\d{2,3}\)?[-\s]?[2-9]\d{6,7}(?!\d)",
        r"[一幺][三四五六七八九][零〇一二三四五六七八九幺]{9}",
        # bank card
        r"(?<!\d)[3-6]\d{3}(?:[-\s]?\d{4}){3}(?:[-\s]?\d{1,3})?(?!\d)",
        # number plate
        rf"[{_PLATE}][A-HJ-NP-Z][·•.\-\s]?(?:[A-HJ-NP-Z0-9]{{4}}[A-HJ-NP-Z0-9挂学警港澳]|[A-HJK][A-HJ-NP-Z0-9]\d{{4}}|\d{{5}}[A-HJK])(?![A-Za-z0-9])",
        # e-mail
        r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}",
        # account after a cue
        r"(?<=微信)(?:号)?[:： ]{0,2}[A-Za-z][-_A-Za-z0-9]{5,19}",
        r"(?<=[QqＱ][QqＱ])(?:号)?[:： ]{0,2}[1-9]\d{4,10}",
        # flat within a building
        r"(?<=[栋幢楼座])\s?(?:[0-9一二三四五六七八九十]{1,3}单元)\s?(?:\d{3,4}(?:室|号|户)?)?",
        r"(?<![0-9.])\d{3,4}室",
        # names: after a cue, before a form of address
        rf"(?<=我叫|我是)[{_SURNAMES}][\u4e00-\u9fa5]{{1,2}}(?=[，,。. （(、]|$)",
        rf"(?:(?<=联系人)|(?<=投诉人)|(?<=反映人)|(?<=举报人)|(?<=来电人)|(?<=诉求人)|(?<=姓名))[:： 为是]{{1,3}}{_NAME}",
        rf"[{_SURNAMES}][\u4e00-\u9fa5]{{0,2}}(?=(?:先生|女士|小姐|师傅|大爷|大妈|大姐|阿姨|老师傅))",
    )
)


_CLUES = re.compile(
    rf"\d{{3}}|[一幺][三四五六七八九][零〇一二三四五六七八九幺]|@|微信|[Qq][Qq]|单元|[{_PLATE}][A-Z]"
    r"|我叫|我是|系人|诉人|映人|报人|电人|求人|姓名|先生|女士|小姐|师傅|大爷|大妈|大姐|阿姨"
)
"""Without one of these no pattern can match: most messages are let through after one look."""


def redact(text: str) -> str:
    """The text with every personal detail overwritten by ``*``, length unchanged."""
    folded = fold(text)
    if _CLUES.search(folded) is None:
        return text
    masked: list[str] | None = None
    for pattern in _PATTERNS:
        for match in pattern.finditer(folded):
            if masked is None:
                masked = list(text)
            for at in range(match.start(), match.end()):
                masked[at] = "*"
    return text if masked is None else "".join(masked)
