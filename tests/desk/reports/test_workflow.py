"""Drafts are edited in words only, signed once with a number without gaps, corrected by another part."""

import asyncio

import pytest
from bureau import ZONE, Bureau, kind

from desk.reports.editing import edited
from desk.reports.frozen import (
    Content,
    Frozen,
    Grid,
    Head,
    Words,
    called,
    mark,
    read_trail,
    readable,
    resolved,
)
from desk.reports.paper import paper_of
from desk.reports.settings import BulletinSettings
from router.trends.alerting import PENDING
from store.errors import ConflictError, HubError, RejectedError
from store.tables import T

FIGURES = {
    one: Frozen(id=one, name=one, value=n, shown=str(n)) for n, one in enumerate(("items", "filed"))
}
CONTENT = Content(
    kind_name="月报", issuer="市城管办", cycle="month",
    blocks=(
        Head("b1", "总体"), Words("b2", "受理{{f:items}}件，立案{{f:filed}}件。"),
        Grid("b3", "表", ("甲",), (("{{f:items}}",),)),
    ),
)  # fmt: skip


def edit(**form: str) -> Content:
    fields = {name.replace("__", "."): value for name, value in form.items()}
    return edited("标题", CONTENT, FIGURES, fields).content


@pytest.mark.parametrize(
    "text",
    [
        "受理{{f:nothing}}件",
        "受理{{f:items}件",
        "受理{{items}}件",
        "受理}}件",
        "{{f:items|999}}",
        "{{ f:items }}",
    ],
)
def test_a_placeholder_that_is_wrong_is_refused_and_named(text: str) -> None:
    with pytest.raises(RejectedError, match="数字标记"):
        edit(text__b2=text)


def test_words_move_and_figures_stay() -> None:
    made = edit(text__b2="立案{{f:filed}}件，占受理的一部分。", act="up.b3")
    assert [block.id for block in made.blocks] == ["b1", "b3", "b2"]
    assert made.blocks[2].text == "立案{{f:filed}}件，占受理的一部分。"
    more = edit(act="words.b1")
    assert [(type(b).__name__, b.id) for b in more.blocks][1] == ("Words", "b4")
    assert [b.id for b in edit(drop__b3="on").blocks] == ["b1", "b2"]
    assert edit(act="up.b1") == edit(act="down.b9") == edit(act="explode.b1") == CONTENT


@pytest.mark.parametrize(
    "form",
    [{"title": " "}, {"title": "长" * 201}, {"text__b2": "长" * 20_001}, {"title": "{{f:items}}"}],
)
def test_titles_and_texts_have_bounds(form: dict[str, str]) -> None:
    with pytest.raises(RejectedError):
        edited("标题", CONTENT, FIGURES, {k.replace("__", "."): v for k, v in form.items()})


def test_editors_read_and_write_names_where_they_are_unique() -> None:
    pairs = (("a@prev", "上月受理"), ("b", "同名"), ("c", "同名"), ("d", "b"), ("e", "甲{乙}"))
    names = called({key: Frozen(id=key, name=name) for key, name in pairs})
    kept = "{{f:a@prev}}件、{{f:b}}件、{{f:c}}件、{{f:d}}件、{{f:e}}件、{{f:z}}件"
    shown = readable(kept, names)
    assert shown == "{{f:上月受理}}件、{{f:b}}件、{{f:c}}件、{{f:d}}件、{{f:e}}件、{{f:z}}件"
    assert resolved(shown, names) == resolved(kept, names) == kept


async def test_from_draft_to_signed_paper(bureau: Bureau) -> None:
    bulletin = await bureau.made()
    figures = await bureau.figures(bulletin)
    content = await bureau.content(bulletin)
    words = next(b for b in content.blocks if isinstance(b, Words))
    form = {f"text.{words.id}": f"全市受理{mark('items')}件。", "title": "十一月情况"}
    assert await bureau.bulletins.edit(bulletin, 1, form, "wang") == 2
    await bureau.move(bulletin, "submit", "back", "submit", "sign")
    row = await bureau.row(bulletin)
    assert await bureau.figures(bulletin) == figures
    assert (row.number, row.state, row.signed_by, row.title) == (
        "monthly〔2026〕1号",
        "signed",
        "zhang",
        "十一月情况",
    )
    paper = paper_of(row, zone=ZONE, today=None)
    assert (paper.is_draft, paper.signed_by, paper.number, str(paper.dated)) == (
        False,
        "局长",
        row.number,
        "2026-12-01",
    )
    acts = [(one.act, one.actor, one.note) for one in read_trail(row.trail)]
    assert acts == [
        ("made", "wang", ""), ("edited", "wang", ""), ("submit", "zhang", "因故"), ("back", "zhang", "因故"),
        ("submit", "zhang", "因故"), ("sign", "zhang", "因故"),
    ]  # fmt: skip
    audit = [row.act for row in await bureau.rows(T.audit)]
    assert audit == [f"bulletin.{act}" for act, *_ in acts]
    (alert,) = await bureau.rows(T.alerts)
    assert (alert.mark, alert.state, alert.official) == (
        f"bulletin:{bulletin}:duty",
        PENDING,
        "duty",
    )
    assert "全市受理" in alert.body
    (task,) = await bureau.rows(T.tasks)
    assert task.done_by == "zhang"


async def test_a_signed_bulletin_stays_whatever_is_configured_later(bureau: Bureau) -> None:
    bulletin = await bureau.made()
    await bureau.move(bulletin, "submit", "sign")
    row = await bureau.row(bulletin)
    before = paper_of(row, zone=ZONE, today=None)
    other = kind("monthly", issuer="别的机关", to="", name="别的", number="别〔{year}〕{n}号")
    bureau.bulletins.settings = BulletinSettings(kind=(other,))
    bureau.clock.forward(days=40)
    assert paper_of(await bureau.row(bulletin), zone=ZONE, today=None) == before
    for act in (
        bureau.bulletins.edit(bulletin, row.version, {}, "wang"),
        bureau.bulletins.renew(bulletin, row.version, "wang"),
        bureau.move(bulletin, "submit"),
        bureau.move(bulletin, "sign"),
        bureau.move(bulletin, "back"),
    ):
        with pytest.raises(ConflictError):
            await act
    assert before == paper_of(await bureau.row(bulletin), zone=ZONE, today=None)


async def test_two_people_at_once(bureau: Bureau) -> None:
    """Of two who make, edit or sign the same, one is told to look again."""
    made = await asyncio.gather(bureau.made(), bureau.made(), return_exceptions=True)
    assert sorted(type(one) for one in made if isinstance(one, Exception)) in (
        [ConflictError],
        [RejectedError],
    )
    bulletin = next(one for one in made if isinstance(one, int))
    edits = [bureau.bulletins.edit(bulletin, 1, {"title": title}, "wang") for title in ("甲", "乙")]
    told = await asyncio.gather(*edits, return_exceptions=True)
    assert [type(one) for one in told if isinstance(one, Exception)] == [ConflictError]
    await bureau.move(bulletin, "submit")
    signs = [
        hub.move(bulletin, 3, "sign", actor=name, display=name)
        for name, hub in (("a", bureau.bulletins), ("b", bureau.beside()))
    ]
    told = await asyncio.gather(*signs, return_exceptions=True)
    assert [type(one) for one in told if isinstance(one, Exception)] == [ConflictError]
    assert (await bureau.row(bulletin)).number == "monthly〔2026〕1号"


async def test_numbers_have_no_gaps_and_none_is_given_twice(bureau: Bureau) -> None:
    """Signed at once, some of them twice; each kind and year counts by itself."""
    months = [f"2026-{n:02}" for n in range(1, 6)]
    bulletins = [await bureau.made(period=one) for one in months]
    express = await bureau.made("express", "2026-W47")
    for one in (*bulletins, express):
        await bureau.move(one, "submit")

    async def sign(bulletin: int) -> None:
        try:
            await bureau.beside().move(bulletin, 2, "sign", actor="zhang", display="局长")
        except HubError:
            return

    await asyncio.gather(*(sign(one) for one in (*bulletins, *bulletins, express)))
    numbers = {(await bureau.row(one)).number for one in bulletins}
    assert numbers == {f"monthly〔2026〕{n}号" for n in range(1, 6)}
    assert (await bureau.row(express)).number == "express〔2026〕1号"
    bureau.clock.forward(days=60)
    later = await bureau.made(period="2026-12")
    await bureau.move(later, "submit", "sign")
    assert (await bureau.row(later)).number == "monthly〔2027〕1号"


async def test_a_correction_is_a_part_that_names_what_it_corrects(bureau: Bureau) -> None:
    first = await bureau.made()
    with pytest.raises(ConflictError):
        await bureau.bulletins.correct(first, "wang")
    await bureau.move(first, "submit", "sign")
    with pytest.raises(RejectedError, match="already"):
        await bureau.made()
    second = await bureau.bulletins.correct(first, "wang")
    with pytest.raises(RejectedError, match="later part"):
        await bureau.bulletins.correct(first, "wang")
    row, old = await bureau.row(second), await bureau.row(first)
    assert (row.part, row.state, old.state) == (1, "draft", "signed")
    assert old.number in row.title
    assert "本件更正monthly〔2026〕1号" in str(
        paper_of(row, zone=ZONE, today=bureau.bulletins.today()).blocks[0]
    )
    await bureau.move(second, "withdraw")
    third = await bureau.bulletins.correct(first, "wang")
    assert (await bureau.row(third)).part == 2


@pytest.mark.parametrize(
    ("verbs", "reason", "error"),
    [
        (["back"], "x", ConflictError),
        (["sign"], "x", ConflictError),
        (["submit", "back"], " ", RejectedError),
        (["withdraw"], "", RejectedError),
    ],
)
async def test_out_of_turn_and_without_a_reason(
    bureau: Bureau, verbs: list[str], reason: str, error: type[Exception]
) -> None:
    bulletin = await bureau.made()
    with pytest.raises(error):
        await bureau.move(bulletin, *verbs, reason=reason)


async def test_a_renewed_draft_keeps_the_editors_own_paragraphs(bureau: Bureau) -> None:
    of = {"label": "*", "area": "*", "channel": "*", "n": 31}
    await bureau.insert(T.item_days, *(of | {"day": day} for day in (20261105, -202611)))
    bulletin = await bureau.made()
    content = await bureau.content(bulletin)
    version = await bureau.bulletins.edit(bulletin, 1, {"act": "words.b1"}, "wang")
    own = (await bureau.content(bulletin)).blocks[1].id
    form = {f"text.{own}": f"特此说明{mark('items')}"}
    version = await bureau.bulletins.edit(bulletin, version, form, "wang")
    more = T.item_days.update().values(n=32)
    await bureau.db.write(lambda tx: tx.run(more))
    assert (await bureau.figures(bulletin))["items"].value == 31
    await bureau.bulletins.renew(bulletin, version, "wang")
    new = await bureau.content(bulletin)
    assert [block.text for block in new.blocks] == [
        *(b.text for b in content.blocks),
        f"特此说明{mark('items')}",
    ]
    assert len({block.id for block in new.blocks}) == len(new.blocks)
    assert (await bureau.figures(bulletin))["items"].value == 32


async def test_a_period_that_goes_on_or_is_none_has_no_bulletin(bureau: Bureau) -> None:
    for period in ("2026-12", "2027-01", "2026-13", "2026-W47", "", "11"):
        with pytest.raises(RejectedError):
            await bureau.made(period=period)
