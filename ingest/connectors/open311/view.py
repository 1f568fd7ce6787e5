"""What anybody may see of a report, in the words of the specification."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

from ingest.connectors.open311.requests import RequestRow
from ingest.connectors.open311.wire import Request


@dataclass(frozen=True)
class View:
    """Names for what rows hold: services by code, case statuses, departments; times are shown in ``zone``.

    ``closed`` are the case statuses that count as closed here; every other is open.
    """

    services: Mapping[str, str]
    statuses: Mapping[str, str]
    closed: Collection[str]
    departments: Mapping[str, str]
    zone: tzinfo

    def of(self, row: RequestRow) -> Request:
        """One report."""
        status: Literal["open", "closed"] = "closed" if row.status in self.closed else "open"
        return Request(
            service_request_id=str(row.id),
            status=status,
            status_notes=self.statuses.get(row.status),
            service_name=self.services.get(row.service),
            service_code=row.service or None,
            description=row.text or None,
            agency_responsible=self.departments.get(row.department),
            service_notice=None,
            requested_datetime=self._time(row.requested_at),
            updated_datetime=self._time(row.updated_at),
            expected_datetime=self._time(row.expected_at) if row.expected_at else None,
            address=row.address or None,
            address_id=None,
            zipcode=None,
            lat=row.lat,
            long=row.lon,
            media_url=None,
        )

    def _time(self, at: datetime) -> str:
        return at.astimezone(self.zone).isoformat(timespec="seconds")
