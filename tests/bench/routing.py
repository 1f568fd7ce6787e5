"""``python tests/bench/routing.py``: routes a second on one core by rules as masks, against the plain loop."""

import random
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "router")]

from conftest_rules import reference  # noqa: E402

from hub.city import City, load_city  # noqa: E402
from router.cover import Cover  # noqa: E402
from router.rulecheck import World  # noqa: E402
from router.rules import Matter, Route, Router, Rule, Rules  # noqa: E402

RULES, MATTERS = 500, 20_000
SYLLABLES = "垃圾摊位污水广告宠物衣物街路楼道河边市场学校门口夜里早市噪音占道车位公园社区小区"


def made_up(city: City, dice: random.Random) -> Rules:
    """Rules as a city writes them after years: some of each kind, words in most."""
    offices = [d.id for d in city.directory.department]
    areas, points = [*city.directory.areas], sorted({e.point for e in city.gazetteer.entries})[1:]
    rules = []
    for n in range(RULES):
        when: dict[str, object] = {}
        if n % 2:
            when["problems"] = dice.sample(city.taxonomy.problems, dice.randint(1, 2))
        if n % 3:
            when["words"] = ["".join(dice.sample(SYLLABLES, 3)) for _ in range(dice.randint(1, 5))]
        else:
            when["points"] = dice.sample(points, 2)
        if not n % 4:
            when["areas"] = dice.sample(areas, 2)
        if not n % 5:
            when["unless_words"] = ["".join(dice.sample(SYLLABLES, 2))]
        if not n % 7:
            when["hours"] = [["22:00", "06:00"]]
        lead, support = dice.sample(offices, 2)
        values = {"name": f"r{n}", "why": "w", "when": when, "lead": lead, "support": [support]}
        rules.append(Rule.model_validate(values))
    return Rules(rule=tuple(rules))


def messages(city: City, dice: random.Random) -> list[Matter]:
    """Messages of up to 400 characters from everywhere."""
    areas = [None, *city.directory.areas.values()]
    points = ["", *(entry.point for entry in city.gazetteer.entries)]
    kinds, urgencies = list(city.taxonomy.kinds), list(city.taxonomy.urgencies)
    return [
        Matter(
            kind=dice.choice(kinds),
            problems=dice.sample(city.taxonomy.problems, dice.randint(0, 2)),
            campaigns=dice.sample(city.taxonomy.campaigns, dice.randint(0, 2)),
            urgency=dice.choice(urgencies),
            channel=dice.choice(("app", "weibo", "forum", "wechat")),
            hint=dice.choice(("", "transport", "township", "public_security")),
            text="".join(dice.choices(SYLLABLES, k=dice.randint(10, 400))),
            area=dice.choice(areas),
            point=dice.choice(points),
            at=datetime(2026, 1, 1) + timedelta(minutes=dice.randint(0, 500_000)),
        )
        for _ in range(MATTERS)
    ]


def plain(router: Router, matter: Matter) -> str:
    """The name of the rule that one finds by asking each in turn."""
    for rule in router.rules.rule:
        if reference(rule.when, matter):
            return rule.name
    return "default"


def timed(call: Callable[[Matter], object], matters: list[Matter]) -> tuple[float, float]:
    """Calls a second and the 99th percentile in milliseconds."""
    spans = []
    began = time.perf_counter()
    for matter in matters:
        start = time.perf_counter()
        call(matter)
        spans.append(time.perf_counter() - start)
    rate = len(matters) / (time.perf_counter() - began)
    return rate, 1e3 * sorted(spans)[int(len(spans) * 0.99)]


def main() -> None:
    city, dice = load_city(ROOT / "configs"), random.Random(6)
    asked = messages(city, dice)
    for name, rules in (("the city's", city.router.rules), (f"{RULES}", made_up(city, dice))):
        router = Router(rules, city.directory)
        routed: Callable[[Matter], Route] = router.route
        for matter in asked[:200]:
            assert routed(matter).rule == plain(router, matter)
        rate, p99 = timed(routed, asked)
        slow, slow_p99 = timed(lambda m, r=router: plain(r, m), asked[::20])
        print(f"{name} rules: {rate:>10,.0f} / s, p99 {p99:.3f} ms")
        print(f"  one by one: {slow:>10,.0f} / s, p99 {slow_p99:.3f} ms; ratio {rate / slow:.1f}")
    began = time.perf_counter()
    cover = Cover(rules.rule, World(city.directory, city.taxonomy).values())
    dead = sum(cover.alone(n) is not None or bool(cover.together(n)) for n in range(RULES))
    print(f"check of {RULES} rules: {time.perf_counter() - began:.2f} s, {dead} never reached")


if __name__ == "__main__":
    main()
