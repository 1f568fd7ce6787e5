"""The slow, obvious recount of an assessed month from a log of what happened; it calls no code of the router.

A log is a list of entries with ``verb``, ``order`` (None: the case), ``at`` and, by verb: ``dispatch`` has
``department``, ``lead``, ``rule``, ``area``, ``due``, ``sign_due``; ``due`` a new ``due``; ``undo`` the orders ``undone``; ``withdraw`` an order
taken back; ``rate`` ``satisfied`` and ``solved``; ``urge`` a document.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Log = list[dict[str, Any]]
Sums = dict[tuple[str, str, str], list[float]]
Measure = Callable[[int, datetime, datetime], float]
ALL = "*"


def of(log: Log, *verbs: str) -> Log:
    return [e for e in log if e["verb"] in verbs]


def wall(_order: int, since: datetime, until: datetime) -> float:
    """Hours that pass."""
    return (until - since).total_seconds() / 3600


@dataclass
class Told:
    """A case: its log, its citizens, and whether it came back soon after an earlier one was closed."""

    log: Log
    items: int = 1
    repeats: bool = False


class Recount:
    """(by, unit, indicator) → [numerator, denominator]."""

    def __init__(
        self, cases: list[Told], begin: datetime, end: datetime, measure: Measure = wall
    ) -> None:
        self.sums: Sums = defaultdict(lambda: [0.0, 0.0])
        self.begin, self.end, self.measure = begin, end, measure
        for self.case in cases:
            self.log = happened(self.case.log)
            self.undone = {one for e in of(self.log, "undo") for one in e["undone"]}
            given = [e for e in of(self.log, "dispatch") if e["order"] not in self.undone]
            for start in given:
                self._order(start)
            self._citizens(given)

    def inside(self, when: datetime) -> bool:
        return self.begin <= when < self.end

    def add(self, indicator: str, numerator: float, denominator: float) -> None:
        places = [("department", self.start["department"]), ("rule", self.start["rule"])]
        places += [("territory", self.start["area"])] if self.start["lead"] else []
        for by, unit in places:
            for one in (unit, ALL):
                self.sums[by, one, indicator][0] += numerator
                self.sums[by, one, indicator][1] += denominator

    def _order(self, start: dict[str, Any]) -> None:
        self.start = start
        self.mine = [e for e in self.log if e["order"] == start["order"]]
        left = of(self.mine, "return_order", "withdraw")
        self.gone = left[0]["at"] if left else None
        self.cases = [
            e
            for e in self.log
            if e["order"] is None
            and e["at"] >= start["at"]
            and (self.gone is None or e["at"] <= self.gone)
        ]
        for part in (self._due, self._signing, self._returns, self._checks, self._stock):
            part()

    def _done(self) -> datetime | None:
        """When the last result came, unless it was sent back since."""
        results = of(self.mine, "handle")
        if not results or self.gone is not None:
            return None
        back = of(self.mine, "verify_fail", "reopen")
        last = self.log.index(results[-1])
        return None if any(self.log.index(e) > last for e in back) else results[-1]["at"]

    def _stops(self) -> list[tuple[datetime, datetime | None]]:
        """When the order's clock stood, since it was last started."""
        self.stops: list[tuple[datetime, datetime | None]] = []
        self.since: dict[str, datetime] = {}
        for e in self.log:
            if e["order"] == self.start["order"]:
                self._stopped_alone(e["verb"], e["at"])
            elif e in self.cases:
                self._stopped_with_case(e["verb"], e["at"])
        waits = {name: at for name, at in self.since.items() if name != "result"}
        return self.stops + [(began, None) for began in waits.values()]

    def _stopped_alone(self, verb: str, at: datetime) -> None:
        if verb == "reopen":
            self.stops, self.since = [], {}
        elif verb == "ask_extension":
            self.since["asked"] = at
        elif verb in {"extend", "refuse_extension"}:
            self.stops.append((self.since.pop("asked"), at))
        elif verb == "handle":
            self.since["result"] = at
        elif verb == "verify_fail":
            self.stops.append((self.since.pop("result"), at))

    def _stopped_with_case(self, verb: str, at: datetime) -> None:
        if verb == "suspend" and "result" not in self.since:
            self.since["suspended"] = at
        elif verb == "resume" and "suspended" in self.since:
            self.stops.append((self.since.pop("suspended"), at))

    def _due(self) -> None:
        due, done = [e["due"] for e in self.mine if "due" in e][-1], self._done()
        stood = any(until is None and since <= due for since, until in self._stops())
        if not self.inside(due) or (self.gone is not None and self.gone <= due):
            return
        if stood and done is None:
            return
        self.add("timely", done is not None and (done <= due or stood), 1)
        ends = of(self.log, "close", "reopen")
        self.add("closed", bool(ends) and ends[-1]["verb"] == "close", 1)
        self.add("extended", bool(of(self.mine, "extend")), 1)
        if done is not None:
            self.add("hours", self._hours(done), 1)

    def _hours(self, done: datetime) -> float:
        order, start = self.start["order"], self.start["at"]
        for e in of(self.mine, "reopen"):
            start = e["at"]
        ran, at = 0.0, start
        for since, until in sorted(self._stops()):
            ran += self.measure(order, at, min(since, done)) if at < min(since, done) else 0.0
            at = max(at, min(until or done, done))
        return ran + self.measure(order, at, done)

    def _signing(self) -> None:
        due = self.start["sign_due"]
        signed = [e["at"] for e in of(self.mine, "sign")]
        if self.inside(due) and (signed or self.gone is None or self.gone > due):
            self.add("signed", bool(signed) and signed[0] <= due, 1)

    def _returns(self) -> None:
        if self.inside(self.start["at"]):
            self.add("returned", 0, 1)
            self.add("refused", 0, 1)
            self.add("repeat", self.case.repeats, 1)
        for back in of(self.mine, "return_order"):
            later = of(self.log[self.log.index(back) :], "dispatch", "close")
            again = next((e for e in later if e["order"] not in self.undone), None)
            if again is not None and self.inside(again["at"]):
                if again["verb"] == "close":
                    self.add("returned", 1, 0)
                    continue
                called = [e for e in later if e["at"] == again["at"]]
                given = {e["department"] for e in called if e["lead"] or not self.start["lead"]}
                same = self.start["department"] in given
                self.add("refused" if same else "returned", 1, 0)

    def _checks(self) -> None:
        results = of(self.mine, "handle")
        passed = [
            e for e in of(self.cases, "verify_pass") if results and results[0]["at"] <= e["at"]
        ]
        checks = [e for e in passed + of(self.mine, "verify_fail") if self.inside(e["at"])]
        if checks:
            self.add("rework", bool(of(checks, "verify_fail")), 1)

    def _stock(self) -> None:
        stops = [e for e in of(self.cases, "suspend", "resume") if e["at"] < self.end]
        stood = stops and stops[-1]["verb"] == "suspend"
        if stood and (self.gone is None or self.gone >= self.end):
            self.add("ledger", 1, 0)
        self.add("documents", sum(self.inside(e["at"]) for e in of(self.mine, "urge")), 0)

    def _citizens(self, given: Log) -> None:
        """What citizens say counts for the lead that had the case when they said it, or when it was closed."""
        left = {e["order"]: e["at"] for e in of(self.log, "return_order", "withdraw")}
        rates = of(self.log, "rate")

        def had_it(at: datetime) -> bool:
            leads = [
                e
                for e in given
                if e["lead"]
                and e["at"] <= at < left.get(e["order"], at.max.replace(tzinfo=at.tzinfo))
            ]
            self.start = leads[-1] if leads else self.start
            return bool(leads)

        for e in rates:
            if self.inside(e["at"]) and had_it(e["at"]):
                said = e["satisfied"]
                self.add("satisfied", said in {"satisfied", "fair"}, said != "none")
                self.add("solved", e["solved"] == "solved", e["solved"] != "")
        closed = [e["at"] for e in of(self.log, "close") if self.inside(e["at"])]
        if closed and had_it(closed[-1]):
            self.add("voted", sum(e["satisfied"] != "none" for e in rates), self.case.items)


def happened(log: Log) -> Log:
    """The log without closings (and the checks given with them) that were undone."""
    kept: Log = []
    for e in log:
        if e["verb"] == "undo" and kept[-1]["verb"] == "close":
            at = kept[-1]["at"]
            kept = [one for one in kept if one["at"] != at or one["verb"] not in ENDS]
        else:
            kept.append(e)
    return kept


ENDS = ("verify_pass", "close")


def rounded(sums: Sums) -> dict[tuple[str, str, str], list[float]]:
    """Only what is not nothing, to be compared."""
    return {key: [round(v, 4) for v in both] for key, both in sums.items() if any(both)}
