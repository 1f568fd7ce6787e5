"""How people log in (``[accounts]`` of ``configs/hub.toml``): second factor, trusted gateways, single sign-on."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from store.config import Strict

Role = Literal["dispatcher", "department", "subdistrict", "official", "supervisor", "admin"]


def networks(value: tuple[str, ...]) -> tuple[str, ...]:
    """The networks as given; ValueError on what is none."""
    for network in value:
        ipaddress.ip_network(network)
    return value


class HeaderConfig(Strict):
    """A gateway that has logged people in says who they are in the header ``name``.

    It is believed from the peers in ``trusted`` only; anybody else who sends it is refused.
    """

    name: str = Field(default="X-Remote-User", pattern=r"^[A-Za-z0-9-]{1,64}$")
    trusted: tuple[str, ...] = Field(min_length=1)

    _networks = field_validator("trusted")(networks)


class OidcConfig(Strict):
    """An OpenID Connect provider; ``claim`` of its id_token is what ``users.external`` is compared with.

    Plain http is for tests on one machine only: OpenID Connect Discovery 1.0, 4.
    """

    issuer: str = Field(pattern=r"^(https://|http://(localhost|127\.0\.0\.1)[:/])[^?#]*$")
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = SecretStr("")
    name: str = "统一身份认证"
    claim: str = "sub"
    scopes: str = "openid"


class AccountsConfig(Strict):
    """``proxies`` are the peers whose ``X-Forwarded-For`` is believed when failed logins are counted."""

    totp_required: frozenset[Role] = frozenset()
    proxies: tuple[str, ...] = ()
    header: HeaderConfig | None = None
    oidc: OidcConfig | None = None

    _networks = field_validator("proxies")(networks)
