"""What a person should know about the account, in Chinese, most pressing first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ingest.connectors.weibo.budget import Budget
from ingest.connectors.weibo.client import Trouble
from ingest.connectors.weibo.codes import Act
from ingest.connectors.weibo.config import PATHS, WeiboConfig
from ingest.connectors.weibo.longtext import PATH
from ingest.connectors.weibo.state import SHOW, State

AHEAD = timedelta(days=3)
"""Only a person can renew a token, and not at night."""

TROUBLES = {
    Act.RENEW: "微博授权已失效（{code}），请重新授权并更新 access_token",
    Act.BLOCKED: "微博应用被限制（{code}），请在开放平台检查应用状态和IP白名单",
}


def warning(
    config: WeiboConfig, state: State, budget: Budget, trouble: Trouble, now: datetime
) -> str:
    """Empty when all is well."""
    told = [*_token(config, trouble, now), *_calls(budget, now), *_lists(config, state, now)]
    return "；".join(told)


def _token(config: WeiboConfig, trouble: Trouble, now: datetime) -> Iterator[str]:
    if trouble.act:
        yield TROUBLES[trouble.act].format(code=trouble.code)
    if trouble.act is Act.RENEW or config.token_expires_at is None:
        return
    left = config.token_expires_at - now
    if left <= timedelta():
        yield "微博授权已到期，请重新授权并更新 access_token"
    elif left <= AHEAD:
        days = -(-left // timedelta(days=1))
        yield f"微博授权将在{days}天内到期，请重新授权"


def _calls(budget: Budget, now: datetime) -> Iterator[str]:
    if budget.blocked_s(now):
        minutes = -(-int(budget.blocked_s(now)) // 60)
        yield f"微博接口调用超限，{minutes}分钟后恢复"
    elif not budget.may_poll(now):
        yield "微博今日调用次数已用完，明日0时恢复"


def _lists(config: WeiboConfig, state: State, now: datetime) -> Iterator[str]:
    paths = {**{str(one): PATHS[one] for one in config.endpoints}, SHOW: PATH}
    for interface, path in paths.items():
        if state.is_denied(interface, now):
            yield f"微博应用没有接口 {path} 的权限，请在开放平台申请"
    if state.is_silent():
        yield "微博连续3天没有返回任何内容，应用可能已被屏蔽，请人工核对"
