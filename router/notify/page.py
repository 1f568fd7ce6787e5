"""The page behind a one-time link: one form without a script, nothing of the citizen but what the office got."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from string import Template

from router.workflow import VERB_NAMES, Verb

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
}

_FRAME = Template(
    "<!doctype html><html lang='zh-CN'><head><meta charset='utf-8'>"
    "<meta name='viewport' content='width=device-width'><title>$title</title>"
    '<link rel="stylesheet" href="/static/style.css"></head>'
    "<body><main class='card narrow large'><h1>$title</h1>$body</main></body></html>"
)
_FORM = Template(
    "<form method='post' action='$action' class='stack'><div>$choices</div>"
    "<label>办理结果或退单原因"
    "<textarea name='note' rows='5' maxlength='1000'></textarea></label>"
    "<button class='main'>提交</button></form>"
)
_CHOICE = Template(
    "<label class='choice'><input type='radio' name='verb' value='$value' required> $name</label>"
)


def show(title: str, facts: Sequence[tuple[str, str]], text: str, form: str = "") -> str:
    """The order and the form."""
    rows = "".join(
        f"<p class='meta'>{escape(label)}：{escape(value)}</p>" for label, value in facts
    )
    words = escape(text).replace("\n", "<br>")
    return _framed(title, f"{rows}<p class='text'>{words}</p>{form}")


def say(title: str, sentence: str, link: str = "") -> str:
    """One sentence, and a link to go on when there is one."""
    more = f"<p><a href='{escape(link)}'>继续办理</a></p>" if link else ""
    return _framed(title, f"<p>{escape(sentence)}</p>{more}")


def form(action: str, verbs: Sequence[tuple[str, Verb]]) -> str:
    """The choices that the case's status allows."""
    if not verbs:
        return "<p>此工单目前无需操作。</p>"
    choices = "".join(_CHOICE.substitute(value=word, name=VERB_NAMES[verb]) for word, verb in verbs)
    return _FORM.substitute(action=escape(action), choices=choices)


def _framed(title: str, body: str) -> str:
    return _FRAME.substitute(title=escape(title), body=body)
