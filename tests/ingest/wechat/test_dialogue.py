"""What is done and said, step by step, without a server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from ingest.connectors.wechat.dialogue import TEXTS, Action, State, Turn, step
from ingest.connectors.wechat.messages import Message, clip

AT = datetime(2026, 11, 24, 1, tzinfo=UTC)
NUMBER = 202611240000001
RECEIPT = f"{NUMBER}-ABCDEFGHJKLM"


def names_a_place(text: str) -> bool:
    return any(street in text for street in ("渤海街", "长江路", "万达广场"))


def said(text: str = "", kind: str = "text", *, after_min: float = 0, **more: Any) -> Message:
    at = AT + timedelta(minutes=after_min)
    more = {"msg_id": "1"} | more if kind != "event" else more
    if kind in {"image", "voice", "video"}:
        more = {"media_id": "m"} | more
    return Message(kind, "citizen", "account", at, text=text, **more)


def turn(state: State, message: Message) -> Turn:
    return step(state, message, names_a_place)


def after(*messages: Message) -> State:
    """The state after these, the first of which is an item."""
    state = State()
    for message in messages:
        made = turn(state, message)
        state = made.state
        if made.action is Action.ADMIT:
            state = state.heard(NUMBER, RECEIPT)
    return state


ITEM = said("路灯不亮")
ITEM_WITH_PLACE = said("渤海街路灯不亮")


def test_text_is_an_item_at_once_and_what_is_missing_is_asked() -> None:
    made = turn(State(), ITEM)
    assert made.action is Action.ADMIT
    assert made.reply == TEXTS["received"] + TEXTS["ask_more"]
    assert "{receipt}" in made.reply


def test_known_place_is_not_asked_for() -> None:
    assert turn(State(), ITEM_WITH_PLACE).reply == TEXTS["received"]


@pytest.mark.parametrize("kind", ["image", "video", "location"])
def test_what_comes_without_words_is_an_item_and_the_words_are_asked_for(kind: str) -> None:
    made = turn(State(), said(kind=kind))
    assert made.action is Action.ADMIT
    assert made.reply == TEXTS["received"] + TEXTS["ask_words"]
    words = turn(made.state.heard(NUMBER, RECEIPT), said("满地垃圾没人管", after_min=2))
    assert (words.action, words.about) == (Action.AMEND, str(NUMBER))
    assert words.reply == TEXTS["amended"]


def test_text_after_the_words_came_is_a_new_item() -> None:
    state = after(said(kind="image"), said("满地垃圾没人管", after_min=1))
    assert turn(state, said("路灯也不亮", after_min=2)).action is Action.ADMIT


def test_voice_that_was_understood_needs_no_words() -> None:
    made = turn(State(), said("渤海街路灯不亮", "voice"))
    assert made.reply == TEXTS["received"]


@pytest.mark.parametrize(
    "more",
    [
        said(kind="location"), said(kind="image"), said(kind="video"), said(kind="voice"), said("我是说", "voice"),
        said("渤海街12号门口"), said("地点：渤海街"), said("在万达广场旁边"), said("渤海街与长江路交叉口。"),
    ],
)  # fmt: skip
def test_what_completes_an_item_is_added_and_nothing_is_asked_again(more: Message) -> None:
    made = turn(after(ITEM), msgspec.structs.replace(more, at=AT + timedelta(minutes=30)))
    assert (made.action, made.about) == (Action.AMEND, str(NUMBER))
    assert made.reply == TEXTS["amended"]


@pytest.mark.parametrize(
    "other",
    [
        said("渤海街污水外溢"), said("人行道上摆满烧烤桌子在渤海街"), said("路灯不亮，渤海街"), said("楼上漏水"),
        said("标题", "link"), said("中山路"),
    ],
)  # fmt: skip
def test_another_report_is_another_item(other: Message) -> None:
    assert turn(after(ITEM), other).action is Action.ADMIT


@pytest.mark.parametrize(
    "late", [said(kind="image"), said(kind="location"), said("渤海街12号门口")]
)
def test_after_half_an_hour_it_is_another_item(late: Message) -> None:
    late = msgspec.structs.replace(late, at=AT + timedelta(minutes=30, seconds=1))
    assert turn(after(ITEM), late).action is Action.ADMIT


def test_two_pictures_in_a_row_are_both_added() -> None:
    state = after(ITEM)
    for n in (1, 2):
        made = turn(state, said(kind="image", after_min=n))
        assert made.action is Action.AMEND
        state = made.state


def test_missing_things_are_asked_for_once_an_item() -> None:
    state, asked = State(), 0
    talk = [
        ITEM,
        said(kind="voice", after_min=1),
        said(kind="image", after_min=2),
        said("谢谢", after_min=3),
    ]
    for message in talk:
        made = turn(state, message)
        asked += TEXTS["ask_more"] in made.reply or TEXTS["ask_words"] in made.reply
        state = made.state.heard(NUMBER, RECEIPT) if made.action is Action.ADMIT else made.state
    assert asked == 1


@pytest.mark.parametrize(
    "text",
    [
        RECEIPT, RECEIPT.lower(), f"受理号：{RECEIPT}", f" {NUMBER} - ABCDEFGHJKLM ",
        "２０２６１１２４００００００１－ＡＢＣＤＥＦＧＨＪＫＬＭ", f"{NUMBER}—ABCDEFGHJKLM", f"{NUMBER}–ABCDEFGHJKLM",
    ],
)  # fmt: skip
def test_receipt_with_code_is_looked_up_for_anybody(text: str) -> None:
    made = turn(State(), said(text))
    assert (made.action, made.about) == (Action.RECEIPT, RECEIPT)


@pytest.mark.parametrize("text", [str(NUMBER), "２０２６１１２４００００００１", f"受理号{NUMBER}"])
def test_number_alone_is_answered_to_its_own_citizen_only(text: str) -> None:
    made = turn(after(ITEM), said(text))
    assert (made.action, made.about) == (Action.STATUS, str(NUMBER))
    stranger = turn(State(), said(text))
    assert (stranger.action, stranger.reply) == (Action.NOTHING, TEXTS["no_receipt"])


@pytest.mark.parametrize("text", ["进度", "查询", "查询进度？", " 进度。"])
def test_progress_is_of_the_newest_item(text: str) -> None:
    made = turn(after(ITEM), said(text, after_min=9000))
    assert (made.action, made.about) == (Action.STATUS, str(NUMBER))
    assert turn(State(), said(text)) == Turn(State(), Action.NOTHING, TEXTS["no_item"])


@pytest.mark.parametrize(
    "text", ["谢谢", "谢谢您！🙏", "好的，收到", "👍👍", "[强][Rose]", "/::)", "❤️", "。。。"]
)
def test_thanks_and_emoji_are_no_items(text: str) -> None:
    made = turn(after(ITEM), said(text, after_min=1))
    assert (made.action, made.reply) == (Action.NOTHING, TEXTS["thanks"])


def test_emoji_without_an_item_asks_for_words() -> None:
    assert turn(State(), said("😡😡")) == Turn(State(), Action.NOTHING, TEXTS["no_item"])


def test_thanks_with_a_report_is_an_item() -> None:
    assert turn(after(ITEM), said("谢谢，另外井盖也坏了")).action is Action.ADMIT


def test_kind_that_accounts_do_not_get_is_answered() -> None:
    made = turn(State(), said("【收到不支持的消息类型，暂无法显示】"))
    assert (made.action, made.reply) == (Action.NOTHING, TEXTS["unsupported"])


@pytest.mark.parametrize(
    ("event", "key", "reply"),
    [
        ("subscribe", "qrscene_1", "welcome"), ("SCAN", "1", "welcome"), ("CLICK", "REPORT", "welcome"),
        ("CLICK", "PROGRESS", "no_item"), ("CLICK", "进度", "no_item"),
    ],
)  # fmt: skip
def test_event_is_answered(event: str, key: str, reply: str) -> None:
    made = turn(State(), said(kind="event", event=event, event_key=key))
    assert (made.action, made.reply) == (Action.NOTHING, TEXTS[reply])


@pytest.mark.parametrize("event", ["LOCATION", "VIEW", "TEMPLATESENDJOBFINISH", "new_one"])
def test_other_event_is_silent_and_changes_nothing(event: str) -> None:
    state = after(ITEM)
    assert turn(state, said(kind="event", event=event)) == Turn(state, Action.NOTHING)


def test_menu_asks_for_progress() -> None:
    made = turn(after(ITEM), said(kind="event", event="CLICK", event_key="PROGRESS"))
    assert (made.action, made.about) == (Action.STATUS, str(NUMBER))


def test_unsubscribing_ends_the_conversation() -> None:
    assert turn(after(ITEM), said(kind="event", event="unsubscribe")) == Turn(
        State(), Action.NOTHING
    )


def test_reply_is_kept_for_a_retry_and_old_ones_are_forgotten() -> None:
    state = State()
    for n in range(12):
        state = state.replied(str(n), f"reply {n}")
    assert state.reply_to("11") == "reply 11"
    assert state.reply_to("0") is None
    assert len(state.said) == 8


def test_state_outlives_its_storage() -> None:
    state = after(ITEM, said(kind="image", after_min=1)).replied("1", "好")
    assert msgspec.json.decode(msgspec.json.encode(state), type=State) == state
    assert b"citizen" not in msgspec.json.encode(state)


def test_step_is_pure() -> None:
    state = after(ITEM)
    assert turn(state, said(kind="image")) == turn(state, said(kind="image"))


def test_every_text_fits_into_a_reply() -> None:
    longest = TEXTS["received"] + TEXTS["ask_more"]
    assert all(clip(text) == text for text in [*TEXTS.values(), longest])


@pytest.mark.parametrize(
    "text",
    ["谢" * 5000 + "x", "[" * 5000, "/:" * 5000, "渤海街" * 3000, "2" * 9000, "好的" * 20 + "井"],
)
def test_long_texts_take_no_time(text: str) -> None:
    assert turn(after(ITEM), said(text)).action in {Action.ADMIT, Action.NOTHING}
