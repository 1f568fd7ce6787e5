"""What each sender writes, against the platforms' known vectors and limits: no network."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.notify import dingtalk, feishu, wecom
from router.notify.email import MailConfig, letter
from router.notify.pace import Pace
from router.notify.robots import MISSET_S, Codes, judge
from router.notify.senders import Dispatch, Endpoint, Limit
from router.notify.told import Paper
from router.notify.words import Speech, cut, plain
from store.errors import HubError, RejectedError, TransientError
from store.ports import Answer

NOW = datetime(2026, 11, 24, 1, 0, 40, tzinfo=UTC)
SPEECH = Speech(
    {"sewage": "污水外溢", "urgent": "紧急", "hedong": "河东街道"}, ZoneInfo("Asia/Shanghai")
)
ROBOT = Endpoint("a/wecom", "a", "wecom", name="duty", url="https://robot.example/?key=KEY1")
LINK = "https://hub.example/office/link/" + "a" * 39


def dispatch(**more: Any) -> Dispatch:
    values: dict[str, Any] = {
        "delivery_id": 1, "webhook_id": "uid", "change": "assigned", "seq": 1, "attempts": 0, "since": NOW,
        "case_id": 7, "case_no": "DH20261124-0007", "order_id": 701, "department": "a", "lead": True,
        "kind": "complaint", "problems": ["sewage"], "campaigns": [], "urgency": "urgent", "area": "hedong",
        "received_at": NOW, "due_at": NOW, "text": "楼下有污水", "link": LINK,
    }  # fmt: skip
    return Dispatch(**{**values, **more})


def test_dingtalk_signature_is_the_known_one() -> None:
    assert (
        dingtalk.sign("SECabc", 1700000000000) == "jcUpW0QmtKduN03n4JqQ0PBosVjqnM8gU7fIIvsDmCM%3D"
    )


def test_feishu_signature_is_the_known_one() -> None:
    assert feishu.sign("abc", 1700000000) == "VIS10b0EBvzzSdFnuk4tznEmK5wHaruvf/WnViv2yR4="


@pytest.mark.parametrize(
    ("url", "secret", "expected"),
    [
        ("https://d.example/send?access_token=T", "", "https://d.example/send?access_token=T"),
        ("https://d.example/send?access_token=T", "SECabc", "T&timestamp=1700000000000&sign=jcUp"),
        ("https://d.example/send", "SECabc", "send?timestamp=1700000000000&sign=jcUp"),
    ],
)
def test_dingtalk_address_is_signed_where_it_has_a_secret(
    url: str, secret: str, expected: str
) -> None:
    assert expected in dingtalk.signed_url(url, secret, 1700000000000)


@pytest.mark.parametrize("secret", ["", "abc"])
def test_feishu_body_is_signed_where_it_has_a_secret(secret: str) -> None:
    told = feishu.body([dispatch()], SPEECH, secret=secret, timestamp=1700000000)
    assert (told.get("timestamp"), "sign" in told) == (
        ("1700000000", True) if secret else (None, False)
    )


def words(kind: str, dispatches: list[Dispatch]) -> str:
    """Everything a reader of the message sees, links included."""
    if kind == "wecom":
        return str(wecom.body(dispatches, SPEECH)["markdown"]["content"])
    if kind == "dingtalk":
        return str(dingtalk.body(dispatches, SPEECH)["markdown"]["text"])
    post = feishu.body(dispatches, SPEECH, secret="", timestamp=0)["content"]["post"]["zh_cn"]
    lines = ["".join(p["text"] + p.get("href", "") for p in line) for line in post["content"]]
    return "\n".join([post["title"], *lines])


KINDS = pytest.mark.parametrize("kind", ["wecom", "dingtalk", "feishu"])


@KINDS
def test_one_order_is_told_in_full(kind: str) -> None:
    told = words(kind, [dispatch()])
    for part in ("DH20261124-0007", "污水外溢", "紧急", "河东街道", "主办", "2026-11-24 09:00", "楼下有污水", LINK):  # fmt: skip
        assert part in told


@KINDS
def test_withdrawn_order_is_told_as_such(kind: str) -> None:
    told = words(kind, [dispatch(change="withdrawn", link="", lead=False)])
    assert "工单已收回 DH20261124-0007" in told
    assert "协办" in told
    assert "签收" not in told


PAPER = Paper(
    "敦城督催〔2026〕1号",
    "urge",
    "催办通知书",
    "甲局：\n　　请立即[办理]。",
    "a",
    NOW,
    is_copy=False,
)


@KINDS
def test_a_document_is_told_with_title_number_words_and_reply_time(kind: str) -> None:
    told = words(kind, [dispatch(change="supervised", text="", paper=PAPER)])
    for part in (
        "催办通知书 敦城督催〔2026〕1号 DH20261124-0007",
        "请立即［办理］。",
        "回复期限：2026-11-24 09:00",
        LINK,
    ):
        assert part in told


@KINDS
def test_a_copy_says_so_and_asks_for_nothing(kind: str) -> None:
    told = words(
        kind, [dispatch(change="supervised", text="", link="", paper=replace(PAPER, is_copy=True))]
    )
    assert "催办通知书（抄送）" in told
    assert "回复期限" not in told


@KINDS
def test_documents_are_lines_of_a_digest_too(kind: str) -> None:
    told = words(kind, [dispatch(change="supervised", text="", paper=PAPER), dispatch()])
    assert "敦城督催〔2026〕1号" in told
    assert "楼下有污水" in told


def test_a_letter_carries_the_document_as_it_was_written() -> None:
    config = MailConfig(host="mail.example", sender="hub@city.example")
    message = letter(
        dispatch(change="supervised", text="", paper=PAPER), ["a@b.example"], config, SPEECH
    )
    assert message["Subject"] == "催办通知书 敦城督催〔2026〕1号 DH20261124-0007"
    assert "甲局：\n　　请立即[办理]。" in message.get_content()


def test_a_notice_whose_document_is_gone_is_told_all_the_same() -> None:
    assert SPEECH.title(dispatch(change="supervised", text="")) == "督办 DH20261124-0007"


@KINDS
def test_long_text_is_cut_at_a_character_and_the_link_stays(kind: str) -> None:
    told = words(kind, [dispatch(text="水" * 9000)])
    assert LINK in told
    assert "…" in told
    assert "�" not in told


@KINDS
def test_digest_tells_every_order_with_its_link(kind: str) -> None:
    sender = {"wecom": wecom.WecomSender, "dingtalk": dingtalk.DingtalkSender, "feishu": feishu.FeishuSender}[kind]  # fmt: skip
    orders = [
        dispatch(case_no=f"DH20261124-{n:04}", link=f"{LINK}{n:04}", text="水" * 500)
        for n in range(sender.digest)
    ]
    told = words(kind, orders)
    for order in orders:
        assert order.case_no in told
        assert order.link in told


def test_platforms_byte_limits_are_kept() -> None:
    long = [dispatch(text="😀水" * 9000)]
    many = [dispatch(text="😀水" * 900)] * 15
    for orders in (long, many):
        assert len(wecom.body(orders, SPEECH)["markdown"]["content"].encode()) <= 4096
        told = json.dumps(dingtalk.body(orders, SPEECH), ensure_ascii=False)
        assert len(told.encode()) <= 20_000
        told = json.dumps(feishu.body(orders, SPEECH, secret="s", timestamp=1), ensure_ascii=False)
        assert len(told.encode()) <= 20_000


@KINDS
def test_citizens_words_become_no_markup_mention_or_link(kind: str) -> None:
    evil = '<at user_id="all">x</at> [点我](https://evil.example) **大** <font color="info"> @all\n# 标题\n> 引用 `x`'
    told = words(kind, [dispatch(text=evil, link="")])
    said = told[told.index("at user") :]
    for sign in ("<", "](", "**", "@", "://", "#", ">", "`", "\n"):
        assert sign not in said


@given(st.text(), st.integers(0, 60))
def test_cut_keeps_the_limit_and_whole_characters(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short.encode()) <= limit
    assert text.startswith(short.removesuffix("…"))


@given(st.text())
def test_plain_has_no_sign_a_chat_would_act_on(text: str) -> None:
    assert not set(plain(text)) & set("\\`*_{}[]()<>#|~@&\n\r")


SAID: list[tuple[Codes, str, type[HubError] | None, float | None]] = [
    (wecom.CODES, '{"errcode":0,"errmsg":"ok"}', None, None),
    (wecom.CODES, '{"errcode":45009,"errmsg":"x"}', TransientError, 60.0),
    (wecom.CODES, '{"errcode":93000,"errmsg":"x"}', TransientError, MISSET_S),
    (wecom.CODES, '{"errcode":40058,"errmsg":"x"}', RejectedError, None),
    (wecom.CODES, '{"errcode":-1,"errmsg":"x"}', TransientError, None),
    (wecom.CODES, "<html>", TransientError, None),
    (wecom.CODES, "[0]", TransientError, None),
    (wecom.CODES, '{"errcode":"0"}', TransientError, None),
    (dingtalk.CODES, '{"errcode":0}', None, None),
    (dingtalk.CODES, '{"errcode":130101}', TransientError, 600.0),
    (dingtalk.CODES, '{"errcode":310000}', TransientError, MISSET_S),
    (dingtalk.CODES, '{"errcode":40035}', RejectedError, None),
    (feishu.CODES, '{"code":0,"msg":"success"}', None, None),
    (feishu.CODES, '{"StatusCode":0,"StatusMessage":"success"}', None, None),
    (feishu.CODES, '{"code":11232}', TransientError, 60.0),
    (feishu.CODES, '{"code":19021}', TransientError, MISSET_S),
    (feishu.CODES, '{"code":9499}', RejectedError, None),
]


@pytest.mark.parametrize(("codes", "body", "error", "wait_s"), SAID)
def test_code_in_a_200_is_understood(
    codes: Codes, body: str, error: type[HubError] | None, wait_s: float | None
) -> None:
    answer = Answer(200, body.encode())
    if error is None:
        judge(answer, ROBOT, codes)
        return
    with pytest.raises(error) as caught:
        judge(answer, ROBOT, codes)
    assert getattr(caught.value, "retry_after_s", None) == wait_s
    assert "KEY1" not in str(caught.value)


@pytest.mark.parametrize(("status", "wait_s"), [(500, None), (429, 7.0), (302, None)])
def test_status_of_a_robots_gateway_is_patient(status: int, wait_s: float | None) -> None:
    headers = {"retry-after": "7"} if wait_s else {}
    with pytest.raises(TransientError) as caught:
        judge(Answer(status, b'{"errcode":0}', headers), ROBOT, wecom.CODES)
    assert caught.value.retry_after_s == wait_s


def test_endpoint_never_prints_its_address() -> None:
    shown = repr(Endpoint("k", "a", "wecom", url="https://x/?key=KEY1", secret="SECRET1", to=("a@b",)))  # fmt: skip
    assert not [w for w in ("KEY1", "SECRET1", "a@b") if w in shown]


def sent_in(limit: Limit, seconds: int) -> list[float]:
    """Moments at which an eager sender may send, asking every 50 ms."""
    pace, start = Pace(limit), NOW.timestamp()
    moments = (n / 20 for n in range(seconds * 20))
    return [m for m in moments if pace.take(datetime.fromtimestamp(start + m, UTC)) == 0]


@pytest.mark.parametrize(
    ("limit", "per_minute", "per_second"),
    [(wecom.WecomSender.limit, 20, 1), (dingtalk.DingtalkSender.limit, 20, 1), (feishu.FeishuSender.limit, 100, 5)],
)  # fmt: skip
def test_no_window_of_a_platform_overflows(limit: Limit, per_minute: int, per_second: int) -> None:
    sent = sent_in(limit, 180)
    for start in sent:
        assert len([m for m in sent if start <= m < start + 60]) <= per_minute
        assert len([m for m in sent if start <= m < start + 1]) <= per_second
    assert len(sent) >= per_minute * 2.5


def test_pace_tells_the_wait_and_holds_when_asked() -> None:
    pace = Pace(Limit(per_minute=20))
    assert pace.take(NOW) == 0
    assert pace.take(NOW) == pytest.approx(3.0)
    later = datetime(2026, 11, 24, 1, 10, 40, tzinfo=UTC)
    pace.hold(later)
    assert pace.take(NOW) == pytest.approx(600.0)
    assert pace.take(later) == 0


def test_feishu_keeps_off_full_and_half_hours() -> None:
    pace = Pace(feishu.FeishuSender.limit or Limit(1))
    assert pace.take(datetime(2026, 11, 24, 1, 30, 5, tzinfo=UTC)) == pytest.approx(10.0)
    assert pace.take(datetime(2026, 11, 24, 1, 30, 15, tzinfo=UTC)) == 0
