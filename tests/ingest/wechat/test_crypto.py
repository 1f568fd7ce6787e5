"""Signatures and encryption against the platform's known answers and an independent client, wechatpy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto

from ingest.connectors.wechat.crypto import Cipher, is_signed, signature
from store.errors import RejectedError

APP_ID = "wx" + "0123456789abcdef"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OTHER = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
TOKEN = "AAAAA"


@pytest.mark.parametrize(
    ("stamp", "nonce", "known"),
    [
        ("1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        ("1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
    ],
)
def test_known_answers(stamp: str, nonce: str, known: str) -> None:
    assert signature(TOKEN, stamp, nonce) == known
    assert is_signed(known, TOKEN, stamp, nonce)
    assert not is_signed(known[:-1] + "0", TOKEN, stamp, nonce)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=300))
def test_wechatpy_opens_what_we_seal_and_we_open_what_it_seals(words: str) -> None:
    xml = f"<xml><Content>{words.replace('<', '').replace('&', '')}</Content></xml>"
    cipher, peer = Cipher("wechat", APP_ID, KEY), WeChatCrypto(TOKEN, KEY, APP_ID)
    sealed = cipher.seal(xml.encode())
    signed = signature(TOKEN, "123", "nonce", sealed)
    envelope = f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    assert peer.decrypt_message(envelope, signed, "123", "nonce") == xml
    theirs = peer.encrypt_message(xml, "nonce", "123")
    inner = theirs.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    assert cipher.open(inner) == (xml.encode(), 0)


def test_both_keys_open_during_rotation_and_the_one_that_opened_is_named() -> None:
    new, old = Cipher("wechat", APP_ID, KEY, OTHER), Cipher("wechat", APP_ID, OTHER)
    assert new.open(old.seal(b"<xml/>")) == (b"<xml/>", 1)
    assert old.open(new.seal(b"<xml/>", 1)) == (b"<xml/>", 0)


def test_foreign_account_foreign_key_and_broken_boxes_are_refused() -> None:
    cipher = Cipher("wechat", APP_ID, KEY)
    for sealed, reason in (
        (Cipher("x", "wx" + "f" * 16, KEY).seal(b"<xml/>"), "app_id"),
        (Cipher("x", APP_ID, OTHER).seal(b"<xml/>"), "encryption"),
        ("", "encryption"),
        ("not base64!", "encryption"),
        ("QUJD", "encryption"),
    ):
        with pytest.raises(RejectedError) as caught:
            cipher.open(sealed)
        assert caught.value.reason == reason


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_altered_boxes_never_give_other_words(at: int, change: int) -> None:
    import base64

    cipher = Cipher("wechat", APP_ID, KEY)
    box = bytearray(base64.b64decode(cipher.seal(b"<xml>words</xml>")))
    box[at % len(box)] ^= change
    try:
        opened = cipher.open(base64.b64encode(bytes(box)).decode())[0]
    except RejectedError:
        return
    assert len(opened) == len(
        b"<xml>words</xml>"
    )  # only the signature, checked first, protects the words
