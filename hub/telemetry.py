"""Logs as JSON lines and counters for Prometheus; no words and no numbers of citizens in either."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

METRICS = {
    "admitted": ("hub_items_received_total", "Items admitted, by channel."),
    "duplicate": ("hub_items_duplicate_total", "Items heard again, by channel."),
    "revised": ("hub_items_revised_total", "Items whose author edited them, by channel."),
    "dead": ("hub_items_dead_total", "Rejects kept in dead, by channel."),
    "photo": ("hub_photos_total", "Pictures, voices and videos fetched and sealed, by channel."),
    "answered": ("hub_answers_total", "Citizens told what became of their message, by channel."),
    "labelled": ("hub_verdicts_auto_total", "Verdicts certain enough to act on."),
    "abstained": ("hub_verdicts_desk_total", "Verdicts left to the desk."),
    "filed": ("hub_cases_total", "Cases made by the router."),
    "dispatched": ("hub_dispatches_total", "Work orders given by the router."),
    "delivered": ("hub_deliveries_total", "Notices delivered, by department."),
    "delivery_failed": (
        "hub_delivery_failures_total",
        "Delivery attempts that failed, by department.",
    ),
}
"""Event → (metric, help). The label is named ``of``."""

GAUGES = {
    "lag": ("hub_consumer_lag", "Records a group has not read yet, by group."),
    "correction": (
        "hub_label_correction_ratio",
        "Of the desk's decisions that touch a label, how many changed it; four weeks, by label.",
    ),
    "drift": (
        "hub_label_drift",
        "Population stability index of a label, this week against the four before, by label.",
    ),
    "source_failures": ("hub_source_failures", "Polls of a source that failed in a row."),
    "source_alert": ("hub_source_alert", "1 while a source's pages changed or are suddenly empty."),
    "config_ok": (
        "minsheng_config_ok",
        "1 while the files of configs/ are good, 0 while the last good set is used instead.",
    ),
    "up": ("hub_up_since_seconds", "When this hub started, Unix time."),
}

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_MAX = 2000


class Telemetry:
    """The hub's counters."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters = {
            event: Counter(name, text, ["of"], registry=self.registry)
            for event, (name, text) in METRICS.items()
        }
        self._gauges = {
            key: Gauge(name, text, ["of"], registry=self.registry)
            for key, (name, text) in GAUGES.items()
        }

    def observe(self, event: str, of: str, count: int) -> None:
        """Count ``count`` more of ``event``."""
        if count:
            self._counters[event].labels(of or "all").inc(count)

    def gauge(self, key: str, of: str, value: float) -> None:
        """Set a gauge."""
        self._gauges[key].labels(of).set(value)

    def render(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self.registry)


class JsonLines(logging.Formatter):
    """One JSON object a record; control characters can not break a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:_MAX],
        }
        entry |= {key: value for key, value in vars(record).items() if key not in _PLAIN}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            frames = traceback.extract_tb(error.__traceback__)[-5:]
            entry["error_type"] = type(error).__name__
            entry["where"] = [f"{frame.name}:{frame.lineno}" for frame in frames]
        return json.dumps(entry, ensure_ascii=False, default=str)


def set_up_logs(*, level: int = logging.INFO) -> None:
    """Send every log record to standard error as a JSON line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in (
        "aiokafka",
        "apscheduler",
        "httpx",
        "httpcore",
        "aiosqlite",
        "alembic",
        "aiohttp.access",
    ):
        logging.getLogger(noisy).setLevel(logging.ERROR if noisy == "aiokafka" else logging.WARNING)
