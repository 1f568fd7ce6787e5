"""Weibo through the real poller and admission, and the simulator's own quirks."""

import io
from typing import Any

import pytest
from PIL import Image

from hub.http import GuardedHttp
from ingest.admit import Admission
from ingest.poller import Poller
from store.db import Database


async def test_polled_admitted_once_and_revised(
    weibo: Any, clock: Any, db: Database, admission: Admission
) -> None:
    poller = Poller(db=db, admission=admission, clock=clock)
    number = weibo.sim.post("@某市发布 路灯不亮")
    weibo.sim.comment(weibo.sim.post("通知", "ours"), "收到")
    polling = await poller.poll(weibo.source)
    assert sorted(one.outcome for one in polling.heard) == ["admitted", "admitted"]
    assert (polling.error, polling.wait_s) == ("", weibo.source.wait_s())
    weibo.sim.edit(number, "@某市发布 路灯已经修好")
    clock.forward(hours=25)
    polling = await poller.poll(weibo.source)
    assert sorted(one.outcome for one in polling.heard) == ["duplicate", "revised"]


async def test_dead_token_is_noted_and_asked_rarely(
    weibo: Any, clock: Any, db: Database, admission: Admission
) -> None:
    weibo.sim.mode.expired = True
    polling = await Poller(db=db, admission=admission, clock=clock).poll(weibo.source)
    assert "access_token" in polling.error
    assert polling.wait_s >= 3600


async def ask(weibo: Any, path: str) -> tuple[int, bytes]:
    http = GuardedHttp(["127.0.0.0/8"])
    answer = await http.send("GET", weibo.url + path)
    await http.close()
    return answer.status, answer.body


async def test_pictures_are_served(weibo: Any) -> None:
    _, content = await ask(weibo, "pic/large/1.jpg")
    assert Image.open(io.BytesIO(content)).format == "JPEG"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("2/statuses/mentions.json", 400, b"10006"),
        ("2/statuses/show.json?access_token=token&id=1", 400, b"20101"),
        ("2/comments/create.json?access_token=token&comment=x", 400, b"10016"),
        ("2/nothing.json?access_token=token", 400, b"10020"),
        ("2/account/rate_limit_status.json?access_token=token", 200, b'"user_limit": 100'),
    ],
)
async def test_answers(weibo: Any, path: str, status: int, words: bytes) -> None:
    got, body = await ask(weibo, path)
    assert (got, words in body) == (status, True)


async def test_post_without_form_type_is_refused(weibo: Any) -> None:
    http = GuardedHttp(["127.0.0.0/8"])
    number = weibo.sim.post("井盖缺失")
    url = f"{weibo.url}2/comments/create.json?access_token=token&comment=x&rip=1.1.1.1&id={number}"
    answer = await http.send("POST", url, headers={"content-type": "text/plain"}, body=b"x")
    assert b"10016" in answer.body
    await http.close()


async def test_more_than_200_are_never_listed(weibo: Any) -> None:
    for n in range(210):
        weibo.sim.post(f"路灯{n}")
    _, body = await ask(weibo, "2/statuses/mentions.json?access_token=token&count=500")
    assert body.count(b'"favorited"') + body.count(b'"truncated"') == 200
    _, body = await ask(weibo, "2/statuses/mentions.json?access_token=token&count=200&page=2")
    assert body.count(b'"truncated"') == 10
