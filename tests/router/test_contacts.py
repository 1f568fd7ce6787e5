"""Contacts leave for an office whose work needs them, in its signed webhook only, and on record; for nobody else."""

import json
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from router.departments import Directory
from router.notify.contacts import Contacts
from router.notify.endpoints import build_endpoints
from router.notify.senders import Endpoint
from store.db import Tx
from store.errors import ConfigError
from store.model import item_uid
from store.ports import Answer
from store.tables import T

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
PHONE = "13800138000"


class Wire:
    """Stands for the network and keeps what went over it."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def send(self, method: str, url: str, **more: Any) -> Answer:
        self.sent.append(more["body"])
        return Answer(204, b"", {})


async def seal(desk: Any, order: int) -> None:
    """The citizen of the order's case left a name and a number."""
    content = {"title": "", "text": "楼下有污水", "name": "某居民", "phone": PHONE, "email": ""}
    owner = str(item_uid("app", "0"))
    box = desk.vault.seal(owner, msgspec.json.encode(content))
    i = T.items.c

    async def work(tx: Tx) -> None:
        change = update(T.items).where(i.id == order // 100)
        await tx.run(change.values(sealed=box.sealed, key=box.key))

    await desk.db.write(work)


@pytest.mark.parametrize("contact", [True, False])
async def test_contact_leaves_only_where_it_is_needed_and_on_record(
    desk: Any,
    contact: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    order, wire = await desk.case(), Wire()
    await seal(desk, order)
    endpoints = {
        "a": Endpoint("a", "a", "webhook", url="https://a/", secret=SECRET, contact=contact)
    }
    await desk.tell(endpoints, order)
    contacts = Contacts(desk.db, desk.vault, desk.clock)
    await desk.deliverer(endpoints, wire, contacts=contacts).run_once()
    data = json.loads(wire.sent[0])["data"]
    assert data.get("contact") == ({"name": "某居民", "phone": PHONE} if contact else None)
    async with desk.db.read() as conn:
        kept = [(r.actor, r.act, r.target) for r in await conn.execute(select(T.audit))]
    assert kept == ([("a", "contact_sent", str(order // 100))] if contact else [])


async def test_what_is_taken_back_or_erased_carries_none(desk: Any) -> None:
    order, wire = await desk.case(), Wire()
    endpoints = {"a": Endpoint("a", "a", "webhook", url="https://a/", secret=SECRET, contact=True)}
    await desk.tell(endpoints, order)
    contacts = Contacts(desk.db, desk.vault, desk.clock)
    await desk.deliverer(endpoints, wire, contacts=contacts).run_once()
    assert "contact" not in json.loads(wire.sent[0])["data"]


def test_contacts_over_plain_http_are_refused() -> None:
    office = {"id": "a", "name": "甲局", "webhook": "http://a/", "contact": True}
    directory = Directory.model_validate(
        {"default": "a", "out_of_scope": "a", "department": [office]}
    )
    with pytest.raises(ConfigError, match="https://"):
        build_endpoints(
            directory, webhooks=directory.webhooks, secrets={"a": SECRET}, robots={}, mail=None
        )
