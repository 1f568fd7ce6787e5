"""``minsheng check`` on one broken configuration after another: file, line or key, and cure; exit code 2."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.cli import main

CONFIGS = Path(__file__).parent.parent.parent / "configs"

Break = Callable[[Path], None]


def add(name: str, text: str) -> Break:
    """Text at the end of a file."""
    return lambda configs: _write(configs / name, lambda old: f"{old}\n{text}\n")


def swap(name: str, old: str, new: str) -> Break:
    """One piece of a file for another; it must be there."""

    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return lambda configs: _write(configs / name, change)


def gone(name: str) -> Break:
    return lambda configs: (configs / name).unlink()


def raw(name: str, content: bytes) -> Break:
    def change(configs: Path) -> None:
        path = configs / name
        path.write_bytes(path.read_bytes() + content)

    return change


def folder(name: str) -> Break:
    def change(configs: Path) -> None:
        (configs / name).unlink()
        (configs / name).mkdir()

    return change


def circle(configs: Path) -> None:
    """Two offices above each other."""
    for office, above in (("transport", "real_estate"), ("real_estate", "transport")):
        swap(OFFICES, f'id = "{office}"', f'superior = "{above}"\nid = "{office}"')(configs)


def _write(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def rule(name: str, when: str, lead: str = "transport", **example: str) -> str:
    given = "".join(f"{key} = {value}\n" for key, value in example.items())
    return (
        f'[[rule]]\nname = "{name}"\nwhy = "为了测试"\nwhen = {when}\nlead = "{lead}"\n'
        f'[[rule.example]]\ntext = "路灯"\nexpect = "{lead}"\n{given}'
    )


ROUTING, OFFICES, TIMES = "routing.toml", "departments.toml", "deadlines.toml"
LIFE, LADDER, CHARGES, PLACES = (
    "lifecycle.toml",
    "supervision.toml",
    "charges.toml",
    "gazetteer.csv",
)

CASES: dict[str, tuple[Break, str, str, str]] = {
    # what is broken: how, the file, its line or key, the cure; @text n@ is the line of the n-th line beginning so
    "contradictory rules": (
        add(ROUTING, rule("again", '{ kinds = ["inquiry"] }')),
        ROUTING, "line @[[rule]] -1@: rule again", "join them or make them differ",
    ),
    "rule never reached": (
        add(ROUTING, rule("late", '{ kinds = ["inquiry"], urgencies = ["urgent"] }', "service_window")),
        ROUTING, "line @[[rule]] -1@: rule late: is never reached", "move it up, or remove it",
    ),
    "unknown department in a rule": (
        swap(ROUTING, 'lead = "service_window"', 'lead = "nowhere"'),
        ROUTING, "line @[[rule]] 1@: rule inquiry: nowhere", "add it or correct it",
    ),
    "unknown label in a rule": (
        swap(ROUTING, '"flyposting", "stalls"', '"flypostin", "stalls"'),
        ROUTING, "when.problems: flypostin", "correct it",
    ),
    "unknown territory in an example": (
        swap(ROUTING, 'hint = "township"\ntext', 'hint = "township"\narea = "atlantis"\ntext'),
        ROUTING, "area atlantis", "correct it",
    ),
    "rule without an example": (
        add(ROUTING, '[[rule]]\nname = "mute"\nwhy = "无"\nwhen = { words = ["路灯"] }\nlead = "transport"'),
        ROUTING, "line @[[rule]] -1@: rule mute", "add a [[rule.example]]",
    ),
    "condition that never holds": (
        swap(ROUTING, '{ kinds = ["inquiry"] }', '{ words = ["路灯"], unless_words = ["灯"] }'),
        ROUTING, "line @[[rule]] 1@: rule inquiry: when", "change one",
    ),
    "unknown label in a limit": (
        add(TIMES, '[problem.litre]\namount = 1\nunit = "work_days"'),
        TIMES, "problem litre", "correct it",
    ),
    "unknown place covered": (
        swap(OFFICES, '"教师新村"', '"月亮新村"'),
        OFFICES, "covers: 月亮新村", "add or correct it",
    ),
    "overlapping territories": (
        swap(OFFICES, 'id = "bohai_community"', 'covers = ["教师新村"]\nid = "bohai_community"'),
        OFFICES, "教师新村 is covered by", "leave it to one",
    ),
    "circle of superiors": (
        circle,
        OFFICES, "line @[[department]] 3@: department real_estate: superior: ", "name a superior outside it",
    ),
    "unknown superior": (
        swap(OFFICES, 'id = "transport"', 'superior = "king"\nid = "transport"'),
        OFFICES, "line @[[department]] 5@: department transport: superior: king", "add or correct it",
    ),
    "office without a name": (
        swap(OFFICES, 'name = "市交通运输局"', ""),
        OFFICES, "line @[[department]] 5@: department.5.name", "add it",
    ),
    "office with an endpoint and no server": (
        swap(OFFICES, 'id = "transport"', 'email = ["post@example.cn"]\nid = "transport"'),
        "transport: email", "hub.toml", "set [mail]",
    ),
    "year listed without holidays": (
        swap(TIMES, "years = []", "years = [2027]"),
        TIMES, "line @[calendar] 0@: calendar: ", "list them or remove the year",
    ),
    "spans backwards": (
        swap(TIMES, '["08:00", "12:00"]', '["12:00", "08:00"]'),
        TIMES, "line @hours = 0@: hours", "12:00",
    ),
    "limit of zero": (
        swap(TIMES, "amount = 5", "amount = 0"),
        TIMES, "line @amount = 0@: default.amount", "greater than 0",
    ),
    "limit below zero": (
        swap(TIMES, "[problem.litter]\namount = 4", "[problem.litter]\namount = -4"),
        TIMES, "line @amount = -4 0@: problem.litter.amount", "greater than 0",
    ),
    "unit nobody knows": (
        swap(TIMES, 'unit = "work_days"', 'unit = "fortnights"'),
        TIMES, "line @unit = 0@: default.unit", "work_days",
    ),
    "wrong type": (
        swap(TIMES, "amount = 5", 'amount = "five"'),
        TIMES, "line @amount = 0@: default.amount", "valid number",
    ),
    "unknown key": (
        swap(LIFE, "undo_s = 8 ", "undo = 8 "),
        LIFE, "line @undo = 0@: undo", "remove it or correct its spelling",
    ),
    "lifecycle without reasons": (
        swap(LIFE, 'duty = "职能不符"\nterritory = "属地不符"\nownership = "权属不清"\nin_hand = "已有在办"\nunclear = "信息不全"', ""),
        LIFE, "line @[returns.reasons] 0@: returns.reasons", "at least 1 item",
    ),
    "undo below zero": (
        swap(LIFE, "undo_s = 8 ", "undo_s = -8 "),
        LIFE, "line @undo_s = 0@: undo_s", "greater than or equal to 0",
    ),
    "ladder out of order": (
        swap(LADDER, "share = 0.5", "share = 0.9"),
        LADDER, "step red: share 0.8", "must be more than yellow's 0.9",
    ),
    "unknown office on the ladder": (
        swap(LADDER, 'top = "supervision_office"', 'top = "palace"'),
        LADDER, "top: palace", "add it or correct the spelling",
    ),
    "charges overlap": (
        add(CHARGES, '[[charge]]\nlevel = "leader"\nholder = "另一包片领导"\ncovers = { areas = ["bohai"] }'),
        CHARGES, "另一包片领导: covers", "bohai",
    ),
    "charge with an unknown office": (
        swap(CHARGES, 'office = "transport"', 'office = "railway"'),
        CHARGES, "railway", "correct",
    ),
    "gazetteer with an unknown territory": (
        add(PLACES, "月亮湖,landmark,atlantis,,,,,"),
        PLACES, "area atlantis", "add it or correct it",
    ),
    "gazetteer with bad coordinates": (
        add(PLACES, "月亮湖,landmark,bohai,,north,128,,"),
        PLACES, "lat, lon: 'north'", "correct",
    ),
    "gazetteer with one name in two territories": (
        add(PLACES, "月亮湖,landmark,bohai,,,,,\n月亮湖,landmark,shengli,,,,,"),
        PLACES, "月亮湖 is in shengli here", "keep one",
    ),
    "gazetteer with a comma too many": (
        add(PLACES, "月亮湖,landmark,bohai,,,,,,"),
        PLACES, "columns instead of", "count commas",
    ),
    "no TOML": (
        swap(ROUTING, 'name = "inquiry"', "name = inquiry"),
        ROUTING, "line @name = inquiry 0@", "correct that line",
    ),
    "file missing": (gone(LADDER), LADDER, "is missing", "copy it"),
    "file is a folder": (folder(LIFE), LIFE, "can not be read", "make it a file"),
    "not UTF-8": (raw(LIFE, "退单".encode("gbk")), LIFE, "line @� 0@: is not UTF-8", "save the file as UTF-8"),
    "gazetteer not UTF-8": (raw(PLACES, "某街".encode("gbk")), PLACES, "is not UTF-8", "save the file as UTF-8"),
    "byte order mark": (
        swap(LIFE, "# What people", "\ufeff# What people"),
        LIFE, "line 1", "save it as UTF-8 without BOM",
    ),
    "unknown table in hub.toml": (add("hub.toml", "[listne]\nport = 1"), "hub.toml", "listne", "correct its spelling"),
    "topic with a strange label": (
        swap("topics.toml", 'labels = ["litter"]', 'labels = ["liter"]'),
        "topics.toml", "sanitation: labels: liter", "correct it",
    ),
    "topic of a strange group": (
        swap("topics.toml", 'group = "civic"', 'group = "civil"'),
        "topics.toml", "line @[[topic]] 9@: no_littering: group: civil", "add it",
    ),
    "topic that nothing tells": (
        add("topics.toml", '[[topic]]\nid = "idle"\nname = "无词"'),
        "topics.toml", "line @[[topic]] -1@: idle", "give labels or words",
    ),
    "topic twice": (
        swap("topics.toml", 'id = "no_spitting"', 'id = "no_littering"'),
        "topics.toml", "no_littering: id: used twice", "give it another",
    ),
    "place that is none": (
        swap("topics.toml", "not_places = []", 'not_places = ["某地"]'),
        "topics.toml", "not_places: 某地", "correct it",
    ),
    "bulletin without a count": (
        swap("bulletins.toml", "敦城管快报〔{year}〕{n}号", "敦城管快报〔{year}〕号"),
        "bulletins.toml", "express: number: needs", "write like",
    ),
    "bulletin of no plan": (
        swap("bulletins.toml", 'plan = "joint"', 'plan = "joined"'),
        "bulletins.toml", "plan", "joint",
    ),
    "bulletin to nobody known": (
        swap("bulletins.toml", 'name = "民声快报"', 'name = "民声快报"\nrecipients = ["mayor"]'),
        "bulletins.toml", "express.recipients: mayor", "add it there or remove it",
    ),
    "official twice reached": (
        add("alerts.toml", '[[official]]\nid = "duty"\nname = "值班室"\nwecom = "a"\nfeishu = "b"'),
        "alerts.toml", "duty: give exactly one of", "email, wecom",
    ),
    "official of a strange area": (
        add("alerts.toml", '[[official]]\nid = "duty"\nname = "值班室"\nwecom = "a"\nareas = ["bohay"]'),
        "alerts.toml", "duty.areas: bohay", "correct or remove it",
    ),
    "official by a robot nobody knows": (
        add("alerts.toml", '[[official]]\nid = "duty"\nname = "值班室"\nwecom = "leaders"'),
        "", "duty: wecom: robot leaders is unknown", "add it to MINSHENG_ROBOTS",
    ),
    "target of a strange campaign": (
        swap("targets.toml", 'campaign = "integrity"', 'campaign = "honor"'),
        "targets.toml", "line @[[target]] 2@: integrity_shops: campaign: honor", "correct it",
    ),
    "distance below zero": (swap("grouping.toml", "radius_m = 150", "radius_m = -1"), "grouping.toml", "radius_m", "greater than"),
}  # fmt: skip


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONFIGS, tmp_path / "configs"))


def check(configs: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["check", "--configs", str(configs), "--data", str(configs.parent / "data")])
    told = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, told.out + told.err


@pytest.mark.parametrize("what", CASES)
def test_broken_configuration_is_one_message(
    what: str, configs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, file, where, cure = CASES[what]
    spoil(configs)
    code, told = check(configs, capsys)
    assert code == 2, told
    for part in (file, _lined(where, configs / file), cure):
        assert part in told.replace("\n", " "), told


def _lined(where: str, path: Path) -> str:
    """``where`` with the numbers of the lines it means, counted in the file itself."""

    def number(found: re.Match[str]) -> str:
        text, _, n = found.group(1).rpartition(" ")
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return str([i for i, line in enumerate(lines, 1) if line.startswith(text)][int(n)])

    return re.sub("@(.+?)@", number, where)


NOTICES: dict[str, tuple[Break, str, str]] = {
    "a day that is past": (
        add(TIMES, '[[special]]\ndate = "2020-12-31"\nhours = []'),
        "special: 2020-12-31 is past", "remove it",
    ),
    "a year nobody knows yet": (
        swap(TIMES, 'library = "china"', 'library = "none"'),
        "are not known", "add",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", NOTICES)
def test_what_does_no_harm_is_a_notice(
    what: str, configs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, where, cure = NOTICES[what]
    spoil(configs)
    code, told = check(configs, capsys)
    assert code == 0, told
    assert TIMES in told
    assert where in told
    assert cure in told


def test_the_shipped_configuration_says_nothing_is_past(
    configs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = check(configs, capsys)
    assert code == 0, told
    assert "is past" not in told
