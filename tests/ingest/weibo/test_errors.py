"""What goes wrong with Weibo, and what becomes of it: every class of error, the day's calls, warnings."""

from datetime import timedelta
from typing import Any

import pytest

from ingest.connectors.weibo import Weibo, WeiboConfig
from ingest.connectors.weibo.codes import Act, act_of, code_of
from store.errors import ConfigError, RejectedError, TransientError

MENTIONS = "statuses/mentions"


@pytest.mark.parametrize("strings", [True, False])
@pytest.mark.parametrize("status", [200, 400, 403, 500])
@pytest.mark.parametrize("code", [10001, 10002, 10003, 10009, 10010, 10011])
async def test_passing_error_is_asked_again_and_stops_no_other_list(
    weibo: Any, code: int, status: int, *, strings: bool
) -> None:
    weibo.sim.mode.string_codes = strings
    weibo.sim.comment(weibo.sim.post("通知", "ours"), "收到")
    weibo.sim.post("路灯不亮")
    weibo.sim.fail(MENTIONS, code=code, status=status)
    with pytest.raises(TransientError, match=str(code)) as caught:
        await weibo.poll()
    assert caught.value.retry_after_s is None
    assert weibo.heard() == {"收到"}
    await weibo.poll()
    assert weibo.heard() == {"收到", "路灯不亮"}


@pytest.mark.parametrize("status", [200, 404, 418, 432, 502])
async def test_page_in_place_of_json_is_asked_again(weibo: Any, status: int) -> None:
    weibo.sim.fail(MENTIONS, html=True, status=status)
    with pytest.raises(TransientError, match="no JSON"):
        await weibo.poll()


async def test_json_without_code_but_bad_status_is_asked_again(weibo: Any) -> None:
    weibo.sim.fail(MENTIONS, status=500)
    with pytest.raises(TransientError, match="500"):
        await weibo.poll()


async def test_redirect_is_an_error_of_the_address(weibo: Any) -> None:
    weibo.sim.fail(MENTIONS, html=True, status=302)
    with pytest.raises(RejectedError, match="correct url"):
        await weibo.poll()


@pytest.mark.parametrize(
    ("code", "hours"), [(10022, 1), (10024, 1), (10023, 15)], ids=["ip", "special", "user"]
)
async def test_too_many_calls_stop_all_until_the_boundary(
    weibo: Any, clock: Any, code: int, hours: int
) -> None:
    weibo.sim.post("路灯不亮")
    weibo.sim.fail(MENTIONS, code=code)
    with pytest.raises(TransientError) as caught:
        await weibo.poll()
    assert caught.value.retry_after_s == hours * 3600 + 60 == weibo.source.wait_s()
    assert "超限" in weibo.source.health().warning
    weibo.asked()
    saved = weibo.source.save()
    weibo.connect().restore(saved)
    clock.forward(hours=hours, seconds=59)
    assert (await weibo.poll(), weibo.asked()) == (0, 0)
    clock.forward(seconds=1)
    assert await weibo.poll() == 1


async def test_days_limit_met_right_after_midnight_is_yesterdays(weibo: Any, clock: Any) -> None:
    clock.forward(hours=15, minutes=2)  # 00:02 in Beijing
    weibo.sim.fail(MENTIONS, code=10023)
    with pytest.raises(TransientError) as caught:
        await weibo.poll()
    assert caught.value.retry_after_s == 600


@pytest.mark.parametrize("code", [10006, 21327, 21325, 21315, -100])
async def test_dead_token_is_told(weibo: Any, code: int) -> None:
    weibo.sim.fail(MENTIONS, code=code)
    with pytest.raises(RejectedError) as caught:
        await weibo.poll()
    assert caught.value.reason == "token"
    assert "授权已失效" in weibo.source.health().warning
    assert weibo.source.wait_s() >= 3600
    assert weibo.asked() == 1
    await weibo.poll()
    assert weibo.source.health().warning == ""


async def test_expired_token(weibo: Any) -> None:
    weibo.sim.mode.expired = True
    with pytest.raises(RejectedError) as caught:
        await weibo.poll()
    assert caught.value.reason == "token"
    assert "access_token" in str(caught.value)


@pytest.mark.parametrize("code", [10004, 10012, 10013, 21321, 21337])
async def test_blocked_app_is_told(weibo: Any, code: int) -> None:
    weibo.sim.fail(MENTIONS, code=code)
    with pytest.raises(RejectedError) as caught:
        await weibo.poll()
    assert caught.value.reason == "blocked"
    assert f"应用被限制（{code}）" in weibo.source.health().warning


async def test_missing_permission_leaves_out_that_list_for_the_day(weibo: Any, clock: Any) -> None:
    weibo.sim.mode.denied.add("comments/mentions")
    weibo.sim.post("路灯不亮")
    assert await weibo.poll() == 1
    assert "comments/mentions 的权限" in weibo.source.health().warning
    weibo.asked()
    await weibo.poll()
    assert weibo.asked("comments/mentions") == 0
    weibo.sim.mode.denied.clear()
    clock.forward(days=1)
    await weibo.poll()
    assert weibo.asked("comments/mentions") == 1
    assert weibo.source.health().warning == ""


async def test_no_permission_at_all_is_an_error(weibo: Any) -> None:
    weibo.connect(endpoints=["mentions"])
    weibo.sim.mode.denied.add(MENTIONS)
    for _ in range(2):
        with pytest.raises(RejectedError) as caught:
            await weibo.poll()
        assert caught.value.reason == "permission"


@pytest.mark.parametrize("code", [10016, 10020, 99999])
async def test_strange_code_is_refused_and_stops_no_other_list(weibo: Any, code: int) -> None:
    weibo.sim.fail(MENTIONS, code=code)
    weibo.sim.comment(weibo.sim.post("通知", "ours"), "收到")
    with pytest.raises(RejectedError) as caught:
        await weibo.poll()
    assert caught.value.reason == "refused"
    assert weibo.heard() == {"收到"}


async def test_whole_days_never_exceed_the_calls(weibo: Any, clock: Any) -> None:
    """Polled whenever it likes, with a sweep a day and long texts; restarted on the way."""
    for day in range(2):
        start, polls = clock.now, 0
        while clock.now < start + timedelta(days=1):
            weibo.sim.post(f"{day}-{polls} 积水" + "长" * 150 * (polls % 2))
            await weibo.poll(sweep=polls == 5)
            saved = weibo.source.save()
            weibo.connect().restore(saved)
            clock.forward(seconds=weibo.source.wait_s())
            polls += 1
            assert weibo.sim.used <= 96
        assert polls >= 20
    await weibo.poll()
    assert len(weibo.items) >= 40


async def test_crash_before_saving_forgets_few_calls(weibo: Any) -> None:
    """The cursor carries the count too."""
    weibo.sim.post("路灯不亮")
    weibo.sim.comment(weibo.sim.post("通知", "ours"), "收到")
    await weibo.poll()
    weibo.connect()
    weibo.sim.fail("rate_limit", code=10001)
    await weibo.poll()
    assert weibo.source.health().budget_left == 100 - weibo.sim.used == 94


async def test_weibo_knows_of_more_calls(weibo: Any, clock: Any) -> None:
    weibo.sim.post("路灯不亮")
    await weibo.poll()
    weibo.sim.used = 95
    await weibo.poll()
    assert weibo.source.health().budget_left == 94
    assert weibo.asked("rate_limit", free=True) == 1
    clock.forward(hours=6)
    await weibo.poll()
    assert weibo.source.health().budget_left == 100 - 98
    assert "今日调用次数已用完" in weibo.source.health().warning
    weibo.sim.used = 100
    clock.forward(hours=6)
    await weibo.poll()
    assert weibo.source.wait_s() == 3 * 3600
    assert "超限" in weibo.source.health().warning


async def test_quiet_comments_are_asked_less_often(weibo: Any) -> None:
    for n in range(12):
        weibo.sim.post(f"路灯不亮{n}")
        await weibo.poll()
    assert sum(path == MENTIONS for path, _ in weibo.sim.requests) == 12
    assert weibo.asked("comments/to_me") < 8
    weibo.connect(calls_per_day=50_000)
    for _ in range(5):
        await weibo.poll()
    assert weibo.asked("comments/to_me") == 5


async def test_silence_is_told_after_three_days(weibo: Any, clock: Any) -> None:
    await weibo.poll()
    clock.forward(days=5)
    await weibo.poll()
    assert weibo.source.health().warning == ""
    weibo.sim.post("路灯不亮")
    await weibo.poll()
    clock.forward(days=4)
    await weibo.poll()
    assert weibo.source.health().warning == ""
    weibo.sim.mode.blacklisted = True
    for day in range(4):
        clock.forward(days=1)
        await weibo.poll(sweep=True)
        saved = weibo.source.save()
        weibo.connect().restore(saved)
        assert ("连续3天" in weibo.source.health().warning) == (day >= 2)


@pytest.mark.parametrize(
    ("days", "words"),
    [(4, ""), (3, "3天内到期"), (2.5, "3天内"), (0.1, "1天内"), (0, "已到期"), (-1, "已到期")],
)
def test_token_expiry_is_told_ahead(weibo: Any, clock: Any, days: float, words: str) -> None:
    source = weibo.connect(token_expires_at=clock.now + timedelta(days=days))
    told = source.health().warning
    assert (words in told) if words else told == ""


@pytest.mark.parametrize("saved", ["", "[", "null", '{"spent": 3}', "\ud800"])
def test_strange_saved_state_is_ignored(weibo: Any, saved: str) -> None:
    weibo.source.restore(saved)
    assert weibo.source.health().budget_left == 100


@pytest.mark.parametrize(
    "document", [{"error_code": "x"}, {"error_code": None}, {"error_code": [1]}, [], 3, {"ok": 1}]
)
def test_no_code(document: object) -> None:
    assert code_of(document) == 0


def test_unknown_code_of_a_broken_server_passes() -> None:
    assert (act_of(77777, 503), act_of(77777, 400)) == (Act.AGAIN, Act.REFUSED)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"reply": True}, "operator_ip"),
        ({"calls_per_day": 4}, "reserve"),
        ({"topics": ["积水"]}, "topics"),
        ({"endpoints": ["topics"]}, "topics"),
        ({"uid": "某市发布"}, "uid"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        WeiboConfig.model_validate({"uid": "1000", **settings})


def test_missing_token_is_an_error_of_the_settings(clock: Any) -> None:
    with pytest.raises(ConfigError, match="access_token"):
        Weibo("weibo", WeiboConfig(uid="1000"), None, clock=clock)  # type: ignore[arg-type]
