"""The documents of GeoReport v2 in XML and JSON, made from the same structs so that they always agree.

Lists are ``<services><service>…`` in XML and plain arrays in JSON; an empty element in XML is null in
JSON; codes and numbers of requests are strings (``001`` keeps its zeros); times carry a zone.
Source: https://wiki.open311.org/GeoReport_v2 and the discovery specification beside it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal
from xml.etree import ElementTree as ET

import msgspec

from ingest.connectors.open311.services import Service

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
CONTENT_TYPES = {"xml": "text/xml", "json": "application/json"}
"""By format, as the path ends."""

_ROOTS = {"discovery": "", "services": "service", "service_definition": "", "service_requests": "request",
          "errors": "error"}  # fmt: skip
_ONE_OF = {
    "endpoints": "endpoint",
    "formats": "format",
    "attributes": "attribute",
    "values": "value",
}
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to say."""

Root = Literal["discovery", "services", "service_definition", "service_requests", "errors"]


class Endpoint(msgspec.Struct, frozen=True):
    """Where an interface is served; ``type`` is production or test."""

    specification: str
    url: str
    changeset: str
    type: str
    formats: tuple[str, ...] = tuple(CONTENT_TYPES.values())


class Discovery(msgspec.Struct, frozen=True):
    """What is served where; ``changeset`` says when that last changed."""

    changeset: str
    contact: str
    key_service: str
    endpoints: tuple[Endpoint, ...]


class Listed(msgspec.Struct, frozen=True):
    """One line of the service list; ``metadata`` says whether a definition can be asked for."""

    service_code: str
    service_name: str
    description: str
    metadata: bool
    type: str
    keywords: str
    group: str | None


class Value(msgspec.Struct, frozen=True):
    """One choice of a list."""

    key: str
    name: str


class Asked(msgspec.Struct, frozen=True):
    """One attribute of a definition."""

    variable: bool
    code: str
    datatype: str
    required: bool
    datatype_description: str | None
    order: int
    description: str
    values: tuple[Value, ...] | None


class Definition(msgspec.Struct, frozen=True):
    """What a service asks for."""

    service_code: str
    attributes: tuple[Asked, ...]


class Posted(msgspec.Struct, frozen=True):
    """The answer to a report: its number, or the token that leads to it, never both."""

    service_notice: str
    service_request_id: str | msgspec.UnsetType = msgspec.UNSET
    token: str | msgspec.UnsetType = msgspec.UNSET
    account_id: str | None = None


class Resolved(msgspec.Struct, frozen=True):
    """The number a token leads to."""

    service_request_id: str
    token: str


class Request(msgspec.Struct, frozen=True):
    """One report as anybody may see it."""

    service_request_id: str
    status: Literal["open", "closed"]
    status_notes: str | None
    service_name: str | None
    service_code: str | None
    description: str | None
    agency_responsible: str | None
    service_notice: str | None
    requested_datetime: str
    updated_datetime: str
    expected_datetime: str | None
    address: str | None
    address_id: str | None
    zipcode: str | None
    lat: float | None
    long: float | None
    media_url: str | None


class Problem(msgspec.Struct, frozen=True):
    """One error; ``code`` is the HTTP status."""

    code: int
    description: str


def listed(service: Service) -> Listed:
    """The line of a service."""
    return Listed(
        service.code, service.name, service.description, service.metadata, "realtime",
        ",".join(service.keywords), service.group or None,
    )  # fmt: skip


def definition(service: Service) -> Definition:
    """The definition of a service; attributes are numbered from 1."""
    return Definition(
        service.code,
        tuple(
            Asked(
                one.variable, one.code, one.datatype, one.required, one.hint or None, n, one.description,
                tuple(Value(key, name) for key, name in one.values) or None,
            )
            for n, one in enumerate(service.attributes, 1)
        ),
    )  # fmt: skip


def document(fmt: str, root: Root, content: msgspec.Struct | Sequence[msgspec.Struct]) -> bytes:
    """The document in ``fmt`` (xml or json). A root of several holds a sequence."""
    if fmt == "json":
        return msgspec.json.encode(content)
    top: ET.Element = ET.Element(str(root))
    _fill(top, msgspec.to_builtins(content), _ROOTS[root])
    made: bytes = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return made


def content_type(fmt: str, *, bare: bool = False) -> str:
    """The header's value. Discovery is sent ``bare``: known clients compare it as a whole."""
    return CONTENT_TYPES[fmt] + ("" if bare else "; charset=utf-8")


def _fill(element: ET.Element, value: Any, one: str) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _fill(ET.SubElement(element, name), inner, _ONE_OF.get(name, ""))
    elif isinstance(value, list | tuple):
        for inner in value:
            _fill(ET.SubElement(element, one), inner, "")
    elif value is not None:
        element.text = _say(value)


def _say(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _FORBIDDEN.sub("", str(value))
