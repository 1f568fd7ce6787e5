"""Rules and matters made up of few values, and the plain loop that masks must agree with."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

from router.departments import Area
from router.rules import Matter, When

PROBLEMS = ("litter", "stalls", "sewage", "laundry", "pets", "flyposting")
CAMPAIGNS = ("urban_rural", "streetscape")
HINTS = ("transport", "township", "public_security")
WORDS = ("摊", "摆摊", "早市", "早市摆摊", "垃圾")
POINTS = ("渤海街道办事处", "北山社区居民委员会")
AREAS = tuple(
    Area(id=name, name=name, within="subdistrict") for name in ("bohai", "shengli", "minzhu")
)
CHANNELS = ("app", "forum", "weibo")
URGENCIES = ("normal", "urgent", "emergency")
KINDS = ("complaint", "request", "inquiry", "praise", "chatter")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOMENTS = ("00:00", "06:00", "12:30", "22:00")


def reference(when: When, m: Matter) -> bool:
    """What the keys of a ``when`` say, one after the other."""
    return (
        some(when.kinds, (m.kind,))
        and listed(when.problems, m.problems)
        and listed(when.campaigns, m.campaigns)
        and (bool(m.hint) if when.hint == "any" else some(when.hint, (m.hint,)))
        and some(when.urgencies, (m.urgency,))
        and some(when.channels, (m.channel,))
        and some(when.areas, (m.area.id if m.area else None,))
        and some(when.points, (m.point,))
        and some(when.words, m.text)
        and not any(word in m.text for word in when.unless_words)
        and timely(when, m.at)
    )


def some(wanted: Sequence[Any], found: Any) -> bool:
    return not wanted or any(w in found for w in wanted)


def listed(wanted: Sequence[str] | str, found: Sequence[str]) -> bool:
    return not found if wanted == "none" else some(wanted, found)


def timely(when: When, at: datetime | None) -> bool:
    if not (when.hours or when.weekdays or when.months):
        return True
    return (
        at is not None
        and (not when.hours or any(inside(span, at.time()) for span in when.hours))
        and some(when.weekdays, (DAYS[at.weekday()],))
        and some(when.months, (at.month,))
    )


def inside(span: tuple[time, time], at: time) -> bool:
    opens, closes = span
    return opens <= at < closes if opens < closes else at >= opens or at < closes


def few(values: Sequence[Any]) -> st.SearchStrategy[list[Any]]:
    """Mostly nothing, at most two."""
    return st.one_of(st.just([]), st.lists(st.sampled_from(values), max_size=2, unique=True))


spans = st.lists(
    st.lists(st.sampled_from(MOMENTS), min_size=2, max_size=2, unique=True), max_size=2
)

conditions: dict[str, st.SearchStrategy[Any]] = {
    "kinds": few(KINDS),
    "problems": st.one_of(st.just("none"), few(PROBLEMS)),
    "campaigns": st.one_of(st.just("none"), few(CAMPAIGNS)),
    "urgencies": few(URGENCIES),
    "channels": few(CHANNELS),
    "areas": few([area.id for area in AREAS]),
    "points": few(POINTS),
    "words": few(WORDS),
    "unless_words": few(WORDS),
    "hint": st.one_of(st.just("any"), few(HINTS)),
    "hours": spans,
    "weekdays": few(DAYS),
    "months": few(range(1, 13)),
}

keys = st.lists(st.sampled_from(sorted(conditions)), max_size=3, unique=True)
whens = keys.flatmap(
    lambda names: st.fixed_dictionaries({name: conditions[name] for name in names})
)

matters = st.builds(
    Matter,
    kind=st.sampled_from(KINDS),
    problems=few(PROBLEMS),
    campaigns=few(CAMPAIGNS),
    urgency=st.sampled_from(URGENCIES),
    channel=st.sampled_from((*CHANNELS, "news")),
    hint=st.sampled_from(("", *HINTS, "nonsense")),
    text=st.lists(st.sampled_from((*WORDS, "，", "路口")), max_size=3).map("".join),
    area=st.sampled_from((None, *AREAS)),
    point=st.sampled_from(("", *POINTS, "别处")),
    at=st.one_of(
        st.none(),
        st.integers(0, 366 * 24 * 4).map(
            lambda n: datetime(2026, 1, 1) + timedelta(minutes=15 * n)
        ),
    ),
)
