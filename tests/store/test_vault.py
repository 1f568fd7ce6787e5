"""Sealing, erasing, deriving codes."""

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import ConfigError, RejectedError
from store.numbers import case_no, check_digit, parse_case_no
from store.vault import Box, Vault, load_master


@given(st.binary(max_size=2000), st.text(min_size=1, max_size=50))
def test_what_is_sealed_opens_for_its_owner_only(content: bytes, owner: str) -> None:
    vault = Vault(b"k" * 32)
    box = vault.seal(owner, content)
    assert vault.unseal(owner, box) == content
    with pytest.raises(RejectedError):
        vault.unseal(owner + "x", box)


def test_altered_box_does_not_open(vault: Vault) -> None:
    box = vault.seal("o", b"content")
    for bad in (
        Box(box.key, box.sealed[:-1] + bytes([box.sealed[-1] ^ 1])),
        Box(box.key[:-1] + bytes([box.key[-1] ^ 1]), box.sealed),
    ):
        with pytest.raises(RejectedError):
            vault.unseal("o", bad)


def test_other_master_key_opens_nothing(vault: Vault) -> None:
    with pytest.raises(RejectedError, match="MINSHENG_MASTER_KEY"):
        Vault(b"z" * 32).unseal("o", vault.seal("o", b"content"))


def test_second_box_under_the_same_key(vault: Vault) -> None:
    first = vault.seal("o", b"one")
    second = vault.seal("o", b"two", key=first.key)
    assert second.key == first.key
    assert vault.unseal("o", second) == b"two"


def test_codes_depend_on_the_master_key(vault: Vault) -> None:
    assert vault.code("receipt", "x") == vault.code("receipt", "x")
    assert vault.code("receipt", "x") != vault.code("receipt", "y")
    assert vault.code("receipt", "x") != Vault(b"z" * 32).code("receipt", "x")
    assert len(vault.code("receipt", "x")) == 12


def test_master_key_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    first = load_master("", path)
    assert load_master("", path) == first
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("value", ["not base64!", base64.b64encode(b"short").decode()])
def test_bad_master_key_says_how_to_make_one(value: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="openssl rand"):
        Vault(load_master(value, tmp_path / "k"))


@given(st.integers(min_value=20200101_0000001, max_value=20991231_9999999))
def test_case_number_reads_back(case_id: int) -> None:
    assert parse_case_no("DH", case_no("DH", case_id)) == case_id


@given(st.text("0123456789", min_size=15, max_size=15), st.integers(0, 14), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(digits: str, at: int, by: int) -> None:
    wrong = digits[:at] + str((int(digits[at]) + by) % 10) + digits[at + 1 :]
    assert check_digit(wrong) != check_digit(digits)


def test_keys_are_random() -> None:
    assert (
        Vault(os.urandom(32)).seal("o", b"x").sealed != Vault(os.urandom(32)).seal("o", b"x").sealed
    )
