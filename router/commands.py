"""All that people may do with cases, as one thing to hand to the desk, the inbox and the offices' systems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from router.cases import Cases
from router.deadlines import Limit
from router.joining import Joining
from router.labeling import Labeling
from router.ledger import Ledger
from router.lifecycle import Lifecycle
from router.orders import Orders
from router.planning import Planner
from router.proposing import Proposing
from router.requests import Requests
from router.snoozing import Snoozing
from router.splitting import Splitting
from router.tasks import Tasks
from router.undoing import Undoing
from router.workflow import ORDER_TRANSITIONS, CaseStatus, OrderStatus, Verb
from store.vault import Vault

OFFICE_VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        "sign": Verb.SIGN,
        "handle": Verb.HANDLE,
        "return": Verb.RETURN_ORDER,
        "extend": Verb.ASK_EXTENSION,
        "suspend": Verb.ASK_SUSPENSION,
    }
)
"""What an office may do with its work order, as its word in addresses and forms."""

REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "reason": "请选择退单原因。",
        "final": "派遣员已作最终认定，不能再退单；请办理或申请延期。",
        "late": "已超过允许的时间，不能退单或申请延期。",
        "proposed": "请在部门名录中选择转办单位，不能转给本单位。",
        "limit": "申请的时间无效、过长或次数已用完。",
        "asked": "申请已提交，请等待答复。",
    }
)
"""Why an office's command was refused, by the error's reason, as its people read it."""


@dataclass(frozen=True)
class Commands:
    """The commands over one ledger."""

    cases: Cases
    orders: Orders
    requests: Requests
    joining: Joining
    undoing: Undoing
    tasks: Tasks
    labeling: Labeling
    snoozing: Snoozing
    splitting: Splitting
    proposing: Proposing

    def adopt(self, lifecycle: Lifecycle) -> None:
        """Keep to these bounds from now on."""
        for held in (self.cases, self.orders, self.undoing, self.snoozing):
            held.lifecycle = lifecycle

    async def office(
        self,
        order_id: int,
        verb: Verb,
        *,
        actor: str,
        scope: str,
        note: str,
        reason: str = "",
        proposed: str = "",
        limit: Limit | None = None,
        version: int | None = None,
        once: bool = False,
    ) -> None:
        """One of ``OFFICE_VERBS``, from inbox, link or signed call; raises what the command raises."""
        asked = {Verb.ASK_EXTENSION: "extension", Verb.ASK_SUSPENSION: "suspension"}.get(verb)
        if asked is not None:
            await self.requests.ask(
                order_id, actor=actor, scope=scope, what=asked, note=note, limit=limit,
                version=version, once=once,
            )  # fmt: skip
            return
        await self.orders.progress(
            order_id, actor=actor, scope=scope, verb=verb, note=note, reason=reason,
            proposed=proposed, version=version, once=once,
        )  # fmt: skip


def office_may(order_status: str, case_status: str, *, lead: bool) -> list[tuple[str, Verb]]:
    """Which of ``OFFICE_VERBS`` the tables allow on an order now."""
    if case_status == CaseStatus.SUSPENDED:
        return []
    return [
        (word, verb)
        for word, verb in OFFICE_VERBS.items()
        if (OrderStatus(order_status), verb) in ORDER_TRANSITIONS
        and (lead or verb is not Verb.ASK_SUSPENSION)
    ]


def build_commands(
    ledger: Ledger, planner: Planner, lifecycle: Lifecycle, vault: Vault
) -> Commands:
    """The commands under one city's rules, limits and bounds; ``vault`` seals the parts of a message."""
    cases = Cases(ledger, planner, lifecycle)
    return Commands(
        cases=cases,
        orders=Orders(ledger, planner, lifecycle),
        requests=Requests(ledger, cases),
        joining=Joining(ledger, planner),
        undoing=Undoing(ledger, lifecycle),
        tasks=Tasks(ledger.db, ledger.clock),
        labeling=Labeling(ledger, planner),
        snoozing=Snoozing(ledger, lifecycle),
        splitting=Splitting(ledger, planner, vault),
        proposing=Proposing(ledger.db, planner, ledger.clock),
    )
