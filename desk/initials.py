"""What a person may type to find a name: its pinyin and initials (拼音首字母), from every word of it on."""

from __future__ import annotations

from collections.abc import Mapping

from pypinyin import Style, lazy_pinyin

NARROW = "市县区"
"""A name is also found without the leading word for its level: 市住建局 by zjj."""


def typed_as(name: str) -> str:
    """Whole pinyin and initials of ``name``, parted by blanks: 市住建局 → ``shizhujianju szjj zhujianju zjj``."""
    forms = [name, name[1:]] if name[:1] in NARROW and len(name) > 1 else [name]
    spelled = []
    for form in forms:
        spelled.append("".join(lazy_pinyin(form)))
        spelled.append("".join(lazy_pinyin(form, style=Style.FIRST_LETTER)))
    return " ".join(dict.fromkeys(one.lower() for one in spelled))


def initials(names: Mapping[str, str]) -> dict[str, str]:
    """``typed_as`` of every name, by its key."""
    return {key: typed_as(name) for key, name in names.items()}
