"""What officials read of one message, by each way: nothing in it is markup, files go with letters only."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from router.notify.dingtalk import DingtalkSender
from router.notify.email import EmailSender, MailConfig, notice
from router.notify.endpoints import Robot, build_senders, official_endpoints
from router.notify.feishu import FeishuSender
from router.notify.messages import Attachment, Message, Teller
from router.notify.senders import Endpoint
from router.notify.wecom import MAX_BYTES, WecomSender
from router.notify.words import Speech
from router.trends.officials import Official
from store.errors import ConfigError, RejectedError
from store.ports import Answer

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
SPEECH = Speech({}, ZONE)
MAIL = MailConfig(host="mail.example", sender="hub@city.example")
MESSAGE = Message("alert-1", "月报 <1>号", ["受理 [12](http://x) 件 @all", "立案3件"], NOW, "https://hub.example/desk/reports/1", [Attachment("月报.pdf", "application/pdf", b"%PDF-1")])  # fmt: skip
ENDPOINT = Endpoint("mayor", "mayor", "x", url="https://robot.example/send?key=1", secret="s")


class Wire:
    """The other side."""

    def __init__(self, body: bytes = b'{"errcode": 0, "code": 0}') -> None:
        self.body, self.sent = body, []

    async def send(
        self, method: str, url: str, *, headers: Any, body: bytes, max_bytes: int
    ) -> Answer:
        self.sent.append((url, json.loads(body)))
        return Answer(200, self.body)


SENDERS = {
    "wecom": WecomSender(SPEECH), "dingtalk": DingtalkSender(SPEECH, lambda: NOW), "feishu": FeishuSender(SPEECH, lambda: NOW),
}  # fmt: skip


@pytest.mark.parametrize("kind", SENDERS)
async def test_robots_say_title_lines_and_link(kind: str) -> None:
    wire = Wire()
    await SENDERS[kind].tell(MESSAGE, ENDPOINT, wire)  # type: ignore[arg-type]
    ((url, body),) = wire.sent
    said = json.dumps(body, ensure_ascii=False)
    assert url.startswith(ENDPOINT.url)
    assert "立案3件" in said
    assert MESSAGE.link in said
    assert kind == "feishu" or ("[12]" not in said and "@all" not in said and "<1>" not in said)
    assert ("sign" in body) == (kind == "feishu")
    assert ("sign=" in url) == (kind == "dingtalk")


@pytest.mark.parametrize("kind", SENDERS)
async def test_a_robot_that_refuses_or_a_message_too_long(kind: str) -> None:
    code = {"wecom": 40058, "dingtalk": 40035, "feishu": 9499}[kind]
    with pytest.raises(RejectedError):
        await SENDERS[kind].tell(MESSAGE, ENDPOINT, Wire(json.dumps({"errcode": code, "code": code}).encode()))  # type: ignore[arg-type] # fmt: skip
    wire = Wire()
    long = Message("a", "题", ["长" * 9000] * 3, NOW, MESSAGE.link)
    await SENDERS[kind].tell(long, ENDPOINT, wire)  # type: ignore[arg-type]
    size = len(json.dumps(wire.sent[0][1], ensure_ascii=False).encode())
    assert size < (MAX_BYTES + 200 if kind == "wecom" else 20_000)
    assert MESSAGE.link in json.dumps(wire.sent[0][1])


def test_a_letter_carries_files_and_a_constant_id() -> None:
    letter = notice(MESSAGE, ("a@b.example",), MAIL, ZONE)
    assert letter["Message-ID"] == "<alert-1@city.example>"
    assert letter["Subject"] == "月报 <1>号"
    body = letter.get_body()
    assert body is not None
    assert "立案3件" in body.get_content()
    (file,) = letter.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("月报.pdf", b"%PDF-1")
    assert bytes(letter)


def test_every_way_to_an_official_takes_messages() -> None:
    senders = build_senders(speech=SPEECH, clock=lambda: NOW, mail=MAIL)
    assert {kind for kind, one in senders.items() if isinstance(one, Teller)} == {
        "wecom",
        "dingtalk",
        "feishu",
        "email",
    }
    assert [one.takes_files for one in senders.values() if isinstance(one, EmailSender)] == [True]


def test_each_official_has_one_endpoint_or_the_setting_is_named() -> None:
    mayor = Official(id="mayor", name="分管副市长", wecom="leaders")
    office = Official(id="office", name="值班室", email=("a@b.example",))
    robots = {"leaders": Robot(url="https://robot.example/x")}
    found = official_endpoints([mayor, office], robots=robots, mail=MAIL)
    assert {key: one.kind for key, one in found.items()} == {"mayor": "wecom", "office": "email"}
    for official, said in (
        (mayor, "mayor: wecom: robot leaders"),
        (office, "office: email is set"),
    ):
        with pytest.raises(ConfigError, match=said):
            official_endpoints([official], robots={}, mail=None)
