"""Everything an operator sets: ``configs/hub.toml``, with environment variables on top.

Order: arguments, then ``MINSHENG_*`` (nested with ``__``), then the file. A key nobody knows is an
error, in the file and in the environment. Secrets come from the environment only and never print.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from desk.settings import AccountsConfig
from ingest.connectors.discuz import DiscuzConfig
from ingest.connectors.feed import FeedConfig
from ingest.connectors.lists import ListConfig
from ingest.connectors.open311 import Open311Config
from ingest.connectors.wechat import WeChatConfig
from ingest.connectors.weibo import WeiboConfig
from router.notify.email import MailConfig
from router.notify.endpoints import Robot
from store.config import Strict, ZoneName, explain, read_text, read_toml
from store.errors import ConfigError

PREFIX = "MINSHENG_"
OUTSIDE = ("MINSHENG_TEST_", "MINSHENG_CRASH_AT", "MINSHENG_REQUIRE_")
"""Environment names that are not settings: test switches."""


class City(Strict):
    """Whose hub this is."""

    name: str = "敦化市"
    hub_name: str = "敦化市民声"
    prefix: str = Field(default="DH", pattern=r"^[A-Z]{1,4}$")
    timezone: ZoneName = "Asia/Shanghai"

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return ZoneInfo(self.timezone)


class Listen(Strict):
    """Where the hub answers HTTP. ``secure`` marks cookies for https."""

    host: str = "127.0.0.1"
    port: int = Field(default=8470, ge=0, le=65535)
    secure: bool = False


class AppConfig(Strict):
    """``[connectors.app]``: ``keys`` maps a client's name to its secret key."""

    enabled: bool = True
    keys: dict[str, SecretStr] = {}
    rate: float = Field(default=50.0, gt=0)
    burst: float = Field(default=200.0, gt=0)


class Connectors(Strict):
    """The channels that are connected."""

    app: AppConfig = AppConfig()
    feeds: dict[str, FeedConfig] = {}
    forums: dict[str, DiscuzConfig] = {}
    open311: Open311Config = Open311Config()
    wechat: dict[str, WeChatConfig] = {}
    weibo: dict[str, WeiboConfig] = {}
    lists: dict[str, ListConfig] = {"hotline": ListConfig(), "urban_management": ListConfig()}


class Net(Strict):
    """Which private networks the hub may call; the public Internet is always allowed."""

    allow: tuple[str, ...] = ()

    @field_validator("allow")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ipaddress.ip_network(network)
        return value


class Settings(BaseSettings):
    """The whole."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    city: City = City()
    listen: Listen = Listen()
    connectors: Connectors = Connectors()
    net: Net = Net()
    accounts: AccountsConfig = AccountsConfig()
    channels: dict[str, str] = {}
    database_url: str = ""
    journal_url: str = ""
    master_key: SecretStr = SecretStr("")
    webhook_secrets: dict[str, SecretStr] = {}
    robots: dict[str, Robot] = {}
    mail: MailConfig | None = None
    public_url: str = Field(default="", pattern=r"^(https?://[^/?#]+/?)?$")
    classify_batch: int = Field(default=256, ge=1, le=2000)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        path = cls.model_config.get("toml_file")
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, path))


def find_configs(given: str | None) -> Path:
    """The configuration folder: the argument, else ``./configs``, else the defaults of the package."""
    if given:
        return Path(given)
    local = Path("configs")
    if (local / "hub.toml").exists():
        return local
    packaged = Path(__file__).parent / "_configs"
    return packaged if packaged.exists() else Path(__file__).parent.parent / "configs"


def load_settings(configs: Path, **overrides: Any) -> Settings:
    """Read and check the settings; ConfigError names file or variable, key and cure."""
    path = configs / "hub.toml"
    text = read_text(path)
    read_toml(path)
    _check_environment()

    class _FromFile(Settings):
        model_config = SettingsConfigDict(**{**Settings.model_config, "toml_file": path})

    try:
        return _FromFile(**overrides)
    except ValidationError as error:
        raise ConfigError(explain(error, f"{path} or environment", text)) from error
    except SettingsError as error:
        raise ConfigError(f"config: environment: {error}; write it as JSON") from error


def _check_environment() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in os.environ:
        if name.startswith(PREFIX) and not name.startswith(OUTSIDE):
            head = name.split("__", 1)[0]
            if head not in known:
                msg = f"config: environment: {name} is not a setting; remove it or correct its spelling"
                raise ConfigError(msg)
