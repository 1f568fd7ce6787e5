"""One cell to one value, for every way people and Excel write it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.connectors.lists.cells import CellError, degrees, is_error, moment, number, words, yes
from ingest.connectors.lists.sheet import shown

AT = datetime(2026, 11, 24, 8, 5)
FULL_WIDTH = str.maketrans("0123456789:", "０１２３４５６７８９：")
FORMS = {
    "slash": lambda t: f"{t.year}/{t.month}/{t.day} {t.hour}:{t.minute:02}:{t.second:02}",
    "iso": lambda t: t.isoformat(),
    "space": str,
    "dots": lambda t: f"{t.year}.{t.month}.{t.day} {t.hour}:{t.minute}:{t.second}",
    "chinese": lambda t: f"{t.year}年{t.month}月{t.day}日 {t.hour}时{t.minute}分{t.second}秒",
    "tight": lambda t: f"{t.year}年{t.month}月{t.day}日{t.hour}时{t.minute}分{t.second}秒",
    "compact": lambda t: t.strftime("%Y%m%d%H%M%S"),
    "compact T": lambda t: t.strftime("%Y%m%dT%H%M%S"),
    "number": lambda t: float(t.strftime("%Y%m%d%H%M%S")),
    "fraction": lambda t: f"{t.isoformat(sep=' ')}.000",
    "wide": lambda t: str(t).translate(FULL_WIDTH),
    "half": lambda t: (
        f"{t:%Y-%m-%d} {'上午' if t.hour < 12 else '下午'}{t.hour % 12 or 12}:{t.minute}:{t.second}"
    ),
    "english": lambda t: t.strftime("%Y-%m-%d %I:%M:%S %p"),
    "weekday": lambda t: f"{t:%Y年%m月%d日} 星期{'一二三四五六日'[t.weekday()]} {t:%H:%M:%S}",
    "serial": lambda t: (t - datetime(1899, 12, 30)) / timedelta(days=1),
    "apostrophe": lambda t: f"'{t}",
    "invisible": lambda t: f"\u200b {t}\u3000\t",
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=150, deadline=None)
@given(at=st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)))
def test_every_form_of_a_time_is_read_back(form: str, at: datetime) -> None:
    at = at.replace(microsecond=0)
    assert moment(FORMS[form](at)) == at


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026/11/24 8:00", AT.replace(minute=0)),
        ("2026年11月24日 8时5分", AT),
        ("2026年11月24日8时", AT.replace(minute=0)),
        ("2026-11-24", datetime(2026, 11, 24)),
        (20261124.0, datetime(2026, 11, 24)),
        ("2026-11-24 中午12:30", datetime(2026, 11, 24, 12, 30)),
        ("2026-11-24 中午1:30", datetime(2026, 11, 24, 13, 30)),
        ("2026-11-24 凌晨12:05", datetime(2026, 11, 24, 0, 5)),
        ("2026-11-24 24:00", datetime(2026, 11, 25)),
        ("2026-11-24T08:05:00Z", AT.replace(tzinfo=UTC)),
        ("", None),
        ("#N/A", None),
        ("-", None),
    ],
)
def test_time(cell: object, expected: datetime | None) -> None:
    assert moment(cell) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "cell",
    [
        "2026-13-01", "2026-02-30", "2026-11-24 25:00", "2026-11-24 24:01", "昨天", "11/24/2026", True,
        "0000-01-01", "1900-01-00", "20261340", "2026-11-24 8:61", 12.0, float("inf"),
        "2026-11-24T08:00:00+99:99", "9" * 100_000, "2026-11-24" + "\xa0" * 100_000 + "x", "2026-11-24" + "T" * 50_000,
    ],
)  # fmt: skip
def test_what_is_no_time_says_so(cell: object) -> None:
    with pytest.raises(CellError) as caught:
        moment(cell)  # type: ignore[arg-type]
    assert caught.value.cure


@given(digits=st.integers(13_000_000_000, 19_999_999_999))
def test_phone_that_excel_made_a_number_is_text_again(digits: int) -> None:
    assert number(float(digits)) == number(f"{digits}.0") == number(f"\t'{digits}") == str(digits)


@pytest.mark.parametrize("cell", ["2.02611E+11", "1.38e10", "2E+17", 2.0261124e17, -1e16])
def test_lost_digits_are_never_guessed(cell: object) -> None:
    with pytest.raises(CellError, match="shortened"):
        number(cell)  # type: ignore[arg-type]


def test_numbers_that_are_texts_are_kept() -> None:
    assert number("GD-2026E5") == "GD-2026E5"
    assert number(202611240001.0) == "202611240001"
    assert number("007") == "007"
    assert number("１３８００１３８０００") == "13800138000"


def test_words_lose_what_no_person_wrote() -> None:
    assert words("\ufeff\u200b 路灯 \xa0") == "路灯"
    assert words("#REF!") == words("—") == words("NULL") == ""
    assert words(3.5) == "3.5"
    assert [shown(cell) for cell in (True, False)] == ["是", "否"]
    assert is_error(" #N/A ")
    assert not is_error("N/A")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("是", True), ("Y", True), (True, True), (1.0, True), ("否", False), ("", False), (False, False), ("也许", None)],
)  # fmt: skip
def test_yes_and_no(cell: object, expected: object) -> None:
    assert yes(cell) is expected  # type: ignore[arg-type]


def test_degrees() -> None:
    assert degrees("128.23°") == degrees(128.23) == 128.23
    assert degrees("东经") is degrees("") is degrees("4012345.5") is None
    assert words(float("nan")) == ""
