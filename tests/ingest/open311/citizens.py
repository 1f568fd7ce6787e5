"""What citizens and clients send, and how their answers are read."""

import base64
from typing import Any

from lxml import etree

from ingest.connectors.open311.services import Attribute, Service, services_of

KEY = "a-key-of-the-city-client"
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
KEYS = {"city": KEY, "other": "a-key-of-another-client"}
STATUSES = {"received": "已受理", "dispatched": "已派遣", "closed": "已结案"}
CLOSED = frozenset({"closed", "declined", "merged"})
DEPARTMENTS = {"sanitation": "环境卫生处"}
STRICT = Service(
    "001", "路灯报修", "路灯不亮", ("路灯", "照明"), "设施",
    (
        Attribute("NOTE", "请远离灯杆", "text", variable=False, required=True),
        Attribute("LAMPS", "盏数", "number", required=True),
        Attribute("SINCE", "开始时间", "datetime"),
        Attribute("WHERE", "位置", "multivaluelist", values=(("a", "路口"), ("b", "路段"))),
        Attribute("KIND", "灯型", "singlevaluelist", values=(("x", "高杆"), ("y", "庭院"))),
    ),
)  # fmt: skip
SERVICES = (*services_of({"litter": "垃圾乱扔"}, {"civility": "市民素质提升行动"}), STRICT)
NAMES = {service.code: service.name for service in SERVICES}
PLACE = {"lat": "38.914", "long": "121.6147"}


def report(**more: Any) -> dict[str, Any]:
    """A good form; None leaves a field out."""
    fields = {
        "api_key": KEY, "service_code": "litter", "description": "小区门口垃圾成堆", **PLACE, **more
    }  # fmt: skip
    return {name: value for name, value in fields.items() if value is not None}


async def post(client: Any, fmt: str = "json", headers: Any = None, **more: Any) -> Any:
    return await client.post(f"/open311/v2/requests.{fmt}", data=report(**more), headers=headers)


async def number(client: Any, **more: Any) -> str:
    answer = await post(client, **more)
    assert answer.status == 200, await answer.text()
    return (await answer.json())[0]["service_request_id"]


LISTS = {"endpoints", "formats", "attributes", "values"}


def from_xml(element: Any) -> Any:
    """An element as its JSON says it, all values as words; an empty element is None."""
    children = list(element)
    if element.tag in LISTS or element.tag in {"services", "service_requests", "errors"}:
        return [from_xml(child) for child in children] or None
    if children:
        return {child.tag: from_xml(child) for child in children}
    return element.text


def worded(value: Any) -> Any:
    """JSON with every value as the words XML has for it."""
    if isinstance(value, dict):
        return {name: worded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [worded(inner) for inner in value] or None
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


async def both(client: Any, path: str, **params: str) -> tuple[Any, Any]:
    """JSON and XML of one resource, made comparable."""
    json_, xml = [
        await client.get(f"/open311/v2/{path}.{f}", params=params) for f in ("json", "xml")
    ]
    assert (json_.status, xml.status) == (200, 200), await xml.text()
    return worded(await json_.json()), from_xml(etree.fromstring(await xml.read()))
