"""Signatures and encryption, checked against the platform's answers and an independent implementation."""

import base64
import random
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher as Aes
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto

from ingest.connectors.wechat.crypto import Cipher, decode_key, is_signed, signature
from store.errors import RejectedError

APP_ID = "wx0123456789abcdef"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OLD_KEY = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbZ"
TOKEN = "tokenOfTheTests"


@pytest.mark.parametrize(
    ("timestamp", "nonce", "expected"),
    [
        ("1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        ("1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
    ],
)
def test_signature_is_the_one_of_the_documentation(
    timestamp: str, nonce: str, expected: str
) -> None:
    assert signature("AAAAA", timestamp, nonce) == expected
    assert is_signed(expected, "AAAAA", timestamp, nonce)


def test_none_of_2000_altered_signatures_is_accepted() -> None:
    parts, pick = (TOKEN, "1714036504", "1514711492", "c2VhbGVk"), random.Random(7)
    good, accepted = signature(*parts), 0
    for _ in range(2000):
        given_, changed = list(good), list(parts)
        if pick.random() < 0.5:
            at = pick.randrange(len(given_))
            given_[at] = pick.choice([c for c in "0123456789abcdefABCDEF é" if c != given_[at]])
        else:
            which = pick.randrange(len(changed))
            at = pick.randrange(len(changed[which]) + 1)
            changed[which] = changed[which][:at] + pick.choice("Zz09~") + changed[which][at:]
        accepted += is_signed("".join(given_), *changed)
    assert accepted == 0


@pytest.mark.parametrize("strange", ["", "é" * 40, "\ud800", "0" * 100_000])
def test_strange_signature_is_refused(strange: str) -> None:
    assert not is_signed(strange, TOKEN, "1", "2")


def theirs(key: str = KEY, app_id: str = APP_ID) -> Any:
    return WeChatCrypto(TOKEN, key, app_id)


def sealed_by_them(xml: str, key: str = KEY, app_id: str = APP_ID) -> str:
    envelope = theirs(key, app_id).encrypt_message(xml, "nonce", "1714036504")
    return str(envelope.split("<Encrypt><![CDATA[")[1].split("]]>")[0])


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=300))
def test_what_wechatpy_seals_is_opened_and_back(text: str) -> None:
    cipher = Cipher("wx", APP_ID, KEY, OLD_KEY)
    assert cipher.open(sealed_by_them(text)) == (text.encode(), 0)
    assert cipher.open(sealed_by_them(text, OLD_KEY)) == (text.encode(), 1)
    for index, key in enumerate((KEY, OLD_KEY)):
        encrypted = cipher.seal(text.encode(), index)
        signed = signature(TOKEN, "1714036504", "n", encrypted)
        opened = theirs(key).decrypt_message({"Encrypt": encrypted}, signed, "1714036504", "n")
        assert opened == text


def test_other_app_id_is_refused() -> None:
    with pytest.raises(RejectedError, match="another app id") as caught:
        Cipher("wx", APP_ID, KEY).open(sealed_by_them("<xml/>", app_id="wxffffffffffffffff"))
    assert caught.value.reason == "app_id"


def test_unknown_key_is_refused() -> None:
    with pytest.raises(RejectedError, match="no EncodingAESKey opens"):
        Cipher("wx", APP_ID, OLD_KEY).open(sealed_by_them("<xml/>"))


def sealed_raw(inside: bytes) -> str:
    key = decode_key(KEY)
    run = Aes(AES256(key), CBC(key[:16])).encryptor()
    return base64.b64encode(run.update(inside) + run.finalize()).decode()


def whole(xml: bytes, pad: bytes) -> bytes:
    return b"r" * 16 + len(xml).to_bytes(4, "big") + xml + APP_ID.encode() + pad


BODY = b"<xml>" + b"x" * 21  # with 16, 4 and 18 more: two blocks of 32


def test_padding_is_of_blocks_of_32() -> None:
    assert Cipher("wx", APP_ID, KEY).open(sealed_raw(whole(BODY, bytes([32]) * 32))) == (BODY, 0)


@pytest.mark.parametrize(
    "pad",
    [b"\x00" * 32, bytes([33]) * 32, bytes([255]) * 32, b"\x01" * 31 + b"\x20", b"\x20" * 30 + b"\x1f\x20"],
)  # fmt: skip
def test_broken_padding_is_refused(pad: bytes) -> None:
    with pytest.raises(RejectedError) as caught:
        Cipher("wx", APP_ID, KEY).open(sealed_raw(whole(BODY, pad)))
    assert caught.value.reason == "encryption"


@pytest.mark.parametrize("length", [0, 1, 2**31, 2**32 - 1])
def test_false_length_is_refused(length: int) -> None:
    inside = b"r" * 16 + length.to_bytes(4, "big") + BODY + APP_ID.encode() + bytes([32]) * 32
    with pytest.raises(RejectedError):
        Cipher("wx", APP_ID, KEY).open(sealed_raw(inside))


@pytest.mark.parametrize("encrypted", ["", "===", "é", "QUJD", "A" * 44, "ab c"])
def test_what_is_no_ciphertext_is_refused(encrypted: str) -> None:
    with pytest.raises(RejectedError):
        Cipher("wx", APP_ID, KEY).open(encrypted)


def test_altered_ciphertexts_open_to_nothing_else() -> None:
    cipher, pick = Cipher("wx", APP_ID, KEY), random.Random(11)
    content = bytearray(base64.b64decode(sealed_by_them("<xml>" + "x" * 60 + "</xml>")))
    for _ in range(300):
        altered = bytearray(content)
        altered[pick.randrange(32, len(altered))] ^= 1 << pick.randrange(8)
        try:
            opened, _ = cipher.open(base64.b64encode(altered).decode())
        except RejectedError:
            continue
        assert opened != b"<xml>" + b"x" * 60 + b"</xml>"


@pytest.mark.parametrize("key", ["", "short", KEY + "A", "!" * 43])
def test_bad_aes_key_is_named(key: str) -> None:
    with pytest.raises(ValueError, match="EncodingAESKey"):
        decode_key(key)
