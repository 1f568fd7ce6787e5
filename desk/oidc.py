"""Single sign-on by OpenID Connect Core 1.0: authorization code flow with PKCE (RFC 7636), state and nonce.

What must come back is derived from one secret in the browser's cookie; the database knows each state's
digest and gives it up once, so a state is never good twice. Needs ``pip install minsheng[oidc]``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from sqlalchemy import delete, insert

from desk.settings import OidcConfig
from store.db import Database, Tx
from store.errors import AuthError, ConfigError, TransientError
from store.ports import Answer, Http
from store.tables import T

ALGORITHMS = ("RS256", "PS256", "ES256")
"""How an id_token may be signed: with the provider's private key, never with a shared secret."""

AWAY = timedelta(minutes=10)
"""Somebody sent to the provider must be back by then."""

FRESH = timedelta(hours=1)
"""How long what the provider says of itself is believed; its keys are asked for anew sooner when one is unknown."""

LEEWAY_S = 60
"""Difference of clocks allowed for."""

ASKED = frozenset({"authorization_endpoint", "token_endpoint", "jwks_uri"})
"""What a provider must say of itself."""

REFUSED = "desk: oidc: {what}; log in again, or tell the administrator"

_names = msgspec.json.Decoder(dict[str, Any])


def derived(secret: str, purpose: str) -> str:
    """One of the values that belong to a departure: 256 bits, base64url without padding."""
    made = hmac.digest(secret.encode(), purpose.encode(), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


class Oidc:
    """One provider. ``back`` is the address it sends people back to."""

    def __init__(
        self,
        config: OidcConfig,
        *,
        back: str,
        http: Http,
        db: Database,
        clock: Callable[[], datetime],
    ) -> None:
        try:
            self._jose = importlib.import_module("joserfc.jwt")
            self._keys = importlib.import_module("joserfc.jwk")
            self._errors = importlib.import_module("joserfc.errors")
        except ImportError as error:
            msg = "desk: accounts.oidc: joserfc is not installed; pip install minsheng[oidc]"
            raise ConfigError(msg) from error
        self.config = config
        self._back = back
        self._http = http
        self._db = db
        self._clock = clock
        self._told: tuple[datetime, dict[str, Any], Any] | None = None

    async def depart(self) -> tuple[str, str]:
        """(secret for the browser's cookie, address to send it to)."""
        provider, _ = await self._provider()
        secret = secrets.token_urlsafe(32)
        state = derived(secret, "state")
        now = self._clock()

        async def work(tx: Tx) -> None:
            d = T.departures
            await tx.run(delete(d).where(d.c.ends_at < now))
            await tx.run(insert(d).values(state_sha=_sha(state), ends_at=now + AWAY))

        await self._db.write(work)
        challenge = hashlib.sha256(derived(secret, "verifier").encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": self._back,
            "scope": self.config.scopes,
            "state": state,
            "nonce": derived(secret, "nonce"),
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        where = str(provider["authorization_endpoint"])
        return secret, f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}"

    async def arrive(self, secret: str, query: Mapping[str, str]) -> str:
        """Who the provider says came back; AuthError when anything is not as it was asked."""
        state = derived(secret, "state")
        same = hmac.compare_digest(query.get("state", "").encode(), state.encode())
        if not secret or not same or not await self._once(state):
            raise AuthError(
                REFUSED.format(what="the state is not one of this browser, or was used")
            )
        if query.get("iss", self.config.issuer) != self.config.issuer:  # RFC 9207
            raise AuthError(REFUSED.format(what="another provider answered"))
        if not query.get("code"):
            raise AuthError(REFUSED.format(what="the provider gave no code"))
        told = await self._redeem(query["code"], derived(secret, "verifier"))
        claims = await self._verified(str(told.get("id_token", "")), derived(secret, "nonce"))
        return str(claims.get(self.config.claim) or "")

    async def _once(self, state: str) -> bool:
        d, now = T.departures, self._clock()

        async def work(tx: Tx) -> bool:
            mine = (d.c.state_sha == _sha(state), d.c.ends_at > now)
            return (await tx.run(delete(d).where(*mine))).rowcount == 1

        return await self._db.write(work)

    async def _redeem(self, code: str, verifier: str) -> dict[str, Any]:
        """The code for tokens (RFC 6749, 4.1.3)."""
        provider, _ = await self._provider()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._back}
        form |= {"client_id": self.config.client_id, "code_verifier": verifier}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        key = self.config.client_secret.get_secret_value()
        if key:
            pair = f"{quote(self.config.client_id, safe='')}:{quote(key, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        answer = await self._http.send(
            "POST", str(provider["token_endpoint"]), headers=headers, body=urlencode(form).encode()
        )
        if answer.status != 200:  # noqa: PLR2004
            raise AuthError(REFUSED.format(what=f"the provider refused the code ({answer.status})"))
        return _object(answer)

    async def _verified(self, token: str, nonce: str) -> Mapping[str, Any]:
        """The claims of an id_token (OpenID Connect Core 1.0, 3.1.3.7)."""
        try:
            decoded = await self._decoded(token)
            self._registry(nonce).validate(decoded.claims)
        except (self._errors.JoseError, ValueError) as error:
            what = f"the id_token does not hold ({type(error).__name__})"
            raise AuthError(REFUSED.format(what=what)) from error
        audience = decoded.claims["aud"]
        if (
            isinstance(audience, list)
            and len(audience) > 1
            and decoded.claims.get("azp") != self.config.client_id
        ):
            raise AuthError(REFUSED.format(what="the id_token is for another client"))
        claims: Mapping[str, Any] = decoded.claims
        return claims

    def _registry(self, nonce: str) -> Any:
        needed = {
            "iss": self.config.issuer,
            "aud": self.config.client_id,
            "nonce": nonce,
        }
        exact = {name: {"essential": True, "value": value} for name, value in needed.items()}
        now = int(self._clock().timestamp())
        more = {"exp": {"essential": True}, "iat": {"essential": True}, "sub": {"essential": True}}
        return self._jose.JWTClaimsRegistry(now=now, leeway=LEEWAY_S, **exact, **more)

    async def _decoded(self, token: str) -> Any:
        """Signature checked; the keys are asked for anew once when none of them fits."""
        _, keys = await self._provider()
        try:
            return self._jose.decode(token, keys, algorithms=list(ALGORITHMS))
        except self._errors.InvalidKeyIdError:
            _, keys = await self._provider(anew=True)
            return self._jose.decode(token, keys, algorithms=list(ALGORITHMS))

    async def _provider(self, *, anew: bool = False) -> tuple[dict[str, Any], Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0, 4) and its keys."""
        now = self._clock()
        if self._told is None or anew or now - self._told[0] > FRESH:
            where = self.config.issuer.rstrip("/") + "/.well-known/openid-configuration"
            told = _object(await self._http.send("GET", where))
            if told.get("issuer") != self.config.issuer or not told.keys() >= ASKED:
                msg = "desk: accounts.oidc.issuer: the provider calls itself otherwise; write it exactly so"
                raise TransientError(msg)
            keys = _object(await self._http.send("GET", str(told["jwks_uri"])))
            self._told = (now, told, self._keys.KeySet.import_key_set(keys))
        return self._told[1], self._told[2]


def _object(answer: Answer) -> dict[str, Any]:
    """A JSON object the provider sent; TransientError for anything else."""
    try:
        if answer.status == 200:  # noqa: PLR2004
            return _names.decode(answer.body)
    except msgspec.DecodeError:
        pass
    raise TransientError("desk: oidc: the provider's answer can not be read; try again later")


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
