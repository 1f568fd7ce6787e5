"""Settings of one official account; the secrets come from the environment."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from ingest.connectors.wechat.crypto import decode_key
from store.config import Strict

FACTS = ("receipt", "text", "office", "due", "stage")
"""What a template's field may be filled with."""


class WeChatConfig(Strict):
    """``[connectors.wechat.NAME]``: the name becomes the channel and the end of the callback's address.

    ``mode`` is the account's message mode (明文 plain, 兼容 compat, 安全 aes). ``template_fields`` maps the
    template's keys to words with ``{receipt}``, ``{text}``, ``{office}``, ``{due}`` or ``{stage}``. ``egress``
    is the hub's own outside address, shown when WeChat refuses it.
    """

    app_id: str = Field(pattern=r"^wx[0-9a-f]{16}$")
    mode: Literal["plain", "compat", "aes"] = "aes"
    api: str = Field(default="https://api.weixin.qq.com", pattern=r"^https?://[^/\s]+$")
    template_id: str = Field(default="", max_length=100)
    template_fields: dict[str, str] = {"keyword1": "{receipt}", "keyword2": "{text}"}
    template_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    egress: str = Field(default="", max_length=100)
    token: SecretStr
    app_secret: SecretStr
    aes_key: SecretStr = SecretStr("")
    previous_aes_key: SecretStr = SecretStr("")

    @field_validator("token", "app_secret")
    @classmethod
    def _given(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value():
            msg = "empty; set it in the environment"
            raise ValueError(msg)
        return value

    @field_validator("aes_key", "previous_aes_key")
    @classmethod
    def _a_key(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            decode_key(value.get_secret_value())
        return value

    @field_validator("template_fields")
    @classmethod
    def _known_facts(cls, value: dict[str, str]) -> dict[str, str]:
        for key, words in value.items():
            try:
                words.format_map(dict.fromkeys(FACTS, ""))
            except (KeyError, IndexError, ValueError, AttributeError) as error:
                msg = f"{key}: only {', '.join(FACTS)} can be filled in"
                raise ValueError(msg) from error
        return value

    @model_validator(mode="after")
    def _can_open(self) -> WeChatConfig:
        if self.mode != "plain" and not self.aes_key.get_secret_value():
            msg = f"aes_key is missing, mode {self.mode} needs it; set it in the environment"
            raise ValueError(msg)
        return self
