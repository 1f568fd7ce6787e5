"""What names a person is masked wherever it hides; what routing needs survives."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.normalize import clean, fold, strip_html
from ingest.redact import _PATTERNS, redact

HIDDEN = [
    ("我电话13812345678请回", "13812345678"),
    ("打138-1234-5678或者139 8765 4321都行", "8765 4321"),
    ("手机１３８１２３４５６７８", "１３８１２３４５６７８"),
    ("+86 13812345678", "13812345678"),
    ("一三八一二三四五六七八找我", "一三八一二三四五六七八"),
    ("座机0433-6223344", "6223344"),
    ("身份证222403198801011234", "222403198801011234"),
    ("身份证22240319880101123X", "22240319880101123X"),
    ("车牌吉H12345挡路", "吉H12345"),
    ("新能源吉HD12345", "吉HD12345"),
    ("邮箱someone@example.com", "someone@example.com"),
    ("微信号abc_12345加我", "abc_12345"),
    ("QQ:123456789", "123456789"),
    ("卡号6222 0210 0111 6245 702", "6222 0210 0111 6245"),
    ("3号楼2单元501室漏水", "501"),
    ("我叫王小明，住在这里", "王小明"),
    ("联系人：李某某", "李某某"),
    ("赵女士反映楼道脏", "赵"),
]
KEPT = [
    "敦化市江南镇渤海街18号楼北侧",
    "阳光小区5号楼楼道",
    "2026年11月24日早上6点",
    "交了4800元物业费",
    "302公交车不停站",
    "高楼上扔垃圾",
    "G12高速出口",
]


@pytest.mark.parametrize(("text", "secret"), HIDDEN)
def test_personal_detail_is_masked(text: str, secret: str) -> None:
    masked = redact(clean(text))
    assert secret not in masked
    assert len(masked) == len(clean(text))


@pytest.mark.parametrize("text", KEPT)
def test_what_routing_needs_survives(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=300))
def test_redaction_never_moves_a_character(text: str) -> None:
    cleaned = clean(text)
    masked = redact(cleaned)
    assert len(masked) == len(cleaned)
    assert all(m in (c, "*") for c, m in zip(cleaned, masked, strict=True))


@given(st.text(max_size=300))
def test_folding_never_moves_a_character(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(st.text(max_size=300))
def test_cleaning_is_idempotent_and_leaves_no_control(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert not any(ord(c) < 32 and c != "\n" for c in cleaned)
    assert "\u200b" not in cleaned


@pytest.mark.parametrize("char", ["1", "a", "王", "1 ", "@", "吉", "-", "a@", "138"])
def test_patterns_are_linear(char: str) -> None:
    """Ten times the text may not cost much more than ten times the work: ratios, not wall time."""

    def cost(size: int) -> float:
        text = char * size
        best = 1e9
        for _ in range(9):
            start = time.perf_counter()
            for pattern in _PATTERNS:
                for _ in pattern.finditer(text):
                    pass
            best = min(best, time.perf_counter() - start)
        return best

    assert cost(100_000) / max(cost(10_000), 2e-3) < 40


def test_html_becomes_words() -> None:
    assert strip_html("<p>一&amp;二</p><p>三<br>四</p>").split() == ["一&二", "三", "四"]
    assert strip_html("a < b") == "a < b"
