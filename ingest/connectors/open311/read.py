"""From the fields of a reported form to an item, purely. An empty argument counts as absent.

RejectedError's ``reason`` is ``not_found`` for a service nobody offers (HTTP 404); all else is 400.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qsl

from pydantic import ValidationError

from ingest.connectors.open311.services import LISTS, Attribute, Service
from ingest.normalize import clean, strip_html
from store.config import explain
from store.errors import RejectedError
from store.model import MAX_PHOTOS, Contact, CoordType, Item, Media, Place

MAX_DESCRIPTION = 4000
MAX_VALUE = 1000
"""Characters of one attribute's value."""

MAX_FIELDS = 200
Pairs = Sequence[tuple[str, str]]
"""Names and values in the order they came; a name may come again."""

_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,100})\](?:\[\])?")
_NUMBER = re.compile(r"[+-]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})")
_ADDRESS = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def form_of(body: bytes) -> list[tuple[str, str]]:
    """The fields of an urlencoded body; RejectedError when it is none."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True,
            encoding="utf-8", errors="strict", max_num_fields=MAX_FIELDS,
        )  # fmt: skip
    except ValueError as error:
        raise refuse(
            "body: not an urlencoded UTF-8 form of at most 200 fields; encode it so"
        ) from error
    return pairs


def refuse(what: str, *, reason: str = "malformed") -> RejectedError:
    """The error that says ``what``: field, what is wrong; cure."""
    return RejectedError(f"ingest: open311: {what}", reason=reason)


def fingerprint(pairs: Pairs, media: Sequence[Media] = ()) -> str:
    """The same for the same form in whatever order, whoever's key it carries."""
    digest = hashlib.sha256()
    for name, value in sorted((n, v) for n, v in pairs if n != "api_key" and v.strip()):
        digest.update(f"{len(name)}:{name}{len(value)}:{value}".encode())
    for one in media:
        digest.update(hashlib.sha256(one.content).digest())
    return digest.hexdigest()[:32]


class Form:
    """The fields by name, trimmed; what is empty is not there."""

    def __init__(self, pairs: Pairs) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            if kept := value.strip():
                self._values.setdefault(name, []).append(kept)

    def one(self, name: str) -> str:
        """The last value given, or nothing."""
        return self._values.get(name, [""])[-1]

    def all(self, *names: str) -> tuple[str, ...]:
        """Every value of the names."""
        return tuple(v for name in names for v in self._values.get(name, ()))

    def attributes(self) -> dict[str, tuple[str, ...]]:
        """Values by attribute code, ``attribute[X]`` and ``attribute[X][]`` alike."""
        found: dict[str, tuple[str, ...]] = {}
        for name, values in self._values.items():
            if name.startswith("attribute"):
                match = _ATTRIBUTE.fullmatch(name)
                if match is None:
                    raise refuse("attribute: a name is not of the form attribute[CODE]; correct it")
                found[match[1]] = (*found.get(match[1], ()), *values)
        return found


def read(
    pairs: Pairs,
    services: Mapping[str, Service],
    *,
    channel: str,
    client: str,
    channel_id: str,
    media: tuple[Media, ...] = (),
) -> Item:
    """The item a form reports; RejectedError names the field and the cure."""
    form = Form(pairs)
    service = _service(form, services)
    lines = [_description(form), *_particulars(service, form.attributes())]
    place = _place(form)
    if place == Place():
        lines.append(f"地址编号：{form.one('address_id')[:100]}")
    author = form.one("account_id") or form.one("device_id")
    try:
        return Item(
            channel=channel,
            channel_id=channel_id,
            title=f"【{service.name}】",
            text="\n".join(line for line in lines if line) or service.name,
            author=f"{client}:{author}" if author else "",
            contact=Contact(name=_name(form), phone=form.one("phone"), email=form.one("email")),
            place=place,
            media=media,
            photos=_photos(form, len(media)),
        )
    except ValidationError as error:
        raise RejectedError(explain(error, "open311").replace("config:", "ingest:")) from error


def _service(form: Form, services: Mapping[str, Service]) -> Service:
    code = form.one("service_code")
    if not code:
        raise refuse("service_code: missing; send a code of /services")
    if code not in services:
        raise refuse("service_code: not found; send a code of /services", reason="not_found")
    return services[code]


def _description(form: Form) -> str:
    text = form.one("description")
    if len(text) > MAX_DESCRIPTION:
        raise refuse(f"description: more than {MAX_DESCRIPTION} characters; shorten it")
    return clean(strip_html(text))


def _name(form: Form) -> str:
    """Family name first and joined in Chinese, last and apart elsewhere."""
    first, last = form.one("first_name"), form.one("last_name")
    return f"{last}{first}" if _CHINESE.search(first + last) else f"{first} {last}".strip()


def _place(form: Form) -> Place:
    address, lat, long = form.one("address_string"), form.one("lat"), form.one("long")
    if bool(lat) != bool(long):
        raise refuse("lat, long: only one is given; send both")
    if not (lat or address or form.one("address_id")):
        raise refuse("location: missing; send lat and long, address_string or address_id")
    datum = form.one("coord_type").lower() or CoordType.WGS84
    if datum not in set(CoordType):
        raise refuse("coord_type: unknown; send wgs84, gcj02 or bd09, or leave it out")
    if not lat:
        return _checked(address, None, None, CoordType(datum))
    return _checked(address, _degrees(lat, "lat"), _degrees(long, "long"), CoordType(datum))


def _checked(address: str, lat: float | None, lon: float | None, datum: CoordType) -> Place:
    try:
        return Place(address=address, lat=lat, lon=lon, coord_type=datum)
    except ValidationError as error:
        field = {"address": "address_string", "lon": "long"}.get(
            str(error.errors()[0]["loc"][0]), "lat"
        )
        raise refuse(
            f"{field}: out of range; send WGS-84 degrees and at most 300 characters"
        ) from error


def _degrees(value: str, field: str) -> float:
    if not _NUMBER.fullmatch(value):
        raise refuse(f"{field}: not a number of degrees; send it like 38.914")
    return float(value)


def _photos(form: Form, taken: int) -> tuple[str, ...]:
    urls = tuple(dict.fromkeys(form.all("media_url", "media_url[]")))
    if len(urls) + taken > MAX_PHOTOS:
        raise refuse(f"media_url: more than {MAX_PHOTOS} pictures; send fewer")
    for url in urls:
        if not _ADDRESS.fullmatch(url) or len(url) > MAX_VALUE or not url.isprintable():
            raise refuse("media_url: not an http(s) address of at most 1000 characters; correct it")
    return urls


def _particulars(service: Service, given: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Lines ``name：value`` in the order of the definition."""
    asked = {one.code: one for one in service.attributes if one.variable}
    if not given.keys() <= asked.keys():
        raise refuse(
            "attribute: a code this service does not ask for; send those of its definition"
        )
    lines = []
    for one in asked.values():
        if one.code in given:
            lines.append(f"{one.description}：{_value(one, given[one.code])}")
        elif one.required:
            raise refuse(f"attribute[{one.code}]: missing and required; send it")
    return lines


def _value(asked: Attribute, values: tuple[str, ...]) -> str:
    field = f"attribute[{asked.code}]"
    if len(values) > 1 and asked.datatype != "multivaluelist":
        raise refuse(f"{field}: given more than once; send it once")
    if any(len(value) > MAX_VALUE for value in values):
        raise refuse(f"{field}: more than {MAX_VALUE} characters; shorten it")
    if asked.datatype in LISTS:
        names = dict(asked.values)
        if not set(values) <= names.keys():
            raise refuse(f"{field}: not a key of its list; send one of /services/{{code}}")
        return "、".join(names[value] for value in dict.fromkeys(values))
    _TYPES.get(asked.datatype, _any)(values[0], field)
    return clean(strip_html(values[0]))


def _any(_value: str, _field: str) -> None:
    return


def _number(value: str, field: str) -> None:
    if not _NUMBER.fullmatch(value) or not math.isfinite(float(value)):
        raise refuse(f"{field}: not a number; send digits")


def _datetime(value: str, field: str) -> None:
    try:
        datetime.fromisoformat(value)
    except ValueError as error:
        raise refuse(f"{field}: not ISO 8601; send it like 2026-11-24T08:30:00+08:00") from error


_TYPES: Mapping[str, Callable[[str, str], None]] = {"number": _number, "datetime": _datetime}
