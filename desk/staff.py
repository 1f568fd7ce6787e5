"""Everything about people who log in, put together: guard, login, account page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from desk.account import AccountPage
from desk.accounts import Accounts
from desk.entry import Entry
from desk.factors import Factors
from desk.login import Login
from desk.oidc import Oidc
from desk.pages import Pages, Section
from desk.security import Guard
from desk.sessions import Sessions
from desk.settings import AccountsConfig
from desk.sso import Gateway
from store.db import Database
from store.errors import ConfigError
from store.ports import Http
from store.vault import Vault


class Staff:
    """``guard`` wraps every page, ``sections`` are the pages; ConfigError when settings do not fit together."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        accounts: Accounts,
        pages: Pages,
        *,
        config: AccountsConfig | None,
        http: Http | None,
        public_url: str,
        hub_name: str,
        secure: bool,
        clock: Callable[[], datetime],
    ) -> None:
        config = config or AccountsConfig()
        gateway = (
            Gateway(config.header, accounts.of_external) if config.header is not None else None
        )
        self.sessions = Sessions(db, clock=clock)
        self.factors = Factors(db, vault, clock=clock)
        required = config.totp_required
        self.guard = Guard(self.sessions, secure=secure, required=required, gateway=gateway)
        entry = Entry(db, vault, accounts, self.factors, self.sessions, clock)
        oidc = _oidc(config, public_url, http, db, clock=clock)
        self.sections: list[Section] = [
            Login(entry, self.guard, pages, config=config, gateway=gateway, oidc=oidc),
            AccountPage(db, pages, entry, self.guard, hub_name=hub_name, config=config),
        ]


def _oidc(
    config: AccountsConfig,
    public_url: str,
    http: Http | None,
    db: Database,
    *,
    clock: Callable[[], datetime],
) -> Oidc | None:
    if config.oidc is None:
        return None
    if not public_url or http is None:
        msg = "desk: public_url: missing; accounts.oidc needs the address people reach the hub by"
        raise ConfigError(msg)
    back = public_url.rstrip("/") + "/login/sso/back"
    return Oidc(config.oidc, back=back, http=http, db=db, clock=clock)
