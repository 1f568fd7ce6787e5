"""The administrator's pages: each change is audited with before and after, and takes effect."""

import itertools
import re
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update
from visitors import PASSWORD, Browser, Office, Opens, put

from classify.artifact import FORMAT, Card
from classify.registry import Registry, taxonomy_key
from desk.admin.files import MEANINGS, bad_line, counted
from hub.city import load_city
from hub.editing import EDITED
from hub.reload import ADOPTED, RESTART, digests_of, marks_of
from store.db import Tx
from store.tables import T

NEW = {
    "name": "window-3",
    "password": PASSWORD,
    "display": "三号窗口",
    "role": "dispatcher",
    "scope": "",
    "external": "id-3",
}


async def user(office: Office, name: str) -> Any:
    async with office.hub.db.read() as conn:
        return (await conn.execute(select(T.users).where(T.users.c.name == name))).one()


@pytest.fixture
async def admin(office: Office) -> Browser:
    return await office.browser("admin")


async def act(browser: Browser, word: str, status: int = 200, **form: str) -> str:
    answer = await browser.post(f"/desk/admin/users/{word}", form)
    page = await answer.text()
    assert answer.status == status, page
    return page


async def test_person_is_added_and_logs_in(office: Office, admin: Browser) -> None:
    assert "三号窗口" in await act(admin, "add", **NEW)
    row = (await office.audit("user_add"))[0]
    assert (row.actor, row.target) == ("admin", "user window-3")
    assert row.note == "display 三号窗口, role dispatcher, external id-3"
    assert (await (await office.browser()).log_in("window-3")).status == 302


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""}, {"name": " x"}, {"name": "x" * 61}, {"name": "a\nb"}, {"name": "admin"}, {"password": "short"},
        {"role": "king"}, {"role": "department"}, {"role": "department", "scope": "nowhere"},
        {"role": "subdistrict", "scope": "urban_enforcement"}, {"role": "official", "scope": "bohai"},
        {"external": "taken"}, {"display": "a\0b"},
    ],
    ids=str,
)  # fmt: skip
async def test_wrong_person_is_refused_with_a_word(
    office: Office, admin: Browser, wrong: dict[str, str]
) -> None:
    await put(office.hub, "other", "official", external="taken")
    assert 'role="alert"' in await act(admin, "add", 422, **NEW | wrong)
    assert await office.audit("user_add") == []


async def test_change_is_audited_with_before_and_after_and_ends_logins(
    office: Office, admin: Browser
) -> None:
    theirs = await office.browser("dispatcher")
    form = {
        "name": "dispatcher",
        "display": "渤海",
        "role": "subdistrict",
        "scope": "bohai",
        "external": "",
    }
    await act(admin, "change", **form)
    assert [row.note for row in await office.audit("user_change")] == [
        "display: dispatcher → 渤海; role: dispatcher → subdistrict; scope:  → bohai"
    ]
    assert (await theirs.get("/desk")).status == 302
    await act(admin, "change", **form)  # nothing is different now
    assert len(await office.audit("user_change")) == 1


async def test_password_is_reset_and_stays_secret(office: Office, admin: Browser) -> None:
    theirs = await office.browser("dispatcher")
    await act(admin, "password", 422, name="dispatcher", password="short")
    page = await act(admin, "password", name="dispatcher", password="another horse")
    row = (await office.audit("user_password"))[0]
    assert "another horse" not in page + row.note
    assert (await theirs.get("/desk")).status == 302
    assert (await theirs.log_in("dispatcher", "another horse")).status == 302


async def test_person_is_locked_and_unlocked(office: Office, admin: Browser) -> None:
    theirs = await office.browser("dispatcher")
    await act(admin, "lock", name="dispatcher")
    assert (await theirs.get("/desk")).status == 302
    assert (await theirs.log_in("dispatcher")).status == 401
    await act(admin, "unlock", name="dispatcher")
    assert (await theirs.log_in("dispatcher")).status == 302
    notes = [row.note for act_ in ("user_lock", "user_unlock") for row in await office.audit(act_)]
    assert notes == ["active: True → False", "active: False → True"]


async def test_second_factor_is_taken_off_and_logins_end(office: Office, admin: Browser) -> None:
    async def work(tx: Tx) -> None:
        await tx.run(
            update(T.users)
            .where(T.users.c.name == "dispatcher")
            .values(totp=b"x", recovery='["y"]')
        )

    await office.hub.db.write(work)
    theirs = await office.browser("dispatcher")
    await act(admin, "factor-off", name="dispatcher")
    row = await user(office, "dispatcher")
    assert (row.totp, row.recovery) == (None, "[]")
    assert (await theirs.get("/desk")).status == 302
    theirs = await office.browser("dispatcher")
    await act(admin, "end-sessions", name="dispatcher")
    assert (await theirs.get("/desk")).status == 302
    assert len(await office.audit("factor_off")) == len(await office.audit("user_sessions")) == 1


@pytest.mark.parametrize("word", ["lock", "change"])
async def test_last_administrator_stays(office: Office, admin: Browser, word: str) -> None:
    form = {"name": "admin", "display": "admin", "role": "official", "scope": "", "external": ""}
    assert "最后一名管理员" in await act(admin, word, 422, **form)
    await put(office.hub, "second", "admin")
    await act(admin, word, **form)
    assert (await user(office, "admin")).active is (word == "change")


async def test_nobody_of_that_name(admin: Browser) -> None:
    await act(admin, "lock", 409, name="nobody")


def test_every_file_is_explained_and_hub_toml_is_not_edited() -> None:
    assert set(MEANINGS) == set(EDITED) == {*ADOPTED, *RESTART} - {"hub.toml"}


def test_line_of_an_error_and_lines_that_changed() -> None:
    assert bad_line("config: x.toml: line 2: b: no", "a\nb\nc") == (2, "b")
    assert bad_line("config: x.toml: line 9: no", "a\nb") == bad_line("config: no", "a") == (0, "")
    assert counted("a\nb\n", "a\nc\nd\n") == "+2 −1 lines"


async def opened(browser: Browser, name: str) -> tuple[str, str]:
    """(text, mark) as the page shows them."""
    page = await (await browser.get(f"/desk/admin/files/{name}")).text()
    text = re.search(r"<textarea[^>]*>\n(.*)</textarea>", page, re.DOTALL)
    mark = re.search(r'name="mark" value="([0-9a-f]*)"', page)
    assert text is not None
    assert mark is not None
    return unescape(text[1]), mark[1]


async def edit(
    browser: Browser, name: str, text: str, mark: str, word: str = "save"
) -> tuple[int, str]:
    form = {"text": text.replace("\n", "\r\n"), "mark": mark, "act": word, "days": "30"}
    answer = await browser.post(f"/desk/admin/files/{name}", form)
    return answer.status, await answer.text()


@pytest.mark.parametrize("name", ["routing.toml", "gazetteer.csv", "lexicon.txt"])
async def test_file_saved_as_shown_is_the_same_file(
    office: Office, admin: Browser, name: str
) -> None:
    path = office.configs / name
    before = path.read_bytes()
    text, mark = await opened(admin, name)
    assert (await edit(admin, name, text, mark))[0] == 200
    assert path.read_bytes() == before


async def test_saved_file_is_audited_kept_and_taken_up(office: Office, admin: Browser) -> None:
    hub, configs = office.hub, office.configs
    reloader = hub.watch_configs(
        configs, lambda: load_city(configs), marks_of(configs), digests_of(configs)
    )
    seconds = itertools.count(step=10)
    reloader.monotonic = lambda: float(next(seconds))
    text, mark = await opened(admin, "lifecycle.toml")
    changed = re.sub(r"(?m)^undo_s = .*$", "undo_s = 77", text)
    assert changed != text
    status, page = await edit(admin, "lifecycle.toml", changed, mark)
    assert (status, "已保存" in page) == (200, True)
    for _ in range(2):
        await reloader.look()
    assert hub.city.lifecycle.undo_s == 77
    before, after = (await office.audit("config"))[0], (await office.audit("config_saved"))[0]
    assert (before.actor, before.target, before.note) == ("admin", "lifecycle.toml", "+1 −1 lines")
    assert re.fullmatch(
        rf"{mark[:12]} → [0-9a-f]{{12}}; former version lifecycle\.toml\.\S+", after.note
    )
    kept = hub.data / "former-configs" / after.note.rsplit(" ", 1)[1]
    assert kept.read_text(encoding="utf-8") == text
    assert [path.name for path in configs.iterdir() if path.name.startswith(".")] == []


async def test_wrong_file_is_refused_with_its_line(office: Office, admin: Browser) -> None:
    text, mark = await opened(admin, "routing.toml")
    broken = text.replace("[[rule]]", "[[rule]]\nlaed = 1", 1)
    line = broken[: broken.index("laed")].count("\n") + 1
    for word in ("check", "try", "save"):
        status, page = await edit(admin, "routing.toml", broken, mark, word)
        assert status == 422
        assert f"第 {line} 行：<code>laed = 1</code>" in page
        assert str(office.configs / "routing.toml") in page  # not the copy it was tried in
    assert (office.configs / "routing.toml").read_text(encoding="utf-8") == text
    assert await office.audit("config") == []


async def test_file_is_checked_against_the_others(office: Office, admin: Browser) -> None:
    text, mark = await opened(admin, "departments.toml")
    status, page = await edit(
        admin, "departments.toml", text.replace('"bohai"', '"bohai_new"'), mark
    )
    assert (status, 'role="alert"' in page) == (422, True)


async def test_file_changed_meanwhile_is_not_overwritten(office: Office, admin: Browser) -> None:
    text, mark = await opened(admin, "grouping.toml")
    path = office.configs / "grouping.toml"
    path.write_text(text + "\n# of somebody else\n", encoding="utf-8")
    status, page = await edit(admin, "grouping.toml", text + "\n# mine\n", mark)
    assert (status, "# mine" in page, "已被他人修改" in page) == (409, True, True)
    assert "# of somebody else" in path.read_text(encoding="utf-8")


async def test_read_only_folder_is_said(office: Office, admin: Browser) -> None:
    text, mark = await opened(admin, "grouping.toml")
    (office.hub.data / "former-configs").write_text(
        "in the way", encoding="utf-8"
    )  # as root may write anywhere
    status, page = await edit(admin, "grouping.toml", text + "\n", mark)
    assert (status, "只读" in page) == (422, True)
    assert (office.configs / "grouping.toml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", ["hub.toml", "nothing.toml"])
async def test_other_files_are_not_shown(admin: Browser, name: str) -> None:
    assert (await admin.get(f"/desk/admin/files/{name}")).status == 404
    assert (await edit(admin, name, "x", ""))[0] == 404


async def test_trial_of_rules_says_what_would_move(office: Office, admin: Browser) -> None:
    text, mark = await opened(admin, "routing.toml")
    status, page = await edit(admin, "routing.toml", text, mark, "try")
    assert (status, "最近 30 天 0 件，改派 0 件" in page, "尚未保存" in page) == (200, True, True)


def save_card(home: Path, name: str, taxonomy: str, at: str) -> None:
    card = Card(
        name=name, base=name, taxonomy=taxonomy, created_at=at, format=FORMAT, sklearn="1", sources=(), weights_sha256="",
        layout={}, auto_min=0.5, trust=(), words_from=0, cues={}, labels={}, held_out={"kind_accuracy": 0.9375},
    )  # fmt: skip
    (home / name).mkdir(parents=True)
    (home / name / "card.json").write_bytes(msgspec.json.encode(card))


async def test_models_are_listed_and_switched(office: Office, admin: Browser) -> None:
    home, taxonomy = office.hub.data / "models", office.hub.city.taxonomy
    key = taxonomy_key(taxonomy)
    for n, name in enumerate(("aaaa", "bbbb")):
        save_card(home, name, key, f"2026-11-0{n + 1}T00:00:00+00:00")
    save_card(home, "cccc", "another", "2026-11-03T00:00:00+00:00")
    registry = Registry(home, taxonomy)
    registry.promote("aaaa")
    page = await (await admin.get("/desk/admin/models")).text()
    assert ("aaaa" in page, "0.938" in page, "cccc" in page) == (True, True, False)
    for word, name, status in (
        ("try", "bbbb", 200), ("use", "bbbb", 200), ("use", "cccc", 422), ("use", "../../x", 422), ("back", "", 200),
        ("try", "bbbb", 200), ("stop", "", 200), ("back", "", 422),
    ):  # fmt: skip
        assert (await admin.post(f"/desk/admin/models/{word}", {"name": name})).status == status, (
            word,
            name,
        )
    section = registry.read()
    assert (section.in_use, section.shadow) == ("aaaa", "")
    assert next(row.note for row in await office.audit("model_use")) == "aaaa → bbbb"


async def rejects(office: Office) -> list[int]:
    """Two rejects of a channel: one can be read now, one never."""
    contents = [
        b'{"channel": "app", "channel_id": "city:1", "text": "\xe8\xb7\xaf\xe7\x81\xaf\xe4\xb8\x8d\xe4\xba\xae"}',
        b"nothing",
    ]

    async def work(tx: Tx) -> None:
        for n, content in enumerate(contents):
            await office.hub.dead.put(
                tx,
                stage="ingest.app",
                source_key=f"k{n}",
                reason="malformed",
                error="desk: x",
                content=content,
            )

    await office.hub.db.write(work)
    async with office.hub.db.read() as conn:
        return list((await conn.execute(select(T.dead.c.id).order_by(T.dead.c.id))).scalars())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def either(request: pytest.FixtureRequest, open_office: Opens) -> Office:
    return await open_office(
        request.getfixturevalue(f"{request.param}_url"), ("admin", "dispatcher")
    )


async def test_rejects_are_fed_again_or_given_up(either: Office) -> None:
    admin = await either.browser("admin")
    good, bad = await rejects(either)
    page = await (await admin.get("/desk/admin/dead")).text()
    assert ("malformed：2 条" in page, "nothing" in page, "路灯" in page) == (True, False, False)
    answer = await admin.post("/desk/admin/dead/replay", {"id": str(good)})
    assert "已重放 1 条。" in await answer.text()
    answer = await admin.post("/desk/admin/dead/replay", {"id": str(bad)})
    assert "1 条仍无法处理" in await answer.text()
    assert (
        await admin.post("/desk/admin/dead/dismiss", {"id": str(bad), "note": "x"})
    ).status == 422
    assert (await admin.post("/desk/admin/dead/dismiss", {"note": "测试数据"})).status == 422
    assert (
        await admin.post("/desk/admin/dead/dismiss", {"id": str(bad), "note": "测试数据"})
    ).status == 200
    async with either.hub.db.read() as conn:
        states = dict((await conn.execute(select(T.dead.c.id, T.dead.c.state))).all())
        assert (await conn.execute(select(T.items.c.text))).scalars().all() == ["路灯不亮"]
    assert states == {good: "replayed", bad: "dismissed"}
    assert [row.note for row in await either.audit("dead_dismiss")] == [
        "dead → dismissed: 测试数据"
    ]
    assert [row.target for row in await either.audit("dead_replay")] == [
        f"dead {good}",
        f"dead {bad}",
    ]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["user dispatcher", "user window-3"]),
        ("act=user_add", ["user window-3"]),
        ("actor=nobody", []),
        ("target=window", ["user window-3"]),
        ("target=%25", []),
        ("from=2026-11-24&to=2026-11-24", ["user dispatcher", "user window-3"]),
        ("from=2026-11-25", []),
        ("to=2026-11-23", []),
        ("from=yesterday&before=x", ["user dispatcher", "user window-3"]),
        ("before=2", ["user window-3"]),
        ("before=" + "9" * 30, ["user dispatcher", "user window-3"]),
    ],
)
async def test_audit_is_filtered(
    office: Office, admin: Browser, query: str, shown: list[str]
) -> None:
    await act(admin, "add", **NEW)
    await act(admin, "lock", name="dispatcher")
    page = await (await admin.get(f"/desk/admin/audit?{query}")).text()
    assert re.findall(r"<td>(user [^<]+)</td>", page) == shown


async def test_audit_goes_on_page_by_page(office: Office, admin: Browser) -> None:
    async def work(tx: Tx) -> None:
        rows = [
            {"actor": "a", "act": "x", "target": str(n), "note": "", "at": office.hub.clock()}
            for n in range(150)
        ]
        await tx.insert(T.audit, rows)

    await office.hub.db.write(work)
    page = await (await admin.get("/desk/admin/audit?act=x")).text()
    more = re.search(r'href="(/desk/admin/audit\?[^"]*before=\d+)"', page)
    assert more is not None
    assert page.count("<td>x</td>") == 100
    rest = await (await admin.get(more[1].replace("&amp;", "&"))).text()
    assert (rest.count("<td>x</td>"), "更早的记录" in rest) == (50, False)
