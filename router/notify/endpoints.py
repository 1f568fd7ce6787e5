"""From settings to the ways each office hears of its work, and the senders that serve them.

An endpoint's key is the office's id for its own system (as it always was in delivery rows), and
``id/kind`` for the others; offices' ids have no slash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from pydantic import SecretStr, field_validator

from router.departments import Directory
from router.notify.dingtalk import DingtalkSender
from router.notify.email import EmailSender, MailConfig
from router.notify.feishu import FeishuSender
from router.notify.senders import Endpoint, Sender
from router.notify.webhook import WebhookSender, parse_secret
from router.notify.wecom import WecomSender
from router.notify.words import Speech
from store.config import Strict
from store.errors import ConfigError


class Robot(Strict):
    """One robot of ``MINSHENG_ROBOTS``: its address holds its key, so both stay in the environment."""

    url: SecretStr
    secret: SecretStr = SecretStr("")

    @field_validator("url")
    @classmethod
    def _address(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("https://", "http://")):
            msg = "not an address; copy the robot's webhook address, it begins with https://"
            raise ValueError(msg)
        return value


def key_of(office: str, kind: str) -> str:
    """The endpoint's key."""
    return office if kind == "webhook" else f"{office}/{kind}"


def build_endpoints(
    directory: Directory,
    *,
    webhooks: Mapping[str, str],
    secrets: Mapping[str, str],
    robots: Mapping[str, Robot],
    mail: MailConfig | None,
) -> dict[str, Endpoint]:
    """Every endpoint by key; ConfigError names the office and the setting that is missing."""
    needing = {office.id for office in directory.offices if office.contact}
    found = [
        _webhook(office, url, secrets, contact=office in needing)
        for office, url in webhooks.items()
    ]
    for office in directory.offices:
        found += _robots(office, robots)
        if office.email:
            found.append(_email(office, mail))
    return {endpoint.key: endpoint for endpoint in found}


class Reached(Protocol):
    """Whoever is reached by robots or letters: an office, an official."""

    @property
    def id(self) -> str: ...
    @property
    def wecom(self) -> str: ...
    @property
    def dingtalk(self) -> str: ...
    @property
    def feishu(self) -> str: ...
    @property
    def email(self) -> tuple[str, ...]: ...


def official_endpoints(
    officials: Iterable[Reached], *, robots: Mapping[str, Robot], mail: MailConfig | None
) -> dict[str, Endpoint]:
    """The one way to each official, by their id; ConfigError names the official and the setting that is missing."""
    found = {}
    for one in officials:
        found[one.id] = _email(one, mail) if one.email else next(_robots(one, robots))
    return found


def build_senders(
    *, speech: Speech, clock: Callable[[], datetime], mail: MailConfig | None
) -> dict[str, Sender]:
    """The table of senders by kind."""
    senders: list[Sender] = [
        WebhookSender(clock),
        WecomSender(speech),
        DingtalkSender(speech, clock),
        FeishuSender(speech, clock),
    ]
    if mail is not None:
        senders.append(EmailSender(mail, speech))
    return {sender.kind: sender for sender in senders}


def _webhook(office: str, url: str, secrets: Mapping[str, str], *, contact: bool) -> Endpoint:
    if office not in secrets:
        msg = (
            f"router: department {office} has a webhook but no secret; set MINSHENG_WEBHOOK_SECRETS"
        )
        raise ConfigError(msg)
    parse_secret(secrets[office])
    if contact and not url.startswith("https://"):
        msg = (
            f"router: {office}: contact needs a webhook on https://; contacts leave encrypted only"
        )
        raise ConfigError(msg)
    return Endpoint(office, office, "webhook", url=url, secret=secrets[office], contact=contact)


def _robots(office: Reached, robots: Mapping[str, Robot]) -> Iterator[Endpoint]:
    named = {"wecom": office.wecom, "dingtalk": office.dingtalk, "feishu": office.feishu}
    for kind, name in named.items():
        if not name:
            continue
        if name not in robots:
            msg = f"router: {office.id}: {kind}: robot {name} is unknown; add it to MINSHENG_ROBOTS"
            raise ConfigError(msg)
        robot = robots[name]
        yield Endpoint(
            key_of(office.id, kind),
            office.id,
            kind,
            name=name,
            url=robot.url.get_secret_value(),
            secret=robot.secret.get_secret_value(),
        )


def _email(office: Reached, mail: MailConfig | None) -> Endpoint:
    if mail is None:
        msg = f"router: {office.id}: email is set but no mail server; set [mail] in hub.toml"
        raise ConfigError(msg)
    return Endpoint(key_of(office.id, "email"), office.id, "email", to=office.email)
