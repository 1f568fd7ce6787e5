"""A letter to an office, through the city's own mail server (RFC 5321, RFC 5322).

A letter whose acceptance was not heard is sent again under the same Message-ID, which mail programs use
to show it once; a redrive begins a new one. An answer goes to an address that carries the order's token.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any, Literal
from zoneinfo import ZoneInfo

import aiosmtplib
from pydantic import Field, SecretStr

from router.departments import ADDRESS
from router.notify.messages import LINK, Message
from router.notify.senders import Dispatch, Endpoint, Limit
from router.notify.words import Speech
from store.config import Strict
from store.errors import RejectedError, TransientError
from store.ports import Http

log = logging.getLogger(__name__)

TOTAL_S = 30.0


class MailConfig(Strict):
    """``[mail]``: the server that takes letters. ``reply_to`` becomes ``name+token@host`` in each."""

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")
    sender: str = Field(pattern=ADDRESS)
    reply_to: str = Field(default="", pattern=rf"^$|{ADDRESS}")


def message_id(dispatch: Dispatch, sender: str) -> str:
    """The same for every attempt of one round at one order."""
    uid = dispatch.webhook_id.partition("/")[0]
    return f"<{uid}.{int(dispatch.since.timestamp())}@{sender.rpartition('@')[2]}>"


def letter(
    dispatch: Dispatch, to: Sequence[str], config: MailConfig, speech: Speech
) -> EmailMessage:
    """The message; plain text only."""
    message = EmailMessage()
    message["From"] = config.sender
    message["To"] = [Address(addr_spec=one) for one in to]
    message["Subject"] = speech.title(dispatch)
    message["Date"] = dispatch.since.astimezone(speech.zone)
    message["Message-ID"] = message_id(dispatch, config.sender)
    message["Auto-Submitted"] = "auto-generated"
    token = dispatch.link.rpartition("/")[2]
    if config.reply_to:
        name, _, host = config.reply_to.rpartition("@")
        message["Reply-To"] = f"{name}+{token}@{host}" if token else config.reply_to
    lines = [f"{label}：{value}" for label, value in speech.facts(dispatch)]
    if dispatch.link:
        lines.append(f"签收与回复（七日内有效，用过即失效）：{dispatch.link}")
    message.set_content("\n".join([*lines, "", speech.letter(dispatch)[:4000], ""]), cte="base64")
    return message


def notice(message: Message, to: Sequence[str], config: MailConfig, zone: ZoneInfo) -> EmailMessage:
    """A letter to an official, with its files; no answer is expected."""
    made = EmailMessage()
    made["From"] = config.sender
    made["To"] = [Address(addr_spec=one) for one in to]
    made["Subject"] = " ".join(message.title.split())
    made["Date"] = message.at.astimezone(zone)
    made["Message-ID"] = f"<{message.uid}@{config.sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    link = [f"{LINK}：{message.link}"] if message.link else []
    made.set_content("\n".join([*message.lines, *link, ""]), cte="base64")
    for one in message.files:
        main, _, sub = one.kind.partition("/")
        made.add_attachment(one.body, maintype=main, subtype=sub, filename=one.name)
    return made


class EmailSender:
    """Gives letters to the mail server; one connection a letter."""

    kind = "email"
    limit: Limit | None = None
    digest = 1
    takes_files = True

    def __init__(
        self,
        config: MailConfig,
        speech: Speech,
        *,
        total_s: float = TOTAL_S,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._config = config
        self._speech = speech
        self._total_s = total_s
        self._context = context

    async def send(
        self,
        dispatches: Sequence[Dispatch],
        endpoint: Endpoint,
        http: Http,  # noqa: ARG002 - letters go another way
    ) -> None:
        """One letter a dispatch, to all addresses of the office."""
        for dispatch in dispatches:
            message = letter(dispatch, endpoint.to, self._config, self._speech)
            await self._hand_over(message, endpoint)

    async def tell(
        self,
        message: Message,
        endpoint: Endpoint,
        http: Http,  # noqa: ARG002 - letters go another way
    ) -> None:
        """One letter to an official."""
        made = notice(message, endpoint.to, self._config, self._speech.zone)
        await self._hand_over(made, endpoint)

    async def _hand_over(self, message: EmailMessage, endpoint: Endpoint) -> None:
        """Translate what SMTP says: 4yz and silence may pass, 5yz is refused, a bad login is a setting.

        An address refused for good is only logged while another of the office took the letter.
        """
        try:
            async with asyncio.timeout(self._total_s):
                refused, _ = await aiosmtplib.send(message, **self._connection())
        except aiosmtplib.SMTPAuthenticationError as error:
            msg = (
                f"router: {endpoint.key}: the mail server refuses the login; correct mail.username"
            )
            raise TransientError(msg, retry_after_s=1800) from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refusal(endpoint, max(one.code for one in error.recipients)) from None
        except aiosmtplib.SMTPResponseException as error:
            raise _refusal(endpoint, error.code) from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            msg = f"router: {endpoint.key}: the mail server: {type(error).__name__}"
            raise TransientError(msg) from error
        codes = sorted(answer.code for answer in refused.values())
        if codes and codes[0] < 500:  # noqa: PLR2004
            raise _refusal(endpoint, codes[0])
        if codes:
            log.warning(
                "an address is refused",
                extra={"event": "address_refused", "endpoint": endpoint.key, "code": codes[0]},
            )

    def _connection(self) -> dict[str, Any]:
        config = self._config
        return {
            "hostname": config.host,
            "port": config.port,
            "use_tls": config.tls == "implicit",
            "start_tls": config.tls == "starttls",
            "username": config.username or None,
            "password": config.password.get_secret_value() or None,
            "timeout": self._total_s,
            "tls_context": self._context if config.tls != "none" else None,
        }


def _refusal(endpoint: Endpoint, code: int) -> TransientError | RejectedError:
    """The error an SMTP reply means; its words are left out, they may quote addresses."""
    msg = f"router: {endpoint.key}: the mail server answered {code}"
    if 500 <= code < 600:  # noqa: PLR2004
        return RejectedError(msg, reason="refused")
    return TransientError(msg)
