"""Letters through a real SMTP server: accepted, refused, put off, encrypted, silent."""

import asyncio
import email
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from router.notify.email import EmailSender, MailConfig, letter, message_id
from router.notify.senders import Dispatch, Endpoint
from router.notify.words import Speech
from store.errors import RejectedError, TransientError

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
SPEECH = Speech({"sewage": "污水外溢"}, ZoneInfo("Asia/Shanghai"))
LINK = "https://hub.example/office/link/" + "a" * 39
OFFICE = Endpoint("a/email", "a", "email", to=("desk@office.example", "head@office.example"))


def dispatch(**more: Any) -> Dispatch:
    values: dict[str, Any] = {
        "delivery_id": 1, "webhook_id": "uid/email", "change": "assigned", "seq": 1, "attempts": 0, "since": NOW,
        "case_id": 7, "case_no": "DH20261124-0007", "order_id": 701, "department": "a", "lead": True,
        "kind": "complaint", "problems": ["sewage"], "campaigns": [], "urgency": "urgent", "area": "",
        "received_at": NOW, "due_at": NOW, "text": "楼下有污水", "link": LINK,
    }  # fmt: skip
    return Dispatch(**{**values, **more})


class Post:
    """What the server's handler does; ``answers`` by address or step."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.to: list[list[str]] = []
        self.answers: dict[str, str] = {}
        self.hang = False

    async def handle_RCPT(  # noqa: N802
        self, _s: Any, _session: Any, envelope: Any, address: str, _o: Any
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.hang:
            await asyncio.sleep(30)
        if "DATA" not in self.answers:
            read = email.message_from_bytes(envelope.content, policy=default)
            assert isinstance(read, EmailMessage)
            self.letters.append(read)
            self.to.append(envelope.rcpt_tos)
        return self.answers.get("DATA", "250 OK")


Serve = Callable[..., Any]


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
async def serve(post: Post) -> AsyncIterator[Serve]:
    """Start a server on a free port; returns a configuration that reaches it."""
    servers: list[asyncio.Server] = []
    doors: list[SMTP] = []

    async def start(*, tls: str = "none", context: ssl.SSLContext | None = None, **more: Any) -> MailConfig:  # fmt: skip
        def door() -> SMTP:
            starttls = context if tls == "starttls" else None
            doors.append(SMTP(post, tls_context=starttls, enable_SMTPUTF8=True, **more))
            return doors[-1]

        implicit = context if tls == "implicit" else None
        loop = asyncio.get_running_loop()
        server = await loop.create_server(door, "127.0.0.1", 0, ssl=implicit)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        return MailConfig(
            host="127.0.0.1", port=port, tls=tls, sender="hub@city.example", reply_to="orders@city.example"
        )  # type: ignore[arg-type]  # fmt: skip

    yield start
    for server in servers:
        server.close()
    for one in doors:
        if one._handler_coroutine is not None:
            one._handler_coroutine.cancel()
    await asyncio.sleep(0.02)


def sender(config: MailConfig, **more: Any) -> EmailSender:
    return EmailSender(config, SPEECH, **more)


async def send(config: MailConfig, **more: Any) -> None:
    await sender(config, **more).send([dispatch()], OFFICE, None)  # type: ignore[arg-type]


async def test_letter_arrives_with_order_link_and_reply_address(serve: Serve, post: Post) -> None:
    await send(await serve())
    (got,) = post.letters
    assert post.to == [list(OFFICE.to)]
    assert got["Subject"] == "新工单 DH20261124-0007"
    assert got["Reply-To"] == f"orders+{'a' * 39}@city.example"
    assert got["Auto-Submitted"] == "auto-generated"
    text = got.get_content()
    for part in ("污水外溢", "2026-11-24 09:00", "楼下有污水", LINK):
        assert part in text


def test_message_id_is_constant_in_a_round_and_new_after_a_redrive() -> None:
    first = dispatch()
    assert message_id(first, "hub@city.example") == message_id(
        dispatch(attempts=3), "hub@city.example"
    )
    assert message_id(first, "hub@city.example").endswith("@city.example>")
    again = dispatch(since=NOW + timedelta(days=4))
    assert message_id(first, "h@c") != message_id(again, "h@c")


@pytest.mark.parametrize(
    ("reply_to", "link", "expected"),
    [("", LINK, None), ("o@c.example", "", "o@c.example"), ("o@c.example", LINK, f"o+{'a' * 39}@c.example")],
)  # fmt: skip
def test_reply_to_carries_the_token_when_there_is_one(
    reply_to: str, link: str, expected: str | None
) -> None:
    config = MailConfig(host="h", sender="hub@city.example", reply_to=reply_to)
    assert letter(dispatch(link=link), ("x@y.example",), config, SPEECH)["Reply-To"] == expected


@pytest.mark.parametrize(
    "answers",
    [{"DATA": "451 later"}, {"desk@office.example": "450 busy", "head@office.example": "450 busy"}, {"desk@office.example": "450 busy"}],
)  # fmt: skip
async def test_4yz_may_pass(serve: Serve, post: Post, answers: dict[str, str]) -> None:
    post.answers = answers
    with pytest.raises(TransientError, match="answered 45"):
        await send(await serve())


@pytest.mark.parametrize(
    "answers",
    [{"DATA": "554 no"}, {"desk@office.example": "550 who", "head@office.example": "550 who"}],
)
async def test_5yz_is_refused_and_quotes_no_address(
    serve: Serve, post: Post, answers: dict[str, str]
) -> None:
    post.answers = answers
    with pytest.raises(RejectedError, match="answered 55") as caught:
        await send(await serve())
    assert "office.example" not in str(caught.value)


async def test_one_dead_address_does_not_stop_the_other(
    serve: Serve, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.answers = {"desk@office.example": "550 who"}
    await send(await serve())
    assert post.to == [["head@office.example"]]
    assert [r.message for r in caplog.records if r.name == "router.notify.email"] == [
        "an address is refused"
    ]


async def test_server_that_hangs_is_left(serve: Serve, post: Post) -> None:
    post.hang = True
    with pytest.raises(TransientError):
        await send(await serve(), total_s=0.3)


async def test_no_server_may_pass() -> None:
    config = MailConfig(host="127.0.0.1", port=1, tls="none", sender="hub@city.example")
    with pytest.raises(TransientError, match="SMTPConnectError"):
        await send(config)


async def test_server_without_starttls_gets_no_letter(serve: Serve, post: Post) -> None:
    config = (await serve()).model_copy(update={"tls": "starttls"})
    with pytest.raises(TransientError):
        await send(config)
    assert post.letters == []


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Server's and client's, with a certificate of their own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(today - timedelta(days=1)).not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    folder: Path = tmp_path_factory.mktemp("tls")
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem, secret)
    return server, ssl.create_default_context(cafile=str(pem))


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_encrypted_letter_arrives_and_an_unknown_certificate_gets_none(
    serve: Serve, post: Post, contexts: tuple[ssl.SSLContext, ssl.SSLContext], tls: str
) -> None:
    config = await serve(tls=tls, context=contexts[0])
    await send(config, context=contexts[1])
    assert len(post.letters) == 1
    with pytest.raises(TransientError):
        await send(config)
    assert len(post.letters) == 1


@pytest.mark.parametrize(("password", "letters"), [("right", 1), ("false", 0)])
async def test_login(
    serve: Serve, post: Post, contexts: tuple[ssl.SSLContext, ssl.SSLContext], password: str, letters: int
) -> None:  # fmt: skip
    def check(
        _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        return AuthResult(success=data.password == b"right", handled=False)

    config = await serve(
        tls="starttls", context=contexts[0], authenticator=check, auth_required=True
    )
    config = config.model_copy(update={"username": "hub", "password": SecretStr(password)})
    if letters:
        await send(config, context=contexts[1])
    else:
        with pytest.raises(TransientError, match=r"mail\.username") as caught:
            await send(config, context=contexts[1])
        assert caught.value.retry_after_s == 1800
        assert password not in str(caught.value)
    assert len(post.letters) == letters
