"""From departments.toml and the environment to endpoints; what is missing is named."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from router.departments import Directory
from router.notify.email import MailConfig
from router.notify.endpoints import Robot, build_endpoints, build_senders
from router.notify.words import Speech
from store.config import validate
from store.errors import ConfigError
from store.model import dispatch_uid
from store.tables import T

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
MAIL = MailConfig(host="mail.example", sender="hub@city.example")
ROBOTS = {"duty": Robot.model_validate({"url": "https://r.example/?key=KEY1", "secret": "SECabc"})}


def directory(**office: Any) -> Directory:
    offices = [{"id": "a", "name": "甲局", **office}, {"id": "b", "name": "乙局"}]
    area = {"id": "hedong", "name": "河东街道", "within": "b", "email": ["hedong@city.example"]}
    return Directory.model_validate(
        {"default": "b", "out_of_scope": "b", "department": offices, "area": [area]}
    )


def build(offices: Directory, **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"webhooks": offices.webhooks, "secrets": {"a": SECRET}, "robots": ROBOTS, "mail": MAIL}  # fmt: skip
    return dict(build_endpoints(offices, **{**values, **more}))


def test_office_may_have_several_endpoints_and_a_territory_too() -> None:
    offices = directory(
        webhook="https://a.example/", wecom="duty", dingtalk="duty", feishu="duty", email=["a@b"]
    )
    found = build(offices)
    assert sorted(found) == ["a", "a/dingtalk", "a/email", "a/feishu", "a/wecom", "hedong/email"]
    assert {one.department for one in found.values()} == {"a", "hedong"}
    assert found["a/dingtalk"].secret == "SECabc"
    assert found["a/email"].to == ("a@b",)


@pytest.mark.parametrize(
    ("office", "more", "cure"),
    [
        ({"wecom": "night"}, {}, "night is unknown; add it to MINSHENG_ROBOTS"),
        ({"webhook": "https://x"}, {"secrets": {}}, "set MINSHENG_WEBHOOK_SECRETS"),
        ({"webhook": "https://x"}, {"secrets": {"a": "short"}}, "webhook_secrets"),
        ({"email": ["a@b"]}, {"mail": None}, r"set \[mail\] in hub.toml"),
    ],
)
def test_what_is_missing_is_named(office: dict[str, Any], more: dict[str, Any], cure: str) -> None:
    with pytest.raises(ConfigError, match=cure):
        build(directory(**office), **more)


@pytest.mark.parametrize(
    "office", [{"email": ["no address"]}, {"email": ["a@b\nBcc: c@d"]}, {"webhook": "ftp://x"}]
)
def test_useless_address_is_refused(office: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        directory(**office)


@pytest.mark.parametrize("more", [{"url": "qyapi.example"}, {"url": "https://x", "token": "y"}])
def test_useless_robot_is_refused_and_its_address_not_shown(more: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        validate(more, Robot, "environment")
    assert "qyapi" not in str(caught.value)


def test_every_endpoint_has_a_sender(clock: Any) -> None:
    offices = directory(
        webhook="https://a.example/", wecom="duty", dingtalk="duty", feishu="duty", email=["a@b"]
    )
    speech = Speech({}, ZoneInfo("Asia/Shanghai"))
    senders = build_senders(speech=speech, clock=clock, mail=MAIL)
    assert {one.kind for one in build(offices).values()} == set(senders)
    assert "email" not in build_senders(speech=speech, clock=clock, mail=None)


async def test_notice_becomes_one_row_an_endpoint_and_the_webhook_keeps_its_id(desk: Any) -> None:
    endpoints = build(directory(webhook="https://a.example/", wecom="duty", email=["a@b"]))
    order = await desk.case()
    await desk.tell(endpoints, order)
    await desk.tell(endpoints, order)
    d = T.deliveries.c
    async with desk.db.read() as conn:
        rows = (await conn.execute(select(d.department, d.webhook_id))).all()
    uid = str(dispatch_uid(order // 100, "a", 1))
    assert {tuple(row) for row in rows} == {
        ("a", uid), ("a/wecom", f"{uid}/wecom"), ("a/email", f"{uid}/email")
    }  # fmt: skip
