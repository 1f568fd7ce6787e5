"""The OpenAPI 3.1 document of what programs may call: the app API and Open311.

Schemas of bodies and answers are those of the structs the handlers read and write, so they can not drift.
Served at ``/api/openapi.json``. Source: https://spec.openapis.org/oas/v3.1.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from ingest.connectors.app import MAX_BATCH, WireBatch, WireItem
from ingest.connectors.open311 import BASE, wire
from ingest.connectors.open311.asking import MAX_PAGE, MAX_ROWS
from ingest.connectors.open311.read import MAX_DESCRIPTION
from ingest.shapes import Rated, Rating, Receipted, Refusal, Standing

Node = dict[str, Any]

_STRUCTS = (
    WireItem, Receipted, Refusal, Standing, Rating, Rated, wire.Discovery, wire.Listed, wire.Definition,
    wire.Posted, wire.Resolved, wire.Request, wire.Problem,
)  # fmt: skip
_OPEN = "/components/schemas/"
_WAIT = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}}
_FIELDS = (
    "api_key", "jurisdiction_id", "address_string", "address_id", "email", "device_id", "account_id",
    "first_name", "last_name", "phone", "media_url",
)  # fmt: skip


def openapi(*, title: str = "民声 Minsheng", version: str = "1", codes: Sequence[str] = ()) -> Node:
    """The document, as data for JSON; ``codes`` are the services that can be reported, if known."""
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": {**_app_paths(), **_open311_paths()},
        "components": {
            "schemas": _schemas(codes),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "api_key": {"type": "apiKey", "in": "query", "name": "api_key"},
                "signature": {
                    "type": "apiKey", "in": "header", "name": "webhook-signature",
                    "description": "Standard Webhooks, with webhook-id and webhook-timestamp; JSON bodies only",
                },
            },
        },
    }  # fmt: skip


def openapi_route(document: Node) -> web.RouteDef:
    """The route that serves ``document``."""
    body = msgspec.json.encode(document)

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json", charset="utf-8")

    return web.get("/api/openapi.json", serve)


def _schemas(codes: Sequence[str]) -> Node:
    _, found = msgspec.json.schema_components(_STRUCTS, ref_template="#" + _OPEN + "{name}")
    batch = {"type": "array", "minItems": 1, "maxItems": MAX_BATCH, "items": _ref("WireItem")}
    told = {"type": "array", "items": {"anyOf": [_ref("Receipted"), _ref("Refusal")]}}
    plain = msgspec.json.decode(msgspec.json.encode(found))  # defaults are tuples and structs
    return {
        **plain,
        "WireBatch": _object({"items": batch}, tuple(WireBatch.__struct_fields__)),
        "Answers": _object({"items": told}, ("items",)),
        "Report": _report(codes),
    }


def _object(properties: Node, required: Sequence[str], **more: Any) -> Node:
    return {"type": "object", "properties": properties, "required": list(required), **more}


def _ref(name: str) -> Node:
    return {"$ref": f"#{_OPEN}{name}"}


def _list(name: str) -> Node:
    return {"type": "array", "items": _ref(name)}


def _report(codes: Sequence[str]) -> Node:
    """The form of POST /requests. A place is needed in one of three ways; attributes have names of their own."""
    ways = [("lat", "long"), ("address_string",), ("address_id",)]
    places = [{"required": list(way)} for way in ways]
    properties: Node = {name: {"type": "string"} for name in _FIELDS}
    properties |= {
        "service_code": {
            "type": "string",
            **({"enum": list(codes)} if codes else {"minLength": 1}),
        },
        "description": {"type": "string", "maxLength": MAX_DESCRIPTION},
        "lat": {"type": "number", "minimum": -90, "maximum": 90},
        "long": {"type": "number", "minimum": -180, "maximum": 180},
        "coord_type": {"type": "string", "enum": ["wgs84", "gcj02", "bd09"]},
    }
    return _object(properties, ("service_code",), anyOf=places)


def _app_paths() -> Node:
    keyed: Node = {"security": [{"key": []}, {"signature": []}]}
    named = _argument("Idempotency-Key", {"type": "string", "maxLength": 100}, where="header")
    bad = _refusals(401, 413, 415, 422, 429, 503)
    one = {
        "application/json": {"schema": _ref("WireItem")},
        "multipart/form-data": {"schema": _object(
            {"item": _ref("WireItem"), "photo": {"type": "array", "maxItems": 9, "items": {"type": "string"}}},
            ("item",),
        )},
    }  # fmt: skip
    kept = {"201": _json("admitted", _ref("Receipted")), "200": _json("known", _ref("Receipted"))}
    many = {"application/json": {"schema": _ref("WireBatch")}}
    found = {"200": _json("where it stands", _ref("Standing")), **_refusals(401, 404)}
    return {
        "/api/v1/items": {"post": {
            "operationId": "submit", "summary": "One message", **keyed, "parameters": [named],
            "requestBody": {"required": True, "content": one}, "responses": {**kept, **bad},
        }},
        "/api/v1/items/batch": {"post": {
            "operationId": "submitBatch", "summary": "Several messages", **keyed,
            "requestBody": {"required": True, "content": many},
            "responses": {"200": _json("one answer each", _ref("Answers")), **bad},
        }},
        "/api/v1/items/{receipt}": {"get": {
            "operationId": "status", "summary": "Where a message stands", **keyed,
            "parameters": [_part("receipt")], "responses": found,
        }},
        "/api/v1/items/{receipt}/rating": {"post": {
            "operationId": "rate", "summary": "What the citizen says of the result", **keyed,
            "parameters": [_part("receipt")],
            "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Rating")}}},
            "responses": {"200": _json("kept", _ref("Rated")), **_refusals(404, 409), **bad},
        }},
    }  # fmt: skip


def _refusals(*codes: int) -> Node:
    return {
        str(code): {
            **_json("refused", _ref("Refusal")), **({"headers": _WAIT} if code in {429, 503} else {})
        }
        for code in codes
    }  # fmt: skip


def _json(says: str, schema: Node) -> Node:
    return {"description": says, "content": {"application/json": {"schema": schema}}}


def _open311_paths() -> Node:
    city = _argument("jurisdiction_id", {"type": "string"})
    words = [
        _argument(name, {"type": "string"})
        for name in ("service_request_id", "service_code", "status")
    ]
    times = [_argument(name, {"type": "string"}) for name in ("start_date", "end_date")]
    pages = [
        _argument(name, {"type": "integer", "minimum": 1, "maximum": most})
        for name, most in (("page", MAX_PAGE), ("page_size", MAX_ROWS))
    ]
    key: Node = {"security": [{}, {"api_key": []}, {"key": []}]}
    form = {kind: {"schema": _ref("Report")} for kind in
            ("application/x-www-form-urlencoded", "multipart/form-data")}  # fmt: skip
    requests = {
        "get": _operation("findRequests", [city, *words, *times, *pages], _list("Request"), **key),
        "post": _operation(
            "postRequest", [], _list("Posted"), **key,
            requestBody={"required": True, "content": form},
        ),
    }  # fmt: skip
    return {
        f"{BASE}/discovery.{{fmt}}": {"get": _operation("discovery", [], _ref("Discovery"))},
        f"{BASE}/services.{{fmt}}": {"get": _operation("services", [city], _list("Listed"))},
        f"{BASE}/services/{{code}}.{{fmt}}": {
            "get": _operation("definition", [city, _part("code")], _ref("Definition"))
        },
        f"{BASE}/requests.{{fmt}}": {way: _with(one) for way, one in requests.items()},
        f"{BASE}/requests/{{id}}.{{fmt}}": {
            "get": _operation("getRequest", [city, _part("id")], _list("Request"), **key)
        },
        f"{BASE}/tokens/{{token}}.{{fmt}}": {
            "get": _operation("resolveToken", [city, _part("token")], _list("Resolved"), **key)
        },
    }


def _with(operation: Node) -> Node:
    """An operation that may also be told to wait because the hub is behind."""
    return {**operation, "responses": {**operation["responses"], "503": _problem(wait=True)}}


def _operation(name: str, arguments: list[Node], schema: Node, **more: Any) -> Node:
    """An operation in both formats; XML says what JSON says, with lists as elements."""
    formats = {"application/json": {"schema": schema}, "text/xml": {"schema": {"type": "string"}}}
    return {
        "operationId": name,
        "parameters": [_part("fmt", enum=["xml", "json"]), *arguments],
        "responses": {
            "200": {"description": "the document", "content": formats},
            "400": _problem(),
            "403": _problem(),
            "404": _problem(),
            "429": _problem(wait=True),
        },
        **more,
    }


def _problem(*, wait: bool = False) -> Node:
    formats = {
        "application/json": {"schema": _list("Problem")},
        "text/xml": {"schema": {"type": "string"}},
    }
    return {"description": "refused", "content": formats, **({"headers": _WAIT} if wait else {})}


def _argument(name: str, schema: Node, *, where: str = "query") -> Node:
    return {"name": name, "in": where, "schema": schema}


def _part(name: str, **schema: Any) -> Node:
    """A part of the path."""
    shape = {"type": "string", "minLength": 1, **schema}
    return {"name": name, "in": "path", "required": True, "schema": shape}
