"""Boxes that are broken inside: padding, lengths, and what is no box at all."""

import base64

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher as Aes
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from ingest.connectors.wechat.crypto import Cipher, decode_key, is_signed
from store.errors import RejectedError

APP_ID = "wx0123456789abcdef"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
BODY = b"<xml>" + b"x" * 21  # with 16, 4 and 18 more: two blocks of 32


def sealed(xml: bytes, pad: bytes, *, length: int | None = None) -> str:
    head = b"r" * 16 + (len(xml) if length is None else length).to_bytes(4, "big")
    key = decode_key(KEY)
    run = Aes(AES256(key), CBC(key[:16])).encryptor()
    content = run.update(head + xml + APP_ID.encode() + pad) + run.finalize()
    return base64.b64encode(content).decode()


def test_padding_is_of_blocks_of_32() -> None:
    assert Cipher("wx", APP_ID, KEY).open(sealed(BODY, bytes([32]) * 32)) == (BODY, 0)


@pytest.mark.parametrize(
    "pad",
    [b"\x00" * 32, bytes([33]) * 32, bytes([255]) * 32, b"\x01" * 31 + b"\x20", b"\x20" * 30 + b"\x1f\x20"],
)  # fmt: skip
def test_broken_padding_is_refused(pad: bytes) -> None:
    with pytest.raises(RejectedError) as caught:
        Cipher("wx", APP_ID, KEY).open(sealed(BODY, pad))
    assert caught.value.reason == "encryption"


@pytest.mark.parametrize("length", [0, 1, 2**31, 2**32 - 1])
def test_false_length_is_refused(length: int) -> None:
    with pytest.raises(RejectedError):
        Cipher("wx", APP_ID, KEY).open(sealed(BODY, bytes([32]) * 32, length=length))


@pytest.mark.parametrize("encrypted", ["", "===", "é", "A" * 44, "ab c"])
def test_what_is_no_ciphertext_is_refused(encrypted: str) -> None:
    with pytest.raises(RejectedError):
        Cipher("wx", APP_ID, KEY).open(encrypted)


@pytest.mark.parametrize("key", ["", "short", KEY + "A", "!" * 43])
def test_bad_aes_key_is_named(key: str) -> None:
    with pytest.raises(ValueError, match="EncodingAESKey"):
        decode_key(key)


@pytest.mark.parametrize("strange", ["", "é" * 40, "\ud800", "0" * 100_000])
def test_strange_signature_is_refused(strange: str) -> None:
    assert not is_signed(strange, "token", "1", "2")
