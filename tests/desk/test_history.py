"""Codes become Chinese: a case's history, and the lines of a document by their place in the official form."""

import pytest

from desk.history import Words, told, who
from desk.inbox import laid_out
from router.workflow import Verb

WORDS = Words(
    people={"wang": "派遣员甲"},
    offices={"transport": "市交通运输局"},
    rules={"litter": "同类诉求的惯常承办单位"},
    reasons={"duty": "职能不符"},
)


def line(verb: Verb, actor: str, reason: str = "", note: str = "") -> str:
    event = {"at": "2026-11-24T02:00:00+00:00", "verb": verb, "actor": actor}
    one = told([event | {"reason": reason, "note": note}], WORDS)[0]
    assert one["at"] == event["at"]
    return " ".join((one["what"], one["who"], one["why"])).strip()


@pytest.mark.parametrize(
    ("actor", "name"),
    [
        ("wang", "派遣员甲"),
        ("citizen", "市民"),
        ("grouping@1", "系统自动归并"),
        ("supervision", "系统自动督办"),
        ("376e8e5d3dfc", "系统自动识别"),
        ("transport/link:0123456789abcdef", "市交通运输局（消息链接）"),
        ("transport/call:42", "市交通运输局（系统对接）"),
        ("gone", "gone"),
    ],
)
def test_who(actor: str, name: str) -> None:
    assert who(actor, WORDS) == name


def test_codes_become_words() -> None:
    assert line(Verb.RECEIVE, "376e8e5d3dfc", note="litter").endswith("同类诉求的惯常承办单位")
    assert line(Verb.RECEIVE, "376e8e5d3dfc", note="relabeled: area, due_at, point").endswith(
        "重新识别：属地、责任点位"
    )
    assert line(Verb.DISPATCH, "wang", note="transport") == "派遣 派遣员甲 市交通运输局"
    assert line(Verb.RETURN_ORDER, "wang", "duty", "不归我局") == "退单 派遣员甲 职能不符　不归我局"
    assert line(Verb.UNDO, "wang", note="dispatch") == "撤销 派遣员甲 派遣"
    assert line(Verb.SUPERVISE, "supervision", "urge", "敦城督催〔2026〕1号").endswith(
        "催办　敦城督催〔2026〕1号"
    )
    assert line(Verb.FOLLOW_UP, "citizen", "fair") == "回访 市民 基本满意"
    assert line(Verb.MERGE, "grouping@1", "absorbed", "DH1") == "并案 系统自动归并 并入本案　DH1"


def test_document_has_its_parts() -> None:
    body = (
        "敦城督催〔2026〕1号\n市执法局：\n　　请办理。\n市城管办\n2026年11月26日\n抄送：市委督查室"
    )
    styles = ["number", "to", "para", "signed", "signed", "copies"]
    assert [style for _, style in laid_out(body)] == styles
    assert laid_out(body)[2] == ("请办理。", "para")
    assert laid_out("市执法局：\n请办理。") == [("市执法局：", "to"), ("请办理。", "to")]
